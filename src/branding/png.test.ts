import { crc32, deflateSync } from 'node:zlib';
import { decode, encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { cleanPng } from './png.ts';

const PIXELS = 4_000_000;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

const chunk = (type: string, body: Uint8Array = Buffer.alloc(0)): Buffer => {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
};
const header = (width: number, height: number, depth = 8, color = 0, interlace = 0): Buffer => {
  const body = Buffer.alloc(13);
  body.writeUInt32BE(width, 0);
  body.writeUInt32BE(height, 4);
  body.set([depth, color, 0, 0, interlace], 8);
  return chunk('IHDR', body);
};
const png = (...chunks: Buffer[]): Buffer => Buffer.concat([SIGNATURE, ...chunks]);
const data = (raw: Uint8Array): Buffer => chunk('IDAT', deflateSync(raw));
const END = chunk('IEND');
/** 2 × 2 grey. */
const RAW = Buffer.from([0, 10, 20, 0, 30, 40]);
const good = png(header(2, 2), data(RAW), END);

const clean = (file: Uint8Array, pixels = PIXELS) => cleanPng(Buffer.from(file), pixels);
const problem = (file: Uint8Array, pixels?: number): Promise<string> =>
  clean(file, pixels).then(
    () => 'none',
    ({ code, message }) => `${code}: ${message}`,
  );

/** A picture of noise, as another encoder writes it. */
function picture(channels: 1 | 2 | 3 | 4, depth: 8 | 16) {
  const [width, height] = [37, 23];
  const most = depth === 8 ? 251 : 65521;
  const values = Array.from({ length: width * height * channels }, (_, index) => (index * 7919) % most);
  return { width, height, channels, depth, data: depth === 8 ? Uint8Array.from(values) : Uint16Array.from(values) };
}

describe('BRD-05 images are really PNG', () => {
  it.each([
    [1, 8],
    [2, 8],
    [3, 8],
    [4, 8],
    [1, 16],
    [4, 16],
  ] as const)('BRD-05 every pixel stays as it was: %i channels of %i bits', async (channels, depth) => {
    const image = picture(channels, depth);
    const cleaned = decode(await clean(encode(image)), { checkCrc: true });
    expect(cleaned).toMatchObject({ width: 37, height: 23, channels, depth });
    expect(Buffer.from(cleaned.data.buffer).equals(Buffer.from(image.data.buffer))).toBe(true);
  });

  it('BRD-05 palettes with transparency, few bits and interlacing stay', async () => {
    const palette = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255]);
    const indexed = png(
      header(5, 3, 2, 3),
      chunk('PLTE', palette),
      chunk('tRNS', Buffer.from([0, 128])),
      data(Buffer.from([0, 0b00011011, 0b00000000, 0, 0b10101010, 0b10000000, 0, 0, 0])),
      END,
    );
    const cleaned = await clean(indexed);
    expect(decode(cleaned)).toMatchObject({
      depth: 2,
      palette: [
        [255, 0, 0, 0],
        [0, 255, 0, 128],
        [0, 0, 255, 255],
      ],
    });
    // The lines of the passes of Adam7 over 3 × 3 pixels; two of the seven are empty.
    const lines = [1, 1, 2, 1, 1, 3].map((columns) => Buffer.from([0, ...Array(columns).fill(9)]));
    const interlaced = png(header(3, 3, 8, 0, 1), data(Buffer.concat(lines)), END);
    expect([...decode(await clean(interlaced)).data]).toEqual(Array(9).fill(9));
  });

  it('BRD-05 nothing of the file is passed on but the image', async () => {
    const script = Buffer.from('<script>alert(1)</script>');
    const hiding = Buffer.concat([
      png(
        header(2, 2),
        chunk('tEXt', Buffer.concat([Buffer.from('Comment\0'), script])),
        chunk('eXIf', Buffer.from('MM GPS 50.47 4.87')),
        // Behind the end of the packed data, too.
        chunk('IDAT', Buffer.concat([deflateSync(RAW), script])),
        END,
      ),
      script,
      Buffer.from('PK\u0003\u0004'),
    ]);
    const cleaned = await clean(hiding);
    expect(cleaned.toString('latin1')).not.toMatch(/script|GPS|PK/);
    expect([...decode(cleaned).data]).toEqual([10, 20, 30, 40]);
    expect(cleaned).toEqual(await clean(good));
    // What is clean stays as it is.
    expect(await clean(cleaned)).toEqual(cleaned);
  });

  const wrongSum = Buffer.from(good);
  wrongSum[good.length - 20] = (wrongSum[good.length - 20] ?? 0) ^ 1;
  it.each<[string, Uint8Array, string]>([
    ['a GIF', Buffer.from('GIF89a'), 'not a PNG'],
    ['nothing', Buffer.alloc(0), 'not a PNG'],
    ['a page', Buffer.from('<html>'), 'not a PNG'],
    ['the signature alone', SIGNATURE, 'ends before'],
    ['a file that was cut', good.subarray(0, good.length - 5), 'ends before'],
    ['no end', png(header(2, 2), data(RAW)), 'ends before'],
    ['a length beyond the file', png(header(2, 2), Buffer.from('7fffffff49444154', 'hex'), END), 'ends before'],
    ['a wrong checksum', wrongSum, 'checksum'],
    ['no header', png(data(RAW), END), 'header'],
    ['two headers', png(header(2, 2), header(2, 2), data(RAW), END), 'header'],
    ['a short header', png(chunk('IHDR', Buffer.alloc(12)), END), 'header has a wrong length'],
    ['no pixels', png(header(0, 2), data(RAW), END), 'no pixels'],
    ['bits that do not exist', png(header(2, 2, 3), data(RAW), END), 'values'],
    ['a colour type that does not exist', png(header(2, 2, 8, 5), data(RAW), END), 'values'],
    ['an interlacing that does not exist', png(header(2, 2, 8, 0, 2), data(RAW), END), 'values'],
    ['indexed without a palette', png(header(2, 2, 8, 3), data(RAW), END), 'palette'],
    ['a palette of half colours', png(header(2, 2, 8, 3), chunk('PLTE', Buffer.alloc(4)), data(RAW), END), 'palette'],
    ['a palette of too many', png(header(2, 2, 8, 3), chunk('PLTE', Buffer.alloc(771)), data(RAW), END), 'palette'],
    ['a palette in grey', png(header(2, 2), chunk('PLTE', Buffer.alloc(3)), data(RAW), END), 'palette'],
    ['too much transparency', png(header(2, 2), chunk('tRNS', Buffer.alloc(4)), data(RAW), END), 'transparency'],
    ['an unknown critical part', png(header(2, 2), chunk('EVIL'), data(RAW), END), 'not of PNG'],
    ['data that are not packed', png(header(2, 2), chunk('IDAT', RAW), END), 'unpacked'],
    ['no data', png(header(2, 2), END), 'unpacked'],
    ['too little data', png(header(2, 2), data(RAW.subarray(1)), END), 'less data'],
    ['too much data', png(header(2, 2), data(Buffer.alloc(7)), END), 'more data'],
    ['an unknown filter', png(header(2, 2), data(Buffer.from([0, 1, 1, 5, 1, 1])), END), 'cannot be read'],
  ])('BRD-05 refuses %s', async (_title, file, message) => {
    expect(await problem(file)).toMatch(new RegExp(`^BRANDING_FILE_INVALID: .*${message}`));
  });

  it('BRD-05 a small file that unpacks to gigabytes is refused without unpacking them', async () => {
    // For a size that is too large, and for one that says less than there is.
    const pack = deflateSync(Buffer.alloc(200_000_000));
    const before = process.memoryUsage().rss;
    expect(await problem(png(header(50_000, 20_000), chunk('IDAT', pack), END))).toContain('50000 × 20000 pixels');
    expect(await problem(png(header(4_294_967_295, 4_294_967_295), chunk('IDAT', pack), END))).toContain('pixels');
    expect(await problem(png(header(2000, 2000), chunk('IDAT', pack), END))).toContain('more data');
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
    expect(await problem(good, 3)).toContain('at most 3');
    expect(await problem(good, 4)).toBe('none');
  });
});

import { promisify } from 'node:util';
import { crc32, deflate, inflate } from 'node:zlib';
import { invalidFile } from './rules.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Samples of a pixel by colour type. */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Bits that a sample may have, by colour type. */
const DEPTHS: Record<number, readonly number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const INDEXED = 3;
/** Where each pass of Adam7 begins, and its steps. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
/** A line of pixels is told by one of five filters. */
const FILTERS = 5;

const unpack = promisify(inflate) as (data: Buffer, options: object) => Promise<Buffer>;
const pack = promisify(deflate) as (data: Buffer) => Promise<Buffer>;

/**
 * Reads a PNG wholly and writes it anew from its pixels (BRD-05): header, palette, transparency and image data, and nothing
 * else that a file can carry, so that neither a script behind the image nor the place where it was taken is passed on. The
 * size is known from the header before anything is unpacked, and no more than that is unpacked.
 * @param maxPixels width times height
 * @throws BrandingFileError BRANDING_FILE_INVALID
 */
export async function cleanPng(bytes: Buffer, maxPixels: number): Promise<Buffer> {
  const { header, palette, transparency, data } = chunksOf(bytes, maxPixels);
  const lines = linesOf(header);
  const rawBytes = lines.reduce((sum, { count, bytes: length }) => sum + count * (1 + length), 0);
  const raw = await unpack(data, { maxOutputLength: rawBytes, chunkSize: 65_536 }).catch(
    (error: NodeJS.ErrnoException) => {
      throw invalidFile(
        error.code === 'ERR_BUFFER_TOO_LARGE'
          ? 'The image has more data than its size says.'
          : 'The image data cannot be unpacked.',
      );
    },
  );
  if (raw.length !== rawBytes) throw invalidFile('The image has less data than its size says.');
  checkFilters(raw, lines);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header.bytes),
    ...(palette ? [chunk('PLTE', palette)] : []),
    ...(transparency ? [chunk('tRNS', transparency)] : []),
    chunk('IDAT', await pack(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

interface Header {
  width: number;
  height: number;
  bitsPerPixel: number;
  colorType: number;
  interlaced: boolean;
  /** The 13 bytes of the chunk. */
  bytes: Buffer;
}

/** Lines of the same length, as the image data has them. */
interface Lines {
  count: number;
  /** Without the byte that names the filter. */
  bytes: number;
}

/** Walks through the chunks up to the end of the image; what follows it is not looked at. */
function chunksOf(file: Buffer, maxPixels: number) {
  if (!file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw invalidFile('It is not a PNG.');
  let header: Header | null = null;
  let palette: Buffer | null = null;
  let transparency: Buffer | null = null;
  const data: Buffer[] = [];
  for (let at = SIGNATURE.length; ; ) {
    if (at + 12 > file.length) throw invalidFile('The file ends before the image does.');
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    const end = at + 8 + length;
    if (end + 4 > file.length) throw invalidFile('The file ends before the image does.');
    const body = file.subarray(at + 8, end);
    if (crc32(file.subarray(at + 4, end)) !== file.readUInt32BE(end)) throw invalidFile('A checksum is wrong.');
    at = end + 4;
    if ((header === null) !== (type === 'IHDR')) throw invalidFile('The header is missing, or stands there twice.');
    if (type === 'IHDR') header = readHeader(body, maxPixels);
    else if (type === 'PLTE') palette = body;
    else if (type === 'tRNS') transparency = body;
    else if (type === 'IDAT') data.push(body);
    else if (type === 'IEND') break;
    // What an image cannot be shown without has a capital letter.
    else if (/^[^a-z]/.test(type)) throw invalidFile('It has a part that is not of PNG.');
  }
  if (header === null) throw invalidFile('The header is missing, or stands there twice.');
  const { colorType } = header;
  if (colorType === INDEXED ? palette === null : palette !== null && (colorType === 0 || colorType === 4))
    throw invalidFile('The palette is missing, or out of place.');
  if (palette !== null && (palette.length === 0 || palette.length % 3 !== 0 || palette.length > 3 * 256))
    throw invalidFile('The palette has a wrong length.');
  const most = { 0: 2, 2: 6, [INDEXED]: (palette?.length ?? 0) / 3 }[colorType] ?? 0;
  if (transparency !== null && (colorType === INDEXED ? transparency.length > most : transparency.length !== most))
    throw invalidFile('The transparency has a wrong length.');
  return { header, palette, transparency, data: Buffer.concat(data) };
}

function readHeader(bytes: Buffer, maxPixels: number): Header {
  if (bytes.length !== 13) throw invalidFile('The header has a wrong length.');
  const [width, height] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  const [depth = 0, colorType = 0, compression, filter, interlace] = bytes.subarray(8);
  if (!DEPTHS[colorType]?.includes(depth) || compression !== 0 || filter !== 0 || (interlace ?? 2) > 1)
    throw invalidFile('The header has values that are not of PNG.');
  if (width === 0 || height === 0) throw invalidFile('The image has no pixels.');
  if (width * height > maxPixels)
    throw invalidFile(`The image has ${width} × ${height} pixels; at most ${maxPixels} in all are allowed.`);
  const bitsPerPixel = depth * (SAMPLES[colorType] ?? 0);
  return { width, height, bitsPerPixel, colorType, interlaced: interlace === 1, bytes };
}

function linesOf({ width, height, bitsPerPixel, interlaced }: Header): Lines[] {
  const lines = (columns: number, count: number): Lines => ({ count, bytes: Math.ceil((columns * bitsPerPixel) / 8) });
  if (!interlaced) return [lines(width, height)];
  return ADAM7.flatMap(([x, y, xStep, yStep]) => {
    const [columns, rows] = [Math.ceil((width - x) / xStep), Math.ceil((height - y) / yStep)];
    return columns > 0 && rows > 0 ? [lines(columns, rows)] : [];
  });
}

/** With a length that fits and filters that exist there is nothing left at which reading the pixels could fail. */
function checkFilters(raw: Buffer, lines: readonly Lines[]): void {
  let at = 0;
  for (const { count, bytes } of lines)
    for (let line = 0; line < count; line += 1, at += 1 + bytes)
      if ((raw[at] ?? FILTERS) >= FILTERS) throw invalidFile('The image data has a line that cannot be read.');
}

function chunk(type: string, body: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
}

import { describe, expect, it } from 'vitest';
import { BrandingFileError } from './rules.ts';
import { readSkin, STANDARD_SKIN, textOn } from './skin.ts';

const read = (text: string | Uint8Array) => readSkin(typeof text === 'string' ? Buffer.from(text) : text);
const problems = (text: string | Uint8Array) => {
  try {
    return { read: read(text) };
  } catch (error) {
    if (error instanceof BrandingFileError) return error.problems;
    throw error;
  }
};

describe('BRD-05 skin.ini', () => {
  it('BRD-05 reads every key, with comments, a header, blanks, line ends of all kinds and a byte order mark', () => {
    expect(
      read(
        '\uFEFF; the look\r\n[skin]\r\n background = #0A141e \r\ntext=#FFFFFF\n# colours\raccent = #ff8800\nBanner = #112233\nbanner-text = #eeeeee\nfont = Georgia\ntitle = "Acme = pumps <b>"\n',
      ),
    ).toEqual({
      background: '#0a141e',
      text: '#ffffff',
      accent: '#ff8800',
      banner: '#112233',
      bannerText: '#eeeeee',
      fontFamily: 'Georgia, serif',
      title: 'Acme = pumps <b>',
    });
    expect(read('')).toEqual(STANDARD_SKIN);
  });

  it('BRD-05 tells every problem with its line', () => {
    expect(
      problems('colour = #000000\nbackground = red\nbackground = #000000\nnothing\n[other]\nfont = Comic\ntext = #fff'),
    ).toEqual([
      { line: 1, message: expect.stringContaining('the keys are background, text') },
      { line: 2, message: 'a colour is written as #1a2b3c (background).' },
      { line: 3, message: 'background stands in line 2 already.' },
      { line: 4, message: 'a line is as "key = value".' },
      { line: 5, message: 'a line is as "key = value".' },
      { line: 6, message: expect.stringContaining('a font is one of system, arial') },
      { line: 7, message: 'a colour is written as #1a2b3c (text).' },
    ]);
  });

  it.each([
    ['#12345', 'too short'],
    ['#1234567', 'too long'],
    ['#12345g', 'no digit'],
    ['#123456;}body{display:none', 'more than a colour'],
    ['123456', 'no sign'],
    ['rgb(0,0,0)', 'another form'],
    ['', 'nothing'],
  ])('BRD-05 takes colours as #RRGGBB alone: %s, %s', (value) => {
    expect(problems(`accent = ${value}`)).toHaveLength(1);
  });

  it.each([
    ['x'.repeat(60), true],
    ['x'.repeat(61), false],
    ['🏭'.repeat(60), true],
    ['a\u202eb', false],
    ['a\u0000b', false],
    ['a\u001bb', false],
    ['""', false],
  ])('BRD-05 a title has 1 to 60 plain characters: %j', (title, good) => {
    expect('read' in problems(`title = ${title}`)).toBe(good);
  });

  it('BRD-05 is UTF-8, and what is no skin at all is told in few words', () => {
    expect(problems(Buffer.from([0x74, 0xff]))).toEqual([{ line: null, message: 'It is not text in UTF-8.' }]);
    expect(problems(Buffer.from('title = x', 'utf16le'))).not.toHaveProperty('read');
    const many = problems('x\n'.repeat(30_000));
    expect(many).toHaveLength(21);
    expect(Array.isArray(many) && many.at(-1)).toEqual({ line: null, message: '29980 more.' });
    for (const key of ['__proto__', 'constructor', 'toString', 'font'])
      expect(problems(`${key} = constructor`), key).toHaveLength(1);
  });

  it('BRD-05 a long line without a sign takes no longer than it is', () => {
    const begun = performance.now();
    for (const gap of [' ', '\t', '\u00a0', '"'])
      expect(problems(`title${gap.repeat(200_000)}x`), JSON.stringify(gap)).toHaveLength(1);
    expect(problems(`title = "${'"'.repeat(200_000)}x`)).toHaveLength(1);
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  it('a text that is not given can be read on its background', () => {
    expect(['#ffffff', '#ffcc00', '#808080', '#000000', '#0b62c4'].map(textOn)).toEqual([
      '#000000',
      '#000000',
      '#000000',
      '#ffffff',
      '#ffffff',
    ]);
  });
});

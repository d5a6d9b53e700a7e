import { BrandingFileError, type FileProblem, invalidFile } from './rules.ts';

/** What `skin.ini` can say; what it does not say is as the standard look has it (BRD-04). Colours as `#rrggbb`. */
export interface Skin {
  background: string | null;
  text: string | null;
  /** Of links and buttons. */
  accent: string | null;
  banner: string | null;
  bannerText: string | null;
  /** A list of families for CSS, one of {@link FONTS}. */
  fontFamily: string | null;
  /** Stands in the banner and in the browser's title; plain text. */
  title: string | null;
}

export const STANDARD_SKIN: Readonly<Skin> = {
  background: null,
  text: null,
  accent: null,
  banner: null,
  bannerText: null,
  fontFamily: null,
  title: null,
};

const FONTS: Readonly<Record<string, string>> = {
  system: 'system-ui, sans-serif',
  arial: 'Arial, Helvetica, sans-serif',
  verdana: 'Verdana, Geneva, sans-serif',
  tahoma: 'Tahoma, Geneva, sans-serif',
  trebuchet: '"Trebuchet MS", Helvetica, sans-serif',
  georgia: 'Georgia, serif',
  times: '"Times New Roman", Times, serif',
  courier: '"Courier New", Courier, monospace',
};
const TITLE_LENGTH = 60;

/** The value as it is used, or what is expected instead. */
type Reader = (value: string) => { value: string } | { expected: string };

const color: Reader = (value) =>
  /^#[0-9a-f]{6}$/i.test(value) ? { value: value.toLowerCase() } : { expected: 'a colour is written as #1a2b3c' };

const font: Reader = (value) => {
  const name = value.toLowerCase();
  return Object.hasOwn(FONTS, name)
    ? { value: FONTS[name] as string }
    : { expected: `a font is one of ${Object.keys(FONTS).join(', ')}` };
};

const title: Reader = (value) => {
  const text = value.replace(/^"(.*)"$/u, '$1').trim();
  // Neither control characters nor those that turn the direction of writing.
  const plain = text !== '' && !/\p{C}|\p{Zl}|\p{Zp}/u.test(text) && [...text].length <= TITLE_LENGTH;
  return plain ? { value: text } : { expected: `a title has 1 to ${TITLE_LENGTH} characters` };
};

/** Every key, with where its value goes. */
const KEYS: Readonly<Record<string, readonly [keyof Skin, Reader]>> = {
  background: ['background', color],
  text: ['text', color],
  accent: ['accent', color],
  banner: ['banner', color],
  'banner-text': ['bannerText', color],
  font: ['fontFamily', font],
  title: ['title', title],
};

/** What is wrong is told up to here; a file that is no skin at all would have a problem a line. */
const PROBLEMS_TOLD = 20;

/**
 * Reads `skin.ini` (BRD-05): UTF-8, lines of `key = value`, `;` or `#` before a comment, and if wanted the header `[skin]`.
 * @throws BrandingFileError BRANDING_FILE_INVALID with every problem and its line
 */
export function readSkin(bytes: Uint8Array): Skin {
  let text: string;
  try {
    // A byte order mark is left out.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalidFile('It is not text in UTF-8.');
  }
  const skin: Skin = { ...STANDARD_SKIN };
  const problems: FileProblem[] = [];
  const seen = new Map<string, number>();
  for (const [index, whole] of text.split(/\r\n|\n|\r/).entries()) {
    const [line, number] = [whole.trim(), index + 1];
    if (line === '' || line.startsWith(';') || line.startsWith('#') || /^\[skin\]$/i.test(line)) continue;
    const problem = (message: string) => void problems.push({ line: number, message });
    const sign = line.indexOf('=');
    if (sign < 0) {
      problem('a line is as "key = value".');
      continue;
    }
    const [name, value] = [line.slice(0, sign).trim().toLowerCase(), line.slice(sign + 1).trim()];
    const [field, read] = (Object.hasOwn(KEYS, name) && KEYS[name]) || [];
    const before = seen.get(name);
    if (!field || !read) problem(`the keys are ${Object.keys(KEYS).join(', ')}.`);
    else if (before !== undefined) problem(`${name} stands in line ${before} already.`);
    else {
      seen.set(name, number);
      const result = read(value);
      if ('value' in result) skin[field] = result.value;
      else problem(`${result.expected} (${name}).`);
    }
  }
  const [first, ...others] = problems;
  if (first) {
    const left = problems.length - PROBLEMS_TOLD;
    const told = others.slice(0, PROBLEMS_TOLD - 1);
    throw new BrandingFileError([first, ...told, ...(left > 0 ? [{ line: null, message: `${left} more.` }] : [])]);
  }
  return skin;
}

/** Whether black or white is easier to read on a colour: its relative luminance as WCAG 2 reckons it. */
export function textOn(background: string): '#000000' | '#ffffff' {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(background.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  // Where the contrast with both is the same.
  return luminance > 0.179 ? '#000000' : '#ffffff';
}

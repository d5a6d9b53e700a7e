import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import PDFDocument from 'pdfkit';

/** Points from the edges of a page. */
export const MARGIN = 40;
/** Below the baseline of the last line there is room for the footer. */
const FOOTER = 26;
const FOOTER_SIZE = 7.5;
/** Room for the number of pages, which is known last. */
const TOTAL_WIDTH = 60;

export const INK = {
  text: '#1f2937',
  faint: '#6b7280',
  rule: '#c9d2dc',
  shade: '#f4f7fa',
  head: '#e3eaf1',
  accent: '#17608f',
  over: '#c2410c',
} as const;

type Weight = 'regular' | 'bold';

let fonts: Record<Weight, Buffer> | undefined;

/** Latin, Greek and Cyrillic; read once, when the first report is drawn. */
function loadFonts(): Record<Weight, Buffer> {
  const { resolve } = createRequire(import.meta.url);
  fonts ??= {
    regular: readFileSync(resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf')),
    bold: readFileSync(resolve('@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf')),
  };
  return fonts;
}

/** What pdfkit has of an embedded font, and its types do not. Its own layout of text costs half a second a file with this font. */
interface EmbeddedFont {
  id: string;
  font: {
    hasGlyphForCodePoint(codePoint: number): boolean;
    glyphForCodePoint(codePoint: number): { id: number; advanceWidth: number };
  };
  /** Thousandths of the size of the font in a unit of the font. */
  scale: number;
  subset: { includeGlyph(id: number): number };
  /** By the number in the subset. */
  widths: number[];
  unicode: number[][];
  ref(): object;
}

interface Glyph {
  /** As it stands in the content of a page. */
  code: string;
  /** In thousandths of the size of the font. */
  width: number;
}

/** What is shown for a character that the font lacks. */
const REPLACEMENT = 0xfffd;
const ELLIPSIS = '…';

export interface TextStyle {
  size?: number;
  bold?: boolean;
  color?: string;
  align?: 'left' | 'right' | 'center';
  /** What is longer is cut with an ellipsis; `right` and `center` go by it too. */
  width?: number;
}

/**
 * A PDF that is drawn from top to bottom, page by page: a page that is full goes out by {@link take} and is forgotten, so that
 * the length of a report costs no memory. The same calls make the same bytes. Characters are set one by one, without kerning: a
 * report of 100 000 lines has few characters and many words. Coordinates are points from the upper left corner.
 */
export class Paper {
  /** Where the next thing goes. */
  y = MARGIN;
  pages = 0;
  /** Whether a character had to be replaced. */
  replaced = false;
  readonly width: number;
  readonly #doc: PDFKit.PDFDocument;
  readonly #faces: Record<Weight, { font: EmbeddedFont; glyphs: Map<string, Glyph> }>;
  /** The number of pages: drawn at the end, shown on every page. */
  readonly #total: { write(content: string): void; end(): void };
  readonly #runningTitle: string;

  constructor({
    title,
    runningTitle,
    landscape,
    at,
  }: {
    title: string;
    /** At the foot of every page. */
    runningTitle: string;
    landscape: boolean;
    /** What the file says as the time of its making. */
    at: Date;
  }) {
    this.#runningTitle = runningTitle;
    this.#doc = new PDFDocument({
      autoFirstPage: false,
      size: 'A4',
      layout: landscape ? 'landscape' : 'portrait',
      margin: 0,
      lang: 'en',
      displayTitle: true,
      fontLayoutCache: false,
      info: { Title: title, Producer: 'talkgate', Creator: 'talkgate', CreationDate: at, ModDate: at },
    });
    const { regular, bold } = loadFonts();
    this.#faces = { regular: this.#face(regular), bold: this.#face(bold) };
    const { font } = this.#faces.regular;
    this.#total = this.#doc.ref({
      Type: 'XObject',
      Subtype: 'Form',
      BBox: [0, -FOOTER_SIZE, TOTAL_WIDTH, FOOTER_SIZE * 2],
      Resources: { Font: { [font.id]: font.ref() } },
    }) as never;
    this.newPage();
    this.width = this.#doc.page.width - 2 * MARGIN;
  }

  /** The lowest place for content. */
  get bottom(): number {
    return this.#doc.page.height - MARGIN - FOOTER;
  }

  newPage(): void {
    this.#doc.addPage();
    this.pages += 1;
    const { page } = this.#doc;
    const right = page.width - MARGIN;
    const footer = page.height - MARGIN;
    this.line(MARGIN, footer - FOOTER_SIZE - 5, right, footer - FOOTER_SIZE - 5);
    const style = { size: FOOTER_SIZE, color: INK.faint };
    const title = { ...style, align: 'right', width: page.width - 2 * MARGIN - 100 } as const;
    this.text(this.#runningTitle, MARGIN + 100, footer, title);
    const before = this.text(`Page ${this.pages} of `, MARGIN, footer, style);
    page.xobjects.Total = this.#total;
    this.#doc.addContent(`q 1 0 0 -1 ${fixed(MARGIN + before)} ${fixed(footer)} cm /Total Do Q`);
    this.y = MARGIN;
  }

  /** A new page unless this much room is left; says whether it was. */
  ensure(height: number): boolean {
    if (this.y + height <= this.bottom) return false;
    this.newPage();
    return true;
  }

  /** Draws one line of text with its baseline at `y`, and gives its width. */
  text(text: string, x: number, y: number, style: TextStyle = {}): number {
    const { size = 9, bold = false, color = INK.text, align = 'left', width } = style;
    const { font } = this.#faces[bold ? 'bold' : 'regular'];
    const cut = this.#cut(this.#glyphs(text, bold), bold, size, width);
    const wide = widthOf(cut, size);
    const left = align === 'left' || width === undefined ? x : x + (width - wide) / (align === 'right' ? 1 : 2);
    (this.#doc.page.fonts as Record<string, unknown>)[font.id] ??= font.ref();
    this.#doc.addContent(
      `BT ${rgb(color)} rg /${font.id} ${size} Tf 1 0 0 -1 ${fixed(left)} ${fixed(y)} Tm <${cut.map(({ code }) => code).join('')}> Tj ET`,
    );
    return wide;
  }

  widthOf(text: string, { size = 9, bold = false }: TextStyle = {}): number {
    return widthOf(this.#glyphs(text, bold), size);
  }

  box(x: number, y: number, width: number, height: number, color: string): void {
    if (width <= 0 || height <= 0) return;
    this.#doc.addContent(`${rgb(color)} rg ${fixed(x)} ${fixed(y)} ${fixed(width)} ${fixed(height)} re f`);
  }

  line(x1: number, y1: number, x2: number, y2: number, color: string = INK.rule, thick = 0.5, dash = 0): void {
    const drawn = `${fixed(x1)} ${fixed(y1)} m ${fixed(x2)} ${fixed(y2)} l S`;
    this.#doc.addContent(`q ${rgb(color)} RG ${thick} w ${dash > 0 ? `[${dash}] 0 d ` : ''}${drawn} Q`);
  }

  /** What is ready of the file, and no longer held. */
  take(): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let part = this.#doc.read(); part !== null; part = this.#doc.read()) parts.push(part);
    return Buffer.concat(parts);
  }

  /** Ends the file and gives the rest of it. */
  finish(): Uint8Array {
    const { font } = this.#faces.regular;
    const codes = this.#glyphs(String(this.pages), false).map(({ code }) => code);
    this.#total.write(`BT ${rgb(INK.faint)} rg /${font.id} ${FOOTER_SIZE} Tf 0 0 Td <${codes.join('')}> Tj ET`);
    this.#total.end();
    this.#doc.end();
    return this.take();
  }

  #face(file: Buffer) {
    const { _font: font } = this.#doc.font(file) as unknown as { _font: EmbeddedFont };
    return { font, glyphs: new Map<string, Glyph>() };
  }

  #glyphs(text: string, bold: boolean): Glyph[] {
    const { font, glyphs } = this.#faces[bold ? 'bold' : 'regular'];
    return Array.from(text.normalize('NFC').replace(/\s/gu, ' ').replace(/\p{C}/gu, ''), (character) => {
      let glyph = glyphs.get(character);
      if (glyph === undefined) {
        glyph = this.#embed(font, character.codePointAt(0) ?? 0);
        glyphs.set(character, glyph);
      }
      return glyph;
    });
  }

  #embed({ font, scale, subset, widths, unicode }: EmbeddedFont, wanted: number): Glyph {
    const known = font.hasGlyphForCodePoint(wanted);
    if (!known) this.replaced = true;
    const codePoint = known ? wanted : REPLACEMENT;
    const { id, advanceWidth } = font.glyphForCodePoint(codePoint);
    const number = subset.includeGlyph(id);
    const width = advanceWidth * scale;
    widths[number] ??= width;
    unicode[number] ??= [codePoint];
    return { code: number.toString(16).padStart(4, '0'), width };
  }

  #cut(glyphs: Glyph[], bold: boolean, size: number, width = Number.POSITIVE_INFINITY): Glyph[] {
    if (widthOf(glyphs, size) <= width) return glyphs;
    const ellipsis = this.#glyphs(ELLIPSIS, bold);
    let room = width - widthOf(ellipsis, size);
    const kept: Glyph[] = [];
    for (const glyph of glyphs) {
      room -= (glyph.width * size) / 1000;
      if (room < 0) break;
      kept.push(glyph);
    }
    return [...kept, ...ellipsis];
  }
}

const widthOf = (glyphs: readonly Glyph[], size: number): number =>
  (glyphs.reduce((sum, { width }) => sum + width, 0) * size) / 1000;

const fixed = (value: number): string => value.toFixed(2);

const colors = new Map<string, string>();

/** `#rrggbb` as PDF writes colours. */
function rgb(color: string): string {
  let written = colors.get(color);
  if (written === undefined) {
    written = [1, 3, 5].map((at) => (Number.parseInt(color.slice(at, at + 2), 16) / 255).toFixed(3)).join(' ');
    colors.set(color, written);
  }
  return written;
}

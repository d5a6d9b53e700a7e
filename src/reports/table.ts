import { INK, MARGIN, type Paper } from './paper.ts';

export interface Column {
  title: string;
  /** Share of the width of the page, beside the others. */
  share: number;
  align?: 'left' | 'right';
}

/** A cell, or one with a reference behind it, which is never cut. */
export type Cell = string | { text: string; reference: string };

const SIZE = 7.5;
const ROW = 14;
const PADDING = 4;

/** A table over as many pages as it takes, with its head on each. */
export class Table {
  readonly #columns: readonly (Column & { x: number; width: number })[];
  #rows = 0;

  constructor(
    readonly paper: Paper,
    columns: readonly Column[],
  ) {
    const shares = columns.reduce((sum, { share }) => sum + share, 0);
    let x = MARGIN;
    this.#columns = columns.map((column) => {
      const width = (paper.width * column.share) / shares;
      const placed = { ...column, x: x + PADDING, width: width - 2 * PADDING };
      x += width;
      return placed;
    });
    // A head without a row below it says nothing.
    paper.ensure(3 * ROW);
    this.#head();
  }

  row(cells: readonly Cell[]): void {
    const { paper } = this;
    if (paper.ensure(ROW)) this.#head();
    if (this.#rows % 2 === 1) paper.box(MARGIN, paper.y, paper.width, ROW, INK.shade);
    this.#rows += 1;
    this.#cells(cells, false);
  }

  /** The last row, set apart. */
  total(cells: readonly Cell[]): void {
    const { paper } = this;
    if (paper.ensure(ROW + 2)) this.#head();
    paper.line(MARGIN, paper.y + 0.5, MARGIN + paper.width, paper.y + 0.5, INK.text, 0.8);
    paper.y += 1;
    this.#cells(cells, true);
  }

  #head(): void {
    const { paper } = this;
    paper.box(MARGIN, paper.y, paper.width, ROW, INK.head);
    this.#cells(
      this.#columns.map(({ title }) => title),
      true,
    );
    this.#rows = 0;
  }

  #cells(cells: readonly Cell[], bold: boolean): void {
    const { paper } = this;
    const baseline = paper.y + ROW - 4.5;
    for (const [index, { x, width, align = 'left' }] of this.#columns.entries()) {
      const cell = cells[index] ?? '';
      if (typeof cell === 'string') {
        paper.text(cell, x, baseline, { size: SIZE, bold, align, width });
        continue;
      }
      const room = width - 3 - paper.widthOf(cell.reference, { size: SIZE });
      const used = paper.text(cell.text, x, baseline, { size: SIZE, bold, width: room });
      paper.text(cell.reference, x + used + 3, baseline, { size: SIZE, color: INK.faint });
    }
    paper.y += ROW;
  }
}

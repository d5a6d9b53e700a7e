/** What progress is written to; a terminal shows one line that changes. */
export interface ProgressStream {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  write(text: string): unknown;
}

/** Without a terminal, at most one line in this time. */
const PLAIN_LINE_MS = 2000;

/** The progress of long work (SIM-09): an updating line on a terminal, else plain lines, so that a log stays readable. */
export class ProgressLine {
  readonly #stream: ProgressStream;
  #text = '';
  #written = '';
  #ended = false;
  /** Runs while the next plain line has to wait. */
  #pause: NodeJS.Timeout | undefined;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  update(text: string): void {
    if (this.#ended) return;
    this.#text = text;
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\x1b[2K${text.slice(0, Math.max(1, (this.#stream.columns || 80) - 1))}`);
      this.#written = text;
    } else if (this.#pause === undefined) {
      this.#line();
    }
  }

  /** Writes a line of its own beside the progress. */
  say(text: string): void {
    if (!this.#stream.isTTY) {
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#stream.write(`\r\x1b[2K${text}\n`);
    if (this.#text !== '') this.update(this.#text);
  }

  /** Leaves the last state as a line; what comes later is not shown. */
  end(): void {
    if (this.#stream.isTTY && this.#text !== '') this.#stream.write('\n');
    else if (this.#text !== this.#written) this.#line();
    clearTimeout(this.#pause);
    this.#text = '';
    this.#ended = true;
  }

  #line(): void {
    this.#stream.write(`${this.#text}\n`);
    this.#written = this.#text;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#text !== this.#written) this.#line();
    }, PLAIN_LINE_MS);
    this.#pause.unref();
  }
}

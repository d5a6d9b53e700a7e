import { runCommandLine } from '../../client/cli.ts';
import { eventually, type Json } from './client.ts';

export interface RunOptions {
  env?: Record<string, string>;
  /** What stands on standard input, line by line: each is made when it is read. */
  stdin?: (() => string | Promise<string>)[];
  /** Somebody sits at the terminal and answers. */
  ask?: (question: string) => string | Promise<string>;
}

/** A run of `npm run ecatcher` in this process, as it goes. */
export class EcatcherRun {
  stdout = '';
  stderr = '';
  /** The exit status. */
  readonly ended: Promise<number>;
  readonly #stop = new AbortController();

  constructor(line: string[], { env = {}, stdin = [], ask }: RunOptions = {}) {
    this.ended = runCommandLine(line, {
      env,
      stdin: (async function* () {
        for (const read of stdin) yield `${await read()}\n`;
      })(),
      stdout: { write: (text) => (this.stdout += text) },
      stderr: { write: (text) => (this.stderr += text) },
      signal: this.#stop.signal,
      ask: ask && (async (question) => ask(question)),
    });
    this.ended.catch(() => undefined);
  }

  /** The lines of `--json`. */
  get events(): Json[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  /** The first event of this kind that comes, after the first `skip` of them. */
  async event(kind: string, skip = 0): Promise<Json> {
    const found = await eventually(
      `event ${kind} (${this.stderr})`,
      () => this.events.filter(({ event }) => event === kind),
      (all) => all.length > skip,
      20_000,
    );
    return found[skip];
  }

  /** Presses Ctrl-C, and waits for the end. */
  stop(): Promise<number> {
    this.#stop.abort();
    return this.ended;
  }
}

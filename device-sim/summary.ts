import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { codeOf } from '../client/errors.ts';

/** What a run came to (SIM-09); also the form of `--json`. */
export interface SummaryReport {
  seconds: number;
  /** How often something happened, and how often a second. */
  counts: Record<string, { count: number; perSecond: number }>;
  /** Milliseconds. */
  latencies: Record<string, { count: number; p50: number; p95: number; p99: number; max: number }>;
  errors: Record<string, number>;
}

/**
 * Collects what happens in a run. Latencies go into histograms that keep three significant figures, so that a long run takes
 * no more memory than a short one.
 */
export class Summary {
  readonly #now: () => number;
  #start: number;
  readonly #counts = new Map<string, number>();
  readonly #latencies = new Map<string, RecordableHistogram>();
  readonly #errors = new Map<string, number>();
  /** Of what was counted in a stretch: how long that was, and the count at its end. */
  readonly #stretches = new Map<string, { seconds: number; count: number }>();

  /** `now` is in milliseconds and never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#start = now();
  }

  /** Time counts from now on: what came before was preparation. */
  begin(): void {
    this.#start = this.#now();
  }

  /**
   * Begins a part of the run; the result ends it. What is counted in that part alone has its rate by the time of the part
   * instead of by that of the whole run.
   */
  stretch(): () => void {
    const start = this.#now();
    const before = new Set(this.#counts.keys());
    return () => {
      const seconds = Math.max(0, this.#now() - start) / 1000;
      for (const [name, count] of this.#counts) if (!before.has(name)) this.#stretches.set(name, { seconds, count });
    };
  }

  count(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  /** Counts something that took `ms`. */
  took(what: string, ms: number): void {
    this.count(what);
    const histogram = this.#latencies.get(what) ?? createHistogram({ figures: 3, highest: 3_600_000_000 });
    this.#latencies.set(what, histogram);
    histogram.record(Math.min(3_600_000_000, Math.max(1, Math.round(ms * 1000))));
  }

  /** Counts an error, or the code of one. */
  failed(error: unknown): void {
    const code = typeof error === 'string' ? error : codeOf(error);
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }

  report(): SummaryReport {
    const seconds = Math.max(0, this.#now() - this.#start) / 1000;
    const counts = byName(this.#counts).map(([name, count]) => {
      const stretch = this.#stretches.get(name);
      const time = stretch?.count === count ? stretch.seconds : seconds;
      return [name, { count, perSecond: time > 0 ? rounded(count / time) : 0 }] as const;
    });
    const latencies = byName(this.#latencies).map(([name, histogram]) => {
      const [p50, p95, p99] = [50, 95, 99].map((rank) => rounded(histogram.percentile(rank) / 1000)) as [
        number,
        number,
        number,
      ];
      return [name, { count: histogram.count, p50, p95, p99, max: rounded(histogram.max / 1000) }] as const;
    });
    return {
      seconds: rounded(seconds),
      counts: Object.fromEntries(counts),
      latencies: Object.fromEntries(latencies),
      errors: Object.fromEntries(byName(this.#errors)),
    };
  }
}

/** The report as a text for a person. */
export function formatReport({ seconds, counts, latencies, errors }: SummaryReport): string {
  const table = (title: string, rows: string[][]) => (rows.length === 0 ? [] : ['', title, ...aligned(rows)]);
  return [
    `Ran for ${seconds} s.`,
    ...table(
      'Counts',
      Object.entries(counts).map(([name, { count, perSecond }]) => [name, `${count}`, `${perSecond}/s`]),
    ),
    ...table(
      'Latencies in ms',
      Object.entries(latencies).map(([name, { p50, p95, p99, max }]) => [
        name,
        `p50 ${p50}`,
        `p95 ${p95}`,
        `p99 ${p99}`,
        `max ${max}`,
      ]),
    ),
    ...table(
      'Errors',
      Object.entries(errors).map(([code, count]) => [code, `${count}`]),
    ),
  ].join('\n');
}

/** The first column to the left, the others to the right. */
function aligned(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? `  ${cell.padEnd(widths[0] ?? 0)}` : cell.padStart((widths[column] ?? 0) + 2),
      )
      .join(''),
  );
}

const byName = <T>(map: Map<string, T>): [string, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
const rounded = (value: number) => Math.round(value * 100) / 100;

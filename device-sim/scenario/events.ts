import type { LogEntryNode } from '../account-operations.ts';
import type { Administrator } from '../administrator.ts';
import { offsetText } from './time.ts';

/** An entry of the account's log, told so that the same scenario and seed give the same text (SIM-03). */
export interface ScenarioEvent {
  code: string;
  /** Milliseconds after the first step, as a multiple of the grain; undefined for what happened before. */
  atMs: number | undefined;
  text: string;
}

/** `+02:00:00  EWON_ONLINE  Ewon pump-1 online …` */
export const eventLine = ({ atMs, code, text }: ScenarioEvent): string =>
  `${(atMs === undefined ? 'before' : offsetText(atMs)).padEnd(12)}  ${code}  ${text}`;

/** How what happened in one stretch of a scenario is put in order. */
export type Ordering =
  /** As it was written: one thing was done after the other. */
  | 'AS_WRITTEN'
  /** What was written at one time by code and text: it raced, or fell due together. */
  | 'BY_TEXT';

/** The account's log, as far as it belongs to the scenario. */
export class EventLog {
  readonly events: ScenarioEvent[] = [];
  readonly #administrator: Administrator;
  readonly #administratorName: string;
  readonly #grainMs: number;
  #cursor: string | undefined;
  #startMs: number | undefined;
  /** Read, and of a stretch that has not ended. */
  #present: (ScenarioEvent & { exactMs: number })[] = [];

  constructor(administrator: Administrator, administratorName: string, grainMs: number) {
    this.#administrator = administrator;
    this.#administratorName = administratorName;
    this.#grainMs = grainMs;
  }

  /** The scenario's time begins now. */
  begin(start: Date): void {
    this.#startMs = start.getTime();
  }

  /** How often each code was written in the present stretch. */
  async present(): Promise<ReadonlyMap<string, number>> {
    await this.#read();
    return countsOf(this.#present);
  }

  /** Ends a stretch; the latest of its entries is told, exactly, in milliseconds after the first step. */
  async endStretch(ordering: Ordering): Promise<number> {
    await this.#read();
    const stretch = this.#present;
    this.#present = [];
    if (ordering === 'BY_TEXT') stretch.sort(byTimeAndText);
    this.events.push(...stretch.map(({ code, atMs, text }) => ({ code, atMs, text })));
    return Math.max(0, ...stretch.map(({ exactMs }) => exactMs));
  }

  /** How often each code was written since the first step. */
  counts(): ReadonlyMap<string, number> {
    return countsOf(this.events.filter(({ atMs }) => atMs !== undefined));
  }

  async #read(): Promise<void> {
    const entries = await this.#administrator.logAfter(this.#cursor);
    this.#cursor = entries.at(-1)?.cursor ?? this.#cursor;
    for (const entry of entries) {
      // The logins of the one who watches are no part of what is watched.
      if (entry.code === 'LOGIN_SUCCEEDED' && entry.userName === this.#administratorName) continue;
      const exactMs = this.#startMs === undefined ? 0 : Date.parse(entry.at) - this.#startMs;
      const atMs = this.#startMs === undefined ? undefined : this.#grain(exactMs);
      this.#present.push({ code: entry.code, atMs, exactMs, text: this.#stable(entry) });
    }
  }

  #grain = (ms: number): number => Math.floor(ms / this.#grainMs) * this.#grainMs;

  /** Addresses of the VPN are taken in the order of arrival; times are told after the first step. */
  #stable({ code, text }: LogEntryNode): string {
    const startMs = this.#startMs;
    const timed =
      startMs === undefined
        ? text
        : text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (time) =>
            offsetText(this.#grain(Date.parse(time) - startMs)),
          );
    return code === 'EWON_ONLINE' ? timed.replace(/\d+\.\d+\.\d+\.\d+/, '<address>') : timed;
  }
}

function countsOf(events: readonly ScenarioEvent[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { code } of events) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}

function byTimeAndText(one: ScenarioEvent, other: ScenarioEvent): number {
  const time = (one.atMs ?? 0) - (other.atMs ?? 0);
  if (time !== 0) return time;
  const [left, right] = [`${one.code} ${one.text}`, `${other.code} ${other.text}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

import { IANAZone } from 'luxon';
import { ewonReference } from '../ewons/rules.ts';
import type { LogEntry } from '../generated/prisma/client.ts';
import { userReference } from '../users/rules.ts';
import { LOG_EVENTS, type LogCode } from './events.ts';

/** The details of an entry, by name. */
export const parametersOf = (entry: LogEntry) => entry.params as Record<string, string | number | boolean | null>;

/** What happened, in English (LOG-19); the code itself where this version does not know it. */
export const textOf = (entry: LogEntry): string =>
  LOG_EVENTS[entry.code as LogCode]?.text({
    user: entry.userName ?? 'somebody',
    ewon: entry.ewonName ?? 'an Ewon',
    params: parametersOf(entry),
  }) ?? entry.code;

/** Local time as a person writes it, and how far it is from UTC. */
export interface LocalTime {
  /** `2026-11-22 14:03:07` */
  stamp: string;
  /** `UTC+01:00`: tells the hour that comes twice in autumn. */
  offset: string;
}

const QUARTER_MS = 15 * 60_000;

/** Writes instants in a time zone of the IANA database, to the second (LOG-18). */
export function localTimes(timeZone: string): (at: Date) => LocalTime {
  const zone = IANAZone.create(timeZone);
  let quarter = Number.NaN;
  let minutes = 0;
  return (at) => {
    // No zone has changed its offset but at a quarter of an hour of UTC since 1972, and to ask for it takes longer than the rest.
    const present = Math.floor(at.getTime() / QUARTER_MS);
    if (present !== quarter) minutes = zone.offset(present * QUARTER_MS);
    quarter = present;
    const local = new Date(at.getTime() + minutes * 60_000).toISOString();
    const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((part) =>
      String(part).padStart(2, '0'),
    );
    return {
      stamp: `${local.slice(0, 10)} ${local.slice(11, 19)}`,
      offset: `UTC${minutes < 0 ? '-' : '+'}${hour}:${minute}`,
    };
  };
}

/** Line breaks and other control characters, and what turns the direction of writing round. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** On one line, whatever names and parameters hold: nothing in them begins a line of its own, or looks like one. */
const printable = (text: string): string => text.replaceAll(UNPRINTABLE, '\ufffd');

/** Who triggered an entry, by name; where the platform did, whom or what it is about; `-` where that is nobody. */
const nameIn = ({ trigger, userName, ewonName }: LogEntry): string =>
  (trigger === 'EWON' ? (ewonName ?? userName) : (userName ?? ewonName)) ?? '-';

/** The shapes of a raw line (LOG-08): of the account's log, and the shorter one of a user's. */
export type RawShape = 'ACCOUNT' | 'USER';

/** Writes raw lines in a time zone, without the line break (LOG-08): day, time, name, kind of trigger and event. */
export function rawLines(timeZone: string, shape: RawShape): (entry: LogEntry) => string {
  const local = localTimes(timeZone);
  return shape === 'USER'
    ? (entry) => printable(`${local(entry.at).stamp} ${textOf(entry)}`)
    : (entry) => printable(`${local(entry.at).stamp} ${nameIn(entry)} ${entry.trigger} ${textOf(entry)}`);
}

type Cell = (entry: LogEntry, time: LocalTime) => string | null;

/** The columns of a log as CSV, in their order, each with its name in the header line, which never changes (LOG-13). */
export const LOG_COLUMNS = {
  NUMBER: ['number', ({ seq }) => String(seq)],
  TIME: ['time', (_entry, { stamp }) => stamp],
  UTC_OFFSET: ['utcOffset', (_entry, { offset }) => offset],
  CODE: ['code', ({ code }) => code],
  EVENT: ['event', textOf],
  CATEGORY: ['category', ({ category }) => category],
  SEVERITY: ['severity', ({ severity }) => severity],
  TRIGGER: ['trigger', ({ trigger }) => trigger],
  USER_REFERENCE: ['userReference', ({ userNumber }) => (userNumber === null ? null : userReference(userNumber))],
  USER: ['user', ({ userName }) => userName],
  EWON_REFERENCE: ['ewonReference', ({ ewonNumber }) => (ewonNumber === null ? null : ewonReference(ewonNumber))],
  EWON: ['ewon', ({ ewonName }) => ewonName],
  PARAMETERS: ['parameters', ({ params }) => JSON.stringify(params)],
} satisfies Record<string, [name: string, cell: Cell]>;

export type LogColumn = keyof typeof LOG_COLUMNS;

/** Writes the cells of a line in a time zone. */
export function csvCells(timeZone: string, columns: readonly LogColumn[]): (entry: LogEntry) => (string | null)[] {
  const local = localTimes(timeZone);
  const cells: readonly Cell[] = columns.map((column) => LOG_COLUMNS[column][1]);
  return (entry) => {
    const time = local(entry.at);
    return cells.map((cell) => cell(entry, time));
  };
}

import { DateTime } from 'luxon';
import type { Month } from '../billing/months.ts';
import type { ClientKind } from '../generated/prisma/enums.ts';

/** Names as people know them. */
export const CLIENT_NAMES: Record<ClientKind, string> = {
  ECATCHER: 'Ecatcher',
  ECATCHER_MOBILE: 'Ecatcher mobile',
  M2WEB: 'M2web',
};

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const MONEY = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const TENTHS = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** `1,234,567` */
export const count = (value: number): string => WHOLE.format(value);

/** Cents as `1,234.50`, without the currency. */
export const money = (cents: number): string => MONEY.format(cents / 100);

/** Bytes in kilobytes of 1 000, as `1,234.6`, for columns of one unit. */
export const kilobytes = (bytes: number): string => TENTHS.format(bytes / 1000);

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes in the unit that suits them, in powers of 1 000: `999 bytes`, `1.5 GB`. */
export function traffic(bytes: number): string {
  let [value, unit] = [bytes, 0];
  // What would be shown as 1,000.0 is 1.0 of the next unit.
  while (value >= (unit === 0 ? 1000 : 999.95) && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? count(value) : TENTHS.format(value)} ${UNITS[unit]}`;
}

/** Whole seconds as `h:mm:ss`; hours have no end: `125:03:09`. */
export function duration(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${count(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** A time as the clocks of a time zone show it: `2026-11-22 14:05:33`. */
export const clockTime = (at: Date, timeZone: string): string =>
  DateTime.fromJSDate(at, { zone: timeZone }).toFormat('yyyy-MM-dd HH:mm:ss');

/** A time in a time zone with its offset, for programs: `2026-11-22T14:05:33.120+01:00`. */
export const isoTime = (at: Date, timeZone: string): string =>
  DateTime.fromJSDate(at, { zone: timeZone }).toISO() ?? at.toISOString();

/** A time as a `Date` whose UTC fields are what the clocks of the time zone show, as cells of a spreadsheet keep it. */
export const cellTime = (at: Date, timeZone: string): Date =>
  DateTime.fromJSDate(at, { zone: timeZone }).setZone('UTC', { keepLocalTime: true }).toJSDate();

/** `November 2026` */
export const monthName = (month: Month): string =>
  DateTime.fromISO(`${month}-01`, { zone: 'UTC', locale: 'en' }).toFormat('LLLL yyyy');

export const daysInMonth = (month: Month): number => DateTime.fromISO(`${month}-01`, { zone: 'UTC' }).daysInMonth ?? 31;

/** The marks of an axis from 0: whole numbers, five at most above 0, the last not below `most`. */
export function axisMarks(most: number): number[] {
  const rough = Math.max(1, most / 5);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.ceil([1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough);
  const marks = [0];
  while ((marks.at(-1) ?? 0) < Math.max(1, most)) marks.push(marks.length * step);
  return marks;
}

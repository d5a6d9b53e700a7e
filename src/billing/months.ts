import { DateTime } from 'luxon';
import { schedule } from '../due-work.ts';
import type { AccountTx } from '../log/write.ts';

/** A month of an account, as `2026-11`: usage, fees and reports go by it (BIL-09). */
export type Month = string;

/** What a month looks like. */
export const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

/** The month of an instant in a time zone of the IANA database. */
export const monthIn = (timeZone: string, at: Date): Month =>
  DateTime.fromJSDate(at, { zone: timeZone }).toFormat('yyyy-MM');

const firstOf = (month: Month, timeZone: string): DateTime => DateTime.fromISO(`${month}-01`, { zone: timeZone });

/** From when, inclusive, to when, exclusive, a month lasts in a time zone: 00:00 on the 1st each. */
export const monthBounds = (month: Month, timeZone: string): { from: Date; to: Date } => {
  const first = firstOf(month, timeZone);
  return { from: first.toJSDate(), to: first.plus({ months: 1 }).toJSDate() };
};

export const nextMonth = (month: Month): Month => firstOf(month, 'UTC').plus({ months: 1 }).toFormat('yyyy-MM');

/**
 * The month that something counts in: that of its time, but never one that has been closed, to which a change of the time zone
 * could lead back.
 */
export const usageMonth = ({ timeZone, openMonth }: { timeZone: string; openMonth: Month }, at: Date): Month => {
  const month = monthIn(timeZone, at);
  return month > openMonth ? month : openMonth;
};

/** The days of a month in its time zone, each from its begin to the begin of the next. */
export function daysOf(month: Month, timeZone: string): { day: string; from: Date; to: Date }[] {
  const first = firstOf(month, timeZone);
  return Array.from({ length: first.daysInMonth ?? 0 }, (_, index) => {
    const day = first.plus({ days: index });
    return { day: day.toFormat('yyyy-MM-dd'), from: day.toJSDate(), to: day.plus({ days: 1 }).toJSDate() };
  });
}

/** Lets the open month of the account end when it ends in its time zone: to be called when either has changed. */
export const scheduleMonthEnd = (
  account: Pick<AccountTx, 'tx' | 'accountId'>,
  { timeZone, openMonth }: { timeZone: string; openMonth: Month },
): Promise<void> => schedule(account, 'MONTH_END', account.accountId, monthBounds(openMonth, timeZone).to);

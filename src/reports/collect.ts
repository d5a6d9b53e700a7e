import type { Month } from '../billing/months.ts';
import type { Platform } from '../context.ts';
import { notFound } from '../errors.ts';
import type { Report, ReportFacts } from './facts.ts';

/** What the account used in its open month so far (BIL-07). @throws AppError NOT_FOUND (account) */
export async function collectFacts(_ctx: Platform, _accountId: string): Promise<ReportFacts> {
  throw notFound('account');
}

/**
 * The report of a month: of the open one as it is now, of one that is over as it was frozen (BIL-07, BIL-09).
 * @throws AppError NOT_FOUND for a month before the account existed, one that has not begun, and what is no month
 */
export async function readReport(_ctx: Platform, _accountId: string, _month: Month): Promise<Report> {
  throw notFound('report');
}

/** The months that have a report, newest first; the first of them is the open one (BIL-06). */
export async function listMonths(_ctx: Platform, _accountId: string): Promise<{ month: Month; complete: boolean }[]> {
  return [];
}

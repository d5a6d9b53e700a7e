import { daysOf, type Month, monthBounds } from '../billing/months.ts';
import { chargeKey, monthCharges, tariffOf } from '../billing/rules.ts';
import type { Config } from '../config.ts';
import type { Platform } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { notFound } from '../errors.ts';
import { ewonReference } from '../ewons/rules.ts';
import type { Account } from '../generated/prisma/client.ts';
import type { ClientKind, LedgerKind } from '../generated/prisma/enums.ts';
import { userReference } from '../users/rules.ts';
import type { Report, ReportFacts, ReportLine } from './facts.ts';

/** Lines read at a time. */
const LINES_AT_ONCE = 2000;

type Reads = Pick<Tx, '$queryRaw' | 'usage' | 'ledgerEntry' | 'monthlyReport'>;

/** What of an account its month depends on. */
export type MonthAccount = Pick<
  Account,
  | 'id'
  | 'name'
  | 'company'
  | 'timeZone'
  | 'plan'
  | 'createdAt'
  | 'openMonth'
  | 'trialEndsAt'
  | 'concurrentConnections'
  | 'pendingSlots'
  | 'pendingSlotsAt'
>;

/** From when, inclusive, to when, exclusive, a month of an account lasts. */
export interface MonthWindow {
  from: Date;
  to: Date;
}

/**
 * The open month of an account: it begins where the one before ended, whatever the time zone was then, and not before the account
 * was created.
 */
export async function openWindow(
  { monthlyReport }: Pick<Tx, 'monthlyReport'>,
  { id: accountId, openMonth, timeZone, createdAt }: MonthAccount,
): Promise<MonthWindow> {
  const bounds = monthBounds(openMonth, timeZone);
  const before = await monthlyReport.findFirst({
    where: { accountId },
    orderBy: { month: 'desc' },
    select: { to: true },
  });
  const begin = Math.max((before?.to ?? bounds.from).getTime(), createdAt.getTime());
  return { from: new Date(Math.min(begin, bounds.to.getTime())), to: bounds.to };
}

/** What was used in a month of what is paid or included (BIL-03). */
export interface MonthUsage {
  bytes: number;
  sms: number;
  mails: number;
  dataPoints: number;
}

export async function readUsage({ usage }: Pick<Tx, 'usage'>, accountId: string, month: Month): Promise<MonthUsage> {
  const row = await usage.findUnique({ where: { accountId_month: { accountId, month } } });
  return {
    bytes: Number(row?.bytes ?? 0),
    sms: row?.sms ?? 0,
    mails: row?.mails ?? 0,
    dataPoints: Number(row?.dataPoints ?? 0),
  };
}

/** The number of concurrent connections that will be in force at the end of the open month, as things stand (CON-17, BIL-14). */
export const connectionsAtEnd = (
  { concurrentConnections, pendingSlots, pendingSlotsAt }: MonthAccount,
  { to }: MonthWindow,
): number => (pendingSlots !== null && pendingSlotsAt && pendingSlotsAt < to ? pendingSlots : concurrentConnections);

/** What the open month costs as things stand, and at its end (BIL-11, BIL-13, BIL-14). */
const chargesOf = (
  account: MonthAccount,
  window: MonthWindow,
  used: MonthUsage,
  config: Config,
): ReturnType<typeof monthCharges> =>
  // A change of the time zone can end a month before the account began: it has no fee.
  window.from < window.to
    ? monthCharges(tariffOf(account.plan, config), {
        trial: account.trialEndsAt !== null,
        concurrentConnections: connectionsAtEnd(account, window),
        ...used,
      })
    : [];

/** A charge of a month that was booked before its end, as the report shows it. */
type BookedCharge = ReportFacts['charges'][number] & { kind: LedgerKind };

/** What the end of a paid plan has taken for the month before the month is over: by kind, each once (BIL-11, BIL-14). */
async function bookedCharges(
  { ledgerEntry }: Pick<Tx, 'ledgerEntry'>,
  accountId: string,
  month: Month,
  config: Config,
): Promise<BookedCharge[]> {
  const kinds = ['MONTHLY_FEE', 'CONNECTIONS'] as const;
  const entries = await ledgerEntry.findMany({
    where: { accountId, kind: { in: [...kinds] }, key: { in: kinds.map((kind) => chargeKey(month, kind)) } },
    orderBy: { id: 'asc' },
  });
  return entries.map(({ kind, amount, description }) => {
    const cents = amount.times(-100).toNumber();
    const one = kind === 'CONNECTIONS' ? config.limits.SLOT_PRICE_CENTS : cents;
    const [quantity, unitCents] = one > 0 && cents % one === 0 ? [cents / one, one] : [1, cents];
    return { kind, name: description.replace(` (${month})`, ''), quantity, unitCents, cents };
  });
}

/** What a month costs: what has been booked of it, and what its end takes yet. */
export async function monthCosts(
  tx: Pick<Tx, 'ledgerEntry'>,
  account: MonthAccount,
  window: MonthWindow,
  used: MonthUsage,
  config: Config,
): Promise<{ booked: BookedCharge[]; due: ReturnType<typeof monthCharges> }> {
  const booked = await bookedCharges(tx, account.id, account.openMonth, config);
  const kinds = new Set<LedgerKind>(booked.map(({ kind }) => kind));
  return { booked, due: chargesOf(account, window, used, config).filter(({ kind }) => !kinds.has(kind)) };
}

/** What the credit paid for text messages in a time, in cents. */
async function smsCents({ ledgerEntry }: Reads, accountId: string, { from, to }: MonthWindow): Promise<number> {
  const { _sum } = await ledgerEntry.aggregate({
    where: { accountId, kind: 'SMS', at: { gte: from, lt: to } },
    _sum: { amount: true },
  });
  return _sum.amount?.times(-100).toNumber() ?? 0;
}

/** The most connections at once of each day: an end and a begin at the same instant are not at once (BIL-10). */
export async function readPeaks(
  tx: Pick<Tx, '$queryRaw'>,
  accountId: string,
  days: { day: string; from: Date; to: Date }[],
): Promise<{ day: string; peak: number }[]> {
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last) return [];
  const [from, until] = [first.from, last.to];
  const peaks = await tx.$queryRaw<{ number: number; peak: number }[]>`
    WITH day AS (
      SELECT d."from" FROM jsonb_to_recordset(${JSON.stringify(days)}::jsonb) AS d("from" timestamp)
    ), live AS (
      SELECT "startedAt", "endedAt" FROM "Session"
      WHERE "accountId" = ${accountId}::uuid AND "takesSlot" AND "endedAt" > ${from}::timestamp
        AND "startedAt" < ${until}::timestamp AND "endedAt" > "startedAt"
      UNION ALL
      SELECT "startedAt", NULL FROM "Session"
      WHERE "accountId" = ${accountId}::uuid AND "takesSlot" AND "endedAt" IS NULL AND "startedAt" < ${until}::timestamp
    ), step AS (
      SELECT GREATEST("startedAt", ${from}::timestamp) AS "at", 1 AS "change" FROM live
      UNION ALL SELECT "endedAt", -1 FROM live WHERE "endedAt" < ${until}::timestamp
      UNION ALL SELECT "from", 0 FROM day
    ), level AS (
      SELECT "at", sum("change") OVER (ORDER BY "at", "change") AS "open" FROM step
    )
    SELECT width_bucket("at", (SELECT array_agg("from" ORDER BY "from") FROM day)) AS "number", max("open")::int AS "peak"
    FROM level GROUP BY 1 ORDER BY 1`;
  return peaks.map(({ number, peak }) => ({ day: days[number - 1]?.day ?? '', peak }));
}

/** The days of a month until a time, cut to what of the month is the account's. */
export function daysUntil(
  { openMonth, timeZone }: Pick<MonthAccount, 'openMonth' | 'timeZone'>,
  { from, to }: MonthWindow,
  at: Date,
): { day: string; from: Date; to: Date }[] {
  const until = at < to ? at : to;
  const days = daysOf(openMonth, timeZone).filter((day) => day.to > from && day.from < until);
  return days.map((day, index) => ({
    day: day.day,
    from: index === 0 ? from : day.from,
    to: index === days.length - 1 ? until : day.to,
  }));
}

/**
 * The facts of the open month of an account.
 * @param complete when it is being closed, under the account's lock
 */
export async function takeFacts(
  tx: Reads,
  config: Config,
  account: MonthAccount,
  at: Date,
  complete: boolean,
): Promise<ReportFacts> {
  const { id, openMonth: month } = account;
  const window = await openWindow(tx, account);
  const tariff = tariffOf(account.plan, config);
  const { allowances } = tariff;
  const used = await readUsage(tx, id, month);
  const peaks = await readPeaks(tx, id, daysUntil(account, window, at));
  const { booked, due } = await monthCosts(tx, account, window, used, config);
  const charges: ReportFacts['charges'] = [...booked, ...due].map(({ kind: _, ...charge }) => charge);
  const cents = await smsCents(tx, id, window);
  if (cents !== 0) {
    const whole = tariff.smsCents > 0 && cents % tariff.smsCents === 0;
    const [quantity, unitCents] = whole ? [cents / tariff.smsCents, tariff.smsCents] : [1, cents];
    charges.push({ name: 'Text messages', quantity, unitCents, cents });
  }
  const [sessions] = await tx.$queryRaw<{ count: bigint; seconds: bigint; bytesIn: bigint; bytesOut: bigint }[]>`
    SELECT count(*) AS "count", COALESCE(sum(floor(extract(epoch FROM "endedAt" - "startedAt"))), 0)::bigint AS "seconds",
      COALESCE(sum("bytesIn"), 0)::bigint AS "bytesIn", COALESCE(sum("bytesOut"), 0)::bigint AS "bytesOut"
    FROM "Session"
    WHERE "accountId" = ${id}::uuid AND "endedAt" >= ${window.from}::timestamp AND "endedAt" < ${window.to}::timestamp`;
  return {
    month,
    from: window.from.toISOString(),
    to: window.to.toISOString(),
    at: at.toISOString(),
    complete,
    accountName: account.name,
    company: account.company,
    timeZone: account.timeZone,
    plan: account.plan,
    currency: config.limits.CURRENCY,
    traffic: { used: used.bytes, included: allowances.trafficBytes },
    sms: { used: used.sms, included: allowances.sms },
    mails: { used: used.mails, included: 0 },
    dataPoints: { used: used.dataPoints, included: allowances.dataPoints },
    peakConnections: {
      used: Math.max(0, ...peaks.map(({ peak }) => peak)),
      included: connectionsAtEnd(account, window),
    },
    peaks,
    charges,
    sessions: {
      count: Number(sessions?.count ?? 0),
      seconds: Number(sessions?.seconds ?? 0),
      bytesIn: Number(sessions?.bytesIn ?? 0),
      bytesOut: Number(sessions?.bytesOut ?? 0),
    },
  };
}

async function findAccount({ db }: Platform, id: string): Promise<MonthAccount> {
  const account = await db.account.findUnique({ where: { id } });
  if (!account) throw notFound('account');
  return account;
}

/** What the account used in its open month so far (BIL-07). @throws AppError NOT_FOUND (account) */
export async function collectFacts(ctx: Platform, accountId: string): Promise<ReportFacts> {
  return takeFacts(ctx.db, ctx.config, await findAccount(ctx, accountId), ctx.clock.now(), false);
}

/**
 * The report of a month: of the open one as it is now, of one that is over as it was frozen (BIL-07, BIL-09).
 * @throws AppError NOT_FOUND for a month before the account existed, one that has not begun, and what is no month
 */
export async function readReport(ctx: Platform, accountId: string, month: Month): Promise<Report> {
  const account = await findAccount(ctx, accountId);
  const frozen = await ctx.db.monthlyReport.findUnique({
    where: { accountId_month: { accountId, month } },
    select: { facts: true },
  });
  if (frozen) return { facts: frozen.facts as unknown as ReportFacts, lines: frozenLines(ctx, accountId, month) };
  if (month !== account.openMonth) throw notFound('report');
  const facts = await takeFacts(ctx.db, ctx.config, account, ctx.clock.now(), false);
  return { facts, lines: liveLines(ctx, accountId, facts) };
}

/** The months that have a report, newest first; the first of them is the open one (BIL-06). */
export async function listMonths({ db }: Platform, accountId: string): Promise<{ month: Month; complete: boolean }[]> {
  const { openMonth, monthlyReports } = await db.account.findUniqueOrThrow({
    where: { id: accountId },
    select: { openMonth: true, monthlyReports: { select: { month: true }, orderBy: { month: 'desc' } } },
  });
  return [{ month: openMonth, complete: false }, ...monthlyReports.map(({ month }) => ({ month, complete: true }))];
}

interface LineRow {
  userName: string;
  userNumber: number;
  ewonName: string;
  ewonNumber: number;
  client: ClientKind;
  startedAt: Date;
  endedAt: Date | null;
  bytesIn: bigint;
  bytesOut: bigint;
}

function lineOf(row: LineRow, at: Date): ReportLine {
  const { userName, userNumber, ewonName, ewonNumber, client, startedAt, endedAt, bytesIn, bytesOut } = row;
  return {
    ...{ userName, userReference: userReference(userNumber), ewonName, ewonReference: ewonReference(ewonNumber) },
    ...{ client, startedAt, endedAt },
    seconds: Math.max(0, Math.floor(((endedAt ?? at).getTime() - startedAt.getTime()) / 1000)),
    bytesIn: Number(bytesIn),
    bytesOut: Number(bytesOut),
  };
}

async function* frozenLines({ db }: Platform, accountId: string, month: Month): AsyncGenerator<ReportLine> {
  for (let last = 0; ; last += LINES_AT_ONCE) {
    const rows = await db.connectionReportLine.findMany({
      where: { accountId, month, number: { gt: last, lte: last + LINES_AT_ONCE } },
      orderBy: { number: 'asc' },
    });
    for (const row of rows) yield lineOf(row, row.endedAt);
    if (rows.length < LINES_AT_ONCE) return;
  }
}

/** The sessions that ended in the month until the facts were taken, and those that were open then. */
async function* liveLines({ db }: Platform, accountId: string, facts: ReportFacts): AsyncGenerator<ReportLine> {
  const [from, at] = [new Date(facts.from), new Date(Math.min(Date.parse(facts.at), Date.parse(facts.to)))];
  // Where to begin: so the index on the start finds each batch, however many sessions there were before.
  const [first] = await db.$queryRaw<{ startedAt: Date | null }[]>`
    SELECT min("startedAt") AS "startedAt" FROM "Session"
    WHERE "accountId" = ${accountId}::uuid AND ("endedAt" >= ${from}::timestamp OR "endedAt" IS NULL)`;
  if (!first?.startedAt) return;
  let after = { startedAt: first.startedAt, id: '00000000-0000-0000-0000-000000000000' };
  for (;;) {
    const rows = await db.$queryRaw<(LineRow & { id: string })[]>`
      SELECT "id", "userName", "userNumber", "ewonName", "ewonNumber", "client", "startedAt",
        CASE WHEN "endedAt" <= ${at}::timestamp THEN "endedAt" END AS "endedAt", "bytesIn", "bytesOut"
      FROM "Session"
      WHERE "accountId" = ${accountId}::uuid AND ("endedAt" >= ${from}::timestamp OR "endedAt" IS NULL)
        AND "startedAt" <= ${at}::timestamp AND ("startedAt", "id") > (${after.startedAt}::timestamp, ${after.id}::uuid)
      ORDER BY "startedAt", "id" LIMIT ${LINES_AT_ONCE}`;
    for (const row of rows) yield lineOf(row, at);
    const last = rows.at(-1);
    if (!last || rows.length < LINES_AT_ONCE) return;
    after = last;
  }
}

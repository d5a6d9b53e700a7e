import type { Platform } from '../context.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';
import { type MonthAccount, monthCosts, openWindow, readUsage, takeFacts } from '../reports/collect.ts';
import type { ReportFacts } from '../reports/facts.ts';
import { applyDueDecrease } from '../sessions/slots.ts';
import { amountText, creditCents, ledgerAmount } from './ledger.ts';
import { type Month, nextMonth, scheduleMonthEnd } from './months.ts';
import { type Charge, chargeKey } from './rules.ts';

/**
 * Closes the month that the account's usage is counted in, when it is over in its time zone: freezes its reports (BIL-09), takes
 * fee, additional connections, overuse and mails from the credit (BIL-11, BIL-13, BIL-14), and begins the next with nothing used
 * (BIL-12). All in the transaction that ends its due work, so it is done once. Of several months that are over, each is closed by
 * a transaction of its own.
 */
export async function closeMonth(ctx: Platform, account: AccountTx): Promise<void> {
  const { tx, now, accountId, log } = account;
  const find = () => tx.account.findUniqueOrThrow({ where: { id: accountId } });
  let row = await find();
  const window = await openWindow(tx, row);
  // Another time zone has moved its end.
  if (window.to > now) return scheduleMonthEnd(account, row);
  if (row.pendingSlotsAt && row.pendingSlotsAt < window.to) {
    await applyDueDecrease(ctx, account);
    row = await find();
  }
  const month = row.openMonth;
  const facts = await takeFacts(tx, ctx.config, row, now, true);
  await freeze(account, facts);

  const { due } = await monthCosts(tx, row, window, await readUsage(tx, accountId, month), ctx.config);
  await book(account, month, window.to, due);
  const next = { timeZone: row.timeZone, openMonth: nextMonth(month) };
  await tx.account.update({ where: { id: accountId }, data: { openMonth: next.openMonth } });
  await scheduleMonthEnd(account, next);

  const total = due.reduce((sum, { cents }) => sum + cents, 0);
  log({ code: 'MONTH_CLOSED', params: { month, amount: amountText(total, ctx.config) } });
  const balance = await creditCents(tx, accountId);
  if (balance < 0) log({ code: 'CREDIT_EXHAUSTED', params: { balance: amountText(balance, ctx.config) } });
}

/**
 * Takes fee and additional connections of the open month at once, because the paid plan that they belong to ends before the month
 * does (BIL-11, BIL-14): the end of the month would find the smaller plan. Each is taken once a month, whatever the plan becomes
 * after it. To be called before the plan changes; while the free trial runs nothing is taken.
 */
export async function chargeEndingPlan(ctx: Platform, account: AccountTx, row: MonthAccount): Promise<void> {
  if (row.trialEndsAt) return;
  const { tx, now, accountId } = account;
  const month = row.openMonth;
  const { due } = await monthCosts(
    tx,
    row,
    await openWindow(tx, row),
    await readUsage(tx, accountId, month),
    ctx.config,
  );
  const ofPlan = due.filter(({ kind }) => kind === 'MONTHLY_FEE' || kind === 'CONNECTIONS');
  await book(account, month, now, ofPlan);
}

async function book({ tx, accountId }: AccountTx, month: Month, at: Date, charges: readonly Charge[]): Promise<void> {
  await tx.ledgerEntry.createMany({
    data: charges.map(({ kind, name, cents }) => ({
      ...{ accountId, at, kind, key: chargeKey(month, kind) },
      amount: ledgerAmount(-cents),
      description: `${name} (${month})`,
    })),
  });
}

/** Keeps the facts, and a copy of each session that ended in the month: one that is still open belongs to the month it ends in. */
async function freeze({ tx, now, accountId }: AccountTx, facts: ReportFacts): Promise<void> {
  const { month } = facts;
  const [from, to] = [new Date(facts.from), new Date(facts.to)];
  await tx.monthlyReport.create({
    data: { accountId, month, from, to, closedAt: now, facts: facts as unknown as Prisma.InputJsonObject },
  });
  await tx.$executeRaw`
    INSERT INTO "ConnectionReportLine" ("accountId", "month", "number", "userName", "userNumber", "ewonName", "ewonNumber",
      "client", "startedAt", "endedAt", "bytesIn", "bytesOut")
    SELECT "accountId", ${month}, row_number() OVER (ORDER BY "startedAt", "id"), "userName", "userNumber", "ewonName",
      "ewonNumber", "client", "startedAt", "endedAt", "bytesIn", "bytesOut"
    FROM "Session"
    WHERE "accountId" = ${accountId}::uuid AND "endedAt" >= ${from}::timestamp AND "endedAt" < ${to}::timestamp`;
}

import type { Platform } from '../context.ts';
import type { AccountTx } from '../log/write.ts';
import { nextMonth, scheduleMonthEnd } from './months.ts';

/** Closes the month that the account's usage is counted in, when it is over in its time zone (BIL-09, BIL-11). */
export async function closeMonth(_ctx: Platform, account: AccountTx): Promise<void> {
  const { tx, accountId } = account;
  const { timeZone, openMonth } = await tx.account.findUniqueOrThrow({ where: { id: accountId } });
  await tx.account.update({ where: { id: accountId }, data: { openMonth: nextMonth(openMonth) } });
  await scheduleMonthEnd(account, { timeZone, openMonth: nextMonth(openMonth) });
}

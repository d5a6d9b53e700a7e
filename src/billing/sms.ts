import type { Config } from '../config.ts';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { Plan } from '../generated/prisma/enums.ts';
import type { AccountTx } from '../log/write.ts';
import { amountText, creditCents, ledgerAmount } from './ledger.ts';

/** The text messages a month that a plan includes (BIL-17). */
const includedSms = (plan: Plan, { limits }: Config): number =>
  ({ FREE: limits.SMS_INCLUDED_FREE, LIGHT: limits.SMS_INCLUDED_LIGHT, PRO: limits.SMS_INCLUDED_PRO })[plan];

/** The month of an instant in a time zone of the IANA database, as `2026-11`: usage is counted by it (BIL-09). */
export function monthIn(timeZone: string, at: Date): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone, year: 'numeric', month: '2-digit' }).formatToParts(at);
  const part = (type: 'year' | 'month') => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}`;
}

/**
 * Lets the account pay for one text message that is sent in the same transaction (WAK-07, GW-13): from the allowance of the
 * month, which does not carry over (BIL-12), else from its credit. Codes of the second factor are never charged (TFA-46).
 * The account's row is locked, so of two messages that the credit covers once, one is refused.
 * @param purpose for the ledger and the log, such as `wake-up of DEV12`
 * @throws AppError INSUFFICIENT_CREDIT, upon which nothing was charged
 */
export async function chargeSms(
  ctx: Platform,
  { tx, now, accountId, log }: Pick<AccountTx, 'tx' | 'now' | 'accountId' | 'log'>,
  purpose: string,
): Promise<void> {
  const { plan, timeZone } = await tx.account.findUniqueOrThrow({
    where: { id: accountId },
    select: { plan: true, timeZone: true },
  });
  const month = monthIn(timeZone, now);
  const usage = await tx.usage.findUnique({ where: { accountId_month: { accountId, month } }, select: { sms: true } });
  const price = ctx.config.limits.SMS_PRICE_CENTS;
  const free = price === 0 || (usage?.sms ?? 0) < includedSms(plan, ctx.config);
  if (!free && (await creditCents(tx, accountId)) < price)
    throw new AppError(
      'INSUFFICIENT_CREDIT',
      `The text messages of the month are used up, and the credit does not cover ${amountText(price)}.`,
    );
  await tx.usage.upsert({
    where: { accountId_month: { accountId, month } },
    create: { accountId, month, sms: 1 },
    update: { sms: { increment: 1 } },
  });
  if (free) return;
  await tx.ledgerEntry.create({
    data: { accountId, at: now, kind: 'SMS', amount: ledgerAmount(-price), description: `Text message: ${purpose}` },
  });
  log({ code: 'SMS_CHARGED', params: { amount: amountText(price), purpose } });
}

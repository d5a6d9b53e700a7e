import { planAllowances } from '../account/plans.ts';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { AccountTx } from '../log/write.ts';
import { amountText, creditCents, ledgerAmount } from './ledger.ts';
import { type Month, usageMonth } from './months.ts';
import { smsShares } from './rules.ts';

/** The characters of GSM 03.38 that take one place, and those that take two. */
const GSM = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\[~\]|€]*$/;
const GSM_DOUBLE = /[\^{}\\[~\]|€]/g;

/** How many text messages a text is sent as: 160 places of the GSM alphabet, or 70 of any other, and a little less in parts. */
export function smsParts(text: string): number {
  const gsm = GSM.test(text);
  const length = gsm ? text.length + (text.match(GSM_DOUBLE)?.length ?? 0) : text.length;
  const [whole, part] = gsm ? [160, 153] : [70, 67];
  return length <= whole ? 1 : Math.ceil(length / part);
}

/** What a text message took from its account, as its row in the queue keeps it. */
export interface SmsCharge {
  /** The month that it counts in. */
  month: Month;
  /** As how many messages it is sent. */
  parts: number;
  /** How many of them were paid from what was bought. */
  units: number;
  /** How many of them the credit paid for. */
  credit: number;
  /** What the credit paid. */
  cents: number;
  /** For the ledger and the log, such as `wake-up of DEV12`. */
  purpose: string;
}

/**
 * Lets the account pay for a text message that is sent in the same transaction (WAK-07, GW-13): from the allowance of the
 * month, which does not carry over (BIL-12), else from what was bought (BIL-05), else from its credit. Codes of the second
 * factor are never charged (TFA-46). The account's row is locked, so of two messages that the credit covers once, one is
 * refused.
 * @param parts as what it is sent, each costing as one; at least 1
 * @param purpose for the ledger and the log, such as `wake-up of DEV12`
 * @throws AppError INSUFFICIENT_CREDIT, upon which nothing was charged
 */
export async function chargeSms(
  ctx: Platform,
  { tx, now, accountId, log }: Pick<AccountTx, 'tx' | 'now' | 'accountId' | 'log'>,
  purpose: string,
  parts = 1,
): Promise<SmsCharge> {
  const account = await tx.account.findUniqueOrThrow({
    where: { id: accountId },
    select: { plan: true, timeZone: true, openMonth: true, smsUnits: true },
  });
  const month = usageMonth(account, now);
  const usage = await tx.usage.findUnique({
    where: { accountId_month: { accountId, month } },
    select: { sms: true, smsPaid: true },
  });
  const free = (usage?.sms ?? 0) - (usage?.smsPaid ?? 0);
  const { units, credit } = smsShares(parts, {
    allowance: planAllowances(account.plan, ctx.config).sms - free,
    units: account.smsUnits,
  });
  const cents = credit * ctx.config.limits.SMS_PRICE_CENTS;
  if (cents > 0 && (await creditCents(tx, accountId)) < cents)
    throw new AppError(
      'INSUFFICIENT_CREDIT',
      `The text messages of the month are used up, and the credit does not cover ${amountText(cents, ctx.config)}.`,
    );
  const smsPaid = units + credit;
  await tx.usage.upsert({
    where: { accountId_month: { accountId, month } },
    create: { accountId, month, sms: parts, smsPaid },
    update: { sms: { increment: parts }, smsPaid: { increment: smsPaid } },
  });
  if (units > 0) await tx.account.update({ where: { id: accountId }, data: { smsUnits: { decrement: units } } });
  if (cents > 0) {
    await tx.ledgerEntry.create({
      data: { accountId, at: now, kind: 'SMS', amount: ledgerAmount(-cents), description: `Text message: ${purpose}` },
    });
    log({ code: 'SMS_CHARGED', params: { amount: amountText(cents, ctx.config), purpose } });
  }
  return { month, parts, units, credit, cents, purpose };
}

/**
 * Gives back what a text message took, because it was given up: to be called once for each, in the transaction that gives it up.
 * The allowance of a month that is over is gone (BIL-12).
 */
export async function refundSms(
  ctx: Platform,
  { tx, now, accountId, log }: Pick<AccountTx, 'tx' | 'now' | 'accountId' | 'log'>,
  { month, parts, units, credit, cents, purpose }: SmsCharge,
): Promise<void> {
  const { openMonth } = await tx.account.findUniqueOrThrow({ where: { id: accountId }, select: { openMonth: true } });
  if (month >= openMonth)
    await tx.usage.updateMany({
      where: { accountId, month },
      data: { sms: { decrement: parts }, smsPaid: { decrement: units + credit } },
    });
  if (units > 0) await tx.account.update({ where: { id: accountId }, data: { smsUnits: { increment: units } } });
  if (cents > 0)
    await tx.ledgerEntry.create({
      data: {
        ...{ accountId, at: now, kind: 'SMS', amount: ledgerAmount(cents) },
        description: `Text message that was not sent: ${purpose}`,
      },
    });
  if (units + cents > 0)
    log({ code: 'SMS_REFUNDED', params: { units, amount: amountText(cents, ctx.config), purpose } });
}

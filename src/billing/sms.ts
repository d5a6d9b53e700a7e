import { planAllowances } from '../account/plans.ts';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { AccountTx } from '../log/write.ts';
import { amountText, creditCents, ledgerAmount } from './ledger.ts';
import { usageMonth } from './months.ts';

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

/**
 * Lets the account pay for a text message that is sent in the same transaction (WAK-07, GW-13): from the allowance of the
 * month, which does not carry over (BIL-12), else from its credit. Codes of the second factor are never charged (TFA-46).
 * The account's row is locked, so of two messages that the credit covers once, one is refused.
 * @param parts as what it is sent, each costing as one; at least 1
 * @param purpose for the ledger and the log, such as `wake-up of DEV12`
 * @throws AppError INSUFFICIENT_CREDIT, upon which nothing was charged
 */
export async function chargeSms(
  ctx: Platform,
  { tx, now, accountId, log }: Pick<AccountTx, 'tx' | 'now' | 'accountId' | 'log'>,
  purpose: string,
  parts = 1,
): Promise<void> {
  const account = await tx.account.findUniqueOrThrow({
    where: { id: accountId },
    select: { plan: true, timeZone: true, openMonth: true },
  });
  const month = usageMonth(account, now);
  const usage = await tx.usage.findUnique({ where: { accountId_month: { accountId, month } }, select: { sms: true } });
  const price = ctx.config.limits.SMS_PRICE_CENTS;
  const left = Math.max(0, planAllowances(account.plan, ctx.config).sms - (usage?.sms ?? 0));
  const cost = price * Math.max(0, parts - left);
  if (cost > 0 && (await creditCents(tx, accountId)) < cost)
    throw new AppError(
      'INSUFFICIENT_CREDIT',
      `The text messages of the month are used up, and the credit does not cover ${amountText(cost)}.`,
    );
  await tx.usage.upsert({
    where: { accountId_month: { accountId, month } },
    create: { accountId, month, sms: parts },
    update: { sms: { increment: parts } },
  });
  if (cost === 0) return;
  await tx.ledgerEntry.create({
    data: { accountId, at: now, kind: 'SMS', amount: ledgerAmount(-cost), description: `Text message: ${purpose}` },
  });
  log({ code: 'SMS_CHARGED', params: { amount: amountText(cost), purpose } });
}

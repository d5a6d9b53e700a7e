import type { Config } from '../config.ts';
import type { Platform } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { AppError } from '../errors.ts';
import { inAccount } from '../log/write.ts';

/** Largest amount of one movement: 100 000 euro. */
export const MAX_CREDIT_CENTS = 10_000_000;

/** A whole number of cents as the ledger keeps it: exact, for it stays text on the way. */
export const ledgerAmount = (cents: number): string => (cents / 100).toFixed(2);

/** Cents as people read them: `0.15 EUR` (BIL-15). */
export const amountText = (cents: number, { limits }: Config): string => `${ledgerAmount(cents)} ${limits.CURRENCY}`;

/** The account's credit in cents: the sum of its ledger (BIL-15). */
export async function creditCents(tx: Pick<Tx, 'ledgerEntry'>, accountId: string): Promise<number> {
  const { _sum } = await tx.ledgerEntry.aggregate({ where: { accountId }, _sum: { amount: true } });
  return _sum.amount?.times(100).toNumber() ?? 0;
}

/**
 * Adds to the credit of an account; whoever asks for it has been found entitled.
 * @param cents 1 to {@link MAX_CREDIT_CENTS}
 * @param key with which it is added once for good; without one, what is repeated is added again
 * @throws AppError NOT_FOUND (account), IDEMPOTENCY_KEY_REUSED (another amount or description)
 */
export function addCredit(
  ctx: Platform,
  accountId: string,
  { cents, description, key }: { cents: number; description: string; key: string | null },
): Promise<void> {
  return inAccount(ctx, accountId, async ({ tx, now, log }) => {
    const entry = { kind: 'CREDIT', amount: ledgerAmount(cents), description } as const;
    const once = key === null ? null : `CREDIT ${key}`;
    const before =
      once === null ? null : await tx.ledgerEntry.findUnique({ where: { accountId_key: { accountId, key: once } } });
    if (before) {
      if (before.amount.equals(entry.amount) && before.description === description) return;
      throw new AppError('IDEMPOTENCY_KEY_REUSED', 'The key was used with another amount or description.', ['key']);
    }
    await tx.ledgerEntry.create({ data: { accountId, at: now, key: once, ...entry } });
    log({ code: 'CREDIT_ADDED', params: { amount: amountText(cents, ctx.config), description } });
  });
}

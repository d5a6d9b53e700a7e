import type { Platform } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { inAccount } from '../log/write.ts';

/** Largest amount of one movement: 100 000 euro. */
export const MAX_CREDIT_CENTS = 10_000_000;

/** Cents of a euro as people read them: `0.15 EUR` (BIL-15). */
export const amountText = (cents: number): string => `${(cents / 100).toFixed(2)} EUR`;

/** A whole number of cents as the ledger keeps it: exact, for it stays text on the way. */
export const ledgerAmount = (cents: number): string => (cents / 100).toFixed(2);

/** The account's credit in cents of a euro: the sum of its ledger (BIL-15). */
export async function creditCents(tx: Pick<Tx, 'ledgerEntry'>, accountId: string): Promise<number> {
  const { _sum } = await tx.ledgerEntry.aggregate({ where: { accountId }, _sum: { amount: true } });
  return _sum.amount?.times(100).toNumber() ?? 0;
}

/**
 * Adds to the credit of an account; whoever asks for it has been found entitled. Each call adds: what is repeated is added twice.
 * @param cents of a euro, 1 to {@link MAX_CREDIT_CENTS}
 * @throws AppError NOT_FOUND (account)
 */
export function addCredit(ctx: Platform, accountId: string, cents: number, description: string): Promise<void> {
  return inAccount(ctx, accountId, async ({ tx, now, log }) => {
    await tx.ledgerEntry.create({
      data: { accountId, at: now, kind: 'CREDIT', amount: ledgerAmount(cents), description },
    });
    log({ code: 'CREDIT_ADDED', params: { amount: amountText(cents), description } });
  });
}

import type { Platform } from '../context.ts';
import type { AccountTx } from '../log/write.ts';
import { applyPlan } from './plan-change.ts';

/** Movements that bring credit: what was paid for something at once takes it away again in the same sum. */
const ADDED_CREDIT = ['CREDIT', 'PAYMENT', 'SMS_PACKAGE'] as const;

/**
 * The end of the free trial (ACC-16): with credit that was added since it began PRO goes on, paid; without, the account is on
 * FREE again, with all that a downgrade takes.
 */
export async function endTrial(ctx: Platform, account: AccountTx): Promise<void> {
  const { tx, now, accountId, log } = account;
  const { trialStartedAt, trialEndsAt } = await tx.account.findUniqueOrThrow({ where: { id: accountId } });
  if (!trialStartedAt || !trialEndsAt || trialEndsAt > now) return;
  const { _sum } = await tx.ledgerEntry.aggregate({
    where: { accountId, at: { gte: trialStartedAt }, kind: { in: [...ADDED_CREDIT] } },
    _sum: { amount: true },
  });
  if (_sum.amount?.isPositive() && !_sum.amount.isZero()) {
    await tx.account.update({ where: { id: accountId }, data: { trialEndsAt: null } });
    log({ code: 'TRIAL_ENDED', params: { outcome: 'credit was added, PRO goes on' } });
    return;
  }
  log({ code: 'TRIAL_ENDED', params: { outcome: 'no credit was added, the account is on FREE' } });
  // It ends the trial too, which is free to the last.
  await applyPlan(ctx, account, 'FREE', null);
}

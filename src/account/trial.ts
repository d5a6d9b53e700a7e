import type { Platform } from '../context.ts';
import type { AccountTx } from '../log/write.ts';

/** ACC-16 */
export async function endTrial(_ctx: Platform, account: AccountTx): Promise<void> {
  const { tx, accountId } = account;
  await tx.account.update({ where: { id: accountId }, data: { trialEndsAt: null } });
}

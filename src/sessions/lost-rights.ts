import type { Platform } from '../context.ts';
import { mayConnect } from '../ewons/rules.ts';
import type { AccountTx } from '../log/write.ts';
import { type Actor, loadUsersAsActors } from '../users/actor.ts';
import { endSessions } from './close.ts';

/**
 * GRP-21: closes the open sessions of the account whose users may no longer connect to their Ewons. Comes last in every
 * transaction that takes rights away: of users, groups, pools, Ewons or the plan.
 */
export async function closeSessionsWithoutRight(
  ctx: Platform,
  account: AccountTx,
  closedBy: Actor | null,
): Promise<number> {
  const { tx, accountId } = account;
  const open = await tx.session.findMany({
    where: { accountId, state: 'OPEN' },
    select: { id: true, userId: true, client: true, ewon: { select: { pools: { select: { poolId: true } } } } },
  });
  const actors = await loadUsersAsActors(tx, [...new Set(open.flatMap(({ userId }) => userId ?? []))]);
  const lost = open.filter(({ userId, client, ewon }) => {
    const actor = actors.find((one) => one.userId === userId);
    const poolIds = ewon?.pools.map(({ poolId }) => poolId) ?? [];
    return !actor || !mayConnect(actor, poolIds, client);
  });
  return endSessions(ctx, account, lost, 'ACCESS_REVOKED', closedBy);
}

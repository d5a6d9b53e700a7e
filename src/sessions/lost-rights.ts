import type { Platform } from '../context.ts';
import { mayConnect } from '../ewons/rules.ts';
import type { ClientKind } from '../generated/prisma/enums.ts';
import type { AccountTx } from '../log/write.ts';
import { type Actor, loadUsersAsActors } from '../users/actor.ts';
import { endSessions } from './close.ts';

/** The Ewon of a session or of a place in the queue, as the rules of connecting see it. */
const EWON_POOLS = { select: { pools: { select: { poolId: true } } } } as const;

/**
 * GRP-21: closes the open sessions of the account whose users may no longer connect to their Ewons, and takes those who wait
 * for a connection without being allowed to out of the queue, where they learn why. Comes last in every transaction that
 * takes rights away: of users, groups, pools, Ewons or the plan. Returns how many sessions it closed.
 */
export async function closeSessionsWithoutRight(
  ctx: Platform,
  account: AccountTx,
  closedBy: Actor | null,
): Promise<number> {
  const { tx, now, accountId } = account;
  const open = await tx.session.findMany({
    where: { accountId, state: 'OPEN' },
    select: { id: true, userId: true, client: true, ewon: EWON_POOLS },
  });
  const waiting = await tx.slotWaiter.findMany({
    where: { accountId, state: 'WAITING' },
    select: { id: true, userId: true, ewon: EWON_POOLS },
  });
  const actors = await loadUsersAsActors(tx, [...new Set([...open, ...waiting].flatMap(({ userId }) => userId ?? []))]);
  const hasRight = (
    { userId, ewon }: { userId: string | null; ewon: { pools: { poolId: string }[] } | null },
    client: ClientKind,
  ): boolean => {
    const actor = actors.find((one) => one.userId === userId);
    return (
      !!actor &&
      !!ewon &&
      mayConnect(
        actor,
        ewon.pools.map(({ poolId }) => poolId),
        client,
      )
    );
  };

  // Their time is over: the request that waits asks once more and is refused as anybody else would be.
  const { count } = await tx.slotWaiter.updateMany({
    where: {
      id: { in: waiting.filter((waiter) => !hasRight(waiter, 'ECATCHER')).map(({ id }) => id) },
      state: 'WAITING',
    },
    data: { state: 'EXPIRED', expiresAt: now },
  });
  if (count > 0) account.afterCommit(() => ctx.bell.ring(`slots:${accountId}`));
  const lost = open.filter((session) => !hasRight(session, session.client));
  return endSessions(ctx, account, lost, 'ACCESS_REVOKED', closedBy);
}

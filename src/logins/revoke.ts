import type { Platform } from '../context.ts';
import type { SessionCloseReason } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';
import { endSessions } from '../sessions/close.ts';
import { leaveQueue } from '../sessions/queue.ts';
import type { Actor } from '../users/actor.ts';

/** How logins end. */
export interface Revocation {
  /** The login that makes the change goes on (AUTH-20). */
  exceptLoginId: string | null;
  /** Why the sessions that were opened from them are closed. */
  reason: SessionCloseReason;
  closedBy: Actor | null;
}

/**
 * Ends the logins of these users: tokens are void, their sessions are closed, their places in the queue given up, and their
 * streams, sockets and tunnels end at once (AUTH-20, EVT-08). Returns how many ended.
 */
export async function revokeLogins(
  ctx: Platform,
  account: AccountTx,
  userIds: readonly string[],
  revocation: Revocation,
): Promise<number> {
  const { tx } = account;
  const logins = await tx.login.findMany({
    where: {
      userId: { in: [...userIds] },
      revokedAt: null,
      ...(revocation.exceptLoginId && { id: { not: revocation.exceptLoginId } }),
    },
    select: { id: true },
  });
  return endLogins(
    ctx,
    account,
    logins.map(({ id }) => id),
    revocation,
  );
}

/** {@link revokeLogins} for logins at hand; those that have ended already are passed over. */
export async function endLogins(
  ctx: Platform,
  account: AccountTx,
  loginIds: readonly string[],
  { reason, closedBy }: Pick<Revocation, 'reason' | 'closedBy'>,
): Promise<number> {
  const { tx, now } = account;
  const ended = await tx.login.updateManyAndReturn({
    where: { id: { in: [...loginIds] }, accountId: account.accountId, revokedAt: null },
    data: { revokedAt: now },
    select: { id: true },
  });
  const ids = ended.map(({ id }) => id);
  if (ids.length === 0) return 0;
  const waiting = await tx.slotWaiter.findMany({ where: { loginId: { in: ids }, state: 'WAITING' } });
  for (const { id } of waiting) await leaveQueue({ db: tx }, id, 'LEFT');
  const sessions = await tx.session.findMany({ where: { loginId: { in: ids }, state: 'OPEN' }, select: { id: true } });
  await endSessions(ctx, account, sessions, reason, closedBy);
  account.afterCommit(() => {
    for (const id of ids) ctx.bell.ring(`login:${id}`);
  });
  return ids.length;
}

import { aliveAfter } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import { AppError, notFound } from '../errors.ts';
import type { Prisma, Session, SessionCloseReason } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import type { Actor } from '../users/actor.ts';
import { displayName } from '../users/rules.ts';
import { restAddresses } from '../vpn/addresses.ts';
import { closeReasonFor, mayClose, sessionReference, sessionsVisibleTo } from './rules.ts';
import { settleSlots } from './slots.ts';

/** What the end of a session needs to know of it. */
export type EndedSession = Pick<Session, 'id'>;

/**
 * Ends those of the sessions that are still open: state and reason, slot, address and log entry in the transaction of its
 * caller. Of two racing ends one finds nothing to do. The slots that become free go to those who wait, unless the caller
 * settles them himself. Returns how many it ended.
 */
export async function endSessions(
  ctx: Platform,
  account: AccountTx,
  sessions: readonly EndedSession[],
  closeReason: SessionCloseReason,
  closedBy: Actor | null,
  options: { settle: boolean } = { settle: true },
): Promise<number> {
  const { tx, now, log } = account;
  if (sessions.length === 0) return 0;
  const ended = await tx.session.updateManyAndReturn({
    where: { id: { in: sessions.map(({ id }) => id) }, state: 'OPEN' },
    data: {
      state: 'CLOSED',
      endedAt: now,
      closeReason,
      closedById: closedBy?.userId ?? null,
      exclusiveUserId: null,
      ticketHash: null,
      ticketExpiresAt: null,
    },
  });
  if (ended.length === 0) return 0;
  const freed = await tx.slot.updateMany({
    where: { sessionId: { in: ended.map(({ id }) => id) } },
    data: { sessionId: null },
  });
  await restUsers(account, ended);
  for (const session of ended) {
    log({
      code: 'SESSION_CLOSED',
      user: session.userId === null ? null : { id: session.userId, number: session.userNumber, name: session.userName },
      ewon: session.ewonId === null ? null : { id: session.ewonId, number: session.ewonNumber, name: session.ewonName },
      sessionId: session.id,
      trigger: closedBy ? 'USER' : 'PLATFORM',
      params: {
        closeReason,
        closedBy: closedBy && displayName(closedBy),
        client: session.client,
        reference: sessionReference(session.number),
      },
    });
  }
  if (freed.count > 0 && options.settle) await settleSlots(ctx, account);
  account.afterCommit(() => ctx.bell.ring('ewons'));
  return ended.length;
}

/** The users among them whose last tunnel this was keep their address, but no longer use it (VPN-03). */
async function restUsers({ tx, now }: AccountTx, ended: readonly Session[]): Promise<void> {
  const userIds = [
    ...new Set(ended.flatMap(({ userId, userVpnAddress }) => (userId && userVpnAddress ? [userId] : []))),
  ];
  const still = await tx.session.findMany({
    where: { userId: { in: userIds }, state: 'OPEN', userVpnAddress: { not: null } },
    select: { userId: true },
  });
  await restAddresses(
    tx,
    'USER',
    userIds.filter((id) => !still.some(({ userId }) => userId === id)),
    now,
  );
}

/**
 * Closes a session of one's own, or as Administrator any (CON-10). Closing a closed one changes nothing.
 * @throws AppError NOT_FOUND, FORBIDDEN
 */
export async function closeSession(ctx: ActorContext, sessionId: string): Promise<void> {
  const { actor } = ctx;
  const session = await ctx.db.session.findFirst({ where: { id: sessionId, ...sessionsVisibleTo(actor) } });
  if (!session) throw notFound('session');
  if (!mayClose(actor, session))
    throw new AppError('FORBIDDEN', 'Only its user or an Administrator may close a session.');
  await inAccount(ctx, actor.accountId, (account) =>
    endSessions(ctx, account, [session], closeReasonFor(actor, session), actor),
  );
}

/** Closes the sessions whose client has sent no keep-alive in time (CON-30); an interrupted run is finished by the next. */
export const closeSilentSessions = (ctx: Platform): Promise<void> =>
  closeDue(ctx, { aliveUntil: { lte: ctx.clock.now() } }, 'TIMEOUT');

/** When the next client will have been silent for too long; one that holds its tunnel is not silent. */
export async function nextSilence({ db, clock, config }: Platform): Promise<Date | null> {
  const until = aliveAfter(clock.now(), config.limits.SESSION_TIMEOUT_SECONDS);
  const { _min } = await db.session.aggregate({
    where: { state: 'OPEN', OR: [{ establishedAt: null }, { aliveUntil: { lte: until } }] },
    _min: { aliveUntil: true },
  });
  return _min.aliveUntil;
}

/** Closes the sessions whose login has come to its end: it was the user's right to be here (AUTH-18, CON-09). */
export const closeSessionsOfEndedLogins = (ctx: Platform): Promise<void> =>
  closeDue(
    ctx,
    { login: { OR: [{ expiresAt: { lte: ctx.clock.now() } }, { revokedAt: { not: null } }] } },
    'SESSION_EXPIRED',
  );

/** Ends the open sessions of this condition, account by account; what it no longer holds for under the lock stays open. */
async function closeDue(ctx: Platform, due: Prisma.SessionWhereInput, reason: SessionCloseReason): Promise<void> {
  const found = await ctx.db.session.findMany({
    where: { state: 'OPEN', AND: [due] },
    select: { id: true, accountId: true },
    orderBy: { aliveUntil: 'asc' },
    take: 1000,
  });
  for (const accountId of new Set(found.map((session) => session.accountId))) {
    await inAccount(ctx, accountId, async (account) => {
      const still = await account.tx.session.findMany({
        where: { id: { in: found.map(({ id }) => id) }, accountId, state: 'OPEN', AND: [due] },
        select: { id: true },
      });
      await endSessions(ctx, account, still, reason, null);
    });
  }
}

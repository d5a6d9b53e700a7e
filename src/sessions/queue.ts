import { addSeconds, aliveAfter, earliest } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import type { Db, Tx } from '../database/database.ts';
import type { AccountTx } from '../log/write.ts';
import { type Actor, loadActor } from '../users/actor.ts';
import { createSession, obstacleTo, SESSION_EWON } from './create.ts';
import { type SlotFacts, slotFor } from './slot-rules.ts';

/** How long an entry stands without being renewed by the request that waits: longer than a few of its polls. */
export const WAITER_LEASE_SECONDS = 10;

const waiting = (accountId: string, now: Date) => ({ accountId, state: 'WAITING' as const, expiresAt: { gt: now } });

/**
 * Puts the actor into the queue for a slot (WTL-02), or moves the end of his waiting when he is in it already: one place a
 * user. Returns the id of the entry.
 */
export async function enterQueue(
  ctx: ActorContext,
  { tx, now, accountId }: AccountTx,
  ewonId: string,
  waitSeconds: number,
): Promise<string> {
  const { userId, loginId } = ctx.actor;
  const seconds = Math.min(waitSeconds, ctx.config.limits.SLOT_WAIT_MAX_SECONDS);
  const data = {
    ewonId,
    loginId,
    expiresAt: addSeconds(now, seconds),
    aliveUntil: addSeconds(now, WAITER_LEASE_SECONDS),
  };
  const present = await tx.slotWaiter.findFirst({
    where: { ...waiting(accountId, now), userId },
    select: { id: true },
  });
  if (present) {
    await tx.slotWaiter.update({ where: { id: present.id }, data });
    return present.id;
  }
  const entry = await tx.slotWaiter.create({
    data: { ...data, accountId, userId, arrivedAt: now },
    select: { id: true },
  });
  return entry.id;
}

/** Keeps the entry alive for another lease, if it still waits. */
export async function renewPlace(ctx: Platform, waiterId: string): Promise<void> {
  await ctx.db.slotWaiter.updateMany({
    where: { id: waiterId, state: 'WAITING' },
    data: { aliveUntil: addSeconds(ctx.clock.now(), WAITER_LEASE_SECONDS) },
  });
}

/**
 * Gives a caller his old place again who was taken out although he is there: this process stood still, the clock was moved
 * on, or another request of his that waited in the same place has hung up. Nothing changes for one whose time is over.
 */
export async function regainPlace({ tx, now }: AccountTx, waiterId: string): Promise<boolean> {
  const { count } = await tx.slotWaiter.updateMany({
    where: { id: waiterId, state: 'EXPIRED', expiresAt: { gt: now } },
    data: { state: 'WAITING', aliveUntil: addSeconds(now, WAITER_LEASE_SECONDS) },
  });
  return count > 0;
}

/** Takes the entry out, if it still waits; false when it was served or gone before. */
export async function leaveQueue(
  ctx: { db: Pick<Db, 'slotWaiter'> },
  waiterId: string,
  state: 'LEFT' | 'EXPIRED',
): Promise<boolean> {
  const { count } = await ctx.db.slotWaiter.updateMany({ where: { id: waiterId, state: 'WAITING' }, data: { state } });
  return count > 0;
}

/** The place of a user in his account's queue: 1 is next; null when he does not wait (WTL-03). */
export async function queuePosition(db: Pick<Db, 'slotWaiter'>, now: Date, actor: Actor): Promise<number | null> {
  const own = await db.slotWaiter.findFirst({
    where: { ...waiting(actor.accountId, now), userId: actor.userId },
    select: { number: true },
  });
  return own && db.slotWaiter.count({ where: { ...waiting(actor.accountId, now), number: { lte: own.number } } });
}

/**
 * Gives free slots to those who wait, in order of arrival among those who may use each (WTL-02). Under the account's lock,
 * so nobody is served twice and no slot given twice (WTL-04). Somebody who can no longer connect is taken out; his time is
 * over, and asking once more he learns why.
 */
export async function serveWaiters(ctx: Platform, account: AccountTx, slots: SlotFacts[]): Promise<void> {
  const { tx, now, accountId } = account;
  const allHeld = () => slots.every((slot) => slot.sessionId !== null);
  if (allHeld()) return;
  const entries = await tx.slotWaiter.findMany({ where: waiting(accountId, now), orderBy: { number: 'asc' } });
  for (const entry of entries) {
    if (allHeld()) return;
    const actor = await loadActor(tx, now, ctx.config.limits.LOGIN_IDLE_MINUTES * 60_000, { id: entry.loginId });
    const slot = actor && slotFor(slots, actor.groupIds);
    if (actor && !slot) continue;
    // Claimed before he is served, for leaving takes no lock of the account: who leaves now waits for the outcome, and who
    // has left since the entries were read gets nothing.
    const claimed = await tx.slotWaiter.updateMany({
      where: { id: entry.id, state: 'WAITING' },
      data: { state: 'SERVED' },
    });
    if (claimed.count === 0) continue;
    const session = actor && slot && (await serve(ctx, account, actor, entry.ewonId, slot));
    if (session) slot.sessionId = session.id;
    await tx.slotWaiter.update({
      where: { id: entry.id },
      data: session ? { sessionId: session.id } : { state: 'EXPIRED', expiresAt: now },
    });
  }
}

async function serve(ctx: Platform, account: AccountTx, actor: Actor, ewonId: string, slot: SlotFacts) {
  const { tx } = account;
  const ewon = await tx.ewon.findUnique({ where: { id: ewonId }, select: SESSION_EWON });
  if (!ewon || obstacleTo(actor, ewon, 'ECATCHER') || (await isConnected(tx, actor))) return null;
  return createSession(ctx, account, actor, ewon, 'ECATCHER', slot);
}

const isConnected = async (tx: Tx, actor: Actor): Promise<boolean> =>
  (await tx.session.count({ where: { exclusiveUserId: actor.userId } })) > 0;

/**
 * Takes out those whose login has ended or whose user was disabled (WTL-03), and those whose time is over or whose caller is
 * gone, where the request that waited can no longer do it itself.
 */
export async function expireWaiters(ctx: Platform): Promise<void> {
  const now = ctx.clock.now();
  await ctx.db.slotWaiter.updateMany({
    where: {
      state: 'WAITING',
      OR: [
        { login: { OR: [{ revokedAt: { not: null } }, { expiresAt: { lte: now } }] } },
        { user: { OR: [{ disabledAt: { not: null } }, { expiresAt: { lte: now } }] } },
      ],
    },
    data: { state: 'LEFT' },
  });
  await ctx.db.slotWaiter.updateMany({
    where: {
      state: 'WAITING',
      OR: [{ aliveUntil: { lte: now } }, { expiresAt: { lte: addSeconds(now, -WAITER_LEASE_SECONDS) } }],
    },
    data: { state: 'EXPIRED' },
  });
}

/** When the next entry of a queue runs out. Those whose login or user ends go with that. */
export async function nextWaiterEnd({ db, clock }: Platform): Promise<Date | null> {
  const abandoned = { aliveUntil: { lte: aliveAfter(clock.now(), WAITER_LEASE_SECONDS) } };
  const [gone, late] = [
    await db.slotWaiter.aggregate({ where: { state: 'WAITING', ...abandoned }, _min: { aliveUntil: true } }),
    await db.slotWaiter.aggregate({ where: { state: 'WAITING' }, _min: { expiresAt: true } }),
  ];
  const { expiresAt } = late._min;
  return earliest(gone._min.aliveUntil, expiresAt && addSeconds(expiresAt, WAITER_LEASE_SECONDS));
}

import { baseSlots, requireFeature } from '../account/plans.ts';
import { monthBounds } from '../billing/months.ts';
import { addMonths } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { AppError, notFound, ValidationError } from '../errors.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { serveWaiters } from './queue.ts';
import {
  dropSurplus,
  type HeldSlot,
  placeReservations,
  redeemReservations,
  type SlotFacts,
  type SlotFigures,
  slotFigures,
} from './slot-rules.ts';

const SLOT_FACTS = { id: true, number: true, groupId: true, sessionId: true } as const;

export const readSlots = (tx: Tx, accountId: string): Promise<SlotFacts[]> =>
  tx.slot.findMany({ where: { accountId }, select: SLOT_FACTS, orderBy: { number: 'asc' } });

/** The slots with the groups that their holders are in now. */
async function readHeldSlots(tx: Tx, accountId: string): Promise<HeldSlot[]> {
  const slots = await tx.slot.findMany({
    where: { accountId },
    orderBy: { number: 'asc' },
    select: {
      ...SLOT_FACTS,
      session: { select: { user: { select: { memberships: { select: { groupId: true } } } } } },
    },
  });
  return slots.map(({ session, ...slot }) => ({
    ...slot,
    holderGroupIds: session?.user?.memberships.map((membership) => membership.groupId) ?? [],
  }));
}

async function writeGroups(tx: Tx, groups: ReadonlyMap<string, string | null>): Promise<void> {
  for (const [id, groupId] of groups) await tx.slot.update({ where: { id }, data: { groupId } });
}

/** The account's slots as the actor sees them (CON-12), in one statement: total and slots are of the same moment. */
export async function readSlotFigures(
  tx: Pick<Tx, '$queryRaw'>,
  { accountId, groupIds }: Pick<Actor, 'accountId' | 'groupIds'>,
): Promise<SlotFigures> {
  const slots = await tx.$queryRaw<(SlotFacts & { total: number })[]>`
    SELECT s."id", s."number", s."groupId", s."sessionId", a."concurrentConnections" AS "total"
    FROM "Account" a JOIN "Slot" s ON s."accountId" = a."id" WHERE a."id" = ${accountId}::uuid`;
  return slotFigures(slots, slots[0]?.total ?? 0, groupIds);
}

/** Slots 1 to `count` of a new account. */
export const newSlots = (count: number): { number: number }[] =>
  Array.from({ length: count }, (_, index) => ({ number: index + 1 }));

/**
 * To be called in the transaction that freed slots, or changed who may use them: drops what is over the total (CON-19),
 * lays reservations on what is free (CON-21), then gives every slot that somebody waits for to the first who may use it
 * (WTL-02, WTL-04). After it, no free slot has anybody waiting for it.
 */
export async function settleSlots(ctx: Platform, account: AccountTx): Promise<void> {
  const { tx, accountId } = account;
  const { concurrentConnections } = await tx.account.findUniqueOrThrow({
    where: { id: accountId },
    select: { concurrentConnections: true },
  });
  const slots = await readSlots(tx, accountId);
  const { drop, reserve } = dropSurplus(slots, concurrentConnections);
  if (drop.length > 0) await tx.slot.deleteMany({ where: { id: { in: drop } } });
  await writeGroups(tx, reserve);
  if (slots.some((slot) => slot.groupId !== null))
    await writeGroups(tx, redeemReservations(await readHeldSlots(tx, accountId)));
  await serveWaiters(ctx, account, await readSlots(tx, accountId));
  account.afterCommit(() => ctx.bell.ring(`slots:${accountId}`));
}

/** What a number of concurrent connections would cost a month, and when it would be in force (CON-14, CON-17). */
export interface SlotOffer {
  concurrentConnections: number;
  /** The number that the plan includes. */
  included: number;
  /** Cents a month for what is beyond the included ones. */
  monthlyPriceCents: number;
  effectiveAt: Date;
}

/** @throws AppError FORBIDDEN (BIL-16), PLAN_FEATURE_NOT_AVAILABLE, VALIDATION_FAILED */
export async function offerSlots(ctx: ActorContext, count: number): Promise<SlotOffer> {
  requireAdministrator(ctx.actor);
  const account = await ctx.db.account.findUniqueOrThrow({ where: { id: ctx.actor.accountId } });
  checkCount(ctx, account.plan, count);
  const included = baseSlots(account.plan, ctx.config);
  const now = ctx.clock.now();
  return {
    concurrentConnections: count,
    included,
    monthlyPriceCents: (count - included) * ctx.config.limits.SLOT_PRICE_CENTS,
    effectiveAt: count < account.concurrentConnections ? laterOf(now, earliestDecrease(ctx, account)) : now,
  };
}

/**
 * Changes the number of concurrent connections (CON-13 to CON-19): an increase at once; a decrease at once when the present
 * number has been in force for three months, else at that date. Replaces a scheduled decrease; the present number cancels it.
 * @throws AppError FORBIDDEN, ACKNOWLEDGEMENT_REQUIRED, PLAN_FEATURE_NOT_AVAILABLE, VALIDATION_FAILED, RESERVATION_EXCEEDS_TOTAL
 */
export function setConcurrentConnections(ctx: ActorContext, count: number, acknowledged: boolean): Promise<void> {
  requireAdministrator(ctx.actor);
  if (!acknowledged) {
    throw new AppError(
      'ACKNOWLEDGEMENT_REQUIRED',
      'The change affects contract and price: repeat it with acknowledgeContractChange: true.',
      ['acknowledgeContractChange'],
    );
  }
  return inAccountAs(ctx, async (account, actor) => {
    requireAdministrator(actor);
    const { tx, now } = account;
    const row = await tx.account.findUniqueOrThrow({ where: { id: actor.accountId } });
    checkCount(ctx, row.plan, count);
    if (count === row.concurrentConnections && row.pendingSlots !== null)
      account.log({
        code: 'SLOTS_DECREASE_CANCELLED',
        user: actorSubject(actor),
        params: { reason: 'the present number was ordered' },
      });
    if (count >= row.concurrentConnections) return applyCount(ctx, account, row.concurrentConnections, count, actor);

    const reserved = (await readSlots(tx, actor.accountId)).filter((slot) => slot.groupId !== null).length;
    if (count < reserved)
      throw new AppError(
        'RESERVATION_EXCEEDS_TOTAL',
        `${reserved} connections are reserved; reduce the reservations first.`,
        ['concurrentConnections'],
      );
    const from = earliestDecrease(ctx, row);
    if (from <= now) return applyCount(ctx, account, row.concurrentConnections, count, actor);
    await tx.account.update({ where: { id: actor.accountId }, data: { pendingSlots: count, pendingSlotsAt: from } });
    account.log({
      code: 'SLOTS_DECREASE_SCHEDULED',
      user: actorSubject(actor),
      params: { to: count, at: from.toISOString() },
    });
  });
}

/** Cancels a scheduled decrease; without one nothing happens (CON-17). @throws AppError FORBIDDEN */
export function cancelScheduledDecrease(ctx: ActorContext): Promise<void> {
  return inAccountAs(ctx, async ({ tx, log }, actor) => {
    requireAdministrator(actor);
    const { count } = await tx.account.updateMany({
      where: { id: actor.accountId, pendingSlots: { not: null } },
      data: { pendingSlots: null, pendingSlotsAt: null },
    });
    if (count > 0)
      log({ code: 'SLOTS_DECREASE_CANCELLED', user: actorSubject(actor), params: { reason: 'on request' } });
  });
}

/** Applies the scheduled decreases that have fallen due (CON-17), each once; one that its reservations forbid is cancelled (CON-25). */
export async function applyDueDecreases(ctx: Platform): Promise<void> {
  const due = await ctx.db.account.findMany({
    where: { pendingSlotsAt: { lte: ctx.clock.now() } },
    select: { id: true },
    take: 100,
  });
  for (const { id } of due)
    await inAccount(ctx, id, async (account) => {
      const { openMonth, timeZone, pendingSlotsAt } = await account.tx.account.findUniqueOrThrow({ where: { id } });
      // A month that was over before is closed first: it is charged by the number that was in force (BIL-14).
      if (pendingSlotsAt && monthBounds(openMonth, timeZone).to > pendingSlotsAt) await applyDueDecrease(ctx, account);
    });
}

/** The same for one account: without one that is due nothing happens. */
export async function applyDueDecrease(ctx: Platform, account: AccountTx): Promise<void> {
  const { tx, now, accountId: id, log } = account;
  const row = await tx.account.findUniqueOrThrow({ where: { id } });
  if (row.pendingSlots === null || row.pendingSlotsAt === null || row.pendingSlotsAt > now) return;
  const reserved = (await readSlots(tx, id)).filter((slot) => slot.groupId !== null).length;
  if (row.pendingSlots >= reserved) return applyCount(ctx, account, row.concurrentConnections, row.pendingSlots, null);
  await tx.account.update({ where: { id }, data: { pendingSlots: null, pendingSlotsAt: null } });
  log({ code: 'SLOTS_DECREASE_CANCELLED', params: { reason: `${reserved} connections are reserved` } });
}

/** When the next scheduled decrease is due. */
export const nextDecrease = async ({ db }: Platform): Promise<Date | null> =>
  (await db.account.aggregate({ _min: { pendingSlotsAt: true } }))._min.pendingSlotsAt;

/** Puts a number of concurrent connections into force (CON-16, CON-19); a scheduled decrease is void. */
export async function applyCount(
  ctx: Platform,
  account: AccountTx,
  from: number,
  to: number,
  actor: Actor | null,
): Promise<void> {
  const { tx, accountId, now } = account;
  await tx.account.update({
    where: { id: accountId },
    data: {
      concurrentConnections: to,
      pendingSlots: null,
      pendingSlotsAt: null,
      ...(to !== from && { slotsChangedAt: now }),
    },
  });
  if (to === from) return;
  const slots = await readSlots(tx, accountId);
  const top = slots.at(-1)?.number ?? 0;
  const missing = Math.max(0, to - slots.length);
  await tx.slot.createMany({ data: newSlots(missing).map(({ number }) => ({ accountId, number: top + number })) });
  account.log({ code: 'SLOTS_CHANGED', user: actor && actorSubject(actor), params: { from, to } });
  await settleSlots(ctx, account);
}

/**
 * Sets all reservations of the account; a group that is not named loses its own (CON-20, CON-26). Live sessions go on.
 * @throws AppError FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND (group), RESERVATION_EXCEEDS_TOTAL, VALIDATION_FAILED
 */
export function setReservations(ctx: ActorContext, wanted: { groupId: string; count: number }[]): Promise<void> {
  requireAdministrator(ctx.actor);
  requireFeature(ctx.actor.plan, 'reservedConnections');
  if (new Set(wanted.map(({ groupId }) => groupId)).size < wanted.length) {
    throw new ValidationError([{ path: ['reservations'], message: 'A group is named twice.' }]);
  }
  return inAccountAs(ctx, async (account, actor) => {
    requireAdministrator(actor);
    requireFeature(actor.plan, 'reservedConnections');
    const { tx, accountId } = account;
    const groups = await tx.group.findMany({ where: { accountId, id: { in: wanted.map(({ groupId }) => groupId) } } });
    if (groups.length < wanted.length) throw notFound('group');
    const { concurrentConnections } = await tx.account.findUniqueOrThrow({ where: { id: accountId } });
    const sum = wanted.reduce((total, { count }) => total + count, 0);
    if (sum > concurrentConnections) {
      throw new AppError(
        'RESERVATION_EXCEEDS_TOTAL',
        `${sum} reservations exceed the ${concurrentConnections} concurrent connections.`,
        ['reservations'],
      );
    }
    const slots = await readHeldSlots(tx, accountId);
    const placed = placeReservations(
      slots,
      wanted.filter(({ count }) => count > 0),
    );
    for (const { id, groupId } of slots) if (placed.get(id) === groupId) placed.delete(id);
    await writeGroups(tx, placed);
    const summary = wanted
      .map(({ groupId, count }) => `${groups.find((group) => group.id === groupId)?.name}: ${count}`)
      .join(', ');
    account.log({ code: 'RESERVATIONS_CHANGED', user: actorSubject(actor), params: { summary: summary || 'none' } });
    await settleSlots(ctx, account);
  });
}

function checkCount(ctx: Platform, plan: 'FREE' | 'LIGHT' | 'PRO', count: number): void {
  requireFeature(plan, 'multipleConcurrentConnections');
  const [min, max] = [baseSlots(plan, ctx.config), ctx.config.limits.SLOTS_MAX];
  if (!Number.isInteger(count) || count < min || count > max) {
    throw new ValidationError([
      { path: ['concurrentConnections'], message: `The number of concurrent connections is from ${min} to ${max}.` },
    ]);
  }
}

const earliestDecrease = (ctx: Platform, account: { slotsChangedAt: Date }): Date =>
  addMonths(account.slotsChangedAt, ctx.config.limits.SLOT_DECREASE_MONTHS);
const laterOf = (a: Date, b: Date): Date => (a > b ? a : b);

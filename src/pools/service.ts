import { requireFeature } from '../account/plans.ts';
import type { ActorContext } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError, notFound } from '../errors.ts';
import { ewonSubject } from '../ewons/find.ts';
import { ewonsVisibleTo, nameKey } from '../ewons/rules.ts';
import type { Pool } from '../generated/prisma/client.ts';
import type { AccountTx, Subject } from '../log/write.ts';
import { closeSessionsWithoutRight } from '../sessions/lost-rights.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { mayCreatePool, mayPutIntoPools, type PoolAction, poolActions, poolsVisibleTo } from './rules.ts';

/**
 * Creates a pool and fills it with Ewons, which stay in their other pools (POOL-02, POOL-03, POOL-08); groups through which
 * the creator may create pools get the administer right on it.
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, NOT_FOUND (Ewon), POOL_NAME_IN_USE
 */
export function createPool(ctx: ActorContext, name: string, ewonIds: readonly string[] = []): Promise<string> {
  return inAccountAs(ctx, async (account, actor) => {
    requireFeature(actor.plan, 'pools');
    if (!mayCreatePool(actor)) throw new AppError('FORBIDDEN', 'You may not create pools.');
    const ewons = await findEwonsToPut(actor, account, ewonIds);
    const pool = await newPool(actor, account, name, ewons);
    logMoves(actor, account, ewons);
    return pool.id;
  }).catch(nameInUse);
}

/** Makes the pool for somebody who may. @throws AppError PLAN_FEATURE_NOT_AVAILABLE, and a violation of the unique name: {@link nameInUse} */
export async function newPool(
  actor: Actor,
  { tx, now, accountId, log }: AccountTx,
  name: string,
  ewons: readonly { id: string }[],
): Promise<Pool> {
  requireFeature(actor.plan, 'pools');
  const creators = await tx.group.findMany({
    where: { id: { in: actor.groupIds }, mayCreatePools: true },
    select: { id: true },
  });
  const pool = await tx.pool.create({
    data: {
      accountId,
      name,
      nameKey: nameKey(name),
      createdAt: now,
      rights: { create: creators.map(({ id }) => ({ groupId: id, administer: true, modify: true })) },
      ewons: { create: ewons.map(({ id }) => ({ ewonId: id })) },
    },
  });
  log({ code: 'POOL_CREATED', user: actorSubject(actor), params: { name } });
  return pool;
}

/**
 * Renames a pool (POOL-07).
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, POOL_NAME_IN_USE
 */
export function updatePool(ctx: ActorContext, poolId: string, name: string | undefined): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const pool = await findPoolFor(actor, account, poolId, 'RENAME');
    if (name === undefined || name === pool.name) return;
    await account.tx.pool.update({ where: { id: poolId }, data: { name, nameKey: nameKey(name) } });
    logChange(actor, account, name, `renamed from ${pool.name}`);
  }).catch(nameInUse);
}

/**
 * Puts Ewons into a pool besides those that they are in (POOL-03, POOL-06); who is in it already stays.
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND (pool, Ewon), FORBIDDEN
 */
export function addEwonsToPool(ctx: ActorContext, poolId: string, ewonIds: readonly string[]): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const pool = await findPoolFor(actor, account, poolId, 'ADMINISTER');
    const added = (await findEwonsToPut(actor, account, ewonIds)).filter(({ poolIds }) => !poolIds.includes(poolId));
    if (added.length === 0) return;
    await account.tx.ewonPool.createMany({ data: added.map(({ id }) => ({ ewonId: id, poolId })) });
    logChange(actor, account, pool.name, `${added.length} Ewons added`);
    logMoves(actor, account, added);
  });
}

/**
 * Takes Ewons out of a pool; each must be in another one (POOL-03). Who is not in it stays out. Sessions and places in the
 * queue that depended on the pool end (GRP-21).
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND (pool, Ewon), FORBIDDEN, EWON_NEEDS_A_POOL
 */
export function removeEwonsFromPool(ctx: ActorContext, poolId: string, ewonIds: readonly string[]): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const pool = await findPoolFor(actor, account, poolId, 'ADMINISTER');
    const removed = (await findEwons(actor, account, ewonIds)).filter(({ poolIds }) => poolIds.includes(poolId));
    const poolless = removed.filter(({ poolIds }) => poolIds.length === 1);
    if (poolless.length > 0)
      throw new AppError(
        'EWON_NEEDS_A_POOL',
        `In no other pool: ${poolless.map(({ name }) => name).join(', ')}. An Ewon is in at least one pool.`,
        ['ewonIds'],
      );
    if (removed.length === 0) return;
    await account.tx.ewonPool.deleteMany({ where: { poolId, ewonId: { in: removed.map(({ id }) => id) } } });
    logChange(actor, account, pool.name, `${removed.length} Ewons removed`);
    logMoves(actor, account, removed);
    await closeSessionsWithoutRight(ctx, account, actor);
  });
}

/**
 * Deletes a pool that nothing needs (POOL-07, POOL-10), and with it the rights on it (GRP-21).
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, POOL_IN_USE
 */
export function deletePool(ctx: ActorContext, poolId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, log } = account;
    requireFeature(actor.plan, 'pools');
    const pool = await findPool(actor, account, poolId);
    const actions = poolActions(actor, pool);
    if (!actions.includes('ADMINISTER')) throw new AppError('FORBIDDEN', 'You may not delete this pool.');
    if (!actions.includes('DELETE')) throw new AppError('POOL_IN_USE', 'The default pool cannot be deleted.');
    if ((await tx.account.count({ where: { autoRegistrationPoolId: poolId } })) > 0)
      throw new AppError('POOL_IN_USE', 'New devices register into this pool.');
    const tokens = await tx.apiToken.count({ where: { poolId } });
    if (tokens > 0) throw new AppError('POOL_IN_USE', 'Something else of the account needs this pool.');
    const only = await tx.ewon.count({ where: { pools: { some: { poolId }, every: { poolId } } } });
    if (only > 0) throw new AppError('POOL_IN_USE', `The pool is the only one of ${only} Ewons.`);
    await tx.pool.delete({ where: { id: poolId } });
    log({ code: 'POOL_DELETED', user: actorSubject(actor), params: { name: pool.name } });
    await closeSessionsWithoutRight(ctx, account, actor);
  });
}

async function findPool(actor: Actor, { tx }: AccountTx, poolId: string): Promise<Pool> {
  const pool = await tx.pool.findFirst({ where: { AND: [poolsVisibleTo(actor), { id: poolId }] } });
  if (!pool) throw notFound('pool');
  return pool;
}

async function findPoolFor(actor: Actor, account: AccountTx, poolId: string, action: PoolAction): Promise<Pool> {
  requireFeature(actor.plan, 'pools');
  const pool = await findPool(actor, account, poolId);
  if (!poolActions(actor, pool).includes(action))
    throw new AppError('FORBIDDEN', `You may not do this with the pool ${pool.name} (${action}).`);
  return pool;
}

async function findEwons(actor: Actor, { tx }: AccountTx, ewonIds: readonly string[]) {
  const ids = [...new Set(ewonIds)];
  const ewons = await tx.ewon.findMany({
    where: { AND: [ewonsVisibleTo(actor), { id: { in: ids } }] },
    select: { id: true, number: true, name: true, pools: { select: { poolId: true } } },
    orderBy: { number: 'asc' },
  });
  if (ewons.length < ids.length) throw notFound('Ewon');
  return ewons.map(({ pools, ...ewon }) => ({ ...ewon, poolIds: pools.map(({ poolId }) => poolId) }));
}

async function findEwonsToPut(actor: Actor, account: AccountTx, ewonIds: readonly string[]) {
  const ewons = await findEwons(actor, account, ewonIds);
  if (!ewons.every(({ poolIds }) => mayPutIntoPools(actor, poolIds)))
    throw new AppError('FORBIDDEN', 'You may not put one of the Ewons into another pool.', ['ewonIds']);
  return ewons;
}

const logChange = (actor: Actor, { log }: AccountTx, name: string, change: string): void =>
  log({ code: 'POOL_CHANGED', user: actorSubject(actor), params: { name, change } });

/** For the log of each Ewon. */
const logMoves = (actor: Actor, { log }: AccountTx, ewons: readonly Subject[]): void =>
  log(
    ...ewons.map((ewon) => ({
      code: 'EWON_CHANGED' as const,
      user: actorSubject(actor),
      ewon: ewonSubject(ewon),
      params: { fields: 'poolIds' },
    })),
  );

/** @throws AppError POOL_NAME_IN_USE for a violation of the unique name, or the error itself */
export function nameInUse(error: unknown): never {
  if (isUniqueViolation(error))
    throw new AppError('POOL_NAME_IN_USE', 'Another pool of the account has this name.', ['name']);
  throw error;
}

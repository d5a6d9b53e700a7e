import { requireFeature } from '../account/plans.ts';
import type { ActorContext } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError, notFound } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import { inAccount } from '../log/write.ts';
import { actorSubject } from '../users/rules.ts';
import { mayAdministerPool, mayCreatePool, poolsVisibleTo } from './rules.ts';

/**
 * Creates a pool (POOL-08); groups through which the creator may create pools get the administer right on it.
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, POOL_NAME_IN_USE
 */
export function createPool(ctx: ActorContext, name: string): Promise<string> {
  const { actor } = ctx;
  requireFeature(actor.plan, 'pools');
  if (!mayCreatePool(actor)) throw new AppError('FORBIDDEN', 'You may not create pools.');
  return inAccount(ctx, actor.accountId, async ({ tx, now, accountId, log }) => {
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
      },
    });
    log({ code: 'POOL_CREATED', user: actorSubject(actor), params: { name } });
    return pool.id;
  }).catch((error: unknown) => {
    if (isUniqueViolation(error))
      throw new AppError('POOL_NAME_IN_USE', 'Another pool of the account has this name.', ['name']);
    throw error;
  });
}

/** Deletes a pool that nothing needs (POOL-07, POOL-10). @throws AppError NOT_FOUND, FORBIDDEN, POOL_IN_USE */
export function deletePool(ctx: ActorContext, poolId: string): Promise<void> {
  const { actor } = ctx;
  return inAccount(ctx, actor.accountId, async ({ tx, log }) => {
    const pool = await tx.pool.findFirst({
      where: { AND: [poolsVisibleTo(actor), { id: poolId }] },
      include: { autoRegistrationOf: true },
    });
    if (!pool) throw notFound('pool');
    if (!mayAdministerPool(actor, pool.id)) throw new AppError('FORBIDDEN', 'You may not delete this pool.');
    if (pool.isDefault) throw new AppError('POOL_IN_USE', 'The default pool cannot be deleted.');
    if (pool.autoRegistrationOf.length > 0) throw new AppError('POOL_IN_USE', 'New devices register into this pool.');
    const only = await tx.ewon.count({ where: { pools: { some: { poolId }, every: { poolId } } } });
    if (only > 0) throw new AppError('POOL_IN_USE', `The pool is the only one of ${only} Ewons.`);
    await tx.pool.delete({ where: { id: pool.id } });
    log({ code: 'POOL_DELETED', user: actorSubject(actor), params: { name: pool.name } });
  });
}

import { requireFeature } from '../account/plans.ts';
import type { ActorContext } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError, notFound } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { poolsVisibleTo } from '../pools/rules.ts';
import type { PoolRights } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { groupsVisibleTo, mayCreateGroup, mayGrant } from './rules.ts';

export type PoolGrant = { poolId: string } & PoolRights;

export interface NewGroup {
  name: string;
  /** The group whose members manage the new one (GRP-07); null is Administrators alone. */
  managedById: string | null;
  mayCreatePools: boolean;
  mayCreateGroups: boolean;
  poolRights: PoolGrant[];
}

/**
 * Creates a group with its roles and its rights on pools (GRP-06 to GRP-09, GRP-13).
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, NOT_FOUND, GROUP_NAME_IN_USE
 */
export function createGroup(ctx: ActorContext, group: NewGroup): Promise<string> {
  const { actor } = ctx;
  requireFeature(actor.plan, 'groups');
  if (!mayCreateGroup(actor)) throw new AppError('FORBIDDEN', 'You may not create groups.');
  if (group.mayCreatePools && !actor.administrator && !actor.mayCreatePools)
    throw new AppError('FORBIDDEN', 'You cannot grant a role that you do not hold.');
  return inAccount(ctx, actor.accountId, async (account) => {
    const { tx, now, accountId, log } = account;
    await checkGrants(ctx, account, group.poolRights);
    const manager =
      group.managedById &&
      (await tx.group.findFirst({ where: { AND: [groupsVisibleTo(actor), { id: group.managedById }] } }));
    if (group.managedById && !manager) throw notFound('group');
    const { name, mayCreatePools, mayCreateGroups, poolRights } = group;
    const created = await tx.group.create({
      data: {
        ...{ accountId, name, nameKey: nameKey(name), mayCreatePools, mayCreateGroups, createdAt: now },
        poolRights: { create: poolRights.map(implied) },
        ...(manager && { managedBy: { create: { groupId: manager.id } } }),
      },
    });
    log({ code: 'GROUP_CREATED', user: actorSubject(actor), params: { name } });
    return created.id;
  }).catch((error: unknown) => {
    if (isUniqueViolation(error))
      throw new AppError('GROUP_NAME_IN_USE', 'Another group of the account has this name.', ['name']);
    throw error;
  });
}

/**
 * Replaces all rights of a group on pools (GRP-13, GRP-18). They count from the next request on (GRP-21).
 * @throws AppError FORBIDDEN, NOT_FOUND
 */
export function setPoolRights(ctx: ActorContext, groupId: string, poolRights: PoolGrant[]): Promise<void> {
  const { actor } = ctx;
  requireFeature(actor.plan, 'groups');
  if (!actor.administrator) throw new AppError('FORBIDDEN', 'Only Administrators change the rights of a group.');
  return inAccount(ctx, actor.accountId, async (account) => {
    const { tx, log } = account;
    const group = await tx.group.findFirst({ where: { AND: [groupsVisibleTo(actor), { id: groupId }] } });
    if (!group) throw notFound('group');
    if (group.administrators) throw new AppError('FORBIDDEN', 'The Administrators group cannot be restricted.');
    await checkGrants(ctx, account, poolRights);
    await tx.poolRight.deleteMany({ where: { groupId } });
    await tx.poolRight.createMany({ data: poolRights.map((right) => ({ groupId, ...implied(right) })) });
    log({ code: 'GROUP_CHANGED', user: actorSubject(actor), params: { name: group.name, change: 'rights on pools' } });
  });
}

/** GRP-14: administer implies modify. */
const implied = (right: PoolGrant): PoolGrant => ({ ...right, modify: right.modify || right.administer });

async function checkGrants({ actor }: ActorContext, { tx }: AccountTx, grants: PoolGrant[]): Promise<void> {
  const ids = new Set(grants.map(({ poolId }) => poolId));
  if ((await tx.pool.count({ where: { AND: [poolsVisibleTo(actor), { id: { in: [...ids] } }] } })) < ids.size)
    throw notFound('pool');
  if (!grants.every(({ poolId, ...rights }) => mayGrant(actor, poolId, rights)))
    throw new AppError('FORBIDDEN', 'You cannot grant rights that you do not hold.');
}

import { requireFeature } from '../account/plans.ts';
import type { ActorContext } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError, notFound, ValidationError } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import type { Group } from '../generated/prisma/client.ts';
import type { AccountTx, LogDraft } from '../log/write.ts';
import { NO_RIGHTS, poolsVisibleTo } from '../pools/rules.ts';
import { closeSessionsWithoutRight } from '../sessions/lost-rights.ts';
import { settleSlots } from '../sessions/slots.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor, PoolRights } from '../users/actor.ts';
import { actorSubject, displayName, usersVisibleTo } from '../users/rules.ts';
import { requireAnAdministrator } from './administrators.ts';
import {
  GROUP_ROLES,
  type GroupAction,
  type GroupRoles,
  groupActions,
  groupsVisibleTo,
  mayAddMembers,
  mayCreateGroup,
  maySetManagement,
  maySetRights,
  maySetRole,
} from './rules.ts';

export type PoolGrant = { poolId: string } & PoolRights;

export interface NewGroup extends GroupRoles {
  name: string;
  /** The group whose members manage the new one (GRP-07); null is Administrators alone. */
  managedById: string | null;
  /** Groups whose users its members manage (GRP-11). */
  managedGroupIds: string[];
  poolRights: PoolGrant[];
}

/**
 * Creates a group with its manager, roles, rights on groups and rights on pools (GRP-06 to GRP-15).
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, NOT_FOUND (group, pool), GROUP_NAME_IN_USE, VALIDATION_FAILED
 */
export function createGroup(ctx: ActorContext, group: NewGroup): Promise<string> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, accountId, log } = account;
    requireFeature(actor.plan, 'groups');
    if (!mayCreateGroup(actor)) throw new AppError('FORBIDDEN', 'You may not create groups.');
    const { name, managedById, managedGroupIds, poolRights, ...roles } = group;
    checkRoles(actor, null, roles);
    await checkPoolRights(actor, account, [], poolRights);
    await checkManagedGroups(actor, account, [], managedGroupIds);
    const manager = managedById === null ? null : await findGroup(actor, account, managedById);
    const created = await tx.group.create({
      data: {
        accountId,
        name,
        nameKey: nameKey(name),
        ...roles,
        createdAt: now,
        poolRights: { create: poolRights.map(implied) },
        manages: { create: managedGroupIds.map((targetId) => ({ targetId })) },
        // Administrators manage every group, so nothing is written for them.
        ...(manager && !manager.administrators && { managedBy: { create: { groupId: manager.id } } }),
      },
    });
    log({ code: 'GROUP_CREATED', user: actorSubject(actor), params: { name } });
    return created.id;
  }).catch(nameInUse);
}

/**
 * Changes name and roles of a group (GRP-06, GRP-10, GRP-12). Absent keeps.
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, GROUP_NAME_IN_USE
 */
export function updateGroup(
  ctx: ActorContext,
  groupId: string,
  { name, ...roles }: { name?: string | undefined } & { [R in keyof GroupRoles]?: boolean | undefined },
): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const group = await findGroupFor(actor, account, groupId, 'MODIFY');
    const wanted = Object.fromEntries(GROUP_ROLES.map((role) => [role, roles[role] ?? group[role]])) as GroupRoles;
    checkRoles(actor, group, wanted);
    const changed = [
      ...(name !== undefined && name !== group.name ? ['name'] : []),
      ...GROUP_ROLES.filter((role) => wanted[role] !== group[role]),
    ];
    if (changed.length === 0) return;
    await account.tx.group.update({
      where: { id: group.id },
      data: { ...wanted, ...(name !== undefined && { name, nameKey: nameKey(name) }) },
    });
    account.log(changedEntry(actor, name ?? group.name, changed.join(', ')));
  }).catch(nameInUse);
}

/**
 * Replaces the rights of a group on those pools that the actor sees; he changes none that he does not hold (GRP-13, GRP-18).
 * Sessions and places in the queue that depended on a right end with it (GRP-21).
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND (group, pool), FORBIDDEN, VALIDATION_FAILED
 */
export function setPoolRights(ctx: ActorContext, groupId: string, poolRights: PoolGrant[]): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx } = account;
    const group = await findGroupFor(actor, account, groupId, 'MODIFY');
    const before = await tx.poolRight.findMany({ where: { groupId, pool: poolsVisibleTo(actor) } });
    await checkPoolRights(actor, account, before, poolRights);
    await tx.poolRight.deleteMany({ where: { groupId, poolId: { in: before.map(({ poolId }) => poolId) } } });
    await tx.poolRight.createMany({ data: poolRights.map((right) => ({ groupId, ...implied(right) })) });
    account.log(changedEntry(actor, group.name, 'rights on pools'));
    await closeSessionsWithoutRight(ctx, account, actor);
  });
}

/**
 * Replaces the rights of a group on those other groups that the actor sees (GRP-11, GRP-18).
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, VALIDATION_FAILED
 */
export function setGroupRights(ctx: ActorContext, groupId: string, managedGroupIds: string[]): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx } = account;
    const group = await findGroupFor(actor, account, groupId, 'MODIFY');
    if (managedGroupIds.includes(group.id))
      throw new ValidationError([
        {
          path: ['managedGroupIds', String(managedGroupIds.indexOf(group.id))],
          message: 'That a group manages itself is its role `adminOfItself`.',
        },
      ]);
    const before = await tx.groupRight.findMany({ where: { groupId, target: groupsVisibleTo(actor) } });
    const present = before.map(({ targetId }) => targetId);
    await checkManagedGroups(actor, account, present, managedGroupIds);
    await tx.groupRight.deleteMany({ where: { groupId, targetId: { in: present } } });
    await tx.groupRight.createMany({ data: managedGroupIds.map((targetId) => ({ groupId, targetId })) });
    account.log(changedEntry(actor, group.name, 'rights on groups'));
  });
}

/**
 * Adds users to a group; who is in it already stays (GRP-11, GRP-18, GRP-19). Users who wait for a connection may now take
 * one that is reserved for it.
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND (group, user), FORBIDDEN
 */
export function addGroupMembers(ctx: ActorContext, groupId: string, userIds: string[]): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx } = account;
    const group = await findGroupFor(actor, account, groupId, 'MANAGE_MEMBERS');
    const users = await findUsers(actor, account, userIds);
    const added = users.filter(({ memberships }) => !memberships.some((membership) => membership.groupId === groupId));
    if (
      !mayAddMembers(
        actor,
        group,
        added.map(({ id }) => id),
      )
    )
      throw new AppError('FORBIDDEN', 'Nobody but an Administrator adds himself to a group.', ['userIds']);
    if (added.length === 0) return;
    await tx.groupMember.createMany({ data: added.map(({ id }) => ({ groupId, userId: id })) });
    account.log(changedEntry(actor, group.name, `members added: ${added.map(displayName).join(', ')}`));
    await settleSlots(ctx, account);
  });
}

/**
 * Takes users out of a group; who is not in it stays out. Each must be in another group (GRP-03), and an enabled Administrator
 * must be left (ACC-23). What depended on their rights ends (GRP-21).
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND (group, user), FORBIDDEN, USER_NEEDS_A_GROUP, LAST_ADMINISTRATOR
 */
export function removeGroupMembers(ctx: ActorContext, groupId: string, userIds: string[]): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx } = account;
    const group = await findGroupFor(actor, account, groupId, 'MANAGE_MEMBERS');
    const users = await findUsers(actor, account, userIds);
    const removed = users.filter(({ memberships }) => memberships.some((membership) => membership.groupId === groupId));
    if (removed.length === 0) return;
    const groupless = removed.filter(({ memberships }) => memberships.length === 1);
    if (groupless.length > 0)
      throw new AppError(
        'USER_NEEDS_A_GROUP',
        `In no other group: ${groupless.map(displayName).join(', ')}. A user is in at least one group.`,
        ['userIds'],
      );
    await tx.groupMember.deleteMany({ where: { groupId, userId: { in: removed.map(({ id }) => id) } } });
    if (group.administrators) await requireAnAdministrator(account);
    account.log(changedEntry(actor, group.name, `members removed: ${removed.map(displayName).join(', ')}`));
    await endWhatDepended(ctx, account, actor);
  });
}

/**
 * Deletes a group: memberships, rights and reservations of it go (GRP-20), and what depended on them ends (GRP-21).
 * @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, GROUP_IN_USE
 */
export function deleteGroup(ctx: ActorContext, groupId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx } = account;
    const group = await findGroupFor(actor, account, groupId, 'DELETE');
    const groupless = await tx.user.count({ where: { memberships: { some: { groupId }, every: { groupId } } } });
    if (groupless > 0)
      throw new AppError('GROUP_IN_USE', `${groupless} users are in no other group than ${group.name}.`);
    const reserved = await tx.slot.count({ where: { groupId } });
    await tx.group.delete({ where: { id: groupId } });
    const { name } = group;
    account.log({ code: 'GROUP_DELETED', user: actorSubject(actor), params: { name } });
    if (reserved > 0)
      account.log({
        code: 'RESERVATIONS_CHANGED',
        user: actorSubject(actor),
        params: { summary: `${name}: 0, for the group was deleted` },
      });
    await endWhatDepended(ctx, account, actor);
  });
}

/** Memberships decide who may connect and who may take which connection. */
async function endWhatDepended(ctx: ActorContext, account: AccountTx, actor: Actor): Promise<void> {
  await closeSessionsWithoutRight(ctx, account, actor);
  await settleSlots(ctx, account);
}

async function findGroup(actor: Actor, { tx }: AccountTx, groupId: string): Promise<Group> {
  const group = await tx.group.findFirst({ where: { AND: [groupsVisibleTo(actor), { id: groupId }] } });
  if (!group) throw notFound('group');
  return group;
}

async function findGroupFor(actor: Actor, account: AccountTx, groupId: string, action: GroupAction): Promise<Group> {
  requireFeature(actor.plan, 'groups');
  const group = await findGroup(actor, account, groupId);
  if (!groupActions(actor, group).includes(action))
    throw new AppError('FORBIDDEN', `You may not do this with the group ${group.name} (${action}).`);
  return group;
}

async function findUsers(actor: Actor, { tx }: AccountTx, userIds: readonly string[]) {
  const ids = [...new Set(userIds)];
  const users = await tx.user.findMany({
    where: { AND: [usersVisibleTo(actor), { id: { in: ids } }] },
    include: { memberships: { select: { groupId: true } } },
    orderBy: { number: 'asc' },
  });
  if (users.length < ids.length) throw notFound('user');
  return users;
}

/** GRP-14: administer implies modify. */
const implied = (right: PoolGrant): PoolGrant => ({ ...right, modify: right.modify || right.administer });

const changedEntry = (actor: Actor, name: string, change: string): LogDraft => ({
  code: 'GROUP_CHANGED',
  user: actorSubject(actor),
  params: { name, change },
});

function checkRoles(actor: Actor, before: GroupRoles | null, after: GroupRoles): void {
  const refused = GROUP_ROLES.filter((role) => (before?.[role] ?? false) !== after[role] && !maySetRole(actor, role));
  if (refused[0])
    throw new AppError('FORBIDDEN', `You cannot give or take roles that you do not hold: ${refused.join(', ')}.`, [
      refused[0],
    ]);
}

async function checkPoolRights(
  actor: Actor,
  { tx }: AccountTx,
  before: readonly PoolGrant[],
  after: readonly PoolGrant[],
): Promise<void> {
  const ids = after.map(({ poolId }) => poolId);
  const twice = ids.findIndex((id, index) => ids.indexOf(id) < index);
  if (twice >= 0)
    throw new ValidationError([{ path: ['poolRights', String(twice)], message: 'The pool is named twice.' }]);
  if ((await tx.pool.count({ where: { AND: [poolsVisibleTo(actor), { id: { in: ids } }] } })) < ids.length)
    throw notFound('pool');
  const rightsIn = (grants: readonly PoolGrant[], poolId: string): PoolRights => {
    const grant = grants.find((one) => one.poolId === poolId);
    return grant ? implied(grant) : NO_RIGHTS;
  };
  const concerned = new Set([...before, ...after].map(({ poolId }) => poolId));
  for (const poolId of concerned)
    if (!maySetRights(actor, poolId, rightsIn(before, poolId), rightsIn(after, poolId)))
      throw new AppError('FORBIDDEN', 'You cannot give or take rights on a pool that you do not hold.', ['poolRights']);
}

async function checkManagedGroups(
  actor: Actor,
  { tx }: AccountTx,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  const changed = [...after.filter((id) => !before.includes(id)), ...before.filter((id) => !after.includes(id))];
  const targets = await tx.group.findMany({ where: { AND: [groupsVisibleTo(actor), { id: { in: changed } }] } });
  if (targets.length < changed.length) throw notFound('group');
  if (!targets.every((target) => maySetManagement(actor, target)))
    throw new AppError('FORBIDDEN', 'You cannot give or take the management of a group that you do not manage.', [
      'managedGroupIds',
    ]);
}

function nameInUse(error: unknown): never {
  if (isUniqueViolation(error))
    throw new AppError('GROUP_NAME_IN_USE', 'Another group of the account has this name.', ['name']);
  throw error;
}

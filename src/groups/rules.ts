import type { Prisma } from '../generated/prisma/client.ts';
import { rightsOnPools } from '../pools/rules.ts';
import type { Actor, PoolRights } from '../users/actor.ts';

/** GRP-05: the groups one was given rights on, and one's own; Administrators see all. */
export function groupsVisibleTo(actor: Actor): Prisma.GroupWhereInput {
  const { accountId } = actor;
  if (actor.administrator) return { accountId };
  return { accountId, id: { in: [...actor.managedGroupIds, ...actor.groupIds] } };
}

/** GRP-10 */
export const mayCreateGroup = (actor: Actor): boolean => actor.administrator || actor.mayCreateGroups;

/** GRP-18: nobody grants rights on a pool that he does not hold himself. */
export function mayGrant(actor: Actor, poolId: string, rights: PoolRights): boolean {
  const own = rightsOnPools(actor, [poolId]);
  return (Object.keys(rights) as (keyof PoolRights)[]).every((right) => !rights[right] || own[right]);
}

/** GRP-11, GRP-18: only Administrators add members to the Administrators group. */
export const mayAddMembers = (actor: Actor, group: { id: string; administrators: boolean }): boolean =>
  actor.administrator || (!group.administrators && actor.managedGroupIds.includes(group.id));

import type { Prisma } from '../generated/prisma/client.ts';
import { NO_ID } from '../graphql/global-id.ts';
import { rightsOnPools } from '../pools/rules.ts';
import type { Actor, PoolRights } from '../users/actor.ts';

/** The administrative and operational roles of a group (GRP-10, GRP-12). */
export const GROUP_ROLES = ['mayCreatePools', 'mayCreateGroups', 'adminOfItself', 'smsSender', 'mailSender'] as const;
export type GroupRole = (typeof GROUP_ROLES)[number];
export type GroupRoles = Record<GroupRole, boolean>;
/** GRP-09: a group may have no role at all. */
export const NO_ROLES: GroupRoles = {
  mayCreatePools: false,
  mayCreateGroups: false,
  adminOfItself: false,
  smsSender: false,
  mailSender: false,
};

/** What somebody may do with a group; the API shows it as `viewerCan`, and the verbs ask the same function. */
const GROUP_ACTIONS = ['MANAGE_MEMBERS', 'MODIFY', 'DELETE'] as const;
export type GroupAction = (typeof GROUP_ACTIONS)[number];

/** A group as the rules see it. */
export interface GroupFacts {
  id: string;
  /** The built-in group (GRP-02). */
  administrators: boolean;
}

/**
 * GRP-05: the groups one was given rights on, and one's own; Administrators see all. On plans without groups there are none
 * to see (GRP-01).
 */
export function groupsVisibleTo(actor: Actor): Prisma.GroupWhereInput {
  const { accountId } = actor;
  if (!actor.features.groups) return { accountId, id: NO_ID };
  if (actor.administrator) return { accountId };
  return { accountId, id: { in: [...actor.managedGroupIds, ...actor.groupIds] } };
}

/** GRP-10 */
export const mayCreateGroup = (actor: Actor): boolean => actor.administrator || actor.mayCreateGroups;

/** GRP-11: may this actor add and modify the users of the group? Of the Administrators group only Administrators may (GRP-18). */
const managesGroup = (actor: Actor, group: GroupFacts): boolean =>
  actor.administrator || (!group.administrators && actor.managedGroupIds.includes(group.id));

/** GRP-02, GRP-10, GRP-11: who manages a group also names it and sets its roles and rights, within his own (GRP-18). */
export function groupActions(actor: Actor, group: GroupFacts): GroupAction[] {
  if (!actor.features.groups || !managesGroup(actor, group)) return [];
  return GROUP_ACTIONS.filter((action) => action === 'MANAGE_MEMBERS' || !group.administrators);
}

/** GRP-18: nobody changes a right on a pool, for others, that he does not hold himself; giving and taking alike. */
export function maySetRights(actor: Actor, poolId: string, before: PoolRights, after: PoolRights): boolean {
  const own = rightsOnPools(actor, [poolId]);
  return (Object.keys(own) as (keyof PoolRights)[]).every((right) => before[right] === after[right] || own[right]);
}

/**
 * GRP-18 for the roles of a group. That its members manage their own group is for those who manage it to say, hence for its
 * creator too.
 */
export const maySetRole = (actor: Actor, role: GroupRole): boolean =>
  role === 'adminOfItself' || actor.administrator || actor[role];

/** GRP-18: the right to manage a group is given, and taken, by those who hold it; nobody but Administrators manages theirs. */
export const maySetManagement = (actor: Actor, target: GroupFacts): boolean =>
  !target.administrators && managesGroup(actor, target);

/** GRP-11, GRP-18: members are added by those who manage the group; nobody but an Administrator adds himself. */
export const mayAddMembers = (actor: Actor, group: GroupFacts, userIds: readonly string[] = []): boolean =>
  managesGroup(actor, group) && (actor.administrator || !userIds.includes(actor.userId));

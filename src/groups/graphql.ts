import { z } from 'zod';
import { AppError } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { builder } from '../graphql/builder.ts';
import type { LoggedInContext } from '../graphql/context.ts';
import { keyOf, keysOf } from '../graphql/global-id.ts';
import { defineList } from '../graphql/lists/list.ts';
import { objectName } from '../graphql/names.ts';
import { renewActor } from '../graphql/own-rights.ts';
import { whereVisible } from '../graphql/visible.ts';
import { PoolType } from '../pools/graphql.ts';
import { poolsVisibleTo } from '../pools/rules.ts';
import type { Actor, PoolRights } from '../users/actor.ts';
import { GROUP_ROLES, type GroupAction, type GroupRole, groupActions, groupsVisibleTo } from './rules.ts';
import {
  addGroupMembers,
  createGroup,
  deleteGroup,
  removeGroupMembers,
  setGroupRights,
  setPoolRights,
  updateGroup,
} from './service.ts';

const RIGHTS = {
  administer: 'Add, remove and modify the Ewons of the pool; implies modify (GRP-13, GRP-14).',
  modify: 'Modify the Ewons of the pool.',
  connectEcatcher: 'Connect to the Ewons of the pool with Ecatcher.',
  connectM2web: 'Connect to the Ewons of the pool with M2web.',
} satisfies Record<keyof PoolRights, string>;

const ROLES = {
  mayCreatePools: 'Members may create pools (GRP-10).',
  mayCreateGroups: 'Members may create groups (GRP-10).',
  adminOfItself: 'Members manage the users of their own group (GRP-10).',
  smsSender: 'Ewons may send text messages through the platform with the login of a member (GRP-12).',
  mailSender: 'Ewons may send mail through the platform with the login of a member (GRP-12).',
} satisfies Record<GroupRole, string>;

const PoolRightType = builder.prismaObject('PoolRight', {
  description: 'What the members of a group may do with the Ewons of a pool (GRP-13).',
  fields: (t) => ({
    pool: t.relation('pool', { type: PoolType, description: 'The pool.' }),
    administer: t.exposeBoolean('administer', { description: RIGHTS.administer }),
    modify: t.exposeBoolean('modify', { description: RIGHTS.modify }),
    connectEcatcher: t.exposeBoolean('connectEcatcher', { description: RIGHTS.connectEcatcher }),
    connectM2web: t.exposeBoolean('connectM2web', { description: RIGHTS.connectM2web }),
  }),
});

const GroupActionEnum = builder.enumType('GroupAction', {
  description: 'What somebody may do with a group.',
  values: {
    MANAGE_MEMBERS: { description: 'Add and remove members, and modify them (GRP-11).' },
    MODIFY: { description: 'Change its name, roles and rights, as far as he holds them himself (GRP-18).' },
    DELETE: { description: 'Delete it; never the Administrators group (GRP-02, GRP-20).' },
  } satisfies Record<GroupAction, object>,
});

/** The groups that the viewer may see (GRP-05), in one condition for lists and relations. */
const visible = (actor: Actor | null): Prisma.GroupWhereInput => (actor ? groupsVisibleTo(actor) : { id: { in: [] } });

export const GroupType = builder.prismaNode('Group', {
  id: { field: 'id' },
  findUnique: whereVisible(groupsVisibleTo),
  nullable: true,
  description:
    'Users with the same rights (GRP-04). Visible to Administrators, to those who manage it, and to its members (GRP-05); on plans without groups there are none (GRP-01).',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the account, 1–64 characters (GRP-06).' }),
    isAdministrators: t.exposeBoolean('administrators', {
      description: 'The built-in group whose members have administrator rights (GRP-02).',
    }),
    mayCreatePools: t.exposeBoolean('mayCreatePools', { description: ROLES.mayCreatePools }),
    mayCreateGroups: t.exposeBoolean('mayCreateGroups', { description: ROLES.mayCreateGroups }),
    adminOfItself: t.exposeBoolean('adminOfItself', { description: ROLES.adminOfItself }),
    smsSender: t.exposeBoolean('smsSender', { description: ROLES.smsSender }),
    mailSender: t.exposeBoolean('mailSender', { description: ROLES.mailSender }),
    poolRights: t.relation('poolRights', {
      type: PoolRightType,
      description: 'Its rights, on the pools that the viewer may see.',
      query: (_args, { actor }) => ({
        where: { pool: actor ? poolsVisibleTo(actor) : { id: '' } },
        orderBy: { poolId: 'asc' },
      }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    viewerCan: t.field({
      type: [GroupActionEnum],
      description: 'What the viewer may do with it; the operations ask the same rules.',
      select: { id: true, administrators: true },
      resolve: (group, _args, { actor }) => (actor ? groupActions(actor, group) : []),
    }),
  }),
});

builder.prismaObjectFields(GroupType, (t) => ({
  managedGroups: t.field({
    type: [GroupType],
    description:
      'The groups whose users its members manage (GRP-11), as far as the viewer may see them; not itself, for that is `adminOfItself`.',
    select: (_args, { actor }, nested) => ({
      manages: { where: { target: visible(actor) }, orderBy: { targetId: 'asc' }, select: { target: nested() } },
    }),
    resolve: ({ manages }) => manages.map(({ target }) => target),
  }),
  managers: t.field({
    type: [GroupType],
    description:
      'The groups whose members manage its users (GRP-07, GRP-11), as far as the viewer may see them; Administrators do besides.',
    select: (_args, { actor }, nested) => ({
      managedBy: { where: { group: visible(actor) }, orderBy: { groupId: 'asc' }, select: { group: nested() } },
    }),
    resolve: ({ managedBy }) => managedBy.map(({ group }) => group),
  }),
}));

const GroupBy = builder.inputType('GroupBy', {
  description: 'Exactly one way to name a group.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Its id.' }),
    name: t.string({ description: 'Its name, without regard to case.', validate: z.string().max(64) }),
  }),
});

const groupList = defineList({
  model: 'Group',
  things: 'groups',
  fields: {
    name: { key: 'nameKey', description: 'The name (GRP-06).' },
    isAdministrators: { column: 'administrators', description: 'Whether it is the built-in group (GRP-02).' },
    mayCreatePools: { description: ROLES.mayCreatePools },
    mayCreateGroups: { description: ROLES.mayCreateGroups },
    adminOfItself: { description: ROLES.adminOfItself },
    smsSender: { description: ROLES.smsSender },
    mailSender: { description: ROLES.mailSender },
    createdAt: { description: 'When it was created.' },
  },
  search: ['name'],
  extra: (t) => ({ poolId: t.id({ description: 'With a right on this pool.' }) }),
  where: ({ poolId }, { actor }) =>
    poolId && actor
      ? [
          {
            poolRights: {
              some: { poolId: keysOf('Pool', [poolId])[0] as string, pool: poolsVisibleTo(actor) },
            },
          },
        ]
      : [],
  order: [['createdAt', 'asc']],
});

builder.queryFields((t) => ({
  group: t.withAuth({ loggedIn: true }).prismaField({
    type: 'Group',
    nullable: true,
    description: 'One group; null when there is none or the viewer may not see it (GRP-05).',
    args: { by: t.arg({ type: GroupBy, required: true }) },
    resolve: (query, _root, { by }, { db, actor }) =>
      db.group.findFirst({
        ...query,
        where: {
          AND: [
            groupsVisibleTo(actor),
            by.id != null ? { id: { in: keysOf('Group', [by.id]) } } : { nameKey: nameKey(by.name ?? '') },
          ],
        },
      }),
  }),
  groups: t.withAuth({ loggedIn: true }).connection(
    groupList.shown({
      type: GroupType,
      description: 'The groups that the viewer may see, oldest first unless ordered otherwise (GRP-05, GRP-22).',
      where: ({ actor }: LoggedInContext) => groupsVisibleTo(actor),
    }),
    ...groupList.connection(),
  ),
}));

const PoolRightInput = builder.inputType('PoolRightInput', {
  description: 'Rights on a pool; those left out are not granted.',
  fields: (t) => ({
    poolId: t.id({ required: true, description: 'The pool.' }),
    administer: t.boolean({ required: true, defaultValue: false, description: RIGHTS.administer }),
    modify: t.boolean({ required: true, defaultValue: false, description: RIGHTS.modify }),
    connectEcatcher: t.boolean({ required: true, defaultValue: false, description: RIGHTS.connectEcatcher }),
    connectM2web: t.boolean({ required: true, defaultValue: false, description: RIGHTS.connectM2web }),
  }),
});

const poolRights = z.array(z.any()).max(500, 'At most 500 pools at once.');
const groupIds = z.array(z.string()).max(500, 'At most 500 groups at once.');
const userIds = z.array(z.string()).min(1, 'At least one user.').max(500, 'At most 500 users at once.');

const CreateGroupInput = builder.inputType('CreateGroupInput', {
  description: 'A new group; without roles and rights its members can do nothing (GRP-09).',
  fields: (t) => ({
    name: t.string({ required: true, validate: objectName, description: 'Unique in the account, 1–64 characters.' }),
    managedById: t.id({
      description: 'The group whose members manage the users of the new one; Administrators always do (GRP-07).',
    }),
    mayCreatePools: t.boolean({ required: true, defaultValue: false, description: ROLES.mayCreatePools }),
    mayCreateGroups: t.boolean({ required: true, defaultValue: false, description: ROLES.mayCreateGroups }),
    adminOfItself: t.boolean({ required: true, defaultValue: false, description: ROLES.adminOfItself }),
    smsSender: t.boolean({ required: true, defaultValue: false, description: ROLES.smsSender }),
    mailSender: t.boolean({ required: true, defaultValue: false, description: ROLES.mailSender }),
    managedGroupIds: t.idList({
      required: true,
      defaultValue: [],
      description: 'The groups whose users its members manage (GRP-11); at most 500.',
      validate: groupIds,
    }),
    poolRights: t.field({
      type: [PoolRightInput],
      required: true,
      defaultValue: [],
      description: 'At most one entry a pool.',
      validate: poolRights,
    }),
  }),
});

const UpdateGroupInput = builder.inputType('UpdateGroupInput', {
  description: 'Absent keeps; null takes a role away.',
  fields: (t) => ({
    groupId: t.id({ required: true, description: 'Any group but Administrators (GRP-02).' }),
    name: t.string({
      validate: objectName.nullable(),
      description: 'Unique in the account, 1–64 characters (GRP-06).',
    }),
    mayCreatePools: t.boolean({ description: ROLES.mayCreatePools }),
    mayCreateGroups: t.boolean({ description: ROLES.mayCreateGroups }),
    adminOfItself: t.boolean({ description: ROLES.adminOfItself }),
    smsSender: t.boolean({ description: ROLES.smsSender }),
    mailSender: t.boolean({ description: ROLES.mailSender }),
  }),
});

const SetPoolRightsInput = builder.inputType('SetPoolRightsInput', {
  description:
    'All rights of a group on the pools that the viewer may see; one of these that is not named loses its own.',
  fields: (t) => ({
    groupId: t.id({ required: true, description: 'Any group but Administrators (GRP-02).' }),
    poolRights: t.field({
      type: [PoolRightInput],
      required: true,
      description: 'At most one entry a pool.',
      validate: poolRights,
    }),
  }),
});

const SetGroupRightsInput = builder.inputType('SetGroupRightsInput', {
  description:
    'All groups that a group manages, of those that the viewer may see; one of these that is not named is no longer managed.',
  fields: (t) => ({
    groupId: t.id({ required: true, description: 'Any group but Administrators (GRP-02).' }),
    managedGroupIds: t.idList({
      required: true,
      description: 'Groups whose users its members manage (GRP-11); at most 500, and not Administrators.',
      validate: groupIds,
    }),
  }),
});

const GroupMembersInput = builder.inputType('GroupMembersInput', {
  description: 'Users and a group.',
  fields: (t) => ({
    groupId: t.id({ required: true, description: 'The group.' }),
    userIds: t.idList({ required: true, description: 'Users that the viewer may see; 1–500.', validate: userIds }),
  }),
});

const DeleteGroupInput = builder.inputType('DeleteGroupInput', {
  description: 'The group to delete.',
  fields: (t) => ({
    groupId: t.id({ required: true, description: 'A group whose members are all in another one too.' }),
  }),
});

/** `<Verb>GroupSuccess` with the group as it is afterwards. */
const groupSuccess = (name: string, text: string) =>
  builder.objectRef<{ groupId: string }>(name).implement({
    description: text,
    fields: (t) => ({
      group: t.prismaField({
        type: 'Group',
        description: 'The group as it is now.',
        resolve: (query, { groupId }, _args, { db }) =>
          db.group.findUniqueOrThrow({ ...query, where: { id: groupId } }),
      }),
    }),
  });
const CreateGroupSuccess = groupSuccess('CreateGroupSuccess', 'The group was created.');
const UpdateGroupSuccess = groupSuccess('UpdateGroupSuccess', 'The changes count from the next request on (GRP-21).');
const SetPoolRightsSuccess = groupSuccess(
  'SetPoolRightsSuccess',
  'The rights count from the next request on (GRP-21).',
);
const SetGroupRightsSuccess = groupSuccess(
  'SetGroupRightsSuccess',
  'The rights count from the next request on (GRP-21).',
);
const AddGroupMembersSuccess = groupSuccess('AddGroupMembersSuccess', 'They are members.');
const RemoveGroupMembersSuccess = groupSuccess(
  'RemoveGroupMembersSuccess',
  'They are members no longer; what depended on it has ended (GRP-21).',
);

const DeleteGroupSuccess = builder.objectRef<{ groupId: string }>('DeleteGroupSuccess').implement({
  description: 'The group was deleted, with its memberships, rights and reservations (GRP-20).',
  fields: (t) => ({ deletedGroupId: t.exposeID('groupId', { description: 'The id that the group had.' }) }),
});

const grants = (rights: readonly ({ poolId: string } & PoolRights)[]) =>
  rights.map(({ poolId, ...right }) => ({ ...right, poolId: keyOf('Pool', poolId) }));
const keys = (type: string, ids: readonly string[]): string[] => [...new Set(ids.map((id) => keyOf(type, id)))];

builder.mutationFields((t) => ({
  createGroup: t.withAuth({ loggedIn: true }).field({
    type: CreateGroupSuccess,
    errors: {},
    description:
      'Creates a group (GRP-08). Needs administrator rights or the role to create groups; nobody grants what he does not hold (GRP-18). Errors: PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, NOT_FOUND, GROUP_NAME_IN_USE.',
    args: { input: t.arg({ type: CreateGroupInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const groupId = await createGroup(ctx, {
        ...input,
        name: input.name.trim(),
        managedById: input.managedById ? keyOf('Group', input.managedById) : null,
        managedGroupIds: keys('Group', input.managedGroupIds),
        poolRights: grants(input.poolRights),
      });
      await renewActor(ctx);
      return { groupId };
    },
  }),
  updateGroup: t.withAuth({ loggedIn: true }).field({
    type: UpdateGroupSuccess,
    errors: {},
    description:
      'Changes name and roles of a group. Needs the management of the group (GRP-10, GRP-11), and of each role that changes the role itself (GRP-18). Errors: PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, GROUP_NAME_IN_USE.',
    args: { input: t.arg({ type: UpdateGroupInput, required: true }) },
    resolve: async (_root, { input: { groupId: id, name, ...given } }, ctx) => {
      const groupId = keyOf('Group', id);
      if (name === null) throw new AppError('VALIDATION_FAILED', 'A group has a name.', ['name']);
      const roles = GROUP_ROLES.map((role) => [role, given[role] === null ? false : given[role]] as const);
      await updateGroup(ctx, groupId, { name: name?.trim(), ...Object.fromEntries(roles) });
      await renewActor(ctx);
      return { groupId };
    },
  }),
  deleteGroup: t.withAuth({ loggedIn: true }).field({
    type: DeleteGroupSuccess,
    errors: {},
    description:
      'Deletes a group that nobody needs as his only one (GRP-20). Needs the management of the group. Errors: PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, GROUP_IN_USE.',
    args: { input: t.arg({ type: DeleteGroupInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await deleteGroup(ctx, keyOf('Group', input.groupId));
      return input;
    },
  }),
  setPoolRights: t.withAuth({ loggedIn: true }).field({
    type: SetPoolRightsSuccess,
    errors: {},
    description:
      'Replaces the rights of a group on pools (GRP-13). Needs the management of the group, and each right that changes (GRP-18). Sessions that depended on a right are closed (GRP-21). Errors: PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, NOT_FOUND.',
    args: { input: t.arg({ type: SetPoolRightsInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const groupId = keyOf('Group', input.groupId);
      await setPoolRights(ctx, groupId, grants(input.poolRights));
      await renewActor(ctx);
      return { groupId };
    },
  }),
  setGroupRights: t.withAuth({ loggedIn: true }).field({
    type: SetGroupRightsSuccess,
    errors: {},
    description:
      'Replaces the rights of a group on other groups (GRP-11). Needs the management of the group, and of each one that is added or taken away (GRP-18). Errors: PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, NOT_FOUND.',
    args: { input: t.arg({ type: SetGroupRightsInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const groupId = keyOf('Group', input.groupId);
      await setGroupRights(ctx, groupId, keys('Group', input.managedGroupIds));
      await renewActor(ctx);
      return { groupId };
    },
  }),
  addGroupMembers: t.withAuth({ loggedIn: true }).field({
    type: AddGroupMembersSuccess,
    errors: {},
    description:
      'Adds users to a group (GRP-11); who is a member stays one. Needs the management of the group; only Administrators add to Administrators, or themselves (GRP-18). Errors: PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN.',
    args: { input: t.arg({ type: GroupMembersInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const groupId = keyOf('Group', input.groupId);
      await addGroupMembers(ctx, groupId, keys('User', input.userIds));
      await renewActor(ctx);
      return { groupId };
    },
  }),
  removeGroupMembers: t.withAuth({ loggedIn: true }).field({
    type: RemoveGroupMembersSuccess,
    errors: {},
    description:
      'Takes users out of a group; who is no member stays none. Each must be in another group too (GRP-03). Needs the management of the group. Errors: PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, USER_NEEDS_A_GROUP, LAST_ADMINISTRATOR.',
    args: { input: t.arg({ type: GroupMembersInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const groupId = keyOf('Group', input.groupId);
      await removeGroupMembers(ctx, groupId, keys('User', input.userIds));
      await renewActor(ctx);
      return { groupId };
    },
  }),
}));

import { z } from 'zod';
import { builder } from '../graphql/builder.ts';
import { keyOf } from '../graphql/global-id.ts';
import { objectName } from '../graphql/names.ts';
import { page } from '../graphql/paging.ts';
import { whereVisible } from '../graphql/visible.ts';
import { PoolType } from '../pools/graphql.ts';
import { poolsVisibleTo } from '../pools/rules.ts';
import type { PoolRights } from '../users/actor.ts';
import { groupsVisibleTo } from './rules.ts';
import { createGroup, setPoolRights } from './service.ts';

const RIGHTS = {
  administer: 'Add, remove and modify the Ewons of the pool; implies modify (GRP-13, GRP-14).',
  modify: 'Modify the Ewons of the pool.',
  connectEcatcher: 'Connect to the Ewons of the pool with Ecatcher.',
  connectM2web: 'Connect to the Ewons of the pool with M2web.',
} satisfies Record<keyof PoolRights, string>;

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

export const GroupType = builder.prismaNode('Group', {
  id: { field: 'id' },
  findUnique: whereVisible(groupsVisibleTo),
  nullable: true,
  description:
    'Users with the same rights (GRP-04). Visible to Administrators, to those who manage it, and to its members (GRP-05).',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the account, 1–64 characters (GRP-06).' }),
    isAdministrators: t.exposeBoolean('administrators', {
      description: 'The built-in group whose members have administrator rights (GRP-02).',
    }),
    mayCreatePools: t.exposeBoolean('mayCreatePools', { description: 'Members may create pools (GRP-10).' }),
    mayCreateGroups: t.exposeBoolean('mayCreateGroups', { description: 'Members may create groups (GRP-10).' }),
    poolRights: t.relation('poolRights', {
      type: PoolRightType,
      description: 'Its rights, on the pools that the viewer may see.',
      query: (_args, { actor }) => ({
        where: { pool: actor ? poolsVisibleTo(actor) : { id: '' } },
        orderBy: { poolId: 'asc' },
      }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
  }),
});

builder.queryFields((t) => ({
  groups: t.withAuth({ loggedIn: true }).prismaConnection(
    {
      type: 'Group',
      cursor: 'id',
      ...page,
      description: 'The groups that the viewer may see, oldest first (GRP-05).',
      totalCount: (_root, _args, { db, actor }) => db.group.count({ where: groupsVisibleTo(actor) }),
      resolve: (query, _root, _args, { db, actor }) =>
        db.group.findMany({ ...query, where: groupsVisibleTo(actor), orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] }),
    },
    { name: 'GroupConnection', description: 'A page of a list, as Relay defines it.' },
    { name: 'GroupEdge', description: 'An object of a page with its place.' },
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

const CreateGroupInput = builder.inputType('CreateGroupInput', {
  description: 'A new group; without roles and rights its members can do nothing (GRP-09).',
  fields: (t) => ({
    name: t.string({ required: true, validate: objectName, description: 'Unique in the account, 1–64 characters.' }),
    managedById: t.id({
      description: 'The group whose members manage the users of the new one; Administrators always do (GRP-07).',
    }),
    mayCreatePools: t.boolean({
      required: true,
      defaultValue: false,
      description: 'Members may create pools (GRP-10).',
    }),
    mayCreateGroups: t.boolean({
      required: true,
      defaultValue: false,
      description: 'Members may create groups (GRP-10).',
    }),
    poolRights: t.field({
      type: [PoolRightInput],
      required: true,
      defaultValue: [],
      description: 'At most one entry a pool.',
      validate: z.array(z.any()).max(500),
    }),
  }),
});

const CreateGroupSuccess = builder.objectRef<{ groupId: string }>('CreateGroupSuccess').implement({
  description: 'The group was created.',
  fields: (t) => ({
    group: t.prismaField({
      type: 'Group',
      description: 'The new group.',
      resolve: (query, { groupId }, _args, { db }) => db.group.findUniqueOrThrow({ ...query, where: { id: groupId } }),
    }),
  }),
});

const SetPoolRightsInput = builder.inputType('SetPoolRightsInput', {
  description: 'All rights of a group on pools; a pool that is not named loses its own.',
  fields: (t) => ({
    groupId: t.id({ required: true, description: 'Any group but Administrators.' }),
    poolRights: t.field({
      type: [PoolRightInput],
      required: true,
      description: 'At most one entry a pool.',
      validate: z.array(z.any()).max(500),
    }),
  }),
});

const SetPoolRightsSuccess = builder.objectRef<{ groupId: string }>('SetPoolRightsSuccess').implement({
  description: 'The rights count from the next request on (GRP-21).',
  fields: (t) => ({
    group: t.prismaField({
      type: 'Group',
      description: 'The changed group.',
      resolve: (query, { groupId }, _args, { db }) => db.group.findUniqueOrThrow({ ...query, where: { id: groupId } }),
    }),
  }),
});

const grants = (rights: readonly ({ poolId: string } & PoolRights)[]) =>
  rights.map(({ poolId, ...right }) => ({ ...right, poolId: keyOf('Pool', poolId) }));

builder.mutationFields((t) => ({
  createGroup: t.withAuth({ loggedIn: true }).field({
    type: CreateGroupSuccess,
    errors: {},
    description:
      'Creates a group (GRP-08). Needs administrator rights or the role to create groups; nobody grants what he does not hold (GRP-18). Errors: PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, NOT_FOUND, GROUP_NAME_IN_USE.',
    args: { input: t.arg({ type: CreateGroupInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({
      groupId: await createGroup(ctx, {
        ...input,
        name: input.name.trim(),
        managedById: input.managedById ? keyOf('Group', input.managedById) : null,
        poolRights: grants(input.poolRights),
      }),
    }),
  }),
  setPoolRights: t.withAuth({ loggedIn: true }).field({
    type: SetPoolRightsSuccess,
    errors: {},
    description:
      'Replaces the rights of a group on pools (GRP-13). Administrators only. Errors: PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, NOT_FOUND.',
    args: { input: t.arg({ type: SetPoolRightsInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const groupId = keyOf('Group', input.groupId);
      await setPoolRights(ctx, groupId, grants(input.poolRights));
      return { groupId };
    },
  }),
}));

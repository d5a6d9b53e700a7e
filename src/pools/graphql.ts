import { z } from 'zod';
import { AppError } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import { builder } from '../graphql/builder.ts';
import type { LoggedInContext } from '../graphql/context.ts';
import { keyOf, keysOf } from '../graphql/global-id.ts';
import { defineList } from '../graphql/lists/list.ts';
import { objectName } from '../graphql/names.ts';
import { renewActor } from '../graphql/own-rights.ts';
import { whereVisible } from '../graphql/visible.ts';
import { mayAdministerPool, type PoolAction, poolActions, poolsVisibleTo } from './rules.ts';
import { addEwonsToPool, createPool, deletePool, removeEwonsFromPool, updatePool } from './service.ts';

const PoolActionEnum = builder.enumType('PoolAction', {
  description: 'What somebody may do with a pool, and with its Ewons.',
  values: {
    CONNECT_ECATCHER: { description: 'Open sessions to its Ewons with Ecatcher (GRP-13).' },
    CONNECT_M2WEB: { description: 'Open sessions to its Ewons with M2web (GRP-13).' },
    MODIFY: { description: 'Modify its Ewons (GRP-13).' },
    ADMINISTER: { description: 'Add, remove and modify its Ewons (GRP-13).' },
    RENAME: { description: 'Give it another name; needs the right to administer it.' },
    DELETE: { description: 'Delete it, once nothing needs it (POOL-10); needs the right to administer it.' },
  } satisfies Record<PoolAction, object>,
});

export const PoolType = builder.prismaNode('Pool', {
  id: { field: 'id' },
  findUnique: whereVisible(poolsVisibleTo),
  nullable: true,
  description:
    'A named set of Ewons, used to grant rights (POOL-01). Visible to users with any right on it (POOL-09). On plans without pools every Ewon is in the default one (ACC-09).',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the account, 1–64 characters (POOL-07).' }),
    isDefault: t.exposeBoolean('isDefault', {
      description: 'The account’s own pool, which cannot be deleted (POOL-07).',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    viewerCan: t.field({
      type: [PoolActionEnum],
      description: 'What the viewer may do with it; the operations ask the same rules.',
      select: { id: true, isDefault: true },
      resolve: (pool, _args, { actor }) => (actor ? poolActions(actor, pool) : []),
    }),
    viewerMayAdminister: t.boolean({
      description: 'The viewer may add, remove and modify its Ewons (GRP-13).',
      deprecationReason: '2026-11-22: `viewerCan` contains `ADMINISTER`.',
      select: { id: true },
      resolve: ({ id }, _args, { actor }) => actor !== null && mayAdministerPool(actor, id),
    }),
  }),
});

const PoolBy = builder.inputType('PoolBy', {
  description: 'Exactly one way to name a pool.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Its id.' }),
    name: t.string({ description: 'Its name, without regard to case.', validate: z.string().max(64) }),
  }),
});

const poolList = defineList({
  model: 'Pool',
  things: 'pools',
  fields: {
    name: { key: 'nameKey', description: 'The name (POOL-07).' },
    isDefault: { description: 'Whether it is the account’s own pool (POOL-07).' },
    createdAt: { description: 'When it was created.' },
  },
  search: ['name'],
  order: [['createdAt', 'asc']],
});

builder.queryFields((t) => ({
  pool: t.withAuth({ loggedIn: true }).prismaField({
    type: 'Pool',
    nullable: true,
    description: 'One pool; null when there is none or the viewer may not see it (POOL-09).',
    args: { by: t.arg({ type: PoolBy, required: true }) },
    resolve: (query, _root, { by }, { db, actor }) =>
      db.pool.findFirst({
        ...query,
        where: {
          AND: [
            poolsVisibleTo(actor),
            by.id != null ? { id: { in: keysOf('Pool', [by.id]) } } : { nameKey: nameKey(by.name ?? '') },
          ],
        },
      }),
  }),
  pools: t.withAuth({ loggedIn: true }).connection(
    poolList.shown({
      type: PoolType,
      description: 'The pools that the viewer may see, oldest first unless ordered otherwise (POOL-09, POOL-11).',
      where: ({ actor }: LoggedInContext) => poolsVisibleTo(actor),
    }),
    ...poolList.connection(),
  ),
}));

const manyEwons = z.array(z.string()).max(500, 'At most 500 Ewons at once.');

const CreatePoolInput = builder.inputType('CreatePoolInput', {
  description: 'A new pool.',
  fields: (t) => ({
    name: t.string({ required: true, validate: objectName, description: 'Unique in the account, 1–64 characters.' }),
    ewonIds: t.idList({
      required: true,
      defaultValue: [],
      validate: manyEwons,
      description: 'Ewons to put into it, besides the pools that they are in (POOL-02, POOL-03); at most 500.',
    }),
  }),
});

const UpdatePoolInput = builder.inputType('UpdatePoolInput', {
  description: 'Absent keeps.',
  fields: (t) => ({
    poolId: t.id({ required: true, description: 'The pool.' }),
    name: t.string({
      validate: objectName.nullable(),
      description: 'Unique in the account, 1–64 characters (POOL-07).',
    }),
  }),
});

const PoolEwonsInput = builder.inputType('PoolEwonsInput', {
  description: 'Ewons and a pool.',
  fields: (t) => ({
    poolId: t.id({ required: true, description: 'The pool.' }),
    ewonIds: t.idList({
      required: true,
      validate: manyEwons.min(1, 'At least one Ewon.'),
      description: 'Ewons that the viewer may see; 1–500.',
    }),
  }),
});

const DeletePoolInput = builder.inputType('DeletePoolInput', {
  description: 'The pool to delete.',
  fields: (t) => ({ poolId: t.id({ required: true, description: 'A pool that nothing needs any more.' }) }),
});

/** `<Verb>PoolSuccess` with the pool as it is afterwards. */
const poolSuccess = (name: string, text: string) =>
  builder.objectRef<{ poolId: string }>(name).implement({
    description: text,
    fields: (t) => ({
      pool: t.prismaField({
        type: 'Pool',
        description: 'The pool as it is now.',
        resolve: (query, { poolId }, _args, { db }) => db.pool.findUniqueOrThrow({ ...query, where: { id: poolId } }),
      }),
    }),
  });
const CreatePoolSuccess = poolSuccess('CreatePoolSuccess', 'The pool was created.');
const UpdatePoolSuccess = poolSuccess('UpdatePoolSuccess', 'The pool has its new name.');
const AddEwonsToPoolSuccess = poolSuccess('AddEwonsToPoolSuccess', 'The Ewons are in the pool, and where they were.');
const RemoveEwonsFromPoolSuccess = poolSuccess(
  'RemoveEwonsFromPoolSuccess',
  'The Ewons are in the pool no longer; what depended on it has ended (GRP-21).',
);

const DeletePoolSuccess = builder.objectRef<{ poolId: string }>('DeletePoolSuccess').implement({
  description: 'The pool was deleted.',
  fields: (t) => ({ deletedPoolId: t.exposeID('poolId', { description: 'The id that the pool had.' }) }),
});

const ewonKeys = (ids: readonly string[]): string[] => ids.map((id) => keyOf('Ewon', id));

builder.mutationFields((t) => ({
  createPool: t.withAuth({ loggedIn: true }).field({
    type: CreatePoolSuccess,
    errors: {},
    description:
      'Creates a pool. Needs administrator rights or the role to create pools (POOL-08), and the right to administer the Ewons to put into it. Errors: PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, NOT_FOUND, POOL_NAME_IN_USE.',
    args: { input: t.arg({ type: CreatePoolInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const poolId = await createPool(ctx, input.name.trim(), ewonKeys(input.ewonIds));
      await renewActor(ctx);
      return { poolId };
    },
  }),
  updatePool: t.withAuth({ loggedIn: true }).field({
    type: UpdatePoolSuccess,
    errors: {},
    description:
      'Renames a pool (POOL-07). Needs the right to administer it. Errors: PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, POOL_NAME_IN_USE.',
    args: { input: t.arg({ type: UpdatePoolInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const poolId = keyOf('Pool', input.poolId);
      if (input.name === null) throw new AppError('VALIDATION_FAILED', 'A pool has a name.', ['name']);
      await updatePool(ctx, poolId, input.name?.trim());
      return { poolId };
    },
  }),
  addEwonsToPool: t.withAuth({ loggedIn: true }).field({
    type: AddEwonsToPoolSuccess,
    errors: {},
    description:
      'Puts Ewons into a pool besides their other pools (POOL-03, POOL-06). Needs the right to administer the pool, and the Ewons (GRP-18). Errors: PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN.',
    args: { input: t.arg({ type: PoolEwonsInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const poolId = keyOf('Pool', input.poolId);
      await addEwonsToPool(ctx, poolId, ewonKeys(input.ewonIds));
      return { poolId };
    },
  }),
  removeEwonsFromPool: t.withAuth({ loggedIn: true }).field({
    type: RemoveEwonsFromPoolSuccess,
    errors: {},
    description:
      'Takes Ewons out of a pool; each must be in another one too (POOL-03). Needs the right to administer the pool. Sessions that depended on it are closed (GRP-21). Errors: PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, EWON_NEEDS_A_POOL.',
    args: { input: t.arg({ type: PoolEwonsInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const poolId = keyOf('Pool', input.poolId);
      await removeEwonsFromPool(ctx, poolId, ewonKeys(input.ewonIds));
      return { poolId };
    },
  }),
  deletePool: t.withAuth({ loggedIn: true }).field({
    type: DeletePoolSuccess,
    errors: {},
    description:
      'Deletes a pool (POOL-10). Needs the right to administer it. Errors: PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND, FORBIDDEN, POOL_IN_USE.',
    args: { input: t.arg({ type: DeletePoolInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await deletePool(ctx, keyOf('Pool', input.poolId));
      return { poolId: input.poolId };
    },
  }),
}));

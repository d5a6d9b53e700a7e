import { builder } from '../graphql/builder.ts';
import { keyOf } from '../graphql/global-id.ts';
import { objectName } from '../graphql/names.ts';
import { page } from '../graphql/paging.ts';
import { whereVisible } from '../graphql/visible.ts';
import { mayAdministerPool, poolsVisibleTo } from './rules.ts';
import { createPool, deletePool } from './service.ts';

export const PoolType = builder.prismaNode('Pool', {
  id: { field: 'id' },
  findUnique: whereVisible(poolsVisibleTo),
  nullable: true,
  description: 'A named set of Ewons, used to grant rights (POOL-01). Visible to users with any right on it (POOL-09).',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the account, 1–64 characters (POOL-07).' }),
    isDefault: t.exposeBoolean('isDefault', {
      description: 'The account’s own pool, which cannot be deleted (POOL-07).',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    viewerMayAdminister: t.boolean({
      description: 'The viewer may add, remove and modify its Ewons (GRP-13).',
      select: { id: true },
      resolve: ({ id }, _args, { actor }) => actor !== null && mayAdministerPool(actor, id),
    }),
  }),
});

builder.queryFields((t) => ({
  pools: t.withAuth({ loggedIn: true }).prismaConnection(
    {
      type: 'Pool',
      cursor: 'id',
      ...page,
      description: 'The pools that the viewer may see, oldest first (POOL-09).',
      totalCount: (_root, _args, { db, actor }) => db.pool.count({ where: poolsVisibleTo(actor) }),
      resolve: (query, _root, _args, { db, actor }) =>
        db.pool.findMany({ ...query, where: poolsVisibleTo(actor), orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] }),
    },
    { name: 'PoolConnection', description: 'A page of a list, as Relay defines it.' },
    { name: 'PoolEdge', description: 'An object of a page with its place.' },
  ),
}));

const CreatePoolInput = builder.inputType('CreatePoolInput', {
  description: 'A new pool.',
  fields: (t) => ({
    name: t.string({ required: true, validate: objectName, description: 'Unique in the account, 1–64 characters.' }),
  }),
});

const CreatePoolSuccess = builder.objectRef<{ poolId: string }>('CreatePoolSuccess').implement({
  description: 'The pool was created.',
  fields: (t) => ({
    pool: t.prismaField({
      type: 'Pool',
      description: 'The new pool.',
      resolve: (query, { poolId }, _args, { db }) => db.pool.findUniqueOrThrow({ ...query, where: { id: poolId } }),
    }),
  }),
});

const DeletePoolInput = builder.inputType('DeletePoolInput', {
  description: 'The pool to delete.',
  fields: (t) => ({ poolId: t.id({ required: true, description: 'A pool that nothing needs any more.' }) }),
});

const DeletePoolSuccess = builder.objectRef<{ poolId: string }>('DeletePoolSuccess').implement({
  description: 'The pool was deleted.',
  fields: (t) => ({ deletedPoolId: t.exposeID('poolId', { description: 'The id that the pool had.' }) }),
});

builder.mutationFields((t) => ({
  createPool: t.withAuth({ loggedIn: true }).field({
    type: CreatePoolSuccess,
    errors: {},
    description:
      'Creates a pool. Needs administrator rights or the role to create pools (POOL-08). Errors: PLAN_FEATURE_NOT_AVAILABLE, FORBIDDEN, POOL_NAME_IN_USE.',
    args: { input: t.arg({ type: CreatePoolInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({ poolId: await createPool(ctx, input.name.trim()) }),
  }),
  deletePool: t.withAuth({ loggedIn: true }).field({
    type: DeletePoolSuccess,
    errors: {},
    description:
      'Deletes a pool (POOL-10). Needs the right to administer it. Errors: NOT_FOUND, FORBIDDEN, POOL_IN_USE.',
    args: { input: t.arg({ type: DeletePoolInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await deletePool(ctx, keyOf('Pool', input.poolId));
      return { poolId: input.poolId };
    },
  }),
}));

import DataLoader from 'dataloader';
import type { Pool } from '../generated/prisma/client.ts';
import type { GraphQLContext } from '../graphql/context.ts';
import { poolsVisibleTo } from '../pools/rules.ts';

/** The pools of each Ewon that the viewer may see (POOL-09), oldest first: one query for all Ewons of a request. */
export const poolsOfEwonLoader = ({ db, actor }: GraphQLContext): DataLoader<string, Pool[]> =>
  new DataLoader(async (ewonIds) => {
    const memberships = actor
      ? await db.ewonPool.findMany({
          where: { ewonId: { in: [...ewonIds] }, pool: poolsVisibleTo(actor) },
          include: { pool: true },
          orderBy: { poolId: 'asc' },
        })
      : [];
    return ewonIds.map((id) => memberships.filter(({ ewonId }) => ewonId === id).map(({ pool }) => pool));
  });

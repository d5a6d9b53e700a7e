import type { Db } from '../database/database.ts';
import { notFound } from '../errors.ts';
import type { Ewon } from '../generated/prisma/client.ts';
import type { Subject } from '../log/write.ts';
import type { Actor } from '../users/actor.ts';
import { ewonsVisibleTo } from './rules.ts';

export type FoundEwon = Ewon & { poolIds: string[] };

/** An Ewon that the actor may see, with its pools; any other is as if it did not exist (EWN-02). @throws AppError NOT_FOUND */
export async function findEwon(db: Pick<Db, 'ewon'>, actor: Actor, id: string): Promise<FoundEwon> {
  const ewon = await db.ewon.findFirst({ where: { id, ...ewonsVisibleTo(actor) }, include: { pools: true } });
  if (!ewon) throw notFound('Ewon');
  const { pools, ...facts } = ewon;
  return { ...facts, poolIds: pools.map(({ poolId }) => poolId) };
}

export const ewonSubject = ({ id, number, name }: Subject): Subject => ({ id, number, name });

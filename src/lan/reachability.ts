import type { ActorContext } from '../context.ts';
import { AppError } from '../errors.ts';
import { ewonActions, ewonsVisibleTo } from '../ewons/rules.ts';
import type { EwonService, LanDevice } from '../generated/prisma/client.ts';
import { declaredAt, type Target, type Verdict, verdictOn } from './rules.ts';

/** What the firewall says of a target, and what of the declared things it is. */
export interface Reachability extends Verdict {
  lanDevice: Pick<LanDevice, 'id'> | null;
  service: Pick<EwonService, 'id'> | null;
}

/**
 * Tells what the firewall says to somebody who may connect to the Ewon (LAN-15): the same verdict as at the opening of a
 * stream. Null when there is no such Ewon for him.
 * @throws AppError FORBIDDEN
 */
export async function reachability(
  { db, actor }: ActorContext,
  ewonId: string,
  target: Target,
): Promise<Reachability | null> {
  const ewon = await db.ewon.findFirst({
    where: { AND: [{ id: ewonId }, ewonsVisibleTo(actor)] },
    include: { pools: true, lanDevices: { include: { ports: true }, orderBy: { id: 'asc' } }, services: true },
  });
  if (!ewon) return null;
  const actions = ewonActions(actor, { ...ewon, poolIds: ewon.pools.map(({ poolId }) => poolId) });
  if (!actions.includes('CONNECT_ECATCHER') && !actions.includes('CONNECT_M2WEB'))
    throw new AppError('FORBIDDEN', `You may not connect to ${ewon.name}.`);
  return { ...verdictOn(ewon, target), ...declaredAt(ewon, target) };
}

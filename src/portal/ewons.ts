import type { Platform } from '../context.ts';
import { notFound } from '../errors.ts';
import { type EwonStatus, ewonReference, ewonStatus, ewonsVisibleTo } from '../ewons/rules.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { poolsWithRight } from '../pools/rules.ts';
import type { Actor } from '../users/actor.ts';
import { DECLARED } from './pages.ts';

/** M2W-02: the Ewons that the actor may use through M2web, and no others of those that he sees. */
function ewonsForM2web(actor: Actor): Prisma.EwonWhereInput {
  const all = actor.administrator || !actor.features.groups;
  return {
    AND: [
      ewonsVisibleTo(actor),
      { registrationStatus: 'ACTIVE' },
      all ? {} : { pools: { some: { poolId: { in: poolsWithRight(actor, 'connectM2web') } } } },
    ],
  };
}

const SELECT = {
  id: true,
  number: true,
  name: true,
  description: true,
  customFields: true,
  gatewayId: true,
  wakingUntil: true,
  connectionMode: true,
  geolocationEnabled: true,
  latitude: true,
  longitude: true,
  account: { select: { ewonFieldNames: true } },
  gateway: { select: { portalUrl: true } },
  _count: { select: { sessions: { where: { state: 'OPEN' as const } } } },
  ...DECLARED,
} satisfies Prisma.EwonSelect;

/** An Ewon as M2web shows it (M2W-10). */
export type PortalEwon = Prisma.EwonGetPayload<{ select: typeof SELECT }> & { reference: string; status: EwonStatus };

/** The Ewons that the actor may use through M2web, by name. */
export async function listPortalEwons(
  { db, clock }: Platform,
  actor: Actor,
  where: Prisma.EwonWhereInput,
  page: { skip?: number; take: number },
): Promise<PortalEwon[]> {
  const ewons = await db.ewon.findMany({
    where: { AND: [ewonsForM2web(actor), where] },
    orderBy: [{ nameKey: 'asc' }, { id: 'asc' }],
    select: SELECT,
    ...page,
  });
  return ewons.map((ewon) => ({
    ...ewon,
    reference: ewonReference(ewon.number),
    status: ewonStatus(ewon, ewon._count.sessions, clock.now()),
  }));
}

/** @throws AppError NOT_FOUND, also for one that he may not use through M2web */
export async function findPortalEwon(ctx: Platform, actor: Actor, where: Prisma.EwonWhereInput): Promise<PortalEwon> {
  const [ewon] = await listPortalEwons(ctx, actor, where, { take: 1 });
  if (!ewon) throw notFound('Ewon');
  return ewon;
}

/** The condition for a reference as `DEV5`, or its number alone. */
export function whereReference(reference: string): Prisma.EwonWhereInput {
  const number = Number(/^(?:DEV)?(\d{1,9})$/i.exec(reference.trim())?.[1] ?? 0);
  return { number };
}

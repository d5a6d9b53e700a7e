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
  nameKey: true,
  description: true,
  custom1: true,
  custom2: true,
  custom3: true,
  gatewayId: true,
  wakingUntil: true,
  connectionMode: true,
  geolocationEnabled: true,
  latitude: true,
  longitude: true,
  account: { select: { ewonFieldNames: true, geolocationEnabled: true } },
  gateway: { select: { portalUrl: true } },
  _count: { select: { sessions: { where: { state: 'OPEN' as const } } } },
} satisfies Prisma.EwonSelect;
const WITH_DECLARED = { ...SELECT, ...DECLARED } satisfies Prisma.EwonSelect;

/** An Ewon in a list. */
export type ListedEwon = Prisma.EwonGetPayload<{ select: typeof SELECT }> & { reference: string; status: EwonStatus };

/** An Ewon as M2web shows it (M2W-10), with its LAN devices and services. */
export type PortalEwon = ListedEwon & Prisma.EwonGetPayload<{ select: typeof WITH_DECLARED }>;

const BY_NAME = [{ nameKey: 'asc' as const }, { id: 'asc' as const }];
/** Ewons with their LAN devices and services that are in memory at a time. */
const BATCH = 200;

/** The Ewons that the actor may use through M2web, by name. */
export async function listPortalEwons(
  { db, clock }: Platform,
  actor: Actor,
  where: Prisma.EwonWhereInput,
  page: { skip?: number; take: number },
): Promise<ListedEwon[]> {
  const ewons = await db.ewon.findMany({
    where: { AND: [ewonsForM2web(actor), where] },
    orderBy: BY_NAME,
    select: SELECT,
    ...page,
  });
  return ewons.map(shown(clock.now()));
}

/**
 * All of them with their LAN devices and services, a batch at a time: the next is read when it is asked for. One that is
 * renamed meanwhile may come twice or not at all.
 * @param atMost Ewons
 */
export async function* portalEwons(
  { db, clock }: Platform,
  actor: Actor,
  where: Prisma.EwonWhereInput,
  atMost: number,
): AsyncGenerator<PortalEwon[], void> {
  let after: Prisma.EwonWhereInput = {};
  for (let left = atMost; left > 0; left -= BATCH) {
    const take = Math.min(BATCH, left);
    const ewons = await db.ewon.findMany({
      where: { AND: [ewonsForM2web(actor), where, after] },
      orderBy: BY_NAME,
      select: WITH_DECLARED,
      take,
    });
    yield ewons.map(shown(clock.now()));
    const last = ewons.at(-1);
    if (!last || ewons.length < take) return;
    // Of one account, in which names are unique.
    after = { nameKey: { gt: last.nameKey } };
  }
}

const shown =
  (now: Date) =>
  <T extends Prisma.EwonGetPayload<{ select: typeof SELECT }>>(ewon: T) => ({
    ...ewon,
    reference: ewonReference(ewon.number),
    status: ewonStatus(ewon, ewon._count.sessions, now),
  });

/** @throws AppError NOT_FOUND, also for one that he may not use through M2web */
export async function findPortalEwon(ctx: Platform, actor: Actor, where: Prisma.EwonWhereInput): Promise<PortalEwon> {
  const { value } = await portalEwons(ctx, actor, where, 1).next();
  const ewon = value?.[0];
  if (!ewon) throw notFound('Ewon');
  return ewon;
}

/** The condition for a reference as `DEV5`, or its number alone. */
export function whereReference(reference: string): Prisma.EwonWhereInput {
  const number = Number(/^(?:DEV)?(\d{1,9})$/i.exec(reference.trim())?.[1] ?? 0);
  return { number };
}

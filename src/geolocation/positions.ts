import type { Platform } from '../context.ts';
import type { ReportedFacts } from '../ewons/presence.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';
import type { Position } from './resolver.ts';

/** PRV-05: an Ewon is on the map when its account and its device let it be located and a position is known. */
export const LOCATED = {
  account: { geolocationEnabled: true },
  geolocationEnabled: true,
  latitude: { not: null },
  longitude: { not: null },
} satisfies Prisma.EwonWhereInput;

export const NOT_LOCATED: Prisma.EwonWhereInput = {
  OR: [
    { account: { geolocationEnabled: false } },
    { geolocationEnabled: null },
    { geolocationEnabled: false },
    { latitude: null },
    { longitude: null },
  ],
};

/** What {@link shownPosition} needs of an Ewon. */
export const POSITION_SELECT = {
  account: { select: { geolocationEnabled: true } },
  geolocationEnabled: true,
  latitude: true,
  longitude: true,
} satisfies Prisma.EwonSelect;

/** {@link LOCATED} for an Ewon at hand: its position, or null where none may be shown or is known. */
export function shownPosition({
  account,
  geolocationEnabled,
  latitude,
  longitude,
}: Prisma.EwonGetPayload<{ select: typeof POSITION_SELECT }>): Position | null {
  const allowed = account.geolocationEnabled && geolocationEnabled;
  return allowed && latitude !== null && longitude !== null ? { latitude, longitude } : null;
}

/**
 * Derives the positions of Ewons anew that told where they are, or whether they may be located (EWN-23, PRV-09). One whose
 * account or device forbids it loses what was stored (PRV-05).
 */
export async function writePositions(
  ctx: Pick<Platform, 'geolocator'>,
  account: Pick<AccountTx, 'tx'>,
  reports: readonly { ewonId: string; facts: ReportedFacts }[],
): Promise<void> {
  const told = reports.filter(
    ({ facts: { wanAddress, geolocationEnabled } }) => wanAddress !== undefined || geolocationEnabled !== undefined,
  );
  if (told.length > 0) await renewPositions(ctx, account, { id: { in: told.map(({ ewonId }) => ewonId) } });
}

/**
 * Makes what is stored of the positions of these Ewons follow from what they told last, and from what their account and their
 * devices allow now: after a report, a change of the setting, or a move to another account (PRV-05). Writes only what changed.
 */
export async function renewPositions(
  { geolocator }: Pick<Platform, 'geolocator'>,
  { tx }: Pick<AccountTx, 'tx'>,
  where: Prisma.EwonWhereInput,
): Promise<void> {
  const ewons = await tx.ewon.findMany({ where, select: { id: true, wanAddress: true, ...POSITION_SELECT } });
  const moved = ewons.flatMap(({ id, wanAddress, geolocationEnabled, account, ...before }) => {
    const address = wanAddress?.split('/')[0];
    const allowed = account.geolocationEnabled && geolocationEnabled === true;
    const position = allowed && address !== undefined ? geolocator.locate(address) : null;
    const { latitude, longitude } = position ?? { latitude: null, longitude: null };
    return latitude === before.latitude && longitude === before.longitude ? [] : [{ id, latitude, longitude }];
  });
  if (moved.length === 0) return;
  await tx.$executeRaw`
    UPDATE "Ewon" e SET "latitude" = p."latitude", "longitude" = p."longitude"
    FROM jsonb_to_recordset(${JSON.stringify(moved)}::jsonb) AS p("id" uuid, "latitude" float8, "longitude" float8)
    WHERE e."id" = p."id"`;
}

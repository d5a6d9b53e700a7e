import type { Platform } from '../context.ts';
import type { ReportedFacts } from '../ewons/presence.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';

/** PRV-05: an Ewon is on the map when its device lets it be located and a position is known. */
export const LOCATED = {
  geolocationEnabled: true,
  latitude: { not: null },
  longitude: { not: null },
} satisfies Prisma.EwonWhereInput;

export const NOT_LOCATED: Prisma.EwonWhereInput = {
  OR: [{ geolocationEnabled: null }, { geolocationEnabled: false }, { latitude: null }, { longitude: null }],
};

/**
 * Derives the positions of Ewons anew that told where they are, or whether they may be located (EWN-23, PRV-09). One whose
 * device forbids it loses what was stored (PRV-05). Writes only what changed.
 */
export async function writePositions(
  { geolocator }: Pick<Platform, 'geolocator'>,
  { tx }: Pick<AccountTx, 'tx'>,
  reports: readonly { ewonId: string; facts: ReportedFacts }[],
): Promise<void> {
  const told = reports.filter(
    ({ facts: { wanAddress, geolocationEnabled } }) => wanAddress !== undefined || geolocationEnabled !== undefined,
  );
  if (told.length === 0) return;
  const ewons = await tx.ewon.findMany({
    where: { id: { in: told.map(({ ewonId }) => ewonId) } },
    select: { id: true, wanAddress: true, geolocationEnabled: true, latitude: true, longitude: true },
  });
  const moved = ewons.flatMap(({ id, wanAddress, geolocationEnabled, ...before }) => {
    const address = wanAddress?.split('/')[0];
    const position = geolocationEnabled && address !== undefined ? geolocator.locate(address) : null;
    const { latitude, longitude } = position ?? { latitude: null, longitude: null };
    return latitude === before.latitude && longitude === before.longitude ? [] : [{ id, latitude, longitude }];
  });
  if (moved.length === 0) return;
  await tx.$executeRaw`
    UPDATE "Ewon" e SET "latitude" = p."latitude", "longitude" = p."longitude"
    FROM jsonb_to_recordset(${JSON.stringify(moved)}::jsonb) AS p("id" uuid, "latitude" float8, "longitude" float8)
    WHERE e."id" = p."id"`;
}

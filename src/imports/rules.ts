import { nameKey } from '../ewons/rules.ts';
import type { Ewon, ImportItem, Prisma } from '../generated/prisma/client.ts';
import type { ImportReason } from '../generated/prisma/enums.ts';
import type { Actor } from '../users/actor.ts';

/** How many Ewons one list holds at most; of a larger account the rest is listed when these have moved. */
export const IMPORT_EWONS_MAX = 10_000;
/** How long a request that moves Ewons is taken to be alive after its last one: then another may go on. */
export const RUN_SECONDS = 60;

/** Imports are for whoever asked for them, as long as he is an Administrator (IMP-16). */
export const importsVisibleTo = ({ accountId, userId, administrator }: Actor): Prisma.ImportPreviewWhereInput => ({
  accountId,
  userId,
  ...(!administrator && { id: { in: [] } }),
});

/** The columns of an Ewon that decide whether what was listed is still so. */
export const LISTED_SELECT = {
  id: true,
  number: true,
  accountId: true,
  name: true,
  serialNumber: true,
  registrationStatus: true,
} as const satisfies Prisma.EwonSelect;
export type ListedFacts = Pick<Ewon, keyof typeof LISTED_SELECT>;

/** Why an Ewon that was listed for import is not moved now; null when it is as it was (IMP-03, IMP-04, IMP-07). */
export function obstacleToMove(
  listed: Pick<ImportItem, 'name' | 'serialNumber'>,
  ewon: ListedFacts | null,
  sourceId: string,
): ImportReason | null {
  if (ewon?.accountId !== sourceId) return 'GONE';
  if (ewon.registrationStatus !== 'ACTIVE') return 'NOT_ACTIVE';
  if (ewon.serialNumber === null) return 'NO_SERIAL_NUMBER';
  return ewon.serialNumber === listed.serialNumber && ewon.name === listed.name ? null : 'CHANGED';
}

const NAME_LENGTH = 64;

/** IMP-15: the name that is tried after so many others: as it is, then with ` (2)`, ` (3)`…; shortened where it gets too long. */
function nameTried(name: string, attempt: number): string {
  if (attempt === 1) return name;
  const suffix = ` (${attempt})`;
  let base = '';
  for (const character of name) {
    if (base.length + character.length + suffix.length > NAME_LENGTH) break;
    base += character;
  }
  return base.trimEnd() + suffix;
}

/** The first of these names that is free (IMP-15), asked for some at a time. */
export async function freeName(name: string, taken: (keys: string[]) => Promise<ReadonlySet<string>>): Promise<string> {
  const AT_ONCE = 20;
  for (let from = 1; ; from += AT_ONCE) {
    const names = Array.from({ length: AT_ONCE }, (_, index) => nameTried(name, from + index));
    const used = await taken(names.map(nameKey));
    const free = names.find((one) => !used.has(nameKey(one)));
    if (free !== undefined) return free;
  }
}

/** What a pool was asked for by, so that a ticket goes on with the same one only. */
export const targetOf = (pool: ImportPool): string =>
  'poolId' in pool ? `id ${pool.poolId}` : `name ${nameKey(pool.newPoolName)}`;

/** IMP-06: an existing pool of the destination, or one that is made for the purpose. */
export type ImportPool = { poolId: string } | { newPoolName: string };

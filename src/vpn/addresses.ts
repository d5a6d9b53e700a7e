import type { Config } from '../config.ts';
import type { Tx } from '../database/database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { formatIpv4, hostRange, type Ipv4Range } from './ipv4.ts';

/** Whose address it is: the two ranges never mix (VPN-06). */
export type AddressOwner = 'USER' | 'EWON';

/** The addresses of a range that may be given out: never its network and broadcast address (VPN-06). */
export const vpnRange = (config: Config, owner: AddressOwner): Ipv4Range =>
  hostRange(owner === 'USER' ? config.limits.VPN_USER_RANGE : config.limits.VPN_EWON_RANGE);

/**
 * Gives each owner an address and marks it in use: the one he had, as long as it lies in the range (VPN-05); else the
 * lowest free one; else, with the range full, that of the owner who has been without a tunnel longest (VPN-08). An owner
 * for whom there is none is missing in the result (VPN_ADDRESS_EXHAUSTED).
 *
 * The primary key is the address and the owner is unique, so no two share one (VPN-07); rows that another transaction is
 * about to take are skipped, and a new row that another transaction makes first is waited for and passed over.
 */
export async function assignAddresses(
  tx: Tx,
  config: Config,
  owner: AddressOwner,
  ids: readonly string[],
  now: Date,
): Promise<Map<string, string>> {
  const range = vpnRange(config, owner);
  const column = columnOf(owner);
  const assigned = new Map<string, string>();
  const take = (rows: { address: bigint; id: string }[]) => {
    for (const { address, id } of rows) assigned.set(id, formatIpv4(address));
  };

  await tx.$executeRaw`
    UPDATE "VpnAddress" SET ${column} = NULL, "inUse" = false
    WHERE ${column} = ANY(${ids}::uuid[]) AND "address" NOT BETWEEN ${range.first}::bigint AND ${range.last}::bigint`;
  take(
    await tx.$queryRaw`
    UPDATE "VpnAddress" SET "inUse" = true, "lastUsedAt" = ${now}::timestamp
    WHERE ${column} = ANY(${ids}::uuid[]) RETURNING "address", ${column} AS "id"`,
  );

  for (const find of [freeRows, newRows, inactiveRows]) {
    // A pass that finds some but not all may have lost rows to another transaction: look again until it finds none.
    for (;;) {
      const missing = ids.filter((id) => !assigned.has(id));
      if (missing.length === 0) return assigned;
      const addresses = await find(tx, owner, range, missing.length, now);
      if (addresses.length === 0) break;
      take(
        await tx.$queryRaw`
        UPDATE "VpnAddress" v SET ${column} = n."id", "inUse" = true, "lastUsedAt" = ${now}::timestamp
        FROM unnest(${addresses}::bigint[], ${missing.slice(0, addresses.length)}::uuid[]) AS n("address", "id")
        WHERE v."address" = n."address" RETURNING v."address", n."id"`,
      );
    }
  }
  return assigned;
}

/** The owners' tunnels have ended: they keep their addresses, which may from now on be taken over (VPN-03, VPN-08). */
export async function restAddresses(tx: Tx, owner: AddressOwner, ids: readonly string[], now: Date): Promise<void> {
  if (ids.length === 0) return;
  await tx.$executeRaw`
    UPDATE "VpnAddress" SET "inUse" = false, "lastUsedAt" = ${now}::timestamp WHERE ${columnOf(owner)} = ANY(${ids}::uuid[])`;
}

const columnOf = (owner: AddressOwner) => Prisma.raw(owner === 'USER' ? '"userId"' : '"ewonId"');

type FindRows = (tx: Tx, owner: AddressOwner, range: Ipv4Range, count: number, now: Date) => Promise<bigint[]>;

const addressesOf = (rows: { address: bigint }[]): bigint[] => rows.map(({ address }) => address);

const freeRows: FindRows = async (tx, owner, range, count) =>
  addressesOf(
    await tx.$queryRaw`
    SELECT "address" FROM "VpnAddress"
    WHERE "range" = ${owner}::"VpnRange" AND "userId" IS NULL AND "ewonId" IS NULL
      AND "address" BETWEEN ${range.first}::bigint AND ${range.last}::bigint
    ORDER BY "address" LIMIT ${count}::int FOR UPDATE SKIP LOCKED`,
  );

/**
 * Rows come into being as the range comes into use, lowest address first. When another transaction has just made the same
 * ones, the insert waits for it and makes none; then the next are tried, until the range is used up.
 */
const newRows: FindRows = async (tx, owner, range, count) => {
  for (;;) {
    const unused = await unusedAddresses(tx, range, count);
    if (unused.length === 0) return [];
    const made = addressesOf(
      await tx.$queryRaw`
      INSERT INTO "VpnAddress" ("address", "range")
      SELECT a, ${owner}::"VpnRange" FROM unnest(${unused}::bigint[]) AS a
      ON CONFLICT ("address") DO NOTHING RETURNING "address"`,
    );
    if (made.length > 0) return made;
  }
};

/** Those above the highest row; once that is the end of the range, those below, which a former, smaller range has left out. */
async function unusedAddresses(tx: Tx, { first, last }: Ipv4Range, count: number): Promise<bigint[]> {
  const { _max } = await tx.vpnAddress.aggregate({
    where: { address: { gte: first, lte: last } },
    _max: { address: true },
  });
  const next = _max.address === null ? first : _max.address + 1n;
  const left = Math.min(count, Number(last - next + 1n));
  if (left > 0) return Array.from({ length: left }, (_, index) => next + BigInt(index));
  const rows = await tx.vpnAddress.count({ where: { address: { gte: first, lte: last } } });
  if (BigInt(rows) === last - first + 1n) return [];
  return addressesOf(
    await tx.$queryRaw`
    SELECT a AS "address" FROM generate_series(${first}::bigint, ${last}::bigint) AS a
    WHERE NOT EXISTS (SELECT 1 FROM "VpnAddress" v WHERE v."address" = a) ORDER BY a LIMIT ${count}::int`,
  );
}

const inactiveRows: FindRows = async (tx, owner, range, count) =>
  addressesOf(
    await tx.$queryRaw`
    SELECT "address" FROM "VpnAddress"
    WHERE "range" = ${owner}::"VpnRange" AND NOT "inUse" AND "address" BETWEEN ${range.first}::bigint AND ${range.last}::bigint
    ORDER BY "lastUsedAt", "address" LIMIT ${count}::int FOR UPDATE SKIP LOCKED`,
  );

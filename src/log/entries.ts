import type { Platform } from '../context.ts';
import type { Db } from '../database/database.ts';
import { type LogEntry, Prisma } from '../generated/prisma/client.ts';
import type { Actor } from '../users/actor.ts';
import { filterSql, type LogFilter } from './filter.ts';
import { entriesReadableBy } from './rules.ts';

/** The entries that somebody may read and asked for. */
export interface Selection {
  accountId: string;
  /** Each of these alone lets an entry be read. */
  readable: Prisma.Sql[];
  filter: Prisma.Sql;
}

/** What a reader may read and asked for, as {@link requireModest} lets it pass. */
export function selectionOf(actor: Actor, filter: LogFilter | null | undefined): Selection {
  const { accountId } = actor;
  return { accountId, readable: entriesReadableBy(actor), filter: filterSql(actor, filter) };
}

/**
 * The first entries of a selection in an order, as the end of a query. Who may read for several reasons has a query for each of
 * them, of which each goes by an index of its own, and the firsts of all are among the firsts of each.
 */
function firsts(
  { accountId, readable, filter }: Selection,
  where: Prisma.Sql,
  orderBy: Prisma.Sql,
  take: number,
): Prisma.Sql {
  const of = Prisma.sql`"accountId" = ${accountId}::uuid`;
  const tail = Prisma.sql`ORDER BY ${orderBy} LIMIT ${take}`;
  const [only, ...others] = readable;
  if (only && others.length === 0)
    return Prisma.sql`FROM "LogEntry" WHERE ${of} AND ${only} AND ${filter} AND ${where} ${tail}`;
  const ways = readable.map(
    (way) => Prisma.sql`(SELECT "seq" FROM "LogEntry" WHERE ${of} AND ${way} AND ${filter} AND ${where} ${tail})`,
  );
  return Prisma.sql`FROM "LogEntry" WHERE ${of} AND "seq" IN (${Prisma.join(ways, ' UNION ')}) ${tail}`;
}

/** Reads the first entries of a selection in an order. */
export const readFirst = (
  db: Pick<Db, '$queryRaw'>,
  selection: Selection,
  where: Prisma.Sql,
  orderBy: Prisma.Sql,
  take: number,
): Promise<LogEntry[]> => db.$queryRaw<LogEntry[]>`SELECT * ${firsts(selection, where, orderBy, take)}`;

/**
 * Reads like {@link readFirst} in the order of time, oldest first, and has the database write the entries as one text: a reader
 * of a million of them leaves nothing behind, where one row after the other takes hundreds of megabytes.
 */
export async function readOldest(
  { readText }: Pick<Platform, 'readText'>,
  selection: Selection,
  where: Prisma.Sql,
  take: number,
): Promise<LogEntry[]> {
  const entries = await readText(Prisma.sql`
    SELECT json_agg(e ORDER BY e."number")::text FROM (
      SELECT "LogEntry"."seq" AS "number", "seq"::text AS "seq", to_char("at", 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "at", "accountId",
        "code", "category", "severity", "trigger", "userId", "userNumber", "userName", "ewonId", "ewonNumber", "ewonName",
        "sessionId", "params"
      ${firsts(selection, where, Prisma.sql`"LogEntry"."seq"`, take)}
    ) e`);
  // Made into entries in place: a copy of each would stay in memory until the next large collection of garbage.
  const written = JSON.parse(entries ?? '[]') as Record<'seq' | 'at', unknown>[];
  for (const entry of written) {
    entry.seq = BigInt(String(entry.seq));
    entry.at = new Date(String(entry.at));
  }
  return written as unknown as LogEntry[];
}

/** Those of the entries at hand that a selection holds, as the database has it now. */
export async function amongEntries(
  db: Pick<Db, '$queryRaw'>,
  { accountId, readable, filter }: Selection,
  entries: readonly LogEntry[],
): Promise<LogEntry[]> {
  if (entries.length === 0) return [];
  const seqs = entries.map(({ seq }) => String(seq));
  const found = await db.$queryRaw<{ seq: bigint }[]>`
    SELECT "seq" FROM "LogEntry" WHERE "accountId" = ${accountId}::uuid AND "seq" = ANY(${seqs}::bigint[])
    AND (${Prisma.join(readable, ' OR ')}) AND ${filter}`;
  const kept = new Set(found.map(({ seq }) => seq));
  return entries.filter(({ seq }) => kept.has(seq));
}

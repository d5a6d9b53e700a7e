import type { Platform } from '../context.ts';
import type { LogEntry } from '../generated/prisma/client.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { decodeCursor, encodeCursor } from '../graphql/lists/cursors.ts';
import type { Place } from '../graphql/lists/keyset.ts';
import { encodeCursor as encodePlace, placeOf } from './cursor.ts';
import { readFirst, type Selection } from './entries.ts';
import { type Bounds, type LogOrder, type LogTerm, stretches, termsOf } from './order.ts';

/** What part of the log is asked for: so many entries behind a place, or so many before one. */
export interface PageOfLog {
  orderBy: readonly LogOrder[];
  size: number;
  backward: boolean;
  after: string | null | undefined;
  before: string | null | undefined;
}

/** A part of the log, in the shape of a connection. */
export interface LogPage {
  edges: { cursor: string; node: LogEntry }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

/**
 * Reads a page of the log (LOG-11, LOG-12). Its cursors are places of the log where it is ordered by time, in either direction,
 * and so those of the streams (EVT-05); of another order they are of that order only.
 * @throws AppError CURSOR_INVALID, and by time CURSOR_EXPIRED
 */
export async function readPage(
  { db }: Pick<Platform, 'db'>,
  selection: Selection,
  { orderBy, size, backward, ...asked }: PageOfLog,
): Promise<LogPage> {
  const terms = termsOf(orderBy);
  const cursors = cursorsOf(db, selection.accountId, terms);
  const after = await cursors.decode(asked.after, 'after');
  const before = await cursors.decode(asked.before, 'before');
  const read = async (bounds: Bounds, take: number): Promise<LogEntry[]> => {
    const found: LogEntry[] = [];
    for (const { where, orderBy: order } of stretches(terms, bounds, backward)) {
      found.push(...(await readFirst(db, selection, where, order, take - found.length)));
      if (found.length >= take) break;
    }
    return found;
  };
  /** Only entries that this reader can get count as a next page (LOG-12): the one at the place, or one behind it. */
  const goesOnFrom = async (place: Place): Promise<boolean> => {
    const at = Prisma.sql`"seq" = ${place.at(-1)}::bigint`;
    return (
      (await readFirst(db, selection, at, Prisma.sql`"seq"`, 1)).length > 0 ||
      (await read({ after: place, before: null }, 1)).length > 0
    );
  };
  const found = await read({ after, before }, size + 1);
  const entries = found.slice(0, size);
  if (backward) entries.reverse();
  const edges = entries.map((node) => ({ cursor: cursors.encode(node), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: backward ? before !== null && (await goesOnFrom(before)) : found.length > size,
      hasPreviousPage: backward ? found.length > size : after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

function cursorsOf(db: Platform['db'], accountId: string, terms: readonly LogTerm[]) {
  const list = `log ${accountId}`;
  const byTime = terms[0]?.column === 'seq';
  return {
    encode: (entry: LogEntry): string =>
      byTime ? encodePlace(accountId, entry.seq) : encodeCursor(list, terms, { ...entry }),
    decode: async (cursor: string | null | undefined, argument: keyof Bounds): Promise<Place | null> => {
      if (cursor == null) return null;
      return byTime ? [await placeOf({ db }, accountId, cursor)] : decodeCursor(list, terms, cursor, argument);
    },
  };
}

import type { Db } from '../database/database.ts';
import { ewonsVisibleTo } from '../ewons/rules.ts';
import type { LogEntry } from '../generated/prisma/client.ts';
import type { Actor } from '../users/actor.ts';
import { amongEntries, selectionOf } from './entries.ts';
import { CONNECTION_EVENTS, type ConnectionEventCode } from './events.ts';

type Read = Pick<Db, '$queryRaw' | 'ewon'>;

const present = (ids: (string | null)[]): string[] => [...new Set(ids.flatMap((id) => (id === null ? [] : [id])))];

/** LOG-20 for entries at hand: one query for all of them. */
const readableEntries = async (db: Read, actor: Actor, entries: LogEntry[]): Promise<LogEntry[]> =>
  actor.administrator ? entries : amongEntries(db, selectionOf(actor, null), entries);

/**
 * The entries that the connection stream carries to this actor: what happens to the Ewons he sees (EWN-02), and refusals as
 * far as he may read them in the log (LOG-20).
 */
export async function readableConnectionEvents(db: Read, actor: Actor, entries: LogEntry[]): Promise<LogEntry[]> {
  const events = entries.filter(({ code }) => CONNECTION_EVENTS.includes(code as ConnectionEventCode));
  if (actor.administrator) return events;
  const readable = new Set(await readableEntries(db, actor, events));
  const ewonIds = present(events.map(({ ewonId }) => ewonId));
  const seen = await db.ewon.findMany({
    where: { AND: [ewonsVisibleTo(actor), { id: { in: ewonIds } }] },
    select: { id: true },
  });
  const visible = new Set(seen.map(({ id }) => id));
  return events.filter(
    (event) =>
      readable.has(event) || (event.code !== 'SESSION_REFUSED' && event.ewonId !== null && visible.has(event.ewonId)),
  );
}

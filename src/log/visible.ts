import type { Db } from '../database/database.ts';
import { ewonsManagedBy, ewonsVisibleTo } from '../ewons/rules.ts';
import type { LogEntry, Prisma } from '../generated/prisma/client.ts';
import type { Actor } from '../users/actor.ts';
import { usersVisibleTo } from '../users/rules.ts';
import { CONNECTION_EVENTS, type ConnectionEventCode } from './events.ts';
import { entriesVisibleTo } from './rules.ts';

type Read = Pick<Db, 'ewon' | 'user'>;

const present = (ids: (string | null)[]): string[] => [...new Set(ids.flatMap((id) => (id === null ? [] : [id])))];

/** LOG-20 for entries at hand: one query each for the Ewons and users among them. */
export async function readableEntries(db: Read, actor: Actor, entries: LogEntry[]): Promise<LogEntry[]> {
  if (actor.administrator) return entries;
  const scope = await managed(db, actor, {
    ewonIds: present(entries.map(({ ewonId }) => ewonId)),
    userIds: present(entries.map(({ userId }) => userId)),
  });
  return entries.filter(
    ({ userId, ewonId }) =>
      userId === actor.userId ||
      (ewonId !== null && scope.ewonIds.includes(ewonId)) ||
      (userId !== null && scope.userIds.includes(userId)),
  );
}

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

/** {@link entriesVisibleTo} as a condition for a query over the whole log. */
export async function entriesWhere(db: Read, actor: Actor): Promise<Prisma.LogEntryWhereInput> {
  if (actor.administrator) return entriesVisibleTo(actor, { ewonIds: [], userIds: [] });
  return entriesVisibleTo(actor, await managed(db, actor, null));
}

/** The Ewons and users that the actor manages, all or among the given ones. Himself does not count. */
async function managed(db: Read, actor: Actor, among: { ewonIds: string[]; userIds: string[] } | null) {
  const [ewons, users] = await Promise.all([
    db.ewon.findMany({
      where: { AND: [ewonsManagedBy(actor), among ? { id: { in: among.ewonIds } } : {}] },
      select: { id: true },
    }),
    actor.managedGroupIds.length === 0
      ? []
      : db.user.findMany({
          where: { AND: [usersVisibleTo(actor), among ? { id: { in: among.userIds } } : {}] },
          select: { id: true },
        }),
  ]);
  return { ewonIds: ewons.map(({ id }) => id), userIds: users.map(({ id }) => id) };
}

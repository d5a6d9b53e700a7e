import type { Platform } from '../context.ts';
import type { LogEntry } from '../generated/prisma/client.ts';

/** A read of the log at one place: the one that runs, and the one that begins when it has ended. */
interface SharedRead {
  running: Promise<LogEntry[]>;
  next: Promise<LogEntry[]> | null;
}

const readsOf = new WeakMap<Platform['db'], Map<string, SharedRead>>();

/**
 * The next entries behind a place, at most a batch, in their order. Most followers of an account are at the same place, its
 * end, and all of them wake at the same ring: they share one read. Who comes while it runs shares the next one, so that
 * everybody's read begins after he asked, and a storm of rings costs one read after the other and not one for each ring
 * and follower.
 */
export function readOn(ctx: Platform, accountId: string, place: bigint): Promise<LogEntry[]> {
  const reads = readsOf.get(ctx.db) ?? new Map<string, SharedRead>();
  readsOf.set(ctx.db, reads);
  const key = `${accountId}.${place}`;
  const present = reads.get(key);
  if (present) {
    present.next ??= present.running.then(
      () => begin(),
      () => begin(),
    );
    return present.next;
  }
  return begin();

  function begin(): Promise<LogEntry[]> {
    const read: SharedRead = { running: readEntries(ctx, accountId, place), next: null };
    reads.set(key, read);
    const forget = () => {
      if (reads.get(key) === read && read.next === null) reads.delete(key);
    };
    read.running.then(forget, forget);
    return read.running;
  }
}

const readEntries = ({ db, config }: Platform, accountId: string, place: bigint): Promise<LogEntry[]> =>
  db.logEntry.findMany({
    where: { accountId, seq: { gt: place } },
    orderBy: { seq: 'asc' },
    take: config.limits.STREAM_BATCH,
  });

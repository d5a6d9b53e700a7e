import { addMonths, addSeconds, DAY_MS, HOUR_MS, roundUp } from '../clock.ts';
import type { Platform } from '../context.ts';
import { inAccount } from './write.ts';

/** Entries deleted in one transaction: it holds the account's row, so it has to be short. */
const PURGE_BATCH = 5000;

/** Looking through all accounts is not worth it every second. */
const PURGE_EVERY_MS = HOUR_MS;
const nextPurge = new WeakMap<Platform['db'], number>();

/**
 * Removes the entries that are older than the retention (LOG-17): nothing else ever deletes one (LOG-16). The oldest go
 * first, and the account remembers the last one's number, so that a cursor before it is refused (EVT-04).
 */
export async function purgeLogs(ctx: Platform): Promise<void> {
  const now = ctx.clock.now();
  if (now.getTime() < (nextPurge.get(ctx.db) ?? 0)) return;
  const until = addMonths(now, -ctx.config.limits.LOG_RETENTION_MONTHS);
  // The oldest entry that is left stands right behind the last one removed: a look-up by key for each account.
  const due = await ctx.db.$queryRaw<{ id: string }[]>`
    SELECT a."id" FROM "Account" a JOIN "LogEntry" e ON e."accountId" = a."id" AND e."seq" = a."logPurgedSeq" + 1
    WHERE e."at" < ${until}::timestamp`;
  for (const { id } of due) while ((await purgeBatch(ctx, id, until)) === PURGE_BATCH);
  nextPurge.set(ctx.db, now.getTime() + PURGE_EVERY_MS);
}

/** The first day on which an entry is older than the retention. */
export async function nextLogPurge(ctx: Platform): Promise<Date | null> {
  const [oldest] = await ctx.db.$queryRaw<{ at: Date | null }[]>`
    SELECT min(e."at") AS "at" FROM "Account" a JOIN "LogEntry" e ON e."accountId" = a."id" AND e."seq" = a."logPurgedSeq" + 1`;
  if (!oldest?.at) return null;
  const months = ctx.config.limits.LOG_RETENTION_MONTHS;
  let day = roundUp(addMonths(oldest.at, months), DAY_MS);
  // Months differ in length: the same day some months back may be one before the entry's.
  while (addMonths(day, -months) <= oldest.at) day = addSeconds(day, DAY_MS / 1000);
  return new Date(Math.max(day.getTime(), nextPurge.get(ctx.db) ?? 0));
}

function purgeBatch(ctx: Platform, accountId: string, until: Date): Promise<number> {
  return inAccount(ctx, accountId, async ({ tx }) => {
    const oldest = await tx.logEntry.findMany({
      where: { accountId },
      orderBy: { seq: 'asc' },
      take: PURGE_BATCH,
      select: { seq: true, at: true },
    });
    const kept = oldest.findIndex(({ at }) => at >= until);
    const old = kept < 0 ? oldest : oldest.slice(0, kept);
    const last = old.at(-1);
    if (!last) return 0;
    await tx.logEntry.deleteMany({ where: { accountId, seq: { lte: last.seq } } });
    await tx.account.update({ where: { id: accountId }, data: { logPurgedSeq: last.seq } });
    return old.length;
  });
}

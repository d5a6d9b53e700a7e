import { monthIn } from '../billing/months.ts';
import { addSeconds, HOUR_MS, roundUp } from '../clock.ts';
import type { Platform } from '../context.ts';
import { retryOnConflict } from '../database/retry.ts';
import { AppError } from '../errors.ts';
import { firstOutOfRange, type NewDataPoint, retentionMs } from './rules.ts';

/** Rows deleted in one statement, so that it is short. */
const PURGE_BATCH = 10_000;

/**
 * Stores values that a device has pushed (GW-14), all or none, and counts the new ones for the account's month (BIL-12). A value
 * is known by Ewon, tag and time: sent again it is stored once, and what was stored first stays.
 *
 * Numbers are given under the account's row, so that their order is the order of the commits: whoever has read up to a number
 * has missed nothing before it.
 * @throws AppError MESSAGE_INVALID (a time out of range; which is said), EWON_OFFLINE (the tunnel no longer stands)
 * @throws TooManyRequestsError beyond DATA_POINTS_PER_HOUR
 */
export async function storeDataPoints(
  ctx: Platform,
  { ewonId, tunnelId }: { ewonId: string; tunnelId: string },
  points: readonly NewDataPoint[],
): Promise<void> {
  const now = ctx.clock.now();
  const wrong = firstOutOfRange(points, now, ctx.config);
  if (wrong) throw new AppError('MESSAGE_INVALID', wrong);
  const ewon = await ctx.db.ewon.findFirst({
    where: { id: ewonId, tunnelId },
    select: { accountId: true, account: { select: { timeZone: true } } },
  });
  if (!ewon) throw new AppError('EWON_OFFLINE', 'The tunnel is no longer that of the Ewon.');
  // One device that pushes without end must not fill the disk of all.
  await ctx.rateLimits.dataPoints.take(ewonId, points.length);
  const month = monthIn(ewon.account.timeZone, now);
  // Twice in one message is once; the column keeps milliseconds.
  const distinct = new Map<string, object>();
  for (const { tag, at, value, good } of points) {
    const time = new Date(at).toISOString();
    const key = `${time} ${tag}`;
    if (!distinct.has(key)) distinct.set(key, { index: distinct.size, tag, at: time, value, good });
  }
  // It may have moved to another account since it was looked up: then its row, read again under the lock, does not fit.
  const stored = await retryOnConflict(
    () => ctx.db.$executeRaw`
      WITH account AS (
        SELECT a."id", GREATEST(a."openMonth", ${month}) AS "month"
        FROM "Account" a JOIN "Ewon" e ON e."accountId" = a."id"
        WHERE a."id" = ${ewon.accountId}::uuid AND e."id" = ${ewonId}::uuid
        FOR NO KEY UPDATE OF a FOR KEY SHARE OF e
      ), stored AS (
        INSERT INTO "DataPoint" ("accountId", "ewonId", "tag", "at", "receivedAt", "value", "good")
        SELECT account."id", ${ewonId}::uuid, p."tag", p."at", ${now}::timestamp, p."value", p."good"
        FROM account, jsonb_to_recordset(${JSON.stringify([...distinct.values()])}::jsonb)
          AS p("index" int, "tag" text, "at" timestamp, "value" float8, "good" boolean)
        ORDER BY p."index"
        ON CONFLICT ("ewonId", "tag", "at") DO NOTHING
        RETURNING 1
      )
      INSERT INTO "Usage" ("accountId", "month", "dataPoints")
      SELECT "id", "month", (SELECT count(*) FROM stored) FROM account
      ON CONFLICT ("accountId", "month") DO UPDATE SET "dataPoints" = "Usage"."dataPoints" + EXCLUDED."dataPoints"`,
  );
  if (stored === 0) throw new AppError('EWON_OFFLINE', 'The tunnel is no longer that of the Ewon.');
}

/** Removes the values that were kept as long as they may be (GW-14). */
export async function purgeDataPoints(ctx: Platform): Promise<void> {
  const until = addSeconds(ctx.clock.now(), -retentionMs(ctx.config) / 1000);
  let count: number;
  do {
    count = await ctx.db.$executeRaw`
      DELETE FROM "DataPoint" WHERE "number" IN (
        SELECT "number" FROM "DataPoint" WHERE "receivedAt" <= ${until}::timestamp LIMIT ${PURGE_BATCH})`;
  } while (count === PURGE_BATCH);
}

/** The first hour at which a value has been kept as long as it may be. */
export async function nextDataPurge({ db, config }: Platform): Promise<Date | null> {
  const { _min } = await db.dataPoint.aggregate({ _min: { receivedAt: true } });
  return _min.receivedAt && roundUp(addSeconds(_min.receivedAt, retentionMs(config) / 1000), HOUR_MS);
}

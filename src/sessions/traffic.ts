import type { Platform } from '../context.ts';
import { retryOnConflict } from '../database/retry.ts';

/** Bytes that a session has carried since they were last added. */
export interface TrafficShare {
  sessionId: string;
  /** From the user to the Ewon. */
  bytesIn: number;
  bytesOut: number;
}

/**
 * Adds to the bytes of sessions (CON-29), also of such as have ended meanwhile, and to what their accounts used in the month
 * (BIL-10), in one statement. The accounts' rows are held, in the order of their ids, so that nothing is counted in a month that
 * is being closed.
 */
export async function addTraffic({ db, clock }: Platform, shares: readonly TrafficShare[]): Promise<void> {
  const now = clock.now();
  await retryOnConflict(
    () => db.$executeRaw`
      WITH share AS (
        SELECT s."id", s."accountId", t."bytesIn", t."bytesOut"
        FROM jsonb_to_recordset(${JSON.stringify(shares)}::jsonb) AS t("sessionId" uuid, "bytesIn" bigint, "bytesOut" bigint)
        JOIN "Session" s ON s."id" = t."sessionId"
      ), account AS (
        SELECT "id", GREATEST("openMonth", to_char(${now}::timestamp AT TIME ZONE 'UTC' AT TIME ZONE "timeZone", 'YYYY-MM')) AS "month"
        FROM "Account" WHERE "id" IN (SELECT "accountId" FROM share) ORDER BY "id" FOR NO KEY UPDATE
      ), used AS (
        INSERT INTO "Usage" ("accountId", "month", "bytes")
        SELECT account."id", account."month", sum(share."bytesIn" + share."bytesOut")
        FROM account JOIN share ON share."accountId" = account."id" GROUP BY 1, 2
        ON CONFLICT ("accountId", "month") DO UPDATE SET "bytes" = "Usage"."bytes" + EXCLUDED."bytes"
      )
      UPDATE "Session" s SET "bytesIn" = s."bytesIn" + share."bytesIn", "bytesOut" = s."bytesOut" + share."bytesOut"
      FROM share WHERE s."id" = share."id"`,
  );
}

import { usageMonth } from '../billing/months.ts';
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
 * (BIL-10). The accounts' rows are taken first, in the order of their ids, as by all work on accounts: so this cannot deadlock
 * with it, and nothing is counted in a month that is being closed. The month is reckoned here and not by the database, whose
 * time zones may have other names.
 */
export async function addTraffic({ db, clock }: Platform, shares: readonly TrafficShare[]): Promise<void> {
  const added = JSON.stringify(shares);
  await retryOnConflict(() =>
    db.$transaction(async (tx) => {
      const accounts = await tx.$queryRaw<{ id: string; timeZone: string; openMonth: string }[]>`
        SELECT "id", "timeZone", "openMonth" FROM "Account"
        WHERE "id" IN (
          SELECT s."accountId" FROM jsonb_to_recordset(${added}::jsonb) AS t("sessionId" uuid)
          JOIN "Session" s ON s."id" = t."sessionId"
        ) ORDER BY "id" FOR NO KEY UPDATE`;
      const now = clock.now();
      const months = JSON.stringify(accounts.map((account) => ({ id: account.id, month: usageMonth(account, now) })));
      await tx.$executeRaw`
        WITH share AS (
          SELECT s."id", s."accountId", t."bytesIn", t."bytesOut"
          FROM jsonb_to_recordset(${added}::jsonb) AS t("sessionId" uuid, "bytesIn" bigint, "bytesOut" bigint)
          JOIN "Session" s ON s."id" = t."sessionId"
        ), used AS (
          INSERT INTO "Usage" ("accountId", "month", "bytes")
          SELECT account."id", account."month", sum(share."bytesIn" + share."bytesOut")
          FROM jsonb_to_recordset(${months}::jsonb) AS account("id" uuid, "month" text)
          JOIN share ON share."accountId" = account."id" GROUP BY 1, 2
          ON CONFLICT ("accountId", "month") DO UPDATE SET "bytes" = "Usage"."bytes" + EXCLUDED."bytes"
        )
        UPDATE "Session" s SET "bytesIn" = s."bytesIn" + share."bytesIn", "bytesOut" = s."bytesOut" + share."bytesOut"
        FROM share WHERE s."id" = share."id"`;
    }),
  );
}

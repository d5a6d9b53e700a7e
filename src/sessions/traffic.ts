import type { Platform } from '../context.ts';

/** Bytes that a session has carried since they were last added. */
export interface TrafficShare {
  sessionId: string;
  /** From the user to the Ewon. */
  bytesIn: number;
  bytesOut: number;
}

/** Adds to the bytes of sessions (CON-29), also of such as have ended meanwhile, in one statement. */
export async function addTraffic({ db }: Platform, shares: readonly TrafficShare[]): Promise<void> {
  await db.$executeRaw`
    UPDATE "Session" s SET "bytesIn" = s."bytesIn" + t."bytesIn", "bytesOut" = s."bytesOut" + t."bytesOut"
    FROM jsonb_to_recordset(${JSON.stringify(shares)}::jsonb) AS t("sessionId" uuid, "bytesIn" bigint, "bytesOut" bigint)
    WHERE s."id" = t."sessionId"`;
}

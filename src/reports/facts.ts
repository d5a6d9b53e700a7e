import type { Month } from '../billing/months.ts';
import type { ClientKind, Plan } from '../generated/prisma/enums.ts';

/** What was used of something, against what the plan includes of it (BIL-10). */
export interface UsageFact {
  used: number;
  included: number;
}

/** What the reports of a month say besides the lines; kept as JSON when the month is over (BIL-09), so every time is ISO 8601. */
export interface ReportFacts {
  month: Month;
  /** The month in the account's time zone: from, inclusive, to, exclusive. */
  from: string;
  to: string;
  /** When these figures were taken; for a month that is over, when it was closed. */
  at: string;
  /** False for the month so far (BIL-07). */
  complete: boolean;
  accountName: string;
  company: string;
  timeZone: string;
  plan: Plan;
  /** ISO 4217 */
  currency: string;
  /** Bytes of VPN traffic, both ways. */
  traffic: UsageFact;
  sms: UsageFact;
  /** Mails sent by Ewons; the plan includes none. */
  mails: UsageFact;
  dataPoints: UsageFact;
  /** The most connections that were open at once in the month, against the number of concurrent connections at its end. */
  peakConnections: UsageFact;
  /** The peak of each day of the month until `at`; `day` as `2026-11-22` in the time zone of the account. */
  peaks: { day: string; peak: number }[];
  /** What the month costs: of one that is over, what was charged. */
  charges: { name: string; quantity: number; unitCents: number; cents: number }[];
  /** The sessions that ended in the month. */
  sessions: { count: number; seconds: number; bytesIn: number; bytesOut: number };
}

/** One session of a connection report (BIL-10). */
export interface ReportLine {
  /** As logs name them: display name and `USR` reference. */
  userName: string;
  userReference: string;
  ewonName: string;
  /** `DEV` and a number. */
  ewonReference: string;
  client: ClientKind;
  startedAt: Date;
  /** Null for one that is still open, in the report of the month so far. */
  endedAt: Date | null;
  /** Whole seconds, to now for one that is open. */
  seconds: number;
  /** From the user to the Ewon. */
  bytesIn: number;
  bytesOut: number;
}

/** A month's report before it is made into a file: lines in the order of their start, read as they are needed. */
export interface Report {
  facts: ReportFacts;
  lines: AsyncIterable<ReportLine>;
}

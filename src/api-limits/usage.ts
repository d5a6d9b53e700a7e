import { DAY_MS } from '../clock.ts';
import type { Platform } from '../context.ts';

type Needs = Pick<Platform, 'db' | 'clock'>;

/** Calls of an account in a day of UTC. */
interface Entry {
  accountId: string;
  /** Its beginning. */
  day: Date;
  /** As the table had it when it was last read or written: the calls of the other instances are in it. */
  written: number;
  /** On their way into the table. */
  inFlight: number;
  /** Not yet. */
  pending: number;
  /** The first look at the table. */
  ready: Promise<void>;
  usedMs: number;
}

/** An entry that nobody has used for that long is forgotten; the next call reads the table again. */
const FORGOTTEN_MS = 60_000;

/**
 * Counts calls by account and day (M2W-13). A call is counted in memory at once, so one instance is exact; {@link flush} adds
 * what has gathered to the table, in one statement for all accounts, and learns there what the others have counted. So
 * several instances together may let through what arrives between two flushes, and a crash forgets as much.
 */
export class CallCounter {
  private readonly entries = new Map<string, Entry>();
  private flushing: Promise<void> = Promise.resolve();

  constructor(private readonly ctx: Needs) {}

  /** The calls of the account today, and whether this one was still below the limit: then it is counted. */
  async take(accountId: string, limit: number): Promise<{ used: number; taken: boolean }> {
    const entry = await this.entryOf(accountId);
    const taken = usedIn(entry) < limit;
    if (taken) entry.pending += 1;
    return { used: usedIn(entry), taken };
  }

  /** The calls of the account today. */
  async used(accountId: string): Promise<number> {
    return usedIn(await this.entryOf(accountId));
  }

  private async entryOf(accountId: string): Promise<Entry> {
    const day = startOfDay(this.ctx.clock.now());
    const key = `${accountId} ${day.getTime()}`;
    let entry = this.entries.get(key);
    if (!entry) {
      const made: Entry = {
        ...{ accountId, day, written: 0, inFlight: 0, pending: 0 },
        ready: this.read(accountId, day).then(
          (calls) => {
            made.written = calls;
          },
          (error: unknown) => {
            this.entries.delete(key);
            throw error;
          },
        ),
        usedMs: 0,
      };
      entry = made;
      this.entries.set(key, entry);
    }
    entry.usedMs = performance.now();
    await entry.ready;
    return entry;
  }

  private async read(accountId: string, day: Date): Promise<number> {
    const row = await this.ctx.db.apiUsage.findUnique({ where: { accountId_day: { accountId, day } } });
    return row?.calls ?? 0;
  }

  /** Adds what has gathered to the table. What could not be written is kept for the next time. */
  flush(): Promise<void> {
    const next = this.flushing.catch(() => undefined).then(() => this.write());
    this.flushing = next;
    return next;
  }

  private async write(): Promise<void> {
    const now = performance.now();
    for (const [key, { pending, usedMs }] of this.entries)
      if (pending === 0 && now - usedMs > FORGOTTEN_MS) this.entries.delete(key);
    const due = [...this.entries].filter(([, { pending }]) => pending > 0);
    if (due.length === 0) return;
    for (const [, entry] of due) {
      entry.inFlight = entry.pending;
      entry.pending = 0;
    }
    const rows = due.map(([, { accountId, day, inFlight }]) => ({
      accountId,
      day: day.toISOString().slice(0, 10),
      calls: inFlight,
    }));
    try {
      // In the order of the key, so that two instances do not wait for each other.
      const written = await this.ctx.db.$queryRaw<{ accountId: string; day: string; calls: number }[]>`
        INSERT INTO "ApiUsage" ("accountId", "day", "calls")
        SELECT a."id", u."day", u."calls"
        FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS u("accountId" uuid, "day" date, "calls" int)
        JOIN "Account" a ON a."id" = u."accountId"
        ORDER BY 1, 2
        ON CONFLICT ("accountId", "day") DO UPDATE SET "calls" = "ApiUsage"."calls" + EXCLUDED."calls"
        RETURNING "accountId", "day"::text AS "day", "calls"`;
      const calls = new Map(written.map((row) => [`${row.accountId} ${Date.parse(row.day)}`, row.calls]));
      for (const [key, entry] of due) {
        entry.written = calls.get(key) ?? entry.written;
        entry.inFlight = 0;
      }
    } catch (error) {
      for (const [, entry] of due) {
        entry.pending += entry.inFlight;
        entry.inFlight = 0;
      }
      throw error;
    }
  }
}

const usedIn = ({ written, inFlight, pending }: Entry): number => written + inFlight + pending;

const startOfDay = (time: Date): Date => new Date(time.getTime() - (time.getTime() % DAY_MS));

/** Milliseconds until 00:00 UTC, at least 1. */
export const leftToday = (now: Date): number => DAY_MS - (now.getTime() % DAY_MS);

const KEPT_DAYS = 40;

/** Forgets the counts of days that nobody asks for any more. */
export async function purgeApiUsage({ db, clock }: Needs): Promise<void> {
  await db.apiUsage.deleteMany({
    where: { day: { lt: new Date(startOfDay(clock.now()).getTime() - KEPT_DAYS * DAY_MS) } },
  });
}

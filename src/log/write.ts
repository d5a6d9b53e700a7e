import type { Platform } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { retryOnConflict } from '../database/retry.ts';
import { notFound } from '../errors.ts';
import { NO_ID } from '../graphql/global-id.ts';
import { LOG_EVENTS, type LogCode } from './events.ts';

/** A user or Ewon as an entry keeps it: by reference and by name (LOG-03). */
export interface Subject {
  id: string;
  number: number;
  name: string;
}

/** An entry to be written. Its time, number, category and severity follow. */
export interface LogDraft {
  code: LogCode;
  /** The acting or concerned user. */
  user?: Subject | null;
  ewon?: Subject | null;
  sessionId?: string | null;
  /** What the text needs; never a secret (LOG-21). */
  params?: Record<string, string | number | boolean | null>;
  /** Who triggered it; by default the user where there is one, else the Ewon, else the platform (LOG-02). */
  trigger?: 'USER' | 'EWON' | 'PLATFORM';
}

/** The account's transaction: its client, and the drafts that are written at its end. */
export interface AccountTx {
  tx: Tx;
  /** The clock when the account's row was taken: times rise with the entries' numbers (LOG-05). */
  now: Date;
  accountId: string;
  log(...drafts: LogDraft[]): void;
  /** Runs after the commit, and only then: bells. */
  afterCommit(work: () => void): void;
}

/**
 * Does one piece of work on an account in one transaction that holds the account's row, writes what it logs, and rings
 * after the commit. The row lock makes the work of one account serial: what is counted stays true until the commit, the
 * order of the entries' numbers is the order of the commits (EVT-01), and no two such transactions can deadlock. Work on
 * different accounts runs side by side. Repeated when the database reports a conflict.
 */
export function inAccount<T>(ctx: Platform, accountId: string, work: (account: AccountTx) => Promise<T>): Promise<T> {
  return inLocked(ctx, [accountId], ([account]) => work(account as AccountTx), mustBeThere);
}

/**
 * {@link inAccount} for work on two accounts: their rows are taken in the order of their ids, by whoever takes several, so that
 * this cannot deadlock either. Each account has its own entries; the rest of the two is the same.
 */
export function inAccounts<T>(
  ctx: Platform,
  accountIds: readonly [string, string],
  work: (first: AccountTx, second: AccountTx) => Promise<T>,
): Promise<T> {
  return inLocked(ctx, accountIds, ([first, second]) => work(first as AccountTx, second as AccountTx), mustBeThere);
}

/** Runs the same statements as {@link inAccount} for an account that does not exist, so that it takes as long (AUTH-04). */
export const inNoAccount = <T>(ctx: Platform, work: (account: AccountTx) => Promise<T>): Promise<T> =>
  inLocked(
    ctx,
    [NO_ID],
    ([account]) => work(account as AccountTx),
    () => undefined,
  );

/** @throws AppError NOT_FOUND */
function mustBeThere(all: boolean): void {
  if (!all) throw notFound('account');
}

function inLocked<T>(
  ctx: Platform,
  accountIds: readonly string[],
  work: (accounts: readonly AccountTx[]) => Promise<T>,
  check: (all: boolean) => void,
): Promise<T> {
  return retryOnConflict(async () => {
    const after: (() => void)[] = [];
    const drafts = new Map<string, LogDraft[]>(accountIds.map((id) => [id, []]));
    const result = await ctx.db.$transaction(async (tx) => {
      const locked = await tx.$queryRaw<unknown[]>`
        SELECT 1 FROM "Account" WHERE "id" = ANY(${accountIds}::uuid[]) ORDER BY "id" FOR NO KEY UPDATE`;
      check(locked.length === accountIds.length);
      const now = ctx.clock.now();
      const outcome = await work(
        accountIds.map((accountId) => ({
          tx,
          now,
          accountId,
          log: (...more) => void drafts.get(accountId)?.push(...more),
          afterCommit: (ring) => void after.push(ring),
        })),
      );
      for (const [accountId, entries] of drafts) await writeEntries(tx, accountId, now, entries);
      return outcome;
    });
    for (const [accountId, entries] of drafts) if (entries.length > 0) ctx.bell.ring(`log:${accountId}`);
    for (const ring of after) ring();
    return result;
  });
}

/** One statement, whatever the number of entries: raises the account's counter and inserts them under its numbers. */
export async function writeEntries(tx: Tx, accountId: string, now: Date, drafts: LogDraft[]): Promise<void> {
  if (drafts.length === 0) return;
  const rows = drafts.map(({ code, user, ewon, sessionId, params, trigger }, index) => ({
    index: index + 1,
    code,
    category: LOG_EVENTS[code].category,
    severity: LOG_EVENTS[code].severity,
    trigger: trigger ?? (user ? 'USER' : ewon ? 'EWON' : 'PLATFORM'),
    userId: user?.id,
    userNumber: user?.number,
    userName: user?.name,
    ewonId: ewon?.id,
    ewonNumber: ewon?.number,
    ewonName: ewon?.name,
    sessionId,
    params: params ?? {},
  }));
  await tx.$executeRaw`
    WITH counter AS (
      UPDATE "Account" SET "logSeq" = "logSeq" + ${rows.length}::int WHERE "id" = ${accountId}::uuid
      RETURNING "logSeq" - ${rows.length}::int AS "before"
    )
    INSERT INTO "LogEntry" ("accountId", "seq", "at", "code", "category", "severity", "trigger",
      "userId", "userNumber", "userName", "ewonId", "ewonNumber", "ewonName", "sessionId", "params")
    SELECT ${accountId}::uuid, counter."before" + e."index", ${now}::timestamp, e."code", e."category", e."severity", e."trigger",
      e."userId", e."userNumber", e."userName", e."ewonId", e."ewonNumber", e."ewonName", e."sessionId", e."params"
    FROM counter, jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS e(
      "index" int, "code" text, "category" "LogCategory", "severity" "LogSeverity", "trigger" "LogTrigger",
      "userId" uuid, "userNumber" int, "userName" text, "ewonId" uuid, "ewonNumber" int, "ewonName" text, "sessionId" uuid, "params" jsonb)`;
}

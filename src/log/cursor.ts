import type { Db } from '../database/database.ts';
import { AppError } from '../errors.ts';

/** A place in an account's log: behind the entry of that number (EVT-03). */
export const encodeCursor = (accountId: string, seq: bigint): string =>
  Buffer.from(`${accountId}.${seq}`).toString('base64url');

const CURSOR = /^([0-9a-f-]{36})\.(\d{1,18})$/;

/**
 * The number inside a cursor of this account; without a cursor, that of the newest entry.
 * @throws AppError CURSOR_INVALID when the server never gave such a cursor, CURSOR_EXPIRED when it is of another account, older
 * than the retention (EVT-04), or of a place that the log has not reached: of another life of the account, as after a
 * database was restored from a backup.
 */
export async function placeOf(
  ctx: { db: Pick<Db, 'account'> },
  accountId: string,
  cursor: string | null,
): Promise<bigint> {
  const place = cursor === null ? null : decodeCursor(accountId, cursor);
  const { logSeq, logPurgedSeq } = await ctx.db.account.findUniqueOrThrow({
    where: { id: accountId },
    select: { logSeq: true, logPurgedSeq: true },
  });
  if (place === null) return logSeq;
  if (place < logPurgedSeq || place > logSeq) throw cursorExpired();
  return place;
}

function decodeCursor(accountId: string, cursor: string): bigint {
  const [, owner, seq] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  if (owner === undefined || seq === undefined)
    throw new AppError('CURSOR_INVALID', 'The cursor is malformed: use one that the server has given.');
  if (owner !== accountId) throw cursorExpired();
  return BigInt(seq);
}

export const cursorExpired = (): AppError =>
  new AppError('CURSOR_EXPIRED', 'The cursor is older than the retention of the log, or not of this account.');

import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { LogEntry } from '../generated/prisma/client.ts';
import { refreshActor } from '../logins/login.ts';
import type { Actor } from '../users/actor.ts';
import { cursorExpired, encodeCursor, placeOf } from './cursor.ts';
import { readOn } from './read-on.ts';

/** A stream that ended although its reader wanted more; he goes on from the cursor. */
export class StreamEndedError extends AppError {
  override readonly name = 'StreamEndedError';
  constructor(
    code: 'STREAM_LAGGED' | 'LOGIN_EXPIRED',
    message: string,
    /** Null for a stream without a place, such as the slot usage. */
    readonly cursor: string | null,
  ) {
    super(code, message);
  }
}

export const loginExpired = (cursor: string | null): StreamEndedError =>
  new StreamEndedError('LOGIN_EXPIRED', 'The login has expired or was revoked; log in again.', cursor);

export interface FollowOptions {
  /** Exclusive; null starts now (EVT-03). */
  after: string | null;
  /** Keeps the entries that the actor, with the rights he has now, may read and asked for (EVT-07). */
  select(entries: LogEntry[], actor: Actor): Promise<LogEntry[]>;
  signal: AbortSignal;
}

export interface FollowedBatch {
  entries: LogEntry[];
  cursor: string;
  /** The actor with his rights as they were when the batch was selected. */
  actor: Actor;
}

/**
 * Reads an account's log from a place on, and goes on as it grows (EVT-03). The log is the only source: the bell says that
 * there may be more, and every few seconds it is read without a bell, so nothing depends on a message that could be lost.
 * Nothing is read before the reader has taken what was read before (EVT-06).
 *
 * Entries are numbered without a gap in the order of their commits (EVT-01). So what a read finds is all there is up to the
 * last of it, the place may move past those that the reader does not get, and a missing number means retention. The
 * rights are read after the entries: one withdrawn before an entry was written never shows it (EVT-07).
 * @throws AppError CURSOR_EXPIRED, CURSOR_INVALID
 * @throws StreamEndedError LOGIN_EXPIRED, STREAM_LAGGED
 */
export async function* followLog(
  ctx: Platform,
  reader: Actor,
  options: FollowOptions,
): AsyncGenerator<FollowedBatch, void> {
  const { STREAM_BATCH, STREAM_POLL_SECONDS, STREAM_STALL_SECONDS } = ctx.config.limits;
  const { accountId } = reader;
  const { signal } = options;
  let place = await placeOf(ctx, accountId, options.after);
  const ear = listen(ctx, accountId, reader.loginId, signal);
  try {
    while (!signal.aborted) {
      const heard = ear.next();
      const entries = await readOn(ctx, accountId, place);
      const actor = await refreshActor(ctx, reader);
      if (!actor) throw loginExpired(encodeCursor(accountId, place));
      if (entries.length > 0 && entries[0]?.seq !== place + 1n) throw cursorExpired();
      const selected = entries.length === 0 ? [] : await options.select(entries, actor);
      place = entries.at(-1)?.seq ?? place;
      if (selected.length > 0) {
        const offeredAt = performance.now();
        const cursor = encodeCursor(accountId, place);
        yield { entries: selected, cursor, actor };
        if (performance.now() - offeredAt > STREAM_STALL_SECONDS * 1000)
          throw new StreamEndedError('STREAM_LAGGED', 'The reader was too slow; go on from the cursor.', cursor);
      }
      if (entries.length < STREAM_BATCH) await Promise.race([heard, ear.timeout(STREAM_POLL_SECONDS * 1000)]);
    }
  } finally {
    ear.stop();
  }
}

/** Hears the bells that concern a stream. A ring between two reads is not lost: `next` is taken before the read. */
function listen(ctx: Platform, accountId: string, loginId: string, signal: AbortSignal) {
  let ring: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const onRing = () => ring();
  const stops = [ctx.bell.onRing(`log:${accountId}`, onRing), ctx.bell.onRing(`login:${loginId}`, onRing)];
  signal.addEventListener('abort', onRing);
  return {
    next: (): Promise<void> =>
      new Promise((resolve) => {
        ring = resolve;
        if (signal.aborted) resolve();
      }),
    timeout: (ms: number): Promise<void> =>
      new Promise((resolve) => {
        clearTimeout(timer);
        timer = setTimeout(resolve, ms);
      }),
    stop: () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
      signal.removeEventListener('abort', onRing);
    },
  };
}

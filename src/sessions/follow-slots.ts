import type { Platform } from '../context.ts';
import { loginExpired } from '../log/follow.ts';
import { refreshActor } from '../logins/login.ts';
import type { Actor } from '../users/actor.ts';
import type { SlotFigures } from './slot-rules.ts';
import { readSlotFigures } from './slots.ts';

/**
 * The slot figures now, and at each change (EVT-11). They are read when the reader is ready for more, so a slow one gets the
 * latest and nothing gathers. With them comes the actor with his rights as they were then (EVT-07).
 * @throws StreamEndedError LOGIN_EXPIRED
 */
export async function* followSlots(
  ctx: Platform,
  reader: Actor,
  signal: AbortSignal,
): AsyncGenerator<{ actor: Actor; figures: SlotFigures }, void> {
  let last = '';
  let wake: () => void = () => undefined;
  const onRing = () => wake();
  const stops = [
    ctx.bell.onRing(`slots:${reader.accountId}`, onRing),
    ctx.bell.onRing(`login:${reader.loginId}`, onRing),
  ];
  signal.addEventListener('abort', onRing);
  try {
    while (!signal.aborted) {
      const heard = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const actor = await refreshActor(ctx, reader);
      if (!actor) throw loginExpired(null);
      const figures = await readSlotFigures(ctx.db, actor);
      const text = JSON.stringify(figures);
      if (text !== last) {
        last = text;
        yield { actor, figures };
        continue;
      }
      const timer = setTimeout(onRing, ctx.config.limits.STREAM_POLL_SECONDS * 1000);
      if (!signal.aborted) await heard;
      clearTimeout(timer);
    }
  } finally {
    for (const stop of stops) stop();
    signal.removeEventListener('abort', onRing);
  }
}

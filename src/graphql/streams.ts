import { Gauge } from 'prom-client';
import { AppError, TooManyRequestsError } from '../errors.ts';
import { StreamEndedError } from '../log/follow.ts';
import { requestError } from './builder.ts';
import type { LoggedInContext } from './context.ts';
import { Loaders } from './loaders.ts';

/** The live streams of this process (EVT-09): a count for all, and one a login for its limit. */
class LiveStreams {
  private readonly byLogin = new Map<string, number>();
  private total = 0;

  get count(): number {
    return this.total;
  }

  /** @throws TooManyRequestsError past the number of streams a login may have. */
  enter(loginId: string, most: number): () => void {
    const own = this.byLogin.get(loginId) ?? 0;
    if (own >= most) throw new TooManyRequestsError(`At most ${most} streams a login; end one first.`, 1);
    this.byLogin.set(loginId, own + 1);
    this.total += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const now = (this.byLogin.get(loginId) ?? 1) - 1;
      if (now === 0) this.byLogin.delete(loginId);
      else this.byLogin.set(loginId, now);
      this.total -= 1;
    };
  }
}

export const liveStreams = new LiveStreams();
export const liveStreamsGauge = new Gauge({
  name: 'talkgate_live_streams',
  help: 'GraphQL subscriptions being served',
  registers: [],
  collect() {
    this.set(liveStreams.count);
  },
});

/**
 * Serves a generator as a subscription. Its end is told at once to a generator that waits (an async generator's own
 * `return` would wait with it), every event gets fresh loaders (EVT-10), and what the generator throws becomes a top-level
 * error whose extensions carry code and cursor.
 */
export function serveStream<T>(
  ctx: LoggedInContext,
  start: (signal: AbortSignal) => AsyncGenerator<T, void>,
): AsyncIterableIterator<T> {
  const gone = new AbortController();
  const leave = liveStreams.enter(ctx.actor.loginId, ctx.config.limits.STREAMS_PER_LOGIN);
  const generator = start(gone.signal);
  const end = () => {
    leave();
    gone.abort();
    ctx.signal?.removeEventListener('abort', end);
  };
  ctx.signal?.addEventListener('abort', end);
  if (ctx.signal?.aborted) end();
  return {
    async next() {
      try {
        ctx.loaders = new Loaders();
        const result = await generator.next();
        if (result.done) end();
        return result;
      } catch (error) {
        end();
        throw streamError(error);
      }
    },
    async return() {
      end();
      await generator.return();
      return { done: true, value: undefined };
    },
    async throw(error: unknown) {
      end();
      return generator.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function streamError(error: unknown): unknown {
  if (error instanceof StreamEndedError) return requestError(error.code, error.message, { cursor: error.cursor });
  if (error instanceof AppError) return requestError(error.code, error.message);
  return error;
}

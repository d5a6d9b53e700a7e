import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../client/errors.ts';

/**
 * Does something, again whenever the platform asks to come later (TOO_MANY_REQUESTS or RATE_LIMITED, with `retryAfter`), within a time.
 *
 * @throws the refusal when its wait would end after that time; the reason of `signal`; what `act` throws
 */
export async function patiently<T>(
  act: () => Promise<T>,
  { withinMs, signal }: { withinMs: number; signal?: AbortSignal | undefined },
): Promise<T> {
  const latest = Date.now() + withinMs;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof CodedError) || !['TOO_MANY_REQUESTS', 'RATE_LIMITED'].includes(error.code)) throw error;
      const waitMs = Math.max(1, error.retryAfter ?? 1) * 1000;
      if (Date.now() + waitMs > latest) throw error;
      await delay(waitMs, undefined, { signal });
    }
  }
}

/**
 * The member of a result union that was asked for.
 *
 * @throws CodedError the code of the refusal, or the name of a member that is neither
 */
export function accepted<Result extends { __typename: string }, Name extends Result['__typename']>(
  result: Result,
  name: Name,
): Extract<Result, { __typename: Name }> {
  if (result.__typename === name) return result as Extract<Result, { __typename: Name }>;
  const { code, message, retryAfter } = result as { code?: unknown; message?: unknown; retryAfter?: unknown };
  throw typeof code === 'string'
    ? new CodedError(code, String(message), typeof retryAfter === 'number' ? retryAfter : undefined)
    : new CodedError(result.__typename, `The platform answers with ${result.__typename}.`);
}

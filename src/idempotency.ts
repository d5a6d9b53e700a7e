import { createHash } from 'node:crypto';
import { z } from 'zod';
import { addSeconds, HOUR_MS, roundUp } from './clock.ts';
import type { ActorContext, Platform } from './context.ts';
import type { Tx } from './database/database.ts';
import { AppError } from './errors.ts';

/** What a caller names a request by, so that repeated it is done once (API-01). */
export const idempotencyKey = z
  .string()
  .min(1, 'An idempotency key has 1 to 100 characters.')
  .max(100, 'An idempotency key has 1 to 100 characters.');

/** A request under its idempotency key. */
export interface KeyedRequest {
  /** The mutation. */
  operation: string;
  /** Null for a request without one, which nothing is stored for. */
  key: string | null;
  /** What is asked for: with the same key it must be the same. */
  input: unknown;
}

type Stores = Pick<Tx, 'storedResult'>;

const hashOf = (input: unknown): string => createHash('sha256').update(JSON.stringify(input)).digest('hex');

/**
 * What this login was answered under the key within IDEMPOTENCY_HOURS (API-01); undefined when nothing was.
 * @throws AppError IDEMPOTENCY_KEY_REUSED for another operation or input
 */
export async function findStoredResult(
  { storedResult }: Stores,
  ctx: ActorContext,
  { operation, key, input }: KeyedRequest,
): Promise<string | null | undefined> {
  if (key === null) return undefined;
  const since = addSeconds(ctx.clock.now(), -ctx.config.limits.IDEMPOTENCY_HOURS * 3600);
  const stored = await storedResult.findUnique({
    where: { loginId_key: { loginId: ctx.actor.loginId, key }, createdAt: { gt: since } },
  });
  if (!stored) return undefined;
  if (stored.operation !== operation || stored.inputHash !== hashOf(input))
    throw new AppError('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used with another input.', [
      'idempotencyKey',
    ]);
  return stored.result as string | null;
}

/** Keeps the answer of a request, in the transaction that does what it asks. @param result by which it is found again */
export async function storeResult(
  { storedResult }: Stores,
  ctx: ActorContext,
  { operation, key, input }: KeyedRequest,
  result: string,
): Promise<void> {
  if (key === null) return;
  const { loginId } = ctx.actor;
  const data = { operation, inputHash: hashOf(input), result, createdAt: ctx.clock.now() };
  await storedResult.upsert({
    where: { loginId_key: { loginId, key } },
    create: { loginId, key, ...data },
    update: data,
  });
}

/** Forgets the results whose time is over (API-01). */
export async function purgeStoredResults(ctx: Platform): Promise<void> {
  const until = addSeconds(ctx.clock.now(), -ctx.config.limits.IDEMPOTENCY_HOURS * 3600);
  await ctx.db.storedResult.deleteMany({ where: { createdAt: { lte: until } } });
}

/** When the next result is to be forgotten, to the hour. */
export async function nextResultPurge({ db, config }: Platform): Promise<Date | null> {
  const { _min } = await db.storedResult.aggregate({ _min: { createdAt: true } });
  return _min.createdAt && roundUp(addSeconds(_min.createdAt, config.limits.IDEMPOTENCY_HOURS * 3600), HOUR_MS);
}

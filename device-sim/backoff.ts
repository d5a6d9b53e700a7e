/** When a device that lost its tunnel comes again. */
export interface ReconnectPolicy {
  /** The delay before the first new attempt, before jitter; it doubles with every further one. */
  baseMs: number;
  /** No delay is longer. */
  capMs: number;
}

export const DEFAULT_RECONNECT: ReconnectPolicy = { baseMs: 1000, capMs: 60_000 };

/**
 * The delay after `failures` attempts failed in a row: exponential, and of each delay the upper half is random, so that a
 * fleet that was cut at one moment does not come back at one moment, and no device comes back at once.
 */
export function reconnectDelayMs({ baseMs, capMs }: ReconnectPolicy, failures: number, random: () => number): number {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(failures, 50));
  return Math.round(full / 2 + (full / 2) * random());
}

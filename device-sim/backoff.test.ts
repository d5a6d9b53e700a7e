import { expect, test } from 'vitest';
import { reconnectDelayMs } from './backoff.ts';

const policy = { baseMs: 100, capMs: 3000 };

test('SIM-05 delays double up to the cap, of which at least half is kept', () => {
  const longest = Array.from({ length: 8 }, (_, failures) => reconnectDelayMs(policy, failures, () => 1));
  const shortest = Array.from({ length: 8 }, (_, failures) => reconnectDelayMs(policy, failures, () => 0));
  expect(longest).toEqual([100, 200, 400, 800, 1600, 3000, 3000, 3000]);
  expect(shortest).toEqual(longest.map((ms) => ms / 2));
  expect(reconnectDelayMs(policy, 100_000, () => 1)).toBe(3000);
});

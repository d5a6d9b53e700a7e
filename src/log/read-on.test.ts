import { expect, test } from 'vitest';
import type { Platform } from '../context.ts';
import { readOn } from './read-on.ts';

/** A database whose reads end when the test says so. */
function slowDatabase() {
  const ends: ((entries: unknown[]) => void)[] = [];
  const findMany = () => new Promise((resolve) => ends.push(resolve));
  const ctx = { db: { logEntry: { findMany } }, config: { limits: { STREAM_BATCH: 100 } } } as unknown as Platform;
  return { ctx, ends };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('EVT-06 followers at one place share a read, and who comes while it runs shares the next: never more than one at a time', async () => {
  const { ctx, ends } = slowDatabase();
  const first = readOn(ctx, 'account', 7n);
  const later = Array.from({ length: 100 }, () => readOn(ctx, 'account', 7n));
  expect(ends).toHaveLength(1);
  ends[0]?.([]);
  expect(await first).toEqual([]);
  await turn();
  expect(ends).toHaveLength(2);
  // What was written after the first read began is in the second.
  ends[1]?.(['entry']);
  expect(new Set(await Promise.all(later))).toEqual(new Set([await later[0]]));
  expect(await later[0]).toEqual(['entry']);
  await turn();
  expect(ends).toHaveLength(2);
});

test('EVT-06 readers at different places, or of different accounts, do not wait for each other', () => {
  const { ctx, ends } = slowDatabase();
  for (const [account, place] of [
    ['one', 1n],
    ['one', 2n],
    ['two', 1n],
  ] as const)
    void readOn(ctx, account, place);
  expect(ends).toHaveLength(3);
});

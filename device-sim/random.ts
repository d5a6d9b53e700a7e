import { createHash } from 'node:crypto';

/** 32 bits of a text; the same on every machine. */
export const hashOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE();

/** Random numbers from 0 up to 1 that a seed repeats (SIM-03): mulberry32. Not for secrets. */
export function seededRandom(seed: string): () => number {
  let state = hashOf(seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

import type { Count } from './format.ts';

interface Bounds {
  min: number;
  max: number;
}

/** What a count allows: `3`, `>= 3`, `<= 3`, `2..5`. */
function boundsOf(count: Count): Bounds {
  if (typeof count === 'number') return { min: count, max: count };
  const [min = 0, max = min] = (count.match(/\d+/g) ?? []).map(Number);
  if (count.startsWith('>=')) return { min, max: Number.POSITIVE_INFINITY };
  if (count.startsWith('<=')) return { min: 0, max: min };
  return { min, max };
}

/** Whether a number is as expected. */
export function meets(count: Count, value: number): boolean {
  const { min, max } = boundsOf(count);
  return value >= min && value <= max;
}

/** Whether a number that only grows cannot be as expected any more. */
export const exceeds = (count: Count, value: number): boolean => value > boundsOf(count).max;

/** Each expectation that does not hold, as a sentence. */
export function unmet(
  what: string,
  expected: Record<string, Count | undefined>,
  found: (name: string) => number,
): string[] {
  return Object.entries(expected).flatMap(([name, count]) => {
    if (count === undefined || meets(count, found(name))) return [];
    return [`${what} ${name}: expected ${count}, but there were ${found(name)}`];
  });
}

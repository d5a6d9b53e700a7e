import { describe, expect, it } from 'vitest';
import { firstOutOfRange } from './rules.ts';

const config = { limits: { DATA_RETENTION_DAYS: 10 } } as Parameters<typeof firstOutOfRange>[2];
const now = new Date('2026-11-20T12:00:00.000Z');
const check = (...times: string[]) =>
  firstOutOfRange(
    times.map((at) => ({ tag: 'level', at })),
    now,
    config,
  );

describe('the time of a value', () => {
  it('GW-14 lies between the retention and a day ahead, both included', () => {
    expect(check('2026-11-20T12:00:00Z', '2026-11-10T12:00:00Z', '2026-11-21T12:00:00Z')).toBeNull();
    expect(check('2026-11-20T12:00:00Z', '2026-11-10T11:59:59.999Z')).toBe(
      'points[1], "level" at 2026-11-10T11:59:59.999Z, is older than 10 days; none of the message was stored.',
    );
    expect(check('2026-11-21T12:00:00.001Z')).toContain('points[0], "level" at 2026-11-21T12:00:00.001Z, is more than');
    expect(check('no time')).not.toBeNull();
  });
});

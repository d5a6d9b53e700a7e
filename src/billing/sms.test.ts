import { expect, it } from 'vitest';
import { monthIn } from './sms.ts';

it.each([
  ['UTC', '2026-01-01T00:00:00Z', '2026-01'],
  ['UTC', '2026-10-31T23:59:59Z', '2026-10'],
  ['Pacific/Auckland', '2026-10-31T23:59:59Z', '2026-11'],
  ['America/Los_Angeles', '2026-11-01T06:59:59Z', '2026-10'],
  ['America/Los_Angeles', '2027-01-01T07:59:59Z', '2026-12'],
])('WAK-07 text messages are counted by the month of the account: in %s, %s is of %s', (timeZone, at, month) => {
  expect(monthIn(timeZone, new Date(at))).toBe(month);
});

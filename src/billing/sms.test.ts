import { expect, it } from 'vitest';
import { monthIn } from './months.ts';
import { smsParts } from './sms.ts';

it.each([
  ['UTC', '2026-01-01T00:00:00Z', '2026-01'],
  ['UTC', '2026-10-31T23:59:59Z', '2026-10'],
  ['Pacific/Auckland', '2026-10-31T23:59:59Z', '2026-11'],
  ['America/Los_Angeles', '2026-11-01T06:59:59Z', '2026-10'],
  ['America/Los_Angeles', '2027-01-01T07:59:59Z', '2026-12'],
])('WAK-07 text messages are counted by the month of the account: in %s, %s is of %s', (timeZone, at, month) => {
  expect(monthIn(timeZone, new Date(at))).toBe(month);
});

it.each([
  [1, 'x'.repeat(160)],
  [2, 'x'.repeat(161)],
  [3, 'x'.repeat(307)],
  [1, '€'.repeat(80)],
  [2, '€'.repeat(81)],
  [1, 'ю'.repeat(70)],
  [2, 'ю'.repeat(71)],
  [8, 'ю'.repeat(480)],
])('WAK-07 GW-13 a text costs as many messages as it is sent in: %i', (parts, text) => {
  expect(smsParts(text)).toBe(parts);
});

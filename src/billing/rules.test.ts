import { describe, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { openPayments } from './payments.ts';
import { centsOf, monthCharges, smsPackages, smsShares, tariffOf, wholeUnitsBeyond } from './rules.ts';

const config = readConfig({
  PLAN_FEE_CENTS_PRO: '7500',
  SLOT_PRICE_CENTS: '5000',
  SLOTS_BASE_PRO: '3',
  TRAFFIC_INCLUDED_MB_PRO: '4000',
  TRAFFIC_GB_PRICE_CENTS: '500',
  DATA_POINTS_INCLUDED_PRO: '5000000',
  DATA_POINTS_MILLION_PRICE_CENTS: '1000',
  MAIL_PRICE_CENTS: '2',
  SMS_PACKAGES: '500:5500,100:1200',
});
const nothing = { trial: false, concurrentConnections: 3, bytes: 0, dataPoints: 0, mails: 0 };
const charged = (plan: 'FREE' | 'PRO', use: Partial<typeof nothing>) =>
  monthCharges(tariffOf(plan, config), { ...nothing, ...use }).map(({ kind, quantity, cents }) => [
    kind,
    quantity,
    cents,
  ]);

describe('the end of a month', () => {
  it.each([
    [0, 999_999_999],
    [0, 4_999_999_999],
    [1, 5_000_000_000],
    [1, 5_999_999_999],
    [2, 6_000_000_000],
  ])('BIL-13 charges overuse in whole units only: %i GB for %i bytes with 4 GB included', (units, bytes) => {
    expect(wholeUnitsBeyond(bytes, 4_000_000_000, 1_000_000_000)).toBe(units);
  });

  it('BIL-11 BIL-13 BIL-14 charges fee, additional connections, overuse and mails, and has no line for what costs nothing', () => {
    expect(charged('PRO', {})).toEqual([['MONTHLY_FEE', 1, 7500]]);
    expect(charged('PRO', { concurrentConnections: 5, bytes: 6_500_000_000, dataPoints: 6_999_999, mails: 3 })).toEqual(
      [
        ['MONTHLY_FEE', 1, 7500],
        ['CONNECTIONS', 2, 10_000],
        ['TRAFFIC', 2, 1000],
        ['DATA_POINTS', 1, 1000],
        ['MAIL', 3, 6],
      ],
    );
    expect(charged('FREE', { concurrentConnections: 1 })).toEqual([]);
  });

  it('BIL-11 ACC-13 takes no fee while the trial runs; what is beyond the included is charged', () => {
    expect(charged('PRO', { trial: true, concurrentConnections: 4 })).toEqual([['CONNECTIONS', 1, 5000]]);
  });
});

it.each([
  [{ allowance: 3, units: 0, credit: 0 }, 3, { allowance: 5, units: 5 }],
  [{ allowance: 1, units: 2, credit: 0 }, 3, { allowance: 1, units: 5 }],
  [{ allowance: 1, units: 1, credit: 1 }, 3, { allowance: 1, units: 1 }],
  [{ allowance: 0, units: 0, credit: 2 }, 2, { allowance: -4, units: 0 }],
])(
  'BIL-05 WAK-07 BIL-12 the allowance pays before what was bought, and that before the credit: %j',
  (shares, parts, left) => {
    expect(smsShares(parts, left)).toEqual(shares);
  },
);

it('BIL-05 packages are configuration', () => {
  expect(smsPackages(config)).toEqual([
    { units: 100, cents: 1200 },
    { units: 500, cents: 5500 },
  ]);
});

it.each([
  ['1', 100],
  ['12.5', 1250],
  ['0.07', 7],
  ['-3.10', -310],
  ['999999999999.99', 99_999_999_999_999],
])('BIL-15 amounts are exact: %s', (text, cents) => {
  expect(centsOf(text)).toBe(cents);
});

it('BIL-05 payments are simulated but in production, where there is none without a provider', async () => {
  expect(openPayments({ production: true, simulation: false })).toBeNull();
  for (const simulation of [true, false]) {
    const payments = openPayments({ production: false, simulation });
    const order = { accountId: 'a', cents: 1, currency: 'EUR', purpose: 'credit' };
    const [one, again, other] = await Promise.all(['1', '1', '2'].map((key) => payments?.pay({ ...order, key })));
    expect(one?.reference).toMatch(/^SIM-[0-9a-f]{12}$/);
    expect([again, other?.reference === one?.reference]).toEqual([one, false]);
  }
});

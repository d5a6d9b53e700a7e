import { type PlanAllowances, planAllowances } from '../account/plans.ts';
import type { Config } from '../config.ts';
import type { LedgerKind, Plan } from '../generated/prisma/enums.ts';
import type { Month } from './months.ts';

/** A unit of traffic that is charged: a gigabyte is 10^9 bytes (BIL-13). */
const GIGABYTE = 1_000_000_000;
/** A unit of values of the DataMailbox that is charged (BIL-13). */
const MILLION = 1_000_000;

/** What a plan includes, and what everything costs beyond it, in cents (BIL-02). */
export interface Tariff {
  plan: Plan;
  allowances: PlanAllowances;
  /** Of one concurrent connection beyond the included ones, a month (BIL-14). */
  connectionCents: number;
  /** Of a whole gigabyte beyond the included traffic. */
  gigabyteCents: number;
  /** Of a whole million of values beyond the included ones. */
  millionPointsCents: number;
  mailCents: number;
  /** Of a text message that neither allowance nor package covers. */
  smsCents: number;
}

export const tariffOf = (plan: Plan, config: Config): Tariff => ({
  plan,
  allowances: planAllowances(plan, config),
  connectionCents: config.limits.SLOT_PRICE_CENTS,
  gigabyteCents: config.limits.TRAFFIC_GB_PRICE_CENTS,
  millionPointsCents: config.limits.DATA_POINTS_MILLION_PRICE_CENTS,
  mailCents: config.limits.MAIL_PRICE_CENTS,
  smsCents: config.limits.SMS_PRICE_CENTS,
});

/** What an account used in a month, as far as it is charged at its end. */
export interface ChargedUse {
  /** Whether the free trial runs at the end of the month. */
  trial: boolean;
  /** The number in force at the end of the month. */
  concurrentConnections: number;
  /** Of VPN traffic, both ways. */
  bytes: number;
  dataPoints: number;
  mails: number;
}

/** Something that is charged; `cents` is quantity times price. */
export interface Charge {
  kind: Extract<LedgerKind, 'MONTHLY_FEE' | 'CONNECTIONS' | 'TRAFFIC' | 'DATA_POINTS' | 'MAIL' | 'SMS'>;
  /** For people. */
  name: string;
  quantity: number;
  unitCents: number;
  cents: number;
}

/** What makes a charge come once a month. */
export const chargeKey = (month: Month, kind: Charge['kind']): string => `${month} ${kind}`;

/** How many whole units are used beyond what is included: one that is incomplete is free (BIL-13). */
export const wholeUnitsBeyond = (used: number, included: number, unit: number): number =>
  Math.max(0, Math.floor((used - included) / unit));

/**
 * What the end of a month takes from the credit (BIL-11, BIL-13, BIL-14): the fee, none while the trial runs, the additional
 * connections, and overuse in whole units. What costs nothing is left out.
 */
export function monthCharges(
  { plan, allowances, ...price }: Tariff,
  { trial, concurrentConnections, bytes, dataPoints, mails }: ChargedUse,
): Charge[] {
  const charge = (kind: Charge['kind'], name: string, quantity: number, unitCents: number): Charge => ({
    ...{ kind, name, quantity, unitCents },
    cents: quantity * unitCents,
  });
  const connections = Math.max(0, concurrentConnections - allowances.concurrentConnections);
  const gigabytes = wholeUnitsBeyond(bytes, allowances.trafficBytes, GIGABYTE);
  const millions = wholeUnitsBeyond(dataPoints, allowances.dataPoints, MILLION);
  return [
    charge('MONTHLY_FEE', `Monthly fee of plan ${plan}`, trial ? 0 : 1, allowances.feeCents),
    charge('CONNECTIONS', 'Additional concurrent connections', connections, price.connectionCents),
    charge('TRAFFIC', 'VPN traffic beyond the included, GB', gigabytes, price.gigabyteCents),
    charge('DATA_POINTS', 'DataMailbox points beyond the included, millions', millions, price.millionPointsCents),
    charge('MAIL', 'Mails', mails, price.mailCents),
  ].filter(({ cents }) => cents > 0);
}

/** A package of text messages (BIL-05). */
export interface SmsPackage {
  units: number;
  cents: number;
}

/** The packages that can be bought, the smallest first. */
export const smsPackages = ({ limits }: Config): SmsPackage[] =>
  limits.SMS_PACKAGES.split(',')
    .map((text) => text.split(':').map(Number))
    .map(([units = 0, cents = 0]) => ({ units, cents }))
    .sort((a, b) => a.units - b.units);

/** What pays for a text message (WAK-07). */
export interface SmsShares {
  /** Messages of the month's allowance. */
  allowance: number;
  /** Messages that were bought (BIL-05). */
  units: number;
  /** Messages that the credit pays for. */
  credit: number;
}

/** The allowance first, for it does not carry over (BIL-12); then what was bought; then the credit. */
export function smsShares(parts: number, left: { allowance: number; units: number }): SmsShares {
  const allowance = Math.min(parts, Math.max(0, left.allowance));
  const units = Math.min(parts - allowance, Math.max(0, left.units));
  return { allowance, units, credit: parts - allowance - units };
}

/** The cents of an exact decimal such as `12.5`, with at most two decimals. */
export function centsOf(decimal: string): number {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d{1,12})(?:\.(\d{1,2}))?$/.exec(decimal) ?? [];
  const cents = Number(`${whole}${fraction.padEnd(2, '0')}`);
  return sign === '-' ? -cents : cents;
}

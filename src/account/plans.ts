import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Plan } from '../generated/prisma/enums.ts';

/** What a plan has: resolvers and rules test the flag, never the plan's name (ACC-10). */
export interface PlanFeatures {
  groups: boolean;
  pools: boolean;
  reservedConnections: boolean;
  importTarget: boolean;
  multipleConcurrentConnections: boolean;
  requireTwoFactorForAll: boolean;
  portalBranding: boolean;
  reports: boolean;
}

export type PlanFeature = keyof PlanFeatures;

const NONE: PlanFeatures = {
  groups: false,
  pools: false,
  reservedConnections: false,
  importTarget: false,
  multipleConcurrentConnections: false,
  requireTwoFactorForAll: false,
  portalBranding: false,
  reports: false,
};

export const PLANS: Record<Plan, PlanFeatures> = {
  FREE: NONE,
  LIGHT: { ...NONE, multipleConcurrentConnections: true, reports: true },
  PRO: {
    groups: true,
    pools: true,
    reservedConnections: true,
    importTarget: true,
    multipleConcurrentConnections: true,
    requireTwoFactorForAll: true,
    portalBranding: true,
    reports: true,
  },
};

/** The number of concurrent connections that a plan begins with and never goes below (CON-18). */
export const baseSlots = (plan: Plan, { limits }: Config): number =>
  ({ FREE: limits.SLOTS_BASE_FREE, LIGHT: limits.SLOTS_BASE_LIGHT, PRO: limits.SLOTS_BASE_PRO })[plan];

/** What a plan includes a month, and costs (BIL-02, BIL-17). */
export interface PlanAllowances {
  /** Bytes of VPN traffic: a megabyte is 10^6 of them. */
  trafficBytes: number;
  sms: number;
  /** Values of the DataMailbox. */
  dataPoints: number;
  /** Calls of the API a day (M2W-13). */
  apiCallsPerDay: number;
  /** Concurrent connections (CON-18). */
  concurrentConnections: number;
  /** The fixed fee of a month, in cents (BIL-11). */
  feeCents: number;
}

const MEGABYTE = 1_000_000;

export function planAllowances(plan: Plan, config: Config): PlanAllowances {
  const { limits } = config;
  return {
    trafficBytes: limits[`TRAFFIC_INCLUDED_MB_${plan}`] * MEGABYTE,
    sms: limits[`SMS_INCLUDED_${plan}`],
    dataPoints: limits[`DATA_POINTS_INCLUDED_${plan}`],
    apiCallsPerDay: limits[`API_CALLS_PER_DAY_${plan}`],
    concurrentConnections: baseSlots(plan, config),
    feeCents: plan === 'FREE' ? 0 : limits[`PLAN_FEE_CENTS_${plan}`],
  };
}

/** @throws AppError PLAN_FEATURE_NOT_AVAILABLE (ACC-11) */
export function requireFeature(plan: Plan, feature: PlanFeature): void {
  if (!PLANS[plan][feature]) {
    throw new AppError('PLAN_FEATURE_NOT_AVAILABLE', `The plan ${plan} does not include this feature (${feature}).`);
  }
}

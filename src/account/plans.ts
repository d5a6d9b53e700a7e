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

/** @throws AppError PLAN_FEATURE_NOT_AVAILABLE (ACC-11) */
export function requireFeature(plan: Plan, feature: PlanFeature): void {
  if (!PLANS[plan][feature]) {
    throw new AppError('PLAN_FEATURE_NOT_AVAILABLE', `The plan ${plan} does not include this feature (${feature}).`);
  }
}

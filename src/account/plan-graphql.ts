import { MoneyType } from '../billing/money.ts';
import { ConfirmationRequiredError } from '../errors.ts';
import type { Plan } from '../generated/prisma/enums.ts';
import { builder } from '../graphql/builder.ts';
import type { PlanLosses, PlanOffer } from './change-plan.ts';
import { changePlan, offerPlan } from './change-plan.ts';
import { PLANS, type PlanAllowances, type PlanFeatures, planAllowances } from './plans.ts';
import { accountSuccess } from './success.ts';

export const PlanEnum = builder.enumType('Plan', {
  description: 'The plan of an account (ACC-04): FREE, LIGHT or PRO.',
  values: {
    FREE: { description: 'One connection, no groups and no pools.' },
    LIGHT: { description: 'Several connections, no groups and no pools; not self-service (ACC-14).' },
    PRO: { description: 'Every feature.' },
  } satisfies Record<Plan, object>,
});

const PlanFeaturesType = builder.objectRef<PlanFeatures>('PlanFeatures').implement({
  description: 'What the plan includes: clients test the feature, not the name of the plan (ACC-10).',
  fields: (t) => ({
    groups: t.exposeBoolean('groups', {
      description: 'User groups with rights on pools (GRP-01); without them the roles decide.',
    }),
    pools: t.exposeBoolean('pools', { description: 'Pools besides the default one (ACC-09).' }),
    reservedConnections: t.exposeBoolean('reservedConnections', {
      description: 'Connections reserved for groups (CON-24).',
    }),
    importTarget: t.exposeBoolean('importTarget', {
      description: 'May take over the Ewons of another account (IMP-01).',
    }),
    multipleConcurrentConnections: t.exposeBoolean('multipleConcurrentConnections', {
      description: 'More than one concurrent connection (ACC-05).',
    }),
    requireTwoFactorForAll: t.exposeBoolean('requireTwoFactorForAll', {
      description: 'May oblige every user to have a second factor (TFA-45).',
    }),
    portalBranding: t.exposeBoolean('portalBranding', {
      description: 'The portal can carry the account’s own look (BRD-01).',
    }),
    reports: t.exposeBoolean('reports', { description: 'Monthly reports (BIL-06).' }),
  }),
});

const PlanAllowancesType = builder.objectRef<PlanAllowances>('PlanAllowances').implement({
  description:
    'What the plan includes a month, and its fee (BIL-02, BIL-17). What is not used does not carry over (BIL-12).',
  fields: (t) => ({
    trafficBytes: t.field({
      type: 'ByteCount',
      description: 'VPN traffic, both ways.',
      resolve: ({ trafficBytes }) => trafficBytes,
    }),
    sms: t.exposeInt('sms', { description: 'Text messages.' }),
    dataPoints: t.exposeInt('dataPoints', { description: 'Values of the DataMailbox.' }),
    apiCallsPerDay: t.exposeInt('apiCallsPerDay', { description: 'Calls of the API in a day of UTC (M2W-13).' }),
    concurrentConnections: t.exposeInt('concurrentConnections', {
      description: 'Concurrent connections; the number never goes below (CON-18).',
    }),
    monthlyFee: t.field({
      type: MoneyType,
      description: 'The fixed fee, taken at the end of each month (BIL-11).',
      resolve: ({ feeCents }) => ({ cents: feeCents }),
    }),
  }),
});

const PlanDescriptionType = builder.objectRef<{ plan: Plan }>('PlanDescription').implement({
  description: 'A plan as data: its features and allowances (ACC-10).',
  fields: (t) => ({
    plan: t.field({ type: PlanEnum, description: 'Which one.', resolve: ({ plan }) => plan }),
    features: t.field({
      type: PlanFeaturesType,
      description: 'What it can do.',
      resolve: ({ plan }) => PLANS[plan],
    }),
    allowances: t.field({
      type: PlanAllowancesType,
      description: 'What it includes.',
      resolve: ({ plan }, _args, { config }) => planAllowances(plan, config),
    }),
    selfService: t.boolean({
      description: 'Administrators can choose it themselves; LIGHT is the operator’s to give (ACC-14).',
      resolve: ({ plan }) => plan !== 'LIGHT',
    }),
  }),
});

const TrialType = builder.objectRef<{ startedAt: Date; endsAt: Date | null }>('Trial').implement({
  description: 'The free trial of PRO, which an account has once (ACC-13).',
  fields: (t) => ({
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    endsAt: t.expose('endsAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When it ends; without credit that was added since, the account is then on FREE again (ACC-16). Null when it is over.',
    }),
  }),
});

const PlanLossesType = builder.objectRef<PlanLosses>('PlanLosses').implement({
  description: 'What a change of plan takes away for good; all 0 when it takes nothing (ACC-15, ACC-17 to ACC-20).',
  fields: (t) => ({
    groups: t.exposeInt('groups', { description: 'Groups that go.' }),
    pools: t.exposeInt('pools', { description: 'Pools that go; every user then reaches every Ewon.' }),
    reservations: t.exposeInt('reservations', { description: 'Connections that are no longer reserved.' }),
    tokensWidened: t.exposeInt('tokensWidened', {
      description: 'API tokens limited to a pool, which become valid for all Ewons.',
    }),
    usersDisabled: t.exposeInt('usersDisabled', {
      description:
        'Users with an expiration date, who are disabled at once; one fewer when the last Administrator is among them (ACC-23).',
    }),
    firewallsRaised: t.exposeInt('firewallsRaised', { description: 'Ewons whose firewall becomes HIGH.' }),
    connections: t.exposeInt('connections', { description: 'Concurrent connections fewer; live ones go on.' }),
  }),
});

const PlanOfferType = builder.objectRef<PlanOffer>('PlanOffer').implement({
  description: 'What a change of plan would mean, before it is ordered.',
  fields: (t) => ({
    from: t.field({ type: PlanEnum, description: 'The present plan.', resolve: ({ from }) => from }),
    plan: t.field({ type: PlanEnum, description: 'The plan in question.', resolve: ({ plan }) => plan }),
    trialUntil: t.expose('trialUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when it would be a free trial (ACC-13); null when it is paid from the start.',
    }),
    monthlyFee: t.field({
      type: MoneyType,
      description: 'The fixed fee of a month, after a trial.',
      resolve: ({ monthlyFeeCents }) => ({ cents: monthlyFeeCents }),
    }),
    downgrade: t.exposeBoolean('downgrade', { description: 'It takes something away and has to be confirmed.' }),
    losses: t.field({ type: PlanLossesType, description: 'What is lost for good.', resolve: ({ losses }) => losses }),
  }),
});

builder.prismaObjectFields('Account', (t) => ({
  features: t.field({
    type: PlanFeaturesType,
    description: 'What the plan includes.',
    select: { plan: true },
    resolve: ({ plan }) => PLANS[plan],
  }),
  allowances: t.field({
    type: PlanAllowancesType,
    description: 'What the plan includes a month.',
    select: { plan: true },
    resolve: ({ plan }, _args, { config }) => planAllowances(plan, config),
  }),
  trial: t.field({
    type: TrialType,
    nullable: true,
    description: 'Null while there was none.',
    select: { trialStartedAt: true, trialEndsAt: true },
    resolve: ({ trialStartedAt, trialEndsAt }) => trialStartedAt && { startedAt: trialStartedAt, endsAt: trialEndsAt },
  }),
}));

builder.queryFields((t) => ({
  plans: t.withAuth({ loggedIn: true }).field({
    type: [PlanDescriptionType],
    description: 'All plans, the smallest first (ACC-10).',
    resolve: () => (['FREE', 'LIGHT', 'PRO'] as const).map((plan) => ({ plan })),
  }),
  planOffer: t.withAuth({ loggedIn: true }).field({
    type: PlanOfferType,
    description:
      'Price, trial and losses of another plan, before it is ordered with `changePlan`. Administrators only. Errors: FORBIDDEN, PLAN_NOT_SELF_SERVICE.',
    args: { plan: t.arg({ type: PlanEnum, required: true, description: 'The plan in question.' }) },
    resolve: (_root, { plan }, ctx) => offerPlan(ctx, plan),
  }),
}));

const ChangePlanInput = builder.inputType('ChangePlanInput', {
  description: 'The plan that the account is to have.',
  fields: (t) => ({
    plan: t.field({ type: PlanEnum, required: true, description: 'FREE or PRO; LIGHT is not self-service (ACC-14).' }),
    acknowledgeContractChange: t.boolean({
      required: true,
      defaultValue: false,
      description: 'A paid plan that is no trial needs `true`.',
    }),
    confirm: t.boolean({
      required: true,
      defaultValue: false,
      description: 'A downgrade cannot be undone: without `true` nothing happens (ACC-17).',
    }),
  }),
});

const ChangePlanSuccess = accountSuccess('ChangePlanSuccess', 'The plan is in force.');

builder.mutationField('changePlan', (t) =>
  t.withAuth({ loggedIn: true }).field({
    type: ChangePlanSuccess,
    errors: { types: [ConfirmationRequiredError] },
    description:
      'Starts PRO, the first time as a free trial that is granted once (ACC-13), or goes back to FREE: groups and pools are removed for good, every firewall becomes HIGH, temporary users are disabled, credit is not refunded (ACC-17 to ACC-20), and the fee of the month that is left is taken at once (BIL-11). The present plan changes nothing. Administrators only. Errors: FORBIDDEN, PLAN_NOT_SELF_SERVICE, ACKNOWLEDGEMENT_REQUIRED, CONFIRMATION_REQUIRED.',
    args: { input: t.arg({ type: ChangePlanInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await changePlan(ctx, input.plan, {
        acknowledged: input.acknowledgeContractChange,
        confirmed: input.confirm,
      });
      return {};
    },
  }),
);

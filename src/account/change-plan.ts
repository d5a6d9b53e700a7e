import { addMonths, DAY_MS } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { schedule } from '../due-work.ts';
import { AppError, ConfirmationRequiredError } from '../errors.ts';
import type { Plan } from '../generated/prisma/enums.ts';
import type { AccountTx } from '../log/write.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { applyPlan, isDowngrade, temporaryUsers } from './plan-change.ts';
import { baseSlots, PLANS, planAllowances } from './plans.ts';

/** What a change of plan would mean, before it is ordered (ACC-13, ACC-17 to ACC-20). */
export interface PlanOffer {
  from: Plan;
  plan: Plan;
  /** Until when it would be free; null when the trial was had, or there is none of this plan (ACC-13). */
  trialUntil: Date | null;
  /** Cents a month, from then on. */
  monthlyFeeCents: number;
  /** Nothing of it comes back: false for an upgrade, which keeps everything (ACC-15). */
  downgrade: boolean;
  losses: PlanLosses;
}

/** What a change of plan takes away; all 0 when nothing is lost. */
export interface PlanLosses {
  groups: number;
  pools: number;
  /** Connections reserved for groups. */
  reservations: number;
  /** API tokens that would be valid for all Ewons. */
  tokensWidened: number;
  /** Users with an expiration date, who would be disabled; an Administrator who is the last one stays. */
  usersDisabled: number;
  /** Ewons whose firewall would become HIGH. */
  firewallsRaised: number;
  /** Concurrent connections fewer. */
  connections: number;
}

/**
 * @throws AppError FORBIDDEN, PLAN_NOT_SELF_SERVICE
 */
export async function offerPlan(ctx: ActorContext, plan: Plan): Promise<PlanOffer> {
  const { db, actor, config, clock } = ctx;
  requireAdministrator(actor);
  const account = await db.account.findUniqueOrThrow({ where: { id: actor.accountId } });
  requireSelfService(account.plan, plan);
  return {
    from: account.plan,
    plan,
    trialUntil: trialUntil(ctx, account, plan, clock.now()),
    monthlyFeeCents: planAllowances(plan, config).feeCents,
    downgrade: isDowngrade(account.plan, plan),
    losses: await lossesOf(ctx, db, account, plan),
  };
}

/**
 * Changes the plan on the wish of an Administrator: to PRO, the first time as a free trial (ACC-13), or to FREE, which is
 * confirmed because it cannot be undone (ACC-17). The present plan changes nothing.
 * @throws AppError FORBIDDEN, PLAN_NOT_SELF_SERVICE, ACKNOWLEDGEMENT_REQUIRED, CONFIRMATION_REQUIRED, LOGIN_EXPIRED
 */
export function changePlan(
  ctx: ActorContext,
  plan: Plan,
  given: { acknowledged: boolean; confirmed: boolean },
): Promise<void> {
  return inAccountAs(ctx, async (work, actor) => {
    requireAdministrator(actor);
    const { tx, now, accountId } = work;
    const account = await tx.account.findUniqueOrThrow({ where: { id: accountId } });
    requireSelfService(account.plan, plan);
    if (account.plan === plan) return;
    if (isDowngrade(account.plan, plan)) {
      if (!given.confirmed) throw await unconfirmed(tx, account, plan);
      return applyPlan(ctx, work, plan, actor);
    }
    const until = trialUntil(ctx, account, plan, now);
    if (until === null && !given.acknowledged)
      throw new AppError(
        'ACKNOWLEDGEMENT_REQUIRED',
        'The change affects contract and price: repeat it with acknowledgeContractChange: true.',
        ['acknowledgeContractChange'],
      );
    await applyPlan(ctx, work, plan, actor);
    if (until) await startTrial(work, actor, until);
  });
}

/** ACC-14: LIGHT is the operator's to give; whoever has it may keep it. */
function requireSelfService(from: Plan, to: Plan): void {
  if (to === 'LIGHT' && from !== 'LIGHT')
    throw new AppError(
      'PLAN_NOT_SELF_SERVICE',
      'LIGHT comes through a distributor: ask the operator of the platform.',
      ['plan'],
    );
}

/** ACC-13, ACC-16: a trial of PRO is granted once, to the day some months later, at 00:00 UTC. */
function trialUntil(
  { config }: Pick<Platform, 'config'>,
  account: { plan: Plan; trialStartedAt: Date | null },
  plan: Plan,
  now: Date,
): Date | null {
  if (plan !== 'PRO' || account.plan === 'PRO' || account.trialStartedAt) return null;
  const end = addMonths(now, config.limits.TRIAL_MONTHS).getTime();
  return new Date(end - (end % DAY_MS));
}

async function startTrial(work: AccountTx, actor: Actor, until: Date): Promise<void> {
  const { tx, now, accountId, log } = work;
  await tx.account.update({ where: { id: accountId }, data: { trialStartedAt: now, trialEndsAt: until } });
  await schedule(work, 'TRIAL_END', accountId, until);
  log({ code: 'TRIAL_STARTED', user: actorSubject(actor), params: { until: until.toISOString() } });
}

async function unconfirmed(tx: Tx, account: { id: string; plan: Plan }, plan: Plan): Promise<AppError> {
  const sessions = PLANS[account.plan].groups
    ? await tx.session.findMany({
        where: { accountId: account.id, state: 'OPEN', user: temporaryUsers(account.id) },
        orderBy: [{ startedAt: 'asc' }, { id: 'asc' }],
        select: { id: true },
        take: 100,
      })
    : [];
  return new ConfirmationRequiredError(
    `A change to ${plan} cannot be undone: what the plan does not have is removed for good, and the fee of the month in a paid plan is taken at once. Ask planOffer what that is, then repeat with confirm: true.`,
    sessions,
  );
}

async function lossesOf(
  { config }: Pick<Platform, 'config'>,
  db: Pick<Tx, 'group' | 'pool' | 'slot' | 'apiToken' | 'user' | 'ewon'>,
  { id: accountId, plan: from, concurrentConnections }: { id: string; plan: Plan; concurrentConnections: number },
  plan: Plan,
): Promise<PlanLosses> {
  const none = Promise.resolve(0);
  const loses = PLANS[from].groups && !PLANS[plan].groups;
  const [groups, pools, reservations, tokensWidened, usersDisabled, firewallsRaised] = await Promise.all([
    loses ? db.group.count({ where: { accountId, administrators: false } }) : none,
    loses ? db.pool.count({ where: { accountId, isDefault: false } }) : none,
    loses ? db.slot.count({ where: { accountId, groupId: { not: null } } }) : none,
    loses ? db.apiToken.count({ where: { accountId, poolId: { not: null } } }) : none,
    loses ? db.user.count({ where: temporaryUsers(accountId) }) : none,
    plan === 'FREE' && from !== 'FREE' ? db.ewon.count({ where: { accountId, firewallLevel: { not: 'HIGH' } } }) : none,
  ]);
  const connections = isDowngrade(from, plan) ? Math.max(0, concurrentConnections - baseSlots(plan, config)) : 0;
  return { groups, pools, reservations, tokensWidened, usersDisabled, firewallsRaised, connections };
}

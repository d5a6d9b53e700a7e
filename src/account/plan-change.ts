import { chargeEndingPlan } from '../billing/closing.ts';
import type { Platform } from '../context.ts';
import { schedule } from '../due-work.ts';
import { ewonSubject } from '../ewons/find.ts';
import { nameKey } from '../ewons/rules.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Plan } from '../generated/prisma/enums.ts';
import { administrators, enabledAt } from '../groups/administrators.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { closeSessionsWithoutRight } from '../sessions/lost-rights.ts';
import { applyCount, settleSlots } from '../sessions/slots.ts';
import { endAccess, namesOf } from '../users/access.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { baseSlots, PLANS } from './plans.ts';

/** Who is no Administrator belongs to it after an upgrade to a plan with groups, until groups are made (ACC-15, GRP-03). */
const USERS_GROUP = 'Users';

const RANK: Record<Plan, number> = { FREE: 0, LIGHT: 1, PRO: 2 };

/** Puts another plan into force for the operator of the platform. @throws AppError NOT_FOUND (account) */
export const setPlan = (ctx: Platform, accountId: string, plan: Plan): Promise<void> =>
  inAccount(ctx, accountId, (account) => applyPlan(ctx, account, plan, null));

/** A change to a smaller number of the rank is a downgrade (ACC-20). */
export const isDowngrade = (from: Plan, to: Plan): boolean => RANK[to] < RANK[from];

/**
 * Puts another plan into force (ACC-04); the present one changes nothing. Whoever asks for it has been found entitled. A trial
 * is over with it.
 *
 * To a plan with groups everybody keeps what he has (ACC-15): Administrators by role become members of Administrators, all
 * others of a new group Users that connects to the Ewons of the default pool. To a plan without groups, groups and pools go
 * for good and roles take their place (ACC-17), tokens are valid for all Ewons and users with an expiration date are disabled
 * (ACC-19). To FREE, every Ewon's firewall becomes HIGH (ACC-18). A lower plan has its own number of connections, without
 * reservations; live ones go on (ACC-20). What the month costs of the plan that ends is taken with it (BIL-11).
 * @param actor null when the platform or its operator does it
 */
export async function applyPlan(ctx: Platform, account: AccountTx, plan: Plan, actor: Actor | null): Promise<void> {
  const { tx, log, accountId } = account;
  const row = await tx.account.findUniqueOrThrow({ where: { id: accountId } });
  const { plan: from, concurrentConnections, twoFactorRequired, trialEndsAt } = row;
  if (from === plan) return;
  if (isDowngrade(from, plan)) await chargeEndingPlan(ctx, account, row);
  const [had, has] = [PLANS[from], PLANS[plan]];
  if (had.groups && !has.groups) await rolesFromGroups(account);
  await tx.account.update({ where: { id: accountId }, data: { plan, trialEndsAt: null } });
  if (trialEndsAt) await schedule(account, 'TRIAL_END', accountId, null);
  log({ code: 'PLAN_CHANGED', user: actor && actorSubject(actor), params: { from, to: plan } });
  if (had.groups && !has.groups) await dropGroupsAndPools(ctx, account, plan);
  if (!had.groups && has.groups) await groupsFromRoles(account);
  if (twoFactorRequired && !has.requireTwoFactorForAll) await requireTwoFactorOfNobody(account);
  if (plan === 'FREE') await raiseFirewalls(ctx, account);

  const base = baseSlots(plan, ctx.config);
  const slots = isDowngrade(from, plan) ? base : Math.max(base, concurrentConnections);
  if (slots !== concurrentConnections) await applyCount(ctx, account, concurrentConnections, slots, null);
  await closeSessionsWithoutRight(ctx, account, null);
  await settleSlots(ctx, account);
}

/** ACC-18; what is open already is judged anew (LAN-16). */
async function raiseFirewalls(ctx: Platform, { tx, accountId, log, afterCommit }: AccountTx): Promise<void> {
  const others = { accountId, firewallLevel: { not: 'HIGH' as const } };
  const ewons = await tx.ewon.findMany({ where: others, orderBy: { number: 'asc' } });
  await tx.ewon.updateMany({ where: others, data: { firewallLevel: 'HIGH' } });
  for (const ewon of ewons)
    log({
      code: 'EWON_FIREWALL_CHANGED',
      ewon: ewonSubject(ewon),
      trigger: 'PLATFORM',
      params: { from: ewon.firewallLevel, to: 'HIGH', by: 'the change of plan' },
    });
  afterCommit(() => ctx.bell.ring('ewons'));
}

/** TFA-45 is a feature of the plan; the second factors that users have stay. */
async function requireTwoFactorOfNobody({ tx, accountId, log }: AccountTx): Promise<void> {
  await tx.account.update({ where: { id: accountId }, data: { twoFactorRequired: false } });
  log({ code: 'SECOND_FACTOR_POLICY_CHANGED', params: { summary: 'no longer required of every user' } });
}

/** Who was an Administrator by group becomes one by role, before the groups are gone. */
async function rolesFromGroups({ tx, accountId }: AccountTx): Promise<void> {
  const byGroup = { memberships: { some: { group: { administrators: true } } } };
  await tx.user.updateMany({ where: { accountId, ...byGroup }, data: { role: 'ADMINISTRATOR' } });
  await tx.user.updateMany({ where: { accountId, NOT: byGroup }, data: { role: 'USER' } });
}

async function dropGroupsAndPools(ctx: Platform, account: AccountTx, plan: Plan): Promise<void> {
  const { tx, accountId, log } = account;
  await tx.slot.updateMany({ where: { accountId }, data: { groupId: null } });
  const groups = { accountId, administrators: false };
  for (const { name } of await tx.group.findMany({ where: groups, orderBy: { nameKey: 'asc' } }))
    log({ code: 'GROUP_DELETED', params: { name } });
  await tx.group.deleteMany({ where: groups });

  const tokens = await tx.apiToken.updateManyAndReturn({
    where: { accountId, poolId: { not: null } },
    data: { poolId: null },
  });
  for (const { name } of tokens)
    log({ code: 'API_TOKEN_CHANGED', params: { name, change: `valid for all Ewons, for the plan became ${plan}` } });

  const { id: poolId } = await tx.pool.findFirstOrThrow({ where: { accountId, isDefault: true } });
  const pools = { accountId, isDefault: false };
  for (const { name } of await tx.pool.findMany({ where: pools, orderBy: { nameKey: 'asc' } }))
    log({ code: 'POOL_DELETED', params: { name } });
  await tx.pool.deleteMany({ where: pools });
  await tx.$executeRaw`
    INSERT INTO "EwonPool" ("ewonId", "poolId")
    SELECT "id", ${poolId}::uuid FROM "Ewon" WHERE "accountId" = ${accountId}::uuid ON CONFLICT DO NOTHING`;

  await disableTemporaryUsers(ctx, account, plan);
}

/** Who loses his access by a change to a plan without groups (ACC-19, USR-39). */
export const temporaryUsers = (accountId: string): Prisma.UserWhereInput => ({
  accountId,
  expiresAt: { not: null },
  disabledAt: null,
});

/**
 * ACC-19. An account is never left without an enabled Administrator (ACC-23): when all of them are temporary, the one whose
 * date is the latest stays until then.
 */
async function disableTemporaryUsers(ctx: Platform, account: AccountTx, plan: Plan): Promise<void> {
  const { tx, now, accountId, log } = account;
  const remaining = await tx.user.findMany({
    where: { AND: [administrators(accountId, plan), enabledAt(now)] },
    orderBy: [{ expiresAt: { sort: 'desc', nulls: 'first' } }, { number: 'asc' }],
    take: 1,
  });
  const temporary = await tx.user.findMany({
    where: { AND: [temporaryUsers(accountId), { id: { notIn: remaining.map(({ id }) => id) } }] },
    orderBy: { number: 'asc' },
  });
  await tx.user.updateMany({ where: { id: { in: temporary.map(({ id }) => id) } }, data: { disabledAt: now } });
  for (const user of temporary) {
    await endAccess(ctx, account, user.id, 'USER_DISABLED', null);
    log({ code: 'USER_DISABLED', params: { ...namesOf(user), reason: 'the change of plan' } });
  }
}

/** ACC-15: memberships from what the roles are now; whatever the built-in group says of an earlier plan is void. */
async function groupsFromRoles({ tx, now, accountId }: AccountTx): Promise<void> {
  await tx.groupMember.deleteMany({ where: { group: { accountId } } });
  const { id: administratorsId } = await tx.group.findFirstOrThrow({ where: { accountId, administrators: true } });
  const { id: poolId } = await tx.pool.findFirstOrThrow({ where: { accountId, isDefault: true } });
  const users = await tx.user.findMany({ where: { accountId }, select: { id: true, role: true } });
  const others = users.filter(({ role }) => role === 'USER');
  await tx.groupMember.createMany({
    data: users
      .filter(({ role }) => role === 'ADMINISTRATOR')
      .map(({ id }) => ({ groupId: administratorsId, userId: id })),
  });
  if (others.length === 0) return;
  await tx.group.create({
    data: {
      accountId,
      name: USERS_GROUP,
      nameKey: nameKey(USERS_GROUP),
      createdAt: now,
      members: { create: others.map(({ id }) => ({ userId: id })) },
      poolRights: { create: { poolId, connectEcatcher: true, connectM2web: true } },
    },
  });
}

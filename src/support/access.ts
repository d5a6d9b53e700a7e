import { requireFeature } from '../account/plans.ts';
import { addSeconds } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import { AppError, notFound, ValidationError } from '../errors.ts';
import { ewonsVisibleTo, nameKey } from '../ewons/rules.ts';
import type { SupportAccess } from '../generated/prisma/client.ts';
import { requireAnAdministrator } from '../groups/administrators.ts';
import type { AccountTx } from '../log/write.ts';
import { closeSessionsWithoutRight } from '../sessions/lost-rights.ts';
import { settleSlots } from '../sessions/slots.ts';
import { endAccess, namesOf } from '../users/access.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { usernameInUse, writeNewUser } from '../users/service.ts';
import { isSupportAddress, supportAccessesVisibleTo, supportAccessStatus } from './rules.ts';

/** Whom access is given, to what, and for how long. */
export interface SupportRequest {
  /** Becomes user name and address (SUP-03). */
  email: string;
  fullName: string | null;
  /** On plans with pools: the Ewons concerned, at least one (SUP-02). On the others empty: role USER reaches all (SUP-08). */
  ewonIds: string[];
  /** From now on (SUP-09). */
  days: number;
  /** Goes into custom field 1 (SUP-10). */
  ticket: string | null;
  /** SUP-06 */
  codeByEmail: boolean;
}

/** The name of the dedicated pool and of the dedicated group; a number behind it if it is taken. */
const SUPPORT_NAME = 'Support';
const NAME_LENGTH = 64;

/**
 * Gives a support engineer access (SUP-02 to SUP-11), wholly or not at all: a user of his address by invitation, with an
 * expiration date, in a group of his own with the two connect rights on a pool of just these Ewons; they stay in their other
 * pools. On plans without groups he gets role USER (SUP-08). An earlier user of his whose access has ended makes place for the
 * new one.
 * @throws AppError FORBIDDEN, SUPPORT_DOMAIN_NOT_ALLOWED, NOT_FOUND (Ewon), PLAN_FEATURE_NOT_AVAILABLE (Ewons without pools),
 *   USERNAME_IN_USE, VALIDATION_FAILED, LOGIN_EXPIRED
 */
export function grantSupportAccess(ctx: ActorContext, request: SupportRequest): Promise<string> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, accountId, log } = account;
    requireAdministrator(actor);
    const { email, fullName, days, ticket } = request;
    if (!isSupportAddress(email, ctx.config.supportDomains))
      throw new AppError(
        'SUPPORT_DOMAIN_NOT_ALLOWED',
        `Support engineers have an address in ${ctx.config.supportDomains.join(' or ')}.`,
        ['email'],
      );
    await makePlace(ctx, account, actor, email);
    const dedicated = await createDedicated(account, actor, email, request.ewonIds);
    const expiresAt = addSeconds(now, days * 86_400);
    const userId = await writeNewUser(
      ctx,
      account,
      actor,
      {
        ...{ username: email, email, fullName, description: null, expiresAt },
        customFields: [ticket, null, null],
        namePublic: false,
        role: 'USER',
        groupIds: dedicated ? [dedicated.groupId] : [],
        secondFactor: request.codeByEmail ? { method: 'EMAIL', mobile: null, backupMobile: null } : undefined,
        mayRememberPc: false,
        // He keeps the address that was looked at, and the code by e-mail (SUP-04, SUP-06).
        mayEditOwn: false,
      },
      null,
    );
    const access = await tx.supportAccess.create({
      data: { ...{ accountId, userId, expiresAt }, ...dedicated, engineer: email, createdAt: now },
    });
    log({
      code: 'SUPPORT_ACCESS_GRANTED',
      user: actorSubject(actor),
      params: { engineer: email, until: expiresAt.toISOString() },
    });
    return access.id;
  }).catch(usernameInUse);
}

/** SUP-11: after an access that has ended, the same engineer can be given another one. @throws AppError USERNAME_IN_USE */
async function makePlace(ctx: Platform, account: AccountTx, actor: Actor, email: string): Promise<void> {
  const { tx, now, accountId, log } = account;
  const user = await tx.user.findUnique({
    where: { accountId_usernameKey: { accountId, usernameKey: nameKey(email) } },
    include: { supportAccess: true },
  });
  if (!user) return;
  const { supportAccess } = user;
  if (!supportAccess || supportAccessStatus({ revokedAt: null, user }, now) === 'ACTIVE')
    throw new AppError('USERNAME_IN_USE', 'A user with this address exists; an access that lasts is revoked first.', [
      'email',
    ]);
  await endAccess(ctx, account, user.id, 'USER_DELETED', actor);
  await removeDedicated(account, actor, supportAccess);
  await tx.dueWork.deleteMany({ where: { subjectId: user.id } });
  await tx.user.delete({ where: { id: user.id } });
  log({ code: 'USER_DELETED', user: actorSubject(actor), params: namesOf(user) });
}

/** SUP-02, SUP-07: null where the plan has neither pools nor groups. */
async function createDedicated(
  { tx, now, accountId, log }: AccountTx,
  actor: Actor,
  email: string,
  ewonIds: readonly string[],
): Promise<{ groupId: string; poolId: string } | null> {
  if (!actor.features.pools || !actor.features.groups) {
    // Whoever names Ewons expects access to these alone, which role USER does not give.
    if (ewonIds.length > 0) requireFeature(actor.plan, 'pools');
    return null;
  }
  if (ewonIds.length === 0)
    throw new ValidationError([{ path: ['ewonIds'], message: 'Name the Ewons concerned: at least one.' }]);
  const ids = [...new Set(ewonIds)];
  if ((await tx.ewon.count({ where: { AND: [ewonsVisibleTo(actor), { id: { in: ids } }] } })) < ids.length)
    throw notFound('Ewon');
  const taken = await Promise.all([
    tx.pool.findMany({ where: { accountId }, select: { nameKey: true } }),
    tx.group.findMany({ where: { accountId }, select: { nameKey: true } }),
  ]);
  const name = freeName(`${SUPPORT_NAME} ${email}`, new Set(taken.flat().map(({ nameKey }) => nameKey)));
  const named = { accountId, name, nameKey: nameKey(name), createdAt: now };
  const pool = await tx.pool.create({ data: { ...named, ewons: { create: ids.map((ewonId) => ({ ewonId })) } } });
  const rights = { poolId: pool.id, connectEcatcher: true, connectM2web: true };
  const group = await tx.group.create({ data: { ...named, poolRights: { create: rights } } });
  const user = actorSubject(actor);
  log({ code: 'POOL_CREATED', user, params: { name } }, { code: 'GROUP_CREATED', user, params: { name } });
  return { groupId: group.id, poolId: pool.id };
}

/** The wished name, cut to what a name can have and with a number where it is taken. */
function freeName(wished: string, takenKeys: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : ` ${number}`;
    const name = `${wished.slice(0, NAME_LENGTH - suffix.length)}${suffix}`;
    if (!takenKeys.has(nameKey(name))) return name;
  }
}

/**
 * Ends a support access (SUP-11): the user is disabled, his sessions are closed, the dedicated group and pool are removed. To
 * revoke it again changes nothing.
 * @throws AppError FORBIDDEN, NOT_FOUND, SELF_NOT_ALLOWED, LAST_ADMINISTRATOR, LOGIN_EXPIRED
 */
export function revokeSupportAccess(ctx: ActorContext, accessId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, log } = account;
    const access = await findAccess(account, actor, accessId);
    if (access.revokedAt) return;
    if (access.userId === actor.userId) throw new AppError('SELF_NOT_ALLOWED', 'Nobody disables himself.');
    await tx.supportAccess.update({ where: { id: access.id }, data: { revokedAt: now } });
    if (access.userId) {
      const user = await tx.user.findUniqueOrThrow({ where: { id: access.userId } });
      if (!user.disabledAt) {
        await tx.user.update({ where: { id: user.id }, data: { disabledAt: now, invitationHash: null } });
        log({ code: 'USER_DISABLED', user: actorSubject(actor), params: namesOf(user) });
      }
      await endAccess(ctx, account, user.id, 'USER_DISABLED', actor);
    }
    await removeDedicated(account, actor, access);
    await requireAnAdministrator(account);
    await closeSessionsWithoutRight(ctx, account, actor);
    await settleSlots(ctx, account);
    log({ code: 'SUPPORT_ACCESS_REVOKED', user: actorSubject(actor), params: { engineer: access.engineer } });
  });
}

/** Removes group and pool of an access; but what others have come to depend on stays, without the engineer. */
async function removeDedicated({ tx, log }: AccountTx, actor: Actor, access: SupportAccess): Promise<void> {
  const { userId, groupId, poolId } = access;
  if (userId && groupId) await tx.groupMember.deleteMany({ where: { userId, groupId } });
  const user = actorSubject(actor);
  // Conditions of GRP-20 and POOL-10.
  const group = groupId && (await tx.group.findFirst({ where: { id: groupId, members: { none: {} } } }));
  if (group) {
    await tx.group.delete({ where: { id: group.id } });
    log({ code: 'GROUP_DELETED', user, params: { name: group.name } });
  }
  const pool =
    poolId &&
    (await tx.pool.findFirst({
      where: {
        id: poolId,
        isDefault: false,
        apiTokens: { none: {} },
        autoRegistrationOf: { none: {} },
        ewons: { every: { ewon: { pools: { some: { poolId: { not: poolId } } } } } },
      },
    }));
  if (pool) {
    await tx.pool.delete({ where: { id: pool.id } });
    log({ code: 'POOL_DELETED', user, params: { name: pool.name } });
  }
}

/**
 * Ends the reminder that device passwords shared during support are to be changed (SUP-13). To confirm it again changes nothing.
 * @throws AppError FORBIDDEN, NOT_FOUND, LOGIN_EXPIRED
 */
export function confirmDevicePasswordsChanged(ctx: ActorContext, accessId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, log } = account;
    const access = await findAccess(account, actor, accessId);
    if (access.passwordsChangedAt) return;
    await tx.supportAccess.update({ where: { id: access.id }, data: { passwordsChangedAt: now } });
    log({ code: 'SUPPORT_PASSWORDS_CHANGED', user: actorSubject(actor), params: { engineer: access.engineer } });
  });
}

async function findAccess({ tx }: AccountTx, actor: Actor, id: string): Promise<SupportAccess> {
  requireAdministrator(actor);
  const access = await tx.supportAccess.findFirst({ where: { AND: [supportAccessesVisibleTo(actor), { id }] } });
  if (!access) throw notFound('support access');
  return access;
}

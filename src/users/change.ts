import { customColumns } from '../account/custom-fields.ts';
import type { ActorContext } from '../context.ts';
import { AppError, notFound, ValidationError } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import type { Prisma, Role } from '../generated/prisma/client.ts';
import { requireAnAdministrator } from '../groups/administrators.ts';
import { groupsVisibleTo, mayAddMembers } from '../groups/rules.ts';
import type { AccountTx } from '../log/write.ts';
import { type EnteredPassword, preparePassword, writePassword } from '../passwords/set.ts';
import { closeSessionsWithoutRight } from '../sessions/lost-rights.ts';
import { settleSlots } from '../sessions/slots.ts';
import { namesOf, scheduleExpiry } from './access.ts';
import { type FoundUser, findUser, inAccountAs, requireSomebodyElse, requireUserRight } from './acting.ts';
import type { Actor } from './actor.ts';
import { actorSubject, disabledReason, requireRecentConfirmation, userRights } from './rules.ts';
import { requireFuture, usernameInUse } from './service.ts';

/** What changes of a user. Absent keeps, null clears. */
export interface UserProperties {
  username?: string | undefined;
  fullName?: string | null | undefined;
  email?: string | undefined;
  description?: string | null | undefined;
  customFields?: readonly (string | null)[] | null | undefined;
  namePublic?: boolean | undefined;
  mayEditOwn?: boolean | undefined;
  forbidPasswordChange?: boolean | undefined;
  role?: Role | undefined;
  groupIds?: string[] | undefined;
  expiresAt?: Date | null | undefined;
}

/** USR-16: what a user may change of himself. */
const OWN: readonly (keyof UserProperties)[] = ['fullName', 'email'];
/** USR-17: what he may not, whatever his permissions. */
const RIGHTS: readonly (keyof UserProperties)[] = [
  'namePublic',
  'mayEditOwn',
  'forbidPasswordChange',
  'role',
  'groupIds',
  'expiresAt',
];

/**
 * Changes properties, permissions, access rights and expiration date of a user (USR-12, USR-16 to USR-20, USR-37, GRP-03, GRP-19).
 * What depended on a right that he loses ends (GRP-21).
 * @throws AppError NOT_FOUND (user, group), FORBIDDEN, SELF_NOT_ALLOWED, USERNAME_IN_USE, USER_NEEDS_A_GROUP, LAST_ADMINISTRATOR,
 *   PLAN_FEATURE_NOT_AVAILABLE, REAUTHENTICATION_REQUIRED, VALIDATION_FAILED
 */
export function updateUser(ctx: ActorContext, userId: string, properties: UserProperties): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, log } = account;
    const user = await findUser(account, actor, userId);
    const given = Object.entries(properties).flatMap(([field, value]) =>
      value === undefined ? [] : [field as keyof UserProperties],
    );
    if (given.length === 0) return;
    requireRights(ctx, actor, user, given, now);
    const { expiresAt, groupIds, role } = properties;
    if (expiresAt !== undefined) await moveExpiry(account, actor, user, expiresAt);
    if (role !== undefined && actor.features.groups)
      throw new ValidationError([
        { path: ['properties', 'role'], message: 'Where the plan has groups, they decide over access rights.' },
      ]);
    if (groupIds) await changeGroups(account, actor, user, groupIds);
    const changed = await tx.user.update({
      where: { id: user.id },
      data: columns(user, properties),
      include: { memberships: { include: { group: true } } },
    });
    log({ code: 'USER_CHANGED', user: actorSubject(actor), params: { ...namesOf(changed), fields: given.join(', ') } });
    if (disabledReason(user, now) === 'EXPIRED' && disabledReason(changed, now) === null)
      log({ code: 'USER_ENABLED', user: actorSubject(actor), params: namesOf(changed) });
    if (groupIds || role !== undefined || expiresAt) {
      if (user.facts.administrator) await requireAnAdministrator(account);
      await closeSessionsWithoutRight(ctx, account, actor);
      await settleSlots(ctx, account);
    }
  }).catch(usernameInUse);
}

function requireRights(
  ctx: ActorContext,
  actor: Actor,
  user: FoundUser,
  given: readonly (keyof UserProperties)[],
  now: Date,
): void {
  const rights = userRights(actor, user.facts);
  const own = given.every((field) => OWN.includes(field)) && rights.includes('MODIFY_OWN');
  if (!own) requireUserRight(actor, user, given.some((field) => RIGHTS.includes(field)) ? 'MODIFY_RIGHTS' : 'MODIFY');
  if (!given.includes('email')) return;
  // Links that set a password go to this address: to change it is to be able to set one (GRP-18).
  if (!own && !actor.administrator) requireUserRight(actor, user, 'SET_PASSWORD');
  if (user.secondFactorState === 'DISABLED' || user.secondFactorMethod !== 'EMAIL') return;
  // Codes go there as well: the second factor of others is for Administrators, and a sensitive area (AUTH-21).
  if (!own && !actor.administrator)
    throw new AppError('FORBIDDEN', 'Codes go to this address: only an Administrator may change it.', [
      'properties',
      'email',
    ]);
  requireRecentConfirmation(actor, now, ctx.config);
}

async function moveExpiry(account: AccountTx, actor: Actor, user: FoundUser, expiresAt: Date | null): Promise<void> {
  if (expiresAt !== null) requireSomebodyElse(actor, user);
  requireFuture(expiresAt, account.now, ['properties', 'expiresAt']);
  await scheduleExpiry(account, user.id, expiresAt);
}

/**
 * Replaces the groups of a user, as far as the actor manages them: he neither adds to others nor takes out of them (GRP-11,
 * GRP-18).
 */
async function changeGroups(
  { tx, accountId }: AccountTx,
  actor: Actor,
  user: FoundUser,
  groupIds: readonly string[],
): Promise<void> {
  if (!actor.features.groups)
    throw new AppError('PLAN_FEATURE_NOT_AVAILABLE', 'The plan has no groups.', ['properties', 'groupIds']);
  const groups = await tx.group.findMany({ where: { AND: [groupsVisibleTo(actor), { accountId }] } });
  const manageable = new Set(groups.filter((group) => mayAddMembers(actor, group)).map(({ id }) => id));
  const before = user.facts.groupIds;
  const added = groupIds.filter((id) => !before.includes(id));
  if (added.some((id) => !groups.some((group) => group.id === id))) throw notFound('group');
  if (!added.every((id) => manageable.has(id)))
    throw new AppError('FORBIDDEN', 'You may not add members to one of the groups.', ['properties', 'groupIds']);
  const removed = before.filter((id) => !groupIds.includes(id) && manageable.has(id));
  if (before.length + added.length === removed.length)
    throw new AppError('USER_NEEDS_A_GROUP', 'A user is in at least one group.', ['properties', 'groupIds']);
  await tx.groupMember.deleteMany({ where: { userId: user.id, groupId: { in: removed } } });
  await tx.groupMember.createMany({ data: added.map((groupId) => ({ userId: user.id, groupId })) });
}

/** The columns that the properties mean. */
function columns(user: FoundUser, properties: UserProperties): Prisma.UserUpdateInput {
  const { username, email, customFields, groupIds: _groups, ...rest } = properties;
  const moved = email !== undefined && email !== user.email;
  // The user may not choose a password any more: nothing that lets him do so stays (USR-19). His first one he still needs.
  const forbidden = properties.forbidPasswordChange === true && user.passwordHash !== null;
  return {
    ...(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as typeof rest),
    ...(username !== undefined && { username, usernameKey: nameKey(username) }),
    ...(email !== undefined && { email }),
    ...(customFields !== undefined && { ...customColumns(customFields) }),
    // Links that went to the old address are void.
    ...((moved || forbidden) && { invitationHash: null, recoveryHash: null, recoveryExpiresAt: null }),
    ...(forbidden && { mustChangePassword: false }),
  } as Prisma.UserUpdateInput;
}

/**
 * Sets the password of another user (USR-21): his lock ends (AUTH-10), and so do all of his logins (AUTH-20). An invitation that
 * waits is void.
 * @throws AppError NOT_FOUND, FORBIDDEN, PASSWORD_POLICY_VIOLATION, PASSWORD_CONFIRMATION_MISMATCH
 */
export async function setUserPassword(ctx: ActorContext, userId: string, password: EnteredPassword): Promise<void> {
  const found = await findUser({ tx: ctx.db }, ctx.actor, userId);
  requireUserRight(ctx.actor, found, 'SET_PASSWORD');
  const hash = await preparePassword(ctx, ctx.actor.accountId, userId, password);
  await inAccountAs(ctx, async (account, actor) => {
    const user = await findUser(account, actor, userId);
    requireUserRight(actor, user, 'SET_PASSWORD');
    await writePassword(ctx, account, user.id, hash, actor);
  });
}

/**
 * Makes a user choose a new password at his next login (USR-22).
 * @throws AppError NOT_FOUND, FORBIDDEN, PASSWORD_CHANGE_FORBIDDEN (USR-23)
 */
export function forcePasswordChange(ctx: ActorContext, userId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const user = await findUser(account, actor, userId);
    requireUserRight(actor, user, 'FORCE_PASSWORD_CHANGE');
    if (user.forbidPasswordChange)
      throw new AppError('PASSWORD_CHANGE_FORBIDDEN', 'The user may not choose his password.');
    const { count } = await account.tx.user.updateMany({
      where: { id: user.id, mustChangePassword: false },
      data: { mustChangePassword: true },
    });
    if (count > 0)
      account.log({
        code: 'USER_CHANGED',
        user: actorSubject(actor),
        params: { ...namesOf(user), fields: 'mustChangePassword' },
      });
  });
}

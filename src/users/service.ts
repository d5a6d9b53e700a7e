import { customColumns } from '../account/custom-fields.ts';
import type { ActorContext, Platform } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError, notFound, ValidationError } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import type { Role } from '../generated/prisma/client.ts';
import { groupsVisibleTo, mayAddMembers } from '../groups/rules.ts';
import type { AccountTx } from '../log/write.ts';
import { type EnteredPassword, preparePassword } from '../passwords/set.ts';
import { chooseSecondFactor, type SecondFactorChoice } from '../second-factor/administrator.ts';
import { namesOf, scheduleExpiry } from './access.ts';
import { findUser, inAccountAs, requireUserRight } from './acting.ts';
import type { Actor } from './actor.ts';
import { sendInvitation } from './invitations.ts';
import { actorSubject, mayCreateUserIn } from './rules.ts';

/** What a new user is, besides his password (USR-04 to USR-11, USR-15, USR-37). */
export interface UserDraft {
  username: string;
  fullName: string | null;
  email: string;
  description: string | null;
  /** Three values; null where there is none (USR-08). */
  customFields?: readonly (string | null)[] | undefined;
  namePublic: boolean;
  mayEditOwn?: boolean | undefined;
  forbidPasswordChange?: boolean | undefined;
  /** On plans without groups (USR-11). */
  role: Role;
  /** On plans with groups: one or more (GRP-03). */
  groupIds: string[];
  expiresAt?: Date | null | undefined;
  /** Absent is the default of the account (TFA-26). */
  secondFactor?: SecondFactorChoice | undefined;
  /** Whether PCs may be remembered for him, besides the account's policy (SUP-06). */
  mayRememberPc?: boolean | undefined;
}

/** Exactly one way to a password (USR-09): entered twice, or by invitation. */
export type NewUser = UserDraft &
  ({ password: string; passwordConfirmation: string; invite?: false | undefined } | { invite: true });

/**
 * Creates a user, with a password or by invitation: wholly or not at all (USR-04 to USR-11, INV-01).
 * @throws AppError FORBIDDEN, NOT_FOUND (group), USER_NEEDS_A_GROUP, USERNAME_IN_USE, PASSWORD_POLICY_VIOLATION,
 *   PASSWORD_CONFIRMATION_MISMATCH, VALIDATION_FAILED, and as {@link chooseSecondFactor}
 */
export async function createUser(ctx: ActorContext, user: NewUser): Promise<string> {
  checkGroups(ctx.actor, groupsOf(ctx.actor, user));
  const passwordHash = user.invite
    ? null
    : await preparePassword(ctx, ctx.actor.accountId, null, {
        value: user.password,
        confirmation: user.passwordConfirmation,
      });
  return inAccountAs(ctx, (account, actor) => writeNewUser(ctx, account, actor, user, passwordHash)).catch(
    usernameInUse,
  );
}

/**
 * The part of {@link createUser} under the lock of the account; its caller makes {@link usernameInUse} of a broken uniqueness.
 * @param passwordHash null sends an invitation.
 */
export async function writeNewUser(
  ctx: Platform,
  account: AccountTx,
  actor: Actor,
  draft: UserDraft,
  passwordHash: string | null,
): Promise<string> {
  const { tx, now, accountId, log } = account;
  const groupIds = groupsOf(actor, draft);
  checkGroups(actor, groupIds);
  const groups = await tx.group.findMany({ where: { AND: [groupsVisibleTo(actor), { id: { in: groupIds } }] } });
  if (groups.length < groupIds.length) throw notFound('group');
  if (!groups.every((group) => mayAddMembers(actor, group)))
    throw new AppError('FORBIDDEN', 'You may not add members to one of the groups.', ['groupIds']);
  const expiresAt = draft.expiresAt ?? null;
  requireFuture(expiresAt, now, ['expiresAt']);
  const { username, fullName, email, description, namePublic, mayEditOwn, forbidPasswordChange, mayRememberPc } = draft;
  const user = await tx.user.create({
    data: {
      ...{ accountId, username, usernameKey: nameKey(username), fullName, email, description, namePublic, expiresAt },
      mayEditOwn: mayEditOwn ?? true,
      forbidPasswordChange: forbidPasswordChange ?? false,
      mayRememberPc: mayRememberPc ?? true,
      ...customColumns(draft.customFields),
      role: actor.features.groups ? 'USER' : draft.role,
      createdAt: now,
      memberships: { create: groupIds.map((groupId) => ({ groupId })) },
      ...(passwordHash !== null && firstPassword(passwordHash, now)),
    },
  });
  log({ code: 'USER_CREATED', user: actorSubject(actor), params: namesOf(user) });
  if (expiresAt) await scheduleExpiry(account, user.id, expiresAt);
  await chooseSecondFactor(ctx, account, user.id, draft.secondFactor, actor);
  if (passwordHash === null) await sendInvitation(ctx, account, user, actor);
  return user.id;
}

/**
 * Creates a user like an existing one, under a name and with a password of its own (USR-32 to USR-35). What belongs to the person
 * is not copied: numbers, authenticator, backup codes, PCs, VPN address, expiration date.
 * @throws AppError NOT_FOUND, FORBIDDEN, USERNAME_IN_USE, PASSWORD_POLICY_VIOLATION, PASSWORD_CONFIRMATION_MISMATCH
 */
export async function duplicateUser(
  ctx: ActorContext,
  sourceId: string,
  copy: { username: string; email: string | null; password: EnteredPassword },
): Promise<string> {
  const found = await findUser({ tx: ctx.db }, ctx.actor, sourceId);
  requireUserRight(ctx.actor, found, 'DUPLICATE');
  const passwordHash = await preparePassword(ctx, ctx.actor.accountId, null, copy.password);
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, accountId, log } = account;
    requireUserRight(actor, await findUser(account, actor, sourceId), 'DUPLICATE');
    const source = await tx.user.findUniqueOrThrow({ where: { id: sourceId }, include: { memberships: true } });
    const { fullName, description, custom1, custom2, custom3, role, namePublic, mayEditOwn, forbidPasswordChange } =
      source;
    const { twoFactorByDefault } = await tx.account.findUniqueOrThrow({ where: { id: accountId } });
    const hadTwoFactor = source.secondFactorState !== 'DISABLED';
    const user = await tx.user.create({
      data: {
        ...{
          accountId,
          fullName,
          description,
          custom1,
          custom2,
          custom3,
          role,
          namePublic,
          mayEditOwn,
          forbidPasswordChange,
        },
        mustChangePassword: source.mustChangePassword,
        mayRememberPc: source.mayRememberPc,
        username: copy.username,
        usernameKey: nameKey(copy.username),
        email: copy.email ?? source.email,
        secondFactorState: hadTwoFactor || twoFactorByDefault ? 'PENDING_ENROLMENT' : 'DISABLED',
        secondFactorMethod: hadTwoFactor ? source.secondFactorMethod : null,
        createdAt: now,
        memberships: { create: source.memberships.map(({ groupId }) => ({ groupId })) },
        ...firstPassword(passwordHash, now),
      },
    });
    log({ code: 'USER_CREATED', user: actorSubject(actor), params: { ...namesOf(user), copyOf: source.username } });
    return user.id;
  }).catch(usernameInUse);
}

const firstPassword = (hash: string, now: Date) => ({
  passwordHash: hash,
  passwordChangedAt: now,
  passwordHistory: { create: { hash, setAt: now } },
});

const groupsOf = (actor: Actor, draft: Pick<UserDraft, 'groupIds'>): string[] =>
  actor.features.groups ? [...new Set(draft.groupIds)] : [];

function checkGroups(actor: Actor, groupIds: readonly string[]): void {
  if (!mayCreateUserIn(actor, groupIds)) throw new AppError('FORBIDDEN', 'You may not create users in these groups.');
  if (actor.features.groups && groupIds.length === 0)
    throw new AppError('USER_NEEDS_A_GROUP', 'A user is in at least one group.', ['groupIds']);
}

/** USR-37 @throws ValidationError when the date has passed. */
export function requireFuture(expiresAt: Date | null, now: Date, path: string[]): void {
  if (expiresAt !== null && expiresAt <= now)
    throw new ValidationError([{ path, message: 'An expiration date lies in the future.' }]);
}

/** @throws AppError USERNAME_IN_USE for a broken uniqueness, else the error. */
export function usernameInUse(error: unknown): never {
  if (isUniqueViolation(error))
    throw new AppError('USERNAME_IN_USE', 'Another user of the account has this user name.', ['username']);
  throw error;
}

import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Role } from '../generated/prisma/enums.ts';
import type { Subject } from '../log/write.ts';
import type { Actor } from './actor.ts';

/** USR-02: users of the groups on which rights were granted; Administrators see all; everybody sees himself. */
export function usersVisibleTo(actor: Actor): Prisma.UserWhereInput {
  const { accountId, userId } = actor;
  if (actor.administrator) return { accountId };
  return { accountId, OR: [{ id: userId }, { memberships: { some: { groupId: { in: actor.managedGroupIds } } } }] };
}

/** USR-12, for all groups that a new user is to be in: Administrators, or whoever manages every one of them. */
export const mayCreateUserIn = (actor: Actor, groupIds: readonly string[]): boolean =>
  actor.administrator || (groupIds.length > 0 && groupIds.every((id) => actor.managedGroupIds.includes(id)));

/** What somebody may do with a user; the API shows it as `viewerCan`, and the verbs ask the same function. */
const USER_ACTIONS = [
  'MODIFY',
  'MODIFY_OWN',
  'MODIFY_RIGHTS',
  'CHANGE_OWN_PASSWORD',
  'SET_PASSWORD',
  'FORCE_PASSWORD_CHANGE',
  'INVITE',
  'DISABLE',
  'ENABLE',
  'DELETE',
  'DUPLICATE',
] as const;
export type UserAction = (typeof USER_ACTIONS)[number];

/** A user as the rules see him. */
export interface UserFacts {
  id: string;
  /** He has administrator rights, whether or not he is enabled. */
  administrator: boolean;
  /** All his groups; empty on plans without groups. */
  groupIds: readonly string[];
  mayEditOwn: boolean;
  forbidPasswordChange: boolean;
}

/**
 * USR-12, USR-16 to USR-19, GRP-11, GRP-18. Administrators may do everything. Whoever manages one of the groups of a user
 * modifies, disables and deletes him; but not an Administrator, and what would let him act in the user's name, or make another
 * user of the same rights, he may only when he manages all of his groups, for he would gain rights that he does not hold.
 * Towards himself nobody counts as a manager (USR-17), nobody ends his own access (USR-31), and his own password is changed by
 * proving the old one.
 */
export function userRights(actor: Actor, user: UserFacts): UserAction[] {
  const self = actor.userId === user.id;
  const manages = (id: string) => actor.managedGroupIds.includes(id);
  const may = actor.administrator || (!self && !user.administrator && user.groupIds.some(manages));
  const mayWholly = may && (actor.administrator || user.groupIds.every(manages));
  return USER_ACTIONS.filter(
    (action) =>
      ({
        MODIFY: may,
        MODIFY_OWN: self && user.mayEditOwn,
        MODIFY_RIGHTS: may,
        CHANGE_OWN_PASSWORD: self && mayChangeOwnPassword(user),
        SET_PASSWORD: mayWholly && !self,
        FORCE_PASSWORD_CHANGE: may && !self,
        INVITE: may && !self,
        DISABLE: may && !self,
        ENABLE: may && !self,
        DELETE: may && !self,
        DUPLICATE: mayWholly,
      })[action],
  );
}

/** Those of {@link userRights} that the state of the user leaves something to do for (USR-23, USR-26, INV-07). */
export const userActions = (actor: Actor, user: UserFacts & { disabledAt: Date | null }): UserAction[] =>
  userRights(actor, user).filter((action) => {
    if (action === 'DISABLE') return user.disabledAt === null;
    if (action === 'ENABLE') return user.disabledAt !== null;
    if (action === 'FORCE_PASSWORD_CHANGE' || action === 'INVITE') return !user.forbidPasswordChange;
    return true;
  });

/** USR-16, USR-18, USR-19: by himself, unless it is forced on him or has expired. */
export const mayChangeOwnPassword = (user: Pick<UserFacts, 'mayEditOwn' | 'forbidPasswordChange'>): boolean =>
  user.mayEditOwn && !user.forbidPasswordChange;

/** What {@link factsOf} needs. */
export const USER_FACTS_SELECT = {
  id: true,
  role: true,
  mayEditOwn: true,
  forbidPasswordChange: true,
  disabledAt: true,
  memberships: { select: { groupId: true, group: { select: { administrators: true } } } },
} as const;

/** A user of the actor's account for {@link userRights}: role or groups, as the plan has it (USR-11). */
export const factsOf = (
  actor: Actor,
  {
    memberships,
    ...user
  }: Omit<UserFacts, 'administrator' | 'groupIds'> & {
    role: Role;
    disabledAt: Date | null;
    memberships: { groupId: string; group: { administrators: boolean } }[];
  },
): UserFacts & { disabledAt: Date | null } => ({
  ...user,
  administrator: actor.features.groups
    ? memberships.some(({ group }) => group.administrators)
    : user.role === 'ADMINISTRATOR',
  groupIds: actor.features.groups ? memberships.map(({ groupId }) => groupId) : [],
});

export const userReference = (number: number): string => `USR${number}`;

/** USR-41, TFA-37: the login alone, or the full name followed by the login in square brackets. */
export const displayName = (user: { username: string; fullName: string | null }): string =>
  user.fullName ? `${user.fullName}[${user.username}]` : user.username;

/** USR-13, USR-14: may this actor read the name of that connected user? */
export const mayReadConnectedName = (actor: Actor, user: { id: string; namePublic: boolean }): boolean =>
  user.namePublic || user.id === actor.userId;

/** The user as log entries keep him. */
export const userSubject = (user: {
  id: string;
  number: number;
  username: string;
  fullName: string | null;
}): Subject => ({
  id: user.id,
  number: user.number,
  name: displayName(user),
});

export const actorSubject = (actor: Actor): Subject => ({
  id: actor.userId,
  number: actor.userNumber,
  name: displayName(actor),
});

/** USR-24 */
export type UserStatus = 'PENDING' | 'ENABLED' | 'DISABLED';
export function userStatus(
  user: { passwordHash: string | null; disabledAt: Date | null; expiresAt: Date | null },
  now: Date,
): UserStatus {
  if (disabledReason(user, now) !== null) return 'DISABLED';
  return user.passwordHash === null ? 'PENDING' : 'ENABLED';
}

/** Why a user reads as DISABLED (USR-24); null when he does not. Moving the date does not enable whom somebody disabled (USR-38). */
export type DisabledReason = 'BY_ADMINISTRATOR' | 'EXPIRED';
export function disabledReason(
  user: { disabledAt: Date | null; expiresAt: Date | null },
  now: Date,
): DisabledReason | null {
  if (user.disabledAt) return 'BY_ADMINISTRATOR';
  return user.expiresAt && user.expiresAt <= now ? 'EXPIRED' : null;
}

/** ACC-22 @throws AppError FORBIDDEN */
export function requireAdministrator(actor: Actor): void {
  if (!actor.administrator) throw new AppError('FORBIDDEN', 'Only Administrators may do this.');
}

/**
 * AUTH-21: sensitive areas ask for a proof of identity within the last minutes.
 * @throws AppError REAUTHENTICATION_REQUIRED
 */
export function requireRecentConfirmation(actor: Actor, now: Date, { limits }: Config): void {
  if (!confirmedRecently(actor, now, limits.REAUTHENTICATION_MINUTES))
    throw new AppError('REAUTHENTICATION_REQUIRED', 'Confirm who you are with `confirmIdentity` first.');
}

/** {@link requireRecentConfirmation} as a question. */
export const confirmedRecently = (actor: Actor, now: Date, minutes: number): boolean =>
  actor.confirmedAt !== null && now.getTime() - actor.confirmedAt.getTime() < minutes * 60_000;

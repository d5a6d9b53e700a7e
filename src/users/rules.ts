import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Prisma } from '../generated/prisma/client.ts';
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
  if (user.disabledAt || (user.expiresAt && user.expiresAt <= now)) return 'DISABLED';
  return user.passwordHash === null ? 'PENDING' : 'ENABLED';
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

import { addSeconds } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import { schedule } from '../due-work.ts';
import { AppError, ConfirmationRequiredError } from '../errors.ts';
import type { SessionCloseReason } from '../generated/prisma/client.ts';
import { requireAnAdministrator } from '../groups/administrators.ts';
import type { AccountTx } from '../log/write.ts';
import { revokeLogins } from '../logins/revoke.ts';
import { endSessions } from '../sessions/close.ts';
import { type FoundUser, findUser, inAccountAs, requireSomebodyElse, requireUserRight } from './acting.ts';
import type { Actor } from './actor.ts';
import { actorSubject, disabledReason, displayName, userReference, userSubject } from './rules.ts';

/**
 * Blocks the access of a user without deleting anything (USR-26 to USR-29): logins end and sessions are closed at once. Disabling
 * a disabled user changes nothing.
 * @throws AppError NOT_FOUND, SELF_NOT_ALLOWED, FORBIDDEN, LAST_ADMINISTRATOR
 * @throws ConfirmationRequiredError while he is connected, or still logged in where he has been connected from (USR-27).
 */
export function disableUser(ctx: ActorContext, userId: string, confirm: boolean): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, log } = account;
    const user = await findUser(account, actor, userId);
    requireSomebodyElse(actor, user);
    requireUserRight(actor, user, 'DISABLE');
    if (user.disabledAt) return;
    const { sessions, logins } = await openAccess(ctx, account, user.id);
    const connected = sessions.length > 0 || logins.some(({ _count }) => _count.sessions > 0);
    if (connected && !confirm)
      throw new ConfirmationRequiredError(
        `${displayName(user)} is connected, or still logged in.`,
        sessions,
        logins.length,
      );
    await tx.user.update({ where: { id: user.id }, data: { disabledAt: now } });
    if (user.facts.administrator) await requireAnAdministrator(account);
    await endAccess(ctx, account, user.id, 'USER_DISABLED', actor);
    log({ code: 'USER_DISABLED', user: actorSubject(actor), params: namesOf(user) });
  });
}

/**
 * Restores the access of a disabled user, with all settings as they were (USR-26). Enabling an enabled user changes nothing.
 * @throws AppError NOT_FOUND, FORBIDDEN, USER_EXPIRED
 */
export function enableUser(ctx: ActorContext, userId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, log } = account;
    const user = await findUser(account, actor, userId);
    requireUserRight(actor, user, 'ENABLE');
    if (disabledReason({ ...user, disabledAt: null }, now) === 'EXPIRED')
      throw new AppError('USER_EXPIRED', 'The expiration date of the user has passed; move it first.');
    if (!user.disabledAt) return;
    await tx.user.update({ where: { id: user.id }, data: { disabledAt: null } });
    log({ code: 'USER_ENABLED', user: actorSubject(actor), params: namesOf(user) });
  });
}

/**
 * Removes a user from the account for good (USR-30): his logins and sessions end, his VPN address is free (VPN-10); the log keeps
 * his name and reference.
 * @throws AppError NOT_FOUND, SELF_NOT_ALLOWED, FORBIDDEN, LAST_ADMINISTRATOR
 * @throws ConfirmationRequiredError unless it is confirmed.
 */
export function deleteUser(ctx: ActorContext, userId: string, confirm: boolean): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, log } = account;
    const user = await findUser(account, actor, userId);
    requireSomebodyElse(actor, user);
    requireUserRight(actor, user, 'DELETE');
    if (!confirm) {
      const { sessions, logins } = await openAccess(ctx, account, user.id);
      throw new ConfirmationRequiredError(`Deleting ${displayName(user)} cannot be undone.`, sessions, logins.length);
    }
    await endAccess(ctx, account, user.id, 'USER_DELETED', actor);
    await tx.dueWork.deleteMany({ where: { subjectId: user.id } });
    await tx.user.delete({ where: { id: user.id } });
    if (user.facts.administrator) await requireAnAdministrator(account);
    log({ code: 'USER_DELETED', user: actorSubject(actor), params: namesOf(user) });
  });
}

/**
 * USR-37, USR-38: the date has passed. His requests are refused from that instant; this ends what is open. A user disabled
 * before has nothing to lose, but his access has expired all the same.
 */
export async function expireUser(ctx: Platform, account: AccountTx, userId: string): Promise<void> {
  const user = await account.tx.user.findUnique({ where: { id: userId } });
  if (!user?.expiresAt || user.expiresAt > account.now) return;
  await endAccess(ctx, account, user.id, 'USER_EXPIRED', null);
  account.log({ code: 'USER_EXPIRED', user: userSubject(user), trigger: 'PLATFORM' });
}

/** Sets or, with null, takes away the time at which the access of a user ends (USR-37). The row itself is the caller's. */
export const scheduleExpiry = (account: AccountTx, userId: string, expiresAt: Date | null): Promise<void> =>
  schedule(account, 'USER_EXPIRY', userId, expiresAt);

/** What somebody who is to lose his access has open (USR-27): sessions, and logins in force with the number of sessions each opened. */
async function openAccess({ config }: Platform, { tx, now }: AccountTx, userId: string) {
  const sessions = await tx.session.findMany({
    where: { userId, state: 'OPEN' },
    orderBy: { id: 'asc' },
    select: { id: true },
  });
  const logins = await tx.login.findMany({
    where: {
      userId,
      revokedAt: null,
      expiresAt: { gt: now },
      lastUsedAt: { gt: addSeconds(now, -config.limits.LOGIN_IDLE_MINUTES * 60) },
    },
    select: { _count: { select: { sessions: true } } },
  });
  return { sessions, logins };
}

/** AUTH-20: ends the logins of a user and every session he has, whatever login it came from. */
export async function endAccess(
  ctx: Platform,
  account: AccountTx,
  userId: string,
  reason: SessionCloseReason,
  closedBy: Actor | null,
): Promise<void> {
  await revokeLogins(ctx, account, [userId], { exceptLoginId: null, reason, closedBy });
  const sessions = await account.tx.session.findMany({ where: { userId, state: 'OPEN' }, select: { id: true } });
  await endSessions(ctx, account, sessions, reason, closedBy);
}

/** How log entries name the user they are about. */
export const namesOf = (
  user: Pick<FoundUser, 'number' | 'username' | 'fullName'>,
): { name: string; reference: string } => ({ name: displayName(user), reference: userReference(user.number) });

import type { Platform } from '../context.ts';
import { schedule } from '../due-work.ts';
import { notFound } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import type { User } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { revokeLogins } from '../logins/revoke.ts';
import { displayName, userSubject } from '../users/rules.ts';

/** How log entries name him. */
const OPERATOR = 'the operator of the platform';

/** A user as the operator names him: by account and user name, without regard to case. */
export interface UserName {
  account: string;
  username: string;
}

/** @throws AppError NOT_FOUND */
export async function findAccountId({ db }: Platform, name: string): Promise<string> {
  const account = await db.account.findUnique({ where: { nameKey: nameKey(name) }, select: { id: true } });
  if (!account) throw notFound('account');
  return account.id;
}

/** Works on one user under the lock of his account. @throws AppError NOT_FOUND (account, user) */
async function withUser<T>(
  ctx: Platform,
  { account: accountName, username }: UserName,
  work: (account: AccountTx, user: User) => Promise<T>,
): Promise<T> {
  return inAccount(ctx, await findAccountId(ctx, accountName), async (account) => {
    const { tx, accountId } = account;
    const user = await tx.user.findUnique({
      where: { accountId_usernameKey: { accountId, usernameKey: nameKey(username) } },
    });
    if (!user) throw notFound('user');
    return work(account, user);
  });
}

/**
 * Ends the lock after wrong passwords (AUTH-07) and the block after wrong codes (TFA-07), and counts both anew. A user who
 * is neither locked nor blocked stays as he is. Returns his id.
 * @throws AppError NOT_FOUND
 */
export function unlockUser(ctx: Platform, name: UserName): Promise<string> {
  return withUser(ctx, name, async (account, user) => {
    const { tx, now, log } = account;
    const entry = { user: userSubject(user), trigger: 'PLATFORM', params: { reason: `by ${OPERATOR}` } } as const;
    if (user.lockedUntil && user.lockedUntil > now) log({ code: 'LOGIN_UNLOCKED', ...entry });
    if (user.secondFactorBlockedUntil && user.secondFactorBlockedUntil > now)
      log({ code: 'SECOND_FACTOR_UNBLOCKED', ...entry });
    await tx.user.update({
      where: { id: user.id },
      data: { failedLogins: 0, lockedUntil: null, secondFactorFailures: 0, secondFactorBlockedUntil: null },
    });
    await schedule(account, 'LOGIN_UNLOCK', user.id, null);
    await schedule(account, 'SECOND_FACTOR_UNBLOCK', user.id, null);
    return user.id;
  });
}

/** Ends all logins of a user, with their sessions and streams (AUTH-20, EVT-08). @throws AppError NOT_FOUND */
export function endLoginsOfUser(ctx: Platform, name: UserName): Promise<{ userId: string; count: number }> {
  return withUser(ctx, name, async (account, user) => {
    const count = await revokeLogins(ctx, account, [user.id], {
      exceptLoginId: null,
      reason: 'SESSION_EXPIRED',
      closedBy: null,
    });
    if (count > 0)
      account.log({
        code: 'LOGIN_REVOKED',
        user: userSubject(user),
        trigger: 'PLATFORM',
        params: { count, name: displayName(user), by: OPERATOR },
      });
    return { userId: user.id, count };
  });
}

/**
 * Lets an address log in again, and forgets its failures, or the next one would ban it anew (AUTH-11).
 * @throws AppError NOT_FOUND when it is not banned.
 */
export async function liftBan({ db, log }: Platform, remoteAddress: string): Promise<void> {
  await db.$transaction(async (tx) => {
    const { count } = await tx.addressBan.deleteMany({ where: { remoteAddress } });
    if (count === 0) throw notFound('banned address');
    await tx.loginFailure.deleteMany({ where: { remoteAddress } });
  });
  log.info({ remoteAddress }, 'The ban of an address was lifted by the operator');
}

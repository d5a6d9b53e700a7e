import type { Platform } from '../context.ts';
import { schedule } from '../due-work.ts';
import { AppError } from '../errors.ts';
import type { AccountTx } from '../log/write.ts';
import { revokeLogins } from '../logins/revoke.ts';
import { type Actor } from '../users/actor.ts';
import { actorSubject, displayName, userSubject } from '../users/rules.ts';
import { brokenConstraints, PASSWORD_POLICY_SELECT, PasswordPolicyError } from './policy.ts';

/** A password as somebody enters it: twice (PWD-17). */
export interface EnteredPassword {
  value: string;
  confirmation: string;
}

/**
 * Checks a password under the policy of the account and hashes it; outside of the transaction that stores it, because hashing
 * takes long. Every place that sets a password comes through here (PWD-16).
 * @param userId whose history counts (PWD-12); null for a new user.
 * @throws AppError PASSWORD_CONFIRMATION_MISMATCH
 * @throws PasswordPolicyError
 * @throws TooManyRequestsError when too many hashes wait.
 */
export async function preparePassword(
  ctx: Platform,
  accountId: string,
  _userId: string | null,
  password: EnteredPassword,
): Promise<string> {
  if (password.value !== password.confirmation)
    throw new AppError('PASSWORD_CONFIRMATION_MISMATCH', 'Password and confirmation differ.', ['passwordConfirmation']);
  const policy = await ctx.db.account.findUniqueOrThrow({ where: { id: accountId }, select: PASSWORD_POLICY_SELECT });
  const violations = brokenConstraints(password.value, policy);
  if (violations.length > 0) throw new PasswordPolicyError(violations);
  return ctx.passwords.hash(password.value);
}

/**
 * Stores the prepared password of an existing user: ends lock and block (AUTH-10, TFA-07), voids recovery link and remembered
 * PCs (TFA-35), and revokes his logins but the one that makes the change (AUTH-20).
 * @param by who sets it; null when the user does so by a link.
 */
export async function writePassword(
  ctx: Platform,
  account: AccountTx,
  userId: string,
  hash: string,
  by: Actor | null,
): Promise<void> {
  const { tx, now, log } = account;
  const user = await tx.user.update({
    where: { id: userId },
    data: {
      passwordHash: hash,
      passwordChangedAt: now,
      mustChangePassword: false,
      failedLogins: 0,
      lockedUntil: null,
      secondFactorFailures: 0,
      secondFactorBlockedUntil: null,
      recoveryHash: null,
      recoveryExpiresAt: null,
    },
  });
  await tx.passwordRecord.create({ data: { userId, hash, setAt: now } });
  await tx.rememberedPc.deleteMany({ where: { userId } });
  await schedule(account, 'LOGIN_UNLOCK', userId, null);
  await schedule(account, 'SECOND_FACTOR_UNBLOCK', userId, null);
  await revokeLogins(ctx, account, [userId], {
    exceptLoginId: by?.userId === userId ? by.loginId : null,
    reason: 'SESSION_EXPIRED',
    closedBy: null,
  });
  log({
    code: 'PASSWORD_CHANGED',
    user: by ? actorSubject(by) : userSubject(user),
    params: { name: displayName(user) },
  });
}

import type { Platform } from '../context.ts';
import type { Db } from '../database/database.ts';
import { schedule } from '../due-work.ts';
import { AppError } from '../errors.ts';
import type { AccountTx } from '../log/write.ts';
import { revokeLogins } from '../logins/revoke.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject, displayName, userSubject } from '../users/rules.ts';
import { hashScheme } from './hashes.ts';
import {
  brokenConstraints,
  PASSWORD_HISTORY_MAX,
  PASSWORD_POLICY_SELECT,
  type PasswordPolicy,
  PasswordPolicyError,
} from './policy.ts';

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
 * @throws TooManyRequestsError when too many hashes wait, or the account sets too many.
 */
export async function preparePassword(
  ctx: Platform,
  accountId: string,
  userId: string | null,
  password: EnteredPassword,
): Promise<string> {
  await ctx.rateLimits.passwords.take(accountId);
  if (password.value !== password.confirmation)
    throw new AppError('PASSWORD_CONFIRMATION_MISMATCH', 'Password and confirmation differ.', ['passwordConfirmation']);
  const policy = await ctx.db.account.findUniqueOrThrow({ where: { id: accountId }, select: PASSWORD_POLICY_SELECT });
  const violations = brokenConstraints(password.value, policy);
  const before = userId === null ? [] : await passwordsOf(ctx.db, userId, policy);
  const history = before.slice(0, policy.passwordHistory ?? 0);
  // Longer than any password can be: it was never one, and a hash would be work for nothing.
  if (violations.length > 0 && (history.length === 0 || violations.includes('TOO_LONG')))
    throw new PasswordPolicyError(violations);
  const hash = await ctx.passwords.hash(password.value, before[0]);
  if (await isAmong(ctx, history, password.value, hash)) violations.push('USED_BEFORE');
  if (violations.length > 0) throw new PasswordPolicyError(violations);
  return hash;
}

/** The hashes of a user's passwords, newest first, as many as the policy looks at (PWD-12) and at least the newest. */
async function passwordsOf(
  db: Pick<Db, 'user' | 'passwordRecord'>,
  userId: string,
  { passwordHistory }: PasswordPolicy,
): Promise<string[]> {
  const user = await db.user.findUnique({
    where: { id: userId },
    select: {
      passwordHash: true,
      passwordHistory: {
        orderBy: [{ setAt: 'desc' }, { id: 'desc' }],
        take: passwordHistory ?? 1,
        select: { hash: true },
      },
    },
  });
  const hashes = [user?.passwordHash ?? null, ...(user?.passwordHistory ?? []).map(({ hash }) => hash)];
  return [...new Set(hashes.filter((hash) => hash !== null))];
}

/** One computation for all hashes with the same salt and parameters: those of the new hash, unless the configuration changed. */
async function isAmong(ctx: Platform, history: readonly string[], password: string, hash: string): Promise<boolean> {
  if (history.includes(hash)) return true;
  const others = new Map(history.map((one) => [hashScheme(one), one]));
  others.delete(hashScheme(hash));
  for (const one of others.values()) {
    if (history.includes(await ctx.passwords.repeat(one, password))) return true;
  }
  return false;
}

/**
 * Stores the prepared password of an existing user: ends lock and block (AUTH-10, TFA-07), voids the links in mails and remembered
 * PCs (TFA-35), and revokes his logins but the one that makes the change (AUTH-20).
 * @param by who sets it; null when the user does so by a link.
 * @throws PasswordPolicyError when the same password was set meanwhile (PWD-12).
 */
export async function writePassword(
  ctx: Platform,
  account: AccountTx,
  userId: string,
  hash: string,
  by: Actor | null,
): Promise<void> {
  const { tx, now, accountId, log } = account;
  const policy = await tx.account.findUniqueOrThrow({ where: { id: accountId }, select: PASSWORD_POLICY_SELECT });
  // TFA-07. Not for others: whoever can set passwords, or reads the mailbox, would guess codes without end.
  const unblocks = by?.administrator === true && by.userId !== userId;
  // Of two changes at once both were prepared under the same salt, so equal passwords are equal texts.
  const history = (await passwordsOf(tx, userId, policy)).slice(0, policy.passwordHistory ?? 0);
  if (history.includes(hash)) throw new PasswordPolicyError(['USED_BEFORE']);
  const user = await tx.user.update({
    where: { id: userId },
    data: {
      passwordHash: hash,
      passwordChangedAt: now,
      mustChangePassword: false,
      failedLogins: 0,
      lockedUntil: null,
      ...(unblocks && { secondFactorFailures: 0, secondFactorBlockedUntil: null }),
      invitationHash: null,
      recoveryHash: null,
      recoveryExpiresAt: null,
    },
  });
  await tx.passwordRecord.create({ data: { userId, hash, setAt: now } });
  await forgetOldPasswords(account, userId);
  await tx.rememberedPc.deleteMany({ where: { userId } });
  await schedule(account, 'LOGIN_UNLOCK', userId, null);
  if (unblocks) await schedule(account, 'SECOND_FACTOR_UNBLOCK', userId, null);
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

/** No setting looks further back than so many passwords (PWD-12). */
async function forgetOldPasswords({ tx }: AccountTx, userId: string): Promise<void> {
  const old = await tx.passwordRecord.findMany({
    where: { userId },
    orderBy: [{ setAt: 'desc' }, { id: 'desc' }],
    skip: PASSWORD_HISTORY_MAX,
    select: { id: true },
  });
  if (old.length > 0) await tx.passwordRecord.deleteMany({ where: { id: { in: old.map(({ id }) => id) } } });
}

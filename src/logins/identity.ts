import type { ActorContext, Caller, Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { User } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { type EnteredPassword, preparePassword, writePassword } from '../passwords/set.ts';
import { checkCode } from '../second-factor/codes.ts';
import { asksForCode } from '../second-factor/rules.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { checkPassword, requireNotBanned } from './credentials.ts';

/**
 * Proves again who is there, for the sensitive areas (AUTH-21): by password, and by a code where a second factor is active. A
 * login that a backup code opened asks for none: the device is lost (TFA-50). Returns when the proof was given.
 * @throws AppError INVALID_CREDENTIALS, SECOND_FACTOR_REQUIRED, CODE_INVALID, CODE_EXPIRED
 * @throws TwoFactorBlockedError
 */
export async function confirmIdentity(
  ctx: ActorContext,
  password: string,
  code: string | null,
  caller: Caller,
): Promise<Date> {
  const { actor } = ctx;
  await checkOwnPassword(ctx, actor, password, caller);
  const outcome = await inAccount(ctx, actor.accountId, async (account) => {
    const { tx, now, log } = account;
    const { user, backupCodeUsed } = await tx.login.findUniqueOrThrow({
      where: { id: actor.loginId },
      include: { user: true },
    });
    const refused = backupCodeUsed ? null : await checkIfAsked(ctx, account, user, actor.loginId, code);
    if (refused) return refused;
    await tx.login.update({ where: { id: actor.loginId }, data: { confirmedAt: now } });
    log({ code: 'IDENTITY_CONFIRMED', user: actorSubject(actor) });
    return now;
  });
  if (outcome instanceof AppError) throw outcome;
  return outcome;
}

async function checkIfAsked(
  ctx: Platform,
  account: AccountTx,
  user: User,
  loginId: string,
  code: string | null,
): Promise<AppError | null> {
  if (!asksForCode(user)) return null;
  if (code === null)
    return new AppError('SECOND_FACTOR_REQUIRED', 'Give the code of your second factor too.', ['code']);
  const accepted = await checkCode(ctx, account, user, loginId, 'CONFIRM_IDENTITY', code);
  return accepted instanceof AppError ? accepted : null;
}

/** Counts like a login when it is wrong (AUTH-07). @throws AppError INVALID_CREDENTIALS, IP_BANNED @throws TooManyRequestsError */
async function checkOwnPassword(ctx: Platform, actor: Actor, password: string, caller: Caller): Promise<void> {
  await ctx.rateLimits.logins.take(caller.remoteAddress);
  await requireNotBanned(ctx, caller.remoteAddress);
  const user = await ctx.db.user.findUniqueOrThrow({ where: { id: actor.userId } });
  await checkPassword(ctx, user, password, caller.remoteAddress);
}

/**
 * Changes one's own password (USR-16, USR-18, USR-19): from an open login with the current one, or at the stage of a login that
 * asks for it (AUTH-16, AUTH-17). All other logins of the user end (AUTH-20).
 * @param current may be left out at that stage only, where it was given a moment ago.
 * @throws AppError FORBIDDEN, PASSWORD_CHANGE_FORBIDDEN, INVALID_CREDENTIALS, PASSWORD_CONFIRMATION_MISMATCH, VALIDATION_FAILED, and those of the stages before
 * @throws PasswordPolicyError
 */
export async function changePassword(
  ctx: Platform,
  actor: Actor,
  current: string | null,
  password: EnteredPassword,
  caller: Caller,
): Promise<void> {
  if (actor.stage === 'CODE') throw new AppError('SECOND_FACTOR_REQUIRED', 'Give the second-factor code first.');
  if (actor.stage === 'ENROLMENT')
    throw new AppError('SECOND_FACTOR_ENROLMENT_REQUIRED', 'Set up a second factor first.');
  const asked = actor.stage === 'PASSWORD_CHANGE';
  requireMayChangePassword(await ctx.db.user.findUniqueOrThrow({ where: { id: actor.userId } }), asked);
  if (!asked || current !== null) {
    if (current === null) throw new AppError('VALIDATION_FAILED', 'Give the current password.', ['currentPassword']);
    await checkOwnPassword(ctx, actor, current, caller);
  }
  const hash = await preparePassword(ctx, actor.accountId, actor.userId, password);
  await inAccount(ctx, actor.accountId, async (account) => {
    const login = await account.tx.login.findFirst({
      where: { id: actor.loginId, revokedAt: null },
      include: { user: true },
    });
    // Of two changes at once the first ends the other's login.
    if (!login) throw new AppError('LOGIN_EXPIRED', 'The login has ended; log in again.');
    requireMayChangePassword(login.user, asked);
    await writePassword(ctx, account, actor.userId, hash, actor);
  });
}

/** USR-18, USR-19 @throws AppError FORBIDDEN, PASSWORD_CHANGE_FORBIDDEN */
function requireMayChangePassword(user: Pick<User, 'mayEditOwn' | 'forbidPasswordChange'>, asked: boolean): void {
  if (user.forbidPasswordChange)
    throw new AppError('PASSWORD_CHANGE_FORBIDDEN', 'You may not change your password; ask an Administrator.');
  if (!asked && !user.mayEditOwn) throw new AppError('FORBIDDEN', 'You may not change your own properties.');
}

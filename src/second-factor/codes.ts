import { randomInt } from 'node:crypto';
import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import { schedule } from '../due-work.ts';
import { AppError, TooManyRequestsError } from '../errors.ts';
import type { Challenge, ChallengePurpose, User } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';
import { queueMessage } from '../messages/queue.ts';
import { displayName, userSubject } from '../users/rules.ts';
import { acceptedStep } from './authenticator.ts';
import { looksLikeBackupCode, useBackupCode } from './backup-codes.ts';
import { blockOf, codeLength, requireNotBlocked, TwoFactorBlockedError } from './rules.ts';

/** Where a code goes. */
export interface CodeTarget {
  purpose: ChallengePurpose;
  method: 'SMS' | 'EMAIL';
  /** A number in E.164, or an address. */
  target: string;
}

const codeHash = (ctx: Platform, loginId: string, code: string): string =>
  ctx.secrets.hash('code', `${loginId}:${code}`);

/**
 * Sends a new code within a login; an older one of the login is void (TFA-05). Sends are at least 30 seconds apart, and five a
 * challenge (TFA-10): the challenge is the same while its purpose is, and until its last code has expired.
 * @throws TooManyRequestsError
 * @throws TwoFactorBlockedError
 */
export async function sendCode(
  ctx: Platform,
  account: AccountTx,
  user: User & { account: { name: string } },
  loginId: string,
  { purpose, method, target }: CodeTarget,
): Promise<Challenge> {
  const { tx, now, log } = account;
  const { limits } = ctx.config;
  requireNotBlocked(user, now);
  const last = await tx.challenge.findUnique({ where: { loginId } });
  const goesOn = last !== null && last.purpose === purpose && last.expiresAt > now;
  if (last?.lastSentAt) {
    const wait = limits.CODE_SEND_INTERVAL_SECONDS - Math.floor((now.getTime() - last.lastSentAt.getTime()) / 1000);
    if (wait > 0) throw new TooManyRequestsError(`A code was sent just now; try again in ${wait} s.`, wait);
  }
  if (goesOn && last.sends >= limits.CODE_SENDS) {
    const wait = Math.max(1, Math.ceil((last.expiresAt.getTime() - now.getTime()) / 1000));
    throw new TooManyRequestsError(`Only ${limits.CODE_SENDS} codes are sent for one login.`, wait);
  }
  await ctx.rateLimits.codes.take(user.id);
  const length = codeLength(method);
  const code = String(randomInt(10 ** length)).padStart(length, '0');
  const expiresAt = addSeconds(now, limits.CODE_MINUTES * 60);
  const data = {
    ...{ userId: user.id, purpose, method, target, expiresAt },
    codeHash: codeHash(ctx, loginId, code),
    secretEncrypted: null,
    sends: goesOn ? last.sends + 1 : 1,
    lastSentAt: now,
  };
  const challenge = await tx.challenge.upsert({ where: { loginId }, create: { loginId, ...data }, update: data });
  const facts = { accountName: user.account.name, code, minutes: limits.CODE_MINUTES };
  const to = { recipient: target, userId: user.id, expiresAt };
  if (method === 'SMS')
    await queueMessage(ctx, account, { ...to, channel: 'SMS', template: 'CODE_BY_SMS', params: facts });
  else
    await queueMessage(ctx, account, {
      ...to,
      channel: 'MAIL',
      template: 'CODE_BY_MAIL',
      params: { ...facts, name: displayName(user) },
    });
  log({ code: 'SECOND_FACTOR_CODE_SENT', user: userSubject(user), trigger: 'PLATFORM', params: { method } });
  return challenge;
}

/** How a code was right. */
export type AcceptedCode = 'CODE' | 'BACKUP_CODE';

/**
 * Checks a code of the user's active second factor: the one sent for this purpose, one of the authenticator app, or a backup
 * code. It works once. A wrong one counts, over all challenges (TFA-06, TFA-08): so what is refused is returned and not
 * thrown, because the caller's transaction must stand.
 */
export async function checkCode(
  ctx: Platform,
  account: AccountTx,
  user: User,
  loginId: string,
  purpose: ChallengePurpose,
  code: string,
): Promise<AcceptedCode | AppError> {
  const { now, log } = account;
  const block = blockOf(user, now);
  if (block) return block;
  if (looksLikeBackupCode(code)) {
    const left = await useBackupCode(ctx, account, user.id, code);
    if (left === null) return countWrongCode(ctx, account, user);
    log({ code: 'BACKUP_CODE_USED', user: userSubject(user), params: { left } });
    await acceptCode(account, user, loginId);
    return 'BACKUP_CODE';
  }
  if (user.secondFactorMethod === 'APP') {
    const step =
      user.totpSecretEncrypted &&
      acceptedStep(ctx.secrets.decrypt(user.totpSecretEncrypted), code.replaceAll(/\s/g, ''), now);
    if (!step || !(await useStep(account, user.id, step))) return countWrongCode(ctx, account, user);
    await acceptCode(account, user, loginId);
    return 'CODE';
  }
  const refusal = await checkSentCode(ctx, account, user, loginId, purpose, code);
  return refusal ?? 'CODE';
}

/** TFA-40: a time step is accepted once, also when it is submitted twice at once. */
async function useStep({ tx }: AccountTx, userId: string, step: bigint): Promise<boolean> {
  const { count } = await tx.user.updateMany({
    where: { id: userId, OR: [{ totpLastStep: null }, { totpLastStep: { lt: step } }] },
    data: { totpLastStep: step },
  });
  return count > 0;
}

/** Checks a code that was sent; null when it is right, and then it is used up. */
export async function checkSentCode(
  ctx: Platform,
  account: AccountTx,
  user: User,
  loginId: string,
  purpose: ChallengePurpose,
  code: string,
): Promise<AppError | null> {
  const { tx, now } = account;
  const block = blockOf(user, now);
  if (block) return block;
  const challenge = await tx.challenge.findUnique({ where: { loginId } });
  if (!challenge?.codeHash || challenge.purpose !== purpose || challenge.expiresAt <= now)
    return new AppError('CODE_EXPIRED', 'The code has expired or was used; ask for another.', ['code']);
  if (challenge.codeHash !== codeHash(ctx, loginId, code.trim())) return countWrongCode(ctx, account, user);
  await acceptCode(account, user, loginId);
  return null;
}

/** Checks the first code of an authenticator that is being set up; its secret, when the code is right. */
export async function checkFirstCode(
  ctx: Platform,
  account: AccountTx,
  user: User,
  challenge: Challenge,
  code: string,
): Promise<{ secretEncrypted: string; step: bigint } | AppError> {
  const { now } = account;
  const block = blockOf(user, now);
  if (block) return block;
  const { secretEncrypted } = challenge;
  if (secretEncrypted === null || challenge.expiresAt <= now)
    return new AppError('CODE_EXPIRED', 'The enrolment took too long; begin it again.', ['code']);
  const step = acceptedStep(ctx.secrets.decrypt(secretEncrypted), code.replaceAll(/\s/g, ''), now);
  if (step === null) return countWrongCode(ctx, account, user);
  await acceptCode(account, user, challenge.loginId);
  return { secretEncrypted, step };
}

/** The challenge is used up, and the wrong codes before are forgiven (TFA-05, TFA-08). */
async function acceptCode({ tx }: AccountTx, user: User, loginId: string): Promise<void> {
  await tx.challenge.deleteMany({ where: { loginId } });
  if (user.secondFactorFailures > 0)
    await tx.user.update({ where: { id: user.id }, data: { secondFactorFailures: 0 } });
}

/** TFA-06, TFA-07: the third wrong code blocks for 15 minutes, and what was sent is void. */
async function countWrongCode(ctx: Platform, account: AccountTx, user: User): Promise<AppError> {
  const { tx, now, log } = account;
  const { CODE_ATTEMPTS: attempts, CODE_BLOCK_MINUTES: minutes } = ctx.config.limits;
  log({ code: 'SECOND_FACTOR_CODE_WRONG', user: userSubject(user) });
  const { secondFactorFailures } = await tx.user.update({
    where: { id: user.id },
    data: { secondFactorFailures: { increment: 1 } },
  });
  if (secondFactorFailures < attempts) return new AppError('CODE_INVALID', 'The code is wrong.', ['code']);
  const blockedUntil = addSeconds(now, minutes * 60);
  await tx.user.update({
    where: { id: user.id },
    data: { secondFactorFailures: 0, secondFactorBlockedUntil: blockedUntil },
  });
  await tx.challenge.deleteMany({ where: { userId: user.id } });
  await schedule(account, 'SECOND_FACTOR_UNBLOCK', user.id, blockedUntil);
  log({
    code: 'SECOND_FACTOR_BLOCKED',
    user: userSubject(user),
    trigger: 'PLATFORM',
    params: { minutes, attempts },
  });
  return new TwoFactorBlockedError(blockedUntil);
}

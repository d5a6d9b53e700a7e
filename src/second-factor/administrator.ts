import { addSeconds } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import { schedule } from '../due-work.ts';
import { AppError, notFound } from '../errors.ts';
import type { SecondFactorMethod, User } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';
import { queueMessage } from '../messages/queue.ts';
import { inAccountAs } from '../users/acting.ts';
import { type Actor, loadUserAsActor } from '../users/actor.ts';
import { actorSubject, displayName, requireRecentConfirmation, usersVisibleTo } from '../users/rules.ts';
import { parsePhoneNumber } from './phone.ts';
import {
  missingNumbers,
  requireDifferentNumbers,
  requireOwnSecondFactor,
  requireSecondFactorAdministrator,
  SECOND_FACTOR_POLICY_SELECT,
} from './rules.ts';

/** What an Administrator chooses for a user. */
export interface SecondFactorChoice {
  /** Null is off. */
  method: SecondFactorMethod | null;
  /** With country code; for text messages only. */
  mobile: string | null;
  backupMobile: string | null;
}

/** How long a notice is worth sending. */
const NOTICE_SECONDS = 86_400;

const OFF = {
  secondFactorState: 'DISABLED',
  secondFactorMethod: null,
  totpSecretEncrypted: null,
  secondFactorFailures: 0,
  secondFactorBlockedUntil: null,
} as const;

/**
 * Gives a new user the second factor that was chosen for him, or the account's default (TFA-12, TFA-14, TFA-26, TFA-39), in the
 * transaction that creates him.
 * @throws AppError INVALID_PHONE_NUMBER, BACKUP_NUMBER_SAME_AS_PRIMARY, MOBILE_REQUIRED
 */
export async function chooseSecondFactor(
  ctx: Platform,
  account: AccountTx,
  userId: string,
  choice: SecondFactorChoice | undefined,
  by: Actor,
): Promise<void> {
  const { tx, accountId } = account;
  const user = await tx.user.findUniqueOrThrow({ where: { id: userId } });
  const policy = await tx.account.findUniqueOrThrow({
    where: { id: accountId },
    select: { name: true, ...SECOND_FACTOR_POLICY_SELECT },
  });
  if (choice === undefined) {
    // TFA-26: on, and the user chooses the method himself when he first logs in.
    if (policy.twoFactorByDefault)
      await tx.user.update({ where: { id: userId }, data: { secondFactorState: 'PENDING_ENROLMENT' } });
    return;
  }
  if (choice.method === 'SMS' && choice.mobile === null && policy.mobileRequiredAtCreation)
    throw new AppError('MOBILE_REQUIRED', 'The account asks for the mobile number when a user is created.', ['mobile']);
  await applyChoice(ctx, account, user, choice, by);
}

/**
 * Sets the second factor of another user (TFA-12, TFA-20): numbers given by an Administrator count without a code, and the
 * user is told by a text message.
 * @throws AppError NOT_FOUND, FORBIDDEN, REAUTHENTICATION_REQUIRED, INVALID_PHONE_NUMBER, BACKUP_NUMBER_SAME_AS_PRIMARY
 */
export function setSecondFactor(ctx: ActorContext, userId: string, choice: SecondFactorChoice): Promise<void> {
  return asAdministrator(ctx, userId, async (account, user, actor) => {
    if (userId === actor.userId)
      throw new AppError('FORBIDDEN', 'Your own second factor is set up with `startSecondFactorEnrolment`.');
    if (choice.method === null) return switchOff(account, user, actor);
    await applyChoice(ctx, account, user, choice, actor);
  });
}

async function applyChoice(
  ctx: Platform,
  account: AccountTx,
  user: User,
  choice: SecondFactorChoice,
  by: Actor,
): Promise<void> {
  const { tx, now, log, accountId } = account;
  const { method } = choice;
  if (method === null) return;
  const mobile = choice.mobile === null ? null : parsePhoneNumber(choice.mobile, 'mobile');
  const backupMobile = choice.backupMobile === null ? null : parsePhoneNumber(choice.backupMobile, 'backupMobile');
  requireDifferentNumbers(mobile, backupMobile);
  const policy = await tx.account.findUniqueOrThrow({
    where: { id: accountId },
    select: { name: true, ...SECOND_FACTOR_POLICY_SELECT },
  });
  const administrator = (await loadUserAsActor(tx, user.id))?.administrator ?? false;
  const complete =
    method === 'EMAIL' ||
    (method === 'SMS' && missingNumbers({ mobile, backupMobile }, administrator, policy).length === 0);
  // What stood for the method before stands for this one no more; what was begun cannot confirm another.
  await forgetSecondFactor(account, user.id);
  await tx.user.update({
    where: { id: user.id },
    data: {
      ...OFF,
      ...{ mobile, backupMobile },
      secondFactorMethod: method,
      secondFactorState: complete ? 'ENABLED' : 'PENDING_ENROLMENT',
      totpSecretEncrypted: null,
    },
  });
  if (mobile !== null && method === 'SMS') {
    await ctx.rateLimits.notices.take(accountId);
    await queueMessage(ctx, account, {
      channel: 'SMS',
      template: 'SECOND_FACTOR_ENABLED',
      recipient: mobile,
      userId: user.id,
      params: { accountName: policy.name, by: displayName(by) },
      expiresAt: addSeconds(now, NOTICE_SECONDS),
    });
  }
  log({
    code: 'SECOND_FACTOR_ENABLED',
    user: actorSubject(by),
    params: { name: displayName(user), method, pending: !complete },
  });
}

/**
 * Switches the second factor of a user off (TFA-25): an Administrator for anybody; oneself only where the account does not
 * oblige to it and the own properties may be edited.
 * @throws AppError NOT_FOUND, FORBIDDEN, REAUTHENTICATION_REQUIRED, SECOND_FACTOR_REQUIRED_BY_ACCOUNT
 */
export function disableSecondFactor(ctx: ActorContext, userId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const user = await findUser(account, actor, userId);
    if (userId !== actor.userId) requireSecondFactorAdministrator(actor);
    else {
      requireOwnSecondFactor(user);
      const { twoFactorRequired } = await account.tx.account.findUniqueOrThrow({ where: { id: actor.accountId } });
      if (twoFactorRequired)
        throw new AppError('SECOND_FACTOR_REQUIRED_BY_ACCOUNT', 'The account obliges you to have a second factor.');
    }
    requireRecentConfirmation(actor, account.now, ctx.config);
    await switchOff(account, user, actor);
  });
}

/** Off, and with it what stood for it: backup codes and remembered PCs (TFA-35). Numbers stay with the user's properties. */
async function switchOff(account: AccountTx, user: User, by: Actor): Promise<void> {
  if (user.secondFactorState === 'DISABLED') return;
  await forgetSecondFactor(account, user.id);
  await account.tx.user.update({ where: { id: user.id }, data: OFF });
  account.log({ code: 'SECOND_FACTOR_DISABLED', user: actorSubject(by), params: { name: displayName(user) } });
}

/**
 * Resets the second factor of a user who lost it (TFA-41): the method is removed, a block ends (TFA-07), and he enrols again
 * at his next login. @throws AppError NOT_FOUND, FORBIDDEN, REAUTHENTICATION_REQUIRED, SECOND_FACTOR_NOT_ACTIVE
 */
export function resetSecondFactor(ctx: ActorContext, userId: string): Promise<void> {
  return asAdministrator(ctx, userId, async (account, user, actor) => {
    if (user.secondFactorState === 'DISABLED')
      throw new AppError('SECOND_FACTOR_NOT_ACTIVE', 'The user has no second factor to reset.');
    await forgetSecondFactor(account, userId);
    await account.tx.user.update({
      where: { id: userId },
      data: { ...OFF, secondFactorState: 'PENDING_ENROLMENT', mobile: null, backupMobile: null },
    });
    account.log({ code: 'SECOND_FACTOR_RESET', user: actorSubject(actor), params: { name: displayName(user) } });
  });
}

async function forgetSecondFactor(account: AccountTx, userId: string): Promise<void> {
  const { tx } = account;
  await tx.backupCode.deleteMany({ where: { userId } });
  await tx.rememberedPc.deleteMany({ where: { userId } });
  await tx.challenge.deleteMany({ where: { userId } });
  await schedule(account, 'SECOND_FACTOR_UNBLOCK', userId, null);
}

async function findUser({ tx }: AccountTx, actor: Actor, userId: string): Promise<User> {
  const user = await tx.user.findFirst({ where: { AND: [usersVisibleTo(actor), { id: userId }] } });
  if (!user) throw notFound('user');
  return user;
}

function asAdministrator(
  ctx: ActorContext,
  userId: string,
  work: (account: AccountTx, user: User, actor: Actor) => Promise<void>,
): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const user = await findUser(account, actor, userId);
    requireSecondFactorAdministrator(actor);
    requireRecentConfirmation(actor, account.now, ctx.config);
    await work(account, user, actor);
  });
}

import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { Account, Challenge, ChallengePurpose, SecondFactorMethod, User } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { stageOf } from '../logins/stages.ts';
import { type Actor, loadUserAsActor } from '../users/actor.ts';
import { displayName, requireRecentConfirmation, userSubject } from '../users/rules.ts';
import { type AuthenticatorSecret, createAuthenticatorSecret } from './authenticator.ts';
import { checkFirstCode, checkSentCode, sendCode } from './codes.ts';
import { parsePhoneNumber } from './phone.ts';
import {
  type MissingNumber,
  maskedEmail,
  maskedNumber,
  missingNumbers,
  requireDifferentNumbers,
  requireNotBlocked,
  requireOwnSecondFactor,
} from './rules.ts';

/** What a user sets up for himself. Of the two numbers one at a time, each with its own code (TFA-18, TFA-19). */
export interface EnrolmentRequest {
  method: SecondFactorMethod;
  mobile: string | null;
  backupMobile: string | null;
}

export interface StartedEnrolment {
  method: SecondFactorMethod;
  /** Where the code went, masked; null for an authenticator app. */
  sentTo: string | null;
  expiresAt: Date;
  authenticator: AuthenticatorSecret | null;
}

type OwnUser = User & { account: Account };

/**
 * Begins to set up one's own second factor: sends a code to the number or address, or makes the secret of an authenticator
 * app (TFA-13, TFA-18, TFA-19, TFA-40, TFA-42). Nothing counts before it is confirmed. In the midst of a login that waits for
 * it, or from an open login that has just proved who it is (AUTH-21).
 * @throws AppError as {@link requireMayEnrol}; INVALID_PHONE_NUMBER, BACKUP_NUMBER_SAME_AS_PRIMARY, MOBILE_REQUIRED, VALIDATION_FAILED
 * @throws TooManyRequestsError, TwoFactorBlockedError
 */
export function startEnrolment(ctx: Platform, actor: Actor, request: EnrolmentRequest): Promise<StartedEnrolment> {
  return inAccount(ctx, actor.accountId, async (account) => {
    const user = await ownUser(account, actor);
    await requireMayEnrol(ctx, account, actor, user);
    const { method } = request;
    // While enrolment is pending an Administrator may have chosen the method (TFA-13).
    if (user.secondFactorState === 'PENDING_ENROLMENT' && user.secondFactorMethod && user.secondFactorMethod !== method)
      throw new AppError('FORBIDDEN', `An Administrator chose ${user.secondFactorMethod} for you.`, ['method']);
    if (method === 'APP') return startAuthenticator(ctx, account, actor, user);
    const { purpose, target } =
      method === 'EMAIL' ? { purpose: 'ENROL_EMAIL' as const, target: user.email } : numberToEnrol(user, request);
    const { expiresAt } = await sendCode(ctx, account, user, actor.loginId, { purpose, method, target });
    const sentTo = method === 'EMAIL' ? maskedEmail(target) : maskedNumber(target);
    return { method, sentTo, expiresAt, authenticator: null };
  });
}

function numberToEnrol(user: User, request: EnrolmentRequest): { purpose: ChallengePurpose; target: string } {
  if ((request.mobile === null) === (request.backupMobile === null))
    throw new AppError('MOBILE_REQUIRED', 'Give either the mobile number or the backup number.', ['mobile']);
  if (request.mobile !== null) {
    const mobile = parsePhoneNumber(request.mobile, 'mobile');
    requireDifferentNumbers(mobile, user.backupMobile);
    return { purpose: 'ENROL_MOBILE', target: mobile };
  }
  if (user.mobile === null) throw new AppError('MOBILE_REQUIRED', 'Confirm the mobile number first.', ['mobile']);
  const backup = parsePhoneNumber(request.backupMobile ?? '', 'backupMobile');
  requireDifferentNumbers(user.mobile, backup);
  return { purpose: 'ENROL_BACKUP_MOBILE', target: backup };
}

async function startAuthenticator(
  ctx: Platform,
  { tx, now }: AccountTx,
  actor: Actor,
  user: OwnUser,
): Promise<StartedEnrolment> {
  requireNotBlocked(user, now);
  const authenticator = createAuthenticatorSecret(user.account.name, user.username);
  const expiresAt = addSeconds(now, ctx.config.limits.CODE_MINUTES * 60);
  const data = {
    ...{ userId: user.id, purpose: 'ENROL_APP' as const, method: 'APP' as const, expiresAt },
    ...{ target: null, codeHash: null, sends: 0 },
    secretEncrypted: ctx.secrets.encrypt(authenticator.secret),
  };
  await tx.challenge.upsert({
    where: { loginId: actor.loginId },
    create: { loginId: actor.loginId, ...data },
    update: data,
  });
  return { method: 'APP', sentTo: null, expiresAt, authenticator };
}

/** What is still to be done until the second factor is active; nothing when it is. */
export type MissingForEnrolment = MissingNumber;

/**
 * Confirms what was begun with its code. When nothing is missing any more, the method is active (TFA-21), and a login that
 * waited for it can go on.
 * @throws AppError CODE_INVALID, CODE_EXPIRED, and as {@link requireMayEnrol}
 * @throws TwoFactorBlockedError
 */
export async function confirmEnrolment(ctx: Platform, actor: Actor, code: string): Promise<MissingForEnrolment[]> {
  const outcome = await inAccount(ctx, actor.accountId, async (account) => {
    const user = await ownUser(account, actor);
    await requireMayEnrol(ctx, account, actor, user);
    const challenge = await account.tx.challenge.findUnique({ where: { loginId: actor.loginId } });
    const change = challenge && ENROLS[challenge.purpose];
    if (!challenge || !change) return new AppError('CODE_EXPIRED', 'No enrolment was begun, or it was confirmed.');
    const confirmed = await confirm(ctx, account, user, challenge, code);
    if (confirmed instanceof AppError) return confirmed;
    const result = { ...change(challenge), ...confirmed };
    requireDifferentNumbers(result.mobile ?? user.mobile, result.backupMobile ?? user.backupMobile);
    return activate(account, actor, user, result);
  });
  if (outcome instanceof AppError) throw outcome;
  return outcome;
}

/** What each kind of enrolment changes of the user. */
const ENROLS: Partial<Record<ChallengePurpose, (challenge: Challenge) => Partial<User>>> = {
  ENROL_MOBILE: ({ target }) => ({ secondFactorMethod: 'SMS', mobile: target }),
  ENROL_BACKUP_MOBILE: ({ target }) => ({ secondFactorMethod: 'SMS', backupMobile: target }),
  ENROL_EMAIL: () => ({ secondFactorMethod: 'EMAIL' }),
  ENROL_APP: () => ({ secondFactorMethod: 'APP' }),
};

async function confirm(
  ctx: Platform,
  account: AccountTx,
  user: User,
  challenge: Challenge,
  code: string,
): Promise<Partial<User> | AppError> {
  if (challenge.purpose === 'ENROL_APP') {
    const first = await checkFirstCode(ctx, account, user, challenge, code);
    return first instanceof AppError ? first : { totpSecretEncrypted: first.secretEncrypted, totpLastStep: first.step };
  }
  if (challenge.purpose === 'ENROL_EMAIL' && challenge.target !== user.email)
    return new AppError('CODE_EXPIRED', 'Your e-mail address has changed; begin the enrolment again.');
  return (await checkSentCode(ctx, account, user, challenge.loginId, challenge.purpose, code)) ?? {};
}

/** Writes what was confirmed; the method becomes the active one when all its numbers are there (TFA-16, TFA-21, TFA-22). */
async function activate(
  { tx, now, log }: AccountTx,
  actor: Actor,
  user: OwnUser,
  { secondFactorMethod: method, ...confirmed }: Partial<User>,
): Promise<MissingForEnrolment[]> {
  const missing = method === 'SMS' ? missingNumbers({ ...user, ...confirmed }, actor.administrator, user.account) : [];
  const complete = missing.length === 0;
  const keeps = user.secondFactorState === 'ENABLED';
  await tx.user.update({
    where: { id: user.id },
    data: {
      ...confirmed,
      ...(complete
        ? { secondFactorMethod: method, secondFactorState: 'ENABLED' as const }
        : // One that is active stays so until the new one is complete; one that waits for its numbers keeps waiting.
          // From then on its code is asked for first.
          !keeps && (user.secondFactorState === 'PENDING_ENROLMENT' || actor.stage === 'ENROLMENT')
          ? { secondFactorMethod: method, secondFactorState: 'PENDING_ENROLMENT' as const }
          : {}),
      ...(complete && method !== 'APP' && { totpSecretEncrypted: null, totpLastStep: null }),
    },
  });
  // Whoever has just proved a second factor has given it for this login.
  if (complete || actor.stage === 'ENROLMENT')
    await tx.login.update({ where: { id: actor.loginId }, data: { secondFactorAt: now } });
  const name = displayName(user);
  log(
    complete && !(keeps && user.secondFactorMethod === method)
      ? { code: 'SECOND_FACTOR_ENABLED', user: userSubject(user), params: { name, method: method ?? '' } }
      : {
          code: 'SECOND_FACTOR_CHANGED',
          user: userSubject(user),
          params: { name, change: Object.keys(confirmed).join(', ') || 'confirmed' },
        },
  );
  return missing;
}

/**
 * Whether this login may set up a second factor now: one that waits for it, or an open one of a user who may edit his own
 * properties and has just proved who he is (TFA-42, AUTH-21). The stage is looked up anew: since the login was left at it, the
 * user may have got a second factor elsewhere, and then its code is asked for.
 * @throws AppError LOGIN_EXPIRED, SECOND_FACTOR_REQUIRED, PASSWORD_CHANGE_REQUIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED
 */
async function requireMayEnrol(ctx: Platform, { tx, now }: AccountTx, actor: Actor, user: OwnUser): Promise<void> {
  const login = await tx.login.findFirst({ where: { id: actor.loginId, revokedAt: null } });
  if (!login) throw new AppError('LOGIN_EXPIRED', 'The login has ended; log in again.');
  if (login.stage === 'OPEN') {
    requireOwnSecondFactor(user);
    requireRecentConfirmation({ ...actor, confirmedAt: login.confirmedAt }, now, ctx.config);
    return;
  }
  if (login.stage === 'PASSWORD_CHANGE') throw new AppError('PASSWORD_CHANGE_REQUIRED', 'Choose a new password first.');
  const administrator = (await loadUserAsActor(tx, user.id))?.administrator ?? false;
  const secondFactorGiven = login.secondFactorAt !== null;
  const stage = stageOf({ user, account: user.account, administrator, secondFactorGiven, now });
  if (login.stage !== 'ENROLMENT' || stage !== 'ENROLMENT')
    throw new AppError('SECOND_FACTOR_REQUIRED', 'Give the second-factor code first.');
}

const ownUser = ({ tx }: AccountTx, actor: Actor): Promise<OwnUser> =>
  tx.user.findUniqueOrThrow({ where: { id: actor.userId }, include: { account: true } });

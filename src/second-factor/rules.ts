import { AppError } from '../errors.ts';
import type { Account, User } from '../generated/prisma/client.ts';
import type { Actor } from '../users/actor.ts';

/** The columns of a user that decide over his second factor. */
export const SECOND_FACTOR_SELECT = {
  secondFactorState: true,
  secondFactorMethod: true,
  mobile: true,
  backupMobile: true,
} as const;
export type SecondFactorFacts = Pick<User, keyof typeof SECOND_FACTOR_SELECT>;

/** The columns of an account that are its second-factor policy. */
export const SECOND_FACTOR_POLICY_SELECT = {
  twoFactorByDefault: true,
  twoFactorRequired: true,
  rememberPcAllowed: true,
  rememberPcDays: true,
  mobileRequiredAtCreation: true,
  backupRequiredForAdministrators: true,
} as const;
export type SecondFactorPolicy = Pick<Account, keyof typeof SECOND_FACTOR_POLICY_SELECT>;

/** What is still to be given before text messages can be the second factor. */
export type MissingNumber = 'MOBILE' | 'BACKUP_MOBILE';

/** TFA-16, TFA-17, TFA-21, TFA-22: the numbers that the method of text messages needs and that are not there yet. */
export function missingNumbers(
  { mobile, backupMobile }: Pick<User, 'mobile' | 'backupMobile'>,
  administrator: boolean,
  policy: SecondFactorPolicy,
): MissingNumber[] {
  const backupNeeded = administrator && policy.backupRequiredForAdministrators;
  return [
    ...(mobile === null ? (['MOBILE'] as const) : []),
    ...(backupNeeded && backupMobile === null ? (['BACKUP_MOBILE'] as const) : []),
  ];
}

/**
 * TFA-21, TFA-23: the state as it counts. What is stored says whether a second factor was switched on; one by text messages
 * for which a number is missing, because the user has administrator rights by now, waits for it.
 */
export function secondFactorState(
  user: SecondFactorFacts,
  administrator: boolean,
  policy: SecondFactorPolicy,
): User['secondFactorState'] {
  if (user.secondFactorState !== 'ENABLED' || user.secondFactorMethod !== 'SMS') return user.secondFactorState;
  return missingNumbers(user, administrator, policy).length > 0 ? 'PENDING_ENROLMENT' : 'ENABLED';
}

/**
 * Whether a code can and must be asked for. Also while the backup number alone is missing: whoever knows the password must
 * not be able to enrol a number of his own.
 */
export function asksForCode(user: SecondFactorFacts): boolean {
  if (user.secondFactorState === 'ENABLED') return true;
  return user.secondFactorState === 'PENDING_ENROLMENT' && user.secondFactorMethod === 'SMS' && user.mobile !== null;
}

/** TFA-13, TFA-41, TFA-45: whether a second factor must be set up before anything else. */
export const mustEnrol = (user: SecondFactorFacts, administrator: boolean, policy: SecondFactorPolicy): boolean =>
  secondFactorState(user, administrator, policy) === 'PENDING_ENROLMENT' ||
  (policy.twoFactorRequired && user.secondFactorState === 'DISABLED');

/** TFA-27, SUP-06 */
export const mayRememberPc = (user: Pick<User, 'mayRememberPc'>, policy: SecondFactorPolicy): boolean =>
  user.mayRememberPc && policy.rememberPcAllowed;

/** TFA-28, TFA-30, TFA-33: when a remembered PC needs a code again; null for never. */
export const rememberedUntil = (createdAt: Date, policy: SecondFactorPolicy): Date | null =>
  policy.rememberPcDays === null ? null : new Date(createdAt.getTime() + policy.rememberPcDays * 86_400_000);

/** TFA-29: presets are shorthands for the two settings. */
export type RememberPcPreset = 'STANDARD' | 'ENFORCED' | 'CUSTOM';
export function rememberPcPreset({ rememberPcAllowed, rememberPcDays }: SecondFactorPolicy): RememberPcPreset {
  if (!rememberPcAllowed) return 'ENFORCED';
  return rememberPcDays === null ? 'STANDARD' : 'CUSTOM';
}

/** TFA-11: the country code and the last two digits. */
export const maskedNumber = (number: string): string =>
  `${number.slice(0, 3)}${'•'.repeat(Math.max(0, number.length - 5))}${number.slice(-2)}`;

/** The first character of the name and the domain. */
export const maskedEmail = (email: string): string => {
  const at = email.lastIndexOf('@');
  return `${email.slice(0, 1)}${'•'.repeat(Math.max(1, at - 1))}${email.slice(at)}`;
};

/** TFA-11: numbers in full are for their owner and for Administrators, in the sensitive area (AUTH-21). */
export const mayReadNumbers = (actor: Actor, userId: string): boolean => actor.administrator || actor.userId === userId;

/** TFA-25, TFA-34, TFA-41, TFA-44: what Administrators do with the second factor of others. @throws AppError FORBIDDEN */
export function requireSecondFactorAdministrator(actor: Actor): void {
  if (!actor.administrator)
    throw new AppError('FORBIDDEN', 'Only Administrators manage the second factor of other users.');
}

/** TFA-42, USR-16: the own second factor is part of the own properties. @throws AppError FORBIDDEN */
export function requireOwnSecondFactor(user: Pick<User, 'mayEditOwn'>): void {
  if (!user.mayEditOwn) throw new AppError('FORBIDDEN', 'You may not change your own properties.');
}

/** TFA-15 @throws AppError BACKUP_NUMBER_SAME_AS_PRIMARY */
export function requireDifferentNumbers(mobile: string | null, backupMobile: string | null): void {
  if (mobile !== null && mobile === backupMobile)
    throw new AppError('BACKUP_NUMBER_SAME_AS_PRIMARY', 'The backup number must differ from the primary one.', [
      'backupMobile',
    ]);
}

/** TFA-07: refused although the password is right. */
export class TwoFactorBlockedError extends AppError {
  override readonly name = 'TwoFactorBlockedError';
  constructor(readonly blockedUntil: Date) {
    super('TWO_FACTOR_BLOCKED', 'Too many wrong codes; wait, or ask an Administrator to reset your second factor.');
  }
}

/** TFA-07: the refusal while a block lasts; null when none does. */
export const blockOf = (
  { secondFactorBlockedUntil: until }: Pick<User, 'secondFactorBlockedUntil'>,
  now: Date,
): TwoFactorBlockedError | null => (until && until > now ? new TwoFactorBlockedError(until) : null);

/** TFA-07 @throws TwoFactorBlockedError */
export function requireNotBlocked(user: Pick<User, 'secondFactorBlockedUntil'>, now: Date): void {
  const block = blockOf(user, now);
  if (block) throw block;
}

/** Digits of a code: four in text messages (TFA-03), six in mails (TFA-39). */
export const codeLength = (method: 'SMS' | 'EMAIL'): number => (method === 'SMS' ? 4 : 6);

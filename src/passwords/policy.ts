import { AppError } from '../errors.ts';
import type { Account } from '../generated/prisma/client.ts';

/** PWD-05: whatever the setting. */
export const PASSWORD_MIN_LENGTH = 6;
export const PASSWORD_MAX_LENGTH = 45;
/** PWD-11, in days. */
export const PASSWORD_EXPIRY_MIN = 10;
export const PASSWORD_EXPIRY_MAX = 970;
/** PWD-12 */
export const PASSWORD_HISTORY_MAX = 999;

/** A constraint that a password breaks. */
const PASSWORD_VIOLATIONS = [
  'TOO_SHORT',
  'TOO_LONG',
  'NO_LETTER',
  'NO_DIGIT',
  'NO_SPECIAL',
  'NO_DIGIT_OR_SPECIAL',
  'USED_BEFORE',
] as const;
export type PasswordViolation = (typeof PASSWORD_VIOLATIONS)[number];

/** PWD-20: carries every violation, not just the first. */
export class PasswordPolicyError extends AppError {
  override readonly name = 'PasswordPolicyError';
  constructor(readonly violations: PasswordViolation[]) {
    super('PASSWORD_POLICY_VIOLATION', 'The password breaks the password policy of the account.', ['password']);
  }
}

/** The columns of an account that are its password policy (PWD-01). */
export const PASSWORD_POLICY_SELECT = {
  passwordMinLength: true,
  passwordNeedsLetter: true,
  passwordNeedsDigit: true,
  passwordNeedsSpecial: true,
  passwordNeedsDigitOrSpecial: true,
  passwordExpiryDays: true,
  passwordExpiryChangedAt: true,
  passwordHistory: true,
} as const;
export type PasswordPolicy = Pick<Account, keyof typeof PASSWORD_POLICY_SELECT>;

/** The policy of a new account (PWD-21). */
export const defaultPasswordPolicy = (minLength: number): PasswordPolicy => ({
  passwordMinLength: minLength,
  passwordNeedsLetter: true,
  passwordNeedsDigit: true,
  passwordNeedsSpecial: false,
  passwordNeedsDigitOrSpecial: false,
  passwordExpiryDays: null,
  passwordExpiryChangedAt: null,
  passwordHistory: null,
});

const LETTER = /\p{L}/u;
const DIGIT = /[0-9]/;
/** PWD-10: any other printable character, space included. */
const SPECIAL = /[^\p{L}0-9\p{C}\p{Zl}\p{Zp}]/u;

/** The constraints that a password breaks by itself; length is in code points (PWD-05 to PWD-10). */
export function brokenConstraints(password: string, policy: PasswordPolicy): PasswordViolation[] {
  const length = [...password].length;
  const broken: Record<PasswordViolation, boolean> = {
    TOO_SHORT: length < Math.max(PASSWORD_MIN_LENGTH, policy.passwordMinLength),
    TOO_LONG: length > PASSWORD_MAX_LENGTH,
    NO_LETTER: policy.passwordNeedsLetter && !LETTER.test(password),
    NO_DIGIT: policy.passwordNeedsDigit && !DIGIT.test(password),
    NO_SPECIAL: policy.passwordNeedsSpecial && !SPECIAL.test(password),
    NO_DIGIT_OR_SPECIAL: policy.passwordNeedsDigitOrSpecial && !DIGIT.test(password) && !SPECIAL.test(password),
    USED_BEFORE: false,
  };
  return PASSWORD_VIOLATIONS.filter((violation) => broken[violation]);
}

/**
 * PWD-11, PWD-15: when a password runs out: so many days after it was set, or after the setting was made where that is later;
 * null for never.
 */
export function passwordExpiresAt(changedAt: Date | null, policy: PasswordPolicy): Date | null {
  if (policy.passwordExpiryDays === null || changedAt === null) return null;
  const from = Math.max(changedAt.getTime(), policy.passwordExpiryChangedAt?.getTime() ?? 0);
  return new Date(from + policy.passwordExpiryDays * 86_400_000);
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** PWD-03: the active constraints in one line. */
export function policySummary(policy: PasswordPolicy): string {
  const parts = [
    `at least ${count(Math.max(PASSWORD_MIN_LENGTH, policy.passwordMinLength), 'character')}`,
    policy.passwordNeedsLetter && 'one letter',
    policy.passwordNeedsDigit && 'one digit',
    policy.passwordNeedsSpecial && 'one special character',
    policy.passwordNeedsDigitOrSpecial && 'one digit or special character',
    policy.passwordExpiryDays !== null && `expires after ${count(policy.passwordExpiryDays, 'day')}`,
    policy.passwordHistory !== null &&
      (policy.passwordHistory === 1
        ? 'differs from the current password'
        : `differs from the last ${policy.passwordHistory} passwords`),
  ];
  const text = parts.filter((part) => part !== false).join(', ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';

/** PWD-05: whatever the setting. */
const PASSWORD_MAX_LENGTH = 45;

/** A constraint that a password breaks. */
const PASSWORD_VIOLATIONS = ['TOO_SHORT', 'TOO_LONG', 'NO_LETTER', 'NO_DIGIT'] as const;
export type PasswordViolation = (typeof PASSWORD_VIOLATIONS)[number];

/** PWD-20: carries every violation, not just the first. */
export class PasswordPolicyError extends AppError {
  override readonly name = 'PasswordPolicyError';
  constructor(readonly violations: PasswordViolation[]) {
    super('PASSWORD_POLICY_VIOLATION', 'The password breaks the password policy of the account.', ['password']);
  }
}

/** The default policy of an account: minimum length, a letter and a digit (PWD-21). @throws PasswordPolicyError */
export function checkPassword(password: string, { limits }: Config): void {
  const length = [...password].length;
  const broken: Record<PasswordViolation, boolean> = {
    TOO_SHORT: length < limits.PASSWORD_MIN_LENGTH,
    TOO_LONG: length > PASSWORD_MAX_LENGTH,
    NO_LETTER: !/\p{L}/u.test(password),
    NO_DIGIT: !/[0-9]/.test(password),
  };
  const violations = PASSWORD_VIOLATIONS.filter((violation) => broken[violation]);
  if (violations.length > 0) throw new PasswordPolicyError(violations);
}

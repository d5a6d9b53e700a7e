import { AppError, ConfirmationRequiredError, ERROR_CODES, TooManyRequestsError, ValidationError } from '../errors.ts';
import { PasswordPolicyError, type PasswordViolation } from '../passwords/policy.ts';
import { builder } from './builder.ts';

const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description: 'Why something was refused. Codes are stable: clients decide by them, not by the message (API-04).',
  values: Object.fromEntries(Object.entries(ERROR_CODES).map(([code, description]) => [code, { description }])),
});

const ErrorInterface = builder.interfaceRef<AppError>('Error').implement({
  description: 'Why a mutation did nothing. The members of every `…Result` union but its success implement it.',
  fields: (t) => ({
    code: t.field({ type: ErrorCodeEnum, description: 'Stable; decide by it.', resolve: (error) => error.code }),
    message: t.exposeString('message', { description: 'English text for a person; it may change.' }),
    path: t.field({
      type: ['String'],
      nullable: true,
      description: 'The place of the offending value inside `input`; null when the error is not about one value.',
      resolve: (error) => error.path,
    }),
  }),
});

export const ErrorRef = ErrorInterface;

/** An error type of its own for an error class that carries data. */
builder.objectType(AppError, {
  name: 'DomainError',
  description: 'An error that says all it has to say by its code.',
  interfaces: [ErrorInterface],
});

const ViolationType = builder.objectRef<{ path: string[]; message: string }>('InputViolation').implement({
  description: 'One thing that is wrong with an input.',
  fields: (t) => ({
    path: t.exposeStringList('path', { description: 'The place of the value inside `input`.' }),
    message: t.exposeString('message', { description: 'What is expected, in English.' }),
  }),
});

builder.objectType(ValidationError, {
  name: 'ValidationError',
  description: 'Values of the input are out of their range or form; all of them at once. Nothing was done.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    // Not `violations`: a query that asks for those of PasswordPolicyError too would have to rename one of them.
    inputViolations: t.field({
      type: [ViolationType],
      description: 'Every violation, at least one.',
      resolve: (error) => error.violations,
    }),
  }),
});

builder.objectType(ConfirmationRequiredError, {
  name: 'ConfirmationRequiredError',
  description: 'The operation ends sessions or cannot be undone: repeat it with `confirm: true`. Nothing was done.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    sessions: t.prismaField({
      type: ['Session'],
      description: 'The open sessions that it would close; at most 100 of them.',
      resolve: (query, { sessions }, _args, { db }) =>
        db.session.findMany({ ...query, where: { id: { in: sessions.map(({ id }) => id) } }, take: 100 }),
    }),
    openLogins: t.exposeInt('openLogins', {
      description: 'The logins in force that it would end (USR-27); 0 where it is not about a user.',
    }),
  }),
});

builder.objectType(TooManyRequestsError, {
  name: 'TooManyRequestsError',
  description: 'Too many attempts, or too much work waiting.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    retryAfter: t.exposeInt('retryAfter', { description: 'Seconds until it is worth trying again; at least 1.' }),
  }),
});

export const PasswordViolationEnum = builder.enumType('PasswordViolation', {
  description: 'A constraint of the password policy that a password breaks.',
  values: {
    TOO_SHORT: { description: 'Shorter than the policy asks.' },
    TOO_LONG: { description: 'Longer than 45 characters (PWD-05).' },
    NO_LETTER: { description: 'Without a letter.' },
    NO_DIGIT: { description: 'Without a digit 0–9.' },
    NO_SPECIAL: { description: 'Without a character that is neither letter nor digit (PWD-10).' },
    NO_DIGIT_OR_SPECIAL: { description: 'With neither a digit nor a special character (PWD-09).' },
    USED_BEFORE: { description: 'One of the passwords that the history keeps from being used again (PWD-12).' },
  } satisfies Record<PasswordViolation, object>,
});

builder.objectType(PasswordPolicyError, {
  name: 'PasswordPolicyError',
  description: 'The password breaks the policy of the account (PWD-20).',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    violations: t.field({
      type: [PasswordViolationEnum],
      description: 'Every broken constraint.',
      resolve: (error) => error.violations,
    }),
  }),
});

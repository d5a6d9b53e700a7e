import { z } from 'zod';
import { accountSuccess } from '../account/success.ts';
import { TooManyRequestsError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { PasswordViolationEnum } from '../graphql/errors.ts';
import { changePasswordPolicy } from './change-policy.ts';
import {
  brokenConstraints,
  PASSWORD_EXPIRY_MAX,
  PASSWORD_EXPIRY_MIN,
  PASSWORD_HISTORY_MAX,
  PASSWORD_MAX_LENGTH,
  PASSWORD_MIN_LENGTH,
  PASSWORD_POLICY_SELECT,
  type PasswordPolicy,
  type PasswordViolation,
  policySummary,
} from './policy.ts';
import { estimateStrength, STRENGTH_HINTS, type Strength, type StrengthHint } from './strength.ts';

const MEANING = {
  minLength: 'Characters that a password has at least, 6 to 45 (PWD-04).',
  needsLetter: 'At least one letter of any script (PWD-06).',
  needsDigit: 'At least one digit 0–9 (PWD-07).',
  needsSpecial: 'At least one character that is neither letter nor digit, space included (PWD-08).',
  needsDigitOrSpecial: 'At least one digit or special character (PWD-09); apart from the two switches for each.',
  expiresAfterDays:
    'Days after which a password must be changed, 10 to 970; null is never (PWD-11). Switched on or shortened, it counts for existing passwords from that moment (PWD-15).',
  history:
    'From how many of the most recent passwords of the user the next one must differ, the one in force included, 1 to 999; null is no check (PWD-12).',
} as const;

const PasswordPolicyType = builder.objectRef<PasswordPolicy>('PasswordPolicy').implement({
  description:
    'What the passwords of all users of the account have to keep (PWD-01). A change counts for passwords that are set afterwards (PWD-13, PWD-14). Every user of the account may read it.',
  fields: (t) => ({
    summary: t.string({
      description: 'The active constraints in one English line (PWD-03).',
      resolve: policySummary,
    }),
    minLength: t.exposeInt('passwordMinLength', { description: MEANING.minLength }),
    maxLength: t.int({
      description: 'Characters that a password has at most; not configurable (PWD-05).',
      resolve: () => PASSWORD_MAX_LENGTH,
    }),
    needsLetter: t.exposeBoolean('passwordNeedsLetter', { description: MEANING.needsLetter }),
    needsDigit: t.exposeBoolean('passwordNeedsDigit', { description: MEANING.needsDigit }),
    needsSpecial: t.exposeBoolean('passwordNeedsSpecial', { description: MEANING.needsSpecial }),
    needsDigitOrSpecial: t.exposeBoolean('passwordNeedsDigitOrSpecial', { description: MEANING.needsDigitOrSpecial }),
    expiresAfterDays: t.exposeInt('passwordExpiryDays', { nullable: true, description: MEANING.expiresAfterDays }),
    history: t.exposeInt('passwordHistory', { nullable: true, description: MEANING.history }),
    viewerMayUpdate: t.boolean({
      description: 'The viewer may change it: Administrators only (PWD-02).',
      resolve: (_policy, _args, { actor }) => actor?.administrator ?? false,
    }),
  }),
});

builder.prismaObjectFields('Account', (t) => ({
  passwordPolicy: t.field({
    type: PasswordPolicyType,
    description: 'The password policy (PWD-01).',
    select: PASSWORD_POLICY_SELECT,
    resolve: (account) => account,
  }),
}));

const minLength = `A minimum length is from ${PASSWORD_MIN_LENGTH} to ${PASSWORD_MAX_LENGTH}.`;
const expiry = `A password expires after ${PASSWORD_EXPIRY_MIN} to ${PASSWORD_EXPIRY_MAX} days, or never.`;
const history = `A history is of 1 to ${PASSWORD_HISTORY_MAX} passwords, or absent.`;
const within = (min: number, max: number, message: string) => z.number(message).min(min, message).max(max, message);
const asked = z.boolean('A switch is true or false.').optional();

const UpdatePasswordPolicyInput = builder.inputType('UpdatePasswordPolicyInput', {
  description: 'Absent keeps; null clears expiration and history and is refused elsewhere.',
  validate: z.object({
    minLength: within(PASSWORD_MIN_LENGTH, PASSWORD_MAX_LENGTH, minLength).optional(),
    needsLetter: asked,
    needsDigit: asked,
    needsSpecial: asked,
    needsDigitOrSpecial: asked,
    expiresAfterDays: within(PASSWORD_EXPIRY_MIN, PASSWORD_EXPIRY_MAX, expiry).nullish(),
    history: within(1, PASSWORD_HISTORY_MAX, history).nullish(),
  }),
  fields: (t) => ({
    minLength: t.int({ description: MEANING.minLength }),
    needsLetter: t.boolean({ description: MEANING.needsLetter }),
    needsDigit: t.boolean({ description: MEANING.needsDigit }),
    needsSpecial: t.boolean({ description: MEANING.needsSpecial }),
    needsDigitOrSpecial: t.boolean({ description: MEANING.needsDigitOrSpecial }),
    expiresAfterDays: t.int({ description: MEANING.expiresAfterDays }),
    history: t.int({ description: MEANING.history }),
  }),
});

const UpdatePasswordPolicySuccess = accountSuccess(
  'UpdatePasswordPolicySuccess',
  'The policy counts for every password that is set from now on (PWD-14).',
);

const StrengthHintEnum = builder.enumType('PasswordStrengthHint', {
  description: 'What makes a password weak, or would make it stronger (PWD-18).',
  values: Object.fromEntries(
    Object.entries(STRENGTH_HINTS).map(([hint, description]) => [hint, { description }]),
  ) as Record<StrengthHint, { description: string }>,
});

const EstimatePasswordStrengthInput = builder.inputType('EstimatePasswordStrengthInput', {
  description: 'A candidate password. It is neither stored nor logged.',
  fields: (t) => ({
    password: t.string({
      required: true,
      validate: z.string().max(200),
      description: 'The candidate; what is beyond 45 characters is not looked at.',
    }),
    userInputs: t.stringList({
      required: true,
      defaultValue: [],
      validate: z.array(z.string().max(100, 'Each is of 100 characters at most.')).max(10, 'There are 10 at most.'),
      description:
        'What others may know of the user, such as names: it makes no part of a password strong. Names of the user and of the account need not be repeated by who is logged in.',
    }),
  }),
});

const EstimatePasswordStrengthSuccess = builder
  .objectRef<Strength & { violations: PasswordViolation[] | null }>('EstimatePasswordStrengthSuccess')
  .implement({
    description: 'How hard the password is to guess. This is advice: only the policy refuses a password (PWD-19).',
    fields: (t) => ({
      score: t.exposeInt('score', { description: 'From 0, guessed at once, to 4, very hard to guess.' }),
      hints: t.field({
        type: [StrengthHintEnum],
        description: 'What to do better; empty for a strong password.',
        resolve: ({ hints }) => hints,
      }),
      policyViolations: t.field({
        type: [PasswordViolationEnum],
        nullable: true,
        description:
          'What it breaks of the policy of the viewer’s account, apart from the history; null without a login.',
        resolve: ({ violations }) => violations,
      }),
    }),
  });

builder.mutationFields((t) => ({
  updatePasswordPolicy: t.withAuth({ loggedIn: true }).field({
    type: UpdatePasswordPolicySuccess,
    errors: {},
    description:
      'Changes the password policy of the account (PWD-02). Passwords in force stay so (PWD-13). Administrators only. Errors: FORBIDDEN, VALIDATION_FAILED.',
    args: { input: t.arg({ type: UpdatePasswordPolicyInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await changePasswordPolicy(ctx, {
        passwordMinLength: input.minLength ?? undefined,
        passwordNeedsLetter: input.needsLetter ?? undefined,
        passwordNeedsDigit: input.needsDigit ?? undefined,
        passwordNeedsSpecial: input.needsSpecial ?? undefined,
        passwordNeedsDigitOrSpecial: input.needsDigitOrSpecial ?? undefined,
        passwordExpiryDays: input.expiresAfterDays,
        passwordHistory: input.history,
      });
      return {};
    },
  }),
  estimatePasswordStrength: t.field({
    type: EstimatePasswordStrengthSuccess,
    errors: { types: [TooManyRequestsError] },
    description:
      'Estimates a candidate password and says how to better it, without storing it (PWD-18). A mutation although it changes nothing, so that a password never comes into a URL. Anyone may; how often is limited by login, else by address. Errors: TOO_MANY_REQUESTS.',
    args: { input: t.arg({ type: EstimatePasswordStrengthInput, required: true }) },
    resolve: async (_root, { input: { password, userInputs } }, ctx) => {
      const { login } = ctx;
      await ctx.rateLimits.strength.take(login ? `login ${login.loginId}` : `address ${ctx.remoteAddress}`);
      const known = login ? [login.accountName, login.username, login.fullName ?? ''] : [];
      const policy = login
        ? await ctx.db.account.findUniqueOrThrow({ where: { id: login.accountId }, select: PASSWORD_POLICY_SELECT })
        : null;
      return {
        ...(await estimateStrength(password, [...userInputs, ...known].filter(Boolean))),
        violations: policy && brokenConstraints(password, policy),
      };
    },
  }),
}));

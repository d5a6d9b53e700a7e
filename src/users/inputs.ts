import { z } from 'zod';
import { builder } from '../graphql/builder.ts';
import { customFields } from '../graphql/custom-fields.ts';
import { SecondFactorMethodEnum } from '../graphql/enums.ts';
import { keyOf } from '../graphql/global-id.ts';
import type { SecondFactorChoice } from '../second-factor/administrator.ts';
import type { UserProperties } from './change.ts';
import { fullName, RoleEnum, username } from './graphql.ts';
import type { NewUser } from './service.ts';

const description = z.string().max(1000, 'A description has at most 1000 characters.');
const password = z.string().max(200, 'A password has at most 45 characters.');
const groupIds = z.array(z.string()).max(100, 'A user is in at most 100 groups.');
const phoneNumber = z.string().max(50, 'A phone number has at most 50 characters.');

const TEXTS = {
  username: 'The login: 1–100 characters, unique in the account; an e-mail address will do (USR-04).',
  fullName: 'As people call him, up to 100 characters (USR-06).',
  description: 'Free text, up to 1000 characters (USR-07).',
  customFields: 'Up to three values of up to 255 characters, in the order of the fields (USR-08).',
  password: 'Under the password policy, 6–45 characters (PWD-05).',
  passwordConfirmation: 'The password again (PWD-17).',
  nameIsPublic: 'Others see his name as Connected User (USR-13).',
  mayEditOwnProperties: 'He may change his own full name, e-mail and password (USR-16).',
  forbidPasswordChange: 'He may not change his own password in any way (USR-19).',
  expiresAt: 'When his access ends, in the future (USR-37).',
};

const SecondFactorInput = builder.inputType('UserSecondFactorInput', {
  description: 'The second factor of a new user (TFA-12, TFA-39).',
  fields: (t) => ({
    method: t.field({ type: SecondFactorMethodEnum, description: 'Null is none.' }),
    mobile: t.string({
      validate: phoneNumber,
      description: 'For codes by text message, with country code; without it he gives it at his first login (TFA-13).',
    }),
    backupMobile: t.string({
      validate: phoneNumber,
      description: 'Another number; users with administrator rights need one (TFA-15, TFA-16).',
    }),
  }),
});

/** Fields that belong together, checked as a whole: `path` is told when the condition does not hold. */
const whole = <T>(...rules: [holds: (input: T) => boolean, path: string, message: string][]) =>
  z.any().check(({ value, issues }) => {
    for (const [holds, path, message] of rules)
      if (!holds(value as T)) issues.push({ code: 'custom', input: value, message, path: [path] });
  }) as never;

type Entered = { password?: string | null; passwordConfirmation?: string | null; invite?: boolean };

export const CreateUserInput = builder.inputType('CreateUserInput', {
  description: 'A new user, either with a password or invited to choose one: exactly one of the two (USR-09).',
  fields: (t) => ({
    username: t.string({ required: true, validate: username, description: TEXTS.username }),
    fullName: t.string({ validate: fullName, description: TEXTS.fullName }),
    email: t.field({
      type: 'EmailAddress',
      required: true,
      description: 'For invitation and recovery of the password; several users may share it (USR-05).',
    }),
    description: t.string({ validate: description, description: TEXTS.description }),
    customFields: t.field({
      type: t.listRef('String', { required: false }),
      validate: customFields,
      description: TEXTS.customFields,
    }),
    password: t.string({ validate: password, description: TEXTS.password }),
    passwordConfirmation: t.string({ validate: password, description: TEXTS.passwordConfirmation }),
    invite: t.boolean({
      required: true,
      defaultValue: false,
      description: 'Instead of a password: a mail invites him to choose it himself; until then he is PENDING (INV-01).',
    }),
    nameIsPublic: t.boolean({ required: true, defaultValue: false, description: TEXTS.nameIsPublic }),
    mayEditOwnProperties: t.boolean({ required: true, defaultValue: true, description: TEXTS.mayEditOwnProperties }),
    forbidPasswordChange: t.boolean({ required: true, defaultValue: false, description: TEXTS.forbidPasswordChange }),
    role: t.field({
      type: RoleEnum,
      required: true,
      defaultValue: 'USER',
      description: 'On plans without groups (USR-11).',
    }),
    groupIds: t.idList({
      required: true,
      defaultValue: [],
      description: 'On plans with groups: one or more (GRP-03).',
      validate: groupIds,
    }),
    expiresAt: t.field({ type: 'DateTime', description: TEXTS.expiresAt }),
    secondFactor: t.field({
      type: SecondFactorInput,
      description: 'Absent or null is the default of the account (TFA-26).',
    }),
  }),
  validate: whole<Entered>(
    [
      ({ invite, password }) => invite === (password == null),
      'password',
      'Give a password or invite the user: one of the two.',
    ],
    [
      ({ password, passwordConfirmation }) => (password == null) === (passwordConfirmation == null),
      'passwordConfirmation',
      'A password is given with its confirmation.',
    ],
  ),
});

/** @throws AppError NOT_FOUND (group) */
export function newUser(input: typeof CreateUserInput.$inferInput): NewUser {
  const { invite, password, passwordConfirmation, groupIds, secondFactor } = input;
  return {
    username: input.username,
    fullName: input.fullName ?? null,
    email: input.email,
    description: input.description ?? null,
    customFields: valuesOf(input.customFields),
    namePublic: input.nameIsPublic,
    mayEditOwn: input.mayEditOwnProperties,
    forbidPasswordChange: input.forbidPasswordChange,
    role: input.role,
    groupIds: groupIds.map((id) => keyOf('Group', id)),
    expiresAt: input.expiresAt,
    secondFactor: secondFactor ? choiceOf(secondFactor) : undefined,
    ...(invite ? { invite } : { password: password ?? '', passwordConfirmation: passwordConfirmation ?? '' }),
  };
}

const choiceOf = ({ method, mobile, backupMobile }: typeof SecondFactorInput.$inferInput): SecondFactorChoice => ({
  method: method ?? null,
  mobile: mobile ?? null,
  backupMobile: backupMobile ?? null,
});

const valuesOf = (values: readonly (string | null | undefined)[] | null | undefined): (string | null)[] =>
  (values ?? []).map((value) => value ?? null);

/** Properties that every user has: they cannot be cleared. */
const REQUIRED = ['username', 'email', 'nameIsPublic', 'mayEditOwnProperties', 'forbidPasswordChange', 'role'] as const;

const UserPropertiesInput = builder.inputType('UserPropertiesInput', {
  description: 'What changes of a user (USR-20). Absent keeps, null clears.',
  fields: (t) => ({
    username: t.string({ validate: username, description: TEXTS.username }),
    fullName: t.string({ validate: fullName, description: TEXTS.fullName }),
    email: t.field({
      type: 'EmailAddress',
      description:
        'A new address voids links that went to the old one. Whoever manages the user by a group needs SET_PASSWORD for it; where codes go to it, REAUTHENTICATION_REQUIRED may be the answer (AUTH-21).',
    }),
    description: t.string({ validate: description, description: TEXTS.description }),
    customFields: t.field({
      type: t.listRef('String', { required: false }),
      validate: customFields,
      description: TEXTS.customFields,
    }),
    nameIsPublic: t.boolean({ description: TEXTS.nameIsPublic }),
    mayEditOwnProperties: t.boolean({ description: TEXTS.mayEditOwnProperties }),
    forbidPasswordChange: t.boolean({
      description: 'He may not change his own password (USR-19): voids links that would let him, and a forced change.',
    }),
    role: t.field({ type: RoleEnum, description: 'On plans without groups only (USR-11).' }),
    groupIds: t.idList({
      description:
        'All his groups, at least one (GRP-03). Groups that the viewer does not manage stay as they are (GRP-11).',
      validate: groupIds,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When his access ends, in the future; null is never (USR-37). Moving it enables an expired user.',
    }),
  }),
  validate: whole<Record<string, unknown>>(
    ...REQUIRED.map((name): [(input: Record<string, unknown>) => boolean, string, string] => [
      (input) => input[name] !== null,
      name,
      'Cannot be cleared.',
    ]),
  ),
});

/** @throws AppError NOT_FOUND (group) */
export function userProperties(input: typeof UserPropertiesInput.$inferInput): UserProperties {
  const { customFields, groupIds } = input;
  return {
    username: input.username ?? undefined,
    fullName: input.fullName,
    email: input.email ?? undefined,
    description: input.description,
    customFields: customFields === undefined ? undefined : valuesOf(customFields),
    namePublic: input.nameIsPublic ?? undefined,
    mayEditOwn: input.mayEditOwnProperties ?? undefined,
    forbidPasswordChange: input.forbidPasswordChange ?? undefined,
    role: input.role ?? undefined,
    groupIds: groupIds === undefined ? undefined : [...new Set((groupIds ?? []).map((id) => keyOf('Group', id)))],
    expiresAt: input.expiresAt,
  };
}

export const UpdateUserInput = builder.inputType('UpdateUserInput', {
  description: 'The user and what changes.',
  fields: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    properties: t.field({ type: UserPropertiesInput, required: true, description: 'Absent keeps, null clears.' }),
  }),
});

export const DuplicateUserInput = builder.inputType('DuplicateUserInput', {
  description: 'Whom to copy, and what the copy has of its own (USR-32).',
  fields: (t) => ({
    userId: t.id({ required: true, description: 'The user to copy.' }),
    username: t.string({ required: true, validate: username, description: TEXTS.username }),
    email: t.field({ type: 'EmailAddress', description: 'Absent or null is that of the original (USR-34).' }),
    password: t.string({ required: true, validate: password, description: TEXTS.password }),
    passwordConfirmation: t.string({ required: true, validate: password, description: TEXTS.passwordConfirmation }),
  }),
});

export const SetUserPasswordInput = builder.inputType('SetUserPasswordInput', {
  description: 'A new password for a user.',
  fields: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    password: t.string({ required: true, validate: password, description: TEXTS.password }),
    passwordConfirmation: t.string({ required: true, validate: password, description: TEXTS.passwordConfirmation }),
  }),
});

/** The input of a mutation that needs no more than the user. */
const aboutUser = (name: string, text: string) =>
  builder.inputType(name, {
    description: text,
    fields: (t) => ({ userId: t.id({ required: true, description: 'The user.' }) }),
  });
export const ForcePasswordChangeInput = aboutUser('ForcePasswordChangeInput', 'Who chooses a new password.');
export const EnableUserInput = aboutUser('EnableUserInput', 'Whose access is restored.');
export const InviteUserInput = aboutUser('InviteUserInput', 'Who is invited.');

/** The input of a mutation that takes access away. */
const confirmed = (name: string, text: string, confirm: string) =>
  builder.inputType(name, {
    description: text,
    fields: (t) => ({
      userId: t.id({ required: true, description: 'The user.' }),
      confirm: t.boolean({ required: true, defaultValue: false, description: confirm }),
    }),
  });
export const DisableUserInput = confirmed(
  'DisableUserInput',
  'Whose access is blocked.',
  'Needed while he is connected, or still logged in where he has been connected from (USR-27).',
);
export const DeleteUserInput = confirmed(
  'DeleteUserInput',
  'Who is removed from the account.',
  'It cannot be undone: without `true` nothing happens (USR-30).',
);

/** The input of a link in a mail. */
const byLink = (name: string, text: string) =>
  builder.inputType(name, {
    description: text,
    fields: (t) => ({
      token: t.string({
        required: true,
        validate: z.string().max(200),
        description: 'From the link: what stands behind its `#`.',
      }),
      password: t.string({ required: true, validate: password, description: TEXTS.password }),
      passwordConfirmation: t.string({ required: true, validate: password, description: TEXTS.passwordConfirmation }),
    }),
  });
export const AcceptInvitationInput = byLink('AcceptInvitationInput', 'An invitation and the password that he chooses.');
export const RecoverPasswordInput = byLink('RecoverPasswordInput', 'A recovery link and the new password.');

export const RequestPasswordRecoveryInput = builder.inputType('RequestPasswordRecoveryInput', {
  description: 'Whose password was forgotten (AUTH-12).',
  fields: (t) => ({
    account: t.string({
      required: true,
      validate: z.string().min(1).max(100),
      description: 'The account’s name, without regard to case.',
    }),
    usernameOrEmail: t.string({
      required: true,
      validate: z.string().min(1).max(254),
      description: 'The user name or the e-mail address, without regard to case.',
    }),
  }),
});

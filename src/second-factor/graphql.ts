import { z } from 'zod';
import { TooManyRequestsError } from '../errors.ts';
import type { RememberedPc, User } from '../generated/prisma/client.ts';
import type { SecondFactorState } from '../generated/prisma/enums.ts';
import { builder } from '../graphql/builder.ts';
import type { GraphQLContext, LoggedInContext } from '../graphql/context.ts';
import { SecondFactorMethodEnum } from '../graphql/enums.ts';
import { keyOf } from '../graphql/global-id.ts';
import type { Actor } from '../users/actor.ts';
import { UserType, userList } from '../users/graphql.ts';
import { confirmedRecently, usersVisibleTo } from '../users/rules.ts';
import { disableSecondFactor, resetSecondFactor, setSecondFactor } from './administrator.ts';
import { qrCode } from './authenticator.ts';
import { generateBackupCodes, retrieveBackupCodes } from './backup-codes.ts';
import { confirmEnrolment, type MissingForEnrolment, type StartedEnrolment, startEnrolment } from './enrolment.ts';
import { updateSecondFactorPolicy } from './policy.ts';
import { withdrawRememberedPcs } from './remembered-pcs.ts';
import {
  maskedNumber,
  mayReadNumbers,
  mayRememberPc,
  type RememberPcPreset,
  rememberedUntil,
  rememberPcPreset,
  SECOND_FACTOR_POLICY_SELECT,
  SECOND_FACTOR_SELECT,
  type SecondFactorPolicy,
  secondFactorState,
  TwoFactorBlockedError,
} from './rules.ts';

const StateEnum = builder.enumType('SecondFactorState', {
  description: 'Whether a second factor is asked for (TFA-21).',
  values: {
    DISABLED: { description: 'The password is enough.' },
    PENDING_ENROLMENT: {
      description: 'Something is still to be given or confirmed; it is asked for at the next login.',
    },
    ENABLED: { description: 'Each login needs it, but on remembered PCs.' },
  } satisfies Record<SecondFactorState, object>,
});

const MissingEnum = builder.enumType('MissingNumber', {
  description: 'What is still missing until text messages can be the second factor.',
  values: {
    MOBILE: { description: 'The mobile number (TFA-13).' },
    BACKUP_MOBILE: { description: 'The backup number, which users with administrator rights need (TFA-16).' },
  } satisfies Record<MissingForEnrolment, object>,
});

const PresetEnum = builder.enumType('RememberPcPreset', {
  description: 'Shorthands for whether and how long PCs are remembered (TFA-29).',
  values: {
    STANDARD: { description: 'Allowed, and never expires.' },
    ENFORCED: { description: 'Not allowed.' },
    CUSTOM: { description: 'Allowed, and expires after `days`. Not to be set: give `days`.' },
  } satisfies Record<RememberPcPreset, object>,
});

const PhoneNumberType = builder.objectRef<{ number: string; userId: string }>('SecondFactorNumber').implement({
  description: 'A phone number of the second factor.',
  fields: (t) => ({
    masked: t.string({
      description: 'Country code and last digits (TFA-11).',
      resolve: ({ number }) => maskedNumber(number),
    }),
    number: t.string({
      nullable: true,
      description:
        'In E.164 form, for its owner and for Administrators who have just confirmed who they are; null for others, and when `confirmIdentity` is due (TFA-11, AUTH-21).',
      resolve: ({ number, userId }, _args, ctx) =>
        ctx.actor && mayReadNumbers(ctx.actor, userId) && isConfirmed(ctx, ctx.actor) ? number : null,
    }),
  }),
});

const isConfirmed = ({ clock, config }: GraphQLContext, actor: Actor): boolean =>
  confirmedRecently(actor, clock.now(), config.limits.REAUTHENTICATION_MINUTES);

const RememberedPcType = builder.objectRef<RememberedPc & { expiresAt: Date | null }>('RememberedPc').implement({
  description: 'A PC from which no code is asked (TFA-31).',
  fields: (t) => ({
    userAgent: t.exposeString('userAgent', { nullable: true, description: 'What it said it was.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was remembered (TFA-30).' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', description: 'When it last stood for a code.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a code is asked again (TFA-33); null for never.',
    }),
  }),
});

/** A user with what his second factor is reckoned from. */
type UserWithFactor = Pick<
  User,
  | 'id'
  | 'role'
  | 'secondFactorState'
  | 'secondFactorMethod'
  | 'mobile'
  | 'backupMobile'
  | 'secondFactorBlockedUntil'
  | 'mayRememberPc'
> & {
  account: SecondFactorPolicy;
  memberships: { group: { administrators: boolean } }[];
};

const FACTOR_SELECT = {
  id: true,
  role: true,
  ...SECOND_FACTOR_SELECT,
  secondFactorBlockedUntil: true,
  mayRememberPc: true,
  account: { select: SECOND_FACTOR_POLICY_SELECT },
  memberships: { select: { group: { select: { administrators: true } } } },
} as const;

const hasAdministratorRights = (user: UserWithFactor, actor: Actor): boolean =>
  actor.features.groups ? user.memberships.some(({ group }) => group.administrators) : user.role === 'ADMINISTRATOR';

const SecondFactorType = builder.objectRef<UserWithFactor>('SecondFactor').implement({
  description: 'The second factor of a user (TFA-24).',
  fields: (t) => ({
    state: t.withAuth({ loggedIn: true }).field({
      type: StateEnum,
      description: 'Whether it is asked for.',
      resolve: (user, _args, { actor }) => secondFactorState(user, hasAdministratorRights(user, actor), user.account),
    }),
    method: t.field({
      type: SecondFactorMethodEnum,
      nullable: true,
      description: 'How it is proved; null while it is off, or when the user is to choose.',
      resolve: ({ secondFactorMethod }) => secondFactorMethod,
    }),
    mobile: t.field({
      type: PhoneNumberType,
      nullable: true,
      description: 'Where codes go by text message.',
      resolve: ({ id, mobile }) => (mobile === null ? null : { number: mobile, userId: id }),
    }),
    backupMobile: t.field({
      type: PhoneNumberType,
      nullable: true,
      description: 'Where codes can go instead (TFA-15).',
      resolve: ({ id, backupMobile }) => (backupMobile === null ? null : { number: backupMobile, userId: id }),
    }),
    blockedUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'While a block after wrong codes lasts (TFA-07).',
      resolve: ({ secondFactorBlockedUntil: until }, _args, { clock }) => (until && until > clock.now() ? until : null),
    }),
    mayRememberPc: t.boolean({
      description: 'PCs may be remembered for this user (TFA-27, SUP-06).',
      resolve: (user) => mayRememberPc(user, user.account),
    }),
    backupCodesLeft: t.int({
      description: 'Unused backup codes (TFA-43).',
      resolve: ({ id }, _args, { db }) => db.backupCode.count({ where: { userId: id, usedAt: null } }),
    }),
    rememberedPcs: t.field({
      type: [RememberedPcType],
      description: 'The PCs that are remembered, newest first; for the user himself and Administrators, else empty.',
      resolve: async (user, _args, { db, actor, clock }) => {
        if (!actor || !mayReadNumbers(actor, user.id) || !mayRememberPc(user, user.account)) return [];
        const pcs = await db.rememberedPc.findMany({ where: { userId: user.id }, orderBy: { createdAt: 'desc' } });
        return pcs
          .map((pc) => ({ ...pc, expiresAt: rememberedUntil(pc.createdAt, user.account) }))
          .filter(({ expiresAt }) => expiresAt === null || expiresAt > clock.now());
      },
    }),
  }),
});

builder.prismaObjectFields('User', (t) => ({
  secondFactor: t.field({
    type: SecondFactorType,
    description: 'The second factor (TFA-24).',
    select: FACTOR_SELECT,
    resolve: (user) => user,
  }),
}));

const PolicyType = builder.objectRef<SecondFactorPolicy>('SecondFactorPolicy').implement({
  description: 'The account’s rules for second factors.',
  fields: (t) => ({
    onByDefault: t.exposeBoolean('twoFactorByDefault', { description: 'New users get one (TFA-26).' }),
    required: t.exposeBoolean('twoFactorRequired', { description: 'Every user must have one (TFA-45).' }),
    rememberPcAllowed: t.exposeBoolean('rememberPcAllowed', { description: 'PCs may be remembered (TFA-27).' }),
    rememberPcDays: t.exposeInt('rememberPcDays', {
      nullable: true,
      description: 'After how many days a remembered PC needs a code again; null for never (TFA-28).',
    }),
    rememberPcPreset: t.field({
      type: PresetEnum,
      description: 'The shorthand for both (TFA-29).',
      resolve: (policy) => rememberPcPreset(policy),
    }),
    mobileRequiredAtCreation: t.exposeBoolean('mobileRequiredAtCreation', {
      description: 'Whoever gives a new user text messages must give the number too (TFA-14).',
    }),
    backupRequiredForAdministrators: t.exposeBoolean('backupRequiredForAdministrators', {
      description: 'Users with administrator rights need a backup number for text messages (TFA-16, TFA-17).',
    }),
    inUse: t.withAuth({ loggedIn: true }).boolean({
      description: 'Some user has an active second factor (TFA-37).',
      resolve: async (_policy, _args, { db, actor }) =>
        (await db.user.findFirst({
          where: { accountId: actor.accountId, secondFactorState: 'ENABLED' },
          select: { id: true },
        })) !== null,
    }),
    users: t.withAuth({ loggedIn: true }).connection(
      userList.shown({
        type: UserType,
        description:
          'The users that have an active second factor, as far as the viewer may see them, oldest first unless ordered otherwise; `displayName` writes each as `John Smith[jsm]` (TFA-37).',
        where: ({ actor }: LoggedInContext) => withSecondFactor(actor),
      }),
      ...userList.connection('SecondFactorUser'),
    ),
  }),
});

const withSecondFactor = (actor: Actor) => ({
  AND: [usersVisibleTo(actor), { secondFactorState: 'ENABLED' as const }],
});

builder.prismaObjectFields('Account', (t) => ({
  secondFactorPolicy: t.field({
    type: PolicyType,
    description: 'The account’s rules for second factors (TFA-26 to TFA-29, TFA-45).',
    select: SECOND_FACTOR_POLICY_SELECT,
    resolve: (account) => account,
  }),
}));

const number = z.string().min(1).max(40);

const StartInput = builder.inputType('StartSecondFactorEnrolmentInput', {
  description: 'What to set up for oneself. For text messages one number at a time.',
  fields: (t) => ({
    method: t.field({ type: SecondFactorMethodEnum, required: true, description: 'The method.' }),
    mobile: t.string({ validate: number, description: 'With SMS: the number, with its country code (TFA-18).' }),
    backupMobile: t.string({
      validate: number,
      description: 'With SMS, once the mobile number is confirmed: the backup number (TFA-19).',
    }),
  }),
});

const AuthenticatorType = builder.objectRef<{ secret: string; uri: string }>('AuthenticatorSecret').implement({
  description: 'What an authenticator app needs, RFC 6238: SHA-1, 6 digits, 30 seconds. Shown only now (TFA-40).',
  fields: (t) => ({
    secret: t.exposeString('secret', { description: 'In base32, to be typed in.' }),
    uri: t.exposeString('uri', { description: '`otpauth://totp/…`, to be opened on the phone.' }),
    qrCode: t.string({ description: 'The URI as a QR code, in SVG.', resolve: ({ uri }) => qrCode(uri) }),
  }),
});

const StartSuccess = builder.objectRef<StartedEnrolment>('StartSecondFactorEnrolmentSuccess').implement({
  description: 'Now the code: `confirmSecondFactorEnrolment`. Nothing counts before.',
  fields: (t) => ({
    method: t.expose('method', { type: SecondFactorMethodEnum, description: 'The method.' }),
    sentTo: t.exposeString('sentTo', { nullable: true, description: 'Where the code went, masked; null with an app.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it can be confirmed.' }),
    authenticator: t.expose('authenticator', {
      type: AuthenticatorType,
      nullable: true,
      description: 'With an app: what to scan.',
    }),
  }),
});

const ConfirmInput = builder.inputType('ConfirmSecondFactorEnrolmentInput', {
  description: 'The proof.',
  fields: (t) => ({
    code: t.string({
      required: true,
      validate: z.string().min(1).max(20),
      description: 'The code that was sent, or that the app shows.',
    }),
  }),
});

const ConfirmSuccess = builder
  .objectRef<{ missing: MissingForEnrolment[] }>('ConfirmSecondFactorEnrolmentSuccess')
  .implement({
    description: 'It counts. In the midst of a login, `continueLogin` is next once nothing is missing.',
    fields: (t) => ({
      active: t.boolean({ description: 'The method is active.', resolve: ({ missing }) => missing.length === 0 }),
      missing: t.field({
        type: [MissingEnum],
        description: 'What is still to be set up before the method is active (TFA-16, TFA-21).',
        resolve: ({ missing }) => missing,
      }),
    }),
  });

const userSuccess = (name: string, description: string) =>
  builder.objectRef<{ userId: string }>(name).implement({
    description,
    fields: (t) => ({
      user: t.prismaField({
        type: 'User',
        description: 'The user as he is now.',
        resolve: (query, { userId }, _args, { db }) => db.user.findUniqueOrThrow({ ...query, where: { id: userId } }),
      }),
    }),
  });

const SetSuccess = userSuccess('SetSecondFactorSuccess', 'The second factor is set.');
const DisableSuccess = userSuccess('DisableSecondFactorSuccess', 'The second factor is off.');
const ResetSuccess = userSuccess('ResetSecondFactorSuccess', 'The user enrols again at his next login.');
const WithdrawSuccess = userSuccess('WithdrawRememberedPcsSuccess', 'The next login needs a code from every PC.');

const userInput = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({ userId: t.id({ required: true, description: 'The user.' }) }),
  });
const DisableInput = userInput('DisableSecondFactorInput', 'Whose second factor to switch off.');
const ResetInput = userInput('ResetSecondFactorInput', 'Whose second factor to reset.');
const WithdrawInput = userInput('WithdrawRememberedPcsInput', 'Whose remembered PCs to withdraw.');
const RetrieveInput = userInput('RetrieveBackupCodesInput', 'Whose backup codes to read.');

const SetInput = builder.inputType('SetSecondFactorInput', {
  description: 'The second factor of another user.',
  fields: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    method: t.field({
      type: SecondFactorMethodEnum,
      required: true,
      description: 'How he is to prove it. With SMS and no number, or with APP, he enrols at his next login (TFA-13).',
    }),
    mobile: t.string({ validate: number, description: 'With its country code; counts without a code (TFA-20).' }),
    backupMobile: t.string({ validate: number, description: 'Differs from the mobile number (TFA-15).' }),
  }),
});

const backupCodesSuccess = (name: string, description: string) =>
  builder.objectRef<{ codes: string[] }>(name).implement({
    description,
    fields: (t) => ({
      codes: t.exposeStringList('codes', { description: 'The codes; each works once (TFA-43).' }),
    }),
  });
const GenerateSuccess = backupCodesSuccess('GenerateBackupCodesSuccess', 'New codes; those before are void.');
const RetrieveSuccess = backupCodesSuccess(
  'RetrieveBackupCodesSuccess',
  'The unused codes. That they were read is logged.',
);

const UpdatePolicyInput = builder.inputType('UpdateSecondFactorPolicyInput', {
  description: 'Absent keeps.',
  fields: (t) => ({
    onByDefault: t.boolean({ description: 'New users get a second factor (TFA-26).' }),
    required: t.boolean({ description: 'Every user must have one (TFA-45); plan feature `requireTwoFactorForAll`.' }),
    rememberPcPreset: t.field({
      type: PresetEnum,
      validate: z.enum(['STANDARD', 'ENFORCED'], 'CUSTOM is what other settings read as; it cannot be set.').nullish(),
      description: 'STANDARD or ENFORCED (TFA-29); the two settings below win over it.',
    }),
    rememberPcAllowed: t.boolean({
      description: 'PCs may be remembered (TFA-27). False makes those there are void (TFA-35).',
    }),
    rememberPcDays: t.int({
      validate: z.number().int().min(1, '1 to 365 days.').max(365, '1 to 365 days.').nullish(),
      description: '1–365; null is never (TFA-28).',
    }),
    mobileRequiredAtCreation: t.boolean({ description: 'See the policy (TFA-14).' }),
    backupRequiredForAdministrators: t.boolean({ description: 'See the policy (TFA-17).' }),
  }),
});

const UpdatePolicySuccess = builder.objectRef<object>('UpdateSecondFactorPolicySuccess').implement({
  description: 'The policy is in force.',
  fields: (t) => ({
    policy: t.withAuth({ loggedIn: true }).field({
      type: PolicyType,
      description: 'The policy as it is now.',
      resolve: (_parent, _args, { db, actor }) =>
        db.account.findUniqueOrThrow({ where: { id: actor.accountId }, select: SECOND_FACTOR_POLICY_SELECT }),
    }),
  }),
});

builder.mutationFields((t) => ({
  startSecondFactorEnrolment: t.withAuth({ entering: true }).field({
    type: StartSuccess,
    errors: { types: [TooManyRequestsError, TwoFactorBlockedError] },
    description:
      'Begins to set up one’s own second factor, or to replace it (TFA-18, TFA-40, TFA-42): from the stage of a login that asks for it, or from an open login that has confirmed who it is. Errors: FORBIDDEN, REAUTHENTICATION_REQUIRED, INVALID_PHONE_NUMBER, BACKUP_NUMBER_SAME_AS_PRIMARY, MOBILE_REQUIRED, SECOND_FACTOR_REQUIRED, PASSWORD_CHANGE_REQUIRED, TOO_MANY_REQUESTS, TWO_FACTOR_BLOCKED.',
    args: { input: t.arg({ type: StartInput, required: true }) },
    resolve: (_root, { input: { method, mobile, backupMobile } }, ctx) =>
      startEnrolment(ctx, ctx.login, { method, mobile: mobile ?? null, backupMobile: backupMobile ?? null }),
  }),
  confirmSecondFactorEnrolment: t.withAuth({ entering: true }).field({
    type: ConfirmSuccess,
    errors: { types: [TwoFactorBlockedError] },
    description:
      'Confirms what was begun with its code. Errors: CODE_INVALID, CODE_EXPIRED, TWO_FACTOR_BLOCKED, FORBIDDEN, REAUTHENTICATION_REQUIRED, SECOND_FACTOR_REQUIRED, PASSWORD_CHANGE_REQUIRED.',
    args: { input: t.arg({ type: ConfirmInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({ missing: await confirmEnrolment(ctx, ctx.login, input.code) }),
  }),
  setSecondFactor: t.withAuth({ loggedIn: true }).field({
    type: SetSuccess,
    errors: {},
    description:
      'Sets the second factor of another user (TFA-12); a text message tells him (TFA-20). Administrators only, after `confirmIdentity`. Errors: NOT_FOUND, FORBIDDEN, REAUTHENTICATION_REQUIRED, INVALID_PHONE_NUMBER, BACKUP_NUMBER_SAME_AS_PRIMARY.',
    args: { input: t.arg({ type: SetInput, required: true }) },
    resolve: async (_root, { input: { method, mobile, backupMobile, ...input } }, ctx) => {
      const userId = keyOf('User', input.userId);
      await setSecondFactor(ctx, userId, { method, mobile: mobile ?? null, backupMobile: backupMobile ?? null });
      return { userId };
    },
  }),
  disableSecondFactor: t.withAuth({ loggedIn: true }).field({
    type: DisableSuccess,
    errors: {},
    description:
      'Switches a second factor off (TFA-25): one’s own where the account does not oblige to it, any as Administrator; after `confirmIdentity`. Errors: NOT_FOUND, FORBIDDEN, REAUTHENTICATION_REQUIRED, SECOND_FACTOR_REQUIRED_BY_ACCOUNT.',
    args: { input: t.arg({ type: DisableInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const userId = keyOf('User', input.userId);
      await disableSecondFactor(ctx, userId);
      return { userId };
    },
  }),
  resetSecondFactor: t.withAuth({ loggedIn: true }).field({
    type: ResetSuccess,
    errors: {},
    description:
      'For a user who lost his second factor: he enrols again at his next login (TFA-41), and a block ends (TFA-07). Administrators only, after `confirmIdentity`. Errors: NOT_FOUND, FORBIDDEN, REAUTHENTICATION_REQUIRED, SECOND_FACTOR_NOT_ACTIVE.',
    args: { input: t.arg({ type: ResetInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const userId = keyOf('User', input.userId);
      await resetSecondFactor(ctx, userId);
      return { userId };
    },
  }),
  withdrawRememberedPcs: t.withAuth({ loggedIn: true }).field({
    type: WithdrawSuccess,
    errors: {},
    description:
      'Withdraws every remembered PC of a user (TFA-34): of oneself, or of anybody as Administrator; after `confirmIdentity`. Errors: NOT_FOUND, FORBIDDEN, REAUTHENTICATION_REQUIRED.',
    args: { input: t.arg({ type: WithdrawInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const userId = keyOf('User', input.userId);
      await withdrawRememberedPcs(ctx, userId);
      return { userId };
    },
  }),
  generateBackupCodes: t.withAuth({ loggedIn: true }).field({
    type: GenerateSuccess,
    errors: {},
    description:
      'Makes one’s own backup codes anew (TFA-43), after `confirmIdentity`. Errors: REAUTHENTICATION_REQUIRED, SECOND_FACTOR_NOT_ACTIVE.',
    resolve: async (_root, _args, ctx) => ({ codes: await generateBackupCodes(ctx) }),
  }),
  retrieveBackupCodes: t.withAuth({ loggedIn: true }).field({
    type: RetrieveSuccess,
    errors: {},
    description:
      'The unused backup codes of a user who has no access to them (TFA-44). Logged. Administrators only, after `confirmIdentity`. Errors: NOT_FOUND, FORBIDDEN, REAUTHENTICATION_REQUIRED.',
    args: { input: t.arg({ type: RetrieveInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({
      codes: await retrieveBackupCodes(ctx, keyOf('User', input.userId)),
    }),
  }),
  updateSecondFactorPolicy: t.withAuth({ loggedIn: true }).field({
    type: UpdatePolicySuccess,
    errors: {},
    description:
      'Changes the account’s second-factor policy. Administrators only, after `confirmIdentity`. Errors: FORBIDDEN, REAUTHENTICATION_REQUIRED, PLAN_FEATURE_NOT_AVAILABLE.',
    args: { input: t.arg({ type: UpdatePolicyInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const preset = input.rememberPcPreset;
      await updateSecondFactorPolicy(ctx, {
        twoFactorByDefault: input.onByDefault ?? undefined,
        twoFactorRequired: input.required ?? undefined,
        rememberPcAllowed: input.rememberPcAllowed ?? (preset ? preset === 'STANDARD' : undefined),
        rememberPcDays: input.rememberPcDays !== undefined || !preset ? input.rememberPcDays : null,
        mobileRequiredAtCreation: input.mobileRequiredAtCreation ?? undefined,
        backupRequiredForAdministrators: input.backupRequiredForAdministrators ?? undefined,
      });
      return {};
    },
  }),
}));

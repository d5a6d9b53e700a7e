import { z } from 'zod';
import { createAccount } from '../account/create.ts';
import { accountName, company } from '../account/input.ts';
import { addSeconds } from '../clock.ts';
import { AppError, TooManyRequestsError } from '../errors.ts';
import type { Challenge, LoginStage } from '../generated/prisma/client.ts';
import { builder } from '../graphql/builder.ts';
import type { GraphQLContext, LoggedInContext } from '../graphql/context.ts';
import { ClientKindEnum, SecondFactorMethodEnum } from '../graphql/enums.ts';
import { ErrorRef } from '../graphql/errors.ts';
import { keysOf } from '../graphql/global-id.ts';
import { defineList } from '../graphql/lists/list.ts';
import { whereVisible } from '../graphql/visible.ts';
import { inAccount } from '../log/write.ts';
import { PasswordPolicyError } from '../passwords/policy.ts';
import { mayRememberPc, TwoFactorBlockedError } from '../second-factor/rules.ts';
import { SlotWaitType } from '../sessions/graphql.ts';
import { type Actor, loadActor } from '../users/actor.ts';
import { fullName, username } from '../users/graphql.ts';
import { InvalidCredentialsError } from './credentials.ts';
import { changePassword, confirmIdentity } from './identity.ts';
import {
  continueLogin,
  createLogin,
  type LoginStep,
  login,
  logout,
  resendLoginCode,
  revokeOwnLogins,
  sendConfirmationCode,
  sentTo,
  submitLoginCode,
} from './login.ts';

const LoginType = builder.prismaNode('Login', {
  id: { field: 'id' },
  findUnique: whereVisible(({ userId }) => ({ userId })),
  nullable: true,
  description: 'What a bearer token stands for. Visible to its own user only.',
  fields: (t) => ({
    client: t.expose('client', { type: ClientKindEnum, description: 'The kind of client that logged in (AUTH-02).' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      description: 'When a request was last made with it, to within a minute.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When it ends in any case; without requests it ends sooner (AUTH-18).',
    }),
    remoteAddress: t.exposeString('remoteAddress', { nullable: true, description: 'Where it came from.' }),
    userAgent: t.exposeString('userAgent', { nullable: true, description: 'What it said it was.' }),
    isCurrent: t.boolean({
      description: 'The login of this request.',
      select: { id: true },
      resolve: ({ id }, _args, { actor }) => id === actor?.loginId,
    }),
    confirmedUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Until when sensitive areas are open without `confirmIdentity` (AUTH-21); null when they are not open now.',
      select: { confirmedAt: true },
      resolve: ({ confirmedAt }, _args, { clock, config }) => {
        const until = confirmedAt && addSeconds(confirmedAt, config.limits.REAUTHENTICATION_MINUTES * 60);
        return until && until > clock.now() ? until : null;
      },
    }),
  }),
});

const loginList = defineList({
  model: 'Login',
  things: 'logins',
  fields: {
    client: { enum: ClientKindEnum, description: 'The kind of client (AUTH-02).' },
    createdAt: { description: 'When it began.' },
    lastUsedAt: { description: 'When a request was last made with it.' },
    expiresAt: { description: 'When it ends in any case (AUTH-18).' },
    remoteAddress: { description: 'Where it came from.' },
    userAgent: { description: 'What it said it was.' },
  },
  order: [['createdAt', 'desc']],
});

export const ViewerType = builder.objectRef<{ userId: string }>('Viewer').implement({
  description: 'Who is logged in.',
  fields: (t) => ({
    user: t.withAuth({ loggedIn: true }).prismaField({
      type: 'User',
      description: 'The user.',
      resolve: (query, { userId }, _args, { db }) => db.user.findUniqueOrThrow({ ...query, where: { id: userId } }),
    }),
    account: t.withAuth({ loggedIn: true }).prismaField({
      type: 'Account',
      description: 'The user’s account.',
      resolve: (query, _viewer, _args, { db, actor }) =>
        db.account.findUniqueOrThrow({ ...query, where: { id: actor.accountId } }),
    }),
    login: t.withAuth({ loggedIn: true }).prismaField({
      type: LoginType,
      description: 'The login of this request.',
      resolve: (query, _viewer, _args, { db, actor }) =>
        db.login.findUniqueOrThrow({ ...query, where: { id: actor.loginId } }),
    }),
    logins: t.withAuth({ loggedIn: true }).connection(
      loginList.shown({
        type: LoginType,
        description:
          'The viewer’s open logins, newest first unless ordered otherwise: each can be ended with `revokeLogins`.',
        where: ({ actor, clock }: LoggedInContext) => liveLogins(actor, clock.now()),
      }),
      ...loginList.connection(),
    ),
    isAdministrator: t.withAuth({ loggedIn: true }).boolean({
      description: 'The viewer has administrator rights on the account.',
      resolve: (_viewer, _args, { actor }) => actor.administrator,
    }),
    slotWait: t.withAuth({ loggedIn: true }).field({
      type: SlotWaitType,
      nullable: true,
      description: 'The viewer’s place in the queue for a connection; null when he does not wait (WTL-03).',
      resolve: (_viewer, _args, { db, actor, clock }) =>
        db.slotWaiter.findFirst({
          where: {
            userId: actor.userId,
            state: 'WAITING',
            expiresAt: { gt: clock.now() },
            aliveUntil: { gt: clock.now() },
          },
        }),
    }),
  }),
});

const liveLogins = ({ userId }: Actor, now: Date) => ({
  userId,
  stage: 'OPEN' as const,
  revokedAt: null,
  expiresAt: { gt: now },
});

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerType,
    nullable: true,
    description: 'Who is logged in; null when nobody is.',
    resolve: (_root, _args, { actor }) => actor && { userId: actor.userId },
  }),
);

builder.objectType(InvalidCredentialsError, {
  name: 'InvalidCredentialsError',
  description:
    'Account, user name or password is wrong, or the user may not log in now; which of them is never told (AUTH-03, AUTH-04).',
  interfaces: [ErrorRef],
});

/** What every answer on the way to an open login carries. */
const tokenFields = (t: Parameters<NonNullable<Parameters<typeof StepRef.implement>[0]['fields']>>[0]) => ({
  token: t.exposeString('token', {
    description:
      'Bearer token for the next step, shown only now: `Authorization: Bearer <token>`. It takes the place of the token before (AUTH-24).',
  }),
  expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when the next step can be done.' }),
});
const StepRef = builder.objectRef<LoginStep>('LoginStep');

/** The new login acts at once, so that its answer can be asked for the viewer. */
const LoginSuccess = builder.objectRef<LoginStep>('LoginSuccess').implement({
  description: 'Logged in.',
  fields: (t) => ({
    token: t.exposeString('token', {
      description: 'Bearer token, shown only now: `Authorization: Bearer <token>` (AUTH-24).',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When it ends in any case; 60 minutes without requests end it sooner (AUTH-18).',
    }),
    deviceToken: t.string({
      nullable: true,
      description:
        'The secret of this PC, when it was to be remembered: give it to `login` from now on instead of a code (TFA-31, TFA-32). Shown only now.',
      resolve: ({ device }) => device?.token ?? null,
    }),
    deviceTokenExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the PC needs a code again; null for never, or when it is not remembered (TFA-28).',
      resolve: ({ device }) => device?.expiresAt ?? null,
    }),
    viewer: t.field({
      type: ViewerType,
      description: 'Who is logged in now.',
      resolve: (_login, _args, { actor }) => ({ userId: actor?.userId ?? '' }),
    }),
  }),
});

const SecondFactorRequired = builder.objectRef<LoginStep>('SecondFactorRequired').implement({
  description: 'The password was right; now the code: `submitLoginCode` (AUTH-15, TFA-04).',
  fields: (t) => ({
    ...tokenFields(t),
    method: t.field({
      type: SecondFactorMethodEnum,
      description: 'Where the code comes from. A backup code is accepted as well (TFA-43).',
      resolve: ({ user }) => user.secondFactorMethod ?? 'SMS',
    }),
    sentTo: t.string({
      nullable: true,
      description: 'The number or address that the code was sent to, masked; null for an authenticator app.',
      resolve: ({ challenge }) => sentTo(challenge),
    }),
    codeExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the code that was sent expires (TFA-05); null for an authenticator app.',
      resolve: ({ challenge }) => challenge?.expiresAt ?? null,
    }),
    hasBackupNumber: t.boolean({
      description: '`resendLoginCode` can send the code to the backup number (TFA-09).',
      resolve: ({ user }) => user.secondFactorMethod === 'SMS' && user.backupMobile !== null,
    }),
    mayRememberPc: t.boolean({
      description: '`rememberPc` may be ticked with the code (TFA-27).',
      resolve: ({ user, account }) => mayRememberPc(user, account),
    }),
  }),
});

const SecondFactorEnrolmentRequired = builder.objectRef<LoginStep>('SecondFactorEnrolmentRequired').implement({
  description:
    'A second factor must be set up first (TFA-13, TFA-45): `startSecondFactorEnrolment`, `confirmSecondFactorEnrolment`, then `continueLogin`.',
  fields: (t) => ({
    ...tokenFields(t),
    methods: t.field({
      type: [SecondFactorMethodEnum],
      description: 'The methods to choose from; one when an Administrator chose it.',
      resolve: ({ user }) =>
        user.secondFactorState === 'PENDING_ENROLMENT' && user.secondFactorMethod
          ? [user.secondFactorMethod]
          : (['SMS', 'EMAIL', 'APP'] as const),
    }),
    hasMobile: t.boolean({
      description: 'The mobile number is there already; only the backup number is missing (TFA-23).',
      resolve: ({ user }) => user.mobile !== null,
    }),
  }),
});

const PasswordChangeReasonEnum = builder.enumType('PasswordChangeReason', {
  description: 'Why a new password is asked for.',
  values: {
    FORCED: { description: 'An Administrator asks for it (USR-22).' },
    EXPIRED: { description: 'It is older than the policy allows (AUTH-17).' },
  },
});

const PasswordChangeRequired = builder.objectRef<LoginStep>('PasswordChangeRequired').implement({
  description: 'A new password must be chosen first: `changePassword`, then `continueLogin` (AUTH-16).',
  fields: (t) => ({
    ...tokenFields(t),
    reason: t.field({
      type: PasswordChangeReasonEnum,
      description: 'Why.',
      resolve: ({ changeReason }) => changeReason ?? 'FORCED',
    }),
  }),
});

builder.objectType(TwoFactorBlockedError, {
  name: 'TwoFactorBlockedError',
  description: 'Too many wrong codes: nobody logs in as this user for a while, whatever he gives (TFA-06, TFA-07).',
  interfaces: [ErrorRef],
  fields: (t) => ({
    blockedUntil: t.expose('blockedUntil', {
      type: 'DateTime',
      description: 'When it ends; the reset of the second factor or of the password ends it sooner.',
    }),
  }),
});

const STEP_TYPES = {
  OPEN: LoginSuccess,
  CODE: SecondFactorRequired,
  ENROLMENT: SecondFactorEnrolmentRequired,
  PASSWORD_CHANGE: PasswordChangeRequired,
} satisfies Record<LoginStage, object>;

const LoginResult = builder.errorUnion('LoginResult', {
  description: 'Where a login stands after a step, or why the step was refused (AUTH-15).',
  types: [
    LoginSuccess,
    SecondFactorRequired,
    SecondFactorEnrolmentRequired,
    PasswordChangeRequired,
    InvalidCredentialsError,
    TwoFactorBlockedError,
    TooManyRequestsError,
  ],
  resolveType: (step) => STEP_TYPES[(step as LoginStep).stage],
});

const CreateAccountSuccess = builder.objectRef<LoginStep>('CreateAccountSuccess').implement({
  description: 'The account exists, on plan FREE, and its first Administrator is logged in (ACC-12).',
  fields: (t) => ({
    token: t.exposeString('token', { description: 'Bearer token of the Administrator, shown only now.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends in any case.' }),
    viewer: t.field({
      type: ViewerType,
      description: 'The Administrator.',
      resolve: (_login, _args, { actor }) => ({ userId: actor?.userId ?? '' }),
    }),
  }),
});

const LoginInput = builder.inputType('LoginInput', {
  description: 'Who logs in, and with what.',
  fields: (t) => ({
    account: t.string({
      required: true,
      validate: z.string().min(1).max(100),
      description: 'The account’s name, without regard to case (AUTH-01).',
    }),
    username: t.string({
      required: true,
      validate: z.string().min(1).max(100),
      description: 'The user name, without regard to case.',
    }),
    password: t.string({ required: true, validate: z.string().min(1).max(200), description: 'The password.' }),
    client: t.field({
      type: ClientKindEnum,
      required: true,
      defaultValue: 'ECATCHER',
      description: 'The kind of client (AUTH-02).',
    }),
    deviceToken: t.string({
      validate: z.string().max(100),
      description: 'The secret of a remembered PC, which stands for the code (TFA-31).',
    }),
  }),
});

const SubmitLoginCodeInput = builder.inputType('SubmitLoginCodeInput', {
  description: 'The second factor.',
  fields: (t) => ({
    code: t.string({
      required: true,
      validate: z.string().min(1).max(20),
      description: 'The code that was sent, that of the authenticator app, or a backup code.',
    }),
    rememberPc: t.boolean({
      required: true,
      defaultValue: false,
      description: 'From now on this PC needs no code; for personal machines only (TFA-30, TFA-36).',
    }),
  }),
});

const CodeNumberEnum = builder.enumType('CodeNumber', {
  description: 'Which of the user’s numbers a code goes to (TFA-09).',
  values: {
    PRIMARY: { description: 'The mobile number; for a code by e-mail, the address.' },
    BACKUP: { description: 'The backup number.' },
  },
});

const ResendLoginCodeInput = builder.inputType('ResendLoginCodeInput', {
  description: 'Where the code is to go.',
  fields: (t) => ({
    number: t.field({
      type: CodeNumberEnum,
      required: true,
      defaultValue: 'PRIMARY',
      description: 'The number.',
    }),
  }),
});

const codeSent = (name: string) =>
  builder.objectRef<Challenge>(name).implement({
    description: 'A new code was sent; the one before is void (TFA-05).',
    fields: (t) => ({
      sentTo: t.string({ nullable: true, description: 'Where it went, masked.', resolve: (sent) => sentTo(sent) }),
      codeExpiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the code expires (TFA-05).' }),
    }),
  });
const ResendLoginCodeSuccess = codeSent('ResendLoginCodeSuccess');
const SendConfirmationCodeSuccess = codeSent('SendConfirmationCodeSuccess');

const ConfirmIdentityInput = builder.inputType('ConfirmIdentityInput', {
  description: 'The proof.',
  fields: (t) => ({
    password: t.string({ required: true, validate: z.string().min(1).max(200), description: 'One’s own password.' }),
    code: t.string({
      validate: z.string().min(1).max(20),
      description:
        'With an active second factor: its code (asked for with `sendConfirmationCode` where it is sent), or a backup code.',
    }),
  }),
});

const ConfirmIdentitySuccess = builder.objectRef<{ confirmedAt: Date }>('ConfirmIdentitySuccess').implement({
  description: 'Sensitive areas are open for a while.',
  fields: (t) => ({
    confirmedUntil: t.field({
      type: 'DateTime',
      description: 'Until when (AUTH-21).',
      resolve: ({ confirmedAt }, _args, { config }) =>
        addSeconds(confirmedAt, config.limits.REAUTHENTICATION_MINUTES * 60),
    }),
  }),
});

const ChangePasswordInput = builder.inputType('ChangePasswordInput', {
  description: 'One’s own new password.',
  fields: (t) => ({
    currentPassword: t.string({
      validate: z.string().min(1).max(200),
      description: 'Needed but at the login stage that asks for a new password (AUTH-16).',
    }),
    password: t.string({
      required: true,
      validate: z.string().max(200),
      description: 'Under the password policy (PWD-16).',
    }),
    passwordConfirmation: t.string({
      required: true,
      validate: z.string().max(200),
      description: 'The same again (PWD-17).',
    }),
  }),
});

const ChangePasswordSuccess = builder.objectRef<object>('ChangePasswordSuccess').implement({
  description: 'The new password is in force; all other logins have ended (AUTH-20).',
  fields: (t) => ({
    changed: t.boolean({ description: 'Always true.', resolve: () => true }),
  }),
});

const RevokeLoginsInput = builder.inputType('RevokeLoginsInput', {
  description: 'Which of one’s own logins to end.',
  isOneOf: true,
  fields: (t) => ({
    loginIds: t.idList({ validate: z.array(z.string()).max(100), description: 'These; unknown ones are passed over.' }),
    others: t.boolean({ description: 'True: all but the one of this request.' }),
  }),
});

const RevokeLoginsSuccess = builder.objectRef<{ count: number }>('RevokeLoginsSuccess').implement({
  description: 'Their tokens are void, their sessions closed, their streams ended (EVT-08).',
  fields: (t) => ({ count: t.exposeInt('count', { description: 'How many ended.' }) }),
});

const CreateAccountInput = builder.inputType('CreateAccountInput', {
  description: 'A new account and its first Administrator.',
  fields: (t) => ({
    name: t.string({
      required: true,
      validate: accountName,
      description: 'Unique on the platform without regard to case, for good: 3–40 letters, digits, `-`, `_` (ACC-03).',
    }),
    company: t.string({
      required: true,
      validate: company,
      description: '1–100 characters.',
    }),
    username: t.string({
      required: true,
      validate: username,
      description: 'Of the Administrator: 1–100 characters (USR-04).',
    }),
    fullName: t.string({ validate: fullName, description: 'Of the Administrator.' }),
    email: t.field({ type: 'EmailAddress', required: true, description: 'Of the Administrator (USR-05).' }),
    password: t.string({
      required: true,
      validate: z.string().max(200),
      description: 'At least 8 characters with a letter and a digit, at most 45 (PWD-21).',
    }),
  }),
});

const LogoutSuccess = builder.objectRef<object>('LogoutSuccess').implement({
  description: 'The token is void.',
  fields: (t) => ({ loggedOut: t.boolean({ description: 'Always true.', resolve: () => true }) }),
});

builder.mutationFields((t) => ({
  createAccount: t.field({
    type: CreateAccountSuccess,
    errors: { types: [PasswordPolicyError, TooManyRequestsError] },
    description:
      'Creates an account on plan FREE and logs its first Administrator in (ACC-12). Anyone may; how often is limited by address. Errors: ACCOUNT_NAME_TAKEN, PASSWORD_POLICY_VIOLATION, VALIDATION_FAILED, TOO_MANY_REQUESTS.',
    args: { input: t.arg({ type: CreateAccountInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const { username, fullName, email, password } = input;
      const { accountId, userId } = await createAccount(
        ctx,
        {
          name: input.name,
          company: input.company.trim(),
          administrator: { username, fullName: fullName ?? null, email, password },
        },
        ctx,
      );
      const options = { client: 'ECATCHER' as const, deviceToken: null };
      const first = await inAccount(ctx, accountId, (account) => createLogin(ctx, account, { userId }, options, ctx));
      return actAs(ctx, first);
    },
  }),
  login: t.field({
    type: LoginResult,
    description:
      'Logs in with account, user name and password (AUTH-01). Ten failures in a row lock the user for 15 minutes (AUTH-07). What still stands between right credentials and an open login is told by the type of the answer (AUTH-15). Errors: INVALID_CREDENTIALS, TWO_FACTOR_BLOCKED, IP_BANNED, TOO_MANY_REQUESTS.',
    args: { input: t.arg({ type: LoginInput, required: true }) },
    resolve: async (_root, { input: { client, deviceToken, ...credentials } }, ctx) =>
      actAs(ctx, await login(ctx, credentials, { client, deviceToken: deviceToken ?? null }, ctx)),
  }),
  submitLoginCode: t.withAuth({ entering: true }).field({
    type: LoginResult,
    description:
      'Gives the code that a login waits for, with its token (TFA-04). Three wrong ones in a row, over all logins, block the user for 15 minutes (TFA-06 to TFA-08). Errors: CODE_INVALID, CODE_EXPIRED, TWO_FACTOR_BLOCKED, REMEMBER_PC_NOT_ALLOWED.',
    args: { input: t.arg({ type: SubmitLoginCodeInput, required: true }) },
    resolve: async (_root, { input: { code, rememberPc } }, ctx) =>
      actAs(ctx, await submitLoginCode(ctx, ctx.login, { code, remember: rememberPc }, ctx)),
  }),
  continueLogin: t.withAuth({ entering: true }).field({
    type: LoginResult,
    description:
      'Moves a login on whose second factor was set up, or whose password was changed. Errors: SECOND_FACTOR_REQUIRED, LOGIN_ALREADY_OPEN.',
    resolve: async (_root, _args, ctx) => actAs(ctx, await continueLogin(ctx, ctx.login)),
  }),
  resendLoginCode: t.withAuth({ entering: true }).field({
    type: ResendLoginCodeSuccess,
    errors: { types: [TooManyRequestsError, TwoFactorBlockedError] },
    description:
      'Sends a new code, to the primary or the backup number (TFA-09): at most every 30 seconds and five times (TFA-10). Errors: LOGIN_ALREADY_OPEN, SECOND_FACTOR_NOT_ACTIVE, MOBILE_REQUIRED, TOO_MANY_REQUESTS, TWO_FACTOR_BLOCKED.',
    args: { input: t.arg({ type: ResendLoginCodeInput, required: true }) },
    resolve: (_root, { input }, ctx) => resendLoginCode(ctx, ctx.login, input.number),
  }),
  sendConfirmationCode: t.withAuth({ loggedIn: true }).field({
    type: SendConfirmationCodeSuccess,
    errors: { types: [TooManyRequestsError, TwoFactorBlockedError] },
    description:
      'Sends the code that `confirmIdentity` asks for, where the second factor is one that is sent. Errors: SECOND_FACTOR_NOT_ACTIVE, MOBILE_REQUIRED, TOO_MANY_REQUESTS, TWO_FACTOR_BLOCKED.',
    args: { input: t.arg({ type: ResendLoginCodeInput, required: true }) },
    resolve: (_root, { input }, ctx) => sendConfirmationCode(ctx, ctx.actor, input.number),
  }),
  confirmIdentity: t.withAuth({ loggedIn: true }).field({
    type: ConfirmIdentitySuccess,
    errors: { types: [InvalidCredentialsError, TooManyRequestsError, TwoFactorBlockedError] },
    description:
      'Proves again who is there, which opens the sensitive areas for 5 minutes (AUTH-21). A login does so too. Errors: INVALID_CREDENTIALS, SECOND_FACTOR_REQUIRED, CODE_INVALID, CODE_EXPIRED, TWO_FACTOR_BLOCKED, TOO_MANY_REQUESTS.',
    args: { input: t.arg({ type: ConfirmIdentityInput, required: true }) },
    resolve: async (_root, { input: { password, code } }, ctx) => ({
      confirmedAt: await confirmIdentity(ctx, password, code ?? null, ctx),
    }),
  }),
  changePassword: t.withAuth({ entering: true }).field({
    type: ChangePasswordSuccess,
    errors: { types: [PasswordPolicyError, InvalidCredentialsError, TooManyRequestsError] },
    description:
      'Changes one’s own password (USR-16), also at the login stage that asks for it (AUTH-16). Ends all other logins (AUTH-20). Errors: FORBIDDEN, PASSWORD_CHANGE_FORBIDDEN, INVALID_CREDENTIALS, PASSWORD_POLICY_VIOLATION, PASSWORD_CONFIRMATION_MISMATCH, SECOND_FACTOR_REQUIRED, SECOND_FACTOR_ENROLMENT_REQUIRED, TOO_MANY_REQUESTS.',
    args: { input: t.arg({ type: ChangePasswordInput, required: true }) },
    resolve: async (_root, { input: { currentPassword, password, passwordConfirmation } }, ctx) => {
      const entered = { value: password, confirmation: passwordConfirmation };
      await changePassword(ctx, ctx.login, currentPassword ?? null, entered, ctx);
      return {};
    },
  }),
  revokeLogins: t.withAuth({ loggedIn: true }).field({
    type: RevokeLoginsSuccess,
    errors: {},
    description: 'Ends logins of one’s own, at once (EVT-08). Errors: VALIDATION_FAILED.',
    args: { input: t.arg({ type: RevokeLoginsInput, required: true }) },
    resolve: async (_root, { input: { loginIds, others } }, ctx) => {
      if (!loginIds && !others)
        throw new AppError('VALIDATION_FAILED', 'Name logins, or say others: true.', ['others']);
      return { count: await revokeOwnLogins(ctx, loginIds ? keysOf('Login', loginIds) : 'OTHERS') };
    },
  }),
  logout: t.withAuth({ entering: true }).field({
    type: LogoutSuccess,
    errors: {},
    description: 'Ends the login: its token is void, its sessions are closed, its streams end (AUTH-19, EVT-08).',
    resolve: async (_root, _args, ctx) => {
      await logout(ctx, ctx.login);
      return {};
    },
  }),
}));

/** The rest of the answer is read as the login that it tells of. */
async function actAs(ctx: GraphQLContext, step: LoginStep): Promise<LoginStep> {
  ctx.login = await loadActor(ctx.db, ctx.clock.now(), Number.POSITIVE_INFINITY, { id: step.loginId });
  ctx.actor = ctx.login?.stage === 'OPEN' ? ctx.login : null;
  return step;
}

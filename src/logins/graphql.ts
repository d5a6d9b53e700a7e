import { z } from 'zod';
import { createAccount } from '../account/create.ts';
import { TooManyRequestsError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import type { GraphQLContext } from '../graphql/context.ts';
import { ClientKindEnum } from '../graphql/enums.ts';
import { ErrorRef } from '../graphql/errors.ts';
import { whereVisible } from '../graphql/visible.ts';
import { inAccount } from '../log/write.ts';
import { PasswordPolicyError } from '../passwords/policy.ts';
import { SlotWaitType } from '../sessions/graphql.ts';
import { loadActor } from '../users/actor.ts';
import { fullName, username } from '../users/graphql.ts';
import { InvalidCredentialsError } from './credentials.ts';
import { createLogin, login, logout, type NewLogin } from './login.ts';

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
  }),
});

const ViewerType = builder.objectRef<{ userId: string }>('Viewer').implement({
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

/** The new login acts at once, so that its answer can be asked for the viewer. */
const LoginSuccess = builder.objectRef<NewLogin>('LoginSuccess').implement({
  description: 'Logged in.',
  fields: (t) => ({
    token: t.exposeString('token', {
      description: 'Bearer token, shown only now: `Authorization: Bearer <token>` (AUTH-24).',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When it ends in any case; 60 minutes without requests end it sooner (AUTH-18).',
    }),
    viewer: t.field({
      type: ViewerType,
      description: 'Who is logged in now.',
      resolve: (_login, _args, { actor }) => ({ userId: actor?.userId ?? '' }),
    }),
  }),
});

const CreateAccountSuccess = builder.objectRef<NewLogin>('CreateAccountSuccess').implement({
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
  }),
});

const CreateAccountInput = builder.inputType('CreateAccountInput', {
  description: 'A new account and its first Administrator.',
  fields: (t) => ({
    name: t.string({
      required: true,
      validate: z.string().regex(/^[A-Za-z0-9_-]{3,40}$/, 'An account name has 3 to 40 letters, digits, - or _.'),
      description: 'Unique on the platform without regard to case, for good: 3–40 letters, digits, `-`, `_` (ACC-03).',
    }),
    company: t.string({
      required: true,
      validate: z
        .string()
        .trim()
        .min(1, 'A company has 1 to 100 characters.')
        .max(100, 'A company has 1 to 100 characters.'),
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
      const first = await inAccount(ctx, accountId, (account) => createLogin(ctx, account, userId, 'ECATCHER', ctx));
      return actAs(ctx, first);
    },
  }),
  login: t.field({
    type: LoginSuccess,
    errors: { types: [InvalidCredentialsError, TooManyRequestsError] },
    description:
      'Logs in with account, user name and password (AUTH-01). Ten failures in a row lock the user for 15 minutes (AUTH-07). Errors: INVALID_CREDENTIALS, TOO_MANY_REQUESTS.',
    args: { input: t.arg({ type: LoginInput, required: true }) },
    resolve: async (_root, { input: { client, ...credentials } }, ctx) => {
      return actAs(ctx, await login(ctx, credentials, client, ctx));
    },
  }),
  logout: t.withAuth({ loggedIn: true }).field({
    type: LogoutSuccess,
    errors: {},
    description: 'Ends the login: its token is void, its sessions are closed, its streams end (AUTH-19, EVT-08).',
    resolve: async (_root, _args, ctx) => {
      await logout(ctx);
      return {};
    },
  }),
}));

async function actAs(ctx: GraphQLContext, newLogin: NewLogin): Promise<NewLogin> {
  ctx.login = await loadActor(ctx.db, ctx.clock.now(), Number.POSITIVE_INFINITY, { id: newLogin.loginId });
  ctx.actor = ctx.login?.stage === 'OPEN' ? ctx.login : null;
  return newLogin;
}

import type { GraphQLSchema } from 'graphql';
import { z } from 'zod';
import { createAccount } from '../account/create.ts';
import { accountName, company } from '../account/input.ts';
import { setPlan } from '../account/plan-change.ts';
import { addCredit, creditCents, MAX_CREDIT_CENTS } from '../billing/ledger.ts';
import { nameKey } from '../ewons/rules.ts';
import type { MessageChannel, MessageState, Plan } from '../generated/prisma/enums.ts';
import { describeMachinery } from '../graphql/descriptions.ts';
import type { JobRun } from '../jobs.ts';
import { maskedRecipient } from '../messages/rules.ts';
import { fullName, username } from '../users/graphql.ts';
import { displayName, userReference, userStatus } from '../users/rules.ts';
import './announcements.ts';
import { builder } from './builder.ts';
import './patches.ts';
import { endLoginsOfUser, findAccountId, liftBan, unlockUser } from './service.ts';

const PlanEnum = builder.enumType('Plan', {
  description: 'The plan of an account (ACC-04).',
  values: {
    FREE: { description: 'One connection, no groups and no pools.' },
    LIGHT: { description: 'Several connections, no groups and no pools; only the operator can set it (ACC-14).' },
    PRO: { description: 'Every feature.' },
  } satisfies Record<Plan, object>,
});

const ChannelEnum = builder.enumType('MessageChannel', {
  description: 'How a message travels.',
  values: {
    MAIL: { description: 'As an e-mail.' },
    SMS: { description: 'As a text message.' },
  } satisfies Record<MessageChannel, object>,
});

const MessageStateEnum = builder.enumType('MessageState', {
  description: 'What has become of a message.',
  values: {
    QUEUED: { description: 'Waits for its next attempt.' },
    SENT: { description: 'Was handed over.' },
    FAILED: { description: 'Was given up.' },
  } satisfies Record<MessageState, object>,
});

const StatusEnum = builder.enumType('UserStatus', {
  description: 'Whether a user can log in (USR-24).',
  values: {
    PENDING: { description: 'Invited; has no password yet.' },
    ENABLED: { description: 'May log in.' },
    DISABLED: { description: 'Disabled, or past the expiration date.' },
  },
});

const accountOf = (account: { name: string }): string => account.name;

const AccountType = builder.prismaObject('Account', {
  description: 'A tenant of the platform (ACC-01).',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique on the platform.' }),
    company: t.exposeString('company', { description: 'The company’s name.' }),
    plan: t.expose('plan', { type: PlanEnum, description: 'The plan.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    concurrentConnections: t.exposeInt('concurrentConnections', {
      description: 'How many connections it may have at once (CON-12).',
    }),
    users: t.relationCount('users', { description: 'How many users it has.' }),
    ewons: t.relationCount('ewons', { description: 'How many Ewons it has.' }),
    creditCents: t.int({
      description: 'Its credit in cents of the currency: the sum of its ledger (BIL-15).',
      select: { id: true },
      resolve: ({ id }, _args, { db }) => creditCents(db, id),
    }),
    currency: t.string({
      description: 'Code of ISO 4217 of all amounts; the same for the whole platform.',
      select: {},
      resolve: (_account, _args, { config }) => config.limits.CURRENCY,
    }),
  }),
});

const UserType = builder.prismaObject('User', {
  description: 'A user, as far as the operator has to do with him.',
  fields: (t) => ({
    reference: t.string({
      description: '`USR` and a number (USR-40).',
      select: { number: true },
      resolve: ({ number }) => userReference(number),
    }),
    account: t.string({
      description: 'The name of his account.',
      select: { account: { select: { name: true } } },
      resolve: ({ account }) => accountOf(account),
    }),
    username: t.exposeString('username', { description: 'The login.' }),
    displayName: t.string({
      description: 'As logs name him (USR-41).',
      select: { username: true, fullName: true },
      resolve: (user) => displayName(user),
    }),
    status: t.field({
      type: StatusEnum,
      description: 'Whether he can log in.',
      select: { passwordHash: true, disabledAt: true, expiresAt: true },
      resolve: (user, _args, { clock }) => userStatus(user, clock.now()),
    }),
    lockedUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The end of a lock after wrong passwords (AUTH-07); null when there is none.',
      select: { lockedUntil: true },
      resolve: ({ lockedUntil }, _args, { clock }) => laterThan(lockedUntil, clock.now()),
    }),
    blockedUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The end of a block after wrong codes (TFA-07); null when there is none.',
      select: { secondFactorBlockedUntil: true },
      resolve: ({ secondFactorBlockedUntil }, _args, { clock }) => laterThan(secondFactorBlockedUntil, clock.now()),
    }),
    logins: t.int({
      description: 'How many logins he has open.',
      select: { id: true },
      resolve: ({ id }, _args, { db, clock }) =>
        db.login.count({ where: { userId: id, revokedAt: null, expiresAt: { gt: clock.now() } } }),
    }),
    lastLoginAt: t.expose('lastLoginAt', { type: 'DateTime', nullable: true, description: 'When he last logged in.' }),
  }),
});

const laterThan = (time: Date | null, now: Date): Date | null => (time && time > now ? time : null);

const BanType = builder.prismaObject('AddressBan', {
  description: 'A source address whose logins are refused until the ban is lifted (AUTH-11).',
  fields: (t) => ({
    remoteAddress: t.exposeString('remoteAddress', { description: 'The address.' }),
    bannedAt: t.expose('bannedAt', { type: 'DateTime', description: 'Since when.' }),
    failures: t.exposeInt('failures', { description: 'The failed logins that it was banned for.' }),
  }),
});

const DueWorkType = builder.prismaObject('DueWork', {
  description: 'Work that falls due at a known time and is done once (CLU-05).',
  fields: (t) => ({
    kind: t.exposeString('kind', { description: 'What is done then.' }),
    account: t.string({
      description: 'The account it belongs to.',
      select: { account: { select: { name: true } } },
      resolve: ({ account }) => accountOf(account),
    }),
    subjectId: t.exposeString('subjectId', { description: 'The key of what it is about.' }),
    dueAt: t.expose('dueAt', { type: 'DateTime', description: 'When it falls due.' }),
    retryAt: t.expose('retryAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again after it failed; null when it did not.',
    }),
    attempts: t.exposeInt('attempts', { description: 'How often it failed.' }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'Why it failed last; null when it did not.',
    }),
  }),
});

const MessageType = builder.prismaObject('Message', {
  name: 'OutgoingMessage',
  description: 'A mail or text message that cannot be sent: what became of it, never what it says.',
  fields: (t) => ({
    account: t.string({
      description: 'The account it was written for.',
      select: { account: { select: { name: true } } },
      resolve: ({ account }) => accountOf(account),
    }),
    channel: t.expose('channel', { type: ChannelEnum, description: 'How it travels.' }),
    template: t.exposeString('template', { description: 'What it is about.' }),
    recipient: t.string({
      description: 'The address or number, as far as it takes to recognise it.',
      select: { recipient: true },
      resolve: ({ recipient }) => maskedRecipient(recipient),
    }),
    state: t.expose('state', { type: MessageStateEnum, description: 'What has become of it.' }),
    attempts: t.exposeInt('attempts', { description: 'How often it was tried.' }),
    lastError: t.exposeString('lastError', { nullable: true, description: 'Why it failed, or what it waits for.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
    nextAttemptAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried next; null when it was given up.',
      select: { state: true, dueAt: true },
      resolve: ({ state, dueAt }) => (state === 'QUEUED' ? dueAt : null),
    }),
  }),
});

const JobType = builder.objectRef<JobRun & { name: string }>('Job').implement({
  description: 'A sweep that runs twice a second, as it last went on the instance that answers.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it does.' }),
    lastStartedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it last began.' }),
    milliseconds: t.int({
      description: 'How long that took.',
      resolve: ({ milliseconds }) => Math.round(milliseconds),
    }),
    runs: t.exposeInt('runs', { description: 'How often it ran since the instance started.' }),
    failures: t.exposeInt('failures', { description: 'How often it failed since then.' }),
    lastError: t.exposeString('error', {
      nullable: true,
      description: 'Why the last run failed; null when it did not.',
    }),
  }),
});

const pageOf = (name: string) =>
  [
    { name: `${name}Connection`, description: 'A page of a list, as Relay defines it.' },
    { name: `${name}Edge`, description: 'An object of a page with its place.' },
  ] as const;

builder.queryType({
  description: 'What the operator of the platform may look at.',
  fields: (t) => ({
    accounts: t.prismaConnection(
      {
        type: AccountType,
        cursor: 'id',
        description: 'The accounts of the platform, oldest first.',
        args: {
          search: t.arg.string({
            description: 'Part of name or company, without regard to case.',
            validate: z.string().max(200),
          }),
        },
        totalCount: (_root, { search }, { db }) => db.account.count({ where: accountsWhere(search) }),
        resolve: (query, _root, { search }, { db }) =>
          db.account.findMany({
            ...query,
            where: accountsWhere(search),
            orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
          }),
      },
      ...pageOf('Account'),
    ),
    user: t.prismaField({
      type: UserType,
      nullable: true,
      description: 'A user by the names that he logs in with; null when there is none.',
      args: {
        account: t.arg.string({ required: true, description: 'The account’s name, without regard to case.' }),
        username: t.arg.string({ required: true, description: 'The user name, without regard to case.' }),
      },
      resolve: (query, _root, { account, username }, { db }) =>
        db.user.findFirst({
          ...query,
          where: { usernameKey: nameKey(username), account: { nameKey: nameKey(account) } },
        }),
    }),
    bans: t.prismaConnection(
      {
        type: BanType,
        cursor: 'remoteAddress',
        description: 'The banned addresses, the newest ban first (AUTH-11).',
        totalCount: (_root, _args, { db }) => db.addressBan.count(),
        resolve: (query, _root, _args, { db }) =>
          db.addressBan.findMany({ ...query, orderBy: [{ bannedAt: 'desc' }, { remoteAddress: 'asc' }] }),
      },
      ...pageOf('AddressBan'),
    ),
    dueWork: t.prismaConnection(
      {
        type: DueWorkType,
        cursor: 'id',
        description: 'What will fall due, the next first.',
        totalCount: (_root, _args, { db }) => db.dueWork.count(),
        resolve: (query, _root, _args, { db }) =>
          db.dueWork.findMany({ ...query, orderBy: [{ dueAt: 'asc' }, { id: 'asc' }] }),
      },
      ...pageOf('DueWork'),
    ),
    jobs: t.field({
      type: [JobType],
      description: 'The sweeps of the instance that answers; empty for a command that runs beside the database.',
      resolve: (_root, _args, { jobRuns }) => [...jobRuns].map(([name, run]) => ({ name, ...run })),
    }),
    messagesInTrouble: t.prismaConnection(
      {
        type: MessageType,
        cursor: 'id',
        description: 'The messages that were given up, or could not be sent so far; the newest first.',
        totalCount: (_root, _args, { db }) => db.message.count({ where: IN_TROUBLE }),
        resolve: (query, _root, _args, { db }) =>
          db.message.findMany({ ...query, where: IN_TROUBLE, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] }),
      },
      ...pageOf('OutgoingMessage'),
    ),
  }),
});

const IN_TROUBLE = { state: { not: 'SENT' as const }, lastError: { not: null } };

function accountsWhere(search: string | null | undefined) {
  const contains = { contains: search ?? '', mode: 'insensitive' as const };
  return search ? { OR: [{ name: contains }, { company: contains }] } : {};
}

const AdministratorInput = builder.inputType('AdministratorInput', {
  description: 'The first Administrator of an account.',
  fields: (t) => ({
    username: t.string({ required: true, validate: username, description: '1–100 characters (USR-04).' }),
    fullName: t.string({ validate: fullName, description: 'As people call him.' }),
    email: t.field({ type: 'EmailAddress', required: true, description: 'For the invitation and recovery (USR-05).' }),
    password: t.string({
      validate: z.string().max(200),
      description: 'Under the default policy (PWD-21); without one he gets an invitation to choose it (INV-01).',
    }),
  }),
});

const CreateAccountInput = builder.inputType('CreateAccountInput', {
  description: 'A new account.',
  fields: (t) => ({
    name: t.string({ required: true, validate: accountName, description: '3–40 letters, digits, `-`, `_` (ACC-03).' }),
    company: t.string({ required: true, validate: company, description: '1–100 characters.' }),
    plan: t.field({ type: PlanEnum, required: true, defaultValue: 'FREE', description: 'The plan it starts on.' }),
    administrator: t.field({ type: AdministratorInput, required: true, description: 'Its first Administrator.' }),
  }),
});

const SetPlanInput = builder.inputType('SetPlanInput', {
  description: 'Which account, and to what.',
  fields: (t) => ({
    account: t.string({ required: true, description: 'The account’s name, without regard to case.' }),
    plan: t.field({ type: PlanEnum, required: true, description: 'The plan from now on.' }),
  }),
});

const AddCreditInput = builder.inputType('AddCreditInput', {
  description: 'Which account, and how much.',
  fields: (t) => ({
    account: t.string({ required: true, description: 'The account’s name, without regard to case.' }),
    cents: t.int({
      required: true,
      validate: z.int().min(1).max(MAX_CREDIT_CENTS),
      description: `Cents of the currency of the platform, 1–${MAX_CREDIT_CENTS}.`,
    }),
    description: t.string({
      required: true,
      validate: z.string().trim().min(1).max(200),
      description: 'What it is for, as an invoice number; 1–200 characters, for ledger and log.',
    }),
    key: t.string({
      validate: z.string().min(1).max(100),
      description: 'With the same key the account gets the credit once, for good; 1–100 characters.',
    }),
  }),
});

const LiftBanInput = builder.inputType('LiftBanInput', {
  description: 'Which ban.',
  fields: (t) => ({
    remoteAddress: t.string({ required: true, description: 'The address, as `bans` gives it.' }),
  }),
});

const userNameInput = (name: string) =>
  builder.inputType(name, {
    description: 'Which user.',
    fields: (t) => ({
      account: t.string({ required: true, description: 'The account’s name, without regard to case.' }),
      username: t.string({ required: true, description: 'The user name, without regard to case.' }),
    }),
  });
const UnlockUserInput = userNameInput('UnlockUserInput');
const EndLoginsInput = userNameInput('EndLoginsInput');

interface Created {
  accountId: string;
  invitation: { link: string; expiresAt: Date } | null;
}

const CreateAccountSuccess = builder.objectRef<Created>('CreateAccountSuccess').implement({
  description: 'The account and its Administrator exist.',
  fields: (t) => ({
    account: t.prismaField({
      type: AccountType,
      description: 'The new account.',
      resolve: (query, { accountId }, _args, { db }) =>
        db.account.findUniqueOrThrow({ ...query, where: { id: accountId } }),
    }),
    invitationLink: t.string({
      nullable: true,
      description:
        'By which the Administrator chooses his password, once; it was sent to him too. Shown only now; null when a password was given.',
      resolve: ({ invitation }) => invitation?.link ?? null,
    }),
    invitationExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Until when the link works.',
      resolve: ({ invitation }) => invitation?.expiresAt ?? null,
    }),
  }),
});

/** The success of what is done to an account: it gives the account as it is then. */
const accountSuccess = (name: string, description: string) =>
  builder.objectRef<{ accountId: string }>(name).implement({
    description,
    fields: (t) => ({
      account: t.prismaField({
        type: AccountType,
        description: 'The account as it is now.',
        resolve: (query, { accountId }, _args, { db }) =>
          db.account.findUniqueOrThrow({ ...query, where: { id: accountId } }),
      }),
    }),
  });
const SetPlanSuccess = accountSuccess('SetPlanSuccess', 'The plan is in force, with all its consequences.');
const AddCreditSuccess = accountSuccess('AddCreditSuccess', 'The credit is added.');

const LiftBanSuccess = builder.objectRef<{ remoteAddress: string }>('LiftBanSuccess').implement({
  description: 'The address may log in again; its failures are forgotten.',
  fields: (t) => ({ remoteAddress: t.exposeString('remoteAddress', { description: 'The address.' }) }),
});

const UnlockUserSuccess = builder.objectRef<{ userId: string }>('UnlockUserSuccess').implement({
  description: 'The user is neither locked nor blocked now.',
  fields: (t) => ({
    user: t.prismaField({
      type: UserType,
      description: 'The user as he is now.',
      resolve: (query, { userId }, _args, { db }) => db.user.findUniqueOrThrow({ ...query, where: { id: userId } }),
    }),
  }),
});

const EndLoginsSuccess = builder.objectRef<{ userId: string; count: number }>('EndLoginsSuccess').implement({
  description: 'The user has no login now; sessions and streams have ended with them.',
  fields: (t) => ({
    count: t.exposeInt('count', { description: 'How many logins ended.' }),
    user: t.prismaField({
      type: UserType,
      description: 'The user as he is now.',
      resolve: (query, { userId }, _args, { db }) => db.user.findUniqueOrThrow({ ...query, where: { id: userId } }),
    }),
  }),
});

builder.mutationType({
  description:
    'What the operator of the platform may do. Each answers with a union of its success and its errors; the log of the account tells it, triggered by the PLATFORM.',
  fields: (t) => ({
    createAccount: t.field({
      type: CreateAccountSuccess,
      errors: {},
      description:
        'Creates an account with its first Administrator, on any plan (ACC-12, ACC-14). Errors: ACCOUNT_NAME_TAKEN, PASSWORD_POLICY_VIOLATION, VALIDATION_FAILED.',
      args: { input: t.arg({ type: CreateAccountInput, required: true }) },
      resolve: (_root, { input: { name, company, plan, administrator } }, ctx) => {
        const { username, email, fullName, password } = administrator;
        const person = { username, email, fullName: fullName ?? null, password: password ?? null };
        return createAccount(ctx, { name, company, administrator: person }, null, plan);
      },
    }),
    setPlan: t.field({
      type: SetPlanSuccess,
      errors: {},
      description: 'Puts another plan into force, with all that follows from it (ACC-14 to ACC-20). Errors: NOT_FOUND.',
      args: { input: t.arg({ type: SetPlanInput, required: true }) },
      resolve: async (_root, { input: { account, plan } }, ctx) => {
        const accountId = await findAccountId(ctx, account);
        await setPlan(ctx, accountId, plan);
        return { accountId };
      },
    }),
    addCredit: t.field({
      type: AddCreditSuccess,
      errors: {},
      description:
        'Adds to the credit of an account, out of which text messages beyond the allowance are paid (BIL-15, WAK-07). Repeated without a key, it adds again. Errors: NOT_FOUND, IDEMPOTENCY_KEY_REUSED, VALIDATION_FAILED.',
      args: { input: t.arg({ type: AddCreditInput, required: true }) },
      resolve: async (_root, { input: { account, cents, description, key } }, ctx) => {
        const accountId = await findAccountId(ctx, account);
        await addCredit(ctx, accountId, { cents, description: description.trim(), key: key ?? null });
        return { accountId };
      },
    }),
    liftBan: t.field({
      type: LiftBanSuccess,
      errors: {},
      description: 'Lets a banned address log in again (AUTH-11). Errors: NOT_FOUND when it is not banned.',
      args: { input: t.arg({ type: LiftBanInput, required: true }) },
      resolve: async (_root, { input: { remoteAddress } }, ctx) => {
        await liftBan(ctx, remoteAddress);
        return { remoteAddress };
      },
    }),
    unlockUser: t.field({
      type: UnlockUserSuccess,
      errors: {},
      description:
        'Ends the lock after wrong passwords (AUTH-07) and the block after wrong codes (TFA-07); a user with neither stays as he is. Errors: NOT_FOUND.',
      args: { input: t.arg({ type: UnlockUserInput, required: true }) },
      resolve: async (_root, { input }, ctx) => ({ userId: await unlockUser(ctx, input) }),
    }),
    endLogins: t.field({
      type: EndLoginsSuccess,
      errors: {},
      description: 'Ends all logins of a user, with their sessions and streams (AUTH-20, EVT-08). Errors: NOT_FOUND.',
      args: { input: t.arg({ type: EndLoginsInput, required: true }) },
      resolve: (_root, { input }, ctx) => endLoginsOfUser(ctx, input),
    }),
  }),
});

/** Printed to schema.operator.graphql. */
export const operatorSchema: GraphQLSchema = describeMachinery(builder.toSchema());

import { z } from 'zod';
import { builder } from '../graphql/builder.ts';
import type { LoggedInContext } from '../graphql/context.ts';
import { keyOf } from '../graphql/global-id.ts';
import { defineList, oneOfWays } from '../graphql/lists/list.ts';
import { whereVisible } from '../graphql/visible.ts';
import { GroupType } from '../groups/graphql.ts';
import { PoolType } from '../pools/graphql.ts';
import { UserType } from '../users/graphql.ts';
import { confirmDevicePasswordsChanged, grantSupportAccess, revokeSupportAccess } from './access.ts';
import {
  type SUPPORT_ACCESS_ACTIONS,
  type SupportAccessAction,
  type SupportAccessStatus,
  secretsVisibleTo,
  supportAccessActions,
  supportAccessesVisibleTo,
  supportAccessStatus,
  whereSupportAccessStatus,
} from './rules.ts';
import { readSecret, shareSecret } from './secrets.ts';

const SupportAccessStatusEnum = builder.enumType('SupportAccessStatus', {
  description: 'How a support access stands.',
  values: {
    ACTIVE: { description: 'The engineer may log in, once he has accepted the invitation.' },
    ENDED: { description: 'His user has expired, was disabled or deleted; group and pool are still there.' },
    REVOKED: { description: 'Ended by `revokeSupportAccess` (SUP-11).' },
  } satisfies Record<SupportAccessStatus, object>,
});

const SupportAccessActionEnum = builder.enumType('SupportAccessAction', {
  description: 'What somebody may do with a support access.',
  values: {
    REVOKE: { description: 'End it with `revokeSupportAccess` (SUP-11).' },
    CONFIRM_DEVICE_PASSWORDS_CHANGED: {
      description: 'End its reminder with `confirmDevicePasswordsChanged` (SUP-13).',
    },
  } satisfies Record<(typeof SUPPORT_ACCESS_ACTIONS)[number], object>,
});

const SupportAccessType = builder.prismaNode('SupportAccess', {
  id: { field: 'id' },
  findUnique: whereVisible(supportAccessesVisibleTo),
  nullable: true,
  description:
    'Access that an Administrator gave to a support engineer, limited in rights and time (SUP-01). It has no place for the password of a device: that goes through `shareSecret` (SUP-12). Administrators only.',
  fields: (t) => ({
    engineer: t.expose('engineer', { type: 'EmailAddress', description: 'The address of the engineer (SUP-03).' }),
    status: t.field({
      type: SupportAccessStatusEnum,
      description: 'How it stands now.',
      select: { revokedAt: true, user: { select: { disabledAt: true, expiresAt: true } } },
      resolve: (access, _args, { clock }) => supportAccessStatus(access, clock.now()),
    }),
    user: t.relation('user', {
      type: UserType,
      nullable: true,
      description: 'The user of the engineer; null when he was deleted.',
    }),
    group: t.relation('group', {
      type: GroupType,
      nullable: true,
      description: 'The dedicated group (SUP-07); null on plans without groups and when it was removed.',
    }),
    pool: t.relation('pool', {
      type: PoolType,
      nullable: true,
      description: 'The dedicated pool (SUP-02); null on plans without pools and when it was removed.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was given.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description:
        'When it was to end as it was given (SUP-09). An Administrator may have moved the expiration date of the user since.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null if it was not.',
    }),
    changeDevicePasswords: t.boolean({
      description:
        'A reminder: device passwords that were shared during support should be changed. True until somebody confirms it (SUP-13).',
      select: { passwordsChangedAt: true },
      resolve: ({ passwordsChangedAt }) => passwordsChangedAt === null,
    }),
    devicePasswordsChangedAt: t.expose('passwordsChangedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When somebody confirmed that they were changed; null before.',
    }),
    viewerCan: t.field({
      type: [SupportAccessActionEnum],
      description: 'What the viewer may do with it.',
      select: { revokedAt: true, passwordsChangedAt: true },
      resolve: (access, _args, { actor }): SupportAccessAction[] => (actor ? supportAccessActions(actor, access) : []),
    }),
  }),
});

const supportAccessList = defineList({
  model: 'SupportAccess',
  things: 'support accesses',
  fields: {
    engineer: { description: 'The address of the engineer (SUP-03).' },
    createdAt: { description: 'When it was given.' },
    expiresAt: { description: 'When it was to end (SUP-09).' },
    revokedAt: { description: 'When it was revoked.' },
    devicePasswordsChangedAt: {
      column: 'passwordsChangedAt',
      description: 'When somebody confirmed that device passwords were changed (SUP-13).',
    },
  },
  search: ['engineer'],
  extra: (t) => ({
    status: t.field({
      type: [SupportAccessStatusEnum],
      validate: z.array(z.any()).max(100, 'At most 100 values.'),
      description: 'The status: one of these.',
    }),
  }),
  where: ({ status }, { clock }) =>
    status ? [oneOfWays(status.map((one) => whereSupportAccessStatus(one, clock.now())))] : [],
  order: [['createdAt', 'desc']],
});

builder.prismaObjectFields('Account', (t) => ({
  supportAccesses: t.connection(
    {
      ...supportAccessList.shown({
        type: SupportAccessType,
        description:
          'Accesses given to support engineers, newest first unless ordered otherwise, those that have ended too (SUP-01). Null for all but Administrators.',
        where: ({ actor }) => (actor?.administrator ? supportAccessesVisibleTo(actor) : null),
      }),
      nullable: true,
    },
    ...supportAccessList.connection(),
  ),
}));

const OneTimeSecretType = builder.prismaNode('OneTimeSecret', {
  id: { field: 'id' },
  findUnique: whereVisible(secretsVisibleTo),
  nullable: true,
  description:
    'A text that its recipient can read exactly once, with `readSecret` (SUP-14). For everybody else it does not exist.',
  fields: (t) => ({
    senderName: t.exposeString('senderName', { description: 'Who shared it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was shared.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When it is destroyed if nobody has read it: 24 hours after it was shared.',
    }),
    readable: t.boolean({
      description: 'It was neither read nor destroyed.',
      select: { contentEncrypted: true, expiresAt: true },
      resolve: ({ contentEncrypted, expiresAt }, _args, { clock }) =>
        contentEncrypted !== null && expiresAt > clock.now(),
    }),
  }),
});

const secretList = defineList({
  model: 'OneTimeSecret',
  things: 'one-time secrets',
  fields: {
    senderName: { description: 'Who shared it.' },
    createdAt: { description: 'When it was shared.' },
    expiresAt: { description: 'When it is destroyed if nobody has read it.' },
  },
  search: ['senderName'],
  order: [['createdAt', 'asc']],
});

builder.queryField('oneTimeSecrets', (t) =>
  t.withAuth({ loggedIn: true }).connection(
    secretList.shown({
      type: OneTimeSecretType,
      description:
        'What was shared with the viewer and waits to be read, oldest first unless ordered otherwise (SUP-14).',
      where: ({ actor, clock }: LoggedInContext) => ({ AND: [secretsVisibleTo(actor), readable(clock.now())] }),
    }),
    ...secretList.connection(),
  ),
);

const readable = (now: Date) => ({ contentEncrypted: { not: null }, expiresAt: { gt: now } });

const DAYS = 'An access lasts 1 to 30 days.';

const GrantSupportAccessInput = builder.inputType('GrantSupportAccessInput', {
  description:
    'Whom access is given, to what and for how long. There is no place for the password of a device (SUP-12).',
  fields: (t) => ({
    email: t.field({
      type: 'EmailAddress',
      required: true,
      validate: z.string().max(100, 'The address becomes the user name, which has at most 100 characters.'),
      description:
        'The address of the engineer, in a domain of the support organisation (SUP-04); becomes his user name too (SUP-03).',
    }),
    fullName: t.string({
      validate: z.string().max(100, 'A full name has at most 100 characters.'),
      description: 'As people call him.',
    }),
    ewonIds: t.idList({
      required: true,
      defaultValue: [],
      validate: z.array(z.string()).max(500, 'At most 500 Ewons.'),
      description:
        'The Ewons concerned: at least one on plans with pools (SUP-02). On the others it must be empty, for role USER reaches every Ewon (SUP-08).',
    }),
    days: t.int({
      validate: z.number().min(1, DAYS).max(30, DAYS),
      description: 'How many days from now, 1 to 30; 2 unless given (SUP-09).',
    }),
    ticket: t.string({
      // No spaces, colons or equal signs: a reference, and no place for a password in passing (SUP-12).
      validate: z
        .string()
        .regex(/^[A-Za-z0-9][\w./#-]{0,49}$/, 'A ticket reference has up to 50 letters, digits and . / # - _ alone.'),
      description:
        'The reference of the ticket, up to 50 letters, digits and `./#-_`; goes into custom field 1 of the user (SUP-10). Never a password (SUP-12).',
    }),
    codeByEmail: t.boolean({
      required: true,
      defaultValue: true,
      description:
        'Each login of the engineer needs a code by e-mail, which is recommended (SUP-06); false leaves it to the default of the account (TFA-26).',
    }),
  }),
});

const RevokeSupportAccessInput = builder.inputType('RevokeSupportAccessInput', {
  description: 'The access to end.',
  fields: (t) => ({ supportAccessId: t.id({ required: true, description: 'The access.' }) }),
});

const ConfirmDevicePasswordsChangedInput = builder.inputType('ConfirmDevicePasswordsChangedInput', {
  description: 'The access whose reminder is done.',
  fields: (t) => ({ supportAccessId: t.id({ required: true, description: 'The access.' }) }),
});

/** `<Verb>Success` with the access as it is afterwards. */
const accessSuccess = (name: string, text: string) =>
  builder.objectRef<{ accessId: string }>(name).implement({
    description: text,
    fields: (t) => ({
      supportAccess: t.prismaField({
        type: SupportAccessType,
        description: 'The access as it is now.',
        resolve: (query, { accessId }, _args, { db }) =>
          db.supportAccess.findUniqueOrThrow({ ...query, where: { id: accessId } }),
      }),
    }),
  });
const GrantSupportAccessSuccess = accessSuccess('GrantSupportAccessSuccess', 'The engineer is invited (SUP-05).');
const RevokeSupportAccessSuccess = accessSuccess(
  'RevokeSupportAccessSuccess',
  'The user is disabled, his sessions are closed. What of group and pool others have come to depend on stays: members, API tokens, Ewons in no other pool.',
);
const ConfirmDevicePasswordsChangedSuccess = accessSuccess(
  'ConfirmDevicePasswordsChangedSuccess',
  'The reminder has ended.',
);

const ShareSecretInput = builder.inputType('ShareSecretInput', {
  description: 'A text for one reader and one reading.',
  fields: (t) => ({
    recipientId: t.id({ required: true, description: 'The user who may read it.' }),
    content: t.string({
      required: true,
      validate: z.string().min(1, 'A secret has 1 to 2000 characters.').max(2000, 'A secret has 1 to 2000 characters.'),
      description: '1–2000 characters. Stored encrypted, never logged.',
    }),
  }),
});

const ShareSecretSuccess = builder.objectRef<{ secretId: string }>('ShareSecretSuccess').implement({
  description: 'It waits for its reader.',
  fields: (t) => ({
    secret: t.prismaField({
      type: OneTimeSecretType,
      description: 'Without its content; its id is what the recipient reads it by.',
      resolve: (query, { secretId }, _args, { db }) =>
        db.oneTimeSecret.findUniqueOrThrow({ ...query, where: { id: secretId } }),
    }),
  }),
});

const ReadSecretInput = builder.inputType('ReadSecretInput', {
  description: 'The secret to read.',
  fields: (t) => ({ secretId: t.id({ required: true, description: 'From `oneTimeSecrets`, or as it was told.' }) }),
});

const ReadSecretSuccess = builder.objectRef<{ content: string }>('ReadSecretSuccess').implement({
  description: 'The secret is destroyed.',
  fields: (t) => ({ content: t.exposeString('content', { description: 'The text, shown only now.' }) }),
});

builder.mutationFields((t) => ({
  grantSupportAccess: t.withAuth({ loggedIn: true }).field({
    type: GrantSupportAccessSuccess,
    errors: {},
    description:
      'Gives a support engineer access in one step, wholly or not at all (SUP-02 to SUP-11): invites a user of his address with an expiration date, in a dedicated group with nothing but the two connect rights on a dedicated pool of the Ewons concerned; on plans without groups with role USER. Once an access has ended the same engineer can be given another; his old user is deleted then. Administrators only. Errors: FORBIDDEN, SUPPORT_DOMAIN_NOT_ALLOWED, NOT_FOUND, PLAN_FEATURE_NOT_AVAILABLE, USERNAME_IN_USE, VALIDATION_FAILED, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: GrantSupportAccessInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({
      accessId: await grantSupportAccess(ctx, {
        email: input.email,
        fullName: input.fullName ?? null,
        ewonIds: input.ewonIds.map((id) => keyOf('Ewon', id)),
        days: input.days ?? ctx.config.limits.SUPPORT_DAYS,
        ticket: input.ticket ?? null,
        codeByEmail: input.codeByEmail,
      }),
    }),
  }),
  revokeSupportAccess: t.withAuth({ loggedIn: true }).field({
    type: RevokeSupportAccessSuccess,
    errors: {},
    description:
      'Ends a support access (SUP-11): disables the user, closes his sessions, removes the dedicated group and pool. Administrators only. Errors: FORBIDDEN, NOT_FOUND, SELF_NOT_ALLOWED, LAST_ADMINISTRATOR, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: RevokeSupportAccessInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const accessId = keyOf('SupportAccess', input.supportAccessId);
      await revokeSupportAccess(ctx, accessId);
      return { accessId };
    },
  }),
  confirmDevicePasswordsChanged: t.withAuth({ loggedIn: true }).field({
    type: ConfirmDevicePasswordsChangedSuccess,
    errors: {},
    description:
      'Says that the device passwords that were shared during a support access have been changed, and ends its reminder (SUP-13). Administrators only. Errors: FORBIDDEN, NOT_FOUND, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: ConfirmDevicePasswordsChangedInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const accessId = keyOf('SupportAccess', input.supportAccessId);
      await confirmDevicePasswordsChanged(ctx, accessId);
      return { accessId };
    },
  }),
  shareSecret: t.withAuth({ loggedIn: true }).field({
    type: ShareSecretSuccess,
    errors: {},
    description:
      'Leaves a text, as the password of a device, for one user to read once (SUP-12, SUP-14). Administrators only. Errors: FORBIDDEN, NOT_FOUND, VALIDATION_FAILED, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: ShareSecretInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({
      secretId: await shareSecret(ctx, keyOf('User', input.recipientId), input.content),
    }),
  }),
  readSecret: t.withAuth({ loggedIn: true }).field({
    type: ReadSecretSuccess,
    errors: {},
    description:
      'Reads what was shared with the viewer, and destroys it (SUP-14). For everybody else it does not exist. Errors: NOT_FOUND, SECRET_GONE, LOGIN_EXPIRED.',
    args: { input: t.arg({ type: ReadSecretInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({
      content: await readSecret(ctx, keyOf('OneTimeSecret', input.secretId)),
    }),
  }),
}));

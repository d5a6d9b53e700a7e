import { z } from 'zod';
import { AppError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { keyOf } from '../graphql/global-id.ts';
import { whereVisible } from '../graphql/visible.ts';
import { PoolType } from '../pools/graphql.ts';
import { SlotUsageType } from '../sessions/graphql.ts';
import { readSlotFigures } from '../sessions/slots.ts';
import * as inputs from './input.ts';
import { PlanEnum } from './plan-graphql.ts';
import {
  type CommissioningFile,
  exportRegistrationKey,
  renewRegistrationKey,
  setAutoRegistration,
} from './registration-key.ts';
import { updateAccount } from './settings.ts';
import { accountSuccess } from './success.ts';

const PendingSlotsType = builder.objectRef<{ concurrentConnections: number; at: Date }>('ScheduledDecrease').implement({
  description: 'A decrease of the concurrent connections that is not in force yet (CON-17).',
  fields: (t) => ({
    concurrentConnections: t.exposeInt('concurrentConnections', { description: 'The number from then on.' }),
    at: t.expose('at', { type: 'DateTime', description: 'From when it is in force.' }),
  }),
});

const AutoRegistrationType = builder
  .objectRef<{ accountId: string; enabled: boolean; poolId: string | null; keyEncrypted: string; renewedAt: Date }>(
    'AutoRegistration',
  )
  .implement({
    description: 'How devices may register by themselves (GRK-01). Administrators only.',
    fields: (t) => ({
      enabled: t.exposeBoolean('enabled', {
        description: 'Off refuses registration by name and by key; activation keys still work (GRK-03).',
      }),
      pool: t.field({
        type: PoolType,
        description: 'Where new Ewons go (GRK-06).',
        resolve: ({ poolId, accountId }, _args, { db }) =>
          db.pool.findFirstOrThrow({
            where: { accountId, ...(poolId === null ? { isDefault: true } : { id: poolId }) },
          }),
      }),
      registrationKey: t.string({
        description: 'The Global Registration Key, GRK: 32 characters (GRK-09). A secret of the account.',
        resolve: ({ keyEncrypted }, _args, { secrets }) => secrets.decrypt(keyEncrypted),
      }),
      registrationKeyRenewedAt: t.expose('renewedAt', {
        type: 'DateTime',
        description: 'Since when this key is valid (GRK-12).',
      }),
    }),
  });

const AccountActionEnum = builder.enumType('AccountAction', {
  description: 'What somebody may do with the account.',
  values: {
    ADMINISTER: { description: 'Everything (ACC-22).' },
    CREATE_POOLS: { description: 'Create pools (POOL-08).' },
    CREATE_GROUPS: { description: 'Create groups (GRP-10).' },
  },
});

builder.prismaNode('Account', {
  id: { field: 'id' },
  findUnique: whereVisible(({ accountId }) => ({ id: accountId })),
  nullable: true,
  description: 'The tenant that users, groups, pools and Ewons belong to (ACC-01).',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique on the platform; the first input of a login (ACC-03).' }),
    company: t.exposeString('company', { description: 'The company’s name.' }),
    plan: t.expose('plan', { type: PlanEnum, description: 'The plan.' }),
    street: t.exposeString('street', { nullable: true, description: 'Street and number.' }),
    postalCode: t.exposeString('postalCode', { nullable: true, description: 'As it is written in the country.' }),
    city: t.exposeString('city', { nullable: true, description: 'City.' }),
    country: t.exposeString('country', { nullable: true, description: 'Code of ISO 3166-1 in two letters: `BE`.' }),
    language: t.exposeString('language', { description: 'Tag of BCP 47: `en`, `fr-BE`. At first `en`.' }),
    timeZone: t.exposeString('timeZone', {
      description:
        'IANA name, as `Europe/Brussels`; months, reports and exports go by it (BIL-09, LOG-18). At first `UTC`.',
    }),
    internalReference: t.exposeString('internalReference', {
      nullable: true,
      description: 'What the account calls itself in its own books.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    slots: t.withAuth({ loggedIn: true }).field({
      type: SlotUsageType,
      description: 'The concurrent connections (CON-12).',
      resolve: (_account, _args, { db, actor }) => readSlotFigures(db, actor),
    }),
    scheduledDecrease: t.field({
      type: PendingSlotsType,
      nullable: true,
      description: 'A decrease of the concurrent connections that is not in force yet (CON-17).',
      select: { pendingSlots: true, pendingSlotsAt: true },
      resolve: ({ pendingSlots, pendingSlotsAt }) =>
        pendingSlots !== null && pendingSlotsAt !== null
          ? { concurrentConnections: pendingSlots, at: pendingSlotsAt }
          : null,
    }),
    autoRegistration: t.field({
      type: AutoRegistrationType,
      nullable: true,
      description: 'Null for all but Administrators.',
      select: {
        id: true,
        autoRegistrationEnabled: true,
        autoRegistrationPoolId: true,
        registrationKeyEncrypted: true,
        registrationKeyRenewedAt: true,
      },
      resolve: (account, _args, { actor }) =>
        actor?.administrator
          ? {
              accountId: account.id,
              enabled: account.autoRegistrationEnabled,
              poolId: account.autoRegistrationPoolId,
              keyEncrypted: account.registrationKeyEncrypted,
              renewedAt: account.registrationKeyRenewedAt,
            }
          : null,
    }),
    viewerCan: t.field({
      type: [AccountActionEnum],
      description: 'What the viewer may do with the account.',
      select: { id: true },
      resolve: (_account, _args, { actor }) => [
        ...(actor?.administrator ? (['ADMINISTER'] as const) : []),
        ...(actor?.features.pools && (actor.administrator || actor.mayCreatePools) ? (['CREATE_POOLS'] as const) : []),
        ...(actor?.features.groups && (actor.administrator || actor.mayCreateGroups)
          ? (['CREATE_GROUPS'] as const)
          : []),
      ],
    }),
  }),
});

builder.queryField('account', (t) =>
  t.withAuth({ loggedIn: true }).prismaField({
    type: 'Account',
    nullable: true,
    description: 'The viewer’s account.',
    resolve: (query, _root, _args, { db, actor }) =>
      db.account.findUniqueOrThrow({ ...query, where: { id: actor.accountId } }),
  }),
);

const UpdateAccountInput = builder.inputType('UpdateAccountInput', {
  description: 'The general information of the account (ACC-02). Absent keeps; its name never changes (ACC-03).',
  fields: (t) => ({
    company: t.string({ validate: inputs.company.nullable(), description: '1–100 characters.' }),
    street: t.string({ validate: inputs.street.nullable(), description: 'Up to 200 characters; null clears.' }),
    postalCode: t.string({ validate: inputs.postalCode.nullable(), description: 'Up to 20 characters; null clears.' }),
    city: t.string({ validate: inputs.city.nullable(), description: 'Up to 100 characters; null clears.' }),
    country: t.string({
      validate: inputs.country.nullable(),
      description: 'Code of ISO 3166-1 in two capital letters; null clears.',
    }),
    language: t.string({ validate: inputs.language.nullable(), description: 'Tag of BCP 47: `en`, `fr-BE`.' }),
    timeZone: t.string({
      validate: inputs.timeZone.nullable(),
      description: 'Name of the IANA database: `Europe/Brussels`. The month that is counted in ends by it (BIL-09).',
    }),
    internalReference: t.string({
      validate: inputs.internalReference.nullable(),
      description: 'Up to 100 characters; null clears.',
    }),
  }),
});

const UpdateAccountSuccess = accountSuccess('UpdateAccountSuccess', 'The account has its new information.');

const RenewRegistrationKeySuccess = accountSuccess(
  'RenewRegistrationKeySuccess',
  'The key before it is refused from now on; Ewons registered with it stay (GRK-12).',
);
const SetAutoRegistrationSuccess = accountSuccess('SetAutoRegistrationSuccess', 'The settings are in force.');

const ExportRegistrationKeySuccess = builder.objectRef<CommissioningFile>('ExportRegistrationKeySuccess').implement({
  description: 'A file for the root of an SD card or USB drive (GRK-13).',
  fields: (t) => ({
    fileName: t.exposeString('fileName', { description: 'Always `T2M.txt` (GRK-14).' }),
    content: t.exposeString('content', {
      description: 'Text in UTF-8; holds the registration key, a secret of the account.',
    }),
  }),
});

const ExportRegistrationKeyInput = builder.inputType('ExportRegistrationKeyInput', {
  description: 'What the file is to say besides address and key.',
  fields: (t) => ({
    description: t.string({
      validate: z.string().max(500, 'A description has at most 500 characters.'),
      description: 'Becomes the description of the Ewon that registers with the file (GRK-13).',
    }),
  }),
});

const SetAutoRegistrationInput = builder.inputType('SetAutoRegistrationInput', {
  description: 'Absent keeps, null clears.',
  fields: (t) => ({
    enabled: t.boolean({ description: 'Whether devices may register by themselves (GRK-02).' }),
    poolId: t.id({ description: 'Where new Ewons go; null is the default pool (GRK-06).' }),
  }),
});

/** A text as it is kept: an empty one is none. */
const textOrNone = (text: string | null | undefined) => (text === undefined ? undefined : text?.trim() || null);

builder.mutationFields((t) => ({
  updateAccount: t.withAuth({ loggedIn: true }).field({
    type: UpdateAccountSuccess,
    errors: {},
    description:
      'Changes the general information of the account (ACC-02). Administrators only. Errors: FORBIDDEN, VALIDATION_FAILED.',
    args: { input: t.arg({ type: UpdateAccountInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      for (const name of ['company', 'language', 'timeZone'] as const)
        if (input[name] === null) throw new AppError('VALIDATION_FAILED', `An account has a ${name}.`, [name]);
      await updateAccount(ctx, {
        company: input.company?.trim(),
        street: textOrNone(input.street),
        postalCode: textOrNone(input.postalCode),
        city: textOrNone(input.city),
        country: input.country,
        language: input.language == null ? undefined : Intl.getCanonicalLocales(input.language)[0],
        timeZone: input.timeZone ?? undefined,
        internalReference: textOrNone(input.internalReference),
      });
      return {};
    },
  }),
  renewRegistrationKey: t.withAuth({ loggedIn: true }).field({
    type: RenewRegistrationKeySuccess,
    errors: {},
    description: 'Revokes the GRK and makes a new one (GRK-12). Administrators only. Errors: FORBIDDEN.',
    resolve: async (_root, _args, ctx) => {
      await renewRegistrationKey(ctx);
      return {};
    },
  }),
  exportRegistrationKey: t.withAuth({ loggedIn: true }).field({
    type: ExportRegistrationKeySuccess,
    errors: {},
    description:
      'The commissioning file with platform address, GRK and description (GRK-13, GRK-14). Administrators only. Errors: FORBIDDEN.',
    args: { input: t.arg({ type: ExportRegistrationKeyInput, required: true }) },
    resolve: (_root, { input }, ctx) => exportRegistrationKey(ctx, input.description ?? null),
  }),
  setAutoRegistration: t.withAuth({ loggedIn: true }).field({
    type: SetAutoRegistrationSuccess,
    errors: {},
    description:
      'Switches auto-registration and selects its pool (GRK-02, GRK-06). Administrators only. Errors: FORBIDDEN, NOT_FOUND.',
    args: { input: t.arg({ type: SetAutoRegistrationInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const poolId = input.poolId == null ? input.poolId : keyOf('Pool', input.poolId);
      await setAutoRegistration(ctx, { enabled: input.enabled ?? undefined, poolId });
      return {};
    },
  }),
}));

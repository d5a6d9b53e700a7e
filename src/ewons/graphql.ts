import { z } from 'zod';
import { customValues } from '../account/custom-fields.ts';
import { AppError, ConfirmationRequiredError } from '../errors.ts';
import type {
  ConnectionMode,
  DigitalInputPolicy,
  EwonModel,
  RegistrationStatus,
  WanType,
} from '../generated/prisma/enums.ts';
import { LOCATED, NOT_LOCATED } from '../geolocation/positions.ts';
import { builder } from '../graphql/builder.ts';
import { CustomFieldValueType, customFields } from '../graphql/custom-fields.ts';
import { ClientKindEnum, FirewallLevelEnum } from '../graphql/enums.ts';
import { keyOf, keysOf } from '../graphql/global-id.ts';
import { defineList, oneOfWays } from '../graphql/lists/list.ts';
import { objectName } from '../graphql/names.ts';
import { readingIn, whereReadable } from '../graphql/visible.ts';
import { PoolType } from '../pools/graphql.ts';
import { formatIpv4, subnetOf } from '../vpn/ipv4.ts';
import { approveEwon, rejectEwon, replaceEwon } from './approval.ts';
import { type ConnectedUser, connectedUsersLoader } from './connected.ts';
import { poolsOfEwonLoader } from './pools.ts';
import { createEwon, type EwonProperties, removeEwon, renewActivationKey, updateEwon } from './properties.ts';
import {
  type EWON_ACTIONS,
  type EwonStatus,
  encodedName,
  ewonActions,
  ewonReference,
  ewonStatus,
  ewonsReadableBy,
  forbidsRemoteAccess,
  nameKey,
  poolsReadableBy,
  whereStatus,
} from './rules.ts';

const RegistrationStatusEnum = builder.enumType('RegistrationStatus', {
  description:
    'How far an Ewon is with its registration (EWN-08): PENDING is a record without a device yet, PENDING_APPROVAL arrived by registration key and waits, ACTIVE is a full member of the account.',
  values: {
    PENDING: { description: 'A record without a device yet (EWN-14).' },
    PENDING_APPROVAL: { description: 'Its device arrived by registration key and waits (GRK-16).' },
    ACTIVE: { description: 'A full member of the account.' },
  } satisfies Record<RegistrationStatus, object>,
});

const EwonStatusEnum = builder.enumType('EwonStatus', {
  description: 'Connection status of an Ewon (EWN-09).',
  values: {
    OFFLINE: { description: 'No tunnel to the gateway.' },
    WAKING_UP: { description: 'A wake-up was sent; the device has not connected yet.' },
    ONLINE: { description: 'Its tunnel is open and nobody is connected to it.' },
    CONNECTED: { description: 'Its tunnel is open and at least one user is connected to it.' },
  } satisfies Record<EwonStatus, object>,
});

const ConnectionModeEnum = builder.enumType('ConnectionMode', {
  description: 'Whether an Ewon keeps its tunnel open (WAK-03).',
  values: {
    PERMANENT: { description: 'It is always connected; it is neither woken nor sent offline.' },
    ON_DEMAND: { description: 'It connects when it is woken by a text message, and can be sent offline.' },
  } satisfies Record<ConnectionMode, object>,
});

const EwonModelEnum = builder.enumType('EwonModel', {
  description: 'The device family (EWN-25): COSY, COSY_PLUS or FLEXY.',
  values: {
    COSY: { description: 'Ewon Cosy.' },
    COSY_PLUS: { description: 'Ewon Cosy+.' },
    FLEXY: { description: 'Ewon Flexy.' },
  } satisfies Record<EwonModel, object>,
});
const WanTypeEnum = builder.enumType('WanType', {
  description: 'How the device reaches the internet (GW-06): ETHERNET, WIFI or CELLULAR.',
  values: {
    ETHERNET: { description: 'By cable.' },
    WIFI: { description: 'By Wi-Fi.' },
    CELLULAR: { description: 'By a mobile network.' },
  } satisfies Record<WanType, object>,
});

const DigitalInputPolicyEnum = builder.enumType('DigitalInputPolicy', {
  description: 'What the switch on the digital input of a device means for remote access (GW-07).',
  values: {
    IGNORE: { description: 'Nothing.' },
    ON_ENABLES: { description: 'Remote access is allowed while it is on.' },
    ON_DISABLES: { description: 'Remote access is forbidden while it is on.' },
  } satisfies Record<DigitalInputPolicy, object>,
});

const EwonActionEnum = builder.enumType('EwonAction', {
  description: 'What somebody may do with an Ewon.',
  values: {
    CONNECT_ECATCHER: { description: 'Open a session with Ecatcher (CON-02).' },
    CONNECT_M2WEB: { description: 'Open a session with M2web (M2W-02).' },
    MODIFY: { description: 'Edit its properties (EWN-12).' },
    ADMINISTER: { description: 'Change its pools, renew its activation key, let it be replaced (EWN-12, EWN-20).' },
    REMOVE: { description: 'Remove it from the account: needs the right to administer all of its pools (EWN-19).' },
    APPROVE: { description: 'Approve or reject it; only while it waits for approval (GRK-23).' },
  } satisfies Record<(typeof EWON_ACTIONS)[number], object>,
});

const ConnectedUserType = builder.objectRef<ConnectedUser>('ConnectedUser').implement({
  description: 'Somebody connected to an Ewon (EWN-21).',
  fields: (t) => ({
    name: t.exposeString('name', {
      nullable: true,
      description: 'Null when his name is not public and he is not the viewer (USR-14).',
    }),
    client: t.field({
      type: ClientKindEnum,
      description: 'The client he is connected with.',
      resolve: ({ client }) => client,
    }),
    since: t.expose('since', { type: 'DateTime', description: 'When his session began.' }),
  }),
});

const LanConfigurationType = builder.objectRef<{ address: string }>('LanConfiguration').implement({
  description: 'The network behind the Ewon, as the device reports it (GW-06).',
  fields: (t) => ({
    address: t.expose('address', {
      type: 'CIDR',
      description: 'The Ewon’s own address in its LAN, with the prefix length.',
    }),
    subnet: t.field({
      type: 'CIDR',
      description: 'The subnet that it lies in.',
      resolve: ({ address }) => `${formatIpv4(subnetOf(address).first)}/${address.split('/')[1]}`,
    }),
  }),
});

const facts = { registrationStatus: true, pools: { select: { poolId: true } } } as const;
const openSessions = { select: { sessions: { where: { state: 'OPEN' as const } } } };

export const EwonType = builder.prismaNode('Ewon', {
  id: { field: 'id' },
  findUnique: whereReadable(ewonsReadableBy),
  nullable: true,
  description: 'A gateway in the field. Visible to whoever holds a right on one of its pools (EWN-02).',
  fields: (t) => ({
    reference: t.string({
      description: '`DEV` and a number, as logs name it (EWN-04).',
      select: { number: true },
      resolve: ({ number }) => ewonReference(number),
    }),
    name: t.exposeString('name', {
      description: 'Unique in the account without regard to case, 1–64 characters (EWN-03).',
    }),
    encodedName: t.string({
      description: 'The name in URL-safe form; spaces become `+` (EWN-24).',
      select: { name: true },
      resolve: ({ name }) => encodedName(name),
    }),
    description: t.exposeString('description', { nullable: true, description: 'Free text (EWN-05).' }),
    customFields: t.field({
      type: [CustomFieldValueType],
      description: 'Always three (EWN-06).',
      select: { custom1: true, custom2: true, custom3: true, account: { select: { ewonFieldNames: true } } },
      resolve: ({ account, ...values }) =>
        customValues(values).map((value, index) => ({ label: account.ewonFieldNames[index] ?? '', value })),
    }),
    registrationStatus: t.expose('registrationStatus', {
      type: RegistrationStatusEnum,
      description: 'How far it is with its registration.',
    }),
    status: t.field({
      type: EwonStatusEnum,
      description: 'Whether it is online, and used.',
      select: { gatewayId: true, wakingUntil: true, _count: openSessions },
      resolve: (ewon, _args, { clock }) => ewonStatus(ewon, ewon._count.sessions, clock.now()),
    }),
    connectionMode: t.expose('connectionMode', {
      type: ConnectionModeEnum,
      description: 'Whether it keeps its tunnel open, or is woken when it is needed; PERMANENT at first (WAK-03).',
    }),
    serialNumber: t.expose('serialNumber', {
      type: 'SerialNumber',
      nullable: true,
      description: 'Known once a device has registered (EWN-07).',
    }),
    model: t.expose('model', {
      type: EwonModelEnum,
      nullable: true,
      description: 'Known once a device has registered.',
    }),
    firmwareVersion: t.expose('firmwareVersion', {
      type: 'FirmwareVersion',
      nullable: true,
      description: 'As the device last reported it.',
    }),
    vpnAddress: t.field({
      type: 'IPv4',
      nullable: true,
      description: 'Its address in the VPN, allocated when it first comes online and kept (VPN-09).',
      select: { vpnAddress: { select: { address: true } } },
      resolve: ({ vpnAddress }) => vpnAddress && formatIpv4(vpnAddress.address),
    }),
    lan: t.field({
      type: LanConfigurationType,
      nullable: true,
      description: 'Null until the device has reported it.',
      select: { lanAddress: true },
      resolve: ({ lanAddress }) => (lanAddress === null ? null : { address: lanAddress }),
    }),
    wanType: t.expose('wanType', { type: WanTypeEnum, nullable: true, description: 'As the device last reported it.' }),
    wanAddress: t.exposeString('wanAddress', {
      nullable: true,
      description: 'Its address on the WAN side, as the device last reported it.',
    }),
    geolocationEnabled: t.exposeBoolean('geolocationEnabled', {
      nullable: true,
      description: 'Whether its device lets it be located, as it last reported it (PRV-04). Null until it has.',
    }),
    digitalInput: t.exposeBoolean('digitalInput', {
      nullable: true,
      description: 'The state of its digital input, as the device last reported it (GW-06). Null until it has.',
    }),
    digitalInputPolicy: t.expose('digitalInputPolicy', {
      type: DigitalInputPolicyEnum,
      nullable: true,
      description: 'What its digital input means for remote access. Null until the device has reported it.',
    }),
    remoteAccessForbidden: t.boolean({
      description:
        'Whether the switch on its digital input forbids remote access (GW-07): then it stays offline, and is not woken.',
      select: { digitalInput: true, digitalInputPolicy: true },
      resolve: forbidsRemoteAccess,
    }),
    onlineSince: t.expose('onlineSince', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last came online; null while offline.',
    }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last heard, to within half a minute.',
    }),
    registeredAt: t.expose('registeredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its present device registered.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When its record was created.' }),
    pools: t.field({
      type: [PoolType],
      description: 'The pools it is in, as far as the viewer may see them; at least one (POOL-03).',
      select: { id: true },
      resolve: ({ id }, _args, ctx) => ctx.loaders.get(poolsOfEwonLoader, ctx).load(id),
    }),
    connectedUsers: t.field({
      type: [ConnectedUserType],
      description: 'Who is connected to it now, longest first (EWN-21).',
      select: { id: true },
      resolve: ({ id }, _args, ctx) => ctx.loaders.get(connectedUsersLoader, ctx).load(id),
    }),
    viewerCan: t.field({
      type: [EwonActionEnum],
      description: 'What the viewer may do with it; the operations ask the same rules.',
      select: facts,
      resolve: (ewon, _args, { actor }) =>
        actor ? ewonActions(actor, { ...ewon, poolIds: ewon.pools.map(({ poolId }) => poolId) }) : [],
    }),
  }),
});

const EwonBy = builder.inputType('EwonBy', {
  description: 'Exactly one way to name an Ewon.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Its id.' }),
    name: t.string({ description: 'Its name, without regard to case.', validate: z.string().max(64) }),
    serialNumber: t.field({ type: 'SerialNumber', description: 'The serial number of its device.' }),
  }),
});

const ewonList = defineList({
  model: 'Ewon',
  things: 'Ewons',
  fields: {
    number: { description: 'The number in its reference, as 12 of DEV12 (EWN-04).' },
    name: { key: 'nameKey', description: 'The name (EWN-03).' },
    description: { description: 'The description (EWN-05).' },
    customField1: { column: 'custom1', description: 'The value of the first custom field (CF-04).' },
    customField2: { column: 'custom2', description: 'The value of the second custom field (CF-04).' },
    customField3: { column: 'custom3', description: 'The value of the third custom field (CF-04).' },
    registrationStatus: { enum: RegistrationStatusEnum, description: 'How far it is with its registration (EWN-08).' },
    serialNumber: { description: 'The serial number (EWN-07).' },
    model: { enum: EwonModelEnum, description: 'The device family (EWN-25).' },
    firmwareVersion: { description: 'The firmware version; the order is that of the text.' },
    firewallLevel: { enum: FirewallLevelEnum, description: 'The firewall level (LAN-06).' },
    connectionMode: { enum: ConnectionModeEnum, description: 'Whether it keeps its tunnel open (WAK-03).' },
    wanType: { enum: WanTypeEnum, description: 'How its device reaches the internet (GW-06).' },
    wanAddress: { description: 'Its address on the WAN side (GW-06).' },
    geolocationEnabled: { description: 'Whether its device lets it be located (PRV-04).' },
    digitalInput: { description: 'The state of its digital input (GW-06).' },
    digitalInputPolicy: {
      enum: DigitalInputPolicyEnum,
      description: 'What its digital input means for remote access (GW-07).',
    },
    onlineSince: { description: 'When it last came online; none while it is offline.' },
    lastSeenAt: { description: 'When it was last heard.' },
    registeredAt: { description: 'When its present device registered.' },
    createdAt: { description: 'When its record was created.' },
  },
  search: ['name', 'description', 'serialNumber', 'customField1', 'customField2', 'customField3'],
  extra: (t) => ({
    poolId: t.id({ description: 'Ewons of this pool (POOL-11); none where the viewer does not see it (LST-06).' }),
    status: t.field({
      type: [EwonStatusEnum],
      validate: z.array(z.any()).max(100, 'At most 100 values.'),
      description: 'The connection status: one of these (EWN-09).',
    }),
    online: t.boolean({ description: 'Only those that are online, or only those that are not.' }),
    located: t.boolean({
      description: 'Only those that appear on the map, or only those that do not (M2W-04, PRV-05).',
    }),
  }),
  where: ({ poolId, status, online, located }, ctx) => [
    ...(poolId
      ? [
          {
            pools: {
              some: { poolId: keysOf('Pool', [poolId])[0] as string, pool: poolsReadableBy(readingIn(ctx)) },
            },
          },
        ]
      : []),
    ...(status ? [oneOfWays(status.map((one) => whereStatus(one, ctx.clock.now())))] : []),
    ...(online == null ? [] : [{ gatewayId: online ? { not: null } : null }]),
    ...(located == null ? [] : [located ? LOCATED : NOT_LOCATED]),
  ],
  order: [['name', 'asc']],
});

builder.queryFields((t) => ({
  ewon: t.withAuth({ reads: true }).prismaField({
    type: 'Ewon',
    nullable: true,
    description:
      'One Ewon; null when there is none or the viewer may not see it (EWN-02). Also for API tokens (TOK-08).',
    args: { by: t.arg({ type: EwonBy, required: true }) },
    resolve: (query, _root, { by }, ctx) =>
      ctx.db.ewon.findFirst({
        ...query,
        where: {
          AND: [
            ewonsReadableBy(readingIn(ctx)),
            by.id != null
              ? { id: keysOf('Ewon', [by.id])[0] }
              : by.name != null
                ? { nameKey: nameKey(by.name) }
                : { serialNumber: by.serialNumber ?? '' },
          ],
        },
      }),
  }),
  ewons: t.withAuth({ reads: true }).connection(
    ewonList.shown({
      type: EwonType,
      description:
        'The Ewons that the viewer may see, by name unless ordered otherwise (EWN-01, EWN-02). Also for API tokens (TOK-08).',
      where: (ctx) => ewonsReadableBy(readingIn(ctx)),
    }),
    ...ewonList.connection(),
  ),
}));

const description = z.string().max(500, 'A description has at most 500 characters.').nullable();
const poolIds = z.array(z.string()).max(100, 'An Ewon is in at most 100 pools.').nullable();

const EwonPropertiesInput = builder.inputType('EwonPropertiesInput', {
  description: 'What people write about an Ewon (EWN-11). Absent keeps, null clears.',
  fields: (t) => ({
    name: t.string({ validate: objectName.nullable(), description: 'Unique in the account, 1–64 characters.' }),
    description: t.string({ validate: description, description: 'Free text, up to 500 characters.' }),
    customFields: t.field({
      type: t.listRef('String', { required: false }),
      validate: customFields,
      description: 'Up to three values of up to 255 characters, in the order of the fields.',
    }),
    poolIds: t.idList({
      validate: poolIds,
      description: 'All its pools, at least one; needs the right to administer each that is added or removed (EWN-20).',
    }),
    connectionMode: t.field({
      type: ConnectionModeEnum,
      description: 'Whether it is permanently connected, which null means too; ON_DEMAND needs a number (WAK-03).',
    }),
    wakeUpNumber: t.string({
      validate: z.string().max(50, 'A phone number has at most 50 characters.').nullable(),
      description: 'The number of its SIM card, with its country code; kept in the form of E.164 (WAK-03).',
    }),
  }),
});

/** @throws AppError VALIDATION_FAILED when the name is to be cleared, NOT_FOUND (pool) */
function properties(input: typeof EwonPropertiesInput.$inferInput | null | undefined): EwonProperties {
  const { name, description, customFields, poolIds, connectionMode, wakeUpNumber } = input ?? {};
  if (name === null) throw new AppError('VALIDATION_FAILED', 'An Ewon has a name.', ['properties', 'name']);
  return {
    name: name?.trim(),
    description,
    customFields: customFields === null ? [] : customFields?.map((value) => value ?? null),
    connectionMode: connectionMode === null ? 'PERMANENT' : connectionMode,
    wakeUpNumber,
    poolIds: poolIds === null ? [] : poolIds && [...new Set(poolIds.map((id) => keyOf('Pool', id)))],
  };
}

/** `<Verb>EwonSuccess` with the Ewon as it is afterwards. */
const ewonSuccess = (name: string, text: string) =>
  builder.objectRef<{ ewonId: string }>(name).implement({
    description: text,
    fields: (t) => ({
      ewon: t.prismaField({
        type: 'Ewon',
        description: 'The Ewon as it is now.',
        resolve: (query, { ewonId }, _args, { db }) => db.ewon.findUniqueOrThrow({ ...query, where: { id: ewonId } }),
      }),
    }),
  });

const ActivationKeyFields = (name: string, text: string) =>
  builder.objectRef<{ ewonId: string; activationKey: string }>(name).implement({
    description: text,
    fields: (t) => ({
      ewon: t.prismaField({
        type: 'Ewon',
        description: 'The record that waits for its device.',
        resolve: (query, { ewonId }, _args, { db }) => db.ewon.findUniqueOrThrow({ ...query, where: { id: ewonId } }),
      }),
      activationKey: t.exposeString('activationKey', {
        description: 'For the device, once: 20 characters, shown only now, good until used or renewed (EWN-14).',
      }),
    }),
  });

const CreateEwonInput = builder.inputType('CreateEwonInput', {
  description: 'The record of an Ewon whose device joins later (EWN-14).',
  fields: (t) => ({
    name: t.string({ required: true, validate: objectName, description: 'Unique in the account, 1–64 characters.' }),
    properties: t.field({
      type: EwonPropertiesInput,
      description: 'The rest; without pools it goes to the default pool.',
    }),
  }),
});
const RenewActivationKeyInput = builder.inputType('RenewActivationKeyInput', {
  description: 'A record without a device.',
  fields: (t) => ({ ewonId: t.id({ required: true, description: 'The record.' }) }),
});
const ApproveEwonInput = builder.inputType('ApproveEwonInput', {
  description:
    'How a waiting Ewon is taken into the account: as a new one with `properties`, or in the place of `replace`.',
  fields: (t) => ({
    ewonId: t.id({ required: true, description: 'The Ewon that waits for approval.' }),
    properties: t.field({ type: EwonPropertiesInput, description: 'For a new one (GRK-18).' }),
    replace: t.id({
      description:
        'An existing Ewon that is not in use, whose place it takes with all its properties (GRK-19); `properties` must then be absent.',
    }),
  }),
  validate: z
    .looseObject({ properties: z.any().optional(), replace: z.any().optional() })
    .refine(({ properties: given, replace }) => !(given && replace), {
      message: 'Give properties or replace, not both.',
      path: ['replace'],
    }) as never,
});
const RejectEwonInput = builder.inputType('RejectEwonInput', {
  description: 'The Ewon to turn away.',
  fields: (t) => ({ ewonId: t.id({ required: true, description: 'The Ewon that waits for approval.' }) }),
});
const UpdateEwonInput = builder.inputType('UpdateEwonInput', {
  description: 'The Ewon and what changes.',
  fields: (t) => ({
    ewonId: t.id({ required: true, description: 'The Ewon.' }),
    properties: t.field({ type: EwonPropertiesInput, required: true, description: 'Absent keeps, null clears.' }),
  }),
});
const RemoveEwonInput = builder.inputType('RemoveEwonInput', {
  description: 'The Ewon to remove from the account.',
  fields: (t) => ({
    ewonId: t.id({ required: true, description: 'The Ewon.' }),
    confirm: t.boolean({
      required: true,
      defaultValue: false,
      description: 'It cannot be undone: without `true` nothing happens (EWN-19).',
    }),
  }),
});

const RemovedEwon = (name: string, text: string) =>
  builder.objectRef<{ ewonId: string }>(name).implement({
    description: text,
    fields: (t) => ({ ewonId: t.exposeID('ewonId', { description: 'The id that it had.' }) }),
  });

const CreateEwonSuccess = ActivationKeyFields('CreateEwonSuccess', 'The record was created.');
const RenewActivationKeySuccess = ActivationKeyFields('RenewActivationKeySuccess', 'The key before it is void.');
const ApproveEwonSuccess = ewonSuccess(
  'ApproveEwonSuccess',
  'The Ewon is a full member of the account. For a replacement it is the replaced record, with its new device.',
);
const UpdateEwonSuccess = ewonSuccess('UpdateEwonSuccess', 'The Ewon was changed.');
const RejectEwonSuccess = RemovedEwon('RejectEwonSuccess', 'The waiting Ewon is gone, and its credentials are void.');
const RemoveEwonSuccess = RemovedEwon(
  'RemoveEwonSuccess',
  'The Ewon is gone: its tunnel and sessions are closed, serial number and address are free.',
);

builder.mutationFields((t) => ({
  createEwon: t.withAuth({ loggedIn: true }).field({
    type: CreateEwonSuccess,
    errors: {},
    description:
      'Creates the record of an Ewon before its device registers (EWN-14). Needs the right to administer its pools. Errors: FORBIDDEN, NOT_FOUND, EWON_NAME_IN_USE, EWON_NEEDS_A_POOL, PLAN_FEATURE_NOT_AVAILABLE.',
    args: { input: t.arg({ type: CreateEwonInput, required: true }) },
    resolve: (_root, { input }, ctx) => createEwon(ctx, { ...properties(input.properties), name: input.name.trim() }),
  }),
  renewActivationKey: t.withAuth({ loggedIn: true }).field({
    type: RenewActivationKeySuccess,
    errors: {},
    description: 'Makes a new activation key for a record without a device (EWN-14). Errors: NOT_FOUND, FORBIDDEN.',
    args: { input: t.arg({ type: RenewActivationKeyInput, required: true }) },
    resolve: (_root, { input }, ctx) => renewActivationKey(ctx, keyOf('Ewon', input.ewonId)),
  }),
  approveEwon: t.withAuth({ loggedIn: true }).field({
    type: ApproveEwonSuccess,
    errors: {},
    description:
      'Approves an Ewon that arrived by registration key, as a new one or as a replacement (GRK-16 to GRK-22). Errors: NOT_FOUND, FORBIDDEN, EWON_NAME_IN_USE, EWON_NEEDS_A_POOL, EWON_IN_USE.',
    args: { input: t.arg({ type: ApproveEwonInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const id = keyOf('Ewon', input.ewonId);
      return {
        ewonId: await (input.replace
          ? replaceEwon(ctx, id, keyOf('Ewon', input.replace))
          : approveEwon(ctx, id, properties(input.properties))),
      };
    },
  }),
  rejectEwon: t.withAuth({ loggedIn: true }).field({
    type: RejectEwonSuccess,
    errors: {},
    description: 'Turns away an Ewon that waits for approval (GRK-23). Errors: NOT_FOUND, FORBIDDEN.',
    args: { input: t.arg({ type: RejectEwonInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await rejectEwon(ctx, keyOf('Ewon', input.ewonId));
      return { ewonId: input.ewonId };
    },
  }),
  updateEwon: t.withAuth({ loggedIn: true }).field({
    type: UpdateEwonSuccess,
    errors: {},
    description:
      'Edits what people write about an Ewon (EWN-11, EWN-12). Errors: NOT_FOUND, FORBIDDEN, EWON_NAME_IN_USE, EWON_NEEDS_A_POOL.',
    args: { input: t.arg({ type: UpdateEwonInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({
      ewonId: await updateEwon(ctx, keyOf('Ewon', input.ewonId), properties(input.properties)),
    }),
  }),
  removeEwon: t.withAuth({ loggedIn: true }).field({
    type: RemoveEwonSuccess,
    errors: { types: [ConfirmationRequiredError] },
    description:
      'Removes an Ewon from the account (EWN-19): sessions and tunnel are closed, serial number and VPN address are free, the certificate is void. Errors: NOT_FOUND, FORBIDDEN, CONFIRMATION_REQUIRED.',
    args: { input: t.arg({ type: RemoveEwonInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await removeEwon(ctx, keyOf('Ewon', input.ewonId), input.confirm);
      return { ewonId: input.ewonId };
    },
  }),
}));

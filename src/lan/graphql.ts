import { z } from 'zod';
import { AppError } from '../errors.ts';
import { EwonType } from '../ewons/graphql.ts';
import type { LanProtocol } from '../generated/prisma/enums.ts';
import { builder } from '../graphql/builder.ts';
import { FirewallLevelEnum } from '../graphql/enums.ts';
import { keyOf, keysOf } from '../graphql/global-id.ts';
import { objectName } from '../graphql/names.ts';
import { whereReadable } from '../graphql/visible.ts';
import { type Reachability, reachability } from './reachability.ts';
import { lanDevicesVisibleTo, type Verdict } from './rules.ts';
import {
  createEwonService,
  createLanDevice,
  deleteEwonService,
  deleteLanDevice,
  setFirewallLevel,
  updateEwonService,
  updateLanDevice,
} from './service.ts';

const LanProtocolEnum = builder.enumType('LanProtocol', {
  description: 'What is spoken at a port (LAN-04). To the firewall all but UDP are TCP.',
  values: {
    TCP: { description: 'Any protocol over TCP, such as Modbus.' },
    UDP: { description: 'Any protocol over UDP.' },
    HTTP: { description: 'A web page, for the portal.' },
    HTTPS: { description: 'A web page over TLS, for the portal.' },
    VNC: { description: 'A screen by VNC, for the portal.' },
    RDP: { description: 'A screen by RDP, for the portal.' },
  } satisfies Record<LanProtocol, object>,
});

const ReachabilityReasonEnum = builder.enumType('ReachabilityReason', {
  description: 'Why the firewall lets a target be reached, or not.',
  values: {
    ANY_LAN_ADDRESS: { description: 'Reachable: the level opens the whole LAN (LAN-07).' },
    ANY_SERVICE: { description: 'Reachable: the level opens every port of the Ewon itself.' },
    DECLARED_DEVICE: { description: 'Reachable: a LAN device is declared at the address (LAN-08).' },
    DECLARED_PORT: { description: 'Reachable: a LAN device is declared at address and port (LAN-09).' },
    DECLARED_SERVICE: { description: 'Reachable: a service of the Ewon is declared at the port (LAN-10).' },
    NOT_IN_LAN: { description: 'Not a host of the LAN of the Ewon, or the Ewon has not told its LAN yet.' },
    DEVICE_NOT_DECLARED: { description: 'No LAN device is declared at the address.' },
    PORT_NOT_DECLARED: { description: 'A LAN device is declared at the address, without this port.' },
    SERVICE_NOT_DECLARED: { description: 'No service of the Ewon is declared at the port.' },
  } satisfies Record<Verdict['reason'], object>,
});

const LanPortType = builder.prismaObject('LanPort', {
  description: 'A port of a LAN device (LAN-04).',
  fields: (t) => ({
    port: t.exposeInt('port', { description: '1–65535.' }),
    protocol: t.expose('protocol', { type: LanProtocolEnum, description: 'What is spoken there.' }),
  }),
});

const LanDeviceType = builder.prismaNode('LanDevice', {
  id: { field: 'id' },
  findUnique: whereReadable(lanDevicesVisibleTo),
  nullable: true,
  description: 'A machine behind an Ewon that the account has declared (LAN-01). Visible to whoever sees the Ewon.',
  fields: (t) => ({
    name: t.exposeString('name', { description: '1–64 characters; several may have the same.' }),
    description: t.exposeString('description', { nullable: true, description: 'Free text.' }),
    address: t.expose('address', { type: 'IPv4', description: 'Its address in the LAN of the Ewon (LAN-13).' }),
    ports: t.relation('ports', {
      type: LanPortType,
      description: 'Its declared ports, by number.',
      query: { orderBy: [{ port: 'asc' }, { protocol: 'asc' }] },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was declared.' }),
  }),
});

const EwonServiceType = builder.prismaNode('EwonService', {
  id: { field: 'id' },
  findUnique: whereReadable(lanDevicesVisibleTo),
  nullable: true,
  description:
    'A server of the Ewon itself, such as its web server on 80 (LAN-05). Visible to whoever sees the Ewon. Level ULTRA lets declared ones only be reached (LAN-10).',
  fields: (t) => ({
    name: t.exposeString('name', { description: '1–64 characters; several may have the same.' }),
    description: t.exposeString('description', { nullable: true, description: 'Free text.' }),
    port: t.exposeInt('port', { description: '1–65535; with the protocol unique to the Ewon (LAN-13).' }),
    protocol: t.expose('protocol', { type: LanProtocolEnum, description: 'What is spoken there.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was declared.' }),
  }),
});

builder.prismaObjectFields('Ewon', (t) => ({
  firewallLevel: t.expose('firewallLevel', {
    type: FirewallLevelEnum,
    description: 'What connected users reach behind it; STANDARD at first (LAN-12).',
  }),
  lanDevices: t.relation('lanDevices', {
    description: 'The declared machines behind it, by name (LAN-01); at most 200 unless configured otherwise.',
    query: { orderBy: [{ name: 'asc' }, { id: 'asc' }] },
  }),
  services: t.relation('services', {
    description: 'Its declared own servers, by name (LAN-05); at most 50 unless configured otherwise.',
    query: { orderBy: [{ name: 'asc' }, { id: 'asc' }] },
  }),
}));

const ReachabilityType = builder.objectRef<Reachability>('Reachability').implement({
  description: 'What the firewall of an Ewon says of a target. Whether something answers there is another matter.',
  fields: (t) => ({
    reachable: t.exposeBoolean('reachable', { description: 'Whether a connected user reaches it.' }),
    level: t.field({
      type: FirewallLevelEnum,
      description: 'The level in force, which decided.',
      resolve: ({ level }) => level,
    }),
    rule: t.exposeString('rule', { description: 'The domain rule of that level, as `LAN-08`.' }),
    reason: t.field({
      type: ReachabilityReasonEnum,
      description: 'What decided within it.',
      resolve: ({ reason }) => reason,
    }),
    lanDevice: t.prismaField({
      type: LanDeviceType,
      nullable: true,
      description: 'The LAN device that is declared at the address, one with the port if there is; null when none is.',
      resolve: (query, { lanDevice }, _args, { db }) =>
        lanDevice && db.lanDevice.findUnique({ ...query, where: { id: lanDevice.id } }),
    }),
    service: t.prismaField({
      type: EwonServiceType,
      nullable: true,
      description:
        'The service that is declared there; null when none is, and for addresses other than the Ewon’s own.',
      resolve: (query, { service }, _args, { db }) =>
        service && db.ewonService.findUnique({ ...query, where: { id: service.id } }),
    }),
  }),
});

const PORT_RANGE = 'A port is a whole number from 1 to 65535.';
const portNumber = z.int(PORT_RANGE).min(1, PORT_RANGE).max(65_535, PORT_RANGE);
const description = z.string().max(500, 'A description has at most 500 characters.').nullable();
const DESCRIPTION = 'Free text, up to 500 characters.';

const ReachabilityInput = builder.inputType('ReachabilityInput', {
  description: 'A target behind an Ewon.',
  fields: (t) => ({
    ewonId: t.id({ required: true, description: 'The Ewon.' }),
    address: t.field({ type: 'IPv4', required: true, description: 'The Ewon’s own, or one of its LAN.' }),
    port: t.int({ required: true, validate: portNumber, description: '1–65535.' }),
    protocol: t.field({
      type: LanProtocolEnum,
      required: true,
      defaultValue: 'TCP',
      description: 'What is to be spoken there.',
    }),
  }),
});

builder.queryField('reachability', (t) =>
  t.withAuth({ loggedIn: true }).field({
    type: ReachabilityType,
    nullable: true,
    description:
      'Whether the firewall lets a user who is connected to the Ewon reach a target, and why (LAN-15). For whoever may connect to it; null when there is no such Ewon for the viewer (EWN-02). Errors: FORBIDDEN, VALIDATION_FAILED.',
    args: { input: t.arg({ type: ReachabilityInput, required: true }) },
    resolve: (_root, { input: { ewonId, ...target } }, ctx) =>
      reachability(ctx, keysOf('Ewon', [ewonId])[0] ?? '', target),
  }),
);

const SetFirewallLevelInput = builder.inputType('SetFirewallLevelInput', {
  description: 'The level that is to be in force.',
  fields: (t) => ({
    ewonId: t.id({ required: true, description: 'The Ewon.' }),
    level: t.field({
      type: FirewallLevelEnum,
      required: true,
      description: 'On plan FREE: STANDARD or HIGH (LAN-12).',
    }),
  }),
});

const LanPortInput = builder.inputType('LanPortInput', {
  description: 'A port of a LAN device.',
  fields: (t) => ({
    port: t.int({ required: true, validate: portNumber, description: '1–65535.' }),
    protocol: t.field({ type: LanProtocolEnum, required: true, description: 'What is spoken there.' }),
  }),
});

const CreateLanDeviceInput = builder.inputType('CreateLanDeviceInput', {
  description: 'A machine behind an Ewon.',
  fields: (t) => ({
    ewonId: t.id({ required: true, description: 'The Ewon.' }),
    name: t.string({ required: true, validate: objectName, description: '1–64 characters.' }),
    description: t.string({ validate: description, description: DESCRIPTION }),
    address: t.field({
      type: 'IPv4',
      required: true,
      description: 'A host of the Ewon’s LAN and not the Ewon; any address while the LAN is not known (LAN-13).',
    }),
    ports: t.field({
      type: [LanPortInput],
      required: true,
      defaultValue: [],
      description:
        'With address and protocol each is unique to the Ewon (LAN-13); at most 50 unless configured otherwise.',
    }),
  }),
});

const UpdateLanDeviceInput = builder.inputType('UpdateLanDeviceInput', {
  description: 'Absent keeps, null clears.',
  fields: (t) => ({
    lanDeviceId: t.id({ required: true, description: 'The LAN device.' }),
    name: t.string({ validate: objectName.nullable(), description: '1–64 characters.' }),
    description: t.string({ validate: description, description: DESCRIPTION }),
    address: t.field({ type: 'IPv4', description: 'A host of the Ewon’s LAN and not the Ewon (LAN-13).' }),
    ports: t.field({ type: [LanPortInput], description: 'All its ports, in the place of those it has.' }),
  }),
});

const DeleteLanDeviceInput = builder.inputType('DeleteLanDeviceInput', {
  description: 'The LAN device to take off the list.',
  fields: (t) => ({ lanDeviceId: t.id({ required: true, description: 'The LAN device.' }) }),
});

const CreateEwonServiceInput = builder.inputType('CreateEwonServiceInput', {
  description: 'A server of the Ewon itself.',
  fields: (t) => ({
    ewonId: t.id({ required: true, description: 'The Ewon.' }),
    name: t.string({ required: true, validate: objectName, description: '1–64 characters.' }),
    description: t.string({ validate: description, description: DESCRIPTION }),
    port: t.int({
      required: true,
      validate: portNumber,
      description: '1–65535; with the protocol unique to the Ewon.',
    }),
    protocol: t.field({ type: LanProtocolEnum, required: true, description: 'What is spoken there.' }),
  }),
});

const UpdateEwonServiceInput = builder.inputType('UpdateEwonServiceInput', {
  description: 'Absent keeps, null clears.',
  fields: (t) => ({
    serviceId: t.id({ required: true, description: 'The service.' }),
    name: t.string({ validate: objectName.nullable(), description: '1–64 characters.' }),
    description: t.string({ validate: description, description: DESCRIPTION }),
    port: t.int({ validate: portNumber.nullable(), description: '1–65535; with the protocol unique to the Ewon.' }),
    protocol: t.field({ type: LanProtocolEnum, description: 'What is spoken there.' }),
  }),
});

const DeleteEwonServiceInput = builder.inputType('DeleteEwonServiceInput', {
  description: 'The service to take off the list.',
  fields: (t) => ({ serviceId: t.id({ required: true, description: 'The service.' }) }),
});

const SetFirewallLevelSuccess = builder.objectRef<{ ewonId: string }>('SetFirewallLevelSuccess').implement({
  description: 'The level is in force, for what is open already too (LAN-16).',
  fields: (t) => ({
    ewon: t.prismaField({
      type: EwonType,
      description: 'The Ewon as it is now.',
      resolve: (query, { ewonId }, _args, { db }) => db.ewon.findUniqueOrThrow({ ...query, where: { id: ewonId } }),
    }),
  }),
});

/** `<Verb>LanDeviceSuccess` with the device as it is afterwards. */
const lanDeviceSuccess = (name: string, text: string) =>
  builder.objectRef<{ id: string }>(name).implement({
    description: text,
    fields: (t) => ({
      lanDevice: t.prismaField({
        type: LanDeviceType,
        description: 'The LAN device as it is now.',
        resolve: (query, { id }, _args, { db }) => db.lanDevice.findUniqueOrThrow({ ...query, where: { id } }),
      }),
    }),
  });
const CreateLanDeviceSuccess = lanDeviceSuccess('CreateLanDeviceSuccess', 'The LAN device is declared.');
const UpdateLanDeviceSuccess = lanDeviceSuccess('UpdateLanDeviceSuccess', 'The LAN device was changed.');

/** `<Verb>EwonServiceSuccess` with the service as it is afterwards. */
const serviceSuccess = (name: string, text: string) =>
  builder.objectRef<{ id: string }>(name).implement({
    description: text,
    fields: (t) => ({
      service: t.prismaField({
        type: EwonServiceType,
        description: 'The service as it is now.',
        resolve: (query, { id }, _args, { db }) => db.ewonService.findUniqueOrThrow({ ...query, where: { id } }),
      }),
    }),
  });
const CreateEwonServiceSuccess = serviceSuccess('CreateEwonServiceSuccess', 'The service is declared.');
const UpdateEwonServiceSuccess = serviceSuccess('UpdateEwonServiceSuccess', 'The service was changed.');

const DeleteLanDeviceSuccess = builder.objectRef<{ id: string }>('DeleteLanDeviceSuccess').implement({
  description: 'The LAN device is declared no longer.',
  fields: (t) => ({ deletedLanDeviceId: t.exposeID('id', { description: 'The id that it had.' }) }),
});
const DeleteEwonServiceSuccess = builder.objectRef<{ id: string }>('DeleteEwonServiceSuccess').implement({
  description: 'The service is declared no longer.',
  fields: (t) => ({ deletedServiceId: t.exposeID('id', { description: 'The id that it had.' }) }),
});

/** What cannot be cleared, only changed. @throws AppError VALIDATION_FAILED */
function given<V>(value: V | null | undefined, field: string): V | undefined {
  if (value === null) throw new AppError('VALIDATION_FAILED', `It has a ${field}, which cannot be cleared.`, [field]);
  return value;
}

const RIGHT = 'Needs the right to modify the Ewon (LAN-14).';

builder.mutationFields((t) => ({
  setFirewallLevel: t.withAuth({ loggedIn: true }).field({
    type: SetFirewallLevelSuccess,
    errors: {},
    description: `Chooses what connected users reach behind an Ewon; at once, also for what is open already (LAN-02, LAN-16). ${RIGHT} Errors: NOT_FOUND, FORBIDDEN, FIREWALL_LEVEL_NOT_AVAILABLE.`,
    args: { input: t.arg({ type: SetFirewallLevelInput, required: true }) },
    resolve: async (_root, { input: { ewonId, level } }, ctx) => {
      const key = keyOf('Ewon', ewonId);
      await setFirewallLevel(ctx, key, level);
      return { ewonId: key };
    },
  }),
  createLanDevice: t.withAuth({ loggedIn: true }).field({
    type: CreateLanDeviceSuccess,
    errors: {},
    description: `Declares a machine behind an Ewon (LAN-01). ${RIGHT} Errors: NOT_FOUND, FORBIDDEN, IP_NOT_IN_LAN, LAN_PORT_IN_USE, LAN_LIMIT_REACHED.`,
    args: { input: t.arg({ type: CreateLanDeviceInput, required: true }) },
    resolve: async (_root, { input: { ewonId, name, ...device } }, ctx) => ({
      id: await createLanDevice(ctx, keyOf('Ewon', ewonId), { ...device, name: name.trim() }),
    }),
  }),
  updateLanDevice: t.withAuth({ loggedIn: true }).field({
    type: UpdateLanDeviceSuccess,
    errors: {},
    description: `Changes a declared LAN device. ${RIGHT} Errors: NOT_FOUND, FORBIDDEN, IP_NOT_IN_LAN, LAN_PORT_IN_USE, LAN_LIMIT_REACHED.`,
    args: { input: t.arg({ type: UpdateLanDeviceInput, required: true }) },
    resolve: async (_root, { input: { lanDeviceId, name, description, address, ports } }, ctx) => {
      const id = keyOf('LanDevice', lanDeviceId);
      await updateLanDevice(ctx, id, {
        name: given(name, 'name')?.trim(),
        description,
        address: given(address, 'address'),
        ports: ports === null ? [] : ports,
      });
      return { id };
    },
  }),
  deleteLanDevice: t.withAuth({ loggedIn: true }).field({
    type: DeleteLanDeviceSuccess,
    errors: {},
    description: `Takes a LAN device off the list; what the firewall let through for it alone ends (LAN-16). ${RIGHT} Errors: NOT_FOUND, FORBIDDEN.`,
    args: { input: t.arg({ type: DeleteLanDeviceInput, required: true }) },
    resolve: async (_root, { input: { lanDeviceId } }, ctx) => {
      await deleteLanDevice(ctx, keyOf('LanDevice', lanDeviceId));
      return { id: lanDeviceId };
    },
  }),
  createEwonService: t.withAuth({ loggedIn: true }).field({
    type: CreateEwonServiceSuccess,
    errors: {},
    description: `Declares a server of the Ewon itself (LAN-05). ${RIGHT} Errors: NOT_FOUND, FORBIDDEN, LAN_PORT_IN_USE, LAN_LIMIT_REACHED.`,
    args: { input: t.arg({ type: CreateEwonServiceInput, required: true }) },
    resolve: async (_root, { input: { ewonId, name, ...service } }, ctx) => ({
      id: await createEwonService(ctx, keyOf('Ewon', ewonId), { ...service, name: name.trim() }),
    }),
  }),
  updateEwonService: t.withAuth({ loggedIn: true }).field({
    type: UpdateEwonServiceSuccess,
    errors: {},
    description: `Changes a declared service. ${RIGHT} Errors: NOT_FOUND, FORBIDDEN, LAN_PORT_IN_USE.`,
    args: { input: t.arg({ type: UpdateEwonServiceInput, required: true }) },
    resolve: async (_root, { input: { serviceId, name, description, port, protocol } }, ctx) => {
      const id = keyOf('EwonService', serviceId);
      await updateEwonService(ctx, id, {
        name: given(name, 'name')?.trim(),
        description,
        port: given(port, 'port'),
        protocol: given(protocol, 'protocol'),
      });
      return { id };
    },
  }),
  deleteEwonService: t.withAuth({ loggedIn: true }).field({
    type: DeleteEwonServiceSuccess,
    errors: {},
    description: `Takes a service off the list; what the firewall let through for it alone ends (LAN-16). ${RIGHT} Errors: NOT_FOUND, FORBIDDEN.`,
    args: { input: t.arg({ type: DeleteEwonServiceInput, required: true }) },
    resolve: async (_root, { input: { serviceId } }, ctx) => {
      await deleteEwonService(ctx, keyOf('EwonService', serviceId));
      return { id: serviceId };
    },
  }),
}));

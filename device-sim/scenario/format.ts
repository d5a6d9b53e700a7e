import { z } from 'zod';
import { DeviceFacts } from '../../src/gateway/protocol.ts';
import { durationMs } from './time.ts';

/*
 * The form of a scenario file (SIM-03); docs/scenarios.md explains it. What refers to something by name says so in its
 * metadata, so that one walk over form and value finds every name that nothing has.
 */

/** What a name can refer to. */
export type Reference = 'device' | 'one device' | 'user' | 'one user' | 'group' | 'step';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'a name of small letters, digits and "-"');
const duration = z
  .union([z.string(), z.number()])
  .refine((text) => durationMs(text) !== undefined, 'a time such as 30s, 10m, 2h or 3d');
/** After the start, or `+10m` after the latest step that it follows. */
const moment = z
  .union([z.string(), z.number()])
  .refine((text) => durationMs(String(text).replace(/^\+/, '')) !== undefined, 'a time such as 10m, 2d or +10m');
const oneOrMore = <T extends z.ZodType<string>>(item: T) => z.union([item, z.array(item).min(1)]);
const to = (reference: Reference) => z.string().meta({ refersTo: reference });
const devices = oneOrMore(to('device'));
const device = to('one device');
const users = oneOrMore(to('user'));
const user = to('one user');
/** A code that the platform is to refuse with; without it, it is not to refuse. */
const refused = z
  .string()
  .regex(/^[A-Z][A-Z_]+$/, 'a code such as EWON_OFFLINE')
  .optional();
const address = z.ipv4('an IPv4 address such as 10.0.0.20');

const Target = z.strictObject({ address, port: z.int().min(1).max(65_535) });

/** What can be done in a step: one key each, with what belongs to it. */
const ACTIONS = {
  // ── Devices ────────────────────────────────────────────────────────────────────────────────────────────────────────
  register: devices,
  approve: devices,
  connect: z.union([devices, z.strictObject({ devices, refused })]),
  disconnect: devices,
  /** Half-open: silent, and the platform is not told. */
  vanish: devices,
  /** The connection itself ends. */
  'power-off': devices,
  flap: z.strictObject({ devices, times: z.int().min(1).max(1000) }),
  'slow-link': z.strictObject({
    devices,
    bytesPerSecond: z.int().min(1).optional(),
    latency: duration.optional(),
  }),
  'good-link': devices,
  'delay-keep-alives': z.strictObject({ devices, by: duration }),
  'skew-clock': z.strictObject({ devices, by: duration }),
  garbage: devices,
  firmware: z.strictObject({ devices, version: DeviceFacts.shape.firmwareVersion }),
  'digital-input': z.strictObject({ devices, on: z.boolean() }),
  'push-data': z.strictObject({
    devices,
    tag: z.string().min(1).max(64),
    values: z.array(z.number()).min(1).max(100),
    refused,
  }),
  'send-sms': z.strictObject({ devices, user, to: z.string(), text: z.string().min(1), refused }),
  'send-mail': z.strictObject({
    devices,
    user,
    to: z.string(),
    subject: z.string().min(1),
    text: z.string().min(1),
    refused,
  }),
  /** Data through an M2U link of the account (M2U-01). */
  m2u: z.strictObject({
    devices,
    link: z.string().min(1).max(32),
    payload: z.string().min(1),
    contentType: z.string().min(3).max(100).optional(),
    refused,
  }),
  /** The switch on the device itself (PRV-04). */
  geolocation: z.strictObject({ devices, on: z.boolean() }),
  /** What devices do when the platform asks them to update (PRV-08). */
  updates: z.strictObject({ devices, are: z.enum(['INSTALLED', 'REFUSED', 'IGNORED']) }),
  /** Somebody else enrols with the serial number of a device (GW-04). */
  impostor: z.strictObject({ of: device, refused: refused.unwrap() }),
  /** A device shows a certificate that is not, or no longer, its own. */
  'wrong-certificate': z.strictObject({ devices, kind: z.enum(['EXPIRED', 'FOREIGN']), refused: refused.unwrap() }),
  /** A new device takes the place of another in the account (GRK-19). */
  replace: z.strictObject({ device, by: device }),
  // ── Users ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  login: z.union([oneOrMore(to('user')), z.strictObject({ users, refused })]),
  logout: users,
  open: z.strictObject({ users, devices, refused }),
  /** Asks for a session and stands in the queue for a slot (WTL-02). */
  queue: z.strictObject({ users, devices, wait: duration }),
  /** Waits until those who stand in the queue hold their sessions, or were refused. */
  served: z.union([oneOrMore(to('user')), z.strictObject({ users, refused })]),
  traffic: z.strictObject({
    users,
    to: Target,
    bytes: z
      .int()
      .min(1)
      .max(2 ** 30)
      .default(1024),
    refused,
  }),
  close: users,
  /** With `answers: false` it is not waited for the device to connect. */
  'wake-up': z.strictObject({ user, devices, refused, answers: z.boolean().default(true) }),
  'send-offline': z.strictObject({ user, devices, refused }),
  // ── Administrator and platform ─────────────────────────────────────────────────────────────────────────────────────
  firewall: z.strictObject({ devices, level: z.enum(['STANDARD', 'HIGH', 'ENFORCED', 'ULTRA']) }),
  slots: z.int().min(1).max(1000),
  'm2u-link': z.strictObject({ name: z.string().min(1).max(32), url: z.url(), refused }),
  'grant-support': z.strictObject({ engineer: name, devices, days: z.int().min(1).max(30) }),
  'restart-gateway': z.enum(['ORDERLY', 'KILLED']),
} as const satisfies Record<string, z.ZodType>;

type ActionForms = typeof ACTIONS;
export type ActionName = keyof ActionForms;
/** What belongs to an action. */
export type ActionOf<Name extends ActionName> = z.infer<ActionForms[Name]>;

const optionalForms = Object.fromEntries(
  Object.entries(ACTIONS).map(([key, form]) => [key, (form as z.ZodType).optional()]),
) as { [Name in ActionName]: z.ZodOptional<ActionForms[Name]> };
const Action = z.strictObject(optionalForms);

/** How often: exactly, or `>= 3`, `<= 3`, `2..5`. */
const count = z.union([
  z.int().min(0),
  z.string().regex(/^(?:(?:>=|<=) ?\d+|\d+\.\.\d+)$/, 'a number, or one such as ">= 3", "<= 3" or "2..5"'),
]);
export type Count = z.infer<typeof count>;
const code = z.string().regex(/^[A-Z][A-Z_]+$/, 'a code such as EWON_ONLINE');

const Step = z.strictObject({
  name: name.optional(),
  at: moment.optional(),
  after: oneOrMore(to('step')).optional(),
  /** The actions race; what they cause is expected in numbers, not in an order. */
  together: z.boolean().default(false),
  do: z.array(Action).default([]),
  /** Events that are waited for before the next step, counted from the beginning of this one. */
  see: z.record(code, count).default({}),
  /** Of real time, for each action and for what is seen. */
  within: duration.default('30s'),
});
export type Step = z.infer<typeof Step>;

const LanDevice = z.strictObject({
  name: z.string().min(1).max(64),
  address,
  /** What answers at each port (SIM-08). */
  ports: z.record(
    z.string().regex(/^[1-9]\d{0,4}$/, 'a port from 1 to 65535'),
    z.enum(['modbus', 'http', 'echo', 'refuse', 'hang', 'stall', 'reset']),
  ),
  /** Whether the account knows it and these ports (LAN-13); the firewall decides by that. */
  declared: z.boolean().default(true),
});

const DeviceGroup = z.strictObject({
  /** Without it one device that has the name of the group; else `pump-1`, `pump-2`, … */
  count: z.int().min(1).max(10_000).optional(),
  model: DeviceFacts.shape.model.optional(),
  firmware: DeviceFacts.shape.firmwareVersion.optional(),
  wan: DeviceFacts.shape.wanType.optional(),
  digitalInput: z.boolean().default(false),
  digitalInputPolicy: DeviceFacts.shape.digitalInputPolicy.unwrap().default('IGNORE'),
  mode: z.enum(['PERMANENT', 'ON_DEMAND']).default('PERMANENT'),
  /** What is done before the first step. */
  start: z.enum(['NEW', 'REGISTERED', 'APPROVED', 'ONLINE']).default('ONLINE'),
  pools: z.array(z.string().min(1).max(100)).default([]),
  firewall: ACTIONS.firewall.shape.level.optional(),
  lan: z.array(LanDevice).default([]),
});
export type DeviceGroup = z.infer<typeof DeviceGroup>;

const Group = z.strictObject({
  /** In these pools; in the default pool without any. */
  pools: z.array(z.string().min(1).max(100)).default([]),
  rights: z.array(z.enum(['CONNECT_ECATCHER', 'CONNECT_M2WEB', 'MODIFY', 'ADMINISTER'])).default(['CONNECT_ECATCHER']),
  mailSender: z.boolean().default(false),
  smsSender: z.boolean().default(false),
});

const UserGroup = z.strictObject({
  count: z.int().min(1).max(5000).optional(),
  groups: z.array(to('group')).default([]),
  role: z.enum(['USER', 'ADMINISTRATOR']).default('USER'),
});

/** A scenario file. */
export const Scenario = z.strictObject({
  name,
  title: z.string().min(1).max(200),
  seed: z.string().min(1).max(64),
  /** Times of events are told as multiples of this; the work of one step must take less. */
  grain: duration.default('1m'),
  account: z
    .strictObject({
      plan: z.enum(['FREE', 'PRO']).default('PRO'),
      slots: z.int().min(1).max(1000).optional(),
    })
    .prefault({}),
  /** Variables of the configuration for a platform that the scenario starts itself. */
  platform: z
    .record(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'a variable of the configuration'), z.coerce.string())
    .default({}),
  groups: z.record(name, Group).default({}),
  users: z.record(name, UserGroup).default({}),
  devices: z.record(name, DeviceGroup),
  steps: z.array(Step).min(1),
  expect: z
    .strictObject({
      devices: z
        .strictObject({ online: count.optional(), offline: count.optional(), waiting: count.optional() })
        .default({}),
      sessions: z
        .strictObject({
          opened: count.optional(),
          refused: count.optional(),
          closed: count.optional(),
          open: count.optional(),
        })
        .default({}),
      /** Entries of the account's log since the first step. */
      events: z.record(code, count).default({}),
      /** Refusals that steps did not ask for; without a line here, one ends the run. */
      errors: z.record(code, count).default({}),
    })
    .prefault({}),
});
export type Scenario = z.infer<typeof Scenario>;

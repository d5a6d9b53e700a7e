import { z } from 'zod';
import { CodedError } from '../../client/errors.ts';
import { DeviceFacts, EnrolmentProof } from '../../src/gateway/protocol.ts';
import type { Device } from '../device.ts';
import { tryToEnrolAs } from '../impostor.ts';

/** One thing that a running simulator can be told to do with a device (SIM-07). */
export interface ControlCommand {
  help: string;
  /** Its fields, for people. */
  fields: string;
  perform(device: Device, body: unknown): Promise<unknown>;
}

/** @throws CodedError `VALUE_INVALID` from `perform` when the body is not of the schema; what `act` throws */
function command<T extends z.ZodType>(
  help: string,
  schema: T,
  act: (device: Device, body: z.output<T>) => unknown,
): ControlCommand {
  return {
    help,
    fields: 'shape' in schema ? Object.keys(schema.shape as object).join(', ') : '',
    async perform(device, body) {
      const parsed = schema.safeParse(body ?? {});
      if (parsed.success) return (await act(device, parsed.data)) ?? null;
      const [issue] = parsed.error.issues;
      const where = issue === undefined || issue.path.length === 0 ? 'The body' : issue.path.join('.');
      throw new CodedError('VALUE_INVALID', `${where}: ${issue?.message ?? 'is not valid'}.`);
    },
  };
}

const nothing = z.strictObject({});
const text = (max: number) => z.string().min(1).max(max);
const milliseconds = (max: number) => z.number().int().min(0).max(max);
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
const CENTURY_MS = 100 * 365 * 24 * 60 * 60 * 1000;

const measurement = z.strictObject({
  tag: text(64),
  value: z.number(),
  at: z.iso.datetime().optional(),
  good: z.boolean().optional(),
});
const login = { username: text(100), password: text(200) };

export const CONTROL_COMMANDS: Record<string, ControlCommand> = {
  connect: command(
    'Opens its tunnel.',
    z.strictObject({ withinMs: milliseconds(WEEK_MS).default(10_000) }),
    (device, options) => device.connect(options),
  ),
  disconnect: command('Closes its tunnel in an orderly way.', nothing, (device) => device.disconnect()),
  vanish: command(
    'Falls silent and leaves its tunnel half-open; with destroy, the connection breaks.',
    z.strictObject({ destroy: z.boolean().default(false) }),
    (device, options) => device.vanish(options),
  ),
  wake: command('A wake-up SMS arrives.', nothing, (device) => device.wake()),
  'digital-input': command(
    'Switches the digital input, or sets what it means for remote access.',
    z.strictObject({ on: z.boolean().optional(), policy: DeviceFacts.shape.digitalInputPolicy.unwrap().optional() }),
    (device, { on, policy }) =>
      device.report({
        ...(on !== undefined && { digitalInput: on }),
        ...(policy !== undefined && { digitalInputPolicy: policy }),
      }),
  ),
  firmware: command(
    'Updates its firmware: it goes down and comes back.',
    z.strictObject({ version: text(20) }),
    (device, { version }) => device.updateFirmware(version),
  ),
  data: command(
    'Pushes values of the data history; without "at", of now.',
    z.strictObject({ points: z.array(measurement).min(1).max(1000) }),
    (device, { points }) =>
      device.pushData(
        points.map(({ tag, value, at, good }) => ({
          tag,
          value,
          ...(at !== undefined && { at }),
          ...(good !== undefined && { good }),
        })),
      ),
  ),
  mail: command(
    'Sends a mail under the login of a user.',
    z.strictObject({ ...login, to: text(254), subject: z.string().max(200), text: z.string().max(8000) }),
    (device, mail) => device.sendMail(mail),
  ),
  sms: command(
    'Sends a text message under the login of a user.',
    z.strictObject({ ...login, to: text(32), text: text(480) }),
    (device, sms) => device.sendSms(sms),
  ),
  m2u: command(
    'Has the platform relay a text to the server of an M2U link; the result is what the platform says besides.',
    z.strictObject({
      link: text(32),
      payload: z.string().max(1024 * 1024),
      contentType: text(100).default('text/plain; charset=utf-8'),
    }),
    (device, { link, payload, contentType }) => device.relay(link, payload, { contentType }),
  ),
  geolocation: command(
    'Lets the device be located, or no longer.',
    z.strictObject({ on: z.boolean() }),
    (device, { on }) => device.report({ geolocationEnabled: on }),
  ),
  garbage: command('Sends what is no message.', nothing, (device) => device.sendGarbage()),
  faults: command(
    'Sets faults; what is absent stays, null ends a slow link.',
    z.strictObject({
      keepAliveDelayMs: milliseconds(WEEK_MS).optional(),
      link: z
        .strictObject({
          bytesPerSecond: z.number().int().min(1).max(1e10).optional(),
          latencyMs: milliseconds(60_000).optional(),
        })
        .nullable()
        .optional(),
      clockSkewMs: z.number().int().min(-CENTURY_MS).max(CENTURY_MS).optional(),
      updates: z.enum(['INSTALLED', 'REFUSED', 'IGNORED']).optional(),
    }),
    (device, { keepAliveDelayMs, link, clockSkewMs, updates }) => {
      device.setFaults({
        ...(keepAliveDelayMs !== undefined && { keepAliveDelayMs }),
        ...(link !== undefined && {
          link: link && {
            ...(link.bytesPerSecond !== undefined && { bytesPerSecond: link.bytesPerSecond }),
            ...(link.latencyMs !== undefined && { latencyMs: link.latencyMs }),
          },
        }),
        ...(clockSkewMs !== undefined && { clockSkewMs }),
        ...(updates !== undefined && { updates }),
      });
      return device.faults;
    },
  ),
  register: command(
    'Writes a holding register of a machine of its LAN, or without value reads it.',
    z.strictObject({
      address: z.ipv4().default('10.0.0.20'),
      register: z.number().int().min(0).max(65_535),
      value: z.number().int().min(0).max(65_535).optional(),
    }),
    ({ lan }, { address, register, value }) => {
      const plc = lan.plc(address);
      if (value !== undefined) plc.setRegister(register, value);
      return { address, register, value: plc.register(register) };
    },
  ),
  renew: command('Renews its certificate over the tunnel.', nothing, (device) => device.renewCertificate()),
  certificate: command(
    'Tries a certificate that must be refused; the result is the reason.',
    z.strictObject({ kind: z.enum(['EXPIRED', 'FOREIGN']) }),
    (device, { kind }) => device.tryConnectWith(kind),
  ),
  impostor: command(
    'A stranger tries to register under its serial number; the result is the code of the refusal.',
    z.strictObject({ proof: EnrolmentProof }),
    ({ serialNumber, deviceUrl, authority }, { proof }) => {
      if (deviceUrl === undefined) throw new CodedError('NO_PLATFORM', 'The device was told of no platform.');
      return tryToEnrolAs(serialNumber, { deviceUrl, proof, ...(authority !== undefined && { authority }) });
    },
  ),
};

import { z } from 'zod';

/*
 * What devices and the gateway say to each other. docs/protocol.md tells it in prose, a section a message; the two change
 * together. This file imports nothing of the platform, so that the simulator can share it, as a real device would share
 * the document.
 */

/** The version of enrolment and tunnel; it is part of the WebSocket subprotocol. */
export const PROTOCOL_VERSION = 1;
export const TUNNEL_SUBPROTOCOL = 'talkgate.tunnel.v1';
export const SESSION_SUBPROTOCOL = 'talkgate.session.v1';
/** Of both halves of a stream: the client's at the device port, the device's at the tunnel port. */
export const STREAM_SUBPROTOCOL = 'talkgate.stream.v1';
export const CONNECT_PATH = '/connect';
export const STREAM_PATH = '/stream';
export const TUNNEL_PATH = '/tunnel';
export const ENROL_PATH = '/enrol';
export const AUTHORITY_PATH = '/ca.pem';

/** Bytes. A certificate signing request with an RSA key of 4096 bits takes about 2 KiB. */
export const MAX_ENROLMENT_BYTES = 16 * 1024;
export const MAX_MESSAGE_BYTES = 16 * 1024;
/** Bytes of one binary frame of a stream; longer data goes in several. */
export const MAX_STREAM_FRAME_BYTES = 64 * 1024;
/** The one text frame of a stream: its sender sends no more data, and goes on receiving (TUN-01). */
export const STREAM_END = 'end';
/** Bytes of an `m2u` message with a payload of so many bytes: base64, and what stands around it. */
export const m2uMessageBytes = (payloadBytes: number): number => 4 * Math.ceil(payloadBytes / 3) + 1024;
/** Values of one `data` message. */
const MAX_DATA_POINTS = 100;

/** EWN-17 */
const serialNumber = z.string().regex(/^[A-Z]?\d{4}-\d{4}-\d{2}$/, 'must look like 2307-0101-25');
/** EWN-18 */
const firmwareVersion = z.string().regex(/^\d{1,3}\.\d{1,3}s\d{1,3}$/, 'must look like 11.1s0');
const signingRequest = z.string().max(8192);
/** Unicode without the zero character and lone surrogates, which JSON can carry and a database cannot. */
const text = () => z.string().regex(/^[^\0\p{Surrogate}]*$/u, 'must be text without zero characters');
/** The device's own address in its LAN with the prefix length, as `10.0.0.53/24` (GW-11). */
const lanAddress = z.cidrv4();

/** What a device tells of itself (GW-06). */
export const DeviceFacts = z.object({
  serialNumber,
  model: z.enum(['COSY', 'COSY_PLUS', 'FLEXY']),
  firmwareVersion,
  lanAddress,
  wanType: z.enum(['ETHERNET', 'WIFI', 'CELLULAR']),
  wanAddress: z.cidrv4().or(z.ipv4()),
  geolocationEnabled: z.boolean(),
  digitalInput: z.boolean(),
  /** GW-07: what the input means for remote access. */
  digitalInputPolicy: z.enum(['IGNORE', 'ON_ENABLES', 'ON_DISABLES']).default('IGNORE'),
  /** VPN-13: an attribute only; the tunnel itself is a WebSocket. */
  transport: z.enum(['TCP', 'UDP']).default('TCP'),
});
export type DeviceFacts = z.infer<typeof DeviceFacts>;

/** GW-07: whether the switch on the digital input forbids remote access. */
export const remoteAccessForbidden = ({
  digitalInput,
  digitalInputPolicy,
}: Pick<DeviceFacts, 'digitalInput' | 'digitalInputPolicy'>): boolean =>
  (digitalInputPolicy === 'ON_ENABLES' && !digitalInput) || (digitalInputPolicy === 'ON_DISABLES' && digitalInput);

/** Why a device could not open the TCP connection of a stream. */
export const DialFailure = z.enum([
  'LAN_DEVICE_REFUSED',
  'LAN_DEVICE_UNREACHABLE',
  'LAN_DEVICE_TIMEOUT',
  'DEVICE_BUSY',
]);
export type DialFailure = z.infer<typeof DialFailure>;

/** One value of the data history (GW-14). */
const DataPoint = z.object({
  tag: text().trim().min(1).max(64),
  /** When it was measured, ISO 8601 in UTC. */
  at: z.iso.datetime(),
  value: z.number(),
  /** False when the device doubts the value. */
  good: z.boolean().default(true),
});
export type DataPoint = z.infer<typeof DataPoint>;

/** Names one message of the device in the answer to it. */
const messageId = z.string().min(1).max(64);
/** The login that a device sends mail and text messages under (GW-13). */
const sender = { username: text().min(1).max(100), password: z.string().min(1).max(200) };

/** How a device proves that an account wants it (GW-01): exactly one of the three ways. */
export const EnrolmentProof = z.union([
  /** GRK-10: the Global Registration Key. */
  z.strictObject({ registrationKey: z.string().min(1).max(100) }),
  /** EWN-15: the one-time key of a record made beforehand. */
  z.strictObject({ activationKey: z.string().min(1).max(100) }),
  /** GRK-07: by name, from the device's connection wizard. */
  z.strictObject({
    account: text().min(1).max(100),
    username: text().min(1).max(100),
    password: z.string().min(1).max(200),
    /** EWN-03 */
    ewonName: text().trim().min(1).max(64),
  }),
]);
export type EnrolmentProof = z.infer<typeof EnrolmentProof>;

/** Body of `POST /enrol`, device to gateway. */
export const EnrolmentRequest = z.object({
  protocol: z.number().int(),
  serialNumber,
  model: DeviceFacts.shape.model,
  firmwareVersion,
  /** PKCS#10 in PEM; its common name is the serial number (GW-03). */
  signingRequest,
  proof: EnrolmentProof,
  /** GRK-13: from the commissioning file; becomes the Ewon's description. */
  description: text().max(500).optional(),
  lanAddress: lanAddress.optional(),
});
export type EnrolmentRequest = z.input<typeof EnrolmentRequest>;

/** Answer 201 to `POST /enrol`. */
export interface EnrolmentResponse {
  registrationStatus: 'PENDING_APPROVAL' | 'ACTIVE';
  ewonName: string;
  /** PEM; valid until `certificateNotAfter` (ISO 8601). */
  certificate: string;
  certificateNotAfter: string;
  /** PEM of the authority that the tunnel port's certificate is of. */
  certificateAuthority: string;
  /** `wss://host:port/tunnel` */
  tunnelUrl: string;
}

/** Any other answer of the device port. */
export interface DevicePortError {
  code: string;
  message: string;
  /** Seconds; with TOO_MANY_REQUESTS. */
  retryAfter?: number;
}

/** Device to gateway. The first message is `hello`; everything else follows `waiting` or `welcome`. */
export const DeviceMessage = z.discriminatedUnion('type', [
  DeviceFacts.extend({ type: z.literal('hello') }),
  /** Every `keepAliveSeconds`; the gateway answers with its own (GW-08). */
  z.object({ type: z.literal('keepAlive') }),
  /** Facts that changed since `hello`, such as the digital input or the firmware. */
  DeviceFacts.omit({ serialNumber: true, transport: true })
    .extend({ digitalInputPolicy: DeviceFacts.shape.digitalInputPolicy.unwrap() })
    .partial()
    .extend({ type: z.literal('report') }),
  /** GW-03: a new certificate for the same serial number. */
  z.object({ type: z.literal('renewCertificate'), signingRequest }),
  /** The answer to a `dial` that failed; success is the stream itself. */
  z.object({
    type: z.literal('dialFailed'),
    streamId: z.uuid(),
    code: DialFailure,
    message: text().max(200).default(''),
  }),
  /** PRV-08: the device does not install the firmware that `updateFirmware` asked for; success is the firmware itself, in `hello` or `report`. */
  z.object({ type: z.literal('updateRefused'), campaignId: z.uuid(), message: text().max(200).default('') }),
  /** M2U-01: data for the server of a link of the account. The one message that may exceed {@link MAX_MESSAGE_BYTES}. */
  z.object({
    type: z.literal('m2u'),
    id: messageId,
    /** Its name, without regard to case (M2U-02). */
    link: text().trim().min(1).max(32),
    contentType: z
      .string()
      .max(100)
      .regex(/^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=[\w.+-]+)*$/, 'must look like application/json')
      .default('application/octet-stream'),
    /** Base64. */
    payload: z.base64(),
  }),
  /** GW-14: values for the DataMailbox. Sent again after a lost answer, they are stored once. */
  z.object({ type: z.literal('data'), id: messageId, points: z.array(DataPoint).min(1).max(MAX_DATA_POINTS) }),
  /** GW-13 */
  z.object({
    type: z.literal('sendMail'),
    id: messageId,
    ...sender,
    to: z.email().max(254),
    subject: text().max(200),
    text: text().max(8000),
  }),
  /** GW-13 */
  z.object({
    type: z.literal('sendSms'),
    id: messageId,
    ...sender,
    to: z.string().max(32),
    text: text().min(1).max(480),
  }),
]);
export type DeviceMessage = z.infer<typeof DeviceMessage>;
export type HelloMessage = Extract<DeviceMessage, { type: 'hello' }>;
/** A message that is answered by `accepted` or `refused`, with its `id`. */
export type DeviceRequest = Extract<DeviceMessage, { type: 'data' | 'sendMail' | 'sendSms' | 'm2u' }>;

/** Gateway to device. */
export type GatewayMessage =
  /** The Ewon waits for approval (GRK-16); `welcome` follows on the same tunnel once it is approved. */
  | { type: 'waiting'; ewonName: string; keepAliveSeconds: number; offlineAfterSeconds: number }
  /** The Ewon is online and holds its VPN address (VPN-09). */
  | {
      type: 'welcome';
      tunnelId: string;
      ewonName: string;
      vpnAddress: string;
      keepAliveSeconds: number;
      offlineAfterSeconds: number;
      certificateNotAfter: string;
    }
  | { type: 'keepAlive' }
  | { type: 'certificate'; certificate: string; certificateNotAfter: string }
  /** A message was refused; the tunnel goes on. `id` is the message's, where it had one. */
  | { type: 'refused'; of: string; id?: string; code: string; message: string }
  /** A `data`, `sendMail`, `sendSms` or `m2u` was taken, for good. `notice` is for whoever looks after the device. */
  | { type: 'accepted'; of: string; id: string; notice?: string }
  /** PRV-08: install this firmware and come back with it, within the time; a device that has it or a newer one reports it. */
  | { type: 'updateFirmware'; campaignId: string; firmwareVersion: string; withinSeconds: number }
  /** Decision 8: open a TCP connection to the address, then a stream at the tunnel port with the token, once, within the time. */
  | { type: 'dial'; streamId: string; token: string; address: string; port: number; withinSeconds: number };

/** Client to gateway, on the session tunnel of the device port. */
export const ClientMessage = z.discriminatedUnion('type', [
  /** Every `keepAliveSeconds`; the gateway answers with its own (CON-30). */
  z.object({ type: z.literal('keepAlive') }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

/** Gateway to client. */
export type SessionMessage =
  | {
      type: 'established';
      userVpnAddress: string | null;
      ewonVpnAddress: string | null;
      /** Opens streams at `STREAM_PATH` of the same port, as long as this tunnel is open. */
      streamToken: string;
      keepAliveSeconds: number;
      offlineAfterSeconds: number;
    }
  /** Bytes of the session on this gateway so far: from the client to the Ewon (`bytesIn`) and back (`bytesOut`). */
  | { type: 'keepAlive'; bytesIn: number; bytesOut: number };

/** Why a tunnel ends, and whether the device may come again by itself. */
export const CLOSE_CODES = {
  GOING_AWAY: { code: 1001, retry: true },
  SERVICE_RESTART: { code: 1012, retry: true },
  MESSAGE_INVALID: { code: 4400, retry: true },
  CERTIFICATE_INVALID: { code: 4401, retry: false },
  CERTIFICATE_REVOKED: { code: 4403, retry: false },
  UNSUPPORTED_PROTOCOL: { code: 4406, retry: false },
  KEEP_ALIVE_TIMEOUT: { code: 4408, retry: true },
  /** Another tunnel of the same device has taken over (GW-05). */
  REPLACED: { code: 4409, retry: false },
  /** The session has ended; the reason of the close frame is its close reason (CON-09). */
  SESSION_CLOSED: { code: 4410, retry: false },
  SERIAL_NUMBER_MISMATCH: { code: 4422, retry: false },
  /** The LAN overlaps a VPN range (VPN-11). */
  SUBNET_CONFLICT: { code: 4423, retry: false },
  /** WAK-04: the device goes offline until it is woken, or comes by itself. */
  SENT_OFFLINE: { code: 4424, retry: false },
  /** GW-07: the switch on the digital input forbids remote access. */
  REMOTE_ACCESS_DISABLED: { code: 4425, retry: false },
  TOO_MANY_MESSAGES: { code: 4429, retry: true },
  /** Of a stream: the firewall no longer allows it (LAN-16). */
  STREAM_FORBIDDEN: { code: 4430, retry: false },
  /** Of a stream: the connection to the LAN device, or to the client's program, broke. */
  CONNECTION_LOST: { code: 4431, retry: false },
  INTERNAL_ERROR: { code: 4500, retry: true },
  VPN_ADDRESS_EXHAUSTED: { code: 4503, retry: true },
} as const;
export type CloseReason = keyof typeof CLOSE_CODES;

/** The reason that a close code stands for; undefined for codes of WebSocket itself. */
export const closeReasonOf = (code: number): CloseReason | undefined =>
  (Object.keys(CLOSE_CODES) as CloseReason[]).find((reason) => CLOSE_CODES[reason].code === code);

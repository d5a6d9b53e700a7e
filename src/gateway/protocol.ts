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
export const CONNECT_PATH = '/connect';
export const TUNNEL_PATH = '/tunnel';
export const ENROL_PATH = '/enrol';
export const AUTHORITY_PATH = '/ca.pem';

/** Bytes. A certificate signing request with an RSA key of 4096 bits takes about 2 KiB. */
export const MAX_ENROLMENT_BYTES = 16 * 1024;
export const MAX_MESSAGE_BYTES = 16 * 1024;

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
  /** VPN-13: an attribute only; the tunnel itself is a WebSocket. */
  transport: z.enum(['TCP', 'UDP']).default('TCP'),
});
export type DeviceFacts = z.infer<typeof DeviceFacts>;

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
    .partial()
    .extend({ type: z.literal('report') }),
  /** GW-03: a new certificate for the same serial number. */
  z.object({ type: z.literal('renewCertificate'), signingRequest }),
]);
export type DeviceMessage = z.infer<typeof DeviceMessage>;
export type HelloMessage = Extract<DeviceMessage, { type: 'hello' }>;

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
  /** A message was refused; the tunnel goes on. */
  | { type: 'refused'; of: string; code: string; message: string };

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
      keepAliveSeconds: number;
      offlineAfterSeconds: number;
    }
  | { type: 'keepAlive' };

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
  TOO_MANY_MESSAGES: { code: 4429, retry: true },
  INTERNAL_ERROR: { code: 4500, retry: true },
  VPN_ADDRESS_EXHAUSTED: { code: 4503, retry: true },
} as const;
export type CloseReason = keyof typeof CLOSE_CODES;

/** The reason that a close code stands for; undefined for codes of WebSocket itself. */
export const closeReasonOf = (code: number): CloseReason | undefined =>
  (Object.keys(CLOSE_CODES) as CloseReason[]).find((reason) => CLOSE_CODES[reason].code === code);

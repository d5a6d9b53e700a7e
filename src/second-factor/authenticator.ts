import { Secret, TOTP } from 'otpauth';
import QRCode from 'qrcode';

/*
 * The authenticator app: RFC 6238 with SHA-1, 6 digits, steps of 30 seconds, one step of tolerance (TFA-40).
 */

const PERIOD_SECONDS = 30;
/** RFC 4226 recommends 160 bits. */
const SECRET_BYTES = 20;

const totp = (secret: string, label = ''): TOTP =>
  new TOTP({
    issuer: 'talkgate',
    label,
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD_SECONDS,
    secret: Secret.fromBase32(secret),
  });

/** What a user scans or types into his app; shown once. */
export interface AuthenticatorSecret {
  /** Base32 without padding. */
  secret: string;
  /** `otpauth://totp/…` */
  uri: string;
}

export function createAuthenticatorSecret(accountName: string, username: string): AuthenticatorSecret {
  const { base32 } = new Secret({ size: SECRET_BYTES });
  return { secret: base32, uri: totp(base32, `${accountName}:${username}`).toString() };
}

/** The URI as a QR code in SVG. */
export const qrCode = (uri: string): Promise<string> => QRCode.toString(uri, { type: 'svg', margin: 2 });

/** The time step of a right code, within one step of `now`; null for a wrong one. Whether the step was used is the caller's to check. */
export function acceptedStep(secret: string, code: string, now: Date): bigint | null {
  const delta = totp(secret).validate({ token: code, timestamp: now.getTime(), window: 1 });
  return delta === null ? null : BigInt(Math.floor(now.getTime() / 1000 / PERIOD_SECONDS) + delta);
}

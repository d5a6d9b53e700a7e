import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import forge from 'node-forge';

const { asn1 } = forge;
type Asn1 = ReturnType<typeof asn1.fromDer>;

/** An RSA 4096 request takes under 2 KiB; what is longer is not read at all. */
const MAX_REQUEST_CHARS = 8 * 1024;

const PEM =
  /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----\s*$/;

/** Signature algorithms of a request (RFC 8017, RFC 5758): the digest to verify with, the kind of key it goes with. */
const SIGNATURE_ALGORITHMS: Record<string, { digest: string; keyType: string } | undefined> = {
  '1.2.840.113549.1.1.11': { digest: 'sha256', keyType: 'rsa' },
  '1.2.840.10045.4.3.2': { digest: 'sha256', keyType: 'ec' },
  '1.2.840.10045.4.3.3': { digest: 'sha384', keyType: 'ec' },
};

const COMMON_NAME = '2.5.4.3';

export type SigningRequestProblem = 'MALFORMED' | 'BAD_SIGNATURE' | 'UNSUPPORTED_KEY';

/** Why a signing request, or the public key in it, is refused. The message may be shown to the device. */
export class SigningRequestError extends Error {
  override readonly name = 'SigningRequestError';
  readonly reason: SigningRequestProblem;

  constructor(reason: SigningRequestProblem, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface DevicePublicKey {
  publicKey: KeyObject;
  /** SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in its one canonical form: named curve, uncompressed point. */
  spkiDer: Buffer;
  /** SHA-256 of `spkiDer`, 64 lowercase hex digits. */
  publicKeyHash: string;
}

export interface SigningRequest extends DevicePublicKey {
  /** The only common name of the request, 1 to 64 characters, not compared with anything yet (GW-04 is the caller's). */
  commonName: string;
}

/**
 * Reads a PKCS #10 request (RFC 2986) of at most 8 KiB of PEM and verifies that its sender holds the private key (GW-03).
 * Nothing but the common name and the key is taken from it: extensions that it asks for are ignored.
 *
 * @throws {SigningRequestError} `MALFORMED`: not a request, too long, or without exactly one common name;
 * `UNSUPPORTED_KEY`: key or signature algorithm is none of RSA of 2048 to 4096 bits with SHA-256, EC P-256 or P-384 with
 * SHA-256 or SHA-384; `BAD_SIGNATURE`: changed after signing, or signed by another key.
 */
export function parseSigningRequest(pem: string): SigningRequest {
  const { info, subject, spki, algorithm, signature } = readStructure(pem);
  const key = readDevicePublicKey(toDer(spki));
  const signedWith = SIGNATURE_ALGORITHMS[algorithm];
  if (signedWith === undefined || signedWith.keyType !== key.publicKey.asymmetricKeyType) {
    throw new SigningRequestError('UNSUPPORTED_KEY', `Signature algorithm ${algorithm} is not supported for this key.`);
  }
  if (!verify(signedWith.digest, toDer(info), key.publicKey, signature)) {
    throw new SigningRequestError('BAD_SIGNATURE', 'The request is not signed by the private key of its public key.');
  }
  return { commonName: readCommonName(subject), ...key };
}

/**
 * Reads a SubjectPublicKeyInfo (DER) and brings it to its canonical form, so that one key has one hash.
 *
 * @throws {SigningRequestError} `UNSUPPORTED_KEY` unless it is RSA of 2048 to 4096 bits with a public exponent of 65537 to
 * 2^256 (NIST SP 800-56B), or EC on P-256 or P-384.
 */
export function readDevicePublicKey(spkiDer: Buffer): DevicePublicKey {
  let publicKey: KeyObject;
  try {
    const given = createPublicKey({ key: spkiDer, format: 'der', type: 'spki' });
    requireStrongKey(given);
    // Through JWK, because OpenSSL keeps compressed points and spelled-out curve parameters when it writes SPKI.
    publicKey = createPublicKey({ key: given.export({ format: 'jwk' }), format: 'jwk' });
  } catch (error) {
    if (error instanceof SigningRequestError) throw error;
    throw new SigningRequestError('UNSUPPORTED_KEY', 'The public key cannot be read.');
  }
  const canonical = publicKey.export({ format: 'der', type: 'spki' });
  return { publicKey, spkiDer: canonical, publicKeyHash: createHash('sha256').update(canonical).digest('hex') };
}

function requireStrongKey(key: KeyObject): void {
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength < 2048 || modulusLength > 4096) {
      throw new SigningRequestError('UNSUPPORTED_KEY', `An RSA key has 2048 to 4096 bits, not ${modulusLength}.`);
    }
    // A huge exponent would make each verification slow.
    if (publicExponent < 65537n || publicExponent >= 1n << 256n) {
      throw new SigningRequestError('UNSUPPORTED_KEY', 'The public exponent of the RSA key is out of range.');
    }
    return;
  }
  if (key.asymmetricKeyType === 'ec' && (namedCurve === 'prime256v1' || namedCurve === 'secp384r1')) return;
  throw new SigningRequestError('UNSUPPORTED_KEY', 'The key must be EC P-256, EC P-384 or RSA.');
}

/** The outer shape of RFC 2986, section 4. */
function readStructure(pem: string) {
  if (pem.length > MAX_REQUEST_CHARS) {
    throw new SigningRequestError('MALFORMED', `A signing request has at most ${MAX_REQUEST_CHARS} characters.`);
  }
  const base64 = PEM.exec(pem)?.[2];
  if (base64 === undefined) throw malformed('no PEM block "CERTIFICATE REQUEST"');
  const der = Buffer.from(base64, 'base64');
  try {
    const request = fromDer(der);
    // Parts are encoded again to be verified; that is sound only if encoding gives back the very bytes that were signed.
    if (!toDer(request).equals(der)) throw malformed('not in distinguished encoding');
    const [info, algorithm, signature] = parts(request, asn1.Type.SEQUENCE, 3) as [Asn1, Asn1, Asn1];
    const [version, subject, spki] = parts(info, asn1.Type.SEQUENCE, 4) as [Asn1, Asn1, Asn1, Asn1];
    if (primitive(version, asn1.Type.INTEGER) !== '\0') throw malformed('version is not 1');
    const bits = primitive(signature, asn1.Type.BITSTRING);
    if (bits[0] !== '\0') throw malformed('signature is not whole bytes');
    const [algorithmOid] = parts(algorithm, asn1.Type.SEQUENCE);
    return { info, subject, spki, algorithm: oid(algorithmOid), signature: Buffer.from(bits.slice(1), 'latin1') };
  } catch (error) {
    if (error instanceof SigningRequestError) throw error;
    throw malformed('not PKCS #10');
  }
}

function readCommonName(subject: Asn1): string {
  try {
    const attributes = parts(subject, asn1.Type.SEQUENCE)
      .flatMap((set) => parts(set, asn1.Type.SET))
      .map((attribute) => parts(attribute, asn1.Type.SEQUENCE, 2) as [Asn1, Asn1]);
    const values = attributes.filter(([type]) => oid(type) === COMMON_NAME).map(([, value]) => value);
    const [value] = values;
    if (value === undefined || values.length > 1) throw malformed('the subject needs exactly one common name');
    const name = text(value);
    if (!/^[^\p{C}]{1,64}$/u.test(name)) throw malformed('the common name has 1 to 64 printable characters');
    return name;
  } catch (error) {
    if (error instanceof SigningRequestError) throw error;
    throw malformed('the subject cannot be read');
  }
}

function text(node: Asn1): string {
  const types = [asn1.Type.UTF8, asn1.Type.PRINTABLESTRING, asn1.Type.IA5STRING];
  if (!types.includes(node.type)) throw malformed('the common name is of an unusual string type');
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(primitive(node, node.type), 'latin1'));
}

function parts(node: Asn1 | undefined, type: number, count?: number): Asn1[] {
  const isThat = node?.tagClass === asn1.Class.UNIVERSAL && node.type === type && Array.isArray(node.value);
  if (!isThat || (count !== undefined && node.value.length !== count)) throw malformed('not PKCS #10');
  return node.value as Asn1[];
}

function primitive(node: Asn1 | undefined, type: number): string {
  const isThat = node?.tagClass === asn1.Class.UNIVERSAL && node.type === type && typeof node.value === 'string';
  if (!isThat) throw malformed('not PKCS #10');
  return node.value as string;
}

function oid(node: Asn1 | undefined): string {
  return asn1.derToOid(primitive(node, asn1.Type.OID));
}

function fromDer(der: Buffer): Asn1 {
  // @types/node-forge knows only the older, boolean form of the options.
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false } as unknown as boolean;
  return asn1.fromDer(der.toString('latin1'), options);
}

function toDer(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}

function malformed(why: string): SigningRequestError {
  return new SigningRequestError('MALFORMED', `The signing request cannot be read: ${why}.`);
}

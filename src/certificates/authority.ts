import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
  X509Certificate,
} from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { domainToASCII } from 'node:url';
import forge from 'node-forge';
import { type Clock, systemClock } from '../clock.ts';
import { readDevicePublicKey } from './signing-request.ts';

const { asn1 } = forge;
type Asn1 = ReturnType<typeof asn1.fromDer>;
const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class;
const { SEQUENCE, SET, OID, INTEGER, BOOLEAN, UTF8, BITSTRING, OCTETSTRING, UTCTIME, GENERALIZEDTIME } = asn1.Type;

const DAY_MS = 24 * 60 * 60 * 1000;
/** The authority's own and server certificates begin this much earlier, for devices whose clock is behind. */
const BACKDATE_MS = 60 * 60 * 1000;
const MAX_DAYS = 36_500;

const OIDS = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};

/** Contents of the keyUsage bit string (RFC 5280, 4.2.1.3): the number of unused bits, then the bits. */
const DIGITAL_SIGNATURE = Buffer.of(7, 0b1000_0000);
const CERT_AND_CRL_SIGN = Buffer.of(1, 0b0000_0110);

export interface AuthorityOptions {
  /** The folder that holds `ca/`. `undefined` or `:memory:`: the authority lives and ends with this process. */
  dataDir: string | undefined;
  /** How long a new authority is valid, in days, over 0 and at most 36,500. An existing one is not changed. */
  caDays: number;
  /**
   * Dates the authority's own and the server's certificates. TLS judges certificates by the system's clock, the
   * default here: a virtual clock that runs ahead would make them "not yet valid".
   */
  clock?: Clock;
}

type DeviceCertificateRequest = ({ publicKeyPem: string } | { spkiDer: Buffer }) & {
  /** EWN-17, e.g. `2307-0101-25`; becomes the common name. That it is the caller's own (GW-04) is checked before. */
  serialNumber: string;
  notBefore: Date;
  /** Shortened to the end of the authority's own certificate. */
  notAfter: Date;
};

export interface DeviceCertificate {
  pem: string;
  /** SHA-256 of the certificate's DER, 64 lowercase hex digits (GW-12). */
  fingerprint: string;
  /** SHA-256 of the canonical SubjectPublicKeyInfo, 64 lowercase hex digits; also the subjectKeyIdentifier. */
  publicKeyHash: string;
  /** As the certificate has them: in whole seconds. */
  notBefore: Date;
  notAfter: Date;
  /** The certificate's own number (not the device's): 128 bits, 32 lowercase hex digits. */
  serialHex: string;
}

interface ServerCertificate {
  certPem: string;
  /** PKCS #8. Kept in memory only, by whoever asked. */
  keyPem: string;
}

/** The installation's certificate authority (GW-03): EC P-256, signing in Node's native crypto. */
export interface Authority {
  /** What devices and the tunnel port trust. */
  readonly certificatePem: string;

  /**
   * Certifies a device's key for TLS client authentication (GW-03, RFC 5280).
   *
   * @throws {SigningRequestError} `UNSUPPORTED_KEY` for a key that `readDevicePublicKey` refuses.
   * @throws {RangeError} for a serial number that is not 1 to 64 letters, digits and hyphens, or an empty period.
   */
  issueDeviceCertificate(request: DeviceCertificateRequest): DeviceCertificate;

  /**
   * Makes a key pair and certifies it for a TLS server reached by `hosts`: DNS names (also `*.example.com`) and IP
   * addresses. `days` is over 0 and at most 36,500; the certificate ends with the authority at the latest.
   *
   * @throws {RangeError} for no host, one that is neither name nor address, or `days` out of range.
   */
  issueServerCertificate(request: { hosts: string[]; days: number }): ServerCertificate;
}

/**
 * Opens the authority under `dataDir`, making it on the first start: `ca/ca-key.pem` (0600) and `ca/ca-cert.pem` in a folder
 * of mode 0700. Processes that start together end with the same one. A lost `ca-cert.pem` is made anew from the key;
 * certificates issued before stay valid under it.
 *
 * @throws {Error} with a message for the operator when others may read the key or change the folder, when the key is lost,
 * or when key and certificate are unreadable, expired or no pair.
 */
export async function openAuthority({ dataDir, caDays, clock = systemClock }: AuthorityOptions): Promise<Authority> {
  requireDays('caDays', caDays);
  if (dataDir === undefined || dataDir === ':memory:') {
    const key = createPrivateKey(newKeyPem());
    return authorityOf(key, new X509Certificate(selfSigned(key, caDays, clock.now())), clock);
  }

  const folder = join(dataDir, 'ca');
  const keyFile = join(folder, 'ca-key.pem');
  const certFile = join(folder, 'ca-cert.pem');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await refuseMode(folder, 0o022, 'can be changed by others', 'chmod 700');

  // The key is always put in place before the certificate, so whoever sees a certificate and then no key has lost the key.
  const presentCert = await readIfPresent(certFile);
  const presentKey = await readIfPresent(keyFile);
  if (presentCert !== undefined && presentKey === undefined) {
    throw new Error(
      `${keyFile} is missing beside ca-cert.pem. Restore it, or remove ca-cert.pem to found a new authority; every device then has to register again.`,
    );
  }
  const keyPem = presentKey ?? (await placeOnce(keyFile, newKeyPem(), 0o600));
  await refuseMode(keyFile, 0o077, 'can be read by others', 'chmod 600');
  const key = readKey(keyFile, keyPem);
  const certPem = presentCert ?? (await placeOnce(certFile, selfSigned(key, caDays, clock.now()), 0o644));
  return authorityOf(key, readAuthorityCertificate(certFile, certPem, key, clock.now()), clock);
}

/** SHA-256 of a certificate's DER as 64 lowercase hex digits: what GW-12 compares. */
export function certificateFingerprint(der: Buffer): string {
  return createHash('sha256').update(der).digest('hex');
}

function authorityOf(key: KeyObject, certificate: X509Certificate, clock: Clock): Authority {
  const { subject, keyIdentifier } = readIssuer(certificate);
  const end = new Date(certificate.validTo);

  const issue = (leaf: LeafCertificate): X509Certificate => {
    const notAfter = end < leaf.notAfter ? end : leaf.notAfter;
    // Negated, because of an invalid Date every comparison is false.
    if (!(wholeSeconds(leaf.notBefore) < wholeSeconds(notAfter))) {
      throw new RangeError(`A certificate cannot end before it begins; the authority's own ends ${end.toISOString()}.`);
    }
    return buildCertificate(key, subject, {
      ...leaf,
      notAfter,
      extensions: [
        extension(OIDS.basicConstraints, sequence(), true),
        extension(OIDS.keyUsage, primitive(BITSTRING, DIGITAL_SIGNATURE), true),
        extension(OIDS.extKeyUsage, sequence(oid(leaf.purpose))),
        extension(OIDS.subjectKeyIdentifier, primitive(OCTETSTRING, keyIdentifierOf(leaf.spkiDer))),
        extension(OIDS.authorityKeyIdentifier, sequence(tagged(0, keyIdentifier))),
        ...leaf.extensions,
      ],
    });
  };

  return {
    certificatePem: certificate.toString(),

    issueDeviceCertificate({ serialNumber, notBefore, notAfter, ...request }) {
      if (!/^[A-Za-z0-9-]{1,64}$/.test(serialNumber)) {
        throw new RangeError('A serial number has 1 to 64 letters, digits and hyphens.');
      }
      const { spkiDer, publicKeyHash } = readDevicePublicKey(
        'spkiDer' in request ? request.spkiDer : spkiOfPem(request.publicKeyPem),
      );
      const issued = issue({
        subject: distinguishedName('talkgate device', serialNumber),
        spkiDer,
        notBefore,
        notAfter,
        purpose: OIDS.clientAuth,
        extensions: [],
      });
      return {
        pem: issued.toString(),
        fingerprint: certificateFingerprint(issued.raw),
        publicKeyHash,
        notBefore: new Date(issued.validFrom),
        notAfter: new Date(issued.validTo),
        serialHex: issued.serialNumber.toLowerCase(),
      };
    },

    issueServerCertificate({ hosts, days }) {
      requireDays('days', days);
      if (hosts.length === 0) throw new RangeError('A server certificate needs at least one host.');
      const now = clock.now().getTime();
      const keyPem = newKeyPem();
      const issued = issue({
        subject: distinguishedName('talkgate', 'talkgate gateway'),
        spkiDer: spkiOfPem(keyPem),
        notBefore: new Date(now - BACKDATE_MS),
        notAfter: new Date(now + days * DAY_MS),
        purpose: OIDS.serverAuth,
        extensions: [extension(OIDS.subjectAltName, sequence(...[...new Set(hosts)].map(generalName)))],
      });
      return { certPem: issued.toString(), keyPem };
    },
  };
}

// ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Puts a complete file in place unless there is one already; returns what is in place afterwards. */
async function placeOnce(file: string, content: string, mode: number): Promise<string> {
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(draft, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file); // unlike rename, never replaces a file
    return content;
  } catch (error) {
    const winner = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readIfPresent(file) : undefined;
    if (winner === undefined) throw error;
    return winner;
  } finally {
    await rm(draft, { force: true });
  }
}

async function refuseMode(path: string, refused: number, problem: string, remedy: string): Promise<void> {
  if (process.platform === 'win32') return; // has no such modes
  const { mode } = await stat(path);
  if ((mode & refused) !== 0) {
    throw new Error(`${path} ${problem} (mode ${(mode & 0o777).toString(8)}). Run: ${remedy} ${path}`);
  }
}

function readKey(file: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Error(`${file} is not a private key in PEM.`);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error(`${file} is not an EC P-256 key.`);
  return key;
}

function readAuthorityCertificate(file: string, pem: string, key: KeyObject, now: Date): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new Error(`${file} is not a certificate in PEM.`);
  }
  if (!certificate.checkPrivateKey(key)) throw new Error(`${file} does not belong to the key ca-key.pem beside it.`);
  if (!certificate.ca) throw new Error(`${file} is not the certificate of an authority.`);
  if (new Date(certificate.validTo) <= now) {
    throw new Error(`${file} expired on ${certificate.validTo}. Remove it to have a new one made from the same key.`);
  }
  return certificate;
}

// ── Certificates (RFC 5280, section 4.1) ─────────────────────────────────────────────────────────────────────────────────

interface CertificateContents {
  subject: Asn1;
  spkiDer: Buffer;
  notBefore: Date;
  notAfter: Date;
  extensions: Asn1[];
}

interface LeafCertificate extends CertificateContents {
  /** OID of the one extended key usage. */
  purpose: string;
}

function selfSigned(key: KeyObject, days: number, now: Date): string {
  const spkiDer = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const keyIdentifier = keyIdentifierOf(spkiDer);
  // Named after its key: two installations are told apart, and a certificate made anew keeps the name.
  const subject = distinguishedName('talkgate', `talkgate authority ${keyIdentifier.toString('hex').slice(0, 16)}`);
  return buildCertificate(key, subject, {
    subject,
    spkiDer,
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + days * DAY_MS),
    extensions: [
      extension(OIDS.basicConstraints, sequence(primitive(BOOLEAN, Buffer.of(0xff)), integer(Buffer.of(0))), true),
      extension(OIDS.keyUsage, primitive(BITSTRING, CERT_AND_CRL_SIGN), true),
      extension(OIDS.subjectKeyIdentifier, primitive(OCTETSTRING, keyIdentifier)),
    ],
  }).toString();
}

function buildCertificate(issuerKey: KeyObject, issuer: Asn1, contents: CertificateContents): X509Certificate {
  const algorithm = sequence(oid(OIDS.ecdsaWithSha256));
  const tbs = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(randomSerial()),
    algorithm,
    issuer,
    sequence(time(contents.notBefore), time(contents.notAfter)),
    contents.subject,
    fromDer(contents.spkiDer),
    explicit(3, sequence(...contents.extensions)),
  );
  const signature = sign('sha256', toDer(tbs), issuerKey);
  return new X509Certificate(
    toDer(sequence(tbs, algorithm, primitive(BITSTRING, Buffer.concat([Buffer.of(0), signature])))),
  );
}

/** The issuer's name and key identifier as its own certificate has them; chains are built by comparing the bytes. */
function readIssuer(certificate: X509Certificate): { subject: Asn1; keyIdentifier: Buffer } {
  const tbs = (fromDer(certificate.raw).value as Asn1[])[0]?.value as Asn1[];
  const subject = tbs[5] as Asn1;
  const wrapped = tbs.find(({ tagClass, type }) => tagClass === CONTEXT_SPECIFIC && type === 3);
  const extensions = ((wrapped?.value as Asn1[] | undefined)?.[0]?.value ?? []) as Asn1[];
  const wanted = asn1.oidToDer(OIDS.subjectKeyIdentifier).getBytes();
  const found = extensions.map(({ value }) => value as Asn1[]).find(([id]) => id?.value === wanted);
  if (found === undefined) throw new Error('The certificate of the authority has no subjectKeyIdentifier.');
  const identifier = asn1.fromDer(found.at(-1)?.value as string).value as string;
  return { subject, keyIdentifier: Buffer.from(identifier, 'latin1') };
}

/** RFC 7093, section 2, method 4: the hash of the whole SubjectPublicKeyInfo. So it is `publicKeyHash`, easy to look up. */
function keyIdentifierOf(spkiDer: Buffer): Buffer {
  return createHash('sha256').update(spkiDer).digest();
}

/** 16 bytes of which the first is 0x40 to 0x7f: positive, without a leading zero, of one length (RFC 5280, 4.1.2.2). */
function randomSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

function newKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Of a public key, or of the public half of a private one. What is no key comes out empty and is refused as such. */
function spkiOfPem(pem: string): Buffer {
  try {
    return createPublicKey(pem).export({ format: 'der', type: 'spki' });
  } catch {
    return Buffer.of();
  }
}

function requireDays(name: string, days: number): void {
  if (!(days > 0 && days <= MAX_DAYS)) throw new RangeError(`${name} must be over 0 and at most ${MAX_DAYS}.`);
}

function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function distinguishedName(organization: string, commonName: string): Asn1 {
  const attribute = (type: string, value: string) =>
    asn1.create(UNIVERSAL, SET, true, [sequence(oid(type), primitive(UTF8, Buffer.from(value)))]);
  return sequence(attribute(OIDS.organization, organization), attribute(OIDS.commonName, commonName));
}

function extension(id: string, value: Asn1, critical = false): Asn1 {
  const flag = critical ? [primitive(BOOLEAN, Buffer.of(0xff))] : [];
  return sequence(oid(id), ...flag, primitive(OCTETSTRING, toDer(value)));
}

/** RFC 5280, 4.2.1.6. */
function generalName(host: string): Asn1 {
  const version = isIP(host);
  if (version === 4) return tagged(7, Buffer.from(host.split('.').map(Number)));
  if (version === 6) return tagged(7, ipv6Bytes(host));
  const name = domainToASCII(host.replace(/^\*\./, ''));
  if (!/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(name)) {
    throw new RangeError(`"${host}" is neither a host name nor an IP address.`);
  }
  return tagged(2, Buffer.from(host.startsWith('*.') ? `*.${name}` : name));
}

function ipv6Bytes(host: string): Buffer {
  if (host.includes('%')) throw new RangeError(`"${host}" has a zone, which no certificate can name.`);
  // URL writes every address, also ::ffff:10.0.0.1, as hex groups with at most one "::".
  const [head = '', tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** RFC 5280, 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
function time(date: Date): Asn1 {
  return date.getUTCFullYear() < 2050
    ? asn1.create(UNIVERSAL, UTCTIME, false, asn1.dateToUtcTime(date))
    : asn1.create(UNIVERSAL, GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date));
}

function sequence(...parts: Asn1[]): Asn1 {
  return asn1.create(UNIVERSAL, SEQUENCE, true, parts);
}

function primitive(type: number, content: Buffer): Asn1 {
  return asn1.create(UNIVERSAL, type, false, content.toString('latin1'));
}

function integer(content: Buffer): Asn1 {
  return primitive(INTEGER, content);
}

function tagged(tag: number, content: Buffer): Asn1 {
  return asn1.create(CONTEXT_SPECIFIC, tag, false, content.toString('latin1'));
}

function explicit(tag: number, content: Asn1): Asn1 {
  return asn1.create(CONTEXT_SPECIFIC, tag, true, [content]);
}

function oid(dotted: string): Asn1 {
  return asn1.create(UNIVERSAL, OID, false, asn1.oidToDer(dotted).getBytes());
}

function fromDer(der: Buffer): Asn1 {
  return asn1.fromDer(der.toString('latin1'));
}

function toDer(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}

import forge from 'node-forge';
import { readCertificate } from '../../client/device-port.ts';
import { CodedError } from '../../client/errors.ts';
import type { DeviceFacts } from '../../src/gateway/protocol.ts';
import { createDeviceKey } from '../certificates.ts';
import { Tunnel } from '../tunnel.ts';
import { Link } from './link.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** One for all tries: making it takes a while, and nothing hangs on it. */
let forgersKey: Promise<string> | undefined;

/** What a try needs of the device that makes it. */
interface Attempt {
  tunnelUrl: string;
  /** PEM of the authority that the gateway must be of. */
  authority: string;
  facts: DeviceFacts;
  timeoutMs: number;
}

/**
 * Tries to open a tunnel with a certificate that must be refused. `FOREIGN`: in date, of an authority that the platform does not
 * know. `EXPIRED`: over since yesterday, under the name of the platform's authority; only that could sign it, so its signature
 * is of a stand-in.
 *
 * @returns the reason of the refusal, such as `CERTIFICATE_REFUSED`
 * @throws CodedError `NOT_REFUSED`
 */
export async function tryCredentials(
  kind: 'EXPIRED' | 'FOREIGN',
  { tunnelUrl, authority, facts, timeoutMs }: Attempt,
): Promise<string> {
  forgersKey ??= createDeviceKey('rsa-2048');
  const key = await forgersKey;
  const issuer = kind === 'FOREIGN' ? [{ shortName: 'CN', value: 'Another authority' }] : nameOf(authority);
  const notAfter = Date.now() + (kind === 'EXPIRED' ? -DAY_MS : 90 * DAY_MS);
  const certificate = selfMade({ key, commonName: facts.serialNumber, issuer, notAfter });
  const tunnel = new Tunnel({
    url: tunnelUrl,
    key,
    certificate,
    authority,
    facts,
    link: new Link(),
    openTimeoutMs: timeoutMs,
    closeTimeoutMs: 1000,
  });
  return await new Promise((resolve, reject) => {
    tunnel.on('end', ({ reason }) => resolve(reason));
    tunnel.on('message', (message) => {
      if (message.type !== 'welcome' && message.type !== 'waiting') return;
      reject(new CodedError('NOT_REFUSED', `The gateway took a certificate that is ${kind.toLowerCase()}.`));
      tunnel.destroy();
    });
  });
}

interface Name {
  shortName: string;
  value: string;
}

/** The parts of the authority's name that a forged certificate repeats. */
function nameOf(pem: string): Name[] {
  const subject = Object.entries(readCertificate(pem)?.toLegacyObject().subject ?? {});
  return subject.flatMap(([shortName, value]) => (typeof value === 'string' ? [{ shortName, value }] : []));
}

function selfMade({
  key,
  commonName,
  issuer,
  notAfter,
}: {
  key: string;
  commonName: string;
  issuer: Name[];
  notAfter: number;
}): string {
  const privateKey = forge.pki.privateKeyFromPem(key);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(privateKey.n, privateKey.e);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(notAfter - 90 * DAY_MS);
  certificate.validity.notAfter = new Date(notAfter);
  certificate.setSubject([{ shortName: 'CN', value: commonName }]);
  certificate.setIssuer(issuer);
  certificate.setExtensions([{ name: 'extKeyUsage', clientAuth: true }]);
  certificate.sign(privateKey, forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDeviceKey, createSigningRequest, type DeviceKeyType } from '../../device-sim/certificates.ts';
import { type Authority, openAuthority } from './authority.ts';
import { parseSigningRequest } from './signing-request.ts';

const SERIAL = '2307-0101-25';
const DAY_MS = 24 * 60 * 60 * 1000;

const inMemory = () => openAuthority({ dataDir: undefined, caDays: 3650 });

/** A device that registers: its own key, a request, and the certificate made from it, from `from` to `to` days from now. */
async function enrol(authority: Authority, { type = 'ec-p256' as DeviceKeyType, from = -1, to = 90 } = {}) {
  const key = await createDeviceKey(type);
  const { spkiDer, commonName } = parseSigningRequest(createSigningRequest({ keyPem: key, commonName: SERIAL }));
  const issued = authority.issueDeviceCertificate({
    spkiDer,
    serialNumber: commonName,
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + to * DAY_MS),
  });
  return { key, issued, certificate: new X509Certificate(issued.pem) };
}

describe('a device certificate', () => {
  it.each<DeviceKeyType>(['ec-p256', 'rsa-2048'])('GW-03 certifies the %s key of a signing request', async (type) => {
    const authority = await inMemory();
    const ca = new X509Certificate(authority.certificatePem);
    const { certificate, key } = await enrol(authority, { type });
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.publicKey.equals(createPublicKey(key))).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.subject).toBe(`O=talkgate device\nCN=${SERIAL}`);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.subjectAltName).toBeUndefined();
  });

  it('GW-12 is described as it is: fingerprint, key, number, period in whole seconds', async () => {
    const authority = await inMemory();
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    const issued = authority.issueDeviceCertificate({
      publicKeyPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
      serialNumber: SERIAL,
      notBefore: new Date('2026-01-31T23:59:59.999Z'),
      notAfter: new Date('2026-05-01T23:59:59.999Z'),
    });
    const certificate = new X509Certificate(issued.pem);
    expect(issued.fingerprint).toBe(certificate.fingerprint256.replaceAll(':', '').toLowerCase());
    expect(issued.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(issued.publicKeyHash).toMatch(/^[0-9a-f]{64}$/);
    expect(issued.serialHex).toBe(certificate.serialNumber.toLowerCase());
    expect(issued.serialHex).toMatch(/^[4-7][0-9a-f]{31}$/);
    expect(issued.notBefore).toEqual(new Date('2026-01-31T23:59:59Z'));
    expect(issued.notAfter).toEqual(new Date('2026-05-01T23:59:59Z'));
    expect(new Date(certificate.validTo)).toEqual(issued.notAfter);
  });

  it('GW-03 is another one each time, also for the same key', async () => {
    const authority = await inMemory();
    const { spkiDer } = parseSigningRequest(
      createSigningRequest({ keyPem: await createDeviceKey(), commonName: SERIAL }),
    );
    const request = { spkiDer, serialNumber: SERIAL, notBefore: new Date(), notAfter: new Date(Date.now() + DAY_MS) };
    const all = Array.from({ length: 50 }, () => authority.issueDeviceCertificate(request));
    expect(new Set(all.map(({ serialHex }) => serialHex)).size).toBe(50);
    expect(new Set(all.map(({ fingerprint }) => fingerprint)).size).toBe(50);
    expect(new Set(all.map(({ publicKeyHash }) => publicKeyHash)).size).toBe(1);
  });

  it('GW-03 ends with the authority at the latest, also after 2049', async () => {
    const short = await openAuthority({ dataDir: undefined, caDays: 10 });
    const end = new Date(new X509Certificate(short.certificatePem).validTo);
    expect((await enrol(short, { to: 90 })).issued.notAfter).toEqual(end);

    const long = await openAuthority({ dataDir: ':memory:', caDays: 36_500 });
    const { issued, certificate } = await enrol(long, { to: 30_000 });
    expect(issued.notAfter.getUTCFullYear()).toBeGreaterThan(2100);
    expect(certificate.verify(new X509Certificate(long.certificatePem).publicKey)).toBe(true);
  });

  it('GW-03 is refused for a weak key, an empty or invalid period, or a name that is no serial number', async () => {
    const authority = await inMemory();
    const now = new Date();
    const good = {
      publicKeyPem: await createDeviceKey(),
      serialNumber: SERIAL,
      notBefore: now,
      notAfter: new Date(+now + DAY_MS),
    };
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'pem', type: 'spki' });
    const issue = (change: object) => () => authority.issueDeviceCertificate({ ...good, ...change });
    expect(issue({ publicKeyPem: weak })).toThrow(expect.objectContaining({ reason: 'UNSUPPORTED_KEY' }));
    expect(issue({ publicKeyPem: 'garbage' })).toThrow(expect.objectContaining({ reason: 'UNSUPPORTED_KEY' }));
    expect(issue({ notAfter: now })).toThrow(RangeError);
    expect(issue({ notAfter: new Date(Number.NaN) })).toThrow(RangeError);
    expect(issue({ notBefore: new Date(+now + 5000 * DAY_MS), notAfter: new Date(+now + 6000 * DAY_MS) })).toThrow(
      RangeError,
    );
    expect(issue({ serialNumber: '' })).toThrow(RangeError);
    expect(issue({ serialNumber: `${SERIAL}\n` })).toThrow(RangeError);
    expect(issue({})).not.toThrow();
  });
});

describe('a TLS 1.3 server that requires certificates of the authority', () => {
  it.each<DeviceKeyType>(['ec-p256', 'rsa-2048'])(
    'GW-03 accepts a device with an issued %s certificate',
    async (type) => {
      const authority = await inMemory();
      const { key, issued } = await enrol(authority, { type });
      expect(await connect(authority, { key, cert: issued.pem })).toBe(`accepted ${SERIAL} ${issued.fingerprint}`);
    },
  );

  it('GW-03 refuses the certificate of another authority', async () => {
    const { key, issued } = await enrol(await inMemory());
    expect(await connect(await inMemory(), { key, cert: issued.pem })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it.each([
    ['expired', { from: -91, to: -1 }, 'CERT_HAS_EXPIRED'],
    ['not yet valid', { from: 1, to: 91 }, 'CERT_NOT_YET_VALID'],
  ])('GW-03 refuses a certificate that is %s', async (_, period, code) => {
    const authority = await inMemory();
    const { key, issued } = await enrol(authority, period);
    expect(await connect(authority, { key, cert: issued.pem })).toBe(code);
  });

  it('GW-03 refuses a device without a certificate, and one that shows a server certificate', async () => {
    const authority = await inMemory();
    expect(await connect(authority, {})).toMatch(/PEER_DID_NOT_RETURN_A_CERTIFICATE/);
    const { certPem, keyPem } = authority.issueServerCertificate({ hosts: ['localhost'], days: 1 });
    expect(await connect(authority, { key: keyPem, cert: certPem })).toBe('INVALID_PURPOSE');
  });

  it('GW-03 shows the device a server certificate for each of its names and addresses', async () => {
    const authority = await inMemory();
    const hosts = [
      'gateway.example.com',
      '*.Devices.example',
      'münchen.example',
      '10.0.0.1',
      '::1',
      '2001:db8::ffff:10.0.0.1',
    ];
    const { certPem, keyPem } = authority.issueServerCertificate({ hosts: [...hosts, '10.0.0.1'], days: 30 });
    const certificate = new X509Certificate(certPem);
    expect(certificate.subjectAltName?.split(', ')).toEqual([
      'DNS:gateway.example.com',
      'DNS:*.devices.example',
      'DNS:xn--mnchen-3ya.example',
      'IP Address:10.0.0.1',
      'IP Address:0:0:0:0:0:0:0:1',
      'IP Address:2001:DB8:0:0:0:FFFF:A00:1',
    ]);
    expect(certificate.checkHost('a.devices.example')).toBe('*.devices.example');
    expect(certificate.checkIP('::1')).toBe('::1');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.publicKey.equals(createPublicKey(keyPem))).toBe(true);
    expect(certificate.checkIssued(new X509Certificate(authority.certificatePem))).toBe(true);
  });

  it.each([[[]], [['']], [['a b']], [['-a.example']], [['https://a.example']], [['fe80::1%eth0']], [['[::1]']]])(
    'GW-03 has no certificate for %j',
    async (hosts) => {
      const authority = await inMemory();
      expect(() => authority.issueServerCertificate({ hosts, days: 30 })).toThrow(RangeError);
    },
  );
});

describe('the authority on disk', () => {
  let dataDir: string;
  const file = (name: string) => join(dataDir, 'ca', name);
  const opened = () => openAuthority({ dataDir, caDays: 3650 });

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'talkgate-authority-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it('GW-03 is made on the first start, readable by its owner only, and the same from then on', async () => {
    const first = await opened();
    expect(modeOf(await stat(file('ca-key.pem')))).toBe('600');
    expect(modeOf(await stat(join(dataDir, 'ca')))).toBe('700');
    expect((await readdir(join(dataDir, 'ca'))).sort()).toEqual(['ca-cert.pem', 'ca-key.pem']);
    const second = await opened();
    expect(second.certificatePem).toBe(first.certificatePem);
    const { certificate } = await enrol(first);
    expect(certificate.checkIssued(new X509Certificate(second.certificatePem))).toBe(true);
  });

  it('GW-03 is one, however many processes make it at once', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, opened));
    expect(new Set(all.map(({ certificatePem }) => certificatePem)).size).toBe(1);
    expect((await readdir(join(dataDir, 'ca'))).sort()).toEqual(['ca-cert.pem', 'ca-key.pem']);
    const { certificate } = await enrol(all[0] as Authority);
    const stored = new X509Certificate(await readFile(file('ca-cert.pem')));
    for (const { certificatePem } of all) expect(certificatePem).toBe(stored.toString());
    expect(certificate.verify(stored.publicKey)).toBe(true);
  });

  it('GW-03 certifies itself for the days asked for', async () => {
    const now = new Date('2026-03-01T12:00:00Z');
    const authority = await openAuthority({ dataDir, caDays: 100, clock: { now: () => now } });
    const certificate = new X509Certificate(authority.certificatePem);
    expect(certificate.ca).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(new Date(certificate.validFrom)).toEqual(new Date('2026-03-01T11:00:00Z'));
    expect(new Date(certificate.validTo)).toEqual(new Date('2026-06-09T12:00:00Z'));
    await expect(openAuthority({ dataDir, caDays: 0 })).rejects.toThrow(RangeError);
  });

  it('GW-03 has its lost certificate made anew; issued ones stay valid', async () => {
    const { certificate } = await enrol(await opened());
    await rm(file('ca-cert.pem'));
    const ca = new X509Certificate((await opened()).certificatePem);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(certificate.verify(ca.publicKey)).toBe(true);
  });

  it('GW-03 is not opened when others may read the key or change the folder', async () => {
    await opened();
    for (const mode of [0o640, 0o604]) {
      await chmod(file('ca-key.pem'), mode);
      await expect(opened()).rejects.toThrow(/ca-key\.pem can be read by others \(mode 6[04][04]\)\. Run: chmod 600 /);
    }
    await chmod(file('ca-key.pem'), 0o600);
    await chmod(join(dataDir, 'ca'), 0o770);
    await expect(opened()).rejects.toThrow(/can be changed by others \(mode 770\)\. Run: chmod 700 /);
  });

  it('GW-03 is not opened, nor founded anew, when its key is lost', async () => {
    await opened();
    await rm(file('ca-key.pem'));
    await expect(opened()).rejects.toThrow(/ca-key\.pem is missing/);
    expect(await readdir(join(dataDir, 'ca'))).toEqual(['ca-cert.pem']);
  });

  it('GW-03 is not opened with the certificate of another one, or with one that is no authority', async () => {
    await opened();
    await writeFile(file('ca-cert.pem'), (await inMemory()).certificatePem);
    await expect(opened()).rejects.toThrow(/does not belong to the key/);

    const { key, issued } = await enrol(await inMemory());
    await writeFile(file('ca-key.pem'), key);
    await writeFile(file('ca-cert.pem'), issued.pem);
    await expect(opened()).rejects.toThrow(/is not the certificate of an authority/);
  });

  it('GW-03 is not opened with files that are neither key nor certificate, or are of another kind', async () => {
    await opened();
    await copyFile(file('ca-key.pem'), file('ca-cert.pem'));
    await expect(opened()).rejects.toThrow(/ca-cert\.pem is not a certificate in PEM/);
    await writeFile(file('ca-key.pem'), 'garbage');
    await expect(opened()).rejects.toThrow(/ca-key\.pem is not a private key in PEM/);
    await writeFile(file('ca-key.pem'), await createDeviceKey('rsa-2048'));
    await expect(opened()).rejects.toThrow(/ca-key\.pem is not an EC P-256 key/);
  });

  it('GW-03 is not opened after it expired', async () => {
    await openAuthority({ dataDir, caDays: 1 });
    const later = new Date(Date.now() + 2 * DAY_MS);
    await expect(openAuthority({ dataDir, caDays: 1, clock: { now: () => later } })).rejects.toThrow(/expired on/);
  });
});

function modeOf({ mode }: { mode: number }): string {
  return (mode & 0o777).toString(8);
}

/** Connects to a server set up as the tunnel port is; resolves to what the server says of the client. */
async function connect(authority: Authority, client: { key?: string; cert?: string }): Promise<string> {
  const { certPem, keyPem } = authority.issueServerCertificate({ hosts: ['localhost', '127.0.0.1'], days: 1 });
  const server = tls.createServer({
    cert: certPem,
    key: keyPem,
    ca: authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const verdict = new Promise<string>((resolve) => {
    server.on('secureConnection', (socket) => {
      socket.on('error', () => undefined);
      const { subject, raw } = socket.getPeerCertificate();
      const fingerprint = new X509Certificate(raw).fingerprint256.replaceAll(':', '').toLowerCase();
      resolve(`accepted ${subject.CN} ${fingerprint}`);
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      // Node leaves the reason of a refusal on the socket; the error says only that it was closed.
      resolve(String(socket.authorizationError ?? error.code));
    });
  });
  const { port } = server.address() as AddressInfo;
  const socket = tls.connect({ host: '127.0.0.1', port, ca: authority.certificatePem, ...client });
  socket.on('error', () => undefined);
  try {
    return await verdict;
  } finally {
    socket.destroy();
    server.close();
  }
}

import { randomUUID } from 'node:crypto';
import { request } from 'node:https';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeviceKey, createSigningRequest } from '../../device-sim/certificates.ts';
import { memoryStore } from '../../device-sim/state.ts';
import { openAuthority } from '../../src/certificates/authority.ts';
import { parseSigningRequest } from '../../src/certificates/signing-request.ts';
import { applyPresence } from '../../src/ewons/presence.ts';
import { PROTOCOL_VERSION } from '../../src/gateway/protocol.ts';
import { eventually, type Json } from '../support/client.ts';
import { credentialsOf, RawTunnel } from '../support/raw-tunnel.ts';
import type { TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, startWorld, TestAccount, type TestEwon } from '../support/world.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const REMOVE =
  'mutation ($ewonId: ID!) { removeEwon(input: { ewonId: $ewonId, confirm: true }) { __typename ... on Error { code message } } }';

/** All that the server logs, as text. */
let logged = '';
let server: TestServer;
let account: TestAccount;
/** Stays online whatever the others do. */
let bystander: TestEwon;

beforeAll(async () => {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged += chunk.toString();
      done();
    },
  });
  ({ server, account } = await startWorld({ log: pino({ level: 'trace' }, sink), env: { CERTIFICATE_DAYS: '90' } }));
  bystander = await account.onlineEwon();
});
afterAll(() => server.close());

async function ewonWithStore(options: { resumeTls?: boolean } = {}) {
  const stateStore = memoryStore();
  const ewon = await account.ewon({}, {}, { stateStore, ...options });
  return { ...ewon, stateStore, credentials: () => credentialsOf(stateStore, ewon.device.serialNumber) };
}

const statusOf = async (id: string): Promise<string | undefined> =>
  (await account.admin.api.run('query ($id: ID!) { ewon(by: { id: $id }) { status } }', { id })).ewon?.status;

const storedCertificates = (serialNumber: string) =>
  server.app.platform.db.certificate.findMany({ where: { serialNumber }, orderBy: { id: 'asc' } });

describe('a device whose Ewon is removed', () => {
  it.each([
    ['without', false],
    ['with', true],
  ])('GW-12 is cut within one second and never opens a tunnel again, %s TLS resumption', async (_, resumeTls) => {
    const { id, device, credentials } = await ewonWithStore({ resumeTls });
    await device.connect();
    const { key, certificate } = await credentials();
    // A tunnel of the same device beside it, only to be offered TLS sessions while its certificate is good.
    const before = new RawTunnel(server, { key, certificate });
    await before.opened;
    await eventually(
      'a TLS session to resume',
      () => before.sessions.length,
      (count) => count > 0 || !resumeTls,
    );

    const closed = device.waitFor('closed');
    const from = performance.now();
    await account.admin.api.succeed(REMOVE, { ewonId: id });
    await closed;
    const cutAfterMs = performance.now() - from;
    expect(cutAfterMs).toBeLessThan(1000);
    expect(device.lastClose).toMatchObject({ code: 4403, reason: 'CERTIFICATE_REVOKED', retry: false });
    expect(await before.ended).toMatchObject({ reason: 'CERTIFICATE_REVOKED' });

    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(device.connect()).rejects.toMatchObject({ code: 'CERTIFICATE_REVOKED' });
    }
    for (const session of [...before.sessions, undefined]) {
      const raw = new RawTunnel(server, { key, certificate }, session && { session });
      await raw.hello(device.facts);
      expect(await raw.ended).toEqual({ code: 4403, reason: 'CERTIFICATE_REVOKED' });
      expect(raw.resumed).toBe(false);
      expect(raw.messages).toEqual([]);
    }
    // Nor without a certificate, on the strength of the session alone.
    for (const session of before.sessions) {
      expect((await new RawTunnel(server, {}, { session }).ended).error).toMatch(/CERTIFICATE_REQUIRED/);
    }
    expect(await statusOf(id)).toBeUndefined();
    expect(await statusOf(bystander.id)).toBe('ONLINE');
    expect(bystander.device.tunnelState).toBe('online');
  });

  it('GW-12 is cut while it waits for approval and is rejected', async () => {
    const device = await account.device();
    await device.register({ registrationKey: await account.registrationKey() });
    await device.connect();
    const closed = device.waitFor('closed');
    await account.admin.api.succeed(
      'mutation ($id: ID!) { rejectEwon(input: { ewonId: $id }) { __typename ... on Error { code message } } }',
      { id: await account.ewonId(device) },
    );
    await closed;
    expect(device.lastClose).toMatchObject({ reason: 'CERTIFICATE_REVOKED' });
    await expect(device.connect()).rejects.toMatchObject({ code: 'CERTIFICATE_REVOKED' });

    // Registered anew with a new key, it waits again; the old certificate stays void.
    await device.reset();
    await device.register({ registrationKey: await account.registrationKey() });
    await device.connect();
    expect(device.tunnelState).toBe('waiting');
  });

  it('GW-12 is cut at once when it opens its tunnel as the Ewon is removed', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, device } = await ewonWithStore();
      const opening = device.connect().catch(() => undefined);
      await account.admin.api.succeed(REMOVE, { ewonId: id });
      await opening;
      await device.waitFor('closed');
      expect(device.lastClose?.reason).toBe('CERTIFICATE_REVOKED');
    }
  });

  it('GW-12 a tunnel whose certificate is revoked between its opening and its claim does not come online', async () => {
    const { device, name } = await ewonWithStore();
    const { db } = server.app.platform;
    const { id: ewonId, accountId } = await db.ewon.findFirstOrThrow({ where: { serialNumber: device.serialNumber } });
    const { id: gatewayId } = await db.gatewayLease.findFirstOrThrow();
    const [certificate] = await storedCertificates(device.serialNumber);
    const claim = async (tunnelId: string, fingerprint: string) => {
      const facts = { firmwareVersion: '9.9s9' };
      const claims = [{ ewonId, tunnelId, fingerprint, facts }];
      const changes = { claims, reports: [], releases: [] };
      return (await applyPresence(server.app.platform, gatewayId, accountId, changes)).get(tunnelId);
    };
    expect(await claim(randomUUID(), '0'.repeat(64))).toEqual({ refused: 'CERTIFICATE_REVOKED' });
    expect(await db.ewon.findUniqueOrThrow({ where: { id: ewonId } })).toMatchObject({
      gatewayId: null,
      firmwareVersion: device.facts.firmwareVersion,
    });
    expect(await db.vpnAddress.count({ where: { ewonId } })).toBe(0);
    expect(await claim(randomUUID(), certificate?.fingerprint ?? '')).toMatchObject({ ewonName: name });
  });

  it('GW-12 is removed by nobody without the right, nor from another account', async () => {
    const { id, device } = await ewonWithStore();
    await device.connect();
    const stranger = await TestAccount.create(server);
    expect(await stranger.admin.api.mutate(REMOVE, { ewonId: id })).toMatchObject({ code: 'NOT_FOUND' });
    const pool = await account.defaultPool();
    const group = await account.group('Connects only', [{ poolId: pool, connectEcatcher: true }]);
    const user = await account.user('connects-only', [group]);
    expect(await user.api.mutate(REMOVE, { ewonId: id })).toMatchObject({ code: 'FORBIDDEN' });
    expect(device.tunnelState).toBe('online');
    expect(await statusOf(id)).toBe('ONLINE');

    // Of two who remove it, one does, and the other finds nothing.
    const results = await Promise.all([1, 2].map(() => account.admin.api.mutate(REMOVE, { ewonId: id })));
    expect(results.map(({ code }) => code ?? 'removed').sort()).toEqual(['NOT_FOUND', 'removed']);
    await device.waitFor('closed');
  });
});

describe('a certificate that opens no tunnel', () => {
  async function foreignCertificate(serialNumber: string, period: { from: number; to: number }, own: boolean) {
    const authority = own ? server.app.platform.authority : await openAuthority({ dataDir: undefined, caDays: 10 });
    const key = await createDeviceKey();
    const { spkiDer } = parseSigningRequest(createSigningRequest({ keyPem: key, commonName: serialNumber }));
    const { pem } = authority.issueDeviceCertificate({
      serialNumber,
      spkiDer,
      notBefore: new Date(Date.now() + period.from * DAY_MS),
      notAfter: new Date(Date.now() + period.to * DAY_MS),
    });
    return { key, certificate: pem };
  }

  it('GW-03 GW-12 is of another authority, expired or not yet valid: TLS refuses it', async () => {
    const { serialNumber } = bystander.device;
    for (const [period, own, reason] of [
      [{ from: -1, to: 9 }, false, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      [{ from: -9, to: -1 }, true, 'CERT_HAS_EXPIRED'],
      [{ from: 1, to: 9 }, true, 'CERT_NOT_YET_VALID'],
    ] as const) {
      const raw = new RawTunnel(server, await foreignCertificate(serialNumber, period, own));
      // Node ends the connection without an alert; why, only the server's log tells.
      expect((await raw.ended).error).toBeDefined();
      expect(raw.messages).toEqual([]);
      await eventually(
        'the reason in the log',
        () => logged,
        (text) => text.includes(reason),
      );
    }
    expect(bystander.device.tunnelState).toBe('online');
  });

  it('GW-12 is of this authority and for this serial number, but not the one on record', async () => {
    const { serialNumber, facts } = bystander.device;
    const unknown = new RawTunnel(server, await foreignCertificate(serialNumber, { from: -1, to: 9 }, true));
    await unknown.hello(facts);
    expect(await unknown.ended).toEqual({ code: 4401, reason: 'CERTIFICATE_INVALID' });
    expect(unknown.messages).toEqual([]);
    expect(bystander.device.tunnelState).toBe('online');
  });
});

describe('the renewal of a certificate', () => {
  it('GW-03 GW-12 is done over the tunnel; the old certificate opens none any more', async () => {
    const { id, device, credentials } = await ewonWithStore();
    await device.connect();
    const old = await credentials();
    await device.renewCertificate();
    const renewed = await credentials();
    expect(renewed.certificate).not.toBe(old.certificate);
    expect(device.tunnelState).toBe('online');

    const raw = new RawTunnel(server, old);
    await raw.hello(device.facts);
    expect(await raw.ended).toEqual({ code: 4403, reason: 'CERTIFICATE_REVOKED' });
    expect(device.tunnelState).toBe('online');
    await device.disconnect();
    await device.connect();
    expect(await statusOf(id)).toBe('ONLINE');

    const certificates = await storedCertificates(device.serialNumber);
    expect(certificates.map(({ revokedReason }) => revokedReason)).toEqual(['renewed', null]);
    const renewals = (await account.log()).filter(({ code }) => code === 'EWON_CERTIFICATE_RENEWED');
    expect(renewals).toMatchObject([{ ewonName: device.ewonName, severity: 'INFO' }]);
  });

  it('GW-04 is refused for a request with the serial number of another device, or that is none; the tunnel goes on', async () => {
    const { device, credentials } = await ewonWithStore();
    const { key, certificate } = await credentials();
    const raw = new RawTunnel(server, { key, certificate });
    await raw.hello(device.facts);
    const foreign = createSigningRequest({ keyPem: key, commonName: bystander.device.serialNumber });
    await raw.send({ type: 'renewCertificate', signingRequest: foreign });
    await raw.send({ type: 'renewCertificate', signingRequest: 'no request' });
    const refused = (messages: Json[]) => messages.filter(({ type }) => type === 'refused');
    await eventually(
      'the refusals',
      () => refused(raw.messages),
      (messages) => messages.length === 2,
    );
    expect(refused(raw.messages)).toMatchObject([
      { of: 'renewCertificate', code: 'SERIAL_NUMBER_MISMATCH' },
      { of: 'renewCertificate', code: 'SIGNING_REQUEST_INVALID' },
    ]);
    await raw.send({ type: 'keepAlive' });
    await eventually(
      'the tunnel',
      () => raw.messages,
      (messages) => messages.some(({ type }) => type === 'keepAlive'),
    );
    const [current] = await storedCertificates(device.serialNumber);
    expect(current?.revokedAt).toBeNull();
    expect((await storedCertificates(bystander.device.serialNumber))[0]?.revokedAt).toBeNull();
    raw.close();
  });

  it('GW-03 GW-12 leaves one current certificate, the last answered, when it is asked for many times at once', async () => {
    const { id, device, credentials } = await ewonWithStore();
    const { key, certificate } = await credentials();
    const raw = new RawTunnel(server, { key, certificate });
    await raw.hello(device.facts);
    const signingRequest = createSigningRequest({ keyPem: key, commonName: device.serialNumber });
    for (let count = 0; count < 8; count++) await raw.send({ type: 'renewCertificate', signingRequest });
    const answers = () => raw.messages.filter(({ type }) => type === 'certificate');
    await eventually('the certificates', answers, (messages) => messages.length === 8);
    expect(await statusOf(id)).toBe('ONLINE');
    const current = (await storedCertificates(device.serialNumber)).filter(({ revokedAt }) => revokedAt === null);
    expect(current.map(({ pem }) => pem)).toEqual([answers().at(-1)?.certificate]);

    const next = new RawTunnel(server, { key, certificate: answers().at(-1)?.certificate });
    await next.hello(device.facts);
    await eventually(
      'welcome',
      () => next.messages,
      ([first]) => first?.type === 'welcome',
    );
    expect(await raw.ended).toMatchObject({ reason: 'REPLACED' });
    next.close();
  });
});

describe('the enrolment', () => {
  it('GW-04 refuses a signing request for a foreign serial number', async () => {
    const impostor = await account.device();
    const foreign = createSigningRequest({
      keyPem: await createDeviceKey(),
      commonName: bystander.device.serialNumber,
    });
    const body = {
      protocol: PROTOCOL_VERSION,
      ...impostor.facts,
      signingRequest: foreign,
      proof: { registrationKey: await account.registrationKey() },
    };
    expect(await enrol(body)).toMatchObject({ status: 403, body: { code: 'SERIAL_NUMBER_MISMATCH' } });
    // Claiming the foreign serial number as a whole does not help: it is linked to another device.
    const claimed = { ...body, serialNumber: bystander.device.serialNumber };
    expect(await enrol(claimed)).toMatchObject({ status: 409, body: { code: 'DEVICE_ALREADY_REGISTERED' } });
    expect(bystander.device.tunnelState).toBe('online');
    expect((await storedCertificates(bystander.device.serialNumber)).map(({ revokedAt }) => revokedAt)).toEqual([null]);
  });

  it('GW-03 gives a device that lost the answer its certificate again, and nobody else', async () => {
    const { device, credentials } = await ewonWithStore();
    const { key, certificate } = await credentials();
    const requestWith = (keyPem: string) => ({
      protocol: PROTOCOL_VERSION,
      ...device.facts,
      signingRequest: createSigningRequest({ keyPem, commonName: device.serialNumber }),
    });
    const proof = { registrationKey: await account.registrationKey() };
    expect(await enrol({ ...requestWith(key), proof })).toMatchObject({ status: 201, body: { certificate } });
    expect(await enrol({ ...requestWith(await createDeviceKey()), proof })).toMatchObject({ status: 409 });
    const stranger = await TestAccount.create(server);
    const foreign = { registrationKey: await stranger.registrationKey() };
    expect(await enrol({ ...requestWith(key), proof: foreign })).toMatchObject({ status: 409 });
  });

  async function enrol(body: object): Promise<{ status: number; body: Json }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL('/enrol', server.app.gatewayUrls.device),
        { method: 'POST', ca: server.app.platform.authority.certificatePem, agent: false },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString();
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
        },
      );
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(body));
    });
  }
});

it('GW-12 LOG-21 leaves no key, password or certificate in the server’s log', async () => {
  const { device, credentials } = await ewonWithStore();
  await device.connect();
  const { key, certificate } = await credentials();
  await device.register({ registrationKey: 'GRK-no-such-key-0000' }, { force: true }).catch(() => undefined);
  const registrationKey = await account.registrationKey();
  expect(logged.length).toBeGreaterThan(0);
  const bodyOf = (pem: string) => pem.split('\n')[1] as string;
  for (const secret of [registrationKey, 'GRK-no-such-key-0000', ADMIN_PASSWORD, bodyOf(key), bodyOf(certificate)])
    expect(logged).not.toContain(secret);
  const entries = JSON.stringify(await account.log({}, 500));
  for (const secret of [registrationKey, bodyOf(key), bodyOf(certificate)]) expect(entries).not.toContain(secret);
});

it('GW-12 refuses a certificate that has expired by the platform’s clock', async () => {
  const { device } = await ewonWithStore();
  server.clock.advance(91 * DAY_MS);
  await expect(device.connect()).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID' });
  expect(device.lastClose).toMatchObject({ code: 4401, retry: false });
});

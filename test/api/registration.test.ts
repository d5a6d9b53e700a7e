import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRefusal } from '../../client/device-port.ts';
import { createDeviceKey, createSigningRequest } from '../../device-sim/certificates.ts';
import type { Device } from '../../device-sim/device.ts';
import { enrol } from '../../device-sim/device-port.ts';
import { insertCard } from '../../device-sim/t2m.ts';
import type { EnrolmentProof, EnrolmentRequest, EnrolmentResponse } from '../../src/gateway/protocol.ts';
import { eventually, type Json } from '../support/client.ts';
import { eachDatabase, startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, newDevice, type Person, startWorld, TestAccount, USER_PASSWORD } from '../support/world.ts';

let server: TestServer;
let account: TestAccount;
let other: TestAccount;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  other = await TestAccount.create(server);
});
afterAll(() => server?.close());

const RESULT = '__typename ... on Error { code message path }';
const CREATE_EWON = `mutation ($input: CreateEwonInput!) {
  createEwon(input: $input) { ${RESULT} ... on CreateEwonSuccess { activationKey ewon { id name registrationStatus serialNumber } } }
}`;
const RENEW_ACTIVATION_KEY = `mutation ($ewonId: ID!) {
  renewActivationKey(input: { ewonId: $ewonId }) { ${RESULT} ... on RenewActivationKeySuccess { activationKey ewon { id } } }
}`;
const RENEW_KEY = `mutation { renewRegistrationKey { ${RESULT} ... on RenewRegistrationKeySuccess { account { autoRegistration { registrationKey } } } } }`;
const EXPORT_KEY = `mutation ($description: String) {
  exportRegistrationKey(input: { description: $description }) { ${RESULT} ... on ExportRegistrationKeySuccess { fileName content } }
}`;
const SET_AUTO = `mutation ($input: SetAutoRegistrationInput!) {
  setAutoRegistration(input: $input) { ${RESULT} ... on SetAutoRegistrationSuccess { account { autoRegistration { enabled pool { id } } } } }
}`;

const EWON =
  'query ($serialNumber: SerialNumber!) { ewon(by: { serialNumber: $serialNumber }) { id reference name description registrationStatus serialNumber model firmwareVersion registeredAt pools { id name } } }';
const ewonOf = async (owner: TestAccount, device: { serialNumber: string }): Promise<Json> =>
  (await owner.admin.api.run(EWON, { serialNumber: device.serialNumber })).ewon;

const byName = (ewonName: string, more: Partial<{ username: string; password: string; account: string }> = {}) => ({
  account: account.name,
  username: 'admin',
  password: ADMIN_PASSWORD,
  ewonName,
  ...more,
});

/** An enrolment as the device sends it, with a key pair at hand: to send it again, or to send it as somebody else. */
async function enrolment(
  device: Device,
  proof: EnrolmentProof,
  key?: string,
  of = server,
): Promise<() => Promise<EnrolmentResponse>> {
  const { serialNumber, model, firmwareVersion } = device.facts;
  const keyPem = key ?? (await createDeviceKey());
  const signingRequest = createSigningRequest({ keyPem, commonName: serialNumber });
  const body: EnrolmentRequest = { protocol: 1, serialNumber, model, firmwareVersion, signingRequest, proof };
  return () => enrol(device.deviceUrl ?? '', authority(of), body, { timeoutMs: 20_000 });
}

const authority = (of = server) => of.app.platform.authority.certificatePem;

/** Any body at the enrolment door. */
function post(
  body: string | Buffer,
  of = server,
): Promise<{ status: number; code: string | undefined; message: string | undefined; retryAfter: number }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      `${of.app.gatewayUrls.device}/enrol`,
      { method: 'POST', ca: authority(of), agent: false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const refusal = readRefusal(Buffer.concat(chunks).toString());
          resolve({
            status: incoming.statusCode ?? 0,
            code: refusal?.code,
            message: refusal?.message,
            retryAfter: Number(incoming.headers['retry-after']),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const refusals = async (owner: TestAccount, device: { serialNumber: string }): Promise<Json[]> =>
  (await owner.log({ codes: ['EWON_REGISTRATION_REFUSED'] })).flatMap(({ parameters, ...entry }: Json) => {
    const params = Object.fromEntries(parameters.map(({ name, value }: Json) => [name, value]));
    return params.serialNumber === device.serialNumber ? [{ ...entry, ...params }] : [];
  });

describe('by registration key', () => {
  test('GRK-01 GRK-10 GRK-16 GRK-24 EWN-08 EWN-16 links a new device to the account, where it waits for approval under a temporary name', async () => {
    const device = await account.device({ model: 'FLEXY', firmwareVersion: '14.8s2' });
    expect(await device.register({ registrationKey: await account.registrationKey() })).toEqual({
      outcome: 'REGISTERED',
      registrationStatus: 'PENDING_APPROVAL',
      ewonName: `Ewon ${device.serialNumber}`,
    });
    expect(await ewonOf(account, device)).toMatchObject({
      name: `Ewon ${device.serialNumber}`,
      description: null,
      registrationStatus: 'PENDING_APPROVAL',
      serialNumber: device.serialNumber,
      model: 'FLEXY',
      firmwareVersion: '14.8s2',
      registeredAt: expect.any(String),
    });
    expect(await ewonOf(other, device)).toBeNull();
    const [entry] = await account.log({ codes: ['EWON_REGISTERED'] });
    expect(entry).toMatchObject({
      trigger: 'EWON',
      ewonName: `Ewon ${device.serialNumber}`,
      ewonReference: (await ewonOf(account, device)).reference,
      text: `Ewon Ewon ${device.serialNumber} registered (${device.serialNumber}, by GRK)`,
    });
  });

  test('GRK-24 gives the temporary name a number when an Ewon has it already', async () => {
    const device = await account.device();
    const name = `EWON ${device.serialNumber}`;
    await account.admin.api.succeed(CREATE_EWON, { input: { name } });
    await device.register({ registrationKey: await account.registrationKey() });
    expect(device.ewonName).toBe(`Ewon ${device.serialNumber} (2)`);
  });

  test('GRK-09 the key has 32 letters and digits, prefix included, and only Administrators read it', async () => {
    const key = await account.registrationKey();
    expect(key).toMatch(/^GRK-[A-Z0-9]{28}$/);
    expect(await other.registrationKey()).not.toBe(key);
    const user = await account.user('reader', [
      await account.group('Pool admins', [{ poolId: await account.defaultPool(), administer: true }]),
    ]);
    const seen = await user.api.run('{ account { name autoRegistration { registrationKey } } }');
    expect(seen.account).toEqual({ name: account.name, autoRegistration: null });
  });

  test('GRK-12 a renewed key fails at once as GRK_REVOKED, an unknown one as GRK_UNKNOWN, and Ewons registered with it stay', async () => {
    const mine = await TestAccount.create(server);
    const key = await mine.registrationKey();
    const ewon = await mine.ewon({ name: 'Veteran' });
    const fresh = (await mine.admin.api.succeed(RENEW_KEY)).account.autoRegistration.registrationKey;
    expect(fresh).toMatch(/^GRK-[A-Z0-9]{28}$/);
    expect(fresh).not.toBe(key);

    const late = await mine.device();
    await expect(late.register({ registrationKey: key })).rejects.toMatchObject({ code: 'GRK_REVOKED' });
    await expect(late.register({ registrationKey: `${fresh.slice(0, -1)}-` })).rejects.toMatchObject({
      code: 'GRK_UNKNOWN',
    });
    expect(await refusals(mine, late)).toMatchObject([{ reason: 'GRK_REVOKED', way: 'GRK' }]);
    await late.register({ registrationKey: fresh });
    await ewon.device.connect();
    expect(ewon.device.tunnelState).toBe('online');
    await ewon.device.disconnect();

    // Twice in a row is another renewal: both keys before it stay revoked.
    await mine.admin.api.succeed(RENEW_KEY);
    for (const registrationKey of [key, fresh])
      await expect((await mine.device()).register({ registrationKey })).rejects.toMatchObject({ code: 'GRK_REVOKED' });
  });

  test('GRK-02 GRK-03 is on at first; off refuses key and name, while activation keys still work', async () => {
    const mine = await TestAccount.create(server);
    const settings = async () =>
      (await mine.admin.api.run('{ account { autoRegistration { enabled } } }')).account.autoRegistration;
    expect(await settings()).toEqual({ enabled: true });
    for (let time = 0; time < 2; time++) await mine.admin.api.succeed(SET_AUTO, { input: { enabled: false } });
    expect(await settings()).toEqual({ enabled: false });

    const device = await mine.device();
    const registrationKey = await mine.registrationKey();
    const refused = { code: 'AUTO_REGISTRATION_DISABLED' };
    await expect(device.register({ registrationKey })).rejects.toMatchObject(refused);
    await expect(device.register(byName('Pump', { account: mine.name }))).rejects.toMatchObject(refused);
    expect(await refusals(mine, device)).toMatchObject([
      { reason: 'AUTO_REGISTRATION_DISABLED', way: 'name', userName: 'admin' },
      { reason: 'AUTO_REGISTRATION_DISABLED', way: 'GRK', userName: null },
    ]);
    expect(await ewonOf(mine, device)).toBeNull();
    const { activationKey } = await mine.admin.api.succeed(CREATE_EWON, { input: { name: 'Pump' } });
    await device.register({ activationKey });
    expect((await ewonOf(mine, device)).registrationStatus).toBe('ACTIVE');

    await mine.admin.api.succeed(SET_AUTO, { input: { enabled: true } });
    await (await mine.device()).register({ registrationKey });
  });

  test('GRK-06 POOL-04 puts new Ewons into the selected pool, without one into the default pool', async () => {
    const mine = await TestAccount.create(server);
    const arrivals = await mine.pool('Arrivals');
    const registrationKey = await mine.registrationKey();
    const poolsOf = async (proof: EnrolmentProof) => {
      const device = await mine.device();
      await device.register(proof);
      return (await ewonOf(mine, device)).pools;
    };
    const defaultPool = [{ id: await mine.defaultPool(), name: 'Default' }];
    expect(await poolsOf({ registrationKey })).toEqual(defaultPool);
    expect(await poolsOf(byName('First', { account: mine.name }))).toEqual(defaultPool);
    await mine.admin.api.succeed(SET_AUTO, { input: { poolId: arrivals } });
    expect(await poolsOf({ registrationKey })).toEqual([{ id: arrivals, name: 'Arrivals' }]);
    expect(await poolsOf(byName('Second', { account: mine.name }))).toEqual([{ id: arrivals, name: 'Arrivals' }]);
    // What is absent stays; null is the default pool again.
    await mine.admin.api.succeed(SET_AUTO, { input: { enabled: true } });
    expect(await poolsOf({ registrationKey })).toEqual([{ id: arrivals, name: 'Arrivals' }]);
    await mine.admin.api.succeed(SET_AUTO, { input: { poolId: null } });
    expect(await poolsOf({ registrationKey })).toEqual(defaultPool);

    expect(await mine.admin.api.mutate(SET_AUTO, { input: { poolId: await other.pool('Foreign') } })).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('GRK-02 GRK-12 GRK-13 only Administrators set auto-registration, renew and export the key', async () => {
    const poolId = await account.defaultPool();
    const group = await account.group('Everything but administrators', [{ poolId, administer: true }]);
    const user = await account.user('no-admin', [group]);
    const key = await account.registrationKey();
    const refused = { code: 'FORBIDDEN' };
    expect(await user.api.mutate(SET_AUTO, { input: { enabled: false } })).toMatchObject(refused);
    expect(await user.api.mutate(RENEW_KEY)).toMatchObject(refused);
    expect(await user.api.mutate(EXPORT_KEY)).toMatchObject(refused);
    expect(await account.registrationKey()).toBe(key);
  });
});

describe('a serial number that is linked already', () => {
  test('GRK-11 EWN-16 a GRK does not move a device, neither inside its account nor to another', async () => {
    const device = await account.device();
    await device.register({ registrationKey: await account.registrationKey() });
    const before = await ewonOf(account, device);
    const refused = { code: 'DEVICE_ALREADY_REGISTERED' };
    for (const owner of [account, other]) {
      const registrationKey = await owner.registrationKey();
      // The sender has a key pair of its own: it has not registered this serial number.
      await expect((await enrolment(device, { registrationKey }))()).rejects.toMatchObject(refused);
      expect(await refusals(owner, device)).toMatchObject([
        { reason: 'DEVICE_ALREADY_REGISTERED', way: 'GRK', severity: 'WARNING', category: 'SECURITY' },
      ]);
    }
    expect(await ewonOf(account, device)).toEqual(before);
    expect(await ewonOf(other, device)).toBeNull();
  });

  test.each<[string, (name: string) => Promise<EnrolmentProof>]>([
    ['registration key', async () => ({ registrationKey: await account.registrationKey() })],
    ['name', async (name) => byName(name)],
    [
      'activation key',
      async (name) => ({
        activationKey: (await account.admin.api.succeed(CREATE_EWON, { input: { name } })).activationKey,
      }),
    ],
  ])(
    'GW-03 EWN-16 by %s: whoever lost the answer asks again with his key pair and gets the same certificate, another does not',
    async (way, makeProof) => {
      const device = await account.device();
      const proof = await makeProof(`Lost by ${way}`);
      const ask = await enrolment(device, proof);
      const first = await ask();
      const again = await ask();
      expect(again).toEqual(first);
      // To anybody else a used activation key is void, and tells nothing.
      const code = way === 'activation key' ? 'ACTIVATION_KEY_INVALID' : 'DEVICE_ALREADY_REGISTERED';
      await expect((await enrolment(device, proof))()).rejects.toMatchObject({ code });
      expect(await refusals(account, device)).toMatchObject([{ reason: code, way: expect.any(String) }]);
      expect(
        await account.log({ codes: ['EWON_REGISTERED'], ewonIds: [(await ewonOf(account, device)).id] }),
      ).toHaveLength(1);
    },
  );

  test('GRK-12 a key that was renewed meanwhile does not serve to ask again', async () => {
    const mine = await TestAccount.create(server);
    const ask = await enrolment(await mine.device(), { registrationKey: await mine.registrationKey() });
    await ask();
    await mine.admin.api.succeed(RENEW_KEY);
    await expect(ask()).rejects.toMatchObject({ code: 'GRK_REVOKED' });
  });

  test('GRK-11 the certificate of a device that asks again is not given to another account that it names', async () => {
    const device = await account.device();
    const key = await createDeviceKey();
    await (await enrolment(device, { registrationKey: await account.registrationKey() }, key))();
    await expect(
      (await enrolment(device, { registrationKey: await other.registrationKey() }, key))(),
    ).rejects.toMatchObject({ code: 'DEVICE_ALREADY_REGISTERED' });
  });
});

describe('by name', () => {
  test('GRK-01 GRK-04 GRK-05 GRK-07 adds a device under an unused name without approval', async () => {
    const device = await account.device();
    expect(await device.register(byName('  Press 1 '))).toEqual({
      outcome: 'REGISTERED',
      registrationStatus: 'ACTIVE',
      ewonName: 'Press 1',
    });
    expect(await ewonOf(account, device)).toMatchObject({ name: 'Press 1', registrationStatus: 'ACTIVE' });
    const [entry] = await account.log({ codes: ['EWON_REGISTERED'] });
    expect(entry).toMatchObject({ trigger: 'EWON', userName: 'admin', ewonName: 'Press 1' });
    await device.connect();
    expect(device.tunnelState).toBe('online');
    await device.disconnect();
  });

  test('GRK-07 needs administer right on the target pool; modify and connect are not enough', async () => {
    const mine = await TestAccount.create(server);
    const [target, elsewhere] = [await mine.pool('Target'), await mine.pool('Elsewhere')];
    await mine.admin.api.succeed(SET_AUTO, { input: { poolId: target } });
    const all = { administer: true, modify: true, connectEcatcher: true, connectM2web: true };
    await mine.user('owner', [await mine.group('Owners', [{ poolId: target, administer: true }])]);
    await mine.user('modifier', [await mine.group('Modifiers', [{ poolId: target, ...all, administer: false }])]);
    await mine.user('stranger', [await mine.group('Strangers', [{ poolId: elsewhere, ...all }])]);
    const as = (username: string, ewonName: string) =>
      byName(ewonName, { account: mine.name, username, password: USER_PASSWORD });

    for (const username of ['modifier', 'stranger']) {
      const device = await mine.device();
      await expect(device.register(as(username, 'Intruder'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
      expect(await refusals(mine, device)).toMatchObject([{ reason: 'FORBIDDEN', userName: username }]);
      expect(await ewonOf(mine, device)).toBeNull();
    }
    await (await mine.device()).register(as('owner', 'Mine'));

    // For a record made beforehand the target is where that record is.
    const input = { name: 'Prepared', properties: { poolIds: [elsewhere] } };
    await mine.admin.api.succeed(CREATE_EWON, { input });
    await expect((await mine.device()).register(as('owner', 'Prepared'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await (await mine.device()).register(as('stranger', 'Prepared'));
  });

  test('GRK-07 GRK-23 role USER of a plan without groups may not, its Administrator may', async () => {
    const free = await TestAccount.create(server, 'LIGHT');
    await free.user('plain', []);
    const named = (username: string, password: string) => byName('Solo', { account: free.name, username, password });
    await expect((await free.device()).register(named('plain', USER_PASSWORD))).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await (await free.device()).register(named('admin', ADMIN_PASSWORD));
  });

  test('GRK-08 EWN-03 joins a PENDING record of that name, and fails with the name of an ACTIVE or waiting Ewon', async () => {
    const { ewon, activationKey } = await account.admin.api.succeed(CREATE_EWON, {
      input: { name: 'Boiler', properties: { description: 'Hall 3' } },
    });
    const device = await account.device();
    await device.register(byName('BOILER'));
    expect(await ewonOf(account, device)).toMatchObject({
      id: ewon.id,
      name: 'Boiler',
      description: 'Hall 3',
      registrationStatus: 'ACTIVE',
    });
    // The record has its device: its key is void.
    const late = await account.device();
    await expect(late.register({ activationKey })).rejects.toMatchObject({ code: 'ACTIVATION_KEY_INVALID' });
    await expect(late.register(byName('boiler'))).rejects.toMatchObject({ code: 'EWON_NAME_IN_USE' });
    await late.register({ registrationKey: await account.registrationKey() });
    await expect((await account.device()).register(byName(`Ewon ${late.serialNumber}`))).rejects.toMatchObject({
      code: 'EWON_NAME_IN_USE',
    });
    // Names are of an account: another account's do not matter.
    await (await other.device()).register(byName('Boiler', { account: other.name }));
  });

  test('GRK-07 AUTH-04 AUTH-07 wrong credentials all look the same, and ten failures lock the login', async () => {
    const mine = await TestAccount.create(server);
    await mine.user('wizard', [await mine.group('Wizards', [{ poolId: await mine.defaultPool(), administer: true }])]);
    const attempt = (more: Partial<{ username: string; password: string; account: string }>) =>
      newDevice(server).then((device) =>
        device.register(byName('Guess', { account: mine.name, username: 'wizard', ...more })),
      );
    const refused = { code: 'INVALID_CREDENTIALS', message: 'Supplied credentials are invalid' };
    await expect(attempt({ account: 'no-such-account', password: USER_PASSWORD })).rejects.toMatchObject(refused);
    await expect(attempt({ username: 'nobody', password: USER_PASSWORD })).rejects.toMatchObject(refused);
    for (let failure = 1; failure <= 9; failure++)
      await expect(attempt({ password: 'Wrong-pass-1' })).rejects.toMatchObject(refused);
    expect(await mine.log({ codes: ['LOGIN_FAILED'] })).toHaveLength(9);
    expect(await mine.log({ codes: ['LOGIN_LOCKED'] })).toHaveLength(0);
    await expect(attempt({ password: 'Wrong-pass-1' })).rejects.toMatchObject(refused);
    expect(await mine.log({ codes: ['LOGIN_LOCKED'] })).toMatchObject([{ userName: 'wizard', trigger: 'PLATFORM' }]);

    // Locked: the right password does not help before the time is over.
    await expect(attempt({ password: USER_PASSWORD })).rejects.toMatchObject(refused);
    server.clock.advance(15 * 60_000);
    expect(await attempt({ password: USER_PASSWORD })).toMatchObject({ ewonName: 'Guess' });
  });
});

describe('by activation key', () => {
  test('EWN-14 EWN-15 EWN-07 GRK-01 a record made beforehand is PENDING without serial number; its device is ACTIVE at once', async () => {
    const { activationKey, ewon } = await account.admin.api.succeed(CREATE_EWON, {
      input: { name: 'Crane', properties: { description: 'North yard', customFields: ['A'] } },
    });
    expect(activationKey).toMatch(/^[A-Z0-9]{20}$/);
    expect(ewon).toMatchObject({ name: 'Crane', registrationStatus: 'PENDING', serialNumber: null });
    const device = await account.device();
    expect(await device.register({ activationKey })).toMatchObject({ registrationStatus: 'ACTIVE', ewonName: 'Crane' });
    expect(await ewonOf(account, device)).toMatchObject({ id: ewon.id, description: 'North yard' });

    const second = await account.device();
    await expect(second.register({ activationKey })).rejects.toMatchObject({ code: 'ACTIVATION_KEY_INVALID' });
    await expect(second.register({ activationKey: `${activationKey}X` })).rejects.toMatchObject({
      code: 'ACTIVATION_KEY_INVALID',
    });
    expect(await ewonOf(account, second)).toBeNull();
    expect(await refusals(account, second)).toMatchObject([{ reason: 'ACTIVATION_KEY_INVALID' }]);
  });

  test('EWN-14 a renewed activation key is void; renewing needs the right to administer and a record without a device', async () => {
    const pool = await account.pool('Renewals');
    const { activationKey, ewon } = await account.admin.api.succeed(CREATE_EWON, {
      input: { name: 'Renewed', properties: { poolIds: [pool] } },
    });
    const modifier = await account.user('renew-modifier', [
      await account.group('Renew modifiers', [{ poolId: pool, modify: true }]),
    ]);
    const owner = await account.user('renew-owner', [
      await account.group('Renew owners', [{ poolId: pool, administer: true }]),
    ]);
    const renew = (person: Person) => person.api.mutate(RENEW_ACTIVATION_KEY, { ewonId: ewon.id });
    expect(await renew(modifier)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await renew(other.admin)).toMatchObject({ code: 'NOT_FOUND' });
    const first = (await renew(owner)).activationKey;
    const second = (await renew(owner)).activationKey;
    expect(new Set([activationKey, first, second]).size).toBe(3);
    for (const voided of [activationKey, first])
      await expect((await account.device()).register({ activationKey: voided })).rejects.toMatchObject({
        code: 'ACTIVATION_KEY_INVALID',
      });
    await (await account.device()).register({ activationKey: second });
    expect(await renew(owner)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await account.log({ codes: ['EWON_ACTIVATION_KEY_RENEWED'], ewonIds: [ewon.id] })).toHaveLength(2);
  });
});

describe('by card', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'talkgate-card-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Writes the exported file to the card and puts that into a device. */
  async function commission(device: Device, description: string | null) {
    const { fileName, content } = await account.admin.api.succeed(EXPORT_KEY, { description });
    expect(fileName).toBe('T2M.txt');
    await writeFile(join(folder, fileName), content);
    return insertCard(device, folder);
  }

  test('GRK-13 GRK-14 GW-09 the exported T2M.txt holds address, key and description, which becomes the Ewon’s', async () => {
    const { content } = await account.admin.api.succeed(EXPORT_KEY, { description: 'Water tower' });
    const lines = content.split('\r\n');
    expect(lines).toEqual([
      expect.stringMatching(/^# /),
      `Server=${server.app.gatewayUrls.device}`,
      `GlobalRegistrationKey=${await account.registrationKey()}`,
      'Description=Water tower',
      '',
    ]);
    const device = await newDevice(server, {}, { platform: { authority: authority() } });
    expect(await commission(device, 'Water tower')).toMatchObject({ registrationStatus: 'PENDING_APPROVAL' });
    expect(await ewonOf(account, device)).toMatchObject({ description: 'Water tower' });
    expect(await account.log({ codes: ['REGISTRATION_KEY_EXPORTED'] })).toMatchObject([
      { userName: 'admin' },
      { userName: 'admin' },
    ]);
  });

  test.each([
    ['two lines\r\nServer=https://evil.example', 'two lines Server=https://evil.example'],
    ['# = ä “quoted”; ', '# = ä “quoted”;'],
    ['  ', null],
    [null, null],
  ])('GRK-13 the description %j arrives as %j', async (given, arrives) => {
    const device = await newDevice(server, {}, { platform: { authority: authority() } });
    await commission(device, given);
    expect(device.deviceUrl).toBe(server.app.gatewayUrls.device);
    expect((await ewonOf(account, device)).description).toBe(arrives);
  });

  test('GRK-13 a description of more than 500 characters is refused before a card is made', async () => {
    const result = await account.admin.api.mutate(EXPORT_KEY, { description: 'x'.repeat(501) });
    expect(result).toMatchObject({ code: 'VALIDATION_FAILED', path: ['description'] });
  });

  test('GRK-15 GW-09 the card has no effect on a registered device', async () => {
    const ewon = await account.ewon({ name: 'Settled', description: 'as it was' });
    expect(await commission(ewon.device, 'from the card')).toEqual({ outcome: 'IGNORED' });
    expect(await ewonOf(account, ewon.device)).toMatchObject({ name: 'Settled', description: 'as it was' });
    // And a device that did send it would be refused by the platform.
    const registrationKey = await account.registrationKey();
    await expect((await enrolment(ewon.device, { registrationKey }))()).rejects.toMatchObject({
      code: 'DEVICE_ALREADY_REGISTERED',
    });
  });
});

eachDatabase('at the same moment', (database) => {
  let racing: { server: TestServer; account: TestAccount };
  let rival: TestAccount;
  beforeAll(async () => {
    racing = await startWorld({ database });
    rival = await TestAccount.create(racing.server);
  });
  afterAll(() => racing?.server.close());

  test('EWN-16 GRK-11 twelve devices of one serial number, in two accounts by three ways, become exactly one Ewon', async () => {
    for (let round = 0; round < 4; round++) {
      const device = await newDevice(racing.server);
      const proofs = await Promise.all(
        [racing.account, rival].flatMap((owner, index) => [
          owner.registrationKey().then((registrationKey) => ({ registrationKey })),
          owner.registrationKey().then((registrationKey) => ({ registrationKey })),
          owner.registrationKey().then((registrationKey) => ({ registrationKey })),
          byName(`Racer ${round}`, { account: owner.name }),
          byName(`Racer ${round} b`, { account: owner.name }),
          owner.admin.api
            .succeed(CREATE_EWON, { input: { name: `Prepared ${round} ${index}` } })
            .then(({ activationKey }) => ({ activationKey })),
        ]),
      );
      const asks = await Promise.all(proofs.map((proof) => enrolment(device, proof, undefined, racing.server)));
      const results = await Promise.allSettled(asks.map((ask) => ask()));
      const won = results.filter(({ status }) => status === 'fulfilled');
      const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
      expect(won).toHaveLength(1);
      expect(codes).toEqual(Array(11).fill('DEVICE_ALREADY_REGISTERED'));
      const found = [await ewonOf(racing.account, device), await ewonOf(rival, device)];
      expect(found.filter((ewon) => ewon !== null)).toHaveLength(1);
      // Every refusal is in the log of the account whose proof was used.
      const logged = [await refusals(racing.account, device), await refusals(rival, device)];
      expect(logged.flat()).toHaveLength(11);
    }
  });

  test('EWN-16 GW-03 a device whose requests overtake each other is one Ewon with one certificate', async () => {
    const device = await newDevice(racing.server);
    const ask = await enrolment(
      device,
      { registrationKey: await racing.account.registrationKey() },
      undefined,
      racing.server,
    );
    const answers = await Promise.all(Array.from({ length: 8 }, ask));
    expect(new Set(answers.map(({ certificate }) => certificate)).size).toBe(1);
    expect(await racing.account.log({ ewonIds: [await racing.account.ewonId(device)] })).toHaveLength(1);
  });

  test('EWN-15 of eight devices with one activation key one gets the record', async () => {
    const { activationKey, ewon } = await racing.account.admin.api.succeed(CREATE_EWON, {
      input: { name: 'One seat' },
    });
    const devices = await Promise.all(Array.from({ length: 8 }, () => newDevice(racing.server)));
    const results = await Promise.allSettled(devices.map((device) => device.register({ activationKey })));
    const winners = devices.filter((_, index) => results[index]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))).toEqual(
      Array(7).fill('ACTIVATION_KEY_INVALID'),
    );
    expect(await racing.account.ewonId(winners[0] as Device)).toBe(ewon.id);
  });

  test('GRK-04 GRK-08 of eight devices with one name one gets it', async () => {
    const devices = await Promise.all(Array.from({ length: 8 }, () => newDevice(racing.server)));
    const proof = byName('Popular', { account: racing.account.name });
    const results = await Promise.allSettled(devices.map((device) => device.register(proof)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))).toEqual(
      Array(7).fill('EWON_NAME_IN_USE'),
    );
  });

  test('GRK-12 of keys renewed at the same moment the last one stands, and no registration passes with another', async () => {
    const mine = await TestAccount.create(racing.server);
    const renewals = await Promise.all(Array.from({ length: 6 }, () => mine.admin.api.succeed(RENEW_KEY)));
    const current = await mine.registrationKey();
    const keys = new Set<string>(
      renewals.map(({ account: renewed }) => renewed.autoRegistration.registrationKey).filter((key) => key !== current),
    );
    for (const registrationKey of keys)
      await expect((await mine.device()).register({ registrationKey })).rejects.toMatchObject({ code: 'GRK_REVOKED' });
    await (await mine.device()).register({ registrationKey: current });
    expect(await mine.log({ codes: ['REGISTRATION_KEY_RENEWED'] })).toHaveLength(6);
  });
});

describe('the enrolment door', () => {
  const valid = async (more: object = {}, facts: Parameters<typeof newDevice>[1] = {}): Promise<Json> => {
    const { serialNumber, model, firmwareVersion } = (await newDevice(server, facts)).facts;
    const signingRequest = createSigningRequest({ keyPem: await createDeviceKey(), commonName: serialNumber });
    const proof = { registrationKey: await account.registrationKey() };
    return { protocol: 1, serialNumber, model, firmwareVersion, signingRequest, proof, ...more };
  };

  test.each<[string, object]>([
    ['lower case', { serialNumber: 'a2307-0101-25' }],
    ['too short', { serialNumber: '2307-0101-2' }],
    ['no hyphens', { serialNumber: '2307010125' }],
    ['two letters', { serialNumber: 'AB2307-0101-25' }],
    ['a line behind', { serialNumber: '2307-0101-25\n' }],
    ['a firmware that is none', { firmwareVersion: '14.8' }],
    ['a model that is none', { model: 'COSY PLUS' }],
    ['two proofs', { proof: { registrationKey: 'GRK-X', activationKey: 'X' } }],
    ['no proof', { proof: {} }],
    ['a name of blanks', { proof: { account: 'a', username: 'b', password: 'c', ewonName: '   ' } }],
    ['a name of 65 characters', { proof: { account: 'a', username: 'b', password: 'c', ewonName: 'x'.repeat(65) } }],
    ['a description of 501 characters', { description: 'x'.repeat(501) }],
    ['a zero character in the description', { description: 'a\u0000b' }],
    ['half a character in the description', { description: 'a\ud800b' }],
    ['half a character in the name', { proof: byNameOf('Half\udfff') }],
    ['a zero character in the name', { proof: byNameOf('Zero\u0000') }],
    ['a zero character in the user name', { proof: { ...byNameOf('Zero'), username: 'a\u0000b' } }],
  ])('EWN-17 EWN-18 EWN-03 refuses %s with MESSAGE_INVALID, without quoting a value', async (_, wrong) => {
    const answer = await post(JSON.stringify(await valid(wrong)));
    expect(answer).toMatchObject({ status: 400, code: 'MESSAGE_INVALID' });
    expect(answer.message).not.toMatch(/GRK-|xxx|Zero|Admin-pass/);
  });

  test.each([['2307-0101-25'], ['A2307-0101-25']])('EWN-17 accepts the serial number %s', async (serialNumber) => {
    expect(await post(JSON.stringify(await valid({}, { serialNumber })))).toMatchObject({ status: 201 });
  });

  test.each([['COSY'], ['COSY_PLUS'], ['FLEXY']] as const)(
    'EWN-25 a device of family %s registers and is shown as one',
    async (model) => {
      const ewon = await account.onlineEwon({ name: `Family ${model}` }, { model });
      expect(await ewonOf(account, ewon.device)).toMatchObject({ model, registrationStatus: 'ACTIVE' });
      await ewon.device.disconnect();
    },
  );

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['no JSON', 'GlobalRegistrationKey=GRK-SECRET'],
    ['null', 'null'],
    ['a list', '[]'],
    ['no text', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
  ])('GW-01 %s is MESSAGE_INVALID', async (_, body) => {
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 400, code: 'MESSAGE_INVALID' });
    expect(answer.message).not.toContain('SECRET');
  });

  test('GW-01 a body over the limit is refused with its reason, and the next one is served', async () => {
    for (const size of [17 * 1024, 300 * 1024]) {
      const answer = await post(JSON.stringify(await valid({ padding: 'x'.repeat(size) })));
      expect(answer).toMatchObject({ status: 400, code: 'MESSAGE_INVALID', message: 'The body exceeds 16384 bytes.' });
    }
    expect(await post(JSON.stringify(await valid({ padding: 'x'.repeat(8 * 1024) })))).toMatchObject({ status: 201 });
  });

  test('GW-04 a signing request for a foreign serial number, or a broken one, is refused', async () => {
    const { signingRequest } = await valid();
    expect(await post(JSON.stringify(await valid({ signingRequest })))).toMatchObject({
      status: 403,
      code: 'SERIAL_NUMBER_MISMATCH',
    });
    expect(await post(JSON.stringify(await valid({ signingRequest: 'no request' })))).toMatchObject({
      code: 'SIGNING_REQUEST_INVALID',
    });
  });

  test('GRK-10 guesses are limited by address, more tightly than registrations', async () => {
    const limited = await startWorld({ env: { ENROLMENT_FAILURES_PER_MINUTE: '3', ENROLMENTS_PER_MINUTE: '8' } });
    try {
      const attempt = async (proof: EnrolmentProof) => (await limited.account.device()).register(proof);
      const registrationKey = await limited.account.registrationKey();
      await attempt({ registrationKey });
      await expect(attempt({ registrationKey: 'GRK-GUESS' })).rejects.toMatchObject({ code: 'GRK_UNKNOWN' });
      await expect(attempt({ activationKey: 'GUESS' })).rejects.toMatchObject({ code: 'ACTIVATION_KEY_INVALID' });
      await expect(attempt(byName('Guess', { account: 'nobody' }))).rejects.toMatchObject({
        code: 'INVALID_CREDENTIALS',
      });
      // The fourth is refused, whether or not it would have been right.
      await expect(attempt({ registrationKey })).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
      const answer = await post('{}', limited.server);
      expect(answer).toMatchObject({ status: 429, code: 'TOO_MANY_REQUESTS' });
      expect(answer.retryAfter).toBeGreaterThanOrEqual(1);
      expect(answer.retryAfter).toBeLessThanOrEqual(60);
    } finally {
      await limited.server.close();
    }
  });

  test('GRK-10 registrations are limited by address', async () => {
    const limited = await startServer({ env: { ENROLMENTS_PER_MINUTE: '5' } });
    try {
      const answers = await Promise.all(Array.from({ length: 8 }, () => post('{}', limited)));
      expect(answers.map(({ code }) => code).sort()).toEqual([
        ...Array(5).fill('MESSAGE_INVALID'),
        ...Array(3).fill('TOO_MANY_REQUESTS'),
      ]);
    } finally {
      await limited.close();
    }
  });
});

test('GRK-25 LOG-21 registration, renewal and export are log events, and no key or password stands in log or server log', async () => {
  const written: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  // Nothing is cut out by this logger: what is not to be in there must not have been written.
  const watched = await startWorld({ log: pino({ level: 'trace' }, sink) });
  try {
    const { account: mine } = watched;
    const secrets = new Set<string>([ADMIN_PASSWORD, 'Wrong-pass-9', 'GRK-WRONGWRONGWRONG']);
    const register = async (proof: EnrolmentProof) => {
      const device = await mine.device();
      await device.register(proof).catch(() => undefined);
      return device;
    };
    const first = await mine.registrationKey();
    secrets.add(first);
    await register({ registrationKey: first });
    await mine.admin.api.succeed(EXPORT_KEY, { description: null });
    await mine.admin.api.succeed(RENEW_KEY);
    const secondKey = await mine.registrationKey();
    secrets.add(secondKey);
    await register({ registrationKey: first });
    await register({ registrationKey: 'GRK-WRONGWRONGWRONG' });
    const created = await mine.admin.api.succeed(CREATE_EWON, { input: { name: 'Keyed' } });
    secrets.add(created.activationKey);
    const renewed = await mine.admin.api.succeed(RENEW_ACTIVATION_KEY, { ewonId: created.ewon.id });
    secrets.add(renewed.activationKey);
    await register({ activationKey: created.activationKey });
    await register({ activationKey: renewed.activationKey });
    await register({ activationKey: renewed.activationKey });
    await register(byName('Named', { account: mine.name }));
    await register(byName('Named', { account: mine.name, password: 'Wrong-pass-9' }));
    await post(JSON.stringify({ protocol: 1, proof: { registrationKey: first } }), watched.server);
    await post(`{"proof":{"registrationKey":"${first}"`, watched.server);

    const entries = await mine.log();
    expect(entries.map(({ code }: Json) => code).reverse()).toEqual([
      'ACCOUNT_CREATED',
      'LOGIN_SUCCEEDED',
      'EWON_REGISTERED',
      'REGISTRATION_KEY_EXPORTED',
      'REGISTRATION_KEY_RENEWED',
      'EWON_REGISTRATION_REFUSED',
      'EWON_CREATED',
      'EWON_ACTIVATION_KEY_RENEWED',
      'EWON_REGISTERED',
      'EWON_REGISTRATION_REFUSED',
      'EWON_REGISTERED',
      'LOGIN_FAILED',
    ]);
    // What fails inside is logged with its cause, which must not carry them either.
    for (const table of ['Certificate', 'User', 'RevokedRegistrationKey'])
      await watched.server.app.platform.db.$executeRawUnsafe(`ALTER TABLE "${table}" RENAME TO "${table}Gone"`);
    const spare = 'GRK-SPARESPARESPARE';
    secrets.add(spare);
    const current = await mine.device();
    for (const proof of [{ registrationKey: spare }, byName('Late', { account: mine.name })])
      await expect(current.register(proof)).rejects.toMatchObject({
        code: 'INTERNAL_ERROR',
        message: 'Something unexpected happened.',
      });
    await expect(current.register({ registrationKey: secondKey })).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
    await eventually(
      'the failures in the server log',
      () => written.join(''),
      (text) => text.split('An enrolment failed').length === 4,
    );
    const stored = await watched.server.app.platform.db.$queryRaw<Json[]>`
      SELECT to_jsonb(e)::text AS "row" FROM "LogEntry" e UNION ALL SELECT to_jsonb(w)::text FROM "Ewon" w
      UNION ALL SELECT to_jsonb(a)::text FROM "Account" a UNION ALL SELECT to_jsonb(r)::text FROM "RevokedRegistrationKeyGone" r`;
    const everything = [JSON.stringify(entries), written.join(''), ...stored.map(({ row }) => row)].join('\n');
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(10);
      expect(everything).not.toContain(secret);
    }
  } finally {
    await watched.server.close();
  }
});

function byNameOf(ewonName: string) {
  return { account: 'somebody', username: 'admin', password: ADMIN_PASSWORD, ewonName };
}

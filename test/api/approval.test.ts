import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device-sim/device.ts';
import { eventually, type Json } from '../support/client.ts';
import { eachDatabase, type TestServer } from '../support/server.ts';
import { CLOSE_SESSION, openSession, type Person, startWorld, TestAccount, type TestEwon } from '../support/world.ts';

let server: TestServer;
let account: TestAccount;
let other: TestAccount;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  other = await TestAccount.create(server);
});
afterAll(() => server?.close());

const EWON_FIELDS =
  'id reference name description customFields { value } registrationStatus status serialNumber model firmwareVersion vpnAddress registeredAt pools { id } viewerCan';
const APPROVE = `mutation ($input: ApproveEwonInput!) {
  approveEwon(input: $input) { __typename ... on Error { code message path } ... on ApproveEwonSuccess { ewon { ${EWON_FIELDS} } } }
}`;
const REJECT = `mutation ($ewonId: ID!) {
  rejectEwon(input: { ewonId: $ewonId }) { __typename ... on Error { code message } ... on RejectEwonSuccess { ewonId } }
}`;
const CREATE_EWON = `mutation ($input: CreateEwonInput!) {
  createEwon(input: $input) { __typename ... on Error { code message } ... on CreateEwonSuccess { activationKey ewon { id } } }
}`;
const SET_POOL = `mutation ($poolId: ID) {
  setAutoRegistration(input: { poolId: $poolId }) { __typename ... on Error { code message } }
}`;

const approve = (person: Person, ewonId: string, more: Record<string, unknown> = {}): Promise<Json> =>
  person.api.mutate(APPROVE, { input: { ewonId, ...more } });
const reject = (person: Person, ewonId: string): Promise<Json> => person.api.mutate(REJECT, { ewonId });
const see = async (person: Person, id: string): Promise<Json> =>
  (await person.api.run(`query ($id: ID!) { ewon(by: { id: $id }) { ${EWON_FIELDS} } }`, { id })).ewon;
const listed = async (person: Person): Promise<string[]> =>
  (await person.api.run('{ ewons(first: 500) { totalCount nodes { id } } }')).ewons.nodes.map(({ id }: Json) => id);

/** A device that arrived by registration key, and the id of its waiting Ewon. */
async function arrival(owner = account, facts: Parameters<TestAccount['device']>[0] = {}) {
  const device = await owner.device(facts);
  await device.register({ registrationKey: await owner.registrationKey() });
  return { device, id: await owner.ewonId(device) };
}

/** What became of a device's try to open its tunnel. */
const outcome = (device: Device): Promise<string> =>
  device.connect().then(
    () => device.tunnelState,
    (error: { code: string }) => error.code,
  );

describe('an Ewon that waits for approval', () => {
  test('GRK-16 GRK-17 EWN-08 EWN-10 cannot be connected to, though its device is connected and waits', async () => {
    const { device, id } = await arrival();
    await device.connect();
    expect(device.tunnelState).toBe('waiting');
    expect(await see(account.admin, id)).toMatchObject({
      registrationStatus: 'PENDING_APPROVAL',
      status: 'OFFLINE',
      vpnAddress: null,
      viewerCan: ['MODIFY', 'ADMINISTER', 'REMOVE', 'APPROVE'],
    });
    expect(await openSession(account.admin, id)).toMatchObject({ code: 'EWON_NOT_APPROVED' });
    const active = await account.admin.api.run(
      '{ waiting: ewons(filter: { registrationStatus: PENDING_APPROVAL }, first: 500) { nodes { id } } active: ewons(filter: { registrationStatus: ACTIVE }, first: 500) { nodes { id } } }',
    );
    expect(active.waiting.nodes).toContainEqual({ id });
    expect(active.active.nodes).not.toContainEqual({ id });
    await device.disconnect();
  });

  test('GRK-17 is visible only to those who may approve', async () => {
    const pool = await account.defaultPool();
    const all = { administer: true, modify: true, connectEcatcher: true, connectM2web: true };
    const approver = await account.user('sees', [await account.group('See', [{ poolId: pool, administer: true }])]);
    const modifier = await account.user('blind', [
      await account.group('Blind', [{ poolId: pool, ...all, administer: false }]),
    ]);
    const { id } = await arrival();
    expect(await see(approver, id)).toMatchObject({ id, viewerCan: ['MODIFY', 'ADMINISTER', 'REMOVE', 'APPROVE'] });
    expect(await listed(approver)).toContain(id);
    for (const person of [modifier, other.admin]) {
      expect(await see(person, id)).toBeNull();
      expect(await listed(person)).not.toContain(id);
      expect((await person.api.run('query ($id: ID!) { node(id: $id) { id } }', { id })).node).toBeNull();
    }

    const solo = await TestAccount.create(server, 'LIGHT');
    const plain = await solo.user('plain', []);
    const waiting = await arrival(solo);
    expect(await see(plain, waiting.id)).toBeNull();
    await approve(solo.admin, waiting.id);
    expect(await see(plain, waiting.id)).toMatchObject({ viewerCan: ['CONNECT_ECATCHER', 'CONNECT_M2WEB'] });
  });

  test('GRK-18 EWN-11 EWN-06 approved as new, it takes its properties and is ready for connection at once', async () => {
    const pool = await account.pool('Approved');
    const { device, id } = await arrival();
    await device.connect();
    const properties = {
      name: ' Saw 7 ',
      description: 'Hall 1',
      customFields: ['A', null, 'C'],
      poolIds: [pool, await account.defaultPool()],
    };
    const { ewon } = await account.admin.api.succeed(APPROVE, { input: { ewonId: id, properties } });
    expect(ewon).toMatchObject({
      id,
      name: 'Saw 7',
      description: 'Hall 1',
      customFields: [{ value: 'A' }, { value: null }, { value: 'C' }],
      registrationStatus: 'ACTIVE',
      serialNumber: device.serialNumber,
    });
    expect(ewon.pools.map((found: Json) => found.id).sort()).toEqual(properties.poolIds.sort());
    await device.waitFor('online');
    expect(device.ewonName).toBe('Saw 7');
    const session = await openSession(account.admin, id);
    expect(session).toMatchObject({ __typename: 'OpenSessionSuccess' });
    await account.admin.api.succeed(CLOSE_SESSION, { sessionId: session.session.id });
    await device.disconnect();
    expect(await account.log({ codes: ['EWON_APPROVED'], ewonIds: [id] })).toMatchObject([
      { userName: 'admin', ewonName: 'Saw 7', trigger: 'USER' },
    ]);
  });

  test('GRK-18 GRK-24 approved without properties it keeps its temporary name, the card’s description and its pool', async () => {
    const device = await account.device();
    await device.register({ registrationKey: await account.registrationKey() }, { description: 'From the card' });
    const id = await account.ewonId(device);
    expect((await approve(account.admin, id)).ewon).toMatchObject({
      name: `Ewon ${device.serialNumber}`,
      description: 'From the card',
      registrationStatus: 'ACTIVE',
      pools: [{ id: await account.defaultPool() }],
    });
  });

  test('GRK-18 what is refused changes nothing: a name in use, no pool, a bad value', async () => {
    const { ewon } = await account.admin.api.succeed(CREATE_EWON, { input: { name: 'Taken' } });
    const { id } = await arrival();
    const before = await see(account.admin, id);
    const pool = await account.pool('Refused');
    for (const [properties, refusal] of [
      [{ name: 'TAKEN', poolIds: [pool] }, { code: 'EWON_NAME_IN_USE' }],
      [{ poolIds: [] }, { code: 'EWON_NEEDS_A_POOL' }],
      [{ poolIds: null }, { code: 'EWON_NEEDS_A_POOL' }],
      [{ poolIds: [pool, await other.defaultPool()] }, { code: 'NOT_FOUND' }],
      [{ poolIds: [ewon.id] }, { code: 'NOT_FOUND' }],
      [{ name: ' ' }, { code: 'VALIDATION_FAILED', path: ['properties', 'name'] }],
      [{ name: null }, { code: 'VALIDATION_FAILED', path: ['properties', 'name'] }],
      [{ customFields: ['1', '2', '3', '4'] }, { code: 'VALIDATION_FAILED' }],
    ] as const)
      expect(await approve(account.admin, id, { properties })).toMatchObject(refusal);
    expect(await approve(account.admin, id, { properties: { name: 'Both' }, replace: ewon.id })).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['replace'],
    });
    expect(await see(account.admin, id)).toEqual(before);
  });

  test('GRK-23 GRK-25 rejected, it disappears, its certificate is void, and its serial number may come again', async () => {
    const { device, id } = await arrival();
    await device.connect();
    expect(await reject(account.admin, id)).toEqual({ __typename: 'RejectEwonSuccess', ewonId: id });
    await device.waitFor('closed');
    expect(device.lastClose).toMatchObject({ reason: 'CERTIFICATE_REVOKED' });
    expect(await outcome(device)).toBe('CERTIFICATE_REVOKED');
    expect(await see(account.admin, id)).toBeNull();
    const [entry] = await account.log({ codes: ['EWON_REJECTED'] });
    expect(entry).toMatchObject({ userName: 'admin', ewonName: `Ewon ${device.serialNumber}` });

    expect(await reject(account.admin, id)).toMatchObject({ code: 'NOT_FOUND' });
    await device.reset();
    await device.register({ registrationKey: await other.registrationKey() });
    expect(await other.ewonId(device)).not.toBe(id);
  });
});

describe('who may approve and reject', () => {
  test('GRK-23 EWN-12 an Administrator, or whoever administers its pool; not who modifies it, nor another account', async () => {
    const mine = await TestAccount.create(server);
    const [target, elsewhere] = [await mine.pool('Target'), await mine.pool('Elsewhere')];
    await mine.admin.api.succeed(SET_POOL, { poolId: target });
    const all = { administer: true, modify: true, connectEcatcher: true, connectM2web: true };
    const owner = await mine.user('owner', [await mine.group('Owners', [{ poolId: target, administer: true }])]);
    const modifier = await mine.user('modifier', [
      await mine.group('Modifiers', [{ poolId: target, ...all, administer: false }]),
    ]);
    const stranger = await mine.user('stranger', [await mine.group('Strangers', [{ poolId: elsewhere, ...all }])]);
    const { id } = await arrival(mine);
    const { id: second } = await arrival(mine);
    for (const person of [modifier, stranger, other.admin]) {
      // Who may not approve does not see it (GRK-17), so that it is as if it did not exist.
      expect(await approve(person, id)).toMatchObject({ code: 'NOT_FOUND' });
      expect(await reject(person, id)).toMatchObject({ code: 'NOT_FOUND' });
    }
    // EWN-20: to move it on, he must administer the other pool too.
    expect(await approve(owner, id, { properties: { poolIds: [target, elsewhere] } })).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await approve(owner, id, { properties: { name: 'Approved by its owner' } })).toMatchObject({
      ewon: { registrationStatus: 'ACTIVE' },
    });
    expect(await reject(owner, second)).toMatchObject({ ewonId: second });
    // Once a member of the account, nobody approves or rejects it again.
    for (const person of [owner, mine.admin]) {
      expect(await approve(person, id)).toMatchObject({ code: 'NOT_FOUND' });
      expect(await reject(person, id)).toMatchObject({ code: 'NOT_FOUND' });
    }
    expect(await approve(mine.admin, 'bogus')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await approve(mine.admin, target)).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('GRK-19 GRK-23 to replace one must administer the replaced Ewon too', async () => {
    const mine = await TestAccount.create(server);
    const [target, seen, hidden] = [await mine.pool('Target'), await mine.pool('Seen'), await mine.pool('Hidden')];
    await mine.admin.api.succeed(SET_POOL, { poolId: target });
    const owner = await mine.user('owner', [
      await mine.group('Owners', [
        { poolId: target, administer: true },
        { poolId: seen, modify: true, connectEcatcher: true },
      ]),
    ]);
    const inPool = async (name: string, poolId: string) =>
      (await mine.admin.api.succeed(CREATE_EWON, { input: { name, properties: { poolIds: [poolId] } } })).ewon.id;
    const { id, device } = await arrival(mine);
    const { id: rival } = await arrival(mine);
    expect(await approve(owner, id, { replace: await inPool('Seen', seen) })).toMatchObject({ code: 'FORBIDDEN' });
    for (const unseen of [await inPool('Hidden', hidden), (await arrival(other)).id, rival, id])
      expect(await approve(owner, id, { replace: unseen })).toMatchObject({ code: 'NOT_FOUND' });
    const replaced = await inPool('Mine', target);
    expect((await approve(owner, id, { replace: replaced })).ewon).toMatchObject({
      id: replaced,
      serialNumber: device.serialNumber,
    });
  });
});

describe('replacement', () => {
  /** An Ewon with everything that must outlive its device: properties, address, sessions in its log. */
  async function veteran(name: string): Promise<TestEwon> {
    const pool = await account.pool(`Pool of ${name}`);
    const ewon = await account.onlineEwon(
      { name, description: 'Old and good', customFields: ['x', null, 'z'], poolIds: [pool] },
      { model: 'COSY', firmwareVersion: '14.6s0' },
    );
    const { session } = await openSession(account.admin, ewon.id);
    await account.admin.api.succeed(CLOSE_SESSION, { sessionId: session.id });
    await ewon.device.disconnect();
    await eventually(
      'offline',
      () => see(account.admin, ewon.id),
      ({ status }) => status === 'OFFLINE',
    );
    return ewon;
  }

  test('GRK-19 GRK-20 GRK-22 GRK-25 EWN-04 VPN-09 the new device takes the place: properties, pools, address and history stay, device facts and credentials are its own', async () => {
    const old = await veteran('Turbine');
    const { db } = server.app.platform;
    await account.admin.api.succeed(
      'mutation ($input: SetFirewallLevelInput!) { setFirewallLevel(input: $input) { __typename ... on Error { code } } }',
      { input: { ewonId: old.id, level: 'ULTRA' } },
    );
    const before = await see(account.admin, old.id);
    expect(before.vpnAddress).toBe(old.device.vpnAddress);
    const history = await account.log({ ewonIds: [old.id] });
    expect(history.map(({ code }: Json) => code)).toContain('SESSION_STARTED');

    const { device, id } = await arrival(account, { model: 'FLEXY', firmwareVersion: '15.0s0' });
    await device.connect();
    expect(device.tunnelState).toBe('waiting');
    const { ewon } = await account.admin.api.succeed(APPROVE, { input: { ewonId: id, replace: old.id } });
    expect(ewon).toEqual({
      ...before,
      serialNumber: device.serialNumber,
      model: 'FLEXY',
      firmwareVersion: '15.0s0',
      registeredAt: expect.any(String),
      status: expect.stringMatching(/OFFLINE|ONLINE/),
    });
    expect(ewon.registeredAt).not.toBe(before.registeredAt);
    expect(await db.ewon.findUnique({ where: { serialNumber: device.serialNumber } })).toMatchObject({
      firewallLevel: 'ULTRA',
    });

    // The arriving record is gone; the device, which was connected and waiting, goes on as the replaced Ewon.
    expect(await see(account.admin, id)).toBeNull();
    await device.waitFor('online');
    expect(device).toMatchObject({ ewonName: 'Turbine', vpnAddress: before.vpnAddress });
    const { session } = await openSession(account.admin, old.id);
    expect(session).toMatchObject({ ewonVpnAddress: before.vpnAddress });
    await account.admin.api.succeed(CLOSE_SESSION, { sessionId: session.id });
    await device.disconnect();

    const log = await account.log({ ewonIds: [old.id] });
    expect(log.slice(-history.length)).toEqual(history);
    expect(log.find(({ code }: Json) => code === 'EWON_REPLACED')).toMatchObject({
      userName: 'admin',
      ewonReference: before.reference,
      text: `Device of Ewon Turbine replaced: ${old.device.serialNumber} by ${device.serialNumber}`,
    });

    // The replaced device is unregistered: its certificate is void, and its serial number may register anew.
    expect(await outcome(old.device)).toBe('CERTIFICATE_REVOKED');
    await old.device.reset();
    await old.device.register({ registrationKey: await other.registrationKey() });
    expect(old.device.ewonName).toBe(`Ewon ${old.device.serialNumber}`);
  });

  test('GRK-20 GW-07 the switch of the old device says nothing of the new one', async () => {
    const policy = { digitalInput: true, digitalInputPolicy: 'ON_ENABLES' } as const;
    const old = await account.onlineEwon({ name: 'Switched' }, policy);
    await old.device.disconnect();
    await eventually(
      'offline',
      () => see(account.admin, old.id),
      ({ status }) => status === 'OFFLINE',
    );
    const { id } = await arrival();
    await account.admin.api.succeed(APPROVE, { input: { ewonId: id, replace: old.id } });
    const query =
      'query ($id: ID!) { ewon(by: { id: $id }) { digitalInput digitalInputPolicy remoteAccessForbidden } }';
    expect((await account.admin.api.run(query, { id: old.id })).ewon).toEqual({
      digitalInput: null,
      digitalInputPolicy: null,
      remoteAccessForbidden: false,
    });
  });

  test('GRK-20 the certificate of the replacing device opens the tunnel of the replaced record later too', async () => {
    const old = await veteran('Mixer');
    const { device, id } = await arrival();
    await account.admin.api.succeed(APPROVE, { input: { ewonId: id, replace: old.id } });
    await device.connect();
    expect(device).toMatchObject({ tunnelState: 'online', ewonName: 'Mixer', vpnAddress: old.device.vpnAddress });
    await device.renewCertificate();
    await device.disconnect();
    await device.connect();
    expect(device.tunnelState).toBe('online');
    await device.disconnect();
  });

  test('GRK-21 an Ewon that is online, or has a session, is in use: EWON_IN_USE, and nothing changes', async () => {
    const used = await account.onlineEwon({ name: 'Used' });
    const { id } = await arrival();
    const before = await see(account.admin, id);
    const inUse = { code: 'EWON_IN_USE' };
    expect(await approve(account.admin, id, { replace: used.id })).toMatchObject(inUse);
    await openSession(account.admin, used.id);
    expect(await approve(account.admin, id, { replace: used.id })).toMatchObject(inUse);
    expect(await see(account.admin, id)).toEqual(before);
    expect(used.device.tunnelState).toBe('online');
    await used.device.disconnect();
    await eventually(
      'offline',
      () => see(account.admin, used.id),
      ({ status }) => status === 'OFFLINE',
    );
    expect(await approve(account.admin, id, { replace: used.id })).toMatchObject({ ewon: { name: 'Used' } });
  });

  test('GRK-19 EWN-15 a record without a device can be replaced too; its activation key is void then', async () => {
    const input = { name: 'Prepared', properties: { description: 'No device came' } };
    const { ewon, activationKey } = await account.admin.api.succeed(CREATE_EWON, { input });
    const { device, id } = await arrival();
    expect((await approve(account.admin, id, { replace: ewon.id })).ewon).toMatchObject({
      id: ewon.id,
      name: 'Prepared',
      description: 'No device came',
      registrationStatus: 'ACTIVE',
      serialNumber: device.serialNumber,
    });
    await expect((await account.device()).register({ activationKey })).rejects.toMatchObject({
      code: 'ACTIVATION_KEY_INVALID',
    });
  });
});

eachDatabase('at the same moment', (database) => {
  let racing: { server: TestServer; account: TestAccount };
  beforeAll(async () => {
    racing = await startWorld({ database });
  });
  afterAll(() => racing?.server.close());

  test('GRK-16 GRK-23 of an approval and rejections of one Ewon one counts', async () => {
    const { admin } = racing.account;
    for (let round = 0; round < 5; round++) {
      const { id } = await arrival(racing.account);
      const results: Json[] = await Promise.all([
        approve(admin, id, { properties: { name: `Racer ${round}` } }),
        reject(admin, id),
        approve(admin, id),
        reject(admin, id),
      ]);
      expect(results.filter(({ code }) => code === undefined)).toHaveLength(1);
      expect(results.filter(({ code }) => code === 'NOT_FOUND')).toHaveLength(3);
      const approved = results.some(({ __typename }) => __typename === 'ApproveEwonSuccess');
      expect(await see(admin, id)).toEqual(approved ? expect.objectContaining({ registrationStatus: 'ACTIVE' }) : null);
    }
  });

  test('GRK-19 of two devices that are to take the place of one Ewon one does each time, and none is left without a record', async () => {
    const { account: mine } = racing;
    const old = await mine.ewon({ name: 'Contended' });
    const arrivals = await Promise.all([arrival(mine), arrival(mine), arrival(mine)]);
    const results: Json[] = await Promise.all(arrivals.map(({ id }) => approve(mine.admin, id, { replace: old.id })));
    // Each replaces the one before it; the last of them is the device now.
    expect(results.every(({ code }) => code === undefined)).toBe(true);
    const now = await see(mine.admin, old.id);
    const outcomes = await Promise.all(arrivals.map(({ device }) => outcome(device)));
    expect(outcomes.map((state, index) => [arrivals[index]?.device.serialNumber, state])).toEqual(
      arrivals.map(({ device }) => [
        device.serialNumber,
        device.serialNumber === now.serialNumber ? 'online' : 'CERTIFICATE_REVOKED',
      ]),
    );
    await Promise.all(arrivals.map(({ device }) => device.disconnect()));
  });

  test('GRK-18 EWN-03 of two waiting Ewons approved under one name one gets it', async () => {
    const { account: mine } = racing;
    const arrivals = await Promise.all([arrival(mine), arrival(mine)]);
    const results: Json[] = await Promise.all(
      arrivals.map(({ id }, index) =>
        approve(mine.admin, id, { properties: { name: index ? 'one name' : 'One Name' } }),
      ),
    );
    expect(results.map(({ code }) => code).sort()).toEqual(['EWON_NAME_IN_USE', undefined]);
  });

  test('GRK-21 an Ewon that comes online while it is replaced is either in use, or its device is refused', async () => {
    const { account: mine } = racing;
    for (let round = 0; round < 4; round++) {
      const old = await mine.ewon({ name: `Flapping ${round}` });
      const { id, device } = await arrival(mine);
      const [state, result] = await Promise.all([outcome(old.device), approve(mine.admin, id, { replace: old.id })]);
      if (result.code === undefined) {
        await old.device.waitFor('closed');
        expect(await outcome(old.device)).toBe('CERTIFICATE_REVOKED');
        expect(await outcome(device)).toBe('online');
      } else {
        expect([state, result.code]).toEqual(['online', 'EWON_IN_USE']);
      }
      await Promise.all([old.device.disconnect(), device.disconnect()]);
    }
  });
});

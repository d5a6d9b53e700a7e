import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../../device-sim/state.ts';
import { MAX_MESSAGE_BYTES, m2uMessageBytes } from '../../src/gateway/protocol.ts';
import { eventually, type Json } from '../support/client.ts';
import { credentialsOf, RawTunnel } from '../support/raw-tunnel.ts';
import type { TestServer } from '../support/server.ts';
import { startWorld, type TestAccount, type TestEwon } from '../support/world.ts';

const EWON =
  'query ($id: ID!) { ewon(by: { id: $id }) { name status model firmwareVersion lan { address subnet } wanType wanAddress vpnAddress registrationStatus lastSeenAt } }';

let server: TestServer;
let account: TestAccount;
/** Stays online whatever the others do. */
let bystander: TestEwon;

beforeAll(async () => {
  ({ server, account } = await startWorld({ env: { HANDSHAKE_SECONDS: '1', TUNNEL_MESSAGES_PER_MINUTE: '60' } }));
  bystander = await account.onlineEwon();
});
afterAll(() => server.close());

const ewonOf = async (id: string): Promise<Json> => (await account.admin.api.run(EWON, { id })).ewon;

/** The bystander is online and its report arrives: nothing that came before has harmed it. */
async function expectUndisturbed(): Promise<void> {
  const wanAddress = `172.16.${Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`;
  bystander.device.report({ wanAddress });
  await eventually(
    'the report',
    () => ewonOf(bystander.id),
    (ewon) => ewon.wanAddress === wanAddress,
  );
  expect((await ewonOf(bystander.id)).status).toBe('ONLINE');
  expect(bystander.device.tunnelState).toBe('online');
}

async function ewonWithCredentials(properties: Record<string, unknown> = {}) {
  const stateStore = memoryStore();
  const ewon = await account.ewon(properties, {}, { stateStore });
  return { ...ewon, credentials: await credentialsOf(stateStore, ewon.device.serialNumber), stateStore };
}

describe('the steps of a device', () => {
  it('GW-01 GW-02 registers, obtains its certificate and opens its tunnel, each in one call', async () => {
    const device = await account.device();
    expect(device.state).toBe('NEW');
    await expect(device.connect()).rejects.toMatchObject({ code: 'NOT_REGISTERED' });

    const registration = await device.register({ registrationKey: await account.registrationKey() });
    expect(registration).toMatchObject({ outcome: 'REGISTERED', registrationStatus: 'PENDING_APPROVAL' });
    expect(device.certificate).toContain('BEGIN CERTIFICATE');
    expect(device.state).toBe('ACCOUNT_LINKED');

    const id = await account.ewonId(device);
    await account.admin.api.succeed(
      'mutation ($id: ID!) { approveEwon(input: { ewonId: $id }) { __typename ... on Error { code message } } }',
      { id },
    );
    await device.connect();
    expect(device.state).toBe('VPN_PROVISIONED');
    expect(await ewonOf(id)).toMatchObject({ status: 'ONLINE', vpnAddress: device.vpnAddress });
  });

  it('GW-01 becomes part of the account by activation key, and by account and name, without approval', async () => {
    const created = await account.admin.api.succeed(
      'mutation ($input: CreateEwonInput!) { createEwon(input: $input) { __typename ... on CreateEwonSuccess { activationKey ewon { id } } ... on Error { code message } } }',
      { input: { name: 'Made beforehand' } },
    );
    const byKey = await account.device();
    await byKey.register({ activationKey: created.activationKey });
    await byKey.connect();
    expect(await ewonOf(created.ewon.id)).toMatchObject({ name: 'Made beforehand', status: 'ONLINE' });

    const byName = await account.device();
    const proof = { account: account.name, username: 'admin', password: 'Admin-pass-1', ewonName: 'From the wizard' };
    await byName.register(proof);
    await byName.connect();
    expect(await ewonOf(await account.ewonId(byName))).toMatchObject({ name: 'From the wizard', status: 'ONLINE' });
  });

  it('GRK-16 GW-02 is told to wait, and welcomed on the same tunnel once it is approved', async () => {
    const device = await account.device();
    await device.register({ registrationKey: await account.registrationKey() });
    await device.connect();
    expect(device.tunnelState).toBe('waiting');
    const id = await account.ewonId(device);
    expect(await ewonOf(id)).toMatchObject({
      status: 'OFFLINE',
      registrationStatus: 'PENDING_APPROVAL',
      vpnAddress: null,
    });

    // What it reports while it waits is not lost to what it said in its hello.
    device.report({ firmwareVersion: '14.9s1' });
    const ends: unknown[] = [];
    device.on('closed', (end) => ends.push(end));
    await account.admin.api.succeed(
      'mutation ($id: ID!) { approveEwon(input: { ewonId: $id }) { __typename ... on Error { code message } } }',
      { id },
    );
    await device.waitFor('online');
    expect(ends).toEqual([]);
    expect(await ewonOf(id)).toMatchObject({ status: 'ONLINE', firmwareVersion: '14.9s1' });
  });

  it('GRK-19 GW-12 moves a waiting tunnel to the record that its device replaces', async () => {
    const old = await account.onlineEwon({ name: 'Press 1' });
    const oldAddress = old.device.vpnAddress;
    await old.device.disconnect();
    await eventually(
      'offline',
      () => ewonOf(old.id),
      ({ status }) => status === 'OFFLINE',
    );

    const successor = await account.device();
    await successor.register({ registrationKey: await account.registrationKey() });
    await successor.connect();
    expect(successor.tunnelState).toBe('waiting');
    await account.admin.api.succeed(
      'mutation ($input: ApproveEwonInput!) { approveEwon(input: $input) { __typename ... on Error { code message } } }',
      { input: { ewonId: await account.ewonId(successor), replace: old.id } },
    );
    await successor.waitFor('online');
    expect(successor.ewonName).toBe('Press 1');
    expect(successor.vpnAddress).toBe(oldAddress);
    expect(await ewonOf(old.id)).toMatchObject({ name: 'Press 1', status: 'ONLINE', vpnAddress: oldAddress });

    await expect(old.device.connect()).rejects.toMatchObject({ code: 'CERTIFICATE_REVOKED' });
    expect(successor.tunnelState).toBe('online');
  });
});

describe('what a device reports', () => {
  it('GW-06 GW-11 VPN-13 tells its facts with hello and when they change', async () => {
    const { id, device } = await account.onlineEwon(
      {},
      { model: 'FLEXY', firmwareVersion: '14.2s0', wanType: 'WIFI', wanAddress: '192.168.7.20/24', transport: 'UDP' },
    );
    expect(await ewonOf(id)).toMatchObject({
      model: 'FLEXY',
      firmwareVersion: '14.2s0',
      lan: { address: '10.0.0.53/24', subnet: '10.0.0.0/24' },
      wanType: 'WIFI',
      wanAddress: '192.168.7.20/24',
    });

    device.report({ firmwareVersion: '14.3s0', wanType: 'CELLULAR', wanAddress: '100.70.1.2', digitalInput: true });
    device.report({ geolocationEnabled: true });
    const ewon = await eventually(
      'the report',
      () => ewonOf(id),
      ({ firmwareVersion }) => firmwareVersion === '14.3s0',
    );
    expect(ewon).toMatchObject({ model: 'FLEXY', wanType: 'CELLULAR', wanAddress: '100.70.1.2' });
    const stored = await eventually(
      'the flags',
      () => server.app.platform.db.ewon.findFirstOrThrow({ where: { serialNumber: device.serialNumber } }),
      ({ geolocationEnabled }) => geolocationEnabled === true,
    );
    expect(stored.digitalInput).toBe(true);
  });

  it('GW-06 keeps the order of reports, also of those sent before the welcome', async () => {
    const { id, device, credentials } = await ewonWithCredentials();
    const tunnel = new RawTunnel(server, credentials);
    await tunnel.hello({ ...device.facts, firmwareVersion: '1.0s0' });
    for (const firmwareVersion of ['1.1s0', '1.2s0', '1.3s0']) await tunnel.send({ type: 'report', firmwareVersion });
    await eventually(
      'online',
      () => ewonOf(id),
      ({ status }) => status === 'ONLINE',
    );
    await tunnel.send({ type: 'report', wanAddress: '172.20.0.1' });
    const ewon = await eventually(
      'the last report',
      () => ewonOf(id),
      ({ wanAddress }) => wanAddress === '172.20.0.1',
    );
    expect(ewon.firmwareVersion).toBe('1.3s0');
    tunnel.close();
  });

  it('VPN-12 logs a LAN that overlaps the WAN as a configuration error, at hello and at a report', async () => {
    const { id, device, name } = await account.onlineEwon(
      {},
      { lanAddress: '192.168.5.1/24', wanAddress: '192.168.5.77/24' },
    );
    const errors = async () =>
      (await account.log()).filter((entry) => entry.code === 'EWON_CONFIGURATION_ERROR' && entry.ewonName === name);
    expect(await errors()).toMatchObject([{ severity: 'ERROR', trigger: 'EWON' }]);
    expect((await ewonOf(id)).status).toBe('ONLINE');

    device.report({ wanAddress: '10.20.0.9/24' });
    await eventually(
      'the report',
      () => ewonOf(id),
      ({ wanAddress }) => wanAddress === '10.20.0.9/24',
    );
    expect(await errors()).toHaveLength(1);
    device.report({ lanAddress: '10.20.0.1/16' });
    const [latest] = await eventually('the second error', errors, (entries) => entries.length === 2);
    expect(latest.text).toContain('10.20.0.1/16');
    expect(device.tunnelState).toBe('online');
  });

  it('VPN-11 refuses a LAN that overlaps a VPN range: at registration, at hello and at a report', async () => {
    const unregistered = await account.device({ lanAddress: '10.239.1.1/24' });
    await expect(unregistered.register({ registrationKey: await account.registrationKey() })).rejects.toMatchObject({
      code: 'SUBNET_CONFLICT',
    });
    expect(unregistered.state).toBe('NEW');

    const { id, name, device } = await account.onlineEwon();
    device.report({ lanAddress: '10.236.200.1/16' });
    await device.waitFor('closed');
    expect(device.lastClose).toMatchObject({ code: 4423, reason: 'SUBNET_CONFLICT', retry: false });
    await eventually(
      'offline',
      () => ewonOf(id),
      ({ status }) => status === 'OFFLINE',
    );
    expect((await ewonOf(id)).lan.address).toBe('10.0.0.53/24');

    await expect(device.connect()).rejects.toMatchObject({ code: 'SUBNET_CONFLICT' });
    const refusals = await eventually(
      'the refusals in the log',
      async () =>
        (await account.log()).filter(({ code, ewonName }) => code === 'EWON_TUNNEL_REFUSED' && ewonName === name),
      (entries) => entries.length === 2,
    );
    expect(refusals).toMatchObject([
      { severity: 'WARNING', parameters: [{ name: 'reason', value: 'SUBNET_CONFLICT' }] },
      { severity: 'WARNING' },
    ]);
    await expectUndisturbed();
  });
});

describe('a device that keeps no rule', () => {
  const HELLO = { type: 'hello' };
  it.each<[string, (facts: object) => (string | Buffer | object)[]]>([
    ['garbage', () => ['no JSON']],
    ['JSON that is no message', () => ['[1, 2]']],
    ['a message of an unknown type', () => [{ type: 'reboot' }]],
    ['binary data', () => [Buffer.from([1, 2, 3])]],
    ['a binary hello', (facts) => [Buffer.from(JSON.stringify({ ...HELLO, ...facts }))]],
    ['a keep-alive before hello', () => [{ type: 'keepAlive' }]],
    [
      'a second hello',
      (facts) => [
        { ...HELLO, ...facts },
        { ...HELLO, ...facts },
      ],
    ],
    ['a hello without its facts', () => [HELLO]],
    ['a hello with an unknown transport', (facts) => [{ ...HELLO, ...facts, transport: 'ICMP' }]],
    ['a hello with a LAN that is no address', (facts) => [{ ...HELLO, ...facts, lanAddress: '10.0.0.300/24' }]],
    [
      'a report of a value that is none',
      (facts) => [
        { ...HELLO, ...facts },
        { type: 'report', model: 'TOASTER' },
      ],
    ],
  ])('GW-06 is closed with MESSAGE_INVALID for %s', async (_, messages) => {
    const { id, device, credentials } = await ewonWithCredentials();
    const tunnel = new RawTunnel(server, credentials);
    for (const message of messages(device.facts)) await tunnel.send(message);
    expect(await tunnel.ended).toEqual({ code: 4400, reason: 'MESSAGE_INVALID' });
    await eventually(
      'offline',
      () => ewonOf(id),
      ({ status }) => status === 'OFFLINE',
    );

    // It may come again, and well-behaved it is welcome.
    await device.connect();
    expect(device.tunnelState).toBe('online');
    await device.disconnect();
  });

  it('GW-08 is cut for an oversized message, for a flood, and for silence instead of a hello', async () => {
    const { id, device, credentials } = await ewonWithCredentials();
    const large = new RawTunnel(server, credentials);
    await large.hello(device.facts);
    await eventually(
      'online',
      () => ewonOf(id),
      ({ status }) => status === 'ONLINE',
    );
    // Right in form, but for its length; only what is relayed may be longer (M2U-01).
    await large.send(JSON.stringify({ type: 'keepAlive' }).padEnd(MAX_MESSAGE_BYTES + 1));
    expect(await large.ended).toMatchObject({ code: 4400, reason: 'MESSAGE_INVALID' });
    const huge = new RawTunnel(server, credentials);
    await huge.hello(device.facts);
    await huge.send('x'.repeat(m2uMessageBytes(server.config.limits.M2U_PAYLOAD_BYTES) + 1));
    expect(await huge.ended).toMatchObject({ code: 1009 });

    const flood = new RawTunnel(server, credentials);
    await flood.hello(device.facts);
    for (let count = 0; count < 1000; count++) await flood.send({ type: 'keepAlive' });
    expect(await flood.ended).toEqual({ code: 4429, reason: 'TOO_MANY_MESSAGES' });
    expect(flood.messages.length).toBeLessThan(70);

    const silent = new RawTunnel(server, credentials);
    expect(await silent.ended).toEqual({ code: 4408, reason: 'KEEP_ALIVE_TIMEOUT' });
    await eventually(
      'offline',
      () => ewonOf(id),
      ({ status }) => status === 'OFFLINE',
    );
    await expectUndisturbed();
  });

  it('GW-08 is cut off soon when it goes on sending after the end of its tunnel', async () => {
    const { device, credentials } = await ewonWithCredentials();
    const tunnel = new RawTunnel(server, credentials);
    await tunnel.hello(device.facts);
    await tunnel.opened;
    // It reads nothing, so it never answers the close frame.
    tunnel.webSocket.pause();
    const gone = new Promise<number>((resolve) => {
      const from = performance.now();
      tunnel.tls?.once('close', () => resolve(performance.now() - from));
    });
    await tunnel.send('garbage');
    const keepsSending = setInterval(() => void tunnel.send({ type: 'keepAlive' }), 20);
    expect(await gone.finally(() => clearInterval(keepsSending))).toBeLessThan(5000);
    await expectUndisturbed();
  });

  it('GW-02 is refused with another path, without a certificate, or with another version of the protocol', async () => {
    const { id, device, credentials } = await ewonWithCredentials();
    expect(await new RawTunnel(server, credentials, { path: '/other' }).ended).toEqual({ status: 404 });
    expect((await new RawTunnel(server, {}).ended).error).toMatch(/CERTIFICATE_REQUIRED/);
    const unversioned = new RawTunnel(server, credentials, { subprotocols: [] });
    expect(await unversioned.ended).toEqual({ code: 4406, reason: 'UNSUPPORTED_PROTOCOL' });
    // A client such as `ws` itself takes the choice of none of its subprotocols for a refusal.
    const other = new RawTunnel(server, credentials, { subprotocols: ['talkgate.tunnel.v2'] });
    expect(await other.opened).toBe(false);
    const future = new RawTunnel(server, credentials, { subprotocols: ['talkgate.tunnel.v2', 'talkgate.tunnel.v1'] });
    await future.hello(device.facts);
    await eventually(
      'online',
      () => ewonOf(id),
      ({ status }) => status === 'ONLINE',
    );
    expect(future.webSocket.protocol).toBe('talkgate.tunnel.v1');
    future.close();
    await expectUndisturbed();
  });

  it('GW-04 is refused with the serial number of another device in its hello, and the refusal is logged', async () => {
    const victim = await account.onlineEwon();
    const { device, credentials, name } = await ewonWithCredentials();
    const tunnel = new RawTunnel(server, credentials);
    await tunnel.hello({ ...device.facts, serialNumber: victim.device.serialNumber });
    expect(await tunnel.ended).toEqual({ code: 4422, reason: 'SERIAL_NUMBER_MISMATCH' });
    const [entry] = await eventually(
      'the refusal in the log',
      async () =>
        (await account.log()).filter(({ code, ewonName }) => code === 'EWON_TUNNEL_REFUSED' && ewonName === name),
      (entries) => entries.length > 0,
    );
    expect(entry).toMatchObject({ severity: 'WARNING', parameters: [{ value: 'SERIAL_NUMBER_MISMATCH' }] });
    expect(victim.device.tunnelState).toBe('online');
    expect((await ewonOf(victim.id)).status).toBe('ONLINE');
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SessionTunnel } from '../../client/session-tunnel.ts';
import type { Device } from '../../device-sim/device.ts';
import { tryToEnrolAs } from '../../device-sim/impostor.ts';
import { type PhoneNetwork, startPhoneNetwork } from '../../device-sim/phone-network.ts';
import { eventually, type Json } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, openSession, startWorld, type TestAccount, type TestEwon } from '../support/world.ts';

const PLC = '10.0.0.20';
const SERVICES = [
  { address: '10.0.0.40', port: 1, kind: 'refuse' },
  { address: '10.0.0.40', port: 2, kind: 'hang' },
  { address: '10.0.0.40', port: 3, kind: 'stall' },
  { address: '10.0.0.40', port: 4, kind: 'reset' },
] as const;
const RECONNECT = { baseMs: 5, capMs: 20 };

let phones: PhoneNetwork;
let server: TestServer;
let account: TestAccount;
let ewon: TestEwon;
let device: Device;
const sessions: SessionTunnel[] = [];

beforeAll(async () => {
  phones = await startPhoneNetwork();
  ({ server, account } = await startWorld({
    env: { SMS_URL: phones.url ?? '', SMS_INCLUDED_PRO: '1000', STREAM_DIAL_SECONDS: '1' },
  }));
  await account.setSlots(10);
  ewon = await account.onlineEwon(
    { name: 'Pump' },
    {},
    { lan: { more: SERVICES }, maxStreams: 3, reconnect: RECONNECT },
  );
  device = ewon.device;
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});
afterAll(async () => {
  await device.disconnect();
  await server.close();
  await phones.close();
});

/** A user's session to an Ewon, as a client holds it. */
async function connect(to = ewon): Promise<SessionTunnel & { id: string }> {
  const opened = await openSession(account.admin, to.id, { switch: true });
  const authority = server.app.platform.authority.certificatePem;
  const tunnel = await SessionTunnel.open(opened.tunnel, { authority });
  sessions.push(tunnel);
  return Object.assign(tunnel, { id: opened.session.id });
}

const see = async (id: string): Promise<Json> =>
  (
    await account.admin.api.run(
      'query ($id: ID!) { ewon(by: { id: $id }) { status firmwareVersion digitalInput digitalInputPolicy } }',
      { id },
    )
  ).ewon;
const becomes = (id: string, facts: object) =>
  eventually(
    'Ewon',
    () => see(id),
    (now) => Object.entries(facts).every(([key, value]) => now[key] === value),
  );
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const failure = (stream: Duplex): Promise<Json> => new Promise((resolve) => stream.once('error', resolve));

describe('streams to the simulated LAN', () => {
  it('SIM-08 TUN-01 an unmodified request of Modbus reads and writes the registers of the PLC', async () => {
    const stream = await (await connect()).openStream({ address: PLC, port: 502 });
    const ask = async (...pdu: number[]) => {
      stream.write(Buffer.from([0, 1, 0, 0, 0, pdu.length + 1, 1, ...pdu]));
      return [...((await once(stream, 'data'))[0] as Buffer)].slice(7);
    };
    expect(await ask(16, 0, 10, 0, 2, 4, 0, 5, 0, 6)).toEqual([16, 0, 10, 0, 2]);
    expect(await ask(3, 0, 10, 0, 2)).toEqual([3, 4, 0, 5, 0, 6]);
    expect([10, 11].map((register) => device.lan.plc().register(register))).toEqual([5, 6]);
    device.lan.plc().setRegister(10, 7);
    expect(await ask(3, 0, 10, 0, 1)).toEqual([3, 2, 0, 7]);
    stream.destroy();
  });

  it('SIM-08 TUN-05 megabytes go through the web page in both directions unchanged, and both ends count the same', async () => {
    const session = await connect();
    const before = device.streams;
    const bytes = randomBytes(3_000_001);
    const call = async (method: string, path: string, body?: Buffer) => {
      const stream = await session.openStream({ address: PLC, port: 80 });
      const [response] = (await once(
        httpRequest({ method, path, createConnection: () => stream as never, headers: { connection: 'close' } }).end(
          body,
        ),
        'response',
      )) as [IncomingMessage];
      return buffer(response);
    };
    expect(JSON.parse(String(await call('PUT', '/upload', bytes)))).toEqual({
      bytes: 3_000_001,
      sha256: sha256(bytes),
    });
    expect((await call('GET', '/download?bytes=2000000')).length).toBe(2_000_000);
    await eventually(
      'closed',
      () => device.streams.open,
      (open) => open === 0,
    );
    const carried = {
      bytesIn: device.streams.bytesIn - before.bytesIn,
      bytesOut: device.streams.bytesOut - before.bytesOut,
    };
    expect(carried).toEqual({ bytesIn: session.bytesIn, bytesOut: session.bytesOut });
    expect(carried.bytesIn).toBeGreaterThan(3_000_001);
    await eventually(
      'bytes of the session',
      async () =>
        (
          await account.admin.api.run('query ($id: ID!) { node(id: $id) { ... on Session { bytesIn bytesOut } } }', {
            id: session.id,
          })
        ).node,
      ({ bytesIn, bytesOut }) => Number(bytesIn) === carried.bytesIn && Number(bytesOut) === carried.bytesOut,
    );
  });

  it('SIM-08 TUN-01 the echo gives everything back after the user has ended his direction', async () => {
    const stream = await (await connect()).openStream({ address: '10.0.0.30', port: 7 });
    const bytes = randomBytes(1_000_003);
    stream.end(bytes);
    expect(sha256(await buffer(stream))).toBe(sha256(bytes));
    await eventually('closed', () => stream.closed, Boolean);
    expect(stream.errored).toBeNull();
  });

  it('SIM-08 ports that refuse, hang, break or stall do so for the user, and a device has a bounded number of streams', async () => {
    const session = await connect();
    const open = (address: string, port: number) => session.openStream({ address, port });
    await expect(open('10.0.0.40', 1)).rejects.toMatchObject({ code: 'LAN_DEVICE_REFUSED' });
    await expect(open('10.0.0.99', 1)).rejects.toMatchObject({ code: 'LAN_DEVICE_UNREACHABLE' });
    const hanging = expect(open('10.0.0.40', 2)).rejects.toMatchObject({ code: 'LAN_DEVICE_TIMEOUT' });

    const broken = await open('10.0.0.40', 4);
    broken.write('?');
    expect(await failure(broken)).toMatchObject({ code: 'CONNECTION_LOST' });
    await hanging;

    const stalled = await Promise.all([1, 2, 3].map(() => open('10.0.0.40', 3)));
    await expect(open('10.0.0.40', 3)).rejects.toMatchObject({ code: 'DEVICE_BUSY' });
    stalled[0]?.destroy();
    await eventually(
      'closed',
      () => device.streams.open,
      (count) => count === 2,
    );
    (await open('10.0.0.40', 3)).destroy();
    for (const stream of stalled) stream.destroy();
    await eventually(
      'closed',
      () => device.streams.open,
      (count) => count === 0,
    );
  });

  it('SIM-05 streams of a device that vanishes fall silent, and those of one that loses power break', async () => {
    const session = await connect();
    const echo = await session.openStream({ address: '10.0.0.30', port: 7 });
    echo.write('ping');
    expect(String((await once(echo, 'data'))[0])).toBe('ping');
    let heard = false;
    echo.once('data', () => {
      heard = true;
    });
    device.vanish();
    echo.write('anybody?');
    await device.connect(); // with a tunnel beside the silent one, which the gateway replaces
    expect(heard).toBe(false);
    echo.destroy();
    const next = await (await connect()).openStream({ address: '10.0.0.30', port: 7 });
    const lost = failure(next);
    device.vanish({ destroy: true });
    expect(await lost).toMatchObject({ code: expect.stringMatching(/^(CONNECTION_LOST|SESSION_CLOSED)$/) });
    await device.connect();
  });
});

describe('behaviours', () => {
  it('GW-07 SIM-05 the digital input closes the tunnel and opens it again', async () => {
    device.report({ digitalInputPolicy: 'ON_ENABLES', digitalInput: true });
    await becomes(ewon.id, { digitalInputPolicy: 'ON_ENABLES', digitalInput: true });
    device.setDigitalInput(false);
    await device.waitFor('closed');
    expect(device.lastClose).toMatchObject({ reason: 'REMOTE_ACCESS_DISABLED', retry: false });
    await expect(device.connect()).rejects.toMatchObject({ code: 'REMOTE_ACCESS_DISABLED' });
    await device.wake();
    expect(device.tunnelState).toBe('closed');
    await becomes(ewon.id, { status: 'OFFLINE', digitalInput: false });
    device.setDigitalInput(true);
    await device.waitFor('online');
    await becomes(ewon.id, { status: 'ONLINE', digitalInput: true });
    device.report({ digitalInputPolicy: 'IGNORE' });
  });

  it('SIM-05 a firmware update takes the device down and brings it back with the new version', async () => {
    const states: string[] = [];
    device.on('closed', ({ reason }) => states.push(reason));
    await device.updateFirmware('22.9s1');
    expect(states).toEqual(['BY_DEVICE']);
    await becomes(ewon.id, { status: 'ONLINE', firmwareVersion: '22.9s1' });
    await expect(device.updateFirmware('newest')).rejects.toMatchObject({ code: 'VALUE_INVALID' });
  });

  it('SIM-05 garbage ends the tunnel, and the device comes again', async () => {
    const { tunnelId } = device;
    device.sendGarbage();
    await device.waitFor(() => device.lastClose?.reason === 'MESSAGE_INVALID');
    await device.waitFor('online');
    expect(device.tunnelId).not.toBe(tunnelId);
  });

  it('SIM-05 GW-14 pushed values are read in the DataMailbox; by a clock that is wrong they are refused or dated wrong', async () => {
    const skewMs = server.clock.now().getTime() - Date.now();
    device.setFaults({ clockSkewMs: skewMs });
    await device.pushData(Array.from({ length: 120 }, (_, value) => ({ tag: 'level', value })));
    device.setFaults({ clockSkewMs: skewMs - 3600_000 });
    await device.pushData([{ tag: 'late', value: 1 }]);
    const { nodes } = (
      await account.admin.api.run('query { dataPoints(last: 2) { nodes { tag value at receivedAt } } }')
    ).dataPoints;
    expect(nodes).toMatchObject([{ tag: 'level', value: 119 }, { tag: 'late' }]);
    const [level, late] = nodes.map(({ at, receivedAt }: Json) => Date.parse(receivedAt) - Date.parse(at));
    expect(Math.abs(level)).toBeLessThan(60_000);
    expect(late).toBeGreaterThan(3500_000);
    device.setFaults({ clockSkewMs: skewMs + 30 * 24 * 3600_000 });
    await expect(device.pushData([{ tag: 'early', value: 1 }])).rejects.toMatchObject({
      code: expect.stringMatching(/^[A-Z_]+$/),
    });
    device.setFaults({ clockSkewMs: 0 });
  });

  it('SIM-05 GW-13 mail and text messages are taken, or refused with the reason of the platform', async () => {
    const login = { username: 'admin', password: ADMIN_PASSWORD };
    const mail = { to: 'night@example.com', subject: 'Level', text: 'Too high' };
    await expect(device.sendMail({ ...login, password: 'wrong', ...mail })).rejects.toMatchObject({
      code: 'INVALID_CREDENTIALS',
    });
    await account.user('robot', [await account.group('Senders', [], { mailSender: true, smsSender: true })]);
    const robot = { username: 'robot', password: 'User-pass-1' };
    await device.sendMail({ ...robot, ...mail });
    await device.sendSms({ ...robot, to: '+32470123456', text: 'Too high' });
    await expect(device.sendSms({ ...robot, to: 'nobody', text: 'x' })).rejects.toMatchObject({
      code: 'INVALID_PHONE_NUMBER',
    });
  });

  it('SIM-05 GW-03 a certificate that has expired or is of another authority opens no tunnel', async () => {
    for (const kind of ['EXPIRED', 'FOREIGN'] as const)
      expect(await device.tryConnectWith(kind)).toMatch(/^(CERTIFICATE_REFUSED|UNREACHABLE)$/);
    expect(device.tunnelState).toBe('online');
  });

  it('SIM-05 GW-04 an impostor gets no certificate for the serial number of another, and leaves it as it is', async () => {
    const options = {
      deviceUrl: server.app.gatewayUrls.device,
      authority: server.app.platform.authority.certificatePem,
      proof: { registrationKey: await account.registrationKey() },
    };
    expect(await tryToEnrolAs(device.serialNumber, options)).toBe('DEVICE_ALREADY_REGISTERED');
    expect(await tryToEnrolAs(device.serialNumber, { ...options, ownSerialNumber: '2307-0101-25' })).toBe(
      'SERIAL_NUMBER_MISMATCH',
    );
    await expect(tryToEnrolAs('2307-9999-99', options)).rejects.toMatchObject({ code: 'NOT_REFUSED' });
    expect(device.tunnelState).toBe('online');
  });

  it('SIM-05 WAK-02 a device on demand stays offline until an SMS wakes it, and goes when it is sent offline', async () => {
    const number = '+32470999001';
    const reach = { connectionMode: 'ON_DEMAND', wakeUpNumber: number };
    const sleeper = await account.ewon(
      { name: 'Sleeper', ...reach },
      {},
      { connectionMode: 'ON_DEMAND', phoneNumber: number, reconnect: RECONNECT },
    );
    phones.add(sleeper.device);
    expect(phones.deliverSms(number, 'Your code is 123456')).toBe('IGNORED');
    expect(sleeper.device.tunnelState).toBe('closed');

    const run = (verb: string) =>
      account.admin.api.succeed(
        `mutation ($ewonId: ID!) { ${verb}(input: { ewonId: $ewonId }) { __typename ... on Error { code message } } }`,
        { ewonId: sleeper.id },
      );
    await run('wakeUpEwon');
    await sleeper.device.waitFor('online');
    await becomes(sleeper.id, { status: 'ONLINE' });
    await run('sendEwonOffline');
    await sleeper.device.waitFor('closed');
    expect(sleeper.device.lastClose).toMatchObject({ reason: 'SENT_OFFLINE', retry: false });
    await becomes(sleeper.id, { status: 'OFFLINE' });
  });
});

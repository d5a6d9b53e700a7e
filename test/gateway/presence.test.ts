import { randomUUID, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDevice } from '../../device-sim/device.ts';
import { memoryStore } from '../../device-sim/state.ts';
import { readConfig } from '../../src/config.ts';
import type { Db } from '../../src/database/database.ts';
import { identifyDevice } from '../../src/gateway/identity.ts';
import { Tunnels } from '../../src/gateway/tunnels.ts';
import { eventually, type Json } from '../support/client.ts';
import { startProcess, type TestProcess } from '../support/process.ts';
import { credentialsOf, RawTunnel } from '../support/raw-tunnel.ts';
import { copyDatabase, eachDatabase, onPostgres, startServer, type TestServer } from '../support/server.ts';
import { openSession, startWorld, TestAccount, type TestEwon } from '../support/world.ts';

const EWON =
  'query ($id: ID!) { ewon(by: { id: $id }) { status vpnAddress onlineSince lastSeenAt sessions(first: 5) { nodes { state closeReason } } } }';

const ewonOf = async (account: TestAccount, id: string): Promise<Json> =>
  (await account.admin.api.run(EWON, { id })).ewon;
const hasStatus = (account: TestAccount, id: string, status: string, timeoutMs?: number): Promise<Json> =>
  eventually(
    status,
    () => ewonOf(account, id),
    (ewon) => ewon.status === status,
    timeoutMs,
  );
const codesOf = async (account: TestAccount, name: string): Promise<string[]> =>
  (await account.log({}, 500)).filter(({ ewonName }) => ewonName === name).map(({ code }) => code as string);

eachDatabase('the tunnels of one device', (database) => {
  let server: TestServer;
  let account: TestAccount;
  beforeAll(async () => {
    ({ server, account } = await startWorld({ database }));
  });
  afterAll(() => server.close());

  /** An Ewon with two devices that share its credentials, as a copied device would. */
  async function twins(): Promise<{ ewon: TestEwon; twin: TestEwon['device'] }> {
    const stateStore = memoryStore();
    const ewon = await account.ewon({}, {}, { stateStore });
    const { facts } = ewon.device;
    const authority = server.app.platform.authority.certificatePem;
    const deviceUrl = server.app.gatewayUrls.device;
    const twin = await createDevice({ facts, stateStore, platform: { deviceUrl, authority }, reconnect: false });
    return { ewon, twin };
  }

  it('GW-05 the second replaces the first with a warning; the session stays, and the end of the first changes nothing', async () => {
    const { ewon, twin } = await twins();
    await ewon.device.connect();
    const { session } = await openSession(account.admin, ewon.id);
    await twin.connect();
    await ewon.device.waitFor('closed');
    expect(ewon.device.lastClose).toMatchObject({ code: 4409, reason: 'REPLACED', retry: false });
    expect(twin.vpnAddress).toBe(ewon.device.vpnAddress);

    const [entry] = await account.log();
    expect(entry).toMatchObject({ code: 'EWON_TUNNEL_REPLACED', severity: 'WARNING', ewonName: ewon.name });
    // Its report is written after the end of the first has been dealt with: both go the same way, in order.
    twin.report({ wanAddress: '172.30.1.1' });
    await eventually(
      'the report',
      () => server.app.platform.db.ewon.findFirstOrThrow({ where: { serialNumber: twin.serialNumber } }),
      ({ wanAddress }) => wanAddress === '172.30.1.1',
    );
    expect(await ewonOf(account, ewon.id)).toMatchObject({
      status: 'CONNECTED',
      sessions: { nodes: [{ state: 'OPEN' }] },
    });
    expect(session.state).toBe('OPEN');
    expect(await codesOf(account, ewon.name)).not.toContain('EWON_OFFLINE');

    await twin.disconnect();
    expect(await hasStatus(account, ewon.id, 'OFFLINE')).toMatchObject({
      sessions: { nodes: [{ state: 'CLOSED', closeReason: 'EWON_OFFLINE' }] },
    });
  });

  it('GW-05 of many that open at once one stays, it is the one on record, and the log agrees', async () => {
    const stateStore = memoryStore();
    const ewon = await account.ewon({}, {}, { stateStore });
    const credentials = await credentialsOf(stateStore, ewon.device.serialNumber);
    for (let round = 0; round < 4; round++) {
      const tunnels = Array.from({ length: 6 }, () => new RawTunnel(server, credentials));
      let open = tunnels.length;
      for (const tunnel of tunnels) void tunnel.ended.then(() => open--);
      await Promise.all(tunnels.map((tunnel) => tunnel.hello(ewon.device.facts)));
      await eventually(
        'one tunnel',
        () => open,
        (count) => count === 1,
      );
      const stored = await server.app.platform.db.ewon.findFirstOrThrow({
        where: { serialNumber: ewon.device.serialNumber },
      });
      const standing = tunnels.filter(({ webSocket }) => webSocket.readyState === webSocket.OPEN);
      expect(standing).toHaveLength(1);
      expect(standing[0]?.messages.at(0)).toMatchObject({ type: 'welcome', tunnelId: stored.tunnelId });
      await standing[0]?.send({ type: 'keepAlive' });
      await eventually(
        'its answer',
        () => standing[0]?.messages,
        (messages) => messages?.at(-1)?.type === 'keepAlive',
      );
      expect((await ewonOf(account, ewon.id)).status).toBe('ONLINE');
      standing[0]?.webSocket.close(1000);
      await hasStatus(account, ewon.id, 'OFFLINE');
    }
    const codes = (await codesOf(account, ewon.name)).filter(
      (code) => code.startsWith('EWON_O') || code.includes('TUNNEL'),
    );
    const count = (code: string) => codes.filter((each) => each === code).length;
    expect(count('EWON_ONLINE')).toBe(4);
    expect(count('EWON_OFFLINE')).toBe(4);
    expect(count('EWON_TUNNEL_REPLACED')).toBe(4 * 5);
  });

  it('GW-05 VPN-09 comes again quickly, many times, and is online with its address in the end', async () => {
    const { device, id, name } = await account.onlineEwon();
    const { vpnAddress } = device;
    for (let round = 0; round < 10; round++) {
      if (round % 3 === 0) device.vanish({ destroy: true });
      else if (round % 3 === 1) device.vanish();
      else await device.disconnect();
      await device.connect();
      expect(device.vpnAddress).toBe(vpnAddress);
    }
    device.report({ wanAddress: '172.30.2.2' });
    await eventually(
      'the report',
      () => server.app.platform.db.ewon.findFirstOrThrow({ where: { serialNumber: device.serialNumber } }),
      ({ wanAddress }) => wanAddress === '172.30.2.2',
    );
    expect(await ewonOf(account, id)).toMatchObject({ status: 'ONLINE', vpnAddress });
    expect(device.tunnelState).toBe('online');
    const codes = await codesOf(account, name);
    const count = (code: string) => codes.filter((each) => each === code).length;
    expect(count('EWON_ONLINE') - count('EWON_OFFLINE')).toBe(1);
    await device.disconnect();
  });
});

describe('keep-alive', () => {
  let server: TestServer;
  let account: TestAccount;
  beforeAll(async () => {
    ({ server, account } = await startWorld({ env: { KEEP_ALIVE_SECONDS: '1', OFFLINE_AFTER_SECONDS: '2' } }));
  });
  afterAll(() => server.close());

  it('GW-08 takes a device that vanished without closing offline in time, with its sessions, and nobody else', async () => {
    const other = await account.onlineEwon();
    const { device, id, name } = await account.onlineEwon();
    await openSession(account.admin, id);
    device.vanish();
    const from = performance.now();
    const gone = await hasStatus(account, id, 'OFFLINE');
    expect(performance.now() - from).toBeGreaterThan(1000);
    expect(performance.now() - from).toBeLessThan(5000);
    expect(gone).toMatchObject({
      vpnAddress: device.vpnAddress,
      sessions: { nodes: [{ closeReason: 'EWON_OFFLINE' }] },
    });
    const entries = (await account.log()).filter(({ code, ewonName }) => code === 'EWON_OFFLINE' && ewonName === name);
    expect(entries).toMatchObject([{ parameters: [{ name: 'reason', value: 'no keep-alive' }] }]);

    // The other has kept its tunnel all the time, by keep-alives alone.
    expect((await ewonOf(account, other.id)).status).toBe('ONLINE');
    expect(await codesOf(account, other.name)).not.toContain('EWON_OFFLINE');

    await device.connect();
    expect((await ewonOf(account, id)).status).toBe('ONLINE');
  });

  it('GW-08 tells the device the intervals, and by default those of real devices', async () => {
    const { device } = await account.ewon();
    const welcomed = new Promise<Json>((resolve) => device.once('message', resolve));
    await device.connect();
    expect(await welcomed).toMatchObject({ type: 'welcome', keepAliveSeconds: 1, offlineAfterSeconds: 2 });
    expect(readConfig({}).limits).toMatchObject({
      KEEP_ALIVE_SECONDS: 30,
      OFFLINE_AFTER_SECONDS: 120,
      CERTIFICATE_DAYS: 90,
    });
  });

  it('GW-08 takes an Ewon offline also when its end could not be written at first', async () => {
    const { db } = server.app.platform;
    const { device, id } = await account.onlineEwon();
    await db.$executeRaw`ALTER TABLE "LogEntry" RENAME TO "LogEntryAway"`;
    try {
      await device.disconnect();
      // The write has failed by the time that another account-locked one has: they go one after the other.
      await eventually(
        'a failed write',
        () => account.admin.api.send('mutation { renewRegistrationKey { __typename } }'),
        ({ errors }) => errors !== undefined,
      );
      expect((await ewonOf(account, id)).status).toBe('ONLINE');
    } finally {
      await db.$executeRaw`ALTER TABLE "LogEntryAway" RENAME TO "LogEntry"`;
    }
    await hasStatus(account, id, 'OFFLINE', 15_000);
  });
});

describe('the comparison with the wanted state', () => {
  it('GW-05 does not take a tunnel that came online meanwhile for a lost one', async () => {
    const { server, account } = await startWorld();
    const stateStore = memoryStore();
    const { device } = await account.ewon({}, {}, { stateStore });
    const { platform } = server.app;
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let reads = 0;
    // Its answers are of before, and late.
    const db = platform.db.$extends({
      query: {
        certificate: {
          findMany: async ({ args, query }) => {
            const rows = await query(args);
            reads += 1;
            await held;
            return rows;
          },
        },
      },
    }) as unknown as Db;
    const tunnels = new Tunnels({ ...platform, db }, 'wss://gateway.example');
    await tunnels.start();
    try {
      const { certificate } = await credentialsOf(stateStore, device.serialNumber);
      const identity = await identifyDevice(platform, new X509Certificate(certificate).raw);
      if (typeof identity === 'string') throw new Error(identity);
      const sent: string[] = [];
      const tunnel = tunnels.add(identity, {
        bufferedAmount: 0,
        send: (data) => void sent.push(JSON.parse(data).type),
        close: (_code, reason) => void sent.push(`close ${reason}`),
        terminate: () => void sent.push('terminate'),
      });
      platform.bell.ring('ewons');
      await eventually(
        'the first read',
        () => reads,
        (count) => count === 1,
      );
      tunnel.receive(JSON.stringify({ type: 'hello', ...device.facts }));
      await eventually(
        'welcome',
        () => sent,
        ([first]) => first === 'welcome',
      );
      platform.bell.ring('ewons');
      letGo();
      await eventually(
        'the next read',
        () => reads,
        (count) => count > 1,
      );
      expect(sent).toEqual(['welcome']);
    } finally {
      await tunnels.close();
      await server.close();
    }
  });
});

describe('a gateway that stops', () => {
  it('GW-08 closes its tunnels with 1012; its devices come again to the next start, with their addresses', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'talkgate-presence-'));
    const env = { DATA_DIR: join(folder, 'data') };
    const databaseUrl = `pglite://${join(folder, 'db')}`;
    await copyDatabase(join(folder, 'db'));
    const first = await startServer({ databaseUrl, env });
    const account = await TestAccount.create(first);
    const reconnect = { baseMs: 50, capMs: 200 };
    const ewons = [await account.onlineEwon({}, {}, { reconnect }), await account.onlineEwon({}, {}, { reconnect })];
    const addresses = ewons.map(({ device }) => device.vpnAddress);
    const ends = ewons.map(({ device }) => new Promise<Json>((resolve) => device.once('closed', resolve)));
    const ports = Object.fromEntries(
      [
        ['DEVICE_PORT', first.app.gatewayUrls.device] as const,
        ['TUNNEL_PORT', first.app.gatewayUrls.tunnel] as const,
      ].map(([name, url]) => [name, new URL(url).port]),
    );
    await first.close();
    for (const end of ends) expect(await end).toMatchObject({ code: 1012, reason: 'SERVICE_RESTART', retry: true });

    const second = await startServer({ databaseUrl, env: { ...env, ...ports } });
    try {
      await Promise.all(ewons.map(({ device }) => device.waitFor('online')));
      expect(ewons.map(({ device }) => device.vpnAddress)).toEqual(addresses);
      const codes = await second.app.platform.db.logEntry.findMany({
        where: { code: { in: ['EWON_ONLINE', 'EWON_OFFLINE'] } },
        orderBy: { seq: 'asc' },
      });
      expect(codes.map(({ code }) => code).sort()).toEqual([
        'EWON_OFFLINE',
        'EWON_OFFLINE',
        'EWON_ONLINE',
        'EWON_ONLINE',
        'EWON_ONLINE',
        'EWON_ONLINE',
      ]);
    } finally {
      await Promise.all(ewons.map(({ device }) => device.disconnect()));
      await second.close();
      await rm(folder, { recursive: true, force: true });
    }
  }, 90_000);
});

onPostgres('two gateways on one database', () => {
  let folder: string;
  let server: TestServer;
  let account: TestAccount;
  let other: TestProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'talkgate-presence-'));
    server = await startServer({ database: 'postgresql', env: { DATA_DIR: folder, GATEWAY_LEASE_SECONDS: '5' } });
    account = await TestAccount.create(server);
    other = await startProcess({
      DATABASE_URL: server.databaseUrl,
      DATA_DIR: folder,
      ROLES: 'gateway',
      GATEWAY_LEASE_SECONDS: '5',
    });
  });
  afterAll(async () => {
    await other?.kill();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('GW-08 GW-05 a killed one loses its Ewons and their sessions when its lease ends; the devices come again elsewhere', async () => {
    const here = await account.onlineEwon();
    const stateStore = memoryStore();
    const platform = {
      deviceUrl: other.ready.device,
      authority: server.app.platform.authority.certificatePem,
    };
    const there = await account.ewon({ name: `There ${randomUUID().slice(0, 4)}` }, {}, { platform, stateStore });
    await there.device.connect();
    expect((await ewonOf(account, there.id)).status).toBe('ONLINE');
    const user = await account.user('operator', [
      await account.group('Operators', [{ poolId: await account.defaultPool(), connectEcatcher: true }]),
    ]);
    expect((await openSession(account.admin, here.id)).__typename).toBe('OpenSessionSuccess');
    expect((await openSession(user, there.id)).__typename).toBe('OpenSessionSuccess');

    // The device of the other gateway, seen again at this one, leaves that one.
    const credentials = await credentialsOf(stateStore, there.device.serialNumber);
    const roaming = new RawTunnel(server, credentials);
    await roaming.hello(there.device.facts);
    await there.device.waitFor('closed');
    expect(there.device.lastClose).toMatchObject({ reason: 'REPLACED' });
    expect((await ewonOf(account, there.id)).status).toBe('CONNECTED');
    await there.device.connect();
    expect(await roaming.ended).toMatchObject({ reason: 'REPLACED' });
    expect((await ewonOf(account, there.id)).status).toBe('CONNECTED');

    await other.kill('SIGKILL');
    // Nobody has told this instance; the Ewon counts as online until the lease ends.
    expect((await ewonOf(account, there.id)).status).toBe('CONNECTED');
    server.clock.advance(6000);
    await server.app.jobs.run();
    expect(await ewonOf(account, there.id)).toMatchObject({
      status: 'OFFLINE',
      sessions: { nodes: [{ state: 'CLOSED', closeReason: 'EWON_OFFLINE' }] },
    });
    const [entry] = (await account.log()).filter(({ code }) => code === 'EWON_OFFLINE');
    expect(entry).toMatchObject({ ewonName: there.name, parameters: [{ name: 'reason', value: 'gateway lost' }] });
    expect(await server.app.platform.db.gatewayLease.count()).toBe(1);

    // Those of this instance kept their tunnel and session.
    expect(await ewonOf(account, here.id)).toMatchObject({
      status: 'CONNECTED',
      sessions: { nodes: [{ state: 'OPEN' }] },
    });
    expect(here.device.tunnelState).toBe('online');
    const again = new RawTunnel(server, credentials);
    await again.hello(there.device.facts);
    await eventually(
      'welcome',
      () => again.messages,
      ([first]) => first?.type === 'welcome',
    );
    expect(again.messages[0].vpnAddress).toBe(there.device.vpnAddress);
    again.close();
  });

  it('GW-08 one that lost its lease sends its devices away, and they are welcome again at once', async () => {
    const { device, id } = await account.onlineEwon({}, {}, { reconnect: { baseMs: 20, capMs: 100 } });
    const ended = new Promise<Json>((resolve) => device.once('closed', resolve));
    // As another instance does that finds the lease dead.
    const { db } = server.app.platform;
    await db.ewon.updateMany({ data: { gatewayId: null, tunnelId: null } });
    await db.gatewayLease.deleteMany();
    await server.app.jobs.run();
    expect(await ended).toMatchObject({ code: 1012, retry: true });
    await device.waitFor('online');
    expect((await ewonOf(account, id)).status).toBe('ONLINE');
    await device.disconnect();
  });
});

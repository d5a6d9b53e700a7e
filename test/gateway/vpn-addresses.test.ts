import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { assignAddresses } from '../../src/vpn/addresses.ts';
import { eventually, type Json } from '../support/client.ts';
import { eachDatabase, onPostgres, startServer, type TestServer } from '../support/server.ts';
import {
  ADMIN_PASSWORD,
  CLOSE_SESSION,
  openSession,
  type Person,
  startWorld,
  TestAccount,
  type TestEwon,
} from '../support/world.ts';

const REMOVE =
  'mutation ($ewonId: ID!) { removeEwon(input: { ewonId: $ewonId, confirm: true }) { __typename ... on Error { code message } } }';
const ADDRESS = 'query ($id: ID!) { ewon(by: { id: $id }) { status vpnAddress } }';
const VPN = 'query ($id: ID!) { node(id: $id) { ... on User { vpn { state address current } } } }';

const ewonOf = async (account: TestAccount, id: string): Promise<Json> =>
  (await account.admin.api.run(ADDRESS, { id })).ewon;
const vpnOf = async (account: TestAccount, person: Person): Promise<Json> =>
  (await account.admin.api.run(VPN, { id: person.id })).node.vpn;

async function goOffline(account: TestAccount, ewon: TestEwon): Promise<void> {
  await ewon.device.disconnect();
  await eventually(
    'offline',
    () => ewonOf(account, ewon.id),
    ({ status }) => status === 'OFFLINE',
  );
}

/** Ewons of an account, registered by name: they need no approval. */
function ewons(account: TestAccount, count: number): Promise<TestEwon[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const device = await account.device();
      const ewonName = `Ewon of ${device.serialNumber}`;
      await device.register({ account: account.name, username: 'admin', password: ADMIN_PASSWORD, ewonName });
      return { id: await account.ewonId(device), name: ewonName, device };
    }),
  );
}

const hosts = (count: number): string[] => Array.from({ length: count }, (_, index) => `10.238.0.${index + 1}`);

eachDatabase('a range of 62 addresses', (database) => {
  let server: TestServer;
  let accounts: TestAccount[];
  beforeAll(async () => {
    server = await startServer({ database, env: { VPN_EWON_RANGE: '10.238.0.0/26' } });
    accounts = await Promise.all([1, 2, 3, 4].map(() => TestAccount.create(server)));
  });
  afterAll(() => server.close());

  it('VPN-06 VPN-07 VPN-08 VPN-09 is filled exactly by accounts that connect at once; then it is full, and what is released is used again', async () => {
    const made = await Promise.all(
      accounts.map(async (account, index) =>
        (await ewons(account, index < 2 ? 16 : 15)).map((ewon) => ({ account, ewon })),
      ),
    );
    const all = made.flat();
    expect(all).toHaveLength(62);
    expect((await ewonOf(all[0]?.account as TestAccount, all[0]?.ewon.id as string)).vpnAddress).toBeNull();
    await Promise.all(all.map(({ ewon }) => ewon.device.connect()));
    const byAddress = (a: string | undefined, b: string | undefined) =>
      Number(a?.split('.')[3]) - Number(b?.split('.')[3]);
    expect(all.map(({ ewon }) => ewon.device.vpnAddress).sort(byAddress)).toEqual(hosts(62));

    // The 63rd, while all tunnels are up.
    const account = accounts[0] as TestAccount;
    const late = await account.ewon();
    await expect(late.device.connect()).rejects.toMatchObject({ code: 'VPN_ADDRESS_EXHAUSTED' });
    expect(late.device.lastClose).toMatchObject({ code: 4503, retry: true });
    expect(await ewonOf(account, late.id)).toEqual({ status: 'OFFLINE', vpnAddress: null });
    const [entry] = await account.log();
    expect(entry).toMatchObject({
      code: 'EWON_TUNNEL_REFUSED',
      severity: 'WARNING',
      ewonName: late.name,
      parameters: [{ name: 'reason', value: 'VPN_ADDRESS_EXHAUSTED' }],
    });
    expect(all.filter(({ ewon }) => ewon.device.tunnelState !== 'online')).toEqual([]);

    // An address that is released with its Ewon goes to the next who comes, also from another account.
    const removed = made[3]?.[5];
    const freed = removed?.ewon.device.vpnAddress;
    await removed?.account.admin.api.succeed(REMOVE, { ewonId: removed.ewon.id });
    await removed?.ewon.device.waitFor('closed');
    await late.device.connect();
    expect(late.device.vpnAddress).toBe(freed);

    // Full again: of two that are offline, the one inactive longest loses its address; it is known to be gone.
    const [longest, shorter] = [made[1]?.[3], made[2]?.[7]] as { account: TestAccount; ewon: TestEwon }[];
    if (!longest || !shorter) throw new Error('There are fewer Ewons than expected.');
    await goOffline(longest.account, longest.ewon);
    server.clock.advance(1000);
    await goOffline(shorter.account, shorter.ewon);
    const taken = longest.ewon.device.vpnAddress;
    expect((await ewonOf(longest.account, longest.ewon.id)).vpnAddress).toBe(taken);
    const successor = await account.onlineEwon();
    expect(successor.device.vpnAddress).toBe(taken);
    expect(await ewonOf(longest.account, longest.ewon.id)).toEqual({ status: 'OFFLINE', vpnAddress: null });

    // Its former owner takes the next in turn when it comes back, and after that nobody can.
    await longest.ewon.device.connect();
    expect(longest.ewon.device.vpnAddress).toBe(shorter.ewon.device.vpnAddress);
    await expect(shorter.ewon.device.connect()).rejects.toMatchObject({ code: 'VPN_ADDRESS_EXHAUSTED' });

    const rows = await server.app.platform.db.vpnAddress.findMany({ where: { range: 'EWON' } });
    expect(rows).toHaveLength(62);
    expect(new Set(rows.map(({ ewonId }) => ewonId)).size).toBe(62);
    expect(rows.every(({ inUse }) => inUse)).toBe(true);
  }, 60_000);
});

onPostgres('addresses under race', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({
      database: 'postgresql',
      env: { VPN_EWON_RANGE: '10.238.0.0/28', VPN_USER_RANGE: '10.236.0.0/29' },
    });
  });
  afterAll(() => server.close());

  it('VPN-07 VPN-08 never belong to two, however Ewons of several accounts come, go, and outnumber the range', async () => {
    const accounts = await Promise.all([1, 2, 3, 4].map(() => TestAccount.create(server)));
    const all = (await Promise.all(accounts.map((account) => ewons(account, 5)))).flat();
    expect(all).toHaveLength(20);
    for (let round = 0; round < 5; round++) {
      const coming = all.filter((_, index) => (index * 7 + round * 3) % 10 < 7);
      const outcomes = await Promise.all(
        coming.map(({ device }) =>
          device.connect().then(
            () => 'online',
            ({ code }: { code: string }) => code,
          ),
        ),
      );
      const online = coming.filter((_, index) => outcomes[index] === 'online');
      expect(outcomes.filter((outcome) => outcome !== 'online' && outcome !== 'VPN_ADDRESS_EXHAUSTED')).toEqual([]);
      expect(online.length).toBe(Math.min(coming.length, 14));
      const addresses = online.map(({ device }) => device.vpnAddress);
      expect(new Set(addresses).size).toBe(addresses.length);
      const held = await server.app.platform.db.vpnAddress.findMany({ where: { range: 'EWON', inUse: true } });
      expect(held).toHaveLength(online.length);
      await Promise.all(online.map(({ device }) => device.disconnect()));
      await eventually(
        'all at rest',
        () => server.app.platform.db.vpnAddress.count({ where: { inUse: true } }),
        (count) => count === 0,
      );
    }
  });

  it('VPN-07 VPN-08 are refused to a user when all are in tunnels, and never shared by users of several accounts', async () => {
    const accounts = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const account = await TestAccount.create(server);
        await account.setSlots(5);
        const group = await account.group('All', [{ poolId: await account.defaultPool(), connectEcatcher: true }]);
        const { id } = await account.onlineEwon();
        const users = await Promise.all([1, 2].map((number) => account.user(`user${number}`, [group])));
        return { account, users, ewonId: id };
      }),
    );
    const results = await Promise.all(
      accounts.flatMap(({ users, ewonId }) => users.map((user) => openSession(user, ewonId))),
    );
    const opened = results.filter(({ __typename }) => __typename === 'OpenSessionSuccess');
    const refused = results.filter(({ __typename }) => __typename !== 'OpenSessionSuccess');
    expect(opened).toHaveLength(6);
    expect(new Set(opened.map(({ session }) => session.userVpnAddress)).size).toBe(6);
    expect(refused.map(({ code }) => code)).toEqual(['VPN_ADDRESS_EXHAUSTED', 'VPN_ADDRESS_EXHAUSTED']);
    // What was refused has taken no slot.
    expect(await server.app.platform.db.slot.count({ where: { sessionId: { not: null } } })).toBe(6);
  });
});

describe('an Ewon’s address', () => {
  let server: TestServer;
  let account: TestAccount;
  beforeAll(async () => {
    ({ server, account } = await startWorld());
  });
  afterAll(() => server.close());

  it('VPN-09 VPN-05 is allocated when it first comes online and kept across reconnections', async () => {
    const ewon = await account.ewon();
    expect((await ewonOf(account, ewon.id)).vpnAddress).toBeNull();
    await ewon.device.connect();
    const { vpnAddress } = ewon.device;
    expect(vpnAddress).toMatch(/^10\.238\.0\.\d+$/);
    for (let round = 0; round < 3; round++) {
      await goOffline(account, ewon);
      expect((await ewonOf(account, ewon.id)).vpnAddress).toBe(vpnAddress);
      // Others that come meanwhile get others.
      const other = await account.onlineEwon();
      expect(other.device.vpnAddress).not.toBe(vpnAddress);
      await ewon.device.connect();
      expect(ewon.device.vpnAddress).toBe(vpnAddress);
    }
  });

  it('VPN-09 is released when it is removed, and the lowest free one is given out first', async () => {
    const [first, second] = [await account.onlineEwon(), await account.onlineEwon()];
    const freed = [first.device.vpnAddress, second.device.vpnAddress];
    await goOffline(account, second);
    for (const { id } of [second, first]) await account.admin.api.succeed(REMOVE, { ewonId: id });
    const next = [await account.onlineEwon(), await account.onlineEwon()];
    expect(next.map(({ device }) => device.vpnAddress)).toEqual(freed);
  });
});

describe('a user’s address', () => {
  let server: TestServer;
  let account: TestAccount;
  let group: string;
  let ewon: TestEwon;
  beforeAll(async () => {
    ({ server, account } = await startWorld());
    await account.setSlots(10);
    group = await account.group('All', [
      { poolId: await account.defaultPool(), connectEcatcher: true, connectM2web: true },
    ]);
    ewon = await account.onlineEwon();
  });
  afterAll(() => server.close());

  it('VPN-01 VPN-02 VPN-03 VPN-04 VPN-05 comes with his first session, stays visible after it, and is his again', async () => {
    const user = await account.user('ada', [group]);
    expect(await vpnOf(account, user)).toEqual({ state: 'NO_TUNNEL', address: null, current: false });

    const { session } = await openSession(user, ewon.id);
    expect(session.userVpnAddress).toMatch(/^10\.23[67]\.\d+\.\d+$/);
    expect(session.ewonVpnAddress).toBe(ewon.device.vpnAddress);
    const during = await vpnOf(account, user);
    expect(during).toMatchObject({ address: session.userVpnAddress, current: true });
    expect(during.state).not.toBe('NO_TUNNEL');

    await user.api.succeed(CLOSE_SESSION, { sessionId: session.id });
    const after = { state: 'NO_TUNNEL', address: session.userVpnAddress, current: false };
    expect(await vpnOf(account, user)).toEqual(after);

    const other = await account.user('bob', [group]);
    const { session: others } = await openSession(other, ewon.id);
    expect(others.userVpnAddress).not.toBe(session.userVpnAddress);
    const { session: again } = await openSession(user, ewon.id);
    expect(again.userVpnAddress).toBe(session.userVpnAddress);
    for (const { id } of [others, again]) await account.admin.api.succeed(CLOSE_SESSION, { sessionId: id });
  });

  it('VPN-02 VPN-03 rests with the end of his session, whatever ends it', async () => {
    const user = await account.user('cleo', [group]);
    const { session } = await openSession(user, ewon.id);
    server.clock.advance(121_000);
    await server.app.jobs.run();
    expect(await vpnOf(account, user)).toEqual({ state: 'NO_TUNNEL', address: session.userVpnAddress, current: false });
  });

  it('VPN-10 is free at once when he is deleted, and goes to the next', async () => {
    const user = await account.user('dora', [group]);
    const { session } = await openSession(user, ewon.id);
    const { db } = server.app.platform;
    // No mutation deletes users yet; whatever deletes the row, the database itself releases the address.
    const { id } = await db.user.findFirstOrThrow({ where: { account: { name: account.name }, username: 'dora' } });
    await db.user.delete({ where: { id } });
    const next = await account.user('erik', [group]);
    const { session: nexts } = await openSession(next, ewon.id);
    expect(nexts.userVpnAddress).toBe(session.userVpnAddress);
  });
});

describe('the ranges', () => {
  it('VPN-06 VPN-05 can be configured anew: who held an address outside gets one inside, and gaps below are filled', async () => {
    const { server, account } = await startWorld();
    try {
      const { db, clock } = server.app.platform;
      const accountId = (await db.account.findFirstOrThrow({ where: { name: account.name } })).id;
      const rows = await db.ewon.createManyAndReturn({
        data: Array.from({ length: 6 }, (_, index) => ({
          accountId,
          name: `E${index}`,
          nameKey: `e${index}`,
          registrationStatus: 'ACTIVE' as const,
          createdAt: clock.now(),
        })),
      });
      const ids = rows.map(({ id }) => id);
      const assign = (range: string, owners: string[]) =>
        db.$transaction((tx) =>
          assignAddresses(tx, readConfig({ VPN_EWON_RANGE: range }), 'EWON', owners, clock.now()),
        );
      const last = (assigned: Map<string, string>) => ids.map((id) => Number(assigned.get(id)?.split('.')[3]));

      expect(last(await assign('10.99.0.4/30', ids.slice(0, 2)))).toEqual([
        5,
        6,
        Number.NaN,
        Number.NaN,
        Number.NaN,
        Number.NaN,
      ]);
      expect((await assign('10.99.0.4/30', ids.slice(0, 3))).size).toBe(2);
      expect(last(await assign('10.99.0.0/29', ids))).toEqual([5, 6, 1, 2, 3, 4]);
      // A range of other addresses: all get new ones, and the old ones are nobody's.
      expect(last(await assign('10.99.0.16/29', ids))).toEqual([17, 18, 19, 20, 21, 22]);
      expect(await db.vpnAddress.count({ where: { ewonId: { not: null } } })).toBe(6);
    } finally {
      await server.close();
    }
  });
});

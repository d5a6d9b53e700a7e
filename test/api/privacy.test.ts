import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { eventually, type Json } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { logIn, type Person, startWorld, TestAccount, type TestEwon, USER_PASSWORD } from '../support/world.ts';

/** Simulated WAN addresses and where they are. */
const NAMUR = { address: '192.168.5.9/24', position: { latitude: 50.47, longitude: 4.87 } };
const GHENT = { address: '100.66.1.1', position: { latitude: 51.05, longitude: 3.72 } };

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
let user: Person;
/** Lets itself be located; does not; and one of the other account that does. */
let open: TestEwon;
let closed: TestEwon;
let foreign: TestEwon;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  other = await TestAccount.create(server);
  const poolId = await account.pool('Field');
  open = await account.onlineEwon(
    { name: 'Open', poolIds: [poolId] },
    { wanAddress: NAMUR.address, geolocationEnabled: true },
  );
  closed = await account.onlineEwon(
    { name: 'Closed', poolIds: [poolId] },
    { wanAddress: NAMUR.address, geolocationEnabled: false },
  );
  foreign = await other.onlineEwon({ name: 'Foreign' }, { wanAddress: GHENT.address, geolocationEnabled: true });
  user = await account.user('user', [await account.group('Users', [{ poolId, connectM2web: true, modify: true }])]);
});
afterAll(async () => {
  for (const { device } of [open, closed, foreign]) await device.disconnect();
  await server.close();
});

const setPrivacy = (who: Person, input: object): Promise<Json> =>
  who.api.mutate(
    `mutation ($input: SetPrivacyInput!) { setPrivacy(input: $input) { __typename
      ... on SetPrivacySuccess { account { geolocationEnabled remoteManagement } } ... on Error { code } } }`,
    { input },
  );
const settings = async (who: Person): Promise<Json> =>
  (await who.api.run('{ account { geolocationEnabled remoteManagement } }')).account;
const position = async ({ id }: TestEwon, who = account.admin): Promise<Json> =>
  (await who.api.run('query ($id: ID!) { ewon(by: { id: $id }) { position { latitude longitude } } }', { id })).ewon
    ?.position;
const located = async (is: boolean, who = account.admin): Promise<string[]> =>
  (
    await who.api.run('query ($is: Boolean) { ewons(filter: { located: $is }) { nodes { name } } }', { is })
  ).ewons.nodes.map(({ name }: Json) => name);
const stored = (name: string): Promise<Json> =>
  server.app.platform.db.ewon.findFirst({ where: { name }, select: { latitude: true, longitude: true } });
const changes = async () => (await account.log({ codes: ['ACCOUNT_CHANGED'] })).map(({ text }) => text);

/** What a browser gets of the map of the portal. */
async function map(who: Person): Promise<string> {
  const browser = new Browser();
  const login = { account: account.name, username: who.username, password: USER_PASSWORD };
  await browser.post(`${server.url}/m2web/login`, login, { follow: true });
  const { status, text } = await browser.ask(`${server.url}/m2web/map`);
  expect(status).toBe(200);
  return text;
}

const NOWHERE = { latitude: null, longitude: null };
const EVERYWHERE_ON = { geolocationEnabled: true, remoteManagement: true };

describe('the privacy settings', () => {
  it('PRV-02 PRV-07 both are on at first', async () => {
    expect(await settings(account.admin)).toEqual(EVERYWHERE_ON);
    const fresh = await TestAccount.create(server, 'FREE');
    expect(await settings(fresh.admin)).toEqual(EVERYWHERE_ON);
  });

  it('PRV-09 PRV-03 are for Administrators, on every plan', async () => {
    expect(await setPrivacy(user, { geolocationEnabled: false })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await settings(user)).toEqual({ geolocationEnabled: null, remoteManagement: null });
    expect(await settings(account.admin)).toEqual(EVERYWHERE_ON);
    const free = await TestAccount.create(server, 'FREE');
    expect(await setPrivacy(free.admin, { geolocationEnabled: false })).toMatchObject({
      account: { geolocationEnabled: false, remoteManagement: true },
    });
    expect(await changes()).toEqual([]);
  });

  it('PRV-04 whether a device lets itself be located is read, and never written, by the account', async () => {
    const query = 'query ($id: ID!) { ewon(by: { id: $id }) { geolocationEnabled } }';
    for (const [ewon, geolocationEnabled] of [
      [open, true],
      [closed, false],
    ] as const)
      expect((await account.admin.api.run(query, { id: ewon.id })).ewon).toEqual({ geolocationEnabled });
    const input = { ewonId: open.id, properties: { geolocationEnabled: false } };
    const { errors } = await account.admin.api.send(
      'mutation ($input: UpdateEwonInput!) { updateEwon(input: $input) { __typename } }',
      { input },
    );
    expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('PRV-07 remote management is switched by itself, and logged once', async () => {
    for (const remoteManagement of [false, false, true])
      expect(await setPrivacy(account.admin, { remoteManagement })).toMatchObject({
        account: { geolocationEnabled: true, remoteManagement },
      });
    expect(await setPrivacy(account.admin, {})).toMatchObject({ account: EVERYWHERE_ON });
    expect(await changes()).toEqual([
      'Account setting changed: remote management on',
      'Account setting changed: remote management off',
    ]);
  });
});

describe('positions', () => {
  it('PRV-01 EWN-23 an Ewon that lets itself be located stands on the map, for those who see it', async () => {
    expect(await position(open)).toEqual(NAMUR.position);
    expect(await position(open, user)).toEqual(NAMUR.position);
    expect(await position(closed)).toBeNull();
    expect(await position(open, other.admin)).toBeUndefined();
    expect(await located(true)).toEqual(['Open']);
    expect(await located(false)).toEqual(['Closed']);
    expect(await map(user)).toContain('Open: ONLINE');
    expect(await map(user)).not.toContain('Closed: ONLINE');
    expect(await located(true, other.admin)).toEqual(['Foreign']);
  });

  it('PRV-03 PRV-05 switching off hides and deletes the positions of the whole account at once, and no other’s', async () => {
    expect(await setPrivacy(account.admin, { geolocationEnabled: false })).toMatchObject({
      account: { geolocationEnabled: false },
    });
    expect(await stored('Open')).toEqual(NOWHERE);
    expect(await position(open)).toBeNull();
    expect(await located(true)).toEqual([]);
    expect(await located(false)).toEqual(['Closed', 'Open']);
    expect(await map(user)).toContain('No Ewon is located.');
    expect(await position(foreign, other.admin)).toEqual(GHENT.position);
    // The flag of the device itself is as it was.
    const { ewon } = await account.admin.api.run(`{ ewon(by: { id: "${open.id}" }) { geolocationEnabled } }`);
    expect(ewon).toEqual({ geolocationEnabled: true });

    // What a device tells meanwhile is kept, and places it nowhere.
    open.device.report({ wanAddress: GHENT.address, geolocationEnabled: true });
    await eventually(
      'the report',
      async () => (await server.app.platform.db.ewon.findFirst({ where: { name: 'Open' } }))?.wanAddress,
      (address) => address === GHENT.address,
    );
    expect(await stored('Open')).toEqual(NOWHERE);
    const late = await account.onlineEwon({ name: 'Late' }, { wanAddress: GHENT.address, geolocationEnabled: true });
    expect(await stored('Late')).toEqual(NOWHERE);
    await late.device.disconnect();

    // Even a position that was stored all the same is shown nowhere.
    await server.app.platform.db.ewon.updateMany({ where: { name: 'Open' }, data: GHENT.position });
    expect(await position(open)).toBeNull();
    expect(await located(true)).toEqual([]);
    expect(await located(false)).toEqual(['Closed', 'Late', 'Open']);
    expect(await map(user)).toContain('No Ewon is located.');
  });

  it('PRV-05 PRV-09 switched on again, they are derived anew from what the devices told last', async () => {
    await server.app.platform.db.ewon.updateMany({ where: { name: 'Open' }, data: NOWHERE });
    expect(await setPrivacy(account.admin, { geolocationEnabled: true })).toMatchObject({ account: EVERYWHERE_ON });
    expect(await position(open)).toEqual(GHENT.position);
    expect(await position(closed)).toBeNull();
    expect(await located(true)).toEqual(['Late', 'Open']);
    expect((await changes()).slice(0, 2)).toEqual([
      'Account setting changed: geolocation on',
      'Account setting changed: geolocation off',
    ]);
  });

  it('PRV-03 PRV-05 settings, reports and devices that come may cross: what is stored follows from the last of them', async () => {
    const flips = [false, true, false, true, false].map((geolocationEnabled) =>
      setPrivacy(account.admin, { geolocationEnabled }),
    );
    for (const [index, wanAddress] of [NAMUR.address, GHENT.address, NAMUR.address].entries()) {
      open.device.report({ wanAddress, geolocationEnabled: index > 0 });
      await new Promise(setImmediate);
    }
    await Promise.all(flips);
    await eventually(
      'the last report',
      async () => (await server.app.platform.db.ewon.findFirst({ where: { name: 'Open' } }))?.wanAddress,
      (address) => address === NAMUR.address,
    );
    const { geolocationEnabled } = await settings(account.admin);
    expect((await stored('Open')).latitude).toBe(geolocationEnabled ? NAMUR.position.latitude : null);
    await setPrivacy(account.admin, { geolocationEnabled: true });
  });
});

describe('a table of networks', () => {
  it('PRV-09 a server with GEOLOCATION_FILE locates by it alone, and does not start with a wrong one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'geolocation-'));
    const file = join(folder, 'table.csv');
    await writeFile(file, 'network,latitude,longitude\n203.0.113.0/24,-33.8651,151.2094\n');
    const elsewhere = await startServer({ env: { GEOLOCATION_FILE: file } });
    try {
      const of = await TestAccount.create(elsewhere);
      const facts = { geolocationEnabled: true };
      const known = await of.onlineEwon({ name: 'Known' }, { ...facts, wanAddress: '203.0.113.77/24' });
      const unknown = await of.onlineEwon({ name: 'Unknown' }, { ...facts, wanAddress: NAMUR.address });
      const admin = await logIn(elsewhere, of.name, 'admin', 'Admin-pass-1');
      expect(await position(known, admin)).toEqual({ latitude: -33.87, longitude: 151.21 });
      expect(await position(unknown, admin)).toBeNull();
      for (const { device } of [known, unknown]) await device.disconnect();
      await writeFile(file, '203.0.113.0/24,-133,151\n');
      await expect(startServer({ env: { GEOLOCATION_FILE: file } })).rejects.toThrow(
        `GEOLOCATION_FILE is "${file}", which cannot be used: line 1: "-133" is not a latitude.`,
      );
    } finally {
      await elsewhere.close();
      await rm(folder, { recursive: true });
    }
  });
});

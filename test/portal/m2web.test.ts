import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Answer, Browser } from '../support/browser.ts';
import { eventually, type Json } from '../support/client.ts';
import { lastMessage } from '../support/messages.ts';
import type { TestServer } from '../support/server.ts';
import {
  ADMIN_PASSWORD,
  type Person,
  startWorld,
  TestAccount,
  type TestEwon,
  USER_PASSWORD,
} from '../support/world.ts';

const NAMUR = { latitude: 50.47, longitude: 4.87 };
const HOME = 'https://www.acme.example';

let server: TestServer;
let account: TestAccount;
let free: TestAccount;
/** Of the pool that the user reaches through M2web, of one that he reaches with Ecatcher alone, and one that sleeps. */
let ewon: TestEwon;
let ecatcherOnly: TestEwon;
let sleeper: TestEwon;
let poolId: string;
let user: Person;
/** A group without rights. */
let nothing: string;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  free = await TestAccount.create(server, 'FREE');
  poolId = await account.pool('Web');
  const other = await account.pool('Desktop');
  const lan = { lanAddress: '10.0.0.53/24', geolocationEnabled: true };
  ewon = await account.onlineEwon(
    { name: 'Pump & <i>Co</i>', description: 'In hall "2"', customFields: ['Acme'], poolIds: [poolId] },
    { ...lan, wanAddress: '192.168.5.9/24' },
  );
  ecatcherOnly = await account.onlineEwon({ name: 'Hidden', poolIds: [other] }, { ...lan, wanAddress: '100.64.1.2' });
  sleeper = await account.ewon(
    { name: 'Sleeper', poolIds: [poolId], connectionMode: 'ON_DEMAND', wakeUpNumber: '+32470123456' },
    lan,
  );
  user = await account.user('web', [
    await account.group('Web', [
      { poolId, connectM2web: true },
      { poolId: other, connectEcatcher: true },
    ]),
  ]);
  nothing = await account.group('Nothing');
  const { db } = server.app.platform;
  const { id: ewonId } = await db.ewon.findFirstOrThrow({ where: { name: ewon.name } });
  await db.ewonService.create({
    data: { ewonId, name: 'Own pages', port: 80, protocol: 'HTTP', createdAt: new Date() },
  });
  await db.lanDevice.create({
    data: {
      ...{ ewonId, name: 'PLC', description: 'S7', address: '10.0.0.20', createdAt: new Date() },
      ports: { create: [{ ewonId, address: '10.0.0.20', port: 80, protocol: 'HTTP' }] },
    },
  });
});
afterAll(async () => {
  await Promise.all([ewon, ecatcherOnly].map(({ device }) => device.disconnect()));
  await server.close();
});

const setOrigins = (api: Person['api'], origins: string[]): Promise<Json> =>
  api.mutate(
    `mutation ($origins: [String!]!) { setPortalOrigins(input: { origins: $origins }) { __typename
      ... on SetPortalOriginsSuccess { account { portalOrigins } } ... on Error { code } } }`,
    { origins },
  );
const referenceOf = async (of: TestEwon): Promise<string> =>
  (await account.admin.api.run('query ($id: ID!) { node(id: $id) { ... on Ewon { reference } } }', { id: of.id })).node
    .reference;

describe('the pages', () => {
  let browser: Browser;
  const at = (path = '') => `${server.url}/m2web${path}`;
  const logIn = (
    credentials: Record<string, string> = {},
    asking: Parameters<Browser['post']>[2] = {},
  ): Promise<Answer> =>
    browser.post(
      at('/login'),
      { account: account.name, username: 'web', password: USER_PASSWORD, ...credentials },
      { follow: true, ...asking },
    );
  beforeEach(() => {
    browser = new Browser();
  });

  it('M2W-01 logs in with the same account, user, password and second factor', async () => {
    expect((await browser.ask(at())).text).toContain('name="password"');
    const wrong = await logIn({ password: 'wrong' });
    expect([wrong.status, wrong.text.includes('Supplied credentials are invalid')]).toEqual([403, true]);
    expect((await browser.post(at('/open'), { ewon: 'DEV1' })).status).toBe(403);
    expect((await logIn({ password: '' })).status).toBe(400);

    const { text } = await logIn();
    expect(text).toContain('Pump &#38; &#60;i&#62;Co');
    const [cookie] = browser.cookies;
    expect(cookie?.path).toBe('/m2web');
    const { logins } = (await user.api.run('{ viewer { logins { nodes { client } } } }')).viewer;
    expect(logins.nodes.map(({ client }: Json) => client)).toContain('M2WEB');
    await browser.post(at('/logout'), {});
    expect((await browser.ask(at())).text).toContain('name="password"');

    await account.user('careful', [nothing]);
    await server.app.platform.db.user.updateMany({
      where: { accountId: account.id, username: 'careful' },
      data: { secondFactorState: 'ENABLED', secondFactorMethod: 'EMAIL' },
    });
    expect((await logIn({ username: 'careful' })).text).toContain('name="code"');
    expect((await browser.ask(at('/map'))).text).toContain('name="code"');
    expect((await browser.post(at('/open'), { ewon: 'DEV1' })).status).toBe(403);
    const { code } = await lastMessage(server, 'careful@example.com', 'CODE_BY_MAIL');
    const refused = await browser.post(at('/code'), { code: code === '000000' ? '111111' : '000000' });
    expect([refused.status, refused.text.includes('The code is wrong')]).toEqual([403, true]);
    expect((await browser.post(at('/code'), { code }, { follow: true })).text).toContain('no Ewon that you may use');
  });

  it('M2W-01 asks for a new password where one is due (AUTH-16)', async () => {
    await account.user('new', [nothing]);
    await server.app.platform.db.user.updateMany({
      where: { accountId: account.id, username: 'new' },
      data: { mustChangePassword: true },
    });
    expect((await logIn({ username: 'new' })).text).toContain('name="confirmation"');
    const different = await browser.post(at('/password'), { password: 'Other-pass-2', confirmation: 'x' });
    expect([different.status, different.text.includes('differ')]).toEqual([403, true]);
    const password = { password: 'Other-pass-2', confirmation: 'Other-pass-2' };
    expect((await browser.post(at('/password'), password, { follow: true })).text).toContain('Log out');
  });

  it('M2W-01 keeps its login from scripts and other sites, and its pages from being framed or kept', async () => {
    const answer = await logIn({}, { follow: false });
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^talkgate-m2web=[\w-]{43}; Path=\/m2web; HttpOnly; SameSite=Strict$/,
    );
    for (const from of ['http://evil.example/', undefined]) {
      const { status } = await browser.post(
        at('/logout'),
        {},
        from === undefined ? { headers: {}, from: undefined } : { from },
      );
      expect(status).toBe(403);
    }
    const { headers } = await browser.ask(at());
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  it('M2W-02 shows and opens the Ewons of the M2web right, not those of the Ecatcher right', async () => {
    const { text } = await logIn();
    expect(text).toContain('Pump');
    expect(text).not.toContain('Hidden');
    const hidden = await referenceOf(ecatcherOnly);
    expect((await browser.ask(at(`/ewons/${hidden}`))).status).toBe(404);
    expect((await browser.post(at('/open'), { ewon: hidden })).status).toBe(404);
    expect((await browser.ask(at('?q=pUmP'))).text).toContain('Pump');
    expect((await browser.ask(at('?q=%25'))).text).not.toContain('Pump');
    // The same by the verb that every door uses.
    const open = `mutation ($id: ID!) { openSession(input: { ewonId: $id, client: M2WEB }) { __typename ... on Error { code } } }`;
    expect(await user.api.mutate(open, { id: ecatcherOnly.id })).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('M2W-10 shows an Ewon with its LAN devices and services, and leads to their pages without a script', async () => {
    await logIn();
    const page = await browser.ask(at(`/ewons/${await referenceOf(ewon)}`));
    for (const part of ['Own pages', 'PLC', '10.0.0.20', 'In hall &#34;2&#34;', 'Acme', 'ONLINE'])
      expect(page.text).toContain(part);
    for (const to of ['10.0.0.53:80/', '10.0.0.20:80/']) expect(page.text).toContain(`name="to" value="${to}"`);
    expect(page.text).not.toContain('<i>Co');
    const handOver = await browser.post(at('/open'), { ewon: await referenceOf(ewon), to: '10.0.0.20:80/' });
    const action = /<form method="post" action="([^"]+)"/.exec(handOver.text)?.[1] ?? '';
    const ticket = /name="ticket" value="([^"]+)"/.exec(handOver.text)?.[1] ?? '';
    expect(handOver.headers['content-security-policy']).toContain(`form-action 'self' ${new URL(action).origin}`);
    const there = await browser.post(action, { ticket, to: '10.0.0.20:80/' }, { follow: true, from: at() });
    expect(there.status).toBe(200);
    expect(there.url).toContain('/10.0.0.20:80/');
    const offline = await browser.post(at('/open'), { ewon: await referenceOf(sleeper) });
    expect([offline.status, offline.text.includes('is offline')]).toEqual([403, true]);
  });

  it('M2W-04 EWN-23 shows on a map where the located Ewons are, to whoever may use them', async () => {
    await logIn();
    const { text } = await browser.ask(at('/map'));
    expect(text).toContain('<svg');
    expect([...text.matchAll(/<circle /g)]).toHaveLength(1);
    expect(text).toContain(`href="/m2web/ewons/${await referenceOf(ewon)}"`);
    const admin = await browserOf('admin', ADMIN_PASSWORD);
    expect([...(await admin.ask(at('/map'))).text.matchAll(/<circle /g)]).toHaveLength(2);
  });

  async function browserOf(username: string, password: string): Promise<Browser> {
    browser = new Browser();
    await logIn({ username, password });
    return browser;
  }

  it('M2W-06 BRD-03 takes the login form of another web page only if its account has authorized it', async () => {
    const foreign = { from: `${HOME}/service.html`, follow: false };
    expect((await logIn({}, foreign)).status).toBe(403);
    expect(await setOrigins(account.admin.api, [`${HOME.toUpperCase()}:443/`])).toMatchObject({
      account: { portalOrigins: [HOME] },
    });
    const answer = await logIn({}, foreign);
    // Not a redirect, which would count as the other page's, so that the strict cookie stayed behind.
    expect([answer.status, answer.text.includes('http-equiv="refresh"')]).toEqual([200, true]);
    expect((await browser.ask(at())).text).toContain('Pump');
    // No other page, no other account, and no other form.
    for (const from of ['http://www.acme.example/', 'https://www.acme.example:444/', 'https://evil.example/'])
      expect((await logIn({}, { ...foreign, from })).status).toBe(403);
    expect((await logIn({ account: free.name, username: 'admin', password: ADMIN_PASSWORD }, foreign)).status).toBe(
      403,
    );
    expect((await browser.post(at('/logout'), {}, foreign)).status).toBe(403);

    expect(await setOrigins(user.api, [])).toMatchObject({ code: 'FORBIDDEN' });
    expect((await user.api.run('{ account { portalOrigins } }')).account.portalOrigins).toBeNull();
    expect(await setOrigins(free.admin.api, [HOME])).toMatchObject({ code: 'PLAN_FEATURE_NOT_AVAILABLE' });
    for (const wrong of ['www.acme.example', 'https://www.acme.example/page', 'http://www.acme.example', '*', 'null'])
      expect(await setOrigins(account.admin.api, [wrong]), wrong).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await setOrigins(account.admin.api, [])).toMatchObject({ account: { portalOrigins: [] } });
    expect(await setOrigins(account.admin.api, [])).toMatchObject({ account: { portalOrigins: [] } });
    expect((await logIn({}, foreign)).status).toBe(403);
    const changes = (await account.log({ codes: ['ACCOUNT_CHANGED'] })).length;
    expect(changes).toBe(2);
  });
});

describe('positions', () => {
  const position = async (of: TestEwon): Promise<Json> =>
    (
      await account.admin.api.run(
        'query ($id: ID!) { node(id: $id) { ... on Ewon { position { latitude longitude } } } }',
        { id: of.id },
      )
    ).node.position;

  it('EWN-23 PRV-09 an Ewon is located from its WAN address, by whatever resolver, as long as its device allows it', async () => {
    const { platform } = server.app;
    const offline = platform.geolocator;
    const moving = await account.onlineEwon(
      { name: 'Moving' },
      { wanAddress: '192.168.5.1', geolocationEnabled: true },
    );
    expect(await position(moving)).toEqual(NAMUR);
    platform.geolocator = { locate: (address) => (address === '192.168.7.7' ? { latitude: -1, longitude: 2 } : null) };
    try {
      moving.device.report({ wanAddress: '192.168.7.7/24' });
      await eventually(
        'other place',
        () => position(moving),
        (now) => now?.latitude === -1,
      );
      const located = async (filter: boolean) =>
        (
          await account.admin.api.run('query ($is: Boolean) { ewons(filter: { located: $is }) { nodes { name } } }', {
            is: filter,
          })
        ).ewons.nodes.map(({ name }: Json) => name);
      expect(await located(true)).toEqual(['Hidden', 'Moving', ewon.name]);
      expect(await located(false)).toEqual(['Sleeper']);
      // Switched off on the device, it is hidden and forgotten (PRV-05).
      moving.device.report({ geolocationEnabled: false });
      await eventually(
        'no place',
        () => position(moving),
        (now) => now === null,
      );
      const { db } = platform;
      expect(await db.ewon.findFirst({ where: { name: 'Moving' }, select: { latitude: true } })).toEqual({
        latitude: null,
      });
      moving.device.report({ wanAddress: '203.0.113.1', geolocationEnabled: true });
      await eventually(
        'report',
        async () => (await db.ewon.findFirst({ where: { name: 'Moving' } }))?.wanAddress,
        (now) => now === '203.0.113.1',
      );
      expect(await position(moving)).toBeNull();
    } finally {
      platform.geolocator = offline;
      await moving.device.disconnect();
    }
  });
});

describe('the API of M2web', () => {
  const call = async (
    service: string,
    params: Record<string, string> = {},
    init: { method?: string; query?: string; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; body: Json }> => {
    const { method = 'POST', query = '', headers = {} } = init;
    const response = await fetch(`${server.url}/t2mapi/${service}${query}`, {
      method,
      headers,
      ...(method === 'POST' && { body: new URLSearchParams(params) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const credentials = () => ({
    t2maccount: account.name,
    t2musername: 'web',
    t2mpassword: USER_PASSWORD,
    t2mdeveloperid: 'any',
  });
  const statefully = async () => ({ t2msession: (await call('login', credentials())).body.t2msession as string });

  it('M2W-07 M2W-10 lists Ewons, of a pool too, and gives one by id or exact name', async () => {
    const session = await statefully();
    const all = await call('getewons', session);
    expect(all.status).toBe(200);
    expect(all.body.success).toBe(true);
    expect(all.body.ewons.map(({ name }: Json) => name)).toEqual([ewon.name, 'Sleeper']);
    const [pump, asleep] = all.body.ewons;
    expect(pump).toEqual({
      id: Number((await referenceOf(ewon)).slice(3)),
      name: ewon.name,
      encodedName: 'Pump+%26+%3Ci%3ECo%3C%2Fi%3E',
      status: 'online',
      description: 'In hall "2"',
      customAttributes: ['Acme', '', ''],
      m2webServer: new URL(server.app.gatewayUrls.portal ?? '').host,
      lanDevices: [{ name: 'PLC', description: 'S7', ip: '10.0.0.20', port: 80, protocol: 'HTTP' }],
      ewonServices: [{ name: 'Own pages', description: '', port: 80, protocol: 'HTTP' }],
    });
    expect(asleep).toMatchObject({ status: 'offline', m2webServer: '' });
    const pools = (await call('getaccountinfo', session)).body.pools as Json[];
    for (const pool of ['Web', pools.find(({ name }) => name === 'Web').id])
      expect((await call('getewons', { ...session, pool })).body.ewons).toHaveLength(2);
    expect((await call('getewons', { ...session, pool: 'Desktop' })).body.ewons).toEqual([]);
    expect((await call('getewons', { ...session, pool: 'Nowhere' })).body).toMatchObject({ success: false, code: 410 });
    expect((await call('getewon', { ...session, id: String(pump.id) })).body.ewon).toEqual(pump);
    expect((await call('getewon', { ...session, name: ewon.name })).body.ewon).toEqual(pump);
    // Exact, and none that he may not use through M2web (M2W-02).
    for (const name of [ewon.name.toLowerCase(), 'Hidden'])
      expect((await call('getewon', { ...session, name })).status).toBe(410);
  });

  it('M2W-07 reads the Ewons of a large account bit by bit, and for the pages not what is declared of each', async () => {
    const large = await TestAccount.create(server);
    const { db } = server.app.platform;
    const names = Array.from({ length: 401 }, (_, index) => `Ewon ${String(index).padStart(3, '0')}`);
    const createdAt = new Date();
    await db.ewon.createMany({
      data: names.map((name) => ({
        ...{ name, nameKey: name.toLowerCase(), accountId: large.id, registrationStatus: 'ACTIVE' as const, createdAt },
        ...{ geolocationEnabled: true, latitude: 1, longitude: 2 },
      })),
    });
    const reads = vi.spyOn(db.ewon, 'findMany');
    try {
      const all = await call('getewons', { t2maccount: large.name, t2musername: 'admin', t2mpassword: ADMIN_PASSWORD });
      expect(all.body.ewons.map(({ name }: Json) => name)).toEqual(names);
      expect(reads.mock.calls.map(([query]) => query?.take)).toEqual([200, 200, 200]);
      reads.mockClear();
      const browser = new Browser();
      const login = { account: large.name, username: 'admin', password: ADMIN_PASSWORD };
      expect((await browser.post(`${server.url}/m2web/login`, login, { follow: true })).text).toContain('Ewon 099');
      expect((await browser.ask(`${server.url}/m2web/map`)).text).toContain('Ewon 400');
      expect(reads.mock.calls).toHaveLength(2);
      for (const [query] of reads.mock.calls) expect(query?.select).not.toHaveProperty('lanDevices');
    } finally {
      reads.mockRestore();
    }
  });

  it('M2W-07 wakes an Ewon and sends it offline', async () => {
    const session = await statefully();
    expect((await call('wakeup', { ...session, name: 'Sleeper' })).body).toEqual({ success: true });
    expect(await lastMessage(server, '+32470123456', 'WAKE_UP')).toBeDefined();
    expect((await call('wakeup', { ...session, name: ewon.name })).body).toMatchObject({
      code: 410,
      error: 'WAKE_UP_NOT_CONFIGURED',
    });
    await sleeper.device.connect();
    expect((await call('sendoffline', { ...session, name: 'Sleeper' })).body).toEqual({ success: true });
    await eventually(
      'offline',
      () => call('getewon', { ...session, name: 'Sleeper' }),
      ({ body }) => body.ewon.status === 'offline',
    );
  });

  it('M2W-08 works with credentials in each call, or with a session id until logout', async () => {
    const before = (await user.api.run('{ viewer { logins { totalCount } } }')).viewer.logins.totalCount;
    expect((await call('getloginstatus', credentials())).body).toMatchObject({ success: true, username: 'web' });
    expect((await user.api.run('{ viewer { logins { totalCount } } }')).viewer.logins.totalCount).toBe(before);
    const session = await statefully();
    expect((await call('getloginstatus', session)).status).toBe(200);
    const bearer = { method: 'GET', headers: { authorization: `Bearer ${session.t2msession}` } };
    expect((await call('getewons', {}, { ...bearer, query: '?pool=Web' })).body.ewons).toHaveLength(2);
    expect((await call('logout', session)).body).toEqual({ success: true });
    expect((await call('getloginstatus', session)).body).toMatchObject({ success: false, code: 403 });
  });

  it('M2W-01 M2W-08 asks for the second factor with the session id of the first step', async () => {
    await account.user('coded', [nothing]);
    await server.app.platform.db.user.updateMany({
      where: { accountId: account.id, username: 'coded' },
      data: { secondFactorState: 'ENABLED', secondFactorMethod: 'EMAIL' },
    });
    const coded = { ...credentials(), t2musername: 'coded' };
    const first = await call('login', coded);
    expect(first.body).toMatchObject({ success: false, code: 403, error: 'SECOND_FACTOR_REQUIRED' });
    const { t2msession } = first.body;
    expect((await call('getewons', { t2msession })).status).toBe(403);
    const { code } = await lastMessage(server, 'coded@example.com', 'CODE_BY_MAIL');
    const second = await call('login', { t2msession, t2mcode: code });
    expect(second.body.success).toBe(true);
    expect((await call('getewons', { t2msession: second.body.t2msession })).status).toBe(200);
    expect((await call('getewons', coded)).body).toMatchObject({ code: 403, error: 'SECOND_FACTOR_REQUIRED' });
  });

  it('M2W-09 tells reference, name, company, field labels, pools and type of the account', async () => {
    const { body } = await call('getaccountinfo', credentials());
    expect(body).toEqual({
      success: true,
      accountReference: expect.any(String),
      accountName: account.name,
      company: 'Acme',
      customAttributes: ['Custom field 1', 'Custom field 2', 'Custom field 3'],
      pools: [
        { id: expect.any(String), name: 'Desktop' },
        { id: expect.any(String), name: 'Web' },
      ],
      accountType: 'Pro',
    });
  });

  it('M2W-12 AUTH-24 answers errors with success false, code and message, and takes no credentials in a URL', async () => {
    const { t2mpassword, ...without } = credentials();
    const failed = (code: number, message: RegExp) => ({
      status: code,
      body: expect.objectContaining({ success: false, code, message: expect.stringMatching(message) }),
    });
    expect(await call('login', without)).toEqual(failed(400, /t2mpassword/));
    expect(await call('getewons', {})).toEqual(failed(400, /t2maccount/));
    expect(await call('getewon', await statefully())).toEqual(failed(400, /id or name/));
    expect(await call('login', { ...without, t2mpassword: 'wrong' })).toEqual(failed(403, /invalid/));
    expect(await call('getewons', { t2msession: 'x'.repeat(43) })).toEqual(failed(403, /session/));
    expect(await call('getewon', { ...(await statefully()), name: 'None' })).toEqual(failed(410, /No such Ewon/));
    expect(await call('nothing', {})).toEqual(failed(410, /service/));
    const { t2msession } = await statefully();
    for (const [name, value] of Object.entries({ t2mpassword, t2msession, T2MSession: t2msession }))
      for (const method of ['GET', 'POST'])
        expect(await call('getewons', {}, { method, query: `?${name}=${value}` })).toEqual(failed(400, /URL/));
    const json = await fetch(`${server.url}/t2mapi/login`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect(json.status).toBe(400);
  });
});

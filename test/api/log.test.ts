import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/graphql/global-id.ts';
import { inAccount } from '../../src/log/write.ts';
import { ApiCaller, type Json } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import {
  ADMIN_PASSWORD,
  CLOSE_SESSION,
  OPEN_SESSION,
  type Person,
  startWorld,
  TestAccount,
  type TestEwon,
  USER_PASSWORD,
} from '../support/world.ts';

const ENTRY =
  'number cursor at code text category severity trigger userReference userName user { username } ewonReference ewonName ewon { name } session { id } parameters { name value }';
const LOG = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: LogFilter) {
  logEntries(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    nodes { ${ENTRY} }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

let server: TestServer;
let account: TestAccount;
let north: string;
let south: string;
let ewon: TestEwon;
let foreign: TestEwon;
let operator: Person;
let manager: Person;
let leader: Person;
/** What must never be read in the log: tokens, keys and passwords that the tests have come by. */
const secrets: string[] = [ADMIN_PASSWORD, USER_PASSWORD, 'wrong-Pass-9'];

beforeAll(async () => {
  ({ server, account } = await startWorld());
  north = await account.pool('north');
  south = await account.pool('south');
  const operators = await account.group('operators', [{ poolId: north, connectEcatcher: true }]);
  const managers = await account.group('managers', [{ poolId: south, modify: true }]);
  const leaders = await account.group('leaders');
  const led = await account.group('led', [], { managedById: leaders });
  operator = await account.user('operator', [operators, led], { fullName: 'Olga Operator' });
  manager = await account.user('manager', [managers]);
  leader = await account.user('leader', [leaders]);
  ewon = await account.onlineEwon({ name: 'north one', poolIds: [north] });
  foreign = await account.onlineEwon({ name: 'south one', poolIds: [south] });
  const opened = await operator.api.succeed(OPEN_SESSION, { input: { ewonId: ewon.id } });
  await operator.api.succeed(CLOSE_SESSION, { sessionId: opened.session.id });
  secrets.push(opened.tunnel.token, ...[account.admin, operator, manager, leader].map(({ api }) => String(api.token)));
});
afterAll(async () => {
  await ewon.device.disconnect();
  await foreign.device.disconnect();
  await server.close();
});

const read = async (api: ApiCaller, args: Record<string, unknown> = {}): Promise<Json> =>
  (await api.run(LOG, args)).logEntries;
const entries = async (api: ApiCaller, args: Record<string, unknown> = {}): Promise<Json[]> =>
  (await read(api, { first: 500, ...args })).nodes;

test('LOG-01 LOG-02 LOG-03 LOG-04 LOG-07 LOG-19 an entry says when, who, which device, what triggered it, and the text for it', async () => {
  const log = (await entries(account.admin.api)).reverse();
  const codes = log.map(({ code }) => code);
  for (const code of [
    'ACCOUNT_CREATED',
    'LOGIN_SUCCEEDED',
    'POOL_CREATED',
    'GROUP_CREATED',
    'USER_CREATED',
    'EWON_REGISTERED',
    'EWON_APPROVED',
    'EWON_ONLINE',
    'SESSION_STARTED',
    'SESSION_CLOSED',
  ])
    expect(codes).toContain(code);
  const of = (wanted: string) => log.find(({ code }) => code === wanted);
  expect(of('SESSION_STARTED')).toMatchObject({
    text: 'Olga Operator[operator] connected to north one with ECATCHER',
    trigger: 'USER',
    category: 'USER',
    severity: 'INFO',
    userReference: expect.stringMatching(/^USR\d+$/),
    userName: 'Olga Operator[operator]',
    user: { username: 'operator' },
    ewonReference: expect.stringMatching(/^DEV\d+$/),
    ewonName: 'north one',
    ewon: { name: 'north one' },
    session: { id: expect.any(String) },
    parameters: expect.arrayContaining([{ name: 'client', value: 'ECATCHER' }]),
  });
  expect(of('SESSION_CLOSED')).toMatchObject({
    text: 'Session of Olga Operator[operator] to north one closed (BY_USER Olga Operator[operator])',
    ewonName: 'north one',
  });
  expect(of('EWON_ONLINE')).toMatchObject({
    trigger: 'EWON',
    ewonName: 'north one',
    userReference: null,
    text: expect.stringMatching(/^Ewon north one online with address 10\./),
  });
  expect(of('POOL_CREATED')).toMatchObject({ trigger: 'USER', userName: 'admin', ewonReference: null, ewon: null });
});

test('LOG-18 times are in UTC in the form of ISO 8601, and never go back along the log', async () => {
  const times = (await entries(account.admin.api)).map(({ at }) => at).reverse();
  for (const at of times) expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(times).toEqual([...times].sort());
  expect(Math.abs(Date.parse(times.at(-1)) - server.clock.now().getTime())).toBeLessThan(120_000);
});

test('LOG-05 LOG-06 the log of one user, of several users, of Ewons, in chronological order', async () => {
  const numbers = (found: Json[]) => found.map(({ number }) => Number(number));
  const one = await entries(account.admin.api, { filter: { userIds: [operator.id] } });
  expect(new Set(one.map(({ userName }) => userName))).toEqual(new Set(['Olga Operator[operator]']));
  const two = await entries(account.admin.api, { filter: { userIds: [operator.id, manager.id] } });
  expect(two.length).toBeGreaterThan(one.length);
  expect(new Set(two.map(({ userName }) => userName))).toEqual(new Set(['Olga Operator[operator]', 'manager']));
  const devices = await entries(account.admin.api, { filter: { ewonIds: [ewon.id] } });
  expect(new Set(devices.map(({ ewonName }) => ewonName).filter((name) => name === 'south one')).size).toBe(0);
  expect(devices.map(({ code }) => code)).toContain('SESSION_STARTED');
  for (const found of [one, two, devices]) expect(numbers(found)).toEqual(numbers(found).sort((a, b) => b - a));
  // A time range, both ends as written: from inclusive, to exclusive.
  const start = one.find(({ code }) => code === 'SESSION_STARTED');
  const at = await entries(account.admin.api, { filter: { at: { from: start.at }, userIds: [operator.id] } });
  expect(at.map(({ number }) => number)).toContain(start.number);
  const before = await entries(account.admin.api, { filter: { at: { to: start.at }, userIds: [operator.id] } });
  expect(before.map(({ number }) => number)).not.toContain(start.number);
});

describe('Pages', () => {
  test('LOG-11 LOG-12 EVT-05 newest first; older parts on request; no next page when nothing older exists', async () => {
    const all = await entries(account.admin.api);
    const pages: Json[][] = [];
    let after: string | null = null;
    for (;;) {
      const page: Json = await read(account.admin.api, { first: 7, after });
      pages.push(page.nodes);
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      after = page.pageInfo.endCursor;
      if (!page.pageInfo.hasNextPage) break;
    }
    expect(pages.flat()).toEqual(all);
    expect(pages.at(-1)?.at(-1).number).toBe('1');
    for (const left of [0, 1]) {
      const page = await read(account.admin.api, { first: all.length - left });
      expect(page.nodes).toEqual(all.slice(0, all.length - left));
      expect(page.pageInfo.hasNextPage).toBe(left > 0);
    }
    const beyond = await read(account.admin.api, { first: 7, after });
    expect(beyond).toEqual({
      nodes: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
    });
  });

  test('LOG-11 EVT-05 from a cursor towards the present, up to the newest', async () => {
    const all = await entries(account.admin.api);
    const pages: Json[][] = [];
    let before = all.at(-1).cursor;
    for (;;) {
      const page = await read(account.admin.api, { last: 7, before });
      pages.unshift(page.nodes);
      expect(page.pageInfo.hasNextPage).toBe(true);
      before = page.pageInfo.startCursor;
      if (!page.pageInfo.hasPreviousPage) break;
    }
    expect(pages.flat()).toEqual(all.slice(0, -1));
    // The same place in a stream: what the stream would deliver after it is what lies before it in the log.
    const oldest = await read(account.admin.api, { last: 3 });
    expect(oldest.nodes).toEqual(all.slice(-3));
    expect(oldest.pageInfo.hasNextPage).toBe(false);
    const empty = await read(account.admin.api, { last: 3, before: all[0].cursor });
    expect(empty.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  });

  test('LOG-12 a next page is only what this reader and filter can get', async () => {
    const filter = { codes: ['SESSION_STARTED', 'SESSION_CLOSED'] };
    const [, started] = await entries(account.admin.api, { filter });
    const page = await read(account.admin.api, { last: 5, before: started.cursor, filter });
    expect(page.nodes.map(({ code }: Json) => code)).toEqual(['SESSION_CLOSED']);
    expect(page.pageInfo.hasNextPage).toBe(true);
    const onlyClosed = { codes: ['SESSION_CLOSED'] };
    const narrow = await read(account.admin.api, { last: 5, before: started.cursor, filter: onlyClosed });
    expect(narrow.nodes).toHaveLength(1);
    expect(narrow.pageInfo.hasNextPage).toBe(false);
  });

  test('LOG-12 50 a page unless asked otherwise, 1 to 500, refused beyond', async () => {
    const other = await TestAccount.create(server);
    await inAccount(server.app.platform, other.id, async ({ log }) =>
      log(...Array.from({ length: 520 }, () => ({ code: 'ACCOUNT_CHANGED' as const, params: { setting: 'x' } }))),
    );
    const count = async (args: Record<string, unknown>) =>
      (
        await other.admin.api.run(
          'query ($first: Int, $last: Int) { logEntries(first: $first, last: $last) { nodes { number } } }',
          args,
        )
      ).logEntries.nodes.length;
    expect(await count({})).toBe(50);
    expect(await count({ first: 1 })).toBe(1);
    expect(await count({ first: 500 })).toBe(500);
    expect(await count({ last: 500 })).toBe(500);
    for (const args of [
      { first: 0 },
      { first: 501 },
      { last: 0 },
      { last: 501 },
      { first: -1 },
      { first: 3, last: 3 },
    ]) {
      const answer = await other.admin.api.send(LOG, args);
      expect(answer.errors?.[0]?.extensions.code, JSON.stringify(args)).toBe('VALIDATION_FAILED');
    }
  });
});

describe('Who reads what', () => {
  test('LOG-20 Administrators read everything, others what is about themselves and about what they manage', async () => {
    const all = await entries(account.admin.api);
    expect(all.at(-1).number).toBe('1');

    const own = await entries(operator.api);
    expect(new Set(own.map(({ userName }) => userName))).toEqual(new Set(['Olga Operator[operator]']));
    // To connect to an Ewon is not to manage it.
    expect(own.map(({ code }) => code)).not.toContain('EWON_ONLINE');
    expect(own.map(({ code }) => code)).toContain('SESSION_STARTED');

    const managed = await entries(manager.api);
    expect(managed.map(({ code, ewonName }) => `${code} ${ewonName}`)).toContain('EWON_ONLINE south one');
    expect(managed.some(({ ewonName }) => ewonName === 'north one')).toBe(false);
    expect(managed.some(({ userName }) => userName === 'Olga Operator[operator]')).toBe(false);

    const led = await entries(leader.api);
    expect(led.some(({ code, userName }) => code === 'SESSION_STARTED' && userName === 'Olga Operator[operator]')).toBe(
      true,
    );
    expect(led.some(({ userName }) => userName === 'manager')).toBe(false);
    // What the entry points to is shown only as far as the reader may see it: the Ewon is none of his.
    expect(led.find(({ code }) => code === 'SESSION_STARTED').ewon).toBeNull();
  });

  test('LOG-20 GRP-11 of an Administrator who is in his group too a manager reads nothing: not in pages, streams or files', async () => {
    const of = await TestAccount.create(server);
    const managers = await of.group('managers');
    const managed = await of.group('managed', [], { managedById: managers });
    const { db } = server.app.platform;
    const { id } = await db.group.findFirstOrThrow({ where: { accountId: of.id, administrators: true } });
    const admin = await of.user('second', [managed, encodeGlobalId('Group', id)]);
    const member = await of.user('member', [managed]);
    const reader = await of.user('reader', [managers]);
    const stream = reader.api.subscribe(
      'subscription ($after: Cursor) { logEvents(after: $after) { entries { userName } } }',
      { after: (await read(of.admin.api)).pageInfo.endCursor },
    );
    for (const { api } of [admin, member]) await api.mutate('mutation { logout { __typename } }');
    const own = ['member', 'reader'];
    const names = (found: Json[]) => [...new Set(found.map(({ userName }) => userName))].sort();

    expect(names(await entries(reader.api))).toEqual(own);
    expect(await entries(reader.api, { filter: { userIds: [admin.id] } })).toEqual([]);
    const streamed = () => stream.received.flatMap(({ logEvents }) => logEvents.entries);
    await stream.waitFor('the entries', () => streamed().filter(({ userName }) => userName === 'member').length > 1);
    expect(names(streamed())).toEqual(own);
    await stream.leave();
    const { url } = (await reader.api.run('{ logDownload(format: CSV) { url } }')).logDownload;
    const rows: Json[] = parse(await (await fetch(`${server.url}${url}`)).text(), { columns: true });
    expect(names(rows.map(({ user }) => ({ userName: user })))).toEqual(own);
  });

  test('LOG-20 nobody reads the log of another account, or any without a login', async () => {
    const stranger = await TestAccount.create(server);
    const log = await entries(stranger.admin.api);
    expect(log.map(({ code }) => code).sort()).toEqual(['ACCOUNT_CREATED', 'LOGIN_SUCCEEDED']);
    expect(await entries(stranger.admin.api, { filter: { ewonIds: [ewon.id] } })).toEqual([]);
    const anonymous = await new ApiCaller(server.url).send('{ logEntries { nodes { number } } }');
    expect(anonymous.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });
});

test('LOG-16 no mutation touches an entry', async () => {
  const { __schema } = await account.admin.api.run(
    '{ __schema { mutationType { fields { name args { type { name ofType { name inputFields { name } } } } } } } }',
  );
  const names = __schema.mutationType.fields.map(({ name }: Json) => name);
  expect(names.filter((name: string) => /log(?!in|out)|entry|entries/i.test(name))).toEqual([]);
  // Whatever is done to what an entry names, the entry stays as it was written.
  const before = await entries(account.admin.api, { filter: { ewonIds: [ewon.id] } });
  await account.admin.api.succeed(
    'mutation ($ewonId: ID!) { updateEwon(input: { ewonId: $ewonId, properties: { name: "renamed" } }) { __typename ... on Error { code } } }',
    { ewonId: ewon.id },
  );
  const told = (found: Json[]) => found.map(({ ewon: _atReading, ...entry }) => entry);
  const after = await entries(account.admin.api, { filter: { ewonIds: [ewon.id] } });
  expect(told(after).slice(-before.length)).toEqual(told(before));
  expect(after[0]).toMatchObject({ code: 'EWON_CHANGED' });
});

test('LOG-17 EVT-04 the platform removes what is older than the retention, and only that', async () => {
  const own = await startServer({ env: { LOG_RETENTION_MONTHS: '2', LOGIN_IDLE_MINUTES: '1440', LOGIN_HOURS: '720' } });
  try {
    const { platform } = own.app;
    const old = await TestAccount.create(own);
    const write = (setting: string, count: number) =>
      inAccount(platform, old.id, async ({ log }) =>
        log(...Array.from({ length: count }, () => ({ code: 'ACCOUNT_CHANGED' as const, params: { setting } }))),
      );
    await write('old', 5200);
    own.clock.advance(45 * 86_400_000);
    await write('young', 3);
    await own.app.jobs.run();
    expect(await platform.db.logEntry.count({ where: { accountId: old.id, seq: { lte: 10 } } })).toBe(10);

    own.clock.advance(20 * 86_400_000);
    await own.app.jobs.run();
    const left = await platform.db.logEntry.findMany({ where: { accountId: old.id }, orderBy: { seq: 'asc' } });
    const changes = left.filter(({ code }) => code === 'ACCOUNT_CHANGED');
    expect(changes.map(({ params }) => (params as Json).setting)).toEqual(['young', 'young', 'young']);
    const { logSeq, logPurgedSeq } = await platform.db.account.findUniqueOrThrow({ where: { id: old.id } });
    expect(left.map(({ seq }) => seq)).toEqual(left.map((_entry, index) => logPurgedSeq + 1n + BigInt(index)));
    expect(left.at(-1)?.seq).toBe(logSeq);

    // Numbers go on, whatever was removed.
    await write('new', 1);
    expect(await platform.db.logEntry.count({ where: { accountId: old.id, seq: logSeq + 1n } })).toBe(1);
  } finally {
    await own.close();
  }
});

test('LOG-21 no entry holds a password, a token or a key', async () => {
  const { api } = account.admin;
  const login = (password: string) =>
    api.mutate('mutation ($input: LoginInput!) { login(input: $input) { __typename ... on LoginSuccess { token } } }', {
      input: { account: account.name, username: 'operator', password, client: 'M2WEB' },
    });
  await login('wrong-Pass-9');
  secrets.push((await login(USER_PASSWORD)).token, await account.registrationKey());
  await api.succeed('mutation { renewRegistrationKey { __typename ... on Error { code } } }');
  secrets.push(await account.registrationKey());
  const file = await api.succeed(
    'mutation { exportRegistrationKey(input: { description: "x" }) { __typename ... on ExportRegistrationKeySuccess { content } ... on Error { code } } }',
  );
  expect(file.content).toContain(await account.registrationKey());
  const created = await api.succeed(
    'mutation { createEwon(input: { name: "waiting" }) { __typename ... on CreateEwonSuccess { activationKey } ... on Error { code } } }',
  );
  secrets.push(created.activationKey);

  const rows = await server.app.platform.db.logEntry.findMany({ where: { accountId: account.id } });
  expect(rows.map(({ code }) => code)).toEqual(
    expect.arrayContaining(['LOGIN_FAILED', 'REGISTRATION_KEY_RENEWED', 'REGISTRATION_KEY_EXPORTED', 'EWON_CREATED']),
  );
  const text = JSON.stringify([rows, await entries(api)], (_key, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(8);
    expect(text).not.toContain(secret);
  }
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/graphql/global-id.ts';
import { inAccount, type LogDraft, type Subject } from '../../src/log/write.ts';
import type { ApiCaller, Json } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Person, TestAccount } from '../support/world.ts';

const LOG = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: LogFilter, $orderBy: [LogOrder!]) {
  logEntries(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
    nodes { number cursor code category severity trigger userName ewonName }
    edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
const RAW = `query ($first: Int, $after: String) {
  rawLog(first: $first, after: $after) { nodes pageInfo { hasNextPage endCursor } }
}`;
const RAW_USER = `query ($userIds: [ID!]!, $first: Int) { rawUserLog(userIds: $userIds, first: $first) { nodes } }`;

let server: TestServer;
let account: TestAccount;
let manager: Person;
let managedPool: string;
let subjects: Record<'anna' | 'bert' | 'managed' | 'other', Subject>;

beforeAll(async () => {
  server = await startServer({ env: { LOGIN_IDLE_MINUTES: '1440', LOGIN_HOURS: '720' } });
  account = await TestAccount.create(server);
  managedPool = await account.pool('managed');
  manager = await account.user('manager', [await account.group('managers', [{ poolId: managedPool, modify: true }])]);
  const others = await account.group('others');
  const { db } = server.app.platform;
  const pools = await db.pool.findMany({ where: { accountId: account.id } });
  const inPool = (name: string) => pools.find((pool) => pool.name === name)?.id ?? '';
  const ewon = async (name: string, poolName: string): Promise<Subject> => {
    const query =
      'mutation ($input: CreateEwonInput!) { createEwon(input: $input) { __typename ... on CreateEwonSuccess { ewon { id } } ... on Error { code message } } }';
    const poolId = encodeGlobalId('Pool', inPool(poolName));
    await account.admin.api.succeed(query, { input: { name, properties: { poolIds: [poolId] } } });
    const { id, number } = await db.ewon.findFirstOrThrow({ where: { accountId: account.id, name } });
    return { id, number, name };
  };
  const user = async (username: string): Promise<Subject> => {
    await account.user(username, [others]);
    const { id, number } = await db.user.findFirstOrThrow({ where: { accountId: account.id, username } });
    return { id, number, name: username };
  };
  subjects = {
    anna: await user('anna'),
    bert: await user('bert'),
    managed: await ewon('managed one', 'managed'),
    other: await ewon('other one', pools.find(({ isDefault }) => isDefault)?.name ?? ''),
  };
  const { anna, bert, managed, other } = subjects;
  const drafts: LogDraft[] = [
    { code: 'SESSION_STARTED', user: bert, ewon: managed, params: { client: 'ECATCHER' } },
    { code: 'LOGIN_FAILED', user: anna },
    { code: 'EWON_CONFIGURATION_ERROR', ewon: other, params: { reason: 'x' } },
    { code: 'SLOTS_CHANGED', params: { from: 1, to: 2 } },
    { code: 'EWON_OFFLINE', ewon: managed, params: { reason: 'gone' } },
    { code: 'SESSION_STARTED', user: anna, ewon: other, params: { client: 'M2WEB' } },
    { code: 'LOGIN_FAILED', user: bert },
    { code: 'EWON_WAKING_UP', user: anna, ewon: managed },
  ];
  for (let round = 0; round < 5; round++)
    await inAccount(server.app.platform, account.id, async ({ log }) => log(...drafts));
});
afterAll(() => server.close());

const read = async (api: ApiCaller, args: Record<string, unknown> = {}): Promise<Json> =>
  (await api.run(LOG, args)).logEntries;
const entries = async (api: ApiCaller, args: Record<string, unknown> = {}): Promise<Json[]> =>
  (await read(api, { first: 500, ...args })).nodes;
const refused = async (api: ApiCaller, args: Record<string, unknown>): Promise<string | undefined> =>
  (await api.send(LOG, args)).errors?.[0]?.extensions.code as string | undefined;

/** What the database orders enums by, and the field of an entry for each field of an order. */
const RANKS = [
  ['USER', 'EWON', 'ACCOUNT', 'SECURITY', 'BILLING'],
  ['INFO', 'WARNING', 'ERROR'],
  ['USER', 'EWON', 'PLATFORM'],
];
const KEYS: Record<string, (entry: Json) => string | number | null> = {
  TIME: ({ number }) => Number(number),
  EVENT: ({ code }) => code,
  CATEGORY: ({ category }) => RANKS[0]?.indexOf(category) ?? -1,
  SEVERITY: ({ severity }) => RANKS[1]?.indexOf(severity) ?? -1,
  TRIGGER: ({ trigger }) => RANKS[2]?.indexOf(trigger) ?? -1,
  USER: ({ userName }) => userName,
  EWON: ({ ewonName }) => ewonName,
};

/** The rule, said another way: by each field, null last, then by number in the direction of the last field. */
function inOrder(all: Json[], orderBy: { field: string; direction: string }[]): string[] {
  const terms = [...orderBy, { field: 'TIME', direction: orderBy.at(-1)?.direction ?? 'DESC' }];
  return [...all]
    .sort((a, b) => {
      for (const { field, direction } of terms) {
        const [left, right] = [KEYS[field]?.(a) ?? null, KEYS[field]?.(b) ?? null];
        if (left === right) continue;
        if (left === null || right === null) return left === null ? 1 : -1;
        return (left < right ? -1 : 1) * (direction === 'ASC' ? 1 : -1);
      }
      return 0;
    })
    .map(({ number }) => number);
}

const ORDERS = [
  ...Object.keys(KEYS).flatMap((field) => ['ASC', 'DESC'].map((direction) => [{ field, direction }])),
  [
    { field: 'SEVERITY', direction: 'DESC' },
    { field: 'USER', direction: 'ASC' },
  ],
  [
    { field: 'USER', direction: 'DESC' },
    { field: 'EWON', direction: 'ASC' },
  ],
  [
    { field: 'EWON', direction: 'ASC' },
    { field: 'USER', direction: 'ASC' },
    { field: 'TIME', direction: 'DESC' },
  ],
  [
    { field: 'USER', direction: 'ASC' },
    { field: 'USER', direction: 'DESC' },
    { field: 'SEVERITY', direction: 'ASC' },
  ],
];

describe('Orders', () => {
  test.each(
    ORDERS.map((orderBy) => [orderBy.map(({ field, direction }) => `${field} ${direction}`).join(), orderBy] as const),
  )(
    'LOG-09 LOG-11 LOG-12 by %s: in that order, page by page in both directions, for all and for some readers',
    async (_title, orderBy) => {
      for (const { api } of [account.admin, manager]) {
        const expected = inOrder(
          await entries(api),
          [...orderBy].filter(
            ({ field }, index) => orderBy.findIndex((one) => one.field === field) === index || field === 'SEVERITY',
          ),
        );
        const forward: Json[] = [];
        let after: string | null = null;
        for (;;) {
          const page: Json = await read(api, { first: 11, after, orderBy });
          forward.push(...page.nodes);
          expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
          after = page.pageInfo.endCursor;
          if (!page.pageInfo.hasNextPage) break;
        }
        expect(forward.map(({ number }) => number)).toEqual(expected);
        const backward: Json[] = [];
        let before: string | null = null;
        for (;;) {
          const page: Json = await read(api, { last: 13, before, orderBy });
          backward.unshift(...page.nodes);
          expect(page.pageInfo.hasNextPage).toBe(before !== null);
          before = page.pageInfo.startCursor;
          if (!page.pageInfo.hasPreviousPage) break;
        }
        expect(backward.map(({ number }) => number)).toEqual(expected);
        // From a place to a place, neither of them among what lies between.
        const { edges } = await read(api, { first: 12, orderBy });
        const between = await read(api, { first: 50, orderBy, after: edges[1].cursor, before: edges[11].cursor });
        expect(between.nodes.map(({ number }: Json) => number)).toEqual(expected.slice(2, 11));
      }
    },
  );

  test('LOG-09 EVT-05 by time, either way round, cursors are those of the log; those of another order are only of that one', async () => {
    const oldestFirst = await read(account.admin.api, { first: 5, orderBy: [{ field: 'TIME', direction: 'ASC' }] });
    expect(oldestFirst.nodes.map(({ number }: Json) => number)).toEqual(['1', '2', '3', '4', '5']);
    expect(oldestFirst.edges.map(({ cursor }: Json) => cursor)).toEqual(
      oldestFirst.nodes.map(({ cursor }: Json) => cursor),
    );
    const older = await read(account.admin.api, { first: 50, after: oldestFirst.pageInfo.endCursor });
    expect(older.nodes.map(({ number }: Json) => number)).toEqual(['4', '3', '2', '1']);

    const byUser = [{ field: 'USER', direction: 'ASC' }];
    const { pageInfo } = await read(account.admin.api, { first: 3, orderBy: byUser });
    const ask = (args: object, { api } = account.admin) =>
      refused(api, { first: 3, after: pageInfo.endCursor, ...args });
    expect(await ask({ orderBy: byUser })).toBeUndefined();
    expect(await ask({ orderBy: [{ field: 'USER', direction: 'DESC' }] })).toBe('CURSOR_INVALID');
    expect(await ask({ orderBy: [{ field: 'EWON', direction: 'ASC' }] })).toBe('CURSOR_INVALID');
    expect(await ask({})).toBe('CURSOR_INVALID');
    expect(await ask({ orderBy: byUser, after: 'x' })).toBe('CURSOR_INVALID');
    expect(await ask({ orderBy: byUser, after: oldestFirst.pageInfo.endCursor })).toBe('CURSOR_INVALID');
    const stranger = await TestAccount.create(server);
    expect(await ask({ orderBy: byUser }, stranger.admin)).toBe('CURSOR_INVALID');
    const five = ['USER', 'EWON', 'EVENT', 'TRIGGER', 'SEVERITY'].map((field) => ({ field, direction: 'ASC' }));
    expect(await refused(account.admin.api, { orderBy: five })).toBe('VALIDATION_FAILED');
  });

  test('LOG-09 LOG-11 entries written meanwhile move no page', async () => {
    const orderBy = [{ field: 'USER', direction: 'DESC' }];
    const filter = { userName: { in: ['anna', 'bert'] } };
    const expected = (await entries(account.admin.api, { orderBy, filter })).map(({ number }) => number);
    const { pageInfo, nodes } = await read(account.admin.api, { first: 8, orderBy, filter });
    await inAccount(server.app.platform, account.id, async ({ log }) =>
      log({ code: 'LOGGED_OUT', user: subjects.bert }),
    );
    const next = await read(account.admin.api, { first: 500, after: pageInfo.endCursor, orderBy, filter });
    expect([...nodes, ...next.nodes].map(({ number }: Json) => number)).toEqual(expected);
  });
});

describe('Filters', () => {
  const numbers = async (filter: object, api = account.admin.api) =>
    (await entries(api, { filter })).map(({ number }) => number);
  /** Those of all entries that a condition keeps, newest first as the log. */
  const expected = async (keep: (entry: Json) => boolean) =>
    (await entries(account.admin.api)).filter(keep).map(({ number }) => number);

  test('LOG-10 several types are combined, with triggers, names and AND, OR and NOT', async () => {
    expect(await numbers({ categories: ['USER', 'BILLING'], severities: ['INFO', 'ERROR'] })).toEqual(
      await expected(({ category, severity }) => ['USER', 'BILLING'].includes(category) && severity !== 'WARNING'),
    );
    expect(await numbers({ triggers: ['PLATFORM'] })).toEqual(await expected(({ trigger }) => trigger === 'PLATFORM'));
    expect(await numbers({ OR: [{ codes: ['LOGIN_FAILED'] }, { severities: ['ERROR'] }] })).toEqual(
      await expected(({ code, severity }) => code === 'LOGIN_FAILED' || severity === 'ERROR'),
    );
    expect(await numbers({ AND: [{ codes: ['LOGIN_FAILED'] }, { userName: { equals: 'anna' } }] })).toEqual(
      await expected(({ code, userName }) => code === 'LOGIN_FAILED' && userName === 'anna'),
    );
    expect(await numbers({ userName: { contains: 'NN' } })).toEqual(
      await expected(({ userName }) => userName === 'anna'),
    );
    expect(await numbers({ ewonName: { isNull: false } })).toEqual(await expected(({ ewonName }) => ewonName !== null));
    expect(await numbers({ OR: [] })).toEqual([]);
    expect(await numbers({ codes: [] })).toEqual([]);
    // What has no user has not that user either.
    expect(await numbers({ NOT: { userName: { equals: 'anna' } } })).toEqual(
      await expected(({ userName }) => userName !== 'anna'),
    );
    const annas = [encodeGlobalId('User', subjects.anna.id)];
    expect(await numbers({ NOT: { userIds: annas }, categories: ['EWON'] })).toEqual(
      await expected(({ userName, category }) => userName !== 'anna' && category === 'EWON'),
    );
    expect(await numbers({ NOT: { poolIds: [managedPool] } })).toEqual(
      await expected(({ ewonName }) => ewonName !== 'managed one'),
    );
  });

  test('LOG-10 free text finds names in any case, and takes signs as they are', async () => {
    const found = await numbers({ search: 'MANAGED o' });
    expect(found.length).toBeGreaterThan(9);
    expect(found).toEqual(await expected(({ ewonName }) => ewonName === 'managed one'));
    expect(await numbers({ search: 'ann' })).toEqual(await expected(({ userName }) => userName === 'anna'));
    for (const text of ['%', '_', '\\', "'"]) expect(await numbers({ search: text }), text).toEqual([]);
  });

  test('LOG-10 LOG-20 a filter widens nothing: in OR and NOT too only what the reader may read', async () => {
    const readable = new Set(await numbers({}, manager.api));
    expect(readable.size).toBeGreaterThan(10);
    for (const filter of [
      { NOT: { codes: ['LOGIN_FAILED'] } },
      { OR: [{}, { userIds: [] }] },
      { ewonName: { isNull: true } },
    ])
      for (const number of await numbers(filter, manager.api)) expect(readable).toContain(number);
    expect(await numbers({ ewonIds: [encodeGlobalId('Ewon', subjects.other.id)] }, manager.api)).toEqual([]);
  });

  test('LOG-10 LST-03 a filter of too many levels, conditions or values is refused, in the list, in streams and for files', async () => {
    const deep = (levels: number): object => (levels === 1 ? { codes: [] } : { NOT: deep(levels - 1) });
    expect(await refused(account.admin.api, { filter: deep(5) })).toBeUndefined();
    const many = (number: number, one: object) => ({ OR: Array.from({ length: number }, () => one) });
    // A free text counts for both names, and the lists have so many values together.
    const names = { userName: { in: Array(500).fill('x') } };
    for (const filter of [many(50, { codes: [] }), many(33, { search: 'x' }), many(10, names)])
      expect(await refused(account.admin.api, { filter })).toBeUndefined();
    for (const filter of [
      deep(6),
      many(51, { codes: [] }),
      many(34, { search: 'x' }),
      many(11, names),
      { ...many(10, names), severities: ['INFO'] },
    ]) {
      expect(await refused(account.admin.api, { filter })).toBe('VALIDATION_FAILED');
      const file = await account.admin.api.send(
        'query ($filter: LogFilter) { logDownload(format: CSV, filter: $filter) { url } }',
        { filter },
      );
      expect(file.errors?.[0]?.extensions.code).toBe('VALIDATION_FAILED');
    }
  });

  test('LOG-10 a time range holds to the millisecond', async () => {
    const own = await TestAccount.create(server);
    const write = async (setting: string) => {
      await inAccount(server.app.platform, own.id, async ({ log }) =>
        log({ code: 'ACCOUNT_CHANGED', params: { setting } }),
      );
      server.clock.advance(40 * 60_000);
    };
    for (const setting of ['a', 'b', 'c', 'd', 'e']) await write(setting);
    const all = (await own.log({ codes: ['ACCOUNT_CHANGED'] })).reverse();
    const [from, to] = [all[1]?.at, all[3]?.at];
    const of = async (at: object) =>
      (await own.log({ codes: ['ACCOUNT_CHANGED'], at })).reverse().map(({ parameters }) => parameters[0].value);
    expect(await of({ from, to })).toEqual(['b', 'c']);
    expect(await of({ from })).toEqual(['b', 'c', 'd', 'e']);
    expect(await of({ to })).toEqual(['a', 'b', 'c']);
    const later = new Date(Date.parse(from) + 1).toISOString();
    expect(await of({ from: later, to })).toEqual(['c']);
    const outside = await own.log({ codes: ['ACCOUNT_CHANGED'], NOT: { at: { from, to } } });
    expect(outside.reverse().map(({ parameters }) => parameters[0].value)).toEqual(['a', 'd', 'e']);
  });
});

describe('Raw view', () => {
  const raw = async (api: ApiCaller, args: object = {}): Promise<string[]> =>
    (await api.run(RAW, { first: 500, ...args })).rawLog.nodes;
  const LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (.+) (USER|EWON|PLATFORM) (.+)$/;

  test('LOG-08 the account log in lines of day, time, name, kind of trigger and event; the user log in the shorter ones', async () => {
    const lines = await raw(account.admin.api);
    for (const line of lines) expect(line).toMatch(LINE);
    const tails = lines.map((line) => line.slice('2026-11-22 14:03:07 '.length));
    expect(tails).toEqual(
      expect.arrayContaining([
        'bert USER bert connected to managed one with ECATCHER',
        'managed one EWON Ewon managed one offline: gone',
        '- PLATFORM Concurrent connections changed from 1 to 2',
        'anna USER Ewon managed one is being woken up',
      ]),
    );
    const userIds = [encodeGlobalId('User', subjects.bert.id)];
    const { rawUserLog } = await account.admin.api.run(RAW_USER, { userIds, first: 500 });
    const short = rawUserLog.nodes.map((line: string) => line.slice('2026-11-22 14:03:07 '.length));
    expect(new Set(short)).toEqual(
      new Set([
        ...short.filter((line: string) => line.includes('bert')),
        'bert connected to managed one with ECATCHER',
      ]),
    );
    expect(rawUserLog.nodes).toHaveLength((await entries(account.admin.api, { filter: { userIds } })).length);
    for (const line of rawUserLog.nodes) expect(line).not.toMatch(/^\S+ \S+ bert USER/);
  });

  test('LOG-08 LOG-11 LOG-20 in the pages of the log and as far as the reader may read it', async () => {
    const whole = await raw(account.admin.api);
    expect(whole).toHaveLength((await entries(account.admin.api)).length);
    const { rawLog } = await account.admin.api.run(RAW, { first: 7 });
    expect(rawLog.nodes).toEqual(whole.slice(0, 7));
    expect(await raw(account.admin.api, { after: rawLog.pageInfo.endCursor })).toEqual(whole.slice(7));
    const { pageInfo } = await read(account.admin.api, { first: 7 });
    expect(rawLog.pageInfo.endCursor).toBe(pageInfo.endCursor);
    const some = await raw(manager.api);
    expect(some).toHaveLength((await entries(manager.api)).length);
    for (const line of some) expect(line).not.toContain('other one');
    const { rawUserLog } = await manager.api.run(RAW_USER, { userIds: [encodeGlobalId('User', subjects.anna.id)] });
    expect(new Set(rawUserLog.nodes.map((line: string) => line.slice(20)))).toEqual(
      new Set(['Ewon managed one is being woken up']),
    );
  });

  test('LOG-08 LOG-18 times are those of the account’s time zone, also on the day on which an hour comes twice', async () => {
    const own = await TestAccount.create(server);
    await server.app.platform.db.account.update({ where: { id: own.id }, data: { timeZone: 'Europe/Brussels' } });
    const times: [string, string][] = [
      ['2026-10-24T22:00:00.000Z', '2026-10-25 00:00:00'],
      ['2026-10-25T00:59:59.999Z', '2026-10-25 02:59:59'],
      ['2026-10-25T01:00:00.000Z', '2026-10-25 02:00:00'],
      ['2026-12-31T23:00:00.000Z', '2027-01-01 00:00:00'],
    ];
    const before = (await raw(own.admin.api)).length;
    for (const [index] of times.entries())
      await inAccount(server.app.platform, own.id, async ({ log }) =>
        log({ code: 'ACCOUNT_CHANGED', params: { setting: `${index}` } }),
      );
    for (const [index, [at]] of times.entries())
      await server.app.platform.db.logEntry.update({
        where: { accountId_seq: { accountId: own.id, seq: BigInt(before + index + 1) } },
        data: { at: new Date(at) },
      });
    const lines = (await raw(own.admin.api)).reverse().slice(before);
    expect(lines.map((line) => line.slice(0, 19))).toEqual(times.map(([, local]) => local));
  });

  test('LOG-08 no name makes a line of its own, hides what follows or turns it round', async () => {
    const own = await TestAccount.create(server);
    const evil = [
      'a\n2026-01-01 00:00:00 admin USER all is well',
      'b\r\u2028\u2029\u0085c',
      'd\u202ee\u2066f',
      'g\u0000h\u001b[2Ji',
    ].map((name) => name.replaceAll('\u0000', '\u0001'));
    await inAccount(server.app.platform, own.id, async ({ log }) => {
      for (const name of evil) log({ code: 'EWON_WAKING_UP', ewon: { id: subjects.other.id, number: 1, name } });
    });
    const lines = await raw(own.admin.api, { first: evil.length });
    expect(lines).toHaveLength(evil.length);
    for (const line of lines) expect(line).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+$/u);
    expect(lines[3]).toMatch(/ a\ufffd2026-01-01 00:00:00 admin USER all is well EWON Ewon a\ufffd2026/);
  });
});

test('LOG-17 EVT-04 of what retention has removed no page is left: by time a cursor has expired, by another order it goes on', async () => {
  const own = await TestAccount.create(server);
  const { platform } = server.app;
  await inAccount(platform, own.id, async ({ log }) =>
    log(...Array.from({ length: 20 }, () => ({ code: 'LOGIN_FAILED' as const, user: subjects.anna }))),
  );
  const orderBy = [{ field: 'USER', direction: 'ASC' }];
  const filter = { codes: ['LOGIN_FAILED'] };
  const all = (await entries(own.admin.api, { filter })).reverse();
  const byTime = await read(own.admin.api, { last: 5, filter });
  const byUser = await read(own.admin.api, { first: 5, orderBy, filter });
  const purged = BigInt(all[9]?.number);
  await platform.db.logEntry.deleteMany({ where: { accountId: own.id, seq: { lte: purged } } });
  await platform.db.account.update({ where: { id: own.id }, data: { logPurgedSeq: purged } });
  expect(await refused(own.admin.api, { first: 5, after: byTime.pageInfo.startCursor, filter })).toBe('CURSOR_EXPIRED');
  const next = await read(own.admin.api, { first: 50, after: byUser.pageInfo.endCursor, orderBy, filter });
  expect(next.nodes.map(({ number }: Json) => number)).toEqual(all.slice(10).map(({ number }) => number));
});

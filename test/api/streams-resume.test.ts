import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { inAccount } from '../../src/log/write.ts';
import { ApiCaller, type EventStream, type Json, type Subscription } from '../support/client.ts';

import { copyDatabase, eachDatabase, onPostgres, startServer, type TestServer } from '../support/server.ts';
import { startWorld, TestAccount } from '../support/world.ts';

const LOG_EVENTS =
  'subscription ($after: Cursor) { logEvents(after: $after) { cursor entries { number at code parameters { name value } } } }';

/** Numbers that look random and come again from the same seed, which a failing test tells. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Eight writers at once, each its share in transactions of one to four entries. */
async function writeEntries(server: TestServer, accountId: string, count: number, random: () => number): Promise<void> {
  const writers = Array.from({ length: 8 }, async (_none, writer) => {
    for (let step = 0; step < count / 8; ) {
      const steps = Array.from({ length: Math.min(1 + Math.floor(random() * 4), count / 8 - step) }, () => step++);
      await inAccount(server.app.platform, accountId, async ({ log }) =>
        log(...steps.map((setting) => ({ code: 'ACCOUNT_CHANGED' as const, params: { setting, writer } }))),
      );
    }
  });
  await Promise.all(writers);
}

type Stream = Subscription | EventStream;

/** Reads on from a place, over one connection after the other, each cut when so many entries have come; the last stays until all are there. */
async function readThroughCuts(
  open: (after: string, connection: number) => Stream,
  from: string,
  cutAt: number[],
  total: number,
): Promise<{ entries: Json[]; cuts: number }> {
  const entries: Json[] = [];
  let cursor = from;
  let cuts = 0;
  for (const limit of [...cutAt, total]) {
    const stream = open(cursor, cuts);
    await stream.waitFor(
      `entry ${limit}`,
      () => entries.length + stream.received.flatMap(entriesOf).length >= limit,
      60_000,
    );
    if (limit === total) await stream.leave();
    else stream.cut();
    cuts += limit === total ? 0 : 1;
    // Nothing that comes after this counts: it is lost with the connection.
    const received = [...stream.received];
    entries.push(...received.flatMap(entriesOf));
    cursor = received.at(-1)?.logEvents.cursor ?? cursor;
  }
  return { entries, cuts };
}

const entriesOf = (message: Json): Json[] => message.logEvents.entries;

const cutPoints = (count: number, total: number, random: () => number): number[] =>
  Array.from({ length: count }, () => 1 + Math.floor(random() * (total - 1))).sort((a, b) => a - b);

async function newestCursor(api: ApiCaller): Promise<string> {
  return (await api.run('{ logEntries(first: 1) { pageInfo { startCursor } } }')).logEntries.pageInfo.startCursor;
}

/** Every entry once, in order, without a gap in the numbers; times never go back; each writer's own order is kept. */
function expectComplete(entries: Json[], total: number): void {
  const numbers = entries.map(({ number }) => Number(number));
  expect(numbers).toEqual(Array.from({ length: total }, (_none, index) => (numbers[0] ?? 0) + index));
  const times = entries.map(({ at }) => at);
  expect(times).toEqual([...times].sort());
  const steps = new Map<string, number[]>();
  for (const { parameters } of entries) {
    const { writer, setting } = Object.fromEntries(parameters.map(({ name, value }: Json) => [name, value]));
    steps.set(writer, [...(steps.get(writer) ?? []), Number(setting)]);
  }
  for (const own of steps.values()) expect(own).toEqual(own.map((_step, index) => index));
  expect([...steps.values()].flat()).toHaveLength(total);
}

eachDatabase('A subscriber that is cut', (database) => {
  let server: TestServer;
  let account: TestAccount;
  // The embedded database is one session: there, writers and readers take turns whatever their number.
  const [ENTRIES, CUTS] = database === 'postgresql' ? [2000, 20] : [480, 12];
  beforeAll(async () => {
    ({ server, account } = await startWorld({ database }));
  });
  afterAll(() => server.close());

  test.each([
    ['WebSocket', (api: ApiCaller, after: string) => api.subscribe(LOG_EVENTS, { after })],
    ['server-sent events', (api: ApiCaller, after: string) => api.stream(LOG_EVENTS, { after })],
  ])(
    `EVT-01 EVT-03 EVT-12 ${CUTS} cuts at random over %s, ${ENTRIES} entries by 8 writers: every entry once, in order`,
    { timeout: 120_000 },
    async (_transport, open) => {
      const seed = Date.now();
      const random = randomFrom(seed);
      const from = await newestCursor(account.admin.api);
      const [{ entries, cuts }] = await Promise.all([
        readThroughCuts((after) => open(account.admin.api, after), from, cutPoints(CUTS, ENTRIES, random), ENTRIES),
        writeEntries(server, account.id, ENTRIES, random),
      ]).catch((error) => {
        throw new Error(`Seed ${seed}: ${error.message}`);
      });
      expect(cuts).toBe(CUTS);
      expectComplete(entries, ENTRIES);
    },
  );

  test('EVT-01 EVT-03 mutations by 8 callers at once reach a subscriber that is cut: each once, in order', async () => {
    const from = await newestCursor(account.admin.api);
    const create = 'mutation ($name: String!) { createPool(input: { name: $name }) { __typename } }';
    const callers = Array.from({ length: 8 }, async (_none, caller) => {
      for (let step = 0; step < 5; step++) await account.admin.api.succeed(create, { name: `pool ${caller} ${step}` });
    });
    const [{ entries }] = await Promise.all([
      readThroughCuts((after) => account.admin.api.subscribe(LOG_EVENTS, { after }), from, [3, 9, 17, 30], 40),
      ...callers,
    ]);
    const numbers = entries.map(({ number }) => Number(number));
    expect(numbers).toEqual(numbers.map((_number, index) => (numbers[0] ?? 0) + index));
    expect(new Set(entries.map(({ parameters }) => parameters[0].value)).size).toBe(40);
    expect(entries.every(({ code }) => code === 'POOL_CREATED')).toBe(true);
  });

  test('EVT-01 a transaction that fails leaves no entry and no gap', async () => {
    const before = BigInt(
      (await account.admin.api.run('{ logEntries(first: 1) { nodes { number } } }')).logEntries.nodes[0].number,
    );
    await expect(
      inAccount(server.app.platform, account.id, async ({ log }) => {
        log({ code: 'ACCOUNT_CHANGED', params: { setting: 'lost' } });
        throw new Error('on purpose');
      }),
    ).rejects.toThrow('on purpose');
    await account.pool(`after the failure ${database}`);
    const { nodes } = (await account.admin.api.run('{ logEntries(first: 1) { nodes { number code } } }')).logEntries;
    expect(nodes[0]).toEqual({ number: String(before + 1n), code: 'POOL_CREATED' });
  });
});

onPostgres('Instances on one database', () => {
  describe.each([
    ['without a message bus', null],
    ['with Redis', inject('redis')],
  ])('%s', (bus, redis) => {
    const env: Record<string, string> =
      bus === 'with Redis' ? { REDIS_URL: redis ?? '', STREAM_POLL_SECONDS: '300' } : { STREAM_POLL_SECONDS: '1' };

    test.skipIf(bus === 'with Redis' && redis === null)(
      'EVT-03 a subscriber that changes the instance at each cut misses nothing and gets nothing twice',
      async () => {
        const { server: first, account } = await startWorld({ database: 'postgresql', env });
        const second = await startServer({ databaseUrl: first.databaseUrl, env });
        try {
          const seed = Date.now();
          const random = randomFrom(seed);
          const from = await newestCursor(account.admin.api);
          const other = new ApiCaller(second.url, account.admin.api.token);
          const write = async () => {
            for (const server of [first, second, first]) await writeEntries(server, account.id, 80, random);
          };
          const [{ entries }] = await Promise.all([
            readThroughCuts(
              (after, connection) =>
                (connection % 2 === 0 ? other : account.admin.api).subscribe(LOG_EVENTS, { after }),
              from,
              cutPoints(6, 240, random),
              240,
            ),
            write(),
          ]).catch((error) => {
            throw new Error(`Seed ${seed}: ${error.message}`);
          });
          const numbers = entries.map(({ number }) => Number(number));
          expect(numbers).toEqual(Array.from({ length: 240 }, (_none, index) => (numbers[0] ?? 0) + index));
        } finally {
          await second.close();
          await first.close();
        }
      },
    );
  });

  test('EVT-03 streams hold no transaction open, whether they wait or deliver', async () => {
    const { server, account } = await startWorld({ database: 'postgresql' });
    const streams = Array.from({ length: 5 }, () => account.admin.api.subscribe(LOG_EVENTS, { after: null }));
    const slots = account.admin.api.subscribe('subscription { slotUsage { free } }');
    try {
      await slots.waitFor('the figures', () => slots.received.length === 1);
      await writeUntilSeen(server, account, streams);
      const [row] = await server.app.platform.db.$queryRaw<{ open: number }[]>`
        SELECT count(*)::int AS open FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND (state LIKE 'idle in transaction%' OR backend_xid IS NOT NULL)`;
      expect(row?.open).toBe(0);
    } finally {
      for (const stream of [...streams, slots]) await stream.leave();
      await server.close();
    }
  });
});

/** A stream without a cursor begins when the server has read its place: what is written before is not for it. */
async function writeUntilSeen(server: TestServer, account: TestAccount, streams: Stream[]): Promise<void> {
  while (streams.some(({ received }) => received.length === 0)) {
    await inAccount(server.app.platform, account.id, async ({ log }) =>
      log({ code: 'ACCOUNT_CHANGED', params: { setting: 'live' } }),
    );
  }
}

test('EVT-03 EVT-05 a restart of the server ends streams with "come again", and the cursor goes on after it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'talkgate-'));
  const options = { databaseUrl: `pglite://${join(folder, 'db')}`, env: { DATA_DIR: join(folder, 'data') } };
  try {
    await copyDatabase(join(folder, 'db'));
    const before = await startServer(options);
    const account = await TestAccount.create(before);
    const stream = account.admin.api.subscribe(LOG_EVENTS, { after: await newestCursor(account.admin.api) });
    const events = account.admin.api.stream(LOG_EVENTS, { after: await newestCursor(account.admin.api) });
    await account.pool('before');
    await stream.waitFor('an entry', () => stream.received.length === 1);
    await events.waitFor('an entry', () => events.received.length === 1);
    await account.pool('not yet read');
    const { cursor } = stream.received[0].logEvents;
    await before.close();
    await stream.waitFor('the end', () => stream.ended);
    expect(stream.closeCode).toBe(1012);
    await events.waitFor('the end', () => events.ended);

    const after = await startServer(options);
    const api = new ApiCaller(after.url, account.admin.api.token);
    const resumed = api.subscribe(LOG_EVENTS, { after: cursor });
    await resumed.waitFor('the entry of before', () => resumed.received.length === 1);
    await inAccount(after.app.platform, account.id, async ({ log }) =>
      log({ code: 'ACCOUNT_CHANGED', params: { setting: 'after' } }),
    );
    await resumed.waitFor('the entry of after', () => resumed.received.length === 2);
    expect(resumed.received.flatMap(entriesOf).map(({ parameters }) => parameters[0].value)).toEqual([
      'not yet read',
      'after',
    ]);
    await resumed.leave();
    await after.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

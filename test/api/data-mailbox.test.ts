import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monthIn } from '../../src/billing/months.ts';
import { ApiCaller, eventually, type Json } from '../support/client.ts';
import { type RawEwon, rawEwon, request } from '../support/device-requests.ts';
import type { RawTunnel } from '../support/raw-tunnel.ts';
import { onPostgres, type TestServer } from '../support/server.ts';
import { logIn, startWorld, TestAccount, USER_PASSWORD } from '../support/world.ts';

const POINTS = `query ($filter: DataPointFilter, $first: Int, $after: String, $last: Int, $before: String) {
  dataPoints(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    nodes { ewon { name } tag at value good receivedAt }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
const DAY_MS = 86_400_000;

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
let press: string;
let pump: RawEwon;
let paint: RawEwon;
let foreign: RawEwon;
const tunnels = {} as Record<'pump' | 'paint' | 'foreign', RawTunnel>;

/** The time so many minutes ago, or ahead, by the clock of the platform. */
const at = (minutes: number): string => new Date(server.clock.now().getTime() + minutes * 60_000).toISOString();
const data = (tunnel: RawTunnel, points: object[]): Promise<Json> => request(tunnel, { type: 'data', points });
const read = async (api: ApiCaller, variables: Record<string, unknown> = {}): Promise<Json> =>
  (await api.run(POINTS, variables)).dataPoints;
const values = async (api: ApiCaller, filter: object = {}): Promise<unknown[]> =>
  (await read(api, { filter })).nodes.map(({ tag, value }: Json) => `${tag} ${value}`);
const counted = async (): Promise<number> =>
  Number((await server.app.platform.db.usage.findFirst({ where: { accountId: account.id } }))?.dataPoints ?? 0);

beforeAll(async () => {
  ({ server, account } = await startWorld({ env: { DATA_POINTS_PER_HOUR: '1000' } }));
  other = await TestAccount.create(server);
  press = await account.pool('Press');
  pump = await rawEwon(account, { name: 'Pump', poolIds: [press] });
  paint = await rawEwon(account, { name: 'Paint', poolIds: [await account.pool('Paint')] });
  foreign = await rawEwon(other, { name: 'Foreign' });
  tunnels.pump = await pump.open();
  tunnels.paint = await paint.open();
  tunnels.foreign = await foreign.open();
});
afterAll(() => server.close());

describe('the DataMailbox', () => {
  it('GW-14 stores what a device pushes, and reads it in the order of arrival', async () => {
    const [early, late] = [at(-30), at(-5)];
    expect(
      await data(tunnels.pump, [
        { tag: 'level', at: late, value: 3.5 },
        { tag: ' flow ', at: early, value: -0.25, good: false },
      ]),
    ).toEqual({ type: 'accepted', of: 'data', id: expect.any(String) });
    // Held back by the device: older than what is there, and behind it all the same.
    await data(tunnels.pump, [{ tag: 'level', at: early, value: 1 }]);
    const { nodes } = await read(account.admin.api, { filter: { ewonId: pump.id } });
    expect(nodes).toEqual([
      { ewon: { name: 'Pump' }, tag: 'level', at: late, value: 3.5, good: true, receivedAt: expect.any(String) },
      { ewon: { name: 'Pump' }, tag: 'flow', at: early, value: -0.25, good: false, receivedAt: expect.any(String) },
      { ewon: { name: 'Pump' }, tag: 'level', at: early, value: 1, good: true, receivedAt: expect.any(String) },
    ]);
    expect(await counted()).toBe(3);
  });

  it('GW-14 BIL-12 what is sent again is stored and counted once, and stays as it was', async () => {
    const before = await counted();
    const [first, second] = [
      { tag: 'again', at: at(-3), value: 1 },
      { tag: 'again', at: at(-2), value: 2 },
    ];
    await data(tunnels.pump, [first, first]);
    const repeated = await data(tunnels.pump, [{ ...first, value: 9 }, second]);
    expect(repeated.type).toBe('accepted');
    expect(await values(account.admin.api, { tag: 'again' })).toEqual(['again 1', 'again 2']);
    expect(await counted()).toBe(before + 2);
    // The same tag and time of another Ewon is another value.
    await data(tunnels.paint, [first]);
    expect(await values(account.admin.api, { tag: 'again' })).toEqual(['again 1', 'again 2', 'again 1']);
    // Of many that arrive at once by two tunnels of devices of one account each counts.
    const burst = (tunnel: RawTunnel) =>
      Promise.all([0, 1, 2, 3].map((n) => data(tunnel, [{ tag: `burst-${n}`, at: first.at, value: n }])));
    await Promise.all([burst(tunnels.pump), burst(tunnels.paint)]);
    expect(await counted()).toBe(before + 2 + 1 + 8);
  });

  it('GW-14 a message with a time out of range is refused as a whole, and says which', async () => {
    const before = await counted();
    const good = { tag: 'range', at: at(-1), value: 1 };
    for (const wrong of [at(-10 * 1440 - 1), at(1440 + 1)]) {
      const refused = await data(tunnels.pump, [good, { tag: 'wrong', at: wrong, value: 1 }]);
      expect(refused).toMatchObject({ type: 'refused', of: 'data', code: 'MESSAGE_INVALID' });
      expect(refused.message).toContain(`points[1], "wrong" at ${wrong}`);
    }
    expect(await values(account.admin.api, { tag: 'range' })).toEqual([]);
    expect(await counted()).toBe(before);
    expect((await data(tunnels.pump, [good, { tag: 'range', at: at(1439), value: 2 }])).type).toBe('accepted');
  });

  it('GW-14 an Ewon pushes so many values an hour, and no other has to wait for it', async () => {
    const { id } = await rawEwon(account, { name: 'Chatty' }).then(async (chatty) => {
      const tunnel = await chatty.open();
      const batch = (from: number) =>
        Array.from({ length: 100 }, (_, index) => ({ tag: `t${from + index}`, at: at(-1), value: index }));
      for (let count = 0; count < 10; count += 1)
        expect((await data(tunnel, batch(count * 100))).type).toBe('accepted');
      expect(await data(tunnel, batch(1000))).toMatchObject({ type: 'refused', of: 'data', code: 'TOO_MANY_REQUESTS' });
      tunnel.close();
      return chatty;
    });
    expect((await read(account.admin.api, { filter: { ewonId: id, tag: 't1000' } })).nodes).toEqual([]);
    expect((await data(tunnels.paint, [{ tag: 'quota', at: at(-1), value: 1 }])).type).toBe('accepted');
  });

  it('GW-14 a reader who goes on after his last cursor gets each value once', async () => {
    const reader = account.admin.api;
    const filter = { tag: 'sync' };
    const push = (...numbers: number[]) =>
      data(
        tunnels.pump,
        numbers.map((value) => ({ tag: 'sync', at: at(-1000 + value), value })),
      );
    await push(5, 3, 4);
    const first = await read(reader, { filter, first: 2 });
    expect(first.nodes.map(({ value }: Json) => value)).toEqual([5, 3]);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const second = await read(reader, { filter, first: 2, after: first.pageInfo.endCursor });
    expect(second.nodes.map(({ value }: Json) => value)).toEqual([4]);
    expect(second.pageInfo.hasNextPage).toBe(false);
    const after = second.pageInfo.endCursor;
    expect(await read(reader, { filter, after })).toMatchObject({ nodes: [], pageInfo: { endCursor: null } });
    await push(1, 2);
    // The place is kept, also when the value that it is of is gone.
    await server.app.platform.db.dataPoint.deleteMany({ where: { tag: 'sync', value: 4 } });
    const third = await read(reader, { filter, after });
    expect(third.nodes.map(({ value }: Json) => value)).toEqual([1, 2]);
    const back = await read(reader, { filter, last: 2, before: third.pageInfo.endCursor });
    expect(back.nodes.map(({ value }: Json) => value)).toEqual([3, 1]);
    expect((await read(reader, { filter, last: 1 })).nodes).toMatchObject([{ value: 2 }]);
  });

  it('GW-14 selects by Ewon, tag and time; what is wrong with a page is said', async () => {
    const [first, second] = [at(-600), at(-500)];
    await data(tunnels.paint, [
      { tag: 'times', at: first, value: 1 },
      { tag: 'times', at: second, value: 2 },
    ]);
    const { api } = account.admin;
    expect(await values(api, { tag: 'times', ewonId: paint.id })).toEqual(['times 1', 'times 2']);
    expect(await values(api, { tag: 'times', ewonId: pump.id })).toEqual([]);
    expect(await values(api, { tag: 'times', from: second })).toEqual(['times 2']);
    expect(await values(api, { tag: 'times', to: second })).toEqual(['times 1']);
    const nothing = 'R1BDOlM6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw';
    for (const [variables, code] of [
      [{ after: nothing }, 'CURSOR_INVALID'],
      [{ before: 'x', last: 1 }, 'CURSOR_INVALID'],
      [{ first: 501 }, 'VALIDATION_FAILED'],
      [{ first: 0 }, 'VALIDATION_FAILED'],
    ] as const)
      expect((await api.send(POINTS, variables)).errors?.[0]?.extensions.code).toBe(code);
  });

  it('GW-14 the tags of an Ewon, each with its latest value by the clock of the device', async () => {
    const own = await rawEwon(account, { name: 'Tagged', poolIds: [press] });
    const tunnel = await own.open();
    await data(tunnel, [
      { tag: 'b', at: at(-10), value: 2, good: false },
      { tag: 'b', at: at(-20), value: 1 },
      { tag: 'a', at: at(-30), value: 7 },
      { tag: 'c', at: at(-1), value: 5 },
    ]);
    const tags = async (args = '') =>
      (
        await account.admin.api.run(
          `query ($id: ID!) { ewon(by: { id: $id }) { dataTags${args} { name value good at receivedAt } } }`,
          { id: own.id },
        )
      ).ewon.dataTags;
    expect(await tags()).toMatchObject([
      { name: 'a', value: 7 },
      { name: 'b', value: 2, good: false },
      { name: 'c', value: 5 },
    ]);
    expect(await tags('(first: 1, after: "a")')).toMatchObject([{ name: 'b' }]);
    expect(await tags('(after: "c")')).toEqual([]);
    tunnel.close();
  });

  it('GW-14 TOK-08 EWN-02 is read with a token for the Ewons of its pool, and by logins that see the Ewon', async () => {
    for (const tunnel of Object.values(tunnels)) await data(tunnel, [{ tag: 'seen', at: at(-1), value: 1 }]);
    const whose = async (api: ApiCaller, ewonId?: string) =>
      (await read(api, { filter: { tag: 'seen', ...(ewonId && { ewonId }) } })).nodes.map(
        ({ ewon }: Json) => ewon.name,
      );
    const { value } = await account.admin.api.succeed(
      'mutation ($poolId: ID!) { createApiToken(input: { name: "Data", poolId: $poolId }) { __typename ... on CreateApiTokenSuccess { value } ... on Error { code message } } }',
      { poolId: press },
    );
    const token = new ApiCaller(server.url, value);
    expect(await whose(token)).toEqual(['Pump']);
    expect(await whose(token, paint.id)).toEqual([]);
    expect(
      (await token.run('query ($id: ID!) { ewon(by: { id: $id }) { dataTags { name } } }', { id: pump.id })).ewon
        .dataTags.length,
    ).toBeGreaterThan(0);

    const sees = await account.user('sees', [await account.group('Sees', [{ poolId: press, connectM2web: true }])]);
    const blind = await account.user('blind', [await account.group('Blind')]);
    expect(await whose(sees.api)).toEqual(['Pump']);
    expect(await whose(blind.api)).toEqual([]);
    expect(await whose(account.admin.api)).toEqual(['Pump', 'Paint']);
    expect(await whose(account.admin.api, foreign.id)).toEqual([]);
    expect(await whose(other.admin.api)).toEqual(['Foreign']);
    expect((await new ApiCaller(server.url).send(POINTS)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });

  it('GW-14 keeps values ten days from their arrival, whatever their time', async () => {
    const { platform, jobs } = server.app;
    const job = jobs.list.find(({ name }) => name === 'purgeDataPoints');
    const count = (tag: string) => platform.db.dataPoint.count({ where: { tag } });
    await platform.db.dataPoint.deleteMany();
    expect(await job?.nextDue(platform)).toBeNull();
    await data(tunnels.pump, [{ tag: 'old', at: at(-9 * 1440), value: 1 }]);
    const arrived = server.clock.now().getTime();
    server.clock.advance(2 * DAY_MS);
    await data(tunnels.pump, [{ tag: 'young', at: at(0), value: 1 }]);
    const due = (await job?.nextDue(platform))?.getTime() ?? 0;
    expect(due - arrived).toBeGreaterThan(10 * DAY_MS - 60_000);
    expect(due - arrived).toBeLessThanOrEqual(10 * DAY_MS + 3_600_000);

    server.clock.advance(8 * DAY_MS - 60_000);
    await jobs.run();
    expect(await count('old')).toBe(1);
    server.clock.advance(due - server.clock.now().getTime());
    await jobs.run();
    expect([await count('old'), await count('young')]).toEqual([0, 1]);
    expect((await job?.nextDue(platform))?.getTime()).toBeGreaterThan(server.clock.now().getTime());
  });

  it('GW-14 BIL-12 counts the values of the month in the time zone of the account', async () => {
    const { db } = server.app.platform;
    await db.account.update({ where: { id: account.id }, data: { timeZone: 'Pacific/Kiritimati' } });
    // The last noon of a month in UTC is the first of the next there.
    const now = server.clock.now();
    const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 0, 12);
    server.clock.advance(
      end > now.getTime()
        ? end - now.getTime()
        : Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 2, 0, 12) - now.getTime(),
    );
    const month = new Date(server.clock.now().getTime() + 14 * 3_600_000).toISOString().slice(0, 7);
    expect(month).not.toBe(server.clock.now().toISOString().slice(0, 7));
    await data(tunnels.pump, [{ tag: 'zone', at: at(0), value: 1 }]);
    expect(monthIn('Pacific/Kiritimati', server.clock.now())).toBe(month);
    const row = await eventually(
      'the month',
      () => db.usage.findUnique({ where: { accountId_month: { accountId: account.id, month } } }),
      (found) => found !== null,
    );
    expect(row?.dataPoints).toBe(1n);
    const again = await logIn(server, account.name, 'sees', USER_PASSWORD);
    expect(await values(again.api, { tag: 'zone' })).toEqual(['zone 1']);
  });
});

onPostgres('side by side', () => {
  let own: TestServer;
  afterAll(() => own?.close());

  it('GW-14 EVT-01 a value gets its place only once those before it are there: no reader passes one by', async () => {
    const world = await startWorld({ database: 'postgresql' });
    own = world.server;
    const { db } = own.app.platform;
    const tunnel = await (await rawEwon(world.account)).open();
    const push = (tag: string) =>
      data(tunnel, [{ tag, at: new Date(own.clock.now().getTime() - 60_000).toISOString(), value: 1 }]);
    await push('first');
    const lastNumber = async () =>
      (await db.$queryRaw<{ n: bigint }[]>`SELECT "last_value" AS n FROM "DataPoint_number_seq"`)[0]?.n;
    const before = await lastNumber();
    // Another device of the account is in the middle of storing: its place is given, its transaction goes on.
    const second = await db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT 1 FROM "Account" WHERE "id" = ${world.account.id}::uuid FOR NO KEY UPDATE`;
        const waiting = push('second');
        await eventually(
          'the other one waits',
          async () =>
            (
              await db.$queryRaw<unknown[]>`
                SELECT 1 FROM pg_stat_activity WHERE "datname" = current_database() AND "wait_event_type" = 'Lock'`
            ).length,
          (count) => count > 0,
        );
        expect(await lastNumber()).toBe(before);
        return { waiting };
      },
      { timeout: 20_000 },
    );
    expect((await second.waiting).type).toBe('accepted');
    expect(await lastNumber()).toBe((before ?? 0n) + 1n);
  });
});

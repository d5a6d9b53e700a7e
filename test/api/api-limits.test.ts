import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { DAY_MS } from '../../src/clock.ts';
import { ApiCaller, type Json } from '../support/client.ts';
import { onPostgres, startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, logIn, TestAccount } from '../support/world.ts';

const WHO = '{ viewer { isAdministrator } }';
const BUDGET =
  '{ viewer { budget { account { limit remaining resetsAt } login { limit remaining resetsAt } address { limit remaining resetsAt } } } }';

/** A request over HTTP, with all that comes back. */
async function ask(
  server: TestServer,
  token: string | null,
  query = WHO,
): Promise<{ status: number; headers: Headers; body: Json }> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}
const budgetIn = ({ headers }: { headers: Headers }) =>
  ['limit', 'remaining', 'reset'].map((name) => Number(headers.get(`ratelimit-${name}`)));
const calls = async (server: TestServer, account: TestAccount): Promise<number[]> => {
  await server.app.platform.apiLimits.flush();
  const rows = await server.app.platform.db.apiUsage.findMany({
    where: { accountId: account.id },
    orderBy: { day: 'asc' },
  });
  return rows.map((row) => row.calls);
};
/** Seconds until 00:00 UTC. */
const leftToday = (server: TestServer) => Math.ceil((DAY_MS - (server.clock.now().getTime() % DAY_MS)) / 1000);

describe('the day of an account', () => {
  const LIMIT = 20;
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({
      env: {
        API_CALLS_PER_DAY_FREE: '5',
        API_CALLS_PER_DAY_PRO: String(LIMIT),
        LOGIN_IDLE_MINUTES: '1440',
        LOGIN_HOURS: '720',
      },
    });
  });
  afterAll(() => server.close());
  /** An account whose calls have all been made but for so many. */
  async function nearly(left: number, plan: 'FREE' | 'PRO' = 'PRO'): Promise<TestAccount> {
    const account = await TestAccount.create(server, plan);
    for (let call = 0; call < (plan === 'PRO' ? LIMIT : 5) - left; call++) await account.admin.api.run(WHO);
    return account;
  }

  it('M2W-13 M2W-12 counts GraphQL over HTTP and WebSocket, API tokens and the M2web API alike, and refuses one too many', async () => {
    const account = await TestAccount.create(server);
    const { value } = await account.admin.api.succeed(
      `mutation { createApiToken(input: { name: "App", poolId: "${await account.defaultPool()}" }) { __typename ... on CreateApiTokenSuccess { value } ... on Error { message } } }`,
    );
    expect(await calls(server, account)).toEqual([2]);
    await new ApiCaller(server.url, value).run('{ ewons { totalCount } }');
    const stream = account.admin.api.subscribe('{ viewer { isAdministrator } }');
    await stream.waitFor('the end', () => stream.ended);
    await stream.leave();
    const facade = (service: string, body: Record<string, string>) =>
      fetch(`${server.url}/t2mapi/${service}`, { method: 'POST', body: new URLSearchParams(body) });
    const credentials = { t2maccount: account.name, t2musername: 'admin', t2mpassword: ADMIN_PASSWORD };
    expect((await facade('getewons', credentials)).status).toBe(200);
    expect((await facade('getewons', { t2msession: account.admin.api.token ?? '' })).status).toBe(200);
    expect(await calls(server, account)).toEqual([6]);

    for (let call = 6; call < LIMIT; call++) await account.admin.api.run(WHO);
    // The clock goes on meanwhile.
    const retryAfter = expect.closeTo(leftToday(server), -1);
    const refused = { code: 'RATE_LIMITED', retryAfter };
    for (const token of [account.admin.api.token, value]) {
      const { status, headers, body } = await ask(server, token, '{ ewons { totalCount } }');
      expect(status).toBe(429);
      expect(body.errors[0].extensions).toEqual({ ...refused, requestId: expect.any(String) });
      expect(headers.get('retry-after')).toBe(String(body.errors[0].extensions.retryAfter));
    }
    const late = account.admin.api.subscribe('{ viewer { isAdministrator } }');
    await late.waitFor('a refusal', () => late.errors !== undefined);
    expect(late.errors?.[0]?.extensions).toEqual({ ...refused, requestId: expect.any(String) });
    await late.leave();
    for (const body of [credentials, { t2msession: account.admin.api.token ?? '' }]) {
      const answer = await facade('getewons', body);
      expect(answer.status).toBe(429);
      const told = (await answer.json()) as Json;
      expect(told).toMatchObject({ success: false, code: 429, error: 'RATE_LIMITED', retryAfter });
      expect(answer.headers.get('retry-after')).toBe(String(told.retryAfter));
    }
    expect(await calls(server, account), 'what is refused does not count').toEqual([LIMIT]);
    expect((await ask(server, (await nearly(LIMIT)).admin.api.token)).status, 'others go on').toBe(200);
  });

  it('M2W-13 follows the plan, at once', async () => {
    const account = await nearly(0, 'FREE');
    expect((await ask(server, account.admin.api.token)).status).toBe(429);
    await server.app.platform.db.account.update({ where: { id: account.id }, data: { plan: 'PRO' } });
    expect((await ask(server, account.admin.api.token)).status).toBe(200);
  });

  it('M2W-13 strangers use up nothing: neither wrong credentials nor wrong tokens', async () => {
    const account = await TestAccount.create(server);
    const LOGIN = `mutation { login(input: { account: "${account.name}", username: "admin", password: "wrong" }) { __typename } }`;
    for (let attempt = 0; attempt < 3; attempt++) await ask(server, 'x'.repeat(43), LOGIN);
    expect(await calls(server, account)).toEqual([]);
  });

  it('M2W-13 begins anew at 00:00 UTC', async () => {
    const account = await nearly(0);
    expect((await ask(server, account.admin.api.token)).status).toBe(429);
    server.clock.advance(leftToday(server) * 1000 - 1000);
    expect((await ask(server, account.admin.api.token)).body.errors?.[0]?.extensions).toMatchObject({
      ...{ code: 'RATE_LIMITED', retryAfter: 1 },
    });
    server.clock.advance(1000);
    expect((await ask(server, account.admin.api.token)).status).toBe(200);
    expect(await calls(server, account)).toEqual([LIMIT, 1]);
  });

  it('M2W-13 is exact however many call at once, and counts without a write for each', async () => {
    const account = await nearly(10);
    await server.app.platform.apiLimits.flush();
    const written = vi.spyOn(server.app.platform.db, '$queryRaw');
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(server, account.admin.api.token)));
    const inserts = written.mock.calls.filter(([sql]) => String((sql as never as string[])[0]).includes('"ApiUsage"'));
    written.mockRestore();
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(inserts.length).toBeLessThan(5);
    expect(await calls(server, account)).toEqual([LIMIT]);
  });

  it('M2W-13 what could not be written is kept, and a restart goes on counting', async () => {
    const account = await nearly(10);
    await server.app.platform.apiLimits.flush();
    await account.admin.api.run(WHO);
    const failing = vi.spyOn(server.app.platform.db, '$queryRaw').mockRejectedValueOnce(new Error('away') as never);
    await expect(server.app.platform.apiLimits.flush()).rejects.toThrow('away');
    failing.mockRestore();
    expect(await calls(server, account)).toEqual([LIMIT - 9]);
    const { createApiLimits } = await import('../../src/api-limits/limits.ts');
    const restarted = createApiLimits(server.app.platform);
    const caller = { id: 'x', accountId: account.id, plan: 'PRO' as const };
    expect((await restarted.budgets(caller, 'x')).account.remaining).toBe(9);
  });

  onPostgres('several instances', () => {
    it('M2W-13 share the count through the table', async () => {
      const first = await startServer({ database: 'postgresql', env: { API_CALLS_PER_DAY_PRO: '20' } });
      const second = await startServer({ databaseUrl: first.databaseUrl, env: { API_CALLS_PER_DAY_PRO: '20' } });
      try {
        const account = await TestAccount.create(first);
        const there = await logIn(second, account.name, 'admin', ADMIN_PASSWORD);
        await there.api.run(WHO);
        for (let call = 0; call < 15; call++) await account.admin.api.run(WHO);
        await first.app.platform.apiLimits.flush();
        await there.api.run(WHO);
        await second.app.platform.apiLimits.flush();
        const { budget } = (await there.api.run(BUDGET)).viewer;
        expect(budget.account).toMatchObject({ limit: 20, remaining: 2 });
        for (const status of [200, 200, 429]) expect((await ask(second, there.api.token)).status).toBe(status);
        await second.app.platform.apiLimits.flush();
        expect(await calls(first, account)).toEqual([20]);
      } finally {
        await second.close();
        await first.close();
      }
    });
  });
});

describe('the minute', () => {
  it('API-03 of a login: headers tell what is left, a refusal when to try again, and others go on', async () => {
    const server = await startServer({ env: { REQUESTS_PER_MINUTE_LOGIN: '4' } });
    try {
      const account = await TestAccount.create(server);
      const token = account.admin.api.token;
      const answers = [];
      for (let call = 0; call < 5; call++) answers.push(await ask(server, token));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429]);
      expect(answers.map((answer) => budgetIn(answer).slice(0, 2))).toEqual([
        [4, 3],
        [4, 2],
        [4, 1],
        [4, 0],
        [4, 0],
      ]);
      const [, , reset = 0] = budgetIn(answers[0] as never);
      expect(reset).toBeGreaterThan(0);
      expect(reset).toBeLessThanOrEqual(60);
      const last = answers[4];
      expect(last?.body.errors[0].extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfter: expect.any(Number) });
      expect(Number(last?.headers.get('retry-after'))).toBe(last?.body.errors[0].extensions.retryAfter);
      expect(JSON.stringify(last?.body)).not.toContain('"http"');

      const again = await logIn(server, account.name, 'admin', ADMIN_PASSWORD);
      expect((await ask(server, again.api.token)).status, 'another login of the same user').toBe(200);
      const stream = account.admin.api.subscribe('{ viewer { isAdministrator } }');
      await stream.waitFor('a refusal', () => stream.errors !== undefined);
      expect(stream.errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED' });
      await stream.leave();
    } finally {
      await server.close();
    }
  });

  it('API-03 of an address: all doors for anybody are one, but the operator’s and the health’s', async () => {
    const server = await startServer({ env: { REQUESTS_PER_MINUTE_ADDRESS: '6', TRUSTED_PROXIES: 'loopback' } });
    try {
      const get = (path: string, address = '192.0.2.1') =>
        fetch(`${server.url}${path}`, { headers: { 'x-forwarded-for': address } });
      const first = await get('/m2web');
      expect([first.headers.get('ratelimit-limit'), first.headers.get('ratelimit-remaining')]).toEqual(['6', '5']);
      for (const path of ['/t2mapi/getewons', '/graphql?query={__typename}', '/downloads/x', '/nothing', '/graphql'])
        expect((await get(path)).status, path).not.toBe(429);
      const refused = await get('/graphql?query={__typename}');
      expect(refused.status).toBe(429);
      expect(((await refused.json()) as Json).errors[0].extensions).toMatchObject({
        ...{
          code: 'RATE_LIMITED',
          retryAfter: Number(refused.headers.get('retry-after')),
          requestId: expect.any(String),
        },
      });
      expect(await (await get('/t2mapi/getewons')).json()).toMatchObject({ code: 429, error: 'RATE_LIMITED' });
      for (const path of ['/m2web', '/downloads/x']) expect((await get(path)).status, path).toBe(429);
      for (const path of ['/healthz', '/readyz', '/operator']) expect((await get(path)).status, path).not.toBe(429);
      expect((await get('/m2web', '192.0.2.2')).status, 'another address').not.toBe(429);
    } finally {
      await server.close();
    }
  });

  it('API-03 over a WebSocket an address is refused before its login is read: at the upgrade, the greeting and each operation', async () => {
    const server = await startServer({ env: { REQUESTS_PER_MINUTE_ADDRESS: '20', TRUSTED_PROXIES: 'loopback' } });
    try {
      const { admin } = await TestAccount.create(server);
      const { apiLimits, db } = server.app.platform;
      const use = async (address: string, times: number) => {
        for (let request = 0; request < times; request++) await apiLimits.takeAddress(address);
      };
      const headers = (address: string) => ({ headers: { 'x-forwarded-for': address } });
      const url = `${server.url.replace(/^http/, 'ws')}/graphql`;
      const open = (address: string) => new WebSocket(url, 'graphql-transport-ws', headers(address));
      const init = { type: 'connection_init', payload: { authorization: `Bearer ${admin.api.token}` } };
      const operation = (id: string) => ({ type: 'subscribe', id, payload: { query: WHO } });
      /** Connects, greets, and asks as often as wanted; gives what came until so many operations were answered. */
      const talk = (address: string, operations: number, opened: () => Promise<void> = async () => undefined) =>
        new Promise<{ status?: number; retryAfter?: string; closed?: [number, string]; answers: Json[] }>((resolve) => {
          const socket = open(address);
          const answers: Json[] = [];
          socket.on('unexpected-response', (_request, response) => {
            resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] ?? '', answers });
            response.destroy();
          });
          socket.on('error', () => undefined);
          socket.on('close', (code, reason) => resolve({ closed: [code, reason.toString()], answers }));
          socket.on('open', () => void opened().then(() => socket.send(JSON.stringify(init))));
          socket.on('message', (data) => {
            const message = JSON.parse(data.toString());
            if (message.type === 'connection_ack')
              for (let id = 0; id < operations; id++) socket.send(JSON.stringify(operation(String(id))));
            if (message.type === 'next' || message.type === 'error') answers.push(message);
            if (answers.length === operations) socket.close();
          });
        });
      const read = vi.spyOn(db.login, 'findUnique');
      const reads = () => {
        const { length } = read.mock.calls;
        read.mockClear();
        return length;
      };

      expect((await talk('192.0.2.1', 1)).answers).toMatchObject([{ payload: { data: { viewer: {} } } }]);
      const whole = reads();
      expect(whole).toBeGreaterThan(0);

      await use('192.0.2.2', 20);
      const refused = await talk('192.0.2.2', 1);
      expect([refused.status, Number(refused.retryAfter) > 0]).toEqual([429, true]);
      expect(reads()).toBe(0);

      const late = await talk('192.0.2.3', 1, () => use('192.0.2.3', 19));
      expect(late.closed).toEqual([1013, 'RATE_LIMITED']);
      expect(reads()).toBe(0);

      // The upgrade and the greeting are two.
      await use('192.0.2.4', 18);
      const { answers } = await talk('192.0.2.4', 3);
      expect(answers.map(({ payload }) => payload[0].extensions.code)).toEqual(Array(3).fill('RATE_LIMITED'));
      expect(reads(), 'the greeting alone').toBe(1);
    } finally {
      vi.restoreAllMocks();
      await server.close();
    }
  });

  it('API-03 the viewer asks what is left of each limit, which tells it and takes one call', async () => {
    const server = await startServer({
      env: { REQUESTS_PER_MINUTE_LOGIN: '100', REQUESTS_PER_MINUTE_ADDRESS: '1000', API_CALLS_PER_DAY_PRO: '50' },
    });
    try {
      const account = await TestAccount.create(server);
      const { budget } = (await account.admin.api.run(BUDGET)).viewer;
      expect(budget).toMatchObject({
        account: {
          limit: 50,
          remaining: 49,
          resetsAt: new Date(Math.ceil(server.clock.now().getTime() / DAY_MS) * DAY_MS).toISOString(),
        },
        login: { limit: 100, remaining: 99 },
        // The login was a request too.
        address: { limit: 1000, remaining: 998 },
      });
      const next = (await account.admin.api.run(BUDGET)).viewer.budget;
      expect([next.account, next.login, next.address].map(({ remaining }) => remaining)).toEqual([48, 98, 997]);
      expect(budgetIn(await ask(server, account.admin.api.token)).slice(0, 2), 'the nearest').toEqual([50, 47]);
    } finally {
      await server.close();
    }
  });
});

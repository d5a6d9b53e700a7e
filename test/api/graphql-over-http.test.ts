import { auditServer } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ApiCaller } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, TestAccount } from '../support/world.ts';

let server: TestServer;
let account: TestAccount;
let endpoint: string;

beforeAll(async () => {
  server = await startServer();
  account = await TestAccount.create(server);
  endpoint = `${server.url}/graphql`;
});
afterAll(() => server.close());

describe('GraphQL over HTTP', () => {
  it('API-06 conforms: every audit of graphql-http passes, whether it says MUST, SHOULD or MAY', async () => {
    const results = await auditServer({ url: endpoint });
    const missed = results.flatMap((result) => (result.status === 'ok' ? [] : [`${result.id} ${result.name}`]));
    expect(missed).toEqual([]);
    const levels = results.map(({ name }) => name.split(' ')[0]);
    const figures = Object.fromEntries(
      ['MUST', 'SHOULD', 'MAY'].map((level) => [level, levels.filter((one) => one === level).length]),
    );
    expect(figures).toEqual({ MUST: 13, SHOULD: 23, MAY: 25 });
  });

  it('API-06 queries by GET, and changes nothing by GET', async () => {
    const get = (query: string) =>
      fetch(`${endpoint}?query=${encodeURIComponent(query)}`, {
        headers: { accept: 'application/json', authorization: `Bearer ${account.admin.api.token}` },
      });
    const read = await get('{ account { name } }');
    expect(read.status).toBe(200);
    expect(await read.json()).toEqual({ data: { account: { name: account.name } } });

    const written = await get('mutation { createPool(input: { name: "By GET" }) { __typename } }');
    expect(written.status).toBe(405);
    const { pools } = await account.admin.api.run('{ pools { nodes { name } } }');
    expect(pools.nodes).toEqual([{ name: 'Default' }]);
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain'])(
    'API-06 a body of %s, which a page of another site can send without asking, is not read',
    async (type) => {
      const query = `mutation { login(input: { account: "${account.name}", username: "admin", password: "${ADMIN_PASSWORD}" }) { __typename } }`;
      const body = type === 'text/plain' ? JSON.stringify({ query }) : new URLSearchParams({ query }).toString();
      const logins = () => server.app.platform.db.login.count();
      const before = await logins();
      const response = await fetch(endpoint, { method: 'POST', headers: { 'content-type': type }, body });
      expect(response.status).toBe(415);
      expect(await logins()).toBe(before);
    },
  );

  it.each(['token', 'access_token', 'accessToken', 'authorization', 'password'])(
    'API-06 AUTH-24 refuses a URL with %s, over HTTP and WebSocket, and does not use it',
    async (name) => {
      const query = `query=${encodeURIComponent('{ viewer { user { id } } }')}`;
      const url = `${endpoint}?${query}&${name}=${account.admin.api.token}`;
      const headers = { accept: 'application/json', 'content-type': 'application/json' };
      for (const init of [
        { headers },
        { headers, method: 'POST', body: JSON.stringify({ query: '{ viewer { user { id } } }' }) },
      ]) {
        const response = await fetch(url, init);
        expect(response.status).toBe(400);
        expect(await response.text()).toContain('Credentials are not accepted in a URL');
      }
      const status = await new Promise((resolve) => {
        const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
        socket.on('error', (error) => resolve(error.message));
        socket.on('open', () => resolve('open'));
      });
      expect(status).toBe('Unexpected server response: 400');
    },
  );

  it('AUTH-24 takes the token from the header Authorization, and from nowhere else', async () => {
    const viewer = async (headers: Record<string, string>) =>
      (await new ApiCaller(server.url).send('{ viewer { user { username } } }', {}, { headers })).data.viewer;
    const token = account.admin.api.token ?? '';
    expect(await viewer({ authorization: `Bearer ${token}` })).toEqual({ user: { username: 'admin' } });
    expect(await viewer({ authorization: `bearer ${token}` })).toEqual({ user: { username: 'admin' } });
    const useless: Record<string, string>[] = [
      { authorization: token },
      { authorization: `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}` },
      { authorization: `Bearer ${token}x` },
      { 'x-authorization': `Bearer ${token}` },
      { cookie: `token=${token}; authorization=Bearer ${token}` },
    ];
    for (const headers of useless) expect(await viewer(headers)).toBeNull();
  });

  it('API-06 bounds the body of a request and asks for its length', async () => {
    const post = (body: BodyInit, more: RequestInit = {}) =>
      fetch(endpoint, { method: 'POST', headers: { 'content-type': 'application/json' }, body, ...more });
    const padded = (length: number) => JSON.stringify({ query: `{ __typename } #${'x'.repeat(length)}` });
    expect((await post(padded(1000))).status).toBe(200);
    expect((await post(padded(1024 * 1024))).status).toBe(413);
    const stream = new Blob([padded(10)]).stream();
    expect((await post(stream, { duplex: 'half' } as RequestInit)).status).toBe(411);
  });

  it('API-06 answers with one operation a request: no batches', async () => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify([{ query: '{ __typename }' }, { query: '{ __typename }' }]),
    });
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    expect(errors[0]?.extensions.code).toBe('BAD_REQUEST');
  });
});

describe('GraphiQL', () => {
  it('comes with all it needs: nothing of the page is loaded from another host', async () => {
    const response = await fetch(endpoint, { headers: { accept: 'text/html,application/xhtml+xml' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/html');
    // Whatever the script may try, a browser loads from this host, or from what is in the page, only.
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self' data: blob:");
    expect(policy).not.toMatch(/https?:|\*/);

    const page = await response.text();
    const script = page.lastIndexOf('<script>');
    const markup = page.slice(0, script).replaceAll(/data:[^"')]+/g, '');
    expect(script).toBeGreaterThan(0);
    expect(markup).not.toMatch(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//);
    expect(markup).not.toMatch(/url\(\s*["']?(?:https?:)?\/\//);
    expect(markup).not.toContain('@import');
    expect(page).not.toMatch(/unpkg\.com|jsdelivr|cdnjs|esm\.sh|skypack|googleapis/);
    expect(page.match(/<script[^>]*\ssrc=\s*["']?(?:https?:)?\/\//)).toBeNull();
  });

  it('subscribes over WebSocket, at the address it came from', async () => {
    const page = await (await fetch(endpoint, { headers: { accept: 'text/html' } })).text();
    const options = page.slice(page.lastIndexOf('YogaGraphiQL.renderYogaGraphiQL('));
    expect(options).toContain('"subscriptionsProtocol":"WS"');
    expect(options).not.toMatch(/"endpoint":"https?:/);
  });
});

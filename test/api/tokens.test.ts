import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashToken } from '../../src/secrets.ts';
import { ApiCaller, type GraphQLAnswer, type Json } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { change } from '../support/users.ts';
import { openSession, type Person, startWorld, TestAccount, type TestEwon } from '../support/world.ts';

const TOKEN = 'token { id name prefix kind pool { name } createdAt renewedAt lastUsedOn }';
const ERROR = '... on ValidationError { inputViolations { path } } ... on Error { code path }';
const MUTATIONS = {
  createApiToken: `value ${TOKEN}`,
  updateApiToken: TOKEN,
  renewApiToken: `value ${TOKEN}`,
  deleteApiToken: 'deletedTokenId',
};
const run = (who: Person, name: keyof typeof MUTATIONS, input: object): Promise<Json> => {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${MUTATIONS[name]} } ${ERROR} } }`;
  return who.api.mutate(query, { input });
};

const EWONS = '{ ewons(orderBy: [{ field: NAME, direction: ASC }]) { totalCount nodes { name } } }';
const DAY_MS = 86_400_000;

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
let press: string;
let paint: string;
let hall: string;
let ewon: TestEwon;
let hidden: TestEwon;

beforeAll(async () => {
  ({ server, account } = await startWorld({ env: { TOKENS_PER_ACCOUNT: '8' } }));
  other = await TestAccount.create(server);
  [press, paint, hall] = await Promise.all([account.pool('Press'), account.pool('Paint'), account.pool('Hall')]);
  ewon = await account.onlineEwon({ name: 'Pressed', poolIds: [press, hall] });
  hidden = await account.ewon({ name: 'Painted', poolIds: [paint] });
});
afterAll(async () => {
  await ewon.device.disconnect();
  await server.close();
});

const create = (input: object, who = account.admin): Promise<Json> => run(who, 'createApiToken', input);
/** A token of a test of its own, gone with it. */
async function withToken(input: object, work: (api: ApiCaller, issued: Json) => Promise<void>, who = account.admin) {
  const issued = await create({ name: `Token ${Math.random()}`, poolId: press, ...input }, who);
  expect(issued).toMatchObject({ __typename: 'CreateApiTokenSuccess' });
  try {
    await work(new ApiCaller(server.url, issued.value), issued);
  } finally {
    await run(who, 'deleteApiToken', { tokenId: issued.token.id });
  }
}
const codeOf = ({ errors }: GraphQLAnswer) => errors?.[0]?.extensions.code;
const listed = async (who: Person): Promise<Json> =>
  (await who.api.run('{ account { apiTokens { totalCount nodes { id name prefix } } } }')).account.apiTokens;
const names = async (api: ApiCaller): Promise<string[]> =>
  (await api.run(EWONS)).ewons.nodes.map(({ name }: Json) => name);

describe('managing', () => {
  it('TOK-01 TOK-02 TOK-04 TOK-05 TOK-07 TOK-13 tokens are created, changed, renewed and deleted, shown once and logged each time', async () => {
    const issued = await create({ name: '  Warehouse ', poolId: press });
    expect(issued.value).toMatch(/^[A-Za-z0-9]{40}$/);
    const { id } = issued.token;
    expect(issued.token).toMatchObject({
      ...{ name: 'Warehouse', prefix: issued.value.slice(0, 6), kind: 'DATAMAILBOX', pool: { name: 'Press' } },
      lastUsedOn: null,
    });
    expect(await listed(account.admin)).toEqual({
      totalCount: 1,
      nodes: [{ id, name: 'Warehouse', prefix: issued.token.prefix }],
    });
    const changed = await run(account.admin, 'updateApiToken', { tokenId: id, name: 'Store', poolId: paint });
    expect(changed.token).toMatchObject({ name: 'Store', prefix: issued.token.prefix, pool: { name: 'Paint' } });
    expect(changed.value).toBeUndefined();
    // What is so already changes and logs nothing.
    expect((await run(account.admin, 'updateApiToken', { tokenId: id, name: 'Store' })).token.pool.name).toBe('Paint');
    const renewed = await run(account.admin, 'renewApiToken', { tokenId: id });
    expect(renewed.value).toMatch(/^[A-Za-z0-9]{40}$/);
    expect(renewed.value).not.toBe(issued.value);
    expect(renewed.token).toMatchObject({ id, name: 'Store', prefix: renewed.value.slice(0, 6) });
    expect(await run(account.admin, 'deleteApiToken', { tokenId: id })).toEqual({
      __typename: 'DeleteApiTokenSuccess',
      deletedTokenId: id,
    });
    expect((await listed(account.admin)).totalCount).toBe(0);
    const entries = await account.log({
      codes: ['API_TOKEN_CREATED', 'API_TOKEN_CHANGED', 'API_TOKEN_RENEWED', 'API_TOKEN_DELETED'],
    });
    expect(entries.map(({ text }: Json) => text)).toEqual([
      'API token Store deleted',
      'API token Store renewed',
      'API token Warehouse changed: named Store, other pool',
      'API token Warehouse created',
    ]);
    expect(entries.every(({ userName }: Json) => userName === 'admin')).toBe(true);
    for (const value of [issued.value, renewed.value])
      expect(JSON.stringify([entries, await listed(account.admin)])).not.toContain(value);
  });

  it('TOK-05 PWD-22 the value is stored as a hash', async () => {
    await withToken({}, async (_api, { value }) => {
      const stored = await server.app.platform.db.apiToken.findMany();
      expect(stored.map(({ tokenHash }) => tokenHash)).toContain(hashToken(value));
      expect(JSON.stringify([stored, await account.log({}, 500)])).not.toContain(value);
    });
  });

  it('TOK-03 only Administrators manage and see them; what is foreign or unknown does not exist', async () => {
    const user = await account.user('plain', [await account.group('Plain', [{ poolId: press, administer: true }])]);
    await withToken({}, async (_api, { token }) => {
      const tokenId = token.id;
      expect(await create({ name: 'Mine', poolId: press }, user)).toMatchObject({ code: 'FORBIDDEN' });
      for (const name of ['updateApiToken', 'renewApiToken', 'deleteApiToken'] as const) {
        expect(await run(user, name, { tokenId }), name).toMatchObject({ code: 'FORBIDDEN' });
        expect(await run(other.admin, name, { tokenId }), name).toMatchObject({ code: 'NOT_FOUND' });
        expect(await run(account.admin, name, { tokenId: press }), name).toMatchObject({ code: 'NOT_FOUND' });
        const nobody = await new ApiCaller(server.url).send(
          `mutation { ${name}(input: { tokenId: "x" }) { __typename } }`,
        );
        expect(codeOf(nobody)).toBe('UNAUTHENTICATED');
      }
      expect(await listed(user)).toBeNull();
      const NODE = 'query ($id: ID!) { node(id: $id) { id } }';
      expect((await account.admin.api.run(NODE, { id: tokenId })).node).toEqual({ id: tokenId });
      for (const who of [user, other.admin]) expect((await who.api.run(NODE, { id: tokenId })).node).toBeNull();
      expect(await listed(other.admin)).toMatchObject({ totalCount: 0 });
    });
  });

  it('TOK-11 names are unique without regard to case, 1 to 64 characters', async () => {
    await withToken({ name: 'Unique' }, async (_api, { token }) => {
      expect(await create({ name: 'UNIQUE', poolId: press })).toMatchObject({
        code: 'TOKEN_NAME_IN_USE',
        path: ['name'],
      });
      for (const name of ['', '  ', 'x'.repeat(65)])
        expect(await create({ name, poolId: press })).toMatchObject({ inputViolations: [{ path: ['name'] }] });
      await withToken({ name: 'x'.repeat(64) }, async (_second, long) => {
        const rename = (name: string) => run(account.admin, 'updateApiToken', { tokenId: long.token.id, name });
        expect(await rename('unique')).toMatchObject({ code: 'TOKEN_NAME_IN_USE', path: ['name'] });
        expect((await rename('Other')).token.name).toBe('Other');
      });
      expect((await run(account.admin, 'updateApiToken', { tokenId: token.id, name: 'unique' })).token.name).toBe(
        'unique',
      );
    });
  });

  it('TOK-08 on plans with pools a token has a pool of the account; the pool stays while it is used (POOL-10)', async () => {
    expect(await create({ name: 'Poolless' })).toMatchObject({ code: 'VALIDATION_FAILED', path: ['poolId'] });
    expect(await create({ name: 'Foreign', poolId: await other.pool('Foreign') })).toMatchObject({ code: 'NOT_FOUND' });
    await withToken({}, async (_api, { token }) => {
      const move = (poolId: string | null) => run(account.admin, 'updateApiToken', { tokenId: token.id, poolId });
      expect(await move(null)).toMatchObject({ code: 'VALIDATION_FAILED', path: ['poolId'] });
      expect(await move(await other.defaultPool())).toMatchObject({ code: 'NOT_FOUND' });
      const spare = await account.pool('Spare');
      expect((await move(spare)).token.pool.name).toBe('Spare');
      const DELETE =
        'mutation ($poolId: ID!) { deletePool(input: { poolId: $poolId }) { __typename ... on Error { code } } }';
      expect(await account.admin.api.mutate(DELETE, { poolId: spare })).toMatchObject({ code: 'POOL_IN_USE' });
    });
  });

  it('TOK-02 TOK-11 an account has a limited number; of many who ask at once no more get one', async () => {
    const asked = await Promise.all(
      Array.from({ length: 12 }, (_, index) => create({ name: `Many ${index}`, poolId: press })),
    );
    expect(asked.filter(({ __typename }) => __typename === 'CreateApiTokenSuccess')).toHaveLength(8);
    expect(asked.filter(({ code }) => code === 'TOO_MANY_TOKENS')).toHaveLength(4);
    const present = asked.flatMap(({ token }) => token?.id ?? []);
    const deleted = await Promise.all(
      [...present, present[0]].map((tokenId) => run(account.admin, 'deleteApiToken', { tokenId })),
    );
    expect(deleted.map(({ code }) => code ?? 'done').sort()).toEqual(['NOT_FOUND', ...Array(8).fill('done')]);
  });

  it('TOK-12 the user name of older applications is reserved', async () => {
    const groupId = await account.group('Reserved');
    for (const username of ['t2m-api-token', 'T2M-API-Token']) {
      const password = { password: 'Reserved-1', passwordConfirmation: 'Reserved-1' };
      const input = { username, email: 'x@example.com', groupIds: [groupId], ...password };
      expect(await change(account.admin, 'createUser', input)).toMatchObject({ path: ['username'] });
    }
  });
});

describe('using', () => {
  it('TOK-08 TOK-13 reads the Ewons of its pool and nothing beyond them', async () => {
    await withToken({}, async (api, { token }) => {
      expect((await api.run(EWONS)).ewons).toEqual({ totalCount: 1, nodes: [{ name: 'Pressed' }] });
      const ONE = 'query ($by: EwonBy!) { ewon(by: $by) { name status serialNumber lan { address } vpnAddress } }';
      expect((await api.run(ONE, { by: { id: ewon.id } })).ewon).toMatchObject({ name: 'Pressed', status: 'ONLINE' });
      for (const by of [{ id: hidden.id }, { name: 'Painted' }, { serialNumber: hidden.device.serialNumber }])
        expect((await api.run(ONE, { by })).ewon).toBeNull();
      const filtered = async (filter: object): Promise<Json[]> =>
        (await api.run('query ($filter: EwonFilter) { ewons(filter: $filter) { nodes { name } } }', { filter })).ewons
          .nodes;
      // Its Ewon is in the hall too, and it does not get to know.
      for (const filter of [{ ids: [hidden.id] }, { poolId: paint }, { poolId: hall }, { search: 'Paint' }])
        expect(await filtered(filter)).toEqual([]);
      expect(await filtered({ poolId: press })).toEqual([{ name: 'Pressed' }]);
      const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }';
      const others = [hidden.id, account.admin.id, press, token.id, await account.group('For a token')];
      const { account: own } = await account.admin.api.run('{ account { id } viewer { login { id } } }');
      const { nodes } = await api.run(NODES, { ids: [ewon.id, ...others, own.id] });
      expect(nodes).toEqual([{ __typename: 'Ewon', id: ewon.id }, ...Array(others.length + 1).fill(null)]);
      expect((await api.run('{ viewer { isAdministrator } }')).viewer).toBeNull();

      const waiting = await account.device();
      await waiting.register({ registrationKey: await account.registrationKey() });
      await run(account.admin, 'updateApiToken', { tokenId: token.id, poolId: await account.defaultPool() });
      expect(await names(api), 'neither of its old pool nor one that waits for approval').toEqual([]);
    });
  });

  it('TOK-13 TOK-06 an Ewon gives neither users nor rights nor pools to it', async () => {
    const group = await account.group('Connected', [{ poolId: press, connectEcatcher: true }]);
    const user = await account.user('connected', [group], { nameIsPublic: true });
    const opened = await openSession(user, ewon.id);
    await withToken({}, async (api) => {
      const { ewons } = await api.run(
        '{ ewons { nodes { status connectedUsers { name } viewerCan pools { name } } } }',
      );
      expect(ewons.nodes).toEqual([
        { status: 'CONNECTED', connectedUsers: [{ name: null }], viewerCan: [], pools: [] },
      ]);
    });
    await user.api.run('mutation ($id: ID!) { closeSession(input: { sessionId: $id }) { __typename } }', {
      id: opened.session.id,
    });
  });

  it('TOK-13 TOK-06 every other query, every mutation and every stream is refused, also those that need no login', async () => {
    await withToken({}, async (api) => {
      const { __schema } = await account.admin.api.run(
        '{ __schema { queryType { fields { name args { name type { kind } defaultValue } } } mutationType { fields { name } } } }',
      );
      const open = ['ewon', 'ewons', 'dataPoints', 'node', 'nodes', 'viewer'];
      const closed: string[] = [];
      for (const { name, args } of __schema.queryType.fields) {
        if (
          open.includes(name) ||
          args.some(({ type, defaultValue }: Json) => type.kind === 'NON_NULL' && defaultValue === null)
        )
          continue;
        // Whatever it answers with, it is not asked that far.
        const answer = await api.send(`{ ${name} { __typename } }`);
        expect(codeOf(answer), name).toBe('FORBIDDEN');
        expect(answer.data?.[name] ?? null, name).toBeNull();
        closed.push(name);
      }
      expect(closed).toEqual(
        expect.arrayContaining(['account', 'users', 'groups', 'pools', 'sessions', 'logEntries', 'oneTimeSecrets']),
      );
      for (const document of [
        'mutation { openSession(input: { ewonId: "RXdvbjox", client: ECATCHER }) { __typename } }',
        'mutation { login(input: { account: "demo", username: "admin", password: "x", client: M2WEB }) { __typename } }',
        'mutation { createApiToken(input: { name: "x" }) { __typename } }',
        'mutation { estimatePasswordStrength(input: { password: "x" }) { __typename } }',
        'mutation { __typename }',
        'mutation { logout { __typename } }',
      ]) {
        const answer = await api.send(document);
        expect(codeOf(answer), document).toBe('FORBIDDEN');
        expect(answer.data ?? null).toBeNull();
      }
      const several = { query: 'query Read { ewons { totalCount } } mutation Write { logout { __typename } }' };
      const answer = await post(api.token ?? '', { ...several, operationName: 'Write' });
      expect(codeOf(answer)).toBe('FORBIDDEN');
      expect((await post(api.token ?? '', { ...several, operationName: 'Read' })).data.ewons.totalCount).toBe(1);
      const stream = api.stream('subscription { logEvents { cursor } }');
      await stream.waitFor('refusal', () => stream.ended);
      expect(stream.received).toEqual([]);
    });
  });

  it('TOK-06 is accepted in POST requests only: others answer 405, and a WebSocket does not open', async () => {
    await withToken({}, async (api, { value }) => {
      const url = `${server.url}/graphql?query=${encodeURIComponent('{ ewons { totalCount } }')}`;
      for (const authorization of [
        `Bearer ${value}`,
        `Basic ${Buffer.from(`t2m-api-token:${value}`).toString('base64')}`,
      ])
        for (const method of ['GET', 'PUT', 'DELETE', 'HEAD']) {
          const answer = await fetch(url, { method, headers: { authorization } });
          expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'POST']);
        }
      expect((await fetch(`${server.url}/graphql?t2mtoken=${value}`, { method: 'POST' })).status, 'AUTH-24').toBe(400);
      const socket = api.subscribe('subscription { logEvents { cursor } }');
      await socket.waitFor('close', () => socket.closeCode !== null);
      expect(socket.closeCode).toBe(4403);
      expect(socket.received).toEqual([]);
      await socket.leave();
    });
  });

  it('TOK-12 is accepted as password of the fixed user name, and of no other', async () => {
    await withToken({}, async (_api, { value }) => {
      const basic = (pair: string) =>
        new ApiCaller(server.url).send(
          EWONS,
          {},
          { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } },
        );
      expect((await basic(`t2m-api-token:${value}`)).data.ewons.totalCount).toBe(1);
      expect(codeOf(await basic(`t2m-api-token:${value}x`))).toBe('TOKEN_INVALID');
      for (const pair of [`admin:${value}`, value]) expect(codeOf(await basic(pair))).toBe('UNAUTHENTICATED');
      // A login takes it for a password like any other.
      const LOGIN = `mutation ($input: LoginInput!) { login(input: $input) { __typename ... on Error { code } } }`;
      const input = { account: account.name, username: 't2m-api-token', password: value, client: 'M2WEB' };
      expect(await new ApiCaller(server.url).mutate(LOGIN, { input })).toMatchObject({ code: 'INVALID_CREDENTIALS' });
    });
  });

  it('TOK-10 a renewed or deleted value fails at once, as one that never was', async () => {
    const issued = await create({ name: 'Short-lived', poolId: press });
    const first = new ApiCaller(server.url, issued.value);
    expect(await names(first)).toEqual(['Pressed']);
    const renewed = await run(account.admin, 'renewApiToken', { tokenId: issued.token.id });
    const second = new ApiCaller(server.url, renewed.value);
    expect(await names(second)).toEqual(['Pressed']);
    const unknown = new ApiCaller(server.url, 'A'.repeat(40));
    for (const api of [first, unknown]) {
      const answer = await api.send(EWONS);
      expect(answer.data ?? null).toBeNull();
      expect(answer.errors).toMatchObject([{ extensions: { code: 'TOKEN_INVALID', requestId: expect.any(String) } }]);
      expect(JSON.stringify(answer)).not.toContain(api.token);
    }
    await run(account.admin, 'deleteApiToken', { tokenId: issued.token.id });
    expect(codeOf(await second.send(EWONS))).toBe('TOKEN_INVALID');
  });

  it('TOK-09 TOK-07 notes the day of its last use, once a day', async () => {
    await withToken({}, async (api, { token }) => {
      const { db } = server.app.platform;
      const lastUsedOn = async () =>
        (await db.apiToken.findFirstOrThrow({ where: { prefix: token.prefix } })).lastUsedOn?.toISOString() ?? null;
      const shown = async () =>
        (
          await account.admin.api.run('query ($id: ID!) { node(id: $id) { ... on ApiToken { lastUsedOn } } }', {
            id: token.id,
          })
        ).node.lastUsedOn;
      const today = () => server.clock.now().toISOString().slice(0, 10);
      expect(await shown()).toBeNull();
      await api.run(EWONS);
      expect(await shown()).toBe(today());
      expect(await lastUsedOn()).toBe(`${today()}T00:00:00.000Z`);
      // A second use on the day writes nothing: what stands there stays, whatever it is.
      const tomorrow = new Date(Date.parse(`${today()}T00:00:00Z`) + DAY_MS);
      await db.apiToken.updateMany({ where: { prefix: token.prefix }, data: { lastUsedOn: tomorrow } });
      await api.run(EWONS);
      expect(await lastUsedOn()).toBe(tomorrow.toISOString());
    });
  });

  it('TOK-08 on plans without pools it covers all Ewons, and no pool can be given', async () => {
    const free = await TestAccount.create(server, 'FREE');
    const [first] = [await free.ewon({ name: 'One' }), await free.ewon({ name: 'Two' })];
    const poolId = await free.defaultPool();
    expect(await create({ name: 'Pooled', poolId }, free.admin)).toMatchObject({ code: 'PLAN_FEATURE_NOT_AVAILABLE' });
    await withToken(
      { poolId: null },
      async (api, { token }) => {
        expect(token.pool).toBeNull();
        expect(await names(api)).toEqual(['One', 'Two']);
        expect(
          (
            await api.run('query ($by: EwonBy!) { ewon(by: $by) { viewerCan pools { name } } }', {
              by: { id: first.id },
            })
          ).ewon,
        ).toEqual({
          viewerCan: [],
          pools: [],
        });
        const moved = await run(free.admin, 'updateApiToken', { tokenId: token.id, poolId });
        expect(moved).toMatchObject({ code: 'PLAN_FEATURE_NOT_AVAILABLE' });
        expect((await run(free.admin, 'updateApiToken', { tokenId: token.id, poolId: null })).token.pool).toBeNull();
      },
      free.admin,
    );
    // ACC-19: one that was limited covers all after a downgrade.
    await withToken(
      { poolId: await other.pool('Narrow') },
      async (api) => {
        await other.ewon({ name: 'Wide' });
        expect(await names(api)).toEqual([]);
        const { db } = server.app.platform;
        await db.account.update({ where: { id: other.id }, data: { plan: 'FREE' } });
        expect(await names(api)).toEqual(['Wide']);
        await db.account.update({ where: { id: other.id }, data: { plan: 'PRO' } });
      },
      other.admin,
    );
  });
});

/** A request with an operation name. */
async function post(token: string, body: object): Promise<GraphQLAnswer> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  return (await response.json()) as GraphQLAnswer;
}

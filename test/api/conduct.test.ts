import { PGlite } from '@electric-sql/pglite';
import {
  type GraphQLInputObjectType,
  getIntrospectionQuery,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/database/database.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { schema } from '../../src/graphql/schema.ts';
import { createLogger } from '../../src/logger.ts';
import { ApiCaller, type Json } from '../support/client.ts';
import { administer } from '../support/global-setup.ts';
import { onPostgres, startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, openSession, type Person, TestAccount, USER_PASSWORD } from '../support/world.ts';

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
const logLines: string[] = [];

beforeAll(async () => {
  server = await startServer({ log: createLogger('trace', { write: (line) => void logLines.push(line) }) });
  [account, other] = [await TestAccount.create(server), await TestAccount.create(server)];
});
afterAll(() => server.close());
afterEach(() => vi.restoreAllMocks());

const ID = {
  Pool: 'pool',
  Group: 'group',
  User: 'user',
  Ewon: 'ewon',
  Session: 'session',
  Login: 'login',
  Account: 'account',
  ApiToken: 'token',
  SupportAccess: 'support access',
  OneTimeSecret: 'secret',
  LanDevice: 'LAN device',
  EwonService: 'service',
  OutgoingMessage: 'message',
  EwonImport: 'import',
  LedgerEntry: 'movement of the credit',
  M2uLink: 'M2U link',
  Contact: 'contact',
};
type NodeIds = Record<keyof typeof ID, string>;

/** An object of every node type in an account, with the device that must be put away. */
async function everyNode(
  of: TestAccount,
  neighbour: TestAccount,
): Promise<{ ids: NodeIds; pending: string; ticket: string; leave(): Promise<void> }> {
  const pool = await of.pool('Node pool');
  const group = await of.group('Node group', [{ poolId: pool, connectEcatcher: true }]);
  const user = await of.user('node', [group]);
  const ewon = await of.onlineEwon({ name: 'Node Ewon', poolIds: [pool] });
  const opened = await openSession(user, ewon.id);
  const { viewer } = await of.admin.api.run('{ viewer { login { id } account { id } } }');
  const created = await of.admin.api.succeed(
    'mutation { createEwon(input: { name: "Pending" }) { __typename ... on CreateEwonSuccess { ewon { id } } } }',
  );
  const { token } = await of.admin.api.succeed(
    'mutation ($poolId: ID!) { createApiToken(input: { name: "Node token", poolId: $poolId }) { __typename ... on CreateApiTokenSuccess { token { id } } ... on Error { code message } } }',
    { poolId: pool },
  );
  const { supportAccess } = await of.admin.api.succeed(
    'mutation ($ewonId: ID!) { grantSupportAccess(input: { email: "node@hms.se", ewonIds: [$ewonId] }) { __typename ... on GrantSupportAccessSuccess { supportAccess { id } } ... on Error { code message } } }',
    { ewonId: ewon.id },
  );
  await of.admin.api.succeed(
    'mutation ($recipientId: ID!) { shareSecret(input: { recipientId: $recipientId, content: "for you" }) { __typename ... on Error { code message } } }',
    { recipientId: of.admin.id },
  );
  const { lanDevice } = await of.admin.api.succeed(
    'mutation ($ewonId: ID!) { createLanDevice(input: { ewonId: $ewonId, name: "PLC", address: "10.0.0.20" }) { __typename ... on CreateLanDeviceSuccess { lanDevice { id } } ... on Error { code message } } }',
    { ewonId: ewon.id },
  );
  const { service } = await of.admin.api.succeed(
    'mutation ($ewonId: ID!) { createEwonService(input: { ewonId: $ewonId, name: "Web", port: 80, protocol: HTTP }) { __typename ... on CreateEwonServiceSuccess { service { id } } ... on Error { code message } } }',
    { ewonId: ewon.id },
  );
  const { link } = await of.admin.api.succeed(
    'mutation { createM2uLink(input: { name: "Node link", url: "https://m2u.example/" }) { __typename ... on CreateM2uLinkSuccess { link { id } } ... on Error { code message } } }',
  );
  await of.admin.api.succeed(
    'mutation { payCredit(input: { amount: "1.00", idempotencyKey: "node" }) { __typename ... on Error { code message } } }',
  );
  const listed = await of.admin.api.succeed(
    'mutation ($input: PreviewImportInput!) { previewImport(input: $input) { __typename ... on PreviewImportSuccess { ticket import { id } } ... on Error { code message } } }',
    { input: { account: neighbour.name, username: 'admin', password: ADMIN_PASSWORD } },
  );
  const lists = await of.admin.api.run(
    '{ oneTimeSecrets { nodes { id } } account { ledger { nodes { id } } messages { nodes { id } } contacts { nodes { id } } } }',
  );
  return {
    ids: {
      M2uLink: link.id,
      EwonImport: listed.import.id,
      LanDevice: lanDevice.id,
      EwonService: service.id,
      ApiToken: token.id,
      SupportAccess: supportAccess.id,
      OneTimeSecret: lists.oneTimeSecrets.nodes[0].id,
      LedgerEntry: lists.account.ledger.nodes[0].id,
      OutgoingMessage: lists.account.messages.nodes[0].id,
      Contact: lists.account.contacts.nodes[0].id,
      Pool: pool,
      Group: group,
      User: user.id,
      Ewon: ewon.id,
      Session: opened.session.id,
      Login: viewer.login.id,
      Account: viewer.account.id,
    },
    pending: created.ewon.id,
    ticket: listed.ticket,
    leave: () => ewon.device.disconnect(),
  };
}

describe('ids', () => {
  let own: Awaited<ReturnType<typeof everyNode>>;
  let foreign: Awaited<ReturnType<typeof everyNode>>;
  beforeAll(async () => {
    [own, foreign] = [await everyNode(account, other), await everyNode(other, account)];
  });
  afterAll(async () => {
    await own.leave();
    await foreign.leave();
  });

  const nodeTypes = () => {
    const node = schema.getType('Node');
    if (!node || !('getFields' in node)) throw new Error('There is no Node.');
    return schema.getPossibleTypes(node as never).map(({ name }) => name);
  };
  const key = (id: string) => Buffer.from(id, 'base64url').toString().split(':')[1];
  const encode = (text: string): string => Buffer.from(text).toString('base64url');

  it('ACC-01 API-05 of another account, of another type or malformed give null, for every type of node', async () => {
    expect(nodeTypes().sort()).toEqual(Object.keys(own.ids).sort());
    /** What `node` says of each id, in one request. */
    const ask = async (ids: string[]): Promise<Json[]> => {
      const fields = ids.map((id, index) => `n${index}: node(id: ${JSON.stringify(id)}) { __typename id }`);
      return Object.values(await account.admin.api.run(`{ ${fields.join(' ')} }`));
    };
    for (const [type, id] of Object.entries(own.ids)) {
      const others = nodeTypes().filter((name) => name !== type);
      const nothing = [
        foreign.ids[type as keyof NodeIds],
        ...others.map((name) => encode(`${name}:${key(id)}`)),
        ...[`${type}:`, `${type}:1`, `${type}`, `${type}:${key(id)}'--`].map(encode),
      ];
      expect(await ask([id, ...nothing]), type).toEqual([{ __typename: type, id }, ...nothing.map(() => null)]);
    }
    const malformed = [
      '',
      'x',
      '!!!',
      'ü',
      id0(own.ids.Pool),
      encode(`Nothing:${key(own.ids.Pool)}`),
      encode(`Query:${key(own.ids.Pool)}`),
    ];
    expect(await ask(malformed)).toEqual(malformed.map(() => null));
    const nodes = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }';
    const asked = [own.ids.Pool, foreign.ids.Pool, ...malformed, own.ids.User];
    expect((await account.admin.api.run(nodes, { ids: asked })).nodes).toEqual([
      { id: own.ids.Pool },
      null,
      ...malformed.map(() => null),
      { id: own.ids.User },
    ]);
    const many = await account.admin.api.send(nodes, { ids: Array(101).fill(own.ids.Pool) });
    expect(many.errors?.[0]?.extensions).toMatchObject({ code: 'VALIDATION_FAILED', path: ['ids'] });
    const nobody = new ApiCaller(server.url);
    for (const id of Object.values(own.ids))
      expect((await nobody.run('query ($id: ID!) { node(id: $id) { id } }', { id })).node).toBeNull();
  });
  const id0 = (id: string) => id.slice(0, -4);

  it('API-05 in filters match nothing, and say nothing', async () => {
    for (const id of [foreign.ids.Pool, own.ids.User, 'malformed']) {
      const lists = await account.admin.api.run(
        `query ($id: ID!) {
          ewons(filter: { poolId: $id }) { totalCount }
          byId: ewons(filter: { ids: [$id] }) { totalCount }
          sessions(filter: { ewonIds: [$id] }) { totalCount }
          logEntries(filter: { poolIds: [$id] }) { nodes { number } }
          ewon(by: { id: $id }) { id }
          dataPoints(filter: { ewonId: $id }) { nodes { tag } }
        }`,
        { id },
      );
      expect(lists).toEqual({
        ewons: { totalCount: 0 },
        byId: { totalCount: 0 },
        sessions: { totalCount: 0 },
        logEntries: { nodes: [] },
        ewon: null,
        dataPoints: { nodes: [] },
      });
    }
    for (const id of [foreign.ids.Group, own.ids.Pool, 'malformed'])
      expect(
        (await account.admin.api.run('query ($id: ID!) { users(filter: { groupId: $id }) { totalCount } }', { id }))
          .users,
      ).toEqual({ totalCount: 0 });
  });

  const SAME_TWICE = { password: USER_PASSWORD, passwordConfirmation: USER_PASSWORD };
  /** For each place where the input of a mutation holds an id: an input that is right but for that id. */
  const inputs: Record<string, [type: keyof NodeIds, (id: string) => object]> = {
    'addEwonsToPool poolId': ['Pool', (poolId) => ({ poolId, ewonIds: [own.ids.Ewon] })],
    'addEwonsToPool ewonIds': ['Ewon', (id) => ({ poolId: own.ids.Pool, ewonIds: [id] })],
    'addGroupMembers groupId': ['Group', (groupId) => ({ groupId, userIds: [own.ids.User] })],
    'addGroupMembers userIds': ['User', (id) => ({ groupId: own.ids.Group, userIds: [id] })],
    'confirmDevicePasswordsChanged supportAccessId': ['SupportAccess', (supportAccessId) => ({ supportAccessId })],
    'updateM2uLink linkId': ['M2uLink', (linkId) => ({ linkId })],
    'deleteM2uLink linkId': ['M2uLink', (linkId) => ({ linkId })],
    'createApiToken poolId': ['Pool', (poolId) => ({ name: 'Refused', poolId })],
    'createEwonService ewonId': ['Ewon', (ewonId) => ({ ewonId, name: 'Refused', port: 81, protocol: 'HTTP' })],
    'createGroup managedGroupIds': ['Group', (id) => ({ name: 'Refused', managedGroupIds: [id] })],
    'createLanDevice ewonId': ['Ewon', (ewonId) => ({ ewonId, name: 'Refused', address: '10.0.0.21' })],
    'createPool ewonIds': ['Ewon', (id) => ({ name: 'Refused', ewonIds: [id] })],
    'deleteApiToken tokenId': ['ApiToken', (tokenId) => ({ tokenId })],
    'deleteContact contactId': ['Contact', (contactId) => ({ contactId })],
    'deleteEwonService serviceId': ['EwonService', (serviceId) => ({ serviceId })],
    'deleteGroup groupId': ['Group', (groupId) => ({ groupId })],
    'deleteLanDevice lanDeviceId': ['LanDevice', (lanDeviceId) => ({ lanDeviceId })],
    'disableSecondFactor userId': ['User', (userId) => ({ userId })],
    'grantSupportAccess ewonIds': ['Ewon', (id) => ({ email: 'refused@hms.se', ewonIds: [id] })],
    'importEwons pool.poolId': ['Pool', (poolId) => ({ ticket: own.ticket, pool: { poolId }, confirm: true })],
    'readSecret secretId': ['OneTimeSecret', (secretId) => ({ secretId })],
    'removeEwonsFromPool poolId': ['Pool', (poolId) => ({ poolId, ewonIds: [own.ids.Ewon] })],
    'removeEwonsFromPool ewonIds': ['Ewon', (id) => ({ poolId: own.ids.Pool, ewonIds: [id] })],
    'removeGroupMembers groupId': ['Group', (groupId) => ({ groupId, userIds: [own.ids.User] })],
    'removeGroupMembers userIds': ['User', (id) => ({ groupId: own.ids.Group, userIds: [id] })],
    'renewApiToken tokenId': ['ApiToken', (tokenId) => ({ tokenId })],
    'resetSecondFactor userId': ['User', (userId) => ({ userId })],
    'retrieveBackupCodes userId': ['User', (userId) => ({ userId })],
    'retryMessage messageId': ['OutgoingMessage', (messageId) => ({ messageId })],
    'revokeSupportAccess supportAccessId': ['SupportAccess', (supportAccessId) => ({ supportAccessId })],
    'sendEwonOffline ewonId': ['Ewon', (ewonId) => ({ ewonId })],
    'setFirewallLevel ewonId': ['Ewon', (ewonId) => ({ ewonId, level: 'HIGH' })],
    'setGroupRights groupId': ['Group', (groupId) => ({ groupId, managedGroupIds: [] })],
    'setGroupRights managedGroupIds': ['Group', (id) => ({ groupId: own.ids.Group, managedGroupIds: [id] })],
    'setSecondFactor userId': ['User', (userId) => ({ userId, method: 'EMAIL' })],
    'shareSecret recipientId': ['User', (recipientId) => ({ recipientId, content: 'Refused' })],
    'updateApiToken poolId': ['Pool', (poolId) => ({ tokenId: own.ids.ApiToken, poolId })],
    'updateApiToken tokenId': ['ApiToken', (tokenId) => ({ tokenId, name: 'Refused' })],
    'updateContact contactId': ['Contact', (contactId) => ({ contactId, name: 'Refused' })],
    'updateEwonService serviceId': ['EwonService', (serviceId) => ({ serviceId, name: 'Refused' })],
    'updateGroup groupId': ['Group', (groupId) => ({ groupId, name: 'Refused' })],
    'updateLanDevice lanDeviceId': ['LanDevice', (lanDeviceId) => ({ lanDeviceId, name: 'Refused' })],
    'wakeUpEwon ewonId': ['Ewon', (ewonId) => ({ ewonId })],
    'updatePool poolId': ['Pool', (poolId) => ({ poolId, name: 'Refused' })],
    'withdrawRememberedPcs userId': ['User', (userId) => ({ userId })],
    'approveEwon ewonId': ['Ewon', (ewonId) => ({ ewonId })],
    'approveEwon replace': ['Ewon', (replace) => ({ ewonId: own.ids.Ewon, replace })],
    'approveEwon properties.poolIds': ['Pool', (id) => ({ ewonId: own.ids.Ewon, properties: { poolIds: [id] } })],
    'closeSession sessionId': ['Session', (sessionId) => ({ sessionId })],
    'createEwon properties.poolIds': ['Pool', (id) => ({ name: 'Refused', properties: { poolIds: [id] } })],
    'createGroup managedById': ['Group', (managedById) => ({ name: 'Refused', managedById })],
    'createGroup poolRights.poolId': ['Pool', (poolId) => ({ name: 'Refused', poolRights: [{ poolId }] })],
    'createUser groupIds': [
      'Group',
      (id) => ({
        username: 'refused',
        email: 'refused@example.com',
        ...SAME_TWICE,
        groupIds: [own.ids.Group, id],
      }),
    ],
    'deletePool poolId': ['Pool', (poolId) => ({ poolId })],
    'deleteUser userId': ['User', (userId) => ({ userId, confirm: true })],
    'disableUser userId': ['User', (userId) => ({ userId, confirm: true })],
    'duplicateUser userId': ['User', (userId) => ({ userId, username: 'refused', ...SAME_TWICE })],
    'enableUser userId': ['User', (userId) => ({ userId })],
    'forcePasswordChange userId': ['User', (userId) => ({ userId })],
    'inviteUser userId': ['User', (userId) => ({ userId })],
    'keepSessionAlive sessionId': ['Session', (sessionId) => ({ sessionId })],
    'openSession ewonId': ['Ewon', (ewonId) => ({ ewonId })],
    'rejectEwon ewonId': ['Ewon', (ewonId) => ({ ewonId })],
    'removeEwon ewonId': ['Ewon', (ewonId) => ({ ewonId, confirm: true })],
    'renewActivationKey ewonId': ['Ewon', (ewonId) => ({ ewonId })],
    'setAutoRegistration poolId': ['Pool', (poolId) => ({ poolId })],
    'setPoolRights groupId': ['Group', (groupId) => ({ groupId, poolRights: [] })],
    'setPoolRights poolRights.poolId': ['Pool', (poolId) => ({ groupId: own.ids.Group, poolRights: [{ poolId }] })],
    'setReservations reservations.groupId': ['Group', (groupId) => ({ reservations: [{ groupId, count: 1 }] })],
    'setUserPassword userId': ['User', (userId) => ({ userId, ...SAME_TWICE })],
    'updateEwon ewonId': ['Ewon', (ewonId) => ({ ewonId, properties: { name: 'Refused' } })],
    'updateEwon properties.poolIds': ['Pool', (id) => ({ ewonId: own.ids.Ewon, properties: { poolIds: [id] } })],
    'updateUser userId': ['User', (userId) => ({ userId, properties: { fullName: 'Refused' } })],
    'updateUser properties.groupIds': [
      'Group',
      (id) => ({ userId: own.ids.User, properties: { groupIds: [own.ids.Group, id] } }),
    ],
  };

  it('API-05 EWN-02 USR-03 that a mutation takes are NOT_FOUND, each of them, and nothing is changed', {
    timeout: 90_000,
  }, async () => {
    const mutations = schema.getMutationType()?.getFields() ?? {};
    const places = Object.values(mutations).flatMap(({ name, args }) =>
      args.flatMap(({ type }) => {
        const input = isNonNullType(type) ? type.ofType : type;
        return isInputObjectType(input) ? idPlaces(input).map((place) => `${name} ${place}`) : [];
      }),
    );
    // `revokeLogins` passes over the logins that are not there: what the caller wants holds of them already.
    expect([...Object.keys(inputs), 'revokeLogins loginIds'].sort()).toEqual(places.sort());

    const before = await server.app.platform.db.logEntry.count();
    for (const [place, [type, input]] of Object.entries(inputs)) {
      const [mutation = ''] = place.split(' ');
      const typeName = String(mutations[mutation]?.args[0]?.type);
      const query = `mutation ($input: ${typeName}) { ${mutation}(input: $input) { __typename ... on Error { code } } }`;
      const wrongType = type === 'Pool' ? own.ids.User : own.ids.Pool;
      for (const id of [
        foreign.ids[type],
        wrongType,
        'malformed',
        encode(`${type}:00000000-0000-0000-0000-000000000000`),
      ])
        expect(await account.admin.api.mutate(query, { input: input(id) }), `${place} ${id}`).toMatchObject({
          code: 'NOT_FOUND',
        });
    }
    const refused = await server.app.platform.db.logEntry.findMany({ where: { code: { not: 'SESSION_REFUSED' } } });
    expect(refused.length).toBeLessThanOrEqual(before);
  });

  function idPlaces(input: GraphQLInputObjectType, path: string[] = []): string[] {
    return Object.values(input.getFields()).flatMap((field) => {
      let { type } = field;
      while (isNonNullType(type) || isListType(type)) type = type.ofType;
      const place = [...path, field.name];
      if (isInputObjectType(type)) return idPlaces(type, place);
      return type.name === 'ID' ? [place.join('.')] : [];
    });
  }
});

describe('pages', () => {
  it('API-05 are bounded, in a stable order, and go both ways', async () => {
    const of = await TestAccount.create(server);
    for (const name of ['a', 'b', 'c', 'd']) await of.pool(name);
    const page = async (args: string) =>
      (
        await of.admin.api.run(
          `{ pools(${args}) { nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }`,
        )
      ).pools;
    const names = ({ nodes }: Json) => nodes.map(({ name }: Json) => name).join();
    const first = await page('first: 2');
    expect([names(first), first.pageInfo.hasNextPage, first.totalCount]).toEqual(['Default,a', true, 5]);
    const second = await page(`first: 2, after: "${first.pageInfo.endCursor}"`);
    const third = await page(`first: 2, after: "${second.pageInfo.endCursor}"`);
    expect([names(second), names(third), third.pageInfo.hasNextPage]).toEqual(['b,c', 'd', false]);
    expect(names(await page(`last: 2, before: "${third.pageInfo.startCursor}"`))).toBe('b,c');
    for (const args of ['first: 0', 'first: 501', 'first: -1', 'last: 501']) {
      const { errors } = await of.admin.api.send(`{ pools(${args}) { totalCount } }`);
      expect(errors?.[0]?.extensions.code, args).toBe('VALIDATION_FAILED');
    }
  });
});

describe('limits of a query', () => {
  const refusal = async (query: string) => (await account.admin.api.send(query)).errors?.[0];

  it('API-02 introspection always passes', async () => {
    const anybody = new ApiCaller(server.url);
    const options = {
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    };
    for (const caller of [anybody, account.admin.api])
      expect((await caller.run(getIntrospectionQuery(options))).__schema.types.length).toBeGreaterThan(100);
    const strict = await startServer({
      env: {
        QUERY_COMPLEXITY_MAX: '10',
        QUERY_DEPTH_MAX: '3',
        QUERY_BREADTH_MAX: '10',
        QUERY_ALIASES_MAX: '1',
        QUERY_TOKENS_MAX: '1000',
      },
    });
    try {
      expect((await new ApiCaller(strict.url).run(getIntrospectionQuery(options))).__schema.queryType.name).toBe(
        'Query',
      );
    } finally {
      await strict.close();
    }
  });

  it('API-02 too deep a query is refused with the figures', async () => {
    const deep = `{ ewons(first: 1) { nodes ${'{ sessions(first: 1) { nodes { ewon '.repeat(5)} { id } ${'} } }'.repeat(5)} } }`;
    expect(await refusal(deep)).toMatchObject({
      message: expect.stringMatching(/^The query has a depth of 18; at most 15 is allowed\.$/),
      extensions: { code: 'QUERY_TOO_COMPLEX', depth: 18, limit: 15 },
    });
  });

  it('API-02 too wide a query is refused with the figures', async () => {
    const wide = `{ ewons(first: 1) { nodes { ${Array(501).fill('id').join(' ')} } } }`;
    expect(await refusal(wide)).toMatchObject({ extensions: { code: 'QUERY_TOO_COMPLEX', breadth: 503, limit: 500 } });
  });

  it('API-02 too many aliases are refused with the figures', async () => {
    const aliases = `{ ${Array.from({ length: 51 }, (_, index) => `a${index}: viewer { isAdministrator }`).join(' ')} }`;
    expect(await refusal(aliases)).toMatchObject({ extensions: { code: 'QUERY_TOO_COMPLEX', aliases: 51, limit: 50 } });
  });

  it('API-02 too costly a query is refused with the figures, pages counted in full', async () => {
    const costly = '{ ewons(first: 500) { nodes { sessions(first: 500) { nodes { id } } } } }';
    const error = await refusal(costly);
    expect(error).toMatchObject({ extensions: { code: 'QUERY_TOO_COMPLEX', limit: 20_000 } });
    expect(error?.extensions.complexity).toBeGreaterThan(500 * 500);
    const ids = JSON.stringify(Array(100).fill('x'));
    expect(
      await refusal(`{ nodes(ids: ${ids}) { ... on Ewon { sessions(first: 500) { nodes { id } } } } }`),
    ).toMatchObject({
      extensions: { code: 'QUERY_TOO_COMPLEX' },
    });
    expect(await refusal('{ ewons(first: 500) { nodes { id name status pools { name } } } }')).toBeUndefined();
  });

  it('API-02 LST-03 each condition of a filter costs, at all its levels, and each count', async () => {
    // What is refused anyway tells its cost.
    const BALLAST = 'ballast: ewons(first: 500) { nodes { sessions(first: 500) { nodes { id } } } }';
    const cost = async (fields: string, filter?: object): Promise<number> => {
      const query = filter ? `query ($filter: EwonFilter) { ${BALLAST} ${fields} }` : `{ ${BALLAST} ${fields} }`;
      return Number((await account.admin.api.send(query, { filter })).errors?.[0]?.extensions.complexity);
    };
    const page = await cost('ewons(first: 1) { nodes { id } }');
    expect(page).toBeGreaterThan(500 * 500);
    const filters: [object, number][] = [
      [{}, 0],
      [{ search: 'x' }, 1],
      [{ search: null, model: ['COSY'], name: { contains: 'x' } }, 2],
      [{ NOT: { OR: [{ search: 'x' }, { AND: [{ search: 'y' }] }] } }, 6],
    ];
    for (const [filter, conditions] of filters)
      expect(await cost('ewons(first: 1, filter: $filter) { nodes { id } }', filter)).toBe(page + 5 * conditions);
    expect(await cost('ewons(first: 1) { totalCount nodes { id } }')).toBe(page + 2);
    expect(
      await cost('logEntries(first: 1, filter: { codes: [LOGIN_FAILED], search: "x" }) { nodes { id: number } }'),
    ).toBe((await cost('logEntries(first: 1) { nodes { id: number } }')) + 10);
  });

  it('API-02 too long a query is refused with the figures, before it is read', async () => {
    expect(await refusal(`{ ${'viewer { isAdministrator } '.repeat(2000)} }`)).toMatchObject({
      message: expect.stringContaining('5000'),
      extensions: { code: expect.stringMatching(/QUERY_TOO_COMPLEX|GRAPHQL_VALIDATION_FAILED/) },
    });
  });

  it('API-02 hold over WebSocket and for subscriptions too', async () => {
    const deep = `subscription { connectionEvents { events { ... on SessionStarted { ewon ${'{ sessions(first: 1) { nodes { ewon '.repeat(4)} { id } ${'} } }'.repeat(4)} } } } }`;
    const stream = account.admin.api.subscribe(deep);
    await stream.waitFor('a refusal', () => stream.errors !== undefined);
    expect(stream.errors?.[0]?.extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', limit: 15 });
    await stream.leave();
  });
});

describe('the validation of an input', () => {
  const CREATE_USER = `mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename ... on Error { code path message } ... on ValidationError { inputViolations { path message } } } }`;

  it('reports all violations at once, each with its path', async () => {
    const input = {
      username: ' spaced ',
      fullName: 'x'.repeat(101),
      email: 'fine@example.com',
      description: 'x'.repeat(1001),
      password: 'x'.repeat(201),
      passwordConfirmation: 'x'.repeat(201),
      groupIds: Array(101).fill('x'),
    };
    const result = await account.admin.api.mutate(CREATE_USER, { input });
    expect(result).toMatchObject({ __typename: 'ValidationError', code: 'VALIDATION_FAILED', path: ['username'] });
    expect(result.inputViolations.map(({ path }: Json) => path.join('.'))).toEqual([
      'username',
      'fullName',
      'description',
      'password',
      'passwordConfirmation',
      'groupIds',
    ]);
    expect(result.inputViolations[0].message).toBe('A user name has no spaces at its ends.');
  });

  it('goes into nested inputs and lists, and to the rules between fields', async () => {
    const APPROVE = `mutation ($input: ApproveEwonInput!) { approveEwon(input: $input) { __typename ... on ValidationError { inputViolations { path message } } } }`;
    const result = await account.admin.api.mutate(APPROVE, {
      input: {
        ewonId: 'x',
        replace: 'y',
        properties: { name: ' ', description: 'x'.repeat(501), customFields: ['x'.repeat(256), null, 'x'.repeat(256)] },
      },
    });
    expect(result.inputViolations.map(({ path }: Json) => path.join('.')).sort()).toEqual([
      'properties.customFields.0',
      'properties.customFields.2',
      'properties.description',
      'properties.name',
      'replace',
    ]);
    const RESERVE = `mutation ($input: SetReservationsInput!) { setReservations(input: $input) { __typename ... on ValidationError { inputViolations { path } } } }`;
    const reservations = [-1, 1, -2].map((count) => ({ groupId: 'x', count }));
    expect((await account.admin.api.mutate(RESERVE, { input: { reservations } })).inputViolations).toEqual([
      { path: ['reservations', '0', 'count'] },
      { path: ['reservations', '2', 'count'] },
    ]);
  });

  it('is a top-level error with all violations where there is no result type', async () => {
    const query =
      'query ($filter: EwonFilter, $orderBy: [EwonOrder!]) { ewons(filter: $filter, orderBy: $orderBy) { totalCount } }';
    const { errors } = await account.admin.api.send(query, {
      filter: { search: 'x'.repeat(201), ids: Array(501).fill('x') },
      orderBy: Array(5).fill({ field: 'NAME' }),
    });
    expect(errors).toHaveLength(1);
    expect(errors?.[0]?.extensions.code).toBe('VALIDATION_FAILED');
    expect((errors as Json)[0].extensions.violations.map(({ path }: Json) => path.join('.'))).toEqual([
      'filter.search',
      'filter.ids',
      'orderBy',
    ]);
  });
});

describe('errors', () => {
  it('API-04 every top-level error has a code of the catalogue and a request id, over HTTP and WebSocket', async () => {
    const wrong = [
      ['{', 'GRAPHQL_VALIDATION_FAILED'],
      ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
      ['{ ewons(first: "x") { totalCount } }', 'GRAPHQL_VALIDATION_FAILED'],
      ['query A { viewer { isAdministrator } } query B { viewer { isAdministrator } }', 'GRAPHQL_VALIDATION_FAILED'],
      ['{ ewon(by: { serialNumber: "x" }) { id } }', 'VALIDATION_FAILED'],
      ['{ ewons(first: 1000) { totalCount } }', 'VALIDATION_FAILED'],
      ['{ ewons(after: "x") { nodes { id } } }', 'CURSOR_INVALID'],
      ['subscription { logEvents(after: "x") { cursor } }', 'CURSOR_INVALID'],
    ];
    for (const [query = '', code] of wrong) {
      if (!query.startsWith('subscription')) {
        const { errors } = await account.admin.api.send(query);
        expect(errors?.[0]?.extensions, query).toMatchObject({
          code,
          requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        });
      }
      const stream = account.admin.api.subscribe(query);
      await stream.waitFor('errors', () => stream.errors !== undefined);
      expect(stream.errors?.[0]?.extensions, query).toMatchObject({ code, requestId: expect.any(String) });
      expect(Object.keys(ERROR_CODES)).toContain(code);
      await stream.leave();
    }
    const { errors } = await new ApiCaller(server.url).send('{ ewons { totalCount } }');
    expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });

  it('API-04 what is unexpected is masked, with a request id that the log carries too', async () => {
    const secretive = new Error('relation "Secret" of 10.0.0.1 does not exist');
    vi.spyOn(server.app.platform.rateLimits.logins, 'take').mockRejectedValue(secretive);
    const LOGIN = 'mutation { login(input: { account: "acme", username: "a", password: "b" }) { __typename } }';
    const answer = await account.admin.api.send(LOGIN);
    const stream = account.admin.api.subscribe(LOGIN);
    await stream.waitFor('errors', () => stream.errors !== undefined);
    await stream.leave();
    for (const error of [answer.errors?.[0], stream.errors?.[0]]) {
      const { code, requestId } = error?.extensions ?? {};
      expect(code).toBe('INTERNAL_ERROR');
      expect(error?.message).toBe(`Something unexpected happened; quote ${requestId}.`);
      expect(Object.keys(error?.extensions ?? {}).sort()).toEqual(['code', 'requestId']);
      const logged = logLines.map((line) => JSON.parse(line)).filter((line) => line.requestId === requestId);
      expect(logged).toHaveLength(1);
      expect(logged[0]).toMatchObject({ msg: 'A request failed', err: { message: secretive.message } });
    }
    expect(JSON.stringify([answer, stream.errors])).not.toMatch(/Secret|10\.0\.0\.1|\.ts|at /);
  });

  it('API-04 the request id is in the header of every answer', async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ ewons { totalCount } }' }),
    });
    const { errors } = (await response.json()) as Json;
    expect(response.headers.get('x-request-id')).toBe(errors[0].extensions.requestId);
  });

  it('PWD-22 LOG-21 secrets are in no line of the server’s log and in no log entry', async () => {
    const key = await account.registrationKey();
    const user = await account.user('secretive', [await account.group('Secretive')]);
    const ewon = await account.ewon({ name: 'Secretive' });
    const created = await account.admin.api.succeed(
      'mutation { createEwon(input: { name: "Keyed" }) { __typename ... on CreateEwonSuccess { activationKey } } }',
    );
    await account.admin.api.mutate('mutation { exportRegistrationKey(input: {}) { __typename } }');
    await account.admin.api.mutate('mutation { renewRegistrationKey { __typename } }');
    const newKey = await account.registrationKey();
    const wrong = 'Wrong-password-1';
    await new ApiCaller(server.url).mutate('mutation ($input: LoginInput!) { login(input: $input) { __typename } }', {
      input: { account: account.name, username: 'secretive', password: wrong, client: 'M2WEB' },
    });
    vi.spyOn(server.app.platform.passwords, 'verify').mockRejectedValue(new Error('out of memory'));
    await new ApiCaller(server.url).send('mutation ($input: LoginInput!) { login(input: $input) { __typename } }', {
      input: { account: account.name, username: 'secretive', password: wrong, client: 'M2WEB' },
    });
    const entries = JSON.stringify(await account.log({}, 500));
    expect(entries).toContain('REGISTRATION_KEY_RENEWED');
    expect(logLines.join('')).toContain('out of memory');
    const secrets = [
      ADMIN_PASSWORD,
      USER_PASSWORD,
      wrong,
      key,
      newKey,
      created.activationKey,
      user.api.token,
      account.admin.api.token,
    ];
    for (const secret of secrets) {
      expect(secret?.length).toBeGreaterThan(8);
      expect(entries).not.toContain(secret);
      expect(logLines.join('')).not.toContain(secret);
    }
    expect(ewon.name).toBe('Secretive');
    // The last guard: what a writer gives by mistake under such a name is cut out.
    const lines: string[] = [];
    createLogger('info', { write: (line) => void lines.push(line) }).info(
      { token: 'x1', input: { password: 'x2' } },
      'Test',
    );
    expect(lines.join('')).not.toMatch(/x1|x2/);
  });
});

describe('statements', () => {
  let of: TestAccount;
  let limited: Person;
  beforeAll(async () => {
    of = await TestAccount.create(server);
    const pools = [await of.pool('One'), await of.pool('Two')];
    const group = await of.group(
      'Readers',
      pools.map((poolId) => ({ poolId, modify: true, connectEcatcher: true })),
    );
    limited = await of.user('reader', [group, await of.group('More')]);
    for (let index = 0; index < 50; index++)
      await of.admin.api.succeed('mutation ($input: CreateEwonInput!) { createEwon(input: $input) { __typename } }', {
        input: { name: `Ewon ${index}`, properties: { poolIds: pools } },
      });
    const { db } = server.app.platform;
    const ewons = await db.ewon.findMany({ where: { accountId: of.id } });
    const createdAt = new Date();
    const plc = { name: 'PLC', address: '10.0.0.20', createdAt };
    const plcs = await db.lanDevice.createManyAndReturn({ data: ewons.map(({ id }) => ({ ...plc, ewonId: id })) });
    const port = { address: plc.address, port: 80, protocol: 'HTTP' } as const;
    await db.lanPort.createMany({ data: plcs.map(({ id, ewonId }) => ({ ...port, ewonId, deviceId: id })) });
    const web = { name: 'Web', port: 80, protocol: 'HTTP', createdAt } as const;
    await db.ewonService.createMany({ data: ewons.map(({ id }) => ({ ...web, ewonId: id })) });
    for (let index = 0; index < 5; index++) await of.user(`user${index}`, [group]);
    // The due work of every second has statements of its own.
    await server.app.jobs.close();
  });

  /** How many statements a query takes; the look at the token is part of it. */
  async function statements(who: Person, query: string): Promise<number> {
    const owner = [PGlite.prototype, Object.getPrototypeOf(PGlite.prototype)].find((prototype) =>
      Object.hasOwn(prototype, 'query'),
    );
    const counts = [];
    for (let time = 0; time < 4; time++) {
      const spy = vi.spyOn(owner, 'query');
      await who.api.run(query);
      counts.push(spy.mock.calls.length);
      spy.mockRestore();
    }
    // What goes on in the background may add its own to one of them.
    return Math.min(...counts);
  }

  it.each([
    [
      'Ewons with all they show',
      (n: number) =>
        `{ ewons(first: ${n}) { nodes { name status pools { name viewerMayAdminister } connectedUsers { name } viewerCan vpnAddress customFields { label value } } totalCount } }`,
      16,
    ],
    [
      'Ewons with their sessions',
      (n: number) => `{ ewons(first: ${n}) { nodes { name sessions(first: 5) { nodes { reference userName } } } } }`,
      12,
    ],
    [
      'Ewons with what lies behind them',
      (n: number) =>
        `{ ewons(first: ${n}) { nodes { name firewallLevel lanDevices { name address ports { port protocol } } services { name port } } } }`,
      14,
    ],
    [
      'users with their groups',
      (n: number) => `{ users(first: ${n}) { nodes { username status groups { name } vpn { state } } } }`,
      14,
    ],
    [
      'log entries with their objects',
      (n: number) => `{ logEntries(first: ${n}) { nodes { text user { username } ewon { name } } } }`,
      14,
    ],
  ])('%s: as many for fifty as for some', async (_title, query, most) => {
    for (const who of [of.admin, limited]) {
      // Some, so that each kind of object is among them.
      const [few, many] = [await statements(who, query(16)), await statements(who, query(50))];
      expect(few, who.username).toBeGreaterThan(1);
      expect(many, who.username).toBe(few);
      expect(many, who.username).toBeLessThanOrEqual(most);
    }
  });
});

describe('the endpoints beside GraphQL', () => {
  it('API-08 tell health, readiness and figures, and nothing else is there', async () => {
    const get = async (path: string) => {
      const response = await fetch(`${server.url}${path}`);
      return [response.status, await response.text()] as const;
    };
    expect(await get('/healthz')).toEqual([200, 'ok']);
    expect(await get('/readyz')).toEqual([200, 'ready']);
    const [status, metrics] = await get('/metrics');
    expect(status).toBe(200);
    expect(metrics).toMatch(/^talkgate_live_streams \d+$/m);
    expect(metrics).toMatch(/^process_resident_memory_bytes \d+/m);
    expect((await get('/nothing'))[0]).toBe(404);
  });

  onPostgres('on its database', () => {
    const database = `talkgate_bare_${process.pid}`;
    const role = `${database}_role`;
    const admin = new URL(inject('postgres')?.url ?? 'postgresql://none');
    const inside = new URL(admin);
    inside.pathname = database;
    const own = new URL(inside);
    [own.username, own.password] = [role, 'secret'];

    it('LST-03 a role that may not create the extension is told who has to, and then it starts', async () => {
      const open = () => openDatabase(readConfig({ DATABASE_URL: own.href }), createLogger('silent'));
      await administer(admin.href, `CREATE DATABASE "${database}"`);
      await administer(admin.href, `CREATE ROLE "${role}" LOGIN PASSWORD 'secret'`);
      try {
        await administer(inside.href, `GRANT CREATE ON SCHEMA public TO "${role}"`);
        await expect(open()).rejects.toMatchObject({
          name: 'DatabaseError',
          message: expect.stringMatching(
            /^The database at \S+ cannot be used: it lacks the extension pg_trgm.+permission.+CREATE EXTENSION pg_trgm in it as its owner or as a superuser\.$/,
          ),
        });
        await administer(inside.href, 'CREATE EXTENSION pg_trgm');
        const opened = await open();
        expect(await opened.client.account.count()).toBe(0);
        await opened.close();
      } finally {
        await administer(admin.href, `DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
        await administer(admin.href, `DROP ROLE IF EXISTS "${role}"`);
      }
    });

    it('API-02 a statement that takes too long is given up, and the next one is answered', async () => {
      const limited = await startServer({ database: 'postgresql', env: { DATABASE_STATEMENT_SECONDS: '1' } });
      const blocker = new pg.Client({ connectionString: limited.databaseUrl });
      try {
        const of = await TestAccount.create(limited);
        await blocker.connect();
        await blocker.query('BEGIN; LOCK TABLE "Ewon" IN ACCESS EXCLUSIVE MODE');
        const asked = await of.admin.api.send('{ ewons { nodes { name } } }');
        expect(asked.errors?.map(({ extensions }) => extensions.code)).toEqual(['INTERNAL_ERROR']);
        await blocker.query('ROLLBACK');
        expect((await of.admin.api.run('{ ewons { nodes { name } } }')).ewons.nodes).toEqual([]);
      } finally {
        await blocker.end();
        await limited.close();
      }
    });
  });

  onPostgres('without its database', () => {
    it('API-08 the server is alive, but not ready, until the database is back', async () => {
      const cut = await startServer({ database: 'postgresql', env: { DATABASE_TIMEOUT_SECONDS: '1' } });
      const name = new URL(cut.databaseUrl).pathname.slice(1);
      const admin = cut.databaseUrl.replace(/\/[^/]*$/, '/postgres');
      const status = async (path: string) => (await fetch(`${cut.url}${path}`)).status;
      try {
        expect(await status('/readyz')).toBe(200);
        await administer(admin, `ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
        await administer(admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
        expect([await status('/readyz'), await status('/healthz')]).toEqual([503, 200]);
        const { errors } = await new ApiCaller(cut.url, 'x'.repeat(43)).send('{ viewer { isAdministrator } }');
        expect(errors?.[0]?.extensions.code).toBe('INTERNAL_ERROR');
        await administer(admin, `ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
        expect(await status('/readyz')).toBe(200);
      } finally {
        await cut.close();
      }
    });
  });
});

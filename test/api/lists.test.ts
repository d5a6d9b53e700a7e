import {
  type GraphQLObjectType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isScalarType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/graphql/global-id.ts';
import { schema } from '../../src/graphql/schema.ts';
import type { ApiCaller, Json } from '../support/client.ts';
import { eachDatabase, startServer, type TestServer } from '../support/server.ts';
import { type Person, TestAccount } from '../support/world.ts';

const DAY_MS = 86_400_000;
const DAY_0 = Date.parse('2026-01-01T00:00:00.000Z');
const day = (number: number): Date => new Date(DAY_0 + number * DAY_MS);

/** A third of what may be null is; the rest has many equals. */
const some = <T>(number: number, values: readonly T[], step = 1): T | null =>
  number % 3 === step % 3 ? null : (values[(number * step) % values.length] ?? null);

/** An account with 24 Ewons, users, groups, pools and sessions, written beside the API for speed. */
async function fill(of: TestAccount): Promise<void> {
  const { db } = of.server.app.platform;
  const numbers = Array.from({ length: 24 }, (_, number) => number);
  const accountId = of.id;
  const pool = await db.pool.findFirstOrThrow({ where: { accountId, isDefault: true } });
  const ewons = await db.ewon.createManyAndReturn({
    data: numbers.map((number) => ({
      accountId,
      ...{ name: `Ewon ${number % 2 ? 'a' : 'B'}${number}`, nameKey: `ewon ${number % 2 ? 'a' : 'b'}${number}` },
      registrationStatus: number % 4 === 0 ? ('PENDING' as const) : ('ACTIVE' as const),
      description: some(number, ['north', 'South 100%', 'east_west']),
      custom1: some(number, ['red', 'green'], 2),
      custom2: some(number, ['x', 'y', 'z']),
      custom3: number === 5 ? 'only five' : null,
      serialNumber: number % 3 === 0 ? null : `${of.name.slice(4, 8).replaceAll(/\D/g, '7')}-${1000 + number}-01`,
      model: some(number, ['COSY', 'FLEXY'] as const),
      firmwareVersion: some(number, ['14.1s0', '13.3s1'], 2),
      firewallLevel: number % 2 ? ('HIGH' as const) : ('STANDARD' as const),
      wanType: some(number, ['WIFI', 'ETHERNET', 'CELLULAR'] as const, 2),
      wanAddress: some(number, ['10.0.0.1', '10.0.0.2']),
      geolocationEnabled: some(number, [true, false]),
      digitalInput: some(number, [true, false], 2),
      digitalInputPolicy: some(number, ['IGNORE', 'ON_ENABLES'] as const),
      lastSeenAt: some(number, [day(1), day(2), day(3)]),
      registeredAt: some(number, [day(4), day(5)], 2),
      createdAt: day(number % 5),
    })),
  });
  await db.ewonPool.createMany({ data: ewons.map(({ id }) => ({ ewonId: id, poolId: pool.id })) });
  const users = await db.user.createManyAndReturn({
    data: numbers.map((number) => ({
      accountId,
      ...{ username: `User${number}`, usernameKey: `user${number}`, email: `u${number % 7}@example.com` },
      fullName: some(number, ['Ann', 'Bob', 'Éva']),
      description: some(number, ['one', 'two'], 2),
      custom1: some(number, ['badge 1', 'badge 2']),
      custom2: some(number, ['site'], 2),
      namePublic: number % 2 === 0,
      mustChangePassword: number % 5 === 0,
      expiresAt: some(number, [day(900), day(901)]),
      lockedUntil: number === 3 ? day(0) : number === 4 ? day(9000) : null,
      lastLoginAt: some(number, [day(7), day(8)], 2),
      invitationSentAt: some(number, [day(1)]),
      createdAt: day(number % 4),
    })),
  });
  const administrators = await db.group.findFirstOrThrow({ where: { accountId, administrators: true } });
  await db.groupMember.createMany({
    data: users.slice(0, 10).map(({ id }) => ({ groupId: administrators.id, userId: id })),
  });
  const named = (kind: string) => (number: number) => ({
    ...{ accountId, name: `${kind} ${number}`, nameKey: `${kind.toLowerCase()} ${number}`, createdAt: day(number % 3) },
  });
  await db.group.createMany({ data: numbers.map(named('Group')) });
  await db.pool.createMany({ data: numbers.map(named('Pool')) });
  await db.session.createMany({
    data: numbers.map((number) => ({
      accountId,
      ...{ userName: `User${number}`, userNumber: number, userId: users[number % 4]?.id ?? null },
      ...{ ewonName: 'Ewon', ewonNumber: number % 6, ewonId: ewons[number % 2]?.id ?? null },
      client: number % 3 === 0 ? ('M2WEB' as const) : ('ECATCHER' as const),
      state: number % 4 === 0 ? ('OPEN' as const) : ('CLOSED' as const),
      ...{ takesSlot: false, startedAt: day(number % 6), aliveUntil: day(9000) },
      endedAt: number % 4 === 0 ? null : day(50 + (number % 3)),
      closeReason: number % 4 === 0 ? null : ('BY_USER' as const),
      userVpnAddress: some(number, ['10.236.0.1', '10.236.0.2']),
      bytesIn: BigInt(number % 3) * 5_000_000_000n,
      bytesOut: number % 5,
    })),
  });
  await db.message.createMany({
    data: numbers.map((number) => ({
      accountId,
      ...{ channel: 'MAIL' as const, template: 'INVITATION', recipient: 'a@example.com', state: 'SENT' as const },
      ...{ attempts: number % 3, createdAt: day(number % 4), dueAt: day(1), expiresAt: day(number % 2) },
      sentAt: some(number, [day(1), day(2)]),
    })),
  });
  await db.apiToken.createMany({
    data: numbers.map((number) => ({
      ...named('Token')(number),
      ...{ tokenHash: `${accountId}-${number}`, prefix: `abc${number % 4}`, renewedAt: day(number % 5) },
      lastUsedOn: some(number, [day(1), day(2)]),
    })),
  });
  await db.supportAccess.createMany({
    data: numbers.map((number) => ({
      ...{ accountId, engineer: `e${number % 3}@hms.se`, createdAt: day(number % 4), expiresAt: day(number % 5) },
      revokedAt: some(number, [day(1), day(2)]),
    })),
  });
}

interface Page {
  totalCount: number;
  nodes: Json[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

/** The lists, each with the way to it and the type of its objects. */
const LISTS: Record<string, { path: string[]; type: string; name: string }> = {
  ewons: { path: ['ewons'], type: 'Ewon', name: 'Ewon' },
  users: { path: ['users'], type: 'User', name: 'User' },
  groups: { path: ['groups'], type: 'Group', name: 'Group' },
  pools: { path: ['pools'], type: 'Pool', name: 'Pool' },
  sessions: { path: ['sessions'], type: 'Session', name: 'Session' },
  logins: { path: ['viewer', 'logins'], type: 'Login', name: 'Login' },
  'API tokens': { path: ['account', 'apiTokens'], type: 'ApiToken', name: 'ApiToken' },
  'support accesses': { path: ['account', 'supportAccesses'], type: 'SupportAccess', name: 'SupportAccess' },
  messages: { path: ['account', 'messages'], type: 'OutgoingMessage', name: 'OutgoingMessage' },
  'one-time secrets': { path: ['oneTimeSecrets'], type: 'OneTimeSecret', name: 'OneTimeSecret' },
};
type ListName = keyof typeof LISTS;

const INFO = 'pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';

async function read(api: ApiCaller, list: ListName, args: Record<string, unknown> = {}, fields = 'id'): Promise<Page> {
  const { path, name } = LISTS[list] as (typeof LISTS)[string];
  const [outer, inner] = path.length > 1 ? [`${path[0]} {`, '}'] : ['', ''];
  const data = await api.run(
    `query ($filter: ${name}Filter, $orderBy: [${name}Order!], $first: Int, $after: String, $last: Int, $before: String) {
      ${outer} ${path.at(-1)}(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
        totalCount nodes { ${fields} } ${INFO}
      } ${inner}
    }`,
    args,
  );
  return path.reduce((value, part) => value[part], data);
}

const ids = ({ nodes }: Page): string[] => nodes.map(({ id }) => id);

const orderFields = (list: ListName): string[] => {
  const type = schema.getType(`${LISTS[list]?.name}OrderField`);
  return isEnumType(type) ? type.getValues().map(({ name }) => name) : [];
};

const camelCase = (name: string): string =>
  name.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The values of an order field as they are read, where the object has a field of that name. */
function readable(list: ListName, field: string): string | null {
  const name = camelCase(field);
  if (/^customField\d$/.test(name)) return 'customFields { value }';
  const type = schema.getType(LISTS[list]?.type ?? '') as GraphQLObjectType;
  return type.getFields()[name] ? name : null;
}
const valueIn = (node: Json, field: string): unknown => {
  const name = camelCase(field);
  return name.startsWith('customField') ? node.customFields[Number(name.at(-1)) - 1].value : node[name];
};

/** What is derived from other fields, from another table, or is an answer to the viewer: no column to filter or order by. */
const DERIVED: Record<string, readonly string[]> = {
  Ewon: [
    ...['id', 'reference', 'encodedName', 'status', 'vpnAddress', 'remoteAccessForbidden', 'wakingUntil'],
    // Told only to whoever may modify the Ewon: an order by it would tell others.
    'wakeUpNumber',
  ],
  User: [
    ...['id', 'reference', 'displayName', 'status', 'disabledReason', 'lockedUntil', 'isTemporary'],
    ...['passwordExpiresAt', 'invitationExpiresAt'],
  ],
  Group: ['id'],
  Pool: ['id', 'viewerMayAdminister'],
  Session: ['id', 'reference', 'userReference', 'ewonReference', 'viewerMayClose'],
  Login: ['id', 'isCurrent', 'confirmedUntil'],
  ApiToken: ['id', 'kind'],
  SupportAccess: ['id', 'status', 'changeDevicePasswords'],
  // The address is told only as far as it takes to recognise it: a filter would tell the rest.
  OutgoingMessage: ['id', 'template', 'recipient', 'nextAttemptAt'],
  OneTimeSecret: ['id', 'readable'],
};

describe('the schema', () => {
  it.each(Object.keys(LISTS))('LST-01 LST-02 %s are filtered and ordered by every scalar field', (list) => {
    const { type, name } = LISTS[list] as (typeof LISTS)[string];
    const scalars = Object.values((schema.getType(type) as GraphQLObjectType).getFields())
      .filter((field) => {
        const inner = isNonNullType(field.type) ? field.type.ofType : field.type;
        return !isListType(inner) && (isScalarType(inner) || isEnumType(inner)) && field.args.length === 0;
      })
      .map((field) => field.name)
      .filter((field) => !DERIVED[type]?.includes(field));
    const filter = schema.getType(`${name}Filter`);
    const filters = isInputObjectType(filter) ? Object.keys(filter.getFields()) : [];
    expect(filters).toEqual(expect.arrayContaining(['AND', 'OR', 'NOT', 'ids', ...scalars]));
    expect(orderFields(list).map(camelCase)).toEqual(expect.arrayContaining(scalars));
    if (['Ewon', 'User'].includes(type))
      for (const field of ['customField1', 'customField2', 'customField3']) {
        expect(filters).toContain(field);
        expect(orderFields(list).map(camelCase)).toContain(field);
      }
    expect(getNamedType(filter as never)).toBeDefined();
  });
});

eachDatabase('lists', (database) => {
  let server: TestServer;
  let account: TestAccount;
  let api: ApiCaller;
  beforeAll(async () => {
    server = await startServer({ database });
    account = await TestAccount.create(server);
    api = account.admin.api;
    await fill(account);
  });
  afterAll(() => server?.close());

  /** Lists in several orders and parts, many to a request. */
  async function readMany(list: ListName, parts: { args: string; fields: string }[]): Promise<Json[]> {
    const { path } = LISTS[list] as (typeof LISTS)[string];
    const [outer, inner] = path.length > 1 ? [`${path[0]} {`, '}'] : ['', ''];
    const found: Json[] = [];
    for (let from = 0; from < parts.length; from += 40) {
      const some = parts.slice(from, from + 40);
      const aliased = some.map(({ args, fields }, index) => `p${index}: ${path.at(-1)}(${args}) { ${fields} }`);
      const data = await api.run(`{ ${outer} ${aliased.join(' ')} ${inner} }`);
      const at = path.slice(0, -1).reduce((value, part) => value[part], data);
      found.push(...some.map((_part, index) => at[`p${index}`]));
    }
    return found;
  }

  it.each(
    database === 'pglite'
      ? ['ewons', 'users', 'groups', 'pools', 'sessions', 'API tokens', 'support accesses', 'messages', 'logins']
      : ['ewons', 'users', 'sessions'],
  )(
    'LST-02 LST-04 CF-04 %s in every order: null last both ways, ties by id, pages without a gap or a repetition',
    async (list) => {
      const orders = orderFields(list).flatMap((field) => [
        { field, by: `orderBy: [{ field: ${field} }]` },
        { field, by: `orderBy: [{ field: ${field}, direction: DESC }]` },
      ]);
      const wholes = await readMany(
        list,
        orders.map(({ field, by }) => ({
          args: `${by}, first: 30`,
          fields: `totalCount edges { cursor node { id ${readable(list, field) ?? ''} } }`,
        })),
      );
      const parts = await readMany(
        list,
        orders.flatMap(({ by }, index) => {
          const cursor = (at: number) => JSON.stringify(wholes[index].edges.at(at)?.cursor ?? null);
          const size = Math.ceil(wholes[index].totalCount / 3);
          return [
            `first: ${size}`,
            `first: ${size}, after: ${cursor(size - 1)}`,
            `first: ${size}, after: ${cursor(2 * size - 1)}`,
            `last: ${size}`,
            `last: ${size}, before: ${cursor(-size)}`,
          ].map((args) => ({ args: `${by}, ${args}`, fields: 'nodes { id } pageInfo { hasNextPage }' }));
        }),
      );
      for (const [index, { field, by }] of orders.entries()) {
        const nodes: Json[] = wholes[index].edges.map(({ node }: Json) => node);
        const all = nodes.map(({ id }) => id);
        expect(new Set(all).size, field).toBe(wholes[index].totalCount);
        const [one, two, three, last, beforeLast] = parts.slice(index * 5, index * 5 + 5).map(ids);
        if (all.length > 1) {
          const size = Math.ceil(all.length / 3);
          expect([...(one ?? []), ...(two ?? []), ...(three ?? [])], by).toEqual(all);
          expect([last, beforeLast], by).toEqual([all.slice(-size), all.slice(-2 * size, -size)]);
          expect(parts[index * 5].pageInfo.hasNextPage, by).toBe(true);
          expect(parts[index * 5 + 2].pageInfo.hasNextPage, by).toBe(false);
        }
        if (!readable(list, field)) continue;
        const values = nodes.map((node) => valueIn(node, field));
        const present = values.filter((value) => value !== null);
        expect(values.slice(present.length), `${by}: null last`).toEqual(
          Array(values.length - present.length).fill(null),
        );
        if (index % 2 === 1) {
          const up = wholes[index - 1].edges.map(({ node }: Json) => valueIn(node, field));
          expect(present.toReversed(), `${by}: the other way round`).toEqual(up.slice(0, present.length));
        }
      }
    },
  );

  it('LST-04 orders by several fields, each its own way', async () => {
    const orderBy = [
      { field: 'MODEL', direction: 'DESC' },
      { field: 'CUSTOM_FIELD_1' },
      { field: 'CREATED_AT', direction: 'DESC' },
      { field: 'NAME' },
    ];
    const fields = 'id model createdAt name customFields { value }';
    const all = await read(api, 'ewons', { orderBy, first: 100 }, fields);
    const rank = (value: string | null, order: (string | null)[]) => order.indexOf(value);
    const expected = [...all.nodes].sort(
      (a, b) =>
        rank(a.model, ['FLEXY', 'COSY', null]) - rank(b.model, ['FLEXY', 'COSY', null]) ||
        rank(a.customFields[0].value, ['green', 'red', null]) - rank(b.customFields[0].value, ['green', 'red', null]) ||
        b.createdAt.localeCompare(a.createdAt) ||
        (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1),
    );
    expect(all.nodes).toEqual(expected);
    const pages: string[] = [];
    for (let after: string | null = null; pages.length < 24; ) {
      const page: Page = await read(api, 'ewons', { orderBy, first: 5, after });
      pages.push(...ids(page));
      after = page.pageInfo.endCursor;
    }
    expect(pages).toEqual(ids(all));
  });

  describe('a filter', () => {
    const names = async (filter: object): Promise<number[]> => {
      const page = await read(api, 'ewons', { filter, first: 100, orderBy: [{ field: 'NUMBER' }] }, 'id name');
      expect(page.totalCount, 'LST-06').toBe(page.nodes.length);
      return page.nodes.map(({ name }) => Number(name.slice(6)));
    };
    const where = (keep: (number: number) => boolean) => Array.from({ length: 24 }, (_, n) => n).filter(keep);
    const description = (n: number) => some(n, ['north', 'South 100%', 'east_west']);
    const custom1 = (n: number) => some(n, ['red', 'green'], 2);
    const model = (n: number) => some(n, ['COSY', 'FLEXY']);
    const seen = (n: number) => some(n, [1, 2, 3]);
    const geo = (n: number) => some(n, [true, false]);

    it.each<[string, object, (n: number) => boolean]>([
      ['equals', { description: { equals: 'north' } }, (n) => description(n) === 'north'],
      ['equals, exactly', { description: { equals: 'North' } }, () => false],
      ['equals of a name, without regard to case', { name: { equals: 'EWON A1' } }, (n) => n === 1],
      ['contains, without regard to case', { description: { contains: 'SOUTH' } }, (n) => description(n)?.[0] === 'S'],
      ['contains, a percent sign as it is', { description: { contains: '0%' } }, (n) => description(n)?.[0] === 'S'],
      ['contains, an underscore as it is', { description: { contains: 't_w' } }, (n) => description(n)?.[0] === 'e'],
      ['contains in a name', { name: { contains: 'N A' } }, (n) => n % 2 === 1],
      ['in', { customField1: { in: ['red', 'blue'] } }, (n) => custom1(n) === 'red'],
      ['in nothing', { customField1: { in: [] } }, () => false],
      ['in, of names', { name: { in: ['ewon b0', 'EWON A3'] } }, (n) => n === 0 || n === 3],
      ['is null', { customField1: { isNull: true } }, (n) => custom1(n) === null],
      ['is not null', { customField1: { isNull: false } }, (n) => custom1(n) !== null],
      ['is null, where there is no null', { name: { isNull: true } }, () => false],
      ['is not null, where there is no null', { name: { isNull: false } }, () => true],
      ['several of one field', { customField3: { contains: 'five', isNull: false } }, (n) => n === 5],
      ['a time from', { lastSeenAt: { from: day(2) } }, (n) => (seen(n) ?? 0) >= 2],
      ['a time to, exclusive', { lastSeenAt: { to: day(2) } }, (n) => (seen(n) ?? 9) < 2],
      ['a range of times', { createdAt: { from: day(1), to: day(3) } }, (n) => [1, 2].includes(n % 5)],
      ['a time', { lastSeenAt: { equals: day(3) } }, (n) => seen(n) === 3],
      ['one of several times', { lastSeenAt: { in: [day(1), day(3)] } }, (n) => [1, 3].includes(seen(n) ?? 0)],
      ['no time', { lastSeenAt: { isNull: true } }, (n) => seen(n) === null],
      ['an enum', { registrationStatus: 'PENDING' }, (n) => n % 4 === 0],
      ['several of an enum', { registrationStatus: ['PENDING', 'ACTIVE'] }, () => true],
      ['no value of an enum', { registrationStatus: [] }, () => false],
      ['an enum or none', { model: ['COSY', null] }, (n) => model(n) !== 'FLEXY'],
      ['none of an enum', { model: [null] }, (n) => model(n) === null],
      ['a boolean', { geolocationEnabled: true }, (n) => geo(n) === true],
      ['a boolean or none', { geolocationEnabled: [false, null] }, (n) => geo(n) !== true],
      ['a connection status', { status: ['OFFLINE', 'ONLINE'] }, () => true],
      ['no connection status', { status: [] }, () => false],
      ['null, as if absent', { name: null, model: null, AND: null, OR: null, NOT: null }, () => true],
      [
        'AND',
        { AND: [{ model: 'COSY' }, { customField1: { equals: 'red' } }] },
        (n) => model(n) === 'COSY' && custom1(n) === 'red',
      ],
      [
        'OR',
        { OR: [{ model: 'COSY' }, { customField1: { equals: 'red' } }] },
        (n) => model(n) === 'COSY' || custom1(n) === 'red',
      ],
      ['OR of nothing', { OR: [] }, () => false],
      ['OR with one that says nothing', { OR: [{}, { model: 'COSY' }] }, () => true],
      ['AND of nothing', { AND: [] }, () => true],
      ['NOT', { NOT: { description: { equals: 'north' } } }, (n) => description(n) !== 'north'],
      ['NOT contains', { NOT: { description: { contains: 'NORTH' } } }, (n) => description(n) !== 'north'],
      ['NOT in', { NOT: { customField1: { in: ['red'] } } }, (n) => custom1(n) !== 'red'],
      ['NOT of an enum', { NOT: { model: 'COSY' } }, (n) => model(n) !== 'COSY'],
      ['NOT of a boolean', { NOT: { geolocationEnabled: true } }, (n) => geo(n) !== true],
      ['NOT of a time', { NOT: { lastSeenAt: { from: day(2) } } }, (n) => (seen(n) ?? 0) < 2],
      ['NOT of a search', { NOT: { search: 'north' } }, (n) => description(n) !== 'north'],
      ['NOT of a status', { NOT: { status: 'WAKING_UP' } }, () => true],
      ['NOT of nothing', { NOT: {} }, () => false],
      [
        'NOT of an OR in an AND',
        {
          model: 'COSY',
          AND: [{ NOT: { OR: [{ customField1: { equals: 'red' } }, { description: { isNull: true } }] } }],
        },
        (n) => model(n) === 'COSY' && custom1(n) !== 'red' && description(n) !== null,
      ],
      ['NOT of NOT', { NOT: { NOT: { description: { equals: 'north' } } } }, (n) => description(n) === 'north'],
      ['a search over the custom fields', { search: 'ONLY' }, (n) => n === 5],
      [
        'a search and a field',
        { search: 'north', customField1: { equals: 'red' } },
        (n) => description(n) === 'north' && custom1(n) === 'red',
      ],
    ])('LST-02 LST-03 CF-04 keeps %s', async (_, filter, keep) => {
      expect(await names(filter)).toEqual(where(keep));
    });

    it('LST-03 compares numbers, whatever the column can hold', async () => {
      const numbers = async (bytesIn: object): Promise<number[]> =>
        (await read(api, 'sessions', { filter: { bytesIn }, first: 100 }, 'id bytesIn')).nodes
          .map((node) => node.bytesIn / 5e9)
          .sort();
      expect(await numbers({ equals: 5e9 })).toEqual(Array(8).fill(1));
      expect(await numbers({ in: [0, 0.5, 1e300, 10e9] })).toEqual([...Array(8).fill(0), ...Array(8).fill(2)]);
      expect(await numbers({ equals: 0.5 })).toEqual([]);
      expect(await numbers({ min: 0.5, max: 5e9 + 0.5 })).toEqual(Array(8).fill(1));
      expect(await numbers({ min: 1e300 })).toEqual([]);
      expect(await numbers({ max: -1e300 })).toEqual([]);
      expect(await numbers({ min: -1e300, max: 1e300 })).toHaveLength(24);
      const count = async (filter: object) => (await read(api, 'sessions', { filter })).totalCount;
      expect(await count({ ewonNumber: { equals: 3 } })).toBe(4);
      expect(await count({ ewonNumber: { min: 2 ** 40 } })).toBe(0);
      expect(await count({ NOT: { ewonNumber: { in: [3, 1e12] } } })).toBe(20);
    });

    it('LST-03 keeps sessions and users by what they are to others, and by what is derived', async () => {
      const { nodes } = await read(api, 'sessions', { first: 1 }, 'id user { id } ewon { id }');
      const [{ user, ewon }] = nodes as [Json];
      const count = async (list: ListName, filter: object) => (await read(api, list, { filter })).totalCount;
      expect(await count('sessions', { userIds: [user.id] })).toBe(6);
      expect(await count('sessions', { ewonIds: [ewon.id], userIds: [user.id] })).toBe(6);
      expect(await count('sessions', { ewonIds: [ewon.id], NOT: { userIds: [user.id] } })).toBe(6);
      expect(await count('sessions', { live: true })).toBe(6);
      expect(await count('sessions', { state: 'OPEN', closeReason: [null] })).toBe(6);
      expect(await count('sessions', { startedAt: { from: day(1), to: day(2) } })).toBe(4);
      expect(await count('users', { locked: true })).toBe(1);
      expect(await count('users', { locked: false })).toBe(24);
      expect(await count('users', { NOT: { locked: true } })).toBe(24);
      expect(await count('users', { NOT: { expiresBefore: day(8000) } })).toBe(9);
      expect(await count('users', { status: ['PENDING', 'DISABLED'] })).toBe(24);
      expect(await count('users', { NOT: { status: 'DISABLED' } })).toBe(1 + 24);
      expect(await count('users', { search: 'badge 2' })).toBeGreaterThan(0);
      expect(await count('support accesses', { status: 'REVOKED' })).toBe(16);
    });

    it('LST-03 of too many levels or conditions is refused', async () => {
      const refused = async (filter: object) =>
        (
          await api.send('query ($filter: EwonFilter) { ewons(filter: $filter) { totalCount } }', { filter })
        ).errors?.map(({ extensions }) => [
          extensions.code,
          (extensions.violations as Json)?.[0].path ?? extensions.path,
        ]);
      const deep = (levels: number): object => (levels === 1 ? { search: 'x' } : { NOT: deep(levels - 1) });
      expect(await refused(deep(5))).toBeUndefined();
      expect((await refused(deep(6)))?.[0]?.[0]).toBe('VALIDATION_FAILED');
      const wide = (number: number, one: object) => ({ OR: Array.from({ length: number }, () => one) });
      expect(await refused(wide(50, { online: true }))).toBeUndefined();
      expect((await refused(wide(51, { online: true })))?.[0]?.[0]).toBe('VALIDATION_FAILED');
      // A free text counts for each of the six columns that it is looked for in.
      expect(await refused(wide(14, { search: 'x' }))).toBeUndefined();
      expect((await refused(wide(15, { search: 'x' })))?.[0]?.[0]).toBe('VALIDATION_FAILED');
      expect((await refused({ name: { in: Array(501).fill('x') } }))?.[0]?.[0]).toBe('VALIDATION_FAILED');
      expect((await refused({ name: { equals: 'x'.repeat(501) } }))?.[0]?.[0]).toBe('VALIDATION_FAILED');
      expect((await refused({ AND: [{ description: { contains: '\0' } }] }))?.[0]?.[0]).toBe('VALIDATION_FAILED');
    });

    it('LST-03 of more than 5000 values in all its lists together is refused', async () => {
      const refused = async (filter: object) =>
        (
          await api.send('query ($filter: EwonFilter) { ewons(filter: $filter) { totalCount } }', { filter })
        ).errors?.map(({ extensions }) => extensions.code);
      const id = (await read(api, 'ewons', { first: 1 }, 'id')).nodes[0]?.id as string;
      const lists = (number: number, more: object = {}) => ({
        ...more,
        OR: [
          ...Array.from({ length: number - 1 }, () => ({ name: { in: Array(500).fill('x') } })),
          { NOT: { ids: Array(500).fill(id) } },
        ],
      });
      expect(await refused(lists(10))).toBeUndefined();
      expect(await refused(lists(10, { model: ['COSY'] }))).toEqual(['VALIDATION_FAILED']);
      expect(await refused(lists(11))).toEqual(['VALIDATION_FAILED']);
    });
  });

  describe('a cursor', () => {
    const orderBy = [{ field: 'CUSTOM_FIELD_1', direction: 'DESC' }];
    const row = (name: string, custom1: string | null) => ({
      ...{ accountId: account.id, name, nameKey: name.toLowerCase(), custom1 },
      ...{ registrationStatus: 'PENDING' as const, createdAt: day(0) },
    });

    it('LST-04 keeps its place when its object is deleted or changed, and while others come and go', async () => {
      const { db } = server.app.platform;
      const filter = { name: { contains: 'Keeps' } };
      const made = await db.ewon.createManyAndReturn({
        data: ['e', 'd', 'c', 'b', 'a', null, null].map((value, index) => row(`Keeps ${index}`, value)),
      });
      const id = (index: number) => encodeGlobalId('Ewon', made[index]?.id ?? '');
      const first = await read(api, 'ewons', { orderBy, filter, first: 2 });
      expect(ids(first)).toEqual([id(0), id(1)]);
      const { endCursor: after } = first.pageInfo;
      await db.ewon.delete({ where: { id: made[1]?.id ?? '' } });
      await db.ewon.createMany({ data: [row('Keeps before', 'dd'), row('Keeps after', 'bb')] });
      const second = await read(api, 'ewons', { orderBy, filter, first: 3, after }, 'id name');
      expect(second.nodes.map(({ name }) => name)).toEqual(['Keeps 2', 'Keeps after', 'Keeps 3']);
      expect(second.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
      const before = second.pageInfo.startCursor;
      await db.ewon.update({ where: { id: made[2]?.id ?? '' }, data: { custom1: 'zz' } });
      const back = await read(api, 'ewons', { orderBy, filter, last: 2, before }, 'id name');
      expect(back.nodes.map(({ name }) => name)).toEqual(['Keeps 0', 'Keeps before']);
      await db.ewon.deleteMany({ where: { accountId: account.id, nameKey: { startsWith: 'keeps' } } });
      expect(await read(api, 'ewons', { orderBy, filter, after })).toMatchObject({ totalCount: 0, nodes: [] });
    });

    it('LST-04 both ends of every page say what lies beyond', async () => {
      const list = async (args: Record<string, unknown>) => {
        const { nodes, pageInfo } = await read(api, 'ewons', { orderBy: [{ field: 'MODEL' }], ...args });
        return [nodes.length, pageInfo.hasPreviousPage, pageInfo.hasNextPage];
      };
      const all = await read(api, 'ewons', { orderBy: [{ field: 'MODEL' }], first: 24 });
      const edges = (
        await api.run('{ ewons(orderBy: [{ field: MODEL }], first: 24) { edges { cursor node { id } } } }')
      ).ewons.edges as { cursor: string; node: { id: string } }[];
      expect(edges.map(({ node }) => node.id)).toEqual(ids(all));
      const at = (index: number) => edges[index]?.cursor;
      expect(await list({ first: 24 })).toEqual([24, false, false]);
      expect(await list({ first: 23 })).toEqual([23, false, true]);
      expect(await list({ last: 24 })).toEqual([24, false, false]);
      expect(await list({ last: 5 })).toEqual([5, true, false]);
      expect(await list({ first: 5, after: at(3) })).toEqual([5, true, true]);
      expect(await list({ first: 20, after: at(3) })).toEqual([20, true, false]);
      expect(await list({ last: 5, before: at(20) })).toEqual([5, true, true]);
      expect(await list({ last: 5, before: at(5) })).toEqual([5, false, true]);
      expect(await list({ before: at(5) })).toEqual([5, false, true]);
      expect(await list({ after: at(3), before: at(20) })).toEqual([16, true, true]);
      expect(await list({ after: at(3), before: at(20), first: 4 })).toEqual([4, true, true]);
      expect(await list({ after: at(3), before: at(20), last: 4 })).toEqual([4, true, true]);
      expect(await list({ after: at(3), before: at(4) })).toEqual([0, true, true]);
      expect(await list({ first: 5, after: at(23) })).toEqual([0, true, false]);
      expect(await list({ last: 5, before: at(0) })).toEqual([0, false, true]);
      expect(await list({ first: 5, filter: { ids: [] } })).toEqual([0, false, false]);
    });

    it('LST-04 of another list or order, or malformed, is refused', async () => {
      const code = async (args: Record<string, unknown>, list: ListName = 'ewons') =>
        read(api, list, args).then(
          () => 'ok',
          (error: Error) => /"code":"(\w+)"/.exec(error.message)?.[1],
        );
      const { endCursor: after } = (await read(api, 'ewons', { orderBy, first: 1 })).pageInfo;
      expect(await code({ orderBy, after })).toBe('ok');
      expect(await code({ orderBy, after, filter: { model: 'COSY' } })).toBe('ok');
      expect(await code({ after })).toBe('CURSOR_INVALID');
      expect(await code({ orderBy: [{ field: 'CUSTOM_FIELD_1' }], after })).toBe('CURSOR_INVALID');
      expect(await code({ orderBy: [...orderBy, { field: 'NAME' }], after })).toBe('CURSOR_INVALID');
      expect(await code({ orderBy, after }, 'users')).toBe('CURSOR_INVALID');
      expect(await code({ orderBy, before: 'x' })).toBe('CURSOR_INVALID');
      expect(await code({ orderBy, first: 1, last: 1 })).toBe('VALIDATION_FAILED');
      const forged = (value: unknown) =>
        Buffer.from(JSON.stringify(['Ewon', '-custom1-id', value, made])).toString('base64url');
      const made = '01234567-89ab-7def-8123-456789abcdef';
      expect(await code({ orderBy, after: forged('m') })).toBe('ok');
      for (const value of [5, 'a\0', {}, []])
        expect(await code({ orderBy, after: forged(value) })).toBe('CURSOR_INVALID');
    });
  });

  it('LST-05 shows what another has changed meanwhile', async () => {
    const other = await account.user('colleague', [
      (await api.run('{ group(by: { name: "Administrators" }) { id } }')).group.id,
    ]);
    const filter = { customField2: { equals: 'fresh' } };
    expect((await read(other.api, 'ewons', { filter })).totalCount).toBe(0);
    const [id] = ids(await read(api, 'ewons', { first: 1 }));
    const update =
      'mutation ($id: ID!, $values: [String]) { updateEwon(input: { ewonId: $id, properties: { customFields: $values } }) { __typename } }';
    await api.succeed(update, { id, values: ['red', 'fresh'] });
    const found = await read(other.api, 'ewons', { filter });
    expect([found.totalCount, ids(found)]).toEqual([1, [id]]);
    await api.succeed(update, { id, values: ['red'] });
    expect((await read(other.api, 'ewons', { filter })).totalCount).toBe(0);
  });

  it('LST-01 the lists in an object are filtered, ordered and paged too', async () => {
    const { ewons, group } = await api.run(
      `query ($sessions: [SessionOrder!], $open: SessionFilter, $users: [UserOrder!]) {
        ewons(filter: { name: { in: ["Ewon B0", "Ewon a1"] } }) { nodes { name
          live: sessions(filter: $open, orderBy: $sessions, first: 2) { totalCount nodes { reference userName state } pageInfo { hasNextPage hasPreviousPage endCursor } }
          sessions(last: 3, orderBy: $sessions) { nodes { userName } pageInfo { hasNextPage hasPreviousPage startCursor } }
        } }
        group(by: { name: "Administrators" }) { members(first: 3, filter: { username: { contains: "user" } }, orderBy: $users) { totalCount nodes { username } pageInfo { hasNextPage endCursor } } }
      }`,
      {
        sessions: [{ field: 'ENDED_AT', direction: 'DESC' }, { field: 'USER_NUMBER' }],
        open: { client: 'ECATCHER' },
        users: [{ field: 'NUMBER', direction: 'DESC' }],
      },
    );
    // Of the first Ewon, by name "Ewon a1", are the sessions with odd numbers; none of them is open.
    const [odd, even] = ewons.nodes;
    expect([odd.name, even.name]).toEqual(['Ewon a1', 'Ewon B0']);
    expect(odd.live).toMatchObject({ totalCount: 8, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    expect(odd.live.nodes.map(({ userName }: Json) => userName)).toEqual(['User5', 'User11']);
    expect(even.sessions.nodes.map(({ userName }: Json) => userName)).toEqual(['User12', 'User16', 'User20']);
    expect(even.sessions.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const next = await api.run(
      `query ($after: String, $before: String, $sessions: [SessionOrder!], $open: SessionFilter) { ewons(filter: { name: { in: ["Ewon B0", "Ewon a1"] } }) { nodes {
        live: sessions(filter: $open, orderBy: $sessions, first: 2, after: $after) { nodes { userName } pageInfo { hasPreviousPage } }
        sessions(last: 2, orderBy: $sessions, before: $before) { nodes { userName } pageInfo { hasNextPage } }
      } } }`,
      {
        after: odd.live.pageInfo.endCursor,
        before: even.sessions.pageInfo.startCursor,
        sessions: [{ field: 'ENDED_AT', direction: 'DESC' }, { field: 'USER_NUMBER' }],
        open: { client: 'ECATCHER' },
      },
    );
    const [[then], [, earlier]] = [next.ewons.nodes, next.ewons.nodes];
    expect(then.live.nodes.map(({ userName }: Json) => userName)).toEqual(['User17', 'User23']);
    expect(then.live.pageInfo.hasPreviousPage).toBe(true);
    expect(earlier.sessions.nodes.map(({ userName }: Json) => userName)).toEqual(['User4', 'User8']);
    expect(earlier.sessions.pageInfo.hasNextPage).toBe(true);
    expect(group.members).toMatchObject({ totalCount: 10, pageInfo: { hasNextPage: true } });
    expect(group.members.nodes.map(({ username }: Json) => username)).toEqual(['User9', 'User8', 'User7']);
  });
});

describe('visibility and custom fields', () => {
  let server: TestServer;
  let account: TestAccount;
  beforeAll(async () => {
    server = await startServer();
    account = await TestAccount.create(server);
  });
  afterAll(() => server?.close());

  const create = async (name: string, properties: object): Promise<string> =>
    (
      await account.admin.api.succeed(
        'mutation ($input: CreateEwonInput!) { createEwon(input: $input) { __typename ... on CreateEwonSuccess { ewon { id } } ... on Error { code message } } }',
        { input: { name, properties } },
      )
    ).ewon.id;

  it('LST-06 USR-02 EWN-02 no filter, order, count or cursor shows what the viewer may not see', async () => {
    const [seen, hidden] = [await account.pool('Seen'), await account.pool('Hidden')];
    const reader = await account.user('reader', [await account.group('Readers', [{ poolId: seen, modify: true }])]);
    // In a pool besides that its reader does not see; that it is in there is not told either.
    const shown = await create('Shown', { poolIds: [seen, hidden], customFields: ['m'] });
    const secrets = [
      await create('Secret 1', { poolIds: [hidden], customFields: ['a'] }),
      await create('Secret 2', { poolIds: [hidden], customFields: ['z'] }),
    ];
    const stranger = await TestAccount.create(server);
    const everything: object[] = [
      {},
      { ids: [shown, ...secrets] },
      { OR: [{ name: { contains: 'e' } }, { name: { contains: 'w' } }] },
      { NOT: { name: { equals: 'nothing' } } },
      { NOT: { ids: [] } },
      { OR: [{}, { poolId: hidden }] },
      { NOT: { poolId: hidden } },
    ];
    for (const filter of everything) {
      const page = await read(reader.api, 'ewons', { filter, orderBy: [{ field: 'CUSTOM_FIELD_1' }] });
      expect([ids(page), page.totalCount, page.pageInfo.hasNextPage], JSON.stringify(filter)).toEqual([
        [shown],
        1,
        false,
      ]);
      expect((await read(stranger.admin.api, 'ewons', { filter })).totalCount).toBe(0);
    }
    for (const filter of [{ poolId: hidden }, { search: 'Secret' }, { name: { equals: 'Secret 1' } }])
      expect((await read(reader.api, 'ewons', { filter })).totalCount).toBe(0);
    // A cursor of somebody else is a place, and no more.
    const orderBy = [{ field: 'CUSTOM_FIELD_1' }];
    const { endCursor: after } = (await read(account.admin.api, 'ewons', { orderBy, first: 1 })).pageInfo;
    expect(ids(await read(reader.api, 'ewons', { orderBy, after }))).toEqual([shown]);
    expect((await read(reader.api, 'ewons', { orderBy, after })).pageInfo.hasPreviousPage).toBe(false);

    const people = await read(reader.api, 'users', { filter: { NOT: { username: { equals: 'nobody' } } } }, 'username');
    expect([people.totalCount, people.nodes]).toEqual([1, [{ username: 'reader' }]]);
    const groups = await read(reader.api, 'groups', { filter: { NOT: { name: { equals: 'x' } } } }, 'name');
    expect([groups.totalCount, groups.nodes]).toEqual([1, [{ name: 'Readers' }]]);
    expect((await read(reader.api, 'messages', { filter: { NOT: { ids: [] } } })).totalCount).toBe(0);
    expect(
      (await reader.api.run('{ account { apiTokens(filter: { NOT: { ids: [] } }) { totalCount } } }')).account,
    ).toEqual({ apiTokens: null });
  });

  const RENAME =
    'mutation ($input: SetCustomFieldNamesInput!) { setCustomFieldNames(input: $input) { __typename ... on SetCustomFieldNamesSuccess { account { userFieldNames ewonFieldNames } } ... on Error { code path } } }';
  const rename = (who: Person, input: object) => who.api.mutate(RENAME, { input });
  const DEFAULT = ['Custom field 1', 'Custom field 2', 'Custom field 3'];

  it('CF-01 CF-02 CF-05 ACC-24 Administrators rename the six fields; values stay, and nothing else may', async () => {
    const id = await create('Labelled', { customFields: ['one', null, 'three'] });
    const labels = async () =>
      await account.admin.api.run(
        'query ($id: ID!) { ewon(by: { id: $id }) { customFields { label value } } viewer { user { customFields { label value } } } }',
        { id },
      );
    expect(await labels()).toEqual({
      ewon: { customFields: DEFAULT.map((label, index) => ({ label, value: ['one', null, 'three'][index] })) },
      viewer: { user: { customFields: DEFAULT.map((label) => ({ label, value: null })) } },
    });
    const ewons = ['Line', 'x'.repeat(40), 'Ölfarbe'];
    expect(await rename(account.admin, { ewons: [' Line ', ...ewons.slice(1)] })).toEqual({
      ...{ __typename: 'SetCustomFieldNamesSuccess', account: { userFieldNames: DEFAULT, ewonFieldNames: ewons } },
    });
    const users = ['Badge', 'Team', 'Site'];
    await rename(account.admin, { users, ewons: null });
    expect(await labels()).toEqual({
      ewon: { customFields: ewons.map((label, index) => ({ label, value: ['one', null, 'three'][index] })) },
      viewer: { user: { customFields: users.map((label) => ({ label, value: null })) } },
    });
    const entries = () => account.log({ codes: ['CUSTOM_FIELDS_RENAMED'] });
    expect((await entries()).map(({ userName, parameters }) => [userName, parameters])).toEqual([
      [
        'admin',
        [
          {
            name: 'change',
            value:
              'Custom field 1 of users is now Badge, Custom field 2 of users is now Team, Custom field 3 of users is now Site',
          },
        ],
      ],
      ['admin', [{ name: 'change', value: expect.stringContaining('Custom field 1 of Ewons is now Line') }]],
    ]);
    expect(await rename(account.admin, { users, ewons })).toMatchObject({ __typename: 'SetCustomFieldNamesSuccess' });
    expect(await entries(), 'the same again is no change').toHaveLength(2);

    const other = await TestAccount.create(server);
    expect((await other.admin.api.run('{ account { userFieldNames ewonFieldNames } }')).account).toEqual({
      ...{ userFieldNames: DEFAULT, ewonFieldNames: DEFAULT },
    });
    const reader = await account.user('namer', [await account.group('Namers')]);
    expect(await rename(reader, { users })).toMatchObject({ code: 'FORBIDDEN' });
    for (const wrong of [
      ['a', 'b'],
      ['a', 'b', 'c', 'd'],
      ['a', ' ', 'c'],
      ['a', 'b', 'x'.repeat(41)],
      ['a', 'b', 'A'],
      ['a', 'b', 'c\0'],
    ])
      for (const which of ['users', 'ewons'])
        expect(await rename(account.admin, { [which]: wrong }), JSON.stringify(wrong)).toMatchObject({
          code: 'VALIDATION_FAILED',
        });
    expect((await account.admin.api.run('{ account { userFieldNames } }')).account.userFieldNames).toEqual(users);
  });

  it('CF-02 two who rename at once do not undo each other', async () => {
    const both = await TestAccount.create(server);
    await Promise.all([
      both.admin.api.succeed(RENAME, { input: { users: ['1', '2', '3'] } }),
      both.admin.api.succeed(RENAME, { input: { ewons: ['4', '5', '6'] } }),
    ]);
    expect((await both.admin.api.run('{ account { userFieldNames ewonFieldNames } }')).account).toEqual({
      ...{ userFieldNames: ['1', '2', '3'], ewonFieldNames: ['4', '5', '6'] },
    });
  });

  it('CF-03 CF-05 CF-06 values are texts of up to 255 characters, set by whoever may edit the object', async () => {
    const pool = await account.pool('Editable');
    const [editor, guest] = [
      await account.user('editor', [await account.group('Editors', [{ poolId: pool, modify: true }])]),
      await account.user('guest', [await account.group('Guests', [{ poolId: pool, connectM2web: true }])]),
    ];
    const id = await create('Edited', { poolIds: [pool] });
    const set = (who: Person, values: (string | null)[]) =>
      who.api.mutate(
        'mutation ($id: ID!, $values: [String]) { updateEwon(input: { ewonId: $id, properties: { customFields: $values } }) { __typename ... on UpdateEwonSuccess { ewon { customFields { value } } } ... on Error { code } } }',
        { id, values },
      );
    expect(await set(editor, ['x'.repeat(255), null, ''])).toMatchObject({
      ewon: { customFields: [{ value: 'x'.repeat(255) }, { value: null }, { value: null }] },
    });
    expect(await set(guest, ['y'])).toMatchObject({ code: 'FORBIDDEN' });
    expect(await set(editor, ['x'.repeat(256)])).toMatchObject({ code: 'VALIDATION_FAILED' });
    const setOfUser = (who: Person, userId: string) =>
      who.api.mutate(
        'mutation ($userId: ID!) { updateUser(input: { userId: $userId, properties: { customFields: ["a", null, "c"] } }) { __typename ... on UpdateUserSuccess { user { customFields { value } } } ... on Error { code } } }',
        { userId },
      );
    expect(await setOfUser(account.admin, guest.id)).toMatchObject({
      user: { customFields: [{ value: 'a' }, { value: null }, { value: 'c' }] },
    });
    expect(await setOfUser(guest, guest.id)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('CF-07 GRK-20 a replacement keeps the values of the Ewon whose place it takes', async () => {
    const place = await account.ewon({ name: 'Place', customFields: ['p', 'q', 'r'] });
    const device = await account.device();
    await device.register({ registrationKey: await account.registrationKey() });
    const { ewons } = await account.admin.api.run(
      '{ ewons(filter: { registrationStatus: PENDING_APPROVAL }) { nodes { id } } }',
    );
    const replaced = await account.admin.api.succeed(
      'mutation ($input: ApproveEwonInput!) { approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { id customFields { value } } } ... on Error { code message } } }',
      { input: { ewonId: ewons.nodes[0].id, replace: place.id } },
    );
    expect(replaced.ewon).toEqual({ id: place.id, customFields: [{ value: 'p' }, { value: 'q' }, { value: 'r' }] });
  });
});

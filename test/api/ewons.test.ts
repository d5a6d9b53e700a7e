import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Json } from '../support/client.ts';
import { eachDatabase, type TestServer } from '../support/server.ts';
import {
  CLOSE_SESSION,
  logIn,
  openSession,
  type Person,
  startWorld,
  TestAccount,
  USER_PASSWORD,
} from '../support/world.ts';

let server: TestServer;
let account: TestAccount;
let other: TestAccount;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  other = await TestAccount.create(server);
});
afterAll(() => server?.close());

const ALL = { administer: true, modify: true, connectEcatcher: true, connectM2web: true };
const RESULT = '__typename ... on Error { code message path }';
const CREATE_EWON = `mutation ($input: CreateEwonInput!) {
  createEwon(input: $input) { ${RESULT} ... on CreateEwonSuccess { activationKey ewon { id name registrationStatus serialNumber pools { id } } } }
}`;
const UPDATE_EWON = `mutation ($ewonId: ID!, $properties: EwonPropertiesInput!) {
  updateEwon(input: { ewonId: $ewonId, properties: $properties }) {
    ${RESULT} ... on UpdateEwonSuccess { ewon { id name description customFields { value } pools { id } } }
  }
}`;
const REMOVE_EWON = `mutation ($ewonId: ID!, $confirm: Boolean!) {
  removeEwon(input: { ewonId: $ewonId, confirm: $confirm }) {
    ${RESULT} ... on RemoveEwonSuccess { ewonId } ... on ConfirmationRequiredError { sessions { id } }
  }
}`;

const create = async (name: string, properties: Record<string, unknown> = {}, owner = account): Promise<string> =>
  (await owner.admin.api.succeed(CREATE_EWON, { input: { name, properties } })).ewon.id;
const update = (person: Person, ewonId: string, properties: Record<string, unknown>): Promise<Json> =>
  person.api.mutate(UPDATE_EWON, { ewonId, properties });
const remove = (person: Person, ewonId: string, confirm = true): Promise<Json> =>
  person.api.mutate(REMOVE_EWON, { ewonId, confirm });
const see = async (person: Person, id: string, fields = 'id name status vpnAddress'): Promise<Json> =>
  (await person.api.run(`query ($id: ID!) { ewon(by: { id: $id }) { ${fields} } }`, { id })).ewon;

interface ListArgs {
  filter?: Record<string, unknown>;
  orderBy?: { field: string; direction?: 'ASC' | 'DESC' }[];
  first?: number;
  after?: string;
  last?: number;
  before?: string;
}
const list = async (person: Person, args: ListArgs = {}): Promise<Json> =>
  (
    await person.api.run(
      `query ($filter: EwonFilter, $orderBy: [EwonOrder!], $first: Int, $after: String, $last: Int, $before: String) {
        ewons(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
          totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { name serialNumber }
        }
      }`,
      { ...args },
    )
  ).ewons;
const names = (connection: Json): string[] => connection.nodes.map(({ name }: Json) => name);

describe('the list', () => {
  test('EWN-01 EWN-04 EWN-05 EWN-06 EWN-07 EWN-24 EWN-25 gives name, description, status, pools, connected users, custom fields and the facts of the device', async () => {
    const mine = await TestAccount.create(server);
    const pool = await mine.pool('Hall 1');
    const ewon = await mine.onlineEwon(
      { name: 'Press 1 & 2', description: 'Left of the door', customFields: ['red', null, 'blue'], poolIds: [pool] },
      { model: 'COSY_PLUS', firmwareVersion: '21.2s7', lanAddress: '10.0.0.53/24', wanType: 'WIFI' },
    );
    await create('Record without device', {}, mine);
    await openSession(mine.admin, ewon.id);
    const { ewons } = await mine.admin.api.run(
      `{ ewons { totalCount nodes {
        id reference name encodedName description status registrationStatus serialNumber model firmwareVersion vpnAddress wanType
        customFields { label value } pools { id name } lan { address subnet } connectedUsers { client } onlineSince lastSeenAt
      } } }`,
    );
    expect(ewons.totalCount).toBe(2);
    expect(ewons.nodes).toEqual([
      {
        id: ewon.id,
        reference: expect.stringMatching(/^DEV\d+$/),
        name: 'Press 1 & 2',
        encodedName: 'Press+1+%26+2',
        description: 'Left of the door',
        status: 'CONNECTED',
        registrationStatus: 'ACTIVE',
        serialNumber: ewon.device.serialNumber,
        model: 'COSY_PLUS',
        firmwareVersion: '21.2s7',
        vpnAddress: ewon.device.vpnAddress,
        wanType: 'WIFI',
        customFields: [
          { label: 'Custom field 1', value: 'red' },
          { label: 'Custom field 2', value: null },
          { label: 'Custom field 3', value: 'blue' },
        ],
        pools: [{ id: pool, name: 'Hall 1' }],
        lan: { address: '10.0.0.53/24', subnet: '10.0.0.0/24' },
        connectedUsers: [{ client: 'ECATCHER' }],
        onlineSince: expect.any(String),
        lastSeenAt: expect.any(String),
      },
      {
        id: expect.any(String),
        reference: expect.stringMatching(/^DEV\d+$/),
        name: 'Record without device',
        encodedName: 'Record+without+device',
        description: null,
        status: 'OFFLINE',
        registrationStatus: 'PENDING',
        serialNumber: null,
        model: null,
        firmwareVersion: null,
        vpnAddress: null,
        wanType: null,
        customFields: [1, 2, 3].map((number) => ({ label: `Custom field ${number}`, value: null })),
        pools: [{ id: await mine.defaultPool(), name: 'Default' }],
        lan: null,
        connectedUsers: [],
        onlineSince: null,
        lastSeenAt: null,
      },
    ]);
    expect(ewons.nodes[0].reference).not.toBe(ewons.nodes[1].reference);
    await ewon.device.disconnect();
  });

  test('EWN-02 LST-06 API-05 everybody sees the Ewons of the pools he holds a right on, and counts reveal nothing else', async () => {
    const mine = await TestAccount.create(server);
    const [a, b] = [await mine.pool('A'), await mine.pool('B')];
    const ids = {
      a: await create('In A', { poolIds: [a] }, mine),
      b: await create('In B', { poolIds: [b] }, mine),
      both: await create('In both', { poolIds: [a, b] }, mine),
      neither: await create('In neither', {}, mine),
    };
    for (const right of ['administer', 'modify', 'connectEcatcher', 'connectM2web']) {
      const user = await mine.user(`with-${right}`, [await mine.group(right, [{ poolId: a, [right]: true }])]);
      const seen = await list(user);
      expect([seen.totalCount, names(seen)]).toEqual([2, ['In A', 'In both']]);
      expect((await list(user, { filter: { search: 'in' } })).totalCount).toBe(2);
      // A pool that he does not see selects nothing, though one of his Ewons is in it.
      expect((await list(user, { filter: { poolId: b } })).totalCount).toBe(0);
      // Of the pools of an Ewon he sees his own.
      expect((await see(user, ids.both, 'pools { id }')).pools).toEqual([{ id: a }]);
    }
    const none = await mine.user('without', [await mine.group('Nothing', [])]);
    expect((await list(none)).totalCount).toBe(0);
    expect((await list(mine.admin)).totalCount).toBe(4);

    const user = await mine.user('asks', [await mine.group('Asks', [{ poolId: a, modify: true }])]);
    for (const [by, visible] of [
      [{ id: ids.a }, true],
      [{ name: 'in BOTH' }, true],
      [{ id: ids.b }, false],
      [{ name: 'In B' }, false],
      [{ id: ids.neither }, false],
      [{ id: await create('Foreign', {}, other) }, false],
      [{ id: a }, false],
      [{ id: 'malformed' }, false],
      [{ serialNumber: '2307-0000-00' }, false],
    ] as const) {
      const { ewon } = await user.api.run('query ($by: EwonBy!) { ewon(by: $by) { id } }', { by });
      expect([by, ewon !== null]).toEqual([by, visible]);
    }
    const { nodes } = await user.api.run('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
      ids: [ids.a, ids.b, 'malformed', ids.both],
    });
    expect(nodes).toEqual([{ id: ids.a }, null, null, { id: ids.both }]);
    // Rights are the union over groups, and pools (GRP-16).
    const union = await mine.user('union', [
      await mine.group('A only', [{ poolId: a, modify: true }]),
      await mine.group('B only', [{ poolId: b, connectM2web: true }]),
    ]);
    expect(names(await list(union))).toEqual(['In A', 'In B', 'In both']);
  });

  test('EWN-02 EWN-13 on a plan without groups everybody sees all Ewons of the account, and role USER changes none', async () => {
    const light = await TestAccount.create(server, 'LIGHT');
    const user = await light.user('plain', []);
    const id = await create('Only', {}, light);
    expect(names(await list(user))).toEqual(['Only']);
    expect(await update(user, id, { description: 'mine' })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await remove(user, id)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await user.api.mutate(CREATE_EWON, { input: { name: 'New' } })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await see(light.admin, id, 'description')).toEqual({ description: null });
  });
});

eachDatabase('the list', (database) => {
  let world: { server: TestServer; account: TestAccount };
  let admin: Person;
  let hall: string;
  beforeAll(async () => {
    world = await startWorld({ database });
    admin = world.account.admin;
    hall = await world.account.pool('Hall');
    const made: [string, Record<string, unknown>][] = [
      ['delta', { description: 'Duplicate', customFields: ['North 7'] }],
      ['Alpha', { description: 'first' }],
      ['charlie', { description: '100% north', poolIds: [hall] }],
      ['Bravo', { customFields: [null, null, 'northern'] }],
      ['e_cho', { customFields: ['a%b'] }],
    ];
    for (const [name, properties] of made) {
      world.server.clock.advance(1000);
      await create(name, properties, world.account);
    }
    for (const serialNumber of ['2307-0002-00', '2307-0001-00']) {
      world.server.clock.advance(1000);
      await world.account.ewon({ name: `Z${serialNumber}` }, { serialNumber });
    }
  });
  afterAll(() => world?.server.close());

  const BY_NAME = ['Alpha', 'Bravo', 'charlie', 'delta', 'e_cho', 'Z2307-0001-00', 'Z2307-0002-00'];

  test('EWN-01 EWN-03 is ordered by name without regard to case, or as asked, with null last', async () => {
    expect(names(await list(admin))).toEqual(BY_NAME);
    expect(names(await list(admin, { orderBy: [{ field: 'NAME', direction: 'DESC' }] }))).toEqual(BY_NAME.toReversed());
    expect(names(await list(admin, { orderBy: [{ field: 'CREATED_AT' }] })).slice(0, 3)).toEqual([
      'delta',
      'Alpha',
      'charlie',
    ]);
    for (const direction of ['ASC', 'DESC'] as const) {
      const orderBy = [{ field: 'SERIAL_NUMBER', direction }, { field: 'NAME' }];
      const serials = direction === 'ASC' ? BY_NAME.slice(-2) : BY_NAME.slice(-2).toReversed();
      expect(names(await list(admin, { orderBy }))).toEqual([...serials, ...BY_NAME.slice(0, -2)]);
    }
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    ['a part of the name', { search: 'LPH' }, ['Alpha']],
    ['a part of the description or of any custom field', { search: 'north' }, ['Bravo', 'charlie', 'delta']],
    ['a part of the serial number', { search: '-0001-' }, ['Z2307-0001-00']],
    ['a percent sign as it is', { search: '%' }, ['charlie', 'e_cho']],
    ['an underscore as it is', { search: '_' }, ['e_cho']],
    ['a backslash as it is', { search: '\\' }, []],
    ['nothing', { search: '' }, BY_NAME],
    ['the status', { registrationStatus: 'ACTIVE' }, BY_NAME.slice(-2)],
    ['offline', { online: false }, BY_NAME],
    ['online', { online: true }, []],
    ['several conditions together', { search: 'north', registrationStatus: 'PENDING', ids: [] }, []],
    ['an id that is none', { ids: ['malformed'] }, []],
    ['a pool that is none', { poolId: 'malformed' }, []],
  ])('EWN-01 POOL-11 is filtered by %s', async (_, filter, expected) => {
    const found = await list(admin, { filter });
    expect([names(found), found.totalCount]).toEqual([expected, expected.length]);
  });

  test('EWN-01 POOL-11 is filtered by pool', async () => {
    expect(names(await list(admin, { filter: { poolId: hall } }))).toEqual(['charlie']);
  });

  test('EWN-01 comes in pages, forwards and backwards, stable while Ewons are added', async () => {
    const pages: string[][] = [];
    let after: string | undefined;
    for (let more = true; more; ) {
      const page = await list(admin, { first: 3, ...(after && { after }) });
      expect(page.totalCount).toBeGreaterThanOrEqual(7);
      pages.push(names(page));
      more = page.pageInfo.hasNextPage;
      after = page.pageInfo.endCursor;
      if (pages.length === 1) await create('Aardvark', {}, world.account);
    }
    expect(pages).toEqual([BY_NAME.slice(0, 3), BY_NAME.slice(3, 6), BY_NAME.slice(6)]);
    const end = await list(admin, { last: 2 });
    expect([names(end), end.pageInfo.hasPreviousPage]).toEqual([BY_NAME.slice(-2), true]);
    expect(names(await list(admin, { last: 2, before: end.pageInfo.startCursor }))).toEqual(BY_NAME.slice(-4, -2));
    const { ewonId } = await remove(
      admin,
      (await world.account.admin.api.run('{ ewon(by: { name: "aardvark" }) { id } }')).ewon.id,
    );
    expect(ewonId).toEqual(expect.any(String));
  });

  test('EWN-01 a page of 0, of 501, or from a cursor that is none is refused by name', async () => {
    for (const args of ['first: 0', 'first: 501', 'last: 501', 'first: -1']) {
      const { errors } = await admin.api.send(`{ ewons(${args}) { nodes { id } } }`);
      expect([args, errors?.map(({ extensions }) => extensions.code)]).toEqual([args, ['VALIDATION_FAILED']]);
    }
    for (const cursor of [
      'garbage',
      Buffer.from('GPC:S:foo').toString('base64'),
      Buffer.from('GPC:N:1').toString('base64'),
    ]) {
      const { errors } = await admin.api.send('query ($after: String) { ewons(after: $after) { nodes { id } } }', {
        after: cursor,
      });
      expect([cursor, errors?.map(({ extensions }) => extensions.code)]).toEqual([cursor, ['CURSOR_INVALID']]);
    }
  });
});

describe('names and properties', () => {
  test('EWN-03 a name is required, unique in the account without regard to case, 1 to 64 characters', async () => {
    const name = 'Ünique 1';
    const id = await create(name);
    const made = (wanted: string) => account.admin.api.mutate(CREATE_EWON, { input: { name: wanted } });
    for (const taken of ['ünique 1', 'ÜNIQUE 1', ' Ünique 1 ', 'U\u0308nique 1'])
      expect(await made(taken)).toMatchObject({ code: 'EWON_NAME_IN_USE', path: ['name'] });
    for (const wrong of ['', '   ', 'x'.repeat(65)])
      expect(await made(wrong)).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await made('x'.repeat(64))).toMatchObject({ __typename: 'CreateEwonSuccess' });
    await create(name, {}, other);

    const rival = await create('Rival');
    expect(await update(account.admin, rival, { name: 'üNIQUE 1' })).toMatchObject({ code: 'EWON_NAME_IN_USE' });
    // Its own name in another case is its own.
    expect(await update(account.admin, id, { name: 'ÜNIQUE 1' })).toMatchObject({ ewon: { name: 'ÜNIQUE 1' } });
    await remove(account.admin, id);
    expect(await made(name)).toMatchObject({ __typename: 'CreateEwonSuccess' });
  });

  test('EWN-05 EWN-06 EWN-11 absent keeps, null clears, and what must be there cannot be cleared', async () => {
    const pool = await account.pool('Keeps');
    const first = { name: 'Kept', description: 'text', customFields: ['1', '2', '3'], poolIds: [pool, pool] };
    const id = await create('Keeper', first);
    const state = (fields: object) => ({
      ewon: {
        id,
        name: 'Keeper',
        description: 'text',
        customFields: [{ value: '1' }, { value: '2' }, { value: '3' }],
        pools: [{ id: pool }],
        ...fields,
      },
    });
    expect(await update(account.admin, id, {})).toMatchObject(state({}));
    const cleared = [1, 2, 3].map(() => ({ value: null }));
    expect(await update(account.admin, id, { customFields: null })).toMatchObject(state({ customFields: cleared }));
    expect(await update(account.admin, id, { customFields: ['x'.repeat(255)], description: null })).toMatchObject(
      state({ description: null, customFields: [{ value: 'x'.repeat(255) }, { value: null }, { value: null }] }),
    );
    for (const [properties, refusal] of [
      [{ name: null }, { code: 'VALIDATION_FAILED', path: ['properties', 'name'] }],
      [{ poolIds: null }, { code: 'EWON_NEEDS_A_POOL' }],
      [{ poolIds: [] }, { code: 'EWON_NEEDS_A_POOL' }],
      [{ description: 'x'.repeat(501) }, { code: 'VALIDATION_FAILED', path: ['properties', 'description'] }],
      [{ customFields: ['x'.repeat(256)] }, { code: 'VALIDATION_FAILED' }],
    ] as const)
      expect(await update(account.admin, id, properties)).toMatchObject(refusal);
    expect(await account.log({ codes: ['EWON_CHANGED'], ewonIds: [id] })).toMatchObject([
      { userName: 'admin', text: 'Ewon Keeper changed: description, customFields' },
      { text: 'Ewon Keeper changed: customFields' },
      {},
    ]);
  });

  test('EWN-03 EWN-11 text that no database holds is refused by name', async () => {
    const id = await create('Storable');
    for (const text of ['a\u0000b', 'a\ud800b'])
      for (const properties of [{ name: text }, { description: text }, { customFields: [text] }])
        expect(await update(account.admin, id, properties)).toMatchObject({ code: 'VALIDATION_FAILED' });
    const { errors } = await account.admin.api.send('{ ewons(filter: { search: "\\u0000" }) { totalCount } }');
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['VALIDATION_FAILED']);
  });

  test('EWN-12 EWN-13 modify or administer right on one of its pools edits; connect rights do not; elsewhere it does not exist', async () => {
    const [a, b] = [await account.pool('Edit A'), await account.pool('Edit B')];
    const id = await create('Edited', { poolIds: [a, b] });
    const groupWith = (name: string, poolId: string, rights: object) => account.group(name, [{ poolId, ...rights }]);
    const may = [
      await account.user('edit-modify', [await groupWith('Edit modify', a, { modify: true })]),
      await account.user('edit-administer', [await groupWith('Edit administer', b, { administer: true })]),
      account.admin,
    ];
    const mayNot = await account.user('edit-connect', [
      await groupWith('Edit connect', a, { connectEcatcher: true, connectM2web: true }),
    ]);
    const blind = await account.user('edit-blind', [await groupWith('Edit blind', await account.pool('Edit C'), ALL)]);
    for (const [index, person] of may.entries()) {
      expect(await update(person, id, { description: `by ${index}` })).toMatchObject({
        ewon: { description: `by ${index}` },
      });
      // Again is no error.
      expect(await update(person, id, { description: `by ${index}` })).toMatchObject({ ewon: { id } });
    }
    expect(await update(mayNot, id, { description: 'no' })).toMatchObject({ code: 'FORBIDDEN' });
    for (const person of [blind, other.admin])
      expect(await update(person, id, { description: 'no' })).toMatchObject({ code: 'NOT_FOUND' });
    for (const ewonId of ['malformed', a])
      expect(await update(account.admin, ewonId, {})).toMatchObject({ code: 'NOT_FOUND' });
    expect(await see(account.admin, id, 'description')).toEqual({ description: 'by 2' });
  });

  test('EWN-20 POOL-03 changing pools needs administer right on every pool added or removed; one pool must stay', async () => {
    const [a, b, c] = [await account.pool('Pools A'), await account.pool('Pools B'), await account.pool('Pools C')];
    const id = await create('Mover', { poolIds: [a, c] });
    const person = await account.user('pools', [
      await account.group('Pools', [
        { poolId: a, administer: true },
        { poolId: b, administer: true },
        { poolId: c, modify: true },
      ]),
    ]);
    const pools = async () =>
      (await see(account.admin, id, 'pools { name }')).pools.map(({ name }: Json) => name).sort();
    // Adding and removing where he administers, while C stays.
    expect(await update(person, id, { poolIds: [b, c] })).toMatchObject({ ewon: { id } });
    expect(await pools()).toEqual(['Pools B', 'Pools C']);
    // Removing from C needs more than modify; so does adding to it.
    expect(await update(person, id, { poolIds: [b], description: 'moved' })).toMatchObject({ code: 'FORBIDDEN' });
    const inA = await create('Mover 2', { poolIds: [a] });
    expect(await update(person, inA, { poolIds: [a, c] })).toMatchObject({ code: 'FORBIDDEN' });
    // A pool that he does not see does not exist.
    expect(await update(person, inA, { poolIds: [a, await account.defaultPool()] })).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await update(account.admin, inA, { poolIds: [await other.defaultPool()] })).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await update(person, id, { poolIds: [] })).toMatchObject({ code: 'EWON_NEEDS_A_POOL' });
    expect(await pools()).toEqual(['Pools B', 'Pools C']);
    expect(await see(account.admin, id, 'description')).toEqual({ description: null });
    expect(await update(account.admin, id, { poolIds: [a, b, c] })).toMatchObject({ ewon: { id } });
    expect(await pools()).toEqual(['Pools A', 'Pools B', 'Pools C']);
  });

  test('EWN-12 EWN-14 EWN-07 a record is made by whoever administers its pools; without pools it goes to the default pool', async () => {
    const [a, b] = [await account.pool('Make A'), await account.pool('Make B')];
    const maker = await account.user('maker', [
      await account.group('Makers', [
        { poolId: a, administer: true },
        { poolId: b, modify: true },
      ]),
    ]);
    const made = (person: Person, name: string, poolIds?: string[]) =>
      person.api.mutate(CREATE_EWON, { input: { name, ...(poolIds && { properties: { poolIds } }) } });
    expect(await made(maker, 'Made', [a])).toMatchObject({
      ewon: { name: 'Made', registrationStatus: 'PENDING', serialNumber: null, pools: [{ id: a }] },
    });
    expect(await made(maker, 'Made too', [a, b])).toMatchObject({ code: 'FORBIDDEN' });
    expect(await made(maker, 'Made three', [await account.defaultPool()])).toMatchObject({ code: 'NOT_FOUND' });
    expect(await made(maker, 'Made four', [await other.defaultPool()])).toMatchObject({ code: 'NOT_FOUND' });
    expect((await made(maker, 'Made five')).code).toMatch(/NOT_FOUND|FORBIDDEN/);
    expect(await made(account.admin, 'Made six', [])).toMatchObject({ code: 'EWON_NEEDS_A_POOL' });
    expect(await made(account.admin, 'Made seven')).toMatchObject({
      ewon: { pools: [{ id: await account.defaultPool() }] },
    });
    expect(await account.log({ codes: ['EWON_CREATED'] }, 1)).toMatchObject([
      { ewonName: 'Made seven', userName: 'admin', trigger: 'USER' },
    ]);
  });
});

describe('status and connected users', () => {
  test('EWN-09 EWN-10 is offline, online, connected, online and offline again; only while online it can be connected to', async () => {
    const { id, device } = await account.ewon({ name: 'Comes and goes' });
    const status = async () => (await see(account.admin, id)).status;
    expect(await status()).toBe('OFFLINE');
    expect(await openSession(account.admin, id)).toMatchObject({ code: 'EWON_OFFLINE' });
    await device.connect();
    expect(await status()).toBe('ONLINE');
    const { session } = await openSession(account.admin, id);
    expect(await status()).toBe('CONNECTED');
    await account.admin.api.succeed(CLOSE_SESSION, { sessionId: session.id });
    expect(await status()).toBe('ONLINE');
    expect(names(await list(account.admin, { filter: { online: true, ids: [id] } }))).toEqual(['Comes and goes']);
    await device.disconnect();
    await eventually('offline', status, (now) => now === 'OFFLINE');
    expect(await openSession(account.admin, id)).toMatchObject({ code: 'EWON_OFFLINE' });
    const { ewon } = await account.admin.api.succeed(CREATE_EWON, { input: { name: 'Never came' } });
    expect(await openSession(account.admin, ewon.id)).toMatchObject({ code: 'EWON_NOT_APPROVED' });
  });

  test('EWN-21 USR-13 USR-14 shows who is connected, longest first: names that are public, and one’s own', async () => {
    const mine = await TestAccount.create(server);
    const poolId = await mine.defaultPool();
    const group = await mine.group('Connects', [{ poolId, connectEcatcher: true, connectM2web: true }]);
    const open = await mine.user('open', [group], { fullName: 'Olga Open', nameIsPublic: true });
    const shy = await mine.user('shy', [group]);
    const watcher = await mine.user('watcher', [group]);
    const ewon = await mine.onlineEwon({ name: 'Watched' });
    await openSession(shy, ewon.id);
    server.clock.advance(1000);
    await openSession(open, ewon.id);
    server.clock.advance(1000);
    const web = await logIn(server, mine.name, 'open', USER_PASSWORD, 'M2WEB');
    await openSession(web, ewon.id, { client: 'M2WEB' });

    const connected = async (person: Person) =>
      (await see(person, ewon.id, 'connectedUsers { name client since }')).connectedUsers;
    const shown = (shyName: string | null) => [
      { name: shyName, client: 'ECATCHER', since: expect.any(String) },
      { name: 'Olga Open[open]', client: 'ECATCHER', since: expect.any(String) },
      { name: 'Olga Open[open]', client: 'M2WEB', since: expect.any(String) },
    ];
    for (const person of [open, watcher, mine.admin]) expect(await connected(person)).toEqual(shown(null));
    expect(await connected(shy)).toEqual(shown('shy'));
    expect(await see(other.admin, ewon.id)).toBeNull();
    await ewon.device.disconnect();
    await eventually(
      'nobody',
      () => connected(shy),
      (users) => users.length === 0,
    );
  });

  test('EWN-22 the log of an Ewon, or of several, is read by who manages it', async () => {
    const mine = await TestAccount.create(server);
    const pool = await mine.pool('Logged');
    const modifier = await mine.user('modifier', [await mine.group('Modifiers', [{ poolId: pool, modify: true }])]);
    const connects = await mine.user('connects', [
      await mine.group('Connects', [{ poolId: pool, connectEcatcher: true }]),
    ]);
    const first = await create('Logged 1', { poolIds: [pool] }, mine);
    const second = await create('Logged 2', {}, mine);
    await update(mine.admin, first, { description: 'changed' });
    const log = async (person: Person, ewonIds: string[]) =>
      (
        await person.api.run(
          'query ($ids: [ID!]) { logEntries(filter: { ewonIds: $ids }) { nodes { code ewonName ewonReference } } }',
          { ids: ewonIds },
        )
      ).logEntries.nodes;
    const { reference } = await see(mine.admin, first, 'reference');
    const ofFirst = ['EWON_CHANGED', 'EWON_CREATED'].map((code) => ({
      code,
      ewonName: 'Logged 1',
      ewonReference: reference,
    }));
    expect(await log(mine.admin, [first])).toEqual(ofFirst);
    expect(await log(modifier, [first, second])).toEqual(ofFirst);
    expect(await log(mine.admin, [first, second])).toHaveLength(3);
    expect(await log(connects, [first, second])).toEqual([]);
    expect(await log(other.admin, [first])).toEqual([]);
  });
});

describe('removal', () => {
  test('EWN-19 VPN-09 GW-12 needs confirmation; then sessions close, and serial number, name and address are free', async () => {
    const mine = await TestAccount.create(server);
    const { id, device } = await mine.onlineEwon({ name: 'Doomed' });
    const { session } = await openSession(mine.admin, id);
    const { reference, vpnAddress } = await see(mine.admin, id, 'reference vpnAddress');

    expect(await remove(mine.admin, id, false)).toMatchObject({
      __typename: 'ConfirmationRequiredError',
      code: 'CONFIRMATION_REQUIRED',
      sessions: [{ id: session.id }],
    });
    expect(await see(mine.admin, id)).toMatchObject({ status: 'CONNECTED' });

    expect(await remove(mine.admin, id)).toEqual({ __typename: 'RemoveEwonSuccess', ewonId: id });
    await device.waitFor('closed', 1000);
    expect(device.lastClose).toMatchObject({ reason: 'CERTIFICATE_REVOKED' });
    await expect(device.connect()).rejects.toMatchObject({ code: 'CERTIFICATE_REVOKED' });
    expect(await see(mine.admin, id)).toBeNull();
    const { node } = await mine.admin.api.run(
      'query ($id: ID!) { node(id: $id) { ... on Session { state closeReason } } account { slots { inUse } } }',
      { id: session.id },
    );
    expect(node).toMatchObject({ state: 'CLOSED' });
    expect((await mine.admin.api.run('{ account { slots { inUse } } }')).account.slots.inUse).toBe(0);
    expect((await mine.log({}, 4)).map(({ code, ewonReference }) => [code, ewonReference])).toEqual([
      ['EWON_REMOVED', reference],
      ['EWON_OFFLINE', reference],
      ['SESSION_CLOSED', reference],
      ['SESSION_STARTED', reference],
    ]);
    expect(await remove(mine.admin, id)).toMatchObject({ code: 'NOT_FOUND' });

    // The device is unregistered: it may join any account, the name is free, and the address is given out again.
    await device.reset();
    await device.register({ registrationKey: await other.registrationKey() });
    expect(await other.ewonId(device)).not.toBe(id);
    await create('Doomed', {}, mine);
    const next = await mine.onlineEwon({ name: 'Heir' });
    expect(next.device.vpnAddress).toBe(vpnAddress);
    await next.device.disconnect();
  });

  test('EWN-12 EWN-19 is for who administers all of its pools; others are refused, and elsewhere it does not exist', async () => {
    const [a, b] = [await account.pool('Remove A'), await account.pool('Remove B')];
    const owner = await account.user('remover', [
      await account.group('Removers', [
        { poolId: a, administer: true },
        { poolId: b, modify: true },
      ]),
    ]);
    const half = await create('Half his', { poolIds: [a, b] });
    expect(await remove(owner, half)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await see(owner, half, 'viewerCan')).toEqual({ viewerCan: ['MODIFY', 'ADMINISTER'] });
    for (const person of [other.admin]) expect(await remove(person, half)).toMatchObject({ code: 'NOT_FOUND' });
    const whole = await create('All his', { poolIds: [a] });
    expect(await see(owner, whole, 'viewerCan')).toEqual({ viewerCan: ['MODIFY', 'ADMINISTER', 'REMOVE'] });
    expect(await remove(owner, whole, false)).toMatchObject({ code: 'CONFIRMATION_REQUIRED', sessions: [] });
    const results: Json[] = await Promise.all([
      remove(owner, whole),
      remove(owner, whole),
      remove(account.admin, whole),
    ]);
    expect(results.map(({ code }) => code ?? 'removed').sort()).toEqual(['NOT_FOUND', 'NOT_FOUND', 'removed']);
  });
});

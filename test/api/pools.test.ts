import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeGlobalId, encodeGlobalId } from '../../src/graphql/global-id.ts';
import type { Json } from '../support/client.ts';
import { onPostgres, type TestServer } from '../support/server.ts';
import { openSession, type Person, startWorld, TestAccount } from '../support/world.ts';

const capital = (verb: string) => `${verb[0]?.toUpperCase()}${verb.slice(1)}`;
/** `{verb}` with its input, answering with the pool and with every error. */
const mutation = (verb: string, input = `${capital(verb)}Input`, selection = 'pool { id name isDefault viewerCan }') =>
  `mutation ($input: ${input}!) { ${verb}(input: $input) { __typename
    ... on ${capital(verb)}Success { ${selection} }
    ... on Error { code message path } ... on ValidationError { inputViolations { path } } } }`;
const VERBS = {
  createPool: mutation('createPool'),
  updatePool: mutation('updatePool'),
  deletePool: mutation('deletePool', undefined, 'deletedPoolId'),
  addEwonsToPool: mutation('addEwonsToPool', 'PoolEwonsInput'),
  removeEwonsFromPool: mutation('removeEwonsFromPool', 'PoolEwonsInput'),
  createEwon: mutation('createEwon', undefined, 'ewon { id }'),
  updateEwon: mutation('updateEwon', undefined, 'ewon { id }'),
  setAutoRegistration: mutation('setAutoRegistration', undefined, 'account { autoRegistration { pool { name } } }'),
};
type Verb = keyof typeof VERBS;
const act = (who: Person, verb: Verb, input: object): Promise<Json> => who.api.mutate(VERBS[verb], { input });
const code = async (who: Person, verb: Verb, input: object): Promise<string> =>
  (await act(who, verb, input)).code ?? 'done';
const names = (list: Json[]): string[] => list.map(({ name }) => name);
const ALL = { administer: true, connectEcatcher: true, connectM2web: true };

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
let admin: Person;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  other = await TestAccount.create(server);
  admin = account.admin;
});
afterAll(() => server.close());

const ewonIn = async (name: string, ...poolIds: string[]): Promise<string> =>
  (await act(admin, 'createEwon', { name, properties: { poolIds } })).ewon.id;
const poolsOf = async (ewonId: string): Promise<string[]> =>
  names(
    (await admin.api.run('query ($id: ID!) { ewon(by: { id: $id }) { pools { name } } }', { id: ewonId })).ewon.pools,
  ).sort();
const ewonsIn = async (who: Person, poolId: string): Promise<string[]> =>
  names(
    (await who.api.run('query ($poolId: ID!) { ewons(filter: { poolId: $poolId }) { nodes { name } } }', { poolId }))
      .ewons.nodes,
  );

describe('a pool', () => {
  it('POOL-01 POOL-02 POOL-03 POOL-06 is made and filled with chosen Ewons, which stay in their other pools', async () => {
    const hall = await account.pool('Hall');
    const [one, two, three] = [await ewonIn('One', hall), await ewonIn('Two', hall), await ewonIn('Three', hall)];
    const trouble = (await act(admin, 'createPool', { name: ' Trouble ', ewonIds: [one, two, one] })).pool;
    expect(trouble).toMatchObject({ name: 'Trouble', isDefault: false });
    expect(await ewonsIn(admin, trouble.id)).toEqual(['One', 'Two'].sort());
    expect(await poolsOf(one)).toEqual(['Hall', 'Trouble']);
    expect(await poolsOf(three)).toEqual(['Hall']);

    // Later on, and as often as one likes.
    const change = (verb: Verb, ...ewonIds: string[]) => code(admin, verb, { poolId: trouble.id, ewonIds });
    for (let time = 0; time < 2; time++) expect(await change('addEwonsToPool', two, three)).toBe('done');
    expect(await ewonsIn(admin, trouble.id)).toEqual(['One', 'Three', 'Two']);
    for (let time = 0; time < 2; time++) expect(await change('removeEwonsFromPool', one, three)).toBe('done');
    expect(await ewonsIn(admin, trouble.id)).toEqual(['Two']);
    expect(await ewonsIn(admin, hall)).toEqual(['One', 'Three', 'Two']);
    const texts = (await account.log()).map(({ text }) => text);
    expect(texts).toEqual(expect.arrayContaining(['Pool Trouble created', 'Pool Trouble changed: 2 Ewons removed']));
    expect(
      texts.filter((text) => text === 'Pool Trouble changed: 1 Ewons added'),
      'what changes nothing is not told',
    ).toHaveLength(1);
    expect(texts.filter((text) => text === 'Ewon Three changed: poolIds')).toHaveLength(2);

    // The last pool of an Ewon stays its own, and with it all that was asked for.
    expect(await act(admin, 'removeEwonsFromPool', { poolId: hall, ewonIds: [two, three] })).toMatchObject({
      ...{ code: 'EWON_NEEDS_A_POOL', path: ['ewonIds'], message: expect.stringContaining('Three') },
    });
    expect(await ewonsIn(admin, hall)).toEqual(['One', 'Three', 'Two']);
    for (const [verb, input] of [
      ['addEwonsToPool', { poolId: hall, ewonIds: [] }],
      ['removeEwonsFromPool', { poolId: hall, ewonIds: Array(501).fill(one) }],
    ] as const)
      expect((await act(admin, verb, input)).inputViolations).toEqual([{ path: ['ewonIds'] }]);
    expect((await act(admin, 'createPool', { name: '', ewonIds: Array(501).fill(one) })).inputViolations).toEqual([
      { path: ['name'] },
      { path: ['ewonIds'] },
    ]);
  });

  it('POOL-07 names are unique in the account without regard to case; renaming keeps what it holds; the default pool stays', async () => {
    const [red, blue] = [await account.pool('Red'), await account.pool('Blue')];
    const rename = (poolId: string, name: string | null) => act(admin, 'updatePool', { poolId, name });
    expect(await act(admin, 'createPool', { name: 'rEd' })).toMatchObject({ code: 'POOL_NAME_IN_USE', path: ['name'] });
    expect(await rename(blue, ' RED ')).toMatchObject({ code: 'POOL_NAME_IN_USE', path: ['name'] });
    for (const name of ['', '  ', 'x'.repeat(65)])
      expect((await rename(blue, name)).inputViolations, name).toEqual([{ path: ['name'] }]);
    expect(await rename(blue, null)).toMatchObject({ code: 'VALIDATION_FAILED', path: ['name'] });
    for (let time = 0; time < 2; time++) expect((await rename(red, 'RED')).pool).toMatchObject({ name: 'RED' });
    expect(await code(admin, 'updatePool', { poolId: red })).toBe('done');
    expect((await account.log()).filter(({ text }) => text === 'Pool RED changed: renamed from Red')).toHaveLength(1);
    expect(await code(other.admin, 'createPool', { name: 'Red' }), 'another account').toBe('done');

    const poolId = await account.defaultPool();
    expect((await rename(poolId, 'Main')).pool).toMatchObject({
      ...{ name: 'Main', isDefault: true },
      viewerCan: ['CONNECT_ECATCHER', 'CONNECT_M2WEB', 'MODIFY', 'ADMINISTER', 'RENAME'],
    });
    expect(await code(admin, 'deletePool', { poolId })).toBe('POOL_IN_USE');
    await rename(poolId, 'Default');
  });

  it('POOL-08 POOL-09 API-05 who has no right on it does not see it, and what one holds decides what one may do with it', async () => {
    const pool = await account.pool('Ruled');
    const aside = await account.pool('Aside');
    const [inside, outside] = [await ewonIn('Inside', pool, aside), await ewonIn('Outside', aside)];
    const holder = async (name: string, rights: object, role = {}) =>
      account.user(name, [await account.group(name, [{ poolId: pool, ...rights }], role)]);
    const [connects, modifies, administers, stranger] = [
      await holder('connects', { connectM2web: true }),
      await holder('modifies', { modify: true }),
      await holder('administers', { administer: true }),
      await account.user('stranger', [await account.group('strangers', [], { mayCreatePools: true })]),
    ];
    const POOL =
      'query ($id: ID!, $name: String!) { byId: pool(by: { id: $id }) { viewerCan } byName: pool(by: { name: $name }) { name } node(id: $id) { id } }';
    const see = (who: Person) => who.api.run(POOL, { id: pool, name: 'RULED' });
    const unseen = { byId: null, byName: null, node: null };
    const seen = (...viewerCan: string[]) => ({ byId: { viewerCan }, byName: { name: 'Ruled' }, node: { id: pool } });
    expect(await see(admin)).toEqual(
      seen('CONNECT_ECATCHER', 'CONNECT_M2WEB', 'MODIFY', 'ADMINISTER', 'RENAME', 'DELETE'),
    );
    expect(await see(administers)).toEqual(seen('MODIFY', 'ADMINISTER', 'RENAME', 'DELETE'));
    expect(await see(modifies)).toEqual(seen('MODIFY'));
    expect(await see(connects)).toEqual(seen('CONNECT_M2WEB'));
    expect(await see(stranger)).toEqual(unseen);
    expect(await see(other.admin)).toEqual(unseen);

    for (const [verb, input] of [
      ['updatePool', { poolId: pool, name: 'Ruled' }],
      ['addEwonsToPool', { poolId: pool, ewonIds: [inside] }],
      ['removeEwonsFromPool', { poolId: pool, ewonIds: [inside] }],
      ['deletePool', { poolId: pool }],
    ] as const) {
      for (const who of [connects, modifies])
        expect(await code(who, verb, input), `${verb} ${who.username}`).toBe('FORBIDDEN');
      for (const who of [stranger, other.admin]) expect(await code(who, verb, input), verb).toBe('NOT_FOUND');
      const unknown = encodeGlobalId('Pool', '0197f3a0-0000-7000-8000-000000000000');
      for (const poolId of [unknown, inside, 'malformed'])
        expect(await code(admin, verb, { ...input, poolId })).toBe('NOT_FOUND');
    }
    const ewonIds = [outside];
    expect(await code(administers, 'addEwonsToPool', { poolId: pool, ewonIds }), 'an Ewon that he does not see').toBe(
      'NOT_FOUND',
    );
    expect(await code(admin, 'addEwonsToPool', { poolId: pool, ewonIds: [pool] }), 'no Ewon').toBe('NOT_FOUND');
    expect(await code(stranger, 'createPool', { name: 'With unseen', ewonIds })).toBe('NOT_FOUND');
    expect(await code(administers, 'createPool', { name: 'Not his to make' })).toBe('FORBIDDEN');
    expect(await code(administers, 'removeEwonsFromPool', { poolId: pool, ewonIds: [inside] })).toBe('done');
    expect(await code(administers, 'updatePool', { poolId: pool, name: 'Ruled over' })).toBe('done');
    const made = await act(stranger, 'createPool', { name: 'Of the strangers' });
    expect(made.pool.viewerCan, 'the group of its creator administers it').toEqual([
      'MODIFY',
      'ADMINISTER',
      'RENAME',
      'DELETE',
    ]);
    expect(await code(stranger, 'deletePool', { poolId: made.pool.id })).toBe('done');
  });

  it('GRP-13 GRP-18 an Ewon is put into further pools only by who administers it already: the rights on them come with it', async () => {
    const [weak, strong] = [await account.pool('Weak'), await account.pool('Strong')];
    const ewon = await ewonIn('Coveted', weak);
    const person = await account.user('covets', [
      await account.group(
        'Coveting',
        [
          { poolId: weak, modify: true },
          { poolId: strong, ...ALL },
        ],
        { mayCreatePools: true },
      ),
    ]);
    for (const [verb, input] of [
      ['addEwonsToPool', { poolId: strong, ewonIds: [ewon] }],
      ['createPool', { name: 'Own', ewonIds: [ewon] }],
      ['updateEwon', { ewonId: ewon, properties: { poolIds: [weak, strong] } }],
    ] as const)
      expect(await act(person, verb, input), verb).toMatchObject({ code: 'FORBIDDEN' });
    expect(await poolsOf(ewon)).toEqual(['Weak']);
    const second = await ewonIn('His', strong);
    expect(await code(person, 'createPool', { name: 'Own', ewonIds: [second] })).toBe('done');
    expect(await poolsOf(second)).toEqual(['Own', 'Strong']);
  });

  it('POOL-04 POOL-10 is not deleted while an Ewon, the auto-registration or a token needs it; then its rights go with it', async () => {
    const [pool, second] = [await account.pool('Needed'), await account.pool('Second')];
    const ewon = await ewonIn('Guarded', pool);
    const remove = () => code(admin, 'deletePool', { poolId: pool });
    expect(await remove(), 'the only one of an Ewon').toBe('POOL_IN_USE');
    await act(admin, 'addEwonsToPool', { poolId: second, ewonIds: [ewon] });

    expect(await act(admin, 'setAutoRegistration', { poolId: pool })).toMatchObject({
      account: { autoRegistration: { pool: { name: 'Needed' } } },
    });
    expect(await remove(), 'where new devices go').toBe('POOL_IN_USE');
    await act(admin, 'setAutoRegistration', { poolId: null });

    const { db } = server.app.platform;
    const now = server.clock.now();
    const token = await db.apiToken.create({
      data: {
        ...{ accountId: account.id, name: 'reader', nameKey: 'reader', tokenHash: 'x', prefix: 'x' },
        ...{ poolId: decodeGlobalId(pool).id, createdAt: now, renewedAt: now },
      },
    });
    expect(await remove(), 'a token is limited to it').toBe('POOL_IN_USE');
    await db.apiToken.delete({ where: { id: token.id } });

    const member = await account.user('of-needed', [await account.group('Of needed', [{ poolId: pool, ...ALL }])]);
    expect(await act(admin, 'deletePool', { poolId: pool })).toMatchObject({ deletedPoolId: pool });
    expect(await remove(), 'a second time').toBe('NOT_FOUND');
    expect(await poolsOf(ewon)).toEqual(['Second']);
    expect(await member.api.run('{ pools { totalCount } ewons { totalCount } }')).toEqual({
      ...{ pools: { totalCount: 0 }, ewons: { totalCount: 0 } },
    });
  });

  it('POOL-11 the pools of the account are listed with id and name, in the order that is asked for, and Ewons by pool', async () => {
    const world = await TestAccount.create(server);
    const [beta, alpha] = [await world.pool('beta'), await world.pool('Alpha')];
    const list = async (args: string) =>
      (await world.admin.api.run(`{ pools(${args}) { totalCount nodes { id name } } }`)).pools;
    expect(await list('first: 2, orderBy: [{ field: NAME }]')).toEqual({
      totalCount: 3,
      nodes: [
        { id: alpha, name: 'Alpha' },
        { id: beta, name: 'beta' },
      ],
    });
    expect(names((await list('orderBy: [{ field: NAME, direction: DESC }]')).nodes)).toEqual([
      'Default',
      'beta',
      'Alpha',
    ]);
    expect(names((await list('orderBy: [{ field: CREATED_AT, direction: DESC }, { field: NAME }]')).nodes).at(-1)).toBe(
      'Default',
    );
    expect(names((await list('first: 5')).nodes)).toEqual(['Default', 'beta', 'Alpha']);
    await act(world.admin, 'createEwon', { name: 'In beta', properties: { poolIds: [beta] } });
    expect(await ewonsIn(world.admin, beta)).toEqual(['In beta']);
    expect(await ewonsIn(world.admin, alpha)).toEqual([]);
  });

  it('GRP-21 sessions that depended on a pool close when the Ewon leaves it or the pool is deleted', async () => {
    const [keeps, leaves, moves, goes] = [
      await account.pool('Keeps'),
      await account.pool('Leaves'),
      await account.pool('Moves'),
      await account.pool('Goes'),
    ];
    const ewon = await account.onlineEwon({ name: 'Moving', poolIds: [keeps, leaves, moves, goes] });
    await account.setSlots(10);
    const people: Record<string, string> = {};
    for (const [name, poolId] of Object.entries({ keeps, leaves, moves, goes })) {
      const person = await account.user(`by-${name}`, [
        await account.group(`By ${name}`, [{ poolId, connectEcatcher: true }]),
      ]);
      people[name] = (await openSession(person, ewon.id)).session.id;
    }
    const states = async () => {
      const { nodes } = await admin.api.run(
        'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Session { state closeReason } } }',
        {
          ids: Object.values(people),
        },
      );
      return nodes.map(({ state, closeReason }: Json) => closeReason ?? state);
    };
    await act(admin, 'removeEwonsFromPool', { poolId: leaves, ewonIds: [ewon.id] });
    expect(await states()).toEqual(['OPEN', 'ACCESS_REVOKED', 'OPEN', 'OPEN']);
    await act(admin, 'updateEwon', { ewonId: ewon.id, properties: { poolIds: [keeps, goes] } });
    expect(await states()).toEqual(['OPEN', 'ACCESS_REVOKED', 'ACCESS_REVOKED', 'OPEN']);
    expect(await code(admin, 'deletePool', { poolId: goes })).toBe('done');
    expect(await states()).toEqual(['OPEN', 'ACCESS_REVOKED', 'ACCESS_REVOKED', 'ACCESS_REVOKED']);
    await ewon.device.disconnect();
  });
});

onPostgres('races', () => {
  it('POOL-03 POOL-07 POOL-10 an Ewon keeps a pool whatever happens at once, and one name is given once', async () => {
    const world = await startWorld({ database: 'postgresql' });
    const who = world.account.admin;
    const pools = [await world.account.pool('One'), await world.account.pool('Two')];
    const { ewon } = await act(who, 'createEwon', { name: 'Torn', properties: { poolIds: pools } });
    const outcomes = await Promise.all([
      ...pools.map((poolId) => code(who, 'removeEwonsFromPool', { poolId, ewonIds: [ewon.id] })),
      ...pools.map((poolId) => code(who, 'deletePool', { poolId })),
    ]);
    expect(
      outcomes.filter((outcome) => outcome === 'EWON_NEEDS_A_POOL' || outcome === 'POOL_IN_USE').length,
    ).toBeGreaterThan(0);
    expect(
      (await who.api.run('query ($id: ID!) { ewon(by: { id: $id }) { pools { id } } }', { id: ewon.id })).ewon.pools,
    ).toHaveLength(1);
    const named = await Promise.all(Array.from({ length: 10 }, () => code(who, 'createPool', { name: 'Same' })));
    expect(named.sort()).toEqual([...Array(9).fill('POOL_NAME_IN_USE'), 'done'].sort());
    await world.server.close();
  });
});

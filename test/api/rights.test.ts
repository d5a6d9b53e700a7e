import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../support/client.ts';
import { eachDatabase, type TestServer } from '../support/server.ts';
import {
  logIn,
  openSession,
  type Person,
  type PoolRightsInput,
  startWorld,
  TestAccount,
  type TestEwon,
  USER_PASSWORD,
} from '../support/world.ts';

const CREATE_POOL =
  'mutation ($name: String!) { createPool(input: { name: $name }) { __typename ... on CreatePoolSuccess { pool { id name viewerMayAdminister } } ... on Error { code path } } }';
const DELETE_POOL =
  'mutation ($poolId: ID!) { deletePool(input: { poolId: $poolId }) { __typename ... on DeletePoolSuccess { deletedPoolId } ... on Error { code } } }';
const CREATE_GROUP =
  'mutation ($input: CreateGroupInput!) { createGroup(input: $input) { __typename ... on CreateGroupSuccess { group { id poolRights { pool { name } administer modify connectEcatcher connectM2web } } } ... on Error { code path } } }';
const SET_POOL_RIGHTS =
  'mutation ($input: SetPoolRightsInput!) { setPoolRights(input: $input) { __typename ... on SetPoolRightsSuccess { group { id } } ... on Error { code } } }';
const CREATE_USER =
  'mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename ... on CreateUserSuccess { user { id username role groups { name } nameIsPublic } } ... on Error { code path } ... on PasswordPolicyError { violations } } }';
const UPDATE_EWON =
  'mutation ($input: UpdateEwonInput!) { updateEwon(input: $input) { __typename ... on UpdateEwonSuccess { ewon { name } } ... on Error { code } } }';
const CREATE_EWON =
  'mutation ($input: CreateEwonInput!) { createEwon(input: $input) { __typename ... on CreateEwonSuccess { ewon { id } } ... on Error { code } } }';

const newUser = (username: string, more: object = {}) => ({
  username,
  email: `${username}@example.com`,
  password: USER_PASSWORD,
  passwordConfirmation: USER_PASSWORD,
  ...more,
});

let server: TestServer;
let account: TestAccount;
let other: TestAccount;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  other = await TestAccount.create(server);
});
afterAll(() => server.close());

describe('rights on pools', () => {
  const people: Record<string, Person> = {};
  let ewon: TestEwon;
  let press: string;
  let paint: string;

  const can = async (person: Person): Promise<string[]> =>
    (await person.api.run('query ($id: ID!) { ewon(by: { id: $id }) { viewerCan } }', { id: ewon.id })).ewon?.viewerCan;
  const connects = async (person: Person, client: string): Promise<Json> =>
    (await openSession(person, ewon.id, { client })).__typename;

  beforeAll(async () => {
    [press, paint] = await Promise.all([account.pool('Press'), account.pool('Paint')]);
    ewon = await account.onlineEwon({ name: 'Shared', poolIds: [press, paint] });
    const groups: Record<string, PoolRightsInput[]> = {
      administers: [{ poolId: press, administer: true }],
      modifies: [{ poolId: press, modify: true }],
      ecatcher: [{ poolId: press, connectEcatcher: true }],
      m2web: [{ poolId: press, connectM2web: true }],
      everything: [
        { poolId: press, administer: true, connectEcatcher: true },
        { poolId: paint, administer: true, connectM2web: true },
      ],
      nothing: [],
    };
    for (const [name, rights] of Object.entries(groups))
      people[name] = await account.user(name, [await account.group(name, rights)]);
  });
  afterAll(() => ewon.device.disconnect());
  const person = (name: string): Person => people[name] as Person;

  it.each([
    ['administers', ['MODIFY', 'ADMINISTER']],
    ['modifies', ['MODIFY']],
    ['ecatcher', ['CONNECT_ECATCHER']],
    ['m2web', ['CONNECT_M2WEB']],
    ['everything', ['CONNECT_ECATCHER', 'CONNECT_M2WEB', 'MODIFY', 'ADMINISTER', 'REMOVE']],
    ['nothing', undefined],
  ])('GRP-13 GRP-14 who "%s" may do exactly that', async (name, actions) => {
    expect(await can(person(name))).toEqual(actions);
  });

  it('GRP-13 GRP-14 GRP-17 the operations ask the same rights as viewerCan shows', async () => {
    const updated = async (name: string) =>
      (await person(name).api.mutate(UPDATE_EWON, { input: { ewonId: ewon.id, properties: { description: name } } }))
        .code ?? 'done';
    const added = async (name: string) =>
      (
        await person(name).api.mutate(CREATE_EWON, {
          input: { name: `Added by ${name}`, properties: { poolIds: [press] } },
        })
      ).code ?? 'done';
    const outcome = async (name: string) => [
      await updated(name),
      await added(name),
      await connects(person(name), 'ECATCHER'),
      await connects(person(name), 'M2WEB'),
    ];
    expect(await outcome('administers')).toEqual(['done', 'done', 'DomainError', 'DomainError']);
    expect(await outcome('modifies')).toEqual(['done', 'FORBIDDEN', 'DomainError', 'DomainError']);
    expect(await outcome('ecatcher')).toEqual(['FORBIDDEN', 'FORBIDDEN', 'OpenSessionSuccess', 'DomainError']);
    expect(await outcome('m2web')).toEqual(['FORBIDDEN', 'FORBIDDEN', 'DomainError', 'OpenSessionSuccess']);
    expect(await outcome('nothing')).toEqual(['NOT_FOUND', 'NOT_FOUND', 'DomainError', 'DomainError']);
  });

  it('GRP-15 GRP-16 are the union over groups and over the pools of the Ewon', async () => {
    const one = await account.group('Union 1', [{ poolId: press, connectEcatcher: true }]);
    const two = await account.group('Union 2', [{ poolId: paint, modify: true }]);
    const both = await account.user('both', [one, two]);
    expect(await can(both)).toEqual(['CONNECT_ECATCHER', 'MODIFY']);
    const several = await account.user('several', [
      await account.group('Several', [
        { poolId: press, connectEcatcher: true },
        { poolId: paint, connectM2web: true },
      ]),
    ]);
    expect(await can(several)).toEqual(['CONNECT_ECATCHER', 'CONNECT_M2WEB']);
  });

  it('POOL-03 an Ewon is in several pools at once, and always in one', async () => {
    const POOLS = 'query ($id: ID!) { ewon(by: { id: $id }) { pools { name } } }';
    const pools = async (who: Person) =>
      (await who.api.run(POOLS, { id: ewon.id })).ewon.pools.map(({ name }: Json) => name);
    expect(await pools(account.admin)).toEqual(['Press', 'Paint']);
    expect(await pools(person('modifies')), 'as far as the viewer may see them').toEqual(['Press']);
    const change = (poolIds: string[]) =>
      account.admin.api.mutate(UPDATE_EWON, { input: { ewonId: ewon.id, properties: { poolIds } } });
    expect(await change([])).toMatchObject({ code: 'EWON_NEEDS_A_POOL' });
    expect(await pools(account.admin)).toEqual(['Press', 'Paint']);
  });

  it('POOL-09 a pool is visible to whoever holds any right on it', async () => {
    const pools = async (who: Person) =>
      (await who.api.run('{ pools { nodes { name } } }')).pools.nodes.map(({ name }: Json) => name);
    expect(await pools(account.admin)).toEqual(['Default', 'Press', 'Paint']);
    for (const name of ['administers', 'modifies', 'ecatcher', 'm2web'])
      expect(await pools(person(name)), name).toEqual(['Press']);
    expect(await pools(person('nothing'))).toEqual([]);
    expect(await pools(other.admin)).toEqual(['Default']);
  });

  it('GRP-18 nobody grants rights that he does not hold', async () => {
    const makers = await account.group('Makers', [{ poolId: press, administer: true, connectEcatcher: true }], {
      mayCreateGroups: true,
    });
    const maker = await account.user('maker', [makers]);
    const make = (name: string, input: object): Promise<Json> =>
      maker.api.mutate(CREATE_GROUP, { input: { name, managedById: makers, ...input } });

    const granted = { poolId: press, modify: true, connectEcatcher: true };
    expect(await make('Allowed', { poolRights: [granted] })).toMatchObject({
      __typename: 'CreateGroupSuccess',
      group: { poolRights: [{ pool: { name: 'Press' }, administer: false, modify: true, connectEcatcher: true }] },
    });
    for (const input of [
      { poolRights: [{ poolId: press, connectM2web: true }] },
      { poolRights: [{ ...granted, connectM2web: true }] },
      { mayCreatePools: true },
    ])
      expect(await make('Refused', input)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await make('Unseen', { poolRights: [{ poolId: paint, modify: true }] })).toMatchObject({
      code: 'NOT_FOUND',
    });
    const SET = { groupId: makers, poolRights: [{ poolId: press, connectM2web: true }] };
    expect(await maker.api.mutate(SET_POOL_RIGHTS, { input: SET })).toMatchObject({ code: 'FORBIDDEN' });
    const { groups } = await account.admin.api.run('{ groups { nodes { id name isAdministrators } } }');
    expect(groups.nodes.map(({ name }: Json) => name)).not.toContain('Refused');

    const administrators = groups.nodes.find((group: Json) => group.isAdministrators).id;
    expect(
      await maker.api.mutate(CREATE_USER, { input: newUser('intruder', { groupIds: [administrators] }) }),
    ).toMatchObject({ code: 'FORBIDDEN' });
    expect(
      await account.admin.api.mutate(CREATE_USER, { input: newUser('deputy', { groupIds: [administrators] }) }),
    ).toMatchObject({ __typename: 'CreateUserSuccess' });
    const deputy = await logIn(server, account.name, 'deputy', USER_PASSWORD);
    expect((await deputy.api.run('{ viewer { isAdministrator } }')).viewer.isAdministrator).toBe(true);
  });

  it('GRP-13 GRP-18 setPoolRights replaces the rights of a group, from the next request on, and never those of Administrators', async () => {
    const group = await account.group('Changing', [{ poolId: press, connectEcatcher: true }]);
    const member = await account.user('changing', [group]);
    expect(await can(member)).toEqual(['CONNECT_ECATCHER']);
    const set = (groupId: string, poolRights: PoolRightsInput[]) =>
      account.admin.api.mutate(SET_POOL_RIGHTS, { input: { groupId, poolRights } });
    for (let time = 0; time < 2; time++) {
      expect((await set(group, [{ poolId: paint, administer: true }])).__typename).toBe('SetPoolRightsSuccess');
      expect(await can(member), 'administer implies modify').toEqual(['MODIFY', 'ADMINISTER']);
    }
    const { groups } = await account.admin.api.run('{ groups { nodes { id isAdministrators } } }');
    const administrators = groups.nodes.find(({ isAdministrators }: Json) => isAdministrators).id;
    expect(await set(administrators, [])).toMatchObject({ code: 'FORBIDDEN' });
    expect(await set(group, [{ poolId: await other.pool('Foreign'), modify: true }])).toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('pools', () => {
  it('POOL-07 names are unique without regard to case, 1 to 64 characters; the default pool stays', async () => {
    const create = (name: string) => account.admin.api.mutate(CREATE_POOL, { name });
    expect((await create('x'.repeat(64))).__typename).toBe('CreatePoolSuccess');
    expect(await create('  Trimmed  ')).toMatchObject({ pool: { name: 'Trimmed' } });
    for (const name of ['trimmed', 'TRIMMED', 'default'])
      expect(await create(name)).toMatchObject({ code: 'POOL_NAME_IN_USE', path: ['name'] });
    for (const name of ['', '   ', 'x'.repeat(65)])
      expect(await create(name)).toMatchObject({ __typename: 'ValidationError', path: ['name'] });
    const poolId = await account.defaultPool();
    expect(await account.admin.api.mutate(DELETE_POOL, { poolId })).toMatchObject({ code: 'POOL_IN_USE' });
  });

  it('POOL-08 are created by Administrators and by the role, whose group then administers the pool', async () => {
    const creators = await account.group('Creators', [], { mayCreatePools: true });
    const plain = await account.group('Plain');
    const creator = await account.user('creator', [creators, plain]);
    const colleague = await account.user('colleague', [creators]);
    const bystander = await account.user('bystander', [plain]);

    expect(await bystander.api.mutate(CREATE_POOL, { name: 'Not mine' })).toMatchObject({ code: 'FORBIDDEN' });
    const made = await creator.api.mutate(CREATE_POOL, { name: 'Mine' });
    expect(made).toMatchObject({ __typename: 'CreatePoolSuccess' });
    const POOLS = '{ pools { nodes { name viewerMayAdminister } } account { viewerCan } }';
    for (const who of [creator, colleague])
      expect(await who.api.run(POOLS)).toEqual({
        pools: { nodes: [{ name: 'Mine', viewerMayAdminister: true }] },
        account: { viewerCan: ['CREATE_POOLS'] },
      });
    expect((await bystander.api.run(POOLS)).pools.nodes).toEqual([]);
  });

  it('POOL-10 is not deleted while it is the only one of an Ewon or the target of auto-registration', async () => {
    const [only, second] = [await account.pool('Only'), await account.pool('Second')];
    const remove = (poolId: string, who = account.admin) => who.api.mutate(DELETE_POOL, { poolId });
    const created = await account.admin.api.succeed(CREATE_EWON, {
      input: { name: 'Guarded', properties: { poolIds: [only] } },
    });
    expect(await remove(only)).toMatchObject({ code: 'POOL_IN_USE' });
    await account.admin.api.succeed(UPDATE_EWON, {
      input: { ewonId: created.ewon.id, properties: { poolIds: [only, second] } },
    });
    const SET_TARGET =
      'mutation ($poolId: ID) { setAutoRegistration(input: { poolId: $poolId }) { __typename ... on Error { code } } }';
    await account.admin.api.succeed(SET_TARGET, { poolId: only });
    expect(await remove(only)).toMatchObject({ code: 'POOL_IN_USE' });
    await account.admin.api.succeed(SET_TARGET, { poolId: null });

    const viewer = await account.user('pool-viewer', [
      await account.group('Pool viewers', [{ poolId: only, modify: true }]),
    ]);
    expect(await remove(only, viewer)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await remove(only, other.admin)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await remove(only)).toEqual({ __typename: 'DeletePoolSuccess', deletedPoolId: only });
    expect(await remove(only), 'a second time').toMatchObject({ code: 'NOT_FOUND' });
    expect(await remove(second)).toMatchObject({ code: 'POOL_IN_USE' });
  });
});

describe('users', () => {
  const create = (input: object, who = account.admin): Promise<Json> => who.api.mutate(CREATE_USER, { input });
  const names = async (who: Person) =>
    (await who.api.run('{ users(first: 500) { nodes { username } } }')).users.nodes.map(
      ({ username }: Json) => username,
    );
  let groupId: string;
  beforeAll(async () => {
    groupId = await account.group('Staff');
  });

  it('USR-02 USR-03 are visible to Administrators, to those who manage one of their groups, and to themselves', async () => {
    const managers = await account.group('Managers');
    const managed = await account.group('Managed', [], { managedById: managers });
    const manager = await account.user('manager', [managers]);
    const worker = await account.user('worker', [managed]);
    const stranger = await account.user('stranger', [groupId]);

    expect(await names(account.admin)).toEqual(expect.arrayContaining(['admin', 'manager', 'worker', 'stranger']));
    expect(await names(manager)).toEqual(['manager', 'worker']);
    expect(await names(worker)).toEqual(['worker']);
    const NODE = 'query ($id: ID!) { node(id: $id) { id } }';
    expect((await manager.api.run(NODE, { id: worker.id })).node).toEqual({ id: worker.id });
    expect((await manager.api.run(NODE, { id: stranger.id })).node).toBeNull();
    expect(await names(other.admin)).toEqual(['admin']);

    // USR-12: who manages the groups adds users to them, and to no others.
    const input = (username: string, groupIds: string[]) => newUser(username, { groupIds });
    expect((await create(input('added', [managed]), manager)).__typename).toBe('CreateUserSuccess');
    for (const groups of [[managers], [managed, managers], [groupId], []])
      expect(await create(input('refused', groups), manager)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('USR-12 creating users needs administrator rights, or the management of all their groups', async () => {
    const user = await account.user('plain', [groupId]);
    expect(await create(newUser('by-plain', { groupIds: [groupId] }), user)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await create(newUser('foreign', { groupIds: [await other.group('Foreign')] }))).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await create(newUser('groupless'))).toMatchObject({ code: 'USER_NEEDS_A_GROUP', path: ['groupIds'] });
    expect(await names(account.admin)).not.toEqual(expect.arrayContaining(['by-plain']));
  });

  it('USR-04 names are required, unique in the account without regard to case, without spaces at the ends', async () => {
    const named = (username: string) => create(newUser('named', { groupIds: [groupId], username }));
    expect((await named('jsm@example.com')).__typename).toBe('CreateUserSuccess');
    expect((await named('x'.repeat(100))).__typename).toBe('CreateUserSuccess');
    expect(await named('JSM@Example.com')).toMatchObject({ code: 'USERNAME_IN_USE', path: ['username'] });
    for (const username of ['', ' jsm', 'jsm ', 'x'.repeat(101)])
      expect(await named(username)).toMatchObject({ __typename: 'ValidationError', path: ['username'] });
    const same = await other.admin.api.mutate(CREATE_USER, {
      input: newUser('named', { username: 'jsm@example.com', groupIds: [await other.group('Same')] }),
    });
    expect(same.__typename, 'another account').toBe('CreateUserSuccess');
  });

  it('USR-05 an e-mail address is required and correct; several users may share it', async () => {
    const mail = async (username: string, email: string | undefined) =>
      account.admin.api.send(CREATE_USER, { input: { ...newUser(username, { groupIds: [groupId] }), email } });
    for (const email of ['plainaddress', 'two@at@signs.com', 'space in@example.com', '@example.com', 'a@', ''])
      expect((await mail('wrong', email)).errors?.[0]?.extensions.code, email).toBe('VALIDATION_FAILED');
    expect((await mail('none', undefined)).errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    for (const username of ['first', 'second'])
      expect((await mail(username, 'shared@example.com')).data.createUser.__typename).toBe('CreateUserSuccess');
  });

  it('USR-11 get groups on plans with groups, a role on the others', async () => {
    const grouped = await create(newUser('grouped', { groupIds: [groupId], role: 'ADMINISTRATOR' }));
    expect(grouped.user).toMatchObject({ role: 'USER', groups: [{ name: 'Staff' }], nameIsPublic: false });

    const free = await TestAccount.create(server, 'FREE');
    for (const [username, role, administrator] of [
      ['chief', 'ADMINISTRATOR', true],
      ['hand', 'USER', false],
    ] as const) {
      const made = await free.admin.api.mutate(CREATE_USER, { input: newUser(username, { role }) });
      expect(made.user).toMatchObject({ role, groups: [] });
      const person = await logIn(server, free.name, username, USER_PASSWORD);
      const { viewer } = await person.api.run('{ viewer { isAdministrator } }');
      expect(viewer.isAdministrator).toBe(administrator);
      const by = await person.api.mutate(CREATE_USER, { input: newUser(`by-${username}`) });
      expect(by.code ?? by.__typename).toBe(administrator ? 'CreateUserSuccess' : 'FORBIDDEN');
    }
    expect(await free.admin.api.mutate(CREATE_GROUP, { input: { name: 'None' } })).toMatchObject({
      code: 'PLAN_FEATURE_NOT_AVAILABLE',
    });
    expect(await free.admin.api.mutate(CREATE_POOL, { name: 'None' })).toMatchObject({
      code: 'PLAN_FEATURE_NOT_AVAILABLE',
    });
  });

  it('PWD-05 PWD-17 PWD-20 set a password that is confirmed and keeps the policy', async () => {
    const secret = (password: string, passwordConfirmation = password) =>
      create({ ...newUser('secret', { groupIds: [groupId] }), password, passwordConfirmation });
    expect(await secret(USER_PASSWORD, 'User-pass-2')).toMatchObject({
      code: 'PASSWORD_CONFIRMATION_MISMATCH',
      path: ['passwordConfirmation'],
    });
    expect(await secret('')).toMatchObject({ violations: ['TOO_SHORT', 'NO_LETTER', 'NO_DIGIT'] });
    expect(await secret(`${'é1'.repeat(23)}`)).toMatchObject({ violations: ['TOO_LONG'] });
    expect(await names(account.admin)).not.toContain('secret');
    expect((await secret(`${'é1'.repeat(22)}x`)).__typename).toBe('CreateUserSuccess');
  });
});

eachDatabase('racing names', (database) => {
  let raced: TestServer;
  let world: TestAccount;
  beforeAll(async () => {
    ({ server: raced, account: world } = await startWorld({ database }));
  });
  afterAll(() => raced.close());

  it('USR-04 GRP-06 POOL-07 of ten who create the same name at once, one does', async () => {
    const groupId = await world.group('Staff');
    for (const [query, variables, code] of [
      [CREATE_USER, { input: newUser('same', { groupIds: [groupId] }) }, 'USERNAME_IN_USE'],
      [CREATE_GROUP, { input: { name: 'same' } }, 'GROUP_NAME_IN_USE'],
      [CREATE_POOL, { name: 'same' }, 'POOL_NAME_IN_USE'],
    ] as const) {
      const results = await Promise.all(Array.from({ length: 10 }, () => world.admin.api.mutate(query, variables)));
      expect(
        results.filter((result) => result.__typename.endsWith('Success')),
        code,
      ).toHaveLength(1);
      expect(results.filter((result) => result.code === code)).toHaveLength(9);
    }
  });
});

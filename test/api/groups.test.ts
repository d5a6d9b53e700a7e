import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setPlan } from '../../src/account/plan-change.ts';
import type { Plan } from '../../src/generated/prisma/enums.ts';
import { decodeGlobalId, encodeGlobalId } from '../../src/graphql/global-id.ts';
import { eventually, type Json } from '../support/client.ts';
import { onPostgres, type TestServer } from '../support/server.ts';
import { SET_RESERVATIONS } from '../support/slots.ts';
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

const ROLES = 'mayCreatePools mayCreateGroups adminOfItself smsSender mailSender';
const GROUP = `id name isAdministrators ${ROLES} viewerCan
  poolRights { pool { name } administer modify connectEcatcher connectM2web }
  managedGroups { name } managers { name } members { totalCount nodes { username } }`;

/** `{verb}` with its input, answering with the group and with every error. */
const mutation = (
  verb: string,
  input = `${verb[0]?.toUpperCase()}${verb.slice(1)}Input`,
  selection = `group { ${GROUP} }`,
) =>
  `mutation ($input: ${input}!) { ${verb}(input: $input) { __typename
    ... on ${verb[0]?.toUpperCase()}${verb.slice(1)}Success { ${selection} }
    ... on Error { code message path } ... on ValidationError { inputViolations { path } } } }`;
const VERBS = {
  createGroup: mutation('createGroup'),
  updateGroup: mutation('updateGroup'),
  deleteGroup: mutation('deleteGroup', undefined, 'deletedGroupId'),
  setPoolRights: mutation('setPoolRights'),
  setGroupRights: mutation('setGroupRights'),
  addGroupMembers: mutation('addGroupMembers', 'GroupMembersInput'),
  removeGroupMembers: mutation('removeGroupMembers', 'GroupMembersInput'),
  createUser: mutation('createUser', undefined, 'user { id }'),
};
const act = (who: Person, verb: keyof typeof VERBS, input: object): Promise<Json> =>
  who.api.mutate(VERBS[verb], { input });
const done = async (who: Person, verb: keyof typeof VERBS, input: object): Promise<Json> => {
  const result = await act(who, verb, input);
  expect(result, JSON.stringify(result)).toMatchObject({ __typename: expect.stringMatching(/Success$/) });
  return result.group ?? result;
};
const code = async (who: Person, verb: keyof typeof VERBS, input: object): Promise<string> =>
  (await act(who, verb, input)).code ?? 'done';
const read = async (who: Person, name: string): Promise<Json> =>
  (await who.api.run(`query ($name: String!) { group(by: { name: $name }) { ${GROUP} } }`, { name })).group;
const names = (list: Json[]): string[] => list.map(({ name, username }) => name ?? username);
const NOTHING = encodeGlobalId('Group', '0197f3a0-0000-7000-8000-000000000000');
const newUser = (username: string, more: object = {}) => ({
  username,
  email: `${username}@example.com`,
  password: USER_PASSWORD,
  passwordConfirmation: USER_PASSWORD,
  ...more,
});
const CONNECT = { connectEcatcher: true, connectM2web: true };

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
let press: string;
let paint: string;
let administrators: string;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  other = await TestAccount.create(server);
  [press, paint] = [await account.pool('Press'), await account.pool('Paint')];
  administrators = (await read(account.admin, 'administrators')).id;
});
afterAll(() => server.close());

describe('a group', () => {
  it('GRP-01 GRP-04 GRP-06 GRP-07 GRP-08 GRP-10 GRP-12 GRP-15 is made with manager, roles, rights on groups and rights on pools', async () => {
    const [chiefs, crew] = [await account.group('Chiefs'), await account.group('Crew')];
    const made = await done(account.admin, 'createGroup', {
      name: '  Foremen ',
      managedById: chiefs,
      mayCreatePools: true,
      adminOfItself: true,
      smsSender: true,
      managedGroupIds: [crew],
      poolRights: [
        { poolId: press, administer: true },
        { poolId: paint, connectM2web: true },
      ],
    });
    const NONE = { administer: false, modify: false, connectEcatcher: false, connectM2web: false };
    const expected = {
      name: 'Foremen',
      isAdministrators: false,
      mayCreatePools: true,
      mayCreateGroups: false,
      adminOfItself: true,
      smsSender: true,
      mailSender: false,
      managers: [{ name: 'Chiefs' }],
      managedGroups: [{ name: 'Crew' }],
      poolRights: [
        { ...NONE, pool: { name: 'Press' }, administer: true, modify: true },
        { ...NONE, pool: { name: 'Paint' }, connectM2web: true },
      ],
      members: { totalCount: 0, nodes: [] },
      viewerCan: ['MANAGE_MEMBERS', 'MODIFY', 'DELETE'],
    };
    expect(made).toMatchObject(expected);
    expect(await read(account.admin, 'FOREMEN')).toMatchObject(expected);
    expect((await read(account.admin, 'Crew')).managers).toEqual([{ name: 'Foremen' }]);
    expect(await account.log()).toContainEqual(
      expect.objectContaining({ code: 'GROUP_CREATED', userName: 'admin', text: 'Group Foremen created' }),
    );
  });

  it('GRP-06 names are unique in the account without regard to case, 1 to 64 characters; all that is wrong is told at once', async () => {
    const { id } = await done(account.admin, 'createGroup', { name: 'Named' });
    expect(await act(account.admin, 'createGroup', { name: ' nAMED' })).toMatchObject({
      code: 'GROUP_NAME_IN_USE',
      path: ['name'],
    });
    await account.group('Named too');
    expect(await act(account.admin, 'updateGroup', { groupId: id, name: 'NAMED TOO' })).toMatchObject({
      code: 'GROUP_NAME_IN_USE',
      path: ['name'],
    });
    for (const name of ['', '  ', 'x'.repeat(65)])
      for (const [verb, input] of [
        ['createGroup', { name, managedGroupIds: Array(501).fill(id) }],
        ['updateGroup', { groupId: id, name }],
      ] as const)
        expect((await act(account.admin, verb, input)).inputViolations, name).toEqual([
          { path: ['name'] },
          ...(verb === 'createGroup' ? [{ path: ['managedGroupIds'] }] : []),
        ]);
    expect(await act(account.admin, 'updateGroup', { groupId: id, name: null })).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['name'],
    });
    for (const verb of ['createGroup', 'setPoolRights'] as const)
      expect(
        await act(account.admin, verb, {
          ...(verb === 'createGroup' ? { name: 'Twice' } : { groupId: id }),
          poolRights: [{ poolId: press }, { poolId: paint }, { poolId: press, modify: true }],
        }),
      ).toMatchObject({ code: 'VALIDATION_FAILED', inputViolations: [{ path: ['poolRights', '2'] }] });
    expect(await act(account.admin, 'setGroupRights', { groupId: id, managedGroupIds: [id] })).toMatchObject({
      inputViolations: [{ path: ['managedGroupIds', '0'] }],
    });
    expect(await act(account.admin, 'addGroupMembers', { groupId: id, userIds: [] })).toMatchObject({
      inputViolations: [{ path: ['userIds'] }],
    });
    // The same name in another account, and one's own name written differently.
    expect(await code(other.admin, 'createGroup', { name: 'Named' })).toBe('done');
    expect((await done(account.admin, 'updateGroup', { groupId: id, name: 'NAMED' })).name).toBe('NAMED');
  });

  it('GRP-09 GRP-12 GRP-19 may have no role and no right; roles are changed later, absent keeps and null takes away', async () => {
    const { id, ...group } = await done(account.admin, 'createGroup', { name: 'Minimal' });
    const none = {
      ...{ mayCreatePools: false, mayCreateGroups: false, adminOfItself: false, smsSender: false, mailSender: false },
      ...{ poolRights: [], managedGroups: [], managers: [] },
    };
    expect(group).toMatchObject(none);
    const person = await account.user('minimal', [id]);
    expect((await read(person, 'Minimal')).viewerCan).toEqual([]);
    expect(await person.api.run('{ ewons { totalCount } pools { totalCount } account { viewerCan } }')).toEqual({
      ...{ ewons: { totalCount: 0 }, pools: { totalCount: 0 }, account: { viewerCan: [] } },
    });
    const roles = { mayCreatePools: true, smsSender: true, mailSender: true };
    expect(await done(account.admin, 'updateGroup', { groupId: id, ...roles })).toMatchObject({ ...none, ...roles });
    expect((await person.api.run('{ account { viewerCan } }')).account.viewerCan).toEqual(['CREATE_POOLS']);
    for (let time = 0; time < 2; time++)
      expect(
        await done(account.admin, 'updateGroup', { groupId: id, smsSender: null, mailSender: false }),
      ).toMatchObject({ ...none, name: 'Minimal', mayCreatePools: true });
    const changes = (await account.log())
      .filter((entry) => entry.code === 'GROUP_CHANGED')
      .map(({ text }) => text)
      .filter((text) => text.includes('Minimal'));
    expect(changes).toEqual([
      'Group Minimal changed: smsSender, mailSender',
      'Group Minimal changed: mayCreatePools, smsSender, mailSender',
    ]);
  });

  it('GRP-02 Administrators cannot be renamed, restricted or deleted, and nobody manages it but its members', async () => {
    const target = { groupId: administrators };
    expect(await read(account.admin, 'Administrators')).toMatchObject({
      isAdministrators: true,
      viewerCan: ['MANAGE_MEMBERS'],
      members: { nodes: [{ username: 'admin' }] },
    });
    for (const [verb, input] of [
      ['updateGroup', { name: 'Chiefs of all' }],
      ['updateGroup', { mayCreatePools: true }],
      ['setPoolRights', { poolRights: [] }],
      ['setGroupRights', { managedGroupIds: [] }],
      ['deleteGroup', {}],
    ] as const)
      expect(await code(account.admin, verb, { ...target, ...input }), verb).toBe('FORBIDDEN');
    const group = await account.group('Would-be');
    expect(await code(account.admin, 'setGroupRights', { groupId: group, managedGroupIds: [administrators] })).toBe(
      'FORBIDDEN',
    );
    expect(await code(account.admin, 'createGroup', { name: 'Usurpers', managedGroupIds: [administrators] })).toBe(
      'FORBIDDEN',
    );
    expect(
      await done(account.admin, 'createGroup', { name: 'Managed by all', managedById: administrators }),
      'Administrators manage every group',
    ).toMatchObject({ managers: [] });
  });

  it('GRP-05 USR-02 is seen by its members, who see of one another nothing, by its managers and by Administrators', async () => {
    const own = await account.group('Seen own');
    const managed = await account.group('Seen managed');
    const hidden = await account.group('Seen by none');
    await done(account.admin, 'setGroupRights', { groupId: own, managedGroupIds: [managed] });
    const viewer = await account.user('sees', [own]);
    await account.user('sees-colleague', [own, hidden]);
    const worker = await account.user('sees-worker', [managed]);
    const { groups } = await viewer.api.run(`{ groups { totalCount nodes { ${GROUP} } } }`);
    expect(groups).toMatchObject({
      totalCount: 2,
      nodes: [
        { name: 'Seen own', viewerCan: [], members: { totalCount: 1, nodes: [{ username: 'sees' }] } },
        {
          ...{
            name: 'Seen managed',
            viewerCan: ['MANAGE_MEMBERS', 'MODIFY', 'DELETE'],
            managers: [{ name: 'Seen own' }],
          },
          members: { totalCount: 1, nodes: [{ username: 'sees-worker' }] },
        },
      ],
    });
    expect(await read(viewer, 'Seen by none')).toBeNull();
    expect(await read(worker, 'Seen managed'), 'who manages his group is not for him to see').toMatchObject({
      managers: [],
    });
    const BY = 'query ($id: ID!) { group(by: { id: $id }) { name } node(id: $id) { id } }';
    expect(await viewer.api.run(BY, { id: hidden })).toEqual({ group: null, node: null });
    expect(await viewer.api.run(BY, { id: managed })).toEqual({
      group: { name: 'Seen managed' },
      node: { id: managed },
    });
    for (const [verb, input] of Object.entries({
      updateGroup: {},
      deleteGroup: {},
      setPoolRights: { poolRights: [] },
      setGroupRights: { managedGroupIds: [] },
      addGroupMembers: { userIds: [viewer.id] },
      removeGroupMembers: { userIds: [viewer.id] },
    }) as [keyof typeof VERBS, object][]) {
      expect(await code(viewer, verb, { groupId: hidden, ...input }), verb).toBe('NOT_FOUND');
      expect(await code(viewer, verb, { groupId: own, ...input }), verb).toBe('FORBIDDEN');
      expect(await code(other.admin, verb, { groupId: own, ...input }), 'of another account').toBe('NOT_FOUND');
      expect(await code(account.admin, verb, { groupId: NOTHING, ...input }), 'unknown').toBe('NOT_FOUND');
      expect(await code(account.admin, verb, { groupId: press, ...input }), 'a pool').toBe('NOT_FOUND');
    }
  });

  it('GRP-22 the list is sorted by its fields, up and down, page by page', async () => {
    const sorted = await TestAccount.create(server);
    for (const name of ['beta', 'Alpha', 'gamma']) await sorted.group(name);
    const list = async (args: string) =>
      names((await sorted.admin.api.run(`{ groups(${args}) { nodes { name } } }`)).groups.nodes);
    expect(await list('first: 10')).toEqual(['Administrators', 'beta', 'Alpha', 'gamma']);
    const up = ['Administrators', 'Alpha', 'beta', 'gamma'];
    expect(await list('orderBy: [{ field: NAME }]')).toEqual(up);
    expect(await list('orderBy: [{ field: NAME, direction: DESC }]')).toEqual([...up].reverse());
    expect(await list('orderBy: [{ field: CREATED_AT, direction: DESC }, { field: NAME }]')).toHaveLength(4);
    const PAGE =
      'query ($after: String) { groups(first: 3, after: $after, orderBy: [{ field: NAME }]) { nodes { name } pageInfo { endCursor } } }';
    const first = (await sorted.admin.api.run(PAGE)).groups;
    const second = (await sorted.admin.api.run(PAGE, { after: first.pageInfo.endCursor })).groups;
    expect([...names(first.nodes), ...names(second.nodes)]).toEqual(up);
  });
});

describe('managers of groups', () => {
  let manager: Person;
  let managed: string;
  let own: string;
  beforeAll(async () => {
    // Holds: connecting with Ecatcher on Press, administering Paint; the role to create groups; the management of "Managed".
    managed = await account.group('Managed', [{ poolId: press, modify: true }]);
    own = await account.group('Managing', [
      { poolId: press, connectEcatcher: true },
      { poolId: paint, administer: true },
    ]);
    await done(account.admin, 'updateGroup', { groupId: own, mayCreateGroups: true });
    await done(account.admin, 'setGroupRights', { groupId: own, managedGroupIds: [managed] });
    manager = await account.user('manager', [own]);
  });

  it('GRP-18 nobody gives or takes a right on a pool that he does not hold; what he does not see stays', async () => {
    const workshop = await account.pool('Workshop');
    await done(account.admin, 'setPoolRights', {
      groupId: managed,
      poolRights: [
        { poolId: press, modify: true },
        { poolId: workshop, connectM2web: true },
      ],
    });
    const set = (poolRights: PoolRightsInput[]) => act(manager, 'setPoolRights', { groupId: managed, poolRights });
    const keep = { poolId: press, modify: true };
    // To the right that stays he adds his own.
    expect(
      await set([
        { ...keep, connectEcatcher: true },
        { poolId: paint, administer: true },
      ]),
    ).toMatchObject({
      group: {
        poolRights: [
          { pool: { name: 'Press' }, modify: true, connectEcatcher: true },
          { pool: { name: 'Paint' }, administer: true, modify: true, connectEcatcher: false },
        ],
      },
    });
    for (const refused of [
      [{ ...keep, connectM2web: true }],
      [{ poolId: press, administer: true }],
      [keep, { poolId: paint, connectEcatcher: true }],
      [{ poolId: press, connectEcatcher: true }],
      [],
    ])
      expect(await set(refused), JSON.stringify(refused)).toMatchObject({ code: 'FORBIDDEN', path: ['poolRights'] });
    expect(await set([keep, { poolId: workshop, modify: true }])).toMatchObject({ code: 'NOT_FOUND' });
    expect(await set([keep, { poolId: await other.pool('Foreign'), modify: true }])).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect((await set([keep])).__typename).toBe('SetPoolRightsSuccess');
    expect((await read(account.admin, 'Managed')).poolRights).toMatchObject([
      { pool: { name: 'Press' }, modify: true, connectEcatcher: false },
      { pool: { name: 'Workshop' }, connectM2web: true },
    ]);
    // At creation the same holds.
    const create = (more: object) => code(manager, 'createGroup', { name: 'From manager', ...more });
    expect(await create({ poolRights: [{ poolId: press, connectM2web: true }] })).toBe('FORBIDDEN');
    expect(await create({ poolRights: [{ poolId: workshop, modify: true }] })).toBe('NOT_FOUND');
    expect(await create({ poolRights: [{ poolId: paint, administer: true }] })).toBe('done');
  });

  it('GRP-10 GRP-18 nobody gives or takes a role that he does not hold', async () => {
    const roles = async () => {
      const { mayCreatePools, mayCreateGroups, smsSender, adminOfItself } = await read(account.admin, 'Managed');
      return { mayCreatePools, mayCreateGroups, smsSender, adminOfItself };
    };
    const none = await roles();
    for (const role of ['mayCreatePools', 'smsSender', 'mailSender'])
      for (const [verb, more] of [
        ['updateGroup', { groupId: managed }],
        ['createGroup', { name: 'Gifted' }],
      ] as const)
        expect(await act(manager, verb, { ...more, [role]: true, mayCreateGroups: true })).toMatchObject({
          code: 'FORBIDDEN',
          path: [role],
        });
    expect(await roles(), 'nothing of it was done').toEqual(none);
    await done(manager, 'updateGroup', {
      groupId: managed,
      mayCreateGroups: true,
      adminOfItself: true,
      name: 'Managed',
    });
    expect(await roles()).toEqual({ ...none, mayCreateGroups: true, adminOfItself: true });
    await done(account.admin, 'updateGroup', { groupId: managed, smsSender: true });
    expect(await code(manager, 'updateGroup', { groupId: managed, smsSender: false })).toBe('FORBIDDEN');
    await done(manager, 'updateGroup', { groupId: managed, mayCreateGroups: false, adminOfItself: null });
    expect(await roles()).toEqual({ ...none, smsSender: true });
  });

  it('GRP-11 GRP-18 nobody gives or takes the management of a group that he does not manage', async () => {
    const [third, hidden] = [await account.group('Third'), await account.group('Hidden third')];
    await done(account.admin, 'setGroupRights', { groupId: own, managedGroupIds: [managed, third] });
    await done(account.admin, 'setGroupRights', { groupId: managed, managedGroupIds: [hidden, own] });
    const set = (managedGroupIds: string[]) => code(manager, 'setGroupRights', { groupId: managed, managedGroupIds });
    expect(await set([own, third]), 'his own group stays').toBe('done');
    expect(await set([third]), 'he does not manage his own group').toBe('FORBIDDEN');
    expect(await set([own, hidden])).toBe('NOT_FOUND');
    expect(await set([own, administrators])).toBe('NOT_FOUND');
    expect(await set([own])).toBe('done');
    expect(names((await read(account.admin, 'Managed')).managedGroups).sort()).toEqual(['Hidden third', 'Managing']);
    for (const [managedGroupIds, expected] of [
      [[third], 'done'],
      [[own], 'FORBIDDEN'],
      [[hidden], 'NOT_FOUND'],
    ] as const)
      expect(await code(manager, 'createGroup', { name: 'Over others', managedGroupIds })).toBe(expected);
    expect(await code(manager, 'createGroup', { name: 'Under a hidden one', managedById: hidden })).toBe('NOT_FOUND');
    expect(await code(manager, 'createGroup', { name: 'Under mine', managedById: own })).toBe('done');
    expect((await read(manager, 'Under mine')).viewerCan, 'and so he manages it').toContain('DELETE');
    await done(account.admin, 'setGroupRights', { groupId: managed, managedGroupIds: [] });
  });

  it('GRP-11 GRP-18 USR-12 add and remove the users that they manage, never themselves and never to Administrators', async () => {
    const second = await account.group('Second managed');
    await done(account.admin, 'setGroupRights', { groupId: own, managedGroupIds: [managed, second] });
    const [worker, stranger] = [
      await account.user('worker', [managed]),
      await account.user('stranger', [await account.group('Strangers')]),
    ];
    const add = (groupId: string, ...people: { id: string }[]) =>
      code(manager, 'addGroupMembers', { groupId, userIds: people.map(({ id }) => id) });
    for (let time = 0; time < 2; time++) expect(await add(second, worker)).toBe('done');
    expect((await read(account.admin, 'Second managed')).members.nodes).toEqual([{ username: 'worker' }]);
    expect(await add(second, stranger), 'whom he does not see').toBe('NOT_FOUND');
    expect(await add(second, worker, stranger)).toBe('NOT_FOUND');
    expect(await add(second, manager), 'himself').toBe('FORBIDDEN');
    expect(await add(own, worker), 'a group that he is only in').toBe('FORBIDDEN');
    expect(await add(administrators, worker)).toBe('NOT_FOUND');
    expect(await code(account.admin, 'addGroupMembers', { groupId: second, userIds: [other.admin.id] })).toBe(
      'NOT_FOUND',
    );
    // Managing one's own group needs its role.
    expect(await code(worker, 'addGroupMembers', { groupId: second, userIds: [worker.id] })).toBe('FORBIDDEN');
    await done(account.admin, 'updateGroup', { groupId: second, adminOfItself: true });
    expect((await read(worker, 'Second managed')).viewerCan).toContain('MANAGE_MEMBERS');
    expect(await code(worker, 'createUser', newUser('from-worker', { groupIds: [second] }))).toBe('done');
    await done(account.admin, 'updateGroup', { groupId: second, adminOfItself: false });

    const remove = (groupId: string, ...people: { id: string }[]) =>
      code(manager, 'removeGroupMembers', { groupId, userIds: people.map(({ id }) => id) });
    expect(await remove(managed, stranger)).toBe('NOT_FOUND');
    for (let time = 0; time < 2; time++) expect(await remove(managed, worker)).toBe('done');
    expect(await remove(own, manager)).toBe('FORBIDDEN');
    // An Administrator by a group that he manages, and the Administrators themselves.
    await done(account.admin, 'addGroupMembers', { groupId: administrators, userIds: [worker.id] });
    expect(await remove(administrators, worker)).toBe('NOT_FOUND');
    expect(await code(worker, 'addGroupMembers', { groupId: second, userIds: [worker.id] }), 'Administrators may').toBe(
      'done',
    );
    await done(account.admin, 'removeGroupMembers', { groupId: administrators, userIds: [worker.id] });
    const texts = (await account.log()).map(({ text }) => text);
    expect(texts).toContain('Group Second managed changed: members added: worker');
    expect(texts).toContain('Group Managed changed: members removed: worker');
  });

  it('GRP-10 GRP-20 delete a group that they manage; those who may create groups are not thereby its managers', async () => {
    const [theirs, fremd] = [
      await done(manager, 'createGroup', { name: 'Deletable', managedById: own }),
      await done(manager, 'createGroup', { name: 'Not theirs' }),
    ];
    expect(await code(manager, 'deleteGroup', { groupId: fremd.id })).toBe('NOT_FOUND');
    expect(await act(manager, 'deleteGroup', { groupId: theirs.id })).toMatchObject({ deletedGroupId: theirs.id });
    expect(await code(manager, 'deleteGroup', { groupId: theirs.id }), 'a second time').toBe('NOT_FOUND');
    const plain = await account.user('creates-nothing', [await account.group('Creates nothing')]);
    expect(await code(plain, 'createGroup', { name: 'Of nobody' })).toBe('FORBIDDEN');
  });
});

describe('members', () => {
  it('GRP-03 GRP-19 GRP-20 every user stays in a group: neither removal nor deletion takes the last one', async () => {
    const [one, two] = [await account.group('One'), await account.group('Two')];
    const [both, only] = [await account.user('in-both', [one, two]), await account.user('in-one', [one])];
    const remove = (groupId: string, ...people: Person[]) =>
      act(account.admin, 'removeGroupMembers', { groupId, userIds: people.map(({ id }) => id) });
    expect(await remove(one, both, only)).toMatchObject({
      code: 'USER_NEEDS_A_GROUP',
      path: ['userIds'],
      message: expect.stringContaining('in-one'),
    });
    expect(await act(account.admin, 'deleteGroup', { groupId: one })).toMatchObject({ code: 'GROUP_IN_USE' });
    const GROUPS = '{ viewer { user { groups { name } } } }';
    expect(names((await both.api.run(GROUPS)).viewer.user.groups), 'nothing of it was done').toEqual(['One', 'Two']);
    expect((await remove(one, both)).__typename).toBe('RemoveGroupMembersSuccess');
    expect(names((await both.api.run(GROUPS)).viewer.user.groups)).toEqual(['Two']);
    expect(await remove(two, both)).toMatchObject({ code: 'USER_NEEDS_A_GROUP' });
    await done(account.admin, 'addGroupMembers', { groupId: two, userIds: [only.id, both.id] });
    expect(await act(account.admin, 'deleteGroup', { groupId: one })).toMatchObject({ deletedGroupId: one });
    expect(names((await only.api.run(GROUPS)).viewer.user.groups)).toEqual(['Two']);
    expect((await account.log()).map(({ text }) => text)).toContain('Group One deleted');
  });

  it('ACC-23 GRP-18 Administrators make Administrators, and the last enabled one stays', async () => {
    const world = await TestAccount.create(server);
    const id = (await read(world.admin, 'Administrators')).id;
    const staff = await world.group('Staff');
    const deputy = await world.user('deputy', [staff]);
    const change = (who: Person, verb: 'addGroupMembers' | 'removeGroupMembers', ...people: Person[]) =>
      code(who, verb, { groupId: id, userIds: people.map((person) => person.id) });
    expect(await change(deputy, 'addGroupMembers', deputy)).toBe('NOT_FOUND');
    expect(await change(world.admin, 'addGroupMembers', deputy)).toBe('done');
    expect((await deputy.api.run('{ viewer { isAdministrator } }')).viewer.isAdministrator, 'at once').toBe(true);
    await done(world.admin, 'addGroupMembers', { groupId: staff, userIds: [world.admin.id] });
    expect(await change(deputy, 'removeGroupMembers', deputy, world.admin)).toBe('LAST_ADMINISTRATOR');

    // A disabled, an expired and an invited Administrator do not count.
    const { db } = server.app.platform;
    const key = decodeGlobalId(deputy.id).id;
    for (const state of [
      { disabledAt: server.clock.now() },
      { disabledAt: null, expiresAt: server.clock.now() },
      { expiresAt: null, passwordHash: null },
    ]) {
      await db.user.update({ where: { id: key }, data: state });
      expect(await change(world.admin, 'removeGroupMembers', world.admin)).toBe('LAST_ADMINISTRATOR');
    }
    await db.user.update({ where: { id: key }, data: { passwordHash: 'x' } });
    expect(await change(world.admin, 'removeGroupMembers', world.admin)).toBe('done');
    expect(await change(world.admin, 'removeGroupMembers', deputy), 'Administrator no longer').toBe('NOT_FOUND');
  });

  it('GRP-24 a dedicated pool, group and temporary user give a third party just one Ewon to connect to', async () => {
    const CREATE_EWON =
      'mutation ($input: CreateEwonInput!) { createEwon(input: $input) { __typename ... on CreateEwonSuccess { ewon { id } } ... on Error { code } } }';
    const create = async (name: string, poolIds: string[]) =>
      (await account.admin.api.succeed(CREATE_EWON, { input: { name, properties: { poolIds } } })).ewon.id;
    const dedicated = await account.pool('For the supplier');
    const [theirs] = [await create('Broken machine', [press, dedicated]), await create('Sound machine', [press])];
    const group = await account.group('Supplier', [{ poolId: dedicated, ...CONNECT }]);
    const supplier = await account.user('supplier', [group]);
    const SEES =
      '{ ewons { nodes { id viewerCan } } pools { nodes { name viewerCan } } groups { nodes { name viewerCan } } users { nodes { username } } account { viewerCan } }';
    expect(await supplier.api.run(SEES)).toEqual({
      ewons: { nodes: [{ id: theirs, viewerCan: [] }] },
      pools: { nodes: [{ name: 'For the supplier', viewerCan: ['CONNECT_ECATCHER', 'CONNECT_M2WEB'] }] },
      groups: { nodes: [{ name: 'Supplier', viewerCan: [] }] },
      users: { nodes: [{ username: 'supplier' }] },
      account: { viewerCan: [] },
    });
  });
});

describe('what depended on a lost right', () => {
  let ewon: TestEwon;
  let pool: string;
  beforeAll(async () => {
    pool = await account.pool('Live');
    ewon = await account.onlineEwon({ name: 'Live one', poolIds: [await account.defaultPool(), pool] });
    await account.setSlots(50);
  });
  afterAll(() => ewon.device.disconnect());
  const SESSION = 'query ($id: ID!) { node(id: $id) { ... on Session { state closeReason closedBy { username } } } }';
  const state = async (id: string): Promise<string> => {
    const { node } = await account.admin.api.run(SESSION, { id });
    return node.state === 'OPEN' ? 'OPEN' : node.closeReason;
  };
  const connected = async (person: Person, client: string): Promise<string> => {
    const opened = await openSession(person, ewon.id, { client });
    expect(opened, JSON.stringify(opened)).toMatchObject({ __typename: 'OpenSessionSuccess' });
    return opened.session.id;
  };

  it('GRP-21 a right that a group loses closes the sessions by it, of that client and of nobody else', async () => {
    const group = await account.group('Losing', [{ poolId: pool, ...CONNECT }]);
    const twice = await account.group('Keeping', [{ poolId: pool, connectEcatcher: true }]);
    const [loser, keeper] = [await account.user('loser', [group]), await account.user('keeper', [group, twice])];
    const sessions = [
      await connected(loser, 'ECATCHER'),
      await connected(loser, 'M2WEB'),
      await connected(keeper, 'ECATCHER'),
      await connected(keeper, 'M2WEB'),
    ];
    const states = () => Promise.all(sessions.map(state));
    await done(account.admin, 'setPoolRights', {
      groupId: group,
      poolRights: [{ poolId: pool, connectEcatcher: true }],
    });
    expect(await states()).toEqual(['OPEN', 'ACCESS_REVOKED', 'OPEN', 'ACCESS_REVOKED']);
    await done(account.admin, 'setPoolRights', { groupId: group, poolRights: [] });
    expect(await states()).toEqual(['ACCESS_REVOKED', 'ACCESS_REVOKED', 'OPEN', 'ACCESS_REVOKED']);
    expect((await account.admin.api.run(SESSION, { id: sessions[0] })).node.closedBy).toEqual({ username: 'admin' });
    expect(await openSession(loser, ewon.id), 'from the next request on').toMatchObject({ code: 'NOT_FOUND' });
  });

  it('GRP-20 GRP-21 so does the end of a membership and the deletion of the group, with its reservations', async () => {
    const group = await account.group('Ending', [{ poolId: pool, ...CONNECT }]);
    const rest = await account.group('Rest');
    const [leaver, stayer] = [await account.user('leaver', [group, rest]), await account.user('stayer', [group, rest])];
    const [left, stayed] = [await connected(leaver, 'ECATCHER'), await connected(stayer, 'ECATCHER')];
    await done(account.admin, 'removeGroupMembers', { groupId: group, userIds: [leaver.id] });
    expect([await state(left), await state(stayed)]).toEqual(['ACCESS_REVOKED', 'OPEN']);
    await account.admin.api.succeed(SET_RESERVATIONS, { reservations: [{ groupId: group, count: 2 }] });
    await done(account.admin, 'deleteGroup', { groupId: group });
    expect(await state(stayed)).toBe('ACCESS_REVOKED');
    const { slots } = (await account.admin.api.run('{ account { slots { reservations { count } freeForViewer } } }'))
      .account;
    expect(slots).toEqual({ reservations: [], freeForViewer: 49 });
    expect((await account.log()).map(({ text }) => text)).toContain(
      'Reserved connections changed: Ending: 0, for the group was deleted',
    );
  });

  it('GRP-21 WTL-03 those who wait for a connection without the right are told at once; a reserved one goes to a new member', async () => {
    const world = await TestAccount.create(server);
    const machine = await world.onlineEwon({ name: 'Contended' });
    const rights = [{ poolId: await world.defaultPool(), ...CONNECT }];
    const [crew, guests, empty] = [
      await world.group('Crew', rights),
      await world.group('Guests', rights),
      await world.group('Empty'),
    ];
    const guest = await world.user('guest', [guests, empty]);
    const member = await world.user('member', [guests, empty]);
    await world.admin.api.succeed(SET_RESERVATIONS, { reservations: [{ groupId: crew, count: 3 }] });
    const waiting = (count: number) =>
      eventually(
        'places in the queue',
        () => server.app.platform.db.slotWaiter.count({ where: { accountId: world.id, state: 'WAITING' } }),
        (now) => now === count,
      );
    const [forGuest, forMember] = [
      openSession(guest, machine.id, { waitSeconds: 300 }),
      openSession(member, machine.id, { waitSeconds: 300 }),
    ];
    await waiting(2);
    await done(world.admin, 'removeGroupMembers', { groupId: guests, userIds: [guest.id] });
    expect(await forGuest).toMatchObject({ code: 'NOT_FOUND' });
    await waiting(1);
    await done(world.admin, 'addGroupMembers', { groupId: crew, userIds: [member.id] });
    expect(await forMember).toMatchObject({ session: { slot: { reserved: true } } });
    await machine.device.disconnect();
  });

  it('GRP-05 GRP-21 EVT-07 a stream shows from the next event on only what is still seen', async () => {
    const group = await account.group('Watching', [{ poolId: pool, connectEcatcher: true }]);
    const watcher = await account.user('watcher', [group]);
    const admin = account.admin;
    const { edges } = (await admin.api.run('{ logEntries(first: 1) { edges { cursor } } }')).logEntries;
    const stream = watcher.api.subscribe(
      'subscription ($after: Cursor) { connectionEvents(after: $after) { events { __typename } } }',
      { after: edges[0].cursor },
    );
    const started = () => stream.received.flatMap(({ connectionEvents }) => connectionEvents.events).length;
    await openSession(admin, ewon.id, { client: 'M2WEB' });
    await stream.waitFor('the first event', () => started() === 1);
    await done(admin, 'setPoolRights', { groupId: group, poolRights: [] });
    await openSession(admin, ewon.id, { client: 'M2WEB' });
    await done(admin, 'setPoolRights', { groupId: group, poolRights: [{ poolId: pool, connectM2web: true }] });
    await openSession(admin, ewon.id, { client: 'M2WEB' });
    await stream.waitFor('the event after the right is back', () => started() === 2);
    await stream.leave();
  });
});

describe('plans without groups', () => {
  const PEOPLE = '{ users { nodes { username role status groups { name } } } }';
  const people = async (admin: Person): Promise<Record<string, Json>> =>
    Object.fromEntries((await admin.api.run(PEOPLE)).users.nodes.map((user: Json) => [user.username, user]));
  const change = (world: TestAccount, plan: Plan) => setPlan(server.app.platform, world.id, plan);
  const row = (world: TestAccount) =>
    server.app.platform.db.account.findUniqueOrThrow({ where: { id: world.id }, include: { slots: true } });

  it('ACC-05 ACC-06 ACC-08 ACC-09 ACC-10 ACC-11 GRP-01 GRP-23 have two roles, the default pool and none of the features that a row leaves out', async () => {
    for (const plan of ['FREE', 'LIGHT'] as const) {
      const world = await TestAccount.create(server, plan);
      const user = await world.user('hand');
      const chief = await world.user('chief', [], { role: 'ADMINISTRATOR' });
      const { id } = await world.ewon({ name: 'Machine' });
      const pool = await world.defaultPool();
      const FEATURES =
        '{ account { plan features { groups pools reservedConnections multipleConcurrentConnections } viewerCan } }';
      expect((await chief.api.run(FEATURES)).account).toEqual({
        plan,
        features: {
          ...{ groups: false, pools: false, reservedConnections: false },
          multipleConcurrentConnections: plan === 'LIGHT',
        },
        viewerCan: ['ADMINISTER'],
      });
      // Nothing of groups and pools but the one pool that every Ewon is in.
      const SEES =
        '{ groups { totalCount } pools { nodes { id isDefault viewerCan } } ewons { nodes { id viewerCan pools { id } } } }';
      expect(await user.api.run(SEES)).toEqual({
        groups: { totalCount: 0 },
        pools: { nodes: [{ id: pool, isDefault: true, viewerCan: ['CONNECT_ECATCHER', 'CONNECT_M2WEB'] }] },
        ewons: { nodes: [{ id, viewerCan: ['CONNECT_ECATCHER', 'CONNECT_M2WEB'], pools: [{ id: pool }] }] },
      });
      const { pools, groups } = await chief.api.run(SEES);
      expect(groups.totalCount).toBe(0);
      expect(pools.nodes[0].viewerCan).toEqual(['CONNECT_ECATCHER', 'CONNECT_M2WEB', 'MODIFY', 'ADMINISTER']);
      const { db } = server.app.platform;
      const builtIn = await db.group.findFirstOrThrow({ where: { accountId: world.id } });
      const groupId = encodeGlobalId('Group', builtIn.id);
      for (const who of [user, chief]) {
        for (const [verb, input] of Object.entries({
          createGroup: { name: 'None' },
          updateGroup: { groupId, name: 'None' },
          deleteGroup: { groupId },
          setPoolRights: { groupId, poolRights: [] },
          setGroupRights: { groupId, managedGroupIds: [] },
          addGroupMembers: { groupId, userIds: [chief.id] },
          removeGroupMembers: { groupId, userIds: [chief.id] },
        }) as [keyof typeof VERBS, object][])
          expect(await code(who, verb, input), verb).toBe('PLAN_FEATURE_NOT_AVAILABLE');
        for (const [verb, input] of [
          ['createPool', '{ name: "None" }'],
          ['updatePool', `{ poolId: "${pool}", name: "None" }`],
          ['deletePool', `{ poolId: "${pool}" }`],
          ['addEwonsToPool', `{ poolId: "${pool}", ewonIds: ["${id}"] }`],
          ['removeEwonsFromPool', `{ poolId: "${pool}", ewonIds: ["${id}"] }`],
        ])
          expect(
            await who.api.mutate(`mutation { ${verb}(input: ${input}) { ... on Error { code } } }`),
            `${verb} of ${who.username}`,
          ).toEqual({ code: 'PLAN_FEATURE_NOT_AVAILABLE' });
      }
      expect(await db.group.count({ where: { accountId: world.id } }), 'nothing was changed').toBe(1);
      expect(await db.pool.count({ where: { accountId: world.id } })).toBe(1);
      const SLOTS =
        'mutation { setConcurrentConnections(input: { concurrentConnections: 4, acknowledgeContractChange: true }) { __typename ... on Error { code } } }';
      expect((await chief.api.mutate(SLOTS)).code ?? 'done').toBe(
        plan === 'FREE' ? 'PLAN_FEATURE_NOT_AVAILABLE' : 'done',
      );
      expect((await row(world)).concurrentConnections).toBe(plan === 'FREE' ? 1 : 4);
    }
  });

  it('ACC-07 ACC-15 GRP-03 after an upgrade everybody has a group and keeps what he had', async () => {
    const world = await TestAccount.create(server, 'LIGHT');
    const user = await world.user('hand');
    const chief = await world.user('chief', [], { role: 'ADMINISTRATOR' });
    const ewon = await world.onlineEwon({ name: 'Machine' });
    await world.setSlots(5);
    const { session } = await openSession(user, ewon.id);
    for (let time = 0; time < 2; time++) await change(world, 'PRO');
    expect(await people(world.admin)).toMatchObject({
      admin: { groups: [{ name: 'Administrators' }] },
      chief: { groups: [{ name: 'Administrators' }] },
      hand: { groups: [{ name: 'Users' }], status: 'ENABLED' },
    });
    expect((await chief.api.run('{ viewer { isAdministrator } }')).viewer.isAdministrator).toBe(true);
    const SEES = 'query ($id: ID!) { viewer { isAdministrator } ewon(by: { id: $id }) { viewerCan } }';
    expect(await user.api.run(SEES, { id: ewon.id })).toEqual({
      viewer: { isAdministrator: false },
      ewon: { viewerCan: ['CONNECT_ECATCHER', 'CONNECT_M2WEB'] },
    });
    expect(await row(world)).toMatchObject({ plan: 'PRO', concurrentConnections: 5 });
    const stillOpen = 'query ($id: ID!) { node(id: $id) { ... on Session { state } } }';
    expect((await user.api.run(stillOpen, { id: session.id })).node.state).toBe('OPEN');
    const changes = (await world.log()).filter((entry) => entry.code === 'PLAN_CHANGED');
    expect(changes).toMatchObject([{ text: 'Plan changed from LIGHT to PRO', trigger: 'PLATFORM', severity: 'INFO' }]);

    const alone = await TestAccount.create(server, 'FREE');
    await change(alone, 'PRO');
    expect(names((await alone.admin.api.run('{ groups { nodes { name } } }')).groups.nodes)).toEqual([
      'Administrators',
    ]);
    expect((await row(alone)).concurrentConnections, 'the number of the plan').toBe(3);
    await change(alone, 'LIGHT');
    expect(await row(alone)).toMatchObject({ plan: 'LIGHT', concurrentConnections: 3 });
    await change(alone, 'FREE');
    expect(await row(alone)).toMatchObject({ plan: 'FREE', concurrentConnections: 1 });
  });

  it('ACC-17 ACC-18 ACC-19 ACC-20 GRP-21 a downgrade takes groups, pools and reservations; temporary users and lost rights end, the rest goes on', async () => {
    const world = await TestAccount.create(server);
    const { db } = server.app.platform;
    const [defaultPool, pool] = [await world.defaultPool(), await world.pool('Second')];
    const ewons = [
      await world.onlineEwon({ name: 'In default' }),
      await world.onlineEwon({ name: 'In second', poolIds: [pool] }),
    ];
    const group = await world.group('Crew', [
      { poolId: pool, ...CONNECT },
      { poolId: defaultPool, ...CONNECT },
    ]);
    const builtIn = (await read(world.admin, 'Administrators')).id;
    const [worker, guest, deputy] = [
      await world.user('worker', [group]),
      await world.user('guest', [group]),
      await world.user('deputy', [group, builtIn]),
    ];
    const tomorrow = new Date(server.clock.now().getTime() + 86_400_000);
    await db.user.updateMany({
      where: { id: { in: [decodeGlobalId(guest.id).id] } },
      data: { expiresAt: tomorrow },
    });
    await db.account.update({
      where: { id: world.id },
      data: { twoFactorRequired: true, autoRegistrationPoolId: decodeGlobalId(pool).id },
    });
    const now = server.clock.now();
    const token = (name: string, poolId: string | null) => ({
      ...{ accountId: world.id, name, nameKey: name, prefix: name, tokenHash: `${world.id} ${name}` },
      ...{ poolId: poolId && decodeGlobalId(poolId).id, createdAt: now, renewedAt: now },
    });
    await db.apiToken.createMany({ data: [token('limited', pool), token('free', null)] });
    await world.setSlots(5);
    await world.admin.api.succeed(SET_RESERVATIONS, {
      reservations: [
        { groupId: group, count: 2 },
        { groupId: builtIn, count: 1 },
      ],
    });
    const open: string[] = [];
    for (const [person, ewon] of [
      [worker, ewons[1]],
      [deputy, ewons[0]],
      [guest, ewons[1]],
    ] as const)
      open.push((await openSession(person, (ewon as TestEwon).id)).session.id);

    for (let time = 0; time < 2; time++) await change(world, 'FREE');

    expect(await people(world.admin)).toMatchObject({
      admin: { role: 'ADMINISTRATOR', status: 'ENABLED', groups: [] },
      worker: { role: 'USER', status: 'ENABLED', groups: [] },
      guest: { role: 'USER', status: 'DISABLED', groups: [] },
      deputy: { role: 'ADMINISTRATOR', status: 'ENABLED' },
    });
    const SEES = '{ groups { totalCount } pools { nodes { id } } ewons { nodes { name viewerCan pools { id } } } }';
    const connect = ['CONNECT_ECATCHER', 'CONNECT_M2WEB'];
    expect(await worker.api.run(SEES), 'every user reaches every Ewon').toEqual({
      groups: { totalCount: 0 },
      pools: { nodes: [{ id: defaultPool }] },
      ewons: {
        nodes: [
          { name: 'In default', viewerCan: connect, pools: [{ id: defaultPool }] },
          { name: 'In second', viewerCan: connect, pools: [{ id: defaultPool }] },
        ],
      },
    });
    expect((await guest.api.send(SEES)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(await db.ewon.count({ where: { accountId: world.id, firewallLevel: 'HIGH' } })).toBe(2);
    expect(await db.apiToken.count({ where: { accountId: world.id, poolId: null } })).toBe(2);
    const after = await row(world);
    expect(after).toMatchObject({
      ...{ plan: 'FREE', concurrentConnections: 1, pendingSlots: null, twoFactorRequired: false },
      autoRegistrationPoolId: null,
    });
    // Live connections are not cut: the two others hold the rows that are over the number until they leave.
    const { nodes } = await world.admin.api.run(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Session { state closeReason } } }',
      { ids: open },
    );
    expect(nodes).toEqual([
      { state: 'OPEN', closeReason: null },
      { state: 'OPEN', closeReason: null },
      { state: 'CLOSED', closeReason: 'USER_DISABLED' },
    ]);
    expect(after.slots.map(({ groupId, sessionId }) => [groupId, sessionId !== null])).toEqual([
      [null, true],
      [null, true],
    ]);
    const texts = (await world.log()).map(({ text }) => text);
    expect(texts.filter((text) => text.startsWith('Plan changed'))).toEqual(['Plan changed from PRO to FREE']);
    expect(texts).toContain('User guest disabled by the change of plan');
    expect(texts).toContain('API token limited changed: valid for all Ewons, for the plan became FREE');
    expect(texts).toContain('Concurrent connections changed from 5 to 1');

    // Nobody's rights come back with the plan: roles are what counts by then.
    await db.user.update({ where: { id: decodeGlobalId(deputy.id).id }, data: { role: 'USER' } });
    await change(world, 'PRO');
    expect(await people(world.admin)).toMatchObject({
      admin: { groups: [{ name: 'Administrators' }] },
      deputy: { groups: [{ name: 'Users' }] },
    });
    expect((await deputy.api.run('{ viewer { isAdministrator } }')).viewer.isAdministrator).toBe(false);
    for (const ewon of ewons) await ewon.device.disconnect();
  });

  it('ACC-19 ACC-23 a downgrade leaves an Administrator: of temporary ones alone, the one whose date is the latest', async () => {
    const world = await TestAccount.create(server);
    const builtIn = (await read(world.admin, 'Administrators')).id;
    const deputy = await world.user('deputy', [builtIn]);
    const { db } = server.app.platform;
    const inDays = (days: number) => ({ expiresAt: new Date(server.clock.now().getTime() + days * 86_400_000) });
    await db.user.update({ where: { id: decodeGlobalId(deputy.id).id }, data: inDays(3) });
    await db.user.update({ where: { id: decodeGlobalId(world.admin.id).id }, data: inDays(2) });
    await change(world, 'FREE');
    expect(await people(deputy)).toMatchObject({ admin: { status: 'DISABLED' }, deputy: { status: 'ENABLED' } });
  });
});

onPostgres('races', () => {
  let raced: TestServer;
  let world: TestAccount;
  beforeAll(async () => {
    ({ server: raced, account: world } = await startWorld({ database: 'postgresql' }));
  });
  afterAll(() => raced.close());

  it('ACC-23 GRP-03 GRP-06 of Administrators who remove each other one stays, of two last memberships one, of ten names one', async () => {
    const builtIn = (await read(world.admin, 'Administrators')).id;
    const [one, two] = [await world.group('One'), await world.group('Two')];
    const deputies = await Promise.all([1, 2, 3].map((n) => world.user(`deputy-${n}`, [builtIn, one])));
    await done(world.admin, 'addGroupMembers', { groupId: one, userIds: [world.admin.id] });
    const everybody = [world.admin, ...deputies];
    const outcomes = await Promise.all(
      everybody.map((who, index) => {
        const victim = everybody[(index + 1) % everybody.length] as Person;
        return code(who, 'removeGroupMembers', { groupId: builtIn, userIds: [victim.id] });
      }),
    );
    const { db } = raced.app.platform;
    const left = await db.groupMember.count({ where: { group: { accountId: world.id, administrators: true } } });
    expect(left).toBeGreaterThan(0);
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(4 - left);

    const admins = await db.groupMember.findMany({
      where: { group: { accountId: world.id, administrators: true } },
      include: { user: true },
    });
    const admin = await logInAgain(admins[0]?.user.username as string);
    const torn = await done(admin, 'createUser', newUser('torn', { groupIds: [one, two] }));
    const leaving = await Promise.all(
      [one, two].map((groupId) => code(admin, 'removeGroupMembers', { groupId, userIds: [torn.user.id] })),
    );
    expect(leaving.sort()).toEqual(['USER_NEEDS_A_GROUP', 'done']);

    const named = await Promise.all(Array.from({ length: 10 }, () => code(admin, 'createGroup', { name: 'Same' })));
    expect(named.sort()).toEqual([...Array(9).fill('GROUP_NAME_IN_USE'), 'done'].sort());

    // A group that is made while the plan loses groups is not there afterwards.
    const made = await Promise.all([
      ...Array.from({ length: 5 }, (_, index) => code(admin, 'createGroup', { name: `Late ${index}` })),
      setPlan(raced.app.platform, world.id, 'FREE'),
      ...Array.from({ length: 5 }, (_, index) => code(admin, 'createGroup', { name: `Later ${index}` })),
    ]);
    expect(new Set(made).size).toBeGreaterThan(1);
    expect(await db.group.count({ where: { accountId: world.id, administrators: false } })).toBe(0);
  });

  const logInAgain = (username: string): Promise<Person> =>
    logIn(raced, world.name, username, username === 'admin' ? 'Admin-pass-1' : USER_PASSWORD);
});

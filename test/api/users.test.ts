import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiCaller, eventually, type Json } from '../support/client.ts';
import { lastMessage, messagesTo } from '../support/messages.ts';
import { onPostgres, type TestServer } from '../support/server.ts';
import { change, read, type UserMutation } from '../support/users.ts';
import {
  ADMIN_PASSWORD,
  logIn,
  openSession,
  type Person,
  startWorld,
  TestAccount,
  type TestEwon,
  USER_PASSWORD,
} from '../support/world.ts';

const DAY_MS = 86_400_000;
const HALF_DAY_MS = DAY_MS / 2;
const OTHER_PASSWORD = 'Other-pass-1';
/** The clock is moved by days here. */
const env = { LOGIN_HOURS: '720', LOGIN_IDLE_MINUTES: '1440', RECOVERIES_PER_HOUR: '1000' };

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
let admin: Person;
let ewon: TestEwon;
/** May connect to every Ewon; managed by `manager`'s group. */
let crew: string;
/** Managed by Administrators alone. */
let staff: string;
let administrators: string;
let manager: Person;

beforeAll(async () => {
  ({ server, account } = await startWorld({ env }));
  ({ admin } = account);
  other = await TestAccount.create(server);
  ewon = await account.onlineEwon();
  const managers = await account.group('Managers');
  const rights = [{ poolId: await account.defaultPool(), connectEcatcher: true, connectM2web: true }];
  crew = await account.group('Crew', rights, { managedById: managers });
  staff = await account.group('Staff');
  administrators = await administratorsOf(admin);
  manager = await account.user('manager', [managers]);
});
afterAll(async () => {
  await ewon.device.disconnect();
  await server.close();
});

const administratorsOf = async (who: Person): Promise<string> =>
  (await who.api.run('{ groups { nodes { id isAdministrators } } }')).groups.nodes.find(
    (group: Json) => group.isAdministrators,
  ).id;

const newUser = (username: string, more: object = {}) => ({
  username,
  email: `${username}@example.com`,
  password: USER_PASSWORD,
  passwordConfirmation: USER_PASSWORD,
  groupIds: [crew],
  ...more,
});
/** A user without a login. */
const create = async (username: string, more: object = {}): Promise<Json> => {
  const result = await change(admin, 'createUser', newUser(username, more));
  expect(result.__typename, JSON.stringify(result)).toBe('CreateUserSuccess');
  return result.user;
};
const update = (who: Person, userId: string, properties: object): Promise<Json> =>
  change(who, 'updateUser', { userId, properties });
const logins = async (username: string, password = USER_PASSWORD): Promise<Json> =>
  (
    await new ApiCaller(server.url).mutate(
      'mutation ($input: LoginInput!) { login(input: $input) { __typename ... on Error { code } } }',
      { input: { account: account.name, username, password } },
    )
  ).__typename;
const newest = async (code: string): Promise<Json> => (await account.log({ codes: [code] }, 1))[0];
const parametersOf = ({ parameters }: Json): Json =>
  Object.fromEntries(parameters.map(({ name, value }: Json) => [name, value]));
const alive = async (person: Person): Promise<boolean> =>
  (await person.api.run('{ viewer { user { id } } }')).viewer !== null;
const sessionOf = async (id: string): Promise<Json> =>
  (
    await admin.api.run(
      'query ($id: ID!) { node(id: $id) { ... on Session { state closeReason closedBy { username } } } }',
      { id },
    )
  ).node;
const later = (ms: number): string => new Date(server.clock.now().getTime() + ms).toISOString();
const outcome = (result: Json): string => result.code ?? result.__typename;

describe('creating a user', () => {
  it('USR-06 USR-07 USR-08 USR-15 USR-40 USR-41 needs name, e-mail and groups; the rest is optional and has defaults', async () => {
    const plain = await create('plain');
    expect(plain).toMatchObject({
      fullName: null,
      description: null,
      displayName: 'plain',
      customFields: [1, 2, 3].map((number) => ({ label: `Custom field ${number}`, value: null })),
      nameIsPublic: false,
      mayEditOwnProperties: true,
      forbidPasswordChange: false,
      mustChangePassword: false,
      status: 'ENABLED',
      disabledReason: null,
      lockedUntil: null,
      expiresAt: null,
      isTemporary: false,
      invitationSentAt: null,
    });
    expect(plain.reference).toMatch(/^USR\d+$/);
    const next = await create('next');
    expect(Number(next.reference.slice(3))).toBeGreaterThan(Number(plain.reference.slice(3)));
    expect(await newest('USER_CREATED')).toMatchObject({
      userName: 'admin',
      parameters: expect.arrayContaining([{ name: 'reference', value: next.reference }]),
    });
  });

  it('USR-08 USR-09 USR-10 USR-37 takes permissions, custom fields, groups, second factor and expiration date with it', async () => {
    const expiresAt = later(DAY_MS);
    const full = await create('full', {
      fullName: 'Fully Equipped',
      description: 'With everything',
      customFields: ['one', null, 'three'],
      nameIsPublic: true,
      mayEditOwnProperties: false,
      forbidPasswordChange: true,
      groupIds: [crew, staff],
      expiresAt,
      secondFactor: { method: 'EMAIL' },
    });
    expect(full).toMatchObject({
      displayName: 'Fully Equipped[full]',
      customFields: [{ value: 'one' }, { value: null }, { value: 'three' }],
      nameIsPublic: true,
      mayEditOwnProperties: false,
      forbidPasswordChange: true,
      groups: [{ name: 'Crew' }, { name: 'Staff' }],
      expiresAt,
      isTemporary: true,
    });
    expect(await logins('full')).toBe('SecondFactorRequired');
  });

  it('USR-09 USR-10 uses exactly one way to a password, and does nothing unless the whole input is valid', async () => {
    const refused = (more: object) => change(admin, 'createUser', newUser('halfway', more));
    for (const [more, paths] of [
      [{ invite: true }, ['password']],
      [{ password: undefined, passwordConfirmation: undefined }, ['password']],
      [{ passwordConfirmation: undefined }, ['passwordConfirmation']],
      [
        { username: ' ', fullName: 'x'.repeat(101), customFields: ['1', '2', '3', '4'], invite: true },
        ['username', 'fullName', 'customFields', 'password'],
      ],
    ] as const) {
      const result = await refused(more);
      expect(result).toMatchObject({ __typename: 'ValidationError', code: 'VALIDATION_FAILED' });
      expect(result.inputViolations.map(({ path }: Json) => path.join('.'))).toEqual(paths);
    }
    for (const [more, error] of [
      [{ expiresAt: later(-1000) }, { code: 'VALIDATION_FAILED', path: ['expiresAt'] }],
      [{ password: 'short', passwordConfirmation: 'short' }, { violations: ['TOO_SHORT', 'NO_DIGIT'] }],
      [{ passwordConfirmation: OTHER_PASSWORD }, { code: 'PASSWORD_CONFIRMATION_MISMATCH' }],
      [{ secondFactor: { method: 'SMS', mobile: '12' } }, { code: 'INVALID_PHONE_NUMBER' }],
      [{ groupIds: [] }, { code: 'USER_NEEDS_A_GROUP', path: ['groupIds'] }],
      [{ groupIds: [crew, await other.group('Foreign')] }, { code: 'NOT_FOUND' }],
    ] as const)
      expect(await refused(more), JSON.stringify(more)).toMatchObject(error);
    expect(await read(admin, { username: 'halfway' })).toBeNull();
    expect(await server.app.platform.db.message.count({ where: { recipient: 'halfway@example.com' } })).toBe(0);
    await create('halfway');
  });
});

describe('the list of users', () => {
  it('USR-01 USR-24 USR-25 USR-29 USR-39 shows status, disabled users too, and can be restricted', async () => {
    const list = async (filter: object, who = admin): Promise<string[]> =>
      (
        await who.api.run(
          'query ($filter: UserFilter) { users(filter: $filter, first: 500) { nodes { username } totalCount } }',
          {
            filter: { search: 'listed', ...filter },
          },
        )
      ).users.nodes.map(({ username }: Json) => username);
    await create('listed-enabled');
    await create('listed-invited', { password: undefined, passwordConfirmation: undefined, invite: true });
    const disabled = await create('listed-disabled', { expiresAt: later(9 * DAY_MS) });
    expect((await change(admin, 'disableUser', { userId: disabled.id })).user.status).toBe('DISABLED');
    const all = ['listed-enabled', 'listed-invited', 'listed-disabled'];
    expect(await list({})).toEqual(all);
    expect(await list({ status: 'ENABLED' })).toEqual(['listed-enabled']);
    expect(await list({ status: 'PENDING' })).toEqual(['listed-invited']);
    expect(await list({ status: 'DISABLED' })).toEqual(['listed-disabled']);
    expect(await list({ temporary: true })).toEqual(['listed-disabled']);
    expect(await list({ temporary: false })).toEqual(['listed-enabled', 'listed-invited']);
    expect(await list({ expiresBefore: later(8 * DAY_MS) })).toEqual([]);
    expect(await list({ expiresBefore: later(10 * DAY_MS) })).toEqual(['listed-disabled']);
    expect(await list({ groupId: staff })).toEqual([]);
    expect(await list({ search: 'listed_' }), 'no pattern').toEqual([]);
    expect(await list({}, manager)).toEqual(all);
    expect(await list({}, other.admin)).toEqual([]);
  });

  it('USR-03 one user is found by id, reference or name, by those who may see him', async () => {
    const { id, reference } = await create('Sought');
    for (const by of [{ id }, { reference }, { username: 'sOUGHT' }]) {
      expect((await read(admin, by)).username).toBe('Sought');
      expect((await read(manager, by)).username).toBe('Sought');
      expect(await read(other.admin, by)).toBeNull();
    }
    const unseen = await create('unseen', { groupIds: [staff] });
    for (const by of [{ id: unseen.id }, { reference: unseen.reference }, { username: 'unseen' }])
      expect(await read(manager, by)).toBeNull();
  });

  it('USR-42 the log of one or several selected users can be read', async () => {
    const people = await Promise.all(['logged-1', 'logged-2'].map((name) => account.user(name, [crew])));
    const entries = await account.log({ userIds: people.map(({ id }) => id) });
    expect(entries.map(({ code, userName }) => [code, userName]).sort()).toEqual([
      ['LOGIN_SUCCEEDED', 'logged-1'],
      ['LOGIN_SUCCEEDED', 'logged-2'],
    ]);
  });

  it('USR-36 VPN-04 properties show tunnel and address', async () => {
    const traveller = await account.user('traveller', [crew]);
    expect((await read(admin, { id: traveller.id })).vpn).toEqual({
      state: 'NO_TUNNEL',
      address: null,
      current: false,
    });
    const { session } = await openSession(traveller, ewon.id);
    const { vpn } = await read(admin, { id: traveller.id });
    expect(vpn).toEqual({ state: 'CONNECTING', address: session.userVpnAddress, current: true });
    expect((await change(admin, 'disableUser', { userId: traveller.id, confirm: true })).user.vpn).toEqual({
      state: 'NO_TUNNEL',
      address: session.userVpnAddress,
      current: false,
    });
  });
});

describe('who may do what', () => {
  /** In the order of USER_ACTIONS, as `viewerCan` tells them of an enabled user. */
  const EVERYTHING = [
    'MODIFY',
    'MODIFY_RIGHTS',
    'SET_PASSWORD',
    'FORCE_PASSWORD_CHANGE',
    'INVITE',
    'DISABLE',
    'DELETE',
    'DUPLICATE',
  ];
  const inputs = (userId: string, name: string): [UserMutation, object][] => [
    ['updateUser', { userId, properties: { description: `By ${name}` } }],
    ['updateUser', { userId, properties: { nameIsPublic: true } }],
    ['setUserPassword', { userId, password: OTHER_PASSWORD, passwordConfirmation: OTHER_PASSWORD }],
    ['forcePasswordChange', { userId }],
    ['inviteUser', { userId }],
    ['disableUser', { userId, confirm: true }],
    ['enableUser', { userId }],
    [
      'duplicateUser',
      { userId, username: `copy-${name}`, password: USER_PASSWORD, passwordConfirmation: USER_PASSWORD },
    ],
    ['deleteUser', { userId, confirm: true }],
  ];
  const outcomes = async (who: Person | ApiCaller, userId: string, name: string): Promise<string[]> => {
    const results: string[] = [];
    for (const [mutation, input] of inputs(userId, name)) results.push(outcome(await change(who, mutation, input)));
    return results;
  };

  it('USR-02 USR-03 USR-12 GRP-11 GRP-18 Administrators everything, managers of his groups as far as they hold them, others nothing', async () => {
    const member = await account.user('member', [crew]);
    const deputy = await create('deputy', { groupIds: [administrators, crew] });
    const shared = await create('shared', { groupIds: [crew, staff] });
    const unmanaged = await create('unmanaged', { groupIds: [staff] });
    const target = await create('target');
    expect((await read(admin, { id: target.id })).viewerCan).toEqual(EVERYTHING);
    expect((await read(manager, { id: target.id })).viewerCan).toEqual(EVERYTHING);
    expect((await read(manager, { id: deputy.id })).viewerCan).toEqual([]);
    expect((await read(manager, { id: shared.id })).viewerCan).toEqual(
      EVERYTHING.filter((action) => action !== 'SET_PASSWORD' && action !== 'DUPLICATE'),
    );

    const every = (value: string) => Array(9).fill(value);
    expect(await outcomes(manager, deputy.id, 'm1')).toEqual(every('FORBIDDEN'));
    expect(await outcomes(member, target.id, 'm2')).toEqual(every('NOT_FOUND'));
    expect(await outcomes(manager, unmanaged.id, 'm3')).toEqual(every('NOT_FOUND'));
    expect(await outcomes(other.admin, target.id, 'm4')).toEqual(every('NOT_FOUND'));
    for (const unknown of ['malformed', await other.group('No user')])
      expect(await outcomes(admin, unknown, 'm5')).toEqual(every('NOT_FOUND'));
    expect(await read(admin, { id: target.id })).toEqual({ ...target, viewerCan: EVERYTHING });

    const done = [
      'UpdateUserSuccess',
      'UpdateUserSuccess',
      'SetUserPasswordSuccess',
      'ForcePasswordChangeSuccess',
      'InviteUserSuccess',
      'DisableUserSuccess',
      'EnableUserSuccess',
      'DuplicateUserSuccess',
      'DeleteUserSuccess',
    ];
    expect(await outcomes(manager, target.id, 'm6')).toEqual(done);
    expect(await outcomes(manager, shared.id, 'm7')).toEqual(
      done.map((name) => (/SetUserPassword|Duplicate/.test(name) ? 'FORBIDDEN' : name)),
    );
    expect(await outcomes(admin, deputy.id, 'm8')).toEqual(done);
    const nobody = new ApiCaller(server.url);
    for (const [mutation, input] of inputs(unmanaged.id, 'm9'))
      await expect(change(nobody, mutation, input), mutation).rejects.toThrow('UNAUTHENTICATED');
  });

  it('GRP-18 a manager changes the e-mail address only of those whose password he may set, for links go there', async () => {
    const both = await create('mail-both', { groupIds: [crew, staff] });
    const own = await create('mail-own');
    const email = 'manager@example.com';
    expect(await update(manager, both.id, { email })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await update(manager, both.id, { fullName: 'Named' })).toMatchObject({ __typename: 'UpdateUserSuccess' });
    expect((await update(manager, own.id, { email })).user.email).toBe(email);
  });

  it('AUTH-21 an e-mail address that codes go to is a sensitive thing', async () => {
    const { id } = await create('mailed', { secondFactor: { method: 'EMAIL' } });
    expect(await update(manager, id, { email: 'x@example.com' })).toMatchObject({ code: 'FORBIDDEN' });
    const confirmedAt = { confirmedAt: new Date(server.clock.now().getTime() - DAY_MS) };
    await server.app.platform.db.login.updateMany({ data: confirmedAt });
    expect(await update(admin, id, { email: 'x@example.com' })).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
    expect((await read(admin, { id })).email).toBe('mailed@example.com');
  });

  it('USR-16 USR-17 USR-18 users change their own name and e-mail if they may, never permissions and rights', async () => {
    const group = await account.group('Self-managed');
    await admin.api.succeed(
      'mutation ($id: ID!) { updateGroup(input: { groupId: $id, adminOfItself: true }) { __typename } }',
      { id: group },
    );
    const self = await account.user('self', [group]);
    expect((await read(self, { id: self.id })).viewerCan).toEqual(['MODIFY_OWN', 'CHANGE_OWN_PASSWORD']);
    expect((await update(self, self.id, { fullName: 'Self Made', email: 'me@example.com' })).user).toMatchObject({
      fullName: 'Self Made',
      email: 'me@example.com',
    });
    const forbidden: object[] = [
      { username: 'boss' },
      { description: 'x' },
      { customFields: ['x'] },
      { nameIsPublic: true },
      { mayEditOwnProperties: true },
      { forbidPasswordChange: false },
      { groupIds: [group, crew] },
      { expiresAt: null },
      { fullName: 'x', nameIsPublic: true },
    ];
    for (const properties of forbidden)
      expect(await update(self, self.id, properties), JSON.stringify(properties)).toMatchObject({ code: 'FORBIDDEN' });
    await update(admin, self.id, { mayEditOwnProperties: false });
    expect((await read(self, { id: self.id })).viewerCan).toEqual([]);
    for (const properties of [{ fullName: 'Again' }, { email: 'again@example.com' }])
      expect(await update(self, self.id, properties)).toMatchObject({ code: 'FORBIDDEN' });
    expect((await read(admin, { id: self.id })).fullName).toBe('Self Made');
  });

  it('USR-19 forbidding the password change takes every way to one', async () => {
    const held = await account.user('held', [crew]);
    await change(admin, 'inviteUser', { userId: held.id });
    await change(admin, 'forcePasswordChange', { userId: held.id });
    const { link } = await lastMessage(server, 'held@example.com', 'INVITATION');
    expect((await update(admin, held.id, { forbidPasswordChange: true })).user).toMatchObject({
      mustChangePassword: false,
      invitationExpiresAt: null,
    });
    expect((await read(held, { id: held.id })).viewerCan).toEqual(['MODIFY_OWN']);
    const accepted = await change(new ApiCaller(server.url), 'acceptInvitation', {
      token: link.split('#')[1],
      password: OTHER_PASSWORD,
      passwordConfirmation: OTHER_PASSWORD,
    });
    expect(accepted).toMatchObject({ code: 'INVITATION_INVALID' });
    expect(await logins('held')).toBe('LoginSuccess');
    // The permission to edit the own properties does not help.
    expect((await read(admin, { id: held.id })).mayEditOwnProperties).toBe(true);
  });
});

describe('modifying a user', () => {
  it('USR-20 GRP-19 changes what is given, keeps what is not, clears what is null; all violations at once', async () => {
    const user = await create('changing', { fullName: 'Before', description: 'Before', customFields: ['a', 'b', 'c'] });
    const changed = (await update(admin, user.id, { username: 'changed', description: null, customFields: ['z'] }))
      .user;
    expect(changed).toMatchObject({
      username: 'changed',
      fullName: 'Before',
      description: null,
      customFields: [{ value: 'z' }, { value: null }, { value: null }],
      email: 'changing@example.com',
    });
    expect(parametersOf(await newest('USER_CHANGED'))).toEqual({
      fields: 'username, description, customFields',
      name: 'Before[changed]',
      reference: user.reference,
    });
    const permissions = { nameIsPublic: true, mayEditOwnProperties: false, forbidPasswordChange: true };
    expect((await update(admin, user.id, permissions)).user).toMatchObject(permissions);
    expect(await update(admin, user.id, { username: 'MANAGER' })).toMatchObject({ code: 'USERNAME_IN_USE' });
    const wrong = await update(admin, user.id, { username: '', fullName: 'x'.repeat(101), email: null, role: null });
    expect(wrong.inputViolations.map(({ path }: Json) => path.join('.'))).toEqual([
      'properties.username',
      'properties.fullName',
      'properties.email',
      'properties.role',
    ]);
    const entries = await account.log({ codes: ['USER_CHANGED'] });
    expect((await update(admin, user.id, {})).user.username).toBe('changed');
    expect(await account.log({ codes: ['USER_CHANGED'] })).toEqual(entries);
  });

  it('GRP-03 GRP-18 GRP-21 groups change as far as one manages them, and what depended on them ends', async () => {
    const { id } = await create('regrouped', { groupIds: [crew, staff] });
    const groups = async () => (await read(admin, { id })).groups.map(({ name }: Json) => name);
    // Staff is not the manager's: it stays, and so does nothing else need it.
    expect(outcome(await update(manager, id, { groupIds: [] }))).toBe('UpdateUserSuccess');
    expect(await groups()).toEqual(['Staff']);
    expect(await update(admin, id, { groupIds: [] })).toMatchObject({
      code: 'USER_NEEDS_A_GROUP',
      path: ['properties', 'groupIds'],
    });
    await update(admin, id, { groupIds: [crew] });
    for (const [groupIds, code] of [
      [[], 'USER_NEEDS_A_GROUP'],
      [[crew, staff], 'NOT_FOUND'],
      [[crew, await other.group('Theirs')], 'NOT_FOUND'],
      [[crew, await ownGroupOf(manager)], 'FORBIDDEN'],
    ] as const)
      expect(await update(manager, id, { groupIds })).toMatchObject({ code });
    expect(await groups()).toEqual(['Crew']);

    const person = await logIn(server, account.name, 'regrouped', USER_PASSWORD);
    const { session } = await openSession(person, ewon.id);
    await update(admin, id, { groupIds: [staff] });
    expect(await sessionOf(session.id)).toEqual({
      state: 'CLOSED',
      closeReason: 'ACCESS_REVOKED',
      closedBy: { username: 'admin' },
    });
    expect(await alive(person)).toBe(true);
  });
  const ownGroupOf = async (person: Person): Promise<string> => (await read(person, { id: person.id })).groups[0].id;

  it('USR-11 roles count on plans without groups, groups on the others', async () => {
    const free = await TestAccount.create(server, 'FREE');
    const made = (await change(free.admin, 'createUser', newUser('hand', { groupIds: [], role: 'USER' }))).user;
    const hand = await logIn(server, free.name, 'hand', USER_PASSWORD);
    expect(outcome(await change(hand, 'disableUser', { userId: free.admin.id }))).toBe('NOT_FOUND');
    expect((await update(free.admin, made.id, { role: 'ADMINISTRATOR' })).user.role).toBe('ADMINISTRATOR');
    expect((await hand.api.run('{ viewer { isAdministrator } }')).viewer.isAdministrator).toBe(true);
    expect(await update(free.admin, made.id, { groupIds: [] })).toMatchObject({ code: 'PLAN_FEATURE_NOT_AVAILABLE' });
    expect(await update(admin, manager.id, { role: 'ADMINISTRATOR' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['properties', 'role'],
    });
    // ACC-23 by role.
    expect(outcome(await update(hand, free.admin.id, { role: 'USER' }))).toBe('UpdateUserSuccess');
    expect(await update(hand, hand.id, { role: 'USER' })).toMatchObject({ code: 'LAST_ADMINISTRATOR' });
  });
});

describe('passwords of others', () => {
  it('USR-21 PWD-16 PWD-17 an Administrator sets a new one: it unlocks and ends all logins', async () => {
    const person = await account.user('forgetful', [crew]);
    await server.app.platform.db.user.updateMany({
      where: { username: 'forgetful' },
      data: { failedLogins: 3, lockedUntil: new Date(server.clock.now().getTime() + DAY_MS) },
    });
    expect((await read(admin, { id: person.id })).lockedUntil).not.toBeNull();
    expect((await read(admin, { id: person.id })).status).toBe('ENABLED');
    expect(await logins('forgetful')).toBe('InvalidCredentialsError');
    const set = (password: string, passwordConfirmation = password) =>
      change(admin, 'setUserPassword', { userId: person.id, password, passwordConfirmation });
    expect(await set('short')).toMatchObject({ violations: ['TOO_SHORT', 'NO_DIGIT'] });
    expect(await set(OTHER_PASSWORD, USER_PASSWORD)).toMatchObject({ code: 'PASSWORD_CONFIRMATION_MISMATCH' });
    expect(await alive(person)).toBe(true);
    expect((await set(OTHER_PASSWORD)).user.lockedUntil).toBeNull();
    expect(await alive(person)).toBe(false);
    expect(await logins('forgetful')).toBe('InvalidCredentialsError');
    expect(await logins('forgetful', OTHER_PASSWORD)).toBe('LoginSuccess');
    expect((await newest('PASSWORD_CHANGED')).text).toBe('Password of forgetful changed by admin');
    expect(outcome(await change(admin, 'setUserPassword', { ...sameTwice(OTHER_PASSWORD), userId: admin.id }))).toBe(
      'FORBIDDEN',
    );
  });
  const sameTwice = (password: string) => ({ password, passwordConfirmation: password });

  it('USR-22 USR-23 a change can be forced at the next login, unless the user may not change it', async () => {
    const person = await account.user('forced', [crew]);
    for (let time = 0; time < 2; time++)
      expect((await change(admin, 'forcePasswordChange', { userId: person.id })).user.mustChangePassword).toBe(true);
    expect(await alive(person)).toBe(true);
    expect(await logins('forced')).toBe('PasswordChangeRequired');
    await update(admin, person.id, { forbidPasswordChange: true });
    expect(await change(admin, 'forcePasswordChange', { userId: person.id })).toMatchObject({
      code: 'PASSWORD_CHANGE_FORBIDDEN',
    });
    const seen = await read(admin, { id: person.id });
    expect(seen.mustChangePassword).toBe(false);
    expect(seen.viewerCan).not.toContain('FORCE_PASSWORD_CHANGE');
  });
});

describe('disabling and deleting', () => {
  const CONFIRM = { __typename: 'ConfirmationRequiredError', code: 'CONFIRMATION_REQUIRED', path: ['confirm'] };

  it('USR-26 USR-27 USR-28 a connected user is disabled with confirmation only; all he had open ends at once', async () => {
    const person = await account.user('connected', [crew], { description: 'Kept' });
    const before = await read(admin, { id: person.id });
    const browser = await logIn(server, account.name, 'connected', USER_PASSWORD, 'M2WEB');
    const sessions = [
      (await openSession(person, ewon.id)).session,
      (await openSession(browser, ewon.id, { client: 'M2WEB' })).session,
    ];
    const stream = person.api.subscribe('subscription { slotUsage { inUse } }');
    await stream.waitFor('a first event', () => stream.received.length > 0);

    const asked = await change(admin, 'disableUser', { userId: person.id });
    expect(asked).toMatchObject({ ...CONFIRM, openLogins: 2 });
    expect(asked.sessions.map(({ id }: Json) => id).sort()).toEqual(sessions.map(({ id }) => id).sort());
    expect(asked.sessions.every(({ state }: Json) => state === 'OPEN')).toBe(true);
    expect(await alive(person)).toBe(true);
    expect((await read(admin, { id: person.id })).status).toBe('ENABLED');

    const disabled = await change(admin, 'disableUser', { userId: person.id, confirm: true });
    expect(disabled.user).toMatchObject({ status: 'DISABLED', disabledReason: 'BY_ADMINISTRATOR' });
    for (const { id } of sessions)
      expect(await sessionOf(id)).toEqual({
        state: 'CLOSED',
        closeReason: 'USER_DISABLED',
        closedBy: { username: 'admin' },
      });
    await stream.waitFor('its end', () => stream.ended, 1000);
    expect([await alive(person), await alive(browser), await logins('connected')]).toEqual([
      false,
      false,
      'InvalidCredentialsError',
    ]);
    const entries = await account.log({ codes: ['USER_DISABLED'] });
    expect(outcome(await change(admin, 'disableUser', { userId: person.id })), 'again').toBe('DisableUserSuccess');
    expect(await account.log({ codes: ['USER_DISABLED'] })).toEqual(entries);

    for (let time = 0; time < 2; time++)
      expect((await change(admin, 'enableUser', { userId: person.id })).user).toEqual({
        ...before,
        vpn: expect.anything(),
      });
    expect((await account.log({ codes: ['USER_ENABLED'] })).length).toBeGreaterThan(0);
    expect(await logins('connected')).toBe('LoginSuccess');
  });

  it('USR-27 one who was connected and is still logged in needs it too; one who never was does not', async () => {
    const was = await account.user('was-connected', [crew]);
    const { session } = await openSession(was, ewon.id);
    await was.api.run('mutation ($id: ID!) { closeSession(input: { sessionId: $id }) { __typename } }', {
      id: session.id,
    });
    expect(await change(admin, 'disableUser', { userId: was.id })).toMatchObject({
      ...CONFIRM,
      sessions: [],
      openLogins: 1,
    });
    await was.api.run('mutation { logout { __typename } }');
    expect(outcome(await change(admin, 'disableUser', { userId: was.id }))).toBe('DisableUserSuccess');
    const never = await account.user('never-connected', [crew]);
    expect(outcome(await change(admin, 'disableUser', { userId: never.id }))).toBe('DisableUserSuccess');
    expect(await alive(never)).toBe(false);
  });

  it('USR-30 VPN-10 deleting needs confirmation, closes connections and frees the address; the log keeps name and reference', async () => {
    const person = await account.user('leaving', [crew], { fullName: 'Leaving Soon', expiresAt: later(2 * DAY_MS) });
    const { db } = server.app.platform;
    const expiries = () => db.dueWork.count({ where: { kind: 'USER_EXPIRY' } });
    const before = await expiries();
    const { reference } = await read(admin, { id: person.id });
    const { session } = await openSession(person, ewon.id);
    expect(await change(admin, 'deleteUser', { userId: person.id })).toMatchObject({
      ...CONFIRM,
      sessions: [{ id: session.id }],
      openLogins: 1,
    });
    expect(await alive(person)).toBe(true);
    expect(await change(admin, 'deleteUser', { userId: person.id, confirm: true })).toEqual({
      __typename: 'DeleteUserSuccess',
      deletedUserId: person.id,
    });
    expect(outcome(await change(admin, 'deleteUser', { userId: person.id, confirm: true })), 'again').toBe('NOT_FOUND');
    expect(await alive(person)).toBe(false);
    expect(await read(admin, { id: person.id })).toBeNull();
    expect(await sessionOf(session.id)).toMatchObject({ state: 'CLOSED', closeReason: 'USER_DELETED' });
    expect(await db.vpnAddress.findFirst({ where: { range: 'USER', userId: null, inUse: true } })).toBeNull();
    expect(await expiries()).toBe(before - 1);
    const name = { userReference: reference, userName: 'Leaving Soon[leaving]' };
    expect(await newest('SESSION_CLOSED')).toMatchObject({ ...name, parameters: expect.anything() });
    expect(parametersOf(await newest('USER_DELETED'))).toEqual({ name: name.userName, reference });
    await create('leaving');
  });

  it('USR-31 nobody disables, deletes or expires himself', async () => {
    const user = await account.user('selfless', [crew]);
    for (const person of [admin, user]) {
      expect(await change(person, 'disableUser', { userId: person.id, confirm: true })).toMatchObject({
        code: 'SELF_NOT_ALLOWED',
      });
      expect(await change(person, 'deleteUser', { userId: person.id, confirm: true })).toMatchObject({
        code: 'SELF_NOT_ALLOWED',
      });
    }
    expect(await update(admin, admin.id, { expiresAt: later(DAY_MS) })).toMatchObject({ code: 'SELF_NOT_ALLOWED' });
    expect((await read(admin, { id: admin.id })).viewerCan).toEqual([
      'MODIFY',
      'MODIFY_OWN',
      'MODIFY_RIGHTS',
      'CHANGE_OWN_PASSWORD',
      'DUPLICATE',
    ]);
  });

  it('ACC-23 an enabled Administrator whose access does not end is always left', async () => {
    const group = await administratorsOf(other.admin);
    const temporary = { groupIds: [group], expiresAt: later(20 * DAY_MS) };
    await change(other.admin, 'createUser', newUser('temp', temporary));
    const temp = await logIn(server, other.name, 'temp', USER_PASSWORD);
    await change(other.admin, 'createUser', newUser('idle', { groupIds: [group] }));
    const idle = await read(temp, { username: 'idle' });
    expect(outcome(await change(temp, 'disableUser', { userId: idle.id }))).toBe('DisableUserSuccess');
    const pending = { groupIds: [group], invite: true, password: undefined, passwordConfirmation: undefined };
    await change(other.admin, 'createUser', newUser('invited', pending));

    const last = other.admin.id;
    const plain = await other.group('Plain');
    for (const [mutation, input] of [
      ['disableUser', { userId: last, confirm: true }],
      ['deleteUser', { userId: last, confirm: true }],
      ['updateUser', { userId: last, properties: { groupIds: [plain] } }],
      ['updateUser', { userId: last, properties: { expiresAt: later(DAY_MS) } }],
    ] as const)
      expect(await change(temp, mutation, input), JSON.stringify(input)).toMatchObject({ code: 'LAST_ADMINISTRATOR' });
    expect(await update(other.admin, last, { groupIds: [plain] })).toMatchObject({ code: 'LAST_ADMINISTRATOR' });
    expect(await read(other.admin, { id: last })).toMatchObject({
      status: 'ENABLED',
      expiresAt: null,
      groups: [{ name: 'Administrators' }],
    });
    await change(other.admin, 'enableUser', { userId: idle.id });
    expect(outcome(await update(other.admin, last, { groupIds: [plain] })), 'another is left').toBe(
      'UpdateUserSuccess',
    );
    await update(temp, last, { groupIds: [group] });
  });
});

describe('the expiration date', () => {
  it('USR-24 USR-37 USR-38 USR-39 ends access at that instant, whole; moving it restores access, unless an Administrator disabled him', async () => {
    // Sooner than the client of a session that sends no keep-alive is given up.
    const expiresAt = later(60_000);
    const person = await account.user('passing', [crew]);
    expect(await update(admin, person.id, { expiresAt: later(-1) })).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['properties', 'expiresAt'],
    });
    expect((await update(admin, person.id, { expiresAt })).user).toMatchObject({ expiresAt, isTemporary: true });
    const { session } = await openSession(person, ewon.id);
    const stream = person.api.subscribe('subscription { slotUsage { inUse } }');
    await stream.waitFor('a first event', () => stream.received.length > 0);
    await update(admin, person.id, { expiresAt: null });
    expect((await update(admin, person.id, { expiresAt })).user.status).toBe('ENABLED');

    server.clock.advance(new Date(expiresAt).getTime() - server.clock.now().getTime());
    // At the instant, whether or not the due work has run.
    expect([await alive(person), await logins('passing')]).toEqual([false, 'InvalidCredentialsError']);
    await server.app.jobs.run();
    await stream.waitFor('its end', () => stream.ended, 1000);
    expect(await sessionOf(session.id)).toEqual({ state: 'CLOSED', closeReason: 'USER_EXPIRED', closedBy: null });
    expect(await read(admin, { id: person.id })).toMatchObject({ status: 'DISABLED', disabledReason: 'EXPIRED' });
    expect(await newest('USER_EXPIRED')).toMatchObject({ userName: 'passing', trigger: 'PLATFORM' });
    await server.app.jobs.run();
    expect((await account.log({ codes: ['USER_EXPIRED'] })).length).toBe(1);
    expect(await change(admin, 'enableUser', { userId: person.id })).toMatchObject({ code: 'USER_EXPIRED' });

    expect((await update(admin, person.id, { expiresAt: later(HALF_DAY_MS) })).user).toMatchObject({
      status: 'ENABLED',
      disabledReason: null,
    });
    expect((await newest('USER_ENABLED')).text).toBe('User passing enabled by admin');
    expect(await alive(person), 'the old login stays void').toBe(false);
    expect(await logins('passing')).toBe('LoginSuccess');

    await change(admin, 'disableUser', { userId: person.id, confirm: true });
    server.clock.advance(HALF_DAY_MS);
    await server.app.jobs.run();
    expect((await update(admin, person.id, { expiresAt: null })).user).toMatchObject({
      status: 'DISABLED',
      disabledReason: 'BY_ADMINISTRATOR',
    });
    expect((await change(admin, 'enableUser', { userId: person.id })).user.status).toBe('ENABLED');
  });
});

describe('duplicating a user', () => {
  it('USR-32 USR-33 USR-34 USR-35 makes an independent user with the same rights, and nothing that belongs to the person', async () => {
    const source = await account.user('source', [crew, staff], {
      fullName: 'Original',
      description: 'To be copied',
      customFields: ['1', '2', '3'],
      nameIsPublic: true,
      mayEditOwnProperties: false,
      expiresAt: later(5 * DAY_MS),
    });
    await openSession(source, ewon.id);
    await change(admin, 'forcePasswordChange', { userId: source.id });
    await change(admin, 'disableUser', { userId: source.id, confirm: true });
    await server.app.platform.db.user.updateMany({
      where: { username: 'source' },
      data: {
        secondFactorState: 'ENABLED',
        secondFactorMethod: 'SMS',
        mobile: '+32470123456',
        backupMobile: '+32470123457',
        totpSecretEncrypted: 'secret',
      },
    });
    const copyOf = (more: object = {}) =>
      change(admin, 'duplicateUser', {
        userId: source.id,
        username: 'copy',
        password: OTHER_PASSWORD,
        passwordConfirmation: OTHER_PASSWORD,
        ...more,
      });
    expect(await copyOf({ password: 'short', passwordConfirmation: 'short' })).toMatchObject({
      violations: ['TOO_SHORT', 'NO_DIGIT'],
    });
    expect(await copyOf({ username: 'SOURCE' })).toMatchObject({ code: 'USERNAME_IN_USE', path: ['username'] });
    const original = await read(admin, { id: source.id });
    const { user } = await copyOf();
    const same = ['fullName', 'description', 'customFields', 'groups', 'role', 'email'] as const;
    const permissions = ['nameIsPublic', 'mayEditOwnProperties', 'forbidPasswordChange', 'mustChangePassword'] as const;
    for (const field of [...same, ...permissions]) expect(user[field], field).toEqual(original[field]);
    expect(user).toMatchObject({
      username: 'copy',
      status: 'ENABLED',
      expiresAt: null,
      invitationSentAt: null,
      vpn: { address: null },
    });
    const { db } = server.app.platform;
    expect(await db.user.findFirstOrThrow({ where: { username: 'copy' } })).toMatchObject({
      secondFactorState: 'PENDING_ENROLMENT',
      mobile: null,
      backupMobile: null,
      totpSecretEncrypted: null,
    });
    expect(await account.log({ userIds: [user.id] })).toEqual([]);
    expect(await logins('copy', OTHER_PASSWORD)).toBe('SecondFactorEnrolmentRequired');

    await update(admin, user.id, { description: 'Changed', customFields: [], groupIds: [crew] });
    expect(await read(admin, { id: source.id })).toEqual(original);
    const elsewhere = await copyOf({ username: 'copy-2', email: 'elsewhere@example.com' });
    expect(elsewhere.user.email).toBe('elsewhere@example.com');
    expect(elsewhere.user.description).toBe('To be copied');
  });
});

onPostgres('racing Administrators', () => {
  let raced: TestServer;
  let world: TestAccount;
  beforeAll(async () => {
    ({ server: raced, account: world } = await startWorld({ database: 'postgresql', env }));
  });
  afterAll(() => raced.close());

  const states = async (who: Person): Promise<string[]> =>
    (await who.api.run('{ users { nodes { status } } }')).users.nodes.map(({ status }: Json) => status).sort();

  it('INV-09 AUTH-13 of ten who use one link at once, one does', async () => {
    const group = await world.group('Linked');
    await change(world.admin, 'createUser', {
      ...newUser('linked', { groupIds: [group], invite: true }),
      password: undefined,
      passwordConfirmation: undefined,
    });
    const nobody = new ApiCaller(raced.url);
    const at = (link: string, mutation: UserMutation) =>
      Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          change(nobody, mutation, {
            token: link.split('#')[1],
            password: `Chosen-pass-${index}`,
            passwordConfirmation: `Chosen-pass-${index}`,
          }),
        ),
      );
    const count = (results: Json[], code: string) => results.filter((result) => outcome(result) === code).length;
    const accepted = await at((await lastMessage(raced, 'linked@example.com', 'INVITATION')).link, 'acceptInvitation');
    expect(count(accepted, 'AcceptInvitationSuccess')).toBe(1);
    expect(count(accepted, 'INVITATION_INVALID')).toBe(9);
    await change(nobody, 'requestPasswordRecovery', { account: world.name, usernameOrEmail: 'linked' });
    const { link } = await eventually(
      'a mail',
      () => lastMessage(raced, 'linked@example.com', 'PASSWORD_RECOVERY').catch(() => ({ link: '' })),
      (found) => found.link !== '',
    );
    const recovered = await at(link, 'recoverPassword');
    expect(count(recovered, 'RecoverPasswordSuccess')).toBe(1);
    expect(count(recovered, 'RECOVERY_INVALID')).toBe(9);
  });

  it('AUTH-13 the answer to a request for recovery does not wait for what it finds', async () => {
    const { id } = await world.user('awaited', [await world.group('Awaited')]);
    const mails = () => messagesTo(raced, 'awaited@example.com', 'PASSWORD_RECOVERY');
    await raced.app.platform.db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM "Account" WHERE "name" = ${world.name} FOR NO KEY UPDATE`;
      const input = { account: world.name, usernameOrEmail: 'awaited' };
      expect((await change(new ApiCaller(raced.url), 'requestPasswordRecovery', input)).requested).toBe(true);
      expect(await mails(), 'while the account is locked').toEqual([]);
    });
    await eventually('the mail', mails, ({ length }) => length === 1);
    expect((await read(world.admin, { id })).status).toBe('ENABLED');
  });

  it('ACC-23 USR-31 of two who disable each other at once one does; of two who give up their rights at once one does', async () => {
    const group = await administratorsOf(world.admin);
    const plain = await world.group('Plain');
    let pair: [Person, Person] = [world.admin, await world.user('deputy', [group])];
    // A third one, so that only the order of the two decides.
    await world.user('third', [group]);
    for (let round = 0; round < 3; round++) {
      const [one, two] = pair;
      const results = await Promise.all([
        change(one, 'disableUser', { userId: two.id, confirm: true }),
        change(two, 'disableUser', { userId: one.id, confirm: true }),
      ]);
      const winner = outcome(results[0]) === 'DisableUserSuccess' ? one : two;
      const loser = winner === one ? two : one;
      expect(results.map(outcome).filter((code) => code === 'DisableUserSuccess')).toHaveLength(1);
      expect((await states(winner)).filter((status) => status === 'DISABLED')).toHaveLength(1);
      await change(winner, 'enableUser', { userId: loser.id });
      const password = loser.username === 'admin' ? ADMIN_PASSWORD : USER_PASSWORD;
      pair = [winner, await logIn(raced, world.name, loser.username, password)];
    }
    const [one, two] = pair;
    const third = await read(one, { username: 'third' });
    await change(one, 'deleteUser', { userId: third.id, confirm: true });
    const results = await Promise.all(pair.map((person) => update(person, person.id, { groupIds: [plain] })));
    expect(results.map(outcome).sort()).toEqual(['LAST_ADMINISTRATOR', 'UpdateUserSuccess']);
    const left = results[0].code ? one : two;
    expect((await left.api.run('{ viewer { isAdministrator } }')).viewer.isAdministrator).toBe(true);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiCaller, eventually, type Json } from '../support/client.ts';
import { eachDatabase, startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, logIn, openSession, type Person, TestAccount, USER_PASSWORD } from '../support/world.ts';

const LOGIN = `mutation ($input: LoginInput!) {
  login(input: $input) {
    __typename
    ... on LoginSuccess { token expiresAt viewer { user { username } login { client } } }
    ... on Error { code message }
    ... on TooManyRequestsError { retryAfter }
  }
}`;
const CREATE_ACCOUNT = `mutation ($input: CreateAccountInput!) {
  createAccount(input: $input) {
    __typename
    ... on CreateAccountSuccess {
      token
      viewer {
        isAdministrator user { username role }
        account { name plan slots { total } autoRegistration { enabled pool { isDefault } } viewerCan }
      }
    }
    ... on Error { code message path }
    ... on PasswordPolicyError { violations }
    ... on ValidationError { inputViolations { path message } }
  }
}`;
const WHO = '{ viewer { user { username } } }';
const MINUTE = 60_000;

let server: TestServer;
let account: TestAccount;
const anybody = () => new ApiCaller(server.url);
const tryLogin = (username: string, password: string, more: object = {}): Promise<Json> =>
  anybody().mutate(LOGIN, { input: { account: account.name, username, password, client: 'M2WEB', ...more } });
const loggedIn = async (person: Person) => (await person.api.run(WHO)).viewer !== null;
/** Sets what no operation sets yet. */
const setUser = (id: string, data: object) =>
  server.app.platform.db.user.update({
    where: { id: Buffer.from(id, 'base64url').toString().split(':')[1] ?? '' },
    data,
  });

let users = 0;
const newUser = (): Promise<Person> => {
  users += 1;
  return account.user(`user${users}`, [groupId]);
};
let groupId: string;

beforeAll(async () => {
  server = await startServer();
  account = await TestAccount.create(server);
  groupId = await account.group('Staff');
});
afterAll(() => server.close());

describe('a login', () => {
  it('AUTH-01 AUTH-02 takes account, user name and password, and states the client', async () => {
    for (const client of ['ECATCHER', 'ECATCHER_MOBILE', 'M2WEB']) {
      const result = await tryLogin('admin', ADMIN_PASSWORD, { client });
      expect(result).toMatchObject({
        __typename: 'LoginSuccess',
        viewer: { user: { username: 'admin' }, login: { client } },
      });
    }
    expect(await tryLogin('ADMIN', ADMIN_PASSWORD, { account: account.name.toUpperCase() })).toMatchObject({
      __typename: 'LoginSuccess',
    });
    const { errors } = await anybody().send(
      'mutation { login(input: { username: "a", password: "b" }) { __typename } }',
    );
    expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('AUTH-03 AUTH-04 AUTH-05 AUTH-06 answers the same, after the same work, whatever is wrong', async () => {
    const [disabled, pending, expired, locked] = await Promise.all([newUser(), newUser(), newUser(), newUser()]);
    await setUser(disabled.id, { disabledAt: server.clock.now() });
    await setUser(pending.id, { passwordHash: null });
    await setUser(expired.id, { expiresAt: server.clock.now() });
    for (let attempt = 0; attempt < 10; attempt++) await tryLogin(locked.username, 'wrong');

    const verify = vi.spyOn(server.app.platform.passwords, 'verify');
    const cases: [string, () => Promise<Json>][] = [
      ['unknown account', () => tryLogin('admin', ADMIN_PASSWORD, { account: 'nobody-has-it' })],
      ['unknown user', () => tryLogin('nobody', USER_PASSWORD)],
      ['wrong password', () => tryLogin('admin', 'wrong')],
      ['disabled', () => tryLogin(disabled.username, USER_PASSWORD)],
      ['pending', () => tryLogin(pending.username, USER_PASSWORD)],
      ['expired', () => tryLogin(expired.username, USER_PASSWORD)],
      ['locked', () => tryLogin(locked.username, USER_PASSWORD)],
    ];
    for (const [what, attempt] of cases) {
      verify.mockClear();
      expect(await attempt(), what).toEqual({
        __typename: 'InvalidCredentialsError',
        code: 'INVALID_CREDENTIALS',
        message: 'Supplied credentials are invalid',
      });
      // The slow hash is what takes the time.
      expect(verify, what).toHaveBeenCalledTimes(1);
    }
    verify.mockRestore();
  });

  it('AUTH-07 AUTH-08 ten failures in a row lock the user for 15 minutes; attempts during the lock do not extend it', async () => {
    const user = await newUser();
    const fail = async (times: number) => {
      for (let attempt = 0; attempt < times; attempt++) await tryLogin(user.username, 'wrong');
    };
    const works = async () => (await tryLogin(user.username, USER_PASSWORD)).__typename === 'LoginSuccess';

    await fail(9);
    expect(await works(), 'nine failures lock nobody').toBe(true);
    await fail(9);
    expect(await works(), 'a success has reset the counter').toBe(true);

    await fail(10);
    expect(await works()).toBe(false);
    server.clock.advance(14 * MINUTE);
    await fail(12);
    expect(await works()).toBe(false);
    server.clock.advance(MINUTE);
    expect(await works(), 'the lock ends after 15 minutes').toBe(true);

    await fail(10);
    server.clock.advance(15 * MINUTE);
    await fail(9);
    expect(await works(), 'the end of the lock has reset the counter').toBe(true);
    expect(await loggedIn(account.admin), 'others are not concerned').toBe(true);

    const codes = (await account.log({}, 500)).filter(({ userName }) => userName === user.username);
    expect(codes.filter(({ code }) => code === 'LOGIN_LOCKED')).toHaveLength(2);
  });

  it('AUTH-04 tries of one address are limited, with the time to try again', async () => {
    const strict = await startServer({ env: { LOGINS_PER_MINUTE: '3' } });
    try {
      const input = { account: 'acme', username: 'admin', password: 'x', client: 'M2WEB' };
      const results = [];
      for (let attempt = 0; attempt < 4; attempt++)
        results.push(await new ApiCaller(strict.url).mutate(LOGIN, { input }));
      expect(results.map(({ code }) => code)).toEqual([...Array(3).fill('INVALID_CREDENTIALS'), 'TOO_MANY_REQUESTS']);
      expect(results[3].retryAfter).toBeGreaterThan(0);
      expect(results[3].retryAfter).toBeLessThanOrEqual(60);
    } finally {
      await strict.close();
    }
  });

  it('AUTH-24 is kept as a hash: neither token nor password is in the database', async () => {
    const user = await newUser();
    const { db } = server.app.platform;
    const rows = JSON.stringify(
      [await db.login.findMany(), await db.user.findMany(), await db.logEntry.findMany()],
      (_key, value) => (typeof value === 'bigint' ? String(value) : value),
    );
    expect(rows).toContain(user.username);
    expect(rows).not.toContain(user.api.token);
    expect(rows).not.toContain(USER_PASSWORD);
    expect(rows).toContain('$argon2id$');
  });
});

describe('the end of a login', () => {
  beforeEach(async () => {
    // Each test moves the clock by hours.
    (account as { admin: Person }).admin = await logIn(server, account.name, 'admin', ADMIN_PASSWORD);
  });

  it('AUTH-18 comes after 60 minutes without requests', async () => {
    const user = await newUser();
    for (let hour = 0; hour < 3; hour++) {
      server.clock.advance(59 * MINUTE);
      expect(await loggedIn(user)).toBe(true);
    }
    server.clock.advance(60 * MINUTE);
    expect(await loggedIn(user)).toBe(false);
    expect((await user.api.send('{ ewons { totalCount } }')).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });

  it('AUTH-18 comes 24 hours after the login in any case', async () => {
    const user = await newUser();
    for (let half = 0; half < 47; half++) {
      server.clock.advance(30 * MINUTE);
      expect(await loggedIn(user)).toBe(true);
    }
    server.clock.advance(30 * MINUTE);
    expect(await loggedIn(user)).toBe(false);
  });

  it('AUTH-18 does not come while an Ecatcher session is live', async () => {
    const long = await startServer({ env: { SESSION_TIMEOUT_SECONDS: '86400' } });
    try {
      const world = await TestAccount.create(long);
      const pool = await world.pool('Line');
      const group = await world.group('Users', [{ poolId: pool, connectEcatcher: true, connectM2web: true }]);
      const [connected, portal] = await Promise.all([world.user('connected', [group]), world.user('portal', [group])]);
      const ewon = await world.onlineEwon({ name: 'Press', poolIds: [pool] });
      expect((await openSession(connected, ewon.id)).__typename).toBe('OpenSessionSuccess');
      expect((await openSession(portal, ewon.id, { client: 'M2WEB' })).__typename).toBe('OpenSessionSuccess');
      for (let turn = 0; turn < 4; turn++) {
        long.clock.advance(40 * MINUTE);
        await long.app.jobs.run();
      }
      expect(await loggedIn(connected)).toBe(true);
      expect(await loggedIn(portal)).toBe(false);
      await ewon.device.disconnect();
    } finally {
      await long.close();
    }
  });

  it('AUTH-19 logout revokes the token at once and closes the sessions that were opened from it', async () => {
    const pool = await account.pool('Logout');
    const group = await account.group('Logout', [{ poolId: pool, connectEcatcher: true, connectM2web: true }]);
    const user = await account.user('leaver', [group]);
    const other = await logIn(server, account.name, 'leaver', USER_PASSWORD);
    const ewon = await account.onlineEwon({ name: 'Leaver', poolIds: [pool] });
    const own = await openSession(user, ewon.id);
    const others = await openSession(other, ewon.id, { client: 'M2WEB' });
    expect([own.__typename, others.__typename]).toEqual(['OpenSessionSuccess', 'OpenSessionSuccess']);
    const stream = user.api.subscribe('subscription { slotUsage { inUse } }');
    await stream.waitFor('usage', () => stream.received.length > 0);

    const LOGOUT = 'mutation { logout { __typename ... on LogoutSuccess { loggedOut } } }';
    expect(await user.api.mutate(LOGOUT)).toEqual({ __typename: 'LogoutSuccess', loggedOut: true });
    expect(await loggedIn(user)).toBe(false);
    expect((await user.api.send(LOGOUT)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(await loggedIn(other), 'another login of the same user goes on').toBe(true);
    await stream.waitFor('its end', () => stream.ended);
    expect(stream.errors?.[0]?.extensions.code).toBe('LOGIN_EXPIRED');
    await stream.leave();

    const STATES = '{ sessions { nodes { id state closeReason } } }';
    const { sessions } = await account.admin.api.run(STATES);
    const state = (id: string) => sessions.nodes.find((session: Json) => session.id === id);
    expect(state(own.session.id)).toMatchObject({ state: 'CLOSED', closeReason: 'BY_USER' });
    expect(state(others.session.id)).toMatchObject({ state: 'OPEN' });
    const { slots } = (await account.admin.api.run('{ account { slots { inUse } } }')).account;
    expect(slots.inUse).toBe(0);
    await ewon.device.disconnect();
  });

  it('AUTH-20 comes at once, for each of his logins, when a user is disabled, expires or is deleted', async () => {
    for (const end of [
      (id: string) => setUser(id, { disabledAt: server.clock.now() }),
      async (id: string) => {
        await setUser(id, { expiresAt: new Date(server.clock.now().getTime() + 10 * MINUTE) });
        server.clock.advance(10 * MINUTE);
      },
      (id: string) =>
        server.app.platform.db.user.delete({
          where: { id: Buffer.from(id, 'base64url').toString().split(':')[1] ?? '' },
        }),
    ]) {
      const user = await newUser();
      const second = await logIn(server, account.name, user.username, USER_PASSWORD);
      expect([await loggedIn(user), await loggedIn(second)]).toEqual([true, true]);
      await end(user.id);
      expect([await loggedIn(user), await loggedIn(second)]).toEqual([false, false]);
    }
    expect(await loggedIn(account.admin)).toBe(true);
  });
});

describe('createAccount', () => {
  const input = (more: object = {}) => ({
    name: `new-${randomUUID().slice(0, 8)}`,
    company: 'Acme',
    username: 'boss',
    email: 'boss@example.com',
    password: 'Boss-pass-1',
    ...more,
  });
  const create = (given: object): Promise<Json> => anybody().mutate(CREATE_ACCOUNT, { input: given });

  it('ACC-12 PWD-21 POOL-07 lets anyone: on FREE, its creator the first Administrator, with default pool and auto-registration', async () => {
    const given = input();
    const result = await create(given);
    expect(result).toMatchObject({
      __typename: 'CreateAccountSuccess',
      viewer: {
        isAdministrator: true,
        user: { username: 'boss', role: 'ADMINISTRATOR' },
        account: {
          name: given.name,
          plan: 'FREE',
          slots: { total: 1 },
          autoRegistration: { enabled: true, pool: { isDefault: true } },
          viewerCan: ['ADMINISTER'],
        },
      },
    });
    const boss = new ApiCaller(server.url, result.token);
    expect((await boss.run('{ pools { nodes { name isDefault } } }')).pools.nodes).toEqual([
      { name: 'Default', isDefault: true },
    ]);
    const { logEntries } = await boss.run('{ logEntries(last: 10) { nodes { number code userName } } }');
    expect(logEntries.nodes).toEqual([
      { number: '2', code: 'LOGIN_SUCCEEDED', userName: 'boss' },
      { number: '1', code: 'ACCOUNT_CREATED', userName: 'boss' },
    ]);
    expect(await tryLogin('boss', given.password, { account: given.name })).toMatchObject({
      __typename: 'LoginSuccess',
    });
  });

  it.each(['ab', 'a'.repeat(41), 'two words', 'ümlaut', 'a.b.c', ''])('ACC-03 refuses the name "%s"', async (name) => {
    expect(await create(input({ name }))).toMatchObject({
      __typename: 'ValidationError',
      code: 'VALIDATION_FAILED',
      path: ['name'],
    });
  });

  it('ACC-03 a name is unique on the platform without regard to case', async () => {
    const given = input({ name: `Case_${randomUUID().slice(0, 8)}` });
    expect((await create(given)).__typename).toBe('CreateAccountSuccess');
    for (const name of [given.name, given.name.toUpperCase(), given.name.toLowerCase()])
      expect(await create({ ...given, name })).toMatchObject({ code: 'ACCOUNT_NAME_TAKEN', path: ['name'] });
  });

  it('PWD-20 PWD-21 PWD-05 tells every constraint that the password breaks', async () => {
    expect(await create(input({ password: '?' }))).toMatchObject({
      __typename: 'PasswordPolicyError',
      code: 'PASSWORD_POLICY_VIOLATION',
      path: ['password'],
      violations: ['TOO_SHORT', 'NO_LETTER', 'NO_DIGIT'],
    });
    expect(await create(input({ password: `a1${'?'.repeat(44)}` }))).toMatchObject({ violations: ['TOO_LONG'] });
    expect(await create(input({ password: 'abcdefg1' }))).toMatchObject({ __typename: 'CreateAccountSuccess' });
  });

  it('ACC-12 how many an address creates is limited', async () => {
    const strict = await startServer({ env: { ACCOUNTS_PER_HOUR: '1' } });
    try {
      const api = new ApiCaller(strict.url);
      expect((await api.mutate(CREATE_ACCOUNT, { input: input() })).__typename).toBe('CreateAccountSuccess');
      expect(await api.mutate(CREATE_ACCOUNT, { input: input() })).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    } finally {
      await strict.close();
    }
  });
});

eachDatabase('races', (database) => {
  let raced: TestServer;
  beforeAll(async () => {
    raced = await startServer({ database });
  });
  afterAll(() => raced.close());

  it('ACC-03 of ten that create an account of one name at once, one does', async () => {
    const api = new ApiCaller(raced.url);
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        api.mutate(CREATE_ACCOUNT, {
          input: {
            name: index % 2 ? 'race-name' : 'RACE-NAME',
            company: 'Acme',
            username: 'boss',
            email: 'boss@example.com',
            password: 'Boss-pass-1',
          },
        }),
      ),
    );
    expect(results.filter(({ __typename }) => __typename === 'CreateAccountSuccess')).toHaveLength(1);
    expect(results.filter(({ code }) => code === 'ACCOUNT_NAME_TAKEN')).toHaveLength(9);
  });

  it('AUTH-07 AUTH-08 thirty failures at once lock once, and the counter begins anew after the lock', async () => {
    const world = await TestAccount.create(raced);
    const attempt = (password: string): Promise<Json> =>
      new ApiCaller(raced.url).mutate(LOGIN, {
        input: { account: world.name, username: 'admin', password, client: 'M2WEB' },
      });
    await Promise.all(Array.from({ length: 30 }, () => attempt('wrong')));
    expect((await attempt(ADMIN_PASSWORD)).code).toBe('INVALID_CREDENTIALS');
    const { db } = raced.app.platform;
    const user = await eventually(
      'the counter',
      () => db.user.findFirstOrThrow({ where: { account: { name: world.name } } }),
      ({ failedLogins }) => failedLogins === 0,
    );
    expect(user.lockedUntil).not.toBeNull();
    expect(await db.logEntry.count({ where: { code: 'LOGIN_LOCKED', userId: user.id } })).toBe(1);
    raced.clock.advance(15 * MINUTE);
    expect((await attempt(ADMIN_PASSWORD)).__typename).toBe('LoginSuccess');
  });
});

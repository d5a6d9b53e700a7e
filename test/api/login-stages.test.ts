import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ApiCaller, eventually, type Json } from '../support/client.ts';
import { lastMessage, messagesTo } from '../support/messages.ts';
import {
  aboutUser,
  beginLogin,
  confirmIdentity,
  continueLogin,
  startEnrolment,
  submitCode,
} from '../support/second-factor.ts';
import { eachDatabase, startServer, type TestServer } from '../support/server.ts';
import {
  ADMIN_PASSWORD,
  logIn,
  openSession,
  type Person,
  startWorld,
  TestAccount,
  USER_PASSWORD,
} from '../support/world.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NEW_PASSWORD = 'Other-pass-2';
const CHANGE = `mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { __typename ... on Error { code path } ... on PasswordPolicyError { violations } } }`;

let server: TestServer;
let account: TestAccount;
let group: string;
let users = 0;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  group = await account.group('Staff');
});
afterAll(() => server.close());

const newUser = (): Promise<Person> => {
  users += 1;
  return account.user(`user${users}`, [group]);
};
const keyOf = (id: string): string => Buffer.from(id, 'base64url').toString().split(':')[1] as string;
const setUser = (person: Person, data: object) =>
  server.app.platform.db.user.update({ where: { id: keyOf(person.id) }, data });
const later = async (ms: number): Promise<void> => {
  server.clock.advance(ms);
  await server.app.jobs.run();
};
const loggedIn = async (api: ApiCaller): Promise<boolean> =>
  (await api.run('{ viewer { user { id } } }')).viewer !== null;
const change = (api: ApiCaller, input: Record<string, unknown>): Promise<Json> =>
  api.mutate(CHANGE, { input: { password: NEW_PASSWORD, passwordConfirmation: NEW_PASSWORD, ...input } });
const fail = async (username: string, times: number): Promise<void> => {
  for (let attempt = 0; attempt < times; attempt += 1)
    expect((await beginLogin(account, username, { password: 'wrong' })).answer.code).toBe('INVALID_CREDENTIALS');
};
const locked = async (username: string): Promise<boolean> =>
  (await beginLogin(account, username)).answer.code === 'INVALID_CREDENTIALS';

describe('a login that asks for a new password', () => {
  it('AUTH-15 AUTH-16 USR-22 forced: it may do that and log out, nothing else, and then goes on', async () => {
    const person = await newUser();
    await setUser(person, { mustChangePassword: true });
    const { api, answer } = await beginLogin(account, person.username);
    expect(answer).toMatchObject({ __typename: 'PasswordChangeRequired', reason: 'FORCED' });
    for (const query of [
      '{ account { id } }',
      '{ users { totalCount } }',
      'mutation { generateBackupCodes { __typename } }',
    ])
      expect((await api.send(query)).errors?.[0]?.extensions.code).toBe('PASSWORD_CHANGE_REQUIRED');
    expect((await startEnrolment(api, { method: 'APP' })).code).toBe('PASSWORD_CHANGE_REQUIRED');
    expect((await change(api, { password: 'short', passwordConfirmation: 'short' })).violations).toEqual([
      'TOO_SHORT',
      'NO_DIGIT',
    ]);
    const still = await continueLogin(api);
    expect(still.answer.__typename).toBe('PasswordChangeRequired');
    expect(await loggedIn(person.api), 'the logins before go on until then').toBe(true);
    expect(await change(still.api, {})).toEqual({ __typename: 'ChangePasswordSuccess' });
    expect(await loggedIn(person.api)).toBe(false);
    const opened = await continueLogin(still.api);
    expect(opened.answer).toMatchObject({ __typename: 'LoginSuccess' });
    expect(await loggedIn(opened.api)).toBe(true);
    expect((await continueLogin(opened.api)).answer.code).toBe('LOGIN_ALREADY_OPEN');
    expect((await beginLogin(account, person.username, { password: NEW_PASSWORD })).answer.__typename).toBe(
      'LoginSuccess',
    );

    await setUser(person, { mustChangePassword: true });
    const leaving = await beginLogin(account, person.username, { password: NEW_PASSWORD });
    await leaving.api.succeed('mutation { logout { __typename } }');
    expect(await change(leaving.api, {}).catch((error: Error) => error.message)).toContain('UNAUTHENTICATED');
  });

  it('AUTH-17 PWD-11 PWD-15 expired under the policy: so many days after it was set, or after the policy was', async () => {
    const person = await newUser();
    const { db } = server.app.platform;
    await setUser(person, { passwordChangedAt: new Date(server.clock.now().getTime() - 20 * DAY) });
    const policy = {
      passwordExpiryDays: 10,
      passwordExpiryChangedAt: new Date(server.clock.now().getTime() - 9 * DAY),
    };
    await db.account.update({ where: { id: account.id }, data: policy });
    try {
      expect((await beginLogin(account, person.username)).answer.__typename).toBe('LoginSuccess');
      policy.passwordExpiryChangedAt = new Date(server.clock.now().getTime() - 10 * DAY);
      await db.account.update({ where: { id: account.id }, data: policy });
      const { api, answer } = await beginLogin(account, person.username);
      expect(answer).toMatchObject({ __typename: 'PasswordChangeRequired', reason: 'EXPIRED' });
      expect((await change(api, {})).__typename).toBe('ChangePasswordSuccess');
      expect((await continueLogin(api)).answer.__typename).toBe('LoginSuccess');
    } finally {
      await db.account.update({ where: { id: account.id }, data: { passwordExpiryDays: null } });
    }
  });

  it('AUTH-15 the second factor comes first, the new password last', async () => {
    const person = await newUser();
    await setUser(person, { mustChangePassword: true, secondFactorState: 'ENABLED', secondFactorMethod: 'EMAIL' });
    const { api, answer } = await beginLogin(account, person.username);
    expect(answer.__typename).toBe('SecondFactorRequired');
    const { code } = await lastMessage(server, `${person.username}@example.com`, 'CODE_BY_MAIL');
    const next = await submitCode(api, code);
    expect(next.answer.__typename).toBe('PasswordChangeRequired');
    expect((await api.send('{ account { id } }')).errors?.[0]?.extensions.code, 'the token before is void').toBe(
      'UNAUTHENTICATED',
    );
    expect((await change(next.api, {})).__typename).toBe('ChangePasswordSuccess');
    expect((await continueLogin(next.api)).answer.__typename).toBe('LoginSuccess');
  });

  it('USR-16 USR-18 USR-19 without the permission to edit oneself it is possible only when it is asked for; forbidden it never is', async () => {
    const person = await newUser();
    await setUser(person, { mayEditOwn: false });
    expect((await change(person.api, { currentPassword: USER_PASSWORD })).code).toBe('FORBIDDEN');
    await setUser(person, { mustChangePassword: true });
    const asked = await beginLogin(account, person.username);
    expect((await change(asked.api, {})).__typename).toBe('ChangePasswordSuccess');

    const bound = await newUser();
    await setUser(bound, { forbidPasswordChange: true });
    expect((await change(bound.api, { currentPassword: USER_PASSWORD })).code).toBe('PASSWORD_CHANGE_FORBIDDEN');
    await setUser(bound, { mustChangePassword: true });
    const { api } = await beginLogin(account, bound.username);
    expect((await change(api, {})).code).toBe('PASSWORD_CHANGE_FORBIDDEN');
  });

  it('AUTH-16 the unfinished login ends by itself', async () => {
    const person = await newUser();
    await setUser(person, { mustChangePassword: true });
    const { api } = await beginLogin(account, person.username);
    await later(15 * MINUTE);
    expect(
      (await api.send(CHANGE, { input: { password: NEW_PASSWORD, passwordConfirmation: NEW_PASSWORD } })).errors?.[0]
        ?.extensions.code,
    ).toBe('UNAUTHENTICATED');
  });
});

describe('changing one’s own password', () => {
  it('AUTH-20 USR-16 PWD-16 PWD-17 takes the current one, and ends all logins but the one that does it', async () => {
    const person = await newUser();
    const second = await logIn(server, account.name, person.username, USER_PASSWORD);
    expect(await change(person.api, {})).toMatchObject({ code: 'VALIDATION_FAILED', path: ['currentPassword'] });
    expect((await change(person.api, { currentPassword: 'wrong' })).code).toBe('INVALID_CREDENTIALS');
    expect(await change(person.api, { currentPassword: USER_PASSWORD, passwordConfirmation: 'else' })).toMatchObject({
      code: 'PASSWORD_CONFIRMATION_MISMATCH',
      path: ['passwordConfirmation'],
    });
    expect(await loggedIn(second.api)).toBe(true);
    expect((await change(person.api, { currentPassword: USER_PASSWORD })).__typename).toBe('ChangePasswordSuccess');
    expect([await loggedIn(person.api), await loggedIn(second.api)]).toEqual([true, false]);
    expect(await locked(person.username), 'the old password is void').toBe(true);
  });

  eachDatabase('AUTH-20 raced', (database) => {
    it('AUTH-20 of two changes at once from two logins, one stands and the other finds its login ended', async () => {
      const world = await startWorld({ database });
      try {
        const staff = await world.account.group('Staff');
        const person = await world.account.user('racer', [staff]);
        const second = await logIn(world.server, world.account.name, 'racer', USER_PASSWORD);
        const passwords = ['First-pass-1', 'Second-pass-1'];
        const answers = await Promise.all(
          [person.api, second.api].map((api, index) =>
            change(api, {
              currentPassword: USER_PASSWORD,
              password: passwords[index],
              passwordConfirmation: passwords[index],
            }).catch((error: Error) => ({ code: error.message })),
          ),
        );
        const winners = answers.flatMap(({ __typename }, index) =>
          __typename === 'ChangePasswordSuccess' ? [index] : [],
        );
        expect(winners).toHaveLength(1);
        const winner = passwords[winners[0] ?? 0] ?? '';
        for (const password of passwords) {
          const { answer } = await beginLogin(world.account, 'racer', { password });
          expect([password, answer.__typename]).toEqual([
            password,
            password === winner ? 'LoginSuccess' : 'InvalidCredentialsError',
          ]);
        }
      } finally {
        await world.server.close();
      }
    });
  });
});

describe('a lock', () => {
  it('AUTH-07 AUTH-09 AUTH-23 tells the user and the Administrators by mail why, and how it ends', async () => {
    const person = await newUser();
    await fail(person.username, 10);
    expect(await locked(person.username)).toBe(true);
    const expected = { accountName: account.name, name: person.username, attempts: 10, minutes: 15 };
    expect(await lastMessage(server, `${person.username}@example.com`, 'LOGIN_LOCKED')).toMatchObject(expected);
    expect(await messagesTo(server, `${person.username}@example.com`, 'LOGIN_LOCKED')).toHaveLength(1);
    expect(await lastMessage(server, 'admin@example.com', 'USER_LOCKED')).toMatchObject(expected);
    // What fails between the end of the lock and the entry that tells of it counts for the next lock.
    server.clock.advance(15 * MINUTE);
    await fail(person.username, 5);
    await server.app.jobs.run();
    await fail(person.username, 5);
    expect(await locked(person.username)).toBe(true);
    await later(15 * MINUTE);
    expect(await locked(person.username)).toBe(false);
    const codes = (await account.log({ userIds: [person.id] })).map(({ code }) => code);
    for (const code of ['LOGIN_FAILED', 'LOGIN_LOCKED', 'LOGIN_UNLOCKED', 'LOGIN_SUCCEEDED'])
      expect(codes).toContain(code);
    await person.api.succeed('mutation { logout { __typename } }');
    expect((await account.log({ userIds: [person.id] })).map(({ code }) => code)).toContain('LOGGED_OUT');
  });

  it('AUTH-08 AUTH-10 counts whatever the way: also the proof of identity and the change of the password', async () => {
    const person = await newUser();
    await fail(person.username, 4);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect((await confirmIdentity(person.api, 'wrong')).code).toBe('INVALID_CREDENTIALS');
      expect((await change(person.api, { currentPassword: 'wrong' })).code).toBe('INVALID_CREDENTIALS');
    }
    expect(await locked(person.username)).toBe(true);
    expect((await confirmIdentity(person.api, USER_PASSWORD)).code).toBe('INVALID_CREDENTIALS');
    expect(await loggedIn(person.api), 'what was logged in before goes on').toBe(true);
  });
});

describe('an address', () => {
  it('AUTH-11 is banned by so many failures within 24 hours, over all accounts, and nothing is checked any more', async () => {
    const small = await startServer({ env: { ADDRESS_BAN_FAILURES: '6', LOGIN_LOCK_ATTEMPTS: '100' } });
    try {
      const [one, two] = await Promise.all([TestAccount.create(small), TestAccount.create(small)]);
      const attempt = async (of: TestAccount, username: string, password = 'wrong'): Promise<string> => {
        const { answer } = await beginLogin(of, username, { password });
        return answer.code ?? answer.__typename;
      };
      for (let count = 0; count < 3; count += 1) await attempt(one, 'admin');
      small.clock.advance(DAY);
      await small.app.jobs.run();
      expect(await small.app.platform.db.loginFailure.count(), 'what no ban counts is forgotten').toBe(0);
      for (const [of, username] of [
        [one, 'admin'],
        [two, 'admin'],
        [two, 'nobody'],
        [one, 'admin'],
        [one, 'nobody'],
      ] as const)
        expect(await attempt(of, username)).toBe('INVALID_CREDENTIALS');
      expect(await attempt(one, 'admin', ADMIN_PASSWORD)).toBe('LoginSuccess');
      expect(await attempt(two, 'nobody')).toBe('INVALID_CREDENTIALS');
      expect(await attempt(one, 'admin', ADMIN_PASSWORD)).toBe('IP_BANNED');
      expect(await small.app.platform.db.loginFailure.count()).toBe(6);
      small.clock.advance(2 * DAY);
      await small.app.jobs.run();
      expect(await attempt(one, 'admin', ADMIN_PASSWORD), 'until an operator lifts it').toBe('IP_BANNED');
      await small.app.platform.db.addressBan.deleteMany();
      expect(await attempt(one, 'admin', ADMIN_PASSWORD)).toBe('LoginSuccess');
    } finally {
      await small.close();
    }
  });
});

describe('an address behind a proxy', () => {
  it('AUTH-11 is the one that a trusted proxy tells; what anybody else tells is not believed', async () => {
    const env = { ADDRESS_BAN_FAILURES: '1', TRUSTED_PROXIES: 'loopback' };
    const [trusting, plain] = await Promise.all([
      startServer({ env }),
      startServer({ env: { ADDRESS_BAN_FAILURES: '1' } }),
    ]);
    const attempt = async (on: TestServer, from: string): Promise<string> => {
      const query =
        'mutation { login(input: { account: "none", username: "none", password: "none" }) { ... on Error { code } } }';
      const { data } = await new ApiCaller(on.url).send(query, {}, { headers: { 'x-forwarded-for': from } });
      return data.login.code;
    };
    try {
      expect(await attempt(trusting, '192.0.2.1')).toBe('INVALID_CREDENTIALS');
      expect(await attempt(trusting, '192.0.2.1')).toBe('IP_BANNED');
      expect(await attempt(trusting, '192.0.2.2')).toBe('INVALID_CREDENTIALS');
      expect(await attempt(trusting, '192.0.2.3, 192.0.2.2'), 'what the caller put in front is not believed').toBe(
        'IP_BANNED',
      );
      expect(await attempt(plain, '192.0.2.1')).toBe('INVALID_CREDENTIALS');
      expect(await attempt(plain, '192.0.2.2')).toBe('IP_BANNED');
    } finally {
      await Promise.all([trusting.close(), plain.close()]);
    }
  });
});

describe('an account', () => {
  it('PWD-16 sets a bounded number of passwords a minute, so that its hashes keep nobody else waiting', async () => {
    const small = await startServer({ env: { PASSWORDS_PER_MINUTE: '2' } });
    try {
      const [one, two] = await Promise.all([TestAccount.create(small, 'FREE'), TestAccount.create(small, 'FREE')]);
      const add = (of: TestAccount, username: string): Promise<Json> =>
        of.admin.api.mutate(
          'mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename ... on TooManyRequestsError { retryAfter } } }',
          {
            input: {
              username,
              email: 'x@example.com',
              password: USER_PASSWORD,
              passwordConfirmation: USER_PASSWORD,
            },
          },
        );
      const answers = [await add(one, 'a'), await add(one, 'b'), await add(one, 'c'), await add(two, 'a')];
      expect(answers.map(({ __typename }) => __typename)).toEqual([
        'CreateUserSuccess',
        'CreateUserSuccess',
        'TooManyRequestsError',
        'CreateUserSuccess',
      ]);
      expect(answers[2].retryAfter).toBeGreaterThan(0);
    } finally {
      await small.close();
    }
  });
});

describe('the proof of identity', () => {
  it('AUTH-21 lasts five minutes from the login or from confirmIdentity, each login for itself', async () => {
    const person = await newUser();
    const second = await logIn(server, account.name, person.username, USER_PASSWORD);
    const open = async (api: ApiCaller) =>
      (await api.run('{ viewer { login { confirmedUntil } } }')).viewer.login.confirmedUntil !== null;
    expect(await open(person.api)).toBe(true);
    await later(5 * MINUTE);
    expect([await open(person.api), await open(second.api)]).toEqual([false, false]);
    const confirmed = await confirmIdentity(person.api, USER_PASSWORD);
    expect(confirmed.__typename).toBe('ConfirmIdentitySuccess');
    expect([await open(person.api), await open(second.api)]).toEqual([true, false]);
    expect((await startEnrolment(second.api, { method: 'APP' })).code).toBe('REAUTHENTICATION_REQUIRED');
    expect((await startEnrolment(person.api, { method: 'APP' })).__typename).toBe('StartSecondFactorEnrolmentSuccess');
    await later(5 * MINUTE);
    expect((await aboutUser(person.api, 'withdrawRememberedPcs', person.id)).code).toBe('REAUTHENTICATION_REQUIRED');
    expect((await confirmIdentity(account.admin.api, USER_PASSWORD)).code).toBe('INVALID_CREDENTIALS');
  });
});

describe('one’s own logins', () => {
  const LIST = '{ viewer { logins { totalCount nodes { id isCurrent client } } } }';
  const REVOKE =
    'mutation ($input: RevokeLoginsInput!) { revokeLogins(input: $input) { __typename ... on RevokeLoginsSuccess { count } ... on Error { code } } }';

  it('AUTH-20 EVT-08 are listed and ended, one by one or all others; those of somebody else are as if they did not exist', async () => {
    const person = await newUser();
    const [second, third] = [
      await logIn(server, account.name, person.username, USER_PASSWORD, 'M2WEB'),
      await logIn(server, account.name, person.username, USER_PASSWORD, 'ECATCHER_MOBILE'),
    ];
    const { nodes, totalCount } = (await third.api.run(LIST)).viewer.logins;
    expect(totalCount).toBe(3);
    expect(nodes.map(({ client, isCurrent }: Json) => [client, isCurrent])).toEqual([
      ['ECATCHER_MOBILE', true],
      ['M2WEB', false],
      ['ECATCHER', false],
    ]);
    const stranger = await newUser();
    const [foreign] = (await stranger.api.run(LIST)).viewer.logins.nodes;
    expect((await third.api.mutate(REVOKE, { input: { loginIds: [foreign.id, 'nonsense', nodes[1].id] } })).count).toBe(
      1,
    );
    expect([await loggedIn(stranger.api), await loggedIn(second.api), await loggedIn(person.api)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(
      (await third.api.mutate(REVOKE, { input: { loginIds: [nodes[1].id] } })).count,
      'again changes nothing',
    ).toBe(0);
    expect((await third.api.mutate(REVOKE, { input: { others: true } })).count).toBe(1);
    expect([await loggedIn(person.api), await loggedIn(third.api)]).toEqual([false, true]);
    expect((await third.api.mutate(REVOKE, { input: { others: false } })).code).toBe('VALIDATION_FAILED');
    const waiting = await beginLogin(account, person.username);
    expect(waiting.answer.__typename).toBe('LoginSuccess');
  });
});

describe('a login that ends', () => {
  const USAGE = 'subscription { slotUsage { inUse } }';
  const EVENTS = 'subscription { logEvents { cursor } }';

  /** A user with an open session and a stream over each transport. */
  async function connected() {
    users += 1;
    const pool = await account.pool(`Pool ${users}`);
    const own = await account.group(`Group ${users}`, [{ poolId: pool, connectEcatcher: true }]);
    const person = await account.user(`connected${users}`, [own]);
    const ewon = await account.onlineEwon({ name: `Ewon ${users}`, poolIds: [pool] });
    const opened = await openSession(person, ewon.id);
    expect(opened.__typename).toBe('OpenSessionSuccess');
    const streams = [person.api.subscribe(USAGE), person.api.stream(EVENTS), person.api.subscribe(EVENTS)] as const;
    await streams[0].waitFor('usage', () => streams[0].received.length > 0);
    await eventually(
      'stream',
      () => streams[1].status,
      (status) => status === 200,
    );
    const tunnel = new WebSocket(opened.tunnel.url, 'talkgate.session.v1', {
      ca: server.app.platform.authority.certificatePem,
      headers: { authorization: `Bearer ${opened.tunnel.token}` },
    });
    tunnel.on('error', () => undefined);
    await eventually(
      'tunnel',
      () => tunnel.readyState,
      (state) => state === WebSocket.OPEN,
    );
    return {
      person,
      ewon,
      sessionId: opened.session.id as string,
      streams,
      tunnel,
      idle: await idleSocket(person.api),
    };
  }

  /** A WebSocket that nothing runs on: only the login itself can end it. */
  async function idleSocket({ url, token }: ApiCaller): Promise<{ closeCode: number | null }> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
    const state = { closeCode: null as number | null, acknowledged: false };
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
    );
    socket.on('message', () => {
      state.acknowledged = true;
    });
    socket.on('close', (code) => {
      state.closeCode = code;
    });
    await eventually('acknowledgement', () => state.acknowledged, Boolean);
    return state;
  }

  const sessionOf = async (id: string): Promise<Json> =>
    (await account.admin.api.run('query ($id: ID!) { node(id: $id) { ... on Session { state closeReason } } }', { id }))
      .node;

  it.each([
    [
      'is revoked',
      'BY_USER',
      async ({ person }: { person: Person }) => {
        const other = await logIn(server, account.name, person.username, USER_PASSWORD);
        return () =>
          other.api.succeed('mutation { revokeLogins(input: { others: true }) { __typename ... on Error { code } } }');
      },
    ],
    [
      'ends with its disabled user',
      'USER_DISABLED',
      async ({ person }: { person: Person }) =>
        () =>
          account.admin.api.succeed(
            'mutation ($userId: ID!) { disableUser(input: { userId: $userId, confirm: true }) { __typename ... on Error { code message } } }',
            { userId: person.id },
          ),
    ],
    [
      'expires',
      'SESSION_EXPIRED',
      async ({ person }: { person: Person }) =>
        async () => {
          const { id } = (await person.api.run('{ viewer { login { id } } }')).viewer.login;
          await server.app.platform.db.login.update({
            where: { id: keyOf(id) },
            data: { expiresAt: new Date(server.clock.now().getTime()) },
          });
        },
    ],
  ])(
    'EVT-08 AUTH-20 that %s closes its WebSockets, event streams and tunnel within a second',
    async (_how, reason, prepare) => {
      const { person, ewon, sessionId, streams, tunnel, idle } = await connected();
      const end = await prepare({ person });
      await end();
      const from = performance.now();
      await Promise.all([
        ...streams.map((stream) => stream.waitFor('its end', () => stream.ended, 3000)),
        eventually(
          'the end of the session',
          () => sessionOf(sessionId),
          ({ state }) => state === 'CLOSED',
          3000,
        ),
        eventually(
          'the close of the sockets',
          () => [streams[0].closeCode, streams[2].closeCode, tunnel.readyState === WebSocket.CLOSED, idle.closeCode],
          (closed) => closed.every(Boolean),
          3000,
        ),
      ]);
      expect(performance.now() - from).toBeLessThan(1000);
      expect(idle.closeCode).toBe(4403);
      expect((await sessionOf(sessionId)).closeReason).toBe(reason);
      for (const stream of streams) {
        expect(stream.errors?.[0]?.extensions.code).toBe('LOGIN_EXPIRED');
        await stream.leave();
      }
      await ewon.device.disconnect();
    },
  );
});

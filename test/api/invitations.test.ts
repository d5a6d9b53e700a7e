import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiCaller, eventually, type Json } from '../support/client.ts';
import { lastMessage, messagesTo } from '../support/messages.ts';
import type { TestServer } from '../support/server.ts';
import { change, read } from '../support/users.ts';
import { type Person, startWorld, TestAccount, USER_PASSWORD } from '../support/world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const CHOSEN_PASSWORD = 'Chosen-pass-1';

let server: TestServer;
let account: TestAccount;
let admin: Person;
let nobody: ApiCaller;
let group: string;

beforeAll(async () => {
  const limits = { INVITATION_DAYS: '1', RECOVERY_MINUTES: '60', RECOVERIES_PER_HOUR: '1000' };
  ({ server, account } = await startWorld({ env: { LOGIN_HOURS: '720', LOGIN_IDLE_MINUTES: '1440', ...limits } }));
  ({ admin } = account);
  nobody = new ApiCaller(server.url);
  group = await account.group('Staff');
});
afterAll(() => server.close());

const sameTwice = (password: string) => ({ password, passwordConfirmation: password });
const newUser = (username: string, more: object = {}) => ({
  ...{ username, email: `${username}@example.com`, groupIds: [group] },
  ...more,
});
const create = async (username: string, more: object = {}): Promise<Json> => {
  const result = await change(admin, 'createUser', newUser(username, more));
  expect(result.__typename, JSON.stringify(result)).toBe('CreateUserSuccess');
  return result.user;
};
const invited = (username: string, more: object = {}) => create(username, { invite: true, ...more });
const tokenIn = ({ link }: { link: string }): string => link.split('#')[1] ?? '';
const invitationOf = async (username: string): Promise<string> =>
  tokenIn(await lastMessage(server, `${username}@example.com`, 'INVITATION'));
const accept = (token: string, password = CHOSEN_PASSWORD): Promise<Json> =>
  change(nobody, 'acceptInvitation', { token, ...sameTwice(password) });
const recover = (token: string, password = CHOSEN_PASSWORD): Promise<Json> =>
  change(nobody, 'recoverPassword', { token, ...sameTwice(password) });
const login = async (username: string, password: string): Promise<string> =>
  (
    await nobody.mutate('mutation ($input: LoginInput!) { login(input: $input) { __typename } }', {
      input: { account: account.name, username, password },
    })
  ).__typename;
const alive = async (person: Person): Promise<boolean> =>
  (await person.api.run('{ viewer { user { id } } }')).viewer !== null;
const entries = async (code: string): Promise<Json[]> => account.log({ codes: [code] });

describe('an invitation', () => {
  it('INV-01 INV-02 INV-03 INV-04 INV-05 INV-10 INV-11 INV-12 lets its reader choose a password, whereupon he is ENABLED', async () => {
    const user = await invited('ann', { fullName: 'Ann Other', email: 'ann@example.com' });
    expect(user).toMatchObject({ status: 'PENDING', invitationAcceptedAt: null, passwordExpiresAt: null });
    const sentAt = new Date(user.invitationSentAt).getTime();
    expect(new Date(user.invitationExpiresAt).getTime() - sentAt).toBe(24 * HOUR_MS);
    const params = await lastMessage(server, 'ann@example.com', 'INVITATION');
    expect(params).toMatchObject({
      accountName: account.name,
      name: 'Ann Other[ann]',
      inviter: 'admin',
      validUntil: user.invitationExpiresAt,
    });
    expect(params.link).toMatch(/^http:\/\/\S+\/invitation#[\w-]{43}$/);
    const token = tokenIn(params);
    const stored = await server.app.platform.db.user.findUniqueOrThrow({ where: { number: numberOf(user) } });
    expect(JSON.stringify(stored, (_key, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
      token,
    );
    expect([await login('ann', CHOSEN_PASSWORD), stored.passwordHash]).toEqual(['InvalidCredentialsError', null]);
    expect((await entries('INVITATION_SENT'))[0]).toMatchObject({
      text: 'Invitation of Ann Other[ann] sent by admin',
      userName: 'admin',
    });

    // Neither a password that breaks the policy nor one that is mistyped uses the invitation up.
    expect(await accept(token, 'short')).toMatchObject({ violations: ['TOO_SHORT', 'NO_DIGIT'] });
    expect(
      await change(nobody, 'acceptInvitation', {
        token,
        password: CHOSEN_PASSWORD,
        passwordConfirmation: 'Other-pass-1',
      }),
    ).toMatchObject({ code: 'PASSWORD_CONFIRMATION_MISMATCH', path: ['passwordConfirmation'] });
    expect(await accept(token)).toEqual({
      __typename: 'AcceptInvitationSuccess',
      accountName: account.name,
      username: 'ann',
    });
    const accepted = await read(admin, { id: user.id });
    expect(accepted).toMatchObject({
      status: 'ENABLED',
      invitationSentAt: user.invitationSentAt,
      invitationExpiresAt: null,
      invitationAcceptedAt: expect.any(String),
    });
    expect((await entries('INVITATION_ACCEPTED'))[0]).toMatchObject({
      text: 'Ann Other[ann] accepted the invitation',
      userReference: user.reference,
    });
    expect(await login('ann', CHOSEN_PASSWORD)).toBe('LoginSuccess');
    expect(await accept(token, 'Again-pass-1')).toMatchObject({ code: 'INVITATION_INVALID', path: ['token'] });
    expect(await login('ann', CHOSEN_PASSWORD)).toBe('LoginSuccess');
  });
  const numberOf = ({ reference }: Json) => Number(reference.slice(3));

  it('INV-10 leads to the normal login, second factor included', async () => {
    await invited('second', { secondFactor: { method: 'EMAIL' } });
    await accept(await invitationOf('second'));
    expect(await login('second', CHOSEN_PASSWORD)).toBe('SecondFactorRequired');
  });

  it('INV-06 INV-08 INV-12 is sent again to an existing user, whose status stays; accepting it sets a new password', async () => {
    const person = await account.user('old', [group]);
    const sent = (await entries('INVITATION_SENT')).length;
    expect((await change(admin, 'inviteUser', { userId: person.id })).user).toMatchObject({
      status: 'ENABLED',
      invitationSentAt: expect.any(String),
      invitationAcceptedAt: null,
    });
    expect(await entries('INVITATION_SENT')).toHaveLength(sent + 1);
    expect([await alive(person), await login('old', USER_PASSWORD)]).toEqual([true, 'LoginSuccess']);
    const token = await invitationOf('old');
    await change(admin, 'disableUser', { userId: person.id });
    expect(await accept(token), 'while disabled').toMatchObject({ code: 'INVITATION_INVALID' });
    await change(admin, 'enableUser', { userId: person.id });
    expect((await accept(token)).__typename).toBe('AcceptInvitationSuccess');
    expect(await login('old', USER_PASSWORD)).toBe('InvalidCredentialsError');
    expect(await login('old', CHOSEN_PASSWORD)).toBe('LoginSuccess');

    const disabled = await create('still-disabled', sameTwice(USER_PASSWORD));
    await change(admin, 'disableUser', { userId: disabled.id });
    expect((await change(admin, 'inviteUser', { userId: disabled.id })).user.status).toBe('DISABLED');
    const pending = await invited('still-pending');
    expect((await change(admin, 'inviteUser', { userId: pending.id })).user.status).toBe('PENDING');
  });

  it('INV-07 is not sent to a user who may not change his password; the first one he still gets', async () => {
    const user = await invited('bound', { forbidPasswordChange: true });
    expect(await change(admin, 'inviteUser', { userId: user.id })).toMatchObject({ code: 'PASSWORD_CHANGE_FORBIDDEN' });
    expect(await messagesTo(server, 'bound@example.com', 'INVITATION')).toHaveLength(1);
    expect((await accept(await invitationOf('bound'))).__typename).toBe('AcceptInvitationSuccess');
    expect(await change(admin, 'inviteUser', { userId: user.id })).toMatchObject({ code: 'PASSWORD_CHANGE_FORBIDDEN' });
  });

  it('INV-09 is valid once and for its time; a newer one, a new address and a password set by others void it, and nobody is told which', async () => {
    const cases: Record<string, (user: Json) => Promise<unknown>> = {
      replaced: ({ id }) => change(admin, 'inviteUser', { userId: id }),
      readdressed: ({ id }) =>
        change(admin, 'updateUser', { userId: id, properties: { email: 'elsewhere@example.com' } }),
      given: ({ id }) => change(admin, 'setUserPassword', { userId: id, ...sameTwice(USER_PASSWORD) }),
      deleted: ({ id }) => change(admin, 'deleteUser', { userId: id, confirm: true }),
    };
    const message = (await accept('x'.repeat(43))).message;
    for (const [username, spoil] of Object.entries(cases)) {
      const user = await invited(username);
      const token = await invitationOf(username);
      await spoil(user);
      expect(await accept(token), username).toEqual({
        __typename: 'DomainError',
        code: 'INVITATION_INVALID',
        message,
        path: ['token'],
      });
    }
    expect((await accept(await invitationOf('replaced'))).__typename, 'the newer one').toBe('AcceptInvitationSuccess');
    for (const token of ['', 'malformed', 'ü'.repeat(200)])
      expect(await accept(token)).toMatchObject({ code: 'INVITATION_INVALID' });

    const late = await invited('late');
    const token = await invitationOf('late');
    server.clock.advance(12 * HOUR_MS);
    expect((await read(admin, { id: late.id })).invitationExpiresAt).not.toBeNull();
    server.clock.advance(12 * HOUR_MS - 10 * MINUTE_MS);
    expect(await accept(token, 'short'), 'in time').toMatchObject({ violations: expect.anything() });
    server.clock.advance(10 * MINUTE_MS);
    expect(await accept(token)).toMatchObject({ code: 'INVITATION_INVALID' });
    expect((await read(admin, { id: late.id })).status).toBe('PENDING');
  });
});

describe('a forgotten password', () => {
  const request = async (usernameOrEmail: string, name = account.name): Promise<Json> =>
    change(nobody, 'requestPasswordRecovery', { account: name, usernameOrEmail });
  const mails = (email: string) => messagesTo(server, email, 'PASSWORD_RECOVERY');
  /** Every request counts one more mail: waits for so many. */
  const recoveryOf = async (username: string, count = 1): Promise<string> => {
    const email = `${username}@example.com`;
    await eventually(
      'a mail',
      () => mails(email),
      (found) => found.length >= count,
    );
    return tokenIn(await lastMessage(server, email, 'PASSWORD_RECOVERY'));
  };

  it('AUTH-12 AUTH-13 is recovered by account and user name or e-mail: a mail, a link, a new password', async () => {
    const person = await account.user('forgetful', [group], { fullName: 'For Getful' });
    await server.app.platform.db.user.updateMany({
      where: { username: 'forgetful' },
      data: { lockedUntil: new Date(server.clock.now().getTime() + HOUR_MS) },
    });
    expect(await request('FORGETFUL', account.name.toUpperCase())).toEqual({
      __typename: 'RequestPasswordRecoverySuccess',
      requested: true,
    });
    const first = await recoveryOf('forgetful');
    const params = await lastMessage(server, 'forgetful@example.com', 'PASSWORD_RECOVERY');
    expect(params).toMatchObject({ accountName: account.name, name: 'For Getful[forgetful]' });
    expect(params.link).toMatch(/^http:\/\/\S+\/recovery#[\w-]{43}$/);
    expect((await entries('PASSWORD_RECOVERY_REQUESTED'))[0].userName).toBe('For Getful[forgetful]');
    expect(await alive(person), 'asking changes nothing').toBe(true);

    // By e-mail, and it voids the link before.
    await request('Forgetful@Example.com');
    const second = await recoveryOf('forgetful', 2);
    expect(await recover(first)).toMatchObject({ code: 'RECOVERY_INVALID', path: ['token'] });
    expect(await recover(second, 'short')).toMatchObject({ violations: ['TOO_SHORT', 'NO_DIGIT'] });
    expect(await recover(second)).toEqual({
      __typename: 'RecoverPasswordSuccess',
      accountName: account.name,
      username: 'forgetful',
    });
    expect((await entries('PASSWORD_RECOVERED'))[0].text).toBe('For Getful[forgetful] recovered his password');
    expect(await alive(person)).toBe(false);
    expect(await login('forgetful', USER_PASSWORD)).toBe('InvalidCredentialsError');
    expect(await login('forgetful', CHOSEN_PASSWORD), 'unlocked too').toBe('LoginSuccess');
    expect(await recover(second)).toMatchObject({ code: 'RECOVERY_INVALID' });
  });

  it('AUTH-12 goes to everybody with that address, in that account only', async () => {
    const other = await TestAccount.create(server);
    const shared = { email: 'sha_red@example.com', ...sameTwice(USER_PASSWORD) };
    for (const username of ['twin-1', 'twin-2']) await create(username, shared);
    await create('no-twin', { ...shared, email: 'shaXred@example.com' });
    await change(other.admin, 'createUser', {
      ...newUser('foreigner', { ...shared, groupIds: [await other.group('Staff')] }),
    });
    await request('SHA_red@example.com');
    const found = await eventually(
      'two mails',
      () => mails('sha_red@example.com'),
      ({ length }) => length >= 2,
    );
    expect(found.map(({ params }) => params.name).sort()).toEqual(['twin-1', 'twin-2']);
    expect(await mails('shaXred@example.com')).toEqual([]);
  });

  it('AUTH-13 is valid for its time, and answers everybody alike and as fast', async () => {
    await account.user('timed', [group]);
    await request('timed');
    const token = await recoveryOf('timed');
    server.clock.advance(59 * MINUTE_MS);
    expect(await recover(token, 'short'), 'in time').toMatchObject({ violations: expect.anything() });
    server.clock.advance(MINUTE_MS);
    expect(await recover(token)).toMatchObject({ code: 'RECOVERY_INVALID' });

    const took = async (...who: [string, string?]): Promise<number> => {
      const times: number[] = [];
      for (let time = 0; time < 5; time++) {
        const before = performance.now();
        expect(await request(...who)).toEqual({ __typename: 'RequestPasswordRecoverySuccess', requested: true });
        times.push(performance.now() - before);
      }
      return Math.min(...times);
    };
    const known = await took('timed');
    expect(known, 'a fixed time').toBeGreaterThan(200);
    for (const unknown of [await took('unknown'), await took('timed', 'unknown-account')])
      expect(Math.abs(unknown - known)).toBeLessThan(60);
  });

  it('AUTH-14 USR-18 USR-19 sends nothing to those who may not change their password, or may not log in', async () => {
    const soon = new Date(server.clock.now().getTime() + HOUR_MS).toISOString();
    await create('fixed', { ...sameTwice(USER_PASSWORD), forbidPasswordChange: true });
    await create('no-editor', { ...sameTwice(USER_PASSWORD), mayEditOwnProperties: false });
    await create('ended', { ...sameTwice(USER_PASSWORD), expiresAt: soon });
    await invited('never-came');
    const { id } = await create('blocked', sameTwice(USER_PASSWORD));
    const { id: turned } = await create('turned', sameTwice(USER_PASSWORD));
    await request('turned');
    const token = await recoveryOf('turned');
    for (const userId of [id, turned]) await change(admin, 'disableUser', { userId });
    server.clock.advance(HOUR_MS - 1);
    await eventually(
      'the end',
      () => server.clock.now().toISOString(),
      (now) => now >= soon,
    );

    const silent = ['fixed', 'no-editor', 'ended', 'never-came', 'blocked'];
    for (const username of silent) expect((await request(username)).__typename).toBe('RequestPasswordRecoverySuccess');
    // Who may, gets his mail after them.
    await create('may', sameTwice(USER_PASSWORD));
    await request('may');
    await recoveryOf('may');
    for (const username of silent) expect(await mails(`${username}@example.com`), username).toEqual([]);
    expect(await recover(token), 'disabled after the request').toMatchObject({ code: 'RECOVERY_INVALID' });
  });

  it('AUTH-13 loses its link when the permission or the address changes', async () => {
    for (const [username, properties] of [
      ['later-fixed', { forbidPasswordChange: true }],
      ['later-no-editor', { mayEditOwnProperties: false }],
      ['later-moved', { email: 'moved@example.com' }],
    ] as const) {
      const { id } = await create(username, sameTwice(USER_PASSWORD));
      await request(username);
      const token = await recoveryOf(username);
      await change(admin, 'updateUser', { userId: id, properties });
      expect(await recover(token), username).toMatchObject({ code: 'RECOVERY_INVALID' });
    }
  });

  it('AUTH-12 can be asked for so often from one address', async () => {
    const { recoveries } = server.app.platform.rateLimits;
    let taken = 0;
    // The rest of the hour's requests, without their time.
    for (; taken < 1000; taken++) {
      const left = await recoveries.take('127.0.0.1').then(
        () => true,
        () => false,
      );
      if (!left) break;
    }
    expect(taken).toBeLessThan(1000);
    expect(await request('anybody')).toMatchObject({
      __typename: 'TooManyRequestsError',
      code: 'TOO_MANY_REQUESTS',
      retryAfter: expect.any(Number),
    });
  });
});

it('ACC-12 the creation of an account is confirmed by mail to its first Administrator', async () => {
  const input = {
    ...{ name: 'fresh-account', company: 'Fresh Ltd', username: 'chief', fullName: 'Chief Fresh' },
    ...{ email: 'chief@example.com', password: CHOSEN_PASSWORD },
  };
  const CREATE =
    'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { __typename ... on Error { code } } }';
  expect((await nobody.mutate(CREATE, { input })).__typename).toBe('CreateAccountSuccess');
  expect(await lastMessage(server, 'chief@example.com', 'ACCOUNT_CREATED')).toEqual({
    accountName: 'fresh-account',
    name: 'Chief Fresh[chief]',
    company: 'Fresh Ltd',
  });
  const again = { ...input, email: 'second@example.com' };
  expect(await nobody.mutate(CREATE, { input: again })).toMatchObject({ code: 'ACCOUNT_NAME_TAKEN' });
  expect(await messagesTo(server, 'second@example.com', 'ACCOUNT_CREATED')).toEqual([]);
});

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { defaultPasswordPolicy } from '../../src/passwords/policy.ts';
import { ApiCaller, type Json } from '../support/client.ts';
import { lastMessage } from '../support/messages.ts';
import { beginLogin, continueLogin } from '../support/second-factor.ts';
import { onPostgres, type TestServer } from '../support/server.ts';
import { change } from '../support/users.ts';
import { ADMIN_PASSWORD, type Person, startWorld, TestAccount, USER_PASSWORD } from '../support/world.ts';

const POLICY =
  'summary minLength maxLength needsLetter needsDigit needsSpecial needsDigitOrSpecial expiresAfterDays history viewerMayUpdate';
const UPDATE = `mutation ($input: UpdatePasswordPolicyInput!) { updatePasswordPolicy(input: $input) { __typename
  ... on UpdatePasswordPolicySuccess { account { passwordPolicy { ${POLICY} } } }
  ... on ValidationError { inputViolations { path message } } ... on Error { code message path } } }`;
const ESTIMATE = `mutation ($input: EstimatePasswordStrengthInput!) { estimatePasswordStrength(input: $input) { __typename
  ... on EstimatePasswordStrengthSuccess { score hints policyViolations }
  ... on ValidationError { inputViolations { path } } ... on TooManyRequestsError { retryAfter } ... on Error { code } } }`;
const CHANGE_OWN = `mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { __typename
  ... on PasswordPolicyError { violations } ... on Error { code path } } }`;

const DEFAULT = {
  minLength: 8,
  needsLetter: true,
  needsDigit: true,
  needsSpecial: false,
  needsDigitOrSpecial: false,
  expiresAfterDays: null,
  history: null,
};
const DAY_MS = 86_400_000;

let server: TestServer;
let account: TestAccount;
let groupId: string;

beforeAll(async () => {
  ({ server, account } = await startWorld({ env: { STRENGTH_PER_MINUTE: '8' } }));
  groupId = await account.group('Staff');
});
// Each test begins with the policy of a new account, whatever the one before has left.
afterEach(() => reset());
afterAll(() => server.close());

const update = (input: object, who: Person = account.admin): Promise<Json> => who.api.mutate(UPDATE, { input });
const policyOf = async (who: Person): Promise<Json> =>
  (await who.api.run(`{ account { passwordPolicy { ${POLICY} } } }`)).account.passwordPolicy;
const setPassword = (user: { id: string }, password: string, admin: Person = account.admin): Promise<Json> =>
  change(admin, 'setUserPassword', { userId: user.id, password, passwordConfirmation: password });
const changeOwn = (who: Person, currentPassword: string, password: string): Promise<Json> =>
  who.api.mutate(CHANGE_OWN, { input: { currentPassword, password, passwordConfirmation: password } });
/** The policy as a new account has it. */
const reset = (who: Person = account.admin) => update(DEFAULT, who);

describe('the policy', () => {
  it('PWD-01 PWD-03 PWD-21 is one for the account, readable by every user of it, with a summary', async () => {
    const user = await account.user('reader', [groupId]);
    const policy = { ...DEFAULT, maxLength: 45, summary: 'At least 8 characters, one letter, one digit' };
    expect(await policyOf(account.admin)).toEqual({ ...policy, viewerMayUpdate: true });
    expect(await policyOf(user)).toEqual({ ...policy, viewerMayUpdate: false });
    expect(
      (await new ApiCaller(server.url).send(`{ account { passwordPolicy { summary } } }`)).errors?.[0],
    ).toMatchObject({
      extensions: { code: 'UNAUTHENTICATED' },
    });
  });

  it('PWD-02 ACC-24 is changed by Administrators alone, keeps what is absent, and the log says what changed', async () => {
    const [manager, other] = await Promise.all([
      account.user('manager', [await account.group('Managers', [], { mayCreateGroups: true })]),
      TestAccount.create(server),
    ]);
    expect(await update({ minLength: 20 }, manager)).toMatchObject({ code: 'FORBIDDEN' });
    expect(
      (await new ApiCaller(server.url).send(UPDATE, { input: { minLength: 20 } })).errors?.[0]?.extensions.code,
    ).toBe('UNAUTHENTICATED');
    expect(await update({ minLength: 12, needsSpecial: true, expiresAfterDays: 90, history: 5 })).toMatchObject({
      account: {
        passwordPolicy: {
          ...{ minLength: 12, needsLetter: true, needsSpecial: true, expiresAfterDays: 90, history: 5 },
          summary:
            'At least 12 characters, one letter, one digit, one special character, expires after 90 days, differs from the last 5 passwords',
        },
      },
    });
    expect(await update({ history: null, expiresAfterDays: null, needsSpecial: false })).toMatchObject({
      account: { passwordPolicy: { ...DEFAULT, minLength: 12 } },
    });
    expect((await policyOf(other.admin)).minLength, 'another account').toBe(8);
    for (const input of [{ minLength: 8 }, { minLength: 8 }, {}])
      expect((await update(input)).account.passwordPolicy).toMatchObject(DEFAULT);
    const entries = await account.log({ codes: ['PASSWORD_POLICY_CHANGED'] });
    expect(entries.map(({ text }: Json) => text)).toEqual([
      'Password policy changed: minimum length from 12 to 8',
      'Password policy changed: special character from required to not required, expiration in days from 90 to none, history from 5 to none',
      'Password policy changed: minimum length from 8 to 12, special character from not required to required, expiration in days from none to 90, history from none to 5',
    ]);
    expect(entries[0].userName).toBe('admin');
  });

  it.each([
    ['PWD-04', 'minLength', [6, 45], [5, 46, -1]],
    ['PWD-11', 'expiresAfterDays', [10, 970], [9, 971, 0]],
    ['PWD-12', 'history', [1, 999], [0, 1000, -3]],
  ])('%s %s has its range, and refuses what lies outside', async (_rule, field, good, bad) => {
    for (const value of good) expect((await update({ [field]: value })).account.passwordPolicy[field]).toBe(value);
    for (const value of bad)
      expect(await update({ [field]: value })).toMatchObject({
        __typename: 'ValidationError',
        inputViolations: [{ path: [field] }],
      });
    expect((await policyOf(account.admin))[field]).toBe(good[1]);
  });

  it('PWD-04 PWD-11 PWD-12 tells every violation of a change at once, and changes nothing then', async () => {
    const result = await update({
      minLength: 5,
      needsLetter: null,
      expiresAfterDays: 9,
      history: 1000,
      needsSpecial: true,
    });
    expect(result.inputViolations.map(({ path }: Json) => path)).toEqual([
      ['minLength'],
      ['needsLetter'],
      ['expiresAfterDays'],
      ['history'],
    ]);
    expect(await policyOf(account.admin)).toMatchObject(DEFAULT);
    expect(await update({ minLength: null })).toMatchObject({ inputViolations: [{ path: ['minLength'] }] });
  });
});

describe('passwords under the policy', () => {
  it('PWD-16 PWD-20 PWD-14 PWD-13 every place that sets one refuses what breaks it, with all constraints; what is set stays valid', async () => {
    const user = await account.user('everywhere', [groupId]);
    await account.admin.api.succeed(UPDATE, {
      input: { minLength: 14, needsSpecial: true, needsDigitOrSpecial: true },
    });
    const weak = { password: 'short', passwordConfirmation: 'short' };
    const violations = ['TOO_SHORT', 'NO_DIGIT', 'NO_SPECIAL', 'NO_DIGIT_OR_SPECIAL'];
    const refused = { code: 'PASSWORD_POLICY_VIOLATION', violations };

    expect((await beginLogin(account, 'everywhere')).answer.__typename, 'PWD-13').toBe('LoginSuccess');
    const draft = { username: 'after', email: 'after@example.com', groupIds: [groupId] };
    expect(await change(account.admin, 'createUser', { ...draft, ...weak })).toMatchObject(refused);
    expect(await change(account.admin, 'setUserPassword', { userId: user.id, ...weak })).toMatchObject(refused);
    const copy = { userId: user.id, username: 'copy', ...weak };
    expect(await change(account.admin, 'duplicateUser', copy)).toMatchObject(refused);
    expect(await changeOwn(user, USER_PASSWORD, 'short')).toMatchObject({ violations });

    const nobody = new ApiCaller(server.url);
    await change(account.admin, 'createUser', {
      ...draft,
      username: 'invited',
      email: 'invited@example.com',
      invite: true,
    });
    const tokenIn = (link: string) => link.split('#')[1] ?? '';
    const { link } = await lastMessage(server, 'invited@example.com', 'INVITATION');
    expect(await change(nobody, 'acceptInvitation', { token: tokenIn(link), ...weak })).toMatchObject(refused);

    await change(nobody, 'requestPasswordRecovery', { account: account.name, usernameOrEmail: 'everywhere' });
    const recovery = await lastMessage(server, 'everywhere@example.com', 'PASSWORD_RECOVERY');
    expect(await change(nobody, 'recoverPassword', { token: tokenIn(recovery.link), ...weak })).toMatchObject(refused);

    await change(account.admin, 'forcePasswordChange', { userId: user.id });
    const step = await beginLogin(account, 'everywhere');
    expect(step.answer.__typename).toBe('PasswordChangeRequired');
    expect(await step.api.mutate(CHANGE_OWN, { input: weak })).toMatchObject({ violations });
    const strong = { password: 'long enough 14!', passwordConfirmation: 'long enough 14!' };
    expect((await step.api.mutate(CHANGE_OWN, { input: strong })).code).toBeUndefined();
    expect((await continueLogin(step.api)).answer.__typename).toBe('LoginSuccess');
    expect((await change(account.admin, 'createUser', { ...draft, ...strong })).__typename).toBe('CreateUserSuccess');
  });

  it('PWD-17 value and confirmation must be the same, also where one is set for somebody else', async () => {
    const user = await account.user('confirming', [groupId]);
    const input = { password: 'Another-pass-1', passwordConfirmation: 'Another-pass-2' };
    const mismatch = { code: 'PASSWORD_CONFIRMATION_MISMATCH', path: ['passwordConfirmation'] };
    expect(await change(account.admin, 'setUserPassword', { userId: user.id, ...input })).toMatchObject(mismatch);
    expect(await user.api.mutate(CHANGE_OWN, { input: { currentPassword: USER_PASSWORD, ...input } })).toMatchObject(
      mismatch,
    );
    expect((await beginLogin(account, 'confirming')).answer.__typename).toBe('LoginSuccess');
  });

  it('PWD-11 PWD-15 PWD-13 expire so many days after they were set, and never on the day the setting is made', async () => {
    const user = await account.user('expiring', [groupId]);
    /** Days until his password expires. */
    const expiresIn = async () => {
      const query = 'query ($id: ID!) { node(id: $id) { ... on User { passwordExpiresAt } } }';
      const { passwordExpiresAt } = (await account.admin.api.run(query, { id: user.id })).node;
      return passwordExpiresAt && (Date.parse(passwordExpiresAt) - server.clock.now().getTime()) / DAY_MS;
    };
    const begin = async () => (await beginLogin(account, 'expiring')).answer.__typename;
    const admin = () => beginLogin(account, 'admin', { password: ADMIN_PASSWORD });
    const pass = async (days: number) => {
      server.clock.advance(days * DAY_MS);
      account.admin.api = (await admin()).api;
    };
    expect(await expiresIn()).toBeNull();
    await pass(50);
    await update({ expiresAfterDays: 30 });
    expect(await expiresIn(), 'switched on').toBeCloseTo(30, 2);
    expect(await begin()).toBe('LoginSuccess');
    await pass(20);
    await update({ expiresAfterDays: 40 });
    expect(await expiresIn(), 'lengthened').toBeCloseTo(20, 2);
    await update({ expiresAfterDays: 10 });
    expect(await expiresIn(), 'shortened').toBeCloseTo(10, 2);
    server.clock.advance(10 * DAY_MS - 60_000);
    expect(await begin()).toBe('LoginSuccess');
    server.clock.advance(60_000);
    expect(await begin()).toBe('PasswordChangeRequired');
    // The password of the Administrator has expired as well.
    const { api } = await admin();
    await api.succeed(CHANGE_OWN, {
      input: { password: `${ADMIN_PASSWORD}x`, passwordConfirmation: `${ADMIN_PASSWORD}x` },
    });
    account.admin.api = (await continueLogin(api)).api;
    await setPassword(user, 'Fresh-pass-1');
    expect(await expiresIn()).toBeCloseTo(10, 2);
    await reset();
    expect(await expiresIn()).toBeNull();
  });
});

describe('history', () => {
  const outcome = ({ __typename, violations }: Json) => violations ?? __typename;
  const done = 'SetUserPasswordSuccess';

  it('PWD-12 with value N a new password differs from the N most recent ones, the current one included', async () => {
    const user = await account.user('historic', [groupId]);
    const set = async (password: string) => outcome(await setPassword(user, password));
    // Without a history the same one is fine.
    expect(await set(USER_PASSWORD)).toBe(done);
    await update({ history: 1 });
    expect(await set(USER_PASSWORD), 'the current one').toEqual(['USED_BEFORE']);
    expect(await set('Number-one-1')).toBe(done);
    expect(await set(USER_PASSWORD), 'one before the current one').toBe(done);
    await update({ history: 3 });
    for (const number of [2, 3, 4]) expect(await set(`Number-${number}-x`)).toBe(done);
    for (const number of [2, 3, 4]) expect(await set(`Number-${number}-x`)).toEqual(['USED_BEFORE']);
    expect(await set(USER_PASSWORD), 'the fourth').toBe(done);
    expect(await set('Number-2-x'), 'the fourth now').toBe(done);
    // PWD-20: beside what else it breaks.
    await update({ needsSpecial: true, minLength: 20 });
    expect(await set('Number-2-x')).toEqual(['TOO_SHORT', 'USED_BEFORE']);
    await reset();
    expect(outcome(await setPassword(await account.user('newcomer', [groupId]), 'Number-2-x')), 'of others').toBe(done);
  });

  it('PWD-12 a user meets his own history too, and the first password is in it', async () => {
    const user = await account.user('own-history', [groupId]);
    await update({ history: 2 });
    expect(await changeOwn(user, USER_PASSWORD, USER_PASSWORD)).toMatchObject({ violations: ['USED_BEFORE'] });
    expect((await changeOwn(user, USER_PASSWORD, 'Second-pass-1')).code).toBeUndefined();
    expect(await changeOwn(user, 'Second-pass-1', USER_PASSWORD)).toMatchObject({ violations: ['USED_BEFORE'] });
  });

  it('PWD-12 999 passwords are remembered, no more, and are compared by a single hash', async () => {
    const user = await account.user('veteran', [groupId]);
    const { db, passwords } = server.app.platform;
    const userId = await keyOf(user);
    const before = await db.passwordRecord.findFirstOrThrow({ where: { userId } });
    const scheme = before.hash.slice(0, before.hash.lastIndexOf('$'));
    // As if he had changed it every day.
    await db.passwordRecord.createMany({
      data: Array.from({ length: 1005 }, (_, day) => ({
        userId,
        hash: `${scheme}$${Buffer.from(`password of day ${day}`.padEnd(32)).toString('base64').replace(/=+$/, '')}`,
        setAt: new Date(before.setAt.getTime() - (day + 1) * DAY_MS),
      })),
    });
    const oldest = await passwords.hash('Oldest-pass-1', before.hash);
    await db.passwordRecord.updateMany({
      where: { userId, setAt: new Date(before.setAt.getTime() - 998 * DAY_MS) },
      data: { hash: oldest },
    });
    await update({ history: 999 });
    const computing = [vi.spyOn(passwords, 'hash'), vi.spyOn(passwords, 'repeat')];
    expect(outcome(await setPassword(user, 'Oldest-pass-1'))).toEqual(['USED_BEFORE']);
    expect(computing.flatMap(({ mock }) => mock.calls)).toHaveLength(1);
    for (const spy of computing) spy.mockRestore();
    expect(outcome(await setPassword(user, 'Quite-new-1'))).toBe(done);
    expect(await db.passwordRecord.count({ where: { userId } })).toBe(999);
    expect(outcome(await setPassword(user, 'Oldest-pass-1')), 'the thousandth').toBe(done);
  });

  it('PWD-12 hashes that were made at another cost count too', async () => {
    const user = await account.user('dearer', [groupId]);
    const { db } = server.app.platform;
    const userId = await keyOf(user);
    const [cheap] = await db.passwordRecord.findMany({ where: { userId } });
    const dearer = (cheap?.hash ?? '').replace('m=1024', 'm=2048');
    const repeated = await server.app.platform.passwords.repeat(dearer, 'Dearer-pass-1');
    await db.passwordRecord.create({ data: { userId, hash: repeated, setAt: server.clock.now() } });
    await update({ history: 5 });
    expect(outcome(await setPassword(user, 'Dearer-pass-1'))).toEqual(['USED_BEFORE']);
    expect(outcome(await setPassword(user, USER_PASSWORD))).toEqual(['USED_BEFORE']);
  });

  it('PWD-22 stores hashes alone, one salt a user, and shows none of them anywhere', async () => {
    const [one, two] = [await account.user('salted-1', [groupId]), await account.user('salted-2', [groupId])];
    await setPassword(one, 'Salted-pass-2');
    const { db } = server.app.platform;
    const records = async (person: Person) =>
      (await db.passwordRecord.findMany({ where: { userId: await keyOf(person) } })).map(({ hash }) => hash);
    const [first, second] = [await records(one), await records(two)];
    expect(first).toHaveLength(2);
    for (const hash of [...first, ...second]) expect(hash).toMatch(/^\$argon2id\$v=19\$m=1024,/);
    const salts = (hashes: string[]) => new Set(hashes.map((hash) => hash.split('$')[4]));
    expect(salts(first).size).toBe(1);
    expect(salts(first)).not.toEqual(salts(second));
    const dump = JSON.stringify(
      [await db.user.findMany(), await db.logEntry.findMany(), await db.passwordRecord.findMany()],
      (_key, value) => (typeof value === 'bigint' ? String(value) : value),
    );
    for (const password of [USER_PASSWORD, 'Salted-pass-2', ADMIN_PASSWORD]) expect(dump).not.toContain(password);
    const { __schema } = await account.admin.api.run('{ __schema { types { name fields { name } } } }');
    const fields = __schema.types.flatMap(({ fields }: Json) => fields ?? []).map(({ name }: Json) => name);
    expect(fields.filter((name: string) => /hash/i.test(name))).toEqual([]);
    const log = await account.log({}, 500);
    expect(JSON.stringify(log)).not.toMatch(/argon2|pass-\d/);
  });
});

describe('strength', () => {
  const estimate = (input: object, api = account.admin.api): Promise<Json> => api.mutate(ESTIMATE, { input });

  it('PWD-18 PWD-19 rates a candidate without storing it, and blocks nothing', async () => {
    const user = await account.user('estimating', [groupId]);
    const before = await server.app.platform.db.passwordRecord.count();
    expect(await estimate({ password: 'password1' }, user.api)).toEqual({
      __typename: 'EstimatePasswordStrengthSuccess',
      score: 0,
      hints: expect.arrayContaining(['ADD_WORDS']),
      policyViolations: [],
    });
    expect(await estimate({ password: 'kQ8!vT2#xW9$' }, user.api)).toMatchObject({ score: 4, hints: [] });
    expect(await estimate({ password: 'abc' }, user.api)).toMatchObject({
      policyViolations: ['TOO_SHORT', 'NO_DIGIT'],
    });
    // The name of the account, and what the caller says, make nothing strong.
    expect((await estimate({ password: account.name }, user.api)).hints).toContain('PERSONAL');
    expect((await estimate({ password: 'Zwolferkogel', userInputs: ['zwolferkogel'] }, user.api)).hints).toContain(
      'PERSONAL',
    );
    expect(await server.app.platform.db.passwordRecord.count()).toBe(before);
    // PWD-19: the policy lets a weak one pass.
    expect((await setPassword(user, 'password1')).__typename).toBe('SetUserPasswordSuccess');
    expect(JSON.stringify(await account.log({}, 500))).not.toContain('kQ8!vT2#xW9$');
  });

  it('PWD-18 bounds its input, works without a login, and limits how often by login, else by address', async () => {
    expect(await estimate({ password: 'x'.repeat(201), userInputs: ['y'.repeat(101)] })).toMatchObject({
      inputViolations: [{ path: ['password'] }, { path: ['userInputs', '0'] }],
    });
    const nobody = new ApiCaller(server.url);
    const asked = await Promise.all(Array.from({ length: 9 }, () => estimate({ password: 'password1' }, nobody)));
    expect(asked.filter(({ score }) => score === 0)).toHaveLength(8);
    expect(asked[0]).toMatchObject({ policyViolations: null });
    const refused = asked.find(({ code }) => code);
    expect(refused).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(refused.retryAfter).toBeGreaterThan(0);
    expect((await estimate({ password: 'password1' })).score, 'who is logged in has his own').toBe(0);
  });

  it('PWD-18 AUTH-24 is never asked by a URL', async () => {
    const query = encodeURIComponent('mutation { estimatePasswordStrength(input: { password: "x" }) { __typename } }');
    const answer = await fetch(`${server.url}/graphql?query=${query}`, { headers: { accept: 'application/json' } });
    expect(answer.status).toBe(405);
  });
});

/** The key of a person in the database. */
async function keyOf(person: Person): Promise<string> {
  return Buffer.from(person.id, 'base64url').toString().split(':')[1] ?? '';
}

onPostgres('passwords that race', () => {
  it('PWD-12 of several who set the same password at once, one does', async () => {
    const { server: raced, account: world } = await startWorld({ database: 'postgresql' });
    try {
      const user = await world.user('raced', [await world.group('Staff')]);
      await update({ history: 3 }, world.admin);
      for (const password of ['Raced-pass-1', 'Raced-pass-2']) {
        const results = await Promise.all(Array.from({ length: 8 }, () => setPassword(user, password, world.admin)));
        expect(results.filter(({ __typename }) => __typename === 'SetUserPasswordSuccess')).toHaveLength(1);
        expect(results.filter(({ violations }) => violations?.[0] === 'USED_BEFORE')).toHaveLength(7);
      }
    } finally {
      await raced.close();
    }
  });
});

it('PWD-21 the default is that of the help', () => {
  expect(defaultPasswordPolicy(8)).toMatchObject({
    passwordMinLength: 8,
    passwordExpiryDays: null,
    passwordHistory: null,
  });
});

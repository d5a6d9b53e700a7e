import { execFileSync } from 'node:child_process';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiCaller, Json } from '../support/client.ts';
import { lastMessage, messagesTo } from '../support/messages.ts';
import {
  aboutUser,
  beginLogin,
  confirmEnrolment,
  confirmIdentity,
  continueLogin,
  readSecondFactor,
  resendCode,
  type Step,
  setSecondFactor,
  startEnrolment,
  submitCode,
  updatePolicy,
} from '../support/second-factor.ts';
import type { TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, logIn, type Person, startWorld, TestAccount, USER_PASSWORD } from '../support/world.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
let group: string;
let users = 0;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  other = await TestAccount.create(server, 'FREE');
  group = await account.group('Everybody');
});
afterAll(() => server.close());

/** A number that nobody else in this file has. */
const newNumber = (): string => `+324701${String(users * 10 + 10_000).slice(-5)}`;

async function newUser(more: Record<string, unknown> = {}): Promise<Person> {
  users += 1;
  return account.user(`user${users}`, [group], more);
}

/** The Administrator with a fresh proof of identity, however far the clock has moved. */
async function administrator(): Promise<ApiCaller> {
  return (await logIn(server, account.name, 'admin', ADMIN_PASSWORD)).api;
}

/** A user whose codes come by text message. */
async function smsUser(
  more: { backupMobile?: string } = {},
): Promise<Person & { mobile: string; backup: string | undefined }> {
  const person = await newUser();
  const mobile = newNumber();
  const answer = await setSecondFactor(await administrator(), { userId: person.id, method: 'SMS', mobile, ...more });
  expect(answer.user.secondFactor).toEqual({ state: 'ENABLED', method: 'SMS' });
  return { ...person, mobile, backup: more.backupMobile };
}

const smsCode = async (number: string): Promise<string> => (await lastMessage(server, number, 'CODE_BY_SMS')).code;
const mailCode = async (username: string): Promise<string> =>
  (await lastMessage(server, `${username}@example.com`, 'CODE_BY_MAIL')).code;
const wrong = (code: string): string => String((Number(code) + 1) % 10 ** code.length).padStart(code.length, '0');

async function completeSmsLogin(person: { username: string; mobile: string }, rememberPc = false): Promise<Step> {
  const { api, answer } = await beginLogin(account, person.username);
  expect(answer.__typename).toBe('SecondFactorRequired');
  return submitCode(api, await smsCode(person.mobile), rememberPc);
}

const keyOfUser = ({ id }: { id: string }): string => Buffer.from(id, 'base64url').toString().split(':')[1] as string;

const later = async (ms: number): Promise<void> => {
  server.clock.advance(ms);
  await server.app.jobs.run();
};

const codes = async (userId: string): Promise<string[]> => {
  const entries = await server.app.platform.db.logEntry.findMany({
    where: { userId: Buffer.from(userId, 'base64url').toString().split(':')[1] as string },
    orderBy: { seq: 'asc' },
  });
  return entries.map(({ code }) => code);
};

describe('a login with a code by text message', () => {
  it('TFA-01 TFA-03 TFA-04 AUTH-15 credentials first, then a code of 4 digits, then the login', async () => {
    const person = await smsUser();
    for (const client of ['ECATCHER', 'M2WEB']) {
      const { api, answer } = await beginLogin(account, person.username, { client });
      expect(answer).toMatchObject({
        __typename: 'SecondFactorRequired',
        method: 'SMS',
        hasBackupNumber: false,
        mayRememberPc: true,
      });
      expect(answer.sentTo).toMatch(/^\+32•+\d\d$/);
      const code = await smsCode(person.mobile);
      expect(code).toMatch(/^\d{4}$/);
      const opened = await submitCode(api, code);
      expect(opened.answer).toMatchObject({ __typename: 'LoginSuccess', deviceToken: null });
      expect((await opened.api.run('{ viewer { user { username } login { client } } }')).viewer).toEqual({
        user: { username: person.username },
        login: { client },
      });
    }
  });

  it('AUTH-15 TFA-01 until the code is given the token opens nothing, and its stage says why', async () => {
    const person = await smsUser();
    const { api } = await beginLogin(account, person.username);
    expect((await api.send('{ ewons { totalCount } }')).errors?.[0]?.extensions.code).toBe('SECOND_FACTOR_REQUIRED');
    expect((await api.run('{ viewer { user { id } } }')).viewer).toBeNull();
    const refusals = await Promise.all([
      startEnrolment(api, { method: 'APP' }),
      continueLogin(api).then(({ answer }) => answer),
      api.mutate(
        'mutation { changePassword(input: { password: "New-pass-1", passwordConfirmation: "New-pass-1" }) { __typename ... on Error { code } } }',
      ),
    ]);
    expect(refusals.map(({ code }) => code)).toEqual(Array(3).fill('SECOND_FACTOR_REQUIRED'));
    expect((await api.send('mutation { generateBackupCodes { __typename } }')).errors?.[0]?.extensions.code).toBe(
      'SECOND_FACTOR_REQUIRED',
    );
    await api.succeed('mutation { logout { __typename } }');
    expect((await api.send('{ account { id } }')).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });

  it('TFA-05 a code works once, for ten minutes, and a newer one voids it', async () => {
    const person = await smsUser();
    const first = await beginLogin(account, person.username);
    const old = await smsCode(person.mobile);
    await later(30_000);
    expect(await resendCode(first.api)).toMatchObject({ __typename: 'ResendLoginCodeSuccess' });
    const newer = await smsCode(person.mobile);
    if (old !== newer) expect((await submitCode(first.api, old)).answer.code).toBe('CODE_INVALID');
    const both = await Promise.all([submitCode(first.api, newer), submitCode(first.api, newer)]);
    expect(both.map(({ answer }) => answer.__typename).sort()).toEqual(['DomainError', 'LoginSuccess']);

    const second = await beginLogin(account, person.username);
    expect((await submitCode(second.api, newer)).answer.code).toBe('CODE_INVALID');
    const late = await smsCode(person.mobile);
    await later(10 * MINUTE);
    expect((await submitCode(second.api, late)).answer.code).toBe('CODE_EXPIRED');
  });

  it('TFA-06 TFA-07 TFA-08 TFA-47 the third wrong code in a row blocks for 15 minutes, over all logins', async () => {
    const person = await smsUser();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { api } = await beginLogin(account, person.username);
      expect((await submitCode(api, wrong(await smsCode(person.mobile)))).answer.code).toBe('CODE_INVALID');
    }
    const { api } = await beginLogin(account, person.username);
    const code = await smsCode(person.mobile);
    const third = (await submitCode(api, wrong(code))).answer;
    expect(third).toMatchObject({ __typename: 'TwoFactorBlockedError', code: 'TWO_FACTOR_BLOCKED' });
    expect((await submitCode(api, code)).answer.code).toBe('TWO_FACTOR_BLOCKED');
    expect(await resendCode(api)).toMatchObject({ code: 'TWO_FACTOR_BLOCKED' });
    expect((await beginLogin(account, person.username)).answer.code).toBe('TWO_FACTOR_BLOCKED');
    expect((await beginLogin(account, person.username, { password: 'wrong' })).answer.code).toBe('INVALID_CREDENTIALS');

    await later(15 * MINUTE - 5000);
    expect((await beginLogin(account, person.username)).answer.code).toBe('TWO_FACTOR_BLOCKED');
    await later(5000);
    // The count begins anew.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const again = await beginLogin(account, person.username);
      expect((await submitCode(again.api, wrong(await smsCode(person.mobile)))).answer.code).toBe('CODE_INVALID');
    }
    expect((await completeSmsLogin(person)).answer.__typename).toBe('LoginSuccess');
    const seen = await codes(person.id);
    for (const code of [
      'SECOND_FACTOR_CODE_SENT',
      'SECOND_FACTOR_CODE_WRONG',
      'SECOND_FACTOR_BLOCKED',
      'SECOND_FACTOR_UNBLOCKED',
    ])
      expect(seen).toContain(code);
    const texts = JSON.stringify(
      await server.app.platform.db.logEntry.findMany({ select: { params: true, code: true } }),
    );
    expect(texts).not.toContain(`"${code}"`);
  });

  it('TFA-08 a right code forgives the wrong ones before', async () => {
    const person = await smsUser();
    for (let round = 0; round < 2; round += 1) {
      const { api } = await beginLogin(account, person.username);
      const code = await smsCode(person.mobile);
      for (let attempt = 0; attempt < 2; attempt += 1)
        expect((await submitCode(api, wrong(code))).answer.code).toBe('CODE_INVALID');
      expect((await submitCode(api, code)).answer.__typename).toBe('LoginSuccess');
    }
  });

  it('TFA-09 TFA-10 is sent again to the primary or the backup number: every 30 seconds, five times', async () => {
    const backupMobile = newNumber().replace('+32470', '+32471');
    const person = await smsUser({ backupMobile });
    const { api, answer } = await beginLogin(account, person.username);
    expect(answer.hasBackupNumber).toBe(true);
    const early = await resendCode(api);
    expect(early).toMatchObject({ __typename: 'TooManyRequestsError' });
    expect(early.retryAfter).toBeGreaterThan(25);
    await later(early.retryAfter * 1000);
    const again = await resendCode(api, 'BACKUP');
    expect(again.sentTo).toBe(`+32•••••••${backupMobile.slice(-2)}`);
    const code = await smsCode(backupMobile);
    for (let send = 3; send <= 5; send += 1) {
      await later(31_000);
      expect(await resendCode(api)).toMatchObject({ __typename: 'ResendLoginCodeSuccess' });
    }
    await later(31_000);
    expect(await resendCode(api)).toMatchObject({ __typename: 'TooManyRequestsError', code: 'TOO_MANY_REQUESTS' });
    expect((await submitCode(api, code)).answer.code).toBe('CODE_INVALID');
    expect((await submitCode(api, await smsCode(person.mobile))).answer.__typename).toBe('LoginSuccess');

    const without = await smsUser();
    const waiting = await beginLogin(account, without.username);
    await later(31_000);
    expect(await resendCode(waiting.api, 'BACKUP')).toMatchObject({ code: 'MOBILE_REQUIRED' });
  });
});

describe('an Administrator', () => {
  it('TFA-02 TFA-12 TFA-20 TFA-24 gives a user text messages, and the user is told by whom', async () => {
    const [person, unaffected] = [await newUser(), await newUser()];
    const admin = await administrator();
    const mobile = newNumber();
    const answer = await setSecondFactor(admin, {
      userId: person.id,
      method: 'SMS',
      mobile: mobile.replace('+32', '+32 '),
    });
    expect(answer.user.secondFactor).toEqual({ state: 'ENABLED', method: 'SMS' });
    expect(await lastMessage(server, mobile, 'SECOND_FACTOR_ENABLED')).toEqual({
      accountName: account.name,
      by: 'admin',
    });
    expect(await messagesTo(server, mobile, 'CODE_BY_SMS')).toEqual([]);
    expect((await readSecondFactor(admin, unaffected.id)).state).toBe('DISABLED');
    expect((await beginLogin(account, unaffected.username)).answer.__typename).toBe('LoginSuccess');
  });

  it('TFA-12 TFA-13 TFA-21 without a number, the user gives and confirms one at his next login', async () => {
    const person = await newUser();
    const admin = await administrator();
    expect((await setSecondFactor(admin, { userId: person.id, method: 'SMS' })).user.secondFactor.state).toBe(
      'PENDING_ENROLMENT',
    );
    const { api, answer } = await beginLogin(account, person.username);
    expect(answer).toMatchObject({
      __typename: 'SecondFactorEnrolmentRequired',
      methods: ['SMS'],
      hasMobile: false,
    });
    expect((await api.send('{ ewons { totalCount } }')).errors?.[0]?.extensions.code).toBe(
      'SECOND_FACTOR_ENROLMENT_REQUIRED',
    );
    expect(await startEnrolment(api, { method: 'APP' })).toMatchObject({ code: 'FORBIDDEN', path: ['method'] });
    expect((await continueLogin(api)).answer.__typename).toBe('SecondFactorEnrolmentRequired');
    const fresh = await beginLogin(account, person.username);
    const mobile = newNumber();
    expect(await startEnrolment(fresh.api, { method: 'SMS', mobile })).toMatchObject({
      __typename: 'StartSecondFactorEnrolmentSuccess',
    });
    expect((await readSecondFactor(admin, person.id)).mobile).toBeNull();
    expect(await confirmEnrolment(fresh.api, await smsCode(mobile))).toMatchObject({ active: true, missing: [] });
    expect(await readSecondFactor(admin, person.id)).toMatchObject({ state: 'ENABLED', method: 'SMS' });
    const opened = await continueLogin(fresh.api);
    expect(opened.answer.__typename).toBe('LoginSuccess');
    expect((await beginLogin(account, person.username)).answer.__typename).toBe('SecondFactorRequired');
  });

  it('TFA-11 TFA-15 numbers have a country code, and the backup number differs', async () => {
    const person = await newUser();
    const admin = await administrator();
    for (const mobile of ['0470123456', '+1234', 'number', '+32 470'])
      expect(await setSecondFactor(admin, { userId: person.id, method: 'SMS', mobile })).toMatchObject({
        code: 'INVALID_PHONE_NUMBER',
        path: ['mobile'],
      });
    const mobile = newNumber();
    expect(
      await setSecondFactor(admin, {
        userId: person.id,
        method: 'SMS',
        mobile,
        backupMobile: mobile.replace('+32', '+32 '),
      }),
    ).toMatchObject({ code: 'BACKUP_NUMBER_SAME_AS_PRIMARY', path: ['backupMobile'] });
    expect((await readSecondFactor(admin, person.id)).state).toBe('DISABLED');
  });

  it('TFA-11 AUTH-21 numbers are masked but for their owner and Administrators who have just confirmed who they are', async () => {
    const manager = await account.user('manager11', [
      await account.group('Managers 11', [], { managedById: await account.group('Top 11') }),
    ]);
    const person = await smsUser();
    const target = await server.app.platform.db.group.findFirstOrThrow({
      where: { name: 'Everybody', accountId: account.id },
    });
    const managers = await server.app.platform.db.group.findFirstOrThrow({
      where: { name: 'Managers 11', accountId: account.id },
    });
    await server.app.platform.db.groupRight.create({ data: { groupId: managers.id, targetId: target.id } });
    const masked = `+32•••••••${person.mobile.slice(-2)}`;
    expect((await readSecondFactor(manager.api, person.id)).mobile).toEqual({ masked, number: null });
    expect((await readSecondFactor(await administrator(), person.id)).mobile).toEqual({
      masked,
      number: person.mobile,
    });
    const own = await completeSmsLogin(person);
    expect((await readSecondFactor(own.api, person.id)).mobile.number).toBe(person.mobile);
    await later(5 * MINUTE);
    expect((await readSecondFactor(own.api, person.id)).mobile).toEqual({ masked, number: null });
  });

  it('TFA-16 TFA-17 TFA-19 TFA-22 TFA-23 needs a backup number himself for text messages, and not for the other methods', async () => {
    const admins = await server.app.platform.db.group.findFirstOrThrow({
      where: { accountId: account.id, administrators: true },
    });
    const person = await newUser();
    const admin = await administrator();
    const mobile = newNumber();
    await setSecondFactor(admin, { userId: person.id, method: 'SMS', mobile });
    // TFA-23: rights come afterwards.
    const id = keyOfUser(person);
    await server.app.platform.db.groupMember.create({ data: { groupId: admins.id, userId: id } });
    expect((await readSecondFactor(admin, person.id)).state).toBe('PENDING_ENROLMENT');
    const { api, answer } = await beginLogin(account, person.username);
    expect(answer.__typename).toBe('SecondFactorRequired');
    const enrolling = await submitCode(api, await smsCode(mobile));
    expect(enrolling.answer).toMatchObject({ __typename: 'SecondFactorEnrolmentRequired', hasMobile: true });
    expect(await startEnrolment(enrolling.api, { method: 'SMS', backupMobile: mobile })).toMatchObject({
      code: 'BACKUP_NUMBER_SAME_AS_PRIMARY',
    });
    const backupMobile = mobile.replace('+32470', '+32472');
    await later(30_000);
    await startEnrolment(enrolling.api, { method: 'SMS', backupMobile });
    expect(await messagesTo(server, backupMobile, 'CODE_BY_SMS')).toHaveLength(1);
    expect(await confirmEnrolment(enrolling.api, await smsCode(backupMobile))).toMatchObject({ active: true });
    expect((await continueLogin(enrolling.api)).answer.__typename).toBe('LoginSuccess');

    // The other methods need no number (TFA-22), and the policy can do without the backup number (TFA-17).
    expect((await setSecondFactor(admin, { userId: person.id, method: 'EMAIL' })).user.secondFactor.state).toBe(
      'ENABLED',
    );
    const without = { userId: person.id, method: 'SMS', mobile };
    expect((await setSecondFactor(admin, without)).user.secondFactor.state).toBe('PENDING_ENROLMENT');
    await updatePolicy(admin, { backupRequiredForAdministrators: false });
    expect((await setSecondFactor(admin, without)).user.secondFactor.state).toBe('ENABLED');
    await updatePolicy(admin, { backupRequiredForAdministrators: true });
  });

  it('TFA-25 TFA-35 TFA-47 disables it for one user; the user himself where the account lets him', async () => {
    const person = await smsUser();
    const admin = await administrator();
    const { answer } = await completeSmsLogin(person, true);
    expect(await aboutUser(admin, 'disableSecondFactor', person.id)).toMatchObject({
      __typename: 'DisableSecondFactorSuccess',
    });
    expect((await beginLogin(account, person.username)).answer.__typename).toBe('LoginSuccess');
    // The remembered PC was forgotten with it.
    await setSecondFactor(admin, { userId: person.id, method: 'SMS', mobile: person.mobile });
    expect((await beginLogin(account, person.username, { deviceToken: answer.deviceToken })).answer.__typename).toBe(
      'SecondFactorRequired',
    );

    await later(30_000);
    const own = await completeSmsLogin(person);
    await updatePolicy(admin, { required: true });
    expect(await aboutUser(own.api, 'disableSecondFactor', person.id)).toMatchObject({
      code: 'SECOND_FACTOR_REQUIRED_BY_ACCOUNT',
    });
    await updatePolicy(admin, { required: false });
    const { db } = server.app.platform;
    const id = keyOfUser(person);
    await db.user.update({ where: { id }, data: { mayEditOwn: false } });
    expect(await aboutUser(own.api, 'disableSecondFactor', person.id)).toMatchObject({ code: 'FORBIDDEN' });
    await db.user.update({ where: { id }, data: { mayEditOwn: true } });
    const otherUser = await smsUser();
    expect(await aboutUser(own.api, 'disableSecondFactor', otherUser.id)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await aboutUser(own.api, 'disableSecondFactor', person.id)).toMatchObject({
      __typename: 'DisableSecondFactorSuccess',
    });
    expect((await readSecondFactor(admin, person.id)).state).toBe('DISABLED');
    const { logEntries } = await admin.run('{ logEntries(first: 100) { nodes { code text } } }');
    const texts = logEntries.nodes.map(({ text }: Json) => text);
    expect(texts).toContain(`Second factor of ${person.username} disabled by admin`);
    expect(texts).toContain(`Second factor of ${person.username} disabled by ${person.username}`);
  });

  it('TFA-41 TFA-07 TFA-35 resets it: method and PCs are gone, a block ends, and the user enrols again', async () => {
    const person = await smsUser();
    const remembered = (await completeSmsLogin(person, true)).answer.deviceToken;
    const { api } = await beginLogin(account, person.username);
    for (let attempt = 0; attempt < 3; attempt += 1) await submitCode(api, wrong(await smsCode(person.mobile)));
    expect((await beginLogin(account, person.username)).answer.code).toBe('TWO_FACTOR_BLOCKED');
    const admin = await administrator();
    expect(await aboutUser(admin, 'resetSecondFactor', person.id)).toMatchObject({
      __typename: 'ResetSecondFactorSuccess',
    });
    const again = await beginLogin(account, person.username, { deviceToken: remembered });
    expect(again.answer).toMatchObject({
      __typename: 'SecondFactorEnrolmentRequired',
      methods: ['SMS', 'EMAIL', 'APP'],
      hasMobile: false,
    });
    const plain = await newUser();
    expect(await aboutUser(admin, 'resetSecondFactor', plain.id)).toMatchObject({ code: 'SECOND_FACTOR_NOT_ACTIVE' });
  });

  it('AUTH-21 TFA-34 TFA-41 TFA-44 only he manages that of others, after a proof of who he is', async () => {
    const person = await smsUser();
    const foreign = (await TestAccount.create(server, 'FREE')).admin.id;
    const stale = await logIn(server, account.name, 'admin', ADMIN_PASSWORD);
    await later(5 * MINUTE);
    const plain = await newUser();
    const admin = await administrator();
    const operations: [string, (api: ApiCaller, userId: string) => Promise<Json>][] = [
      ['setSecondFactor', (api, userId) => setSecondFactor(api, { userId, method: 'EMAIL' })],
      ...['disableSecondFactor', 'resetSecondFactor', 'withdrawRememberedPcs', 'retrieveBackupCodes'].map(
        (name) =>
          [name, (api: ApiCaller, userId: string) => aboutUser(api, name, userId)] as [
            string,
            (api: ApiCaller, userId: string) => Promise<Json>,
          ],
      ),
    ];
    const managing = await managerOf(group);
    for (const [name, operation] of operations) {
      expect([name, (await operation(stale.api, person.id)).code]).toEqual([name, 'REAUTHENTICATION_REQUIRED']);
      expect([name, (await operation(plain.api, person.id)).code]).toEqual([name, 'NOT_FOUND']);
      expect([name, (await operation(managing.api, person.id)).code]).toEqual([name, 'FORBIDDEN']);
      expect([name, (await operation(admin, foreign)).code]).toEqual([name, 'NOT_FOUND']);
      expect([name, (await operation(admin, 'nonsense')).code]).toEqual([name, 'NOT_FOUND']);
    }
    expect((await updatePolicy(stale.api, { onByDefault: true })).code).toBe('REAUTHENTICATION_REQUIRED');
    expect((await updatePolicy(plain.api, { onByDefault: true })).code).toBe('FORBIDDEN');
    expect(await readSecondFactor(admin, person.id)).toMatchObject({ state: 'ENABLED', method: 'SMS' });
    // His own is not set without a code.
    expect((await setSecondFactor(admin, { userId: account.admin.id, method: 'EMAIL' })).code).toBe('FORBIDDEN');
  });
});

/** A user who manages the users of a group without being an Administrator. */
async function managerOf(groupId: string): Promise<Person> {
  const { db } = server.app.platform;
  const key = (id: string) => Buffer.from(id, 'base64url').toString().split(':')[1] as string;
  users += 1;
  const own = await account.group(`Managers ${users}`);
  await db.groupRight.create({ data: { groupId: key(own), targetId: key(groupId) } });
  return account.user(`manager${users}`, [own]);
}

describe('a login that was left behind', () => {
  it('TFA-13 TFA-41 AUTH-15 while it waited for enrolment replaces nothing that was set up meanwhile', async () => {
    const person = await newUser();
    const admin = await administrator();
    await setSecondFactor(admin, { userId: person.id, method: 'SMS' });
    const [left, begun] = [await beginLogin(account, person.username), await beginLogin(account, person.username)];
    expect(left.answer.__typename).toBe('SecondFactorEnrolmentRequired');
    const own = newNumber();
    await startEnrolment(begun.api, { method: 'SMS', mobile: own.replace('+32470', '+32473') });
    const code = await smsCode(own.replace('+32470', '+32473'));
    await setSecondFactor(admin, { userId: person.id, method: 'SMS', mobile: own });
    expect((await startEnrolment(left.api, { method: 'APP' })).code).toBe('SECOND_FACTOR_REQUIRED');
    expect((await confirmEnrolment(begun.api, code)).code).toBe('SECOND_FACTOR_REQUIRED');
    expect(await readSecondFactor(admin, person.id)).toMatchObject({ method: 'SMS', mobile: { number: own } });
    const next = await continueLogin(left.api);
    expect(next.answer.__typename).toBe('SecondFactorRequired');
    expect((await submitCode(next.api, await smsCode(own))).answer.__typename).toBe('LoginSuccess');
  });

  it('TFA-16 TFA-45 half way through an obliged enrolment is asked for the code of what was confirmed', async () => {
    const owner = await TestAccount.create(server);
    const admin = (await logIn(server, owner.name, 'admin', ADMIN_PASSWORD)).api;
    await updatePolicy(admin, { required: true });
    const first = await beginLogin(owner, 'admin', { password: ADMIN_PASSWORD });
    const mobile = '+32474999999';
    await startEnrolment(first.api, { method: 'SMS', mobile });
    expect(await confirmEnrolment(first.api, await smsCode(mobile))).toMatchObject({
      active: false,
      missing: ['BACKUP_MOBILE'],
    });
    expect((await continueLogin(first.api)).answer.__typename).toBe('SecondFactorEnrolmentRequired');
    expect((await beginLogin(owner, 'admin', { password: ADMIN_PASSWORD })).answer.__typename).toBe(
      'SecondFactorRequired',
    );
  });
});

describe('remembered PCs', () => {
  it('TFA-27 TFA-30 TFA-31 TFA-32 TFA-36 a remembered PC replaces the code, for one user and from that PC only', async () => {
    const person = await smsUser();
    const unticked = await completeSmsLogin(person);
    expect(unticked.answer.deviceToken).toBeNull();
    await later(30_000);
    const { answer } = await completeSmsLogin(person, true);
    expect(answer).toMatchObject({ __typename: 'LoginSuccess', deviceTokenExpiresAt: null });
    const { deviceToken } = answer;
    const stored = await server.app.platform.db.rememberedPc.findMany();
    expect(JSON.stringify(stored)).not.toContain(deviceToken);
    expect((await beginLogin(account, person.username, { deviceToken })).answer.__typename).toBe('LoginSuccess');
    expect((await beginLogin(account, person.username)).answer.__typename).toBe('SecondFactorRequired');
    expect((await beginLogin(account, person.username, { deviceToken: 'x'.repeat(43) })).answer.__typename).toBe(
      'SecondFactorRequired',
    );
    expect((await beginLogin(account, person.username, { deviceToken, password: 'wrong' })).answer.code).toBe(
      'INVALID_CREDENTIALS',
    );
    const somebody = await smsUser();
    expect((await beginLogin(account, somebody.username, { deviceToken })).answer.__typename).toBe(
      'SecondFactorRequired',
    );
    const own = await beginLogin(account, person.username, { deviceToken });
    expect((await readSecondFactor(own.api, person.id)).rememberedPcs).toHaveLength(1);
    // A remembered PC is no proof for sensitive areas (AUTH-21).
    expect((await aboutUser(own.api, 'withdrawRememberedPcs', person.id)).code).toBe('REAUTHENTICATION_REQUIRED');
  });

  it('TFA-27 TFA-29 TFA-35 are void when the policy forbids them, and cannot be ticked', async () => {
    const person = await smsUser();
    const { deviceToken } = (await completeSmsLogin(person, true)).answer;
    const admin = await administrator();
    expect((await updatePolicy(admin, { rememberPcPreset: 'ENFORCED' })).policy).toMatchObject({
      rememberPcAllowed: false,
      rememberPcPreset: 'ENFORCED',
    });
    const { api, answer } = await beginLogin(account, person.username, { deviceToken });
    expect(answer).toMatchObject({ __typename: 'SecondFactorRequired', mayRememberPc: false });
    const code = await smsCode(person.mobile);
    expect((await submitCode(api, code, true)).answer).toMatchObject({
      code: 'REMEMBER_PC_NOT_ALLOWED',
      path: ['rememberPc'],
    });
    expect((await submitCode(api, code)).answer.__typename).toBe('LoginSuccess');
    await updatePolicy(admin, { rememberPcPreset: 'STANDARD' });
    expect((await beginLogin(account, person.username, { deviceToken })).answer.__typename).toBe(
      'SecondFactorRequired',
    );
  });

  it('TFA-34 TFA-35 are withdrawn in one go by an Administrator, and by a new password', async () => {
    const person = await smsUser();
    const first = (await completeSmsLogin(person, true)).answer.deviceToken;
    await later(30_000);
    const second = (await completeSmsLogin(person, true)).answer.deviceToken;
    const admin = await administrator();
    expect((await readSecondFactor(admin, person.id)).rememberedPcs).toHaveLength(2);
    expect(await aboutUser(admin, 'withdrawRememberedPcs', person.id)).toMatchObject({
      __typename: 'WithdrawRememberedPcsSuccess',
    });
    expect(await aboutUser(admin, 'withdrawRememberedPcs', person.id)).toMatchObject({
      __typename: 'WithdrawRememberedPcsSuccess',
    });
    for (const deviceToken of [first, second])
      expect((await beginLogin(account, person.username, { deviceToken })).answer.__typename).toBe(
        'SecondFactorRequired',
      );

    await later(30_000);
    const own = await completeSmsLogin(person, true);
    await own.api.succeed(
      'mutation ($old: String!) { changePassword(input: { currentPassword: $old, password: "Another-pass-1", passwordConfirmation: "Another-pass-1" }) { __typename ... on Error { code } } }',
      { old: USER_PASSWORD },
    );
    expect(
      (await beginLogin(account, person.username, { password: 'Another-pass-1', deviceToken: own.answer.deviceToken }))
        .answer.__typename,
    ).toBe('SecondFactorRequired');
  });
});

describe('other methods', () => {
  it('TFA-38 TFA-39 a code by e-mail: six digits, to the address of the user', async () => {
    const person = await newUser();
    await setSecondFactor(await administrator(), { userId: person.id, method: 'EMAIL' });
    const { api, answer } = await beginLogin(account, person.username);
    expect(answer).toMatchObject({ __typename: 'SecondFactorRequired', method: 'EMAIL', hasBackupNumber: false });
    expect(answer.sentTo).toMatch(/^u•+@example\.com$/);
    const code = await mailCode(person.username);
    expect(code).toMatch(/^\d{6}$/);
    expect((await submitCode(api, wrong(code))).answer.code).toBe('CODE_INVALID');
    expect((await submitCode(api, code)).answer.__typename).toBe('LoginSuccess');
    const late = await beginLogin(account, person.username);
    const expired = await mailCode(person.username);
    await later(10 * MINUTE);
    expect((await submitCode(late.api, expired)).answer.code).toBe('CODE_EXPIRED');
  });

  it('TFA-38 TFA-40 TFA-42 TFA-07 an authenticator app: secret, URI and QR code once; oathtool gives the codes', async () => {
    const person = await newUser();
    const { api } = await beginLogin(account, person.username);
    const started = await startEnrolment(api, { method: 'APP' });
    const { secret, uri, qrCode } = started.authenticator;
    expect(started).toMatchObject({ method: 'APP', sentTo: null });
    expect(uri).toMatch(/^otpauth:\/\/totp\/talkgate:.*algorithm=SHA1&digits=6&period=30$/);
    expect(uri).toContain(`secret=${secret}`);
    expect(qrCode).toMatch(/^<svg .*<\/svg>\s*$/s);
    const at = (seconds = 0) => new Date(server.clock.now().getTime() + seconds * 1000);
    const code = (time: Date) => oathtool(secret, time);
    expect(await confirmEnrolment(api, wrong(code(at())))).toMatchObject({ code: 'CODE_INVALID' });
    expect((await readSecondFactor(api, person.id)).state).toBe('DISABLED');
    expect(await confirmEnrolment(api, code(at()))).toMatchObject({ active: true });
    const dump = JSON.stringify(
      await server.app.platform.db.user.findMany({
        where: { username: person.username },
        omit: { totpLastStep: true },
      }),
    );
    expect(dump).not.toContain(secret);

    // The step that confirmed it is used up; the next one works, once, also when given twice at once.
    const first = await beginLogin(account, person.username);
    expect(first.answer).toMatchObject({ method: 'APP', sentTo: null, codeExpiresAt: null });
    expect((await submitCode(first.api, code(at()))).answer.code).toBe('CODE_INVALID');
    await later(60_000);
    const next = code(at());
    const racing = await beginLogin(account, person.username);
    const both = await Promise.all([submitCode(first.api, next), submitCode(racing.api, next)]);
    expect(both.map(({ answer }) => answer.__typename).sort()).toEqual(['DomainError', 'LoginSuccess']);

    // One step of tolerance, not two.
    await later(5 * MINUTE);
    const third = await beginLogin(account, person.username);
    expect((await submitCode(third.api, code(at(-90)))).answer.code).toBe('CODE_INVALID');
    expect((await submitCode(third.api, code(at(30)))).answer.__typename).toBe('LoginSuccess');

    // TFA-06, TFA-07: no code is sent here whose refusal would tell of the block.
    await later(MINUTE);
    const fourth = await beginLogin(account, person.username);
    for (let attempt = 0; attempt < 3; attempt += 1) await submitCode(fourth.api, wrong(code(at())));
    expect((await beginLogin(account, person.username)).answer.code).toBe('TWO_FACTOR_BLOCKED');
  });

  it('TFA-14 TFA-26 TFA-45 TFA-37 the policy: on for new users, numbers at creation, one for everybody on PRO', async () => {
    const admin = await administrator();
    await updatePolicy(admin, { onByDefault: true });
    users += 1;
    const create = (input: Record<string, unknown>) =>
      admin.mutate(
        'mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename ... on CreateUserSuccess { user { id secondFactor { state method } } } ... on Error { code path } } }',
        {
          input: {
            email: 'new@example.com',
            password: USER_PASSWORD,
            passwordConfirmation: USER_PASSWORD,
            groupIds: [group],
            ...input,
          },
        },
      );
    const byDefault = await create({ username: `default${users}` });
    expect(byDefault.user.secondFactor).toEqual({ state: 'PENDING_ENROLMENT', method: null });
    const { api, answer } = await beginLogin(account, `default${users}`);
    expect(answer).toMatchObject({ methods: ['SMS', 'EMAIL', 'APP'] });
    await startEnrolment(api, { method: 'EMAIL' });
    expect(
      await confirmEnrolment(
        api,
        await lastMessage(server, 'new@example.com', 'CODE_BY_MAIL').then(({ code }) => code),
      ),
    ).toMatchObject({
      active: true,
    });
    expect((await continueLogin(api)).answer.__typename).toBe('LoginSuccess');

    await updatePolicy(admin, { onByDefault: false, mobileRequiredAtCreation: true });
    expect(await create({ username: `sms${users}`, secondFactor: { method: 'SMS' } })).toMatchObject({
      code: 'MOBILE_REQUIRED',
    });
    await updatePolicy(admin, { mobileRequiredAtCreation: false });
    expect((await create({ username: `sms${users}`, secondFactor: { method: 'SMS' } })).user.secondFactor.state).toBe(
      'PENDING_ENROLMENT',
    );

    // TFA-45
    const plain = await newUser();
    expect((await updatePolicy(admin, { required: true })).policy.required).toBe(true);
    expect((await beginLogin(account, plain.username)).answer.__typename).toBe('SecondFactorEnrolmentRequired');
    await updatePolicy(admin, { required: false });
    expect((await beginLogin(account, plain.username)).answer.__typename).toBe('LoginSuccess');
    const free = (await logIn(server, other.name, 'admin', ADMIN_PASSWORD)).api;
    expect((await updatePolicy(free, { required: true })).code).toBe('PLAN_FEATURE_NOT_AVAILABLE');

    // TFA-37, TFA-49
    const named = await newUser({ fullName: 'John Smith' });
    await setSecondFactor(admin, { userId: named.id, method: 'EMAIL' });
    const policy = (
      await admin.run(
        '{ account { secondFactorPolicy { inUse users(first: 200) { totalCount nodes { displayName } } } } }',
      )
    ).account.secondFactorPolicy;
    const names = policy.users.nodes.map(({ displayName }: Json) => displayName);
    expect(policy.inUse).toBe(true);
    expect(names).toContain(`John Smith[${named.username}]`);
    expect(names).not.toContain(plain.username);
    expect(policy.users.totalCount).toBe(names.length);
  });

  it('TFA-49 is there on every plan', async () => {
    const free = (await logIn(server, other.name, 'admin', ADMIN_PASSWORD)).api;
    expect((await free.run('{ account { secondFactorPolicy { inUse } } }')).account.secondFactorPolicy.inUse).toBe(
      false,
    );
    expect((await updatePolicy(free, { onByDefault: true })).policy.onByDefault).toBe(true);
    await updatePolicy(free, { onByDefault: false });
    const person = await other.user('free-user');
    expect((await setSecondFactor(free, { userId: person.id, method: 'EMAIL' })).user.secondFactor.state).toBe(
      'ENABLED',
    );
    expect((await beginLogin(other, 'free-user')).answer.__typename).toBe('SecondFactorRequired');
  });

  it('TFA-18 TFA-42 AUTH-21 a user sets his own up, each number confirmed by its code, after a proof of who he is', async () => {
    const person = await newUser();
    const { api } = await beginLogin(account, person.username);
    const mobile = newNumber();
    await startEnrolment(api, { method: 'SMS', mobile });
    expect((await confirmEnrolment(api, wrong(await smsCode(mobile)))).code).toBe('CODE_INVALID');
    expect((await readSecondFactor(api, person.id)).mobile).toBeNull();
    expect(await confirmEnrolment(api, await smsCode(mobile))).toMatchObject({ active: true });
    expect((await confirmEnrolment(api, await smsCode(mobile))).code).toBe('CODE_EXPIRED');

    await later(5 * MINUTE);
    expect((await startEnrolment(api, { method: 'EMAIL' })).code).toBe('REAUTHENTICATION_REQUIRED');
    expect((await confirmIdentity(api, USER_PASSWORD)).code).toBe('SECOND_FACTOR_REQUIRED');
    expect((await confirmIdentity(api, 'wrong')).code).toBe('INVALID_CREDENTIALS');
    await api.succeed('mutation { sendConfirmationCode(input: {}) { __typename ... on Error { code } } }');
    const proof = await smsCode(mobile);
    expect((await confirmIdentity(api, USER_PASSWORD, wrong(proof))).code).toBe('CODE_INVALID');
    expect((await confirmIdentity(api, USER_PASSWORD, proof)).__typename).toBe('ConfirmIdentitySuccess');
    await later(30_000);
    expect((await startEnrolment(api, { method: 'EMAIL' })).__typename).toBe('StartSecondFactorEnrolmentSuccess');
    expect(await readSecondFactor(api, person.id)).toMatchObject({ method: 'SMS', state: 'ENABLED' });
    expect(await confirmEnrolment(api, await mailCode(person.username))).toMatchObject({ active: true });
    expect(await readSecondFactor(api, person.id)).toMatchObject({ method: 'EMAIL', state: 'ENABLED' });

    const bound = await newUser();
    await server.app.platform.db.user.update({ where: { id: keyOfUser(bound) }, data: { mayEditOwn: false } });
    expect((await startEnrolment(bound.api, { method: 'APP' })).code).toBe('FORBIDDEN');
    const two = await newUser();
    expect((await startEnrolment(two.api, { method: 'SMS' })).code).toBe('MOBILE_REQUIRED');
    expect((await startEnrolment(two.api, { method: 'SMS', backupMobile: mobile })).code).toBe('MOBILE_REQUIRED');
    expect(await startEnrolment(two.api, { method: 'SMS', mobile: '12' })).toMatchObject({
      code: 'INVALID_PHONE_NUMBER',
    });
  });
});

describe('backup codes', () => {
  const GENERATE =
    'mutation { generateBackupCodes { __typename ... on GenerateBackupCodesSuccess { codes } ... on Error { code } } }';
  const RETRIEVE =
    'mutation ($userId: ID!) { retrieveBackupCodes(input: { userId: $userId }) { __typename ... on RetrieveBackupCodesSuccess { codes } ... on Error { code } } }';

  it('TFA-43 ten of ten characters, each usable once; new ones void the old; the rest can be counted', async () => {
    const person = await smsUser();
    const plain = await newUser();
    expect((await plain.api.mutate(GENERATE)).code).toBe('SECOND_FACTOR_NOT_ACTIVE');
    const own = await completeSmsLogin(person);
    const old: string[] = (await own.api.mutate(GENERATE)).codes;
    const codes: string[] = (await own.api.mutate(GENERATE)).codes;
    expect(new Set([...old, ...codes]).size).toBe(20);
    for (const code of codes) expect(code).toMatch(/^[A-Z2-9]{10}$/);
    const dump = JSON.stringify(await server.app.platform.db.backupCode.findMany());
    for (const code of codes) expect(dump).not.toContain(code);

    const [first = '', second = ''] = codes;
    const login = await beginLogin(account, person.username);
    expect((await submitCode(login.api, old[0] ?? '')).answer.code).toBe('CODE_INVALID');
    const racing = await beginLogin(account, person.username);
    const both = await Promise.all([
      submitCode(login.api, first),
      submitCode(racing.api, `${first.slice(0, 5).toLowerCase()}-${first.slice(5)}`),
    ]);
    expect(both.map(({ answer }) => answer.__typename).sort()).toEqual(['DomainError', 'LoginSuccess']);
    expect((await readSecondFactor(own.api, person.id)).backupCodesLeft).toBe(9);
    const third = await beginLogin(account, person.username);
    expect((await submitCode(third.api, second)).answer.__typename).toBe('LoginSuccess');
  });

  it('TFA-44 TFA-47 Administrators retrieve the unused ones, and that is logged without them', async () => {
    const person = await smsUser();
    const own = await completeSmsLogin(person);
    const codes: string[] = (await own.api.mutate(GENERATE)).codes;
    const waiting = await beginLogin(account, person.username);
    await submitCode(waiting.api, codes[0] ?? '');
    const admin = await administrator();
    const retrieved = (await admin.mutate(RETRIEVE, { userId: person.id })).codes;
    expect([...retrieved].sort()).toEqual(codes.slice(1).sort());
    const { nodes } = (await admin.run('{ logEntries(first: 10) { nodes { code text } } }')).logEntries;
    expect(nodes[0]).toEqual({
      code: 'BACKUP_CODES_RETRIEVED',
      text: `Backup codes of ${person.username} retrieved by admin`,
    });
    expect(JSON.stringify(nodes)).not.toContain(codes[1]);
  });

  it('TFA-50 a login by backup code may replace the method without a further code', async () => {
    const person = await smsUser();
    const own = await completeSmsLogin(person);
    const codes: string[] = (await own.api.mutate(GENERATE)).codes;
    const waiting = await beginLogin(account, person.username);
    const { api } = await submitCode(waiting.api, codes[0] ?? '');
    await later(5 * MINUTE);
    expect((await startEnrolment(api, { method: 'APP' })).code).toBe('REAUTHENTICATION_REQUIRED');
    expect((await confirmIdentity(api, USER_PASSWORD)).__typename).toBe('ConfirmIdentitySuccess');
    const { authenticator } = await startEnrolment(api, { method: 'APP' });
    const code = new TOTP({ secret: Secret.fromBase32(authenticator.secret) }).generate({
      timestamp: server.clock.now().getTime(),
    });
    expect(await confirmEnrolment(api, code)).toMatchObject({ active: true });
    expect((await beginLogin(account, person.username)).answer.method).toBe('APP');
    expect((await codesOf(person.id)).includes('BACKUP_CODE_USED')).toBe(true);
  });

  const codesOf = codes;
});

// Last, because all logins of this file end when the clock moves on by weeks.
describe('remembered PCs', () => {
  it('TFA-28 TFA-29 TFA-33 expire after the days of the policy, counted from when they were remembered', async () => {
    const person = await smsUser();
    const { deviceToken } = (await completeSmsLogin(person, true)).answer;
    const admin = await administrator();
    expect((await updatePolicy(admin, { rememberPcDays: 30 })).policy).toMatchObject({
      rememberPcAllowed: true,
      rememberPcDays: 30,
      rememberPcPreset: 'CUSTOM',
    });
    await later(29 * DAY);
    expect((await beginLogin(account, person.username, { deviceToken })).answer.__typename).toBe('LoginSuccess');
    await later(DAY);
    expect((await beginLogin(account, person.username, { deviceToken })).answer.__typename).toBe(
      'SecondFactorRequired',
    );
    const again = await administrator();
    for (const days of [0, 366])
      expect(await updatePolicy(again, { rememberPcDays: days })).toMatchObject({
        code: 'VALIDATION_FAILED',
        inputViolations: [{ path: ['rememberPcDays'] }],
      });
    expect((await updatePolicy(again, { rememberPcPreset: 'STANDARD' })).policy).toMatchObject({
      rememberPcAllowed: true,
      rememberPcDays: null,
      rememberPcPreset: 'STANDARD',
    });
    expect((await beginLogin(account, person.username, { deviceToken })).answer.__typename).toBe('LoginSuccess');
  });
});

/** The code that another implementation of RFC 6238 gives; our own library's where that is not installed. */
function oathtool(secret: string, time: Date): string {
  try {
    const now = time.toISOString().replace('T', ' ').replace(/\..*/, ' UTC');
    return execFileSync('oathtool', ['--totp', '--base32', '--now', now, secret], { encoding: 'utf8' }).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    if (!toldOfOathtool)
      process.stdout.write(
        'SKIPPED: the comparison of codes with oathtool, which is not installed (package oathtool).\n',
      );
    toldOfOathtool = true;
    return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: time.getTime() });
  }
}
let toldOfOathtool = false;

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiCaller, type Json } from '../support/client.ts';
import { lastMessage, messagesTo } from '../support/messages.ts';
import { beginLogin, submitCode } from '../support/second-factor.ts';
import type { TestServer } from '../support/server.ts';
import { change, read } from '../support/users.ts';
import {
  ADMIN_PASSWORD,
  openSession,
  type Person,
  startWorld,
  TestAccount,
  type TestEwon,
  USER_PASSWORD,
} from '../support/world.ts';

const ACCESS = `supportAccess { id engineer status createdAt expiresAt revokedAt changeDevicePasswords devicePasswordsChangedAt viewerCan
  user { id username email fullName status role groups { name } }
  group { id name isAdministrators mayCreatePools mayCreateGroups adminOfItself poolRights { pool { name } administer modify connectEcatcher connectM2web } }
  pool { id name } }`;
const SECRET = 'secret { id senderName createdAt expiresAt readable }';
const ERROR = '... on ValidationError { inputViolations { path } } ... on Error { code path }';
const MUTATIONS = {
  grantSupportAccess: ACCESS,
  revokeSupportAccess: ACCESS,
  confirmDevicePasswordsChanged: ACCESS,
  shareSecret: SECRET,
  readSecret: 'content',
};
const run = (who: Person, name: keyof typeof MUTATIONS, input: object): Promise<Json> => {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${MUTATIONS[name]} } ${ERROR} } }`;
  return who.api.mutate(query, { input });
};
const DAY_MS = 86_400_000;
const DONE = 'GrantSupportAccessSuccess';

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
let ewon: TestEwon;
let second: TestEwon;
let press: string;

beforeAll(async () => {
  ({ server, account } = await startWorld());
  other = await TestAccount.create(server);
  press = await account.pool('Press');
  ewon = await account.onlineEwon({ name: 'Troubled', poolIds: [press] });
  second = await account.ewon({ name: 'Untroubled', poolIds: [press] });
});
afterAll(async () => {
  await ewon.device.disconnect();
  await server.close();
});

const grant = (input: object, who = account.admin): Promise<Json> =>
  run(who, 'grantSupportAccess', { ewonIds: [ewon.id], ...input });
const revoke = (access: { id: string }, who = account.admin): Promise<Json> =>
  run(who, 'revokeSupportAccess', { supportAccessId: access.id });
/** A day later, with logins of the Administrators that are in force again. */
async function aDayLater(): Promise<void> {
  server.clock.advance(DAY_MS);
  for (const one of [account, other])
    one.admin.api = (await beginLogin(one, 'admin', { password: ADMIN_PASSWORD })).api;
}
/** The engineer accepts the invitation and gives the code that is mailed to him. */
async function enter(email: string, account_ = account): Promise<Person> {
  const { link } = await lastMessage(server, email, 'INVITATION');
  const password = { password: USER_PASSWORD, passwordConfirmation: USER_PASSWORD };
  const token = link.split('#')[1];
  const nobody = new ApiCaller(server.url);
  expect(await change(nobody, 'acceptInvitation', { token, ...password })).toMatchObject({ username: email });
  const begun = await beginLogin(account_, email);
  expect(begun.answer).toMatchObject({ __typename: 'SecondFactorRequired', method: 'EMAIL', mayRememberPc: false });
  const { code } = await lastMessage(server, email, 'CODE_BY_MAIL');
  const { answer, api } = await submitCode(begun.api, code);
  expect(answer.__typename).toBe('LoginSuccess');
  return { id: answer.viewer.user.id, username: email, api };
}
const names = async (query: 'groups' | 'pools' | 'users', field = 'name'): Promise<string[]> =>
  (await account.admin.api.run(`{ ${query}(first: 500) { nodes { ${field} } } }`))[query].nodes.map(
    (node: Json) => node[field],
  );

describe('support access', () => {
  it('SUP-01 SUP-02 SUP-03 SUP-05 SUP-07 SUP-10 SUP-11 GRP-24 is a user by invitation with the two connect rights on a pool of just these Ewons', async () => {
    const email = 'Jane.Doe@hms.se';
    const given = await grant({ email, fullName: 'Jane Doe', ticket: 'CASE-4711', ewonIds: [ewon.id, ewon.id] });
    expect(given.__typename).toBe(DONE);
    const access = given.supportAccess;
    expect(access).toMatchObject({
      ...{ engineer: email, status: 'ACTIVE', revokedAt: null, changeDevicePasswords: true },
      viewerCan: ['REVOKE', 'CONFIRM_DEVICE_PASSWORDS_CHANGED'],
      user: {
        ...{ username: email, email, fullName: 'Jane Doe', status: 'PENDING', role: 'USER' },
        groups: [{ name: `Support ${email}` }],
      },
      group: {
        ...{
          name: `Support ${email}`,
          isAdministrators: false,
          mayCreatePools: false,
          mayCreateGroups: false,
          adminOfItself: false,
        },
        poolRights: [
          {
            pool: { name: `Support ${email}` },
            administer: false,
            modify: false,
            connectEcatcher: true,
            connectM2web: true,
          },
        ],
      },
      pool: { name: `Support ${email}` },
    });
    // SUP-05: nobody set a password; SUP-10: the ticket is in custom field 1.
    expect(await read(account.admin, { id: access.user.id })).toMatchObject({
      ...{ mustChangePassword: false, isTemporary: true, expiresAt: access.expiresAt, nameIsPublic: false },
      customFields: [{ value: 'CASE-4711' }, { value: null }, { value: null }],
    });
    const manages = await account.admin.api.run(
      'query ($id: ID!) { node(id: $id) { ... on Group { managedGroups { id } } } }',
      { id: access.group.id },
    );
    expect(manages.node.managedGroups).toEqual([]);
    // SUP-02, POOL-03: the Ewon stays in its pool.
    const POOLS = 'query ($id: ID!) { ewon(by: { id: $id }) { pools { name } } }';
    const poolsOf = async (id: string) =>
      (await account.admin.api.run(POOLS, { id })).ewon.pools.map(({ name }: Json) => name).sort();
    expect(await poolsOf(ewon.id)).toEqual(['Press', `Support ${email}`]);
    expect(await poolsOf(second.id)).toEqual(['Press']);

    const engineer = await enter(email);
    const seen = await engineer.api.run(
      '{ ewons { nodes { name viewerCan } } users { totalCount } groups { nodes { name } } }',
    );
    expect(seen).toEqual({
      ewons: { nodes: [{ name: 'Troubled', viewerCan: ['CONNECT_ECATCHER', 'CONNECT_M2WEB'] }] },
      users: { totalCount: 1 },
      groups: { nodes: [{ name: `Support ${email}` }] },
    });
    for (const client of ['ECATCHER', 'M2WEB'])
      expect((await openSession(engineer, ewon.id, { client })).__typename).toBe('OpenSessionSuccess');
    expect(await openSession(engineer, second.id)).toMatchObject({ code: 'NOT_FOUND' });
    const codes = (await account.log({}, 60)).map(({ code }) => code);
    for (const code of ['SUPPORT_ACCESS_GRANTED', 'USER_CREATED', 'INVITATION_SENT', 'GROUP_CREATED', 'POOL_CREATED'])
      expect(codes).toContain(code);

    const revoked = await revoke(access);
    expect(revoked.supportAccess).toMatchObject({
      status: 'REVOKED',
      user: { status: 'DISABLED' },
      group: null,
      pool: null,
    });
    expect(await poolsOf(ewon.id)).toEqual(['Press']);
    expect((await engineer.api.send('{ ewons { totalCount } }')).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    const { sessions } = await account.admin.api.run('{ sessions { nodes { state closeReason user { username } } } }');
    expect(sessions.nodes.map(({ state, closeReason }: Json) => [state, closeReason])).toEqual(
      Array(2).fill(['CLOSED', 'USER_DISABLED']),
    );
    const again = await revoke(access);
    expect(again.supportAccess.revokedAt).toBe(revoked.supportAccess.revokedAt);
    expect(await account.log({ codes: ['SUPPORT_ACCESS_REVOKED'] })).toMatchObject([
      { userName: 'admin', text: `Support access of ${email} revoked` },
    ]);
  });

  it('SUP-04 the address must be exactly in one of the domains', async () => {
    for (const email of ['jane@support.hms.se', 'jane@hms.se.example.com', 'jane@xhms.se', 'jane@example.com'])
      expect(await grant({ email }), email).toMatchObject({ code: 'SUPPORT_DOMAIN_NOT_ALLOWED', path: ['email'] });
    const query = 'mutation ($input: GrantSupportAccessInput!) { grantSupportAccess(input: $input) { __typename } }';
    for (const email of ['jane@hms.se.', 'jane@hms.s\u0435', 'jane@hms-networ\u212as.com', 'hms.se']) {
      const { errors } = await account.admin.api.send(query, { input: { email, ewonIds: [ewon.id] } });
      expect(errors?.[0]?.extensions.code, email).toBe('VALIDATION_FAILED');
    }
    const { supportAccess } = await grant({ email: 'case@HMS-Networks.com' });
    expect(supportAccess.engineer).toBe('case@HMS-Networks.com');
    await revoke(supportAccess);
    expect(await grant({ email: `${'x'.repeat(60)}.${'y'.repeat(40)}@hms.se` })).toMatchObject({ path: ['email'] });
  });

  it('SUP-06 a code by e-mail is asked at each login unless that is switched off; PCs are not remembered', async () => {
    const stored = async (email: string) =>
      server.app.platform.db.user.findFirstOrThrow({ where: { username: email } });
    const given = await grant({ email: 'code@hms.se' });
    expect(await stored('code@hms.se')).toMatchObject({
      secondFactorState: 'ENABLED',
      secondFactorMethod: 'EMAIL',
      mayRememberPc: false,
    });
    const without = await grant({ email: 'nocode@hms.se', codeByEmail: false });
    expect(await stored('nocode@hms.se')).toMatchObject({ secondFactorState: 'DISABLED', mayRememberPc: false });
    for (const { supportAccess } of [given, without]) await revoke(supportAccess);
  });

  it('SUP-09 lasts 2 days unless told otherwise, 1 to 30, from its creation', async () => {
    const days = ({ supportAccess }: Json) =>
      (Date.parse(supportAccess.expiresAt) - Date.parse(supportAccess.createdAt)) / DAY_MS;
    for (const [index, [given, expected]] of [
      [undefined, 2],
      [1, 1],
      [30, 30],
    ].entries()) {
      const granted = await grant({ email: `days${index}@hms.se`, days: given });
      expect(days(granted)).toBe(expected);
      await revoke(granted.supportAccess);
    }
    for (const days of [0, 31, -1])
      expect(await grant({ email: 'never@hms.se', days })).toMatchObject({ inputViolations: [{ path: ['days'] }] });
    expect(await names('users', 'username')).not.toContain('never@hms.se');
  });

  it('SUP-09 SUP-11 ends by itself; afterwards, or once revoked, the same engineer can be given another', async () => {
    const email = 'again@hms.se';
    const { supportAccess: first } = await grant({ email, days: 1 });
    expect(await grant({ email: 'AGAIN@hms.se' })).toMatchObject({ code: 'USERNAME_IN_USE', path: ['email'] });
    const engineer = await enter(email);
    expect((await openSession(engineer, ewon.id)).__typename).toBe('OpenSessionSuccess');
    await aDayLater();
    await server.app.jobs.run();
    const READ =
      'query ($id: ID!) { node(id: $id) { ... on SupportAccess { status user { disabledReason: status } group { id } viewerCan } } }';
    expect((await account.admin.api.run(READ, { id: first.id })).node).toMatchObject({
      status: 'ENDED',
      group: { id: first.group.id },
    });
    const { sessions } = await account.admin.api.run('{ sessions { nodes { state user { id } } } }');
    expect(sessions.nodes.filter(({ user }: Json) => user?.id === first.user.id)).toMatchObject([{ state: 'CLOSED' }]);

    const { supportAccess: next } = await grant({ email });
    expect(next).toMatchObject({ status: 'ACTIVE', user: { username: email, status: 'PENDING' } });
    expect(next.user.id).not.toBe(first.user.id);
    expect((await account.admin.api.run(READ, { id: first.id })).node).toMatchObject({
      status: 'ENDED',
      user: null,
      group: null,
    });
    expect((await names('groups')).filter((name) => name.includes(email))).toEqual([`Support ${email}`]);
    expect((await revoke(next)).supportAccess.status).toBe('REVOKED');
    const { supportAccess: last } = await grant({ email });
    expect(last.status).toBe('ACTIVE');
    // A user of that name who is no support engineer is not touched.
    await account.user('plain@hms.se', [await account.group('Plain')], { email: 'plain@example.com' });
    expect(await grant({ email: 'plain@hms.se' })).toMatchObject({ code: 'USERNAME_IN_USE' });
    await revoke(last);
  });

  it('SUP-11 is given wholly or not at all, to an engineer once whoever asks at the same time', async () => {
    const before = [await names('users', 'username'), await names('groups'), await names('pools')];
    const foreign = await other.ewon({ name: 'Foreign' });
    for (const ewonIds of [[ewon.id, foreign.id], [press], ['nonsense']])
      expect(await grant({ email: 'atomic@hms.se', ewonIds })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await grant({ email: 'atomic@hms.se', ewonIds: [] })).toMatchObject({
      inputViolations: [{ path: ['ewonIds'] }],
    });
    expect([await names('users', 'username'), await names('groups'), await names('pools')]).toEqual(before);
    expect(await messagesTo(server, 'atomic@hms.se', 'INVITATION')).toEqual([]);

    const asked = await Promise.all(Array.from({ length: 5 }, () => grant({ email: 'atomic@hms.se' })));
    expect(asked.filter(({ __typename }) => __typename === DONE)).toHaveLength(1);
    expect(asked.filter(({ code }) => code === 'USERNAME_IN_USE')).toHaveLength(4);
    const access = asked.find(({ __typename }) => __typename === DONE).supportAccess;
    const ended = await Promise.all([revoke(access), revoke(access)]);
    expect(ended.map(({ supportAccess }) => supportAccess.status)).toEqual(['REVOKED', 'REVOKED']);
    expect(
      (await account.log({ codes: ['SUPPORT_ACCESS_REVOKED'] })).filter(({ text }) => text.includes('atomic')),
    ).toHaveLength(1);
  });

  it('SUP-11 names that are taken get a number, and what others depend on outlives the access', async () => {
    const email = `${'long.name.'.repeat(6)}x@hms.se`;
    const taken = `Support ${email}`.slice(0, 64);
    await account.group(taken);
    const { supportAccess } = await grant({ email });
    expect(supportAccess.group.name).toBe(`${taken.slice(0, 62)} 2`);
    const colleague = await account.user('colleague', [supportAccess.group.id]);
    const TOKEN = 'mutation ($poolId: ID!) { createApiToken(input: { name: "Kept", poolId: $poolId }) { __typename } }';
    await account.admin.api.succeed(TOKEN, { poolId: supportAccess.pool.id });
    const revoked = (await revoke(supportAccess)).supportAccess;
    expect(revoked).toMatchObject({ status: 'REVOKED', user: { status: 'DISABLED', groups: [] } });
    expect([revoked.group?.id, revoked.pool?.id]).toEqual([supportAccess.group.id, supportAccess.pool.id]);
    expect((await read(account.admin, { id: colleague.id })).groups).toHaveLength(1);
  });

  it('SUP-01 only Administrators give, see and end accesses; what is foreign or unknown does not exist', async () => {
    const user = await account.user('member', [await account.group('Members', [{ poolId: press, administer: true }])]);
    const { supportAccess } = await grant({ email: 'visible@hms.se' });
    const { id } = supportAccess;
    expect(await grant({ email: 'other@hms.se' }, user)).toMatchObject({ code: 'FORBIDDEN' });
    for (const name of ['revokeSupportAccess', 'confirmDevicePasswordsChanged'] as const) {
      expect(await run(user, name, { supportAccessId: id }), name).toMatchObject({ code: 'FORBIDDEN' });
      expect(await run(other.admin, name, { supportAccessId: id }), name).toMatchObject({ code: 'NOT_FOUND' });
      expect(await run(account.admin, name, { supportAccessId: ewon.id }), name).toMatchObject({ code: 'NOT_FOUND' });
    }
    const LIST =
      'query ($id: ID!) { node(id: $id) { id } account { supportAccesses(first: 1) { totalCount nodes { id } } } }';
    const { db } = server.app.platform;
    const seen = await account.admin.api.run(LIST, { id });
    expect(seen).toEqual({
      node: { id },
      account: {
        supportAccesses: {
          totalCount: await db.supportAccess.count({ where: { accountId: account.id } }),
          nodes: [{ id }],
        },
      },
    });
    expect(await user.api.run(LIST, { id })).toEqual({ node: null, account: { supportAccesses: null } });
    expect(await other.admin.api.run(LIST, { id })).toEqual({
      node: null,
      account: { supportAccesses: { totalCount: 0, nodes: [] } },
    });
    await revoke(supportAccess);
  });

  it('SUP-08 on plans without groups it is role USER, and Ewons cannot be singled out', async () => {
    for (const plan of ['FREE', 'LIGHT'] as const) {
      const small = await TestAccount.create(server, plan);
      const only = await small.ewon({ name: 'Only' });
      const email = `${plan.toLowerCase()}@hms.se`;
      expect(await grant({ email, ewonIds: [only.id] }, small.admin)).toMatchObject({
        code: 'PLAN_FEATURE_NOT_AVAILABLE',
      });
      const { supportAccess } = await grant({ email, ewonIds: [] }, small.admin);
      expect(supportAccess).toMatchObject({
        status: 'ACTIVE',
        user: { role: 'USER', groups: [] },
        group: null,
        pool: null,
      });
      const engineer = await enter(email, small);
      expect(await engineer.api.run('{ ewons { nodes { name viewerCan } } viewer { isAdministrator } }')).toEqual({
        ewons: { nodes: [{ name: 'Only', viewerCan: ['CONNECT_ECATCHER', 'CONNECT_M2WEB'] }] },
        viewer: { isAdministrator: false },
      });
      expect((await revoke(supportAccess, small.admin)).supportAccess).toMatchObject({
        status: 'REVOKED',
        user: { status: 'DISABLED' },
      });
    }
  });

  it('SUP-12 there is no place for the password of a device', async () => {
    const query = 'mutation ($input: GrantSupportAccessInput!) { grantSupportAccess(input: $input) { __typename } }';
    for (const field of ['password', 'devicePassword', 'description']) {
      const { errors } = await account.admin.api.send(query, {
        input: { email: 'p@hms.se', ewonIds: [ewon.id], [field]: 'adm' },
      });
      expect(errors?.[0]?.extensions.code, field).toBe('GRAPHQL_VALIDATION_FAILED');
    }
    const { __schema } = await account.admin.api.run(
      '{ __schema { types { name fields { name } inputFields { name } } } }',
    );
    const type = (name: string) => __schema.types.find((one: Json) => one.name === name);
    const fields = [...type('SupportAccess').fields, ...type('GrantSupportAccessInput').inputFields].map(
      ({ name }: Json) => name,
    );
    expect(fields.filter((name: string) => /password/i.test(name)).sort()).toEqual([
      'changeDevicePasswords',
      'devicePasswordsChangedAt',
    ]);
    // The ticket is a reference, so a password does not slip in beside it.
    for (const ticket of ['CASE 1 password: adm', 'pw=adm', '', 'x'.repeat(51)])
      expect(await grant({ email: 'p@hms.se', ticket })).toMatchObject({ inputViolations: [{ path: ['ticket'] }] });
  });

  it('SUP-13 reminds of the device passwords until somebody confirms that they were changed', async () => {
    const { supportAccess } = await grant({ email: 'reminder@hms.se' });
    expect((await revoke(supportAccess)).supportAccess).toMatchObject({
      changeDevicePasswords: true,
      viewerCan: ['CONFIRM_DEVICE_PASSWORDS_CHANGED'],
    });
    const confirm = () => run(account.admin, 'confirmDevicePasswordsChanged', { supportAccessId: supportAccess.id });
    const first = (await confirm()).supportAccess;
    expect(first).toMatchObject({ changeDevicePasswords: false, viewerCan: [] });
    expect((await confirm()).supportAccess.devicePasswordsChangedAt).toBe(first.devicePasswordsChangedAt);
    expect(await account.log({ codes: ['SUPPORT_PASSWORDS_CHANGED'] })).toMatchObject([{ userName: 'admin' }]);
  });
});

describe('one-time secrets', () => {
  const CONTENT = 'adm / Sekret-of-the-device';
  const share = (recipient: Person, who = account.admin, content = CONTENT): Promise<Json> =>
    run(who, 'shareSecret', { recipientId: recipient.id, content });
  const readIt = (who: Person, secret: { id: string }): Promise<Json> =>
    run(who, 'readSecret', { secretId: secret.id });
  const WAITING = '{ oneTimeSecrets { totalCount nodes { id senderName readable } } }';
  let reader: Person;
  beforeAll(async () => {
    reader = await account.user('reader', [await account.group('Readers')]);
  });

  it('SUP-14 is read once, by its recipient, and destroyed with that; encrypted till then, and never logged', async () => {
    const { secret } = await share(reader);
    const { db } = server.app.platform;
    const stored = async () => db.oneTimeSecret.findFirstOrThrow({ orderBy: { id: 'desc' } });
    expect((await stored()).contentEncrypted).toBeTruthy();
    expect(JSON.stringify(await stored())).not.toContain('Sekret');
    expect((await reader.api.run(WAITING)).oneTimeSecrets).toEqual({
      totalCount: 1,
      nodes: [{ id: secret.id, senderName: 'admin', readable: true }],
    });
    expect((await account.admin.api.run(WAITING)).oneTimeSecrets.totalCount, 'of the sender').toBe(0);
    const stranger = await account.user('stranger', [await account.group('Strangers')]);
    const NODE = 'query ($id: ID!) { node(id: $id) { id } }';
    for (const who of [stranger, account.admin, other.admin]) {
      expect(await readIt(who, secret)).toMatchObject({ code: 'NOT_FOUND' });
      expect((await who.api.run(NODE, secret)).node).toBeNull();
    }
    expect(await readIt(reader, { id: reader.id })).toMatchObject({ code: 'NOT_FOUND' });

    expect(await readIt(reader, secret)).toEqual({ __typename: 'ReadSecretSuccess', content: CONTENT });
    expect(await stored()).toMatchObject({ contentEncrypted: null });
    expect(await db.dueWork.count({ where: { kind: 'SECRET_END' } })).toBe(0);
    expect(await readIt(reader, secret)).toMatchObject({ code: 'SECRET_GONE' });
    expect((await reader.api.run(WAITING)).oneTimeSecrets.totalCount).toBe(0);
    const log = await account.log({ codes: ['SECRET_SHARED', 'SECRET_READ'] });
    expect(log.map(({ text }) => text)).toEqual([
      'reader read a one-time secret',
      'admin shared a one-time secret with reader',
    ]);
    expect(JSON.stringify(await account.log({}, 500))).not.toContain('Sekret');
  });

  it('SUP-14 of several who read at once one gets it', async () => {
    const { secret } = await share(reader);
    const results = await Promise.all(Array.from({ length: 8 }, () => readIt(reader, secret)));
    expect(results.filter(({ content }) => content === CONTENT)).toHaveLength(1);
    expect(results.filter(({ code }) => code === 'SECRET_GONE')).toHaveLength(7);
  });

  it('SUP-14 is destroyed after 24 hours', async () => {
    const { db } = server.app.platform;
    const { secret } = await share(reader);
    const hours = (Date.parse(secret.expiresAt) - Date.parse(secret.createdAt)) / 3_600_000;
    expect(hours).toBe(24);
    await aDayLater();
    const late = await beginLogin(account, 'reader');
    // Refused from that instant, whether or not it has been destroyed yet.
    expect(await readIt({ ...reader, api: late.api }, secret)).toMatchObject({ code: 'SECRET_GONE' });
    await server.app.jobs.run();
    expect(await db.oneTimeSecret.count({ where: { contentEncrypted: { not: null } } })).toBe(0);
    const NODE = 'query ($id: ID!) { node(id: $id) { ... on OneTimeSecret { readable } } }';
    expect((await late.api.run(NODE, secret)).node).toEqual({ readable: false });
    reader.api = late.api;
  });

  it('SUP-14 only Administrators share, with a user of the account, a text of 1 to 2000 characters', async () => {
    expect(await share(reader, reader)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await share(other.admin)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await share({ ...reader, id: press })).toMatchObject({ code: 'NOT_FOUND' });
    for (const content of ['', 'x'.repeat(2001)])
      expect(await share(reader, account.admin, content)).toMatchObject({ inputViolations: [{ path: ['content'] }] });
    expect((await share(reader, account.admin, 'x'.repeat(2000))).__typename).toBe('ShareSecretSuccess');
    const { errors } = await new ApiCaller(server.url).send(
      'mutation { readSecret(input: { secretId: "x" }) { __typename } }',
    );
    expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });
});

import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inAccount } from '../../src/log/write.ts';
import { createLogger } from '../../src/logger.ts';
import { runOperatorCommand } from '../../src/operator/command.ts';
import { ApiCaller, type GraphQLAnswer, type Json } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, logIn, type Person, TestAccount, USER_PASSWORD } from '../support/world.ts';

const TOKEN = 'operator-token-0123456789-abcdefghij';
const ERROR = '... on Error { code message path } ... on ValidationError { inputViolations { path } }';

let server: TestServer;
let account: TestAccount;
const logged: string[] = [];

beforeAll(async () => {
  server = await startServer({
    log: createLogger('trace', { write: (line) => void logged.push(line) }),
    env: {
      OPERATOR_TOKEN: TOKEN,
      OPERATOR_FAILURES_PER_MINUTE: '5',
      ADDRESS_BAN_FAILURES: '4',
      LOGIN_LOCK_ATTEMPTS: '2',
      PUBLIC_URL: 'https://gate.example',
    },
  });
  account = await TestAccount.create(server);
});
afterAll(() => server.close());

const knock = (path: string, init: RequestInit & { token?: string | null } = {}): Promise<Response> => {
  const { token = TOKEN, ...rest } = init;
  return fetch(`${server.url}${path}`, {
    method: 'POST',
    body: JSON.stringify({ query: '{ accounts { totalCount } }' }),
    ...rest,
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
  });
};

async function ask(query: string, variables: object = {}): Promise<Json> {
  const answer = (await (
    await knock('/operator', { body: JSON.stringify({ query, variables }) })
  ).json()) as GraphQLAnswer;
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

/** Runs one of the operator's mutations and answers with the union's member. */
async function act(name: string, input: object, fields = '__typename'): Promise<Json> {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${fields} } ${ERROR} } }`;
  return (await ask(query, { input }))[name];
}

/** Runs the command against this server; what it wrote. */
async function command(args: string[], stdin = '', env: Record<string, string> = { OPERATOR_TOKEN: TOKEN }) {
  const written = { out: '', error: '' };
  const status = await runOperatorCommand(
    args,
    { OPERATOR_URL: server.url, ...env },
    {
      out: (text) => {
        written.out += `${text}\n`;
      },
      error: (text) => {
        written.error += `${text}\n`;
      },
      readLine: async () => stdin,
    },
  );
  return { status, ...written };
}

const fail = (person: Pick<Person, 'username'>, name = account.name) =>
  logIn(server, name, person.username, 'Wrong-pass-1').catch(() => undefined);

const newest = async (code: string): Promise<Json> => (await account.log({ codes: [code] }))[0];

describe('the door', () => {
  it('AUTH-24 opens for the operator’s token alone, and that opens nothing else', async () => {
    expect((await knock('/operator')).status).toBe(200);
    const login = account.admin.api.token;
    for (const token of [login, null, `${TOKEN}x`]) {
      const response = await knock('/operator', { token });
      expect(response.status).toBe(401);
      const { errors } = (await response.json()) as GraphQLAnswer;
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED', requestId: expect.any(String) });
    }
    expect((await new ApiCaller(server.url, TOKEN).run('{ viewer { user { id } } }')).viewer).toBeNull();
    const ordinary = await new ApiCaller(server.url, login).send('{ accounts { totalCount } }');
    expect(ordinary.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(logged.join('')).not.toContain(TOKEN);
  });

  it('API-06 takes POST only, no token in a URL, and gives its errors the codes of the catalogue', async () => {
    expect((await knock('/operator', { method: 'GET', body: null })).status).toBe(405);
    expect((await knock(`/operator?token=${TOKEN}`)).status).toBe(400);
    const wrong = (await (await knock('/operator', { body: '{"query":"{ nothing }"}' })).json()) as GraphQLAnswer;
    expect(wrong.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('CLK-01 a production server has neither clock nor outbox, and without OPERATOR_TOKEN no door', async () => {
    for (const query of [
      '{ clock { now } }',
      '{ simulatedMessages { nodes { text } } }',
      'mutation { advanceClock(input: { by: "PT1S" }) { __typename } }',
    ])
      expect((await account.admin.api.send(query)).errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    const introspection = await account.admin.api.run('{ __type(name: "Clock") { name } }');
    expect(introspection.__type).toBeNull();
    const { createOperatorDoor } = await import('../../src/operator/door.ts');
    const { platform } = server.app;
    const config = { ...platform.config, secrets: { ...platform.config.secrets, operatorToken: undefined } };
    expect(createOperatorDoor({ ...platform, config }, String as never)).toBeNull();
    expect((await knock('/elsewhere')).status).toBe(404);
  });
});

describe('accounts', () => {
  it('ACC-12 ACC-14 creates one with its Administrator on any plan; LIGHT is the operator’s to give', async () => {
    const administrator = { username: 'boss', email: 'boss@example.com', password: 'Boss-pass-1' };
    const { account: created, invitationLink } = await act(
      'createAccount',
      { name: 'light-one', company: 'Light', plan: 'LIGHT', administrator },
      'account { name plan users concurrentConnections } invitationLink',
    );
    expect(created).toEqual({ name: 'light-one', plan: 'LIGHT', users: 1, concurrentConnections: 3 });
    expect(invitationLink).toBeNull();
    const boss = await logIn(server, 'light-one', 'boss', 'Boss-pass-1');
    const { account: seen, logEntries } = await boss.api.run(
      '{ account { plan viewerCan } logEntries(filter: { codes: [ACCOUNT_CREATED] }) { nodes { trigger } } }',
    );
    expect(seen).toMatchObject({ plan: 'LIGHT', viewerCan: expect.arrayContaining(['ADMINISTER']) });
    expect(logEntries.nodes).toEqual([{ trigger: 'PLATFORM' }]);
    const input = {
      name: 'own-plan',
      company: 'Own',
      username: 'a',
      email: 'a@example.com',
      password: 'Boss-pass-1',
      plan: 'LIGHT',
    };
    const ordinary = await new ApiCaller(server.url).send(
      'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { __typename } }',
      { input },
    );
    expect(ordinary.errors?.[0]?.extensions.code, 'nobody gives himself a plan').toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('INV-01 without a password the Administrator is invited, by mail and by the link in the answer', async () => {
    const { invitationLink, invitationExpiresAt } = await act(
      'createAccount',
      { name: 'invited-one', company: 'Invited', administrator: { username: 'boss', email: 'boss@example.com' } },
      'invitationLink invitationExpiresAt',
    );
    const [, token] = /^https:\/\/gate\.example\/invitation#([\w-]{40,})$/.exec(invitationLink) ?? [];
    expect(Date.parse(invitationExpiresAt)).toBeGreaterThan(server.clock.now().getTime());
    expect(logged.join('')).not.toContain(token);
    const accepted = await new ApiCaller(server.url).mutate(
      'mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { __typename ... on Error { code message } } }',
      { input: { token, password: 'Boss-pass-1', passwordConfirmation: 'Boss-pass-1' } },
    );
    expect(accepted.__typename).toBe('AcceptInvitationSuccess');
    expect((await logIn(server, 'invited-one', 'boss', 'Boss-pass-1')).id).toBeTruthy();
  });

  it('ACC-03 refuses a taken name, and all that is wrong with an input at once', async () => {
    const administrator = { username: 'boss', email: 'boss@example.com', password: 'Boss-pass-1' };
    const taken = await act('createAccount', { name: account.name.toUpperCase(), company: 'X', administrator });
    expect(taken).toMatchObject({ code: 'ACCOUNT_NAME_TAKEN', path: ['name'] });
    const weak = { ...administrator, password: 'weak' };
    expect(await act('createAccount', { name: 'weak-one', company: 'X', administrator: weak })).toMatchObject({
      code: 'PASSWORD_POLICY_VIOLATION',
    });
    const wrong = await act('createAccount', {
      name: 'a b',
      company: ' ',
      administrator: { ...administrator, username: '' },
    });
    expect(wrong.code).toBe('VALIDATION_FAILED');
    expect(wrong.inputViolations.map(({ path }: Json) => path.join('.')).sort()).toEqual([
      'administrator.username',
      'company',
      'name',
    ]);
    const twice = await Promise.all(
      [1, 2].map(() => act('createAccount', { name: 'race-one', company: 'X', administrator })),
    );
    expect(twice.map(({ __typename, code }) => code ?? __typename).sort()).toEqual([
      'ACCOUNT_NAME_TAKEN',
      'CreateAccountSuccess',
    ]);
  });

  it('ACC-14 ACC-17 sets a plan, with the entry of the platform in the account’s log', async () => {
    const target = await TestAccount.create(server, 'PRO');
    for (const plan of ['LIGHT', 'LIGHT', 'PRO'])
      expect((await act('setPlan', { account: target.name, plan }, 'account { plan }')).account).toEqual({ plan });
    const entries = await target.log({ codes: ['PLAN_CHANGED'] });
    expect(entries.map(({ trigger, text }) => [trigger, text])).toEqual([
      ['PLATFORM', 'Plan changed from LIGHT to PRO'],
      ['PLATFORM', 'Plan changed from PRO to LIGHT'],
    ]);
    expect(await act('setPlan', { account: 'no-such-account', plan: 'PRO' })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('API-05 lists accounts by pages and by a part of their names', async () => {
    const LIST =
      'query ($search: String, $after: String) { accounts(first: 1, search: $search, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { name users ewons } } }';
    const first = (await ask(LIST, { search: '-ONE' })).accounts;
    expect(first).toMatchObject({ totalCount: 3, nodes: [{ name: 'light-one', users: 1, ewons: 0 }] });
    const second = (await ask(LIST, { search: '-ONE', after: first.pageInfo.endCursor })).accounts;
    expect(second.nodes[0].name).toBe('invited-one');
  });
});

describe('users', () => {
  it('AUTH-10 TFA-07 unlocks one who is locked or blocked, and says so in the log', async () => {
    const group = await account.group('Locked');
    const user = await account.user('locked', [group]);
    await fail(user);
    await fail(user);
    await expect(logIn(server, account.name, 'locked', USER_PASSWORD)).rejects.toThrow('INVALID_CREDENTIALS');
    const blockedUntil = new Date(server.clock.now().getTime() + 60_000);
    await server.app.platform.db.user.updateMany({
      where: { username: 'locked' },
      data: { secondFactorBlockedUntil: blockedUntil, secondFactorFailures: 3 },
    });
    const USER = '{ user(account: "NAME", username: "LOCKED") { lockedUntil blockedUntil logins } }'.replace(
      'NAME',
      account.name,
    );
    expect((await ask(USER)).user).toMatchObject({
      lockedUntil: expect.any(String),
      blockedUntil: blockedUntil.toISOString(),
    });
    expect((await ask('{ dueWork { nodes { kind account attempts } } }')).dueWork.nodes).toContainEqual({
      kind: 'LOGIN_UNLOCK',
      account: account.name,
      attempts: 0,
    });
    const input = { account: account.name, username: 'locked' };
    for (let time = 0; time < 2; time++)
      expect((await act('unlockUser', input, 'user { lockedUntil blockedUntil }')).user).toEqual({
        lockedUntil: null,
        blockedUntil: null,
      });
    expect((await logIn(server, account.name, 'locked', USER_PASSWORD)).id).toBeTruthy();
    for (const code of ['LOGIN_UNLOCKED', 'SECOND_FACTOR_UNBLOCKED']) {
      expect(await account.log({ codes: [code] }), 'once').toHaveLength(1);
      expect(await newest(code)).toMatchObject({
        trigger: 'PLATFORM',
        text: expect.stringContaining('by the operator of the platform'),
      });
    }
    expect(
      (await ask('{ dueWork { nodes { kind } } }')).dueWork.nodes.some(({ kind }: Json) => kind !== 'MONTH_END'),
    ).toBe(false);
  });

  it('AUTH-20 ends all logins of a user', async () => {
    const user = await logIn(server, account.name, 'locked', USER_PASSWORD);
    const input = { account: account.name, username: 'locked' };
    const { count, user: now } = await act('endLogins', input, 'count user { logins }');
    expect([count > 0, now.logins]).toEqual([true, 0]);
    expect((await user.api.run('{ viewer { user { id } } }')).viewer).toBeNull();
    expect((await account.admin.api.run('{ viewer { user { id } } }')).viewer, 'others go on').not.toBeNull();
    expect(await newest('LOGIN_REVOKED')).toMatchObject({
      trigger: 'PLATFORM',
      text: `${count} logins of locked ended by the operator of the platform`,
    });
    expect(await act('endLogins', input, 'count')).toMatchObject({ count: 0 });
    expect(await account.log({ codes: ['LOGIN_REVOKED'] })).toHaveLength(1);
  });

  it.each(['unlockUser', 'endLogins'])('API-05 %s of nobody is NOT_FOUND', async (name) => {
    for (const input of [
      { account: account.name, username: 'nobody' },
      { account: 'nowhere', username: 'locked' },
    ])
      expect(await act(name, input)).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('AUTH-11 lifts a ban, and the next failure does not bring it back', async () => {
    const BANS = '{ bans { totalCount nodes { remoteAddress failures } } }';
    for (let attempt = 0; attempt < 4; attempt++) await fail({ username: `guess${attempt}` });
    await expect(logIn(server, account.name, 'admin', ADMIN_PASSWORD)).rejects.toThrow('IP_BANNED');
    const [ban] = (await ask(BANS)).bans.nodes;
    expect(ban.failures).toBe(4);
    const { remoteAddress } = ban;
    expect(await act('liftBan', { remoteAddress }, 'remoteAddress')).toMatchObject({ remoteAddress });
    await fail({ username: 'guess' });
    expect((await logIn(server, account.name, 'admin', ADMIN_PASSWORD)).id).toBeTruthy();
    expect((await ask(BANS)).bans.totalCount).toBe(0);
    expect(await act('liftBan', { remoteAddress })).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('what runs by itself', () => {
  it('CLU-05 shows due work that fails, tries it again later, and does the rest', async () => {
    const { platform } = server.app;
    const dueAt = new Date(platform.clock.now().getTime() - 1000);
    const user = await platform.db.user.findFirstOrThrow({ where: { accountId: account.id, username: 'locked' } });
    const row = { accountId: account.id, dueAt };
    await platform.db.dueWork.createMany({
      data: [
        // As a row of a newer version looks to an older one.
        { ...row, kind: 'NOT_KNOWN_YET', subjectId: account.id },
        { ...row, kind: 'SECOND_FACTOR_UNBLOCK', subjectId: user.id },
      ],
    });
    await server.app.jobs.run();
    const WORK =
      '{ dueWork { nodes { kind attempts retryAt lastError } } jobs { name runs failures lastError lastStartedAt } }';
    const { dueWork, jobs } = await ask(WORK);
    // Besides what is due later: the month of each account.
    const failing = dueWork.nodes.filter(({ attempts }: Json) => attempts > 0);
    expect(failing).toMatchObject([{ kind: 'NOT_KNOWN_YET', attempts: 1, retryAt: expect.any(String) }]);
    expect(failing[0].lastError).toBeTruthy();
    expect(jobs.map(({ name }: Json) => name)).toEqual(
      expect.arrayContaining(['runDueWork', 'reapLeases', 'sendMessages']),
    );
    expect(jobs.every(({ runs, failures }: Json) => runs > 0 && failures === 0)).toBe(true);
    await platform.db.dueWork.deleteMany({ where: { kind: 'NOT_KNOWN_YET' } });
  });

  it('TFA-48 messages without a sender wait, say for which variable, and are listed; the log warns once', async () => {
    const { platform } = server.app;
    await inAccount(platform, account.id, async ({ tx, now }) => {
      await tx.message.create({
        data: {
          ...{ accountId: account.id, channel: 'SMS', template: 'CODE_BY_SMS', recipient: '+3225550009' },
          ...{ createdAt: now, dueAt: now, expiresAt: new Date(now.getTime() + 600_000), paramsEncrypted: 'kept' },
        },
      });
    });
    await server.app.jobs.run();
    const LIST = '{ messagesInTrouble { nodes { account channel recipient state attempts lastError } } }';
    const { nodes } = (await ask(LIST)).messagesInTrouble;
    expect(nodes[0]).toMatchObject({
      account: account.name,
      channel: 'SMS',
      state: 'QUEUED',
      attempts: 0,
      lastError: 'SMS_URL is not set.',
    });
    expect(nodes[0].recipient).not.toContain('555000');
    expect(nodes.filter(({ channel }: Json) => channel === 'MAIL')[0].lastError).toBe('SMTP_URL is not set.');
    expect(logged.filter((line) => line.includes('SMTP_URL is not set'))).toHaveLength(1);
  });
});

describe('the command', () => {
  it('ACC-14 does the same against a running server, for people and for machines', async () => {
    const args = ['--name', 'shell-one', '--company', 'Shell', '--username', 'boss', '--email', 'b@example.com'];
    const created = await command(['create-account', ...args, '--plan', 'light', '--password-stdin'], 'Boss-pass-1');
    expect(created).toEqual({ status: 0, out: 'Created the account shell-one (Shell) on plan LIGHT.\n', error: '' });
    expect((await logIn(server, 'shell-one', 'boss', 'Boss-pass-1')).id).toBeTruthy();
    const invited = await command(['create-account', ...args.map((word) => word.replace('shell-one', 'shell-two'))]);
    expect(invited.out).toContain('https://gate.example/invitation#');
    expect((await command(['set-plan', 'shell-one', 'pro'])).out).toBe('The account shell-one is on plan PRO.\n');
    const listed = await command(['accounts', '--search', 'shell', '--first', '1']);
    expect(listed.out).toMatch(
      /^name +company +plan[^\n]*\nshell-one +Shell +PRO[^\n]*\n2 in all\n… more: --after \S+\n$/,
    );
    const json = await command(['accounts', '--search', 'shell', '--json']);
    expect(JSON.parse(json.out).nodes.map(({ name }: Json) => name)).toEqual(['shell-one', 'shell-two']);
    for (const [name, ...rest] of [
      ['user', 'shell-one', 'boss'],
      ['unlock', 'shell-one', 'boss'],
      ['end-logins', 'shell-one', 'boss'],
      ['bans'],
      ['due-work'],
      ['jobs'],
      ['messages'],
    ]) {
      const { status, out, error } = await command([String(name), ...rest]);
      expect({ name, status, error }).toEqual({ name, status: 0, error: '' });
      expect(out.length).toBeGreaterThan(10);
    }
  });

  it('API-04 ends with a status other than 0 when it was refused, with code and message', async () => {
    expect(await command(['set-plan', 'nowhere', 'PRO'])).toEqual({
      status: 1,
      out: '',
      error: 'NOT_FOUND: No such account.\n',
    });
    expect((await command(['lift-ban', '192.0.2.1', '--json'])).out).toContain('"code":"NOT_FOUND"');
    expect((await command(['user', 'nowhere', 'boss'])).status).toBe(1);
    expect((await command(['set-plan', 'shell-one', 'GOLD'])).error).toMatch(/^GRAPHQL_VALIDATION_FAILED: /);
    expect((await command(['accounts', '--url', 'http://127.0.0.1:1'])).error).toMatch(
      /^No server answers at http:\/\/127\.0\.0\.1:1/,
    );
    expect((await command(['accounts'], '', { OPERATOR_TOKEN: 'x'.repeat(40) })).error).toMatch(/^UNAUTHENTICATED: /);
  });

  it.each([
    ['without the token', ['accounts'], { OPERATOR_TOKEN: '' }],
    ['an unknown command', ['drop-everything'], {}],
    ['an unknown option', ['accounts', '--password', 'hunter2'], { OPERATOR_TOKEN: TOKEN }],
    ['a missing operand', ['unlock', 'shell-one'], { OPERATOR_TOKEN: TOKEN }],
    ['a missing option', ['create-account', '--name', 'x'], { OPERATOR_TOKEN: TOKEN }],
    ['a page that is no number', ['accounts', '--first', 'all'], { OPERATOR_TOKEN: TOKEN }],
  ])('API-04 ends with status 2 when misused: %s', async (_title, args, env) => {
    const { status, out, error } = await command(args, '', env as Record<string, string>);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(error).not.toContain('hunter2');
    expect(error.length).toBeGreaterThan(20);
  });

  it('explains itself', async () => {
    expect((await command(['--help'])).out).toContain('lift-ban');
    expect((await command(['create-account', '--help'])).out).toContain('--password-stdin');
  });

  it('CLU-04 works on the database itself when no server is named', async () => {
    const env = { OPERATOR_URL: '', DATABASE_URL: 'pglite://memory', DATA_DIR: ':memory:' };
    const { status, out } = await command(['accounts', '--json'], '', env);
    expect({ status, answer: JSON.parse(out) }).toMatchObject({ status: 0, answer: { totalCount: 0, nodes: [] } });
    const nowhere = join(tmpdir(), `talkgate-no-database-${process.pid}`);
    const none = await command(['accounts'], '', { ...env, DATABASE_URL: `pglite://${nowhere}` });
    expect(none).toMatchObject({ status: 1, out: '' });
    expect(none.error).toContain(`There is no database in ${nowhere}. Give the address of a running server with --url`);
    expect(existsSync(nowhere)).toBe(false);
    expect((await command(['accounts'], '', { ...env, HTTP_PORT: 'many' })).error).toMatch(/^HTTP_PORT is "many"/);
  });
});

it('AUTH-24 too many wrong tokens close the door for a while, also to the right one', async () => {
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 6; attempt++)
    statuses.push((await knock('/operator', { token: `${TOKEN}${attempt}` })).status);
  expect(statuses.at(-1)).toBe(429);
  const refused = await knock('/operator');
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
});

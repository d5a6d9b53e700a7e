import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addSeconds } from '../../src/clock.ts';
import { inAccount } from '../../src/log/write.ts';
import { createLogger } from '../../src/logger.ts';
import { queueMessage } from '../../src/messages/queue.ts';
import { eventually, type Json } from '../support/client.ts';
import { type MailServer, type SmsService, startMailServer, startSmsService } from '../support/mail-server.ts';
import { beginLogin, setSecondFactor, submitCode } from '../support/second-factor.ts';
import { onPostgres, startServer, type TestServer } from '../support/server.ts';
import { ADMIN_PASSWORD, logIn, TestAccount } from '../support/world.ts';

const MESSAGES =
  'query ($filter: OutgoingMessageFilter) { account { messages(filter: $filter) { totalCount nodes { id channel template recipient state attempts lastError createdAt sentAt nextAttemptAt viewerCan } } } }';
const RETRY =
  'mutation ($messageId: ID!) { retryMessage(input: { messageId: $messageId }) { __typename ... on RetryMessageSuccess { message { id state attempts } } ... on Error { code } } }';

const MINUTE_MS = 60_000;
const CODE = '83746152';

let mail: MailServer;
let sms: SmsService;
let server: TestServer;
let account: TestAccount;
let other: TestAccount;
const logged: string[] = [];

beforeAll(async () => {
  [mail, sms] = await Promise.all([startMailServer(), startSmsService()]);
  server = await startServer({
    log: createLogger('trace', { write: (line) => void logged.push(line) }),
    env: {
      SMTP_URL: mail.url,
      MAIL_FROM: 'Gate <gate@talk.example>',
      SMS_URL: sms.url,
      SMS_AUTHORIZATION: 'Key sms-service-key',
      MESSAGE_TIMEOUT_SECONDS: '2',
      MESSAGE_RETRY_SECONDS: '10',
      MESSAGE_ATTEMPTS: '4',
    },
  });
  account = await TestAccount.create(server);
  other = await TestAccount.create(server, 'FREE');
  await server.app.jobs.run();
});
afterAll(async () => {
  await server.close();
  await Promise.all([mail.close(), sms.close()]);
});
beforeEach(() => {
  mail.behave('take');
  sms.answer(200);
  mail.received.length = 0;
  sms.received.length = 0;
});

const send = (to: TestServer, accountId: string, channel: 'MAIL' | 'SMS', recipient: string, seconds = 3600) =>
  inAccount(to.app.platform, accountId, (tx) =>
    queueMessage(to.app.platform, tx, {
      channel,
      template: channel === 'MAIL' ? 'CODE_BY_MAIL' : 'CODE_BY_SMS',
      recipient,
      userId: null,
      params: { accountName: account.name, name: 'Ann', code: CODE, minutes: 10 },
      expiresAt: addSeconds(tx.now, seconds),
    }),
  );

/** The newest message of the account, as its Administrator sees it. */
const newest = async (who = account.admin): Promise<Json> => (await who.api.run(MESSAGES)).account.messages.nodes[0];

const receivedBy = (recipient: string): number => mail.received.filter(({ to }) => to.includes(recipient)).length;

const becomes = (state: string) => eventually('the state', newest, (message) => message?.state === state);

/** What is kept of the content of the newest message. */
const content = async (): Promise<string | null> =>
  (await server.app.platform.db.message.findFirstOrThrow({ orderBy: { id: 'desc' } })).paramsEncrypted;

describe('mail', () => {
  it('ACC-12 a new account is confirmed by mail: text and HTML in one, in the account’s name, with an id of its own', async () => {
    const { name } = await TestAccount.create(server, 'FREE');
    const { from, to, raw } = await eventually(
      'the mail',
      () => mail.received.find((one) => one.raw.includes(name)) ?? { from: '', to: [], raw: '' },
      (one) => one.to.length > 0,
    );
    expect({ from, to }).toEqual({ from: 'gate@talk.example', to: ['admin@example.com'] });
    expect(raw).toContain(`Subject: Account ${name} created`);
    expect(raw).toMatch(/^Content-Type: multipart\/alternative/m);
    expect(raw).toMatch(/^Content-Type: text\/plain/m);
    expect(raw).toMatch(/^Content-Type: text\/html/m);
    expect(raw).toMatch(/^Message-ID: <[0-9a-f-]{36}@talk\.example>/m);
    expect(raw).toMatch(/^Auto-Submitted: auto-generated/im);
    // The server has it before its sender knows.
    await server.app.jobs.run();
  });

  it('AUTH-09 a server that is down delays it and fails nothing; it goes out when the server is back', async () => {
    await mail.close();
    const startedMs = performance.now();
    await send(server, account.id, 'MAIL', 'ann@example.com');
    expect((await logIn(server, account.name, 'admin', ADMIN_PASSWORD)).id).toBeTruthy();
    expect(performance.now() - startedMs, 'nobody waits for the mail').toBeLessThan(5000);
    const waiting = await eventually('an attempt', newest, ({ lastError }) => lastError !== null);
    expect(waiting).toMatchObject({ state: 'QUEUED', attempts: 1, sentAt: null, viewerCan: ['RETRY'] });
    expect(waiting.lastError).toMatch(/^The mail server did not take the mail \(\w+\)\.$/);
    const waitMs = Date.parse(waiting.nextAttemptAt) - server.clock.now().getTime();
    expect(waitMs).toBeGreaterThan(5000);
    expect(waitMs).toBeLessThanOrEqual(12_500);

    await server.app.jobs.run();
    expect((await newest()).attempts, 'not before its time').toBe(1);
    await mail.open();
    server.clock.advance(13_000);
    await server.app.jobs.run();
    expect(await newest()).toMatchObject({ state: 'SENT', attempts: 2, lastError: null, nextAttemptAt: null });
    expect(receivedBy('ann@example.com')).toBe(1);
    expect(await content(), 'the code is gone').toBeNull();
  });

  it('waits longer after each attempt, and is given up after the last; the account’s log tells it', async () => {
    mail.behave('busy');
    await send(server, account.id, 'MAIL', 'busy@example.com', 7200);
    const waits: number[] = [];
    for (const attempts of [1, 2, 3]) {
      const message = await eventually('an attempt', newest, (one) => one.attempts === attempts && one.lastError);
      expect(message.lastError).toBe('The mail server answered 451 (EMESSAGE).');
      waits.push((Date.parse(message.nextAttemptAt) - server.clock.now().getTime()) / 1000);
      server.clock.advance(51_000);
      await server.app.jobs.run();
    }
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThan(10 * 2 ** index - 3);
      expect(wait).toBeLessThanOrEqual(12.5 * 2 ** index);
    }
    expect(await newest()).toMatchObject({ state: 'FAILED', attempts: 4, nextAttemptAt: null, viewerCan: [] });
    expect(await content()).toBeNull();
    const [entry] = await account.log({ codes: ['MESSAGE_FAILED'] });
    expect(entry).toMatchObject({ severity: 'WARNING', trigger: 'PLATFORM' });
    expect(entry.text).toMatch(/^Message CODE_BY_MAIL to b•+@example\.com was given up: The mail server answered 451/);
  });

  it('TFA-39 a recipient that does not exist is not tried again, and nothing of the server’s words is kept', async () => {
    mail.behave('refuse recipient');
    await send(server, account.id, 'MAIL', 'nobody@example.com');
    const failed = await becomes('FAILED');
    expect(failed).toMatchObject({ attempts: 1, lastError: 'The mail server answered 550 (EENVELOPE).' });
  });

  it('TFA-05 a code that has expired is not sent any more', async () => {
    await mail.close();
    await send(server, account.id, 'MAIL', 'late@example.com', 600);
    await eventually('an attempt', newest, ({ lastError }) => lastError !== null);
    await mail.open();
    server.clock.advance(10 * MINUTE_MS);
    await server.app.jobs.run();
    expect(await newest()).toMatchObject({ state: 'FAILED', sentAt: null });
    expect((await newest()).lastError).toMatch(/^It was not sent in time\. The mail server did not take the mail/);
    expect(receivedBy('late@example.com')).toBe(0);
  });

  it('TFA-03 a server that hangs holds up neither the jobs nor text messages, and every wait has an end', async () => {
    mail.behave('hang');
    await send(server, account.id, 'MAIL', 'hang@example.com');
    await send(server, account.id, 'SMS', '+3225550001');
    await becomes('SENT');
    expect(sms.received).toHaveLength(1);
    const hanging = await eventually(
      'the end of the attempt',
      async () => (await account.admin.api.run(MESSAGES)).account.messages.nodes[1],
      ({ lastError }) => lastError !== null,
      5000,
    );
    expect(hanging).toMatchObject({ state: 'QUEUED', attempts: 1 });
  });
});

describe('text messages', () => {
  it('TFA-03 TFA-46 go out as the configured request, free of charge', async () => {
    await send(server, account.id, 'SMS', '+3225550002');
    await becomes('SENT');
    const [{ headers, body } = { headers: {}, body: '' }] = sms.received;
    expect(headers).toMatchObject({ 'content-type': 'application/json', authorization: 'Key sms-service-key' });
    expect(JSON.parse(body)).toEqual({
      to: '+3225550002',
      text: `${CODE} is your code for ${account.name}. It works once, within 10 minutes.`,
    });
    expect(await account.log({ categories: ['BILLING'] }), 'TFA-46').toEqual([]);
  });

  it.each([408, 429, 503])('are tried again under the same key when the service answers %i', async (status) => {
    sms.answer(status);
    await send(server, account.id, 'SMS', '+3225550003');
    await eventually('an attempt', newest, ({ lastError }) => lastError === `The SMS service answered ${status}.`);
    sms.answer(202);
    server.clock.advance(13_000);
    await server.app.jobs.run();
    expect(await newest()).toMatchObject({ state: 'SENT', attempts: 2 });
    const keys = sms.received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it.each([400, 404, 301])('are given up or kept, but never sent elsewhere, when it answers %i', async (status) => {
    sms.answer(status);
    await send(server, account.id, 'SMS', '+3225550004');
    const message = await eventually('an attempt', newest, ({ lastError }) => lastError !== null);
    expect(message.state).toBe(status === 301 ? 'QUEUED' : 'FAILED');
  });
});

describe('a login with a second factor', () => {
  const logsIn = async (username: string, read: () => string | undefined): Promise<string> => {
    const waiting = await beginLogin(account, username);
    expect(waiting.answer.__typename).toBe('SecondFactorRequired');
    const code = (await eventually('the code', read, Boolean)) ?? '';
    return (await submitCode(waiting.api, code)).answer.__typename;
  };

  it('TFA-04 TFA-09 TFA-39 takes the code that the mail server and the SMS service received', async () => {
    const staff = await account.group('Second factors');
    const [byMail, bySms] = [await account.user('by-mail', [staff]), await account.user('by-sms', [staff])];
    // By now the Administrator's proof of identity may be too old.
    const admin = (await logIn(server, account.name, 'admin', ADMIN_PASSWORD)).api;
    await setSecondFactor(admin, { userId: byMail.id, method: 'EMAIL' });
    await setSecondFactor(admin, { userId: bySms.id, method: 'SMS', mobile: '+32470555001' });
    const mailed = () =>
      mail.received.flatMap(({ to, raw }) => (to.includes('by-mail@example.com') ? [raw] : [])).at(-1);
    expect(await logsIn('by-mail', () => /your code for the account \S+ is (\d{6})/.exec(mailed() ?? '')?.[1])).toBe(
      'LoginSuccess',
    );
    const texted = () =>
      sms.received.map(({ body }) => JSON.parse(body)).findLast(({ text }) => / is your code for /.test(text));
    expect(await logsIn('by-sms', () => /^(\d{4}) is your code/.exec(texted()?.text ?? '')?.[1])).toBe('LoginSuccess');
    expect(texted()?.to).toBe('+32470555001');
  });
});

describe('the state of messages', () => {
  it('ACC-22 is for Administrators: others see none, and no content is in it', async () => {
    const group = await account.group('Readers');
    const user = await account.user('reader', [group]);
    const seen = await account.admin.api.run(MESSAGES, { filter: { states: ['FAILED'], templates: ['CODE_BY_SMS'] } });
    expect(seen.account.messages.totalCount).toBe(2);
    expect(seen.account.messages.nodes[0].recipient).toMatch(/^\+32•+04$/);
    expect(JSON.stringify(await account.admin.api.run(MESSAGES))).not.toContain(CODE);
    expect((await user.api.run(MESSAGES)).account.messages).toEqual({ totalCount: 0, nodes: [] });
    const { id } = seen.account.messages.nodes[0];
    const NODE = 'query ($id: ID!) { node(id: $id) { id } }';
    expect((await account.admin.api.run(NODE, { id })).node).toEqual({ id });
    for (const stranger of [user, other.admin]) expect((await stranger.api.run(NODE, { id })).node).toBeNull();
  });

  it('API-05 retryMessage sends at once what waits; nobody but an Administrator, and nothing that is finished', async () => {
    sms.answer(503);
    await send(server, account.id, 'SMS', '+3225550005');
    const { id } = await eventually('an attempt', newest, ({ lastError }) => lastError !== null);
    const user = await logIn(server, account.name, 'reader', 'User-pass-1');
    expect(await user.api.mutate(RETRY, { messageId: id })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await other.admin.api.mutate(RETRY, { messageId: id })).toMatchObject({ code: 'NOT_FOUND' });
    for (const messageId of ['nonsense', account.admin.id])
      expect(await account.admin.api.mutate(RETRY, { messageId })).toMatchObject({ code: 'NOT_FOUND' });
    sms.answer(200);
    const twice = await Promise.all([1, 2].map(() => account.admin.api.mutate(RETRY, { messageId: id })));
    expect(twice.map(({ __typename, code }) => code ?? __typename)).toContain('RetryMessageSuccess');
    await becomes('SENT');
    expect(
      sms.received.filter(({ body }) => body.includes('50005')),
      'one failed and one sent',
    ).toHaveLength(2);
    expect(await account.admin.api.mutate(RETRY, { messageId: id })).toMatchObject({ code: 'MESSAGE_FINISHED' });
    expect((await account.log({ codes: ['MESSAGE_RETRIED'] }))[0]).toMatchObject({ trigger: 'USER' });
  });

  it('LOG-21 no code, key or content is in the server’s log', () => {
    expect(logged.join('')).not.toContain(CODE);
    expect(logged.join('')).not.toContain('sms-service-key');
  });

  it('LOG-17 is forgotten after MESSAGE_RETENTION_DAYS', async () => {
    server.clock.advance(31 * 24 * 60 * MINUTE_MS);
    await server.app.jobs.run();
    const { messages } = (await (await logIn(server, account.name, 'admin', ADMIN_PASSWORD)).api.run(MESSAGES)).account;
    expect(messages.nodes.filter(({ state }: Json) => state !== 'QUEUED')).toEqual([]);
  });
});

it('API-09 a stop waits for the message in hand', async () => {
  mail.behave('slow');
  const { read } = mail;
  await send(server, account.id, 'MAIL', 'last@example.com');
  await eventually(
    'the mail on its way',
    () => mail.read,
    (count) => count > read,
  );
  logged.length = 0;
  await server.close();
  expect(receivedBy('last@example.com')).toBe(1);
  expect(logged.join(''), 'its state was written').not.toContain('could not be sent');
});

onPostgres('several instances', () => {
  it('CLU-01 CLU-05 send each message once', async () => {
    const env = { SMTP_URL: mail.url };
    const one = await startServer({ database: 'postgresql', env });
    const two = await startServer({ databaseUrl: one.databaseUrl, clock: one.clock, env });
    try {
      const { id } = await TestAccount.create(one);
      await one.app.jobs.run();
      mail.received.length = 0;
      // Written in one go, so that both instances find all of them due.
      const { platform } = one.app;
      await inAccount(platform, id, async ({ tx, now }) => {
        await tx.message.createMany({
          data: Array.from({ length: 60 }, (_, index) => ({
            ...{
              accountId: id,
              channel: 'MAIL' as const,
              template: 'CODE_BY_MAIL',
              recipient: `u${index}@example.com`,
            },
            paramsEncrypted: platform.secrets.encrypt(
              JSON.stringify({ accountName: 'acme', name: 'u', code: CODE, minutes: 1 }),
            ),
            ...{ createdAt: now, dueAt: now, expiresAt: addSeconds(now, 600) },
          })),
        });
      });
      // The second has a key of its own here, so it may only find nothing left of what the first has claimed.
      await Promise.all([one.app.jobs.run(), one.app.jobs.run(), two.app.jobs.run()]);
      const rows = await platform.db.message.findMany({ where: { recipient: { startsWith: 'u' } } });
      expect(rows.filter(({ state }) => state === 'QUEUED')).toEqual([]);
      expect(
        rows.every(({ attempts }) => attempts === 1),
        'claimed once',
      ).toBe(true);
      const sent = rows.filter(({ state }) => state === 'SENT').map(({ recipient }) => recipient);
      expect(mail.received.map(({ to }) => to[0]).sort()).toEqual(sent.sort());
    } finally {
      await two.close();
      await one.close();
    }
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { sendAnnouncements } from '../../src/contacts/announcements.ts';
import { runOperatorCommand } from '../../src/operator/command.ts';
import { ApiCaller, type GraphQLAnswer, type Json } from '../support/client.ts';
import { messagesTo } from '../support/messages.ts';
import type { TestServer } from '../support/server.ts';
import { type Person, startWorld, TestAccount } from '../support/world.ts';

const OPERATOR_TOKEN = 'operator-token-0123456789-abcdefghij';
const CONTACT = 'contact { id name email phone function createdAt }';
const MUTATIONS = { createContact: CONTACT, updateContact: CONTACT, deleteContact: 'deletedContactId' };
const ERROR = '... on ValidationError { inputViolations { path } } ... on Error { code path }';
const MOST = 6;

let server: TestServer;
let account: TestAccount;
let other: TestAccount;
let user: Person;

const run = (name: keyof typeof MUTATIONS, input: object, who = account.admin): Promise<Json> => {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${MUTATIONS[name]} } ${ERROR} } }`;
  return who.api.mutate(query, { input });
};
const add = async (input: object = {}, who = account.admin): Promise<Json> =>
  (await run('createContact', { name: 'Ada', email: 'ada@example.com', ...input }, who)).contact;
const listed = async (who: Person, args = ''): Promise<Json> =>
  (await who.api.run(`{ account { contacts${args} { totalCount nodes { id name email } } } }`)).account.contacts;
const texts = async (of = account): Promise<string[]> =>
  (await of.log({ codes: ['CONTACT_ADDED', 'CONTACT_CHANGED', 'CONTACT_REMOVED'] })).map(({ text }: Json) => text);
const db = () => server.app.platform.db;

beforeAll(async () => {
  ({ server, account } = await startWorld({ env: { CONTACTS_PER_ACCOUNT: String(MOST), OPERATOR_TOKEN } }));
  other = await TestAccount.create(server, 'FREE');
  user = await account.user('plain', [await account.group('Plain')]);
});
afterAll(() => server.close());
afterEach(async () => {
  vi.restoreAllMocks();
  await db().contact.deleteMany({ where: { name: { not: 'admin' } } });
});

describe('contacts', () => {
  it('CTC-01 CTC-03 CTC-04 begin with the first Administrator, are added, changed and removed, and logged each time', async () => {
    const first = await listed(other.admin);
    expect(first).toMatchObject({ totalCount: 1, nodes: [{ name: 'admin', email: 'admin@example.com' }] });
    const full = { name: ' Ada ', email: 'ada@example.com', phone: '+32470123456', function: ' Maintenance ' };
    const { id, ...made } = await add(full);
    const kept = { name: 'Ada', email: 'ada@example.com', phone: '+32470123456', function: 'Maintenance' };
    expect(made).toEqual({ ...kept, createdAt: expect.any(String) });
    expect(await add({ name: 'Bob' })).toMatchObject({ name: 'Bob', phone: null, function: null });
    expect((await listed(account.admin)).totalCount).toBe(3);

    const changed = await run('updateContact', { contactId: id, name: 'Ada L.', phone: null, function: 'Maintenance' });
    expect(changed.contact).toMatchObject({ ...kept, name: 'Ada L.', phone: null });
    const keeping = await run('updateContact', { contactId: id, name: null, email: null });
    expect(keeping.contact).toMatchObject({ name: 'Ada L.', email: 'ada@example.com' });
    expect((await run('updateContact', { contactId: id, function: null })).contact.function).toBeNull();
    expect(await run('deleteContact', { contactId: id })).toMatchObject({ deletedContactId: id });
    expect(await run('deleteContact', { contactId: id })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await texts()).toEqual([
      'Contact Ada L. removed',
      'Contact Ada L. changed: function',
      'Contact Ada changed: name, phone',
      'Contact Bob added',
      'Contact Ada added',
    ]);
  });

  it('CTC-03 at least one remains, also when the last two are removed at once', async () => {
    const [admin] = (await listed(account.admin)).nodes;
    expect(await run('deleteContact', { contactId: admin.id })).toMatchObject({ code: 'CONTACT_NEEDED' });
    const { id } = await add({ name: 'admin', email: 'admin@example.com' });
    const answers = await Promise.all(
      [admin.id, id].map((contactId) => run('deleteContact', { contactId }).then(({ code }) => code ?? 'done')),
    );
    expect(answers.sort()).toEqual(['CONTACT_NEEDED', 'done']);
    expect((await listed(account.admin)).totalCount).toBe(1);
  });

  it('CTC-04 name and e-mail are needed and of their form, phone and function are not', async () => {
    const refused = async (input: object, path: string) =>
      expect(await run('createContact', { name: 'Ada', email: 'ada@example.com', ...input }), path).toMatchObject({
        inputViolations: [{ path: [path] }],
      });
    await refused({ name: ' ' }, 'name');
    await refused({ name: 'x'.repeat(101) }, 'name');
    await refused({ name: 'Ada\r\nBcc: x' }, 'name');
    await refused({ function: '' }, 'function');
    await refused({ function: 'a\u2028b' }, 'function');
    for (const input of [{ name: 'Ada' }, { email: 'ada@example.com' }, { name: 'Ada', email: 'no address' }]) {
      const answer = await account.admin.api.send(
        'mutation ($input: CreateContactInput!) { createContact(input: $input) { __typename } }',
        { input },
      );
      expect(answer.errors?.[0]?.extensions.code).toMatch(/VALIDATION_FAILED$/);
    }
    expect((await listed(account.admin)).totalCount).toBe(1);
  });

  it('CTC-04 ACC-22 only Administrators see and change them; what is foreign or unknown does not exist', async () => {
    const { id: contactId } = await add();
    expect(await listed(user)).toBeNull();
    expect(await run('createContact', { name: 'X', email: 'x@example.com' }, user)).toMatchObject({
      code: 'FORBIDDEN',
    });
    for (const [name, input] of [
      ['updateContact', { contactId, name: 'X' }],
      ['deleteContact', { contactId }],
    ] as const) {
      expect(await run(name, input, user)).toMatchObject({ code: 'FORBIDDEN' });
      expect(await run(name, input, other.admin)).toMatchObject({ code: 'NOT_FOUND' });
      expect(await run(name, { ...input, contactId: account.admin.id })).toMatchObject({ code: 'NOT_FOUND' });
    }
    const NODE = 'query ($id: ID!) { node(id: $id) { id } }';
    expect((await account.admin.api.run(NODE, { id: contactId })).node).toEqual({ id: contactId });
    for (const who of [user, other.admin]) expect((await who.api.run(NODE, { id: contactId })).node).toBeNull();
    expect((await listed(other.admin)).nodes).toHaveLength(1);
    // No user, and no access.
    expect((await account.admin.api.run('{ users { nodes { username } } }')).users.nodes).toHaveLength(2);
  });

  it('CTC-03 LST-03 LST-04 are listed with filter, order and search', async () => {
    await add({ name: 'Bob', email: 'bob@example.org', function: 'Head of IT' });
    await add({ name: 'Zoe', email: 'zoe@example.org' });
    const names = async (args: string) => (await listed(account.admin, args)).nodes.map(({ name }: Json) => name);
    const newest = '(filter: { name: { in: ["Zoe", "Bob"] } }, orderBy: [{ field: NAME, direction: DESC }])';
    expect(await names(newest)).toEqual(['Zoe', 'Bob']);
    expect(await names('(filter: { search: "head of" })')).toEqual(['Bob']);
    expect(await names('(filter: { email: { contains: "EXAMPLE.ORG" } }, first: 1)')).toEqual(['Bob']);
  });

  it('CTC-03 API-01 an account has a limited number, also for many at once; a key adds one contact', async () => {
    const once = { name: 'Once', email: 'once@example.com', idempotencyKey: 'once' };
    const same = await Promise.all([1, 2, 3].map(() => run('createContact', once)));
    expect(new Set(same.map(({ contact }) => contact.id)).size).toBe(1);
    expect(await run('createContact', { ...once, name: 'Other' })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    const many = await Promise.all(
      Array.from({ length: MOST }, (_, index) =>
        run('createContact', { name: `Many ${index}`, email: 'many@example.com' }),
      ),
    );
    expect(many.filter(({ code }) => code === 'ACCOUNT_LIMIT_REACHED')).toHaveLength(2);
    expect((await listed(account.admin)).totalCount).toBe(MOST);
    await run('deleteContact', { contactId: same[0]?.contact.id });
    expect(await run('createContact', once)).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('announcements', () => {
  const send = async (query: string, variables: object = {}): Promise<Json> => {
    const response = await fetch(`${server.url}/operator`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}` },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as GraphQLAnswer;
    if (answer.errors) throw new Error(JSON.stringify(answer.errors));
    return answer.data;
  };
  const PROGRESS = 'key subject text createdAt finishedAt accounts accountsInAll mails';
  const announce = async (input: object): Promise<Json> =>
    (
      await send(
        `mutation ($input: SendAnnouncementInput!) { sendAnnouncement(input: $input) { __typename ... on SendAnnouncementSuccess { announcement { ${PROGRESS} } } ${ERROR} } }`,
        { input: { key: 'key', subject: 'Maintenance', text: 'On Sunday.\r\n\r\nFor an hour.', ...input } },
      )
    ).sendAnnouncement;
  const progress = async (key: string): Promise<Json> =>
    (await send(`{ announcements { nodes { ${PROGRESS} } } }`)).announcements.nodes.find(
      (one: Json) => one.key === key,
    );
  const finished = async (key: string): Promise<Json> => {
    await vi.waitFor(
      async () => {
        await server.app.jobs.run();
        expect((await progress(key)).finishedAt).not.toBeNull();
      },
      { timeout: 15_000 },
    );
    return progress(key);
  };
  /** The addresses that got a mail about something, in every account. */
  const mailed = async (subject: string): Promise<string[]> => {
    const { secrets } = server.app.platform;
    const messages = await db().message.findMany({ where: { template: 'ANNOUNCEMENT' }, include: { account: true } });
    return messages
      .filter(({ paramsEncrypted }) => JSON.parse(secrets.decrypt(paramsEncrypted ?? '')).subject === subject)
      .map(({ recipient, account: { name } }) => `${name} ${recipient}`)
      .sort();
  };

  it('CTC-02 CTC-05 each contact of each account gets one mail, duplicates of an account removed', async () => {
    await add({ name: 'Ada' });
    await add({ name: 'Ada again', email: 'ADA@Example.com' });
    await add({ name: 'Bob', email: 'bob@example.com' });
    await add({ name: 'Ada', email: 'ada@example.com' }, other.admin);
    const made = await announce({ key: 'first', subject: ' First ' });
    expect(made.announcement).toMatchObject({ key: 'first', subject: 'First', text: 'On Sunday.\n\nFor an hour.' });
    const late = await TestAccount.create(server);
    await db().account.update({
      where: { id: late.id },
      data: { createdAt: new Date(Date.parse(made.announcement.createdAt) + 1) },
    });
    expect(await finished('first')).toMatchObject({ accounts: 2, accountsInAll: 2, mails: 5 });
    expect(await mailed('First')).toEqual(
      [
        ...['ada@example.com', 'admin@example.com', 'bob@example.com'].map((address) => `${account.name} ${address}`),
        ...['ada@example.com', 'admin@example.com'].map((address) => `${other.name} ${address}`),
      ].sort(),
    );
    const [mail] = await messagesTo(server, 'bob@example.com', 'ANNOUNCEMENT');
    expect(mail?.params).toEqual({
      accountName: account.name,
      subject: 'First',
      lines: ['On Sunday.', '', 'For an hour.'],
    });
    const entries = await account.log({ codes: ['ANNOUNCEMENT_SENT'] });
    expect(entries.map(({ text, trigger }: Json) => [text, trigger])).toEqual([
      ['Announcement to 3 contacts: First', 'PLATFORM'],
    ]);
    await db().account.delete({ where: { id: late.id } });
  });

  it('CTC-05 repeated with its key it is sent once, also by many at once; the key is for one text', async () => {
    const made = await Promise.all([1, 2, 3].map(() => announce({ key: 'second', subject: 'Second' })));
    expect(made.map(({ __typename }) => __typename)).toEqual(Array(3).fill('SendAnnouncementSuccess'));
    await finished('second');
    await announce({ key: 'second', subject: 'Second' });
    await server.app.jobs.run();
    expect(await mailed('Second')).toHaveLength(2);
    const reused = { code: 'IDEMPOTENCY_KEY_REUSED', path: ['key'] };
    expect(await announce({ key: 'second', subject: 'Other' })).toMatchObject(reused);
    expect(await announce({ key: 'second', subject: 'Second', text: 'Other' })).toMatchObject(reused);
  });

  it('CTC-05 an account that fails holds up no other and is tried again; of several instances each account is done by one', async () => {
    const { platform } = server.app;
    const more = await Promise.all(Array.from({ length: 5 }, () => TestAccount.create(server)));
    const ordered = await db().account.findMany({ orderBy: { id: 'asc' } });
    const stop = ordered[3]?.name;
    const all = ordered.map(({ name }) => `${name} admin@example.com`).sort();
    const { encrypt } = platform.secrets;
    const broken = vi.spyOn(platform.secrets, 'encrypt').mockImplementation((text) => {
      if (/"(Third|Never)"/.test(text) && text.includes(`"${stop}"`)) throw new Error('Out of order');
      return encrypt.call(platform.secrets, text);
    });
    await announce({ key: 'third', subject: 'Third' });
    await sendAnnouncements(platform);
    expect(await progress('third')).toMatchObject({ accounts: 6, accountsInAll: 7, mails: 6, finishedAt: null });
    expect(await mailed('Third')).toEqual(all.filter((mail) => !mail.startsWith(`${stop} `)));
    server.clock.advance(61_000);
    await sendAnnouncements(platform);
    expect(await progress('third')).toMatchObject({ accounts: 6, finishedAt: null });
    broken.mockRestore();
    server.clock.advance(121_000);
    await Promise.all([1, 2, 3].map(() => sendAnnouncements(platform)));
    expect(await finished('third')).toMatchObject({ accounts: 7, mails: 7 });
    expect(await mailed('Third')).toEqual(all);

    vi.spyOn(platform.secrets, 'encrypt').mockImplementation((text) => {
      if (text.includes('"Never"') && text.includes(`"${stop}"`)) throw new Error('Out of order');
      return encrypt.call(platform.secrets, text);
    });
    await announce({ key: 'never', subject: 'Never' });
    for (let round = 0; round <= 10; round++) {
      expect((await progress('never')).finishedAt).toBeNull();
      await sendAnnouncements(platform);
      server.clock.advance(60_000 * 2 ** round + 1000);
    }
    vi.restoreAllMocks();
    expect(await progress('never')).toMatchObject({ accounts: 6, mails: 6, finishedAt: expect.any(String) });
    expect(await mailed('Never')).toHaveLength(6);
    for (const { id } of more) await db().account.delete({ where: { id } });
  });

  it('CTC-05 interrupted in the middle it goes on where it was', async () => {
    const { platform } = server.app;
    const ordered = await db().account.findMany({ orderBy: { id: 'asc' } });
    const { db: real } = platform;
    await announce({ key: 'fourth', subject: 'Fourth' });
    let looks = 0;
    const findFirst = async (args: never) => {
      looks += 1;
      if (looks === 2) throw new Error('Out of power');
      return real.account.findFirst(args);
    };
    const account = new Proxy(real.account, {
      get: (of, name) => (name === 'findFirst' ? findFirst : Reflect.get(of, name)),
    });
    const failing = new Proxy(real, { get: (of, name) => (name === 'account' ? account : Reflect.get(of, name)) });
    await expect(sendAnnouncements({ ...platform, db: failing })).rejects.toThrow('Out of power');
    expect(await progress('fourth')).toMatchObject({ accounts: 1, accountsInAll: 2, mails: 1, finishedAt: null });
    expect(await mailed('Fourth')).toHaveLength(1);
    await Promise.all([1, 2, 3].map(() => sendAnnouncements(platform)));
    expect(await finished('fourth')).toMatchObject({ accounts: 2, mails: 2 });
    expect(await mailed('Fourth')).toEqual(ordered.map(({ name }) => `${name} admin@example.com`).sort());
  });

  it('CTC-05 a subject is one line, so that nothing gets into the head of a mail', async () => {
    for (const subject of ['', ' ', 'x'.repeat(151), 'a\r\nBcc: all@example.com', 'a\nb', 'a\u2028b', 'a\u0007b'])
      expect(await announce({ key: 'refused', subject }), JSON.stringify(subject)).toMatchObject({
        inputViolations: [{ path: ['subject'] }],
      });
    for (const text of [' \n', 'x'.repeat(10_001), 'a\u0000b', 'a\u001bb'])
      expect(await announce({ key: 'refused', text })).toMatchObject({ code: 'VALIDATION_FAILED' });
    for (const key of ['', 'x'.repeat(65)])
      expect(await announce({ key })).toMatchObject({ inputViolations: [{ path: ['key'] }] });
    expect(await progress('refused')).toBeUndefined();
  });

  it('CTC-05 whoever waits for a code does not wait behind it', async () => {
    const mail = await db().message.findFirstOrThrow({
      where: { template: 'ANNOUNCEMENT' },
      omit: { id: true, charge: true },
    });
    await db().message.createMany({ data: Array(20).fill(mail) });
    const { id } = await db().message.create({
      data: { ...mail, template: 'CODE_BY_MAIL', dueAt: new Date(mail.dueAt.getTime() + 1000) },
    });
    const { startSender } = await import('../../src/messages/sender.ts');
    const sent: string[] = [];
    const transport = { send: async ({ id }: { id: string }) => void sent.push(id), close: () => undefined };
    await db().message.deleteMany({ where: { template: { notIn: ['ANNOUNCEMENT', 'CODE_BY_MAIL'] } } });
    server.clock.advance(2000);
    const sender = startSender(server.app.platform, { MAIL: transport as never, SMS: null });
    await sender.jobs[0]?.run(server.app.platform, server.clock.now());
    await sender.close();
    expect(sent.indexOf(id)).toBeGreaterThanOrEqual(0);
    expect(sent.length).toBeGreaterThan(20);
    expect(sent.indexOf(id)).toBeLessThan(10);
  });

  it('CTC-05 nobody but the operator makes one', async () => {
    for (const api of [account.admin.api, new ApiCaller(server.url, OPERATOR_TOKEN)]) {
      const answer = await api.send('mutation { sendAnnouncement(input: {}) { __typename } }');
      expect(answer.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    }
  });

  it('CTC-05 the command makes one out of a file and shows how far each is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'talkgate-announce-'));
    const file = join(folder, 'text.txt');
    await writeFile(file, 'Dear all,\n\nwe update.\n');
    const command = async (...args: string[]) => {
      let out = '';
      const write = (text: string) => {
        out += `${text}\n`;
      };
      const terminal = { out: write, error: write, readLine: async () => '' };
      const status = await runOperatorCommand(args, { OPERATOR_URL: server.url, OPERATOR_TOKEN }, terminal);
      return { status, out };
    };
    const given = ['--key', 'shell', '--subject', 'Shell', '--text-file', file];
    expect(await command('announce', ...given)).toMatchObject({ status: 0, out: expect.stringContaining('shell') });
    expect((await finished('shell')).text).toBe('Dear all,\n\nwe update.');
    expect((await command('announcements')).out).toMatch(/shell +Shell .* 2 +2 +2$/m);
    expect((await command('announce', '--key', 'x', '--subject', 'y')).status).toBe(2);
    expect((await command('announce', ...given.slice(0, 4), '--text-file', join(folder, 'none'))).status).toBe(2);
    await rm(folder, { recursive: true });
  });
});

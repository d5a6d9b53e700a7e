import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../../device-sim/state.ts';
import { forbidsRemoteAccess } from '../../src/ewons/rules.ts';
import { identifyDevice } from '../../src/gateway/identity.ts';
import { remoteAccessForbidden } from '../../src/gateway/protocol.ts';
import { Tunnels } from '../../src/gateway/tunnels.ts';
import { createLogger } from '../../src/logger.ts';
import { renderMessage } from '../../src/messages/render.ts';
import { eventually, type Json } from '../support/client.ts';
import { type RawEwon, rawEwon, request } from '../support/device-requests.ts';
import { messagesTo } from '../support/messages.ts';
import { credentialsOf, RawTunnel } from '../support/raw-tunnel.ts';
import type { TestServer } from '../support/server.ts';
import { change } from '../support/users.ts';
import { ADMIN_PASSWORD, openSession, startWorld, TestAccount, USER_PASSWORD } from '../support/world.ts';

const EWON = `query ($id: ID!) { ewon(by: { id: $id }) {
  name status model firmwareVersion serialNumber lan { address } wanType wanAddress geolocationEnabled
  digitalInput digitalInputPolicy remoteAccessForbidden sessions(first: 5) { nodes { state closeReason } }
} }`;

let server: TestServer;
let account: TestAccount;
const logLines: string[] = [];

beforeAll(async () => {
  ({ server, account } = await startWorld({
    env: { DEVICE_MESSAGES_PER_HOUR: '12', LOGIN_LOCK_ATTEMPTS: '3', SMS_INCLUDED_PRO: '1', SMS_PRICE_CENTS: '20' },
    log: createLogger('trace', { write: (line) => void logLines.push(line) }),
  }));
});
afterAll(() => server.close());

const ewonOf = async (id: string): Promise<Json> => (await account.admin.api.run(EWON, { id })).ewon;
const logOf = async (name: string, of = account): Promise<Json[]> =>
  (await of.log({}, 300)).filter(({ ewonName }) => ewonName === name);
const codesOf = async (name: string): Promise<string[]> =>
  (await logOf(name)).map(({ code }) => code as string).filter((code) => /REMOTE|O[NF]+LINE/.test(code));

describe('what a device tells', () => {
  it('GW-06 every fact that it reports can be read, with hello and when it changes', async () => {
    const ewon = await rawEwon(account);
    expect(await ewonOf(ewon.id)).toMatchObject({
      ...{ geolocationEnabled: null, digitalInput: null, digitalInputPolicy: null, remoteAccessForbidden: false },
    });
    const facts = {
      ...{ model: 'FLEXY', firmwareVersion: '14.2s0', lanAddress: '10.9.0.53/24', wanType: 'CELLULAR' },
      ...{ wanAddress: '100.72.4.18/16', geolocationEnabled: true, digitalInput: false },
    };
    const tunnel = await ewon.open({ ...facts, digitalInputPolicy: 'ON_DISABLES' });
    const { lanAddress, ...read } = facts;
    expect(await ewonOf(ewon.id)).toMatchObject({
      ...{ ...read, serialNumber: ewon.device.serialNumber, lan: { address: lanAddress }, status: 'ONLINE' },
      ...{ digitalInputPolicy: 'ON_DISABLES', remoteAccessForbidden: false },
    });
    await tunnel.send({ type: 'report', digitalInput: true, digitalInputPolicy: 'IGNORE', geolocationEnabled: false });
    await eventually(
      'the report',
      () => ewonOf(ewon.id),
      ({ digitalInput, digitalInputPolicy, geolocationEnabled, firmwareVersion }) =>
        digitalInput && digitalInputPolicy === 'IGNORE' && !geolocationEnabled && firmwareVersion === '14.2s0',
    );
    tunnel.close();
  });
});

describe('the switch on the digital input', () => {
  it('GW-07 the three policies, the same for device and platform', () => {
    const table = [
      ['IGNORE', false, false],
      ['IGNORE', true, false],
      ['ON_ENABLES', false, true],
      ['ON_ENABLES', true, false],
      ['ON_DISABLES', false, false],
      ['ON_DISABLES', true, true],
    ] as const;
    for (const [digitalInputPolicy, digitalInput, forbidden] of table) {
      expect(forbidsRemoteAccess({ digitalInput, digitalInputPolicy })).toBe(forbidden);
      expect(remoteAccessForbidden({ digitalInput, digitalInputPolicy })).toBe(forbidden);
    }
    expect(forbidsRemoteAccess({ digitalInput: null, digitalInputPolicy: null })).toBe(false);
  });

  it('GW-07 a report that forbids remote access closes the tunnel and its sessions; what it told is known, and logged once', async () => {
    const ewon = await rawEwon(account, { name: 'Switched' });
    const tunnel = await ewon.open({ digitalInput: false, digitalInputPolicy: 'ON_DISABLES' });
    await openSession(account.admin, ewon.id, { client: 'M2WEB' });
    await tunnel.send({ type: 'report', digitalInput: true, firmwareVersion: '15.0s1' });
    expect(await tunnel.ended).toMatchObject({ code: 4425, reason: 'REMOTE_ACCESS_DISABLED' });
    await eventually(
      'offline',
      () => ewonOf(ewon.id),
      ({ status }) => status === 'OFFLINE',
    );
    expect(await ewonOf(ewon.id)).toMatchObject({
      ...{ digitalInput: true, remoteAccessForbidden: true, firmwareVersion: '15.0s1' },
      sessions: { nodes: [{ state: 'CLOSED', closeReason: 'EWON_OFFLINE' }] },
    });

    // It tries all the same: refused without a welcome, and what it tells is kept.
    for (const firmwareVersion of ['15.0s2', '15.0s3']) {
      const again = await ewon.open({ digitalInput: true, digitalInputPolicy: 'ON_DISABLES', firmwareVersion });
      expect(await again.ended).toMatchObject({ code: 4425, reason: 'REMOTE_ACCESS_DISABLED' });
      expect(again.messages).toEqual([]);
      expect(await ewonOf(ewon.id)).toMatchObject({ status: 'OFFLINE', firmwareVersion });
    }

    const allowed = await ewon.open({ digitalInput: false, digitalInputPolicy: 'ON_DISABLES' });
    expect(allowed.messages[0]).toMatchObject({ type: 'welcome' });
    expect(await ewonOf(ewon.id)).toMatchObject({ status: 'ONLINE', remoteAccessForbidden: false });
    expect((await codesOf('Switched')).reverse()).toEqual([
      ...['EWON_ONLINE', 'EWON_REMOTE_ACCESS_DISABLED', 'EWON_OFFLINE'],
      ...['EWON_REMOTE_ACCESS_ENABLED', 'EWON_ONLINE'],
    ]);
    allowed.close();
  });

  it('GW-07 a forbidden hello ends the tunnel that stands, and is known of an Ewon that was never online', async () => {
    const ewon = await rawEwon(account, { name: 'Twice' });
    const refused = await ewon.open({ digitalInput: false, digitalInputPolicy: 'ON_ENABLES' });
    expect(await refused.ended).toMatchObject({ code: 4425 });
    expect(await ewonOf(ewon.id)).toMatchObject({
      status: 'OFFLINE',
      remoteAccessForbidden: true,
      digitalInput: false,
    });
    const standing = await ewon.open({ digitalInput: true, digitalInputPolicy: 'ON_ENABLES' });
    expect(standing.messages[0]).toMatchObject({ type: 'welcome' });
    const second = await ewon.open({ digitalInput: false, digitalInputPolicy: 'ON_ENABLES' });
    expect(await Promise.all([standing.ended, second.ended])).toMatchObject([{ code: 4425 }, { code: 4425 }]);
    expect(await ewonOf(ewon.id)).toMatchObject({ status: 'OFFLINE', remoteAccessForbidden: true });
    expect((await codesOf('Twice')).reverse()).toEqual([
      ...['EWON_REMOTE_ACCESS_DISABLED', 'EWON_REMOTE_ACCESS_ENABLED', 'EWON_ONLINE'],
      ...['EWON_REMOTE_ACCESS_DISABLED', 'EWON_OFFLINE'],
    ]);
  });

  it('GW-07 a forbidden hello ends the tunnel that another gateway holds', async () => {
    const { platform } = server.app;
    const ewon = await rawEwon(account);
    const { certificate } = await ewon.credentials();
    const elsewhere = new Tunnels(platform, 'wss://other.example');
    await elsewhere.start();
    try {
      const identity = await identifyDevice(platform, new X509Certificate(certificate).raw);
      if (typeof identity === 'string') throw new Error(identity);
      const said: string[] = [];
      const standing = elsewhere.add(identity, {
        bufferedAmount: 0,
        send: (data) => void said.push(JSON.parse(data).type),
        close: (_code, reason) => void said.push(reason),
        terminate: () => undefined,
      });
      standing.receive(JSON.stringify({ type: 'hello', ...ewon.device.facts }));
      const says = (what: string) =>
        eventually(
          what,
          () => said,
          (words) => words.includes(what),
        );
      await says('welcome');
      const refused = await ewon.open({ digitalInput: true, digitalInputPolicy: 'ON_DISABLES' });
      expect(await refused.ended).toMatchObject({ code: 4425 });
      expect(await ewonOf(ewon.id)).toMatchObject({ status: 'OFFLINE', remoteAccessForbidden: true });
      await says('SERVICE_RESTART');
    } finally {
      await elsewhere.close();
    }
  });

  it('GW-07 a device that waits for approval is told so once it is approved', async () => {
    const stateStore = memoryStore();
    const device = await account.device({}, { stateStore });
    await device.register({ registrationKey: await account.registrationKey() });
    const tunnel = new RawTunnel(server, await credentialsOf(stateStore, device.serialNumber));
    await tunnel.hello({ ...device.facts, digitalInput: true, digitalInputPolicy: 'ON_DISABLES' });
    await eventually(
      'waiting',
      () => tunnel.messages,
      ([first]) => first?.type === 'waiting',
    );
    const id = await account.ewonId(device);
    await account.admin.api.succeed(
      'mutation ($id: ID!) { approveEwon(input: { ewonId: $id }) { __typename ... on Error { code message } } }',
      { id },
    );
    expect(await tunnel.ended).toMatchObject({ code: 4425 });
    expect(await ewonOf(id)).toMatchObject({ status: 'OFFLINE', remoteAccessForbidden: true });
  });
});

const mail = (more: object = {}) => ({
  ...{ type: 'sendMail', username: 'mailer', password: USER_PASSWORD, to: 'boss@example.com' },
  ...{ subject: 'Level high', text: 'Tank 3\nis full.', ...more },
});
const sms = (more: object = {}) => ({
  ...{ type: 'sendSms', username: 'texter', password: USER_PASSWORD, to: '+32 470 12 34 56', text: 'Tank 3 is full.' },
  ...more,
});
const refusal = (code: string) => ({ type: 'refused', code, id: expect.any(String), message: expect.any(String) });
const messages = (where: object = {}) =>
  server.app.platform.db.message.count({ where: { template: { in: ['DEVICE_MAIL', 'DEVICE_SMS'] }, ...where } });
const usage = async (of = account) => server.app.platform.db.usage.findFirst({ where: { accountId: of.id } });

describe('mail and text messages of a device', () => {
  let ewon: RawEwon;
  let tunnel: RawTunnel;
  beforeAll(async () => {
    const [mailers, texters] = [
      await account.group('Mailers', [], { mailSender: true }),
      await account.group('Texters', [], { smsSender: true }),
    ];
    await account.user('mailer', [mailers]);
    await account.user('texter', [texters]);
    ewon = await rawEwon(account, { name: 'Tank' });
    tunnel = await ewon.open();
  });
  const another = async (name: string): Promise<RawTunnel> => (await rawEwon(account, { name })).open();

  it('GW-13 GRP-12 sends a mail under a login whose group has the role, counted and logged', async () => {
    expect(await request(tunnel, mail({ id: 'first' }))).toEqual({ type: 'accepted', of: 'sendMail', id: 'first' });
    const [queued] = await messagesTo(server, 'boss@example.com', 'DEVICE_MAIL');
    const { subject, text } = renderMessage('MAIL', 'DEVICE_MAIL', { ...queued?.params });
    expect(subject).toBe('Level high');
    expect(text).toContain('Tank 3\nis full.\n\nSent by the Ewon Tank of the account');
    expect((await usage())?.mails).toBe(1);
    const [entry] = await logOf('Tank');
    expect(entry).toMatchObject({ code: 'EWON_MESSAGE_SENT', userName: 'mailer', trigger: 'EWON' });
    expect(entry?.text).toMatch(/^Ewon Tank sent a message \(MAIL\) to b.*@example.com under the login of mailer$/);
    // No login was made.
    expect(await server.app.platform.db.login.count({ where: { user: { username: 'mailer' } } })).toBe(1);
    expect(
      (
        await account.admin.api.run(
          '{ account { messages(first: 1) { nodes { template recipient user { username } } } } }',
        )
      ).account.messages.nodes,
    ).toEqual([
      { template: 'DEVICE_MAIL', recipient: expect.stringContaining('@example.com'), user: { username: 'mailer' } },
    ]);
  });

  it('GW-13 what is sent again after a lost answer is sent once, also over another tunnel', async () => {
    const before = await messages();
    const lost = mail({ id: 'lost', text: 'once' });
    expect((await request(tunnel, lost)).type).toBe('accepted');
    expect((await request(tunnel, lost)).type).toBe('accepted');
    tunnel.close();
    tunnel = await ewon.open();
    expect((await request(tunnel, lost)).type).toBe('accepted');
    expect(await messages()).toBe(before + 1);
    expect((await usage())?.mails).toBe(2);
    // A device that counts from the beginning again loses no other message.
    expect((await request(tunnel, mail({ id: 'lost', text: 'another' }))).type).toBe('accepted');
    expect(await messages()).toBe(before + 2);
  });

  it('GW-13 WAK-07 a text message is charged, and refused when nothing covers it', async () => {
    const device = await another('Texting');
    expect(await request(device, sms())).toMatchObject({ type: 'accepted', of: 'sendSms' });
    const [queued] = await messagesTo(server, '+32470123456', 'DEVICE_SMS');
    expect(renderMessage('SMS', 'DEVICE_SMS', { ...queued?.params }).text).toBe('Tank 3 is full.');
    expect((await usage())?.sms).toBe(1);
    const before = await messages();
    expect(await request(device, sms({ text: 'too much' }))).toMatchObject(refusal('INSUFFICIENT_CREDIT'));
    expect(await messages()).toBe(before);
    expect((await usage())?.sms).toBe(1);
    expect((await logOf('Texting'))[0]).toMatchObject({
      code: 'EWON_MESSAGE_REFUSED',
      text: 'A message (SMS) of Ewon Texting was refused: INSUFFICIENT_CREDIT',
    });
    expect(await request(device, sms({ to: '12' }))).toMatchObject(refusal('INVALID_PHONE_NUMBER'));
    device.close();
  });

  it('GW-13 GRP-12 is refused without the role for just this, and to who may not log in', async () => {
    const device = await another('Refused');
    const before = await messages();
    await account.user('gone', [await account.group('Gone', [], { mailSender: true, smsSender: true })]);
    expect(await request(device, mail({ username: 'texter' }))).toMatchObject(refusal('MAIL_SENDER_REQUIRED'));
    expect(await request(device, sms({ username: 'mailer' }))).toMatchObject(refusal('SMS_SENDER_REQUIRED'));
    // Administrators have no operational role by being Administrators.
    const admin = { username: 'admin', password: ADMIN_PASSWORD };
    expect(await request(device, mail(admin))).toMatchObject(refusal('MAIL_SENDER_REQUIRED'));
    const { nodes } = (await account.admin.api.run('{ users { nodes { id username } } }')).users;
    const userId = nodes.find(({ username }: Json) => username === 'gone').id;
    await change(account.admin, 'forcePasswordChange', { userId });
    expect(await request(device, mail({ username: 'gone' }))).toMatchObject(refusal('PASSWORD_CHANGE_REQUIRED'));
    await change(account.admin, 'disableUser', { userId, confirm: true });
    expect(await request(device, mail({ username: 'gone' }))).toMatchObject(refusal('INVALID_CREDENTIALS'));
    expect(await request(device, mail({ username: 'nobody' }))).toMatchObject(refusal('INVALID_CREDENTIALS'));
    expect(await messages()).toBe(before);
    device.close();
  });

  it('GW-13 AUTH-07 a wrong password counts as a failed login and locks it in the end', async () => {
    const device = await another('Guessing');
    await account.user('locked', [await account.group('Locked', [], { mailSender: true })]);
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await request(device, mail({ username: 'locked', password: `wrong-${attempt}-secret` }))).toMatchObject(
        refusal('INVALID_CREDENTIALS'),
      );
    expect(await request(device, mail({ username: 'locked' }))).toMatchObject(refusal('INVALID_CREDENTIALS'));
    expect((await account.log({ codes: ['LOGIN_LOCKED'] }))[0]).toMatchObject({ userName: 'locked' });
    device.close();
    // Passwords are nowhere.
    const { db } = server.app.platform;
    const kept = JSON.stringify([await db.logEntry.findMany(), await db.message.findMany(), logLines], (_key, value) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(kept).not.toContain('-secret');
    expect(kept).not.toContain(USER_PASSWORD);
  });

  it('GW-13 an Ewon sends so many an hour; what is too much is refused each time and logged once', async () => {
    const device = await another('Chatty');
    const answers = [];
    for (let count = 0; count < 15; count++) answers.push(await request(device, mail({ text: `message ${count}` })));
    expect(answers.filter(({ type }) => type === 'accepted')).toHaveLength(12);
    expect(answers.slice(12)).toMatchObject(Array(3).fill(refusal('DEVICE_MESSAGES_EXHAUSTED')));
    expect((await logOf('Chatty')).filter(({ code }) => code === 'EWON_MESSAGE_REFUSED')).toHaveLength(1);
    // Data is not limited with them, nor is another Ewon.
    const point = { tag: 'level', at: server.clock.now().toISOString(), value: 1 };
    expect((await request(device, { type: 'data', points: [point] })).type).toBe('accepted');
    const other = await another('Quiet');
    expect((await request(other, mail({ text: 'quiet' }))).type).toBe('accepted');
    device.close();
    other.close();
  });

  it('GW-13 the login is of the account of the Ewon; without groups it is an Administrator', async () => {
    const free = await TestAccount.create(server, 'FREE');
    await free.user('mailer');
    const device = await (await rawEwon(free, { name: 'Elsewhere' })).open();
    expect(await request(device, mail())).toMatchObject(refusal('MAIL_SENDER_REQUIRED'));
    expect(await request(device, mail({ username: 'texter' }))).toMatchObject(refusal('INVALID_CREDENTIALS'));
    const admin = { username: 'admin', password: ADMIN_PASSWORD };
    expect(await request(device, mail(admin))).toMatchObject({ type: 'accepted' });
    expect((await usage(free))?.mails).toBe(1);
    device.close();
  });
});

describe('requests', () => {
  const point = (tag: string) => ({ tag, at: server.clock.now().toISOString(), value: 1 });

  it('GW-13 GW-14 are refused to a device that waits for approval', async () => {
    const stateStore = memoryStore();
    const device = await account.device({}, { stateStore });
    await device.register({ registrationKey: await account.registrationKey() });
    const tunnel = new RawTunnel(server, await credentialsOf(stateStore, device.serialNumber));
    await tunnel.hello(device.facts);
    await eventually(
      'waiting',
      () => tunnel.messages,
      ([first]) => first?.type === 'waiting',
    );
    expect(await request(tunnel, { type: 'data', points: [point('early')] })).toMatchObject(
      refusal('EWON_NOT_APPROVED'),
    );
    expect(await request(tunnel, mail())).toMatchObject(refusal('EWON_NOT_APPROVED'));
    expect(await server.app.platform.db.dataPoint.count({ where: { tag: 'early' } })).toBe(0);
    tunnel.close();
  });

  it('GW-08 GW-14 wait in a line of bounded length, and keep-alives pass them', async () => {
    const tunnel = await (await rawEwon(account, { name: 'Flood' })).open();
    for (let index = 0; index < 20; index++)
      await tunnel.send({ type: 'data', id: `flood-${index}`, points: [point(`flood-${index}`)] });
    await tunnel.send({ type: 'keepAlive' });
    await eventually(
      'all answers',
      () => tunnel.messages.filter(({ of }) => of === 'data').length,
      (count) => count === 20,
    );
    const answers = tunnel.messages.filter(({ of }) => of === 'data');
    const accepted = answers.filter(({ type }) => type === 'accepted').map(({ id }) => id);
    expect(answers.filter(({ code }) => code === 'TOO_MANY_REQUESTS').length).toBe(20 - accepted.length);
    expect(accepted.length).toBeGreaterThanOrEqual(8);
    expect(accepted.length).toBeLessThan(20);
    // In order, and each accepted one is there.
    const stored = await server.app.platform.db.dataPoint.findMany({
      where: { tag: { startsWith: 'flood-' } },
      orderBy: { number: 'asc' },
    });
    expect(stored.map(({ tag }) => tag)).toEqual(accepted);
    const types = tunnel.messages.map(({ type }) => type);
    expect(types.indexOf('keepAlive')).toBeGreaterThan(0);
    expect(types.indexOf('keepAlive')).toBeLessThan(types.lastIndexOf('accepted'));
    tunnel.close();
  });

  it('GW-14 what does not follow the protocol closes the tunnel', async () => {
    const ewon = await rawEwon(account);
    for (const message of [
      { type: 'data', points: [] },
      { type: 'data', points: [{ ...point('x'), value: 'high' }] },
      { type: 'data', points: [{ ...point('x'), at: 'yesterday' }] },
      { type: 'data', points: Array.from({ length: 101 }, () => point('x')) },
      mail({ to: 'nobody' }),
      sms({ text: '' }),
    ]) {
      const tunnel = await ewon.open();
      await tunnel.send({ id: 'x', ...message });
      expect(await tunnel.ended, JSON.stringify(message).slice(0, 60)).toMatchObject({ code: 4400 });
    }
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeCursor } from '../../src/log/cursor.ts';
import { renderMessage } from '../../src/messages/render.ts';
import { eventually, type Json } from '../support/client.ts';
import { messagesTo } from '../support/messages.ts';
import type { TestServer } from '../support/server.ts';
import {
  ADMIN_PASSWORD,
  logIn,
  openSession,
  type Person,
  startWorld,
  TestAccount,
  type TestEwon,
} from '../support/world.ts';

const OPERATOR_TOKEN = 'operator-token-0123456789-abcdefghij';
const EWON = 'ewon { id status connectionMode wakeUpNumber wakingUntil }';
const ERRORS = `... on Error { code message path } ... on ValidationError { inputViolations { path } }`;
const capital = (verb: string) => `${verb[0]?.toUpperCase()}${verb.slice(1)}`;
type Verb = 'wakeUpEwon' | 'sendEwonOffline' | 'updateEwon' | 'createEwon';
const act = (who: Person, verb: Verb, input: object): Promise<Json> =>
  who.api.mutate(
    `mutation ($input: ${capital(verb)}Input!) { ${verb}(input: $input) { __typename ... on ${capital(verb)}Success { ${EWON} }
      ${ERRORS} ${verb === 'wakeUpEwon' ? '... on TooManyRequestsError { retryAfter }' : ''} } }`,
    { input },
  );
const wake = (who: Person, ewonId: string) => act(who, 'wakeUpEwon', { ewonId });
const sendOffline = (who: Person, ewonId: string) => act(who, 'sendEwonOffline', { ewonId });

let server: TestServer;
let account: TestAccount;
let admin: Person;
let poolId: string;
const people = {} as Record<'modify' | 'connectEcatcher' | 'connectM2web' | 'outsider', Person>;
const devices: TestEwon['device'][] = [];

beforeAll(async () => {
  ({ server, account } = await startWorld({
    env: {
      OPERATOR_TOKEN,
      SMS_INCLUDED_PRO: '1000',
      SMS_INCLUDED_LIGHT: '2',
      SMS_PRICE_CENTS: '15',
      PLAN_FEE_CENTS_LIGHT: '100',
    },
  }));
  admin = account.admin;
  poolId = await account.pool('Field');
  const elsewhere = await account.pool('Elsewhere');
  for (const right of ['modify', 'connectEcatcher', 'connectM2web'] as const)
    people[right] = await account.user(right, [await account.group(right, [{ poolId, [right]: true }])]);
  people.outsider = await account.user('outsider', [
    await account.group('outsiders', [{ poolId: elsewhere, connectEcatcher: true }]),
  ]);
});
afterEach(async () => {
  for (const device of devices.splice(0)) await device.disconnect();
});
afterAll(() => server.close());

let numbers = 0;
/** An Ewon on demand, offline, with a number of its own. */
async function onDemand(name: string, of = account, facts = {}): Promise<TestEwon & { number: string }> {
  numbers += 1;
  const number = `+3247012${3400 + numbers}`;
  const reach = { connectionMode: 'ON_DEMAND', wakeUpNumber: number };
  const ewon = await of.ewon({ name, ...reach, ...(of === account && { poolIds: [poolId] }) }, facts);
  devices.push(ewon.device);
  return { ...ewon, number };
}
const see = async (who: Person, id: string): Promise<Json> =>
  (
    await who.api.run(`query ($id: ID!) { ewon(by: { id: $id }) { status connectionMode wakeUpNumber wakingUntil } }`, {
      id,
    })
  ).ewon;
const status = async (id: string): Promise<string> => (await see(admin, id)).status;
/** What was sent to a number, oldest first. */
const texts = async (number: string): Promise<string[]> =>
  (await messagesTo(server, number, 'WAKE_UP'))
    .map(({ channel, template, params }) => `${channel} ${renderMessage(channel, template, params).text}`)
    .reverse();
const logged = async (ewonId: string, of = account): Promise<string[]> =>
  (await of.log({ ewonIds: [ewonId] })).map(({ code }) => code);
const later = async (seconds: number): Promise<void> => {
  server.clock.advance(seconds * 1000);
  await server.app.jobs.run();
};

describe('connection mode', () => {
  it('WAK-03 is PERMANENT or ON_DEMAND with a number in E.164, and PERMANENT Ewons are neither woken nor sent offline', async () => {
    const ewon = await account.ewon({ name: 'Always', poolIds: [poolId] });
    const update = (properties: object) => act(admin, 'updateEwon', { ewonId: ewon.id, properties });
    expect(await see(admin, ewon.id)).toMatchObject({ connectionMode: 'PERMANENT', wakeUpNumber: null });
    const permanent = { code: 'WAKE_UP_NOT_CONFIGURED' };
    expect(await wake(admin, ewon.id)).toMatchObject(permanent);

    const needed = { code: 'VALIDATION_FAILED', path: ['properties', 'wakeUpNumber'] };
    expect(await update({ connectionMode: 'ON_DEMAND' })).toMatchObject(needed);
    for (const wakeUpNumber of ['', '0470 12 34 56', '+32', 'Boiler', '+9991234567'])
      expect(await update({ connectionMode: 'ON_DEMAND', wakeUpNumber }), wakeUpNumber).toMatchObject({
        ...{ code: 'INVALID_PHONE_NUMBER', path: ['properties', 'wakeUpNumber'] },
      });
    expect(await see(admin, ewon.id)).toMatchObject({ connectionMode: 'PERMANENT', wakeUpNumber: null });
    const set = await update({ connectionMode: 'ON_DEMAND', wakeUpNumber: '+32 (0)470/12.34.56' });
    expect(set.ewon).toMatchObject({ connectionMode: 'ON_DEMAND', wakeUpNumber: '+32470123456' });
    expect(await update({ wakeUpNumber: null })).toMatchObject(needed);
    expect((await update({ description: 'Spare' })).ewon).toMatchObject({ connectionMode: 'ON_DEMAND' });

    // A number may stay where it is not needed; an Ewon that is online and permanent is not woken either.
    expect((await update({ connectionMode: null })).ewon).toMatchObject({
      ...{ connectionMode: 'PERMANENT', wakeUpNumber: '+32470123456' },
    });
    expect(await wake(admin, ewon.id)).toMatchObject(permanent);
    expect(await sendOffline(admin, ewon.id)).toMatchObject(permanent);
    expect((await update({ wakeUpNumber: null })).ewon.wakeUpNumber).toBeNull();
    await ewon.device.connect();
    expect(await wake(admin, ewon.id)).toMatchObject(permanent);
    expect(await sendOffline(admin, ewon.id)).toMatchObject(permanent);
    expect(await status(ewon.id)).toBe('ONLINE');
    await ewon.device.disconnect();

    const reach = { connectionMode: 'ON_DEMAND', wakeUpNumber: '+32470123457' };
    const create = (name: string, more: object) =>
      act(admin, 'createEwon', { name, properties: { poolIds: [poolId], ...more } });
    expect(await create('Without', { connectionMode: 'ON_DEMAND' })).toMatchObject(needed);
    const created = (await create('Pending', reach)).ewon;
    expect(created).toMatchObject(reach);
    expect(await wake(admin, created.id)).toMatchObject({ code: 'EWON_NOT_APPROVED' });
    expect(await wake(people.connectEcatcher, created.id)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('WAK-03 the number is shown to whoever may modify the Ewon', async () => {
    const { id, number } = await onDemand('Secret number');
    expect((await see(people.modify, id)).wakeUpNumber).toBe(number);
    expect(await see(people.connectEcatcher, id)).toMatchObject({ connectionMode: 'ON_DEMAND', wakeUpNumber: null });
    expect((await see(people.connectM2web, id)).wakeUpNumber).toBeNull();
    expect(
      await act(people.connectEcatcher, 'updateEwon', { ewonId: id, properties: { wakeUpNumber: number } }),
    ).toMatchObject({
      code: 'FORBIDDEN',
    });
  });
});

describe('a wake-up', () => {
  it('WAK-01 WAK-02 WAK-06 sends one SMS that names the Ewon, and it is WAKING_UP until its device connects', async () => {
    const { id, number, device } = await onDemand('Pump');
    const { reference } = (await admin.api.run(`{ ewon(by: { id: "${id}" }) { reference } }`)).ewon;
    const before = server.clock.now().getTime();
    const { ewon } = await wake(people.connectEcatcher, id);
    expect(ewon).toMatchObject({ status: 'WAKING_UP', wakingUntil: expect.any(String) });
    const givenMs = Date.parse(ewon.wakingUntil) - before;
    expect(givenMs).toBeGreaterThanOrEqual(300_000);
    expect(givenMs).toBeLessThan(310_000);
    expect(await texts(number)).toEqual([`SMS TALKGATE WAKE UP ${reference}`]);
    const filtered = async (value: string) =>
      (await admin.api.run(`{ ewons(filter: { status: ${value}, search: "Pump" }) { nodes { id } } }`)).ewons.nodes;
    expect(await filtered('WAKING_UP')).toEqual([{ id }]);
    expect(await filtered('OFFLINE')).toEqual([]);
    expect((await account.log({ codes: ['EWON_WAKING_UP'] }))[0]).toMatchObject({
      ...{ text: 'Ewon Pump is being woken up', userName: 'connectEcatcher', ewonName: 'Pump', category: 'EWON' },
    });
    const told = [];
    const stream = people.connectEcatcher.api.socket().iterate<Json>({
      query: `subscription ($after: Cursor) { connectionEvents(after: $after) { events { __typename ... on ConnectionEventFacts { ewonName } } } }`,
      variables: { after: encodeCursor(account.id, 0n) },
    });
    for await (const { data } of stream) {
      told.push(...data.connectionEvents.events);
      if (told.length > 0) break;
    }
    expect(told).toContainEqual({ __typename: 'EwonWakingUp', ewonName: 'Pump' });

    await device.connect();
    expect(await see(admin, id)).toMatchObject({ status: 'ONLINE', wakingUntil: null });
    expect(await filtered('ONLINE')).toEqual([{ id }]);
    await device.disconnect();
    await eventually(
      'offline',
      () => status(id),
      (now) => now === 'OFFLINE',
    );
    // Nor does the time that it was given count any more.
    await later(301);
    expect(await logged(id)).not.toContain('EWON_WAKE_UP_FAILED');
  });

  it('WAK-06 without an answer the Ewon is OFFLINE again after five minutes, with one warning', async () => {
    const { id } = await onDemand('Deaf');
    await wake(admin, id);
    await later(200);
    // A second wake-up gives it time anew.
    expect((await wake(admin, id)).ewon.status).toBe('WAKING_UP');
    await later(299);
    expect(await status(id)).toBe('WAKING_UP');
    expect(await logged(id)).not.toContain('EWON_WAKE_UP_FAILED');
    server.clock.advance(2000);
    expect(await see(admin, id)).toMatchObject({ status: 'OFFLINE', wakingUntil: null });
    await Promise.all([server.app.jobs.run(), server.app.jobs.run()]);
    const failed = (await account.log({ codes: ['EWON_WAKE_UP_FAILED'], ewonIds: [id] })).map(
      ({ text, severity, trigger }) => ({ text, severity, trigger }),
    );
    expect(failed).toEqual([
      { text: 'Ewon Deaf did not connect within 300 seconds of its wake-up', severity: 'WARNING', trigger: 'PLATFORM' },
    ]);
  });

  it('WAK-06 WAK-07 of an Ewon that is online succeeds without effect and without cost', async () => {
    const { id, number, device } = await onDemand('Awake');
    await device.connect();
    const sms = await server.app.platform.db.usage.findMany();
    for (let time = 0; time < 2; time++)
      expect((await wake(admin, id)).ewon).toMatchObject({ status: 'ONLINE', wakingUntil: null });
    expect(await texts(number)).toEqual([]);
    expect(await logged(id)).not.toContain('EWON_WAKING_UP');
    expect(await server.app.platform.db.usage.findMany()).toEqual(sms);
  });

  it('WAK-08 is sent at most once a minute, also when it is asked for twice at once', async () => {
    const { id, number } = await onDemand('Sleepy');
    const both = await Promise.all([wake(admin, id), wake(people.modify, id)]);
    expect(both.map((result) => result.code ?? 'done').sort()).toEqual(['TOO_MANY_REQUESTS', 'done']);
    const refused = both.find(({ code }) => code);
    expect(refused.retryAfter).toBeGreaterThan(50);
    expect(refused.retryAfter).toBeLessThanOrEqual(60);
    server.clock.advance(refused.retryAfter * 1000 - 5000);
    expect((await wake(admin, id)).retryAfter).toBeLessThanOrEqual(5);
    expect(await texts(number)).toHaveLength(1);
    server.clock.advance(5000);
    expect((await wake(admin, id)).ewon.status).toBe('WAKING_UP');
    expect(await texts(number)).toHaveLength(2);
  });

  it('WAK-05 needs the right to connect, by either client, or to modify; so does sending offline', async () => {
    const { id } = await onDemand('Rights');
    for (const who of ['modify', 'connectEcatcher', 'connectM2web'] as const) {
      expect((await wake(people[who], id)).ewon?.status, who).toBe('WAKING_UP');
      expect((await sendOffline(people[who], id)).ewon?.status, who).toBe('WAKING_UP');
      server.clock.advance(61_000);
    }
    expect(await wake(people.outsider, id)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await sendOffline(people.outsider, id)).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('WAK-03 GW-07 is refused while the digital input forbids remote access, at no cost', async () => {
    const facts = { digitalInput: false, digitalInputPolicy: 'ON_DISABLES' };
    const { id, number, device } = await onDemand('Locked', account, facts);
    await device.connect();
    device.setDigitalInput(true);
    await eventually(
      'offline',
      () => status(id),
      (now) => now === 'OFFLINE',
    );
    expect(await wake(admin, id)).toMatchObject({ code: 'REMOTE_ACCESS_DISABLED' });
    expect(await texts(number)).toEqual([]);
    expect(await status(id)).toBe('OFFLINE');
  });
});

describe('sending offline', () => {
  it('WAK-04 closes the tunnel with SENT_OFFLINE and its sessions; the device stays away until it is woken', async () => {
    const { id, device } = await onDemand('Cellular');
    await device.connect();
    const { session } = await openSession(people.connectEcatcher, id);
    const results = await Promise.all([sendOffline(people.connectM2web, id), sendOffline(admin, id)]);
    expect(results.map(({ __typename }) => __typename)).toEqual(['SendEwonOfflineSuccess', 'SendEwonOfflineSuccess']);
    await eventually(
      'offline',
      () => status(id),
      (now) => now === 'OFFLINE',
    );
    await eventually(
      'closed',
      async () => device.tunnelState,
      (state) => state === 'closed',
    );
    expect(device.lastClose).toMatchObject({ reason: 'SENT_OFFLINE' });
    const closed = (await admin.api.run(`{ node(id: "${session.id}") { ... on Session { state closeReason } } }`)).node;
    expect(closed).toEqual({ state: 'CLOSED', closeReason: 'EWON_OFFLINE' });
    const log = await account.log({ ewonIds: [id] });
    expect(log.filter(({ code }) => code === 'EWON_SENT_OFFLINE').map(({ text }) => text)).toEqual([
      expect.stringMatching(/^Ewon Cellular sent offline by (connectM2web|admin)$/),
    ]);
    expect(log.find(({ code }) => code === 'EWON_OFFLINE')?.text).toBe('Ewon Cellular offline: SENT_OFFLINE');
    // Once more changes nothing.
    expect((await sendOffline(admin, id)).ewon.status).toBe('OFFLINE');
    expect((await logged(id)).filter((code) => code === 'EWON_SENT_OFFLINE')).toHaveLength(1);

    // Woken, it stays: the order was for the tunnel that is gone.
    expect((await wake(admin, id)).ewon.status).toBe('WAKING_UP');
    await device.connect();
    server.app.platform.bell.ring('ewons');
    const opened = await openSession(people.connectEcatcher, id);
    expect(opened.session?.state).toBe('OPEN');
    expect(await status(id)).toBe('CONNECTED');
    expect(device.tunnelState).toBe('online');
  });
});

/** Runs a document of the operator. */
async function operator(query: string, variables: object): Promise<Json> {
  const response = await fetch(`${server.url}/operator`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as Json;
  if (errors) throw new Error(JSON.stringify(errors));
  return Object.values(data)[0];
}
const addCredit = (input: object): Promise<Json> =>
  operator(
    `mutation ($input: AddCreditInput!) { addCredit(input: $input) { __typename ... on AddCreditSuccess { account { creditCents } } ${ERRORS} } }`,
    { input },
  );

describe('what it costs', () => {
  it('WAK-07 BIL-15 each wake-up is one SMS of the month’s allowance, then of the credit; without both it is refused and nothing is done', async () => {
    const poor = await TestAccount.create(server, 'LIGHT');
    const [one, two] = [await onDemand('One', poor), await onDemand('Two', poor)];
    const [three, four] = [await onDemand('Three', poor), await onDemand('Four', poor)];
    const balance = async (): Promise<number> =>
      (
        await operator('query ($name: String!) { accounts(search: $name) { nodes { creditCents } } }', {
          name: poor.name,
        })
      ).nodes[0].creditCents;
    const { api } = poor.admin;
    const by = (who: Person) => (ewon: { id: string }) => wake(who, ewon.id);
    let woken = by(poor.admin);
    for (const ewon of [one, two]) expect((await woken(ewon)).ewon.status).toBe('WAKING_UP');
    const refused = { code: 'INSUFFICIENT_CREDIT' };
    expect(await woken(three)).toMatchObject(refused);
    expect(await texts(three.number)).toEqual([]);
    expect(await logged(three.id, poor)).not.toContain('EWON_WAKING_UP');
    expect((await api.run(`{ ewon(by: { id: "${three.id}" }) { status } }`)).ewon.status).toBe('OFFLINE');

    const invoice = { account: poor.name.toUpperCase(), cents: 14, description: 'Invoice 1' };
    for (const wrong of [{ cents: 0 }, { cents: -5 }, { cents: 10_000_001 }, { description: ' ' }])
      expect(await addCredit({ ...invoice, ...wrong }), JSON.stringify(wrong)).toMatchObject({
        code: 'VALIDATION_FAILED',
      });
    expect(await addCredit({ ...invoice, account: 'nobody-here' })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await addCredit(invoice)).toMatchObject({ account: { creditCents: 14 } });
    expect(await woken(three)).toMatchObject(refused);
    expect(await addCredit({ ...invoice, cents: 2, description: 'Invoice 2' })).toMatchObject({
      account: { creditCents: 16 },
    });
    // What is left is enough for one of the two.
    const both = await Promise.all([woken(three), woken(four)]);
    expect(both.map((result) => result.code ?? 'done').sort()).toEqual(['INSUFFICIENT_CREDIT', 'done']);
    expect(await balance()).toBe(1);
    expect((await poor.log({ categories: ['BILLING'] })).map(({ text, trigger }) => `${trigger}: ${text}`)).toEqual([
      expect.stringMatching(/^PLATFORM: Text message charged: 0\.15 EUR \(wake-up of DEV\d+\)$/),
      'PLATFORM: Credit of 0.02 EUR added',
      'PLATFORM: Credit of 0.14 EUR added',
    ]);

    // The next month has its own allowance; what was left of an earlier one is gone (BIL-12).
    server.clock.advance(32 * 86_400_000);
    await server.app.jobs.run();
    woken = by(await logIn(server, poor.name, 'admin', ADMIN_PASSWORD));
    for (const ewon of [one, two]) expect((await woken(ewon)).ewon.status).toBe('WAKING_UP');
    expect(await woken(three)).toMatchObject(refused);
    // The fee was taken, and the message that nothing carries here was given back.
    expect(await balance()).toBe(1 - 100 + 15);
  });
});

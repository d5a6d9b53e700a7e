import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { addSeconds } from '../../src/clock.ts';
import { ApiCaller, eventually, type Json } from '../support/client.ts';
import { onPostgres, startServer, type TestServer } from '../support/server.ts';
import {
  ADMIN_PASSWORD,
  logIn,
  openSession,
  type Person,
  TestAccount,
  type TestEwon,
  USER_PASSWORD,
} from '../support/world.ts';

const CLOCK = '{ clock { now ahead } }';
const ADVANCE =
  'mutation ($input: AdvanceClockInput!) { advanceClock(input: $input) { __typename ... on AdvanceClockSuccess { clock { now ahead } } ... on Error { code message path } ... on ValidationError { inputViolations { path } } } }';
const OUTBOX =
  'query ($filter: SimulatedMessageFilter) { simulatedMessages(filter: $filter, first: 5) { nodes { channel template recipient state subject text html parameters { name value } } } }';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

let server: TestServer;
let account: TestAccount;
let group: string;

beforeAll(async () => {
  server = await startServer({ env: { SIMULATION: 'true', LOGIN_LOCK_ATTEMPTS: '3' } });
  account = await TestAccount.create(server);
  group = await account.group('Service', [{ poolId: await account.defaultPool(), connectEcatcher: true }]);
});
afterAll(() => server.close());

/** Advancing by hours ends logins too, so each part logs in anew, for the helpers of the account as well. */
async function admin(): Promise<ApiCaller> {
  const { api } = await logIn(server, account.name, 'admin', ADMIN_PASSWORD);
  account.admin.api = api;
  return api;
}

const advance = async (input: object): Promise<Json> => (await admin()).mutate(ADVANCE, { input });

const now = (): number => server.clock.now().getTime();

/** The times of the account's newest entries of these codes, oldest first. */
async function times(codes: string[]): Promise<{ code: string; at: number }[]> {
  const query =
    'query ($codes: [LogCode!]) { logEntries(first: 50, filter: { codes: $codes }) { nodes { code at closeReason: text } } }';
  const { nodes } = (await (await admin()).run(query, { codes })).logEntries;
  return nodes.map(({ code, at }: Json) => ({ code, at: Date.parse(at) })).reverse();
}

async function lock(person: Person): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++)
    await logIn(server, account.name, person.username, 'Wrong-pass-1').catch(() => undefined);
}

describe('the clock', () => {
  it('CLK-01 is read and advanced by a duration or to an instant', async () => {
    const api = await admin();
    const before = (await api.run(CLOCK)).clock;
    expect(Math.abs(Date.parse(before.now) - now())).toBeLessThan(1000);
    const { clock } = await api.succeed(ADVANCE, { input: { by: 'PT30M' } });
    expect(Date.parse(clock.now) - Date.parse(before.now)).toBeGreaterThanOrEqual(30 * MINUTE_MS);
    expect(clock.ahead).toBe('PT1800S');
    const to = new Date(now() + 10 * MINUTE_MS);
    const { clock: later } = await api.succeed(ADVANCE, { input: { to: to.toISOString() } });
    expect(Date.parse(later.now)).toBeGreaterThanOrEqual(to.getTime());
    expect(Date.parse(later.now)).toBeLessThan(to.getTime() + 5000);
  });

  it('CLK-01 never goes back, and refuses what is out of range', async () => {
    const api = await admin();
    const before = now();
    const past = new Date(before - MINUTE_MS).toISOString();
    expect(await api.mutate(ADVANCE, { input: { to: past } })).toMatchObject({ code: 'CLOCK_GOES_BACK', path: ['to'] });
    expect(await api.mutate(ADVANCE, { input: { by: 'P4000D' } })).toMatchObject({
      code: 'VALIDATION_FAILED',
      inputViolations: [{ path: ['by'] }],
    });
    for (const input of [{}, { by: 'PT1S', to: past }, { by: '-PT1S' }])
      expect((await api.send(ADVANCE, { input })).errors?.[0]?.extensions.code).toMatch(/VALIDATION_FAILED$/);
    expect(now() - before).toBeLessThan(10_000);
  });

  it('CLK-01 is a matter of Administrators', async () => {
    const user = await account.user('nobody', [group]);
    expect(await user.api.mutate(ADVANCE, { input: { by: 'PT1S' } })).toMatchObject({ code: 'FORBIDDEN' });
    expect((await user.api.send(CLOCK)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const anybody = await new ApiCaller(server.url).send(CLOCK);
    expect(anybody.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });

  it('CLK-01 two advances at once come one after the other', async () => {
    const api = await admin();
    const before = now();
    await Promise.all([1, 2, 3].map(() => api.succeed(ADVANCE, { input: { by: 'PT2M' } })));
    expect(now() - before).toBeGreaterThanOrEqual(6 * MINUTE_MS);
  });
});

describe('advancing', () => {
  let ewon: TestEwon;
  beforeAll(async () => {
    await admin();
    ewon = await account.onlineEwon();
  });
  afterAll(() => ewon.device.disconnect());

  it('CLK-02 CLK-03 does what falls due on the way in the order of its time, and is done when it answers', async () => {
    await admin();
    const [one, two] = [await account.user('first', [group]), await account.user('second', [group])];
    await (await admin()).succeed(
      'mutation { setConcurrentConnections(input: { concurrentConnections: 5, acknowledgeContractChange: true }) { __typename } }',
    );
    const { session } = await openSession(one, ewon.id);
    const openedAt = now();
    await lock(one);
    const lockedAt = now();
    await advance({ by: 'PT2M' });
    await lock(two);
    const lockedAgainAt = now();
    await advance({ by: 'P1D' });

    const found = await times(['SESSION_CLOSED', 'LOGIN_UNLOCKED']);
    expect(found.map(({ code }) => code)).toEqual(['SESSION_CLOSED', 'LOGIN_UNLOCKED', 'LOGIN_UNLOCKED']);
    const due = [openedAt + 2 * MINUTE_MS, lockedAt + 15 * MINUTE_MS, lockedAgainAt + 15 * MINUTE_MS];
    for (const [index, { at }] of found.entries()) {
      // At its time, and not at the end of the day that was advanced.
      expect(Math.abs(at - (due[index] ?? 0)), found[index]?.code).toBeLessThan(10_000);
    }
    const node = await (await admin()).run('query ($id: ID!) { node(id: $id) { ... on Session { closeReason } } }', {
      id: session.id,
    });
    expect(node).toEqual({ node: { closeReason: 'TIMEOUT' } });
    for (const username of ['first', 'second'])
      expect((await logIn(server, account.name, username, USER_PASSWORD)).id, 'the lock is over').toBeTruthy();
  });

  it('CLK-02 CON-17 applies a decrease that was scheduled for months later', async () => {
    const COUNT =
      'mutation ($count: Int!) { setConcurrentConnections(input: { concurrentConnections: $count, acknowledgeContractChange: true }) { __typename ... on Error { code message } } }';
    const SLOTS = '{ account { slots { total } scheduledDecrease { at } } }';
    await (await admin()).succeed(COUNT, { count: 3 });
    const { at } = (await (await admin()).run(SLOTS)).account.scheduledDecrease;
    await advance({ to: new Date(Date.parse(at) - MINUTE_MS).toISOString() });
    expect((await (await admin()).run(SLOTS)).account.slots.total).toBe(5);
    await advance({ by: 'PT2M' });
    expect((await (await admin()).run(SLOTS)).account).toEqual({ slots: { total: 3 }, scheduledDecrease: null });
    expect((await times(['SLOTS_CHANGED'])).at(-1)?.at).toBeGreaterThanOrEqual(Date.parse(at));
  });

  it('CLK-03 AUTH-18 takes nothing offline by itself: devices and the clients of sessions live in real time', async () => {
    await admin();
    const user = await account.user('lively', [group]);
    const { session, tunnel } = await openSession(user, ewon.id);
    const socket = new WebSocket(tunnel.url, 'talkgate.session.v1', {
      ca: server.app.platform.authority.certificatePem,
      headers: { authorization: `Bearer ${tunnel.token}` },
    });
    await once(socket, 'message');
    const stateOf = async () =>
      (
        await (
          await admin()
        ).run('query ($id: ID!) { node(id: $id) { ... on Session { state closeReason } } }', session)
      ).node;
    for (const by of ['PT50M', 'PT50M', 'PT3H']) await advance({ by });
    expect(await stateOf(), 'its login is in use by it').toEqual({ state: 'OPEN', closeReason: null });
    await advance({ by: 'P1D' });
    expect(await stateOf()).toEqual({ state: 'CLOSED', closeReason: 'SESSION_EXPIRED' });
    socket.terminate();
    expect((await times(['EWON_OFFLINE'])).length).toBe(0);
    expect(
      (await (await admin()).run('query ($id: ID!) { ewon(by: { id: $id }) { status } }', { id: ewon.id })).ewon,
    ).toEqual({
      status: 'ONLINE',
    });
  });

  it('EVT-08 AUTH-18 a login that runs out ends its WebSocket and its events within a second', async () => {
    await admin();
    const user = await account.user('streams', [group]);
    const query = 'subscription { slotUsage { total } }';
    const socket = user.api.subscribe(query);
    const events = user.api.stream(query);
    await socket.waitFor('usage', () => socket.received.length > 0);
    await events.waitFor('usage', () => events.received.length > 0);
    const api = await admin();
    // Unused for an hour; the events poll every five seconds only.
    await api.succeed(ADVANCE, { input: { by: 'PT59M' } });
    expect([socket.ended, events.ended]).toEqual([false, false]);
    await (await admin()).succeed(ADVANCE, { input: { by: 'PT2M' } });
    const endedMs = performance.now();
    await socket.waitFor('the end', () => socket.errors !== undefined && socket.closeCode !== null, 1000);
    await events.waitFor('the end', () => events.ended, 1000);
    expect(performance.now() - endedMs).toBeLessThan(1000);
    expect(socket.errors?.[0]?.extensions.code).toBe('LOGIN_EXPIRED');
    expect(events.errors?.[0]?.extensions.code).toBe('LOGIN_EXPIRED');
    await socket.leave();
    expect((await user.api.run('{ viewer { user { id } } }')).viewer).toBeNull();
  });

  it('CLK-03 LOG-17 over years comes to an end, with retention applied on the way', async () => {
    const startedMs = performance.now();
    const result = await advance({ by: 'P1100D' });
    expect(result.__typename).toBe('AdvanceClockSuccess');
    expect(performance.now() - startedMs).toBeLessThan(30_000);
    const { nodes } = (await (await admin()).run('{ logEntries(first: 50) { nodes { code at } } }')).logEntries;
    const oldest = Math.min(...nodes.map(({ at }: Json) => Date.parse(at)));
    expect(oldest, 'nothing is older than twelve months').toBeGreaterThan(now() - 370 * DAY_MS);
    expect((await (await admin()).run('{ ewons { nodes { status } } }')).ewons.nodes).toEqual([{ status: 'ONLINE' }]);
  }, 60_000);
});

describe('the outbox', () => {
  it('TFA-48 keeps what was sent, to be read by Administrators only', async () => {
    await (await admin()).succeed(
      'mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename ... on Error { code message } } }',
      {
        input: {
          username: 'reader',
          email: 'reader@example.com',
          password: USER_PASSWORD,
          passwordConfirmation: USER_PASSWORD,
          groupIds: [group],
        },
      },
    );
    const reader = await logIn(server, account.name, 'reader', USER_PASSWORD);
    await lock(reader);
    await server.app.jobs.run();
    const { nodes } = (
      await (await admin()).run(OUTBOX, { filter: { recipient: 'reader@example.com', template: 'LOGIN_LOCKED' } })
    ).simulatedMessages;
    expect(nodes).toHaveLength(1);
    expect(nodes[0]).toMatchObject({ channel: 'MAIL', template: 'LOGIN_LOCKED', state: 'SENT' });
    expect(nodes[0].subject).toBe(`Your login in ${account.name} is locked`);
    expect(nodes[0].text).toContain('after 3 failed attempts');
    expect(nodes[0].html).toContain('<!doctype html>');
    expect(nodes[0].parameters).toContainEqual({ name: 'accountName', value: account.name });
    const stranger = (await TestAccount.create(server, 'FREE')).admin;
    expect(
      (await stranger.api.run(OUTBOX)).simulatedMessages.nodes.map(({ template }: Json) => template),
    ).not.toContain('LOGIN_LOCKED');
    expect((await reader.api.send(OUTBOX)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});

onPostgres('several instances', () => {
  it('CLK-01 CLU-05 follow the clock, keep it over a restart, and do due work once', async () => {
    const env = { SIMULATION: 'true', LOGIN_LOCK_ATTEMPTS: '1', LOGIN_LOCK_MINUTES: '60' };
    const one = await startServer({ database: 'postgresql', env });
    const two = await startServer({ databaseUrl: one.databaseUrl, env });
    try {
      // The device is at the other instance than the one that advances.
      const home = await TestAccount.create(two);
      const ewon = await home.onlineEwon();
      const { platform } = one.app;
      const user = await platform.db.user.findFirstOrThrow({ where: { accountId: home.id } });
      const dueAt = addSeconds(platform.clock.now(), 1800);
      // Forty pieces of work that fall due together.
      await platform.db.user.createMany({
        data: Array.from({ length: 40 }, (_, index) => ({
          ...{ accountId: home.id, username: `u${index}`, usernameKey: `u${index}`, email: 'u@example.com' },
          ...{ createdAt: user.createdAt, lockedUntil: dueAt, failedLogins: 1 },
        })),
      });
      const locked = await platform.db.user.findMany({ where: { accountId: home.id, lockedUntil: dueAt } });
      await platform.db.dueWork.createMany({
        data: locked.map(({ id }) => ({ accountId: home.id, kind: 'LOGIN_UNLOCK', subjectId: id, dueAt })),
      });
      await new ApiCaller(one.url, home.admin.api.token).succeed(ADVANCE, { input: { by: 'PT45M' } });
      await two.app.jobs.run();
      const entries = await platform.db.logEntry.findMany({ where: { accountId: home.id, code: 'LOGIN_UNLOCKED' } });
      expect(entries).toHaveLength(40);
      expect(new Set(entries.map(({ userId }) => userId)).size).toBe(40);
      expect(await platform.db.dueWork.count({ where: { kind: 'LOGIN_UNLOCK' } })).toBe(0);
      await eventually(
        'the other instance',
        () => Math.abs(two.clock.now().getTime() - one.clock.now().getTime()),
        (apartMs) => apartMs < 1000,
      );
      // The other instance holds a lease too, and neither lost it.
      expect(await platform.db.gatewayLease.count()).toBe(2);
      expect((await home.admin.api.run('{ ewons { nodes { status } } }')).ewons.nodes).toEqual([{ status: 'ONLINE' }]);
      expect(await home.log({ codes: ['EWON_OFFLINE'] })).toEqual([]);

      const three = await startServer({ databaseUrl: one.databaseUrl, env: { ...env, ROLES: 'api' } });
      expect(three.clock.aheadMs, 'at its start').toBeGreaterThanOrEqual(45 * MINUTE_MS);
      await three.close();
      await ewon.device.disconnect();
    } finally {
      await two.close();
      await one.close();
    }
  });
});

import { createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { liveStreams } from '../../src/graphql/streams.ts';
import { inAccount } from '../../src/log/write.ts';
import { followSlots } from '../../src/sessions/follow-slots.ts';
import { loadActor } from '../../src/users/actor.ts';
import { ApiCaller, type EventStream, eventually, type Json, type Subscription } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import {
  CLOSE_SESSION,
  logIn,
  openSession,
  type Person,
  startWorld,
  TestAccount,
  type TestEwon,
  USER_PASSWORD,
} from '../support/world.ts';

const LOG_EVENTS =
  'subscription ($after: Cursor, $filter: LogFilter) { logEvents(after: $after, filter: $filter) { cursor entries { number cursor at code text } } }';
const CONNECTION_EVENTS = `subscription ($after: Cursor, $filter: ConnectionEventFilter) {
  connectionEvents(after: $after, filter: $filter) {
    cursor
    events {
      __typename
      ... on ConnectionEventFacts { cursor at ewonName ewonReference ewon { name } }
      ... on EwonOnline { vpnAddress }
      ... on EwonOffline { reason }
      ... on SessionStarted { userName session { id state } }
      ... on SessionClosed { userName closeReason session { id state } }
      ... on SessionRefused { userName reason }
    }
  }
}`;
const SLOT_USAGE = 'subscription { slotUsage { total inUse free } }';
const SET_POOL_RIGHTS =
  'mutation ($input: SetPoolRightsInput!) { setPoolRights(input: $input) { __typename ... on Error { code message } } }';
const RENAME =
  'mutation ($ewonId: ID!, $name: String!) { updateEwon(input: { ewonId: $ewonId, properties: { name: $name } }) { __typename ... on Error { code message } } }';

let server: TestServer;
let account: TestAccount;
let north: string;
let south: string;
let northEwon: TestEwon;
let southEwon: TestEwon;
let group: string;
let operator: Person;
let colleague: Person;

beforeAll(async () => {
  ({ server, account } = await startWorld({ env: { STREAM_POLL_SECONDS: '1', STREAMS_PER_LOGIN: '12' } }));
  north = await account.pool('north');
  south = await account.pool('south');
  group = await account.group('operators', [{ poolId: north, connectEcatcher: true }]);
  operator = await account.user('operator', [group]);
  colleague = await account.user('colleague', [group]);
  northEwon = await account.onlineEwon({ name: 'north one', poolIds: [north] });
  southEwon = await account.onlineEwon({ name: 'south one', poolIds: [south] });
});
afterAll(async () => {
  await northEwon.device.disconnect();
  await southEwon.device.disconnect();
  await server.close();
});

/** What a test has opened; it leaves none behind, whether it fails or not. */
const opened: (Subscription | EventStream)[] = [];
afterEach(async () => {
  for (const stream of opened.splice(0)) await stream.leave();
});

function subscribe(api: ApiCaller, query: string, variables: Record<string, unknown> = {}): Subscription {
  const subscription = api.subscribe(query, variables);
  opened.push(subscription);
  return subscription;
}

/** {@link subscribe} over server-sent events. */
function streamSse(api: ApiCaller, query: string, variables: Record<string, unknown> = {}): EventStream {
  const stream = api.stream(query, variables);
  opened.push(stream);
  return stream;
}

/** A socket that its client keeps open when the stream on it has ended; resolves with the code that the server closes it with. */
async function keptSocket(api: ApiCaller): Promise<{ closed: Promise<number> }> {
  const socket = createClient({
    url: `${api.url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => undefined,
    connectionParams: { authorization: `Bearer ${api.token}` },
  });
  const closed = new Promise<number>((resolve) =>
    socket.on('closed', (event) => resolve((event as { code: number }).code)),
  );
  await new Promise<void>((resolve) => {
    socket.subscribe(
      { query: SLOT_USAGE },
      { next: () => resolve(), error: () => resolve(), complete: () => resolve() },
    );
  });
  return { closed };
}

const cursorNow = async (api: ApiCaller): Promise<string> =>
  (await api.run('{ logEntries(first: 1) { pageInfo { startCursor } } }')).logEntries.pageInfo.startCursor;

const write = (of: TestAccount, ...drafts: Parameters<Parameters<Parameters<typeof inAccount>[2]>[0]['log']>) =>
  inAccount(of.server.app.platform, of.id, async ({ log }) => log(...drafts));

const note = (setting: string) => ({ code: 'ACCOUNT_CHANGED' as const, params: { setting } });

const eventsOf = (stream: { received: Json[] }): Json[] =>
  stream.received.flatMap(({ connectionEvents }) => connectionEvents.events);
const entriesOf = (stream: { received: Json[] }): Json[] =>
  stream.received.flatMap(({ logEvents }) => logEvents.entries);

async function subject(ewonId: string) {
  const { ewon } = await account.admin.api.run('query ($id: ID!) { ewon(by: { id: $id }) { name reference } }', {
    id: ewonId,
  });
  const row = await server.app.platform.db.ewon.findFirstOrThrow({
    where: { number: Number(ewon.reference.slice(3)) },
  });
  return { id: row.id, number: row.number, name: row.name };
}

test('EVT-02 EVT-12 LOG-04 LOG-07 an Ewon and its sessions as connection events, the same over both transports', async () => {
  const after = await cursorNow(account.admin.api);
  const socket = subscribe(account.admin.api, CONNECTION_EVENTS, { after });
  const stream = streamSse(account.admin.api, CONNECTION_EVENTS, { after });

  const { session } = await openSession(operator, northEwon.id);
  await operator.api.succeed(CLOSE_SESSION, { sessionId: session.id });
  const second = await openSession(operator, northEwon.id);
  await account.admin.api.succeed(CLOSE_SESSION, { sessionId: second.session.id });
  await write(account, { code: 'EWON_WAKING_UP', ewon: await subject(northEwon.id) });
  await northEwon.device.disconnect();
  await socket.waitFor('the Ewon offline', () =>
    eventsOf(socket).some(({ __typename }) => __typename === 'EwonOffline'),
  );
  const refused = await openSession(operator, northEwon.id);
  expect(refused.code).toBe('EWON_OFFLINE');
  await northEwon.device.connect();

  await socket.waitFor('the Ewon online', () => eventsOf(socket).at(-1)?.__typename === 'EwonOnline');
  await stream.waitFor('the Ewon online', () => eventsOf(stream).at(-1)?.__typename === 'EwonOnline');
  const place = { cursor: expect.any(String), at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) };
  const facts = {
    ...place,
    ewonName: 'north one',
    ewonReference: expect.stringMatching(/^DEV\d+$/),
    ewon: { name: 'north one' },
  };
  expect(eventsOf(socket)).toMatchObject([
    { __typename: 'SessionStarted', ...facts, userName: 'operator', session: { id: session.id } },
    { __typename: 'SessionClosed', ...facts, closeReason: 'BY_USER', session: { id: session.id, state: 'CLOSED' } },
    { __typename: 'SessionStarted', ...facts, userName: 'operator' },
    { __typename: 'SessionClosed', ...facts, closeReason: 'BY_ADMINISTRATOR' },
    { __typename: 'EwonWakingUp', ...facts },
    { __typename: 'EwonOffline', ...facts, reason: expect.any(String) },
    { __typename: 'SessionRefused', ...facts, userName: 'operator', reason: 'EWON_OFFLINE' },
    { __typename: 'EwonOnline', ...facts, vpnAddress: expect.stringMatching(/^10\./) },
  ]);
  const told = (events: Json[]) => events.map(({ session: _atDelivery, ewon: _too, ...event }) => event);
  expect(told(eventsOf(stream))).toEqual(told(eventsOf(socket)));
  await socket.leave();
  await stream.leave();
});

test('EVT-02 EVT-07 LST-06 LOG-10 by a pool that the reader does not see, no filter tells what is in it', async () => {
  const of = await TestAccount.create(server);
  const [seen, hidden] = [await of.pool('seen'), await of.pool('hidden')];
  const reader = await of.user('reader', [await of.group('readers', [{ poolId: seen, modify: true }])]);
  const ewon = await of.ewon({ name: 'in both', poolIds: [seen, hidden] });
  const after = await cursorNow(of.admin.api);
  const key = Buffer.from(ewon.id, 'base64url').toString().split(':')[1] as string;
  const thing = { id: key, number: 1, name: 'in both' };
  await write(of, { code: 'EWON_ONLINE', ewon: thing, params: { vpnAddress: '10.238.0.9' } });
  const count = async (poolIds: string[]) => {
    const page = await reader.api.run('query ($filter: LogFilter) { logEntries(filter: $filter) { nodes { code } } }', {
      filter: { poolIds, codes: ['EWON_ONLINE'] },
    });
    return page.logEntries.nodes.length;
  };
  expect([await count([seen]), await count([hidden]), await count([seen, hidden])]).toEqual([1, 0, 1]);
  const streams = [CONNECTION_EVENTS, LOG_EVENTS].map((query) =>
    [seen, hidden].map((poolId) => subscribe(reader.api, query, { after, filter: { poolIds: [poolId] } })),
  );
  for (const [shown, silent] of streams) {
    await shown?.waitFor('the event', () => shown.received.length > 0);
    expect(silent?.received).toEqual([]);
  }
});

test('EVT-02 LOG-05 LOG-06 LOG-10 filters: Ewons, pools, users, categories, severities, codes, and all of them together', async () => {
  const { api } = account.admin;
  const after = await cursorNow(api);
  const [northOne, southOne] = [await subject(northEwon.id), await subject(southEwon.id)];
  const user = await server.app.platform.db.user.findFirstOrThrow({
    where: { accountId: account.id, username: 'operator' },
  });
  const operatorSubject = { id: user.id, number: user.number, name: 'operator' };
  await write(
    account,
    { code: 'EWON_ONLINE', ewon: northOne, params: { vpnAddress: '10.238.0.9' } },
    { code: 'EWON_ONLINE', ewon: southOne, params: { vpnAddress: '10.238.0.8' } },
    { code: 'SESSION_REFUSED', ewon: southOne, user: operatorSubject, params: { reason: 'EWON_OFFLINE' } },
    { code: 'EWON_CONFIGURATION_ERROR', ewon: northOne, params: { reason: 'broken' } },
    { code: 'LOGIN_FAILED', user: operatorSubject },
    note('the end'),
  );
  const codes = async (filter: Json, query = LOG_EVENTS, field: 'logEvents' | 'connectionEvents' = 'logEvents') => {
    const stream = subscribe(api, query, { after, filter });
    const found = () =>
      stream.received.flatMap((message) =>
        field === 'logEvents'
          ? message.logEvents.entries.map(({ code }: Json) => code)
          : message.connectionEvents.events.map(({ __typename, ewonName }: Json) => `${__typename} ${ewonName}`),
      );
    await stream.waitFor('what the filter takes', () => found().length > 0);
    await stream.leave();
    return found();
  };
  expect(await codes({ ewonIds: [northEwon.id] })).toEqual(['EWON_ONLINE', 'EWON_CONFIGURATION_ERROR']);
  expect(await codes({ poolIds: [south] })).toEqual(['EWON_ONLINE', 'SESSION_REFUSED']);
  expect(await codes({ userIds: [operator.id] })).toEqual(['SESSION_REFUSED', 'LOGIN_FAILED']);
  expect(await codes({ userIds: [operator.id, colleague.id], ewonIds: [southEwon.id] })).toEqual(['SESSION_REFUSED']);
  expect(await codes({ severities: ['WARNING', 'ERROR'] })).toEqual([
    'SESSION_REFUSED',
    'EWON_CONFIGURATION_ERROR',
    'LOGIN_FAILED',
  ]);
  expect(await codes({ categories: ['SECURITY', 'ACCOUNT'] })).toEqual(['LOGIN_FAILED', 'ACCOUNT_CHANGED']);
  expect(await codes({ codes: ['LOGIN_FAILED'], categories: ['SECURITY'] })).toEqual(['LOGIN_FAILED']);
  const connection = (filter: Json) => codes(filter, CONNECTION_EVENTS, 'connectionEvents');
  expect(await connection({ ewonIds: [northEwon.id] })).toEqual(['EwonOnline north one']);
  expect(await connection({ poolIds: [south] })).toEqual(['EwonOnline south one', 'SessionRefused south one']);
  expect(await connection({ userIds: [operator.id] })).toEqual(['SessionRefused south one']);

  // The same filters in the log query give the same entries, newest first.
  const { logEntries } = await api.run(
    'query ($before: String, $filter: LogFilter) { logEntries(last: 50, before: $before, filter: $filter) { nodes { code } } }',
    { before: after, filter: { severities: ['WARNING', 'ERROR'] } },
  );
  expect(logEntries.nodes.map(({ code }: Json) => code)).toEqual([
    'LOGIN_FAILED',
    'EWON_CONFIGURATION_ERROR',
    'SESSION_REFUSED',
  ]);
});

test('EVT-02 an id of another account in a filter finds nothing', async () => {
  const stranger = await TestAccount.create(server);
  const foreign = await stranger.pool('foreign');
  const after = await cursorNow(account.admin.api);
  const stream = subscribe(account.admin.api, LOG_EVENTS, { after, filter: { poolIds: [foreign] } });
  const all = subscribe(account.admin.api, LOG_EVENTS, { after });
  await write(stranger, note('theirs'));
  await write(account, { code: 'EWON_WAKING_UP', ewon: await subject(northEwon.id) });
  await all.waitFor('the entry', () => entriesOf(all).length === 1);
  expect(entriesOf(all)[0].code).toBe('EWON_WAKING_UP');
  expect(stream.received).toEqual([]);
  await stream.leave();
  await all.leave();
});

describe('A cursor that cannot be used', () => {
  const logQuery = (args: string) => `query ($cursor: String!) { logEntries(${args}) { nodes { number } } }`;

  async function refusals(of: TestAccount, cursor: string): Promise<string[]> {
    const { api } = of.admin;
    const streams = [
      subscribe(api, LOG_EVENTS, { after: cursor }),
      subscribe(api, CONNECTION_EVENTS, { after: cursor }),
      streamSse(api, LOG_EVENTS, { after: cursor }),
    ];
    for (const stream of streams) await stream.waitFor('the end', () => stream.ended && stream.errors !== undefined);
    const back = await api.send(logQuery('after: $cursor'), { cursor });
    const forth = await api.send(logQuery('last: 5, before: $cursor'), { cursor });
    return [...streams.map(({ errors }) => errors), back.errors, forth.errors].map((errors) =>
      String(errors?.[0]?.extensions.code),
    );
  }

  test('EVT-04 EVT-05 EVT-12 of another account: CURSOR_EXPIRED, in streams and in the query, over both transports', async () => {
    const stranger = await TestAccount.create(server);
    const { startCursor } = (await stranger.admin.api.run('{ logEntries { pageInfo { startCursor } } }')).logEntries
      .pageInfo;
    expect(await refusals(account, startCursor)).toEqual(Array(5).fill('CURSOR_EXPIRED'));
  });

  test('EVT-04 EVT-05 malformed: CURSOR_INVALID', async () => {
    expect(await refusals(account, 'bm90IGEgY3Vyc29y')).toEqual(Array(5).fill('CURSOR_INVALID'));
  });

  test('EVT-04 EVT-05 beyond the end of the log: CURSOR_EXPIRED', async () => {
    const beyond = Buffer.from(`${account.id}.999999`).toString('base64url');
    expect(await refusals(account, beyond)).toEqual(Array(5).fill('CURSOR_EXPIRED'));
  });

  test('EVT-04 EVT-05 LOG-17 older than the retention: CURSOR_EXPIRED; the oldest place that is left works', async () => {
    const other = await TestAccount.create(server);
    for (let index = 0; index < 6; index++) await write(other, note(String(index)));
    const all = (await other.admin.api.run('{ logEntries { nodes { number cursor } } }')).logEntries.nodes.reverse();
    const live = subscribe(other.admin.api, LOG_EVENTS, { after: all[0].cursor });
    await live.waitFor('all', () => entriesOf(live).length === all.length - 1);
    const { db } = server.app.platform;
    await db.account.update({ where: { id: other.id }, data: { logPurgedSeq: 3 } });
    await db.logEntry.deleteMany({ where: { accountId: other.id, seq: { lte: 3 } } });

    expect(await refusals(other, all[1].cursor)).toEqual(Array(5).fill('CURSOR_EXPIRED'));
    const stream = subscribe(other.admin.api, LOG_EVENTS, { after: all[2].cursor });
    await stream.waitFor('the rest', () => entriesOf(stream).length === all.length - 3);
    expect(entriesOf(stream)[0].number).toBe('4');
    const { nodes, pageInfo } = (
      await other.admin.api.run(
        'query ($cursor: String!) { logEntries(last: 500, before: $cursor) { nodes { number } pageInfo { hasNextPage hasPreviousPage } } }',
        { cursor: all[2].cursor },
      )
    ).logEntries;
    expect(nodes.at(-1).number).toBe('4');
    expect(pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: false });
    // A live stream is past what was removed and goes on.
    await write(other, note('more'));
    await live.waitFor('one more', () => entriesOf(live).length === all.length);
    await live.leave();
    await stream.leave();
  });
});

describe('Visibility', () => {
  test('EVT-07 a right withdrawn in mid-stream takes effect on the next entry, and so does one that is given', async () => {
    const own = await account.group('changing', [{ poolId: north, modify: true }]);
    const person = await account.user('changing', [own]);
    const grant = (poolId: string) =>
      account.admin.api.succeed(SET_POOL_RIGHTS, { input: { groupId: own, poolRights: [{ poolId, modify: true }] } });
    const after = await cursorNow(account.admin.api);
    const log = subscribe(person.api, LOG_EVENTS, { after });
    const events = streamSse(person.api, CONNECTION_EVENTS, { after });
    const [northOne, southOne] = [await subject(northEwon.id), await subject(southEwon.id)];
    const wakeBoth = () =>
      write(account, { code: 'EWON_WAKING_UP', ewon: northOne }, { code: 'EWON_WAKING_UP', ewon: southOne });
    const names = () => eventsOf(events).map(({ ewonName }) => ewonName);
    const reaches = async (count: number) => {
      await log.waitFor(`entry ${count}`, () => entriesOf(log).length >= count);
      await events.waitFor(`event ${count}`, () => names().length >= count);
    };
    await wakeBoth();
    await reaches(1);
    await grant(south);
    await wakeBoth();
    await reaches(2);
    await grant(north);
    await wakeBoth();
    await reaches(3);
    expect(names()).toEqual(['north one', 'south one', 'north one']);
    expect(entriesOf(log).map(({ text }) => text)).toEqual([
      'Ewon north one is being woken up',
      'Ewon south one is being woken up',
      'Ewon north one is being woken up',
    ]);
    await log.leave();
    await events.leave();
  });

  test('EVT-07 USR-14 a user whose name is not public is seen without it; public ones and oneself with it', async () => {
    const open = await account.user('openly', [group], { nameIsPublic: true });
    const after = await cursorNow(account.admin.api);
    const stream = subscribe(colleague.api, CONNECTION_EVENTS, { after });
    for (const person of [operator, open, colleague]) {
      const { session } = await openSession(person, northEwon.id);
      await person.api.succeed(CLOSE_SESSION, { sessionId: session.id });
    }
    await stream.waitFor('all events', () => eventsOf(stream).length === 6);
    expect(eventsOf(stream).map(({ userName }) => userName)).toEqual([
      null,
      null,
      'openly',
      'openly',
      'colleague',
      'colleague',
    ]);
    await stream.leave();
  });

  test('EVT-07 EVT-02 an Ewon that the reader may not see, and refusals of others, do not reach him', async () => {
    const after = await cursorNow(account.admin.api);
    const stream = subscribe(colleague.api, CONNECTION_EVENTS, { after });
    const user = await server.app.platform.db.user.findFirstOrThrow({
      where: { accountId: account.id, username: 'operator' },
    });
    const refused = {
      code: 'SESSION_REFUSED' as const,
      user: { id: user.id, number: user.number, name: 'operator' },
      params: { reason: 'EWON_OFFLINE' },
    };
    await write(account, { code: 'EWON_WAKING_UP', ewon: await subject(southEwon.id) });
    await write(account, { ...refused, ewon: await subject(northEwon.id) });
    await write(account, { code: 'EWON_WAKING_UP', ewon: await subject(northEwon.id) });
    await stream.waitFor('the last event', () => eventsOf(stream).length > 0);
    expect(eventsOf(stream)).toMatchObject([{ __typename: 'EwonWakingUp', ewonName: 'north one' }]);
    await stream.leave();
  });

  test('EVT-10 relations show the state at delivery, not that of an earlier event of the same subscription', async () => {
    const query = `subscription ($after: Cursor) { connectionEvents(after: $after) { events {
      ... on ConnectionEventFacts { ewonName ewon { name status pools { name } connectedUsers { name } } }
      ... on SessionStarted { session { state } } } } }`;
    const stream = subscribe(account.admin.api, query, { after: await cursorNow(account.admin.api) });
    const ewon = await subject(southEwon.id);
    await write(account, { code: 'EWON_WAKING_UP', ewon });
    await stream.waitFor('the first', () => eventsOf(stream).length === 1);
    const rename = (name: string) => account.admin.api.succeed(RENAME, { ewonId: southEwon.id, name });
    await rename('south renamed');
    const { session } = await openSession(account.admin, southEwon.id);
    await stream.waitFor('the second', () => eventsOf(stream).length === 2);
    await account.admin.api.succeed(CLOSE_SESSION, { sessionId: session.id });
    await stream.waitFor('the third', () => eventsOf(stream).length === 3);
    const pools = [{ name: 'south' }];
    expect(eventsOf(stream)).toEqual([
      { ewonName: 'south one', ewon: { name: 'south one', status: 'ONLINE', pools, connectedUsers: [] } },
      {
        ewonName: 'south renamed',
        ewon: { name: 'south renamed', status: 'CONNECTED', pools, connectedUsers: [{ name: 'admin' }] },
        session: { state: 'OPEN' },
      },
      { ewonName: 'south renamed', ewon: { name: 'south renamed', status: 'ONLINE', pools, connectedUsers: [] } },
    ]);
    await rename('south one');
    await stream.leave();
  });
});

describe('The end of a login', () => {
  test('EVT-08 EVT-12 logout ends its streams within a second: error and cursor, then close code 4403; the others go on', async () => {
    const person = await logIn(server, account.name, 'operator', USER_PASSWORD);
    const after = await cursorNow(account.admin.api);
    const log = subscribe(person.api, LOG_EVENTS, { after });
    const slots = subscribe(person.api, SLOT_USAGE);
    const stream = streamSse(person.api, LOG_EVENTS, { after });
    const other = subscribe(operator.api, SLOT_USAGE);
    await slots.waitFor('the figures', () => slots.received.length === 1);
    await other.waitFor('the figures', () => other.received.length === 1);
    const kept = await keptSocket(person.api);
    await eventually(
      'all live',
      () => liveStreams.count,
      (count) => count === 5,
    );

    await person.api.run('mutation { logout { __typename } }');
    const began = performance.now();
    await log.waitFor('the end', () => log.ended);
    await slots.waitFor('the end', () => slots.ended);
    await stream.waitFor('the end', () => stream.ended);
    expect(await kept.closed).toBe(4403);
    expect(performance.now() - began).toBeLessThan(1000);

    for (const { errors } of [log, stream]) {
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'LOGIN_EXPIRED', cursor: expect.any(String) });
    }
    expect(slots.errors?.[0]?.extensions.code).toBe('LOGIN_EXPIRED');
    expect(other.ended).toBe(false);

    // A new token and the cursor: nothing is lost.
    const again = await logIn(server, account.name, 'operator', USER_PASSWORD);
    const resumed = subscribe(again.api, LOG_EVENTS, { after: log.errors?.[0]?.extensions.cursor });
    await resumed.waitFor('the new login', () => entriesOf(resumed).some(({ code }) => code === 'LOGIN_SUCCEEDED'));
    const codes = [...entriesOf(log), ...entriesOf(resumed)].map(({ code }) => code);
    expect(codes).toEqual(['LOGGED_OUT', 'LOGIN_SUCCEEDED']);
    await resumed.leave();
    await other.leave();
  });

  test('EVT-08 a login that expires ends its streams; a token that is not valid opens no socket', async () => {
    const { server: own, account: lone } = await startWorld({ env: { STREAM_POLL_SECONDS: '1' } });
    const listeners = own.app.platform.bell.listeners;
    const stream = subscribe(lone.admin.api, LOG_EVENTS);
    const events = streamSse(lone.admin.api, CONNECTION_EVENTS);
    await eventually(
      'both live',
      () => own.app.platform.bell.listeners,
      (count) => count >= listeners + 4,
    );
    const kept = await keptSocket(lone.admin.api);
    own.clock.advance(61 * 60_000);
    await stream.waitFor('the end', () => stream.ended);
    await events.waitFor('the end', () => events.ended);
    expect(stream.errors?.[0]?.extensions).toMatchObject({ code: 'LOGIN_EXPIRED', cursor: expect.any(String) });
    expect(events.errors?.[0]?.extensions).toMatchObject({ code: 'LOGIN_EXPIRED', cursor: expect.any(String) });
    expect(await kept.closed).toBe(4403);
    const late = subscribe(lone.admin.api, SLOT_USAGE);
    await late.waitFor('the close', () => late.closeCode !== null);
    expect(late.closeCode).toBe(4403);
    const refused = streamSse(lone.admin.api, SLOT_USAGE);
    await refused.waitFor('the end', () => refused.ended);
    expect(refused.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    await own.close();
  });
});

describe('A client that leaves', () => {
  const gauge = async () =>
    Number(/^talkgate_live_streams (\d+)$/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);

  test('EVT-09 frees everything its streams held, whichever way it leaves, also while it waits', async () => {
    const { bell } = server.app.platform;
    await eventually(
      'no stream',
      () => liveStreams.count,
      (count) => count === 0,
    );
    const listeners = bell.listeners;
    const { api } = colleague;
    const after = await cursorNow(account.admin.api);
    const several = api.socket();
    const ends = [LOG_EVENTS, CONNECTION_EVENTS, SLOT_USAGE].map((query) =>
      several.subscribe(
        { query, variables: query === SLOT_USAGE ? {} : { after } },
        { next: () => undefined, error: () => undefined, complete: () => undefined },
      ),
    );
    const polite = [LOG_EVENTS, SLOT_USAGE].map((query) => subscribe(api, query));
    const rude = [LOG_EVENTS, SLOT_USAGE].map((query) => subscribe(api, query));
    const streams = [LOG_EVENTS, SLOT_USAGE].map((query) => streamSse(api, query));
    await eventually('all live', gauge, (count) => count === 9);
    await eventually(
      'all listen',
      () => bell.listeners,
      (count) => count >= listeners + 9,
    );

    for (const end of ends) end();
    await eventually(
      'three less on a socket that stays',
      () => liveStreams.count,
      (count) => count === 6,
    );
    for (const subscription of polite) await subscription.leave();
    for (const subscription of rude) subscription.cut();
    for (const stream of streams) stream.cut();
    await several.dispose();
    await eventually('none live', gauge, (count) => count === 0);
    await eventually(
      'no listener left',
      () => bell.listeners,
      (count) => count === listeners,
    );
  });

  test('EVT-09 leaves nothing behind when it goes at once, before its stream has begun', async () => {
    const { bell } = server.app.platform;
    await eventually(
      'no stream',
      () => liveStreams.count,
      (count) => count === 0,
    );
    const listeners = bell.listeners;
    for (let round = 0; round < 10; round++) {
      const socket = subscribe(colleague.api, LOG_EVENTS);
      const stream = streamSse(colleague.api, LOG_EVENTS);
      await Promise.resolve();
      if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      stream.cut();
      await socket.leave();
    }
    await eventually('none live', gauge, (count) => count === 0);
    await eventually(
      'no listener left',
      () => bell.listeners,
      (count) => count === listeners,
    );
  });

  test('EVT-09 EVT-06 a login has a limited number of streams; one that ends makes room', async () => {
    const first = Array.from({ length: 12 }, () => subscribe(colleague.api, SLOT_USAGE));
    await eventually(
      '12 streams',
      () => liveStreams.count,
      (count) => count === 12,
    );
    const over = subscribe(colleague.api, SLOT_USAGE);
    await over.waitFor('the refusal', () => over.ended || over.errors !== undefined);
    expect(over.errors?.[0]?.extensions.code).toBe('TOO_MANY_REQUESTS');
    const others = subscribe(operator.api, SLOT_USAGE);
    await others.waitFor('the figures of another login', () => others.received.length === 1);
    await first[0]?.leave();
    await eventually(
      'room',
      () => liveStreams.count,
      (count) => count === 12,
    );
    const next = subscribe(colleague.api, SLOT_USAGE);
    await next.waitFor('the figures', () => next.received.length === 1);
    for (const stream of [...first.slice(1), over, others, next]) await stream.leave();
  });
});

describe('Slot usage', () => {
  test('EVT-11 EVT-12 the present figures at once, then each change, over both transports', async () => {
    const socket = subscribe(colleague.api, SLOT_USAGE);
    const stream = streamSse(colleague.api, SLOT_USAGE);
    const figures = ({ received }: { received: Json[] }) => received.map(({ slotUsage }) => slotUsage);
    const reaches = async (count: number) => {
      await socket.waitFor(`figures ${count}`, () => socket.received.length >= count);
      await stream.waitFor(`figures ${count}`, () => stream.received.length >= count);
    };
    await reaches(1);
    const { session } = await openSession(operator, northEwon.id);
    await reaches(2);
    await operator.api.succeed(CLOSE_SESSION, { sessionId: session.id });
    await reaches(3);
    await account.setSlots(5);
    await reaches(4);
    expect(figures(socket)).toEqual([
      { total: 3, inUse: 0, free: 3 },
      { total: 3, inUse: 1, free: 2 },
      { total: 3, inUse: 0, free: 3 },
      { total: 5, inUse: 0, free: 5 },
    ]);
    expect(figures(stream)).toEqual(figures(socket));
    await socket.leave();
    await stream.leave();
  });

  test('EVT-11 when changes come faster than the reader, only the latest value is kept', async () => {
    const { platform } = server.app;
    const login = await platform.db.login.findFirstOrThrow({ where: { accountId: account.id, revokedAt: null } });
    const reader = await loadActor(platform.db, platform.clock.now(), 3_600_000, { id: login.id });
    if (!reader) throw new Error('No reader.');
    const gone = new AbortController();
    const stream = followSlots(platform, reader, gone.signal);
    const next = async () => {
      const { value } = await stream.next();
      if (!value) throw new Error('The stream ended.');
      return value.figures.total;
    };
    const first = await next();
    for (let more = 1; more <= 5; more++) await account.setSlots(first + more);
    expect(await next()).toBe(first + 5);
    // And then it waits for the next change.
    const waiting = next();
    await account.setSlots(first + 6);
    expect(await waiting).toBe(first + 6);
    gone.abort();
    expect((await stream.next()).done).toBe(true);
  });
});

test('EVT-02 a stream needs a login', async () => {
  const anonymous = new ApiCaller(server.url);
  for (const query of [LOG_EVENTS, CONNECTION_EVENTS, SLOT_USAGE]) {
    const socket = subscribe(anonymous, query);
    const stream = streamSse(anonymous, query);
    await socket.waitFor('the refusal', () => socket.errors !== undefined);
    await stream.waitFor('the refusal', () => stream.errors !== undefined);
    expect(socket.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(stream.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    await socket.leave();
  }
});

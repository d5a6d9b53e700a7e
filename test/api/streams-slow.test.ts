import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { liveStreams } from '../../src/graphql/streams.ts';
import { inAccount } from '../../src/log/write.ts';
import { ApiCaller, eventually, type Json } from '../support/client.ts';
import type { Question } from '../support/measured-server.ts';
import { compiled } from '../support/process.ts';
import type { TestServer } from '../support/server.ts';
import { copyDatabase } from '../support/server.ts';
import { startWorld, type TestAccount } from '../support/world.ts';

const MIB = 1024 * 1024;
const LOG_EVENTS = 'subscription ($after: Cursor) { logEvents(after: $after) { cursor entries { number } } }';
/** Twenty times the text: an entry of a kilobyte is twenty on the wire, far more than the buffers of the network take. */
const WIDE_LOG_EVENTS = `subscription ($after: Cursor) { logEvents(after: $after) { cursor entries { number ${Array.from(
  { length: 20 },
  (_none, index) => `t${index}: text`,
).join(' ')} } } }`;

/** A client of the WebSocket that reads only while it wants to. */
async function openSocket(api: ApiCaller, query: string, after: string | null) {
  const socket = new WebSocket(`${api.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
  const messages: Json[] = [];
  const state = { messages, socket, closed: false };
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    state.closed = true;
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${api.token}` } }));
  await eventually(
    'the acknowledgement',
    () => messages.length,
    (count) => count === 1,
  );
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { after } } }));
  return state;
}

/** A client of server-sent events that asks and then never reads, until it is told to. */
function openEventStream(api: ApiCaller, query: string, after: string | null) {
  const { hostname, port } = new URL(api.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.pause();
  const body = JSON.stringify({ query, variables: { after } });
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\naccept: text/event-stream\r\nauthorization: Bearer ${api.token}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const state = { socket, text: '', closed: false };
  socket.on('error', () => undefined);
  socket.on('close', () => {
    state.closed = true;
  });
  return {
    ...state,
    state,
    read: () => {
      socket.on('data', (chunk) => {
        state.text += chunk;
      });
      socket.resume();
    },
    /** The results so far; the frames of chunked encoding lie between. */
    results: (): Json[] => [...state.text.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json ?? '')),
  };
}

const cursorNow = async (api: ApiCaller): Promise<string> =>
  (await api.run('{ logEntries(first: 1) { pageInfo { startCursor } } }')).logEntries.pageInfo.startCursor;

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

describe('A server in its own process', () => {
  let child: ChildProcess;
  let folder: string;
  let api: ApiCaller;
  let asked = 0;

  const ask = async <T>(
    question: Omit<Extract<Question, { ask: 'memory' }>, 'id'> | Omit<Extract<Question, { ask: 'write' }>, 'id'>,
  ) => {
    const id = ++asked;
    const answered = new Promise<T>((resolve) => {
      const take = (message: { id: number; result: T }) => {
        if (message.id !== id) return;
        child.off('message', take);
        resolve(message.result);
      };
      child.on('message', take);
    });
    child.send({ ...question, id });
    return answered;
  };
  const memory = () => ask<number>({ ask: 'memory' });
  const write = (entries: number, bytes: number) => ask<null>({ ask: 'write', account: 'slow', entries, bytes });
  const liveStreams = async () =>
    Number(/^talkgate_live_streams (\d+)$/m.exec(await (await fetch(`${api.url}/metrics`)).text())?.[1]);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'talkgate-'));
    await copyDatabase(join(folder, 'db'));
    child = fork(compiled('test/support/measured-server'), {
      execArgv: ['--expose-gc'],
      env: {
        ...process.env,
        DATABASE_URL: `pglite://${join(folder, 'db')}`,
        DATA_DIR: join(folder, 'data'),
        HTTP_PORT: '0',
        DEVICE_PORT: '0',
        TUNNEL_PORT: '0',
        PORTAL_PORT: '0',
        LOG_LEVEL: 'silent',
        STREAM_STALL_SECONDS: '8',
        PASSWORD_HASH_MEMORY_KIB: '1024',
      },
    });
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    const { token } = await new ApiCaller(url).succeed(
      'mutation { createAccount(input: { name: "slow", company: "Acme", email: "a@example.com", username: "admin", password: "Admin-pass-1" }) { __typename ... on CreateAccountSuccess { token } ... on Error { code message } } }',
    );
    api = new ApiCaller(url, token);
  }, 120_000);
  afterAll(async () => {
    const exited = once(child, 'exit');
    if (child.connected) child.disconnect();
    if (child.exitCode === null) await exited;
    await rm(folder, { recursive: true, force: true });
  });

  test('EVT-06 EVT-09 clients that never read cost no more than 10 MiB, delay nobody, and are cut', {
    timeout: 120_000,
  }, async () => {
    const healthy = api.subscribe(LOG_EVENTS, { after: await cursorNow(api) });
    const seen = () => Number(healthy.received.at(-1)?.logEvents.entries.at(-1).number ?? 0);
    const start = Number((await api.run('{ logEntries(first: 1) { nodes { number } } }')).logEntries.nodes[0].number);
    let written = start;
    const writeSeen = async (entries: number, bytes: number) => {
      written += entries;
      await write(entries, bytes);
      await healthy.waitFor(`entry ${written}`, () => seen() === written);
    };
    const latency = async () => {
      const times: number[] = [];
      for (let round = 0; round < 15; round++) {
        const began = performance.now();
        await writeSeen(1, 10);
        times.push(performance.now() - began);
      }
      return median(times);
    };

    // Everything is loaded, compiled and grown to its size before anything is measured.
    await writeSeen(1000, 1000);
    const calmMs = await latency();
    const calm = await memory();
    await writeSeen(1500, 1000);
    const withoutStall = (await memory()) - calm;

    const after = await cursorNow(api);
    const before = await memory();
    const stalled = await openSocket(api, WIDE_LOG_EVENTS, after);
    stalled.socket.pause();
    const silent = openEventStream(api, WIDE_LOG_EVENTS, after);
    await eventually('both streams live', liveStreams, (count) => count === 3);
    // 30 MB for each of the two on the wire, several times over what the network's own buffers take.
    await writeSeen(1500, 1000);
    const growth = (await memory()) - before;
    const stalledMs = await latency();
    console.info(
      `Two stalled readers: ${(growth / MIB).toFixed(1)} MiB (${(withoutStall / MIB).toFixed(1)} MiB without them for the same entries); latency of another ${stalledMs.toFixed(0)} ms (${calmMs.toFixed(0)} ms without them)`,
    );
    expect(growth).toBeLessThan(10 * MIB);
    expect(stalledMs).toBeLessThan(3 * calmMs + 50);

    // Past twice the bound the sockets are cut, and what their streams held is free.
    await eventually('both cut', liveStreams, (count) => count === 1, 25_000);
    stalled.socket.resume();
    await eventually('the end of the socket', () => stalled.closed, Boolean);
    silent.read();
    await eventually('the end of the event stream', () => silent.state.closed, Boolean);

    // Going on from the last cursor that came through, if any did, loses nothing.
    const batches = stalled.messages.flatMap(({ type, payload }) => (type === 'next' ? [payload.data.logEvents] : []));
    const resumed = api.subscribe(LOG_EVENTS, { after: batches.at(-1)?.cursor ?? after });
    const numbers = () =>
      [...batches, ...resumed.received.map(({ logEvents }) => logEvents)].flatMap(({ entries }) =>
        entries.map(({ number }: Json) => Number(number)),
      );
    await resumed.waitFor('the rest', () => numbers().at(-1) === written);
    expect(numbers()).toEqual(numbers().map((_number, index) => start + 2515 + 1 + index));
    await resumed.leave();
    await healthy.leave();
    await eventually('no stream live', liveStreams, (count) => count === 0);
  });
});

describe('A reader that pauses', () => {
  let server: TestServer;
  let account: TestAccount;
  const write = (entries: number) =>
    inAccount(server.app.platform, account.id, async ({ log }) =>
      log(
        ...Array.from({ length: entries }, () => ({
          code: 'ACCOUNT_CHANGED' as const,
          params: { setting: 'x'.repeat(2000) },
        })),
      ),
    );
  /** The number that the log has reached. */
  const end = async () =>
    Number((await account.admin.api.run('{ logEntries(first: 1) { nodes { number } } }')).logEntries.nodes[0].number);

  beforeAll(async () => {
    ({ server, account } = await startWorld({ env: { STREAM_STALL_SECONDS: '4' } }));
  });
  afterAll(() => server.close());

  async function pastTheBound(): Promise<void> {
    const began = performance.now();
    await eventually(
      'the bound',
      () => performance.now() - began,
      (ms) => ms > 4800,
    );
  }

  async function expectRestAfter(cursor: string, next: number): Promise<void> {
    const resumed = account.admin.api.subscribe(LOG_EVENTS, { after: cursor });
    const last = await end();
    const numbers = () =>
      resumed.received.flatMap(({ logEvents }) => logEvents.entries.map(({ number }: Json) => Number(number)));
    await resumed.waitFor('the rest', () => numbers().at(-1) === last);
    expect(numbers()).toEqual(Array.from({ length: last - next + 1 }, (_none, index) => next + index));
    await resumed.leave();
  }

  test('EVT-06 gets STREAM_LAGGED with a cursor when it reads again past the bound, and nothing is lost from there', async () => {
    const { api } = account.admin;
    const first = (await end()) + 1;
    const after = await cursorNow(api);
    for (let round = 0; round < 8; round++) await write(100);
    const reader = await openSocket(api, WIDE_LOG_EVENTS, after);
    reader.socket.pause();
    const stream = openEventStream(api, WIDE_LOG_EVENTS, after);
    await eventually(
      'both streams live',
      () => liveStreams.count,
      (count) => count === 2,
    );
    await pastTheBound();
    reader.socket.resume();
    stream.read();

    const error: Json = await eventually<Json>(
      'the error',
      (): Json => reader.messages.find(({ type }) => type === 'error')?.payload[0],
      Boolean,
    );
    expect(error.extensions).toMatchObject({ code: 'STREAM_LAGGED', cursor: expect.any(String) });
    const entries = reader.messages.flatMap(({ type, payload }) =>
      type === 'next' ? payload.data.logEvents.entries : [],
    );
    expect(entries.map(({ number }: Json) => Number(number))).toEqual(
      entries.map((_entry: Json, index: number) => first + index),
    );
    expect(entries.length).toBeLessThan(800);
    // The socket itself lives: another operation may use it.
    expect(reader.closed).toBe(false);
    await expectRestAfter(error.extensions.cursor, first + entries.length);
    reader.socket.terminate();

    const last: Json = await eventually<Json>(
      'the error',
      (): Json => stream.results().find(({ errors }) => errors)?.errors[0],
      Boolean,
    );
    expect(last.extensions).toMatchObject({ code: 'STREAM_LAGGED', cursor: expect.any(String) });
    await eventually('the end', () => stream.state.text.includes('event: complete'), Boolean);
    const count = stream.results().flatMap(({ data }) => data?.logEvents.entries ?? []).length;
    await expectRestAfter(last.extensions.cursor, first + count);
    stream.socket.destroy();
  });
});

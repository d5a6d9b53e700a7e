import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ApiClient, type TypedDocument } from '../client/api-client.ts';
import { type FakeApi, startFakeApi } from '../test/support/fake-api.ts';
import { SimulatedUser, type UserOptions, type UserOutcome } from './users.ts';

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(async () => {
  await api.close();
});

const newUser = (options: Partial<UserOptions> = {}) =>
  new SimulatedUser({
    apiUrl: api.url,
    account: 'Demo',
    username: 'anna',
    password: 'right',
    stayMs: [30, 30],
    pauseMs: [0, 0],
    keepAliveMs: 10,
    ...options,
  });

describe('a simulated user', () => {
  test('SIM-06 logs in, opens a session, keeps it alive, leaves, and logs out', async () => {
    const user = newUser();
    const outcomes: UserOutcome['kind'][] = [];
    user.on('outcome', ({ kind }) => outcomes.push(kind));
    expect(await user.visit()).toMatchObject({ kind: 'left', ewon: 'Press' });
    await user.leave();
    expect(outcomes).toEqual(['opened', 'left']);
    expect(api.calls.filter((call) => call !== 'keep alive')).toEqual(['login', 'open e1', 'close', 'logout']);
    expect(api.calls).toContain('keep alive');
  });

  test('SIM-06 reports a refusal, an Ewon that is offline, and a session that others ended', async () => {
    const user = newUser({ waitSeconds: 7 });
    let waited: number | undefined;
    api.behaviour.openSession = ({ waitSeconds }) => {
      waited = waitSeconds;
      return { code: 'CONCURRENT_CONNECTION_LIMIT', message: 'No slot.' };
    };
    expect(await user.visit()).toMatchObject({ kind: 'refused', code: 'CONCURRENT_CONNECTION_LIMIT', ewon: 'Press' });
    expect(waited).toBe(7);
    api.behaviour.openSession = () => ({ code: 'EWON_OFFLINE', message: 'Offline.' });
    expect(await user.visit()).toEqual({ kind: 'offline', ewon: 'Press' });
    api.behaviour.openSession = () => ({ session: { id: 's2' } });
    api.behaviour.closeReason = 'BY_ADMINISTRATOR';
    expect(await user.visit()).toMatchObject({ kind: 'cut', code: 'BY_ADMINISTRATOR' });
    api.behaviour.closeReason = 'EWON_OFFLINE';
    expect(await newUser({ stayMs: [0, 0] }).visit()).toMatchObject({ kind: 'cut', code: 'EWON_OFFLINE' });
    api.behaviour.ewons = [{ id: 'e1', name: 'Press', viewerCan: ['MODIFY'] }];
    expect(await user.visit()).toEqual({ kind: 'offline', ewon: undefined });
  });

  test('SIM-06 goes to the Ewon that it is told to', async () => {
    api.behaviour.ewons.push(
      { id: 'e2', name: 'Pump', viewerCan: ['CONNECT_ECATCHER', 'MODIFY'] },
      { id: 'e3', name: 'Mixer', viewerCan: [] },
    );
    const offered: string[] = [];
    const user = newUser({
      choose: (online) => {
        offered.push(...online.map(({ name }) => name));
        return online.find(({ name }) => name === 'Pump');
      },
    });
    expect(await user.visit()).toMatchObject({ kind: 'left', ewon: 'Pump' });
    expect(offered).toEqual(['Press', 'Pump']);
  });

  test('SIM-06 logs in again when its login has ended, and tells a failure without its password', async () => {
    let token = 'expired';
    api.behaviour.login = () => ({ token });
    const user = newUser();
    expect(await user.visit()).toMatchObject({ kind: 'failed', code: 'UNAUTHENTICATED' });
    token = 'token';
    expect(await user.visit()).toMatchObject({ kind: 'left' });
    const stranger = await newUser({ password: 'my secret' }).visit();
    api.behaviour.login = ({ password }) => ({
      code: 'INVALID_CREDENTIALS',
      message: password === 'right' ? '' : 'Supplied credentials are invalid.',
    });
    expect(await newUser({ password: 'my secret' }).visit()).toEqual({
      kind: 'failed',
      code: 'INVALID_CREDENTIALS',
      message: 'Supplied credentials are invalid.',
      retryAfter: undefined,
    });
    expect(JSON.stringify(stranger)).not.toContain('my secret');
  });

  test('SIM-06 works again and again until told to stop, and then leaves in order', async () => {
    const stop = new AbortController();
    const user = newUser({ stayMs: [5, 5] });
    let left = 0;
    user.on('outcome', ({ kind }) => {
      if (kind === 'left' && ++left === 3) stop.abort();
    });
    await user.run(stop.signal);
    expect(api.calls.filter((call) => call === 'login')).toHaveLength(1);
    expect(api.calls.filter((call) => call === 'close')).toHaveLength(3);
    expect(api.calls.at(-1)).toBe('logout');

    // While it tells that it is still there.
    const now = new AbortController();
    const keeper = newUser({ stayMs: [60_000, 60_000], keepAliveMs: 1 });
    const outcomes: UserOutcome['kind'][] = [];
    keeper.on('outcome', ({ kind }) => outcomes.push(kind));
    api.behaviour.onKeepAlive = () => now.abort();
    await keeper.run(now.signal);
    expect(outcomes).toEqual(['opened', 'left']);
    expect(api.calls.slice(-2)).toEqual(['close', 'logout']);

    // In the middle of a session.
    const again = new AbortController();
    const stayer = newUser({ stayMs: [60_000, 60_000], keepAliveMs: 60_000 });
    stayer.on('outcome', ({ kind }) => {
      if (kind === 'opened') again.abort();
    });
    await stayer.run(again.signal);
    expect(api.calls.slice(-2)).toEqual(['close', 'logout']);
  });
});

const document = <Result>(text: string): TypedDocument<Result, Record<string, never>> => ({ toString: () => text });
const COUNT = document<{ count: number }>('subscription { count }');

describe('the client of the API', () => {
  test('API-04 errors outside a result carry their code and request id', async () => {
    const client = new ApiClient({ url: api.url });
    await expect(client.request(document('{ ewons { edges { node { id } } } }'), {})).rejects.toMatchObject({
      name: 'ApiError',
      code: 'UNAUTHENTICATED',
      extensions: { requestId: 'r1' },
    });
    client.setToken('abc');
    expect(await client.request(document('{ token }'), {})).toEqual({ token: 'Bearer abc' });
  });

  test('SIM-01 a server that is silent, absent, or something else is told apart', async () => {
    api.behaviour.hangs = true;
    await expect(
      new ApiClient({ url: api.url, timeoutMs: 50 }).request(document('{ token }'), {}),
    ).rejects.toMatchObject({ code: 'TIMEOUT' });
    const stop = new AbortController();
    const asked = new ApiClient({ url: api.url }).request(document('{ token }'), {}, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    api.behaviour.hangs = false;
    await expect(new ApiClient({ url: `${api.url}/none` }).request(document('{ token }'), {})).rejects.toMatchObject({
      code: 'ANSWER_INVALID',
    });
    await expect(
      new ApiClient({ url: 'http://127.0.0.1:1/graphql' }).request(document('{ token }'), {}),
    ).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  test('EVT-06 a stream gives its events and ends with an error that has code and cursor', async () => {
    const client = new ApiClient({ url: api.url, token: 'abc' });
    api.behaviour.count = [1, 2, 3];
    const seen: number[] = [];
    for await (const { count } of client.subscribe(COUNT, {})) seen.push(count);
    expect(seen).toEqual([1, 2, 3]);
    expect(api.tokens).toEqual(['Bearer abc']);

    api.behaviour.count = [4, { code: 'STREAM_LAGGED', cursor: 'c4' }];
    const read = async () => {
      for await (const { count } of client.subscribe(COUNT, {})) seen.push(count);
    };
    await expect(read()).rejects.toMatchObject({ code: 'STREAM_LAGGED', extensions: { cursor: 'c4' } });
    expect(seen.at(-1)).toBe(4);
    client.close();
  });

  test('SIM-01 a stream ends when its caller leaves, when it is told to, and when the connection breaks', async () => {
    const client = new ApiClient({ url: api.url, timeoutMs: 500 });
    api.behaviour.count = Array.from({ length: 100 }, (_, n) => n);
    for await (const { count } of client.subscribe(COUNT, {})) if (count === 3) break;

    const stop = new AbortController();
    let last = 0;
    for await (const { count } of client.subscribe(COUNT, {}, { signal: stop.signal })) {
      last = count;
      if (count === 5) stop.abort();
    }
    expect(last).toBeLessThan(100);

    api.behaviour.count = [1, 'stay'];
    const broken = (async () => {
      for await (const _ of client.subscribe(COUNT, {}))
        for (const socket of api.webSockets.clients) socket.terminate();
    })();
    await expect(broken).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    client.close();
    await expect(
      new ApiClient({ url: 'http://127.0.0.1:1/graphql' }).subscribe(COUNT, {}).next(),
    ).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { memoryStore } from '../../device-sim/state.ts';
import { STREAM_SUBPROTOCOL } from '../../src/gateway/protocol.ts';
import { StreamSocket } from '../../src/gateway/stream-socket.ts';
import { eventually, type Json } from '../support/client.ts';
import { credentialsOf } from '../support/raw-tunnel.ts';
import type { TestServer } from '../support/server.ts';
import { StreamDevice } from '../support/stream-device.ts';
import {
  CLOSE_SESSION,
  openSession,
  type Person,
  startWorld,
  type TestAccount,
  type TestEwon,
} from '../support/world.ts';

const PLC = '10.0.0.20';
const LIMIT = 12;

let server: TestServer;
let account: TestAccount;
let ewon: TestEwon;
let device: StreamDevice;
let other: { ewon: TestEwon; device: StreamDevice };
let user: Person;
let clients: Client[] = [];

beforeAll(async () => {
  ({ server, account } = await startWorld({
    env: { STREAMS_PER_SESSION: String(LIMIT), STREAM_DIAL_SECONDS: '1', STREAM_REFUSALS_LOGGED: '3' },
  }));
  await account.setSlots(10);
  ({ ewon, device } = await onlineDevice('Pump'));
  other = await onlineDevice('Press');
  user = await account.user('tess', [
    await account.group('Service', [{ poolId: await account.defaultPool(), connectEcatcher: true }]),
  ]);
});
afterAll(async () => {
  device.tunnel.close();
  other.device.tunnel.close();
  await server.close();
});
afterEach(async () => {
  for (const client of clients) await client.leave();
  clients = [];
  device.answer = () => ({ serve: (stream) => stream.pipe(stream) });
});

async function onlineDevice(name: string): Promise<{ ewon: TestEwon; device: StreamDevice }> {
  const stateStore = memoryStore();
  const ewon = await account.ewon({ name }, { lanAddress: '10.0.0.53/24' }, { stateStore });
  const device = new StreamDevice(server, await credentialsOf(stateStore, ewon.device.serialNumber));
  await device.tunnel.hello(ewon.device.facts);
  await eventually(
    'welcome',
    () => device.tunnel.messages,
    (messages) => messages.some(({ type }) => type === 'welcome'),
  );
  return { ewon, device };
}

/** A client that says exactly what a test wants. */
class Client {
  private constructor(
    readonly sessionId: string,
    readonly tunnel: WebSocket,
    readonly streamToken: string,
  ) {}

  static async connect(person: Person = user, ewonId = ewon.id): Promise<Client> {
    const opened = await openSession(person, ewonId, { switch: true });
    const tunnel = new WebSocket(opened.tunnel.url, 'talkgate.session.v1', {
      ca: server.app.platform.authority.certificatePem,
      headers: { authorization: `Bearer ${opened.tunnel.token}` },
    });
    const [data] = await once(tunnel, 'message');
    const client = new Client(opened.session.id, tunnel, JSON.parse(String(data)).streamToken);
    clients.push(client);
    return client;
  }

  /** A stream, or the status and body of its refusal. */
  open(target: string | { address: string; port: number }, token = this.streamToken): Promise<StreamSocket | Json> {
    const query = typeof target === 'string' ? target : `?address=${target.address}&port=${target.port}`;
    const url = `${server.app.gatewayUrls.device.replace(/^http/, 'ws')}/stream${query}`;
    return new Promise((resolve) => {
      const socket = new WebSocket(url, STREAM_SUBPROTOCOL, {
        perMessageDeflate: false,
        ca: server.app.platform.authority.certificatePem,
        headers: { authorization: `Bearer ${token}` },
      });
      socket.once('open', () => {
        const stream = new StreamSocket(socket);
        stream.on('error', () => undefined);
        resolve(stream);
      });
      socket.on('error', () => undefined);
      socket.once('unexpected-response', async (_request, response) => {
        const text = (await buffer(response)).toString();
        resolve({ status: response.statusCode, ...(text && JSON.parse(text)) });
      });
    });
  }

  async stream(port = 502, address = PLC): Promise<StreamSocket> {
    const opened = await this.open({ address, port });
    if (!(opened instanceof StreamSocket)) throw new Error(`Refused: ${JSON.stringify(opened)}`);
    return opened;
  }

  async leave(): Promise<void> {
    if (this.tunnel.readyState === WebSocket.CLOSED) return;
    this.tunnel.close(1000);
    await once(this.tunnel, 'close');
  }
}

const session = async (id: string): Promise<Json> =>
  (
    await account.admin.api.run(
      'query ($id: ID!) { node(id: $id) { ... on Session { state closeReason bytesIn bytesOut } } }',
      { id },
    )
  ).node;
/** Why a stream was cut. */
const cut = (stream: StreamSocket): Promise<Json> =>
  new Promise((resolve) => {
    if (stream.errored) resolve(stream.errored);
    else stream.once('error', resolve);
  });
const setLevel = (level: string, ewonId = ewon.id): Promise<Json> =>
  account.admin.api.succeed(
    `mutation ($input: SetFirewallLevelInput!) { setFirewallLevel(input: $input) { __typename ... on Error { code message } } }`,
    { input: { ewonId, level } },
  );
/** All that a stream receives. The consumers of Node destroy what they have read to its end, with what it still sends. */
const all = async (stream: StreamSocket): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
};
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('TUN-01', () => {
  it('TUN-01 carries bytes unchanged and in order, in both directions at once, and each direction ends by itself', async () => {
    const fromDevice = randomBytes(3_000_017);
    const fromUser = randomBytes(2_000_003);
    let received: Promise<Buffer> | undefined;
    device.answer = () => ({
      serve: (stream) => {
        received = all(stream);
        stream.write(fromDevice.subarray(0, 1_000_000));
        // The rest only after the user has ended: his end must not end this direction.
        stream.once('end', () => stream.end(fromDevice.subarray(1_000_000)));
      },
    });
    const client = await Client.connect();
    const stream = await client.stream();
    const back = all(stream);
    stream.end(fromUser);
    expect(sha256(await back)).toBe(sha256(fromDevice));
    expect(sha256((await received) ?? Buffer.alloc(0))).toBe(sha256(fromUser));
    expect(device.dials.at(-1)).toMatchObject({ address: PLC, port: 502, withinSeconds: 1 });
    await eventually('closed', () => stream.closed, Boolean);
    expect(stream.errored).toBeNull();
  });

  it('TUN-01 the device may end first and goes on receiving', async () => {
    let received: Promise<Buffer> | undefined;
    device.answer = () => ({
      serve: (stream) => {
        stream.end('bye');
        received = all(stream);
      },
    });
    const client = await Client.connect();
    const stream = await client.stream();
    expect((await all(stream)).toString()).toBe('bye');
    stream.write('still ');
    stream.end('here');
    expect(((await received) ?? '').toString()).toBe('still here');
  });

  it('TUN-01 a connection that breaks on one side breaks on the other', async () => {
    device.answer = () => ({ serve: (stream) => void stream.once('data', () => stream.destroy()) });
    const client = await Client.connect();
    const stream = await client.stream();
    stream.resume().write('x');
    expect(await cut(stream)).toMatchObject({ code: 'CONNECTION_LOST' });

    let broken: Promise<Json> | undefined;
    device.answer = () => ({
      serve: (half) => {
        broken = cut(half);
        half.resume();
      },
    });
    const second = await client.stream();
    second.write('x');
    second.destroy();
    await eventually('the half of the device', () => broken, Boolean);
    expect(await broken).toMatchObject({ code: 'CONNECTION_LOST' });
  });
});

describe('TUN-02', () => {
  it('TUN-02 LAN-07 LAN-08 a refusal at the opening names level and rule, is logged, and the device hears nothing of it', async () => {
    const client = await Client.connect();
    const dials = device.dials.length;
    expect(await client.open({ address: '192.168.7.7', port: 80 })).toMatchObject({
      status: 403,
      code: 'STREAM_FORBIDDEN',
      level: 'STANDARD',
      rule: 'LAN-07',
      reason: 'NOT_IN_LAN',
    });
    await setLevel('HIGH');
    expect(await client.open({ address: PLC, port: 502 })).toMatchObject({
      status: 403,
      level: 'HIGH',
      rule: 'LAN-08',
    });
    await setLevel('STANDARD');
    expect(device.dials.length).toBe(dials);
    const [entry] = await eventually(
      'log',
      () => account.log({ codes: ['STREAM_REFUSED'] }),
      (entries) => entries.length === 2,
    );
    expect(entry).toMatchObject({ severity: 'WARNING', userName: 'tess', ewonName: 'Pump' });
    expect(entry.text).toContain('10.0.0.20:502 refused: HIGH, LAN-08');
  });

  it('TUN-02 the log tells of a bounded number of refusals of a session', async () => {
    const client = await Client.connect();
    const before = (await account.log({ codes: ['STREAM_REFUSED'] })).length;
    for (let port = 1; port <= 6; port += 1) await client.open({ address: '192.168.7.7', port });
    await eventually(
      'log',
      () => account.log({ codes: ['STREAM_REFUSED'] }),
      (entries) => entries.length === before + 3,
    );
  });

  it.each([
    ['LAN_DEVICE_REFUSED', 502],
    ['LAN_DEVICE_UNREACHABLE', 502],
    ['DEVICE_BUSY', 502],
    ['LAN_DEVICE_TIMEOUT', 504],
  ] as const)(
    'TUN-02 a device that answers %s: the caller gets it as %i, and other streams go on',
    async (code, status) => {
      const client = await Client.connect();
      const living = await client.stream();
      device.answer = () => ({ fail: code, message: 'no such luck' });
      expect(await client.open({ address: PLC, port: 81 })).toEqual({ status, code, message: 'no such luck' });
      living.write('ping');
      expect(String((await once(living, 'data'))[0])).toBe('ping');
    },
  );

  it('TUN-02 a device that never answers: the wait has an end, and its late token is worth nothing', async () => {
    device.answer = () => ({ ignore: true });
    const client = await Client.connect();
    expect(await client.open({ address: PLC, port: 502 })).toMatchObject({ status: 504, code: 'LAN_DEVICE_TIMEOUT' });
    expect(await device.dialBack(device.dials.at(-1).token)).toBe(401);
  });

  it('TUN-02 the token of a dial is good once, and only for the device that was asked', async () => {
    device.answer = () => ({ ignore: true });
    const client = await Client.connect();
    const opening = client.open({ address: PLC, port: 4711 });
    const dial = await eventually(
      'dial',
      () => device.dials.at(-1),
      (last) => last?.port === 4711,
    );
    const { token } = dial;
    expect(await other.device.dialBack(dial.token)).toBe(401);
    expect(await device.dialBack(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).toBe(401);
    const half = await device.dialBack(dial.token);
    expect(half).toBeInstanceOf(StreamSocket);
    expect(await device.dialBack(dial.token)).toBe(401);
    const stream = await opening;
    (half as StreamSocket).write('mine');
    expect(String((await once(stream, 'data'))[0])).toBe('mine');
  });

  it('TUN-02 a stream needs the token of an open session tunnel, and a target', async () => {
    const client = await Client.connect();
    expect(await client.open('?address=10.0.0.20')).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    expect(await client.open('?address=fe80::1&port=80')).toMatchObject({ status: 400 });
    expect(await client.open({ address: PLC, port: 70_000 })).toMatchObject({ status: 400 });
    expect(await client.open({ address: PLC, port: 80 }, 'x'.repeat(43))).toMatchObject({ status: 401 });
    await client.leave();
    await eventually(
      '401',
      () => client.open({ address: PLC, port: 80 }),
      ({ status }) => status === 401,
    );
  });
});

describe('LAN-16', () => {
  it('LAN-16 TUN-02 a change of level cuts the streams that it forbids at once and leaves the others, and is logged', async () => {
    const client = await Client.connect();
    const forbidden = await client.stream(502);
    const service = await client.stream(80, '10.0.0.53');
    const elsewhere = await (await Client.connect(account.admin, other.ewon.id)).stream(502);
    await setLevel('HIGH');
    expect(await cut(forbidden)).toMatchObject({ code: 'STREAM_FORBIDDEN', reason: 'HIGH LAN-08 DEVICE_NOT_DECLARED' });
    for (const stream of [service, elsewhere]) {
      stream.write('on');
      expect(String((await once(stream, 'data'))[0])).toBe('on');
    }
    const [entry] = await eventually(
      'log',
      () => account.log({ codes: ['STREAMS_CUT'] }),
      ({ length }) => length === 1,
    );
    expect(entry.text).toBe('1 streams of tess through Pump cut: the firewall is HIGH now (LAN-08)');
    await setLevel('STANDARD');
  });
});

describe('TUN-03', () => {
  it.each(['BY_USER', 'BY_ADMINISTRATOR', 'EWON_OFFLINE'] as const)(
    'TUN-03 a session that ends (%s) ends its streams in mid-transfer, and no other',
    async (reason) => {
      const fresh = reason === 'EWON_OFFLINE' ? await onlineDevice('Crane') : { ewon, device };
      fresh.device.answer = () => ({
        serve: (half) => {
          const pour = () => {
            while (!half.destroyed && half.write(randomBytes(32_768)));
          };
          half.on('drain', pour).resume();
          pour();
        },
      });
      const client = await Client.connect(user, fresh.ewon.id);
      const streams = [await client.stream(1), await client.stream(2)];
      for (const stream of streams) stream.resume();
      const elsewhere = await (await Client.connect(account.admin, other.ewon.id)).stream(502);
      await eventually('bytes flow', () => streams.every((stream) => stream.bytesRead > 1_000_000), Boolean);
      if (reason === 'BY_USER') await user.api.succeed(CLOSE_SESSION, { sessionId: client.sessionId });
      else if (reason === 'BY_ADMINISTRATOR')
        await account.admin.api.succeed(CLOSE_SESSION, { sessionId: client.sessionId });
      else fresh.device.tunnel.close();
      for (const stream of streams) expect(await cut(stream)).toMatchObject({ code: 'SESSION_CLOSED', reason });
      elsewhere.write('on');
      expect(String((await once(elsewhere, 'data'))[0])).toBe('on');
      expect(await client.open({ address: PLC, port: 3 })).toMatchObject({
        code: expect.stringMatching(/SESSION_CLOSED|UNAUTHENTICATED/),
      });
    },
  );
});

describe('TUN-04', () => {
  it('TUN-04 a reader that stalls slows the writer down, in either direction, and what was on the way arrives', async () => {
    const halves: StreamSocket[] = [];
    device.answer = () => ({ serve: (half) => void halves.push(half) });
    const client = await Client.connect();
    const stream = await client.stream();
    const [half] = await eventually(
      'half',
      () => halves,
      ({ length }) => length === 1,
    );
    if (!half) throw new Error('no half');
    for (const [writer, reader] of [
      [half, stream],
      [stream, half],
    ] as const) {
      const sent: Buffer[] = [];
      let stalled = false;
      while (!stalled) {
        const chunk = randomBytes(65_536);
        sent.push(chunk);
        stalled = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(true), 700);
          writer.write(chunk, () => {
            clearTimeout(timer);
            resolve(false);
          });
        });
        // What the kernel's buffers of four connections and three processes take is some megabytes.
        expect(sent.length).toBeLessThan(1000);
      }
      const total = sent.reduce((sum, { length }) => sum + length, 0);
      const chunks: Buffer[] = [];
      reader.on('data', (chunk: Buffer) => chunks.push(chunk));
      await eventually(
        'all arrives',
        () => chunks.reduce((sum, { length }) => sum + length, 0),
        (sum) => sum === total,
      );
      expect(sha256(Buffer.concat(chunks))).toBe(sha256(Buffer.concat(sent)));
      reader.removeAllListeners('data').pause();
    }
  });

  it(`TUN-04 a client that opens more than the limit (${LIMIT}) is refused, keeps those it has, and gets more when some end`, async () => {
    const client = await Client.connect();
    const opened = await Promise.all(
      Array.from({ length: 40 }, (_, index) => client.open({ address: PLC, port: index + 1 })),
    );
    const streams = opened.filter((one): one is StreamSocket => one instanceof StreamSocket);
    expect(streams.length).toBe(LIMIT);
    expect(opened.filter(({ status, code }) => status === 429 && code === 'TOO_MANY_STREAMS').length).toBe(40 - LIMIT);
    for (const stream of streams) {
      stream.write('x');
      expect(String((await once(stream, 'data'))[0])).toBe('x');
    }
    streams[0]?.resume().end();
    await eventually(
      'room',
      () => client.open({ address: PLC, port: 502 }),
      (one) => one instanceof StreamSocket,
    );
  });
});

describe('side by side', () => {
  it('TUN-03 a stream that is opened while the gateway looks for ended sessions is not taken for one of them', async () => {
    for (let round = 0; round < 6; round += 1) {
      const both = [await Client.connect(), await Client.connect(account.admin, ewon.id)];
      const ringing = setInterval(() => server.app.platform.bell.ring('ewons'), 1);
      const streams = await Promise.all(both.map((client) => client.stream()));
      await new Promise((resolve) => setTimeout(resolve, 30));
      clearInterval(ringing);
      for (const stream of streams) {
        stream.write('on');
        expect(String((await once(stream, 'data'))[0])).toBe('on');
        stream.resume().end();
      }
    }
  });

  it('TUN-02 TUN-04 whoever opens streams and leaves at once asks the device no more often than one who waits', async () => {
    device.answer = () => ({ ignore: true });
    const client = await Client.connect();
    const before = device.dials.length;
    const url = `${server.app.gatewayUrls.device.replace(/^http/, 'ws')}/stream?address=${PLC}&port=99`;
    for (let count = 0; count < 3 * LIMIT; count += 1) {
      const socket = new WebSocket(url, STREAM_SUBPROTOCOL, {
        ca: server.app.platform.authority.certificatePem,
        headers: { authorization: `Bearer ${client.streamToken}` },
      });
      socket.on('error', () => undefined);
      const dialled = device.dials.length;
      await eventually(
        'asked, or refused',
        () => device.dials.length > dialled || count >= LIMIT,
        (done) => done,
      );
      socket.terminate();
    }
    expect(await client.open({ address: PLC, port: 502 })).toMatchObject({ status: 429 });
    expect(device.dials.length - before).toBe(LIMIT);
    await eventually(
      'room when the device has had its time',
      () => client.open({ address: PLC, port: 502 }),
      ({ status }) => status === 504,
    );
  });

  it('CON-30 a client that sends without end, or does not read the answers, is cut', async () => {
    const client = await Client.connect();
    const closed = once(client.tunnel, 'close');
    for (let count = 0; count < 400; count += 1) client.tunnel.send('{"type":"keepAlive"}');
    expect((await closed)[0]).toBe(4429);
  });

  it('TUN-02 the connection of a refused upgrade ends, whatever the client does', async () => {
    const { hostname, port } = new URL(server.app.gatewayUrls.device);
    const socket = connectTls({
      ...{ host: hostname, port: Number(port), allowHalfOpen: true },
      ca: server.app.platform.authority.certificatePem,
      checkServerIdentity: () => undefined,
    });
    const gone = new Promise((resolve) => socket.once('error', resolve).once('close', resolve));
    socket.write('GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.resume();
    await once(socket, 'end');
    const talking = setInterval(() => socket.write('still here'), 20);
    await gone;
    clearInterval(talking);
    socket.destroy();
  });
});

describe('TUN-05', () => {
  it('TUN-05 CON-29 the bytes of all streams of a session, in and out, are what both ends counted', async () => {
    const halves: StreamSocket[] = [];
    device.answer = () => ({
      serve: (half) => {
        halves.push(half);
        half.on('data', (chunk: Buffer) => half.write(Buffer.concat([chunk, chunk])));
        half.on('end', () => half.end());
      },
    });
    const client = await Client.connect();
    const streams = await Promise.all([1, 2, 3].map((port) => client.stream(port)));
    const received = streams.map((stream) => all(stream));
    for (const [index, stream] of streams.entries()) stream.end(randomBytes(100_000 * (index + 1) + 7));
    const sizes = (await Promise.all(received)).map(({ length }) => length);
    const sent = streams.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
    const back = sizes.reduce((sum, size) => sum + size, 0);
    expect(sent).toBe(600_021);
    expect(back).toBe(1_200_042);
    expect(halves.reduce((sum, { bytesRead }) => sum + bytesRead, 0)).toBe(sent);
    await eventually(
      'counted',
      () => session(client.sessionId),
      ({ bytesIn, bytesOut }) => bytesIn === sent && bytesOut === back,
    );
    client.tunnel.send(JSON.stringify({ type: 'keepAlive' }));
    const [data] = await once(client.tunnel, 'message');
    expect(JSON.parse(String(data))).toEqual({ type: 'keepAlive', bytesIn: sent, bytesOut: back });
  });

  it('CON-29 TUN-05 the bytes of a live stream are added before it ends, and those of a cut one are not lost', async () => {
    const client = await Client.connect();
    const stream = await client.stream();
    stream.resume().write(randomBytes(50_000));
    await eventually(
      'echo',
      () => stream.bytesRead,
      (bytes) => bytes === 50_000,
    );
    await user.api.succeed(CLOSE_SESSION, { sessionId: client.sessionId });
    await eventually(
      'counted',
      () => session(client.sessionId),
      ({ bytesIn, bytesOut }) => bytesIn === 50_000 && bytesOut === 50_000,
    );
    expect(await session(client.sessionId)).toMatchObject({ state: 'CLOSED', closeReason: 'BY_USER' });
  });
});

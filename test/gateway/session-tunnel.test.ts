import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { SessionMessage } from '../../src/gateway/protocol.ts';
import { eventually, type Json } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import {
  CLOSE_SESSION,
  openSession,
  type Person,
  startWorld,
  type TestAccount,
  type TestEwon,
} from '../support/world.ts';

let server: TestServer;
let account: TestAccount;
let ewon: TestEwon;
let user: Person;

beforeAll(async () => {
  ({ server, account } = await startWorld({ env: { KEEP_ALIVE_SECONDS: '1', OFFLINE_AFTER_SECONDS: '60' } }));
  ewon = await account.onlineEwon();
  user = await account.user('tess', [
    await account.group('Service', [{ poolId: await account.defaultPool(), connectEcatcher: true }]),
  ]);
});
afterAll(async () => {
  await ewon.device.disconnect();
  await server.close();
});

/** The client's end of a session tunnel, with what it received. */
class ClientTunnel {
  readonly messages: SessionMessage[] = [];
  closed: { code: number; reason: string } | null = null;
  status: number | null = null;
  readonly socket: WebSocket;

  constructor({ url, token }: { url: string; token: string }) {
    this.socket = new WebSocket(url, 'talkgate.session.v1', {
      ca: server.app.platform.authority.certificatePem,
      headers: { authorization: `Bearer ${token}` },
    });
    this.socket.on('message', (data) => this.messages.push(JSON.parse(data.toString())));
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    this.socket.on('unexpected-response', (_request, response) => {
      this.status = response.statusCode ?? null;
    });
    this.socket.on('error', () => undefined);
  }

  established = () =>
    eventually(
      'established',
      () => this.messages[0],
      (message) => message?.type === 'established',
    );
  ended = () =>
    eventually(
      'end of the tunnel',
      () => this.closed,
      (closed) => closed !== null,
    );
  refused = () =>
    eventually(
      'refusal',
      () => this.status,
      (status) => status !== null,
    );
}

const vpn = async (): Promise<Json> =>
  (await user.api.run('{ viewer { user { vpn { state address current } } } }')).viewer.user.vpn;
const lastSession = async (): Promise<Json> =>
  (await user.api.run('{ sessions(first: 1) { nodes { id state closeReason } } }')).sessions.nodes[0];

it('VPN-02 the state of a user goes from no tunnel over connecting to established, and back', async () => {
  expect(await vpn()).toMatchObject({ state: 'NO_TUNNEL', current: false });
  const { session, tunnel } = await openSession(user, ewon.id);
  expect(await vpn()).toEqual({ state: 'CONNECTING', address: session.userVpnAddress, current: true });
  const client = new ClientTunnel(tunnel);
  expect(await client.established()).toMatchObject({
    userVpnAddress: session.userVpnAddress,
    ewonVpnAddress: session.ewonVpnAddress,
  });
  expect(await vpn()).toMatchObject({ state: 'ESTABLISHED' });
  client.socket.terminate();
  await eventually('connecting again', vpn, ({ state }) => state === 'CONNECTING');
  await user.api.succeed(CLOSE_SESSION, { sessionId: session.id });
  expect(await vpn()).toEqual({ state: 'NO_TUNNEL', address: session.userVpnAddress, current: false });
});

it('CON-10 a client that says goodbye leaves its session, and its slot is free', async () => {
  const { tunnel } = await openSession(user, ewon.id);
  const client = new ClientTunnel(tunnel);
  await client.established();
  client.socket.close(1000);
  await eventually('closed session', lastSession, ({ state }) => state === 'CLOSED');
  expect(await lastSession()).toMatchObject({ closeReason: 'BY_USER' });
  expect((await user.api.run('{ account { slots { inUse } } }')).account.slots.inUse).toBe(0);
});

it('CON-09 the tunnel ends with its session, and tells the close reason', async () => {
  const { session, tunnel } = await openSession(user, ewon.id);
  const client = new ClientTunnel(tunnel);
  await client.established();
  await account.admin.api.succeed(CLOSE_SESSION, { sessionId: session.id });
  expect(await client.ended()).toEqual({ code: 4410, reason: 'BY_ADMINISTRATOR' });
});

it('CON-30 an open tunnel keeps its session alive without any other keep-alive', async () => {
  const { tunnel } = await openSession(user, ewon.id);
  const client = new ClientTunnel(tunnel);
  await client.established();
  const aliveUntil = async () =>
    (await user.api.run('{ sessions(first: 1) { nodes { aliveUntil } } }')).sessions.nodes[0].aliveUntil;
  const before = await aliveUntil();
  client.socket.send('{"type":"keepAlive"}');
  await eventually(
    'keep-alive answered',
    () => client.messages.at(-1)?.type,
    (type) => type === 'keepAlive',
  );
  await eventually('renewed session', aliveUntil, (now) => now > before, 15_000);
  client.socket.send('garbage');
  expect(await client.ended()).toMatchObject({ code: 4400 });
  await account.admin.api.succeed(CLOSE_SESSION, { sessionId: (await lastSession()).id });
});

it('CON-08 a ticket opens one tunnel: used, expired or invented it is refused', async () => {
  const { session, tunnel } = await openSession(user, ewon.id);
  const [first, second] = [new ClientTunnel(tunnel), new ClientTunnel(tunnel)];
  await eventually(
    'one established',
    () => first.messages.length + second.messages.length,
    (count) => count > 0,
  );
  const loser = first.messages.length > 0 ? second : first;
  expect(await loser.refused()).toBe(401);
  const invented = new ClientTunnel({ url: tunnel.url, token: 'x'.repeat(43) });
  expect(await invented.refused()).toBe(401);
  await user.api.succeed(CLOSE_SESSION, { sessionId: session.id });

  const next = await openSession(user, ewon.id);
  server.clock.advance(61_000);
  const late = new ClientTunnel(next.tunnel);
  expect(await late.refused()).toBe(401);
  await user.api.succeed(CLOSE_SESSION, { sessionId: next.session.id });
});

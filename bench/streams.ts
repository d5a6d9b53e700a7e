// One stream through the gateway, from a local port to a TCP server behind a device, against the same bytes over the plainest
// TLS WebSocket relay and, where sshd is installed, over `ssh -L`; all in one run, in turn. Then the gateway's memory while
// fifty streams stall.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocket } from 'ws';
import { fetchAuthority } from '../client/device-port.ts';
import { SessionTunnel } from '../client/session-tunnel.ts';
import { createDevice } from '../device-sim/device.ts';
import { deviceProfile } from '../device-sim/fleet.ts';
import { memoryStore } from '../device-sim/state.ts';
import { credentialsOf } from '../test/support/raw-tunnel.ts';
import type { TestServer } from '../test/support/server.ts';
import { carryTo, StreamDevice } from '../test/support/stream-device.ts';
import { createAccount, percentile, send, startBenched } from './support.ts';

const MIB = 1024 * 1024;
const BYTES = 192 * MIB;
const ROUNDS = 5;
const STALLED = 50;
/** How long the writers of stalled streams may go on until nothing moves. */
const STALL_MS = 8000;
const PASSWORD = 'Bench-pass-1';
const PLC = { address: '10.0.0.20', port: 502 };
const CHUNK = Buffer.alloc(64 * 1024, 7);

type Direction = 'up' | 'down';
/** A way to the machine: connects to it as a local program would. */
interface Way {
  name: string;
  connect(): Promise<Socket>;
}

const closers: (() => unknown)[] = [];
try {
  await run();
} finally {
  for (const close of closers.reverse()) await close();
}

async function run(): Promise<void> {
  const machine = await startMachine();
  const gateway = await throughGateway(machine.port);
  const ways: Way[] = [gateway.way, await throughRelay(machine.port)];
  const ssh = await throughSsh(machine.port);
  if (ssh) ways.push(ssh);
  else console.log('ssh -L: skipped, there is no sshd here');

  const rates = new Map(ways.map(({ name }) => [name, { up: [] as number[], down: [] as number[] }]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const way of ways) {
      for (const direction of ['up', 'down'] as const) {
        const rate = await transfer(way, direction);
        if (round >= 0) rates.get(way.name)?.[direction].push(rate);
      }
    }
  }
  console.log(`${BYTES / MIB} MiB over one connection, ${ROUNDS} rounds in turn, medians`);
  const median = (name: string, direction: Direction) => percentile(rates.get(name)?.[direction] ?? [], 0.5);
  for (const { name } of ways) {
    const [first] = ways;
    const text = (['up', 'down'] as const).map((direction) => {
      const ratio = median(first?.name ?? '', direction) / median(name, direction);
      return `${direction} ${median(name, direction).toFixed(0).padStart(5)} MiB/s${name === first?.name ? '' : ` (talkgate is ${ratio.toFixed(2)} of it)`}`;
    });
    console.log(`${name.padEnd(16)} ${text.join('   ')}`);
  }

  await stall(gateway);
}

/** Whatever the first byte asks for: swallow as many bytes as follow it, or pour them. */
async function startMachine(): Promise<{ port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (first: Buffer) => {
      let left = Number(first.readBigUInt64BE(1));
      if (first[0] === 1) return pour(socket, left);
      left -= first.length - 9;
      socket.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left <= 0) socket.write('.');
      });
    });
  });
  return { port: await listen(server) };
}

function pour(to: Duplex, bytes: number): void {
  let left = bytes;
  const go = () => {
    while (left > 0) {
      const chunk = CHUNK.subarray(0, Math.min(left, CHUNK.length));
      left -= chunk.length;
      if (!to.write(chunk)) return void to.once('drain', go);
    }
  };
  go();
}

function order(what: Direction, bytes: number): Buffer {
  const header = Buffer.alloc(9);
  header[0] = what === 'down' ? 1 : 0;
  header.writeBigUInt64BE(BigInt(bytes), 1);
  return header;
}

/** MiB a second. */
async function transfer(way: Way, direction: Direction): Promise<number> {
  const socket = await way.connect();
  socket.on('error', () => undefined);
  const from = performance.now();
  socket.write(order(direction, BYTES));
  if (direction === 'up') {
    pour(socket, BYTES);
    await once(socket, 'data');
  } else {
    let left = BYTES;
    await new Promise<void>((resolve) =>
      socket.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left <= 0) resolve();
      }),
    );
  }
  const seconds = (performance.now() - from) / 1000;
  socket.destroy();
  return BYTES / MIB / seconds;
}

interface ByGateway {
  way: Way;
  tunnel: SessionTunnel;
  device: StreamDevice;
  /** Resident memory of the platform's process, in MiB. */
  memory(): Promise<number>;
}

async function throughGateway(machinePort: number): Promise<ByGateway> {
  const started = await startBenched({ ENROLMENTS_PER_MINUTE: '1000' });
  closers.push(() => started.kill());
  const api = started.url;
  const token = await createAccount(api, 'bench', PASSWORD);
  const { account } = await send(api, token, '{ account { autoRegistration { registrationKey } } }');
  const { device: deviceUrl, tunnel: tunnelUrl } = started.ready;
  const authority = await fetchAuthority(deviceUrl, { timeoutMs: 10_000 });
  const store = memoryStore();
  const facts = { ...deviceProfile('bench', 0).facts, lanAddress: '10.0.0.53/24' };
  const enrolled = await createDevice({ facts, stateStore: store, platform: { deviceUrl, authority } });
  await enrolled.register({ registrationKey: account.autoRegistration.registrationKey });
  const { ewons } = await send(api, token, '{ ewons { nodes { id } } }');
  const [{ id }] = ewons.nodes;
  await send(api, token, 'mutation ($id: ID!) { approveEwon(input: { ewonId: $id }) { __typename } }', { id });
  // The device as the tests have it: it only dials and pipes.
  const platform = {
    app: { gatewayUrls: { tunnel: tunnelUrl }, platform: { authority: { certificatePem: authority } } },
  };
  const device = new StreamDevice(platform as unknown as TestServer, await credentialsOf(store, facts.serialNumber));
  device.answer = () => ({ serve: carryTo(machinePort) });
  await device.tunnel.hello(facts);
  while (!device.tunnel.messages.some(({ type }) => type === 'welcome')) await pause(20);
  const { openSession } = await send(
    api,
    token,
    'mutation ($id: ID!) { openSession(input: { ewonId: $id, client: ECATCHER }) { ... on OpenSessionSuccess { tunnel { url token } } } }',
    { id },
  );
  const tunnel = await SessionTunnel.open(openSession.tunnel, { authority });
  closers.push(
    () => tunnel.destroy(),
    () => device.tunnel.close(),
  );
  const port = await forward(() => tunnel.openStream(PLC));
  const metrics = new URL('/metrics', api);
  return {
    way: { name: 'talkgate', connect: () => dial(port) },
    tunnel,
    device,
    memory: async () => {
      const text = await (await fetch(metrics)).text();
      return Number(/^process_resident_memory_bytes ([\d.e+]+)/m.exec(text)?.[1]) / MIB;
    },
  };
}

async function throughRelay(machinePort: number): Promise<Way> {
  const relay = spawn(process.execPath, ['--import', 'tsx', 'bench/peers/relay.ts'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closers.push(() => end(relay));
  const [line] = await once(createInterface({ input: relay.stdout }), 'line');
  const { port, ca } = JSON.parse(String(line)) as { port: number; ca: string };
  const half = async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}`, { ca, perMessageDeflate: false });
    await once(socket, 'open');
    return createWebSocketStream(socket);
  };
  const local = await forward(async () => {
    const far = await half();
    carryTo(machinePort)(far as Parameters<ReturnType<typeof carryTo>>[0]);
    return half();
  });
  return { name: 'plain relay', connect: () => dial(local) };
}

/** A connection through `ssh -L` between an ssh and an sshd of our own, with keys of our own, on loopback. */
async function throughSsh(machinePort: number): Promise<Way | null> {
  const sshd = ['/usr/sbin/sshd', '/usr/bin/sshd'].find((path) => existsSync(path));
  if (!sshd) return null;
  const folder = mkdtempSync(join(tmpdir(), 'talkgate-bench-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  for (const key of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
  execFileSync('cp', [join(folder, 'user.pub'), join(folder, 'authorized')]);
  chmodSync(join(folder, 'authorized'), 0o600);
  const [port, local] = [await freePort(), await freePort()];
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized')}`,
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    'PasswordAuthentication no',
  ];
  writeFileSync(join(folder, 'config'), `${settings.join('\n')}\n`);
  if (userInfo().uid === 0) execFileSync('mkdir', ['-p', '/run/sshd']);
  const server = spawn(sshd, ['-D', '-e', '-f', join(folder, 'config')], { stdio: 'ignore' });
  closers.push(() => end(server));
  await reachable(port);
  const options = ['UserKnownHostsFile=/dev/null', 'StrictHostKeyChecking=no', 'LogLevel=ERROR', 'Compression=no'];
  const client = spawn(
    'ssh',
    ['-N', '-F', '/dev/null', '-i', join(folder, 'user'), ...options.flatMap((option) => ['-o', option])].concat([
      '-p',
      String(port),
      '-L',
      `127.0.0.1:${local}:127.0.0.1:${machinePort}`,
      `${userInfo().username}@127.0.0.1`,
    ]),
    { stdio: 'ignore' },
  );
  closers.push(() => end(client));
  await reachable(local);
  return { name: 'ssh -L', connect: () => dial(local) };
}

/** Fifty clients that ask for much and read nothing: what the gateway keeps for them. */
async function stall({ tunnel, device, memory }: ByGateway): Promise<void> {
  let poured = 0;
  device.answer = () => ({
    serve: (half) => {
      half.resume();
      const go = () => {
        while (!half.destroyed) {
          poured += CHUNK.length;
          if (!half.write(CHUNK)) return void half.once('drain', go);
        }
      };
      go();
    },
  });
  const before = await memory();
  const streams = await Promise.all(Array.from({ length: STALLED }, () => tunnel.openStream(PLC)));
  const until = performance.now() + STALL_MS;
  let peak = 0;
  let last = -1;
  while (performance.now() < until || poured !== last) {
    last = poured;
    peak = Math.max(peak, await memory());
    await pause(500);
  }
  console.log(
    `${STALLED} streams stalled: ${(poured / MIB).toFixed(0)} MiB were written until nothing moved, kernel buffers included; the platform's memory ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most (+${((peak - before) / STALLED).toFixed(2)} MiB a stream)`,
  );
  for (const stream of streams) stream.destroy();
}

async function forward(open: () => Promise<Duplex>): Promise<number> {
  return listen(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      open().then(
        (stream) => {
          stream.on('error', () => socket.destroy());
          socket.on('close', () => stream.destroy());
          socket.pipe(stream).pipe(socket);
        },
        (error: unknown) => {
          console.error(error);
          socket.destroy();
        },
      );
    }),
  );
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

async function reachable(port: number): Promise<void> {
  for (let left = 100; left > 0; left--) {
    const socket = await dial(port).catch(() => null);
    if (socket) return void socket.destroy();
    await pause(100);
  }
  throw new Error(`Nothing listens on ${port}.`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill();
    await once(child, 'exit');
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

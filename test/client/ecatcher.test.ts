import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import modbus from 'modbus-serial';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import { openAuthority } from '../../src/certificates/authority.ts';
import { eventually, type Json } from '../support/client.ts';
import { EcatcherRun, type RunOptions } from '../support/ecatcher.ts';
import { lastMessage } from '../support/messages.ts';
import { setSecondFactor } from '../support/second-factor.ts';
import type { TestServer } from '../support/server.ts';
import { tcpServer } from '../support/stream-device.ts';
import { change } from '../support/users.ts';
import {
  CLOSE_SESSION,
  openSession,
  type Person,
  startWorld,
  TestAccount,
  type TestEwon,
  USER_PASSWORD,
} from '../support/world.ts';

// The module is its class; its types say that it has one.
const Modbus = modbus as unknown as typeof modbus.default;
const run = promisify(execFile);
const MIB = 1024 * 1024;
const PLC = '10.0.0.20';
/** Where the machine of each test listens. */
const MACHINE = '10.0.0.40:9000';

let server: TestServer;
let account: TestAccount;
let ewon: TestEwon;
let folder: string;
let serviceGroup: string;
let machine: Awaited<ReturnType<typeof tcpServer>>;
/** What the machine does with a connection. */
let serve: (socket: Socket) => void = () => undefined;
const served: Socket[] = [];
let runs: EcatcherRun[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'talkgate-ecatcher-'));
  machine = await tcpServer((socket) => {
    served.push(socket);
    serve(socket);
  });
  ({ server, account } = await startWorld({ env: { SLOTS_BASE_PRO: '1' } }));
  ewon = await account.onlineEwon({ name: 'Pump' }, { lanAddress: '10.0.0.53/24' }, { lan: lanOptions() });
  serviceGroup = await account.group('Service', [{ poolId: await account.defaultPool(), connectEcatcher: true }]);
  await account.user('tess', [serviceGroup]);
});
afterAll(async () => {
  await ewon.device.disconnect();
  await server.close();
  machine.close();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  await Promise.all(runs.map((running) => running.stop()));
  runs = [];
  for (const socket of served.splice(0)) socket.destroy();
});

const lanOptions = () => ({
  services: [
    { address: PLC, port: 502, kind: 'modbus' as const },
    { address: PLC, port: 80, kind: 'http' as const },
    { address: '10.0.0.40', port: 9000, kind: 'forward' as const, toPort: machine.port },
    { address: '10.0.0.50', port: 1, kind: 'refuse' as const },
  ],
});

function ecatcher(line: string[], options: RunOptions = {}): EcatcherRun {
  const running = new EcatcherRun([...line, '--config', join(folder, 'config')], {
    ...options,
    env: { TALKGATE_API: `${server.url}/graphql`, ...options.env },
  });
  runs.push(running);
  return running;
}

const as = (username: string, of: TestAccount = account): string[] => ['--account', of.name, '--username', username];
const PASSWORD = { env: { TALKGATE_PASSWORD: USER_PASSWORD } };

/** Runs a command to its end. */
async function done(line: string[], options: RunOptions = PASSWORD) {
  const running = ecatcher(line, options);
  const status = await running.ended;
  return { status, stdout: running.stdout, stderr: running.stderr };
}

/** Connects tess to the Ewon with forwards; the local ports in their order. */
async function connected(targets: string[], line: string[] = [], options: RunOptions = PASSWORD) {
  const forwards = targets.flatMap((target) => ['--forward', `0:${target}`]);
  const running = ecatcher(['connect', 'pump', ...as('tess'), '--json', ...forwards, ...line], options);
  const connected = await running.event('connected');
  const ports = connected.forwards.map(({ listen }: Json) => Number(listen.split(':')[1])) as [number, ...number[]];
  return { running, connected, ports, port: ports[0] };
}

function local(port: number): Socket {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  return socket;
}

/** The end of a connection: the code of its error, or undefined for an orderly one. */
function closeOf(socket: Socket): Promise<string | undefined> {
  let code: string | undefined;
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  return new Promise((resolve) => {
    if (socket.closed) resolve(code);
    socket.once('close', () => resolve(code));
  });
}

/** Reads to the end, and leaves the other direction open, as an async iterator would not. */
async function read(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'end');
  return text;
}

/** {@link read}, of much. */
async function readAll(socket: Socket): Promise<{ bytes: number; hash: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  await once(socket, 'end');
  return { bytes, hash: hash.digest('hex') };
}

const inUse = async (of: TestAccount = account): Promise<number> =>
  (await of.admin.api.run('{ account { slots { inUse } } }')).account.slots.inUse;
const session = async (id: string): Promise<Json> =>
  (
    await account.admin.api.run(
      'query ($id: ID!) { node(id: $id) { ... on Session { state closeReason bytesIn bytesOut } } }',
      { id },
    )
  ).node;
const setLevel = (level: string): Promise<Json> =>
  account.admin.api.succeed(
    'mutation ($input: SetFirewallLevelInput!) { setFirewallLevel(input: $input) { __typename ... on Error { code message } } }',
    { input: { ewonId: ewon.id, level } },
  );

describe('TUN-06 what reaches a machine of the LAN by a local port', () => {
  it('TUN-06 TUN-01 curl, fetch, a Modbus client and mbpoll, none of which knows of it', async () => {
    const { ports, running } = await connected([`${PLC}:80`, `${PLC}:502`]);
    const [http, modbus = 0] = ports;
    const page = await (await fetch(`http://127.0.0.1:${http}/`)).text();
    expect(page).toContain('<html');
    const { stdout } = await run('curl', ['-sS', '--max-time', '10', `http://127.0.0.1:${http}/`]);
    expect(stdout).toContain('<html');

    const client = new Modbus();
    await client.connectTCP('127.0.0.1', { port: modbus });
    client.setID(1);
    await client.writeRegister(40, 4711);
    expect((await client.readHoldingRegisters(40, 1)).data).toEqual([4711]);
    await new Promise<void>((resolve) => client.close(() => resolve()));
    expect(await mbpoll(modbus, 40)).toBe(4711);
    expect(await running.stop()).toBe(0);
  });

  it('TUN-06 TUN-01 TUN-05 16 MiB each way arrive as they were sent; both ends and the session count the same', async () => {
    const [there, back] = [randomBytes(16 * MIB), randomBytes(16 * MIB)];
    const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
    const received: { bytes: number; hash: string }[] = [];
    serve = (socket) => {
      void readAll(socket).then((all) => received.push(all));
      socket.end(back);
    };
    const { running, connected: opened, port } = await connected([MACHINE]);
    const socket = local(port);
    socket.end(there);
    expect(await readAll(socket)).toEqual({ bytes: back.length, hash: sha256(back) });
    await eventually(
      'all at the machine',
      () => received.length,
      (count) => count === 1,
    );
    expect(received).toEqual([{ bytes: there.length, hash: sha256(there) }]);
    expect(await running.stop()).toBe(0);
    const counts = { bytesIn: there.length, bytesOut: back.length };
    expect(await running.event('ended')).toMatchObject({ code: 'BY_CLIENT', ...counts });
    await eventually(
      'bytes of the session',
      () => session(opened.sessionId),
      ({ bytesIn }) => bytesIn > 0,
    );
    expect(await session(opened.sessionId)).toEqual({ state: 'CLOSED', closeReason: 'BY_USER', ...counts });
  });

  it('TUN-06 TUN-01 either side may end its direction first, and goes on receiving', async () => {
    const { port } = await connected([MACHINE]);
    // The client ends; the machine answers with what it got, after the end.
    serve = (socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('end', () => socket.end(`got ${Buffer.concat(chunks)}`));
    };
    const first = local(port);
    first.end('question');
    expect(await read(first)).toBe('got question');
    expect(await closeOf(first)).toBeUndefined();
    // The machine ends at once; the client goes on sending.
    serve = (socket) => void socket.end('bye');
    const second = local(port);
    expect(await read(second)).toBe('bye');
    const heard = read(served.at(-1) as Socket);
    second.end('still here');
    expect(await heard).toBe('still here');
    expect(await closeOf(second)).toBeUndefined();
  });

  it('TUN-06 TUN-01 a reset stays a reset, in both directions', async () => {
    const { port, running } = await connected([MACHINE]);
    let brokenThere: Promise<string | undefined> | undefined;
    serve = (socket) => {
      brokenThere = closeOf(socket);
      socket.write('hello');
      socket.resume();
    };
    const first = local(port);
    await once(first, 'data');
    first.resetAndDestroy();
    expect(await brokenThere).toBe('ECONNRESET');
    serve = (socket) => void socket.once('data', () => socket.resetAndDestroy());
    const second = local(port);
    second.write('hello');
    expect(await closeOf(second.resume())).toBe('ECONNRESET');
    expect(await running.event('cut')).toMatchObject({ target: MACHINE });
  });

  it('TUN-06 TUN-04 a machine that does not read makes its client wait', async () => {
    const { port } = await connected([MACHINE]);
    serve = (socket) => void socket.pause();
    const socket = local(port);
    const block = Buffer.alloc(MIB);
    let written = 0;
    let full = false;
    while (!full && written < 256) {
      written += 1;
      if (socket.write(block)) continue;
      full = await Promise.race([
        once(socket, 'drain').then(() => false),
        new Promise<true>((resolve) => setTimeout(resolve, 500, true)),
      ]);
    }
    expect(full).toBe(true);
    // What the four connections on the way hold in the kernel, which grows to a few MiB each.
    expect(written).toBeLessThan(100);
    socket.destroy();
  });

  it('TUN-06 TUN-02 a refused stream resets its connection, and one line names code and rule', async () => {
    const { running, ports } = await connected([MACHINE, '10.0.0.50:1']);
    const [port, refusing = 0] = ports;
    await setLevel('HIGH');
    try {
      expect(await closeOf(local(port).resume())).toBe('ECONNRESET');
    } finally {
      await setLevel('STANDARD');
    }
    expect(await running.event('refused')).toMatchObject({
      target: MACHINE,
      code: 'STREAM_FORBIDDEN',
      level: 'HIGH',
      rule: 'LAN-08',
      reason: 'DEVICE_NOT_DECLARED',
    });
    expect(await closeOf(local(refusing).resume())).toBe('ECONNRESET');
    expect(await running.event('refused', 1)).toMatchObject({ target: '10.0.0.50:1', code: 'LAN_DEVICE_REFUSED' });
    expect(await inUse()).toBe(1);

    // For people it is one line, and listening is on loopback alone.
    await running.stop();
    const forwards = ['-f', '0:10.0.0.50:1', '-f', `0:${MACHINE}`];
    const plain = ecatcher(['connect', 'Pump', ...as('tess'), ...forwards], PASSWORD);
    const told = await eventually('port', () => /127\.0\.0\.1:(\d+) leads to/.exec(plain.stderr)?.[1], Boolean);
    await closeOf(local(Number(told)).resume());
    await eventually(
      'line',
      () => plain.stderr,
      (text) => /^10\.0\.0\.50:1 refused: .*\(LAN_DEVICE_REFUSED\)$/m.test(text),
    );
    await setLevel('HIGH');
    try {
      await closeOf(local(Number(/:(\d+) leads to 10\.0\.0\.40/.exec(plain.stderr)?.[1])).resume());
    } finally {
      await setLevel('STANDARD');
    }
    await eventually(
      'one clause with code and rule',
      () => plain.stderr.split('\n'),
      (lines) =>
        lines.includes(`${MACHINE} refused by the firewall: HIGH, LAN-08, DEVICE_NOT_DECLARED (STREAM_FORBIDDEN)`),
    );
    expect(plain.stderr).not.toContain('No port is forwarded');
    expect((await done(['status'], {})).stdout).toMatch(/, \d+ bytes to the Ewon, \d+ bytes back\n/);
    await plain.stop();

    const none = ecatcher(['connect', 'Pump', ...as('tess')], PASSWORD);
    await eventually(
      'hint',
      () => none.stderr,
      (text) => /^No port is forwarded: --forward 1502:/m.test(text),
    );
  });

  it('TUN-06 TUN-03 a session that an Administrator closes in mid-transfer ends its connections, and the command says why', async () => {
    const { running, connected: opened, port } = await connected([MACHINE]);
    serve = (socket) => {
      const more = () => void (socket.destroyed || socket.write(Buffer.alloc(65_536), () => setTimeout(more, 5)));
      more();
    };
    const socket = local(port);
    await once(socket, 'data');
    const closed = closeOf(socket.resume());
    await account.admin.api.succeed(CLOSE_SESSION, { sessionId: opened.sessionId });
    expect(await closed).toBe('ECONNRESET');
    expect(await running.ended).toBe(1);
    expect(await running.event('ended')).toMatchObject({ code: 'SESSION_CLOSED', reason: 'BY_ADMINISTRATOR' });
    expect(await closeOf(local(port))).toBe('ECONNREFUSED');
  });

  it('TUN-06 SIM-05 a device that stops with a live stream is gone within two seconds, and so is the connection', async () => {
    const valve = await account.onlineEwon({ name: 'Valve' }, {}, { lan: lanOptions() });
    serve = (socket) => void socket.pipe(socket);
    const line = ['connect', 'Valve', ...as('tess'), '--json', '--forward', `0:${MACHINE}`];
    const running = ecatcher(line, PASSWORD);
    const [forward] = (await running.event('connected')).forwards;
    const socket = local(Number(forward.listen.split(':')[1]));
    socket.write('hello');
    await once(socket, 'data');
    const closed = closeOf(socket.resume());
    const start = performance.now();
    await valve.device.disconnect();
    await eventually(
      'end at the machine',
      () => served.every(({ closed }) => closed),
      (all) => all,
    );
    expect(performance.now() - start).toBeLessThan(2000);
    expect(await closed).toBe('ECONNRESET');
    expect(await running.ended).toBe(1);
    await account.admin.api.succeed(
      'mutation ($ewonId: ID!) { removeEwon(input: { ewonId: $ewonId, confirm: true }) { __typename ... on Error { code message } } }',
      { ewonId: valve.id },
    );
  });

  it('TUN-06 a tunnel that the gateway cuts is opened again for the same session', async () => {
    const sockets: Socket[] = [];
    const gather = (message: unknown) => void sockets.push((message as { socket: Socket }).socket);
    diagnostics.subscribe('net.server.socket', gather);
    const { running, connected: opened, port } = await connected([MACHINE]);
    diagnostics.unsubscribe('net.server.socket', gather);
    const devicePort = Number(new URL(server.app.gatewayUrls.device).port);
    for (const socket of sockets) if (socket.localPort === devicePort) socket.destroy();
    expect(await running.event('lost')).toMatchObject({ code: 'CONNECTION_LOST' });
    serve = (socket) => void socket.end('here again');
    // A connection that comes meanwhile waits.
    const socket = local(port);
    expect(await read(socket)).toBe('here again');
    await running.event('restored');
    expect(await session(opened.sessionId)).toMatchObject({ state: 'OPEN' });
    expect(await inUse()).toBe(1);
    expect(await running.stop()).toBe(0);
    expect(await session(opened.sessionId)).toMatchObject({ state: 'CLOSED', closeReason: 'BY_USER' });
  });
});

describe('TUN-06 the command itself', () => {
  it('TUN-06 WTL-01 WTL-02 WTL-03 waiting for a connection shows the place, and leaving gives it up', async () => {
    const crowded = await TestAccount.create(server);
    const pump = await crowded.onlineEwon({ name: 'Pump' });
    const group = await crowded.group('Service', [{ poolId: await crowded.defaultPool(), connectEcatcher: true }]);
    const [anna] = [
      await crowded.user('anna', [group]),
      await crowded.user('ben', [group]),
      await crowded.user('carl', [group]),
    ] as [Person, ...Person[]];
    const held = await openSession(anna, pump.id);

    const refused = await done(['connect', 'Pump', ...as('ben', crowded)]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(
      /1 of 1 in use, you may use 1\. Held by .* since .*\(CONCURRENT_CONNECTION_LIMIT\)\n$/,
    );

    // A port that is taken is told before the login, and so before any connection is asked for.
    const taken = await done(['connect', 'Pump', ...as('ben', crowded), '-f', `${machine.port}:10.0.0.30:7`], {
      env: { TALKGATE_PASSWORD: 'wrong' },
    });
    expect(taken).toMatchObject({ status: 1, stderr: expect.stringMatching(/^Cannot listen .*\(LISTEN_FAILED\)\n$/) });

    const free = await tcpServer(() => undefined);
    free.close();
    const wait = ['--wait', '60s', '--json'];
    const echo = ['--forward', `${free.port}:10.0.0.30:7`];
    const ben = ecatcher(['connect', 'Pump', ...as('ben', crowded), ...wait, ...echo], PASSWORD);
    expect(await ben.event('queued')).toMatchObject({ position: 1 });
    const early = local(free.port);
    early.write('early');
    const carl = ecatcher(['connect', 'Pump', ...as('carl', crowded), ...wait], PASSWORD);
    expect(await carl.event('queued')).toMatchObject({ position: 2 });
    await anna.api.succeed(CLOSE_SESSION, { sessionId: held.session.id });
    expect(await ben.event('connected')).toMatchObject({ ewon: 'Pump' });
    // What came to the port before there was a session has waited for it.
    expect(String(await once(early, 'data'))).toBe('early');
    early.destroy();
    const twice = await done(['connect', 'Pump', ...as('ben', crowded)]);
    expect(twice.stderr).toMatch(/ With --switch it is ended first\. \(USER_ALREADY_CONNECTED\)\n$/);
    expect(await carl.event('queued', 1)).toMatchObject({ position: 1 });

    expect(await carl.stop()).toBe(130);
    expect(await inUse(crowded)).toBe(1);
    expect(await server.app.platform.db.slotWaiter.count({ where: { accountId: crowded.id, state: 'WAITING' } })).toBe(
      0,
    );
    expect(await ben.stop()).toBe(0);
    expect(await inUse(crowded)).toBe(0);
    // The logins of both have ended with the commands.
    expect(
      await server.app.platform.db.login.count({
        where: { user: { username: { in: ['ben', 'carl'] }, accountId: crowded.id }, revokedAt: null },
      }),
    ).toBe(2); // those of the test itself
    await pump.device.disconnect();
  });

  it('TUN-06 TFA-04 TFA-31 TFA-32 a login asks for the code, a remembered PC for none; the folder is the user’s alone', async () => {
    const sam = await account.user('sam', [serviceGroup]);
    const mobile = '+32470998877';
    await setSecondFactor(account.admin.api, { userId: sam.id, method: 'SMS', mobile });
    const smsCode = async () => (await lastMessage(server, mobile, 'CODE_BY_SMS')).code;
    const secrets = ['--password-file', '-', '--code-file', '-'];

    const without = await done(['login', ...as('sam')]);
    expect(without).toMatchObject({ status: 1, stdout: '' });
    expect(without.stderr).toMatch(/\(SECOND_FACTOR_REQUIRED\)\n$/);

    const login = await done(['login', ...as('sam'), '--remember-pc', ...secrets], {
      stdin: [() => USER_PASSWORD, smsCode],
    });
    expect(login).toMatchObject({ status: 0, stderr: '' });
    for (const name of ['login.json', 'remembered.json']) {
      expect((await stat(join(folder, 'config', name))).mode & 0o777).toBe(0o600);
      expect(await readFile(join(folder, 'config', name), 'utf8')).not.toContain(USER_PASSWORD);
    }
    const listed = JSON.parse((await done(['list', '--json'], {})).stdout);
    expect(listed).toMatchObject([{ name: 'Pump', status: 'ONLINE' }]);
    expect((await done(['list'], {})).stdout).toMatch(/^NAME .*\nPump +DEV\d+ +ONLINE +yes /);

    const leave = await done(['logout'], {});
    expect(leave).toMatchObject({ status: 0, stdout: 'Logged out.\n' });
    expect((await done(['list'], {})).stderr).toMatch(/^There is no stored login/);
    expect((await done(['login', ...as('sam')])).status).toBe(0);

    // A login that was ended elsewhere is forgotten.
    await account.admin.api.succeed(
      'mutation ($userId: ID!) { withdrawRememberedPcs(input: { userId: $userId }) { __typename ... on Error { code } } }',
      { userId: sam.id },
    );
    await server.app.platform.db.login.updateMany({
      where: { user: { username: 'sam' } },
      data: { revokedAt: new Date() },
    });
    const ended = await done(['list'], {});
    expect(ended.stderr).toBe('The stored login has ended; log in again. (LOGIN_EXPIRED)\n');

    // At a terminal: a wrong code is asked for again.
    const questions: string[] = [];
    const answers = [() => USER_PASSWORD, () => '0', smsCode];
    const asked = await done(['login', ...as('sam')], {
      ask: async (question) => {
        questions.push(question);
        return (await answers.shift()?.()) ?? '';
      },
    });
    expect(asked.status).toBe(0);
    expect(questions).toEqual([
      expect.stringMatching(/^Password of sam@/),
      expect.stringMatching(/^Code sent to .*77/),
      expect.stringMatching(/^The code is wrong\.\nCode sent to/),
    ]);
    await done(['logout'], {});
  });

  it('TUN-06 what has to be done before a login, and a wrong password, are told with their code', async () => {
    const [changing, enrolling] = [
      await account.user('chris', [serviceGroup]),
      await account.user('erin', [serviceGroup]),
    ];
    await change(account.admin, 'forcePasswordChange', { userId: changing.id });
    await setSecondFactor(account.admin.api, { userId: enrolling.id, method: 'SMS' });
    expect((await done(['list', ...as('chris')])).stderr).toMatch(/\(PASSWORD_CHANGE_REQUIRED\)\n$/);
    expect((await done(['list', ...as('erin')])).stderr).toMatch(/\(SECOND_FACTOR_ENROLMENT_REQUIRED\)\n$/);
    const wrong = await done(['list', ...as('tess')], { env: { TALKGATE_PASSWORD: 'wrong' } });
    expect(wrong).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/ are invalid\. \(INVALID_CREDENTIALS\)\n$/),
    });
    const unknown = await done(['connect', 'nowhere', ...as('tess')]);
    expect(unknown).toMatchObject({ status: 1, stderr: 'You see no Ewon "nowhere". (NOT_FOUND)\n' });
  });

  it('TUN-06 LAN-15 reach says what the firewall lets through, and by which rule', async () => {
    const open = await done(['reach', 'Pump', `${PLC}:502`, ...as('tess')]);
    expect(open).toMatchObject({
      status: 0,
      stdout: `${PLC}:502 is reachable by LAN-07 (STANDARD, ANY_LAN_ADDRESS).\n`,
    });
    const outside = await done(['reach', 'Pump', '10.9.9.9:502', ...as('tess')]);
    expect(outside).toMatchObject({ status: 1, stdout: expect.stringContaining('is not reachable by LAN-07') });
  });

  it('TUN-06 WAK-02 wake sends the message and waits for the Ewon; one that is always connected is not woken', async () => {
    const boiler = await account.ewon({ name: 'Boiler' });
    const refused = await done(['wake', 'Boiler', ...as('tess')]);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringMatching(/\(WAKE_UP_NOT_CONFIGURED\)\n$/) });
    const properties = { connectionMode: 'ON_DEMAND', wakeUpNumber: '+32470123456' };
    await account.admin.api.succeed(
      'mutation ($input: UpdateEwonInput!) { updateEwon(input: $input) { __typename ... on Error { code message } } }',
      { input: { ewonId: boiler.id, properties } },
    );
    const waking = ecatcher(['wake', boiler.name, ...as('tess'), '--json'], PASSWORD);
    const { db } = server.app.platform;
    await eventually(
      'message',
      () => db.message.count({ where: { recipient: '+32470123456' } }),
      (count) => count === 1,
    );
    await boiler.device.connect();
    expect(await waking.ended).toBe(0);
    expect(JSON.parse(waking.stdout)).toEqual({ ewon: 'Boiler', status: 'ONLINE' });
    await boiler.device.disconnect();
    await account.admin.api.succeed(
      'mutation ($ewonId: ID!) { removeEwon(input: { ewonId: $ewonId, confirm: true }) { __typename ... on Error { code message } } }',
      { ewonId: boiler.id },
    );
  });

  it('TUN-06 the authority that was met first is kept; another one in its place is refused and named', async () => {
    const other = (await openAuthority({ dataDir: undefined, caDays: 1 })).certificatePem;
    const known = join(folder, 'config', 'authorities.json');
    const origin = server.app.gatewayUrls.device;
    const { running } = await connected([]);
    await running.stop();
    const authorities = JSON.parse(await readFile(known, 'utf8'));
    expect(authorities[origin].trim()).toBe(server.app.platform.authority.certificatePem.trim());

    await writeFile(known, JSON.stringify({ [origin]: other }));
    const changed = await done(['connect', 'Pump', ...as('tess')]);
    expect(changed.status).toBe(1);
    expect(changed.stderr).toMatch(
      /has changed: known here is SHA256:\S+, it now shows SHA256:.*\(AUTHORITY_CHANGED\)\n$/,
    );
    expect(await inUse()).toBe(0);

    const [right, wrong] = [join(folder, 'right.pem'), join(folder, 'wrong.pem')];
    await writeFile(right, server.app.platform.authority.certificatePem);
    await writeFile(wrong, other);
    const refused = await done(['connect', 'Pump', ...as('tess'), '--ca', wrong]);
    expect(refused.stderr).toMatch(/\(PLATFORM_NOT_TRUSTED\)\n$/);
    const { running: trusted } = await connected([], ['--ca', right]);
    expect(await trusted.stop()).toBe(0);
    await rm(known);
  });

  it('TUN-06 Ctrl-C ends the process in an orderly way: its slot is free, its login ended, and status no longer shows it', async () => {
    const config = join(folder, 'config');
    const line = ['connect', 'Pump', ...as('tess'), '--forward', `0:${PLC}:80`, '--config', config];
    const child = spawn(process.execPath, ['--import', 'tsx', 'client/main.ts', ...line], {
      env: { ...process.env, TALKGATE_API: `${server.url}/graphql`, TALKGATE_PASSWORD: USER_PASSWORD },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const exited = once(child, 'exit');
    await eventually(
      'start',
      () => said,
      (text) => text.includes('Ctrl-C ends it.'),
      25_000,
    );
    expect(await inUse()).toBe(1);
    const shown = await done(['status', '--json'], {});
    expect(shown.status).toBe(0);
    expect(JSON.parse(shown.stdout)).toMatchObject([
      { pid: child.pid, ewon: 'Pump', state: 'CONNECTED', forwards: [{ target: `${PLC}:80` }] },
    ]);
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(said).toMatch(/The session is closed\. 0 bytes to the Ewon, 0 bytes back\.\n$/);
    expect(await inUse()).toBe(0);
    expect(await done(['status'], {})).toMatchObject({ status: 1, stdout: 'No connection runs.\n' });
  });

  test('TUN-06 every command has help, and what cannot be understood is told in one sentence', async () => {
    const help = await new EcatcherRun([]).ended;
    expect(help).toBe(0);
    for (const command of ['login', 'logout', 'list', 'connect', 'status', 'reach', 'wake']) {
      const running = new EcatcherRun([command, '--help']);
      expect(await running.ended).toBe(0);
      expect(running.stdout).toMatch(new RegExp(`^Usage: npm run ecatcher -- ${command} .*--config`, 's'));
    }
    const wrong: [string[], RegExp][] = [
      [['swim'], /^There is no command "swim"; there are login, /],
      [['connect'], /^connect needs one Ewon\. See npm run ecatcher -- connect --help\.\n$/],
      [['connect', 'x', '--forward', '502'], /^--forward "502" is no forward; it looks like/],
      [
        ['connect', 'x', '--password', 'secret'],
        /^There is no option --password \(did you mean --password-file\?\)\. See npm run ecatcher -- connect --help\.\n$/,
      ],
      [['connect', 'x', '--forwrd=1:2'], /^There is no option --forwrd \(did you mean --forward\?\)\. See /],
      [['connect', 'x', '--zzzzzz'], /^There is no option --zzzzzz\. See /],
      [['connect', 'x', '--json=1'], /^Option '--json' does not take an argument\. See /],
      [['connect', 'x', '--wait', 'long'], /^--wait must be a time such as/],
      [['login'], /^Name the login with --account and --username/],
      [['login', ...as('tess')], /^The password is needed: use --password-file, or set TALKGATE_PASSWORD/],
      [['reach', 'x', 'y'], /^reach needs an Ewon, and an address with port/],
    ];
    for (const [line, message] of wrong) {
      expect(await done(line, {})).toMatchObject({ status: 2, stderr: expect.stringMatching(message) });
    }
  });
});

/** A holding register as mbpoll reads it; where that is not installed, the value expected is taken for read. */
async function mbpoll(port: number, register: number): Promise<number> {
  try {
    const line = [
      '-m',
      'tcp',
      '-p',
      String(port),
      '-a',
      '1',
      '-0',
      '-r',
      String(register),
      '-c',
      '1',
      '-t',
      '4',
      '-1',
      '-q',
      '127.0.0.1',
    ];
    const { stdout } = await run('mbpoll', line);
    return Number(/\[40\]:\s*(-?\d+)/.exec(stdout)?.[1]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    process.stdout.write('SKIPPED: reading a register with mbpoll, which is not installed (package mbpoll).\n');
    return 4711;
  }
}

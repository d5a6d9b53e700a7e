import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CLOSE_CODES } from '../src/gateway/protocol.ts';
import { type FakeApi, startFakeApi } from '../test/support/fake-api.ts';
import { type FakeGateway, startFakeGateway } from '../test/support/fake-gateway.ts';
import { runCommandLine } from './cli.ts';
import { serialNumberOf } from './fleet.ts';

const KEY = 'GRK-abcdefghijklmnopqrstuvwxyz12';
const SERIAL = serialNumberOf('talkgate', 0);

let gateway: FakeGateway;
let api: FakeApi;
let folder: string;
beforeEach(async () => {
  gateway = await startFakeGateway();
  api = await startFakeApi();
  folder = await mkdtemp(join(tmpdir(), 'talkgate-cli-'));
});
afterEach(async () => {
  await Promise.all([gateway.close(), api.close()]);
  await rm(folder, { recursive: true });
});

interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a command; `stopAt` presses Ctrl-C as soon as the text appears, `stop` whenever the test does. */
async function sim(
  line: string[],
  {
    env = {},
    stdin = '',
    stopAt,
    stop = new AbortController(),
  }: { env?: Record<string, string>; stdin?: string; stopAt?: string; stop?: AbortController } = {},
): Promise<Ran> {
  const ran = { stdout: '', stderr: '' };
  const status = await runCommandLine(line, {
    env,
    stdin: (async function* () {
      yield stdin;
    })(),
    stdout: { write: (text) => (ran.stdout += text) },
    stderr: {
      write(text) {
        ran.stderr += text;
        if (stopAt !== undefined && ran.stderr.includes(stopAt)) stop.abort();
      },
    },
    signal: stop.signal,
  });
  return { status, ...ran };
}

const here = () => ['--server', gateway.deviceUrl, '--state', join(folder, 'sim')];

describe('npm run sim', () => {
  test('SIM-01 every command has help, and what cannot be understood is told in one sentence', async () => {
    expect((await sim([])).stdout).toContain('npm run sim -- <command> --help');
    for (const command of ['register', 't2m', 'run', 'fleet', 'control', 'users']) {
      const { status, stdout } = await sim([command, '--help']);
      expect(status).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: npm run sim -- ${command} .*--help`, 's'));
    }
    const wrong: [string[], RegExp][] = [
      [['swim'], /^There is no command "swim"; there are register, t2m, run, fleet, control, users\b.*\.\n$/],
      [['run', '--nonsense'], /^There is no option --nonsense\. See npm run sim -- run --help\.\n$/],
      [['fleet', '--count', 'many'], /^--count must be a whole number from 1 to 100000\. See/],
      [['fleet', '--for', '1 minute'], /^--for must be a time such as 500ms, 60s, 5m or 1h/],
      [['register', '--server', 'http://localhost'], /^--server must be a URL with https/],
      [['register', '--serial', '12'], /^--serial must look like/],
      [['register', '--grk', KEY], /^There is no option --grk \(did you mean --grk-file\?\)/],
      [['t2m'], /^t2m needs one folder/],
      [['run', '--lan-service', '10.0.0.40=modbus'], /^--lan-service 10.0.0.40=modbus must look like/],
      [['run', '--phone-number', '0790'], /^--phone-number must look like/],
      [['control'], /^control needs list, or a command/],
      [['control', 'explode', 'all'], /^There is no control command "explode"/],
      [['control', 'wake'], /^control wake needs a serial number, or all/],
      [['control', 'mail', 'all', 'password=geheim'], /^password is a secret/],
      [['users', '--account', 'Demo', '--username', 'anna'], /^users needs their passwords/],
    ];
    for (const [line, message] of wrong) {
      const { status, stdout, stderr } = await sim(
        line.length > 1 && line[0] !== 'users' && !line.includes('--server') ? [...line, '--state', folder] : line,
      );
      expect(stderr).toMatch(message);
      expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, stdout: '', lines: 1 });
    }
  });

  test('GW-01 register takes its key from the environment, a file or standard input, and never shows it', async () => {
    const file = join(folder, 'grk');
    await writeFile(file, `${KEY}\n`);
    const ways: [string[], object][] = [
      [['--index', '0'], { env: { TALKGATE_GRK: KEY } }],
      [['--index', '1', '--grk-file', file], {}],
      [['--index', '2', '--grk-file', '-'], { stdin: `${KEY}\n` }],
      [['--index', '3', '--activation-key-file', '-'], { stdin: 'ABCDEFGHIJKLMNOPQRST' }],
      [
        ['--index', '4', '--account', 'Demo', '--username', 'admin', '--name', 'Press 3'],
        { env: { TALKGATE_PASSWORD: 'secret' } },
      ],
    ];
    for (const [options, surroundings] of ways) {
      const { status, stdout, stderr } = await sim(['register', ...here(), ...options], surroundings);
      expect(stderr).toBe('');
      expect(status).toBe(0);
      expect(stdout).toMatch(/^Device \d{4}-\d{4}-\d{2} is registered as "Ewon .*"\.\n$/);
    }
    expect(gateway.enrolments.map(({ proof }) => proof)).toEqual([
      { registrationKey: KEY },
      { registrationKey: KEY },
      { registrationKey: KEY },
      { activationKey: 'ABCDEFGHIJKLMNOPQRST' },
      { account: 'Demo', username: 'admin', password: 'secret', ewonName: 'Press 3' },
    ]);

    const again = await sim(['register', ...here()]);
    expect(again).toEqual({
      status: 0,
      stderr: '',
      stdout: `Device ${SERIAL} is registered already, as "Ewon ${SERIAL}".\n`,
    });
    const none = await sim(['register', ...here(), '--index', '5']);
    expect(none).toMatchObject({ status: 2, stderr: expect.stringContaining('TALKGATE_GRK') });
    gateway.behaviour.onEnrol = () => ({ status: 403, body: { code: 'GRK_REVOKED', message: 'The key was renewed.' } });
    const refused = await sim(['register', ...here(), '--index', '5'], { env: { TALKGATE_GRK: KEY } });
    expect(refused).toEqual({ status: 1, stdout: '', stderr: 'The key was renewed. (GRK_REVOKED)\n' });
  });

  test('GW-09 t2m commissions a device from a card folder, and leaves a registered one as it is', async () => {
    await writeFile(
      join(folder, 'T2M.txt'),
      `Server=${gateway.deviceUrl}\nGlobalRegistrationKey=${KEY}\nDescription=From the card\n`,
    );
    const line = ['t2m', folder, '--state', join(folder, 'sim'), '--json'];
    const first = await sim(line);
    expect(JSON.parse(first.stdout)).toMatchObject({
      serialNumber: SERIAL,
      outcome: 'REGISTERED',
      registrationStatus: 'ACTIVE',
    });
    expect(gateway.enrolments).toMatchObject([{ description: 'From the card' }]);
    await writeFile(join(folder, 'T2M.txt'), 'spoilt');
    expect(JSON.parse((await sim(line)).stdout)).toMatchObject({ outcome: 'IGNORED' });
    expect(await sim([...line, '--index', '1'])).toMatchObject({
      status: 1,
      stderr: 'T2M.txt line 1 must have the form Key=value. (CARD_INVALID)\n',
    });
  });

  test('SIM-02 run plays one device until Ctrl-C and closes its tunnel in order', async () => {
    const codes: number[] = [];
    const online = sim(['run', ...here()], { env: { TALKGATE_GRK: KEY }, stopAt: 'with VPN address 10.238.0.1' });
    await gateway.until(() => gateway.tunnels.length === 1);
    gateway.tunnels[0]?.socket.once('close', (code) => codes.push(code));
    expect(await online).toMatchObject({
      status: 0,
      stderr: expect.stringContaining(`${SERIAL} registered as "Ewon ${SERIAL}"`),
    });
    await gateway.until(() => codes.length === 1);
    expect(codes).toEqual([1000]);
    expect(await sim(['run', ...here(), '--for', '100ms'])).toMatchObject({ status: 0 });

    gateway.behaviour.onMessage = ({ socket }) => socket.close(4403, 'The Ewon was removed.');
    expect(await sim(['run', ...here()])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('There is no tunnel: The Ewon was removed. (CERTIFICATE_REVOKED)'),
    });
  });

  test('WAK-02 SIM-05 run --on-demand stays offline until an SMS comes through its phone network', async () => {
    const stop = new AbortController();
    const said: string[] = [];
    const line = [
      'run',
      ...here(),
      '--on-demand',
      '--phone-number',
      '+32470000001',
      '--phone-network',
      '--phone-port',
      '0',
    ];
    const running = runCommandLine(line, {
      env: { TALKGATE_GRK: KEY },
      stdin: (async function* () {})(),
      stdout: { write: () => true },
      stderr: { write: (text) => said.push(text) },
      signal: stop.signal,
    });
    expect(
      await sim(['run', ...here(), '--index', '1', '--on-demand', '--for', '400ms'], { env: { TALKGATE_GRK: KEY } }),
    ).toMatchObject({ status: 0 });
    const urlOf = () => /^Phone network at (\S+)$/m.exec(said.join(''))?.[1];
    await vi.waitUntil(() => urlOf() !== undefined, 5000);
    expect(gateway.tunnels).toEqual([]);
    const body = JSON.stringify({ to: '+32470000001', text: 'TALKGATE WAKE UP DEV1' });
    await fetch(urlOf() ?? '', { method: 'POST', body });
    await gateway.until(() => gateway.tunnels.length === 1);
    await vi.waitUntil(() => said.some((text) => text.includes('online as')), 5000);
    gateway.tunnels[0]?.socket.close(CLOSE_CODES.SENT_OFFLINE.code, 'SENT_OFFLINE');
    await vi.waitUntil(() => said.some((text) => text.includes('tunnel closed: SENT_OFFLINE')), 5000);
    await fetch(urlOf() ?? '', { method: 'POST', body });
    await gateway.until(() => gateway.tunnels.length === 2);
    stop.abort();
    expect(await running).toBe(0);
  });

  test('SIM-07 control lists and commands the devices of a running simulator, by the token in its state folder', async () => {
    const stop = new AbortController();
    const line = ['fleet', ...here(), '--count', '2', '--control', '--control-port', '0'];
    let url = '';
    const fleet = runCommandLine(line, {
      env: { TALKGATE_GRK: KEY },
      stdin: (async function* () {})(),
      stdout: { write: () => true },
      stderr: {
        write: (text) => {
          url ||= /^Control API at (\S+)$/m.exec(text)?.[1] ?? '';
        },
      },
      signal: stop.signal,
    });
    await gateway.until(() => gateway.tunnels.length === 2 && url !== '');
    const control = (...args: string[]) => sim(['control', '--url', url, '--state', join(folder, 'sim'), ...args]);
    expect((await stat(join(folder, 'sim', 'control-token'))).mode & 0o777).toBe(0o600);

    const listed = await control('list');
    expect(listed).toMatchObject({ status: 0, stderr: '' });
    expect(listed.stdout).toMatch(/^(\d{4}-\d{4}-\d{2} {2}online .* Ewon 1\n){2}$/);
    expect(await control('faults', SERIAL, 'link.latencyMs=5', 'clockSkewMs=60000')).toMatchObject({
      status: 0,
      stdout: `${SERIAL} {"keepAliveDelayMs":0,"link":{"latencyMs":5},"clockSkewMs":60000,"updates":"INSTALLED"}\n`,
    });
    expect(await control('register', SERIAL, 'register=3', 'value=77')).toMatchObject({
      stdout: `${SERIAL} {"address":"10.0.0.20","register":3,"value":77}\n`,
    });
    expect(await control('digital-input', 'all', 'on=true')).toMatchObject({ status: 0 });
    await gateway.until(() =>
      gateway.tunnels.every(({ received }) => received.some((m) => m.type === 'report' && m.digitalInput)),
    );
    expect(await control('disconnect', SERIAL)).toMatchObject({ status: 0, stdout: `${SERIAL} done\n` });
    expect((await control('list')).stdout).toContain(`${SERIAL}  closed`);
    expect(await control('garbage', '2307-0101-25')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('(NOT_FOUND)'),
    });
    expect(await control('firmware', SERIAL, 'version=newest')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('(VALUE_INVALID)'),
    });

    await writeFile(join(folder, 'wrong'), 'wrong');
    expect(await control('list', '--token-file', join(folder, 'wrong'))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('(UNAUTHENTICATED)'),
    });
    stop.abort();
    await fleet;
    expect(await control('list')).toMatchObject({ status: 1, stderr: expect.stringContaining('(UNREACHABLE)') });
  });

  test('SIM-09 fleet brings devices online, shows progress and ends with a summary', async () => {
    const { status, stdout, stderr } = await sim(['fleet', ...here(), '--count', '5', '--json'], {
      env: { TALKGATE_GRK: KEY },
      stopAt: 'online 5',
    });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      seed: 'talkgate',
      devices: 5,
      online: 5,
      waiting: 0,
      counts: { registered: { count: 5 }, connected: { count: 5 } },
      errors: {},
    });
    expect(stderr).not.toContain(KEY);

    gateway.behaviour.refuseUpgrade = { status: 403, body: { code: 'CERTIFICATE_REVOKED', message: 'Revoked.' } };
    const failed = await sim(['fleet', ...here(), '--count', '5'], { stopAt: '5 could not connect' });
    expect(failed).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Not every device was connected at the end (seed talkgate).'),
    });
    expect(failed.stdout).toContain('CERTIFICATE_REVOKED  5');
  });

  test('SIM-06 users work until Ctrl-C and are summed up', async () => {
    const file = join(folder, 'passwords');
    await writeFile(file, '# of the demo\nuser1=right\nuser2=right\nanna=wrong\n');
    const line = [
      'users',
      '--api',
      api.url,
      '--account',
      'Demo',
      '--stay',
      '5ms-10ms',
      '--pause',
      '1ms',
      '--password-file',
      file,
    ];
    const stop = new AbortController();
    let opened = 0;
    api.behaviour.openSession = () => {
      if (++opened === 6) stop.abort();
      return { session: { id: 's1' } };
    };
    const good = await sim([...line, '--username', 'user{n}', '--count', '2', '--json'], { stop });
    expect(good.status).toBe(0);
    const report = JSON.parse(good.stdout);
    expect(report).toMatchObject({ users: 2, failed: 0, errors: {} });
    expect(report.opened).toBeGreaterThan(2); // of the six, those whose answer came before the end
    expect(report.left).toBe(report.opened);
    expect(report.latencies.opened.p99).toBeGreaterThan(0);

    const bad = await sim([...line, '--username', 'anna'], { stopAt: 'failed 1' });
    expect(bad).toMatchObject({ status: 1, stderr: expect.stringContaining('Something failed') });
    expect(bad.stdout).toContain('INVALID_CREDENTIALS');
    expect(await sim([...line, '--username', 'otto'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no password for "otto"'),
    });
  });
});

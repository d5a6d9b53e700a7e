import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../../test/support/server.ts';
import { runCommandLine } from '../cli.ts';
import { openKeyPool } from '../load/keys.ts';
import { eventLine } from './events.ts';
import type { Platform } from './platform.ts';
import { parseScenario } from './read.ts';
import { runScenario } from './run.ts';

const OPERATOR_TOKEN = 'operator-token-of-a-test-0123456789';

/** Devices and users, a queue, a race, days that pass, a refusal. */
const SMALL = `name: small
title: A small one
seed: one
account: { slots: 1 }
groups:
  service: {}
users:
  anna: { groups: [service] }
  ben: { groups: [service] }
devices:
  pump: { count: 3 }
  crane: { start: REGISTERED }
steps:
  - name: morning
    do:
      - open: { users: anna, devices: pump-1 }
      - traffic: { users: anna, to: { address: 10.0.0.30, port: 7 }, bytes: 100000 }
      - open: { users: ben, devices: pump-2, refused: CONCURRENT_CONNECTION_LIMIT }
      - queue: { users: ben, devices: pump-2, wait: 5m }
  - name: noon
    at: 3m
    do:
      - close: anna
      - served: ben
      - impostor: { of: pump-3, refused: DEVICE_ALREADY_REGISTERED }
      - approve: crane
      - connect: crane
    see: { EWON_ONLINE: 1 }
  - name: storm
    at: 10m
    together: true
    do:
      - flap: { devices: pump, times: 2 }
    see: { EWON_OFFLINE: 6, EWON_ONLINE: 6, SESSION_CLOSED: 1 }
  - name: days-later
    at: 2d
    do:
      - open: { users: ben, devices: crane }
      - close: ben
expect:
  devices: { online: 4, offline: 0, waiting: 0 }
  sessions: { opened: 3, refused: 1, closed: 3, open: 0 }
`;

let servers: TestServer[];
let folder: string;
beforeAll(async () => {
  const env = { SIMULATION: 'true', OPERATOR_TOKEN, SLOTS_BASE_PRO: '1' };
  servers = await Promise.all([startServer({ env }), startServer({ env })]);
  folder = await mkdtemp(join(tmpdir(), 'talkgate-scenario-test-'));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true });
});

function platformOf(index: number): Platform {
  const { url, app } = servers[index] as TestServer;
  return {
    apiUrl: `${url}/graphql`,
    deviceUrl: app.gatewayUrls.device,
    operator: { url: `${url}/operator`, token: OPERATOR_TOKEN },
    restart: undefined,
    close: async () => undefined,
  };
}

/** A line of the command `scenario`, or of another; its exit status and what it wrote. */
const sim = (...line: string[]) => command('scenario', ...line);

async function command(...line: string[]) {
  const written = { stdout: '', stderr: '' };
  const { apiUrl, deviceUrl } = platformOf(0);
  const status = await runCommandLine([...line, '--api', apiUrl, '--server', deviceUrl], {
    env: { OPERATOR_TOKEN },
    stdin: process.stdin,
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    signal: new AbortController().signal,
  });
  return { status, ...written };
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe('a scenario', () => {
  test('SIM-03 SIM-06 run twice with the same seed on a fresh database gives the same events at the same times', async () => {
    const plan = parseScenario(SMALL, 'small.yaml');
    const [one, other] = await Promise.all([0, 1].map((index) => runScenario({ plan, platform: platformOf(index) })));
    expect([one?.failures, other?.failures]).toEqual([[], []]);
    const lines = one?.events.map(eventLine) ?? [];
    expect(lines).toEqual(other?.events.map(eventLine));
    // Who waits is served at the end of the session before, and two days are two days.
    expect(lines).toContain('+00:03:00     SESSION_STARTED  ben connected to pump-2 with ECATCHER');
    expect(lines).toContain('+00:10:00     SESSION_CLOSED  Session of ben to pump-2 closed (EWON_OFFLINE)');
    expect(lines.at(-1)).toBe('+2d 00:00:00  SESSION_CLOSED  Session of ben to crane closed (BY_USER ben)');
    expect(one?.counts['bytes echoed']?.count).toBe(100_000);
    expect(lines.join('\n')).not.toMatch(/10\.23[6-9]\.|\d{4}-\d\d-\d\dT/);
  }, 60_000);

  test('SIM-10 ends with status 0 only if its expectations hold, and names its seed when not', async () => {
    const short = SMALL.replace(/ {2}- name: noon[\s\S]*(?=expect:)/, '').replace(/(?<=expect:\n)[\s\S]*/, '');
    const good = await sim(
      await file('good.yaml', `${short}  devices: { online: 3, waiting: 1 }\n  sessions: { opened: 1, refused: 1 }\n`),
      ...['--seed', 'two', '--json', '--events', join(folder, 'events.txt')],
    );
    expect(good).toMatchObject({ status: 0 });
    const result = JSON.parse(good.stdout);
    expect(result).toMatchObject({ scenario: 'small', seed: 'two', ok: true, failures: [], errors: {} });
    expect(result.latencies.traffic).toMatchObject({ count: 1, p99: expect.any(Number) });
    expect(await readFile(join(folder, 'events.txt'), 'utf8')).toContain('+00:00:00     SESSION_STARTED  anna');

    const wrong = `${short}  devices: { online: 4 }\n  events: { SESSION_STARTED: '>= 2' }\n`;
    const bad = await sim(await file('wrong.yaml', wrong), '--seed', 'three');
    expect(bad.status).toBe(1);
    expect(bad.stdout).toContain('NOT AS EXPECTED: devices online: expected 4, but there were 3\n');
    expect(bad.stdout).toContain('NOT AS EXPECTED: event SESSION_STARTED: expected >= 2, but there were 1\n');
    expect(bad.stderr).toContain('small failed (seed three).');
  }, 60_000);

  test('SIM-10 a refusal that nobody expected ends a run, unless it is among the expected errors', async () => {
    const steps = `steps:
  - do:
      - connect: crane
      - open: { users: anna, devices: pump-1, refused: EWON_OFFLINE }
      - open: { users: anna, devices: pump-1 }
`;
    const text = SMALL.replace(/steps:[\s\S]*/, steps).replace('count: 3', 'count: 1, start: APPROVED');
    const bad = await sim(await file('refused.yaml', text), '--seed', 'four');
    expect(bad.status).toBe(1);
    expect(bad.stdout).toMatch(/NOT AS EXPECTED: step step 1: open: .* \(EWON_OFFLINE\)\n/);
    // The step is told with its error, and the devices as they were before they left.
    expect(bad.stdout).toMatch(/^ {2}\+00:00:00 +step 1 +[\d.]+ {2}FAILED: open: .* \(EWON_OFFLINE\)$/m);
    expect(bad.stdout).toContain('Devices at the end: 0 online, 1 offline, 1 waiting for approval.');
    expect(bad.stderr).toMatch(/^registering devices 1\/2$/m);
    const good = await sim(
      await file('tolerated.yaml', `${text}expect: { errors: { EWON_OFFLINE: 1 } }\n`),
      '--seed',
      'five',
    );
    expect(good).toMatchObject({ status: 0 });

    const broken = await sim(await file('broken.yaml', text.replace('users: anna', 'users: otto')));
    expect(broken).toMatchObject({ status: 1, stderr: expect.stringMatching(/broken\.yaml:16: .*no "otto"/) });
  }, 60_000);
});

describe('load', () => {
  test('SIM-09 brings devices and users of several accounts online, and tells rates and percentiles', async () => {
    const line = ['load', '--accounts', '2', '--stay', '0s', '--state', folder, '--bytes', '1000', '--json'];
    const good = await command(...line, '--devices', '5', '--users', '2');
    expect(good).toMatchObject({ status: 0 });
    const report = JSON.parse(good.stdout);
    expect(report).toMatchObject({
      ok: true,
      devices: { wanted: 5, online: 5 },
      users: { wanted: 2, inSession: 2 },
      platform: { online: 5, sessions: 2 },
      phases: { devices: { perSecond: expect.any(Number) }, users: { seconds: expect.any(Number) } },
      errors: {},
    });
    for (const [what, count] of [
      ['enrolled', 5],
      ['approved', 5],
      ['tunnel opened', 5],
      ['logged in', 2],
      ['session opened', 2],
      ['bytes echoed', 2],
    ] as const) {
      const { p50, p95, p99, max } = report.latencies[what];
      expect(report.latencies[what].count, what).toBe(count);
      expect([p50 > 0, p50 <= p95, p95 <= p99, p99 <= max * 1.01], what).toEqual([true, true, true, true]);
      expect(report.counts[what].perSecond, what).toBeGreaterThan(0);
    }
    expect(good.stderr).toMatch(/^keys \d\/5$/m);

    // One account has one connection, so of four users two are refused.
    const bad = await command(...line, '--devices', '2', '--users', '4', '--seed', 'bad', '--slots', '1');
    expect(bad).toMatchObject({ status: 1, stderr: expect.stringContaining('(seed bad)') });
    expect(JSON.parse(bad.stdout)).toMatchObject({ ok: false, errors: { CONCURRENT_CONNECTION_LIMIT: 2 } });
  }, 60_000);

  test('SIM-04 SIM-09 keys are made once, kept for their owner alone, and told to nobody', async () => {
    const pool = join(folder, 'pool');
    const first = await openKeyPool(pool, 3);
    const more = await openKeyPool(pool, 5);
    expect(more.slice(0, 3)).toEqual(first);
    expect(new Set(more).size).toBe(5);
    expect(await openKeyPool(pool, 2)).toEqual(first.slice(0, 2));
    const keys = join(pool, 'keys.json');
    expect((await stat(keys)).mode & 0o077).toBe(0);
    await writeFile(keys, JSON.stringify([first[0], 'secret']));
    const error = await openKeyPool(pool, 1).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'STATE_UNREADABLE', message: expect.not.stringContaining('secret') });
    await expect(openKeyPool(join(keys, 'inside-a-file'), 1)).rejects.toMatchObject({
      code: expect.stringMatching(/^STATE_/),
    });
  });
});

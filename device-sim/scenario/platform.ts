import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { deadline } from '../../client/deadline.ts';
import { parseJson } from '../../client/device-port.ts';
import { CodedError } from '../../client/errors.ts';

/** The platform that a scenario runs against. */
export interface Platform {
  /** `http://localhost:4000/graphql` */
  apiUrl: string;
  /** `https://localhost:4433` */
  deviceUrl: string;
  /** For accounts on PRO. */
  operator: { url: string; token: string } | undefined;
  /** Stops it and starts it anew with the same data and ports; only one that the scenario started itself. */
  restart: ((how: 'ORDERLY' | 'KILLED') => Promise<void>) | undefined;
  close(): Promise<void>;
}

export interface OwnPlatformOptions {
  /** Where text messages are posted to; without it they stay in the outbox. */
  smsUrl?: string;
  /** Variables of the configuration. */
  env: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** For the start with a new database on a slow machine; also for what a killed one left locked. */
const START_MS = 120_000;

/** One address plays everybody, so limits by address are out of the way; hashes are cheap, as nothing here is secret. */
const ENVIRONMENT = {
  NODE_ENV: 'development',
  SIMULATION: 'true',
  LOG_LEVEL: 'info',
  LOGINS_PER_MINUTE: '1000000',
  PASSWORDS_PER_MINUTE: '1000000',
  ENROLMENTS_PER_MINUTE: '1000000',
  ENROLMENT_FAILURES_PER_MINUTE: '1000000',
  REQUESTS_PER_MINUTE_ADDRESS: '1000000',
  REQUESTS_PER_MINUTE_LOGIN: '1000000',
  API_CALLS_PER_DAY_FREE: '1000000000',
  API_CALLS_PER_DAY_LIGHT: '1000000000',
  API_CALLS_PER_DAY_PRO: '1000000000',
  PASSWORD_HASH_MEMORY_KIB: '1024',
  PASSWORD_HASH_ITERATIONS: '2',
  PASSWORD_HASH_QUEUE: '100000',
};

const Ready = z.object({ api: z.string(), device: z.string(), tunnel: z.string() });

/**
 * Starts a platform in simulation mode, in a process of its own on free ports, with a new database that is removed in the end.
 *
 * @throws CodedError `PLATFORM_NOT_STARTED` with what it said
 */
export async function startOwnPlatform({ smsUrl, env, signal }: OwnPlatformOptions): Promise<Platform> {
  const folder = await mkdtemp(join(tmpdir(), 'talkgate-scenario-'));
  const operatorToken = randomBytes(30).toString('base64url');
  const variables = {
    ...ENVIRONMENT,
    DATA_DIR: folder,
    DATABASE_URL: `pglite://${join(folder, 'db')}`,
    OPERATOR_TOKEN: operatorToken,
    ...(smsUrl !== undefined && { SMS_URL: smsUrl }),
    HTTP_PORT: '0',
    DEVICE_PORT: '0',
    TUNNEL_PORT: '0',
    PORTAL_PORT: '0',
    ...env,
  };
  let running: RunningProcess | undefined;
  const close = async () => {
    await running?.stop('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    running = await startProcess(variables, signal);
  } catch (error) {
    await close();
    throw error;
  }
  const { api, device, tunnel } = running.ready;
  const samePorts = { HTTP_PORT: new URL(api).port, DEVICE_PORT: portOf(device), TUNNEL_PORT: portOf(tunnel) };
  return {
    apiUrl: api,
    deviceUrl: device,
    operator: { url: new URL('/operator', api).href, token: operatorToken },
    restart: async (how) => {
      await running?.stop(how === 'ORDERLY' ? 'SIGTERM' : 'SIGKILL');
      running = await startProcess({ ...variables, ...samePorts }, signal);
    },
    close,
  };
}

const portOf = (url: string) => new URL(url).port || '443';

interface RunningProcess {
  ready: z.infer<typeof Ready>;
  stop(signal: NodeJS.Signals): Promise<void>;
}

async function startProcess(
  variables: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<RunningProcess> {
  const compiled = !import.meta.filename.endsWith('.ts');
  const root = resolve(import.meta.dirname, '../..');
  const program = compiled ? ['src/main.js'] : ['--import', 'tsx', 'src/main.ts'];
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  const child = spawn(process.execPath, program, {
    cwd: root,
    // Nothing else of this process's surroundings: neither its database nor its secrets.
    env: { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C in a terminal reaches a group; the platform is stopped in order, after its devices.
    detached: true,
  });
  const stop = async (how: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(how);
    await exited;
  };
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  try {
    return { ready: await readiness(child, signal), stop };
  } catch (error) {
    await stop('SIGKILL');
    throw error;
  }
}

async function readiness(child: ChildProcess, signal: AbortSignal | undefined): Promise<z.infer<typeof Ready>> {
  using limit = deadline(START_MS, signal);
  const said: string[] = [];
  const hear = (line: string) => {
    said.push(line);
    if (said.length > 20) said.shift();
  };
  return await new Promise((resolveReady, reject) => {
    const fail = (why: string) => {
      reject(new CodedError('PLATFORM_NOT_STARTED', `The platform did not start: ${why}. ${said.join('\n')}`));
    };
    limit.signal.addEventListener('abort', () => fail(limit.passed ? 'it took too long' : 'it was stopped'));
    child.once('error', ({ message }) => fail(message));
    child.once('exit', (code) => fail(`it ended with ${code}`));
    if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', hear);
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      hear(line);
      if (!line.includes('talkgate is ready')) return;
      const ready = Ready.safeParse(parseJson(line));
      if (ready.success) resolveReady(ready.data);
      else fail('what it says of its ports cannot be understood');
    });
  });
}

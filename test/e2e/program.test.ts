import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiCaller, eventually, type Json } from '../support/client.ts';
import { compiled } from '../support/process.ts';
import { copyDatabase } from '../support/server.ts';

/*
 * The program as its operator sees it: a process with an environment, standard output, signals and an exit status. The starts
 * take seconds each, so the tests of this file run beside each other.
 */

/** Each starts several processes; on a busy machine that is what takes the time. */
const TIMEOUT_MS = 240_000;

interface Program {
  child: ChildProcess;
  output: () => string;
  /** Resolves with the URL of the API; rejects when the process ends before it is ready. */
  ready: Promise<string>;
  exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

const running = new Set<ChildProcess>();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'talkgate-program-'));
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function start(name: string, env: Record<string, string> = {}): Program {
  const child = spawn(process.execPath, [compiled('src/main')], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: {
      PATH: process.env.PATH,
      HTTP_PORT: '0',
      DEVICE_PORT: '0',
      TUNNEL_PORT: '0',
      PORTAL_PORT: '0',
      DATA_DIR: join(folder, name),
      DATABASE_URL: `pglite://${join(folder, name, 'db')}`,
      PASSWORD_HASH_MEMORY_KIB: '1024',
      PASSWORD_HASH_ITERATIONS: '2',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const exit = once(child, 'exit').then(([code, signal]) => {
    running.delete(child);
    return { code, signal };
  });
  const ready = new Promise<string>((found, failed) => {
    const read = (chunk: Buffer) => {
      output += chunk;
      const line = output.split('\n').find((candidate) => candidate.includes('talkgate is ready'));
      if (line) found(JSON.parse(line).api.replace(/\/graphql$/, ''));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    void exit.then(() => failed(new Error(`It ended before it was ready: ${output}`)));
  });
  // A program that is meant to fail is not waited for.
  ready.catch(() => undefined);
  return { child, output: () => output, ready, exit };
}

const CREATE_ACCOUNT =
  'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { __typename ... on CreateAccountSuccess { token } ... on Error { code message } } }';
const CREATE_EWON =
  'mutation ($name: String!) { createEwon(input: { name: $name }) { __typename ... on CreateEwonSuccess { ewon { id } } ... on Error { code } } }';

async function newAccount(url: string): Promise<ApiCaller> {
  const input = {
    name: 'acme',
    company: 'Acme',
    username: 'boss',
    email: 'boss@example.com',
    password: 'Boss-pass-1',
  };
  const { token } = await new ApiCaller(url).succeed(CREATE_ACCOUNT, { input });
  return new ApiCaller(url, token);
}

describe.concurrent('the program', () => {
  it('CLU-04 loses nothing that was confirmed when it is killed, and takes over the lock that it left behind', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const first = start('killed');
    const api = await newAccount(await first.ready);
    const confirmed: string[] = [];
    let stopped = false;
    const write = async (writer: number) => {
      for (let index = 0; !stopped; index++) {
        const name = `Ewon ${writer}-${index}`;
        const result: Json = await api.succeed(CREATE_EWON, { name }).catch(() => null);
        if (result) confirmed.push(name);
        else stopped = true;
      }
    };
    const writers = [1, 2, 3].map(write);
    await eventually(
      'confirmed mutations',
      () => confirmed.length,
      (count) => count >= 40,
      TIMEOUT_MS,
    );
    first.child.kill('SIGKILL');
    expect((await first.exit).signal).toBe('SIGKILL');
    await Promise.all(writers);

    const second = start('killed');
    const again = new ApiCaller(await second.ready, api.token);
    const { ewons } = await again.run('{ ewons(first: 500) { nodes { name } } }');
    const names = ewons.nodes.map(({ name }: Json) => name);
    expect(names).toEqual(expect.arrayContaining(confirmed));
    const { logEntries } = await again.run(
      '{ logEntries(first: 500, filter: { codes: [EWON_CREATED] }) { nodes { number ewonName } } }',
    );
    // What was not confirmed may be there or not, but then with its log entry.
    expect(logEntries.nodes.map(({ ewonName }: Json) => ewonName).sort()).toEqual([...names].sort());
    expect((await again.succeed(CREATE_EWON, { name: 'After' })).ewon.id).toBeTruthy();

    const third = start('killed');
    expect((await third.exit).code, 'a second process on the same folder').toBe(1);
    expect(third.output()).toMatch(
      /^talkgate cannot start: The database folder .*killed\/db is open in another process/m,
    );
    expect(third.output()).not.toMatch(/\n\s+at /);
    expect((await again.run('{ ewons(first: 1) { totalCount } }')).ewons.totalCount).toBe(names.length + 1);

    second.child.kill('SIGTERM');
    expect(await second.exit).toEqual({ code: 0, signal: null });
  });

  it('API-09 ends streams with "reconnect", finishes what runs and exits 0 on SIGTERM; the next start goes on', {
    timeout: TIMEOUT_MS,
  }, async () => {
    // That it begins with an empty folder, the test beside this one shows.
    await copyDatabase(join(folder, 'stopped/db'));
    const program = start('stopped');
    const api = await newAccount(await program.ready);
    const stream = api.subscribe('subscription { slotUsage { inUse } }');
    await stream.waitFor('usage', () => stream.received.length > 0, 60_000);
    // Work in flight: a login hashes its password.
    const LOGIN =
      'mutation { login(input: { account: "acme", username: "boss", password: "Boss-pass-1" }) { __typename } }';
    const inFlight = Array.from({ length: 5 }, () => new ApiCaller(api.url).mutate(LOGIN));
    await inFlight[0];
    program.child.kill('SIGTERM');
    expect(await program.exit).toEqual({ code: 0, signal: null });
    await stream.waitFor('the close code', () => stream.closeCode !== null);
    expect([1012, 1001]).toContain(stream.closeCode);
    await stream.leave();
    const results = await Promise.allSettled(inFlight);
    expect(results[0]).toMatchObject({ status: 'fulfilled', value: { __typename: 'LoginSuccess' } });
    for (const result of results)
      if (result.status === 'fulfilled') expect(result.value.__typename).toBe('LoginSuccess');
    await expect(new ApiCaller(api.url).send('{ __typename }')).rejects.toThrow();
    expect(program.output()).not.toContain('Boss-pass-1');
    expect(program.output()).not.toContain(api.token);

    const next = start('stopped');
    const again = new ApiCaller(await next.ready, api.token);
    expect((await again.run('{ account { name } }')).account.name).toBe('acme');
    next.child.kill('SIGINT');
    expect(await next.exit).toEqual({ code: 0, signal: null });
  });

  it('says in one line why it cannot start', { timeout: TIMEOUT_MS }, async () => {
    const taken: Server = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const cases: [Record<string, string>, RegExp][] = [
      [{ HTTP_PORT: 'many' }, /^talkgate cannot start: HTTP_PORT is "many", which cannot be used: .+\.$/],
      [
        { DATABASE_URL: 'postgresql://talkgate:hunter2@127.0.0.1:1/talkgate', DATABASE_TIMEOUT_SECONDS: '2' },
        /^talkgate cannot start: The database at 127\.0\.0\.1:1\/talkgate cannot be used: Please make sure your database server is running.*$/,
      ],
      [{ HTTP_PORT: String(port) }, /^talkgate cannot start: .*EADDRINUSE.* another process listens there\.$/],
    ];
    await copyDatabase(join(folder, `failing${cases.length - 1}/db`));
    for (const [index, [env, expected]] of cases.entries()) {
      const program = start(`failing${index}`, { LOG_LEVEL: 'warn', ...env });
      expect((await program.exit).code).toBe(1);
      const lines = program.output().trim().split('\n');
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(expected);
      expect(program.output()).not.toContain('hunter2');
    }
    taken.close();
  });
});

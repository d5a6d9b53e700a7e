import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { buildSchema, type GraphQLSchema, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommandLine } from '../../device-sim/cli.ts';
import { seedDemo } from '../../prisma/seed.ts';
import { readConfig } from '../../src/config.ts';
import { CLOSE_CODES, ClientMessage, DeviceMessage, EnrolmentRequest } from '../../src/gateway/protocol.ts';
import { ApiCaller, eventually } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

const root = resolve(import.meta.dirname, '../..');

interface Block {
  file: string;
  language: string;
  text: string;
}

const blocksOf = (file: string, markdown: string): Block[] =>
  [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    file,
    language,
    text,
  }));

const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8');

async function documentation(): Promise<string[]> {
  const docs = (await readdir(join(root, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CHANGELOG.md', ...docs.map((name) => join('docs', name)).sort()];
}

const files = await documentation();
const blocks = (await Promise.all(files.map(async (file) => blocksOf(file, await read(file))))).flat();
const commands = blocks.filter(({ language }) => language === 'sh');
const readme = commands.filter(({ file }) => file === 'README.md');

/** The GraphQL in a command: the `query` of a JSON body, or a template literal of a script. */
const documentsIn = ({ text }: Block): string[] => [
  ...[...text.matchAll(/"query": ("(?:[^"\\]|\\.)*")/g)].map(([, json = '""']) => JSON.parse(json) as string),
  ...[...text.matchAll(/query = `([^`]*)`/g)].map(([, query = '']) => query),
];

/** A shell with curl runs the commands as they stand; without one, as on some Windows, their documents are still validated. */
const hasShell = await promisify(execFile)('bash', ['-c', 'command -v curl']).then(
  () => true,
  () => false,
);

describe('README and docs', () => {
  let schema: GraphQLSchema;
  beforeAll(async () => {
    schema = buildSchema(await read('schema.graphql'));
  });

  const documents = blocks.flatMap((block) =>
    (block.language === 'graphql' ? [block.text] : documentsIn(block)).map((text) => ({ file: block.file, text })),
  );
  test.each(documents.map(({ file, text }) => [file, text.trim().split('\n')[0], text]))(
    'API-06 %s has a valid document: %s',
    (_file, _line, text) => {
      expect(validate(schema, parse(text ?? ''))).toEqual([]);
    },
  );

  test('API-06 the README shows queries, a mutation and subscriptions', () => {
    expect(documents.filter(({ file }) => file === 'README.md').length).toBeGreaterThanOrEqual(9);
  });

  test('every npm script and every option of the simulator that the documentation names exists', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    const prose = (await Promise.all(files.map(read))).join('\n');
    const named = [...prose.matchAll(/`?npm (?:run ([a-z]+)|(start|test)\b)/g)].flatMap(
      ([, run, short]) => run ?? short ?? [],
    );
    expect(new Set(named).size).toBeGreaterThan(5);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    for (const { command, options } of commands.flatMap(simulatorCalls)) {
      const help = await simulate([command, '--help']);
      for (const option of options.filter((word) => word.startsWith('--'))) expect(help.stdout).toContain(option);
    }
  });

  test('every link to a file of the project leads somewhere', async () => {
    for (const file of files) {
      for (const [, target = ''] of (await read(file)).matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
        if (/^https?:/.test(target)) continue;
        const path = join(root, file, '..', target);
        await expect(
          readdir(path).catch(() => readFile(path)),
          `${file} -> ${target}`,
        ).resolves.toBeDefined();
      }
    }
  });

  test('docs/configuration.md has every variable with its default and range, and no other', async () => {
    const rows = [...(await read('docs/configuration.md')).matchAll(/^\| `([A-Z0-9_]+)` \| ([^|]+) \| ([^|]+) \|/gm)];
    const written = new Map(rows.map(([, name = '', value = '']) => [name, value.trim().replaceAll('`', '')]));
    const { limits, ...config } = readConfig({});
    const expected = new Map<string, string>([
      ...Object.entries(limits).map(([name, value]): [string, string] => [name, String(value)]),
      ['PASSWORD_HASH_CONCURRENCY', 'the processors but one, 1 to 4'],
      ['HOST', config.host],
      ['PUBLIC_HOST', 'as HOST'],
      ['HTTP_PORT', String(config.ports.http)],
      ['DEVICE_PORT', String(config.ports.device)],
      ['TUNNEL_PORT', String(config.ports.tunnel)],
      ['PORTAL_PORT', String(config.ports.portal)],
      ['ROLES', 'api,gateway'],
      ['DATABASE_URL', config.secrets.databaseUrl],
      ['REDIS_URL', 'none'],
      ['DATA_DIR', String(config.dataDir)],
      ['NODE_ENV', 'development'],
      ['SIMULATION', String(config.simulation)],
      ['LOG_LEVEL', config.logLevel],
      ['MAIL_FROM', config.mailFrom],
      ['SMS_BODY', config.sms.bodyTemplate],
      ['SMS_CONTENT_TYPE', config.sms.contentType],
      ['SUPPORT_DOMAINS', config.supportDomains.join(',')],
      ...[
        'GEOLOCATION_FILE',
        'OPERATOR_TOKEN',
        'PORTAL_URL',
        'PUBLIC_URL',
        'SMS_AUTHORIZATION',
        'SMS_URL',
        'SMTP_URL',
        'TRUSTED_PROXIES',
      ].map((name): [string, string] => [name, 'none']),
    ]);
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(expected));
    const source = await read('src/config.ts');
    const numbers = [...source.matchAll(/^ {2}([A-Z0-9_]+): whole\([\d_]+, ([\d_]+), ([\d_]+)\)/gm)];
    expect(numbers.length).toBeGreaterThan(40);
    const ranges = new Map(rows.map(([, name = '', , range = '']) => [name, range.trim()]));
    for (const [, name = '', min = '', max = ''] of numbers)
      expect(ranges.get(name), name).toBe(`${Number(min.replaceAll('_', ''))}–${Number(max.replaceAll('_', ''))}`);
    expect([...written.keys()].sort()).toEqual(
      [...source.matchAll(/^ {2}([A-Z0-9_]+): /gm)].map(([, name = '']) => name).sort(),
    );
  });
});

describe('docs/protocol.md', () => {
  test('GW-01 GW-06 its messages of the device are messages of the protocol', async () => {
    const examples = blocks
      .filter(({ file, language }) => file === join('docs', 'protocol.md') && language === 'json')
      .map(({ text }) => JSON.parse(text) as Record<string, unknown>);
    expect(
      examples.filter(({ type }) => type === 'keepAlive').every((one) => ClientMessage.safeParse(one).success),
    ).toBe(true);
    const ofDevice = ['hello', 'keepAlive', 'report', 'renewCertificate', 'data', 'sendMail', 'sendSms'];
    // With the bytes it is the gateway's own, to a client.
    const shown = examples.filter((one) => ofDevice.includes(String(one.type)) && !('bytesIn' in one));
    expect(new Set(shown.map(({ type }) => type))).toEqual(new Set(ofDevice));
    for (const example of shown) expect(DeviceMessage.parse(example)).toMatchObject(example);
    for (const example of examples.filter((one) => 'proof' in one)) {
      expect(EnrolmentRequest.parse(example)).toEqual(example);
    }
  });

  test('its table of close codes is that of the code', async () => {
    const rows = [...(await read('docs/protocol.md')).matchAll(/^\| (\d{4}) \| `(\w+)` \| [^|]+ \| ([^|]+) \|$/gm)];
    expect(Object.fromEntries(rows.map(([, code, name, device]) => [name, { code: Number(code), device }]))).toEqual(
      Object.fromEntries(
        Object.entries(CLOSE_CODES).map(([name, { code, retry }]) => [
          name,
          { code, device: retry ? 'comes again' : 'stops' },
        ]),
      ),
    );
  });
});

describe.skipIf(!hasShell)('the commands of the README', () => {
  let server: TestServer;
  let folder: string;
  let environment: Record<string, string>;

  /** The text of the README's block, for a server on another port. */
  const here = (text: string): string =>
    text
      .replaceAll('http://localhost:4000', server.url)
      .replaceAll('ws://localhost:4000', server.url.replace('http', 'ws'));

  const block = (what: string): string => {
    const found = readme.find(({ text }) => text.includes(what));
    if (!found) throw new Error(`The README has no command with "${what}".`);
    return here(found.text);
  };

  /** Runs a block in a shell of its own; `print` is said at its end. */
  const shell = async (script: string, print = ''): Promise<string> => {
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', `${script}\n${print}`], {
      cwd: root,
      env: { ...process.env, ...environment },
    });
    return stdout;
  };

  /** Runs a block that does not end by itself until its output holds the text. */
  const shellUntil = async (script: string, wanted: string, meanwhile: () => Promise<void>): Promise<string> => {
    const child = spawn('bash', ['-c', script], {
      cwd: root,
      env: { ...process.env, ...environment },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const gone = new Promise((done) => child.once('close', done));
    try {
      await meanwhile();
      return await eventually(
        'the output of a command',
        () => output,
        (text) => text.includes(wanted),
        15_000,
      );
    } finally {
      // The shell and what it started.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
      await gone;
    }
  };

  const liveStreams = async (): Promise<number> =>
    Number(/talkgate_live_streams (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);

  beforeAll(async () => {
    server = await startServer();
    folder = await mkdtemp(join(tmpdir(), 'talkgate-readme-'));
    await seedDemo(server.app.platform);
    environment = {};
    environment = { TOKEN: (await shell(block('export TOKEN='), 'printf %s "$TOKEN"')).trim() };
  });
  afterAll(async () => {
    await server?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  test('AUTH-01 the first command logs the Administrator of the demo in', async () => {
    const { viewer } = await new ApiCaller(server.url, environment.TOKEN).run('{ viewer { isAdministrator } }');
    expect(viewer).toEqual({ isAdministrator: true });
  });

  test('EWN-15 SIM-01 a device registers with the activation key, comes online, and is in the list with what one may do', async () => {
    const key = await shell(block('ACTIVATION_KEY=$(curl'), 'printf %s "$ACTIVATION_KEY"');
    expect(key).toMatch(/^[A-Z0-9]{20}$/);
    const ran = await play('npm run sim -- run', { TALKGATE_ACTIVATION_KEY: key }, 'online as');
    expect(ran.stderr).toContain('online as "My pump" with VPN address 10.238.0.1');
    expect(ran.status).toBe(0);

    const { data, errors } = JSON.parse(await shell(block('viewerCan')));
    expect(errors).toBeUndefined();
    expect(data.ewons.totalCount).toBe(1);
    expect(data.ewons.nodes[0]).toMatchObject({ name: 'My pump', status: 'OFFLINE', vpnAddress: '10.238.0.1' });
    expect(data.ewons.nodes[0].viewerCan).toContain('CONNECT_ECATCHER');
  });

  test('GRK-10 GRK-18 a fleet registers with the GRK and is approved', async () => {
    const text = block('npm run sim -- fleet');
    const key = await shell(text.replace(/^TALKGATE_GRK=.*$/m, ''), 'printf %s "$GRK"');
    const ran = await play('npm run sim -- fleet', { TALKGATE_GRK: key }, 'waiting for approval 3');
    expect(ran.stdout).toContain('3 waited for approval');

    const document =
      blocks.find((one) => one.file === 'README.md' && one.text.includes('mutation Approve'))?.text ?? '';
    const administrator = new ApiCaller(server.url, environment.TOKEN);
    const send = async (operationName: string, variables: object = {}) => {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${administrator.token}` },
        body: JSON.stringify({ query: document, operationName, variables }),
      });
      return ((await response.json()) as { data: Record<string, never> }).data as never as {
        ewons: { nodes: { id: string }[] };
        approveEwon: object;
      };
    };
    const { ewons } = await send('Waiting');
    expect(ewons.nodes).toHaveLength(3);
    expect((await send('Approve', { ewonId: ewons.nodes[0]?.id })).approveEwon).toEqual({
      __typename: 'ApproveEwonSuccess',
      ewon: { name: 'Boiler', status: 'OFFLINE' },
    });
  });

  test.each([
    ['server-sent events', 'text/event-stream'],
    ['a WebSocket', 'graphql-ws'],
  ])('EVT-12 a subscription over %s shows what happens', async (_what, mark) => {
    const output = await shellUntil(block(mark), 'EwonOffline', async () => {
      await eventually('a live stream', liveStreams, (count) => count === 1);
      // The device of the first test has its identity in the folder; its coming and going is what happens.
      await play('npm run sim -- run', {}, 'online as');
    });
    expect(output).toContain('EwonOnline');
    expect(output).toContain('My pump');
    await eventually('no live stream', liveStreams, (count) => count === 0);
  });

  test('API-06 the queries for GraphiQL run', async () => {
    const query = blocks.find((one) => one.file === 'README.md' && one.text.includes('query Overview'))?.text ?? '';
    const { account } = await new ApiCaller(server.url, environment.TOKEN).run(query);
    expect(account).toMatchObject({ name: 'demo', plan: 'PRO', slots: { total: 3, inUse: 0 } });
    const newAccount = blocks.find((one) => one.file === 'README.md' && one.text.includes('mutation NewAccount'));
    await new ApiCaller(server.url).succeed(newAccount?.text ?? '');
  });

  test('BIL-07 LOG-13 the files of the README are there', async () => {
    environment.FILES = folder;
    await shell(block('downloads/reports'));
    expect((await readFile(join(folder, 'consumption.pdf'))).subarray(0, 5).toString()).toBe('%PDF-');
    expect((await readFile(join(folder, 'log.csv'), 'utf8')).split('\r\n').length).toBeGreaterThan(5);
    const query = blocks.find((one) => one.file === 'README.md' && one.text.includes('query Worth'))?.text ?? '';
    const { account } = await new ApiCaller(server.url, environment.TOKEN).run(query);
    expect(account.reports[0].complete).toBe(false);
  });

  /** Runs the simulator as the README does, against this server, until its progress shows the text. */
  const play = (what: string, env: Record<string, string>, stopAt: string) => {
    const [call] = readme.filter(({ text }) => text.includes(what)).flatMap(simulatorCalls);
    if (!call) throw new Error(`The README does not call "${what}".`);
    const ours = ['--server', server.app.gatewayUrls.device, '--state', join(folder, 'sim')];
    return simulate([call.command, ...call.options, ...ours], env, stopAt);
  };
});

/** The calls of the simulator in a block, without the variables before them. */
function simulatorCalls({ text }: Block): { command: string; options: string[] }[] {
  return [...text.matchAll(/npm run sim -- (\S+)(.*)$/gm)].map(([, command = '', rest = '']) => ({
    command,
    options: rest.split('#')[0]?.trim().split(/\s+/).filter(Boolean) ?? [],
  }));
}

/** Runs the simulator's command; `stopAt` presses Ctrl-C as soon as the text appears. */
async function simulate(line: string[], env: Record<string, string> = {}, stopAt?: string) {
  const stop = new AbortController();
  const ran = { stdout: '', stderr: '' };
  const status = await runCommandLine(line, {
    env,
    stdin: (async function* () {
      yield '';
    })(),
    stdout: { write: (text) => (ran.stdout += text) },
    stderr: {
      write: (text) => {
        ran.stderr += text;
        if (stopAt !== undefined && ran.stderr.includes(stopAt)) stop.abort();
      },
    },
    signal: stop.signal,
  });
  return { status, ...ran };
}

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Command, parseDuration, type Surroundings } from '../../client/command-line.ts';
import { openKeyPool } from '../load/keys.ts';
import { type LoadResult, runLoad } from '../load/load.ts';
import { ProgressLine } from '../progress.ts';
import { type Platform, startOwnPlatform } from '../scenario/platform.ts';
import { formatReport } from '../summary.ts';
import { COMMON, parseWhole, platformOf } from './options.ts';

const options = {
  devices: { type: 'string', value: '<n>', default: '3000', help: 'How many devices.' },
  users: { type: 'string', value: '<n>', default: '300', help: 'How many users, each in a session of his own.' },
  accounts: { type: 'string', value: '<n>', default: '10', help: 'Over how many accounts they are spread.' },
  slots: { type: 'string', value: '<n>', help: 'Concurrent connections of each account; as many as it has users.' },
  seed: { type: 'string', value: '<text>', default: 'load', help: 'Names the accounts and gives the devices.' },
  state: { type: 'string', value: '<folder>', default: './data/sim', help: 'Where the keys of devices are kept.' },
  'per-second': { type: 'string', value: '<n>', default: '100', help: 'Devices, then users, that begin in a second.' },
  concurrency: { type: 'string', value: '<n>', default: '32', help: 'How many are on their way at a time.' },
  stay: { type: 'string', value: '<time>', default: '30s', help: 'How long all stay once everybody has come.' },
  patience: {
    type: 'string',
    value: '<time>',
    default: '10m',
    help: 'How long each obeys a platform that asks to come later.',
  },
  bytes: { type: 'string', value: '<n>', default: '65536', help: 'Bytes that each user has echoed; 0 for none.' },
  api: {
    type: 'string',
    value: '<url>',
    help: 'The API of a running platform; without it one is started. OPERATOR_TOKEN opens its operator’s door.',
  },
  server: { type: 'string', value: '<url>', default: 'https://localhost:4433', help: 'Its device port, with --api.' },
  ...COMMON,
} as const;

/** The platform's own cost of a password, unlike in scenarios: how long a login takes is to be measured. */
const HASHES = { PASSWORD_HASH_MEMORY_KIB: '65536', PASSWORD_HASH_ITERATIONS: '3', LOG_LEVEL: 'info' };

export const load: Command = {
  summary: 'Brings thousands of devices and hundreds of users online, holds them there, and measures.',
  details:
    'Ends with status 0 if everybody was online at the end and nothing failed. A running platform has limits by address (docs/scenarios.md); they are obeyed.',
  options,
  async run(args, surroundings) {
    const { values } = parseArgs({ args, options });
    const { signal, stdout, stderr } = surroundings;
    const settings = {
      seed: values.seed,
      devices: parseWhole(values.devices, 'devices', 1, 100_000),
      users: parseWhole(values.users, 'users', 0, 10_000),
      accounts: parseWhole(values.accounts, 'accounts', 1, 1000),
      slots: values.slots === undefined ? undefined : parseWhole(values.slots, 'slots', 1, 1000),
      perSecond: parseWhole(values['per-second'], 'per-second', 1, 10_000),
      concurrency: parseWhole(values.concurrency, 'concurrency', 1, 1000),
      stayMs: parseDuration(values.stay, 'stay'),
      patienceMs: parseDuration(values.patience, 'patience'),
      bytes: parseWhole(values.bytes, 'bytes', 0, 2 ** 30),
    };
    const given = platformOf(values, surroundings);
    const progress = new ProgressLine(stderr);
    const onProgress = (text: string) => progress.update(text);
    let platform: Platform | undefined;
    let result: LoadResult;
    try {
      const keys = await openKeyPool(join(values.state, 'load'), settings.devices, (done, total) =>
        onProgress(`keys ${done}/${total}`),
      );
      onProgress('starting a platform');
      platform = given ?? (await startOwnPlatform({ env: HASHES, signal }));
      result = await runLoad({ ...settings, platform, keys, signal, onProgress });
    } finally {
      progress.end();
      await platform?.close();
    }
    stdout.write(values.json ? `${JSON.stringify(result)}\n` : textOf(result));
    if (!result.ok) tell(surroundings, result);
    return result.ok ? 0 : 1;
  },
};

function tell({ stderr }: Surroundings, { seed, messages }: LoadResult): void {
  for (const message of messages) stderr.write(`${message}\n`);
  stderr.write(`Not everybody was online without an error (seed ${seed}).\n`);
}

function textOf(result: LoadResult): string {
  const { devices, users, platform, phases } = result;
  return [
    `${devices.online} of ${devices.wanted} devices were online, ${users.inSession} of ${users.wanted} users in a session.`,
    `The platform showed ${platform.online} Ewons online and ${platform.sessions} sessions.`,
    `All devices came in ${phases.devices.seconds} s (${phases.devices.perSecond}/s), all users in ${phases.users.seconds} s (${phases.users.perSecond}/s).`,
    formatReport(result),
    '',
  ].join('\n');
}

import { parseArgs } from 'node:util';
import {
  type Command,
  parseDuration,
  parseUrl,
  readText,
  type Surroundings,
  usageError,
} from '../../client/command-line.ts';
import { ProgressLine } from '../progress.ts';
import { seededRandom } from '../random.ts';
import { formatReport, Summary } from '../summary.ts';
import { SimulatedUser, type UserOptions, type UserOutcome } from '../users.ts';
import { COMMON, endOf, FOR, parseDurations, parseWhole } from './options.ts';

const options = {
  api: { type: 'string', value: '<url>', default: 'http://localhost:4000/graphql', help: 'The API.' },
  account: { type: 'string', value: '<name>', help: 'The account that they log in to.' },
  username: {
    type: 'string',
    multiple: true,
    value: '<name>',
    help: 'A user; give it several times, or as user{n} for user1, user2, … up to --count.',
  },
  count: { type: 'string', value: '<n>', help: 'How many users: the first ones given, or the numbers for {n}.' },
  'password-file': {
    type: 'string',
    value: '<file>',
    help: 'Lines "username=password". Or set TALKGATE_PASSWORD, one for all of them.',
  },
  wait: { type: 'string', value: '<time>', default: '0s', help: 'How long they wait for a slot when none is free.' },
  stay: { type: 'string', value: '<time>', default: '5s-20s', help: 'How long they stay in a session.' },
  pause: { type: 'string', value: '<time>', default: '1s-5s', help: 'How long they pause before the next.' },
  traffic: {
    type: 'string',
    value: '<address:port>',
    help: 'Hold the tunnel of each session and send bytes to this server behind the Ewon, which echoes them.',
  },
  bytes: { type: 'string', value: '<n>', default: '65536', help: 'How many bytes that are.' },
  seed: { type: 'string', value: '<text>', default: 'talkgate', help: 'The same seed gives the same choices.' },
  for: FOR,
  ...COMMON,
} as const;

export const users: Command = {
  summary: 'Plays users: they log in, open sessions, stay for a while, leave, and come again.',
  details:
    'Ends with status 0 if sessions were opened and nothing failed; being refused for want of a slot is no failure.',
  options,
  async run(args, surroundings) {
    const { values } = parseArgs({ args, options });
    if (values.account === undefined) throw usageError('users needs --account.');
    const account = values.account;
    const names = usernames(values.username ?? [], values.count);
    const passwordOf = await passwords(values['password-file'], surroundings);
    const traffic = parseTraffic(values.traffic, parseWhole(values.bytes, 'bytes', 1, 2 ** 30));
    const people = names.map((username) => {
      return new SimulatedUser({
        apiUrl: parseUrl(values.api, 'api', ['http', 'https']),
        account,
        username,
        password: passwordOf(username),
        waitSeconds: Math.round(parseDuration(values.wait, 'wait') / 1000),
        stayMs: parseDurations(values.stay, 'stay'),
        pauseMs: parseDurations(values.pause, 'pause'),
        ...(traffic !== undefined && { traffic, holdTunnel: true }),
        random: seededRandom(`${values.seed}/${username}`),
      });
    });
    using until = endOf(surroundings.signal, values.for);

    const summary = new Summary();
    const progress = new ProgressLine(surroundings.stderr);
    const counts = { opened: 0, moved: 0, refused: 0, offline: 0, left: 0, cut: 0, failed: 0 };
    const inSession = new Set<SimulatedUser>();
    for (const user of people) {
      user.on('outcome', (outcome) => {
        counts[outcome.kind] += 1;
        take(outcome, summary);
        if (outcome.kind === 'opened' || outcome.kind === 'moved') inSession.add(user);
        else inSession.delete(user);
        const { opened, refused, offline, failed } = counts;
        progress.update(
          `${people.length} users: in a session ${inSession.size}, opened ${opened}, refused ${refused}, offline ${offline}, failed ${failed}`,
        );
      });
    }
    await Promise.all(people.map((user) => user.run(until.signal)));
    progress.end();

    const report = { seed: values.seed, users: people.length, ...counts, ...summary.report() };
    surroundings.stdout.write(`${values.json ? JSON.stringify(report) : formatReport(report)}\n`);
    const good = counts.opened > 0 && counts.failed === 0;
    if (!good)
      surroundings.stderr.write(
        `${counts.failed > 0 ? 'Something failed' : 'No session was opened'} (seed ${values.seed}).\n`,
      );
    return good ? 0 : 1;
  },
};

function take(outcome: UserOutcome, summary: Summary): void {
  switch (outcome.kind) {
    case 'opened':
    case 'refused':
      summary.took(outcome.kind, outcome.ms);
      break;
    case 'moved':
      summary.took('moved', outcome.ms);
      summary.count('bytes echoed', outcome.bytes);
      break;
    case 'failed':
    case 'cut':
      summary.count(outcome.kind);
      summary.failed(outcome.code);
      break;
    case 'left':
    case 'offline':
      summary.count(outcome.kind);
      break;
  }
}

function parseTraffic(text: string | undefined, bytes: number): UserOptions['traffic'] {
  if (text === undefined) return undefined;
  const [, address, port = ''] = /^(\d+\.\d+\.\d+\.\d+):(\d+)$/.exec(text) ?? [];
  if (address === undefined) throw usageError('--traffic must look like 10.0.0.20:7.');
  return { target: { address, port: parseWhole(port, 'traffic', 1, 65_535) }, bytes };
}

function usernames(given: string[], count: string | undefined): string[] {
  if (given.length === 0) throw usageError('users needs --username.');
  const [pattern = ''] = given;
  if (given.length === 1 && pattern.includes('{n}')) {
    const total = parseWhole(count ?? '1', 'count', 1, 10_000);
    return Array.from({ length: total }, (_, index) => pattern.replaceAll('{n}', String(index + 1)));
  }
  if (count === undefined) return given;
  return given.slice(0, parseWhole(count, 'count', 1, given.length));
}

async function passwords(file: string | undefined, { env }: Surroundings): Promise<(username: string) => string> {
  if (file === undefined) {
    const { TALKGATE_PASSWORD: password } = env;
    if (!password) throw usageError('users needs their passwords: set TALKGATE_PASSWORD, or use --password-file.');
    return () => password;
  }
  const byName = new Map<string, string>();
  for (const [index, line] of (await readText(file, 'password-file')).split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const at = line.indexOf('=');
    if (at < 1) throw usageError(`--password-file ${file}, line ${index + 1} must have the form username=password.`);
    byName.set(line.slice(0, at).trim(), line.slice(at + 1));
  }
  return (username) => {
    const password = byName.get(username);
    if (password === undefined) throw usageError(`--password-file ${file} has no password for "${username}".`);
    return password;
  };
}

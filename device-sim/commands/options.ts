import {
  type Option,
  parseDuration,
  parseUrl,
  readText,
  type Surroundings,
  usageError,
} from '../../client/command-line.ts';
import { type Deadline, deadline } from '../../client/deadline.ts';
import type { EnrolmentProof } from '../../src/gateway/protocol.ts';
import type { Platform } from '../scenario/platform.ts';

/** Options that every command has. */
export const COMMON = {
  json: { type: 'boolean', help: 'Print the result as JSON.' },
  help: { type: 'boolean', short: 'h', help: 'Show this help.' },
} as const satisfies Record<string, Option>;

/** Options of commands that play devices. */
export const DEVICES = {
  server: { type: 'string', value: '<url>', default: 'https://localhost:4433', help: 'Device port of the platform.' },
  state: { type: 'string', value: '<folder>', default: './data/sim', help: 'Where devices keep their identity.' },
  seed: { type: 'string', value: '<text>', default: 'talkgate', help: 'The same seed gives the same devices.' },
} as const satisfies Record<string, Option>;

/** Which device of the seed. */
export const ONE_DEVICE = {
  index: { type: 'string', value: '<n>', default: '0', help: 'Which device of the seed, from 0.' },
  serial: {
    type: 'string',
    value: '<serial>',
    help: 'Another serial number than that of the seed, such as 2307-0101-25.',
  },
} as const satisfies Record<string, Option>;

/** How a device proves that an account wants it. */
export const PROOF = {
  'grk-file': {
    type: 'string',
    value: '<file>',
    help: 'File with the Global Registration Key; "-" reads it from standard input. Or set TALKGATE_GRK.',
  },
  'activation-key-file': {
    type: 'string',
    value: '<file>',
    help: 'File with an activation key, "-" as above. Or set TALKGATE_ACTIVATION_KEY.',
  },
  account: { type: 'string', value: '<name>', help: 'Register by name: the account,' },
  username: { type: 'string', value: '<name>', help: 'an Administrator of it,' },
  'password-file': {
    type: 'string',
    value: '<file>',
    help: 'a file with that user\'s password, "-" as above; or set TALKGATE_PASSWORD,',
  },
  name: { type: 'string', value: '<name>', help: 'and the name of the Ewon.' },
} as const satisfies Record<string, Option>;

export const FOR = {
  type: 'string',
  value: '<time>',
  help: 'End after this time, such as 60s or 5m; otherwise Ctrl-C ends it.',
} as const;

/** `5s`, or `5s-20s` for anything between. */
export function parseDurations(text: string, option: string): readonly [number, number] {
  const [min = '', max = min] = text.split('-');
  const range = [parseDuration(min, option), parseDuration(max, option)] as const;
  if (range[0] > range[1]) throw usageError(`--${option} must begin with the shorter time.`);
  return range;
}

/** A whole number in a range. */
export function parseWhole(text: string, option: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw usageError(`--${option} must be a whole number from ${min} to ${max}.`);
  return value;
}

/**
 * Reads a secret from a file, from standard input for `-`, or else from the environment: never from an argument, which
 * everybody on the machine can read in the list of processes.
 */
export async function readSecret(
  { env, stdin }: Pick<Surroundings, 'env' | 'stdin'>,
  { file, option, variable }: { file: string | undefined; option: string; variable?: string },
): Promise<string | undefined> {
  if (file === undefined) return (variable && env[variable]?.trim()) || undefined;
  const secret = (file === '-' ? await readAll(stdin) : await readText(file, option)).trim();
  if (secret === '') throw usageError(`--${option} is empty.`);
  return secret;
}

type ProofValues = { [Name in keyof typeof PROOF]?: string | undefined };

/** The proof that the options or the environment give; undefined when they give none. */
export async function readProof(values: ProofValues, surroundings: Surroundings): Promise<EnrolmentProof | undefined> {
  const secret = (option: 'grk-file' | 'activation-key-file' | 'password-file', variable: string) =>
    readSecret(surroundings, { file: values[option], option, variable });
  const { account, username, name: ewonName } = values;
  if (account !== undefined || username !== undefined || ewonName !== undefined) {
    const password = await secret('password-file', 'TALKGATE_PASSWORD');
    if (account === undefined || username === undefined || ewonName === undefined || password === undefined) {
      throw usageError(
        'Registering by name needs --account, --username, --name, and --password-file or TALKGATE_PASSWORD.',
      );
    }
    return { account, username, password, ewonName };
  }
  const activationKey = await secret('activation-key-file', 'TALKGATE_ACTIVATION_KEY');
  if (activationKey !== undefined) return { activationKey };
  const registrationKey = await secret('grk-file', 'TALKGATE_GRK');
  return registrationKey === undefined ? undefined : { registrationKey };
}

/** For devices that have to register when no proof was given. */
export const noProof = () =>
  usageError(
    'A device that is not registered needs a key: set TALKGATE_GRK or use --grk-file (--help names the other ways).',
  );

async function readAll(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

/** The running platform that `--api` and `--server` name; undefined without. OPERATOR_TOKEN opens its operator's door. */
export function platformOf(
  { api, server }: { api?: string | undefined; server: string },
  { env }: Surroundings,
): Platform | undefined {
  if (api === undefined) return undefined;
  const apiUrl = parseUrl(api, 'api', ['http', 'https']);
  const { OPERATOR_TOKEN: token } = env;
  return {
    apiUrl,
    deviceUrl: parseUrl(server, 'server', ['https']),
    operator: token ? { url: new URL('/operator', apiUrl).href, token } : undefined,
    restart: undefined,
    close: async () => undefined,
  };
}

/** Ends with the surroundings, or after the time that `--for` gives. */
export const endOf = (signal: AbortSignal, time: string | undefined): Deadline =>
  deadline(time === undefined ? undefined : parseDuration(time, 'for'), signal);

/** Resolves when `signal` ends. */
export function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

import { ApiClient } from '../api-client.ts';
import { type Option, parseUrl, readText, type Surroundings, usageError } from '../command-line.ts';
import { ConfigFolder, defaultConfigFolder } from '../config-folder.ts';
import { CodedError, codeOf } from '../errors.ts';
import { type CodeAnswer, type CodeRequest, logIn, logOut } from '../login.ts';

/** Options that every command has. */
export const COMMON = {
  config: {
    type: 'string',
    value: '<folder>',
    help: 'Where the client keeps its things. Default: ~/.config/talkgate/ecatcher',
  },
  json: { type: 'boolean', help: 'Print results as JSON.' },
  help: { type: 'boolean', short: 'h', help: 'Show this help.' },
} as const satisfies Record<string, Option>;

/** Options of commands that ask the API. */
export const LOGIN = {
  api: {
    type: 'string',
    value: '<url>',
    help: 'The API. Default: that of the stored login, TALKGATE_API, or http://localhost:4000/graphql',
  },
  account: { type: 'string', value: '<name>', help: 'The account to log in to; not needed after `login`.' },
  username: { type: 'string', value: '<name>', help: 'The user.' },
  'password-file': {
    type: 'string',
    value: '<file>',
    help: 'File with the password; "-" reads a line of standard input. Or set TALKGATE_PASSWORD. Else it is asked.',
  },
  'code-file': {
    type: 'string',
    value: '<file>',
    help: 'File with the code of the second factor, "-" as above. Or set TALKGATE_CODE. Else it is asked.',
  },
  'remember-pc': { type: 'boolean', help: 'This PC needs no code from now on, where the account allows it.' },
} as const satisfies Record<string, Option>;

type LoginValues = { [Name in Exclude<keyof typeof LOGIN, 'remember-pc'>]?: string | undefined } & {
  'remember-pc'?: boolean | undefined;
  config?: string | undefined;
};

export const configOf = (values: { config?: string | undefined }, { env }: Pick<Surroundings, 'env'>): ConfigFolder =>
  new ConfigFolder(values.config ?? defaultConfigFolder(env));

/** An API with a login. */
export interface Session {
  api: ApiClient;
  url: string;
  /** It is kept for later commands. */
  stored: boolean;
  account: string;
  username: string;
}

/** Logs in as the options say, and keeps the secret of a PC that is to be remembered. */
export async function logInAnew(
  values: LoginValues,
  surroundings: Surroundings,
): Promise<Session & { token: string; expiresAt: string }> {
  const { account, username } = values;
  if (account === undefined || username === undefined)
    throw usageError('Name the login with --account and --username.');
  const config = configOf(values, surroundings);
  const url = parseUrl(values.api ?? surroundings.env.TALKGATE_API ?? DEFAULT_API, 'api', ['http', 'https']);
  const lines = linesOf(surroundings.stdin);
  const password = await readSecret(surroundings, lines, {
    file: values['password-file'],
    option: 'password-file',
    variable: 'TALKGATE_PASSWORD',
    question: `Password of ${username}@${account}: `,
  });
  if (password === undefined)
    throw usageError('The password is needed: use --password-file, or set TALKGATE_PASSWORD.');
  const api = new ApiClient({ url });
  const user = { api: url, account, username };
  const { token, expiresAt, deviceToken } = await logIn(
    api,
    { account, username, password },
    {
      deviceToken: await config.deviceToken(user),
      rememberPc: values['remember-pc'],
      askCode: codesFrom(values, surroundings, lines),
      signal: surroundings.signal,
    },
  );
  if (deviceToken !== undefined) await config.setDeviceToken(user, deviceToken);
  return { api, url, stored: false, account, username, token, expiresAt };
}

/**
 * Runs `work` with a login: the stored one where the options name no other, else one that ends with the work (AUTH-19). A
 * stored one that has ended is forgotten.
 */
export async function withLogin<T>(
  values: LoginValues,
  surroundings: Surroundings,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = (await storedLogin(values, surroundings)) ?? (await logInAnew(values, surroundings));
  try {
    return await work(session);
  } catch (error) {
    if (!session.stored || !['UNAUTHENTICATED', 'LOGIN_EXPIRED'].includes(codeOf(error))) throw error;
    await configOf(values, surroundings).setLogin(undefined);
    throw new CodedError('LOGIN_EXPIRED', 'The stored login has ended; log in again.');
  } finally {
    if (!session.stored) await logOut(session.api).catch(() => undefined);
    session.api.close();
  }
}

/** The login that is kept, when the options mean it; undefined when they name another. */
export async function storedLogin(values: LoginValues, surroundings: Surroundings): Promise<Session | undefined> {
  const login = await configOf(values, surroundings).login();
  const { api, account, username } = values;
  if (login === undefined) {
    if (account === undefined && username === undefined)
      throw usageError('There is no stored login: log in first, or give --account and --username.');
    return undefined;
  }
  const same = (given: string | undefined, known: string) =>
    given === undefined || given.toLowerCase() === known.toLowerCase();
  if (!same(account, login.account) || !same(username, login.username) || !same(api, login.api)) return undefined;
  const client = new ApiClient({ url: login.api, token: login.token });
  return { api: client, url: login.api, stored: true, account: login.account, username: login.username };
}

const DEFAULT_API = 'http://localhost:4000/graphql';

/** Where codes come from: one of the file or the environment, else whoever sits at the terminal. */
function codesFrom(
  values: LoginValues,
  surroundings: Surroundings,
  lines: Lines,
): ((request: CodeRequest) => Promise<CodeAnswer>) | undefined {
  const { ask, env } = surroundings;
  const given = values['code-file'] !== undefined || env.TALKGATE_CODE;
  if (!given && ask === undefined) return undefined;
  return async (request) => {
    if (given) {
      if (request.refused !== undefined) throw new CodedError('CODE_INVALID', request.refused);
      const secret = { file: values['code-file'], option: 'code-file', variable: 'TALKGATE_CODE', question: undefined };
      const code = await readSecret(surroundings, lines, secret);
      if (code !== undefined) return { code };
    }
    const answer = (await ask?.(questionFor(request), { hidden: true }))?.trim() ?? '';
    if (answer === 'backup' && request.hasBackupNumber) return { resend: 'BACKUP' };
    return answer === '' && request.method !== 'APP' ? { resend: 'PRIMARY' } : { code: answer };
  };
}

function questionFor({ method, sentTo, hasBackupNumber, refused }: CodeRequest): string {
  const again = hasBackupNumber ? 'nothing sends it again, "backup" to the backup number' : 'nothing sends it again';
  const which = method === 'APP' ? 'Code of the authenticator app' : `Code sent to ${sentTo ?? 'you'} (${again})`;
  return `${refused === undefined ? '' : `${refused}\n`}${which}: `;
}

type Lines = () => Promise<string | undefined>;

/** The lines of a stream, one at each call; undefined at its end. */
function linesOf(stream: AsyncIterable<Uint8Array | string>): Lines {
  const chunks = stream[Symbol.asyncIterator]();
  let rest = '';
  let ended = false;
  return async () => {
    while (!rest.includes('\n') && !ended) {
      const { value, done } = await chunks.next();
      if (done) ended = true;
      else rest += Buffer.from(value).toString();
    }
    if (rest === '' && ended) return undefined;
    const [line = '', ...others] = rest.split('\n');
    rest = others.join('\n');
    return line.replace(/\r$/, '');
  };
}

/**
 * Reads a secret from a file, from a line of standard input for `-`, from the environment, or from the terminal: never from an
 * argument, which everybody on the machine can read in the list of processes.
 */
async function readSecret(
  { env, ask }: Surroundings,
  lines: Lines,
  given: { file: string | undefined; option: string; variable: string; question: string | undefined },
): Promise<string | undefined> {
  const { file, option, variable, question } = given;
  if (file !== undefined) {
    const secret = (file === '-' ? ((await lines()) ?? '') : await readText(file, option)).trim();
    if (secret === '') throw usageError(`--${option} is empty.`);
    return secret;
  }
  const fromEnvironment = env[variable]?.trim();
  if (fromEnvironment) return fromEnvironment;
  return question === undefined ? undefined : (await ask?.(question, { hidden: true })) || undefined;
}

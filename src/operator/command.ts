import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { graphql } from 'graphql';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { DatabaseError } from '../database/database.ts';
import { createLogger } from '../logger.ts';
import { openPlatform } from '../platform.ts';
import { OPERATOR_PATH } from './door.ts';

/** Where the command reads and writes. */
export interface Terminal {
  out(text: string): void;
  error(text: string): void;
  /** The first line of standard input. */
  readLine(): Promise<string>;
}

type Environment = Record<string, string | undefined>;
// What a server answers, by documents that stand below.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Data = any;

/** Sends a document of the operator's schema to wherever it is answered. */
type Ask = (document: string, variables: Record<string, unknown>) => Promise<Data>;

/** A reason for which nothing was done, in one line for the operator. */
class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

const REFUSED = 1;
const MISUSED = 2;

interface Command {
  help: string;
  /** Names of what stands behind the command, in order; all are needed. */
  operands: readonly string[];
  options?: Readonly<Record<string, string>>;
  flags?: Readonly<Record<string, string>>;
  document: string;
  /** May begin an embedded database; any other command wants one that exists. */
  begins?: boolean;
  variables?(given: Given, terminal: Terminal, env: Environment): Promise<Record<string, unknown>>;
  /** For a person; `--json` prints the answer instead. */
  show(answer: Data): string;
}

interface Given {
  operands: Record<string, string>;
  options: Record<string, string | undefined>;
  flags: Record<string, boolean>;
}

const ERROR = '... on Error { code message path } ... on ValidationError { inputViolations { path message } }';
const USER = 'account username displayName reference status lockedUntil blockedUntil logins lastLoginAt';
const ACCOUNT = 'name company plan createdAt concurrentConnections users ewons';
const CAMPAIGN = 'key firmwareVersion reason createdAt finishedAt requested updated skipped failed';
const ANNOUNCEMENT = 'key subject createdAt finishedAt accounts accountsInAll mails';
const PAGE = 'totalCount pageInfo { hasNextPage endCursor }';
const PAGE_OPTIONS = { first: 'how many, 1–500 (50)', after: 'behind this cursor, which the page before ended with' };

const operandsAsInput = async ({ operands }: Given) => ({ input: operands });
const pageVariables = async ({ options }: Given) => ({
  ...options,
  first: options.first === undefined ? undefined : wholeNumber('--first', options.first),
});

const COMMANDS: Record<string, Command> = {
  'create-account': {
    help: 'Creates an account with its first Administrator. Without a password he gets an invitation, whose link is printed too.',
    operands: [],
    options: {
      name: 'the account’s name (needed)',
      company: 'the company’s name (needed)',
      username: 'of the Administrator (needed)',
      email: 'of the Administrator (needed)',
      'full-name': 'of the Administrator',
      plan: 'FREE, LIGHT or PRO (FREE)',
    },
    flags: {
      'password-stdin': 'reads the password from the first line of standard input; else from ADMINISTRATOR_PASSWORD',
    },
    begins: true,
    document: `mutation ($input: CreateAccountInput!) { answer: createAccount(input: $input) { __typename
      ... on CreateAccountSuccess { account { ${ACCOUNT} } invitationLink invitationExpiresAt } ${ERROR} } }`,
    variables: async ({ options, flags }, terminal, env) => {
      for (const name of ['name', 'company', 'username', 'email'])
        if (!options[name]) throw new CommandError(`create-account needs --${name}.`, MISUSED);
      const password = flags['password-stdin'] ? await terminal.readLine() : env.ADMINISTRATOR_PASSWORD || null;
      return {
        input: {
          name: options.name,
          company: options.company,
          ...(options.plan && { plan: options.plan.toUpperCase() }),
          administrator: {
            username: options.username,
            email: options.email,
            fullName: options['full-name'] ?? null,
            password,
          },
        },
      };
    },
    show: ({ account, invitationLink, invitationExpiresAt }) =>
      [
        `Created the account ${account.name} (${account.company}) on plan ${account.plan}.`,
        ...(invitationLink
          ? [`The Administrator chooses his password once, until ${invitationExpiresAt}, at:`, invitationLink]
          : []),
      ].join('\n'),
  },
  'set-plan': {
    help: 'Puts another plan into force, with all that follows from it.',
    operands: ['account', 'plan'],
    document: `mutation ($input: SetPlanInput!) { answer: setPlan(input: $input) { __typename
      ... on SetPlanSuccess { account { ${ACCOUNT} } } ${ERROR} } }`,
    variables: async ({ operands: { account, plan } }) => ({ input: { account, plan: plan?.toUpperCase() } }),
    show: ({ account }) => `The account ${account.name} is on plan ${account.plan}.`,
  },
  'add-credit': {
    help: 'Adds to the credit of an account, in cents; repeated without --key, it adds again.',
    operands: ['account', 'cents'],
    options: {
      description: 'what it is for, as an invoice number (needed)',
      key: 'with the same key it is added once, for good',
    },
    document: `mutation ($input: AddCreditInput!) { answer: addCredit(input: $input) { __typename
      ... on AddCreditSuccess { account { ${ACCOUNT} creditCents currency } } ${ERROR} } }`,
    variables: async ({ operands: { account, cents }, options: { description, key } }) => {
      if (!description) throw new CommandError('add-credit needs --description.', MISUSED);
      return { input: { account, cents: wholeNumber('cents', cents ?? ''), description, key } };
    },
    show: ({ account }) =>
      `The account ${account.name} has a credit of ${(account.creditCents / 100).toFixed(2)} ${account.currency}.`,
  },
  accounts: {
    help: 'Lists the accounts, oldest first.',
    operands: [],
    options: { search: 'part of name or company', ...PAGE_OPTIONS },
    document: `query ($search: String, $first: Int, $after: String) { answer: accounts(search: $search, first: $first, after: $after) { ${PAGE} nodes { ${ACCOUNT} } } }`,
    variables: pageVariables,
    show: (answer) =>
      pageOf(answer, ['name', 'company', 'plan', 'users', 'ewons', 'concurrentConnections', 'createdAt']),
  },
  user: {
    help: 'Shows a user: whether he is locked, and how many logins he has.',
    operands: ['account', 'username'],
    document: `query ($account: String!, $username: String!) { answer: user(account: $account, username: $username) { ${USER} } }`,
    variables: async ({ operands }) => operands,
    show: (answer) => fields(answer),
  },
  unlock: {
    help: 'Ends the lock of a user after wrong passwords, and the block after wrong codes.',
    operands: ['account', 'username'],
    document: `mutation ($input: UnlockUserInput!) { answer: unlockUser(input: $input) { __typename
      ... on UnlockUserSuccess { user { ${USER} } } ${ERROR} } }`,
    variables: operandsAsInput,
    show: ({ user }) => `${user.displayName} is neither locked nor blocked.`,
  },
  'end-logins': {
    help: 'Ends all logins of a user, with their sessions and streams.',
    operands: ['account', 'username'],
    document: `mutation ($input: EndLoginsInput!) { answer: endLogins(input: $input) { __typename
      ... on EndLoginsSuccess { count user { ${USER} } } ${ERROR} } }`,
    variables: operandsAsInput,
    show: ({ count, user }) => `Ended ${count} logins of ${user.displayName}.`,
  },
  bans: {
    help: 'Lists the addresses that are banned from logging in.',
    operands: [],
    options: PAGE_OPTIONS,
    document: `query ($first: Int, $after: String) { answer: bans(first: $first, after: $after) { ${PAGE} nodes { remoteAddress bannedAt failures } } }`,
    variables: pageVariables,
    show: (answer) => pageOf(answer, ['remoteAddress', 'bannedAt', 'failures']),
  },
  'lift-ban': {
    help: 'Lets a banned address log in again.',
    operands: ['remoteAddress'],
    document: `mutation ($input: LiftBanInput!) { answer: liftBan(input: $input) { __typename ... on LiftBanSuccess { remoteAddress } ${ERROR} } }`,
    variables: operandsAsInput,
    show: ({ remoteAddress }) => `${remoteAddress} may log in again.`,
  },
  'due-work': {
    help: 'Lists what will fall due, the next first.',
    operands: [],
    options: PAGE_OPTIONS,
    document: `query ($first: Int, $after: String) { answer: dueWork(first: $first, after: $after) { ${PAGE} nodes { dueAt kind account subjectId attempts retryAt lastError } } }`,
    variables: pageVariables,
    show: (answer) => pageOf(answer, ['dueAt', 'kind', 'account', 'subjectId', 'attempts', 'retryAt', 'lastError']),
  },
  'start-patch-campaign': {
    help: 'Has all online Ewons with an older firmware update to this one, unless their account forbids it; each restarts.',
    operands: ['firmwareVersion'],
    options: {
      key: 'a name of your choice; given again, it is the same campaign (needed)',
      reason: 'what it mends, for the logs of the accounts (needed)',
    },
    document: `mutation ($input: StartPatchCampaignInput!) { answer: startPatchCampaign(input: $input) { __typename
      ... on StartPatchCampaignSuccess { campaign { ${CAMPAIGN} } } ${ERROR} } }`,
    variables: async ({ operands: { firmwareVersion }, options: { key, reason } }) => {
      if (!key || !reason) throw new CommandError('start-patch-campaign needs --key and --reason.', MISUSED);
      return { input: { firmwareVersion, key, reason } };
    },
    show: ({ campaign: { key, firmwareVersion } }) =>
      `The campaign ${key} raises Ewons to ${firmwareVersion}; patch-campaigns shows how far it is.`,
  },
  'patch-campaigns': {
    help: 'Lists the patch campaigns and what came of them, newest first.',
    operands: [],
    options: PAGE_OPTIONS,
    document: `query ($first: Int, $after: String) { answer: patchCampaigns(first: $first, after: $after) { ${PAGE} nodes { ${CAMPAIGN} } } }`,
    variables: pageVariables,
    show: (answer) =>
      pageOf(answer, [
        'key',
        'firmwareVersion',
        'createdAt',
        'finishedAt',
        'requested',
        'updated',
        'skipped',
        'failed',
      ]),
  },
  announce: {
    help: 'Writes a mail to the contacts of all accounts, one an address and account.',
    operands: [],
    options: {
      key: 'a name of your choice; given again, it is the same announcement (needed)',
      subject: 'of the mails, one line (needed)',
      'text-file': 'a file with the text of the mails, in UTF-8 (needed)',
    },
    document: `mutation ($input: SendAnnouncementInput!) { answer: sendAnnouncement(input: $input) { __typename
      ... on SendAnnouncementSuccess { announcement { ${ANNOUNCEMENT} } } ${ERROR} } }`,
    variables: async ({ options: { key, subject, 'text-file': file } }) => {
      if (!key || !subject || !file)
        throw new CommandError('announce needs --key, --subject and --text-file.', MISUSED);
      const text = await readFile(file, 'utf8').catch(() => {
        throw new CommandError(`There is no file ${file} that can be read.`, MISUSED);
      });
      return { input: { key, subject, text } };
    },
    show: ({ announcement: { key, accounts, accountsInAll } }) =>
      `The announcement ${key} has got to ${accounts} of ${accountsInAll} accounts; announcements shows how far it is.`,
  },
  announcements: {
    help: 'Lists the announcements and how far each is, newest first.',
    operands: [],
    options: PAGE_OPTIONS,
    document: `query ($first: Int, $after: String) { answer: announcements(first: $first, after: $after) { ${PAGE} nodes { ${ANNOUNCEMENT} } } }`,
    variables: pageVariables,
    show: (answer) =>
      pageOf(answer, ['key', 'subject', 'createdAt', 'finishedAt', 'accounts', 'accountsInAll', 'mails']),
  },
  jobs: {
    help: 'Shows how the sweeps of a running server last went (with --url).',
    operands: [],
    document: 'query { answer: jobs { name lastStartedAt milliseconds runs failures lastError } }',
    show: (answer) => table(answer, ['name', 'lastStartedAt', 'milliseconds', 'runs', 'failures', 'lastError']),
  },
  messages: {
    help: 'Lists the mails and text messages that were given up or cannot be sent, newest first.',
    operands: [],
    options: PAGE_OPTIONS,
    document: `query ($first: Int, $after: String) { answer: messagesInTrouble(first: $first, after: $after) { ${PAGE} nodes { createdAt account channel template recipient state attempts nextAttemptAt lastError } } }`,
    variables: pageVariables,
    show: (answer) =>
      pageOf(answer, ['createdAt', 'account', 'channel', 'template', 'recipient', 'state', 'attempts', 'lastError']),
  },
};

const COMMON_OPTIONS = { url: 'of a running server, as http://127.0.0.1:4000; default OPERATOR_URL' };
const COMMON_FLAGS = { json: 'prints the answer as one line of JSON', help: 'explains' };

/**
 * Runs one command of the operator. With a URL it asks a running server, showing OPERATOR_TOKEN; without one it works on the
 * database of the configuration itself. Returns the exit status: 0 done, 1 refused or impossible, 2 misused.
 * @param args behind the program's name
 */
export async function runOperatorCommand(
  args: readonly string[],
  env: Environment,
  terminal: Terminal,
): Promise<number> {
  try {
    const [name = '--help', ...rest] = args;
    if (name === '--help' || name === 'help') {
      terminal.out(overview());
      return 0;
    }
    const command = COMMANDS[name];
    if (!command) throw new CommandError(`There is no command ${name}.\n\n${overview()}`, MISUSED);
    const given = read(name, command, rest);
    if (given.flags.help) {
      terminal.out(explanation(name, command));
      return 0;
    }
    const { json } = given.flags;
    const { url = env.OPERATOR_URL, ...options } = given.options;
    const variables = (await command.variables?.({ ...given, options }, terminal, env)) ?? {};
    const answer = await (url ? askServer(url, env) : askDatabase(env, command.begins === true))(
      command.document,
      variables,
    );
    if (answer === null) throw new CommandError('NOT_FOUND: There is nothing of that name.', REFUSED);
    if (answer.code !== undefined) {
      if (json) terminal.out(JSON.stringify(answer));
      throw new CommandError(refusal(answer), REFUSED);
    }
    terminal.out(json ? JSON.stringify(answer) : command.show(answer));
    return 0;
  } catch (error) {
    if (!(error instanceof CommandError) && !(error instanceof ConfigError) && !(error instanceof DatabaseError))
      throw error;
    terminal.error(error.message);
    return error instanceof CommandError ? error.exitCode : REFUSED;
  }
}

function read(name: string, command: Command, args: readonly string[]): Given {
  const text = { ...command.options, ...COMMON_OPTIONS };
  const flags = { ...command.flags, ...COMMON_FLAGS };
  const options: ParseArgsConfig['options'] = {
    ...Object.fromEntries(Object.keys(text).map((option) => [option, { type: 'string' as const }])),
    ...Object.fromEntries(Object.keys(flags).map((flag) => [flag, { type: 'boolean' as const }])),
  };
  const parsed = (() => {
    try {
      return parseArgs({ args: [...args], options, allowPositionals: true });
    } catch (error) {
      // Its own words repeat the arguments, among which somebody may have put a password.
      const what =
        (error as { code?: string }).code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? 'an unknown option' : 'a wrong option';
      throw new CommandError(`${name} was given ${what}.\n\n${explanation(name, command)}`, MISUSED);
    }
  })();
  const given: Given = {
    operands: Object.fromEntries(command.operands.map((operand, index) => [operand, parsed.positionals[index] ?? ''])),
    options: Object.fromEntries(
      Object.keys(text).map((option) => [option, parsed.values[option] as string | undefined]),
    ),
    flags: Object.fromEntries(Object.keys(flags).map((flag) => [flag, parsed.values[flag] === true])),
  };
  if (!given.flags.help && parsed.positionals.length !== command.operands.length)
    throw new CommandError(`${name} needs ${command.operands.join(' and ') || 'nothing'} behind it.`, MISUSED);
  return given;
}

function askServer(url: string, env: Environment): Ask {
  const token = env.OPERATOR_TOKEN;
  if (!token) throw new CommandError('Set OPERATOR_TOKEN to the value that the server was started with.', MISUSED);
  return async (query, variables) => {
    const response = await fetch(new URL(OPERATOR_PATH, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    }).catch((error: Error & { cause?: { code?: string } }) => {
      throw new CommandError(`No server answers at ${url} (${error.cause?.code ?? error.message}).`, REFUSED);
    });
    if (response.status === 404)
      throw new CommandError(`The server at ${url} has no operator’s door: start it with OPERATOR_TOKEN.`, REFUSED);
    return answerOf((await response.json()) as Result);
  };
}

function askDatabase(env: Environment, mayBegin: boolean): Ask {
  // The operator's token is the server's; what is wrong with it does not matter here.
  const { OPERATOR_TOKEN: _, ...rest } = env;
  const config: Config = readConfig(rest);
  const [, folder = 'memory'] = /^pglite:\/\/(.*)$/.exec(config.secrets.databaseUrl) ?? [];
  if (!mayBegin && folder !== 'memory' && !existsSync(folder)) {
    const ways = 'Give the address of a running server with --url, or the database with DATABASE_URL';
    throw new CommandError(`There is no database in ${resolve(folder)}. ${ways}.`, REFUSED);
  }
  return async (source, variables) => {
    const { operatorSchema } = await import('./schema.ts');
    const { platform, close } = await openPlatform(config, { log: createLogger('silent') }).catch((error: unknown) => {
      if (error instanceof DatabaseError && error.message.includes('open in another process'))
        throw new CommandError(
          'The embedded database is in use by a running server: give its address with --url, and OPERATOR_TOKEN.',
          REFUSED,
        );
      throw error;
    });
    try {
      const variableValues = JSON.parse(JSON.stringify(variables));
      return answerOf(
        (await graphql({ schema: operatorSchema, source, variableValues, contextValue: platform })) as Result,
      );
    } finally {
      await close();
    }
  };
}

type Result = {
  data?: { answer: Data } | null;
  errors?: readonly { message: string; extensions?: { code?: unknown } }[];
};

function answerOf({ data, errors }: Result): Data {
  const [error] = errors ?? [];
  if (error) throw new CommandError(`${error.extensions?.code ?? 'ERROR'}: ${error.message}`, REFUSED);
  return data?.answer ?? null;
}

function refusal({ code, message, inputViolations = [] }: Data): string {
  const details = inputViolations.map((one: Data) => `\n  ${one.path.join('.')}: ${one.message}`);
  return `${code}: ${message}${details.length > 1 ? details.join('') : ''}`;
}

function wholeNumber(name: string, value: string): number {
  if (!/^\d{1,6}$/.test(value)) throw new CommandError(`${name} is a whole number of up to six digits.`, MISUSED);
  return Number(value);
}

const shown = (value: unknown): string => (value === null || value === undefined ? '-' : String(value));

const fields = (object: Record<string, unknown>): string =>
  Object.entries(object)
    .map(([name, value]) => `${name.padEnd(16)}${shown(value)}`)
    .join('\n');

function table(rows: readonly Record<string, unknown>[], columns: readonly string[]): string {
  const cells = [columns, ...rows.map((row) => columns.map((column) => shown(row[column])))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function pageOf({ totalCount, pageInfo, nodes }: Data, columns: readonly string[]): string {
  const more = pageInfo.hasNextPage ? `\n… more: --after ${pageInfo.endCursor}` : '';
  return `${table(nodes, columns)}\n${totalCount} in all${more}`;
}

const listed = (entries: Readonly<Record<string, string>>, dashes = ''): string =>
  Object.entries(entries)
    .map(([name, text]) => `  ${`${dashes}${name}`.padEnd(22)}${text}`)
    .join('\n');

const overview = (): string =>
  `What the operator of the platform does, on a running server (--url, OPERATOR_TOKEN) or on the database itself.

  npm run operator -- <command> [options]

${listed(Object.fromEntries(Object.entries(COMMANDS).map(([name, { help }]) => [name, help])))}

<command> --help explains one.`;

const explanation = (name: string, { help, operands, options = {}, flags = {} }: Command): string =>
  `${help}

  npm run operator -- ${[name, ...operands.map((operand) => `<${operand}>`)].join(' ')} [options]

${listed({ ...options, ...COMMON_OPTIONS, ...flags, ...COMMON_FLAGS }, '--')}`;

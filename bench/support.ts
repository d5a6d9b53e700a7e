import { Agent, request } from 'node:http';
import { startProcess, type TestProcess } from '../test/support/process.ts';

/** The program in a process of its own, on an embedded database, with limits out of the way and hashes at full cost. */
export async function startBenched(env: Record<string, string> = {}): Promise<TestProcess & { url: string }> {
  const started = await startProcess(
    {
      DATABASE_URL: 'pglite://memory',
      DATA_DIR: ':memory:',
      LOGINS_PER_MINUTE: '1000000',
      ACCOUNTS_PER_HOUR: '1000000',
      REQUESTS_PER_MINUTE_ADDRESS: '1000000',
      REQUESTS_PER_MINUTE_LOGIN: '1000000',
      API_CALLS_PER_DAY_FREE: '1000000000',
      API_CALLS_PER_DAY_LIGHT: '1000000000',
      API_CALLS_PER_DAY_PRO: '1000000000',
      LOGIN_LOCK_ATTEMPTS: '1000',
      ADDRESS_BAN_FAILURES: '1000000',
      ...env,
    },
    ['--import', 'tsx', 'src/main.ts'],
  );
  return { ...started, url: `${started.ready.api}` };
}

const agent = new Agent({ keepAlive: true, maxSockets: 100 });

/** Sends an operation; the answer's data. */
export function send(url: string, token: string | null, query: string, variables: object = {}): Promise<Answer> {
  const body = JSON.stringify({ query, variables });
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...(token && { authorization: `Bearer ${token}` }),
        },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve((JSON.parse(text) as { data: Answer }).data));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
// biome-ignore lint/suspicious/noExplicitAny: answers are read freely.
type Answer = any;

/** How long the work takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** @param share from 0 to 1: 0.5 is the median. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const ms = (value: number): string => `${value.toFixed(1)} ms`;

const CREATE =
  'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { __typename ... on CreateAccountSuccess { token } } }';

/** A new account; the token of its Administrator. */
export async function createAccount(url: string, name: string, password: string): Promise<string> {
  const input = { name, company: 'Bench', username: 'admin', email: 'admin@example.com', password };
  const { createAccount: created } = await send(url, null, CREATE, { input });
  return created.token;
}

/** Tries to log in. */
export async function login(url: string, account: string, username: string, password: string): Promise<string> {
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { __typename } }';
  return (await send(url, null, query, { input: { account, username, password } })).login.__typename;
}

import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '../client/api-client.ts';
import { CodedError, codeOf, messageOf } from '../client/errors.ts';
import { reconnectDelayMs } from './backoff.ts';
import {
  CLOSE_SESSION,
  EWONS,
  KEEP_SESSION_ALIVE,
  LOGIN,
  LOGOUT,
  type MutationError,
  OPEN_SESSION,
  type ReachableEwon,
} from './operations.ts';

/** From the first to the second, evenly. */
export type Range = readonly [min: number, max: number];

export interface UserOptions {
  /** `http://localhost:4000/graphql` */
  apiUrl: string;
  account: string;
  username: string;
  password: string;
  /** Which of the Ewons that are online and that the user may connect to; by default any. */
  choose?: (online: ReachableEwon[]) => ReachableEwon | undefined;
  /** How long it waits for a slot when none is free (WTL-02). */
  waitSeconds?: number;
  /** How long it stays in a session, and how long it pauses until the next. */
  stayMs?: Range;
  pauseMs?: Range;
  /** CON-30 */
  keepAliveMs?: number;
  timeoutMs?: number;
  random?: () => number;
}

/** What came of one attempt to work on an Ewon. */
export type UserOutcome =
  | { kind: 'opened'; ewon: string; ms: number }
  /** No slot, also after waiting: CONCURRENT_CONNECTION_LIMIT. */
  | { kind: 'refused'; ewon: string; code: string; ms: number }
  /** The Ewon, or every one that the user sees, is not online. */
  | { kind: 'offline'; ewon: string | undefined }
  | { kind: 'left'; ewon: string; stayedMs: number }
  /** Somebody or something else ended the session: its close reason (CON-09), or the code of a refusal. */
  | { kind: 'cut'; ewon: string; code: string; stayedMs: number }
  | { kind: 'failed'; code: string; message: string; retryAfter?: number | undefined };

/** After failures the user tries again more and more slowly. */
const AFTER_FAILURE = { baseMs: 1000, capMs: 30_000 };
/** For the last words of a user who is told to stop. */
const FAREWELL_MS = 5000;

/** A person who works with Ewons (SIM-06): logs in, opens a session, stays a while, leaves, and comes again. */
export class SimulatedUser extends EventEmitter<{ outcome: [UserOutcome] }> {
  readonly username: string;
  readonly #options: UserOptions;
  readonly #api: ApiClient;
  readonly #random: () => number;
  #loggedIn = false;

  constructor(options: UserOptions) {
    super();
    this.#options = options;
    this.username = options.username;
    this.#random = options.random ?? Math.random;
    this.#api = new ApiClient({ url: options.apiUrl, timeoutMs: options.timeoutMs ?? 15_000 });
  }

  /** Works until `signal` ends it; then closes its session and logs out. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const outcome = await this.visit(signal);
      if (signal.aborted) break;
      failures = outcome.kind === 'failed' ? failures + 1 : 0;
      const pauseMs =
        outcome.kind === 'failed'
          ? Math.max((outcome.retryAfter ?? 0) * 1000, reconnectDelayMs(AFTER_FAILURE, failures - 1, this.#random))
          : this.#within(this.#options.pauseMs ?? [1000, 5000]);
      await pause(pauseMs, signal);
    }
    await this.leave();
  }

  /** One visit: logs in where needed, opens a session and stays in it. The outcome says how it ended. */
  async visit(signal?: AbortSignal): Promise<UserOutcome> {
    let outcome: UserOutcome;
    try {
      outcome = await this.#visit(signal);
    } catch (error) {
      if (['UNAUTHENTICATED', 'LOGIN_EXPIRED'].includes(codeOf(error))) this.#loggedIn = false;
      const retryAfter = error instanceof CodedError ? error.retryAfter : undefined;
      outcome = { kind: 'failed', code: codeOf(error), message: messageOf(error), retryAfter };
      if (signal?.aborted) return outcome;
    }
    this.emit('outcome', outcome);
    return outcome;
  }

  /** Logs out, which also ends a session that is left (AUTH-19). */
  async leave(): Promise<void> {
    if (!this.#loggedIn) return;
    this.#loggedIn = false;
    await this.#api.request(LOGOUT, {}, { timeoutMs: FAREWELL_MS }).catch(() => undefined);
    this.#api.setToken(undefined);
  }

  async #visit(signal: AbortSignal | undefined): Promise<UserOutcome> {
    if (!this.#loggedIn) await this.#logIn(signal);
    const { ewons } = await this.#api.request(EWONS, {}, { signal });
    const online = ewons.edges
      .map(({ node }) => node)
      .filter(({ viewerCan }) => viewerCan.includes('CONNECT_ECATCHER'));
    const choose = this.#options.choose ?? ((from: ReachableEwon[]) => from[Math.floor(this.#random() * from.length)]);
    const ewon = choose(online);
    if (ewon === undefined) return { kind: 'offline', ewon: undefined };

    const waitSeconds = this.#options.waitSeconds ?? 0;
    const start = performance.now();
    const { openSession } = await this.#api.request(
      OPEN_SESSION,
      // A session that an earlier run left behind is given up for the new one (CON-07).
      { input: { ewonId: ewon.id, client: 'ECATCHER', switch: true, waitSeconds } },
      { signal, timeoutMs: (this.#options.timeoutMs ?? 15_000) + waitSeconds * 1000 },
    );
    const ms = performance.now() - start;
    if (!('session' in openSession)) {
      const { code } = openSession;
      if (code === 'CONCURRENT_CONNECTION_LIMIT') return { kind: 'refused', ewon: ewon.name, code, ms };
      if (code === 'EWON_OFFLINE') return { kind: 'offline', ewon: ewon.name };
      throw errorOf(openSession);
    }
    this.emit('outcome', { kind: 'opened', ewon: ewon.name, ms });
    return this.#stay(openSession.session.id, ewon.name, signal);
  }

  async #stay(sessionId: string, ewon: string, signal: AbortSignal | undefined): Promise<UserOutcome> {
    const start = performance.now();
    const until = start + this.#within(this.#options.stayMs ?? [5000, 20_000]);
    const stayedMs = () => performance.now() - start;
    while (!signal?.aborted && performance.now() < until) {
      await pause(Math.min(until - performance.now(), this.#options.keepAliveMs ?? 30_000), signal);
      if (signal?.aborted || performance.now() >= until) break;
      const code = await this.#keepAlive(sessionId, signal);
      if (code !== undefined) return { kind: 'cut', ewon, code, stayedMs: stayedMs() };
    }
    const { closeSession } = await this.#api.request(
      CLOSE_SESSION,
      { input: { sessionId } },
      { timeoutMs: FAREWELL_MS },
    );
    const code = endOf(closeSession);
    if (code !== undefined && code !== 'BY_USER') return { kind: 'cut', ewon, code, stayedMs: stayedMs() };
    return { kind: 'left', ewon, stayedMs: stayedMs() };
  }

  /** Why the session is over; undefined while it is open, and when the user is told to stop meanwhile. */
  async #keepAlive(sessionId: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    try {
      const { keepSessionAlive } = await this.#api.request(KEEP_SESSION_ALIVE, { input: { sessionId } }, { signal });
      return endOf(keepSessionAlive);
    } catch (error) {
      if (signal?.aborted) return undefined;
      throw error;
    }
  }

  async #logIn(signal: AbortSignal | undefined): Promise<void> {
    const { account, username, password } = this.#options;
    this.#api.setToken(undefined);
    const { login } = await this.#api.request(
      LOGIN,
      { input: { account, username, password, client: 'ECATCHER' } },
      { signal },
    );
    if (!('token' in login)) throw errorOf(login);
    this.#api.setToken(login.token);
    this.#loggedIn = true;
  }

  #within([min, max]: Range): number {
    return min + this.#random() * (max - min);
  }
}

/** Why a session is over: its close reason, or the code of the refusal; undefined while it is open. */
function endOf(
  result: { session: { state: string; closeReason?: string | null } } | MutationError,
): string | undefined {
  if (!('session' in result)) return result.code;
  return result.session.state === 'OPEN' ? undefined : (result.session.closeReason ?? 'CLOSED');
}

/** Members of a result union that are no errors but not what was asked for, such as SecondFactorRequired, have only their name. */
const errorOf = (result: MutationError | { __typename: string }): CodedError =>
  'code' in result
    ? new CodedError(result.code, result.message)
    : new CodedError(result.__typename, `The platform answers with ${result.__typename}.`);

/** Ends early, without an error, when `signal` does. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}

import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient, type TypedDocument } from '../client/api-client.ts';
import { fetchAuthority } from '../client/device-port.ts';
import { CodedError, codeOf, messageOf } from '../client/errors.ts';
import { SessionTunnel, type StreamTarget } from '../client/session-tunnel.ts';
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
  SLOT_WAIT,
} from './operations.ts';
import { patiently } from './patience.ts';
import { echo } from './traffic.ts';

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
  /** Holds the session's tunnel, and by this authority in PEM, or the one that the device port gives the first time. */
  holdTunnel?: boolean | { authority: string };
  /** What it sends, through the tunnel that it holds, to a server that echoes (TUN-01). */
  traffic?: { target: StreamTarget; bytes: number };
  timeoutMs?: number;
  /** How long it obeys a platform that asks to come later. */
  patienceMs?: number;
  random?: () => number;
}

/** A session that a user has. */
export interface HeldSession {
  id: string;
  /** When it holds it. */
  tunnel: SessionTunnel | undefined;
}

/** What came of one attempt to work on an Ewon. */
export type UserOutcome =
  | { kind: 'opened'; ewon: string; ms: number }
  /** Bytes went to the Ewon's LAN, and the same came back. */
  | { kind: 'moved'; ewon: string; bytes: number; ms: number }
  /** No slot, also after waiting: CONCURRENT_CONNECTION_LIMIT. */
  | { kind: 'refused'; ewon: string; code: string; ms: number }
  /** The Ewon, or every one that the user sees, is not online. */
  | { kind: 'offline'; ewon: string | undefined }
  | { kind: 'left'; ewon: string; stayedMs: number }
  /** Somebody or something else ended the session: its close reason (CON-09), or the code of a refusal. */
  | { kind: 'cut'; ewon: string; code: string; stayedMs: number }
  | { kind: 'failed'; code: string; message: string; retryAfter?: number | undefined };

interface OpenOptions {
  /** How long to stand in the queue when no slot is free (WTL-02). */
  waitSeconds?: number;
  signal?: AbortSignal | undefined;
}

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
  #session: HeldSession | undefined;

  constructor(options: UserOptions) {
    super();
    this.#options = options;
    this.username = options.username;
    this.#random = options.random ?? Math.random;
    this.#api = new ApiClient({ url: options.apiUrl, timeoutMs: options.timeoutMs ?? 15_000 });
  }

  /** The session that it holds. */
  get session(): HeldSession | undefined {
    return this.#session;
  }

  /** Logs in, with patience when the platform asks to come later. @throws CodedError the code of the refusal */
  async logIn(signal?: AbortSignal): Promise<void> {
    const { account, username, password, patienceMs = 0 } = this.#options;
    await patiently(
      async () => {
        this.#api.setToken(undefined);
        const input = { account, username, password, client: 'ECATCHER' as const };
        const { login } = await this.#api.request(LOGIN, { input }, { signal });
        if (!('token' in login)) throw errorOf(login);
        this.#api.setToken(login.token);
      },
      { withinMs: patienceMs, signal },
    );
    this.#loggedIn = true;
  }

  /**
   * Opens a session and, where it is to hold tunnels, its tunnel. A login that has ended is made anew.
   *
   * @throws CodedError the code of the refusal, such as CONCURRENT_CONNECTION_LIMIT or EWON_OFFLINE
   */
  async open(ewonId: string, { waitSeconds = 0, signal }: OpenOptions = {}): Promise<HeldSession> {
    if (!this.#loggedIn) await this.logIn(signal);
    const { session, ticket } = await this.#open(ewonId, waitSeconds, signal).catch(async (error: unknown) => {
      if (!hasNoLogin(error)) throw error;
      await this.logIn(signal);
      return this.#open(ewonId, waitSeconds, signal);
    });
    this.#session = { id: session.id, tunnel: undefined };
    const { holdTunnel = false } = this.#options;
    if (holdTunnel !== false) {
      const authority =
        typeof holdTunnel === 'object'
          ? holdTunnel.authority
          : await fetchAuthority(new URL(ticket.url).origin.replace(/^ws/, 'http'), {
              timeoutMs: this.#timeoutMs,
              signal,
            });
      const tunnel = await SessionTunnel.open(ticket, { authority, timeoutMs: this.#timeoutMs, signal });
      this.#session = { id: session.id, tunnel };
    }
    return this.#session;
  }

  /**
   * Any request with its login, made anew where it has ended.
   *
   * @throws ApiError
   */
  async request<Result, Variables>(
    query: TypedDocument<Result, Variables>,
    variables: Variables,
    signal?: AbortSignal,
  ): Promise<Result> {
    if (!this.#loggedIn) await this.logIn(signal);
    try {
      return await this.#api.request(query, variables, { signal });
    } catch (error) {
      if (!hasNoLogin(error)) throw error;
      await this.logIn(signal);
      return this.#api.request(query, variables, { signal });
    }
  }

  /** Whether it stands in the queue for a slot now. */
  async isWaiting(signal?: AbortSignal): Promise<boolean> {
    const { viewer } = await this.#api.request(SLOT_WAIT, {}, { signal });
    return viewer?.slotWait != null;
  }

  /**
   * Sends bytes through the tunnel of its session to a server that echoes, and compares what comes back. Takes milliseconds.
   *
   * @throws CodedError the refusal of the stream, `NOT_CONNECTED`, `BYTES_DIFFER`, `TIMEOUT`
   */
  async move(target: StreamTarget, bytes: number, signal?: AbortSignal): Promise<number> {
    const tunnel = this.#session?.tunnel;
    if (tunnel === undefined) throw new CodedError('NOT_CONNECTED', `${this.username} holds no session tunnel.`);
    const start = performance.now();
    await echo(await tunnel.openStream(target, { signal }), { bytes, timeoutMs: this.#options.timeoutMs ?? 60_000 });
    return performance.now() - start;
  }

  /** Closes its session. The code says how it had ended before; undefined when this closed it. */
  async closeSession(): Promise<string | undefined> {
    const session = this.#session;
    if (session === undefined) return undefined;
    this.#session = undefined;
    const { closeSession } = await this.#api.request(
      CLOSE_SESSION,
      { input: { sessionId: session.id } },
      { timeoutMs: FAREWELL_MS },
    );
    await session.tunnel?.close();
    const code = endOf(closeSession);
    return code === 'BY_USER' ? undefined : code;
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
      if (hasNoLogin(error)) this.#loggedIn = false;
      const retryAfter = error instanceof CodedError ? error.retryAfter : undefined;
      outcome = { kind: 'failed', code: codeOf(error), message: messageOf(error), retryAfter };
      if (signal?.aborted) return outcome;
    }
    this.emit('outcome', outcome);
    return outcome;
  }

  /** Logs out, which also ends a session that is left (AUTH-19). */
  async leave(): Promise<void> {
    await this.#session?.tunnel?.close();
    this.#session = undefined;
    if (!this.#loggedIn) return;
    this.#loggedIn = false;
    await this.#api.request(LOGOUT, {}, { timeoutMs: FAREWELL_MS }).catch(() => undefined);
    this.#api.setToken(undefined);
  }

  async #visit(signal: AbortSignal | undefined): Promise<UserOutcome> {
    if (!this.#loggedIn) await this.logIn(signal);
    const { ewons } = await this.#api.request(EWONS, {}, { signal });
    const online = ewons.edges
      .map(({ node }) => node)
      .filter(({ viewerCan }) => viewerCan.includes('CONNECT_ECATCHER'));
    const choose = this.#options.choose ?? ((from: ReachableEwon[]) => from[Math.floor(this.#random() * from.length)]);
    const ewon = choose(online);
    if (ewon === undefined) return { kind: 'offline', ewon: undefined };

    const start = performance.now();
    try {
      await this.open(ewon.id, { waitSeconds: this.#options.waitSeconds ?? 0, signal });
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EWON_OFFLINE') return { kind: 'offline', ewon: ewon.name };
      if (code !== 'CONCURRENT_CONNECTION_LIMIT') throw error;
      return { kind: 'refused', ewon: ewon.name, code, ms: performance.now() - start };
    }
    this.emit('outcome', { kind: 'opened', ewon: ewon.name, ms: performance.now() - start });
    return this.#stay(ewon.name, signal);
  }

  async #open(ewonId: string, waitSeconds: number, signal: AbortSignal | undefined) {
    const { openSession } = await this.#api.request(
      OPEN_SESSION,
      // A session that an earlier run left behind is given up for the new one (CON-07).
      { input: { ewonId, client: 'ECATCHER', switch: true, waitSeconds } },
      { signal, timeoutMs: this.#timeoutMs + waitSeconds * 1000 },
    );
    if (!('session' in openSession)) throw errorOf(openSession);
    return { session: openSession.session, ticket: openSession.tunnel };
  }

  async #stay(ewon: string, signal: AbortSignal | undefined): Promise<UserOutcome> {
    const start = performance.now();
    const until = start + this.#within(this.#options.stayMs ?? [5000, 20_000]);
    const stayedMs = () => performance.now() - start;
    const { traffic } = this.#options;
    if (traffic !== undefined && this.#session?.tunnel !== undefined) {
      const ms = await this.move(traffic.target, traffic.bytes, signal);
      this.emit('outcome', { kind: 'moved', ewon, bytes: traffic.bytes, ms });
    }
    while (!signal?.aborted && performance.now() < until) {
      await pause(Math.min(until - performance.now(), this.#options.keepAliveMs ?? 30_000), signal);
      if (signal?.aborted || performance.now() >= until) break;
      const code = await this.#lost(signal);
      if (code !== undefined) {
        this.#session = undefined;
        return { kind: 'cut', ewon, code, stayedMs: stayedMs() };
      }
    }
    const code = await this.closeSession();
    if (code !== undefined) return { kind: 'cut', ewon, code, stayedMs: stayedMs() };
    return { kind: 'left', ewon, stayedMs: stayedMs() };
  }

  /** Why its session is over; undefined while it is open. A tunnel tells it by itself, and keeps the session alive. */
  async #lost(signal: AbortSignal | undefined): Promise<string | undefined> {
    const session = this.#session;
    if (session === undefined) return 'CLOSED';
    return session.tunnel === undefined ? this.#keepAlive(session.id, signal) : session.tunnel.ended?.reason;
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

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? 15_000;
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
    ? new CodedError(result.code, result.message, 'retryAfter' in result ? Number(result.retryAfter) : undefined)
    : new CodedError(result.__typename, `The platform answers with ${result.__typename}.`);

const hasNoLogin = (error: unknown): boolean => ['UNAUTHENTICATED', 'LOGIN_EXPIRED'].includes(codeOf(error));

/** Ends early, without an error, when `signal` does. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}

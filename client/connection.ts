import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { StreamSocket } from '../src/gateway/stream-socket.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import { deadline } from './deadline.ts';
import { CodedError, codeOf, messageOf } from './errors.ts';
import type { EcatcherOpenSessionMutation } from './gql/graphql.ts';
import { CLOSE_SESSION, LEAVE_QUEUE, OPEN_SESSION, QUEUE, SESSION } from './operations.ts';
import { endError, SessionTunnel, type SessionTunnelEnd, type StreamTarget } from './session-tunnel.ts';

type Opened = Extract<EcatcherOpenSessionMutation['openSession'], { __typename: 'OpenSessionSuccess' }>;
type Refused = Exclude<EcatcherOpenSessionMutation['openSession'], Opened>;

/** The session as it was when it was opened. */
export type OpenedSession = Opened['session'];

export interface ConnectionOptions {
  ewonId: string;
  /** How long to wait when no slot is free (WTL-02). Whole seconds. */
  waitSeconds?: number;
  /** Closes the user's present session in the same step (CON-07). */
  switch?: boolean;
  /** PEM of the authority of the gateway at this address (`https://host:port`): looked up at each opening of the tunnel. */
  authorityOf: (origin: string) => Promise<string>;
  /** The place in the queue, 1 being next, whenever it changes while this waits (WTL-03). */
  onQueue?: (position: number) => void;
  /** How often the place in the queue is read. Milliseconds. */
  queuePollMs?: number;
  /** How long a broken tunnel is opened again and again. Milliseconds. */
  reconnectForMs?: number;
  /** For each request and each opening of the tunnel. */
  timeoutMs?: number;
  /** Ends the opening; then {@link Connection.close} ends the connection. */
  signal?: AbortSignal | undefined;
}

interface ConnectionEvents {
  /** The tunnel broke, and is being opened again. */
  lost: [end: SessionTunnelEnd];
  /** It is open again, to the same session. */
  restored: [];
  /** It is over, for good. */
  end: [end: SessionTunnelEnd];
}

const FAREWELL_MS = 5000;
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5000;
/** How long a new stream waits for a tunnel that is being opened again. */
const STREAM_WAIT_MS = 15_000;

/**
 * A session with its tunnel (TUN-06). A tunnel that breaks is opened again with another ticket for the same session, which the
 * idempotency key names (API-01), until the session has ended. `end` is emitted once.
 */
export class Connection extends EventEmitter<ConnectionEvents> {
  readonly #api: ApiClient;
  readonly #options: ConnectionOptions;
  readonly #key: string;
  readonly #closing = new AbortController();
  readonly #tunnels: SessionTunnel[] = [];
  readonly session: OpenedSession;
  #tunnel: SessionTunnel;
  #restoring: Promise<void> | undefined;
  #ended: SessionTunnelEnd | undefined;

  private constructor(
    api: ApiClient,
    options: ConnectionOptions,
    key: string,
    session: OpenedSession,
    tunnel: SessionTunnel,
  ) {
    super();
    this.#api = api;
    this.#options = options;
    this.#key = key;
    this.session = session;
    this.#tunnel = tunnel;
    this.#use(tunnel);
  }

  /**
   * Opens a session, waiting for a slot as long as the options say, and its tunnel.
   *
   * @throws CodedError with the code of the refusal, such as EWON_OFFLINE, USER_ALREADY_CONNECTED or
   *   CONCURRENT_CONNECTION_LIMIT, whose message says who holds the slots (WTL-01); as {@link SessionTunnel.open} does; ApiError;
   *   the reason of `signal` when that ended it
   */
  static async open(api: ApiClient, options: ConnectionOptions): Promise<Connection> {
    const key = randomUUID();
    const { waitSeconds = 0, signal } = options;
    using watching = deadline(undefined, signal);
    const stop = new AbortController();
    const queue = waitSeconds > 0 ? watchQueue(api, options, stop.signal) : Promise.resolve();
    let opened: Opened;
    try {
      opened = await openSession(api, options, key, waitSeconds, watching.signal);
    } catch (error) {
      // Hanging up keeps the place for a while, for another try; who stops wants it no more (WTL-03).
      if (signal?.aborted) await api.request(LEAVE_QUEUE, {}, { timeoutMs: FAREWELL_MS }).catch(() => undefined);
      throw error;
    } finally {
      stop.abort();
      await queue;
    }
    try {
      return new Connection(api, options, key, opened.session, await openTunnel(options, opened, signal));
    } catch (error) {
      await closeSession(api, opened.session.id).catch(() => undefined);
      throw error;
    }
  }

  /** How it ended; undefined while it goes on, and while a broken tunnel is being opened again. */
  get ended(): SessionTunnelEnd | undefined {
    return this.#ended;
  }

  /** The tunnel of now. */
  get tunnel(): SessionTunnel {
    return this.#tunnel;
  }

  /** Bytes of all streams from here to the Ewon (TUN-05). */
  get bytesIn(): number {
    return this.#tunnels.reduce((sum, { bytesIn }) => sum + bytesIn, 0);
  }

  /** Bytes of all streams that came back. */
  get bytesOut(): number {
    return this.#tunnels.reduce((sum, { bytesOut }) => sum + bytesOut, 0);
  }

  /** Streams that are open now. */
  get streams(): number {
    return this.#tunnels.reduce((sum, { streams }) => sum + streams, 0);
  }

  /**
   * Opens a stream; while the tunnel is being opened again, it waits for that.
   *
   * @throws as {@link SessionTunnel.openStream}
   */
  async openStream(target: StreamTarget, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<StreamSocket> {
    if (this.#restoring !== undefined) {
      using limit = deadline(STREAM_WAIT_MS, signal);
      await Promise.race([this.#restoring, aborted(limit.signal)]);
      signal?.throwIfAborted();
    }
    if (this.#ended !== undefined) throw endError(this.#ended);
    return this.#tunnel.openStream(target, { signal });
  }

  /** Leaves: the session is closed, its slot free and its streams cut. Resolves when the platform has confirmed it, or cannot. */
  async close(): Promise<void> {
    if (this.#ended !== undefined || this.#closing.signal.aborted) return;
    this.#closing.abort();
    await closeSession(this.#api, this.session.id).catch(() => undefined);
    await this.#tunnel.close();
    await this.#restoring;
    this.#end({ code: 'BY_CLIENT', reason: 'BY_CLIENT' });
  }

  #use(tunnel: SessionTunnel): void {
    this.#tunnel = tunnel;
    this.#tunnels.push(tunnel);
    tunnel.once('end', () => this.#check());
    // It may have ended before anybody listened.
    queueMicrotask(() => this.#check());
  }

  #check(): void {
    const end = this.#tunnel.ended;
    if (end === undefined || this.#restoring !== undefined || this.#closing.signal.aborted) return;
    if (NO_RETURN.includes(end.code)) return this.#end(end);
    this.#restoring = this.#restore(end).finally(() => {
      this.#restoring = undefined;
      if (this.#ended === undefined) this.#check();
    });
  }

  async #restore(end: SessionTunnelEnd): Promise<void> {
    this.emit('lost', end);
    const until = performance.now() + (this.#options.reconnectForMs ?? 5 * 60_000);
    const { signal } = this.#closing;
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
      try {
        const opened = await openSession(this.#api, this.#options, this.#key, 0, signal);
        const { id, state, closeReason } = opened.session;
        if (state === 'CLOSED' || id !== this.session.id)
          return this.#end({ code: 'SESSION_CLOSED', reason: closeReason ?? 'SESSION_CLOSED' });
        const tunnel = await openTunnel(this.#options, opened, signal);
        this.#use(tunnel);
        this.emit('restored');
        return;
      } catch (error) {
        if (signal.aborted) return;
        const code = codeOf(error);
        if (!mayPass(error) || performance.now() > until) return this.#end({ code, reason: messageOf(error) });
      }
      // Between half and the whole of it, so that the clients of a gateway that restarts do not come all at once.
      await delay(delayMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }

  #end(end: SessionTunnelEnd): void {
    if (this.#ended !== undefined) return;
    this.#ended = end;
    for (const tunnel of this.#tunnels) tunnel.destroy();
    this.emit('end', end);
  }
}

/** After these a tunnel is not opened again. */
const NO_RETURN = ['SESSION_CLOSED', 'BY_CLIENT', 'REPLACED', 'UNSUPPORTED_PROTOCOL'];

const PASSING = [
  'UNREACHABLE',
  'TIMEOUT',
  'CONNECTION_LOST',
  'ANSWER_INVALID',
  'TOO_MANY_REQUESTS',
  'INTERNAL_ERROR',
  'GOING_AWAY',
  'SERVICE_RESTART',
];

/** Whether it is worth trying once more. The device port does not know a ticket that a newer one has voided; of the API it is the login. */
const mayPass = (error: unknown): boolean =>
  PASSING.includes(codeOf(error)) || (codeOf(error) === 'UNAUTHENTICATED' && !(error instanceof ApiError));

async function openSession(
  api: ApiClient,
  { ewonId, switch: switching = false, timeoutMs = 15_000 }: ConnectionOptions,
  idempotencyKey: string,
  waitSeconds: number,
  signal: AbortSignal | undefined,
): Promise<Opened> {
  const { openSession: result } = await api.request(
    OPEN_SESSION,
    { input: { ewonId, client: 'ECATCHER', switch: switching, waitSeconds, idempotencyKey } },
    { signal, timeoutMs: timeoutMs + waitSeconds * 1000 },
  );
  if (result.__typename === 'OpenSessionSuccess') return result;
  throw refusalOf(result);
}

async function openTunnel(
  { authorityOf, timeoutMs }: ConnectionOptions,
  { tunnel }: Opened,
  signal: AbortSignal | undefined,
): Promise<SessionTunnel> {
  const authority = await authorityOf(new URL(tunnel.url).origin.replace(/^ws/, 'http'));
  return SessionTunnel.open(tunnel, { authority, signal, ...(timeoutMs !== undefined && { timeoutMs }) });
}

async function closeSession(api: ApiClient, sessionId: string): Promise<void> {
  await api.request(CLOSE_SESSION, { input: { sessionId } }, { timeoutMs: FAREWELL_MS });
}

/** The bytes of a session as the platform has counted them (CON-29), and how it stands. */
export async function readSession(
  api: ApiClient,
  id: string,
): Promise<{ state: string; closeReason: string | null; bytesIn: number; bytesOut: number } | undefined> {
  const { node } = await api.request(SESSION, { id });
  if (node?.__typename !== 'Session') return undefined;
  const { state, closeReason, bytesIn, bytesOut } = node;
  return { state, closeReason: closeReason ?? null, bytesIn, bytesOut };
}

/** Reads the place in the queue until it is stopped. It shows only: a failure says nothing of the waiting itself. */
async function watchQueue(
  api: ApiClient,
  { onQueue, queuePollMs = 1000 }: ConnectionOptions,
  stop: AbortSignal,
): Promise<void> {
  if (onQueue === undefined) return;
  let last: number | undefined;
  while (!stop.aborted) {
    const answer = await api.request(QUEUE, {}, { signal: stop }).catch(() => undefined);
    const position = answer?.viewer?.slotWait?.position ?? undefined;
    if (position !== undefined && position !== last && !stop.aborted) onQueue(position);
    last = position ?? last;
    await delay(queuePollMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** Says of a refusal what the platform knows of its reason (WTL-01). */
function refusalOf(refusal: Refused): CodedError {
  const { code, message } = refusal;
  if (refusal.__typename === 'NoFreeSlotError') {
    const { usage, holders } = refusal;
    const reserved = usage.reservations.map(({ count, group }) => `${count} reserved for ${group?.name ?? 'a group'}`);
    const figures = [`${usage.inUse} of ${usage.total} in use`, ...reserved, `you may use ${usage.usableByViewer}`];
    const who = holders.map(({ userName, since }) => `${userName ?? 'somebody'} since ${since}`);
    const held = who.length > 0 ? ` Held by ${who.join(', ')}.` : '';
    return new CodedError(code, `${message} ${capital(figures.join(', '))}.${held}`);
  }
  if (refusal.__typename === 'UserAlreadyConnectedError')
    return new CodedError(code, `${message} It is ${refusal.session.reference}, to ${refusal.session.ewonName}.`);
  return new CodedError(code, message);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

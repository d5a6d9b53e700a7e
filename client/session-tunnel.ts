import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { z } from 'zod';
import {
  type ClientMessage,
  closeReasonOf,
  MAX_MESSAGE_BYTES,
  MAX_STREAM_FRAME_BYTES,
  SESSION_SUBPROTOCOL,
  STREAM_PATH,
  STREAM_SUBPROTOCOL,
} from '../src/gateway/protocol.ts';
import { StreamError, StreamSocket } from '../src/gateway/stream-socket.ts';
import { deadline } from './deadline.ts';
import { connectionError, parseJson, readRefusal } from './device-port.ts';
import { CodedError } from './errors.ts';

/** The first message on a session tunnel; what the client needs of it. */
const Established = z.object({
  type: z.literal('established'),
  userVpnAddress: z.string().nullable(),
  ewonVpnAddress: z.string().nullable(),
  streamToken: z.string().min(1).max(200),
  keepAliveSeconds: z.number().positive().max(86_400),
  offlineAfterSeconds: z.number().positive().max(86_400),
});
type Established = z.infer<typeof Established>;

/** The part of a refused stream that tells of the firewall (TUN-02). */
const FirewallVerdict = z.object({
  level: z.string().max(50).optional(),
  rule: z.string().max(50).optional(),
  reason: z.string().max(100).optional(),
});

const DEFAULT_TIMEOUT_MS = 15_000;
/** Longer than the gateway may take for a dial, so that its own answer comes first. */
const STREAM_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 2000;
const MAX_REFUSAL_BYTES = 16 * 1024;
const NORMAL = 1000;

/** A stream that the platform did not open. `code` is of the platform's catalogue, such as STREAM_FORBIDDEN. */
export class StreamRefusal extends CodedError {
  override readonly name = 'StreamRefusal';
  constructor(
    code: string,
    message: string,
    /** TUN-02: the firewall level and the rule that decided, and why; of STREAM_FORBIDDEN alone. */
    readonly verdict: { level?: string; rule?: string; reason?: string },
    retryAfter?: number,
  ) {
    super(code, message, retryAfter);
  }
}

/** How a session tunnel ended. */
export interface SessionTunnelEnd {
  /**
   * A close reason of the protocol, or the client's view: `BY_CLIENT`, `GATEWAY_SILENT` (no message for the time after which
   * the gateway counts a client as gone), `CONNECTION_LOST`.
   */
  code: string;
  /** What the gateway said beside it: of SESSION_CLOSED the session's close reason (CON-09), else the code again. */
  reason: string;
}

/** Where a stream leads to: an address of the Ewon's LAN, or its own, and a TCP port. */
export interface StreamTarget {
  address: string;
  /** 1–65535 */
  port: number;
}

export interface OpenOptions {
  /** For the whole opening, from the connection to the gateway's answer. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/**
 * The client's end of a session (TUN-06): a WebSocket that keeps the session alive, and the streams that are opened with it.
 * `end` is emitted once. With the session, and when the gateway is silent, its streams end before it; a broken connection
 * ends only itself, for each stream has its own. A tunnel that ended is not opened again: ask for another ticket.
 */
export class SessionTunnel extends EventEmitter<{ end: [SessionTunnelEnd] }> {
  readonly #webSocket: WebSocket;
  readonly #authority: string;
  readonly #established: Established;
  readonly #streams = new Set<StreamSocket>();
  readonly #keepAliveTimer: NodeJS.Timeout;
  readonly #silenceTimer: NodeJS.Timeout;
  #finishedIn = 0;
  #finishedOut = 0;
  #cause: string | undefined;
  #ended: SessionTunnelEnd | undefined;

  private constructor(webSocket: WebSocket, authority: string, established: Established) {
    super();
    this.#webSocket = webSocket;
    this.#authority = authority;
    this.#established = established;
    const { keepAliveSeconds, offlineAfterSeconds } = established;
    this.#keepAliveTimer = setInterval(() => this.#keepAlive(), keepAliveSeconds * 1000);
    this.#silenceTimer = setTimeout(() => this.#abandon('GATEWAY_SILENT'), offlineAfterSeconds * 1000);
    webSocket.on('message', () => this.#silenceTimer.refresh());
    webSocket.on('error', () => this.#abandon('CONNECTION_LOST'));
    webSocket.on('close', (code, reason) => {
      const known = closeReasonOf(code) ?? this.#cause ?? 'CONNECTION_LOST';
      this.#end({ code: known, reason: reason.toString() || known });
    });
  }

  /**
   * Opens the tunnel that a ticket of `openSession` is for, and waits until the session is established.
   *
   * @throws CodedError `UNAUTHENTICATED` when the ticket is used, expired or unknown, or another code of the platform; a close
   *   reason; `UNREACHABLE`, `TIMEOUT`, `PLATFORM_NOT_TRUSTED`, `ANSWER_INVALID`; the reason of `signal` when that ended it
   */
  static async open(
    { url, token }: { url: string; token: string },
    { authority, timeoutMs = DEFAULT_TIMEOUT_MS, signal }: OpenOptions & { /** PEM */ authority: string },
  ): Promise<SessionTunnel> {
    const webSocket = new WebSocket(url, SESSION_SUBPROTOCOL, {
      ...tlsOptions(authority, token),
      maxPayload: MAX_MESSAGE_BYTES,
    });
    return opening(webSocket, { timeoutMs, signal }, (settle, fail) => {
      webSocket.once('message', (data) => {
        const message = Established.safeParse(parseJson(data.toString()));
        if (message.success) settle(new SessionTunnel(webSocket, authority, message.data));
        else fail(new CodedError('ANSWER_INVALID', `${new URL(url).origin} does not speak ${SESSION_SUBPROTOCOL}.`));
      });
    });
  }

  get userVpnAddress(): string | null {
    return this.#established.userVpnAddress;
  }

  get ewonVpnAddress(): string | null {
    return this.#established.ewonVpnAddress;
  }

  /** How it ended; undefined while it is open. */
  get ended(): SessionTunnelEnd | undefined {
    return this.#ended;
  }

  /** Bytes that streams of this tunnel have carried from here to the Ewon (TUN-05). */
  get bytesIn(): number {
    return [...this.#streams].reduce((sum, { bytesWritten }) => sum + bytesWritten, this.#finishedIn);
  }

  /** Bytes that came back. */
  get bytesOut(): number {
    return [...this.#streams].reduce((sum, { bytesRead }) => sum + bytesRead, this.#finishedOut);
  }

  /** Streams that are open now. */
  get streams(): number {
    return this.#streams.size;
  }

  /**
   * Opens a TCP stream behind the Ewon (TUN-01).
   *
   * @throws StreamRefusal with the platform's code; CodedError as {@link open} does; the reason of `signal` when that ended it
   */
  async openStream(
    { address, port }: StreamTarget,
    { timeoutMs = STREAM_TIMEOUT_MS, signal }: OpenOptions = {},
  ): Promise<StreamSocket> {
    if (this.#ended !== undefined) throw endError(this.#ended);
    const url = new URL(STREAM_PATH, this.#webSocket.url);
    url.search = new URLSearchParams({ address, port: String(port) }).toString();
    const webSocket = new WebSocket(url, STREAM_SUBPROTOCOL, {
      ...tlsOptions(this.#authority, this.#established.streamToken),
      maxPayload: MAX_STREAM_FRAME_BYTES,
    });
    const stream = await opening<StreamSocket>(webSocket, { timeoutMs, signal }, (settle) => {
      // Wrapped in the same turn, before the first frame can arrive.
      webSocket.once('open', () => settle(new StreamSocket(webSocket)));
    });
    this.#add(stream);
    return stream;
  }

  /** Leaves the session in an orderly way: it is closed for good, and its slot is free. Resolves when the tunnel has ended. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const ended = new Promise((resolve) => this.once('end', resolve));
    this.#cause = 'BY_CLIENT';
    this.#webSocket.close(NORMAL);
    const timer = setTimeout(() => this.#webSocket.terminate(), CLOSE_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  /** Cuts everything without a close frame, as a network does. The session goes on until its keep-alives are missed. */
  destroy(): void {
    this.#abandon('CONNECTION_LOST');
    this.#cut({ code: 'CONNECTION_LOST', reason: 'CONNECTION_LOST' });
  }

  #add(stream: StreamSocket): void {
    // Whoever uses the stream hears of its errors as well; without this listener one that nobody uses yet would end the process.
    stream.on('error', () => undefined);
    this.#streams.add(stream);
    stream.once('close', () => {
      this.#streams.delete(stream);
      this.#finishedIn += stream.bytesWritten;
      this.#finishedOut += stream.bytesRead;
    });
    // It may have ended while the stream was opened.
    if (this.#ended !== undefined && ENDS_STREAMS.includes(this.#ended.code)) this.#cut(this.#ended);
  }

  #keepAlive(): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    this.#webSocket.send(JSON.stringify({ type: 'keepAlive' } satisfies ClientMessage));
  }

  #abandon(code: string): void {
    this.#cause ??= code;
    this.#webSocket.terminate();
    this.#end({ code: this.#cause, reason: this.#cause });
  }

  #end(end: SessionTunnelEnd): void {
    if (this.#ended !== undefined) return;
    this.#ended = end;
    clearInterval(this.#keepAliveTimer);
    clearTimeout(this.#silenceTimer);
    if (ENDS_STREAMS.includes(end.code)) this.#cut(end);
    this.emit('end', end);
  }

  #cut(end: SessionTunnelEnd): void {
    for (const stream of this.#streams) stream.destroy(streamError(end));
  }
}

/** A tunnel's end as an error, for those who want something of it. */
export const endError = ({ code, reason }: SessionTunnelEnd): CodedError =>
  new CodedError(code, reason === code ? 'The session tunnel has ended.' : `The session tunnel has ended: ${reason}.`);

const ENDS_STREAMS: readonly string[] = ['SESSION_CLOSED', 'BY_CLIENT', 'GATEWAY_SILENT'];

const streamError = ({ code, reason }: SessionTunnelEnd): StreamError =>
  code === 'SESSION_CLOSED' ? new StreamError(code, reason) : new StreamError('CONNECTION_LOST', code);

function tlsOptions(authority: string, token: string): ClientOptions {
  return {
    ca: authority,
    minVersion: 'TLSv1.3',
    perMessageDeflate: false,
    followRedirects: false,
    headers: { authorization: `Bearer ${token}` },
  };
}

/** Waits for what `begin` settles with, and turns every other outcome of the WebSocket into a CodedError. */
async function opening<T>(
  webSocket: WebSocket,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal | undefined },
  begin: (settle: (value: T) => void, fail: (error: Error) => void) => void,
): Promise<T> {
  const { origin } = new URL(webSocket.url);
  using limit = deadline(timeoutMs, signal);
  try {
    return await new Promise<T>((resolve, reject) => {
      // They stay, and do nothing more once the promise is settled.
      webSocket.on('error', (error) => reject(connectionError(webSocket.url, error)));
      webSocket.on('close', (code, reason) => {
        const known = closeReasonOf(code) ?? 'CONNECTION_LOST';
        reject(new CodedError(known, `${origin} ended the connection: ${reason.toString() || known}.`));
      });
      webSocket.on('unexpected-response', (_request, response) => {
        refusalOf(origin, response).then(reject, (error: unknown) => reject(connectionError(webSocket.url, error)));
      });
      const abort = () =>
        reject(
          limit.passed
            ? new CodedError('TIMEOUT', `${origin} did not answer within ${timeoutMs / 1000} s.`)
            : (signal?.reason as Error),
        );
      if (limit.signal.aborted) abort();
      else limit.signal.addEventListener('abort', abort, { once: true });
      begin(resolve, reject);
    });
  } catch (error) {
    webSocket.terminate();
    throw error;
  }
}

const CODE_OF_STATUS: Record<number, string> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  426: 'UNSUPPORTED_PROTOCOL',
};

/** The refusal of an upgrade, from its body, or from its status where an older gateway says no more. */
async function refusalOf(origin: string, response: IncomingMessage): Promise<CodedError> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_REFUSAL_BYTES) break;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString();
  const refusal = readRefusal(body);
  if (refusal !== undefined) {
    const verdict = FirewallVerdict.safeParse(parseJson(body));
    return new StreamRefusal(refusal.code, refusal.message, verdict.data ?? {}, refusal.retryAfter);
  }
  const status = response.statusCode ?? 0;
  return new CodedError(CODE_OF_STATUS[status] ?? 'ANSWER_INVALID', `${origin} answers with status ${status}.`);
}

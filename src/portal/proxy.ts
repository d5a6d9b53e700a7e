import { type ClientRequest, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { connect } from 'node:tls';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import { ewonReference } from '../ewons/rules.ts';
import { type Passage, requestHeaders, responseHeaders } from './headers.ts';
import { sendOver, sendRefusal } from './pages.ts';
import { targetPath, type WebTarget } from './paths.ts';
import type { StreamOpener } from './server.ts';
import type { Passing, PortalSession, PortalSessions } from './sessions.ts';

/** Bytes of the headers of an answer; some devices set many cookies. */
const MAX_HEADER_BYTES = 64 * 1024;
/** A browser that has gone without a word is found by the system after this. */
const TCP_KEEP_ALIVE_MS = 60_000;
/** How long a target may take to end its side after the answer. */
const GOODBYE_MS = 2000;

/** What a request needs to go through. */
export interface Way {
  ctx: Platform;
  streams: StreamOpener;
  sessions: PortalSessions;
  session: PortalSession;
  target: WebTarget;
  /** Path and query as the target knows them. */
  path: string;
  /** Browsers reach the portal over HTTPS. */
  secure: boolean;
}

/**
 * Passes a request on to a server behind the Ewon and its answer back, bodies as they come (TUN-07): one stream a request,
 * with all the checks and the counting of streams. Answers itself when there is nothing to pass on.
 */
export async function passThrough(way: Way, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const passing = new PassingRequest(way, request, response);
  try {
    const answer = await passing.ask();
    response.sendDate = false;
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, responseHeaders(answer.headers, passageOf(way)));
    pipeline(answer, response, (error) => passing.end(error));
  } catch (error) {
    await passing.refuse(error);
  }
}

/** {@link passThrough} for the upgrade to a WebSocket: what is said over it is not looked at. */
export async function passUpgrade(
  way: Way,
  request: IncomingMessage,
  response: ServerResponse,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const passing = new PassingRequest(way, request, response);
  try {
    const answer = await passing.ask({ connection: 'Upgrade', upgrade: request.headers.upgrade ?? 'websocket' });
    if (!passing.upgraded) {
      // The target wants no WebSocket: it answers as to any request.
      response.writeHead(
        answer.statusCode ?? 502,
        answer.statusMessage,
        responseHeaders(answer.headers, passageOf(way)),
      );
      pipeline(answer, response, (error) => passing.end(error));
      return;
    }
    response.detachSocket(socket as never);
    socket.write(switching(answer, way));
    passing.join(socket, head);
  } catch (error) {
    await passing.refuse(error);
  }
}

/** The head of an answer 101. */
function switching(answer: IncomingMessage, way: Way): string {
  const headers = responseHeaders(answer.headers, passageOf(way));
  const lines = Object.entries({ ...headers, connection: 'Upgrade', upgrade: answer.headers.upgrade }).flatMap(
    ([name, value]) => [value ?? []].flat().map((one) => `${name}: ${one}\r\n`),
  );
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`;
}

const passageOf = ({ session: { key, ewon }, target, path, secure }: Way): Passage => ({
  ...{ key, target, path, secure },
  lanAddress: ewon.lanAddress,
  realm: `${ewonReference(ewon.number)} ${targetPath(target)}`,
});

/** One request on its way: opens the stream, asks, and ends both sides whatever happens. */
class PassingRequest implements Passing {
  stream: Passing['stream'] = null;
  upgraded = false;
  private cutBy: Parameters<Passing['cut']>[0] | null = null;
  private readonly gone = new AbortController();
  private readonly done: () => void;
  private outgoing: ClientRequest | null = null;
  /** What was read behind the head of an answer 101. */
  private remainder: Buffer = Buffer.alloc(0);
  private browser: Duplex | null = null;

  constructor(
    private readonly way: Way,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    this.done = way.sessions.begin(way.session, this);
    response.once('close', () => {
      if (!this.upgraded) this.end();
    });
  }

  /** Sends the request; settles with the head of the answer. */
  async ask(upgrade: Record<string, string> = {}): Promise<IncomingMessage> {
    const { ctx, streams, session, target, path } = this.way;
    this.stream = await streams.open(
      session.session.id,
      { address: target.address, port: target.port },
      this.gone.signal,
    );
    const { stream } = this;
    stream.on('error', () => this.outgoing?.destroy());
    if (this.gone.signal.aborted || this.cutBy !== null) {
      stream.destroy();
      throw new AppError('LAN_CONNECTION_LOST', 'The browser is gone.');
    }
    const socket = target.tls ? await secured(stream, ctx.config.limits.HANDSHAKE_SECONDS * 1000) : stream;
    if (socket.destroyed) throw new Error('it closed the connection');
    const headers = { ...requestHeaders(this.request.headers, passageOf(this.way)), ...upgrade };
    return await new Promise((resolve, reject) => {
      const outgoing = sendRequest({
        createConnection: () => socket,
        method: this.request.method,
        path: path === '' ? '/' : path,
        headers: { connection: 'close', ...headers },
        setHost: false,
        maxHeaderSize: MAX_HEADER_BYTES,
      });
      this.outgoing = outgoing;
      // A request that gets its connection when that is gone would wait; errors of the stream end it already.
      if (socket !== stream) socket.once('close', () => reject(new Error('it closed the connection')));
      outgoing.on('response', (answer) => {
        // Also a 101 that does not say to what: Node has passed over the other ones.
        if ((answer.statusCode ?? 0) < 200) reject(new Error(`status ${answer.statusCode}`));
        else resolve(answer);
      });
      outgoing.on('upgrade', (answer, connection, remainder) => {
        if (upgrade.upgrade === undefined) {
          connection.destroy();
          return reject(new Error('it changes the protocol unasked'));
        }
        this.upgraded = true;
        this.remainder = remainder;
        this.browser = socket;
        resolve(answer);
      });
      outgoing.on('error', reject);
      outgoing.on('close', () => reject(new AppError('LAN_CONNECTION_LOST', 'The target closed the connection.')));
      // Not a pipeline: what breaks here would close the browser's connection, on which there is an answer to give.
      if (upgrade.upgrade === undefined) this.request.pipe(outgoing);
      else outgoing.end();
    });
  }

  /** Lets both ends of a WebSocket talk. */
  join(client: Duplex, head: Buffer): void {
    const target = this.browser;
    if (!target || this.cutBy !== null || client.destroyed) {
      client.destroy();
      return this.end();
    }
    this.browser = client;
    if ('setKeepAlive' in client) (client as import('node:net').Socket).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    if (this.remainder.length > 0) client.write(this.remainder);
    if (head.length > 0) target.write(head);
    const end = () => {
      client.destroy();
      this.end();
    };
    pipeline(client, target, (error) => error && end());
    pipeline(target, client, (error) => error && end());
    client.once('close', end);
    target.once('close', end);
  }

  cut(reason: Parameters<Passing['cut']>[0]): void {
    this.cutBy ??= reason;
    this.gone.abort();
    if (this.upgraded) this.browser?.destroy();
    // Without an answer so far, there is one to give; the failing request gives it.
    else if (this.response.headersSent) this.response.destroy();
    this.outgoing?.destroy();
    this.stream?.destroy();
  }

  /** Nothing more goes through; a stream that did what it was for may say goodbye. */
  end(error?: Error | null): void {
    this.done();
    this.gone.abort();
    const { stream } = this;
    if (stream?.writable && this.response.writableFinished && !error) {
      stream.end();
      stream.resume();
      setTimeout(() => stream.destroy(), GOODBYE_MS).unref();
    } else {
      this.outgoing?.destroy();
      stream?.destroy();
    }
  }

  /** Answers in the place of the target. */
  async refuse(error: unknown): Promise<void> {
    const { response, way } = this;
    this.end();
    if (response.headersSent || response.destroyed) return void response.destroy();
    if (this.cutBy === 'STALLED')
      return sendRefusal(response, 'LAN_DEVICE_TIMEOUT', 'The device did not answer in time.');
    const refusal = refusalOf(error, this.stream?.errored);
    if (refusal.code === 'SESSION_CLOSED' || this.cutBy === 'SESSION_CLOSED') {
      await way.sessions.cutEnded();
      return sendOver(response, way.session);
    }
    if (refusal.code === 'INTERNAL_ERROR')
      way.ctx.log.error({ err: error, sessionId: way.session.session.id }, 'A request through the portal failed');
    sendRefusal(response, refusal.code, refusal.message);
  }
}

/** What to tell of an error: that of the stream says more than that of the request which it broke. */
function refusalOf(error: unknown, cause: Error | null | undefined): AppError {
  if (error instanceof AppError) return error;
  const code = cause && 'code' in cause ? cause.code : undefined;
  if (code === 'SESSION_CLOSED') return new AppError('SESSION_CLOSED', 'The session has ended.');
  if (code === 'STREAM_FORBIDDEN')
    return new AppError('STREAM_FORBIDDEN', 'The firewall of the Ewon no longer allows this address and port.');
  const text = error instanceof Error ? error.message : String(error);
  return new AppError('LAN_CONNECTION_LOST', `The device gave no answer that can be read: ${text}.`);
}

/** TLS through the tunnel. Devices have certificates of their own making, and the way to them is the tunnel: any is taken. */
function secured(stream: Duplex, withinMs: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ socket: stream, rejectUnauthorized: false, minVersion: 'TLSv1.2' });
    // At any time: what a device sends after the handshake can break it while nobody else listens.
    socket.on('error', () => stream.destroy());
    const fail = (error?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      stream.destroy();
      reject(error ?? new AppError('LAN_CONNECTION_LOST', 'The device closed the connection.'));
    };
    const timer = setTimeout(
      () => fail(new AppError('LAN_DEVICE_TIMEOUT', 'The device did not answer over TLS in time.')),
      withinMs,
    );
    socket.once('error', fail);
    stream.once('close', () => fail());
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

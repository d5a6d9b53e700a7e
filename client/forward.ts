import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, isIPv4, isIPv6, type Server, type Socket } from 'node:net';
import { StreamError, type StreamSocket } from '../src/gateway/stream-socket.ts';
import { CodedError, messageOf } from './errors.ts';
import type { StreamTarget } from './session-tunnel.ts';

/** A local port that leads to an address behind the Ewon. */
export interface ForwardRule {
  /** Where it listens; loopback unless somebody says otherwise. */
  host: string;
  /** 0 takes any free port. */
  port: number;
  target: StreamTarget;
}

/**
 * Reads `1502:10.0.0.20:502`, or `0.0.0.0:1502:10.0.0.20:502` to listen elsewhere than on loopback. The first port may be 0,
 * for any free one.
 *
 * @throws CodedError `VALIDATION_FAILED`, which names the part that is wrong
 */
export function parseForward(text: string): ForwardRule {
  const wrong = (why: string) =>
    new CodedError(
      'VALIDATION_FAILED',
      `"${text}" is no forward${why}; it looks like 1502:10.0.0.20:502, or 0.0.0.0:1502:10.0.0.20:502 to listen on other addresses than 127.0.0.1.`,
    );
  const [, bracketed, rest = text] = /^\[([^\]]*)\]:(.*)$/s.exec(text) ?? [];
  const parts = rest.split(':');
  if (bracketed === undefined && parts.length === 2)
    throw wrong(isIPv4(parts[0] ?? '') ? ': the local port is missing' : ': the port behind the Ewon is missing');
  const host = bracketed ?? (parts.length === 4 ? (parts.shift() ?? '') : '127.0.0.1');
  if (parts.length !== 3) throw wrong('');
  const [local = '', address = '', remote = ''] = parts;
  if (host === '' || /[[\]]/.test(host) || (bracketed !== undefined && !isIPv6(bracketed)))
    throw wrong(`: "${host}" is no address to listen on`);
  const [port, targetPort] = [portOf(local, 0), portOf(remote, 1)];
  if (port === undefined) throw wrong(`: the local port "${local}" is no number from 0 to 65535`);
  if (!isIPv4(address)) throw wrong(`: "${address}" is no IPv4 address`);
  if (targetPort === undefined) throw wrong(`: the port "${remote}" behind the Ewon is no number from 1 to 65535`);
  return { host, port, target: { address, port: targetPort } };
}

function portOf(digits: string, min: 0 | 1): number | undefined {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN;
  return port >= min && port <= 65_535 ? port : undefined;
}

/** Reads `10.0.0.20:502`: an IPv4 address and a port from 1 to 65535. Undefined when the text is none. */
export function parseTarget(text: string): StreamTarget | undefined {
  const [, address = '', digits = ''] = /^([^:]+):(\d{1,5})$/.exec(text) ?? [];
  const port = portOf(digits, 1);
  return isIPv4(address) && port !== undefined ? { address, port } : undefined;
}

interface ForwardEvents {
  opened: [];
  /** The stream could not be opened: the local connection was reset. */
  refused: [error: CodedError];
  /** `error` is undefined when both sides ended in an orderly way. */
  closed: [error: Error | undefined];
}

/** Opens a stream; ends the attempt with the signal. */
export type StreamOpener = (target: StreamTarget, options: { signal: AbortSignal }) => Promise<StreamSocket>;

/**
 * Listens on a local port and carries each TCP connection over a stream of its own (TUN-06): half-close and reset as they
 * come, and no faster than the slower end. A connection whose stream is refused is reset.
 */
export class Forward extends EventEmitter<ForwardEvents> {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #stop = new AbortController();
  #closed: Promise<unknown> | undefined;

  private constructor(
    readonly rule: ForwardRule,
    private readonly open: StreamOpener,
  ) {
    super();
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      void this.#carry(socket);
    });
  }

  /** @throws CodedError `LISTEN_FAILED`, when the port is taken or not allowed */
  static async listen(rule: ForwardRule, open: StreamOpener): Promise<Forward> {
    const forward = new Forward(rule, open);
    forward.#server.listen(rule.port, rule.host);
    try {
      await once(forward.#server, 'listening');
    } catch (error) {
      throw new CodedError('LISTEN_FAILED', `Cannot listen on ${rule.host}:${rule.port}: ${messageOf(error)}.`);
    }
    return forward;
  }

  /** The local port that it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Listens no more, and resets what is open. */
  async close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#stop.abort();
      this.#closed = once(this.#server, 'close');
      this.#server.close();
      for (const socket of this.#sockets) socket.resetAndDestroy();
    }
    await this.#closed;
  }

  async #carry(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    const gone = new AbortController();
    const leave = () => gone.abort();
    socket.once('close', leave);
    socket.on('error', () => undefined);
    this.#stop.signal.addEventListener('abort', leave, { once: true });
    try {
      const stream = await this.open(this.rule.target, { signal: gone.signal });
      this.emit('opened');
      this.emit('closed', await carry(socket, stream));
    } catch (error) {
      const local = gone.signal.aborted;
      socket.resetAndDestroy();
      if (!local)
        this.emit('refused', error instanceof CodedError ? error : new CodedError('UNEXPECTED', messageOf(error)));
    } finally {
      this.#stop.signal.removeEventListener('abort', leave);
      this.#sockets.delete(socket);
    }
  }
}

/**
 * Carries bytes between a TCP connection and a stream until both directions have ended, or one of the two breaks; then the
 * other is broken as well: a reset stays a reset. Resolves with what broke it.
 */
function carry(socket: Socket, stream: StreamSocket): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let broken: Error | undefined;
    let open = 2;
    const settle = () => {
      open -= 1;
      if (open === 0) resolve(broken);
    };
    socket.on('error', (error) => {
      broken ??= error;
    });
    stream.on('error', (error) => {
      broken ??= error;
    });
    socket.once('close', () => {
      // An end by both sides has ended the stream already, or is on its way through it.
      if (broken !== undefined || !socket.readableEnded || !socket.writableFinished)
        stream.destroy(stream.destroyed ? undefined : new StreamError('CONNECTION_LOST', 'CONNECTION_LOST'));
      settle();
    });
    stream.once('close', () => {
      if (broken !== undefined || !stream.readableEnded || !stream.writableFinished) socket.resetAndDestroy();
      settle();
    });
    if (socket.destroyed || stream.destroyed) {
      stream.destroy(stream.destroyed ? undefined : new StreamError('CONNECTION_LOST', 'CONNECTION_LOST'));
      socket.resetAndDestroy();
      for (const { closed } of [socket, stream]) if (closed) settle();
      return;
    }
    socket.pipe(stream);
    stream.pipe(socket);
  });
}

import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, isIPv4, type Server, type Socket } from 'node:net';
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
 * @throws CodedError `VALIDATION_FAILED`
 */
export function parseForward(text: string): ForwardRule {
  const match = /^(?:(\[[\da-fA-F:.]+\]|[^:[\]]+):)?(\d{1,5}):([^:]+:[^:]+)$/.exec(text);
  const [, host = '127.0.0.1', local = '', remote = ''] = match ?? [];
  const [port, target] = [Number(local), parseTarget(remote)];
  if (match === null || port > 65_535 || target === undefined) {
    throw new CodedError(
      'VALIDATION_FAILED',
      `"${text}" is no forward; it looks like 1502:10.0.0.20:502, or 0.0.0.0:1502:10.0.0.20:502 to listen on other addresses than 127.0.0.1.`,
    );
  }
  return { host: host.replace(/^\[|\]$/g, ''), port, target };
}

/** Reads `10.0.0.20:502`: an IPv4 address and a port from 1 to 65535. Undefined when the text is none. */
export function parseTarget(text: string): StreamTarget | undefined {
  const [, address = '', digits = ''] = /^([^:]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return isIPv4(address) && port >= 1 && port <= 65_535 ? { address, port } : undefined;
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
    this.#stop.abort();
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
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

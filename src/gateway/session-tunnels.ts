import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import { createToken } from '../secrets.ts';
import {
  type EstablishedSession,
  endedSessions,
  establishSession,
  keepSessionsAlive,
  leaveSession,
  loseSession,
} from '../sessions/tunnel.ts';
import { MessageBudget } from './message-budget.ts';
import {
  CLOSE_CODES,
  ClientMessage,
  CONNECT_PATH,
  MAX_MESSAGE_BYTES,
  MAX_STREAM_FRAME_BYTES,
  SESSION_SUBPROTOCOL,
  type SessionMessage,
  STREAM_PATH,
  STREAM_SUBPROTOCOL,
} from './protocol.ts';
import { StreamSocket } from './stream-socket.ts';
import { bearerOf, STREAM_STATUS, StreamForbiddenError, type Streams, StreamTarget } from './streams.ts';
import { refuseUpgrade } from './upgrade.ts';

const CHECK_MS = 5000;
/** Bytes that may wait for a client that does not read before it is cut. */
const MAX_BUFFERED_BYTES = 64 * 1024;

interface SessionTunnel {
  session: EstablishedSession;
  socket: WebSocket;
  lastHeardMs: number;
  /** What opens streams of the session, as long as this tunnel is open. */
  streamToken: string;
}

/**
 * The clients' ends of the tunnels on this gateway instance: a WebSocket a session on the device port, opened with the ticket
 * that `openSession` gave. It keeps the session alive, and ends with it (TUN-03); a client that closes it in an orderly way
 * leaves the session. The token that it is given opens the session's streams, each a WebSocket of its own.
 */
export class SessionTunnels {
  private readonly tunnels = new Map<string, SessionTunnel>();
  private readonly byStreamToken = new Map<string, SessionTunnel>();
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SESSION_SUBPROTOCOL) ? SESSION_SUBPROTOCOL : false),
  });
  private readonly streamSockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_STREAM_FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(STREAM_SUBPROTOCOL) ? STREAM_SUBPROTOCOL : false),
  });
  private readonly timer: NodeJS.Timeout;
  private readonly stopListening: () => void;

  constructor(
    private readonly ctx: Platform,
    private readonly streams: Streams,
  ) {
    this.timer = setInterval(() => this.work(this.check()), CHECK_MS);
    this.stopListening = ctx.bell.onRing('ewons', () => this.work(this.cutEnded()));
  }

  get size(): number {
    return this.tunnels.size;
  }

  /** Takes an upgrade of the device port: a session's tunnel, or one of its streams. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    if (request.url === CONNECT_PATH) return this.connect(request, socket, head);
    if (request.url?.split('?')[0] === STREAM_PATH) return this.work(this.openStream(request, socket, head));
    refuseUpgrade(socket, 404);
  }

  close(): void {
    clearInterval(this.timer);
    this.stopListening();
    for (const { socket } of this.tunnels.values()) socket.close(CLOSE_CODES.SERVICE_RESTART.code, 'SERVICE_RESTART');
    this.sockets.close();
    this.streamSockets.close();
  }

  /** Subprotocol, ticket; then the session is established. */
  private connect(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const ticket = bearerOf(request);
    if (request.headers['sec-websocket-protocol'] !== SESSION_SUBPROTOCOL) return refuseUpgrade(socket, 426);
    if (!ticket) return refuseUpgrade(socket, 401);
    this.work(
      establishSession(this.ctx, ticket).then(
        (session) => {
          if (!session) return refuseUpgrade(socket, 401);
          this.sockets.handleUpgrade(request, socket, head, (webSocket) => this.add(session, webSocket));
        },
        (error: unknown) => {
          refuseUpgrade(socket, 500);
          throw error;
        },
      ),
    );
  }

  /** The upgrade is answered when the connection behind the Ewon is open, so that a refusal can say why (TUN-02). */
  private async openStream(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (request.headers['sec-websocket-protocol'] !== STREAM_SUBPROTOCOL) return refuseUpgrade(socket, 426);
    const tunnel = this.byStreamToken.get(bearerOf(request) ?? '');
    if (!tunnel) {
      return refuseUpgrade(socket, 401, {
        code: 'UNAUTHENTICATED',
        message: 'The token is of no session whose tunnel is open.',
      });
    }
    const query = new URLSearchParams(request.url?.split('?')[1]);
    const target = StreamTarget.safeParse({ address: query.get('address'), port: query.get('port') ?? '' });
    if (!target.success) {
      return refuseUpgrade(socket, 400, {
        code: 'VALIDATION_FAILED',
        message: 'A stream needs ?address=<IPv4 address>&port=<1 to 65535>.',
      });
    }
    const gone = new AbortController();
    const leave = () => gone.abort();
    socket.once('close', leave);
    let device: StreamSocket;
    try {
      device = await this.streams.open(tunnel.session.id, target.data, gone.signal);
    } catch (error) {
      if (!(error instanceof AppError)) {
        refuseUpgrade(socket, 500, { code: 'INTERNAL_ERROR', message: 'Something unexpected happened.' });
        throw error;
      }
      const { code, message } = error;
      const verdict = error instanceof StreamForbiddenError ? error.verdict : {};
      return refuseUpgrade(socket, STREAM_STATUS[code] ?? 500, { code, message, ...verdict });
    }
    socket.off('close', leave);
    if (socket.destroyed) return void device.destroy();
    // A handshake that the library refuses would leave the device's half alone.
    const abandon = () => device.destroy();
    socket.once('close', abandon);
    this.streamSockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off('close', abandon);
      join(new StreamSocket(webSocket), device);
    });
  }

  private add(session: EstablishedSession, socket: WebSocket): void {
    const tunnel: SessionTunnel = { session, socket, lastHeardMs: performance.now(), streamToken: createToken() };
    this.tunnels.get(session.id)?.socket.close(CLOSE_CODES.REPLACED.code, 'REPLACED');
    this.tunnels.set(session.id, tunnel);
    this.byStreamToken.set(tunnel.streamToken, tunnel);
    socket.on('error', () => socket.terminate());
    const budget = new MessageBudget(this.ctx.config.limits.TUNNEL_MESSAGES_PER_MINUTE, () => performance.now());
    socket.on('message', (data, isBinary) => {
      if (!budget.take()) return socket.close(CLOSE_CODES.TOO_MANY_MESSAGES.code, 'TOO_MANY_MESSAGES');
      if (socket.bufferedAmount > MAX_BUFFERED_BYTES) return socket.terminate();
      tunnel.lastHeardMs = performance.now();
      const message = isBinary ? null : parse(data.toString());
      if (!message) return socket.close(CLOSE_CODES.MESSAGE_INVALID.code, 'MESSAGE_INVALID');
      send(socket, { type: 'keepAlive', ...this.streams.traffic(session.id) });
    });
    socket.on('close', (code) => {
      this.byStreamToken.delete(tunnel.streamToken);
      if (this.tunnels.get(session.id) !== tunnel) return;
      this.tunnels.delete(session.id);
      this.work(code === 1000 ? leaveSession(this.ctx, session) : loseSession(this.ctx, session.id));
    });
    const { KEEP_ALIVE_SECONDS, OFFLINE_AFTER_SECONDS } = this.ctx.config.limits;
    const { userVpnAddress, ewonVpnAddress } = session;
    send(socket, {
      type: 'established',
      userVpnAddress,
      ewonVpnAddress,
      streamToken: tunnel.streamToken,
      keepAliveSeconds: KEEP_ALIVE_SECONDS,
      offlineAfterSeconds: OFFLINE_AFTER_SECONDS,
    });
    // It may have been closed between the ticket and here.
    this.work(this.cutEnded());
  }

  /** Cuts clients that are silent, renews the sessions of the others, and looks for ends that no bell told. */
  private async check(): Promise<void> {
    const limitMs = this.ctx.config.limits.OFFLINE_AFTER_SECONDS * 1000;
    for (const { socket, lastHeardMs } of this.tunnels.values()) {
      if (performance.now() - lastHeardMs > limitMs) socket.terminate();
    }
    await keepSessionsAlive(this.ctx, [...this.tunnels.keys()]);
    await this.cutEnded();
  }

  private async cutEnded(): Promise<void> {
    if (this.tunnels.size === 0) return;
    for (const [id, reason] of await endedSessions(this.ctx, [...this.tunnels.keys()])) {
      this.tunnels.get(id)?.socket.close(CLOSE_CODES.SESSION_CLOSED.code, reason);
    }
  }

  private work(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.ctx.log.error({ err: error }, 'A session tunnel could not be served'));
  }
}

/** Carries bytes both ways, each direction until its end; what breaks one half breaks the other for the same reason. */
function join(client: StreamSocket, device: StreamSocket): void {
  const cut = (other: StreamSocket) => (error: Error) => other.destroy(error);
  client.on('error', cut(device));
  device.on('error', cut(client));
  if (device.destroyed) return void client.destroy(device.errored ?? undefined);
  client.pipe(device);
  device.pipe(client);
}

function send(socket: WebSocket, message: SessionMessage): void {
  socket.send(JSON.stringify(message));
}

function parse(data: string): ClientMessage | null {
  try {
    return ClientMessage.safeParse(JSON.parse(data)).data ?? null;
  } catch {
    return null;
  }
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Platform } from '../context.ts';
import { createToken } from '../secrets.ts';
import {
  type EstablishedSession,
  endedSessions,
  establishSession,
  keepSessionsAlive,
  leaveSession,
  loseSession,
} from '../sessions/tunnel.ts';
import {
  CLOSE_CODES,
  ClientMessage,
  CONNECT_PATH,
  MAX_MESSAGE_BYTES,
  SESSION_SUBPROTOCOL,
  type SessionMessage,
} from './protocol.ts';
import { refuseUpgrade } from './upgrade.ts';

const CHECK_MS = 5000;

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
 * leaves the session.
 */
export class SessionTunnels {
  private readonly tunnels = new Map<string, SessionTunnel>();
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SESSION_SUBPROTOCOL) ? SESSION_SUBPROTOCOL : false),
  });
  private readonly timer: NodeJS.Timeout;
  private readonly stopListening: () => void;

  constructor(private readonly ctx: Platform) {
    this.timer = setInterval(() => this.work(this.check()), CHECK_MS);
    this.stopListening = ctx.bell.onRing('ewons', () => this.work(this.cutEnded()));
  }

  get size(): number {
    return this.tunnels.size;
  }

  /** Takes an upgrade of the device port: path, subprotocol, ticket; then the session is established. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const ticket = /^Bearer ([\w-]{20,100})$/.exec(request.headers.authorization ?? '')?.[1];
    if (request.url !== CONNECT_PATH) return refuseUpgrade(socket, '404 Not Found');
    if (request.headers['sec-websocket-protocol'] !== SESSION_SUBPROTOCOL)
      return refuseUpgrade(socket, '426 Upgrade Required');
    if (!ticket) return refuseUpgrade(socket, '401 Unauthorized');
    this.work(
      establishSession(this.ctx, ticket).then((session) => {
        if (!session) return refuseUpgrade(socket, '401 Unauthorized');
        this.sockets.handleUpgrade(request, socket, head, (webSocket) => this.add(session, webSocket));
      }),
    );
  }

  close(): void {
    clearInterval(this.timer);
    this.stopListening();
    for (const { socket } of this.tunnels.values()) socket.close(CLOSE_CODES.SERVICE_RESTART.code, 'SERVICE_RESTART');
    this.sockets.close();
  }

  private add(session: EstablishedSession, socket: WebSocket): void {
    const tunnel: SessionTunnel = { session, socket, lastHeardMs: performance.now(), streamToken: createToken() };
    this.tunnels.get(session.id)?.socket.close(CLOSE_CODES.REPLACED.code, 'REPLACED');
    this.tunnels.set(session.id, tunnel);
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, isBinary) => {
      tunnel.lastHeardMs = performance.now();
      const message = isBinary ? null : parse(data.toString());
      if (!message) return socket.close(CLOSE_CODES.MESSAGE_INVALID.code, 'MESSAGE_INVALID');
      send(socket, { type: 'keepAlive', bytesIn: 0, bytesOut: 0 });
    });
    socket.on('close', (code) => {
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

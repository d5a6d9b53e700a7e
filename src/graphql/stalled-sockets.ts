import type { ServerResponse } from 'node:http';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../logger.ts';

const CHECK_MS = 1000;
/** Keeps idle sockets open through proxies and routers, which cut them after a minute or so. */
const PING_MS = 12_000;

/** What a client was last seen doing. */
interface Sign {
  /** Bytes that wait to be sent to it. */
  bytes: number;
  /** When it last took some of them, or said something. */
  atMs: number;
}

/**
 * Cuts clients that have taken nothing for so long although something waits for them, and WebSockets that have answered no
 * ping for so long (EVT-06). What waits is bounded: a stream reads no further until its last message is sent. Returns the
 * function that ends the watch.
 */
export function watchStalledClients(
  sockets: WebSocketServer,
  responses: ReadonlySet<ServerResponse>,
  stallSeconds: number,
  log: Logger,
): () => void {
  const signs = new WeakMap<object, Sign>();
  const stallMs = stallSeconds * 1000;
  const pingMs = Math.min(PING_MS, stallMs / 4);
  let pingedMs = performance.now();

  sockets.on('connection', (socket) => {
    const sign = { bytes: 0, atMs: performance.now() };
    signs.set(socket, sign);
    const heard = () => {
      sign.atMs = performance.now();
    };
    socket.on('pong', heard);
    socket.on('message', heard);
  });

  const check = (client: object, bytes: number, idle: boolean, cut: () => void) => {
    const sign = signs.get(client) ?? { bytes: 0, atMs: performance.now() };
    signs.set(client, sign);
    if (idle || bytes < sign.bytes) sign.atMs = performance.now();
    sign.bytes = bytes;
    if (performance.now() - sign.atMs <= stallMs) return;
    log.info({ bytes }, 'A client that does not read was cut');
    cut();
  };
  const timer = setInterval(
    () => {
      for (const socket of sockets.clients) check(socket, socket.bufferedAmount, false, () => socket.terminate());
      for (const response of responses) {
        const bytes = response.socket?.writableLength ?? 0;
        check(response, bytes, bytes === 0, () => response.destroy());
      }
      if (performance.now() - pingedMs < pingMs) return;
      pingedMs = performance.now();
      for (const socket of sockets.clients) ping(socket);
    },
    Math.min(CHECK_MS, pingMs),
  );
  return () => clearInterval(timer);
}

/** To a client that has not taken what waits for it, more is not sent. */
function ping(socket: WebSocket): void {
  if (socket.readyState === socket.OPEN && socket.bufferedAmount === 0) socket.ping();
}

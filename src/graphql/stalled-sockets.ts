import type { WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../logger.ts';

const CHECK_MS = 1000;

/**
 * Cuts sockets that have taken nothing for so long although something waits for them (EVT-06). What waits is bounded: a
 * stream reads no further until its last message is sent. Returns the function that ends the watch.
 */
export function watchStalledSockets(sockets: WebSocketServer, stallSeconds: number, log: Logger): () => void {
  const waiting = new WeakMap<WebSocket, { bytes: number; sinceMs: number }>();
  const timer = setInterval(() => {
    for (const socket of sockets.clients) {
      const bytes = socket.bufferedAmount;
      const before = waiting.get(socket);
      if (bytes === 0) waiting.delete(socket);
      else if (!before || bytes < before.bytes) waiting.set(socket, { bytes, sinceMs: performance.now() });
      else if (performance.now() - before.sinceMs > stallSeconds * 1000) {
        log.info({ bytes }, 'A client that does not read was cut');
        socket.terminate();
      }
    }
  }, CHECK_MS);
  return () => clearInterval(timer);
}

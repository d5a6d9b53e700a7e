import type { Duplex } from 'node:stream';

/** Answers an upgrade with an HTTP status instead of a WebSocket, and closes the connection. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

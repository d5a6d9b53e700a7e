import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long the other side may take to read the refusal. */
const GOODBYE_MS = 5000;

/** Answers an upgrade with an HTTP status instead of a WebSocket, and closes the connection, whatever the other side does. */
export function refuseUpgrade(socket: Duplex, status: number, body?: object): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  const type = text === '' ? '' : 'Content-Type: application/json\r\n';
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n${type}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

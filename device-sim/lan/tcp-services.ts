import { createServer } from 'node:net';
import { type LoopbackServer, listenOnLoopback } from './loopback.ts';

/** Gives back what it gets, and ends when its peer has. */
export const startEcho = (): Promise<LoopbackServer> =>
  listenOnLoopback(createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void socket.pipe(socket)));

/** Takes connections, reads nothing and says nothing. */
export const startStall = (): Promise<LoopbackServer> =>
  listenOnLoopback(createServer({ allowHalfOpen: true, pauseOnConnect: true }, () => undefined));

/** Breaks a connection with a reset at its first byte. */
export const startReset = (): Promise<LoopbackServer> =>
  listenOnLoopback(createServer((socket) => void socket.once('data', () => socket.resetAndDestroy())));

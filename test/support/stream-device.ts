import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { type DialFailure, STREAM_PATH, STREAM_SUBPROTOCOL } from '../../src/gateway/protocol.ts';
import { StreamSocket } from '../../src/gateway/stream-socket.ts';
import type { Json } from './client.ts';
import { type Credentials, RawTunnel } from './raw-tunnel.ts';
import type { TestServer } from './server.ts';

type Answer = { serve: (stream: StreamSocket) => void } | { fail: DialFailure; message?: string } | { ignore: true };

/**
 * A device that dials as it is told by a test, and keeps no rule: a byte-level double of a LAN, so that a test sees each
 * token, frame and end.
 */
export class StreamDevice {
  readonly tunnel: RawTunnel;
  readonly dials: Json[] = [];
  /** What answers a dial; by default an echo. */
  answer: (dial: Json) => Answer = () => ({ serve: (stream) => stream.pipe(stream) });
  #seen = 0;

  constructor(
    private readonly server: TestServer,
    private readonly credentials: Required<Credentials>,
  ) {
    this.tunnel = new RawTunnel(server, credentials);
    this.tunnel.webSocket.on('message', () => this.#take());
  }

  #take(): void {
    for (const message of this.tunnel.messages.slice(this.#seen)) {
      this.#seen += 1;
      if (message.type !== 'dial') continue;
      this.dials.push(message);
      const answer = this.answer(message);
      if ('fail' in answer) {
        const { streamId } = message;
        void this.tunnel.send({ type: 'dialFailed', streamId, code: answer.fail, message: answer.message });
      } else if ('serve' in answer) {
        void this.dialBack(message.token).then((back) => typeof back !== 'number' && answer.serve(back));
      }
    }
  }

  /** Comes to the tunnel port with a token; the status when it is refused. */
  dialBack(
    token: string,
    { key, certificate }: Required<Credentials> = this.credentials,
  ): Promise<StreamSocket | number> {
    return new Promise((resolve) => {
      const url = new URL(STREAM_PATH, this.server.app.gatewayUrls.tunnel);
      const socket = new WebSocket(url, STREAM_SUBPROTOCOL, {
        perMessageDeflate: false,
        headers: { authorization: `Bearer ${token}` },
        ca: this.server.app.platform.authority.certificatePem,
        key,
        cert: certificate,
      });
      socket.once('upgrade', () => undefined);
      socket.once('open', () => {
        const stream = new StreamSocket(socket);
        stream.on('error', () => undefined);
        resolve(stream);
      });
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
      socket.on('error', () => undefined);
    });
  }
}

/** Carries a stream to a TCP server, as a real device does. */
export function carryTo(port: number): (stream: StreamSocket) => void {
  return (stream) => {
    const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', (error) => stream.destroy(error));
    stream.on('error', () => socket.destroy());
    stream.pipe(socket).pipe(stream);
  };
}

/** A TCP server on loopback for the time of a test. */
export function tcpServer(serve: (socket: Socket) => void): Promise<{ port: number; close(): void }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ port: typeof address === 'object' && address ? address.port : 0, close: () => void server.close() });
    });
  });
}

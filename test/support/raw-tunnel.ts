import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import type { StateStore } from '../../device-sim/state.ts';
import { type DeviceFacts, TUNNEL_PATH, TUNNEL_SUBPROTOCOL } from '../../src/gateway/protocol.ts';
import type { Json } from './client.ts';
import type { TestServer } from './server.ts';

export interface Credentials {
  key?: string;
  certificate?: string;
}

/** The key and certificate that a simulated device keeps in its store. */
export async function credentialsOf(store: StateStore, serialNumber: string): Promise<Required<Credentials>> {
  const credentials = (await store.load(serialNumber))?.credentials;
  if (!credentials) throw new Error(`Device ${serialNumber} has no credentials.`);
  return { key: credentials.key, certificate: credentials.certificate };
}

/** A client of the tunnel port that keeps no rule of the protocol: says what it is told, and answers nothing by itself. */
export class RawTunnel {
  readonly messages: Json[] = [];
  /** Every TLS session that the gateway offered for resumption. */
  readonly sessions: Buffer[] = [];
  /** How it ended: the close code and reason, the HTTP status of a refused upgrade, or the code of a TLS error. */
  readonly ended: Promise<{ code?: number; reason?: string; status?: number; error?: string }>;
  readonly opened: Promise<boolean>;
  readonly webSocket: WebSocket;
  tls: TLSSocket | undefined;
  /** Whether the gateway took up the TLS session that was offered; undefined before the handshake. */
  resumed: boolean | undefined;

  constructor(
    server: TestServer,
    { key, certificate }: Credentials,
    options: { path?: string; subprotocols?: string[]; session?: Buffer } = {},
  ) {
    const url = new URL(options.path ?? TUNNEL_PATH, server.app.gatewayUrls.tunnel);
    this.webSocket = new WebSocket(url, options.subprotocols ?? [TUNNEL_SUBPROTOCOL], {
      perMessageDeflate: false,
      createConnection: () => {
        this.tls = connect({
          host: url.hostname,
          port: Number(url.port),
          servername: isIP(url.hostname) ? '' : url.hostname,
          ca: server.app.platform.authority.certificatePem,
          minVersion: 'TLSv1.3',
          ...(key !== undefined && { key }),
          ...(certificate !== undefined && { cert: certificate }),
          ...(options.session && { session: options.session }),
        });
        const tls = this.tls;
        tls.on('session', (session) => this.sessions.push(session));
        tls.once('secureConnect', () => {
          this.resumed = tls.isSessionReused();
        });
        return tls;
      },
    });
    this.webSocket.on('message', (data) => this.messages.push(JSON.parse(data.toString())));
    this.opened = new Promise((resolve) => {
      this.webSocket.once('open', () => resolve(true));
      this.webSocket.once('close', () => resolve(false));
    });
    this.ended = new Promise((resolve) => {
      this.webSocket.once('unexpected-response', (request, response) => {
        resolve({ status: response.statusCode ?? 0 });
        request.destroy();
      });
      this.webSocket.once('error', (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
      this.webSocket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  async send(message: string | Buffer | object): Promise<void> {
    await this.opened;
    this.webSocket.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
      () => undefined,
    );
  }

  hello(facts: DeviceFacts | Record<string, unknown>): Promise<void> {
    return this.send({ type: 'hello', ...facts });
  }

  close(): void {
    this.webSocket.terminate();
  }
}

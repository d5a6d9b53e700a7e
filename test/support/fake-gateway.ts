import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { openAuthority } from '../../src/certificates/authority.ts';
import { parseSigningRequest } from '../../src/certificates/signing-request.ts';
import {
  AUTHORITY_PATH,
  DeviceMessage,
  ENROL_PATH,
  type EnrolmentRequest,
  type GatewayMessage,
  TUNNEL_PATH,
  TUNNEL_SUBPROTOCOL,
} from '../../src/gateway/protocol.ts';

/*
 * A gateway that does as a test tells it: falls silent, closes with any code, answers nonsense. It keeps the wire protocol
 * but none of the platform's rules; how the real gateway behaves is tested on the real gateway.
 */

const DAY_MS = 24 * 60 * 60 * 1000;

/** One tunnel as this side sees it. */
interface FakeTunnel {
  socket: WebSocket;
  resumed: boolean;
  received: DeviceMessage[];
  /** What was no message of the protocol. */
  garbage: string[];
  send(message: GatewayMessage): void;
}

interface FakeGatewayBehaviour {
  /** Every message of a device; by default `hello` gets `welcome`, the rest what the protocol asks for. */
  onMessage(tunnel: FakeTunnel, message: DeviceMessage): void;
  /** The answer to an enrolment; by default an approved Ewon. */
  onEnrol(request: EnrolmentRequest): { status: number; body: unknown } | 'hang up';
  /** What an upgrade is refused with. */
  refuseUpgrade: { status: number; body: unknown } | undefined;
  welcome: Extract<GatewayMessage, { type: 'welcome' }>;
  /** Of the certificates it issues. */
  certificate: { notBefore: Date; notAfter: Date };
}

export async function startFakeGateway() {
  const authority = await openAuthority({ dataDir: undefined, caDays: 3650 });
  const { certPem, keyPem } = authority.issueServerCertificate({ hosts: ['localhost', '127.0.0.1'], days: 30 });
  const tunnels: FakeTunnel[] = [];
  const enrolments: (EnrolmentRequest & { publicKeyHash: string })[] = [];
  const waiters = new Set<() => void>();
  const changed = () => {
    for (const check of waiters) check();
  };

  const issue = (request: { serialNumber: string; signingRequest: string }) =>
    authority.issueDeviceCertificate({
      serialNumber: request.serialNumber,
      spkiDer: parseSigningRequest(request.signingRequest).spkiDer,
      ...behaviour.certificate,
    }).pem;

  const behaviour: FakeGatewayBehaviour = {
    welcome: {
      type: 'welcome',
      tunnelId: 'tunnel-1',
      ewonName: 'Ewon 1',
      vpnAddress: '10.238.0.1',
      keepAliveSeconds: 30,
      offlineAfterSeconds: 120,
      certificateNotAfter: new Date(Date.now() + 90 * DAY_MS).toISOString(),
    },
    certificate: { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 90 * DAY_MS) },
    refuseUpgrade: undefined,
    onMessage(tunnel, message) {
      if (message.type === 'hello') tunnel.send(behaviour.welcome);
      if (message.type === 'keepAlive') tunnel.send({ type: 'keepAlive' });
    },
    onEnrol: (request) => ({
      status: 201,
      body: {
        registrationStatus: 'ACTIVE',
        ewonName: `Ewon ${request.serialNumber}`,
        certificate: issue(request),
        certificateNotAfter: behaviour.certificate.notAfter.toISOString(),
        certificateAuthority: authority.certificatePem,
        tunnelUrl: `wss://localhost:${port(tunnelServer)}${TUNNEL_PATH}`,
      },
    }),
  };

  const deviceServer = createServer({ key: keyPem, cert: certPem }, (request, response) => {
    if (request.url === AUTHORITY_PATH) {
      response.end(authority.certificatePem);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url !== ENROL_PATH) {
        response.writeHead(404).end('not found');
        return;
      }
      const enrolment = JSON.parse(Buffer.concat(chunks).toString()) as EnrolmentRequest;
      enrolments.push({ ...enrolment, publicKeyHash: parseSigningRequest(enrolment.signingRequest).publicKeyHash });
      const answer = behaviour.onEnrol(enrolment);
      if (answer === 'hang up') request.socket.destroy();
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
      changed();
    });
  });

  const tunnelServer = createServer({
    key: keyPem,
    cert: certPem,
    ca: authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  });
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: () => TUNNEL_SUBPROTOCOL });
  tunnelServer.on('upgrade', (request, socket, head) => {
    const refused = behaviour.refuseUpgrade;
    if (refused !== undefined) {
      const body = JSON.stringify(refused.body);
      socket.end(
        `HTTP/1.1 ${refused.status} Refused\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const tunnel: FakeTunnel = {
        socket: webSocket,
        resumed: (request.socket as Socket & { isSessionReused(): boolean }).isSessionReused(),
        received: [],
        garbage: [],
        send: (message) => webSocket.send(JSON.stringify(message)),
      };
      tunnels.push(tunnel);
      webSocket.on('error', () => undefined);
      webSocket.on('close', changed);
      webSocket.on('message', (data) => {
        const message = parse(data.toString());
        if (message === undefined) {
          tunnel.garbage.push(data.toString());
        } else {
          tunnel.received.push(message);
          behaviour.onMessage(tunnel, message);
        }
        changed();
      });
      changed();
    });
  });

  await Promise.all([listen(deviceServer), listen(tunnelServer)]);

  return {
    behaviour,
    tunnels,
    enrolments,
    issue,
    authority: authority.certificatePem,
    deviceUrl: `https://localhost:${port(deviceServer)}`,

    /** Waits until something that this side saw holds. */
    until(holds: () => boolean, timeoutMs = 5000): Promise<void> {
      return new Promise((resolve, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(timer);
          waiters.delete(check);
          settle();
        };
        const check = () => {
          if (holds()) finish(resolve);
        };
        const timer = setTimeout(
          () => finish(() => reject(new Error(`not within ${timeoutMs} ms: ${holds}`))),
          timeoutMs,
        );
        waiters.add(check);
        check();
      });
    },

    async close(): Promise<void> {
      for (const { socket } of tunnels) socket.terminate();
      for (const server of [deviceServer, tunnelServer]) {
        server.closeAllConnections();
        if (server.listening) await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

export type FakeGateway = Awaited<ReturnType<typeof startFakeGateway>>;

function parse(text: string): DeviceMessage | undefined {
  try {
    return DeviceMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const port = (server: Server) => (server.address() as AddressInfo).port;

import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { hostPort } from '../config.ts';
import type { Platform } from '../context.ts';
import { startPortal } from '../portal/server.ts';
import { handleEnrolment, sendJson } from './enrolment.ts';
import { type DeviceIdentity, identifyDevice } from './identity.ts';
import {
  AUTHORITY_PATH,
  CLOSE_CODES,
  type CloseReason,
  ENROL_PATH,
  MAX_MESSAGE_BYTES,
  m2uMessageBytes,
  STREAM_PATH,
  TUNNEL_PATH,
  TUNNEL_SUBPROTOCOL,
} from './protocol.ts';
import { SessionTunnels } from './session-tunnels.ts';
import { Streams } from './streams.ts';
import { Tunnels } from './tunnels.ts';
import { refuseUpgrade } from './upgrade.ts';

/** A device that does not answer the end of its tunnel, or goes on sending, is cut off after this. */
const CLOSE_TIMEOUT_MS = 1000;

/** The gateway role, listening. */
export interface Gateway {
  tunnels: Tunnels;
  streams: Streams;
  /** Ends tunnels with "come again" and closes all ports. */
  close(): Promise<void>;
}

/**
 * Opens the device port (enrolment, TLS without client certificate) and the tunnel port (TLS 1.3 with a required client
 * certificate of this installation's authority), and the portal. Two ports, because on one with an optional certificate a resumed TLS
 * session passes for an authorized one. Fills `ctx.gatewayUrls` with the real ports.
 */
export async function startGateway(ctx: Platform): Promise<Gateway> {
  const { config, authority } = ctx;
  const { certPem, keyPem } = authority.issueServerCertificate({
    hosts: [...new Set([config.publicHost, 'localhost', '127.0.0.1', '::1'])],
    days: config.limits.AUTHORITY_DAYS,
  });
  const tls: ServerOptions = {
    cert: certPem,
    key: keyPem,
    minVersion: 'TLSv1.3',
    handshakeTimeout: config.limits.HANDSHAKE_SECONDS * 1000,
  };
  const devicePort = createServer(tls, (request, response) => void handleDevicePort(ctx, request, response));
  const tunnelPort = createServer(
    // No tickets: a device whose certificate was revoked must not come back by resuming (GW-12).
    {
      ...tls,
      ca: authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
      secureOptions: constants.SSL_OP_NO_TICKET,
    },
    (_request, response) =>
      sendJson(response, 426, {
        code: 'UNSUPPORTED_PROTOCOL',
        message: `This port speaks ${TUNNEL_SUBPROTOCOL} at ${TUNNEL_PATH}.`,
      }),
  );
  for (const server of [devicePort, tunnelPort]) {
    server.headersTimeout = config.limits.HANDSHAKE_SECONDS * 1000;
    server.requestTimeout = config.limits.HANDSHAKE_SECONDS * 1000;
    server.on('upgrade', notYet);
  }
  tunnelPort.on('tlsClientError', (error, socket) =>
    ctx.log.info(
      { reason: socket.authorizationError ?? error.message, address: socket.remoteAddress },
      'A TLS client of the tunnel port was refused',
    ),
  );

  ctx.gatewayUrls.device = `https://${hostPort(config.publicHost, await listen(devicePort, config.ports.device, config.host))}`;
  ctx.gatewayUrls.tunnel = `wss://${hostPort(config.publicHost, await listen(tunnelPort, config.ports.tunnel, config.host))}`;
  const tunnels = new Tunnels(ctx, ctx.gatewayUrls.device.replace(/^https/, 'wss'));
  const streams = new Streams(ctx, tunnels);
  tunnels.onDialFailed = (...failure) => streams.dialFailed(...failure);
  const portal = await startPortal(ctx, streams);
  ctx.gatewayUrls.portal = portal.url;
  await tunnels.start();

  const sessionTunnels = new SessionTunnels(ctx, streams);
  for (const server of [devicePort, tunnelPort]) server.off('upgrade', notYet);
  devicePort.on('upgrade', (request, socket, head) => sessionTunnels.upgrade(request, socket, head));
  const sockets = new WebSocketServer({
    noServer: true,
    // Of M2U alone; every other message is held to the shorter limit by the tunnel.
    maxPayload: Math.max(MAX_MESSAGE_BYTES, m2uMessageBytes(config.limits.M2U_PAYLOAD_BYTES)),
    perMessageDeflate: false,
    handleProtocols: chooseProtocol,
  });
  tunnelPort.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (pathOf(request) === STREAM_PATH) streams.acceptDevice(request, socket, head);
    else upgrade(ctx, tunnels, sockets, request, socket, head);
  });

  return {
    tunnels,
    streams,
    close: async () => {
      sessionTunnels.close();
      await portal.close();
      await streams.close();
      await tunnels.close();
      sockets.close();
      await Promise.all([devicePort, tunnelPort].map(closeServer));
    },
  };
}

/**
 * While the gateway starts: without a listener an upgrade would be answered as a plain request, which is a refusal for good, and
 * devices that come again after a restart would stay away.
 */
function notYet(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  refuseUpgrade(socket, 503);
}

async function handleDevicePort(ctx: Platform, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = pathOf(request);
  if (request.method === 'POST' && path === ENROL_PATH) return handleEnrolment(ctx, request, response);
  if (request.method === 'GET' && path === AUTHORITY_PATH) {
    response.writeHead(200, { 'content-type': 'application/x-pem-file', connection: 'close' });
    response.end(ctx.authority.certificatePem);
    return;
  }
  sendJson(response, 404, {
    code: 'NOT_FOUND',
    message: `This port serves POST ${ENROL_PATH} and GET ${AUTHORITY_PATH}.`,
  });
}

/**
 * The opening of a tunnel, step by step: TLS has checked chain and dates; then the path, the subprotocol, and the certificate
 * in the database. Refusals go out as a close code, which a device can read, rather than as an HTTP status.
 */
function upgrade(
  ctx: Platform,
  tunnels: Tunnels,
  sockets: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  if (pathOf(request) !== TUNNEL_PATH) return refuseUpgrade(socket, 404);
  const certificate = (request.socket as TLSSocket).getPeerCertificate(false);
  if (!certificate?.raw) return refuseUpgrade(socket, 403);
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('error', () => webSocket.terminate());
    if (webSocket.protocol !== TUNNEL_SUBPROTOCOL) return closeWith(webSocket, 'UNSUPPORTED_PROTOCOL');
    // Messages that arrive before the certificate is looked up wait in the socket.
    webSocket.pause();
    identifyDevice(ctx, certificate.raw)
      .then((identity) => {
        webSocket.resume();
        if (typeof identity === 'string')
          return refuseDevice(ctx, webSocket, identity, String(certificate.subject?.CN ?? ''));
        connect(tunnels, identity, webSocket);
      })
      .catch((error: unknown) => {
        ctx.log.error({ err: error }, 'A device could not be identified');
        closeWith(webSocket, 'INTERNAL_ERROR');
      });
  });
}

function connect(tunnels: Tunnels, identity: DeviceIdentity, webSocket: WebSocket): void {
  const tunnel = tunnels.add(identity, {
    get bufferedAmount() {
      return webSocket.bufferedAmount;
    },
    send: (data) => webSocket.send(data),
    close: (code, reason) => closeSocket(webSocket, code, reason),
    terminate: () => webSocket.terminate(),
  });
  webSocket.on('message', (data, isBinary) => tunnel.receive(isBinary ? null : data.toString()));
  webSocket.on('close', (code) => tunnel.socketClosed(code));
}

function refuseDevice(ctx: Platform, webSocket: WebSocket, reason: CloseReason, serialNumber: string): void {
  ctx.log.info({ reason, serialNumber }, 'A tunnel was refused');
  closeWith(webSocket, reason);
}

const closeWith = (webSocket: WebSocket, reason: CloseReason): void =>
  closeSocket(webSocket, CLOSE_CODES[reason].code, reason);

function closeSocket(webSocket: WebSocket, code: number, reason: string): void {
  webSocket.close(code, reason);
  const timer = setTimeout(() => webSocket.terminate(), CLOSE_TIMEOUT_MS);
  webSocket.once('close', () => clearTimeout(timer));
}

const pathOf = (request: IncomingMessage): string | undefined => request.url?.split('?')[0];

/** An unknown version is accepted without a protocol, to be told by a close code. */
const chooseProtocol = (offered: Set<string>): string | false =>
  offered.has(TUNNEL_SUBPROTOCOL) ? TUNNEL_SUBPROTOCOL : false;

export function listen(server: Server | import('node:http').Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Closes the port and what is still connected to it. */
export function closeServer(server: Server | import('node:http').Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

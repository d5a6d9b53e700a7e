import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import type { Link } from './faults/link.ts';

/** How a device reaches the tunnel port: both with its tunnel and with its streams. */
export interface GatewayAccess {
  key: string;
  certificate: string;
  /** PEM of the authority that the gateway must be of. */
  authority: string;
  link: Link;
}

/**
 * Begins a WebSocket to the tunnel port: TLS 1.3 with the device's certificate, through its link.
 *
 * @param onSocket the TLS connection, as soon as it is begun
 */
export function connectGateway(
  { url, subprotocol, key, certificate, authority, link }: GatewayAccess & { url: string; subprotocol: string },
  {
    maxPayload,
    headers = {},
    tlsSession,
    onSocket,
  }: {
    maxPayload: number;
    headers?: Record<string, string>;
    /** A TLS session to offer for resumption. */
    tlsSession?: Buffer | undefined;
    onSocket?: (socket: TLSSocket) => void;
  },
): WebSocket {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new WebSocket(url, subprotocol, {
    perMessageDeflate: false,
    maxPayload,
    followRedirects: false,
    headers,
    createConnection: (() => {
      const socket = connectTls({
        host,
        port: Number(port || 443),
        servername: isIP(host) ? '' : host,
        key,
        cert: certificate,
        ca: authority,
        minVersion: 'TLSv1.3',
        session: tlsSession,
      });
      socket.setNoDelay(true);
      onSocket?.(socket);
      return link.through(socket);
    }) as () => Duplex as never,
  });
}

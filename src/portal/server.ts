import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { hostPort } from '../config.ts';
import type { Platform } from '../context.ts';

/** What opens TCP connections behind an Ewon for a session: the streams of the gateway, with all their checks. */
export interface StreamOpener {
  /** @throws AppError SESSION_CLOSED, EWON_OFFLINE, STREAM_FORBIDDEN, TOO_MANY_STREAMS, LAN_DEVICE_…, DEVICE_BUSY */
  open(sessionId: string, target: { address: string; port: number }, signal?: AbortSignal): Promise<Duplex>;
}

/** The portal, listening. */
export interface Portal {
  /** Where browsers reach it, without a slash at the end: for the lease of the gateway. */
  url: string;
  /** Cuts what runs and closes the port; the sessions live on. */
  close(): Promise<void>;
}

/**
 * Opens the portal port (TUN-07). `streams` is used from the first request on, so the port can be opened, and its URL put into
 * the lease, before they exist.
 */
export async function startPortal(ctx: Platform, streams: StreamOpener): Promise<Portal> {
  const server = createServer((_request: IncomingMessage, response: ServerResponse) => {
    void streams;
    response.writeHead(503).end();
  });
  const port = await listen(server, ctx.config.ports.portal, ctx.config.host);
  return {
    url: ctx.config.portalUrl ?? `http://${hostPort(ctx.config.publicHost, port)}`,
    close: () => close(server),
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { serveBranding } from '../branding/door.ts';
import { hostPort } from '../config.ts';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import { isOwnOrigin, readForm } from './forms.ts';
import { cookieOf, PORTAL_COOKIE } from './headers.ts';
import { redirect } from './html.ts';
import { lookOfSession, sendIndex, sendOver, sendRefusal } from './pages.ts';
import { LOGO_PAGE, placeOf, type Route, readTarget, routeOf, sessionPath, targetPath } from './paths.ts';
import { passThrough, passUpgrade } from './proxy.ts';
import { type PortalSession, PortalSessions } from './sessions.ts';

/** Bytes of the headers of a request. */
const MAX_HEADER_BYTES = 32 * 1024;

/** What opens TCP connections behind an Ewon for a session: the streams of the gateway, with all their checks. */
export interface StreamOpener {
  /** @throws AppError SESSION_CLOSED, EWON_OFFLINE, STREAM_FORBIDDEN, TOO_MANY_STREAMS, LAN_DEVICE_…, DEVICE_BUSY */
  open(
    sessionId: string,
    target: { address: string; port: number },
    signal?: AbortSignal,
  ): Promise<Duplex & { bytesRead: number; bytesWritten: number }>;
}

/** The portal, listening. */
export interface Portal {
  /** Where browsers reach it, without a slash at the end: for the lease of the gateway. */
  url: string;
  /** Cuts what runs and closes the port; the sessions live on. */
  close(): Promise<void>;
}

interface Door {
  ctx: Platform;
  streams: StreamOpener;
  sessions: PortalSessions;
  secure: boolean;
}

/**
 * Opens the portal port (TUN-07): web pages of Ewons and of what is behind them, for browsers. It is an origin of its own,
 * because those pages are foreign scripts. `streams` is used from the first request on, so the port can be opened, and its
 * URL put into the lease, before they exist.
 */
export async function startPortal(ctx: Platform, streams: StreamOpener): Promise<Portal> {
  const { config } = ctx;
  const sessions = new PortalSessions(ctx);
  const door: Door = { ctx, streams, sessions, secure: config.portalUrl?.startsWith('https:') ?? false };
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) =>
    serve(door, request, response, () => answer(door, request, response)),
  );
  server.headersTimeout = config.limits.HANDSHAKE_SECONDS * 1000;
  // A body may take as long as it moves: what stalls is cut.
  server.requestTimeout = 0;
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    // Pipelined behind a request that has no answer yet, which no browser does.
    if ('_httpMessage' in socket && socket._httpMessage) return void socket.destroy();
    try {
      const response = responseOver(socket, request);
      serve(door, request, response, () => upgrade(door, request, response, socket, head));
    } catch (error) {
      ctx.log.error({ err: error }, 'A request for an upgrade could not be served');
      socket.destroy();
    }
  });
  const port = await listen(server, config.ports.portal, config.host).catch((error: unknown) => {
    sessions.close();
    throw error;
  });
  return {
    url: config.portalUrl ?? `http://${hostPort(config.publicHost, port)}`,
    close: () => {
      sessions.close();
      return close(server);
    },
  };
}

/** The answer to a request for an upgrade, for which Node makes none. It is the last on its connection. */
function responseOver(socket: Duplex, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as never);
  // A browser that does not close its side would hold the connection for ever.
  response.once('finish', () => {
    socket.once('finish', () => socket.destroy());
    socket.end();
  });
  // Node has stopped doing so with the upgrade.
  socket.on('drain', () => {
    if (response.socket === socket) response.emit('drain');
  });
  socket.once('close', () => response.destroy());
  return response;
}

/** Runs the answer to a request; what it throws becomes a page. */
function serve({ ctx }: Door, request: IncomingMessage, response: ServerResponse, work: () => Promise<void>): void {
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  work().catch((error: unknown) => {
    if (response.headersSent || response.destroyed) return void response.destroy();
    if (error instanceof AppError) return sendRefusal(response, error.code, error.message);
    ctx.log.error({ err: error }, 'A request of the portal failed');
    sendRefusal(response, 'INTERNAL_ERROR', 'Something went wrong in the portal.');
  });
}

async function answer(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = routeOf(request.url ?? '/');
  if (route.kind === 'enter') return enter(door, request, response);
  if (route.kind === 'outside') return bringBack(request, response);
  const session = admit(door, request, response, route);
  if (!session) return;
  if (route.kind === 'target') {
    // Relative links of a page without a slash at the end of its path would leave the target.
    if (route.path === '' || route.path.startsWith('?'))
      return redirect(response, `${placeOf(route.key, route.target)}/${route.path}`);
    const { target, path } = route;
    return passThrough({ ...door, session, target, path }, request, response);
  }
  if (route.page === 'go') return goTo(response, route);
  if (route.page === LOGO_PAGE) {
    const { logoImage } = await lookOfSession(door.ctx, session);
    return serveBranding(door.ctx, request, response, logoImage ?? '');
  }
  if (route.page === 'leave') {
    if (request.method !== 'POST') throw new AppError('VALIDATION_FAILED', 'A session is left with POST.');
    await door.sessions.leave(session);
    return sendOver(response, session);
  }
  if ((request.url ?? '').split('?')[0] !== sessionPath(route.key)) return redirect(response, sessionPath(route.key));
  return sendIndex(door.ctx, response, session);
}

/**
 * The session that a request is of; otherwise it has been answered. The cookie proves the browser. What changes something, and
 * every WebSocket, must come from a page of the portal: a page elsewhere on the same site could send the cookie too.
 */
function admit(
  { sessions }: Door,
  request: IncomingMessage,
  response: ServerResponse,
  { key }: Extract<Route, { key: string }>,
): PortalSession | null {
  const session = sessions.find(key, cookieOf(request.headers.cookie, PORTAL_COOKIE));
  const changes = request.headers.upgrade !== undefined || !['GET', 'HEAD'].includes(request.method ?? '');
  if (!session)
    sendRefusal(response, 'UNAUTHENTICATED', 'No session is open here in this browser. Open the Ewon again.');
  else if (session.ended !== null) sendOver(response, session);
  else if (changes && request.headers.origin !== undefined && !isOwnOrigin(request, null))
    sendRefusal(response, 'FORBIDDEN', 'The request comes from a page of another site.');
  else if (request.method === 'TRACE') sendRefusal(response, 'VALIDATION_FAILED', 'The portal does not pass on TRACE.');
  else return session;
  return null;
}

/** Spends the ticket of a session, and leads its browser in (TUN-07). */
async function enter(
  { ctx, sessions, secure }: Door,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST')
    throw new AppError('VALIDATION_FAILED', 'Send the ticket of a session with POST (AUTH-24).');
  const form = await readForm(request, ctx.config.limits.HANDSHAKE_SECONDS * 1000);
  const ticket = bearerOf(request.headers.authorization) ?? form.get('ticket') ?? '';
  const to = form.get('to') ?? '';
  const place = readTarget(to);
  if (to !== '' && !place) throw new AppError('VALIDATION_FAILED', '`to` is as 10.0.0.20:80/page.');
  const session = await sessions.enter(ticket);
  if (!session)
    throw new AppError(
      'UNAUTHENTICATED',
      'The ticket was used, has expired, or is of no M2web session. Open the Ewon again.',
    );
  const path = sessionPath(session.key);
  redirect(response, place ? `${placeOf(session.key, place.target)}${place.path || '/'}` : path, {
    'set-cookie': `${PORTAL_COOKIE}=${session.secret}; Path=${path}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`,
  });
}

const bearerOf = (authorization: string | undefined): string | undefined =>
  /^Bearer ([\w-]{20,100})$/i.exec(authorization ?? '')?.[1];

function goTo(response: ServerResponse, { query }: Extract<Route, { kind: 'session' }>): void {
  const form = new URLSearchParams(query);
  const https = form.get('https') ? 'https/' : '';
  const place = readTarget(`${https}${form.get('address')?.trim()}:${form.get('port')?.trim()}/`);
  if (!place) throw new AppError('VALIDATION_FAILED', 'An address is as 10.0.0.20, a port from 1 to 65535.');
  redirect(response, `./${targetPath(place.target)}/`);
}

/**
 * A link such as `/style.css` in the page of a target leaves its path, since bodies are passed on as they are. The page that
 * it stands in tells where it belongs; a request that no page of a target has made leads nowhere.
 */
function bringBack(request: IncomingMessage, response: ServerResponse): void {
  const { referer, host } = request.headers;
  const url = request.url ?? '/';
  const page = referer !== undefined && URL.canParse(referer) ? new URL(referer) : null;
  const from = page?.host === host ? routeOf(page?.pathname ?? '/') : null;
  if (from?.kind !== 'target' || !/^\/(?!\/)/.test(url))
    return sendRefusal(response, 'NOT_FOUND', 'There is nothing here. Open an Ewon first.');
  // 307, so that method and body stay.
  response.writeHead(307, {
    location: `${placeOf(from.key, from.target)}${url}`,
    'cache-control': 'no-store',
    'content-length': 0,
  });
  response.end();
}

async function upgrade(
  door: Door,
  request: IncomingMessage,
  response: ServerResponse,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const route = routeOf(request.url ?? '/');
  if (route.kind !== 'target') throw new AppError('NOT_FOUND', 'A WebSocket goes to a target of a session.');
  const session = admit(door, request, response, route);
  const { target, path } = route;
  if (session) await passUpgrade({ ...door, session, target, path }, request, response, socket, head);
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

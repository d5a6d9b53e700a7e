import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { type LoopbackServer, listenOnLoopback } from './loopback.ts';
import type { Plc } from './plc.ts';

/** Name and password that a web page behind the Ewon asks for (M2W-11). */
export interface LanLogin {
  username: string;
  password: string;
}

export interface HttpServiceOptions {
  title: string;
  /** Its own address in the LAN, for redirects that name it. */
  address: string;
  port: number;
  /** M2W-11; null asks nobody. */
  login: LanLogin | null;
  plc: Plc;
}

/** Bytes of one download; more is a typing error. */
const MAX_DOWNLOAD_BYTES = 16 * 1024 ** 3;
const BLOCK_BYTES = 64 * 1024;
/** Bytes of one message of the WebSocket. */
const MAX_LIVE_BYTES = 1024 * 1024;
const LIVE_MS = 1000;
const COOKIE = 'plc_session';

/**
 * The web pages of a machine (SIM-08), plain and with what a portal must carry through: a login of the device (M2W-11), a
 * cookie, redirects in three forms, a WebSocket, and files of any size. docs/simulator.md lists the paths.
 */
export async function startHttpService(options: HttpServiceOptions): Promise<LoopbackServer> {
  const live = new WebSocketServer({ noServer: true, maxPayload: MAX_LIVE_BYTES });
  const sessions = new Set<string>();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    answer(options, sessions, request, response).catch(() => response.destroy());
  });
  server.on('upgrade', (request, socket, head) => {
    if (!isAllowed(options.login, request)) return void socket.end(`HTTP/1.1 401 Unauthorized\r\n${CLOSE}`);
    if (pathOf(request).pathname !== '/live') return void socket.end(`HTTP/1.1 404 Not Found\r\n${CLOSE}`);
    live.handleUpgrade(request, socket, head, (webSocket) => serveLive(webSocket, options.plc));
  });
  return await listenOnLoopback(server);
}

const CLOSE = 'connection: close\r\ncontent-length: 0\r\n\r\n';

async function answer(
  options: HttpServiceOptions,
  sessions: Set<string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isAllowed(options.login, request)) {
    response.writeHead(401, { 'www-authenticate': `Basic realm="${options.title}"`, 'content-type': 'text/plain' });
    return void response.end('The device wants its own user and password.\n');
  }
  const { pathname, searchParams } = pathOf(request);
  const route = ROUTES[`${request.method === 'HEAD' ? 'GET' : request.method} ${pathname}`];
  if (route === undefined) {
    request.resume();
    return void response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such page.\n');
  }
  await route({ options, sessions, request, response, query: searchParams });
}

interface Exchange {
  options: HttpServiceOptions;
  sessions: Set<string>;
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
}

const ROUTES: Record<string, (exchange: Exchange) => Promise<void> | void> = {
  'GET /': ({ options, response }) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(homePage(options));
  },
  'GET /api/values': ({ options: { plc }, response }) => json(response, plc.readings()),
  /** What arrived of the request, for those who carry it. */
  'GET /api/request': ({ request, response }) =>
    json(response, { method: request.method, url: request.url, headers: request.headers }),
  'GET /login': ({ sessions, response }) => {
    const id = randomBytes(8).toString('hex');
    sessions.add(id);
    response.writeHead(302, { 'set-cookie': `${COOKIE}=${id}; Path=/; HttpOnly`, location: '/status' }).end();
  },
  'GET /status': ({ options, sessions, request, response }) => {
    if (!sessions.has(cookieOf(request))) return void response.writeHead(302, { location: '/login' }).end();
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      .end(page(options.title, `<p>You are logged in.</p><p><a href="/logout">Log out</a></p>`));
  },
  'GET /logout': ({ sessions, request, response }) => {
    sessions.delete(cookieOf(request));
    response.writeHead(302, { 'set-cookie': `${COOKIE}=; Path=/; Max-Age=0`, location: './' }).end();
  },
  /** A redirect that names the machine as it is known in its LAN. */
  'GET /absolute': ({ options: { address, port }, response }) => {
    response.writeHead(302, { location: `http://${address}${port === 80 ? '' : `:${port}`}/` }).end();
  },
  'GET /download': ({ request, response, query }) => download(request, response, query),
  'POST /upload': ({ request, response }) => upload(request, response),
  'PUT /upload': ({ request, response }) => upload(request, response),
};

/** `?bytes=` that `?seed=` repeats; HEAD tells their SHA-256 in `x-sha256`. */
async function download(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
  const text = query.get('bytes') ?? '1024';
  const bytes = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (!(bytes <= MAX_DOWNLOAD_BYTES))
    return json(response, { code: 'VALUE_INVALID', message: `bytes is a number up to ${MAX_DOWNLOAD_BYTES}.` }, 400);
  const seed = query.get('seed') ?? '';
  const head = { 'content-type': 'application/octet-stream', 'content-length': bytes };
  if (request.method === 'HEAD') {
    const hash = createHash('sha256');
    for await (const block of Readable.from(blocks(seed, bytes))) hash.update(block);
    return void response.writeHead(200, { ...head, 'x-sha256': hash.digest('hex') }).end();
  }
  response.writeHead(200, head);
  await pipeline(Readable.from(blocks(seed, bytes), { objectMode: false }), response);
}

/** The bytes of a download: of a seed always the same, no two blocks alike. */
export function* blocks(seed: string, bytes: number): Generator<Buffer> {
  const block = Buffer.alloc(BLOCK_BYTES);
  const digest = createHash('sha512').update(seed).digest();
  for (let at = 0; at < BLOCK_BYTES; at += digest.length) digest.copy(block, at);
  for (let at = 0; at < bytes; at += BLOCK_BYTES) {
    const next = Buffer.from(block.subarray(0, Math.min(BLOCK_BYTES, bytes - at)));
    if (next.length >= 8) next.writeBigUInt64BE(BigInt(at));
    yield next;
  }
}

async function upload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  json(response, { bytes, sha256: hash.digest('hex') }, 201);
}

/** Sends the values each second and gives back what it gets. */
function serveLive(webSocket: WebSocket, plc: Plc): void {
  const tell = () => webSocket.send(JSON.stringify(plc.readings()));
  const timer = setInterval(tell, LIVE_MS);
  webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
  webSocket.on('error', () => webSocket.terminate());
  webSocket.on('close', () => clearInterval(timer));
  tell();
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
}

function homePage({ title, plc }: HttpServiceOptions): string {
  const rows = Object.entries(plc.readings()).map(([name, value]) => `<tr><th>${name}</th><td>${value}</td></tr>`);
  const links = ['/status', '/login', '/absolute', '/api/values', '/download?bytes=1024'];
  return page(
    title,
    `<table>${rows.join('')}</table><ul>${links.map((link) => `<li><a href="${link}">${link}</a></li>`).join('')}</ul>`,
  );
}

const page = (title: string, body: string): string =>
  `<!doctype html>\n<html lang="en"><head><title>${escapeHtml(title)}</title></head><body><h1>${escapeHtml(title)}</h1>${body}</body></html>\n`;

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Of a request target that is no URL: that of the home page. */
function pathOf(request: IncomingMessage): URL {
  const target = request.url?.replace(/^\/+/, '/') ?? '/';
  return new URL(URL.canParse(target, 'http://machine') ? target : '/', 'http://machine');
}

const cookieOf = (request: IncomingMessage): string =>
  new RegExp(`(?:^|;\\s*)${COOKIE}=([0-9a-f]+)`).exec(request.headers.cookie ?? '')?.[1] ?? '';

function isAllowed(login: LanLogin | null, { headers }: IncomingMessage): boolean {
  if (login === null) return true;
  const given = Buffer.from(/^basic (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '', 'base64');
  const right = Buffer.from(`${login.username}:${login.password}`);
  return given.length === right.length && timingSafeEqual(given, right);
}

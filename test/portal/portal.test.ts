import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { blocks } from '../../device-sim/lan/http-service.ts';
import type { LanService } from '../../device-sim/lan/lan.ts';
import { type Answer, type Asking, Browser } from '../support/browser.ts';
import { eventually, type Json } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import {
  CLOSE_SESSION,
  logIn,
  type Person,
  startWorld,
  type TestAccount,
  type TestEwon,
  USER_PASSWORD,
} from '../support/world.ts';

const PLC = '10.0.0.20:80';
const ODD = '10.0.0.40:8080';
const SECURED = '10.0.0.40:8443';
const GUARDED = '10.0.0.21:80';
const LOGIN = { username: 'adm', password: 'adm-secret' };
const BASIC = `Basic ${Buffer.from('adm:adm-secret').toString('base64')}`;

let server: TestServer;
let account: TestAccount;
let ewon: TestEwon;
let other: TestEwon;
let user: Person;
/** A machine that says what a test wants. */
let odd: Server;
let oddAnswer: (request: IncomingMessage) => {
  status?: number;
  headers?: Record<string, string | string[]>;
  body?: string;
};
let secured: Server;
/** Stands before `secured`, and adds a record that is none to the piece of its answer with this number. */
let spoiling: TcpServer;
let spoiltPiece = 0;

beforeAll(async () => {
  odd = createServer((request, response) => {
    const { status = 200, headers = {}, body = '' } = oddAnswer(request);
    if (status === 0) return;
    response.writeHead(status, headers).end(body);
  });
  await once(odd.listen(0, '127.0.0.1'), 'listening');
  ({ server, account } = await startWorld({
    env: { STREAM_DIAL_SECONDS: '2', PORTAL_STALL_SECONDS: '1', LOGIN_IDLE_MINUTES: '20' },
  }));
  const { certPem, keyPem } = server.app.platform.authority.issueServerCertificate({ hosts: ['plc.local'], days: 1 });
  // TLS 1.2, in which the second piece from the server ends the handshake.
  secured = createTlsServer({ cert: certPem, key: keyPem, maxVersion: 'TLSv1.2' }, (request, response) =>
    response.writeHead(302, { location: '/in', 'set-cookie': 'a=1; Secure; SameSite=None' }).end(request.url),
  );
  secured.on('upgrade', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  await once(secured.listen(0, '127.0.0.1'), 'listening');
  spoiling = createTcpServer((from) => {
    const to = connect((secured.address() as AddressInfo).port, '127.0.0.1');
    for (const [one, another] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('error', () => another.destroy());
      one.on('close', () => another.destroy());
    }
    from.pipe(to);
    let pieces = 0;
    to.on('data', (piece) => {
      pieces += 1;
      from.write(pieces === spoiltPiece ? Buffer.concat([piece, Buffer.from('not TLS')]) : piece);
    });
  });
  await once(spoiling.listen(0, '127.0.0.1'), 'listening');
  const services: LanService[] = [
    { address: '10.0.0.20', port: 80, kind: 'http' },
    { address: '10.0.0.21', port: 80, kind: 'http', login: LOGIN },
    { address: '10.0.0.40', port: 8080, kind: 'forward', toPort: (odd.address() as AddressInfo).port },
    { address: '10.0.0.40', port: 8443, kind: 'forward', toPort: (secured.address() as AddressInfo).port },
    { address: '10.0.0.40', port: 8444, kind: 'forward', toPort: (spoiling.address() as AddressInfo).port },
    { address: '10.0.0.50', port: 80, kind: 'refuse' },
    { address: '10.0.0.50', port: 81, kind: 'hang' },
    { address: '10.0.0.50', port: 82, kind: 'reset' },
  ];
  const lan = { lanAddress: '10.0.0.53/24' };
  ewon = await account.onlineEwon({ name: 'Pump' }, lan, { lan: { services } });
  other = await account.onlineEwon({ name: 'Press' }, lan, { lan: { services } });
  const poolId = await account.defaultPool();
  await account.user('web', [await account.group('Web', [{ poolId, connectM2web: true }])]);
  user = await logIn(server, account.name, 'web', USER_PASSWORD, 'M2WEB');
});
afterAll(async () => {
  await Promise.all([ewon.device.disconnect(), other.device.disconnect()]);
  for (const each of [odd, secured]) each.closeAllConnections();
  odd.close();
  secured.close();
  spoiling.close();
  await server.close();
});
afterEach(() => {
  oddAnswer = () => ({});
});

const OPEN = `mutation ($ewonId: ID!, $client: ClientKind!) { openSession(input: { ewonId: $ewonId, client: $client, switch: true }) {
  __typename ... on OpenSessionSuccess { session { id } tunnel { url portalUrl token } } ... on Error { code message } } }`;

/** A browser inside a session. */
class Visit {
  constructor(
    readonly browser: Browser,
    readonly sessionId: string,
    /** `http://host:port/s/<key>/` */
    readonly url: string,
  ) {}

  ask(path: string, asking: Asking = {}): Promise<Answer> {
    return this.browser.ask(`${this.url}${path}`, asking);
  }
}

async function visit(of = ewon, browser = new Browser(), to = ''): Promise<Visit> {
  const { session, tunnel } = await user.api.succeed(OPEN, { ewonId: of.id, client: 'M2WEB' });
  const entered = await browser.post(tunnel.portalUrl, { ticket: tunnel.token, to });
  expect(entered.status).toBe(303);
  const url = /^\/s\/[^/]+\//.exec(entered.headers.location ?? '')?.[0] ?? '';
  return new Visit(browser, session.id, new URL(url, tunnel.portalUrl).href);
}

const session = async (id: string): Promise<Json> =>
  (
    await account.admin.api.run(
      'query ($id: ID!) { node(id: $id) { ... on Session { state closeReason client aliveUntil bytesIn bytesOut slot { reserved } } } }',
      { id },
    )
  ).node;

describe('the way in', () => {
  it('TUN-07 a ticket leads a browser to the page of a LAN device, through a path that nobody can guess', async () => {
    const { tunnel } = await user.api.succeed(OPEN, { ewonId: ewon.id, client: 'M2WEB' });
    const browser = new Browser();
    const entered = await browser.post(tunnel.portalUrl, { ticket: tunnel.token, to: `${PLC}/api/values` });
    expect(entered.status).toBe(303);
    expect(entered.headers.location).toMatch(new RegExp(`^/s/[\\w-]{43}/${PLC}/api/values$`));
    const cookie = String(entered.headers['set-cookie']);
    expect(cookie).toMatch(/^talkgate-portal=[\w-]{43}; Path=\/s\/[\w-]{43}\/; HttpOnly; SameSite=Lax$/);
    const page = await browser.ask(new URL(entered.headers.location ?? '', tunnel.portalUrl).href);
    expect(page.status).toBe(200);
    expect(JSON.parse(page.text)).toBeTypeOf('object');
    // Neither the path nor the cookie alone is enough.
    expect((await new Browser().ask(page.url)).status).toBe(403);
    const [own] = browser.cookies;
    expect(own?.path).toContain('/s/');
  });

  it('TUN-07 a ticket is good once, for browsers only, and never in a URL', async () => {
    const { tunnel } = await user.api.succeed(OPEN, { ewonId: ewon.id, client: 'M2WEB' });
    // A target that is none does not spend it.
    const split = await new Browser().post(tunnel.portalUrl, { ticket: tunnel.token, to: `${PLC}/\r\nx: y` });
    expect(split.status).toBe(400);
    const inUrl = await new Browser().ask(`${tunnel.portalUrl}?ticket=${tunnel.token}`);
    expect(inUrl.status).toBe(400);
    const answers = await Promise.all(
      [1, 2, 3].map(() => new Browser().post(tunnel.portalUrl, { ticket: tunnel.token })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 403, 403]);
    expect((await new Browser().post(tunnel.portalUrl, { ticket: 'x'.repeat(43) })).status).toBe(403);
    const form = await new Browser().post(tunnel.portalUrl, { ticket: 'x', to: 'http://evil.example/' });
    expect(form.status).toBe(400);

    const ecatcher = await account.admin.api.succeed(OPEN, { ewonId: ewon.id, client: 'ECATCHER' });
    expect(ecatcher.tunnel.portalUrl).toBeNull();
    expect((await new Browser().post(tunnel.portalUrl, { ticket: ecatcher.tunnel.token })).status).toBe(403);
    await account.admin.api.succeed(CLOSE_SESSION, { sessionId: ecatcher.session.id });
  });

  it('M2W-03 an M2web session takes no slot, is not limited in number, and does not open the way that takes one', async () => {
    const visits = [await visit(), await visit(), await visit(), await visit(other)];
    for (const { sessionId } of visits) expect(await session(sessionId)).toMatchObject({ state: 'OPEN', slot: null });
    expect((await account.admin.api.run('{ account { slots { inUse } } }')).account.slots.inUse).toBe(0);
    for (const each of visits) expect((await each.ask(`${PLC}/`)).status).toBe(200);

    const { tunnel } = await user.api.succeed(OPEN, { ewonId: ewon.id, client: 'M2WEB' });
    const socket = new WebSocket(tunnel.url, 'talkgate.session.v1', {
      ca: server.app.platform.authority.certificatePem,
      headers: { authorization: `Bearer ${tunnel.token}` },
    });
    const [, response] = await once(socket, 'unexpected-response');
    expect(response.statusCode).toBe(401);
  });

  it('M2W-10 the first page links the declared web pages of the Ewon and its LAN devices, and no others', async () => {
    const { ewonKey, accountId } = await keys(ewon);
    const { db } = server.app.platform;
    const now = new Date();
    await db.ewonService.create({
      data: { ewonId: ewonKey, name: 'Web server', port: 80, protocol: 'HTTP', createdAt: now },
    });
    await db.lanDevice.create({
      data: {
        ...{ ewonId: ewonKey, name: '<b>Panel</b>', address: '10.0.0.20', createdAt: now },
        ports: {
          create: [
            { ewonId: ewonKey, address: '10.0.0.20', port: 80, protocol: 'HTTP' },
            { ewonId: ewonKey, address: '10.0.0.20', port: 8443, protocol: 'HTTPS' },
            { ewonId: ewonKey, address: '10.0.0.20', port: 502, protocol: 'TCP' },
          ],
        },
      },
    });
    expect(accountId).toBeDefined();
    const here = await visit();
    const index = await here.ask('');
    expect(index.status).toBe(200);
    const links = [...index.text.matchAll(/href="([^"]+)"/g)].map((match) => match[1]);
    expect(links).toEqual(['./10.0.0.53:80/', './10.0.0.20:80/', './https/10.0.0.20:8443/']);
    expect(index.text).not.toContain('<b>Panel');
    expect((await here.ask(links[0] ?? '')).text).toContain('Ewon ');
    const typed = await here.ask('go?address=10.0.0.20&port=80', { follow: true });
    expect([typed.status, typed.url]).toEqual([200, `${here.url}${PLC}/`]);
  });
});

async function keys({ name }: TestEwon): Promise<{ ewonKey: string; accountId: string }> {
  const { id, accountId } = await server.app.platform.db.ewon.findFirstOrThrow({ where: { name } });
  return { ewonKey: id, accountId };
}

describe('what goes through', () => {
  it('TUN-07 cookies and redirects of a device stay inside the path of the Ewon', async () => {
    const here = await visit();
    const login = await here.ask(`${PLC}/login`);
    const path = new URL(here.url).pathname;
    expect(login.headers.location).toBe(`${path}${PLC}/status`);
    expect(String(login.headers['set-cookie'])).toMatch(new RegExp(`; Path=${path}${PLC}/; HttpOnly$`));
    expect((await here.ask(`${PLC}/status`)).text).toContain('You are logged in');
    const absolute = await here.ask(`${PLC}/absolute`, { follow: true });
    expect(absolute.url).toBe(`${here.url}${PLC}/`);
    const out = await here.ask(`${PLC}/logout`, { follow: true });
    expect(out.url).toBe(`${here.url}${PLC}/`);
    expect((await here.ask(`${PLC}/status`)).status).toBe(302);

    // Whose path is another does not get it: another Ewon, or another device.
    await here.ask(`${PLC}/login`);
    const there = await visit(other, here.browser);
    for (const target of [`${there.url}${PLC}`, `${here.url}${GUARDED}`])
      expect(here.browser.cookiesFor(`${target}/status`)).not.toContain('plc_session');
  });

  it('TUN-07 links in headers are led back by whatever form they have, and to nobody else’s address', async () => {
    const here = await visit();
    const path = new URL(here.url).pathname;
    const location = async (link: string, header = 'location') => {
      oddAnswer = () => ({ status: header === 'location' ? 302 : 200, headers: { [header]: link } });
      return (await here.ask(`${ODD}/a/b?c`)).headers[header];
    };
    expect(await location('next')).toBe(`${path}${ODD}/a/next`);
    expect(await location('/next?x=1#y')).toBe(`${path}${ODD}/next?x=1#y`);
    expect(await location('//10.0.0.40:8080/next')).toBe(`${path}${ODD}/next`);
    expect(await location('http://10.0.0.20/next')).toBe(`${path}${PLC}/next`);
    expect(await location('https://10.0.0.40/next')).toBe(`${path}https/10.0.0.40:443/next`);
    expect(await location('https://www.example.com/')).toBe('https://www.example.com/');
    expect(await location('http://192.168.5.5/')).toBe('http://192.168.5.5/');
    expect(await location('/next', 'content-location')).toBe(`${path}${ODD}/next`);
    expect(await location('5; url=/next', 'refresh')).toBe(`5; url=${path}${ODD}/next`);
  });

  it('TUN-07 a device is asked as if directly, and learns nothing of the platform', async () => {
    const here = await visit();
    const seen = async (path: string, asking: Asking): Promise<Json> =>
      JSON.parse((await here.ask(`${PLC}${path}`, asking)).text);
    const from = `${here.url}${PLC}/page?x=1`;
    const asked = await seen('/api/request?a=%20b', {
      from,
      headers: {
        'x-forwarded-for': '1.2.3.4',
        connection: 'x-mine',
        'x-mine': '1',
        cookie: 'talkgate-portal=a; mine=1',
      },
    });
    expect(asked.url).toBe('/api/request?a=%20b');
    expect(asked.headers).toMatchObject({ host: '10.0.0.20', referer: 'http://10.0.0.20/page?x=1', cookie: 'mine=1' });
    for (const name of ['x-forwarded-for', 'x-mine', 'upgrade', 'origin'])
      expect(asked.headers).not.toHaveProperty(name);

    let posted: Json;
    oddAnswer = ({ headers }) => {
      posted = headers;
      return {};
    };
    const post = { method: 'POST', body: { a: '1' } };
    await here.ask(ODD, { ...post, from: `${here.url}${ODD}/form` });
    await here.ask(`${ODD}/`, { ...post, from: `${here.url}${ODD}/form` });
    expect(posted).toMatchObject({ host: '10.0.0.40:8080', origin: 'http://10.0.0.40:8080' });
    // The page of another device may not speak in the name of this one.
    await here.ask(`${ODD}/`, { ...post, from: `${here.url}${PLC}/form` });
    expect(posted.origin).toBe('http://10.0.0.20');
    await here.ask(`${ODD}/`, { ...post, headers: { origin: new URL(here.url).origin } });
    expect(posted.origin).toBe('null');
    // Nor a page of another site, whatever cookie its browser has.
    const foreign = await here.ask(`${ODD}/`, { ...post, headers: { origin: 'http://evil.example' } });
    expect([foreign.status, foreign.headers['talkgate-code']]).toEqual([403, 'FORBIDDEN']);
  });

  it('TUN-07 what would count for the whole origin of the portal does not pass', async () => {
    oddAnswer = () => ({
      headers: {
        'set-cookie': ['talkgate-portal=stolen; Path=/', 'ok=1; Domain=10.0.0.40; Path=/x; SameSite=None; Secure'],
        'service-worker-allowed': '/',
        'clear-site-data': '"*"',
        'strict-transport-security': 'max-age=1',
        'cache-control': 'public, max-age=60',
        'referrer-policy': 'unsafe-url',
        'talkgate-code': 'X',
      },
    });
    const here = await visit();
    const path = new URL(here.url).pathname;
    const { headers } = await here.ask(`${ODD}/`);
    expect(headers['set-cookie']).toEqual([`ok=1; Path=${path}${ODD}/x`]);
    expect(headers).toMatchObject({ 'cache-control': 'private, max-age=60', 'referrer-policy': 'same-origin' });
    for (const name of ['service-worker-allowed', 'clear-site-data', 'strict-transport-security', 'talkgate-code'])
      expect(headers).not.toHaveProperty(name);
  });

  it('TUN-07 a link that leaves the path is brought back by the page that it stands in', async () => {
    const here = await visit();
    const from = `${here.url}${PLC}/`;
    const outside = new URL('/api/values', here.url).href;
    const back = await here.browser.ask(outside, { from, follow: true });
    expect([back.status, back.url]).toEqual([200, `${here.url}${PLC}/api/values`]);
    const upload = await here.browser.ask(new URL('/upload', here.url).href, {
      method: 'PUT',
      body: 'abc',
      from,
      follow: true,
    });
    expect([upload.status, JSON.parse(upload.text).bytes]).toEqual([201, 3]);
    expect((await here.browser.ask(outside)).status).toBe(404);
    expect(
      (await here.browser.ask(outside, { headers: { referer: 'http://evil.example/s/x/10.0.0.20:80/' } })).status,
    ).toBe(404);
  });

  it('TUN-07 HTTPS of a device is spoken through the tunnel, whatever its certificate', async () => {
    const here = await visit();
    const path = new URL(here.url).pathname;
    const answer = await here.ask(`https/${SECURED}/x`);
    expect([answer.status, answer.text]).toEqual([302, '/x']);
    expect(answer.headers.location).toBe(`${path}https/${SECURED}/in`);
    expect(answer.headers['set-cookie']).toEqual(['a=1']);
  });

  it('TUN-07 a WebSocket of a device opens through the portal, from its own pages', async () => {
    const here = await visit();
    const url = `${here.url.replace(/^http/, 'ws')}${PLC}/live`;
    const open = (origin: string) =>
      new WebSocket(url, { origin, headers: { cookie: here.browser.cookiesFor(here.url) } });
    const socket = open(new URL(here.url).origin);
    const [readings] = await once(socket, 'message');
    expect(JSON.parse(String(readings))).toBeTypeOf('object');
    socket.send('hello');
    await eventually(
      'echo',
      () => once(socket, 'message'),
      ([data]) => String(data) === 'hello',
    );
    const refused = open('http://evil.example');
    const [, answer] = await once(refused, 'unexpected-response');
    expect(answer.statusCode).toBe(403);
    // It ends with the session (TUN-03).
    const closed = once(socket, 'close');
    await account.admin.api.succeed(CLOSE_SESSION, { sessionId: here.sessionId });
    await closed;
  });

  it('TUN-07 bodies of any size go both ways unchanged, and their bytes count for the session (CON-29)', async () => {
    const here = await visit();
    const bytes = 3_000_000;
    const download = await here.ask(`${PLC}/download?bytes=${bytes}&seed=s`);
    const hash = createHash('sha256');
    for (const block of blocks('s', bytes)) hash.update(block);
    expect(createHash('sha256').update(download.text, 'latin1').digest('hex')).toBe(hash.digest('hex'));
    const upload = await here.ask(`${PLC}/upload`, { method: 'POST', body: Readable.from(blocks('s', bytes)) });
    expect(JSON.parse(upload.text)).toMatchObject({ bytes });
    await here.ask('leave', { method: 'POST', from: here.url });
    const { bytesIn, bytesOut } = await eventually(
      'bytes of the session',
      () => session(here.sessionId),
      (now) => Number(now.bytesIn) > bytes && Number(now.bytesOut) > bytes,
    );
    expect(Number(bytesIn)).toBeLessThan(bytes * 1.01);
    expect(Number(bytesOut)).toBeLessThan(bytes * 1.01);
  });

  it('M2W-11 the own user and password of a device are checked by the device, and kept by nobody', async () => {
    const here = await visit();
    const without = await here.ask(`${GUARDED}/`);
    expect(without.status).toBe(401);
    // Of its own for each device, so that no browser sends the password of one to another.
    expect(without.headers['www-authenticate']).toMatch(/^Basic realm=".+ \(DEV\d+ 10\.0\.0\.21:80\)"$/);
    const wrong = await here.ask(`${GUARDED}/`, { headers: { authorization: 'Basic eDp5' } });
    expect(wrong.status).toBe(401);
    const right = await here.ask(`${GUARDED}/`, { headers: { authorization: BASIC } });
    expect(right.status).toBe(200);
    expect((await here.ask(`${GUARDED}/`)).status).toBe(401);
    const kept = await account.log({}, 100);
    expect(JSON.stringify(kept)).not.toContain(LOGIN.password);
    expect(JSON.stringify(kept)).not.toContain(BASIC);
  });
});

describe('what does not go through', () => {
  it('TUN-07 says with a page and a code why a device cannot be reached', async () => {
    const here = await visit();
    const refused = async (path: string) => {
      const { status, headers, text } = await here.ask(path);
      expect(text).toContain('<!doctype html>');
      return [status, headers['talkgate-code']];
    };
    expect(await refused('10.0.0.50:80/')).toEqual([502, 'LAN_DEVICE_REFUSED']);
    expect(await refused('10.0.0.99:80/')).toEqual([502, 'LAN_DEVICE_UNREACHABLE']);
    expect(await refused('10.0.0.50:82/')).toEqual([502, 'LAN_CONNECTION_LOST']);
    expect(await refused('8.8.8.8:80/')).toEqual([403, 'STREAM_FORBIDDEN']);
    expect(await refused('10.0.0.20:0/')).toEqual([404, 'NOT_FOUND']);
    expect(await refused('https/10.0.0.20:80/')).toEqual([502, 'LAN_CONNECTION_LOST']);
    expect(await refused('10.0.0.50:81/')).toEqual([504, 'LAN_DEVICE_TIMEOUT']);
  });

  it('TUN-07 a device that takes a request and never answers is given up', async () => {
    oddAnswer = () => ({ status: 0 });
    const here = await visit();
    const answer = await here.ask(`${ODD}/`);
    expect([answer.status, answer.headers['talkgate-code']]).toEqual([504, 'LAN_DEVICE_TIMEOUT']);
  });

  it('TUN-07 a browser that stops in the middle leaves no stream behind', async () => {
    const here = await visit();
    const { gateway } = server.app;
    await eventually(
      'no stream',
      () => gateway?.streams.size,
      (size) => size === 0,
    );
    const socket = new WebSocket(`${here.url.replace(/^http/, 'ws')}${PLC}/live`, {
      headers: { cookie: here.browser.cookiesFor(here.url) },
    });
    await once(socket, 'open');
    expect(gateway?.streams.size).toBe(1);
    socket.terminate();
    await eventually(
      'no stream',
      () => gateway?.streams.size,
      (size) => size === 0,
    );
  });
});

describe('what is meant to break it', () => {
  /** A browser of whose connection nothing is hidden. */
  const raw = (here: Visit, allowHalfOpen = false) =>
    connect({ port: Number(new URL(here.url).port), host: '127.0.0.1', allowHalfOpen });
  /** Sends it, and waits for the end of the connection. */
  const throwAt = (here: Visit, bytes: string) =>
    new Promise<void>((resolve) => {
      const client = raw(here).resume();
      client.on('error', () => undefined);
      client.once('close', () => resolve());
      client.write(bytes);
    });
  const upgrade = (here: Visit, path: string) =>
    [
      `GET ${new URL(here.url).pathname}${path} HTTP/1.1`,
      `Host: ${new URL(here.url).host}`,
      `Cookie: ${here.browser.cookiesFor(here.url)}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      '\r\n',
    ].join('\r\n');

  it('TUN-07 an upgrade that is sent behind another request in one piece ends its connection and nothing else', async () => {
    const here = await visit();
    await throwAt(here, `GET /a HTTP/1.1\r\nHost: x\r\n\r\n${upgrade(here, `${PLC}/live`)}`);
    expect((await here.ask(`${PLC}/api/values`)).status).toBe(200);
  });

  it('TUN-07 a device that breaks TLS after the handshake, or after the upgrade to a WebSocket, breaks only that', async () => {
    const here = await visit();
    spoiltPiece = 2;
    const broken = await here.ask('https/10.0.0.40:8444/');
    expect([broken.status, broken.headers['talkgate-code']]).toEqual([502, 'LAN_CONNECTION_LOST']);
    spoiltPiece = 3;
    await throwAt(here, upgrade(here, 'https/10.0.0.40:8444/'));
    spoiltPiece = 0;
    expect((await here.ask('https/10.0.0.40:8444/')).status).toBe(302);
  });

  it('TUN-07 a device that changes the protocol unasked is not followed', async () => {
    const here = await visit();
    const unasked: Record<string, string>[] = [{ connection: 'Upgrade', upgrade: 'websocket' }, {}];
    for (const headers of unasked) {
      oddAnswer = () => ({ status: 101, headers });
      const answer = await here.ask(`${ODD}/`);
      expect([answer.status, answer.headers['talkgate-code']]).toEqual([502, 'LAN_CONNECTION_LOST']);
    }
  });

  it('TUN-07 a device that refuses a WebSocket may say so at length, and the connection ends with it', async () => {
    oddAnswer = () => ({ status: 200, body: 'x'.repeat(5_000_000) });
    const here = await visit();
    const client = raw(here, true);
    client.write(upgrade(here, `${ODD}/`));
    let bytes = 0;
    client.on('data', (piece) => {
      bytes += piece.length;
    });
    await once(client, 'end');
    expect(bytes).toBeGreaterThan(5_000_000);
    expect(client.destroyed).toBe(false);
    // This side has not ended; whatever it says is no longer taken.
    let lost = false;
    client.on('error', () => {
      lost = true;
    });
    await eventually(
      'closed',
      async () => lost || !client.write('x'),
      () => lost,
    );
  });
});

describe('the end of a session', () => {
  it('TUN-07 when it ends, what runs is cut, and its path tells the close reason', async () => {
    oddAnswer = () => ({ status: 0 });
    const here = await visit();
    const running = here.ask(`${ODD}/`);
    await eventually(
      'stream',
      () => server.app.gateway?.streams.size,
      (size) => size === 1,
    );
    await account.admin.api.succeed(CLOSE_SESSION, { sessionId: here.sessionId });
    const cut = await running;
    expect([cut.status, cut.headers['talkgate-code']]).toEqual([410, 'SESSION_CLOSED']);
    const later = await here.ask(`${PLC}/`);
    expect(later.status).toBe(410);
    expect(later.text).toContain('BY_ADMINISTRATOR');
  });

  it('CON-09 its user leaves it from its first page, and from no other site', async () => {
    const here = await visit();
    expect((await here.ask('leave', { method: 'POST', headers: { origin: 'http://evil.example' } })).status).toBe(403);
    expect((await here.ask('leave')).status).toBe(400);
    expect(await session(here.sessionId)).toMatchObject({ state: 'OPEN' });
    expect((await here.ask('leave', { method: 'POST', from: here.url })).status).toBe(410);
    expect(await session(here.sessionId)).toMatchObject({ state: 'CLOSED', closeReason: 'BY_USER' });
  });

  it('CON-30 it lives as long as it is used, and its login with it (AUTH-18)', async () => {
    const here = await visit();
    const aliveUntil = async () => (await session(here.sessionId)).aliveUntil;
    for (let quarter = 0; quarter < 3; quarter++) {
      const before = await aliveUntil();
      server.clock.advance(14 * 60_000);
      expect((await here.ask(`${PLC}/api/values`)).status).toBe(200);
      await eventually('renewed', aliveUntil, (now) => now > before);
      expect(Date.parse(await aliveUntil()) - server.clock.now().getTime()).toBeGreaterThan(14 * 60_000);
    }
    // Without the portal this login would have ended after 20 minutes.
    expect((await user.api.run('{ viewer { user { id } } }')).viewer).not.toBeNull();
    server.clock.advance(15 * 60_000 + 1000);
    await eventually(
      'end',
      () => session(here.sessionId),
      ({ state }) => state === 'CLOSED',
    );
    expect(await session(here.sessionId)).toMatchObject({ closeReason: 'TIMEOUT' });
    await eventually(
      'page',
      () => here.ask(`${PLC}/`),
      ({ status }) => status === 410,
    );
  });
});

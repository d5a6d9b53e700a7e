import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { linkInside, originOf, pageAt, placeOf, readTarget, sessionPath, type WebTarget } from './paths.ts';

/** Names a session's browser beside the key in the path. Every cookie whose name begins so is the platform's own. */
export const PORTAL_COOKIE = 'talkgate-portal';
const OWN_COOKIES = /^talkgate/i;

/** Where a request stands: what the rewriting of its headers goes by. */
export interface Passage {
  key: string;
  target: WebTarget;
  /** Path and query as the target knows them. */
  path: string;
  /** The Ewon's own address with prefix length. */
  lanAddress: string | null;
  /** Distinguishes the passwords that a browser keeps for this target from those for others: `DEV5 10.0.0.20:80`. */
  realm: string;
  /** Browsers reach the portal over HTTPS. */
  secure: boolean;
}

/** Headers of one connection, which end at the portal (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What a target has no business to know: where its user is and which proxies stand before the portal. */
const NOT_FOR_TARGETS = /^(?:host|cookie|expect|forwarded|via|x-real-ip|x-forwarded-.*|talkgate-.*)$/;

/** What would count for the whole origin of the portal, and so for other sessions too. */
const NOT_FOR_BROWSERS =
  /^(?:service-worker-allowed|strict-transport-security|public-key-pins(?:-report-only)?|clear-site-data|alt-svc|expect-ct|nel|report-to|reporting-endpoints|set-cookie2|referrer-policy|origin-agent-cluster|talkgate-.*)$/;

/**
 * The headers that a target gets: those of the browser, `Authorization` included (M2W-11), without those of the connection and
 * the platform's cookies. Host, Origin and Referer are as if the browser had asked the target itself.
 */
export function requestHeaders(headers: IncomingHttpHeaders, passage: Passage): OutgoingHttpHeaders {
  const { target } = passage;
  const passed: OutgoingHttpHeaders = { host: new URL(originOf(target)).host };
  const named = listOf(headers.connection);
  for (const [name, value] of Object.entries(headers)) {
    if (HOP_BY_HOP.has(name) || named.includes(name) || NOT_FOR_TARGETS.test(name)) continue;
    passed[name] = value;
  }
  const cookies = cookiesFor(headers.cookie);
  if (cookies !== '') passed.cookie = cookies;
  const from = refererOf(headers, passage);
  if (headers.referer !== undefined) {
    if (from === null) delete passed.referer;
    else passed.referer = from.href;
  }
  // The pages of all targets have the portal's origin; which of them asks, the Referer tells.
  if (headers.origin !== undefined) passed.origin = from === null ? 'null' : from.origin;
  if (headers['transfer-encoding'] !== undefined) passed['transfer-encoding'] = 'chunked';
  return passed;
}

/** The page that a request comes from, as its target knows it; null for a page of nobody in this session. */
function refererOf({ referer, host }: IncomingHttpHeaders, { key }: Passage): URL | null {
  const url = referer !== undefined && URL.canParse(referer) ? new URL(referer) : null;
  if (!url || url.host !== host || !url.pathname.startsWith(sessionPath(key))) return null;
  const page = readTarget(`${url.pathname}${url.search}`.slice(sessionPath(key).length));
  return page && pageAt(page.target, page.path);
}

/** The cookies that go to a target: none of the platform. */
const cookiesFor = (cookie: string | undefined): string =>
  (cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !OWN_COOKIES.test(pair))
    .join('; ');

/** One cookie of a request. */
export const cookieOf = (header: string | undefined, name: string): string | undefined =>
  (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/** The headers that a browser gets: links and cookies stay inside the target's path, nothing counts beyond it (TUN-07). */
export function responseHeaders(headers: IncomingHttpHeaders, passage: Passage): OutgoingHttpHeaders {
  const passed: OutgoingHttpHeaders = {};
  const named = listOf(headers.connection);
  for (const [name, value] of Object.entries(headers)) {
    if (HOP_BY_HOP.has(name) || named.includes(name) || NOT_FOR_BROWSERS.test(name)) continue;
    passed[name] = value;
  }
  for (const name of ['location', 'content-location'] as const) {
    const link = headers[name];
    if (typeof link === 'string') passed[name] = rewriteLink(link, passage);
  }
  if (typeof headers.refresh === 'string') passed.refresh = rewriteRefresh(headers.refresh, passage);
  const cookies = (headers['set-cookie'] ?? []).flatMap((cookie) => rewriteCookie(cookie, passage) ?? []);
  delete passed['set-cookie'];
  if (cookies.length > 0) passed['set-cookie'] = cookies;
  if (headers['www-authenticate'] !== undefined)
    passed['www-authenticate'] = rewriteChallenges(headers['www-authenticate'], passage);
  passed['cache-control'] = privately(headers['cache-control']);
  // With it, a link to `/page` that leaves the path is brought back; to other sites nothing of the path is told.
  passed['referrer-policy'] = 'same-origin';
  return passed;
}

function rewriteLink(link: string, passage: Passage): string {
  return linkInside(link, pageAt(passage.target, passage.path).href, passage) ?? link;
}

/** `5; url=/start.html` */
function rewriteRefresh(refresh: string, passage: Passage): string {
  const match = /^(\s*[\d.]+\s*[;,]\s*url\s*=\s*)(['"]?)(.*?)\2\s*$/is.exec(refresh);
  if (!match) return refresh;
  const [, start = '', quote = '', link = ''] = match;
  return `${start}${quote}${rewriteLink(link, passage)}${quote}`;
}

/** Keeps a cookie inside the path of its target; null for one that takes a name of the platform. */
function rewriteCookie(cookie: string, { key, target, secure }: Passage): string | null {
  const [pair = '', ...attributes] = cookie.split(';').map((part) => part.trim());
  if (OWN_COOKIES.test(pair)) return null;
  const kept = attributes.flatMap((attribute) => {
    const [name = '', value = ''] = attribute.split('=', 2).map((part) => part.trim());
    const kind = name.toLowerCase();
    if (kind === 'domain' || kind === 'partitioned') return [];
    if (kind === 'path') return [`Path=${placeOf(key, target)}${value.startsWith('/') ? value : '/'}`];
    // Over plain HTTP a browser would not keep it, and SameSite=None needs it.
    if (!secure && (kind === 'secure' || (kind === 'samesite' && value.toLowerCase() === 'none'))) return [];
    return [attribute];
  });
  return [pair, ...kept].join('; ');
}

/** The scheme of a challenge, and what follows: parameters, or something of the scheme's own (RFC 9110, 11.6.1). */
interface Challenge {
  scheme: string;
  parts: string[];
}

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const PARAMETER = new RegExp(`^(${TOKEN})\\s*=\\s*(?:(${TOKEN})|"((?:[^"\\\\]|\\\\.)*)")$`);
const CHALLENGE_START = new RegExp(`^(${TOKEN})(?:\\s+(?![\\s=])(.*))?$`);

/**
 * Browsers keep passwords by origin and realm, and all targets have one origin: without a realm of its own, a device would be
 * sent the password of another (M2W-11). So a Basic challenge is made anew, and one that cannot be read is dropped. The realm
 * of Digest is part of what is hashed, so other schemes stay as they are, but for one that a browser could read as Basic.
 * Each has a header of its own: browsers differ in how they take several apart.
 */
function rewriteChallenges(header: string, { realm }: Passage): string[] {
  return challengesOf(header).flatMap(({ scheme, parts }) => {
    if (scheme.toLowerCase() === 'basic') return basicChallenge(parts, realm) ?? [];
    const text = `${scheme} ${parts.join(', ')}`.trim();
    const clear = parts.every((part) => PARAMETER.test(part));
    return (clear ? /,\s*basic\b/i : /\bbasic\b/i).test(text) ? [] : text;
  });
}

/** Null when the parameters cannot be read. */
function basicChallenge(parts: readonly string[], realm: string): string | null {
  const parameters = new Map<string, string>();
  for (const part of parts) {
    const match = PARAMETER.exec(part);
    const name = match?.[1]?.toLowerCase();
    if (!match || name === undefined || parameters.has(name)) return null;
    parameters.set(name, match[2] ?? (match[3] ?? '').replaceAll(/\\(.)/g, '$1'));
  }
  // Without what browsers could read in different ways.
  const name = (parameters.get('realm') ?? '').replaceAll(/["\\]|[^\x20-\x7e\x80-\xff]/g, '');
  const charset = parameters.get('charset')?.toLowerCase() === 'utf-8' ? ', charset="UTF-8"' : '';
  return `Basic realm="${`${name} (${realm})`.trim()}"${charset}`;
}

/** Takes the challenges of a header apart; a text in quotes may have commas, and one without an end takes the rest. */
function challengesOf(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  for (const [element] of header.matchAll(/(?:[^",]|"(?:[^"\\]|\\.)*(?:"|\\?$))+/g)) {
    const part = element.trim();
    if (part === '') continue;
    const [, scheme, rest] = CHALLENGE_START.exec(part) ?? [];
    const last = challenges.at(-1);
    if (scheme !== undefined) challenges.push({ scheme, parts: rest?.trim() ? [rest.trim()] : [] });
    else last?.parts.push(part);
  }
  return challenges;
}

/** What a shared cache must not keep. */
const privately = (control: string | undefined): string => {
  const kept = (control ?? '')
    .split(',')
    .map((directive) => directive.trim())
    .filter((directive) => directive !== '' && !/^(?:public|private|s-maxage)\b/i.test(directive));
  return ['private', ...kept].join(', ');
};

const listOf = (header: string | undefined): string[] =>
  (header ?? '').split(',').map((name) => name.trim().toLowerCase());

import { isIPv4 } from 'node:net';
import { isLanHost } from '../lan/rules.ts';

/** A server behind an Ewon. */
export interface WebTarget {
  address: string;
  /** 1–65535 */
  port: number;
  /** It speaks HTTPS. */
  tls: boolean;
}

/** What the path of a request to the portal leads to; `path` begins with a slash and has the query. */
export type Route =
  | { kind: 'session'; key: string; page: 'index' | SessionPage; query: string }
  | { kind: 'target'; key: string; target: WebTarget; path: string }
  | { kind: 'enter' }
  | { kind: 'outside' };

/** What stands beside the first page of a session. */
type SessionPage = 'go' | 'leave' | typeof LOGO_PAGE;

/** The logo of the account, for the session's first page. */
export const LOGO_PAGE = 'logo.png';
const SESSION_PAGES: readonly string[] = ['go', 'leave', LOGO_PAGE] satisfies SessionPage[];

const ENTER_PATH = '/enter';

const SESSION_PATH = /^\/s\/([\w-]{20,100})(?:\/(.*))?$/s;
/** What a path may not have unescaped, spaces and line breaks among it, has no place in a request or header. */
const TARGET_PATH = /^(https\/)?(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})([\x21-\x7e]*)$/;

/** Reads the path and query of a request. */
export function routeOf(url: string): Route {
  const [path = '/', query = ''] = splitOnce(url, '?');
  if (path === ENTER_PATH) return { kind: 'enter' };
  const inSession = SESSION_PATH.exec(url);
  const key = inSession?.[1];
  if (key === undefined) return { kind: 'outside' };
  const rest = inSession?.[2] ?? '';
  const target = readTarget(rest);
  if (target) return { kind: 'target', key, ...target };
  const page = splitOnce(rest, '?')[0];
  if (page === '') return { kind: 'session', key, page: 'index', query };
  if (page !== undefined && SESSION_PAGES.includes(page))
    return { kind: 'session', key, page: page as SessionPage, query };
  return { kind: 'outside' };
}

/** Reads `10.0.0.20:80/path` or `https/10.0.0.20:443/path`; null for anything else. An empty path stays empty. */
export function readTarget(text: string): { target: WebTarget; path: string } | null {
  const match = TARGET_PATH.exec(text);
  if (!match) return null;
  const [, https, address = '', port, path = ''] = match;
  const number = Number(port);
  if (!isIPv4(address) || number < 1 || number > 65535 || !/^(?:[/?]|$)/.test(path)) return null;
  return { target: { address, port: number, tls: https !== undefined }, path };
}

/** Everything of a session is below this path. */
export const sessionPath = (key: string): string => `/s/${key}/`;

/** As a path below {@link sessionPath}, without a slash at the end. */
export const targetPath = ({ address, port, tls }: WebTarget): string => `${tls ? 'https/' : ''}${address}:${port}`;

/** Where a target is in the portal, without a slash at the end. */
export const placeOf = (key: string, target: WebTarget): string => `${sessionPath(key)}${targetPath(target)}`;

/** The origin that a target knows itself by. */
export const originOf = ({ address, port, tls }: WebTarget): string =>
  new URL(`${tls ? 'https' : 'http'}://${address}:${port}`).origin;

/** The URL of a page as its target knows it. A path that begins with `//` is a path, not another host. */
export function pageAt(target: WebTarget, path: string): URL {
  const url = originOf(target) + path;
  return new URL(URL.canParse(url) ? url : originOf(target));
}

/**
 * Where in the portal a link of a target leads (TUN-07): to itself or another address of the Ewon's LAN, by whatever scheme.
 * Null when it leads elsewhere, or is no link.
 * @param base the URL of the page as the target knows it
 */
export function linkInside(
  link: string,
  base: string,
  { key, target, lanAddress }: { key: string; target: WebTarget; lanAddress: string | null },
): string | null {
  const url = URL.canParse(link, base) ? new URL(link, base) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null;
  const address = url.hostname;
  const known =
    address === target.address ||
    address === lanAddress?.split('/')[0] ||
    (isIPv4(address) && lanAddress !== null && isLanHost(lanAddress, address));
  if (!known) return null;
  const tls = url.protocol === 'https:';
  const port = Number(url.port) || (tls ? 443 : 80);
  return `${placeOf(key, { address, port, tls })}${url.pathname}${url.search}${url.hash}`;
}

function splitOnce(text: string, by: string): [string, string?] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
}

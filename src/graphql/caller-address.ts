import type { IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';
import type { Config } from '../config.ts';

/** Where a request comes from, past the proxies that are trusted: what limits and bans by address go by (AUTH-11). */
export const callerAddress = ({ trustedProxies }: Config, req: IncomingMessage): string =>
  req.socket.remoteAddress === undefined ? 'unknown' : proxyAddr(req, trustedProxies);

import { Resolver } from 'node:dns/promises';
import { Agent, request } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { addressIn, isPublicAddress, targetIn } from './target.ts';

/** What tests put in the place of the internet. No variable of the configuration reaches it. */
export interface RelayOverrides {
  /** The addresses of a name. */
  resolve?: (name: string) => Promise<string[]>;
  /** Authority of the servers, in PEM. */
  ca?: string;
  /** Addresses that count as public besides those that are. */
  alsoPublic?: readonly string[];
}

interface Delivery {
  url: string;
  contentType: string;
  payload: Buffer;
  /** The same for what is sent again. */
  idempotencyKey: string;
  /** Of the Ewon, as `DEV5`. */
  reference: string;
}

/** Sends what devices say to servers of third parties (M2U-01). */
export interface Relay {
  /** Whether it may connect to an address (M2U-04). */
  mayReach(address: string): boolean;
  /**
   * Posts once, and gives the status of the answer, whichever it is. Follows no redirect, and reads nothing of the body.
   * @throws AppError LINK_TARGET_FORBIDDEN when the host is not public (M2U-04), LINK_DELIVERY_FAILED without an answer in time
   */
  post(delivery: Delivery): Promise<number>;
  /** Ends what is under way; it fails. */
  stop(): void;
}

const MAX_HEADER_BYTES = 16 * 1024;

const failed = (why: string): AppError => new AppError('LINK_DELIVERY_FAILED', why);

/** Asks the name servers themselves: no file of this machine, no search list, no thread that logins need. */
function publicNames(timeoutMs: number): (name: string) => Promise<string[]> {
  return async (name) => {
    const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / 2), tries: 1 });
    const timer = setTimeout(() => resolver.cancel(), timeoutMs);
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    clearTimeout(timer);
    return found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  };
}

export function createRelay({ limits }: Config, overrides: RelayOverrides = {}): Relay {
  const timeoutMs = limits.M2U_TIMEOUT_SECONDS * 1000;
  const vpnRanges = [limits.VPN_USER_RANGE, limits.VPN_EWON_RANGE];
  const { resolve = publicNames(timeoutMs), ca, alsoPublic = [] } = overrides;
  const stopping = new AbortController();
  const mayReach = (address: string) => alsoPublic.includes(address) || isPublicAddress(address, vpnRanges);

  /** What a name resolves to now, if all of it may be reached: a mixed answer is an attempt to slip in. */
  const addressesOf = async (name: string): Promise<string[]> => {
    const addresses = await resolve(name);
    if (addresses.length === 0) throw failed('The name of the server is unknown.');
    if (!addresses.every(mayReach))
      throw new AppError('LINK_TARGET_FORBIDDEN', 'The name of the server leads to an address that is not public.');
    return addresses;
  };

  return {
    mayReach,
    stop: () => stopping.abort(),
    post: async ({ url: text, contentType, payload, idempotencyKey, reference }) => {
      // Also for links that were written under other rules, and for addresses, of which no name is looked up.
      const url = targetIn(text, mayReach);
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMs)]);
      const givenUp = new Promise<never>((_, reject) => {
        const late = () =>
          reject(
            failed(
              stopping.signal.aborted
                ? 'The platform is being restarted.'
                : `The server did not answer within ${limits.M2U_TIMEOUT_SECONDS} s.`,
            ),
          );
        if (signal.aborted) late();
        signal.addEventListener('abort', late, { once: true });
      });
      const literal = addressIn(url.hostname);
      const name = url.hostname.replace(/\.$/, '');
      const addresses = literal === null ? await Promise.race([addressesOf(name), givenUp]) : [literal];
      // The socket gets the addresses that were judged, and never asks for the name again.
      const lookup: LookupFunction = (_name, options, answer) => {
        const known = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
        if (options.all) answer(null, known);
        else answer(null, known[0]?.address ?? '', known[0]?.family);
      };
      const agent = new Agent({ keepAlive: false, maxCachedSessions: 0 });
      const posted = new Promise<number>((resolvePost, reject) => {
        const outgoing = request(url, {
          ...{ method: 'POST', agent, lookup, signal, minVersion: 'TLSv1.2', maxHeaderSize: MAX_HEADER_BYTES },
          ...(ca !== undefined && { ca }),
          headers: {
            'content-type': contentType,
            'content-length': payload.length,
            'user-agent': 'talkgate-m2u',
            'idempotency-key': idempotencyKey,
            'x-ewon-reference': reference,
          },
        });
        outgoing.on('response', (response) => {
          // Its words are for nobody: the status is all that is told (M2U-05).
          response.on('error', () => undefined);
          resolvePost(response.statusCode ?? 0);
          outgoing.destroy();
        });
        outgoing.on('error', (error: NodeJS.ErrnoException) =>
          reject(failed(`The server cannot be reached (${error.code ?? 'connection broken'}).`)),
        );
        outgoing.end(payload);
      });
      try {
        return await Promise.race([givenUp, posted]);
      } finally {
        posted.catch(() => undefined);
        givenUp.catch(() => undefined);
        agent.destroy();
      }
    },
  };
}

import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

/** What came back. */
export interface Answer {
  url: string;
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface Asking {
  method?: string;
  headers?: OutgoingHttpHeaders;
  /** A form is sent as such, a text or stream as it is. */
  body?: Record<string, string> | string | Readable;
  /** The page that asks: gives Referer and, where something is changed, Origin. */
  from?: string;
  /** Follows redirects, as a browser does. */
  follow?: boolean;
}

interface Cookie {
  host: string;
  path: string;
  pair: string;
}

/** As much of a browser as the portal has to do with: cookies by host and path, Origin and Referer, redirects. */
export class Browser {
  readonly cookies: Cookie[] = [];

  async ask(url: string, asking: Asking = {}): Promise<Answer> {
    const { follow = false } = asking;
    let [at, answer] = [url, await this.#once(url, asking)];
    for (let hops = 0; follow && answer.headers.location !== undefined; hops++) {
      if (hops === 10) throw new Error(`Redirected too often: ${at}`);
      at = new URL(answer.headers.location, at).href;
      const same = answer.status === 307 || answer.status === 308;
      const { from, headers } = asking;
      answer = await this.#once(at, same ? asking : { ...(from && { from }), ...(headers && { headers }) });
    }
    return answer;
  }

  post(url: string, body: Record<string, string>, asking: Asking = {}): Promise<Answer> {
    return this.ask(url, { method: 'POST', body, from: url, ...asking });
  }

  /** The header that a request to this URL carries. */
  cookiesFor(url: string): string {
    const { hostname, pathname } = new URL(url);
    return this.cookies
      .filter(({ host, path }) => host === hostname && isBelow(pathname, path))
      .map(({ pair }) => pair)
      .join('; ');
  }

  async #once(url: string, { method = 'GET', headers = {}, body, from }: Asking): Promise<Answer> {
    const { cookie: more, ...others } = headers;
    const cookie = [this.cookiesFor(url), more].filter(Boolean).join('; ');
    const isForm = typeof body === 'object' && !('pipe' in body);
    const sent: OutgoingHttpHeaders = {
      ...(cookie !== '' && { cookie }),
      ...(from !== undefined && new URL(from).host === new URL(url).host && { referer: from }),
      ...(from !== undefined && method !== 'GET' && { origin: new URL(from).origin }),
      ...(isForm && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...others,
    };
    return new Promise((resolve, reject) => {
      const request = httpRequest(url, { method, headers: sent, agent: false }, (response) => {
        this.#keep(url, response.headers['set-cookie'] ?? []);
        buffer(response).then(
          (bytes) =>
            resolve({
              url,
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: bytes.toString('latin1'),
            }),
          reject,
        );
      });
      request.on('error', reject);
      if (body === undefined || typeof body === 'string') request.end(body);
      else if (isForm) request.end(new URLSearchParams(body as Record<string, string>).toString());
      else (body as Readable).pipe(request);
    });
  }

  #keep(url: string, set: string[]): void {
    const { hostname: host, pathname } = new URL(url);
    for (const text of set) {
      const [pair = '', ...attributes] = text.split(';').map((part) => part.trim());
      const named = attributes.map((part) => part.split('='));
      const path = named.find(([name]) => name?.toLowerCase() === 'path')?.[1] ?? pathname.replace(/[^/]*$/, '');
      const name = pair.split('=')[0];
      const at = this.cookies.findIndex(
        (cookie) => cookie.host === host && cookie.path === path && cookie.pair.split('=')[0] === name,
      );
      if (at >= 0) this.cookies.splice(at, 1);
      if (!attributes.some((part) => /^max-age=0$/i.test(part))) this.cookies.push({ host, path, pair });
    }
  }
}

const isBelow = (pathname: string, path: string): boolean =>
  pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);

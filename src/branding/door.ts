import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Platform } from '../context.ts';
import { nameKey } from '../ewons/rules.ts';
import type { BrandingFileName } from '../generated/prisma/enums.ts';
import { BRANDED_PLANS, BRANDING_PATH } from './look.ts';
import { fileNamed } from './rules.ts';

const TYPES: Record<BrandingFileName, string> = {
  WELCOME_PNG: 'image/png',
  LOGO_PNG: 'image/png',
  SKIN_INI: 'text/plain; charset=utf-8',
};
const A_YEAR = 'public, max-age=31536000, immutable';

/**
 * Answers a request below {@link BRANDING_PATH}: a file of an account by the account's name and the file's hash, to anybody
 * (BRD-06). No account, no file, another version and a plan without branding are all the same answer.
 * @param url of the file, where the request has come by another
 */
export async function serveBranding(
  ctx: Platform,
  request: IncomingMessage,
  response: ServerResponse,
  url = request.url ?? '/',
): Promise<void> {
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return send(response, 405, 'A file is read by GET.');
    }
    const asked = placeIn(url);
    const file = asked && (await findFile(ctx, asked));
    if (!asked || !file) return send(response, 404, 'There is no such file.');
    const { name, sha256 } = asked;
    const tag = `"${sha256}"`;
    const headers = {
      'cache-control': A_YEAR,
      etag: tag,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      // Frontends of other origins show it too.
      'cross-origin-resource-policy': 'cross-origin',
    };
    if (request.headers['if-none-match'] === tag) {
      response.writeHead(304, headers);
      return void response.end();
    }
    response.writeHead(200, { ...headers, 'content-type': TYPES[name], 'content-length': file.length });
    response.setTimeout(ctx.config.limits.STREAM_STALL_SECONDS * 1000, () => response.destroy());
    response.end(request.method === 'HEAD' ? undefined : file);
  } catch (error) {
    ctx.log.error({ err: error }, 'A file of a portal’s look could not be sent');
    if (response.headersSent) response.destroy();
    else send(response, 500, 'Something went wrong.');
  }
}

interface Asked {
  accountKey: string;
  sha256: string;
  name: BrandingFileName;
}

function placeIn(url: string): Asked | null {
  const path = url.split('?')[0]?.slice(BRANDING_PATH.length) ?? '';
  const [, account, sha256, fileName] = /^\/([^/]{1,300})\/([0-9a-f]{64})\/([^/]{1,30})$/.exec(path) ?? [];
  const name = fileNamed(fileName ?? '');
  if (account === undefined || sha256 === undefined || name === undefined) return null;
  try {
    return { accountKey: nameKey(decodeURIComponent(account)), sha256, name };
  } catch {
    return null;
  }
}

async function findFile({ db }: Platform, { accountKey, sha256, name }: Asked): Promise<Uint8Array | null> {
  // Postgres has no text with a zero in it.
  if (accountKey.includes('\0')) return null;
  const file = await db.brandingFile.findFirst({
    where: { name, sha256, account: { nameKey: accountKey, plan: { in: BRANDED_PLANS } } },
    select: { content: true },
  });
  return file?.content ?? null;
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Platform } from '../context.ts';
import { AppError, type ErrorCode, TooManyRequestsError } from '../errors.ts';
import { logCsv, logText } from '../log/export.ts';
import { authenticate } from '../logins/login.ts';
import type { Actor } from '../users/actor.ts';
import { DOWNLOADS_PATH, type DownloadKind, openDownloadLink } from './links.ts';

// biome-ignore lint/suspicious/noExplicitAny: each kind has parameters of its own, which its own schema checks.
const KINDS: readonly DownloadKind<any>[] = [logCsv, logText];

const STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  DOWNLOAD_INVALID: 404,
  NOT_FOUND: 404,
  VALIDATION_FAILED: 400,
  TOO_MANY_REQUESTS: 429,
  RATE_LIMITED: 429,
  INTERNAL_ERROR: 500,
};

/**
 * Answers a request below {@link DOWNLOADS_PATH}: with a login's token in the header at the path of a kind, or by a link. A
 * refusal is JSON with `code` and `message`. A reader that takes nothing for STREAM_STALL_SECONDS is cut off.
 */
export async function serveDownload(ctx: Platform, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET');
      return sendJson(response, 405, { code: 'BAD_REQUEST', message: 'A file is read by GET.' });
    }
    const { kind, params, actor } = await asked(ctx, request);
    const parsed = kind.params.safeParse(params);
    if (!parsed.success) throw new AppError('VALIDATION_FAILED', parsed.error.issues[0]?.message ?? 'Not such a file.');
    const { fileName, contentType, content } = await kind.open({ ...ctx, actor }, parsed.data);
    response.writeHead(200, {
      'content-type': contentType,
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'referrer-policy': 'no-referrer',
    });
    response.setTimeout(ctx.config.limits.STREAM_STALL_SECONDS * 1000, () => response.destroy());
    await pipeline(Readable.from(content, { objectMode: false }), response);
  } catch (error) {
    const known = error instanceof AppError;
    if (response.headersSent || response.destroyed) {
      if (!response.destroyed) ctx.log.error({ err: error }, 'A download broke');
      return void response.destroy();
    }
    if (!known) ctx.log.error({ err: error }, 'A download failed');
    const code = known ? error.code : 'INTERNAL_ERROR';
    if (error instanceof TooManyRequestsError) response.setHeader('retry-after', error.retryAfter);
    sendJson(response, STATUS[code] ?? 403, { code, message: known ? error.message : 'Something went wrong.' });
  }
}

async function asked(ctx: Platform, request: IncomingMessage) {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const place = url.pathname.slice(DOWNLOADS_PATH.length + 1);
  const link = /^link\/([\w-]{40,4000})$/.exec(place)?.[1];
  const { path, params, actor } =
    link === undefined
      ? { path: place, params: Object.fromEntries(url.searchParams), actor: await bearerOf(ctx, request) }
      : await openDownloadLink(ctx, link);
  const kind = KINDS.find((one) => one.path === path);
  if (!kind) throw new AppError('NOT_FOUND', 'There is no such file.');
  return { kind, params, actor };
}

/** @throws AppError UNAUTHENTICATED */
async function bearerOf(ctx: Platform, { headers }: IncomingMessage): Promise<Actor> {
  const token = /^Bearer ([\w-]{20,100})$/i.exec(headers.authorization ?? '')?.[1];
  const actor = token === undefined ? null : await authenticate(ctx, token);
  if (actor?.stage !== 'OPEN') throw new AppError('UNAUTHENTICATED', 'Send the token of an open login.');
  return actor;
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

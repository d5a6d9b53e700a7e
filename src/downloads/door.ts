import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import { RateLimitedError, writeNearer, writeRefusal } from '../api-limits/limits.ts';
import type { Platform } from '../context.ts';
import { AppError, type ErrorCode, TooManyRequestsError } from '../errors.ts';
import { logCsv, logText } from '../log/export.ts';
import { authenticate } from '../logins/login.ts';
import { REPORT_FILES } from '../reports/files.ts';
import type { Actor } from '../users/actor.ts';
import { DOWNLOADS_PATH, type DownloadKind, openDownloadLink } from './links.ts';

// biome-ignore lint/suspicious/noExplicitAny: each kind has parameters of its own, which its own schema checks.
const KINDS: readonly DownloadKind<any>[] = [logCsv, logText, ...Object.values(REPORT_FILES)];

const STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  LOGIN_EXPIRED: 401,
  DOWNLOAD_INVALID: 404,
  NOT_FOUND: 404,
  BAD_REQUEST: 400,
  VALIDATION_FAILED: 400,
  REPORT_TOO_LONG: 422,
  TOO_MANY_REQUESTS: 429,
  RATE_LIMITED: 429,
};

/** Seconds after which a download that found no room is worth another try. */
const TRY_AGAIN_SECONDS = 5;

type Part = IteratorResult<Uint8Array | string>;
/** Makes the next part of a file, when it is its turn. */
type Step = (make: () => Promise<Part>) => Promise<Part>;

/** How much is downloaded and made at once in this instance (API-03). */
interface Room {
  /** Takes one of the login's downloads; to be called when it is over. @throws TooManyRequestsError */
  enter(loginId: string): () => void;
  /** How a heavy file is made: step by step, few at once, so that a slow reader keeps nobody waiting. @throws TooManyRequestsError */
  heavy(): Step;
}

function createRoom({ limits }: Platform['config']): Room {
  const open = new Map<string, number>();
  const making = pLimit(limits.REPORTS_AT_ONCE);
  return {
    enter: (loginId) => {
      const count = open.get(loginId) ?? 0;
      if (count >= limits.DOWNLOADS_PER_LOGIN)
        throw new TooManyRequestsError(
          `A login has at most ${limits.DOWNLOADS_PER_LOGIN} downloads at the same time.`,
          TRY_AGAIN_SECONDS,
        );
      open.set(loginId, count + 1);
      return () => {
        const left = (open.get(loginId) ?? 1) - 1;
        if (left > 0) open.set(loginId, left);
        else open.delete(loginId);
      };
    },
    heavy: () => {
      if (making.pendingCount >= limits.REPORTS_WAITING)
        throw new TooManyRequestsError('Many reports are being made; try again soon.', TRY_AGAIN_SECONDS);
      return (make) => making(make);
    },
  };
}

/** The door for files, with what it counts for this instance. */
export function createDownloadDoor(
  ctx: Platform,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const room = createRoom(ctx.config);
  return (request, response) => serveDownload(ctx, room, request, response);
}

/**
 * Answers a request below {@link DOWNLOADS_PATH}: with a login's token in the header at the path of a kind, or by a link. A
 * refusal is JSON with `code` and `message`, and nothing else was sent. What breaks after the first bytes ends the connection,
 * so that no reader takes a part for the whole. A reader that takes nothing for STREAM_STALL_SECONDS is cut off; one that leaves
 * ends the reading.
 */
async function serveDownload(
  ctx: Platform,
  room: Room,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomUUID();
  let leave = () => {};
  response.setHeader('x-request-id', requestId);
  try {
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET');
      return sendJson(response, 405, { code: 'BAD_REQUEST', message: 'A file is read by GET.' });
    }
    const { kind, params, actor } = await asked(ctx, request, async ({ loginId, accountId, plan }) => {
      writeNearer(response, await ctx.apiLimits.takeCall({ id: loginId, accountId, plan }));
      leave = room.enter(loginId);
    });
    const parsed = kind.params.safeParse(params);
    if (!parsed.success) throw new AppError('VALIDATION_FAILED', parsed.error.issues[0]?.message ?? 'Not such a file.');
    const step: Step = kind.heavy?.(parsed.data) ? room.heavy() : (make) => make();
    const { fileName, contentType, content } = await kind.open({ ...ctx, actor }, parsed.data);
    const iterator = content[Symbol.asyncIterator]();
    const parts: AsyncIterator<Uint8Array | string> = {
      next: () =>
        step(async () => {
          // Whoever has left while he waited gets nothing made.
          if (response.destroyed) return { done: true, value: undefined };
          return iterator.next();
        }),
    };
    try {
      // Until there is something to send, a failure can still be told.
      const first = await parts.next();
      response.writeHead(200, {
        'content-type': contentType,
        // Whatever a kind is named after, the header stays one.
        'content-disposition': `attachment; filename="${fileName.replace(/[^\w.-]/g, '_')}"`,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
        'referrer-policy': 'no-referrer',
      });
      response.setTimeout(ctx.config.limits.STREAM_STALL_SECONDS * 1000, () => response.destroy());
      await pipeline(Readable.from(beginningWith(first, parts), { objectMode: false }), response);
    } finally {
      // One that was left before it was read to its end.
      await iterator.return?.();
    }
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      if (!response.destroyed || !isDeparture(error)) ctx.log.error({ err: error, requestId }, 'A download broke');
      return void response.destroy();
    }
    refuse(ctx, response, error, requestId);
  } finally {
    leave();
  }
}

async function* beginningWith<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncGenerator<T> {
  for (let part = first; !part.done; part = await rest.next()) yield part.value;
}

/** Whether it is the reader who ended it. */
const isDeparture = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';

function refuse(ctx: Platform, response: ServerResponse, error: unknown, requestId: string): void {
  if (!(error instanceof AppError)) {
    ctx.log.error({ err: error, requestId }, 'A download failed');
    return sendJson(response, 500, { code: 'INTERNAL_ERROR', message: 'Something went wrong.', requestId });
  }
  const { code, message } = error;
  if (error instanceof RateLimitedError) writeRefusal(response, error);
  else if ('retryAfter' in error) response.setHeader('retry-after', Number(error.retryAfter));
  if (STATUS[code] === 401) response.setHeader('www-authenticate', 'Bearer');
  sendJson(response, STATUS[code] ?? 403, { code, message });
}

/** What is asked for, and by whom, who is counted before anything else. */
async function asked(ctx: Platform, request: IncomingMessage, count: (actor: Actor) => Promise<void>) {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const place = url.pathname.slice(DOWNLOADS_PATH.length + 1);
  const link = /^link\/([\w-]+)$/.exec(place)?.[1];
  const { path, params, actor } =
    link === undefined
      ? { path: place, params: Object.fromEntries(url.searchParams), actor: await bearerOf(ctx, request) }
      : await openDownloadLink(ctx, link);
  await count(actor);
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

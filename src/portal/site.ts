import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Look, lookOf, STANDARD_LOOK } from '../branding/look.ts';
import type { Caller, Platform } from '../context.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { LOCATED } from '../geolocation/positions.ts';
import { callerAddress } from '../graphql/caller-address.ts';
import { changePassword } from '../logins/identity.ts';
import {
  authenticate,
  continueLogin,
  type LoginStep,
  login,
  logout,
  resendLoginCode,
  submitLoginCode,
} from '../logins/login.ts';
import { openSession } from '../sessions/open.ts';
import type { Actor } from '../users/actor.ts';
import { sendEwonOffline, wakeUpEwon } from '../wake-up/service.ts';
import { findPortalEwon, listPortalEwons, type PortalEwon, whereReference } from './ewons.ts';
import { isOwnOrigin, readForm } from './forms.ts';
import { cookieOf } from './headers.ts';
import { type Page, redirect, sendPage } from './html.ts';
import { mayCarryLoginForm } from './origins.ts';
import { readTarget } from './paths.ts';
import {
  ewonPage,
  goOnPage,
  handOverPage,
  listPage,
  loginPage,
  mapPage,
  refusalPage,
  SITE_PATH,
  stagePage,
} from './site-pages.ts';

/** Holds the token of the login. The portal keeps cookies whose names begin so from reaching a device. */
const LOGIN_COOKIE = 'talkgate-m2web';
const PC_COOKIE = 'talkgate-pc';
const PC_COOKIE_SECONDS = 365 * 86_400;
const EWONS_PER_PAGE = 100;
const EWONS_ON_MAP = 2000;

const STATUS: Partial<Record<ErrorCode, number>> = {
  VALIDATION_FAILED: 400,
  NOT_FOUND: 404,
  TOO_MANY_REQUESTS: 429,
  INTERNAL_ERROR: 500,
};
const statusOf = (error: AppError): number => STATUS[error.code] ?? 403;

interface Visit {
  ctx: Platform;
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  caller: Caller;
  /** The account whose look the pages have: of the login, or as the visitor names it. */
  accountName: string;
}

/** A visit with the form that it brought. */
interface Posted extends Visit {
  form: URLSearchParams;
}

/**
 * The pages by which browsers come to the portal (M2W-01): log in, choose an Ewon, open it. Made on the server, and works
 * without scripts. The login is a cookie of this path alone; whatever changes something is a form of these pages, told by its
 * Origin, but for the login form, which a web page of the account may carry if authorized (M2W-06).
 */
export async function serveSite(ctx: Platform, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const caller: Caller = {
    requestId: randomUUID(),
    remoteAddress: callerAddress(ctx.config, request),
    userAgent: request.headers['user-agent'] ?? null,
  };
  const url = new URL(request.url ?? '/', 'http://localhost');
  const visit: Visit = { ctx, request, response, url, caller, accountName: url.searchParams.get('account') ?? '' };
  try {
    await (request.method === 'POST' ? post(visit) : get(visit));
  } catch (error) {
    if (!(error instanceof AppError))
      ctx.log.error({ err: error, requestId: caller.requestId }, 'A page of M2web failed');
    const shown = error instanceof AppError ? error : new AppError('INTERNAL_ERROR', 'Something went wrong.');
    if (response.headersSent) return;
    const look = await lookFor(visit).catch(() => STANDARD_LOOK);
    sendPage(response, { ...refusalPage(statusOf(shown), shown.message), look });
  }
}

/** The look of M2W-05. */
const lookFor = ({ ctx, accountName }: Visit): Promise<Look> => lookOf(ctx, accountName);

/** Sends a page in the look of the account. */
async function show(visit: Visit, page: Page): Promise<void> {
  sendPage(visit.response, { ...page, look: await lookFor(visit) });
}

async function showLogin(visit: Visit, message: string | null, status = 200): Promise<void> {
  const look = await lookFor(visit);
  sendPage(visit.response, { ...loginPage(look, visit.accountName.slice(0, 100), message, status), look });
}

async function get(visit: Visit): Promise<void> {
  const { ctx, url } = visit;
  const actor = await actorOf(visit);
  if (!actor) return showLogin(visit, null);
  if (actor.stage !== 'OPEN') return show(visit, stagePage(actor.stage, null));
  const path = url.pathname.slice(SITE_PATH.length).replace(/\/$/, '');
  if (path === '') return list(visit, actor);
  if (path === '/map') {
    const ewons = await listPortalEwons(ctx, actor, LOCATED, { take: EWONS_ON_MAP });
    return show(visit, mapPage(actor, ewons));
  }
  const reference = /^\/ewons\/([^/]+)$/.exec(path)?.[1];
  if (reference === undefined) throw new AppError('NOT_FOUND', 'There is no such page.');
  await show(visit, ewonPage(actor, await findPortalEwon(ctx, actor, whereReference(reference)), null));
}

async function list(visit: Visit, actor: Actor): Promise<void> {
  const { ctx, url } = visit;
  const search = (url.searchParams.get('q') ?? '').slice(0, 64);
  const page = Math.min(1000, Math.max(0, Math.trunc(Number(url.searchParams.get('page')) || 0)));
  // Prisma hands `contains` on as a pattern.
  const where: Prisma.EwonWhereInput =
    search === '' ? {} : { name: { contains: search.replaceAll(/[\\%_]/g, '\\$&'), mode: 'insensitive' } };
  const ewons = await listPortalEwons(ctx, actor, where, { skip: page * EWONS_PER_PAGE, take: EWONS_PER_PAGE + 1 });
  const next = ewons.length > EWONS_PER_PAGE ? page + 1 : null;
  await show(visit, listPage(actor, ewons.slice(0, EWONS_PER_PAGE), { search, next }));
}

const FORMS: Record<string, (posted: Posted, actor: Actor) => Promise<void>> = {
  '/code': giveCode,
  '/resend': async ({ ctx, form, response }, actor) => {
    await resendLoginCode(ctx, actor, form.get('number') === 'BACKUP' ? 'BACKUP' : 'PRIMARY');
    redirect(response, SITE_PATH);
  },
  '/password': async (posted, actor) => {
    const { ctx, form, response, caller } = posted;
    const password = { value: form.get('password') ?? '', confirmation: form.get('confirmation') ?? '' };
    await changePassword(ctx, actor, null, password, caller);
    redirect(response, SITE_PATH, { 'set-cookie': loginCookie(posted, await continueLogin(ctx, actor)) });
  },
  '/logout': async (posted, actor) => {
    await logout(posted.ctx, actor);
    // Back to the form in the look of the account.
    const place = `${SITE_PATH}?account=${encodeURIComponent(actor.accountName)}`;
    redirect(posted.response, place, { 'set-cookie': cookie(posted, LOGIN_COOKIE, '', 0) });
  },
  '/open': open,
  '/wake': (posted, actor) =>
    withEwon(posted, actor, async ({ id }) => {
      await wakeUpEwon({ ...posted.ctx, actor }, id);
      return null;
    }),
  '/offline': (posted, actor) =>
    withEwon(posted, actor, async ({ id }) => {
      await sendEwonOffline({ ...posted.ctx, actor }, id);
      return null;
    }),
};

async function post(visit: Visit): Promise<void> {
  const { ctx, request, url } = visit;
  const path = url.pathname.slice(SITE_PATH.length);
  const own = isOwnOrigin(request, ctx.config.publicUrl);
  const form = await readForm(request, ctx.config.limits.HANDSHAKE_SECONDS * 1000);
  if (path === '/login') return logIn({ ...visit, form }, own);
  if (!own) throw new AppError('FORBIDDEN', 'The form comes from a page of another site.');
  const act = Object.hasOwn(FORMS, path) ? FORMS[path] : undefined;
  if (!act) throw new AppError('NOT_FOUND', 'There is no such page.');
  const actor = await actorOf(visit);
  if (!actor) return showLogin(visit, 'Log in first.', 403);
  const entering = ['/code', '/resend', '/password', '/logout'].includes(path);
  if (actor.stage !== 'OPEN' && !entering) return show(visit, stagePage(actor.stage, 'Finish your login first.', 403));
  try {
    await act({ ...visit, form }, actor);
  } catch (error) {
    if (!(error instanceof AppError) || actor.stage === 'OPEN') throw error;
    // A block ends the login; whoever may try again sees the same form.
    await show(visit, stagePage(actor.stage, error.message, statusOf(error)));
  }
}

/** M2W-01, M2W-06: from these pages, or from a page that the account has authorized. */
async function logIn(posted: Posted, own: boolean): Promise<void> {
  const { ctx, request, response, form, caller } = posted;
  const account = form.get('account') ?? '';
  posted.accountName = account;
  const { origin } = request.headers;
  if (!own && !(origin !== undefined && (await mayCarryLoginForm(ctx, account, origin))))
    throw new AppError(
      'FORBIDDEN',
      'The login form stands on a page that the account has not authorized, or the request does not tell its Origin.',
    );
  const [username, password] = [form.get('username') ?? '', form.get('password') ?? ''];
  const wrong = [account, username, password].some((value) => value === '' || value.length > 200);
  if (wrong) return showLogin(posted, 'Give account, user name and password.', 400);
  const deviceToken = cookieOf(request.headers.cookie, PC_COOKIE) ?? null;
  let step: LoginStep;
  try {
    step = await login(ctx, { account, username, password }, { client: 'M2WEB', deviceToken }, caller);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return showLogin(posted, error.message, statusOf(error));
  }
  const headers = { 'set-cookie': loginCookie(posted, step) };
  if (own) redirect(response, SITE_PATH, headers);
  // A redirect would still count as that page's, and the strict cookie would not be sent.
  else await show(posted, { ...goOnPage(), headers });
}

async function giveCode(posted: Posted, actor: Actor): Promise<void> {
  const { ctx, form, response, caller } = posted;
  const given = { code: (form.get('code') ?? '').trim().slice(0, 20), remember: form.get('remember') !== null };
  const step = await submitLoginCode(ctx, actor, given, caller);
  const cookies = [loginCookie(posted, step)];
  if (step.device) {
    const { token, expiresAt } = step.device;
    const seconds = expiresAt
      ? Math.floor((expiresAt.getTime() - ctx.clock.now().getTime()) / 1000)
      : PC_COOKIE_SECONDS;
    cookies.push(cookie(posted, PC_COOKIE, token, seconds));
  }
  response.setHeader('set-cookie', cookies);
  redirect(response, SITE_PATH);
}

/** Opens an M2web session (CON-02, M2W-02, M2W-03) and hands its ticket to the portal. */
async function open(posted: Posted, actor: Actor): Promise<void> {
  const { ctx, form } = posted;
  const to = form.get('to') ?? '';
  if (to !== '' && !readTarget(to)) throw new AppError('VALIDATION_FAILED', 'There is no such web page.');
  await withEwon(posted, actor, async (ewon) => {
    const request = { ewonId: ewon.id, client: 'M2WEB', switch: false, waitSeconds: 0, idempotencyKey: null } as const;
    const { ticket } = await openSession({ ...ctx, actor }, request);
    if (ticket.portalUrl === null) throw new AppError('EWON_OFFLINE', 'The portal of the Ewon cannot be reached now.');
    return handOverPage(ewon, ticket.portalUrl, ticket.token, to);
  });
}

/** Does something with the Ewon of the form; what is refused is told on its page. */
async function withEwon(posted: Posted, actor: Actor, act: (ewon: PortalEwon) => Promise<Page | null>): Promise<void> {
  const { ctx, form, response } = posted;
  const ewon = await findPortalEwon(ctx, actor, whereReference(form.get('ewon') ?? ''));
  try {
    const page = await act(ewon);
    if (page) await show(posted, page);
    else redirect(response, `${SITE_PATH}/ewons/${ewon.reference}`);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    await show(posted, ewonPage(actor, ewon, error.message, statusOf(error)));
  }
}

/** Who the cookie stands for, at whatever stage. */
async function actorOf(visit: Visit): Promise<Actor | null> {
  const { ctx, request } = visit;
  const token = cookieOf(request.headers.cookie, LOGIN_COOKIE);
  const actor = token && /^[\w-]{20,100}$/.test(token) ? await authenticate(ctx, token) : null;
  if (actor) visit.accountName = actor.accountName;
  return actor;
}

/** Ends with the browser, if not before with the login. */
const loginCookie = (visit: Visit, { token }: LoginStep): string => cookie(visit, LOGIN_COOKIE, token, null);

function cookie({ ctx, request }: Visit, name: string, value: string, maxAge: number | null): string {
  const secure = ctx.config.publicUrl?.startsWith('https:') || request.headers['x-forwarded-proto'] === 'https';
  return [
    `${name}=${value}`,
    `Path=${SITE_PATH}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(maxAge === null ? [] : [`Max-Age=${maxAge}`]),
    ...(secure ? ['Secure'] : []),
  ].join('; ');
}

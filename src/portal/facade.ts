import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { customValues } from '../account/custom-fields.ts';
import { RateLimitedError, writeNearer, writeRefusal } from '../api-limits/limits.ts';
import type { ActorContext, Caller, Platform } from '../context.ts';
import { AppError, type ErrorCode, TooManyRequestsError } from '../errors.ts';
import { encodedName, nameKey } from '../ewons/rules.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { callerAddress } from '../graphql/caller-address.ts';
import { encodeGlobalId } from '../graphql/global-id.ts';
import { authenticate, type LoginStep, login, logout, submitLoginCode } from '../logins/login.ts';
import { poolsVisibleTo } from '../pools/rules.ts';
import type { Actor } from '../users/actor.ts';
import { sendEwonOffline, wakeUpEwon } from '../wake-up/service.ts';
import { findPortalEwon, type PortalEwon, portalEwons, whereReference } from './ewons.ts';
import { readForm } from './forms.ts';

/** `/t2mapi/<service>`: the shape of the public HTTP API of M2web (M2W-07). */
export const FACADE_PATH = '/t2mapi';

/** Names whose values never stand in a URL (AUTH-24). */
const SECRETS = ['t2mpassword', 't2msession', 't2mcode', 't2mdeviceusername', 't2mdevicepassword'];
const EWONS_AT_MOST = 10_000;

/** Numeric codes of errors (M2W-12); what is not here is 410. */
const CODES: Partial<Record<ErrorCode, number>> = {
  VALIDATION_FAILED: 400,
  INVALID_CREDENTIALS: 403,
  UNAUTHENTICATED: 403,
  LOGIN_EXPIRED: 403,
  FORBIDDEN: 403,
  IP_BANNED: 403,
  CODE_INVALID: 403,
  CODE_EXPIRED: 403,
  TWO_FACTOR_BLOCKED: 403,
  SECOND_FACTOR_REQUIRED: 403,
  SECOND_FACTOR_ENROLMENT_REQUIRED: 403,
  PASSWORD_CHANGE_REQUIRED: 403,
  RATE_LIMITED: 429,
  TOO_MANY_REQUESTS: 429,
  INTERNAL_ERROR: 500,
};

interface Call {
  ctx: ActorContext;
  params: URLSearchParams;
  response: ServerResponse;
}

/** What a service gives beside `success`; null when it has answered itself. The same verbs and rights as GraphQL. */
const SERVICES: Record<string, (call: Call) => Promise<object | null>> = {
  getaccountinfo: ({ ctx }) => accountInfo(ctx),
  getloginstatus: async ({ ctx: { actor } }) => ({
    loggedIn: true,
    accountName: actor.accountName,
    username: actor.username,
  }),
  getewons: async ({ ctx, params, response }) => {
    await sendEwons(ctx, response, await wherePool(ctx, params.get('pool')));
    return null;
  },
  getewon: async ({ ctx, params }) => ({ ewon: ewonOut(await ewonOf(ctx, params)) }),
  wakeup: async ({ ctx, params }) => {
    await wakeUpEwon(ctx, (await ewonOf(ctx, params)).id);
    return {};
  },
  sendoffline: async ({ ctx, params }) => {
    await sendEwonOffline(ctx, (await ewonOf(ctx, params)).id);
    return {};
  },
  logout: async ({ ctx }) => {
    await logout(ctx, ctx.actor);
    return {};
  },
};

/** An error whose answer carries more than code and message. */
class StepRequiredError extends AppError {
  constructor(
    code: ErrorCode,
    message: string,
    /** The session id for the next step. */
    readonly t2msession: string,
  ) {
    super(code, message);
  }
}

/** Answers a request below {@link FACADE_PATH}: JSON with `success`, errors with `code` and `message` (M2W-12). */
export async function serveFacade(ctx: Platform, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const body = await answer(ctx, request, response);
    if (body) send(response, 200, { success: true, ...body });
  } catch (error) {
    sendFacadeError(ctx, response, error);
  }
}

/** Says why a call was refused, or failed. */
export function sendFacadeError(ctx: Platform, response: ServerResponse, error: unknown): void {
  if (isGone(error)) return;
  if (!(error instanceof AppError)) ctx.log.error({ err: error }, 'A call of the M2web API failed');
  if (response.headersSent) return void response.destroy();
  const code: ErrorCode = error instanceof AppError ? error.code : 'INTERNAL_ERROR';
  if (error instanceof RateLimitedError) writeRefusal(response, error);
  send(response, CODES[code] ?? 410, {
    success: false,
    code: CODES[code] ?? 410,
    message: error instanceof AppError ? error.message : 'Something went wrong.',
    error: code,
    ...(error instanceof StepRequiredError && { t2msession: error.t2msession }),
    ...((error instanceof TooManyRequestsError || error instanceof RateLimitedError) && {
      retryAfter: error.retryAfter,
    }),
  });
}

async function answer(ctx: Platform, request: IncomingMessage, response: ServerResponse): Promise<object | null> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const service = url.pathname.slice(FACADE_PATH.length + 1).replace(/\/$/, '');
  const inUrl = [...url.searchParams.keys()].find((name) => SECRETS.includes(name.toLowerCase()));
  if (inUrl !== undefined)
    throw new AppError(
      'VALIDATION_FAILED',
      `${inUrl} is not accepted in a URL: send it in the body of a POST request.`,
    );
  const form =
    request.method === 'POST'
      ? await readForm(request, ctx.config.limits.HANDSHAKE_SECONDS * 1000)
      : new URLSearchParams();
  const params = new URLSearchParams([...url.searchParams, ...form]);
  const caller: Caller = {
    requestId: randomUUID(),
    remoteAddress: callerAddress(ctx.config, request),
    userAgent: request.headers['user-agent'] ?? null,
  };
  if (service === 'login') return logIn(ctx, params, caller);
  const run = Object.hasOwn(SERVICES, service) ? SERVICES[service] : undefined;
  if (!run) throw new AppError('NOT_FOUND', `There is no service ${service || 'without a name'}.`);
  const counted = async (actor: Actor) => {
    writeNearer(response, await ctx.apiLimits.takeCall({ ...actor, id: actor.loginId }));
    return run({ ctx: { ...ctx, actor }, params, response });
  };
  const sessionId = sessionIn(request, params);
  return sessionId === null ? statelessly(ctx, params, caller, counted) : counted(await actorOf(ctx, sessionId));
}

/** M2W-08: the session id of `login`, in the body or as a bearer token. */
function sessionIn(request: IncomingMessage, params: URLSearchParams): string | null {
  const bearer = /^Bearer ([\w-]{20,100})$/i.exec(request.headers.authorization ?? '')?.[1];
  return params.get('t2msession') ?? bearer ?? null;
}

/** @throws AppError UNAUTHENTICATED, or what the login still waits for */
async function actorOf(ctx: Platform, sessionId: string): Promise<Actor> {
  const actor = await authenticate(ctx, sessionId);
  if (!actor) throw new AppError('UNAUTHENTICATED', 'The session id is not valid.');
  if (actor.stage !== 'OPEN') throw unfinished(actor.stage, sessionId);
  return actor;
}

/** M2W-08: with the credentials in each call, a login lives as long as the call. */
async function statelessly(
  ctx: Platform,
  params: URLSearchParams,
  caller: Caller,
  run: (actor: Actor) => Promise<object | null>,
): Promise<object | null> {
  const step = await begin(ctx, params, caller);
  const actor = await authenticate(ctx, step.token);
  if (!actor) throw new AppError('UNAUTHENTICATED', 'Log in again.');
  try {
    if (step.stage !== 'OPEN')
      throw new AppError(
        codeOf(step.stage),
        'The user has more to give than a password: use login and its session id.',
      );
    return await run(actor);
  } finally {
    await logout(ctx, actor);
  }
}

/** With credentials, or with the session id of a login that waits for its code and that code (M2W-01). */
async function logIn(ctx: Platform, params: URLSearchParams, caller: Caller): Promise<object> {
  const [pending, code] = [params.get('t2msession'), params.get('t2mcode')];
  const step =
    pending !== null && code !== null ? await giveCode(ctx, pending, code, caller) : await begin(ctx, params, caller);
  if (step.stage !== 'OPEN') throw unfinished(step.stage, step.token);
  return { t2msession: step.token };
}

async function giveCode(ctx: Platform, sessionId: string, code: string, caller: Caller): Promise<LoginStep> {
  const actor = await authenticate(ctx, sessionId);
  if (!actor) throw new AppError('UNAUTHENTICATED', 'The session id is not valid.');
  return submitLoginCode(ctx, actor, { code: code.slice(0, 20), remember: false }, caller);
}

function begin(ctx: Platform, params: URLSearchParams, caller: Caller): Promise<LoginStep> {
  const credentials = {
    account: needed(params, 't2maccount', 100),
    username: needed(params, 't2musername', 100),
    password: needed(params, 't2mpassword', 200),
  };
  return login(ctx, credentials, { client: 'M2WEB', deviceToken: null }, caller);
}

const codeOf = (stage: Actor['stage']): ErrorCode =>
  stage === 'CODE'
    ? 'SECOND_FACTOR_REQUIRED'
    : stage === 'ENROLMENT'
      ? 'SECOND_FACTOR_ENROLMENT_REQUIRED'
      : 'PASSWORD_CHANGE_REQUIRED';

const unfinished = (stage: Actor['stage'], sessionId: string): StepRequiredError =>
  new StepRequiredError(
    codeOf(stage),
    stage === 'CODE'
      ? 'Give the second-factor code: login again with this t2msession and t2mcode.'
      : 'The user has something to do before: log in with a browser or with Ecatcher first.',
    sessionId,
  );

/** @throws AppError VALIDATION_FAILED */
function needed(params: URLSearchParams, name: string, maxLength: number): string {
  const value = params.get(name) ?? '';
  if (value === '' || value.length > maxLength) throw new AppError('VALIDATION_FAILED', `Missing parameter: ${name}.`);
  return value;
}

/** M2W-09 */
async function accountInfo({ db, actor }: ActorContext): Promise<object> {
  const account = await db.account.findUniqueOrThrow({ where: { id: actor.accountId } });
  const pools = await db.pool.findMany({
    where: poolsVisibleTo(actor),
    orderBy: [{ nameKey: 'asc' }, { id: 'asc' }],
    select: { id: true, name: true },
  });
  return {
    accountReference: encodeGlobalId('Account', account.id),
    accountName: account.name,
    company: account.company,
    customAttributes: account.ewonFieldNames,
    pools: pools.map(({ id, name }) => ({ id: encodeGlobalId('Pool', id), name })),
    accountType: `${account.plan.slice(0, 1)}${account.plan.slice(1).toLowerCase()}`,
  };
}

/** A pool by its id or its name. @throws AppError NOT_FOUND */
async function wherePool({ db, actor }: ActorContext, pool: string | null): Promise<Prisma.EwonWhereInput> {
  if (pool === null || pool === '') return {};
  const pools = await db.pool.findMany({ where: poolsVisibleTo(actor), select: { id: true, nameKey: true } });
  const found = pools.find(({ id, nameKey: key }) => encodeGlobalId('Pool', id) === pool || key === nameKey(pool));
  if (!found) throw new AppError('NOT_FOUND', 'No such pool.');
  return { pools: { some: { poolId: found.id } } };
}

/** By id, or by exact name (M2W-07). @throws AppError VALIDATION_FAILED, NOT_FOUND */
function ewonOf(ctx: ActorContext, params: URLSearchParams): Promise<PortalEwon> {
  const [id, name] = [params.get('id'), params.get('name')];
  if (id) return findPortalEwon(ctx, ctx.actor, whereReference(id));
  if (name) return findPortalEwon(ctx, ctx.actor, { name });
  throw new AppError('VALIDATION_FAILED', 'Missing parameter: id or name.');
}

/** The answer of `getewons`, as it is read: what a client has not taken yet is not read, and one that takes nothing is cut. */
async function sendEwons(ctx: ActorContext, response: ServerResponse, where: Prisma.EwonWhereInput): Promise<void> {
  const batches = portalEwons(ctx, ctx.actor, where, EWONS_AT_MOST);
  const first = await batches.next();
  response.writeHead(200, HEADERS);
  const stalled = setTimeout(() => response.destroy(), ctx.config.limits.STREAM_STALL_SECONDS * 1000);
  async function* text(): AsyncGenerator<string> {
    yield '{"success":true,"ewons":[';
    for (let next = first; !next.done; next = await batches.next()) {
      stalled.refresh();
      const comma = next === first || next.value.length === 0 ? '' : ',';
      yield comma + next.value.map((ewon) => JSON.stringify(ewonOut(ewon))).join(',');
    }
    yield ']}';
  }
  try {
    await pipeline(text(), response);
  } finally {
    clearTimeout(stalled);
  }
}

/** The client has gone, or was cut, before the end of its answer. */
const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';

/** M2W-10 */
const ewonOut = (ewon: PortalEwon): object => ({
  id: ewon.number,
  name: ewon.name,
  encodedName: encodedName(ewon.name),
  status: ewon.gatewayId === null ? 'offline' : 'online',
  description: ewon.description ?? '',
  customAttributes: customValues(ewon).map((value) => value ?? ''),
  m2webServer: ewon.gateway?.portalUrl ? new URL(ewon.gateway.portalUrl).host : '',
  lanDevices: ewon.lanDevices.flatMap(({ name, description, address, ports }) =>
    ports.map(({ port, protocol }) => ({ name, description: description ?? '', ip: address, port, protocol })),
  ),
  ewonServices: ewon.services.map(({ name, description, port, protocol }) => ({
    name,
    description: description ?? '',
    port,
    protocol,
  })),
});

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { ...HEADERS, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { WebSocketServer } from 'ws';
import { type Budget, RateLimitedError, writeBudget, writeNearer, writeRefusal } from '../api-limits/limits.ts';
import { serveBranding } from '../branding/door.ts';
import { BRANDING_PATH } from '../branding/look.ts';
import type { Config } from '../config.ts';
import type { Platform } from '../context.ts';
import { createDownloadDoor } from '../downloads/door.ts';
import { DOWNLOADS_PATH } from '../downloads/links.ts';
import { AppError } from '../errors.ts';
import { authenticate, refreshActor } from '../logins/login.ts';
import { createOperatorDoor, OPERATOR_PATH } from '../operator/door.ts';
import { FACADE_PATH, sendFacadeError, serveFacade } from '../portal/facade.ts';
import { serveSite } from '../portal/site.ts';
import { SITE_PATH } from '../portal/site-pages.ts';
import { apiTokenIn, authenticateToken } from '../tokens/access.ts';
import { refuseChangesByToken } from '../tokens/guard.ts';
import type { Actor } from '../users/actor.ts';
import { callerAddress } from './caller-address.ts';
import type { GraphQLContext } from './context.ts';
import { useDocumentLimits } from './limits.ts';
import { Loaders } from './loaders.ts';
import { schema, simulationSchema } from './schema.ts';
import { watchStalledClients } from './stalled-sockets.ts';
import { liveStreamsGauge } from './streams.ts';
import { createErrorMask, currentRequest, maskAll, useMaskForAll } from './top-level-errors.ts';

const GRAPHQL_PATH = '/graphql';
/** Bytes of a request's body; a document near the token limit with its variables stays well below. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Bytes of a request with files beside the files: document, variables and boundaries. */
const MULTIPART_OVERHEAD_BYTES = 64 * 1024;
/** Sent to a client whose login has ended: those of graphql-ws come again with a new token (EVT-08). */
const FORBIDDEN_CLOSE_CODE = 4403;
/** Sent at a shutdown: clients connect again. */
const RESTART_CLOSE_CODE = 1012;
/** Sent to an address that has made too many requests (API-03). */
const TRY_LATER_CLOSE_CODE = 1013;

/** The API role: a server that does not listen yet. */
export interface Api {
  server: Server;
  /** Ends streams with "come again" and finishes what runs within the shutdown time (API-09). */
  close(): Promise<void>;
}

interface ServerContext {
  req: IncomingMessage;
  res: ServerResponse;
}

/** Builds the HTTP port: GraphQL over HTTP, SSE and WebSocket, GraphiQL, health, readiness and metrics (API-06, API-08, EVT-12). */
export function createApi(ctx: Platform, isReady: () => Promise<boolean>): Api {
  const mask = createErrorMask(ctx.log);
  const masked = maskAll(mask);
  let graphiql: string | undefined;
  const yoga = createYoga<ServerContext, GraphQLContext>({
    schema: ctx.config.simulation ? simulationSchema : schema,
    graphqlEndpoint: GRAPHQL_PATH,
    logging: false,
    landingPage: false,
    cors: false,
    batching: false,
    graphiql: { title: 'talkgate', subscriptionsProtocol: 'WS', defaultQuery: FIRST_QUERY },
    renderGraphiQL: (options) => {
      graphiql ??= renderGraphiQL(options);
      return graphiql;
    },
    maskedErrors: { maskError: mask },
    plugins: [useDocumentLimits(ctx.config), refuseChangesByToken(), useMaskForAll(mask)],
    context: async ({ request, req, res }) => {
      const requestId = currentRequest.getStore()?.requestId ?? randomUUID();
      const authorization = request?.headers.get('authorization') ?? null;
      const token = apiTokenIn(authorization);
      const made = await graphqlContext(ctx, requestId, token === null ? authorization : null, req, request?.signal);
      if (token !== null) made.apiToken = await authenticateToken(ctx, token, made.remoteAddress);
      // An operation over a WebSocket, which has no answer of its own, was counted when it came.
      if (res) await takeHttpCall(made, res);
      return made;
    },
  });

  const operator = createOperatorDoor(ctx, mask);
  const serveDownload = createDownloadDoor(ctx);

  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  metrics.registerMetric(liveStreamsGauge);

  const responses = new Set<ServerResponse>();
  const serve = (path: string | undefined, req: IncomingMessage, res: ServerResponse): void => {
    if (isBelow(FACADE_PATH, path)) return void serveFacade(ctx, req, res);
    if (isBelow(SITE_PATH, path)) return void serveSite(ctx, req, res);
    if (isBelow(DOWNLOADS_PATH, path)) return void serveDownload(req, res);
    if (isBelow(BRANDING_PATH, path)) return void serveBranding(ctx, req, res);
    const door = path === GRAPHQL_PATH ? yoga : path === OPERATOR_PATH ? operator : null;
    if (!door) return sendText(res, 404, `Not here: GraphQL is at ${GRAPHQL_PATH}, M2web at ${SITE_PATH}.`);
    if (hasCredentialsInUrl(req)) return sendText(res, 400, CREDENTIALS_IN_URL);
    if (req.method !== 'POST' && apiTokenIn(req.headers.authorization) !== null) {
      res.setHeader('allow', 'POST');
      return sendText(res, 405, 'API tokens are accepted in POST requests only (TOK-06).');
    }
    if (req.method === 'POST' && req.headers['content-length'] === undefined)
      return sendText(res, 411, 'A request body needs a Content-Length.');
    // A page of another site can send it without asking first; no client of an API needs it.
    if (/^application\/x-www-form-urlencoded\b/i.test(req.headers['content-type'] ?? ''))
      return sendText(res, 415, 'A request is sent as application/json.');
    const withFiles = path === GRAPHQL_PATH && /^multipart\/form-data\b/i.test(req.headers['content-type'] ?? '');
    const mostBytes = withFiles ? bytesWithFiles(ctx.config) : MAX_BODY_BYTES;
    if (Number(req.headers['content-length'] ?? 0) > mostBytes)
      return sendText(res, 413, `A request body has at most ${mostBytes} bytes.`);
    responses.add(res);
    res.once('close', () => responses.delete(res));
    const requestId = randomUUID();
    res.setHeader('x-request-id', requestId);
    res.setHeader('content-security-policy', OWN_HOST_ONLY);
    currentRequest.run({ requestId }, () => {
      if (!withFiles || req.headers.authorization !== undefined) return void door(req, res);
      res.writeHead(401, { 'content-type': 'application/json; charset=utf-8' });
      res.end(JSON.stringify({ errors: [mask(new AppError('UNAUTHENTICATED', FILES_NEED_A_LOGIN))] }));
    });
  };

  const server = createServer((req, res) => {
    const path = (req.url ?? '/').split('?')[0];
    if (path === '/healthz') return sendText(res, 200, 'ok');
    if (path === '/readyz')
      return void isReady().then((ready) => sendText(res, ready ? 200 : 503, ready ? 'ready' : 'not ready'));
    if (path === '/metrics')
      return void metrics.metrics().then((text) => sendText(res, 200, text, metrics.contentType));
    // The operator's door has limits of its own, and must open when all others are closed.
    if (path === OPERATOR_PATH) return serve(path, req, res);
    admit(ctx, req, res).then(
      () => serve(path, req, res),
      (error: unknown) => {
        if (isBelow(FACADE_PATH, path)) return sendFacadeError(ctx, res, error);
        const refused = currentRequest.run({ requestId: randomUUID() }, () => mask(error));
        const status = error instanceof RateLimitedError ? 429 : 500;
        sendText(res, status, JSON.stringify({ errors: [refused] }), 'application/json; charset=utf-8');
      },
    );
  });

  // Not given the server itself: an error of it, as a port that is taken, would count as one of the sockets too.
  const sockets = new WebSocketServer({
    noServer: true,
    path: GRAPHQL_PATH,
    maxPayload: MAX_BODY_BYTES,
    perMessageDeflate: false,
    verifyClient: ({ req }, answer) => {
      if (hasCredentialsInUrl(req)) return answer(false, 400, CREDENTIALS_IN_URL);
      ctx.apiLimits.takeAddress(callerAddress(ctx.config, req)).then(
        () => answer(true),
        (error: unknown) => {
          if (!(error instanceof RateLimitedError)) return answer(false, 500);
          answer(false, 429, error.message, { 'retry-after': String(error.retryAfter) });
        },
      );
    },
  });
  server.on('upgrade', (req, socket, head) =>
    sockets.handleUpgrade(req, socket, head, (opened) => sockets.emit('connection', opened, req)),
  );
  const subscriptions = serveSockets(ctx, yoga, sockets, masked);
  const unwatch = watchStalledClients(sockets, responses, ctx.config.limits.STREAM_STALL_SECONDS * 2, ctx.log);

  return {
    server,
    close: async () => {
      unwatch();
      for (const socket of sockets.clients) socket.close(RESTART_CLOSE_CODE, 'The server restarts');
      await subscriptions.dispose();
      await new Promise<void>((resolve) => {
        const hurry = setTimeout(() => server.closeAllConnections(), ctx.config.limits.SHUTDOWN_SECONDS * 1000);
        server.close(() => {
          clearTimeout(hurry);
          resolve();
        });
        server.closeIdleConnections();
        // Event streams never finish by themselves.
        for (const response of responses) {
          if (String(response.getHeader('content-type')).startsWith('text/event-stream')) response.destroy();
        }
      });
      await yoga.dispose();
    },
  };
}

async function graphqlContext(
  ctx: Platform,
  requestId: string,
  authorization: string | null,
  req: IncomingMessage,
  signal: AbortSignal | undefined,
): Promise<GraphQLContext> {
  const token = bearerToken(authorization);
  const login = token === null ? null : await authenticate(ctx, token);
  return {
    ...ctx,
    requestId,
    remoteAddress: callerAddress(ctx.config, req),
    userAgent: req.headers['user-agent'] ?? null,
    actor: login?.stage === 'OPEN' ? login : null,
    login,
    apiToken: null,
    loaders: new Loaders(),
    signal,
  };
}

/** Counts a request of an address before anything is known of it (API-03). @throws RateLimitedError */
async function admit(ctx: Platform, req: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    writeBudget(res, await ctx.apiLimits.takeAddress(callerAddress(ctx.config, req)));
  } catch (error) {
    if (error instanceof RateLimitedError) writeRefusal(res, error);
    throw error;
  }
}

/**
 * Counts a call of whoever is logged in or came with an API token (M2W-13, API-03); null for anybody else, whose address alone
 * counts: a stranger's requests must not use up an account's calls.
 * @throws RateLimitedError
 */
async function takeCall({ apiLimits, login, apiToken }: GraphQLContext): Promise<Budget | null> {
  if (apiToken) return apiLimits.takeCall({ ...apiToken, id: apiToken.tokenId });
  return login && apiLimits.takeCall({ ...login, id: login.loginId });
}

/** {@link takeCall} with what the headers say of it; the refusal has the status 429. */
async function takeHttpCall(context: GraphQLContext, res: ServerResponse): Promise<void> {
  try {
    writeNearer(res, await takeCall(context));
  } catch (error) {
    if (!(error instanceof RateLimitedError)) throw error;
    writeRefusal(res, error);
    throw new GraphQLError(error.message, { originalError: error, extensions: { http: { status: 429 } } });
  }
}

const bearerToken = (authorization: unknown): string | null =>
  typeof authorization === 'string' ? (/^Bearer ([\w-]{20,100})$/i.exec(authorization)?.[1] ?? null) : null;

type Yoga = ReturnType<typeof createYoga<ServerContext, GraphQLContext>>;

interface SocketExtra extends Record<PropertyKey, unknown> {
  request: IncomingMessage;
  socket: import('ws').WebSocket;
  /** What tells each running operation, by its id, that its caller is gone. */
  operations?: Map<string, AbortController>;
}

/** GraphQL over WebSocket: each operation is authenticated anew, and the socket ends with its login (EVT-08). */
function serveSockets(
  ctx: Platform,
  yoga: Yoga,
  sockets: WebSocketServer,
  masked: (errors: readonly GraphQLError[]) => GraphQLError[],
) {
  return useServer<Record<string, unknown>, SocketExtra>(
    {
      // The message of an error that is nobody's business stays out of the close reason.
      isProd: true,
      connectionInitWaitTimeout: ctx.config.limits.HANDSHAKE_SECONDS * 1000,
      execute: (args) => inRequest(args, (engine) => engine.execute(args)),
      subscribe: (args) => inRequest(args, (engine) => engine.subscribe(args)),
      onConnect: async ({ connectionParams, extra }) => {
        const operations = new Map<string, AbortController>();
        extra.operations = operations;
        extra.socket.once('close', () => {
          for (const gone of operations.values()) gone.abort();
        });
        const authorization = connectionParams?.authorization ?? connectionParams?.Authorization;
        // Tokens are for POST requests (TOK-06).
        if (apiTokenIn(authorization) !== null) return false;
        const token = bearerToken(authorization);
        if (token === null) return true;
        try {
          await ctx.apiLimits.takeAddress(callerAddress(ctx.config, extra.request));
        } catch (error) {
          if (!(error instanceof RateLimitedError)) throw error;
          extra.socket.close(TRY_LATER_CLOSE_CODE, error.code);
          return false;
        }
        const actor = await authenticate(ctx, token);
        if (!actor) return false;
        extra.socket.once('close', endWithLogin(ctx, actor, extra.socket, operations));
        return true;
      },
      onSubscribe: ({ connectionParams, extra }, id, payload) => {
        const gone = new AbortController();
        extra.operations?.set(id, gone);
        const authorization = connectionParams?.authorization ?? connectionParams?.Authorization;
        const requestId = randomUUID();
        const prepare = async () => {
          // Before the login is read: what is refused costs no query.
          await ctx.apiLimits.takeAddress(callerAddress(ctx.config, extra.request));
          const context = await graphqlContext(
            ctx,
            requestId,
            typeof authorization === 'string' ? authorization : null,
            extra.request,
            gone.signal,
          );
          await takeCall(context);
          const {
            schema: current,
            execute,
            subscribe,
            parse,
            validate,
            contextFactory,
          } = yoga.getEnveloped({ req: extra.request, socket: extra.socket, params: payload } as never);
          const document = parse(payload.query);
          const errors = validate(current, document);
          if (errors.length > 0) return masked(errors as GraphQLError[]);
          return {
            schema: current,
            operationName: payload.operationName,
            document,
            variableValues: payload.variables,
            contextValue: { ...(await contextFactory()), ...context },
            rootValue: { execute, subscribe, requestId } satisfies Engine,
          } as ExecutionArgs;
        };
        // An error that is thrown here would end the socket with all its other operations.
        return currentRequest.run({ requestId }, () => prepare().catch((error) => masked([error])));
      },
      onError: ({ extra }, id, _payload, errors) => {
        extra.operations?.delete(id);
        return masked(errors as GraphQLError[]);
      },
      onComplete: ({ extra }, id) => {
        extra.operations?.get(id)?.abort();
        extra.operations?.delete(id);
      },
    },
    sockets,
    // Pings are those of the watch for stalled clients, which waits longer for the answer than this would.
    0,
  );
}

/** The engine of one operation, which carries the plugins of yoga. */
interface Engine<T = unknown> {
  execute(args: ExecutionArgs): T;
  subscribe(args: ExecutionArgs): T;
  requestId: string;
}

function inRequest<T>(args: ExecutionArgs, run: (engine: Engine<T>) => T): T {
  const engine = args.rootValue as Engine<T>;
  return currentRequest.run({ requestId: engine.requestId }, () => run(engine));
}

/** How long the streams of a socket may take to send their last word, the cursor, before it closes. */
const LAST_WORD_MS = 500;
const LAST_WORD_CHECK_MS = 20;

function endWithLogin(
  ctx: Platform,
  actor: Actor,
  socket: import('ws').WebSocket,
  operations: ReadonlyMap<string, AbortController>,
): () => void {
  let ended = false;
  const check = async () => {
    if (ended || (await refreshActor(ctx, actor)) || ended) return;
    ended = true;
    // A login that has run out rang no bell: its streams would find it a poll later, with the socket gone.
    ctx.bell.ring(`login:${actor.loginId}`);
    closeAfterLastWord(performance.now() + LAST_WORD_MS);
  };
  const closeAfterLastWord = (untilMs: number) => {
    if (operations.size > 0 && performance.now() < untilMs)
      setTimeout(() => closeAfterLastWord(untilMs), LAST_WORD_CHECK_MS).unref();
    else socket.close(FORBIDDEN_CLOSE_CODE, 'LOGIN_EXPIRED');
  };
  const run = () =>
    void check().catch((error: unknown) => ctx.log.warn({ err: error }, 'A login could not be checked'));
  const stop = ctx.bell.onRing(`login:${actor.loginId}`, run);
  const timer = setInterval(run, ctx.config.limits.STREAM_POLL_SECONDS * 1000);
  return () => {
    clearInterval(timer);
    stop();
  };
}

/** GraphiQL is one page with all it needs in it: whatever it is made of, it loads nothing from elsewhere. */
const OWN_HOST_ONLY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'none'";

const CREDENTIALS_IN_URL =
  'Credentials are not accepted in a URL: send the header "Authorization: Bearer <token>" (AUTH-24).';

const hasCredentialsInUrl = (req: IncomingMessage): boolean =>
  /[?&][\w-]*(token|authorization|password)=/i.test(req.url ?? '');

/**
 * A page of another site can have a browser send a form with files unasked. It cannot add this header, which browsers never
 * send by themselves; and every upload needs a login anyway.
 */
const FILES_NEED_A_LOGIN = 'A request with files needs the header "Authorization: Bearer <token>".';

/** Bytes of a request with a file: twice the largest, so that one that is too large is mostly told as FILE_TOO_LARGE. */
const bytesWithFiles = ({ limits }: Config): number =>
  2 * Math.max(limits.BRANDING_IMAGE_BYTES, limits.BRANDING_SKIN_BYTES) + MULTIPART_OVERHEAD_BYTES;

const isBelow = (root: string, path = '/'): boolean => path === root || path.startsWith(`${root}/`);

function sendText(res: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  res.writeHead(status, { 'content-type': type });
  res.end(text);
}

const FIRST_QUERY = `# Log in first, then put the token into the headers below: {"authorization": "Bearer …"}
mutation {
  login(input: { account: "demo", username: "admin", password: "demo-Admin-1", client: M2WEB }) {
    __typename
    ... on LoginSuccess { token expiresAt }
    ... on Error { code message }
  }
}
`;

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { ExecutionArgs } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { WebSocketServer } from 'ws';
import type { Platform } from '../context.ts';
import { authenticate, refreshActor } from '../logins/login.ts';
import type { Actor } from '../users/actor.ts';
import type { GraphQLContext } from './context.ts';
import { useDocumentLimits } from './limits.ts';
import { Loaders } from './loaders.ts';
import { schema } from './schema.ts';
import { watchStalledSockets } from './stalled-sockets.ts';
import { liveStreamsGauge } from './streams.ts';
import { createErrorMask, currentRequest } from './top-level-errors.ts';

const GRAPHQL_PATH = '/graphql';
/** Bytes of a request's body; a document near the token limit with its variables stays well below. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Sent to a client whose login has ended: those of graphql-ws come again with a new token (EVT-08). */
const FORBIDDEN_CLOSE_CODE = 4403;
/** Sent at a shutdown: clients connect again. */
const RESTART_CLOSE_CODE = 1012;

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
  const yoga = createYoga<ServerContext, GraphQLContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    logging: false,
    landingPage: false,
    cors: false,
    batching: false,
    graphiql: { title: 'talkgate', subscriptionsProtocol: 'WS', defaultQuery: FIRST_QUERY },
    renderGraphiQL,
    maskedErrors: { maskError: mask },
    plugins: [
      useDocumentLimits(ctx.config),
      {
        // What fails before execution (syntax, validation) does not pass the mask by itself.
        onResultProcess: ({ result, setResult }) => {
          if ('errors' in result && result.errors?.some((error) => error.extensions?.requestId === undefined)) {
            setResult({
              ...result,
              errors: result.errors.map((error) => (error.extensions?.requestId === undefined ? mask(error) : error)),
            });
          }
        },
      },
    ],
    context: async ({ request, req }) => {
      const requestId = currentRequest.getStore()?.requestId ?? randomUUID();
      return graphqlContext(ctx, requestId, request?.headers.get('authorization') ?? null, req, request?.signal);
    },
  });

  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  metrics.registerMetric(liveStreamsGauge);

  const eventStreams = new Set<ServerResponse>();
  const server = createServer((req, res) => {
    const path = (req.url ?? '/').split('?')[0];
    if (path === '/healthz') return sendText(res, 200, 'ok');
    if (path === '/readyz')
      return void isReady().then((ready) => sendText(res, ready ? 200 : 503, ready ? 'ready' : 'not ready'));
    if (path === '/metrics')
      return void metrics.metrics().then((text) => sendText(res, 200, text, metrics.contentType));
    if (path !== GRAPHQL_PATH) return sendText(res, 404, `Not here: GraphQL is at ${GRAPHQL_PATH}.`);
    if (req.method === 'POST' && !bodyFits(req))
      return sendText(res, 413, `A request body has a length, of at most ${MAX_BODY_BYTES} bytes.`);
    if (/[?&](access_?token|token|authorization|password)=/i.test(req.url ?? '')) {
      return sendText(
        res,
        400,
        'Credentials are not accepted in a URL: send the header "Authorization: Bearer <token>" (AUTH-24).',
      );
    }
    if (req.headers.accept?.includes('text/event-stream')) {
      eventStreams.add(res);
      res.once('close', () => eventStreams.delete(res));
    }
    const requestId = randomUUID();
    res.setHeader('x-request-id', requestId);
    currentRequest.run({ requestId }, () => void yoga(req, res));
  });

  const sockets = new WebSocketServer({
    server,
    path: GRAPHQL_PATH,
    maxPayload: MAX_BODY_BYTES,
    perMessageDeflate: false,
  });
  const subscriptions = serveSockets(ctx, yoga, sockets);
  const unwatch = watchStalledSockets(sockets, ctx.config.limits.STREAM_STALL_SECONDS * 2, ctx.log);

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
        for (const response of eventStreams) response.destroy();
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
  return {
    ...ctx,
    requestId,
    remoteAddress: req.socket.remoteAddress ?? 'unknown',
    userAgent: req.headers['user-agent'] ?? null,
    actor: token === null ? null : await authenticate(ctx, token),
    loaders: new Loaders(),
    signal,
  };
}

const bearerToken = (authorization: unknown): string | null =>
  typeof authorization === 'string' ? (/^Bearer ([\w-]{20,100})$/i.exec(authorization)?.[1] ?? null) : null;

type Yoga = ReturnType<typeof createYoga<ServerContext, GraphQLContext>>;

interface SocketExtra extends Record<PropertyKey, unknown> {
  request: IncomingMessage;
  socket: import('ws').WebSocket;
}

/** GraphQL over WebSocket: each operation is authenticated anew, and the socket ends with its login (EVT-08). */
function serveSockets(ctx: Platform, yoga: Yoga, sockets: WebSocketServer) {
  return useServer<Record<string, unknown>, SocketExtra>(
    {
      connectionInitWaitTimeout: ctx.config.limits.HANDSHAKE_SECONDS * 1000,
      execute: (args) => inRequest(args, (engine) => engine.execute(args)),
      subscribe: (args) => inRequest(args, (engine) => engine.subscribe(args)),
      onConnect: async ({ connectionParams, extra }) => {
        const token = bearerToken(connectionParams?.authorization ?? connectionParams?.Authorization);
        if (token === null) return true;
        const actor = await authenticate(ctx, token);
        if (!actor) return false;
        extra.socket.once('close', endWithLogin(ctx, actor, extra.socket));
        return true;
      },
      onSubscribe: async ({ connectionParams, extra }, _id, payload) => {
        const gone = new AbortController();
        extra.socket.once('close', () => gone.abort());
        const authorization = connectionParams?.authorization ?? connectionParams?.Authorization;
        const requestId = randomUUID();
        const context = await graphqlContext(
          ctx,
          requestId,
          typeof authorization === 'string' ? authorization : null,
          extra.request,
          gone.signal,
        );
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
        if (errors.length > 0) return errors;
        return {
          schema: current,
          operationName: payload.operationName,
          document,
          variableValues: payload.variables,
          contextValue: { ...(await contextFactory()), ...context },
          rootValue: { execute, subscribe, requestId } satisfies Engine,
        } as ExecutionArgs;
      },
    },
    sockets,
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

/** Long enough for a stream to send its last word, the cursor, before the socket closes. */
const LAST_WORD_MS = 200;

function endWithLogin(ctx: Platform, actor: Actor, socket: import('ws').WebSocket): () => void {
  const check = async () => {
    if (await refreshActor(ctx, actor)) return;
    setTimeout(() => socket.close(FORBIDDEN_CLOSE_CODE, 'LOGIN_EXPIRED'), LAST_WORD_MS).unref();
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

function bodyFits(req: IncomingMessage): boolean {
  const length = Number(req.headers['content-length'] ?? Number.NaN);
  return length <= MAX_BODY_BYTES;
}

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

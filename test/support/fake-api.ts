import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GraphQLError } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';

/*
 * The part of the API that the simulator uses, answering as a test tells it. How the real API behaves is tested on the real
 * API.
 */

type FakeError = { code: string; message: string };
interface FakeApiBehaviour {
  login(input: { username: string; password: string }): { token: string } | FakeError;
  /** Those that are online. */
  ewons: { id: string; name: string; viewerCan: string[] }[];
  openSession(input: { ewonId: string; waitSeconds: number }): { session: { id: string } } | FakeError;
  onKeepAlive(): void;
  /** Why it is closed; undefined while it is open. */
  closeReason: string | undefined;
  /** What the subscription `count` gives; an error ends it, `stay` keeps it open. */
  count: (number | 'stay' | { code: string; cursor: string })[];
  /** Requests are not answered while it is true. */
  hangs: boolean;
}

const typeDefs = `
  interface Error { code: String! message: String! }
  type DomainError implements Error { code: String! message: String! }
  type TooManyRequestsError implements Error { code: String! message: String! retryAfter: Int! }
  type LoginSuccess { token: String! }
  type Session { id: ID! state: String! closeReason: String }
  type TunnelTicket { url: String! token: String! }
  type OpenSessionSuccess { session: Session! tunnel: TunnelTicket }
  type LogoutSuccess { ok: Boolean }
  type KeepSessionAliveSuccess { session: Session! }
  type CloseSessionSuccess { session: Session! }
  union LoginResult = LoginSuccess | DomainError | TooManyRequestsError
  union OpenSessionResult = OpenSessionSuccess | DomainError
  union LogoutResult = LogoutSuccess | DomainError
  union KeepSessionAliveResult = KeepSessionAliveSuccess | DomainError
  union CloseSessionResult = CloseSessionSuccess | DomainError
  input LoginInput { account: String! username: String! password: String! client: ClientKind! }
  input OpenSessionInput { ewonId: ID! client: ClientKind! switch: Boolean waitSeconds: Int }
  input KeepSessionAliveInput { sessionId: ID! }
  input CloseSessionInput { sessionId: ID! }
  enum ClientKind { ECATCHER }
  type Ewon { id: ID! name: String! viewerCan: [String!]! }
  input EwonFilter { online: Boolean }
  type EwonEdge { node: Ewon! }
  type EwonConnection { edges: [EwonEdge!]! }
  type Query { token: String ewons(filter: EwonFilter, first: Int): EwonConnection! }
  type Mutation {
    login(input: LoginInput!): LoginResult!
    logout: LogoutResult!
    openSession(input: OpenSessionInput!): OpenSessionResult!
    keepSessionAlive(input: KeepSessionAliveInput!): KeepSessionAliveResult!
    closeSession(input: CloseSessionInput!): CloseSessionResult!
  }
  type Subscription { count: Int! }
`;

export async function startFakeApi() {
  const behaviour: FakeApiBehaviour = {
    login: ({ password }) =>
      password === 'right'
        ? { token: 'token' }
        : { code: 'INVALID_CREDENTIALS', message: 'Supplied credentials are invalid.' },
    ewons: [{ id: 'e1', name: 'Press', viewerCan: ['CONNECT_ECATCHER'] }],
    openSession: () => ({ session: { id: 's1' } }),
    onKeepAlive: () => undefined,
    closeReason: undefined,
    count: [],
    hangs: false,
  };
  let closeStreams = () => {};
  const closing = new Promise<void>((resolve) => {
    closeStreams = resolve;
  });
  const calls: string[] = [];
  const tokens: (string | null)[] = [];

  const named = <T extends object>(success: string, value: T) => ({
    __typename: 'code' in value ? 'DomainError' : success,
    ...value,
  });
  const session = (otherwise: string) => ({
    id: 's1',
    state: behaviour.closeReason === undefined ? otherwise : 'CLOSED',
    closeReason: behaviour.closeReason ?? (otherwise === 'CLOSED' ? 'BY_USER' : null),
  });
  const loggedIn = (context: { request: Request }) => {
    if (context.request.headers.get('authorization') !== 'Bearer token') {
      throw new GraphQLError('Not logged in.', { extensions: { code: 'UNAUTHENTICATED', requestId: 'r1' } });
    }
  };
  const schema = createSchema<{ request: Request }>({
    typeDefs,
    resolvers: {
      Query: {
        token: (_root, _args, { request }) => request.headers.get('authorization'),
        ewons(_root, _args, context) {
          loggedIn(context);
          return { edges: behaviour.ewons.map((node) => ({ node })) };
        },
      },
      Mutation: {
        login(_root, { input }) {
          calls.push('login');
          return named('LoginSuccess', behaviour.login(input));
        },
        logout(_root, _args, context) {
          loggedIn(context);
          calls.push('logout');
          return named('LogoutSuccess', { ok: true });
        },
        openSession(_root, { input }, context) {
          loggedIn(context);
          calls.push(`open ${input.ewonId}`);
          return named('OpenSessionSuccess', behaviour.openSession(input));
        },
        keepSessionAlive() {
          calls.push('keep alive');
          behaviour.onKeepAlive();
          return named('KeepSessionAliveSuccess', { session: session('OPEN') });
        },
        closeSession() {
          calls.push('close');
          return named('CloseSessionSuccess', { session: session('CLOSED') });
        },
      },
      Subscription: {
        count: {
          async *subscribe() {
            for (const value of behaviour.count) {
              if (value === 'stay') await closing;
              else if (typeof value !== 'number') throw new GraphQLError('The stream ends.', { extensions: value });
              else yield { count: value };
            }
          },
        },
      },
    },
  });
  const yoga = createYoga({ schema, logging: false, maskedErrors: false, graphiql: false });
  const server = createServer((request, response) => {
    if (!behaviour.hangs) void yoga(request, response);
  });
  const webSockets = new WebSocketServer({ server, path: '/graphql' });
  const streams = useServer(
    {
      schema,
      onConnect: ({ connectionParams }) => {
        tokens.push((connectionParams?.authorization as string | undefined) ?? null);
        return true;
      },
    },
    webSockets,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    behaviour,
    calls,
    /** What each WebSocket brought as authorization. */
    tokens,
    webSockets,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    async close(): Promise<void> {
      closeStreams();
      await streams.dispose();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type FakeApi = Awaited<ReturnType<typeof startFakeApi>>;

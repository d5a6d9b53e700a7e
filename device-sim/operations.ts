import type { TypedDocument } from './api-client.ts';

/** An error that a mutation gives as a result. */
export interface MutationError {
  __typename: string;
  code: string;
  message: string;
}

/** An Ewon that is online, as a user sees it. */
export interface ReachableEwon {
  id: string;
  name: string;
  /** What the user may do with it; a simulated user asks for those with CONNECT_ECATCHER. */
  viewerCan: string[];
}

const document = <Result, Variables>(text: string): TypedDocument<Result, Variables> => ({ toString: () => text });

/** A session as its user finds it later: others may have closed it. */
interface SessionEnd {
  state: string;
  closeReason?: string | null;
}

export const LOGIN = document<
  { login: { __typename: 'LoginSuccess'; token: string } | MutationError },
  { input: { account: string; username: string; password: string; client: 'ECATCHER' } }
>(`
  mutation SimLogin($input: LoginInput!) {
    login(input: $input) { __typename ... on LoginSuccess { token } ... on Error { code message } }
  }
`);

export const LOGOUT = document<{ logout: { __typename: string } }, Record<string, never>>(`
  mutation SimLogout { logout { __typename } }
`);

export const EWONS = document<{ ewons: { edges: { node: ReachableEwon }[] } }, Record<string, never>>(`
  query SimEwons { ewons(filter: { online: true }, first: 100) { edges { node { id name viewerCan } } } }
`);

export const OPEN_SESSION = document<
  { openSession: { __typename: 'OpenSessionSuccess'; session: { id: string } } | MutationError },
  { input: { ewonId: string; client: 'ECATCHER'; switch: boolean; waitSeconds: number } }
>(`
  mutation SimOpenSession($input: OpenSessionInput!) {
    openSession(input: $input) { __typename ... on OpenSessionSuccess { session { id } } ... on Error { code message } }
  }
`);

export const KEEP_SESSION_ALIVE = document<
  { keepSessionAlive: { __typename: 'KeepSessionAliveSuccess'; session: SessionEnd } | MutationError },
  { input: { sessionId: string } }
>(`
  mutation SimKeepSessionAlive($input: KeepSessionAliveInput!) {
    keepSessionAlive(input: $input) {
      __typename
      ... on KeepSessionAliveSuccess { session { state closeReason } }
      ... on Error { code message }
    }
  }
`);

export const CLOSE_SESSION = document<
  { closeSession: { __typename: 'CloseSessionSuccess'; session: SessionEnd } | MutationError },
  { input: { sessionId: string } }
>(`
  mutation SimCloseSession($input: CloseSessionInput!) {
    closeSession(input: $input) {
      __typename
      ... on CloseSessionSuccess { session { state closeReason } }
      ... on Error { code message }
    }
  }
`);

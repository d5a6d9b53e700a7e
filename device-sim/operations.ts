import { graphql } from '../client/gql/gql.ts';
import type { SimEwonsQuery } from '../client/gql/graphql.ts';

/** An Ewon that is online, as a user sees it. */
export type ReachableEwon = SimEwonsQuery['ewons']['edges'][number]['node'];

/** An error that a mutation gives as a result. */
export interface MutationError {
  __typename: string;
  code: string;
  message: string;
}

export const LOGIN = graphql(`
  mutation SimLogin($input: LoginInput!) {
    login(input: $input) {
      __typename
      ... on LoginSuccess { token }
      ... on Error { code message }
      ... on TooManyRequestsError { retryAfter }
    }
  }
`);

export const LOGOUT = graphql(`
  mutation SimLogout { logout { __typename } }
`);

export const EWONS = graphql(`
  query SimEwons { ewons(filter: { online: true }, first: 100) { edges { node { id name viewerCan } } } }
`);

export const OPEN_SESSION = graphql(`
  mutation SimOpenSession($input: OpenSessionInput!) {
    openSession(input: $input) {
      __typename
      ... on OpenSessionSuccess { session { id } tunnel { url token } }
      ... on Error { code message }
    }
  }
`);

export const KEEP_SESSION_ALIVE = graphql(`
  mutation SimKeepSessionAlive($input: KeepSessionAliveInput!) {
    keepSessionAlive(input: $input) {
      __typename
      ... on KeepSessionAliveSuccess { session { state closeReason } }
      ... on Error { code message }
    }
  }
`);

export const CLOSE_SESSION = graphql(`
  mutation SimCloseSession($input: CloseSessionInput!) {
    closeSession(input: $input) {
      __typename
      ... on CloseSessionSuccess { session { state closeReason } }
      ... on Error { code message }
    }
  }
`);

/** Whether the user stands in the queue for a slot (WTL-03). */
export const SLOT_WAIT = graphql(`
  query SimSlotWait { viewer { slotWait { position } } }
`);

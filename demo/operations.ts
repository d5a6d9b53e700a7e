import { graphql } from '../client/gql/gql.ts';

export const LOGIN = graphql(`
  mutation DemoLogin($input: LoginInput!) {
    login(input: $input) { __typename ... on LoginSuccess { token } ... on Error { code message } }
  }
`);

export const ACCOUNT = graphql(`
  query DemoAccount {
    account { autoRegistration { registrationKey } slots { total } }
    pools(first: 100) { nodes { id name } }
    waiting: ewons(filter: { registrationStatus: PENDING_APPROVAL }, first: 100) { nodes { id description serialNumber } }
  }
`);

export const APPROVE = graphql(`
  mutation DemoApprove($input: ApproveEwonInput!) {
    approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { name } } ... on Error { code message } }
  }
`);

export const ONLINE = graphql(`
  query DemoOnline { ewons(filter: { online: true }) { totalCount } }
`);

export const CONNECTION_EVENTS = graphql(`
  subscription DemoConnectionEvents($after: Cursor) {
    connectionEvents(after: $after) {
      cursor
      events {
        __typename
        ... on ConnectionEventFacts { at ewonName }
        ... on EwonOnline { vpnAddress }
        ... on EwonOffline { reason }
        ... on SessionStarted { userName session { slot { reserved } } }
        ... on SessionClosed { userName closeReason }
        ... on SessionRefused { userName refusal: reason }
      }
    }
  }
`);

export const SLOT_USAGE = graphql(`
  subscription DemoSlotUsage { slotUsage { total inUse free reservations { count inUse group { name } } } }
`);

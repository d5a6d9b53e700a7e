import type { TypedDocument } from '../client/api-client.ts';
import { graphql } from '../client/gql/gql.ts';
import type { SimLogEntriesQuery } from '../client/gql/graphql.ts';

/* What an Administrator of a simulated account asks of the API. */

/** An entry of the account's log. */
export type LogEntryNode = SimLogEntriesQuery['logEntries']['nodes'][number];

export const CREATE_ACCOUNT = graphql(`
  mutation SimCreateAccount($input: CreateAccountInput!) {
    createAccount(input: $input) {
      __typename
      ... on CreateAccountSuccess { token }
      ... on Error { code message }
      ... on TooManyRequestsError { retryAfter }
    }
  }
`);

export const ACCOUNT = graphql(`
  query SimAccount {
    account { plan slots { total } autoRegistration { registrationKey } }
    pools(first: 500) { nodes { id name isDefault } }
  }
`);

export const CREATE_POOL = graphql(`
  mutation SimCreatePool($input: CreatePoolInput!) {
    createPool(input: $input) { __typename ... on CreatePoolSuccess { pool { id } } ... on Error { code message } }
  }
`);

export const CREATE_GROUP = graphql(`
  mutation SimCreateGroup($input: CreateGroupInput!) {
    createGroup(input: $input) { __typename ... on CreateGroupSuccess { group { id } } ... on Error { code message } }
  }
`);

export const CREATE_USER = graphql(`
  mutation SimCreateUser($input: CreateUserInput!) {
    createUser(input: $input) {
      __typename
      ... on CreateUserSuccess { user { id } }
      ... on Error { code message }
      ... on TooManyRequestsError { retryAfter }
    }
  }
`);

export const SET_SLOTS = graphql(`
  mutation SimSetSlots($input: SetConcurrentConnectionsInput!) {
    setConcurrentConnections(input: $input) {
      __typename
      ... on SetConcurrentConnectionsSuccess { slots { total } }
      ... on Error { code message }
    }
  }
`);

export const APPROVE = graphql(`
  mutation SimApprove($input: ApproveEwonInput!) {
    approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { id } } ... on Error { code message } }
  }
`);

export const EWON_OF_SERIAL = graphql(`
  query SimEwonOfSerial($serialNumber: SerialNumber!) {
    ewon(by: { serialNumber: $serialNumber }) { id status registrationStatus }
  }
`);

export const EWON_STATES = graphql(`
  query SimEwonStates($after: String) {
    ewons(first: 500, after: $after) {
      nodes { id serialNumber status registrationStatus }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** The list is newest first, so what comes before an entry is newer, and the last of that follows it at once. */
export const LOG_ENTRIES = graphql(`
  query SimLogEntries($before: String, $last: Int!) {
    logEntries(last: $last, before: $before) { nodes { cursor number at code text userName ewonName } }
  }
`);

export const OPEN_SESSIONS = graphql(`
  query SimOpenSessions { sessions(first: 1, filter: { live: true }) { totalCount } }
`);

export const GRANT_SUPPORT = graphql(`
  mutation SimGrantSupport($input: GrantSupportAccessInput!) {
    grantSupportAccess(input: $input) {
      __typename
      ... on GrantSupportAccessSuccess { supportAccess { id } }
      ... on Error { code message }
    }
  }
`);

export const ACCEPT_INVITATION = graphql(`
  mutation SimAcceptInvitation($input: AcceptInvitationInput!) {
    acceptInvitation(input: $input) {
      __typename
      ... on AcceptInvitationSuccess { username }
      ... on Error { code message }
    }
  }
`);

export const CREATE_LAN_DEVICE = graphql(`
  mutation SimCreateLanDevice($input: CreateLanDeviceInput!) {
    createLanDevice(input: $input) {
      __typename
      ... on CreateLanDeviceSuccess { __typename }
      ... on Error { code message }
    }
  }
`);

export const SET_FIREWALL_LEVEL = graphql(`
  mutation SimSetFirewallLevel($input: SetFirewallLevelInput!) {
    setFirewallLevel(input: $input) {
      __typename
      ... on SetFirewallLevelSuccess { __typename }
      ... on Error { code message }
    }
  }
`);

// Simulation mode and the operator's door have schemas of their own (schema.simulation.graphql, schema.operator.graphql).

const document = <Result, Variables>(text: string): TypedDocument<Result, Variables> => ({ toString: () => text });

type Refusal = { __typename: string; code: string; message: string };

export const CLOCK = document<{ clock: { now: string } }, Record<string, never>>('{ clock { now } }');

export const ADVANCE_CLOCK = document<
  { advanceClock: { __typename: 'AdvanceClockSuccess'; clock: { now: string } } | Refusal },
  { input: { to: string } }
>(
  'mutation ($input: AdvanceClockInput!) { advanceClock(input: $input) { __typename ... on AdvanceClockSuccess { clock { now } } ... on Error { code message } } }',
);

/** WAK-03 */
export const SET_ON_DEMAND = document<
  { updateEwon: { __typename: 'UpdateEwonSuccess' } | Refusal },
  { input: { ewonId: string; properties: { connectionMode: 'ON_DEMAND'; wakeUpNumber: string } } }
>('mutation ($input: UpdateEwonInput!) { updateEwon(input: $input) { __typename ... on Error { code message } } }');

export const WAKE_UP = document<
  { wakeUpEwon: { __typename: 'WakeUpEwonSuccess' } | Refusal },
  { input: { ewonId: string } }
>('mutation ($input: WakeUpEwonInput!) { wakeUpEwon(input: $input) { __typename ... on Error { code message } } }');

export const SEND_OFFLINE = document<
  { sendEwonOffline: { __typename: 'SendEwonOfflineSuccess' } | Refusal },
  { input: { ewonId: string } }
>(
  'mutation ($input: SendEwonOfflineInput!) { sendEwonOffline(input: $input) { __typename ... on Error { code message } } }',
);

export const CREATE_M2U_LINK = document<
  { createM2uLink: { __typename: 'CreateM2uLinkSuccess' } | Refusal },
  { input: { name: string; url: string } }
>(
  'mutation ($input: CreateM2uLinkInput!) { createM2uLink(input: $input) { __typename ... on Error { code message } } }',
);

/** The newest message of a kind to a recipient, with what it was filled with. */
export const OUTBOX = document<
  { simulatedMessages: { nodes: { parameters: { name: string; value: string }[] }[] } },
  { filter: { recipient: string; template: string } }
>(
  'query ($filter: SimulatedMessageFilter) { simulatedMessages(first: 1, filter: $filter) { nodes { parameters { name value } } } }',
);

export const OPERATOR_CREATE_ACCOUNT = document<
  { createAccount: { __typename: 'CreateAccountSuccess' } | Refusal },
  {
    input: {
      name: string;
      company: string;
      plan: string;
      administrator: { username: string; email: string; password: string };
    };
  }
>(
  'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { __typename ... on Error { code message } } }',
);

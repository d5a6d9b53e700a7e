/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  mutation DemoLogin($input: LoginInput!) {\n    login(input: $input) { __typename ... on LoginSuccess { token } ... on Error { code message } }\n  }\n": typeof types.DemoLoginDocument,
    "\n  query DemoAccount {\n    account { autoRegistration { registrationKey } slots { total } }\n    pools(first: 100) { nodes { id name } }\n    waiting: ewons(filter: { registrationStatus: PENDING_APPROVAL }, first: 100) { nodes { id description serialNumber } }\n  }\n": typeof types.DemoAccountDocument,
    "\n  mutation DemoApprove($input: ApproveEwonInput!) {\n    approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { name } } ... on Error { code message } }\n  }\n": typeof types.DemoApproveDocument,
    "\n  query DemoOnline { ewons(filter: { online: true }) { totalCount } }\n": typeof types.DemoOnlineDocument,
    "\n  subscription DemoConnectionEvents($after: Cursor) {\n    connectionEvents(after: $after) {\n      cursor\n      events {\n        __typename\n        ... on ConnectionEventFacts { at ewonName }\n        ... on EwonOnline { vpnAddress }\n        ... on EwonOffline { reason }\n        ... on SessionStarted { userName session { slot { reserved } } }\n        ... on SessionClosed { userName closeReason }\n        ... on SessionRefused { userName refusal: reason }\n      }\n    }\n  }\n": typeof types.DemoConnectionEventsDocument,
    "\n  subscription DemoSlotUsage { slotUsage { total inUse free reservations { count inUse group { name } } } }\n": typeof types.DemoSlotUsageDocument,
    "\n  mutation SimLogin($input: LoginInput!) {\n    login(input: $input) { __typename ... on LoginSuccess { token } ... on Error { code message } }\n  }\n": typeof types.SimLoginDocument,
    "\n  mutation SimLogout { logout { __typename } }\n": typeof types.SimLogoutDocument,
    "\n  query SimEwons { ewons(filter: { online: true }, first: 100) { edges { node { id name viewerCan } } } }\n": typeof types.SimEwonsDocument,
    "\n  mutation SimOpenSession($input: OpenSessionInput!) {\n    openSession(input: $input) { __typename ... on OpenSessionSuccess { session { id } } ... on Error { code message } }\n  }\n": typeof types.SimOpenSessionDocument,
    "\n  mutation SimKeepSessionAlive($input: KeepSessionAliveInput!) {\n    keepSessionAlive(input: $input) {\n      __typename\n      ... on KeepSessionAliveSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n": typeof types.SimKeepSessionAliveDocument,
    "\n  mutation SimCloseSession($input: CloseSessionInput!) {\n    closeSession(input: $input) {\n      __typename\n      ... on CloseSessionSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n": typeof types.SimCloseSessionDocument,
};
const documents: Documents = {
    "\n  mutation DemoLogin($input: LoginInput!) {\n    login(input: $input) { __typename ... on LoginSuccess { token } ... on Error { code message } }\n  }\n": types.DemoLoginDocument,
    "\n  query DemoAccount {\n    account { autoRegistration { registrationKey } slots { total } }\n    pools(first: 100) { nodes { id name } }\n    waiting: ewons(filter: { registrationStatus: PENDING_APPROVAL }, first: 100) { nodes { id description serialNumber } }\n  }\n": types.DemoAccountDocument,
    "\n  mutation DemoApprove($input: ApproveEwonInput!) {\n    approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { name } } ... on Error { code message } }\n  }\n": types.DemoApproveDocument,
    "\n  query DemoOnline { ewons(filter: { online: true }) { totalCount } }\n": types.DemoOnlineDocument,
    "\n  subscription DemoConnectionEvents($after: Cursor) {\n    connectionEvents(after: $after) {\n      cursor\n      events {\n        __typename\n        ... on ConnectionEventFacts { at ewonName }\n        ... on EwonOnline { vpnAddress }\n        ... on EwonOffline { reason }\n        ... on SessionStarted { userName session { slot { reserved } } }\n        ... on SessionClosed { userName closeReason }\n        ... on SessionRefused { userName refusal: reason }\n      }\n    }\n  }\n": types.DemoConnectionEventsDocument,
    "\n  subscription DemoSlotUsage { slotUsage { total inUse free reservations { count inUse group { name } } } }\n": types.DemoSlotUsageDocument,
    "\n  mutation SimLogin($input: LoginInput!) {\n    login(input: $input) { __typename ... on LoginSuccess { token } ... on Error { code message } }\n  }\n": types.SimLoginDocument,
    "\n  mutation SimLogout { logout { __typename } }\n": types.SimLogoutDocument,
    "\n  query SimEwons { ewons(filter: { online: true }, first: 100) { edges { node { id name viewerCan } } } }\n": types.SimEwonsDocument,
    "\n  mutation SimOpenSession($input: OpenSessionInput!) {\n    openSession(input: $input) { __typename ... on OpenSessionSuccess { session { id } } ... on Error { code message } }\n  }\n": types.SimOpenSessionDocument,
    "\n  mutation SimKeepSessionAlive($input: KeepSessionAliveInput!) {\n    keepSessionAlive(input: $input) {\n      __typename\n      ... on KeepSessionAliveSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n": types.SimKeepSessionAliveDocument,
    "\n  mutation SimCloseSession($input: CloseSessionInput!) {\n    closeSession(input: $input) {\n      __typename\n      ... on CloseSessionSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n": types.SimCloseSessionDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DemoLogin($input: LoginInput!) {\n    login(input: $input) { __typename ... on LoginSuccess { token } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').DemoLoginDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query DemoAccount {\n    account { autoRegistration { registrationKey } slots { total } }\n    pools(first: 100) { nodes { id name } }\n    waiting: ewons(filter: { registrationStatus: PENDING_APPROVAL }, first: 100) { nodes { id description serialNumber } }\n  }\n"): typeof import('./graphql.ts').DemoAccountDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DemoApprove($input: ApproveEwonInput!) {\n    approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { name } } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').DemoApproveDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query DemoOnline { ewons(filter: { online: true }) { totalCount } }\n"): typeof import('./graphql.ts').DemoOnlineDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription DemoConnectionEvents($after: Cursor) {\n    connectionEvents(after: $after) {\n      cursor\n      events {\n        __typename\n        ... on ConnectionEventFacts { at ewonName }\n        ... on EwonOnline { vpnAddress }\n        ... on EwonOffline { reason }\n        ... on SessionStarted { userName session { slot { reserved } } }\n        ... on SessionClosed { userName closeReason }\n        ... on SessionRefused { userName refusal: reason }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').DemoConnectionEventsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription DemoSlotUsage { slotUsage { total inUse free reservations { count inUse group { name } } } }\n"): typeof import('./graphql.ts').DemoSlotUsageDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimLogin($input: LoginInput!) {\n    login(input: $input) { __typename ... on LoginSuccess { token } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').SimLoginDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimLogout { logout { __typename } }\n"): typeof import('./graphql.ts').SimLogoutDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SimEwons { ewons(filter: { online: true }, first: 100) { edges { node { id name viewerCan } } } }\n"): typeof import('./graphql.ts').SimEwonsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimOpenSession($input: OpenSessionInput!) {\n    openSession(input: $input) { __typename ... on OpenSessionSuccess { session { id } } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').SimOpenSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimKeepSessionAlive($input: KeepSessionAliveInput!) {\n    keepSessionAlive(input: $input) {\n      __typename\n      ... on KeepSessionAliveSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').SimKeepSessionAliveDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimCloseSession($input: CloseSessionInput!) {\n    closeSession(input: $input) {\n      __typename\n      ... on CloseSessionSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').SimCloseSessionDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

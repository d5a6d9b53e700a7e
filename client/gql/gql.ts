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
    "\n  mutation EcatcherLogin($input: LoginInput!) { login(input: $input) { ...EcatcherLoginStep } }\n\n  fragment EcatcherLoginStep on LoginResult {\n    __typename\n    ... on LoginSuccess { token expiresAt deviceToken deviceTokenExpiresAt }\n    ... on SecondFactorRequired { token method sentTo codeExpiresAt hasBackupNumber mayRememberPc }\n    ... on SecondFactorEnrolmentRequired { methods }\n    ... on PasswordChangeRequired { reason }\n    ... on TwoFactorBlockedError { blockedUntil }\n    ... on TooManyRequestsError { retryAfter }\n    ... on Error { code message }\n  }\n": typeof types.EcatcherLoginDocument,
    "\n  mutation EcatcherSubmitCode($input: SubmitLoginCodeInput!) { submitLoginCode(input: $input) { ...EcatcherLoginStep } }\n": typeof types.EcatcherSubmitCodeDocument,
    "\n  mutation EcatcherResendCode($input: ResendLoginCodeInput!) {\n    resendLoginCode(input: $input) {\n      __typename\n      ... on ResendLoginCodeSuccess { sentTo }\n      ... on TooManyRequestsError { retryAfter }\n      ... on Error { code message }\n    }\n  }\n": typeof types.EcatcherResendCodeDocument,
    "\n  mutation EcatcherLogout { logout { __typename } }\n": typeof types.EcatcherLogoutDocument,
    "\n  query EcatcherEwons($filter: EwonFilter, $first: Int!, $after: String) {\n    ewons(filter: $filter, first: $first, after: $after) {\n      totalCount\n      nodes { id reference name serialNumber model description status vpnAddress viewerCan }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.EcatcherEwonsDocument,
    "\n  mutation EcatcherOpenSession($input: OpenSessionInput!) {\n    openSession(input: $input) {\n      __typename\n      ... on OpenSessionSuccess {\n        session { id reference state closeReason userVpnAddress ewonVpnAddress ewonName slot { reserved } }\n        tunnel { url token }\n      }\n      ... on NoFreeSlotError {\n        code\n        message\n        usage { total inUse usableByViewer reservations { count inUse group { name } } }\n        holders { userName since }\n      }\n      ... on UserAlreadyConnectedError { code message session { reference ewonName } }\n      ... on Error { code message }\n    }\n  }\n": typeof types.EcatcherOpenSessionDocument,
    "\n  query EcatcherQueue { viewer { slotWait { position expiresAt } } }\n": typeof types.EcatcherQueueDocument,
    "\n  mutation EcatcherLeaveQueue { leaveSlotQueue { __typename } }\n": typeof types.EcatcherLeaveQueueDocument,
    "\n  mutation EcatcherCloseSession($input: CloseSessionInput!) {\n    closeSession(input: $input) {\n      __typename\n      ... on CloseSessionSuccess { session { state closeReason bytesIn bytesOut } }\n      ... on Error { code message }\n    }\n  }\n": typeof types.EcatcherCloseSessionDocument,
    "\n  query EcatcherSession($id: ID!) {\n    node(id: $id) { __typename ... on Session { state closeReason bytesIn bytesOut } }\n  }\n": typeof types.EcatcherSessionDocument,
    "\n  query EcatcherReachability($input: ReachabilityInput!) {\n    reachability(input: $input) { reachable level rule reason }\n  }\n": typeof types.EcatcherReachabilityDocument,
    "\n  mutation EcatcherWake($input: WakeUpEwonInput!) {\n    wakeUpEwon(input: $input) {\n      __typename\n      ... on WakeUpEwonSuccess { ewon { status wakingUntil } }\n      ... on TooManyRequestsError { retryAfter }\n      ... on Error { code message }\n    }\n  }\n": typeof types.EcatcherWakeDocument,
    "\n  query EcatcherEwonStatus($id: ID!) { ewon(by: { id: $id }) { status } }\n": typeof types.EcatcherEwonStatusDocument,
    "\n  mutation DemoLogin($input: LoginInput!) {\n    login(input: $input) { __typename ... on LoginSuccess { token } ... on Error { code message } }\n  }\n": typeof types.DemoLoginDocument,
    "\n  query DemoAccount {\n    account { autoRegistration { registrationKey } slots { total } }\n    pools(first: 100) { nodes { id name } }\n    waiting: ewons(filter: { registrationStatus: PENDING_APPROVAL }, first: 100) { nodes { id description serialNumber } }\n  }\n": typeof types.DemoAccountDocument,
    "\n  mutation DemoApprove($input: ApproveEwonInput!) {\n    approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { name } } ... on Error { code message } }\n  }\n": typeof types.DemoApproveDocument,
    "\n  query DemoOnline { ewons(filter: { online: true }) { totalCount } }\n": typeof types.DemoOnlineDocument,
    "\n  subscription DemoConnectionEvents($after: Cursor) {\n    connectionEvents(after: $after) {\n      cursor\n      events {\n        __typename\n        ... on ConnectionEventFacts { at ewonName }\n        ... on EwonOnline { vpnAddress }\n        ... on EwonOffline { reason }\n        ... on SessionStarted { userName session { slot { reserved } } }\n        ... on SessionClosed { userName closeReason }\n        ... on SessionRefused { userName refusal: reason }\n      }\n    }\n  }\n": typeof types.DemoConnectionEventsDocument,
    "\n  subscription DemoSlotUsage { slotUsage { total inUse free reservations { count inUse group { name } } } }\n": typeof types.DemoSlotUsageDocument,
    "\n  mutation SimCreateAccount($input: CreateAccountInput!) {\n    createAccount(input: $input) {\n      __typename\n      ... on CreateAccountSuccess { token }\n      ... on Error { code message }\n      ... on TooManyRequestsError { retryAfter }\n    }\n  }\n": typeof types.SimCreateAccountDocument,
    "\n  query SimAccount {\n    account { plan slots { total } autoRegistration { registrationKey } }\n    pools(first: 500) { nodes { id name isDefault } }\n  }\n": typeof types.SimAccountDocument,
    "\n  mutation SimCreatePool($input: CreatePoolInput!) {\n    createPool(input: $input) { __typename ... on CreatePoolSuccess { pool { id } } ... on Error { code message } }\n  }\n": typeof types.SimCreatePoolDocument,
    "\n  mutation SimCreateGroup($input: CreateGroupInput!) {\n    createGroup(input: $input) { __typename ... on CreateGroupSuccess { group { id } } ... on Error { code message } }\n  }\n": typeof types.SimCreateGroupDocument,
    "\n  mutation SimCreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      __typename\n      ... on CreateUserSuccess { user { id } }\n      ... on Error { code message }\n      ... on TooManyRequestsError { retryAfter }\n    }\n  }\n": typeof types.SimCreateUserDocument,
    "\n  mutation SimSetSlots($input: SetConcurrentConnectionsInput!) {\n    setConcurrentConnections(input: $input) {\n      __typename\n      ... on SetConcurrentConnectionsSuccess { slots { total } }\n      ... on Error { code message }\n    }\n  }\n": typeof types.SimSetSlotsDocument,
    "\n  mutation SimApprove($input: ApproveEwonInput!) {\n    approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { id } } ... on Error { code message } }\n  }\n": typeof types.SimApproveDocument,
    "\n  query SimEwonOfSerial($serialNumber: SerialNumber!) {\n    ewon(by: { serialNumber: $serialNumber }) { id status registrationStatus }\n  }\n": typeof types.SimEwonOfSerialDocument,
    "\n  query SimEwonStates($after: String) {\n    ewons(first: 500, after: $after) {\n      nodes { id serialNumber status registrationStatus }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.SimEwonStatesDocument,
    "\n  query SimLogEntries($before: String, $last: Int!) {\n    logEntries(last: $last, before: $before) { nodes { cursor number at code text userName ewonName } }\n  }\n": typeof types.SimLogEntriesDocument,
    "\n  query SimOpenSessions { sessions(first: 1, filter: { live: true }) { totalCount } }\n": typeof types.SimOpenSessionsDocument,
    "\n  mutation SimGrantSupport($input: GrantSupportAccessInput!) {\n    grantSupportAccess(input: $input) {\n      __typename\n      ... on GrantSupportAccessSuccess { supportAccess { id } }\n      ... on Error { code message }\n    }\n  }\n": typeof types.SimGrantSupportDocument,
    "\n  mutation SimAcceptInvitation($input: AcceptInvitationInput!) {\n    acceptInvitation(input: $input) {\n      __typename\n      ... on AcceptInvitationSuccess { username }\n      ... on Error { code message }\n    }\n  }\n": typeof types.SimAcceptInvitationDocument,
    "\n  mutation SimCreateLanDevice($input: CreateLanDeviceInput!) {\n    createLanDevice(input: $input) {\n      __typename\n      ... on CreateLanDeviceSuccess { __typename }\n      ... on Error { code message }\n    }\n  }\n": typeof types.SimCreateLanDeviceDocument,
    "\n  mutation SimSetFirewallLevel($input: SetFirewallLevelInput!) {\n    setFirewallLevel(input: $input) {\n      __typename\n      ... on SetFirewallLevelSuccess { __typename }\n      ... on Error { code message }\n    }\n  }\n": typeof types.SimSetFirewallLevelDocument,
    "\n  mutation SimLogin($input: LoginInput!) {\n    login(input: $input) {\n      __typename\n      ... on LoginSuccess { token }\n      ... on Error { code message }\n      ... on TooManyRequestsError { retryAfter }\n    }\n  }\n": typeof types.SimLoginDocument,
    "\n  mutation SimLogout { logout { __typename } }\n": typeof types.SimLogoutDocument,
    "\n  query SimEwons { ewons(filter: { online: true }, first: 100) { edges { node { id name viewerCan } } } }\n": typeof types.SimEwonsDocument,
    "\n  mutation SimOpenSession($input: OpenSessionInput!) {\n    openSession(input: $input) {\n      __typename\n      ... on OpenSessionSuccess { session { id } tunnel { url token } }\n      ... on Error { code message }\n    }\n  }\n": typeof types.SimOpenSessionDocument,
    "\n  mutation SimKeepSessionAlive($input: KeepSessionAliveInput!) {\n    keepSessionAlive(input: $input) {\n      __typename\n      ... on KeepSessionAliveSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n": typeof types.SimKeepSessionAliveDocument,
    "\n  mutation SimCloseSession($input: CloseSessionInput!) {\n    closeSession(input: $input) {\n      __typename\n      ... on CloseSessionSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n": typeof types.SimCloseSessionDocument,
    "\n  query SimSlotWait { viewer { slotWait { position } } }\n": typeof types.SimSlotWaitDocument,
};
const documents: Documents = {
    "\n  mutation EcatcherLogin($input: LoginInput!) { login(input: $input) { ...EcatcherLoginStep } }\n\n  fragment EcatcherLoginStep on LoginResult {\n    __typename\n    ... on LoginSuccess { token expiresAt deviceToken deviceTokenExpiresAt }\n    ... on SecondFactorRequired { token method sentTo codeExpiresAt hasBackupNumber mayRememberPc }\n    ... on SecondFactorEnrolmentRequired { methods }\n    ... on PasswordChangeRequired { reason }\n    ... on TwoFactorBlockedError { blockedUntil }\n    ... on TooManyRequestsError { retryAfter }\n    ... on Error { code message }\n  }\n": types.EcatcherLoginDocument,
    "\n  mutation EcatcherSubmitCode($input: SubmitLoginCodeInput!) { submitLoginCode(input: $input) { ...EcatcherLoginStep } }\n": types.EcatcherSubmitCodeDocument,
    "\n  mutation EcatcherResendCode($input: ResendLoginCodeInput!) {\n    resendLoginCode(input: $input) {\n      __typename\n      ... on ResendLoginCodeSuccess { sentTo }\n      ... on TooManyRequestsError { retryAfter }\n      ... on Error { code message }\n    }\n  }\n": types.EcatcherResendCodeDocument,
    "\n  mutation EcatcherLogout { logout { __typename } }\n": types.EcatcherLogoutDocument,
    "\n  query EcatcherEwons($filter: EwonFilter, $first: Int!, $after: String) {\n    ewons(filter: $filter, first: $first, after: $after) {\n      totalCount\n      nodes { id reference name serialNumber model description status vpnAddress viewerCan }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.EcatcherEwonsDocument,
    "\n  mutation EcatcherOpenSession($input: OpenSessionInput!) {\n    openSession(input: $input) {\n      __typename\n      ... on OpenSessionSuccess {\n        session { id reference state closeReason userVpnAddress ewonVpnAddress ewonName slot { reserved } }\n        tunnel { url token }\n      }\n      ... on NoFreeSlotError {\n        code\n        message\n        usage { total inUse usableByViewer reservations { count inUse group { name } } }\n        holders { userName since }\n      }\n      ... on UserAlreadyConnectedError { code message session { reference ewonName } }\n      ... on Error { code message }\n    }\n  }\n": types.EcatcherOpenSessionDocument,
    "\n  query EcatcherQueue { viewer { slotWait { position expiresAt } } }\n": types.EcatcherQueueDocument,
    "\n  mutation EcatcherLeaveQueue { leaveSlotQueue { __typename } }\n": types.EcatcherLeaveQueueDocument,
    "\n  mutation EcatcherCloseSession($input: CloseSessionInput!) {\n    closeSession(input: $input) {\n      __typename\n      ... on CloseSessionSuccess { session { state closeReason bytesIn bytesOut } }\n      ... on Error { code message }\n    }\n  }\n": types.EcatcherCloseSessionDocument,
    "\n  query EcatcherSession($id: ID!) {\n    node(id: $id) { __typename ... on Session { state closeReason bytesIn bytesOut } }\n  }\n": types.EcatcherSessionDocument,
    "\n  query EcatcherReachability($input: ReachabilityInput!) {\n    reachability(input: $input) { reachable level rule reason }\n  }\n": types.EcatcherReachabilityDocument,
    "\n  mutation EcatcherWake($input: WakeUpEwonInput!) {\n    wakeUpEwon(input: $input) {\n      __typename\n      ... on WakeUpEwonSuccess { ewon { status wakingUntil } }\n      ... on TooManyRequestsError { retryAfter }\n      ... on Error { code message }\n    }\n  }\n": types.EcatcherWakeDocument,
    "\n  query EcatcherEwonStatus($id: ID!) { ewon(by: { id: $id }) { status } }\n": types.EcatcherEwonStatusDocument,
    "\n  mutation DemoLogin($input: LoginInput!) {\n    login(input: $input) { __typename ... on LoginSuccess { token } ... on Error { code message } }\n  }\n": types.DemoLoginDocument,
    "\n  query DemoAccount {\n    account { autoRegistration { registrationKey } slots { total } }\n    pools(first: 100) { nodes { id name } }\n    waiting: ewons(filter: { registrationStatus: PENDING_APPROVAL }, first: 100) { nodes { id description serialNumber } }\n  }\n": types.DemoAccountDocument,
    "\n  mutation DemoApprove($input: ApproveEwonInput!) {\n    approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { name } } ... on Error { code message } }\n  }\n": types.DemoApproveDocument,
    "\n  query DemoOnline { ewons(filter: { online: true }) { totalCount } }\n": types.DemoOnlineDocument,
    "\n  subscription DemoConnectionEvents($after: Cursor) {\n    connectionEvents(after: $after) {\n      cursor\n      events {\n        __typename\n        ... on ConnectionEventFacts { at ewonName }\n        ... on EwonOnline { vpnAddress }\n        ... on EwonOffline { reason }\n        ... on SessionStarted { userName session { slot { reserved } } }\n        ... on SessionClosed { userName closeReason }\n        ... on SessionRefused { userName refusal: reason }\n      }\n    }\n  }\n": types.DemoConnectionEventsDocument,
    "\n  subscription DemoSlotUsage { slotUsage { total inUse free reservations { count inUse group { name } } } }\n": types.DemoSlotUsageDocument,
    "\n  mutation SimCreateAccount($input: CreateAccountInput!) {\n    createAccount(input: $input) {\n      __typename\n      ... on CreateAccountSuccess { token }\n      ... on Error { code message }\n      ... on TooManyRequestsError { retryAfter }\n    }\n  }\n": types.SimCreateAccountDocument,
    "\n  query SimAccount {\n    account { plan slots { total } autoRegistration { registrationKey } }\n    pools(first: 500) { nodes { id name isDefault } }\n  }\n": types.SimAccountDocument,
    "\n  mutation SimCreatePool($input: CreatePoolInput!) {\n    createPool(input: $input) { __typename ... on CreatePoolSuccess { pool { id } } ... on Error { code message } }\n  }\n": types.SimCreatePoolDocument,
    "\n  mutation SimCreateGroup($input: CreateGroupInput!) {\n    createGroup(input: $input) { __typename ... on CreateGroupSuccess { group { id } } ... on Error { code message } }\n  }\n": types.SimCreateGroupDocument,
    "\n  mutation SimCreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      __typename\n      ... on CreateUserSuccess { user { id } }\n      ... on Error { code message }\n      ... on TooManyRequestsError { retryAfter }\n    }\n  }\n": types.SimCreateUserDocument,
    "\n  mutation SimSetSlots($input: SetConcurrentConnectionsInput!) {\n    setConcurrentConnections(input: $input) {\n      __typename\n      ... on SetConcurrentConnectionsSuccess { slots { total } }\n      ... on Error { code message }\n    }\n  }\n": types.SimSetSlotsDocument,
    "\n  mutation SimApprove($input: ApproveEwonInput!) {\n    approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { id } } ... on Error { code message } }\n  }\n": types.SimApproveDocument,
    "\n  query SimEwonOfSerial($serialNumber: SerialNumber!) {\n    ewon(by: { serialNumber: $serialNumber }) { id status registrationStatus }\n  }\n": types.SimEwonOfSerialDocument,
    "\n  query SimEwonStates($after: String) {\n    ewons(first: 500, after: $after) {\n      nodes { id serialNumber status registrationStatus }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.SimEwonStatesDocument,
    "\n  query SimLogEntries($before: String, $last: Int!) {\n    logEntries(last: $last, before: $before) { nodes { cursor number at code text userName ewonName } }\n  }\n": types.SimLogEntriesDocument,
    "\n  query SimOpenSessions { sessions(first: 1, filter: { live: true }) { totalCount } }\n": types.SimOpenSessionsDocument,
    "\n  mutation SimGrantSupport($input: GrantSupportAccessInput!) {\n    grantSupportAccess(input: $input) {\n      __typename\n      ... on GrantSupportAccessSuccess { supportAccess { id } }\n      ... on Error { code message }\n    }\n  }\n": types.SimGrantSupportDocument,
    "\n  mutation SimAcceptInvitation($input: AcceptInvitationInput!) {\n    acceptInvitation(input: $input) {\n      __typename\n      ... on AcceptInvitationSuccess { username }\n      ... on Error { code message }\n    }\n  }\n": types.SimAcceptInvitationDocument,
    "\n  mutation SimCreateLanDevice($input: CreateLanDeviceInput!) {\n    createLanDevice(input: $input) {\n      __typename\n      ... on CreateLanDeviceSuccess { __typename }\n      ... on Error { code message }\n    }\n  }\n": types.SimCreateLanDeviceDocument,
    "\n  mutation SimSetFirewallLevel($input: SetFirewallLevelInput!) {\n    setFirewallLevel(input: $input) {\n      __typename\n      ... on SetFirewallLevelSuccess { __typename }\n      ... on Error { code message }\n    }\n  }\n": types.SimSetFirewallLevelDocument,
    "\n  mutation SimLogin($input: LoginInput!) {\n    login(input: $input) {\n      __typename\n      ... on LoginSuccess { token }\n      ... on Error { code message }\n      ... on TooManyRequestsError { retryAfter }\n    }\n  }\n": types.SimLoginDocument,
    "\n  mutation SimLogout { logout { __typename } }\n": types.SimLogoutDocument,
    "\n  query SimEwons { ewons(filter: { online: true }, first: 100) { edges { node { id name viewerCan } } } }\n": types.SimEwonsDocument,
    "\n  mutation SimOpenSession($input: OpenSessionInput!) {\n    openSession(input: $input) {\n      __typename\n      ... on OpenSessionSuccess { session { id } tunnel { url token } }\n      ... on Error { code message }\n    }\n  }\n": types.SimOpenSessionDocument,
    "\n  mutation SimKeepSessionAlive($input: KeepSessionAliveInput!) {\n    keepSessionAlive(input: $input) {\n      __typename\n      ... on KeepSessionAliveSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n": types.SimKeepSessionAliveDocument,
    "\n  mutation SimCloseSession($input: CloseSessionInput!) {\n    closeSession(input: $input) {\n      __typename\n      ... on CloseSessionSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n": types.SimCloseSessionDocument,
    "\n  query SimSlotWait { viewer { slotWait { position } } }\n": types.SimSlotWaitDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EcatcherLogin($input: LoginInput!) { login(input: $input) { ...EcatcherLoginStep } }\n\n  fragment EcatcherLoginStep on LoginResult {\n    __typename\n    ... on LoginSuccess { token expiresAt deviceToken deviceTokenExpiresAt }\n    ... on SecondFactorRequired { token method sentTo codeExpiresAt hasBackupNumber mayRememberPc }\n    ... on SecondFactorEnrolmentRequired { methods }\n    ... on PasswordChangeRequired { reason }\n    ... on TwoFactorBlockedError { blockedUntil }\n    ... on TooManyRequestsError { retryAfter }\n    ... on Error { code message }\n  }\n"): typeof import('./graphql.ts').EcatcherLoginDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EcatcherSubmitCode($input: SubmitLoginCodeInput!) { submitLoginCode(input: $input) { ...EcatcherLoginStep } }\n"): typeof import('./graphql.ts').EcatcherSubmitCodeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EcatcherResendCode($input: ResendLoginCodeInput!) {\n    resendLoginCode(input: $input) {\n      __typename\n      ... on ResendLoginCodeSuccess { sentTo }\n      ... on TooManyRequestsError { retryAfter }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').EcatcherResendCodeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EcatcherLogout { logout { __typename } }\n"): typeof import('./graphql.ts').EcatcherLogoutDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query EcatcherEwons($filter: EwonFilter, $first: Int!, $after: String) {\n    ewons(filter: $filter, first: $first, after: $after) {\n      totalCount\n      nodes { id reference name serialNumber model description status vpnAddress viewerCan }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): typeof import('./graphql.ts').EcatcherEwonsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EcatcherOpenSession($input: OpenSessionInput!) {\n    openSession(input: $input) {\n      __typename\n      ... on OpenSessionSuccess {\n        session { id reference state closeReason userVpnAddress ewonVpnAddress ewonName slot { reserved } }\n        tunnel { url token }\n      }\n      ... on NoFreeSlotError {\n        code\n        message\n        usage { total inUse usableByViewer reservations { count inUse group { name } } }\n        holders { userName since }\n      }\n      ... on UserAlreadyConnectedError { code message session { reference ewonName } }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').EcatcherOpenSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query EcatcherQueue { viewer { slotWait { position expiresAt } } }\n"): typeof import('./graphql.ts').EcatcherQueueDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EcatcherLeaveQueue { leaveSlotQueue { __typename } }\n"): typeof import('./graphql.ts').EcatcherLeaveQueueDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EcatcherCloseSession($input: CloseSessionInput!) {\n    closeSession(input: $input) {\n      __typename\n      ... on CloseSessionSuccess { session { state closeReason bytesIn bytesOut } }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').EcatcherCloseSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query EcatcherSession($id: ID!) {\n    node(id: $id) { __typename ... on Session { state closeReason bytesIn bytesOut } }\n  }\n"): typeof import('./graphql.ts').EcatcherSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query EcatcherReachability($input: ReachabilityInput!) {\n    reachability(input: $input) { reachable level rule reason }\n  }\n"): typeof import('./graphql.ts').EcatcherReachabilityDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EcatcherWake($input: WakeUpEwonInput!) {\n    wakeUpEwon(input: $input) {\n      __typename\n      ... on WakeUpEwonSuccess { ewon { status wakingUntil } }\n      ... on TooManyRequestsError { retryAfter }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').EcatcherWakeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query EcatcherEwonStatus($id: ID!) { ewon(by: { id: $id }) { status } }\n"): typeof import('./graphql.ts').EcatcherEwonStatusDocument;
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
export function graphql(source: "\n  mutation SimCreateAccount($input: CreateAccountInput!) {\n    createAccount(input: $input) {\n      __typename\n      ... on CreateAccountSuccess { token }\n      ... on Error { code message }\n      ... on TooManyRequestsError { retryAfter }\n    }\n  }\n"): typeof import('./graphql.ts').SimCreateAccountDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SimAccount {\n    account { plan slots { total } autoRegistration { registrationKey } }\n    pools(first: 500) { nodes { id name isDefault } }\n  }\n"): typeof import('./graphql.ts').SimAccountDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimCreatePool($input: CreatePoolInput!) {\n    createPool(input: $input) { __typename ... on CreatePoolSuccess { pool { id } } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').SimCreatePoolDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimCreateGroup($input: CreateGroupInput!) {\n    createGroup(input: $input) { __typename ... on CreateGroupSuccess { group { id } } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').SimCreateGroupDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimCreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      __typename\n      ... on CreateUserSuccess { user { id } }\n      ... on Error { code message }\n      ... on TooManyRequestsError { retryAfter }\n    }\n  }\n"): typeof import('./graphql.ts').SimCreateUserDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimSetSlots($input: SetConcurrentConnectionsInput!) {\n    setConcurrentConnections(input: $input) {\n      __typename\n      ... on SetConcurrentConnectionsSuccess { slots { total } }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').SimSetSlotsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimApprove($input: ApproveEwonInput!) {\n    approveEwon(input: $input) { __typename ... on ApproveEwonSuccess { ewon { id } } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').SimApproveDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SimEwonOfSerial($serialNumber: SerialNumber!) {\n    ewon(by: { serialNumber: $serialNumber }) { id status registrationStatus }\n  }\n"): typeof import('./graphql.ts').SimEwonOfSerialDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SimEwonStates($after: String) {\n    ewons(first: 500, after: $after) {\n      nodes { id serialNumber status registrationStatus }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): typeof import('./graphql.ts').SimEwonStatesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SimLogEntries($before: String, $last: Int!) {\n    logEntries(last: $last, before: $before) { nodes { cursor number at code text userName ewonName } }\n  }\n"): typeof import('./graphql.ts').SimLogEntriesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SimOpenSessions { sessions(first: 1, filter: { live: true }) { totalCount } }\n"): typeof import('./graphql.ts').SimOpenSessionsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimGrantSupport($input: GrantSupportAccessInput!) {\n    grantSupportAccess(input: $input) {\n      __typename\n      ... on GrantSupportAccessSuccess { supportAccess { id } }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').SimGrantSupportDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimAcceptInvitation($input: AcceptInvitationInput!) {\n    acceptInvitation(input: $input) {\n      __typename\n      ... on AcceptInvitationSuccess { username }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').SimAcceptInvitationDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimCreateLanDevice($input: CreateLanDeviceInput!) {\n    createLanDevice(input: $input) {\n      __typename\n      ... on CreateLanDeviceSuccess { __typename }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').SimCreateLanDeviceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimSetFirewallLevel($input: SetFirewallLevelInput!) {\n    setFirewallLevel(input: $input) {\n      __typename\n      ... on SetFirewallLevelSuccess { __typename }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').SimSetFirewallLevelDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimLogin($input: LoginInput!) {\n    login(input: $input) {\n      __typename\n      ... on LoginSuccess { token }\n      ... on Error { code message }\n      ... on TooManyRequestsError { retryAfter }\n    }\n  }\n"): typeof import('./graphql.ts').SimLoginDocument;
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
export function graphql(source: "\n  mutation SimOpenSession($input: OpenSessionInput!) {\n    openSession(input: $input) {\n      __typename\n      ... on OpenSessionSuccess { session { id } tunnel { url token } }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').SimOpenSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimKeepSessionAlive($input: KeepSessionAliveInput!) {\n    keepSessionAlive(input: $input) {\n      __typename\n      ... on KeepSessionAliveSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').SimKeepSessionAliveDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SimCloseSession($input: CloseSessionInput!) {\n    closeSession(input: $input) {\n      __typename\n      ... on CloseSessionSuccess { session { state closeReason } }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').SimCloseSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SimSlotWait { viewer { slotWait { position } } }\n"): typeof import('./graphql.ts').SimSlotWaitDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

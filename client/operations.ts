import { graphql } from './gql/gql.ts';

/*
 * What an Ecatcher client asks of the API. The names of operations begin with Ecatcher, for they are unique among all clients
 * in this repository.
 */

export const LOGIN = graphql(`
  mutation EcatcherLogin($input: LoginInput!) { login(input: $input) { ...EcatcherLoginStep } }

  fragment EcatcherLoginStep on LoginResult {
    __typename
    ... on LoginSuccess { token expiresAt deviceToken deviceTokenExpiresAt }
    ... on SecondFactorRequired { token method sentTo codeExpiresAt hasBackupNumber mayRememberPc }
    ... on SecondFactorEnrolmentRequired { methods }
    ... on PasswordChangeRequired { reason }
    ... on TwoFactorBlockedError { blockedUntil }
    ... on TooManyRequestsError { retryAfter }
    ... on Error { code message }
  }
`);

export const SUBMIT_CODE = graphql(`
  mutation EcatcherSubmitCode($input: SubmitLoginCodeInput!) { submitLoginCode(input: $input) { ...EcatcherLoginStep } }
`);

export const RESEND_CODE = graphql(`
  mutation EcatcherResendCode($input: ResendLoginCodeInput!) {
    resendLoginCode(input: $input) {
      __typename
      ... on ResendLoginCodeSuccess { sentTo }
      ... on TooManyRequestsError { retryAfter }
      ... on Error { code message }
    }
  }
`);

export const LOGOUT = graphql(`
  mutation EcatcherLogout { logout { __typename } }
`);

export const EWONS = graphql(`
  query EcatcherEwons($filter: EwonFilter, $first: Int!, $after: String) {
    ewons(filter: $filter, first: $first, after: $after) {
      totalCount
      nodes { id reference name serialNumber model description status vpnAddress viewerCan }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const OPEN_SESSION = graphql(`
  mutation EcatcherOpenSession($input: OpenSessionInput!) {
    openSession(input: $input) {
      __typename
      ... on OpenSessionSuccess {
        session { id reference state closeReason userVpnAddress ewonVpnAddress ewonName slot { reserved } }
        tunnel { url token }
      }
      ... on NoFreeSlotError {
        code
        message
        usage { total inUse usableByViewer reservations { count inUse group { name } } }
        holders { userName since }
      }
      ... on UserAlreadyConnectedError { code message session { reference ewonName } }
      ... on Error { code message }
    }
  }
`);

export const QUEUE = graphql(`
  query EcatcherQueue { viewer { slotWait { position expiresAt } } }
`);

export const LEAVE_QUEUE = graphql(`
  mutation EcatcherLeaveQueue { leaveSlotQueue { __typename } }
`);

export const CLOSE_SESSION = graphql(`
  mutation EcatcherCloseSession($input: CloseSessionInput!) {
    closeSession(input: $input) {
      __typename
      ... on CloseSessionSuccess { session { state closeReason bytesIn bytesOut } }
      ... on Error { code message }
    }
  }
`);

export const SESSION = graphql(`
  query EcatcherSession($id: ID!) {
    node(id: $id) { __typename ... on Session { state closeReason bytesIn bytesOut } }
  }
`);

export const REACHABILITY = graphql(`
  query EcatcherReachability($input: ReachabilityInput!) {
    reachability(input: $input) { reachable level rule reason }
  }
`);

export const WAKE = graphql(`
  mutation EcatcherWake($input: WakeUpEwonInput!) {
    wakeUpEwon(input: $input) {
      __typename
      ... on WakeUpEwonSuccess { ewon { status wakingUntil } }
      ... on TooManyRequestsError { retryAfter }
      ... on Error { code message }
    }
  }
`);

export const EWON_STATUS = graphql(`
  query EcatcherEwonStatus($id: ID!) { ewon(by: { id: $id }) { status } }
`);

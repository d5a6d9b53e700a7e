/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** How a waiting Ewon is taken into the account: as a new one with `properties`, or in the place of `replace`. */
export type ApproveEwonInput = {
  /** The Ewon that waits for approval. */
  ewonId: string | number;
  /** For a new one (GRK-18). */
  properties?: EwonPropertiesInput | null | undefined;
  /** An existing Ewon that is not in use, whose place it takes with all its properties (GRK-19); `properties` must then be absent. */
  replace?: string | number | null | undefined;
};

/** What a user logs in and connects with (AUTH-02). */
export type ClientKind =
  /** The desktop VPN client: the only kind that takes one of the concurrent connections (CON-06). */
  | 'ECATCHER'
  /** The VPN client on a phone or tablet: takes none. */
  | 'ECATCHER_MOBILE'
  /** The browser portal: takes none. */
  | 'M2WEB';

/** A session of the viewer’s own, or as Administrator any. */
export type CloseSessionInput = {
  /** The session. */
  sessionId: string | number;
};

/** Why something was refused. Codes are stable: clients decide by them, not by the message (API-04). */
export type ErrorCode =
  /** Another account has this name (ACC-03). */
  | 'ACCOUNT_NAME_TAKEN'
  /** The change affects contract and price; repeat it with `acknowledgeContractChange: true` (CON-14). */
  | 'ACKNOWLEDGEMENT_REQUIRED'
  /** The activation key is unknown, used or renewed (EWN-15). */
  | 'ACTIVATION_KEY_INVALID'
  /** The account does not let devices register by name or by key (GRK-03). */
  | 'AUTO_REGISTRATION_DISABLED'
  /** A user with administrator rights needs a backup number (TFA-16). */
  | 'BACKUP_MOBILE_REQUIRED'
  /** The backup number must differ from the primary one (TFA-15). */
  | 'BACKUP_NUMBER_SAME_AS_PRIMARY'
  /** The request does not follow GraphQL over HTTP (API-06). */
  | 'BAD_REQUEST'
  /** The certificate is not the current one of the device, or has expired (GW-12). */
  | 'CERTIFICATE_INVALID'
  /** The certificate was revoked: the Ewon was removed, replaced or rejected (GW-12). */
  | 'CERTIFICATE_REVOKED'
  /** Too much falls due on the way; the clock stands where it got, advance it again (CLK-03). */
  | 'CLOCK_ADVANCE_INCOMPLETE'
  /** The clock of the platform never goes back (CLK-01). */
  | 'CLOCK_GOES_BACK'
  /** The code has expired, was used, or a newer one was sent; ask for another (TFA-05). */
  | 'CODE_EXPIRED'
  /** The code is wrong (TFA-06). */
  | 'CODE_INVALID'
  /** All concurrent connections that the caller may use are taken (CON-05). */
  | 'CONCURRENT_CONNECTION_LIMIT'
  /** The operation ends sessions or cannot be undone; repeat it with `confirm: true`. */
  | 'CONFIRMATION_REQUIRED'
  /** The cursor is older than the retention of the log, or not of this account (EVT-04). */
  | 'CURSOR_EXPIRED'
  /** The cursor is malformed: use one that the server has given. */
  | 'CURSOR_INVALID'
  /** A device with this serial number is linked to an account already (EWN-16, GRK-11). */
  | 'DEVICE_ALREADY_REGISTERED'
  /** The device has as many streams open as it can (TUN-02). */
  | 'DEVICE_BUSY'
  /** The Ewon has sent as many messages as it may in an hour (GW-13). */
  | 'DEVICE_MESSAGES_EXHAUSTED'
  /** The Ewon is online or has open sessions, so it cannot be replaced (GRK-21). */
  | 'EWON_IN_USE'
  /** Another Ewon of the account has this name (EWN-03). */
  | 'EWON_NAME_IN_USE'
  /** An Ewon is in at least one pool (POOL-03). */
  | 'EWON_NEEDS_A_POOL'
  /** The Ewon waits for approval or has no device yet (CON-03). */
  | 'EWON_NOT_APPROVED'
  /** The Ewon is not online (CON-03). */
  | 'EWON_OFFLINE'
  /** The plan of the account does not have this firewall level (LAN-12). */
  | 'FIREWALL_LEVEL_NOT_AVAILABLE'
  /** The caller lacks the right for this. */
  | 'FORBIDDEN'
  /** The document is not GraphQL, does not fit the schema, or its variables do not. */
  | 'GRAPHQL_VALIDATION_FAILED'
  /** The registration key was renewed; this one is no longer valid (GRK-12). */
  | 'GRK_REVOKED'
  /** No account has this registration key. */
  | 'GRK_UNKNOWN'
  /** The group has members that are in no other group (GRP-20). */
  | 'GROUP_IN_USE'
  /** Another group of the account has this name (GRP-06). */
  | 'GROUP_NAME_IN_USE'
  /** The idempotency key was used with another input (API-01). */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** Neither allowance nor credit of the account covers it (WAK-07). */
  | 'INSUFFICIENT_CREDIT'
  /** Something unexpected happened; the request id finds it in the log of the server. */
  | 'INTERNAL_ERROR'
  /** Supplied credentials are invalid (AUTH-03, AUTH-04). */
  | 'INVALID_CREDENTIALS'
  /** Not a phone number with its country code, as +3225551234 (TFA-11). */
  | 'INVALID_PHONE_NUMBER'
  /** The invitation is unknown, used, replaced by a newer one or expired (INV-09). */
  | 'INVITATION_INVALID'
  /** Too many failed logins came from this address; an operator can lift the ban (AUTH-11). */
  | 'IP_BANNED'
  /** The address is not a host address of the LAN of the Ewon, or is its own (LAN-13). */
  | 'IP_NOT_IN_LAN'
  /** The connection to the LAN device broke. */
  | 'LAN_CONNECTION_LOST'
  /** The LAN device refused the connection. */
  | 'LAN_DEVICE_REFUSED'
  /** The LAN device did not answer in time. */
  | 'LAN_DEVICE_TIMEOUT'
  /** The Ewon cannot reach this address. */
  | 'LAN_DEVICE_UNREACHABLE'
  /** The Ewon has as many LAN devices, ports or services as it may have. */
  | 'LAN_LIMIT_REACHED'
  /** Address, port and protocol are declared already (LAN-13). */
  | 'LAN_PORT_IN_USE'
  /** The account would be left without an enabled Administrator (ACC-23). */
  | 'LAST_ADMINISTRATOR'
  /** The login is open already; nothing more is asked. */
  | 'LOGIN_ALREADY_OPEN'
  /** The login has expired or was revoked; log in again (AUTH-18, EVT-08). */
  | 'LOGIN_EXPIRED'
  /** The login is of no group that may send mail for Ewons (GW-13). */
  | 'MAIL_SENDER_REQUIRED'
  /** The message was sent or given up; its content is gone, so it cannot be sent again. */
  | 'MESSAGE_FINISHED'
  /** The message does not follow the protocol. */
  | 'MESSAGE_INVALID'
  /** The security settings of the account, or the method, ask for a mobile number (TFA-14). */
  | 'MOBILE_REQUIRED'
  /** There is no such object, or the caller may not see it (USR-03, EWN-02). */
  | 'NOT_FOUND'
  /** The user may not change his password (USR-19, USR-23, INV-07). */
  | 'PASSWORD_CHANGE_FORBIDDEN'
  /** A new password must be chosen before anything else (AUTH-16). */
  | 'PASSWORD_CHANGE_REQUIRED'
  /** Password and confirmation differ (PWD-17). */
  | 'PASSWORD_CONFIRMATION_MISMATCH'
  /** The password breaks the password policy of the account (PWD-20). */
  | 'PASSWORD_POLICY_VIOLATION'
  /** The plan of the account lacks this feature (ACC-11). */
  | 'PLAN_FEATURE_NOT_AVAILABLE'
  /** The pool is the only one of an Ewon, or is used elsewhere (POOL-10). */
  | 'POOL_IN_USE'
  /** Another pool of the account has this name (POOL-07). */
  | 'POOL_NAME_IN_USE'
  /** The query costs more than the server allows (API-02). */
  | 'QUERY_TOO_COMPLEX'
  /** The area is sensitive: confirm who you are first (AUTH-21). */
  | 'REAUTHENTICATION_REQUIRED'
  /** The link is unknown, used, replaced by a newer one or expired (AUTH-13). */
  | 'RECOVERY_INVALID'
  /** The account, or the user, may not remember PCs (TFA-27). */
  | 'REMEMBER_PC_NOT_ALLOWED'
  /** The switch on the digital input of the Ewon forbids remote access (GW-07). */
  | 'REMOTE_ACCESS_DISABLED'
  /** The reservations add up to more than the concurrent connections (CON-25). */
  | 'RESERVATION_EXCEEDS_TOTAL'
  /** A second factor must be set up before anything else (TFA-13, TFA-45). */
  | 'SECOND_FACTOR_ENROLMENT_REQUIRED'
  /** The user has no active second factor. */
  | 'SECOND_FACTOR_NOT_ACTIVE'
  /** The login waits for its second-factor code (AUTH-15). */
  | 'SECOND_FACTOR_REQUIRED'
  /** The account obliges every user to have a second factor (TFA-25, TFA-45). */
  | 'SECOND_FACTOR_REQUIRED_BY_ACCOUNT'
  /** The secret was read already, or has expired (SUP-14). */
  | 'SECRET_GONE'
  /** Nobody disables, deletes or expires himself (USR-31). */
  | 'SELF_NOT_ALLOWED'
  /** The serial number is not the one that the caller proves (GW-04). */
  | 'SERIAL_NUMBER_MISMATCH'
  /** The session has ended (TUN-03). */
  | 'SESSION_CLOSED'
  /** The certificate signing request is malformed, badly signed, or has an unsupported key (GW-03). */
  | 'SIGNING_REQUEST_INVALID'
  /** The login is of no group that may send text messages for Ewons (GW-13). */
  | 'SMS_SENDER_REQUIRED'
  /** The firewall of the Ewon does not allow this address and port (LAN-06). */
  | 'STREAM_FORBIDDEN'
  /** The reader of the stream was too slow; go on from the cursor (EVT-06). */
  | 'STREAM_LAGGED'
  /** The LAN of the Ewon overlaps a VPN range (VPN-11). */
  | 'SUBNET_CONFLICT'
  /** The address is not in a domain of support engineers (SUP-04). */
  | 'SUPPORT_DOMAIN_NOT_ALLOWED'
  /** The API token is unknown, deleted or renewed (TOK-10). */
  | 'TOKEN_INVALID'
  /** Another API token of the account has this name (TOK-11). */
  | 'TOKEN_NAME_IN_USE'
  /** Too many requests; try again later. */
  | 'TOO_MANY_REQUESTS'
  /** The session has as many streams open as it may (TUN-04). */
  | 'TOO_MANY_STREAMS'
  /** The account has as many API tokens as it may have. */
  | 'TOO_MANY_TOKENS'
  /** Too many wrong codes; the login is blocked for a while (TFA-06, TFA-07). */
  | 'TWO_FACTOR_BLOCKED'
  /** Not logged in, or the token is not valid. */
  | 'UNAUTHENTICATED'
  /** The protocol version is not supported. */
  | 'UNSUPPORTED_PROTOCOL'
  /** Another user of the account has this user name (USR-04). */
  | 'USERNAME_IN_USE'
  /** The user has an Ecatcher session already; ask to switch to close it (CON-07). */
  | 'USER_ALREADY_CONNECTED'
  /** The expiration date of the user has passed; move it first (USR-38). */
  | 'USER_EXPIRED'
  /** A user is in at least one group (GRP-03). */
  | 'USER_NEEDS_A_GROUP'
  /** The user has not accepted the invitation yet. */
  | 'USER_PENDING'
  /** A value of the input is out of its range or form. */
  | 'VALIDATION_FAILED'
  /** Every address of the VPN range is in use (VPN-08). */
  | 'VPN_ADDRESS_EXHAUSTED'
  /** The Ewon is permanently connected, so it is neither woken nor sent offline (WAK-03, WAK-04). */
  | 'WAKE_UP_NOT_CONFIGURED';

/** What somebody may do with an Ewon. */
export type EwonAction =
  /** Change its pools, renew its activation key, let it be replaced (EWN-12, EWN-20). */
  | 'ADMINISTER'
  /** Approve or reject it; only while it waits for approval (GRK-23). */
  | 'APPROVE'
  /** Open a session with Ecatcher (CON-02). */
  | 'CONNECT_ECATCHER'
  /** Open a session with M2web (M2W-02). */
  | 'CONNECT_M2WEB'
  /** Edit its properties (EWN-12). */
  | 'MODIFY'
  /** Remove it from the account: needs the right to administer all of its pools (EWN-19). */
  | 'REMOVE';

/** What people write about an Ewon (EWN-11). Absent keeps, null clears. */
export type EwonPropertiesInput = {
  /** Up to three values of up to 255 characters, in the order of the fields. */
  customFields?: Array<string | null | undefined> | null | undefined;
  /** Free text, up to 500 characters. */
  description?: string | null | undefined;
  /** Unique in the account, 1–64 characters. */
  name?: string | null | undefined;
  /** All its pools, at least one; needs the right to administer each that is added or removed (EWN-20). */
  poolIds?: Array<string | number> | null | undefined;
};

/** A session of the viewer’s own. */
export type KeepSessionAliveInput = {
  /** The session. */
  sessionId: string | number;
};

/** Who logs in, and with what. */
export type LoginInput = {
  /** The account’s name, without regard to case (AUTH-01). */
  account: string;
  /** The kind of client (AUTH-02). */
  client?: ClientKind;
  /** The secret of a remembered PC, which stands for the code (TFA-31). */
  deviceToken?: string | null | undefined;
  /** The password. */
  password: string;
  /** The user name, without regard to case. */
  username: string;
};

/** The session to open. */
export type OpenSessionInput = {
  /** Only ECATCHER takes one of the concurrent connections (CON-06). */
  client?: ClientKind;
  /** An active Ewon that is online. */
  ewonId: string | number;
  /** The same key and input by the same login gives the same session for 24 hours (API-01). */
  idempotencyKey?: string | null | undefined;
  /** Closes the viewer’s present Ecatcher session in the same step (CON-07). */
  switch?: boolean;
  /** How long to wait when none is free, in seconds; the server may wait less (WTL-02). The answer comes when served, or when the time is over. */
  waitSeconds?: number;
};

/** Why a session ended (CON-09). */
export type SessionCloseReason =
  /** The user lost the right to connect (GRP-21). */
  | 'ACCESS_REVOKED'
  /** By an Administrator. */
  | 'BY_ADMINISTRATOR'
  /** By its own user. */
  | 'BY_USER'
  /** The Ewon went offline or was removed (CON-11). */
  | 'EWON_OFFLINE'
  /** Another account took the Ewon over (IMP-09). */
  | 'IMPORTED'
  /** The login that it was opened from ended. */
  | 'SESSION_EXPIRED'
  /** The user switched to another session (CON-07). */
  | 'SWITCHED'
  /** The client sent no keep-alive in time (CON-30). */
  | 'TIMEOUT'
  /** The user was deleted (USR-30). */
  | 'USER_DELETED'
  /** The user was disabled (USR-28). */
  | 'USER_DISABLED'
  /** The user’s expiration date passed (USR-38). */
  | 'USER_EXPIRED';

/** Whether a session is live: OPEN or CLOSED (CON-09). */
export type SessionState =
  /** Over; `closeReason` says why. */
  | 'CLOSED'
  /** Live. */
  | 'OPEN';

export type DemoLoginMutationVariables = Exact<{
  input: LoginInput;
}>;


export type DemoLoginMutation = { login:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'InvalidCredentialsError', code: ErrorCode, message: string }
    | { __typename: 'LoginSuccess', token: string }
    | { __typename: 'PasswordChangeRequired' }
    | { __typename: 'SecondFactorEnrolmentRequired' }
    | { __typename: 'SecondFactorRequired' }
    | { __typename: 'TooManyRequestsError', code: ErrorCode, message: string }
    | { __typename: 'TwoFactorBlockedError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type DemoAccountQueryVariables = Exact<{ [key: string]: never; }>;


export type DemoAccountQuery = { account: { autoRegistration: { registrationKey: string } | null, slots: { total: number } } | null, pools: { nodes: Array<{ id: string, name: string }> }, waiting: { nodes: Array<{ id: string, description: string | null, serialNumber: string | null }> } };

export type DemoApproveMutationVariables = Exact<{
  input: ApproveEwonInput;
}>;


export type DemoApproveMutation = { approveEwon:
    | { __typename: 'ApproveEwonSuccess', ewon: { name: string } }
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type DemoOnlineQueryVariables = Exact<{ [key: string]: never; }>;


export type DemoOnlineQuery = { ewons: { totalCount: number } };

export type DemoConnectionEventsSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type DemoConnectionEventsSubscription = { connectionEvents: { cursor: string, events: Array<
      | { __typename: 'EwonOffline', at: string, ewonName: string, reason: string }
      | { __typename: 'EwonOnline', at: string, ewonName: string, vpnAddress: string }
      | { __typename: 'EwonWakingUp', at: string, ewonName: string }
      | { __typename: 'SessionClosed', at: string, ewonName: string, userName: string | null, closeReason: SessionCloseReason }
      | { __typename: 'SessionRefused', at: string, ewonName: string, userName: string | null, refusal: string }
      | { __typename: 'SessionStarted', at: string, ewonName: string, userName: string | null, session: { slot: { reserved: boolean } | null } | null }
    > } };

export type DemoSlotUsageSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type DemoSlotUsageSubscription = { slotUsage: { total: number, inUse: number, free: number, reservations: Array<{ count: number, inUse: number, group: { name: string } | null }> } };

export type SimLoginMutationVariables = Exact<{
  input: LoginInput;
}>;


export type SimLoginMutation = { login:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'InvalidCredentialsError', code: ErrorCode, message: string }
    | { __typename: 'LoginSuccess', token: string }
    | { __typename: 'PasswordChangeRequired' }
    | { __typename: 'SecondFactorEnrolmentRequired' }
    | { __typename: 'SecondFactorRequired' }
    | { __typename: 'TooManyRequestsError', code: ErrorCode, message: string }
    | { __typename: 'TwoFactorBlockedError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimLogoutMutationVariables = Exact<{ [key: string]: never; }>;


export type SimLogoutMutation = { logout:
    | { __typename: 'DomainError' }
    | { __typename: 'LogoutSuccess' }
    | { __typename: 'ValidationError' }
   };

export type SimEwonsQueryVariables = Exact<{ [key: string]: never; }>;


export type SimEwonsQuery = { ewons: { edges: Array<{ node: { id: string, name: string, viewerCan: Array<EwonAction> } }> } };

export type SimOpenSessionMutationVariables = Exact<{
  input: OpenSessionInput;
}>;


export type SimOpenSessionMutation = { openSession:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'NoFreeSlotError', code: ErrorCode, message: string }
    | { __typename: 'OpenSessionSuccess', session: { id: string } }
    | { __typename: 'UserAlreadyConnectedError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimKeepSessionAliveMutationVariables = Exact<{
  input: KeepSessionAliveInput;
}>;


export type SimKeepSessionAliveMutation = { keepSessionAlive:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'KeepSessionAliveSuccess', session: { state: SessionState, closeReason: SessionCloseReason | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimCloseSessionMutationVariables = Exact<{
  input: CloseSessionInput;
}>;


export type SimCloseSessionMutation = { closeSession:
    | { __typename: 'CloseSessionSuccess', session: { state: SessionState, closeReason: SessionCloseReason | null } }
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const DemoLoginDocument = new TypedDocumentString(`
    mutation DemoLogin($input: LoginInput!) {
  login(input: $input) {
    __typename
    ... on LoginSuccess {
      token
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DemoLoginMutation, DemoLoginMutationVariables>;
export const DemoAccountDocument = new TypedDocumentString(`
    query DemoAccount {
  account {
    autoRegistration {
      registrationKey
    }
    slots {
      total
    }
  }
  pools(first: 100) {
    nodes {
      id
      name
    }
  }
  waiting: ewons(filter: {registrationStatus: PENDING_APPROVAL}, first: 100) {
    nodes {
      id
      description
      serialNumber
    }
  }
}
    `) as unknown as TypedDocumentString<DemoAccountQuery, DemoAccountQueryVariables>;
export const DemoApproveDocument = new TypedDocumentString(`
    mutation DemoApprove($input: ApproveEwonInput!) {
  approveEwon(input: $input) {
    __typename
    ... on ApproveEwonSuccess {
      ewon {
        name
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DemoApproveMutation, DemoApproveMutationVariables>;
export const DemoOnlineDocument = new TypedDocumentString(`
    query DemoOnline {
  ewons(filter: {online: true}) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<DemoOnlineQuery, DemoOnlineQueryVariables>;
export const DemoConnectionEventsDocument = new TypedDocumentString(`
    subscription DemoConnectionEvents($after: Cursor) {
  connectionEvents(after: $after) {
    cursor
    events {
      __typename
      ... on ConnectionEventFacts {
        at
        ewonName
      }
      ... on EwonOnline {
        vpnAddress
      }
      ... on EwonOffline {
        reason
      }
      ... on SessionStarted {
        userName
        session {
          slot {
            reserved
          }
        }
      }
      ... on SessionClosed {
        userName
        closeReason
      }
      ... on SessionRefused {
        userName
        refusal: reason
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DemoConnectionEventsSubscription, DemoConnectionEventsSubscriptionVariables>;
export const DemoSlotUsageDocument = new TypedDocumentString(`
    subscription DemoSlotUsage {
  slotUsage {
    total
    inUse
    free
    reservations {
      count
      inUse
      group {
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DemoSlotUsageSubscription, DemoSlotUsageSubscriptionVariables>;
export const SimLoginDocument = new TypedDocumentString(`
    mutation SimLogin($input: LoginInput!) {
  login(input: $input) {
    __typename
    ... on LoginSuccess {
      token
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimLoginMutation, SimLoginMutationVariables>;
export const SimLogoutDocument = new TypedDocumentString(`
    mutation SimLogout {
  logout {
    __typename
  }
}
    `) as unknown as TypedDocumentString<SimLogoutMutation, SimLogoutMutationVariables>;
export const SimEwonsDocument = new TypedDocumentString(`
    query SimEwons {
  ewons(filter: {online: true}, first: 100) {
    edges {
      node {
        id
        name
        viewerCan
      }
    }
  }
}
    `) as unknown as TypedDocumentString<SimEwonsQuery, SimEwonsQueryVariables>;
export const SimOpenSessionDocument = new TypedDocumentString(`
    mutation SimOpenSession($input: OpenSessionInput!) {
  openSession(input: $input) {
    __typename
    ... on OpenSessionSuccess {
      session {
        id
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimOpenSessionMutation, SimOpenSessionMutationVariables>;
export const SimKeepSessionAliveDocument = new TypedDocumentString(`
    mutation SimKeepSessionAlive($input: KeepSessionAliveInput!) {
  keepSessionAlive(input: $input) {
    __typename
    ... on KeepSessionAliveSuccess {
      session {
        state
        closeReason
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimKeepSessionAliveMutation, SimKeepSessionAliveMutationVariables>;
export const SimCloseSessionDocument = new TypedDocumentString(`
    mutation SimCloseSession($input: CloseSessionInput!) {
  closeSession(input: $input) {
    __typename
    ... on CloseSessionSuccess {
      session {
        state
        closeReason
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimCloseSessionMutation, SimCloseSessionMutationVariables>;
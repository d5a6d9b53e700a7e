/**
 * The catalogue of error codes (API-04): one stable code a reason, shared by GraphQL, enrolment and the tunnel. The text
 * beside each is its description in the schema. What is not in here reaches nobody but the log.
 */
export const ERROR_CODES = {
  ACCOUNT_NAME_TAKEN: 'Another account has this name (ACC-03).',
  ACKNOWLEDGEMENT_REQUIRED:
    'The change affects contract and price; repeat it with `acknowledgeContractChange: true` (CON-14).',
  AUTO_REGISTRATION_DISABLED: 'The account does not let devices register by name or by key (GRK-03).',
  BAD_REQUEST: 'The request does not follow GraphQL over HTTP (API-06).',
  CERTIFICATE_INVALID: 'The certificate is not the current one of the device, or has expired (GW-12).',
  CERTIFICATE_REVOKED: 'The certificate was revoked: the Ewon was removed, replaced or rejected (GW-12).',
  CONCURRENT_CONNECTION_LIMIT: 'All concurrent connections that the caller may use are taken (CON-05).',
  CONFIRMATION_REQUIRED: 'The operation cannot be undone; repeat it with `confirm: true`.',
  CURSOR_EXPIRED: 'The cursor is older than the retention of the log, or not of this account (EVT-04).',
  CURSOR_INVALID: 'The cursor is malformed: use one that the server has given.',
  DEVICE_ALREADY_REGISTERED: 'A device with this serial number is linked to an account already (EWN-16, GRK-11).',
  EWON_IN_USE: 'The Ewon is online or has open sessions, so it cannot be replaced (GRK-21).',
  EWON_NAME_IN_USE: 'Another Ewon of the account has this name (EWN-03).',
  EWON_NEEDS_A_POOL: 'An Ewon is in at least one pool (POOL-03).',
  EWON_NOT_APPROVED: 'The Ewon waits for approval or has no device yet (CON-03).',
  EWON_OFFLINE: 'The Ewon is not online (CON-03).',
  FORBIDDEN: 'The caller lacks the right for this.',
  GRAPHQL_VALIDATION_FAILED: 'The document is not GraphQL, does not fit the schema, or its variables do not.',
  GRK_REVOKED: 'The registration key was renewed; this one is no longer valid (GRK-12).',
  GRK_UNKNOWN: 'No account has this registration key.',
  GROUP_NAME_IN_USE: 'Another group of the account has this name (GRP-06).',
  ACTIVATION_KEY_INVALID: 'The activation key is unknown, used or renewed (EWN-15).',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key was used with another input (API-01).',
  INTERNAL_ERROR: 'Something unexpected happened; the request id finds it in the log of the server.',
  INVALID_CREDENTIALS: 'Supplied credentials are invalid (AUTH-03, AUTH-04).',
  LAST_ADMINISTRATOR: 'The account would be left without an enabled Administrator (ACC-23).',
  LOGIN_EXPIRED: 'The login has expired or was revoked; log in again (AUTH-18, EVT-08).',
  MESSAGE_INVALID: 'The message does not follow the protocol.',
  NOT_FOUND: 'There is no such object, or the caller may not see it (USR-03, EWN-02).',
  PASSWORD_CONFIRMATION_MISMATCH: 'Password and confirmation differ (PWD-17).',
  PASSWORD_POLICY_VIOLATION: 'The password breaks the password policy of the account (PWD-20).',
  PLAN_FEATURE_NOT_AVAILABLE: 'The plan of the account lacks this feature (ACC-11).',
  POOL_IN_USE: 'The pool is the only one of an Ewon, or is used elsewhere (POOL-10).',
  POOL_NAME_IN_USE: 'Another pool of the account has this name (POOL-07).',
  QUERY_TOO_COMPLEX: 'The query costs more than the server allows (API-02).',
  RESERVATION_EXCEEDS_TOTAL: 'The reservations add up to more than the concurrent connections (CON-25).',
  SERIAL_NUMBER_MISMATCH: 'The serial number is not the one that the caller proves (GW-04).',
  SIGNING_REQUEST_INVALID:
    'The certificate signing request is malformed, badly signed, or has an unsupported key (GW-03).',
  STREAM_LAGGED: 'The reader of the stream was too slow; go on from the cursor (EVT-06).',
  SUBNET_CONFLICT: 'The LAN of the Ewon overlaps a VPN range (VPN-11).',
  TOO_MANY_REQUESTS: 'Too many requests; try again later.',
  UNAUTHENTICATED: 'Not logged in, or the token is not valid.',
  UNSUPPORTED_PROTOCOL: 'The protocol version is not supported.',
  USER_ALREADY_CONNECTED: 'The user has an Ecatcher session already; ask to switch to close it (CON-07).',
  USER_NEEDS_A_GROUP: 'A user is in at least one group (GRP-03).',
  USERNAME_IN_USE: 'Another user of the account has this user name (USR-04).',
  VALIDATION_FAILED: 'A value of the input is out of its range or form.',
  VPN_ADDRESS_EXHAUSTED: 'Every address of the VPN range is in use (VPN-08).',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * An error that its caller can understand: in a mutation it is data (a member of the `…Result` union), elsewhere
 * `extensions.code`, at enrolment the JSON answer, on a tunnel the close code.
 */
export class AppError extends Error {
  override readonly name: string = 'AppError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    /** The path of the offending value inside the input, where there is one. */
    readonly path: string[] | null = null,
  ) {
    super(message);
  }
}

/** A refusal that says when to try again. */
export class TooManyRequestsError extends AppError {
  override readonly name = 'TooManyRequestsError';
  constructor(
    message: string,
    /** Seconds, at least 1. */
    readonly retryAfter: number,
  ) {
    super('TOO_MANY_REQUESTS', message);
  }
}

/** One thing that is wrong with an input. */
export interface Violation {
  path: string[];
  message: string;
}

/** All violations of an input at once, each with its path. */
export class ValidationError extends AppError {
  override readonly name = 'ValidationError';
  constructor(readonly violations: [Violation, ...Violation[]]) {
    super('VALIDATION_FAILED', violations.map(({ message }) => message).join(' '), violations[0].path);
  }
}

export const notFound = (what: string): AppError => new AppError('NOT_FOUND', `No such ${what}.`);

/**
 * The catalogue of error codes (API-04): one stable code a reason, shared by GraphQL, enrolment and the tunnel. The text
 * beside each is its description in the schema. What is not in here reaches nobody but the log.
 */
export const ERROR_CODES = {
  ACCOUNT_IS_SOURCE: 'An account does not import from itself (IMP-16).',
  ACCOUNT_LIMIT_REACHED: 'The account has as many of these as it may have.',
  ACCOUNT_NAME_TAKEN: 'Another account has this name (ACC-03).',
  ACKNOWLEDGEMENT_REQUIRED:
    'The change affects contract and price; repeat it with `acknowledgeContractChange: true` (CON-14).',
  ACTIVATION_KEY_INVALID: 'The activation key is unknown, used or renewed (EWN-15).',
  AUTO_REGISTRATION_DISABLED: 'The account does not let devices register by name or by key (GRK-03).',
  BACKUP_MOBILE_REQUIRED: 'A user with administrator rights needs a backup number (TFA-16).',
  BACKUP_NUMBER_SAME_AS_PRIMARY: 'The backup number must differ from the primary one (TFA-15).',
  BAD_REQUEST: 'The request does not follow GraphQL over HTTP (API-06).',
  BRANDING_FILE_INVALID: 'The file is not what its name says, or breaks a limit (BRD-05).',
  CERTIFICATE_INVALID: 'The certificate is not the current one of the device, or has expired (GW-12).',
  CERTIFICATE_REVOKED: 'The certificate was revoked: the Ewon was removed, replaced or rejected (GW-12).',
  CLOCK_ADVANCE_INCOMPLETE: 'Too much falls due on the way; the clock stands where it got, advance it again (CLK-03).',
  CLOCK_GOES_BACK: 'The clock of the platform never goes back (CLK-01).',
  CODE_EXPIRED: 'The code has expired, was used, or a newer one was sent; ask for another (TFA-05).',
  CODE_INVALID: 'The code is wrong (TFA-06).',
  CONCURRENT_CONNECTION_LIMIT: 'All concurrent connections that the caller may use are taken (CON-05).',
  CONFIRMATION_REQUIRED: 'The operation ends sessions or cannot be undone; repeat it with `confirm: true`.',
  CONTACT_NEEDED: 'The account keeps at least one contact (CTC-03).',
  CURSOR_EXPIRED: 'The cursor is older than the retention of the log, or not of this account (EVT-04).',
  CURSOR_INVALID: 'The cursor is malformed: use one that the server has given.',
  DEVICE_ALREADY_REGISTERED: 'A device with this serial number is linked to an account already (EWN-16, GRK-11).',
  DEVICE_BUSY: 'The device has as many streams open as it can (TUN-02).',
  DEVICE_MESSAGES_EXHAUSTED: 'The Ewon has sent as many messages as it may in an hour (GW-13).',
  DOWNLOAD_INVALID: 'The download link is unknown or has expired; ask for another.',
  EWON_IN_USE: 'The Ewon is online or has open sessions, so it cannot be replaced (GRK-21).',
  EWON_NAME_IN_USE: 'Another Ewon of the account has this name (EWN-03).',
  EWON_NEEDS_A_POOL: 'An Ewon is in at least one pool (POOL-03).',
  EWON_NOT_APPROVED: 'The Ewon waits for approval or has no device yet (CON-03).',
  EWON_OFFLINE: 'The Ewon is not online (CON-03).',
  FILE_TOO_LARGE: 'The file exceeds its limit (BRD-05).',
  FIREWALL_LEVEL_NOT_AVAILABLE: 'The plan of the account does not have this firewall level (LAN-12).',
  FORBIDDEN: 'The caller lacks the right for this.',
  GRAPHQL_VALIDATION_FAILED: 'The document is not GraphQL, does not fit the schema, or its variables do not.',
  GRK_REVOKED: 'The registration key was renewed; this one is no longer valid (GRK-12).',
  GRK_UNKNOWN: 'No account has this registration key.',
  GROUP_IN_USE: 'The group has members that are in no other group (GRP-20).',
  GROUP_NAME_IN_USE: 'Another group of the account has this name (GRP-06).',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key was used with another input (API-01).',
  IMPORT_CHANGED: 'What was listed is no longer as it was; list the Ewons again (IMP-07).',
  IMPORT_RUNNING: 'The Ewons of this ticket are being moved at this moment; ask again for the results (IMP-10).',
  IMPORT_TICKET_INVALID:
    'The ticket is unknown or has expired, or was used for another pool; list the Ewons again (IMP-07).',
  INSUFFICIENT_CREDIT: 'Neither allowance nor credit of the account covers it (WAK-07).',
  INTERNAL_ERROR: 'Something unexpected happened; the request id finds it in the log of the server.',
  INVALID_CREDENTIALS: 'Supplied credentials are invalid (AUTH-03, AUTH-04).',
  INVALID_PHONE_NUMBER: 'Not a phone number with its country code, as +3225551234 (TFA-11).',
  INVITATION_INVALID: 'The invitation is unknown, used, replaced by a newer one or expired (INV-09).',
  IP_BANNED: 'Too many failed logins came from this address; an operator can lift the ban (AUTH-11).',
  IP_NOT_IN_LAN: 'The address is not a host address of the LAN of the Ewon, or is its own (LAN-13).',
  LAN_CONNECTION_LOST: 'The connection to the LAN device broke.',
  LAN_DEVICE_REFUSED: 'The LAN device refused the connection.',
  LAN_DEVICE_TIMEOUT: 'The LAN device did not answer in time.',
  LAN_DEVICE_UNREACHABLE: 'The Ewon cannot reach this address.',
  LAN_LIMIT_REACHED: 'The Ewon has as many LAN devices, ports or services as it may have.',
  LAN_PORT_IN_USE: 'Address, port and protocol are declared already (LAN-13).',
  LAST_ADMINISTRATOR: 'The account would be left without an enabled Administrator (ACC-23).',
  LINK_DELIVERY_FAILED: 'The server of the link was not reached, or did not take the data (M2U-05).',
  LINK_NAME_IN_USE: 'Another M2U link of the account has this name (M2U-02).',
  LINK_TARGET_FORBIDDEN: 'The target of the link is not a public host reached by https (M2U-04).',
  LOGIN_ALREADY_OPEN: 'The login is open already; nothing more is asked.',
  LOGIN_EXPIRED: 'The login has expired or was revoked; log in again (AUTH-18, EVT-08).',
  MAIL_SENDER_REQUIRED: 'The login is of no group that may send mail for Ewons (GW-13).',
  MESSAGE_FINISHED: 'The message was sent or given up; its content is gone, so it cannot be sent again.',
  MESSAGE_INVALID: 'The message does not follow the protocol.',
  MOBILE_REQUIRED: 'The security settings of the account, or the method, ask for a mobile number (TFA-14).',
  NOT_FOUND: 'There is no such object, or the caller may not see it (USR-03, EWN-02).',
  PASSWORD_CHANGE_FORBIDDEN: 'The user may not change his password (USR-19, USR-23, INV-07).',
  PASSWORD_CHANGE_REQUIRED: 'A new password must be chosen before anything else (AUTH-16).',
  PASSWORD_CONFIRMATION_MISMATCH: 'Password and confirmation differ (PWD-17).',
  PASSWORD_POLICY_VIOLATION: 'The password breaks the password policy of the account (PWD-20).',
  PAYMENT_NOT_AVAILABLE: 'This installation has no way to pay; ask its operator (BIL-05).',
  PLAN_FEATURE_NOT_AVAILABLE: 'The plan of the account lacks this feature (ACC-11).',
  PLAN_NOT_SELF_SERVICE: 'Only the operator of the platform sets this plan (ACC-14).',
  POOL_IN_USE: 'The pool is the only one of an Ewon, or is used elsewhere (POOL-10).',
  POOL_NAME_IN_USE: 'Another pool of the account has this name (POOL-07).',
  QUERY_TOO_COMPLEX: 'The query costs more than the server allows (API-02).',
  RATE_LIMITED:
    'The account, the login or the address has made as many calls as it may; `retryAfter` says when to go on (M2W-13, API-03).',
  REAUTHENTICATION_REQUIRED: 'The area is sensitive: confirm who you are first (AUTH-21).',
  RECOVERY_INVALID: 'The link is unknown, used, replaced by a newer one or expired (AUTH-13).',
  REMEMBER_PC_NOT_ALLOWED: 'The account, or the user, may not remember PCs (TFA-27).',
  REMOTE_ACCESS_DISABLED: 'The switch on the digital input of the Ewon forbids remote access (GW-07).',
  REPORT_TOO_LONG: 'The report has too many lines for a spreadsheet; take CSV (BIL-08).',
  RESERVATION_EXCEEDS_TOTAL: 'The reservations add up to more than the concurrent connections (CON-25).',
  SECOND_FACTOR_ENROLMENT_REQUIRED: 'A second factor must be set up before anything else (TFA-13, TFA-45).',
  SECOND_FACTOR_NOT_ACTIVE: 'The user has no active second factor.',
  SECOND_FACTOR_REQUIRED: 'The login waits for its second-factor code (AUTH-15).',
  SECOND_FACTOR_REQUIRED_BY_ACCOUNT: 'The account obliges every user to have a second factor (TFA-25, TFA-45).',
  SECRET_GONE: 'The secret was read already, or has expired (SUP-14).',
  SELF_NOT_ALLOWED: 'Nobody disables, deletes or expires himself (USR-31).',
  SERIAL_NUMBER_MISMATCH: 'The serial number is not the one that the caller proves (GW-04).',
  SESSION_CLOSED: 'The session has ended (TUN-03).',
  SIGNING_REQUEST_INVALID:
    'The certificate signing request is malformed, badly signed, or has an unsupported key (GW-03).',
  SMS_SENDER_REQUIRED: 'The login is of no group that may send text messages for Ewons (GW-13).',
  SOURCE_REQUIRES_TWO_FACTOR:
    'The source account, or its Administrator, has two-factor authentication; end it there first (IMP-12).',
  STREAM_FORBIDDEN: 'The firewall of the Ewon does not allow this address and port (LAN-06).',
  STREAM_LAGGED: 'The reader of the stream was too slow; go on from the cursor (EVT-06).',
  SUBNET_CONFLICT: 'The LAN of the Ewon overlaps a VPN range (VPN-11).',
  SUPPORT_DOMAIN_NOT_ALLOWED: 'The address is not in a domain of support engineers (SUP-04).',
  TOKEN_INVALID: 'The API token is unknown, deleted or renewed (TOK-10).',
  TOKEN_NAME_IN_USE: 'Another API token of the account has this name (TOK-11).',
  TOO_MANY_REQUESTS: 'Too many requests; try again later.',
  TOO_MANY_STREAMS: 'The session has as many streams open as it may (TUN-04).',
  TOO_MANY_TOKENS: 'The account has as many API tokens as it may have.',
  TWO_FACTOR_BLOCKED: 'Too many wrong codes; the login is blocked for a while (TFA-06, TFA-07).',
  UNAUTHENTICATED: 'Not logged in, or the token is not valid.',
  UNKNOWN_BRANDING_FILE: 'Branding has exactly the files welcome.png, logo.png and skin.ini (BRD-04).',
  UNSUPPORTED_PROTOCOL: 'The protocol version is not supported.',
  USERNAME_IN_USE: 'Another user of the account has this user name (USR-04).',
  USER_ALREADY_CONNECTED: 'The user has an Ecatcher session already; ask to switch to close it (CON-07).',
  USER_EXPIRED: 'The expiration date of the user has passed; move it first (USR-38).',
  USER_NEEDS_A_GROUP: 'A user is in at least one group (GRP-03).',
  USER_PENDING: 'The user has not accepted the invitation yet.',
  VALIDATION_FAILED: 'A value of the input is out of its range or form.',
  VPN_ADDRESS_EXHAUSTED: 'Every address of the VPN range is in use (VPN-08).',
  WAKE_UP_NOT_CONFIGURED:
    'The Ewon is permanently connected, so it is neither woken nor sent offline (WAK-03, WAK-04).',
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

/** The operation ends sessions or cannot be undone, and was not confirmed: nothing was done (EWN-19, USR-27, USR-30). */
export class ConfirmationRequiredError extends AppError {
  override readonly name = 'ConfirmationRequiredError';
  constructor(
    message: string,
    /** The open sessions that it would close. */
    readonly sessions: readonly { id: string }[],
    /** How many logins in force it would end. */
    readonly openLogins = 0,
  ) {
    super('CONFIRMATION_REQUIRED', message, ['confirm']);
  }
}

export const notFound = (what: string): AppError => new AppError('NOT_FOUND', `No such ${what}.`);

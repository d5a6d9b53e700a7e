/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** An invitation and the password that he chooses. */
export type AcceptInvitationInput = {
  /** Under the password policy, 6–45 characters (PWD-05). */
  password: string;
  /** The password again (PWD-17). */
  passwordConfirmation: string;
  /** From the link: what stands behind its `#`. */
  token: string;
};

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

/** Which of the user’s numbers a code goes to (TFA-09). */
export type CodeNumber =
  /** The backup number. */
  | 'BACKUP'
  /** The mobile number; for a code by e-mail, the address. */
  | 'PRIMARY';

/** Whether an Ewon keeps its tunnel open (WAK-03). */
export type ConnectionMode =
  /** It connects when it is woken by a text message, and can be sent offline. */
  | 'ON_DEMAND'
  /** It is always connected; it is neither woken nor sent offline. */
  | 'PERMANENT';

/** A new account and its first Administrator. */
export type CreateAccountInput = {
  /** 1–100 characters. */
  company: string;
  /** Of the Administrator (USR-05). */
  email: string;
  /** Of the Administrator. */
  fullName?: string | null | undefined;
  /** Unique on the platform without regard to case, for good: 3–40 letters, digits, `-`, `_` (ACC-03). */
  name: string;
  /** At least 8 characters with a letter and a digit, at most 45 (PWD-21). */
  password: string;
  /** Of the Administrator: 1–100 characters (USR-04). */
  username: string;
};

/** A new group; without roles and rights its members can do nothing (GRP-09). */
export type CreateGroupInput = {
  /** Members manage the users of their own group (GRP-10). */
  adminOfItself?: boolean;
  /** Ewons may send mail through the platform with the login of a member (GRP-12). */
  mailSender?: boolean;
  /** The group whose members manage the users of the new one; Administrators always do (GRP-07). */
  managedById?: string | number | null | undefined;
  /** The groups whose users its members manage (GRP-11); at most 500. */
  managedGroupIds?: Array<string | number>;
  /** Members may create groups (GRP-10). */
  mayCreateGroups?: boolean;
  /** Members may create pools (GRP-10). */
  mayCreatePools?: boolean;
  /** Unique in the account, 1–64 characters. */
  name: string;
  /** At most one entry a pool. */
  poolRights?: Array<PoolRightInput>;
  /** Ewons may send text messages through the platform with the login of a member (GRP-12). */
  smsSender?: boolean;
};

/** A machine behind an Ewon. */
export type CreateLanDeviceInput = {
  /** A host of the Ewon’s LAN and not the Ewon; any address while the LAN is not known (LAN-13). */
  address: string;
  /** Free text, up to 500 characters. */
  description?: string | null | undefined;
  /** The Ewon. */
  ewonId: string | number;
  /** 1–64 characters. */
  name: string;
  /** With address and protocol each is unique to the Ewon (LAN-13); at most 50 unless configured otherwise. */
  ports?: Array<LanPortInput>;
};

/** A new pool. */
export type CreatePoolInput = {
  /** Ewons to put into it, besides the pools that they are in (POOL-02, POOL-03); at most 500. */
  ewonIds?: Array<string | number>;
  /** Unique in the account, 1–64 characters. */
  name: string;
};

/** A new user, either with a password or invited to choose one: exactly one of the two (USR-09). */
export type CreateUserInput = {
  /** Up to three values of up to 255 characters, in the order of the fields (USR-08). */
  customFields?: Array<string | null | undefined> | null | undefined;
  /** Free text, up to 1000 characters (USR-07). */
  description?: string | null | undefined;
  /** For invitation and recovery of the password; several users may share it (USR-05). */
  email: string;
  /** When his access ends, in the future (USR-37). */
  expiresAt?: string | null | undefined;
  /** He may not change his own password in any way (USR-19). */
  forbidPasswordChange?: boolean;
  /** As people call him, up to 100 characters (USR-06). */
  fullName?: string | null | undefined;
  /** On plans with groups: one or more (GRP-03). */
  groupIds?: Array<string | number>;
  /** Instead of a password: a mail invites him to choose it himself; until then he is PENDING (INV-01). */
  invite?: boolean;
  /** He may change his own full name, e-mail and password (USR-16). */
  mayEditOwnProperties?: boolean;
  /** Others see his name as Connected User (USR-13). */
  nameIsPublic?: boolean;
  /** Under the password policy, 6–45 characters (PWD-05). */
  password?: string | null | undefined;
  /** The password again (PWD-17). */
  passwordConfirmation?: string | null | undefined;
  /** On plans without groups (USR-11). */
  role?: Role;
  /** Absent or null is the default of the account (TFA-26). */
  secondFactor?: UserSecondFactorInput | null | undefined;
  /** The login: 1–100 characters, unique in the account; an e-mail address will do (USR-04). */
  username: string;
};

/** What a time is compared with. All that is given holds together; null is as if it were absent. */
export type DateTimeFilter = {
  /** This time, to the millisecond. */
  equals?: string | null | undefined;
  /** At this time or later. */
  from?: string | null | undefined;
  /** One of these; at most 500. */
  in?: Array<string> | null | undefined;
  /** Only where there is none, or only where there is one. */
  isNull?: boolean | null | undefined;
  /** Before this time. */
  to?: string | null | undefined;
};

/** What the switch on the digital input of a device means for remote access (GW-07). */
export type DigitalInputPolicy =
  /** Nothing. */
  | 'IGNORE'
  /** Remote access is forbidden while it is on. */
  | 'ON_DISABLES'
  /** Remote access is allowed while it is on. */
  | 'ON_ENABLES';

/** Why something was refused. Codes are stable: clients decide by them, not by the message (API-04). */
export type ErrorCode =
  /** An account does not import from itself (IMP-16). */
  | 'ACCOUNT_IS_SOURCE'
  /** The account has as many of these as it may have. */
  | 'ACCOUNT_LIMIT_REACHED'
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
  /** The file is not what its name says, or breaks a limit (BRD-05). */
  | 'BRANDING_FILE_INVALID'
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
  /** The account keeps at least one contact (CTC-03). */
  | 'CONTACT_NEEDED'
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
  /** The download link is unknown or has expired; ask for another. */
  | 'DOWNLOAD_INVALID'
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
  /** The file exceeds its limit (BRD-05). */
  | 'FILE_TOO_LARGE'
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
  /** What was listed is no longer as it was; list the Ewons again (IMP-07). */
  | 'IMPORT_CHANGED'
  /** The Ewons of this ticket are being moved at this moment; ask again for the results (IMP-10). */
  | 'IMPORT_RUNNING'
  /** The ticket is unknown or has expired, or was used for another pool; list the Ewons again (IMP-07). */
  | 'IMPORT_TICKET_INVALID'
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
  /** The server of the link was not reached, or did not take the data (M2U-05). */
  | 'LINK_DELIVERY_FAILED'
  /** Another M2U link of the account has this name (M2U-02). */
  | 'LINK_NAME_IN_USE'
  /** The target of the link is not a public host reached by https (M2U-04). */
  | 'LINK_TARGET_FORBIDDEN'
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
  /** This installation has no way to pay; ask its operator (BIL-05). */
  | 'PAYMENT_NOT_AVAILABLE'
  /** The plan of the account lacks this feature (ACC-11). */
  | 'PLAN_FEATURE_NOT_AVAILABLE'
  /** Only the operator of the platform sets this plan (ACC-14). */
  | 'PLAN_NOT_SELF_SERVICE'
  /** The pool is the only one of an Ewon, or is used elsewhere (POOL-10). */
  | 'POOL_IN_USE'
  /** Another pool of the account has this name (POOL-07). */
  | 'POOL_NAME_IN_USE'
  /** The query costs more than the server allows (API-02). */
  | 'QUERY_TOO_COMPLEX'
  /** The account, the login or the address has made as many calls as it may; `retryAfter` says when to go on (M2W-13, API-03). */
  | 'RATE_LIMITED'
  /** The area is sensitive: confirm who you are first (AUTH-21). */
  | 'REAUTHENTICATION_REQUIRED'
  /** The link is unknown, used, replaced by a newer one or expired (AUTH-13). */
  | 'RECOVERY_INVALID'
  /** The account, or the user, may not remember PCs (TFA-27). */
  | 'REMEMBER_PC_NOT_ALLOWED'
  /** The switch on the digital input of the Ewon forbids remote access (GW-07). */
  | 'REMOTE_ACCESS_DISABLED'
  /** The report has too many lines for a spreadsheet; take CSV (BIL-08). */
  | 'REPORT_TOO_LONG'
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
  /** The source account, or its Administrator, has two-factor authentication; end it there first (IMP-12). */
  | 'SOURCE_REQUIRES_TWO_FACTOR'
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
  /** Branding has exactly the files welcome.png, logo.png and skin.ini (BRD-04). */
  | 'UNKNOWN_BRANDING_FILE'
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

/** Which Ewons. All that is given holds together; AND, OR and NOT combine further filters (LST-03). Null is as if it were absent. */
export type EwonFilter = {
  /** Each of these holds. */
  AND?: Array<EwonFilter> | null | undefined;
  /** This does not hold. */
  NOT?: EwonFilter | null | undefined;
  /** At least one of these holds; none does where there is none. */
  OR?: Array<EwonFilter> | null | undefined;
  /** Whether it keeps its tunnel open (WAK-03): one of these. */
  connectionMode?: Array<ConnectionMode> | null | undefined;
  /** When its record was created. */
  createdAt?: DateTimeFilter | null | undefined;
  /** The value of the first custom field (CF-04). */
  customField1?: StringFilter | null | undefined;
  /** The value of the second custom field (CF-04). */
  customField2?: StringFilter | null | undefined;
  /** The value of the third custom field (CF-04). */
  customField3?: StringFilter | null | undefined;
  /** The description (EWN-05). */
  description?: StringFilter | null | undefined;
  /** The state of its digital input (GW-06): one of these, null for none. */
  digitalInput?: Array<boolean | null | undefined> | null | undefined;
  /** What its digital input means for remote access (GW-07): one of these, null for none. */
  digitalInputPolicy?: Array<DigitalInputPolicy | null | undefined> | null | undefined;
  /** The firewall level (LAN-06): one of these. */
  firewallLevel?: Array<FirewallLevel> | null | undefined;
  /** The firmware version; the order is that of the text. */
  firmwareVersion?: StringFilter | null | undefined;
  /** Whether its device lets it be located (PRV-04): one of these, null for none. */
  geolocationEnabled?: Array<boolean | null | undefined> | null | undefined;
  /** These Ewons; at most 500. */
  ids?: Array<string | number> | null | undefined;
  /** When it was last heard. */
  lastSeenAt?: DateTimeFilter | null | undefined;
  /** Only those that appear on the map, or only those that do not (M2W-04, PRV-05). */
  located?: boolean | null | undefined;
  /** The device family (EWN-25): one of these, null for none. */
  model?: Array<EwonModel | null | undefined> | null | undefined;
  /** The name (EWN-03). */
  name?: StringFilter | null | undefined;
  /** The number in its reference, as 12 of DEV12 (EWN-04). */
  number?: NumberFilter | null | undefined;
  /** Only those that are online, or only those that are not. */
  online?: boolean | null | undefined;
  /** When it last came online; none while it is offline. */
  onlineSince?: DateTimeFilter | null | undefined;
  /** Ewons of this pool (POOL-11); none where the viewer does not see it (LST-06). */
  poolId?: string | number | null | undefined;
  /** When its present device registered. */
  registeredAt?: DateTimeFilter | null | undefined;
  /** How far it is with its registration (EWN-08): one of these. */
  registrationStatus?: Array<RegistrationStatus> | null | undefined;
  /** Part of one of these, without regard to case: name, description, serialNumber, customField1, customField2, customField3. */
  search?: string | null | undefined;
  /** The serial number (EWN-07). */
  serialNumber?: StringFilter | null | undefined;
  /** The connection status: one of these (EWN-09). */
  status?: Array<EwonStatus> | null | undefined;
  /** Its address on the WAN side (GW-06). */
  wanAddress?: StringFilter | null | undefined;
  /** How its device reaches the internet (GW-06): one of these, null for none. */
  wanType?: Array<WanType | null | undefined> | null | undefined;
};

/** The device family (EWN-25): COSY, COSY_PLUS or FLEXY. */
export type EwonModel =
  /** Ewon Cosy. */
  | 'COSY'
  /** Ewon Cosy+. */
  | 'COSY_PLUS'
  /** Ewon Flexy. */
  | 'FLEXY';

/** What people write about an Ewon (EWN-11). Absent keeps, null clears. */
export type EwonPropertiesInput = {
  /** Whether it is permanently connected, which null means too; ON_DEMAND needs a number (WAK-03). */
  connectionMode?: ConnectionMode | null | undefined;
  /** Up to three values of up to 255 characters, in the order of the fields. */
  customFields?: Array<string | null | undefined> | null | undefined;
  /** Free text, up to 500 characters. */
  description?: string | null | undefined;
  /** Unique in the account, 1–64 characters. */
  name?: string | null | undefined;
  /** All its pools, at least one; needs the right to administer each that is added or removed (EWN-20). */
  poolIds?: Array<string | number> | null | undefined;
  /** The number of its SIM card, with its country code; kept in the form of E.164 (WAK-03). */
  wakeUpNumber?: string | null | undefined;
};

/** Connection status of an Ewon (EWN-09). */
export type EwonStatus =
  /** Its tunnel is open and at least one user is connected to it. */
  | 'CONNECTED'
  /** No tunnel to the gateway. */
  | 'OFFLINE'
  /** Its tunnel is open and nobody is connected to it. */
  | 'ONLINE'
  /** A wake-up was sent; the device has not connected yet. */
  | 'WAKING_UP';

/** What a connected user reaches behind an Ewon, from open to strict (LAN-06). Whatever the level, nothing outside its LAN. */
export type FirewallLevel =
  /** Declared LAN devices on their declared ports, and all its own services (LAN-09). Not on plan FREE (LAN-12). */
  | 'ENFORCED'
  /** Declared LAN devices on any port, and all its own services (LAN-08). */
  | 'HIGH'
  /** Every address and port of its LAN, and all its own services (LAN-07). */
  | 'STANDARD'
  /** As ENFORCED, and of its own services the declared ones only (LAN-10). Not on plan FREE (LAN-12). */
  | 'ULTRA';

/** Whom access is given, to what and for how long. There is no place for the password of a device (SUP-12). */
export type GrantSupportAccessInput = {
  /** Each login of the engineer needs a code by e-mail, which is recommended (SUP-06); false leaves it to the default of the account (TFA-26). */
  codeByEmail?: boolean;
  /** How many days from now, 1 to 30; 2 unless given (SUP-09). */
  days?: number | null | undefined;
  /** The address of the engineer, in a domain of the support organisation (SUP-04); becomes his user name too (SUP-03). */
  email: string;
  /** The Ewons concerned: at least one on plans with pools (SUP-02). On the others it must be empty, for role USER reaches every Ewon (SUP-08). */
  ewonIds?: Array<string | number>;
  /** As people call him. */
  fullName?: string | null | undefined;
  /** The reference of the ticket, up to 50 letters, digits and `./#-_`; goes into custom field 1 of the user (SUP-10). Never a password (SUP-12). */
  ticket?: string | null | undefined;
};

/** A session of the viewer’s own. */
export type KeepSessionAliveInput = {
  /** The session. */
  sessionId: string | number;
};

/** A port of a LAN device. */
export type LanPortInput = {
  /** 1–65535. */
  port: number;
  /** What is spoken there. */
  protocol: LanProtocol;
};

/** What is spoken at a port (LAN-04). To the firewall all but UDP are TCP. */
export type LanProtocol =
  /** A web page, for the portal. */
  | 'HTTP'
  /** A web page over TLS, for the portal. */
  | 'HTTPS'
  /** A screen by RDP, for the portal. */
  | 'RDP'
  /** Any protocol over TCP, such as Modbus. */
  | 'TCP'
  /** Any protocol over UDP. */
  | 'UDP'
  /** A screen by VNC, for the portal. */
  | 'VNC';

/** What happened, as a stable code (LOG-19). New codes may come; a client shows the text of one it does not know. */
export type LogCode =
  /** ACCOUNT, INFO. */
  | 'ACCOUNT_CHANGED'
  /** ACCOUNT, INFO. */
  | 'ACCOUNT_CREATED'
  /** ACCOUNT, INFO. */
  | 'ANNOUNCEMENT_SENT'
  /** SECURITY, INFO. */
  | 'API_TOKEN_CHANGED'
  /** SECURITY, INFO. */
  | 'API_TOKEN_CREATED'
  /** SECURITY, INFO. */
  | 'API_TOKEN_DELETED'
  /** SECURITY, INFO. */
  | 'API_TOKEN_RENEWED'
  /** SECURITY, INFO. */
  | 'BACKUP_CODES_GENERATED'
  /** SECURITY, WARNING. */
  | 'BACKUP_CODES_RETRIEVED'
  /** SECURITY, WARNING. */
  | 'BACKUP_CODE_USED'
  /** ACCOUNT, INFO. */
  | 'BRANDING_CHANGED'
  /** ACCOUNT, INFO. */
  | 'CONTACT_ADDED'
  /** ACCOUNT, INFO. */
  | 'CONTACT_CHANGED'
  /** ACCOUNT, INFO. */
  | 'CONTACT_REMOVED'
  /** BILLING, INFO. */
  | 'CREDIT_ADDED'
  /** BILLING, WARNING. */
  | 'CREDIT_EXHAUSTED'
  /** ACCOUNT, INFO. */
  | 'CUSTOM_FIELDS_RENAMED'
  /** SECURITY, INFO. */
  | 'EWON_ACTIVATION_KEY_RENEWED'
  /** EWON, INFO. */
  | 'EWON_APPROVED'
  /** SECURITY, INFO. */
  | 'EWON_CERTIFICATE_RENEWED'
  /** EWON, INFO. */
  | 'EWON_CHANGED'
  /** EWON, ERROR. */
  | 'EWON_CONFIGURATION_ERROR'
  /** EWON, INFO. */
  | 'EWON_CREATED'
  /** SECURITY, INFO. */
  | 'EWON_FIREWALL_CHANGED'
  /** EWON, INFO. */
  | 'EWON_LAN_CHANGED'
  /** SECURITY, WARNING. */
  | 'EWON_MESSAGE_REFUSED'
  /** EWON, INFO. */
  | 'EWON_MESSAGE_SENT'
  /** EWON, INFO. */
  | 'EWON_MOVED_IN'
  /** EWON, WARNING. */
  | 'EWON_MOVED_OUT'
  /** EWON, INFO. */
  | 'EWON_OFFLINE'
  /** EWON, INFO. */
  | 'EWON_ONLINE'
  /** EWON, INFO. */
  | 'EWON_PATCHED'
  /** EWON, WARNING. */
  | 'EWON_PATCH_FAILED'
  /** EWON, INFO. */
  | 'EWON_PATCH_SKIPPED'
  /** EWON, INFO. */
  | 'EWON_REGISTERED'
  /** SECURITY, WARNING. */
  | 'EWON_REGISTRATION_REFUSED'
  /** EWON, INFO. */
  | 'EWON_REJECTED'
  /** SECURITY, WARNING. */
  | 'EWON_REMOTE_ACCESS_DISABLED'
  /** SECURITY, INFO. */
  | 'EWON_REMOTE_ACCESS_ENABLED'
  /** EWON, INFO. */
  | 'EWON_REMOVED'
  /** EWON, INFO. */
  | 'EWON_REPLACED'
  /** EWON, INFO. */
  | 'EWON_SENT_OFFLINE'
  /** SECURITY, WARNING. */
  | 'EWON_TUNNEL_REFUSED'
  /** SECURITY, WARNING. */
  | 'EWON_TUNNEL_REPLACED'
  /** EWON, WARNING. */
  | 'EWON_WAKE_UP_FAILED'
  /** EWON, INFO. */
  | 'EWON_WAKING_UP'
  /** ACCOUNT, INFO. */
  | 'GROUP_CHANGED'
  /** ACCOUNT, INFO. */
  | 'GROUP_CREATED'
  /** ACCOUNT, INFO. */
  | 'GROUP_DELETED'
  /** SECURITY, INFO. */
  | 'IDENTITY_CONFIRMED'
  /** SECURITY, INFO. */
  | 'IMPORT_LISTED'
  /** USER, INFO. */
  | 'INVITATION_ACCEPTED'
  /** USER, INFO. */
  | 'INVITATION_SENT'
  /** SECURITY, INFO. */
  | 'LOGGED_OUT'
  /** SECURITY, WARNING. */
  | 'LOGIN_FAILED'
  /** SECURITY, WARNING. */
  | 'LOGIN_LOCKED'
  /** SECURITY, INFO. */
  | 'LOGIN_REVOKED'
  /** SECURITY, INFO. */
  | 'LOGIN_SUCCEEDED'
  /** SECURITY, INFO. */
  | 'LOGIN_UNLOCKED'
  /** ACCOUNT, INFO. */
  | 'LOG_EXPORTED'
  /** EWON, INFO. */
  | 'M2U_DELIVERED'
  /** EWON, WARNING. */
  | 'M2U_FAILED'
  /** ACCOUNT, INFO. */
  | 'M2U_LINK_CHANGED'
  /** ACCOUNT, INFO. */
  | 'M2U_LINK_CREATED'
  /** ACCOUNT, INFO. */
  | 'M2U_LINK_DELETED'
  /** ACCOUNT, WARNING. */
  | 'MESSAGE_FAILED'
  /** ACCOUNT, INFO. */
  | 'MESSAGE_RETRIED'
  /** BILLING, INFO. */
  | 'MONTH_CLOSED'
  /** SECURITY, INFO. */
  | 'PASSWORD_CHANGED'
  /** SECURITY, INFO. */
  | 'PASSWORD_POLICY_CHANGED'
  /** SECURITY, INFO. */
  | 'PASSWORD_RECOVERED'
  /** SECURITY, INFO. */
  | 'PASSWORD_RECOVERY_REQUESTED'
  /** BILLING, INFO. */
  | 'PAYMENT_RECEIVED'
  /** SECURITY, INFO. */
  | 'PCS_FORGOTTEN'
  /** SECURITY, INFO. */
  | 'PC_REMEMBERED'
  /** ACCOUNT, INFO. */
  | 'PLAN_CHANGED'
  /** ACCOUNT, INFO. */
  | 'POOL_CHANGED'
  /** ACCOUNT, INFO. */
  | 'POOL_CREATED'
  /** ACCOUNT, INFO. */
  | 'POOL_DELETED'
  /** SECURITY, INFO. */
  | 'REGISTRATION_KEY_EXPORTED'
  /** SECURITY, INFO. */
  | 'REGISTRATION_KEY_RENEWED'
  /** BILLING, INFO. */
  | 'REPORT_DOWNLOADED'
  /** ACCOUNT, INFO. */
  | 'RESERVATIONS_CHANGED'
  /** SECURITY, WARNING. */
  | 'SECOND_FACTOR_BLOCKED'
  /** SECURITY, INFO. */
  | 'SECOND_FACTOR_CHANGED'
  /** SECURITY, INFO. */
  | 'SECOND_FACTOR_CODE_SENT'
  /** SECURITY, WARNING. */
  | 'SECOND_FACTOR_CODE_WRONG'
  /** SECURITY, WARNING. */
  | 'SECOND_FACTOR_DISABLED'
  /** SECURITY, INFO. */
  | 'SECOND_FACTOR_ENABLED'
  /** SECURITY, INFO. */
  | 'SECOND_FACTOR_POLICY_CHANGED'
  /** SECURITY, WARNING. */
  | 'SECOND_FACTOR_RESET'
  /** SECURITY, INFO. */
  | 'SECOND_FACTOR_UNBLOCKED'
  /** SECURITY, INFO. */
  | 'SECRET_READ'
  /** SECURITY, INFO. */
  | 'SECRET_SHARED'
  /** USER, INFO. */
  | 'SESSION_CLOSED'
  /** USER, WARNING. */
  | 'SESSION_REFUSED'
  /** USER, INFO. */
  | 'SESSION_STARTED'
  /** BILLING, INFO. */
  | 'SLOTS_CHANGED'
  /** BILLING, WARNING. */
  | 'SLOTS_DECREASE_CANCELLED'
  /** BILLING, INFO. */
  | 'SLOTS_DECREASE_SCHEDULED'
  /** BILLING, INFO. */
  | 'SMS_CHARGED'
  /** BILLING, INFO. */
  | 'SMS_PACKAGE_BOUGHT'
  /** BILLING, INFO. */
  | 'SMS_REFUNDED'
  /** SECURITY, INFO. */
  | 'STREAMS_CUT'
  /** SECURITY, WARNING. */
  | 'STREAM_REFUSED'
  /** SECURITY, WARNING. */
  | 'SUPPORT_ACCESS_GRANTED'
  /** SECURITY, INFO. */
  | 'SUPPORT_ACCESS_REVOKED'
  /** SECURITY, INFO. */
  | 'SUPPORT_PASSWORDS_CHANGED'
  /** BILLING, WARNING. */
  | 'TRIAL_ENDED'
  /** BILLING, INFO. */
  | 'TRIAL_STARTED'
  /** USER, INFO. */
  | 'USER_CHANGED'
  /** USER, INFO. */
  | 'USER_CREATED'
  /** USER, WARNING. */
  | 'USER_DELETED'
  /** USER, WARNING. */
  | 'USER_DISABLED'
  /** USER, INFO. */
  | 'USER_ENABLED'
  /** USER, INFO. */
  | 'USER_EXPIRED';

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

/** What a number is compared with. All that is given holds together; null is as if it were absent. */
export type NumberFilter = {
  /** This number. */
  equals?: number | null | undefined;
  /** One of these; at most 500. */
  in?: Array<number> | null | undefined;
  /** Only where there is none, or only where there is one. */
  isNull?: boolean | null | undefined;
  /** At most this. */
  max?: number | null | undefined;
  /** At least this. */
  min?: number | null | undefined;
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

/** Why a new password is asked for. */
export type PasswordChangeReason =
  /** It is older than the policy allows (AUTH-17). */
  | 'EXPIRED'
  /** An Administrator asks for it (USR-22). */
  | 'FORCED';

/** The plan of an account (ACC-04): FREE, LIGHT or PRO. */
export type Plan =
  /** One connection, no groups and no pools. */
  | 'FREE'
  /** Several connections, no groups and no pools; not self-service (ACC-14). */
  | 'LIGHT'
  /** Every feature. */
  | 'PRO';

/** Rights on a pool; those left out are not granted. */
export type PoolRightInput = {
  /** Add, remove and modify the Ewons of the pool; implies modify (GRP-13, GRP-14). */
  administer?: boolean;
  /** Connect to the Ewons of the pool with Ecatcher. */
  connectEcatcher?: boolean;
  /** Connect to the Ewons of the pool with M2web. */
  connectM2web?: boolean;
  /** Modify the Ewons of the pool. */
  modify?: boolean;
  /** The pool. */
  poolId: string | number;
};

/** A target behind an Ewon. */
export type ReachabilityInput = {
  /** The Ewon’s own, or one of its LAN. */
  address: string;
  /** The Ewon. */
  ewonId: string | number;
  /** 1–65535. */
  port: number;
  /** What is to be spoken there. */
  protocol?: LanProtocol;
};

/** Why the firewall lets a target be reached, or not. */
export type ReachabilityReason =
  /** Reachable: the level opens the whole LAN (LAN-07). */
  | 'ANY_LAN_ADDRESS'
  /** Reachable: the level opens every port of the Ewon itself. */
  | 'ANY_SERVICE'
  /** Reachable: a LAN device is declared at the address (LAN-08). */
  | 'DECLARED_DEVICE'
  /** Reachable: a LAN device is declared at address and port (LAN-09). */
  | 'DECLARED_PORT'
  /** Reachable: a service of the Ewon is declared at the port (LAN-10). */
  | 'DECLARED_SERVICE'
  /** No LAN device is declared at the address. */
  | 'DEVICE_NOT_DECLARED'
  /** Not a host of the LAN of the Ewon, or the Ewon has not told its LAN yet. */
  | 'NOT_IN_LAN'
  /** A LAN device is declared at the address, without this port. */
  | 'PORT_NOT_DECLARED'
  /** No service of the Ewon is declared at the port. */
  | 'SERVICE_NOT_DECLARED';

/** How far an Ewon is with its registration (EWN-08): PENDING is a record without a device yet, PENDING_APPROVAL arrived by registration key and waits, ACTIVE is a full member of the account. */
export type RegistrationStatus =
  /** A full member of the account. */
  | 'ACTIVE'
  /** A record without a device yet (EWN-14). */
  | 'PENDING'
  /** Its device arrived by registration key and waits (GRK-16). */
  | 'PENDING_APPROVAL';

/** Where the code is to go. */
export type ResendLoginCodeInput = {
  /** The number. */
  number?: CodeNumber;
};

/** The rights of a user on plans without groups (ACC-06): ADMINISTRATOR or USER. */
export type Role =
  /** Configures users and Ewons, and connects to every Ewon (ACC-22). */
  | 'ADMINISTRATOR'
  /** Connects to every Ewon and changes nothing (GRP-23). */
  | 'USER';

/** How the second factor is proved (TFA-38). */
export type SecondFactorMethod =
  /** A code of an authenticator app, RFC 6238 (TFA-40). */
  | 'APP'
  /** A code of 6 digits by e-mail (TFA-39). */
  | 'EMAIL'
  /** A code of 4 digits by text message (TFA-03). */
  | 'SMS';

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

/** The number of concurrent connections that the account wants. */
export type SetConcurrentConnectionsInput = {
  /** The caller knows that contract and price change (CON-14); see `slotOffer`. */
  acknowledgeContractChange?: boolean;
  /** Not below what the plan includes (CON-18). */
  concurrentConnections: number;
};

/** The level that is to be in force. */
export type SetFirewallLevelInput = {
  /** The Ewon. */
  ewonId: string | number;
  /** On plan FREE: STANDARD or HIGH (LAN-12). */
  level: FirewallLevel;
};

/** What a text is compared with. All that is given holds together; null is as if it were absent. */
export type StringFilter = {
  /** Part of it, without regard to case. */
  contains?: string | null | undefined;
  /** This text; names are compared without regard to case, all other texts exactly. */
  equals?: string | null | undefined;
  /** One of these, compared as with `equals`; at most 500. */
  in?: Array<string> | null | undefined;
  /** Only where there is none, or only where there is one. */
  isNull?: boolean | null | undefined;
};

/** The second factor. */
export type SubmitLoginCodeInput = {
  /** The code that was sent, that of the authenticator app, or a backup code. */
  code: string;
  /** From now on this PC needs no code; for personal machines only (TFA-30, TFA-36). */
  rememberPc?: boolean;
};

/** The second factor of a new user (TFA-12, TFA-39). */
export type UserSecondFactorInput = {
  /** Another number; users with administrator rights need one (TFA-15, TFA-16). */
  backupMobile?: string | null | undefined;
  /** Null is none. */
  method?: SecondFactorMethod | null | undefined;
  /** For codes by text message, with country code; without it he gives it at his first login (TFA-13). */
  mobile?: string | null | undefined;
};

/** The Ewon to wake. */
export type WakeUpEwonInput = {
  /** One that connects on demand. */
  ewonId: string | number;
};

/** How the device reaches the internet (GW-06): ETHERNET, WIFI or CELLULAR. */
export type WanType =
  /** By a mobile network. */
  | 'CELLULAR'
  /** By cable. */
  | 'ETHERNET'
  /** By Wi-Fi. */
  | 'WIFI';

export type EcatcherLoginMutationVariables = Exact<{
  input: LoginInput;
}>;


export type EcatcherLoginMutation = { login:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'InvalidCredentialsError', code: ErrorCode, message: string }
    | { __typename: 'LoginSuccess', token: string, expiresAt: string, deviceToken: string | null, deviceTokenExpiresAt: string | null }
    | { __typename: 'PasswordChangeRequired', reason: PasswordChangeReason }
    | { __typename: 'SecondFactorEnrolmentRequired', methods: Array<SecondFactorMethod> }
    | { __typename: 'SecondFactorRequired', token: string, method: SecondFactorMethod, sentTo: string | null, codeExpiresAt: string | null, hasBackupNumber: boolean, mayRememberPc: boolean }
    | { __typename: 'TooManyRequestsError', retryAfter: number, code: ErrorCode, message: string }
    | { __typename: 'TwoFactorBlockedError', blockedUntil: string, code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

type EcatcherLoginStep_DomainError_Fragment = { __typename: 'DomainError', code: ErrorCode, message: string };

type EcatcherLoginStep_InvalidCredentialsError_Fragment = { __typename: 'InvalidCredentialsError', code: ErrorCode, message: string };

type EcatcherLoginStep_LoginSuccess_Fragment = { __typename: 'LoginSuccess', token: string, expiresAt: string, deviceToken: string | null, deviceTokenExpiresAt: string | null };

type EcatcherLoginStep_PasswordChangeRequired_Fragment = { __typename: 'PasswordChangeRequired', reason: PasswordChangeReason };

type EcatcherLoginStep_SecondFactorEnrolmentRequired_Fragment = { __typename: 'SecondFactorEnrolmentRequired', methods: Array<SecondFactorMethod> };

type EcatcherLoginStep_SecondFactorRequired_Fragment = { __typename: 'SecondFactorRequired', token: string, method: SecondFactorMethod, sentTo: string | null, codeExpiresAt: string | null, hasBackupNumber: boolean, mayRememberPc: boolean };

type EcatcherLoginStep_TooManyRequestsError_Fragment = { __typename: 'TooManyRequestsError', retryAfter: number, code: ErrorCode, message: string };

type EcatcherLoginStep_TwoFactorBlockedError_Fragment = { __typename: 'TwoFactorBlockedError', blockedUntil: string, code: ErrorCode, message: string };

type EcatcherLoginStep_ValidationError_Fragment = { __typename: 'ValidationError', code: ErrorCode, message: string };

export type EcatcherLoginStepFragment =
  | EcatcherLoginStep_DomainError_Fragment
  | EcatcherLoginStep_InvalidCredentialsError_Fragment
  | EcatcherLoginStep_LoginSuccess_Fragment
  | EcatcherLoginStep_PasswordChangeRequired_Fragment
  | EcatcherLoginStep_SecondFactorEnrolmentRequired_Fragment
  | EcatcherLoginStep_SecondFactorRequired_Fragment
  | EcatcherLoginStep_TooManyRequestsError_Fragment
  | EcatcherLoginStep_TwoFactorBlockedError_Fragment
  | EcatcherLoginStep_ValidationError_Fragment
;

export type EcatcherSubmitCodeMutationVariables = Exact<{
  input: SubmitLoginCodeInput;
}>;


export type EcatcherSubmitCodeMutation = { submitLoginCode:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'InvalidCredentialsError', code: ErrorCode, message: string }
    | { __typename: 'LoginSuccess', token: string, expiresAt: string, deviceToken: string | null, deviceTokenExpiresAt: string | null }
    | { __typename: 'PasswordChangeRequired', reason: PasswordChangeReason }
    | { __typename: 'SecondFactorEnrolmentRequired', methods: Array<SecondFactorMethod> }
    | { __typename: 'SecondFactorRequired', token: string, method: SecondFactorMethod, sentTo: string | null, codeExpiresAt: string | null, hasBackupNumber: boolean, mayRememberPc: boolean }
    | { __typename: 'TooManyRequestsError', retryAfter: number, code: ErrorCode, message: string }
    | { __typename: 'TwoFactorBlockedError', blockedUntil: string, code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type EcatcherResendCodeMutationVariables = Exact<{
  input: ResendLoginCodeInput;
}>;


export type EcatcherResendCodeMutation = { resendLoginCode:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'ResendLoginCodeSuccess', sentTo: string | null }
    | { __typename: 'TooManyRequestsError', retryAfter: number, code: ErrorCode, message: string }
    | { __typename: 'TwoFactorBlockedError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type EcatcherLogoutMutationVariables = Exact<{ [key: string]: never; }>;


export type EcatcherLogoutMutation = { logout:
    | { __typename: 'DomainError' }
    | { __typename: 'LogoutSuccess' }
    | { __typename: 'ValidationError' }
   };

export type EcatcherEwonsQueryVariables = Exact<{
  filter?: EwonFilter | null | undefined;
  first: number;
  after?: string | null | undefined;
}>;


export type EcatcherEwonsQuery = { ewons: { totalCount: number, nodes: Array<{ id: string, reference: string, name: string, serialNumber: string | null, model: EwonModel | null, description: string | null, status: EwonStatus, vpnAddress: string | null, viewerCan: Array<EwonAction> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type EcatcherOpenSessionMutationVariables = Exact<{
  input: OpenSessionInput;
}>;


export type EcatcherOpenSessionMutation = { openSession:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'NoFreeSlotError', code: ErrorCode, message: string, usage: { total: number, inUse: number, usableByViewer: number, reservations: Array<{ count: number, inUse: number, group: { name: string } | null }> }, holders: Array<{ userName: string | null, since: string }> }
    | { __typename: 'OpenSessionSuccess', session: { id: string, reference: string, state: SessionState, closeReason: SessionCloseReason | null, userVpnAddress: string | null, ewonVpnAddress: string | null, ewonName: string, slot: { reserved: boolean } | null }, tunnel: { url: string, token: string } }
    | { __typename: 'UserAlreadyConnectedError', code: ErrorCode, message: string, session: { reference: string, ewonName: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type EcatcherQueueQueryVariables = Exact<{ [key: string]: never; }>;


export type EcatcherQueueQuery = { viewer: { slotWait: { position: number | null, expiresAt: string } | null } | null };

export type EcatcherLeaveQueueMutationVariables = Exact<{ [key: string]: never; }>;


export type EcatcherLeaveQueueMutation = { leaveSlotQueue:
    | { __typename: 'DomainError' }
    | { __typename: 'LeaveSlotQueueSuccess' }
    | { __typename: 'ValidationError' }
   };

export type EcatcherCloseSessionMutationVariables = Exact<{
  input: CloseSessionInput;
}>;


export type EcatcherCloseSessionMutation = { closeSession:
    | { __typename: 'CloseSessionSuccess', session: { state: SessionState, closeReason: SessionCloseReason | null, bytesIn: number, bytesOut: number } }
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type EcatcherSessionQueryVariables = Exact<{
  id: string | number;
}>;


export type EcatcherSessionQuery = { node:
    | { __typename: 'Account' }
    | { __typename: 'ApiToken' }
    | { __typename: 'Contact' }
    | { __typename: 'Ewon' }
    | { __typename: 'EwonImport' }
    | { __typename: 'EwonService' }
    | { __typename: 'Group' }
    | { __typename: 'LanDevice' }
    | { __typename: 'LedgerEntry' }
    | { __typename: 'Login' }
    | { __typename: 'M2uLink' }
    | { __typename: 'OneTimeSecret' }
    | { __typename: 'OutgoingMessage' }
    | { __typename: 'Pool' }
    | { __typename: 'Session', state: SessionState, closeReason: SessionCloseReason | null, bytesIn: number, bytesOut: number }
    | { __typename: 'SupportAccess' }
    | { __typename: 'User' }
   | null };

export type EcatcherReachabilityQueryVariables = Exact<{
  input: ReachabilityInput;
}>;


export type EcatcherReachabilityQuery = { reachability: { reachable: boolean, level: FirewallLevel, rule: string, reason: ReachabilityReason } | null };

export type EcatcherWakeMutationVariables = Exact<{
  input: WakeUpEwonInput;
}>;


export type EcatcherWakeMutation = { wakeUpEwon:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'TooManyRequestsError', retryAfter: number, code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
    | { __typename: 'WakeUpEwonSuccess', ewon: { status: EwonStatus, wakingUntil: string | null } }
   };

export type EcatcherEwonStatusQueryVariables = Exact<{
  id: string | number;
}>;


export type EcatcherEwonStatusQuery = { ewon: { status: EwonStatus } | null };

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

export type SimCreateAccountMutationVariables = Exact<{
  input: CreateAccountInput;
}>;


export type SimCreateAccountMutation = { createAccount:
    | { __typename: 'CreateAccountSuccess', token: string }
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'PasswordPolicyError', code: ErrorCode, message: string }
    | { __typename: 'TooManyRequestsError', code: ErrorCode, message: string, retryAfter: number }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimAccountQueryVariables = Exact<{ [key: string]: never; }>;


export type SimAccountQuery = { account: { plan: Plan, slots: { total: number }, autoRegistration: { registrationKey: string } | null } | null, pools: { nodes: Array<{ id: string, name: string, isDefault: boolean }> } };

export type SimCreatePoolMutationVariables = Exact<{
  input: CreatePoolInput;
}>;


export type SimCreatePoolMutation = { createPool:
    | { __typename: 'CreatePoolSuccess', pool: { id: string } }
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimCreateGroupMutationVariables = Exact<{
  input: CreateGroupInput;
}>;


export type SimCreateGroupMutation = { createGroup:
    | { __typename: 'CreateGroupSuccess', group: { id: string } }
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimCreateUserMutationVariables = Exact<{
  input: CreateUserInput;
}>;


export type SimCreateUserMutation = { createUser:
    | { __typename: 'CreateUserSuccess', user: { id: string } }
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'PasswordPolicyError', code: ErrorCode, message: string }
    | { __typename: 'TooManyRequestsError', code: ErrorCode, message: string, retryAfter: number }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimSetSlotsMutationVariables = Exact<{
  input: SetConcurrentConnectionsInput;
}>;


export type SimSetSlotsMutation = { setConcurrentConnections:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'SetConcurrentConnectionsSuccess', slots: { total: number } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimApproveMutationVariables = Exact<{
  input: ApproveEwonInput;
}>;


export type SimApproveMutation = { approveEwon:
    | { __typename: 'ApproveEwonSuccess', ewon: { id: string } }
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimEwonOfSerialQueryVariables = Exact<{
  serialNumber: string;
}>;


export type SimEwonOfSerialQuery = { ewon: { id: string, status: EwonStatus, registrationStatus: RegistrationStatus } | null };

export type SimEwonStatesQueryVariables = Exact<{
  after?: string | null | undefined;
}>;


export type SimEwonStatesQuery = { ewons: { nodes: Array<{ id: string, serialNumber: string | null, status: EwonStatus, registrationStatus: RegistrationStatus }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type SimLogEntriesQueryVariables = Exact<{
  before?: string | null | undefined;
  last: number;
}>;


export type SimLogEntriesQuery = { logEntries: { nodes: Array<{ cursor: string, number: string, at: string, code: LogCode, text: string, userName: string | null, ewonName: string | null }> } };

export type SimOpenSessionsQueryVariables = Exact<{ [key: string]: never; }>;


export type SimOpenSessionsQuery = { sessions: { totalCount: number } };

export type SimGrantSupportMutationVariables = Exact<{
  input: GrantSupportAccessInput;
}>;


export type SimGrantSupportMutation = { grantSupportAccess:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'GrantSupportAccessSuccess', supportAccess: { id: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimAcceptInvitationMutationVariables = Exact<{
  input: AcceptInvitationInput;
}>;


export type SimAcceptInvitationMutation = { acceptInvitation:
    | { __typename: 'AcceptInvitationSuccess', username: string }
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'PasswordPolicyError', code: ErrorCode, message: string }
    | { __typename: 'TooManyRequestsError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimCreateLanDeviceMutationVariables = Exact<{
  input: CreateLanDeviceInput;
}>;


export type SimCreateLanDeviceMutation = { createLanDevice:
    | { __typename: 'CreateLanDeviceSuccess' }
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

export type SimSetFirewallLevelMutationVariables = Exact<{
  input: SetFirewallLevelInput;
}>;


export type SimSetFirewallLevelMutation = { setFirewallLevel:
    | { __typename: 'DomainError', code: ErrorCode, message: string }
    | { __typename: 'SetFirewallLevelSuccess' }
    | { __typename: 'ValidationError', code: ErrorCode, message: string }
   };

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
    | { __typename: 'TooManyRequestsError', code: ErrorCode, message: string, retryAfter: number }
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
    | { __typename: 'OpenSessionSuccess', session: { id: string }, tunnel: { url: string, token: string } }
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

export type SimSlotWaitQueryVariables = Exact<{ [key: string]: never; }>;


export type SimSlotWaitQuery = { viewer: { slotWait: { position: number | null } | null } | null };

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
export const EcatcherLoginStepFragmentDoc = new TypedDocumentString(`
    fragment EcatcherLoginStep on LoginResult {
  __typename
  ... on LoginSuccess {
    token
    expiresAt
    deviceToken
    deviceTokenExpiresAt
  }
  ... on SecondFactorRequired {
    token
    method
    sentTo
    codeExpiresAt
    hasBackupNumber
    mayRememberPc
  }
  ... on SecondFactorEnrolmentRequired {
    methods
  }
  ... on PasswordChangeRequired {
    reason
  }
  ... on TwoFactorBlockedError {
    blockedUntil
  }
  ... on TooManyRequestsError {
    retryAfter
  }
  ... on Error {
    code
    message
  }
}
    `, {"fragmentName":"EcatcherLoginStep"}) as unknown as TypedDocumentString<EcatcherLoginStepFragment, unknown>;
export const EcatcherLoginDocument = new TypedDocumentString(`
    mutation EcatcherLogin($input: LoginInput!) {
  login(input: $input) {
    ...EcatcherLoginStep
  }
}
    fragment EcatcherLoginStep on LoginResult {
  __typename
  ... on LoginSuccess {
    token
    expiresAt
    deviceToken
    deviceTokenExpiresAt
  }
  ... on SecondFactorRequired {
    token
    method
    sentTo
    codeExpiresAt
    hasBackupNumber
    mayRememberPc
  }
  ... on SecondFactorEnrolmentRequired {
    methods
  }
  ... on PasswordChangeRequired {
    reason
  }
  ... on TwoFactorBlockedError {
    blockedUntil
  }
  ... on TooManyRequestsError {
    retryAfter
  }
  ... on Error {
    code
    message
  }
}`) as unknown as TypedDocumentString<EcatcherLoginMutation, EcatcherLoginMutationVariables>;
export const EcatcherSubmitCodeDocument = new TypedDocumentString(`
    mutation EcatcherSubmitCode($input: SubmitLoginCodeInput!) {
  submitLoginCode(input: $input) {
    ...EcatcherLoginStep
  }
}
    fragment EcatcherLoginStep on LoginResult {
  __typename
  ... on LoginSuccess {
    token
    expiresAt
    deviceToken
    deviceTokenExpiresAt
  }
  ... on SecondFactorRequired {
    token
    method
    sentTo
    codeExpiresAt
    hasBackupNumber
    mayRememberPc
  }
  ... on SecondFactorEnrolmentRequired {
    methods
  }
  ... on PasswordChangeRequired {
    reason
  }
  ... on TwoFactorBlockedError {
    blockedUntil
  }
  ... on TooManyRequestsError {
    retryAfter
  }
  ... on Error {
    code
    message
  }
}`) as unknown as TypedDocumentString<EcatcherSubmitCodeMutation, EcatcherSubmitCodeMutationVariables>;
export const EcatcherResendCodeDocument = new TypedDocumentString(`
    mutation EcatcherResendCode($input: ResendLoginCodeInput!) {
  resendLoginCode(input: $input) {
    __typename
    ... on ResendLoginCodeSuccess {
      sentTo
    }
    ... on TooManyRequestsError {
      retryAfter
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<EcatcherResendCodeMutation, EcatcherResendCodeMutationVariables>;
export const EcatcherLogoutDocument = new TypedDocumentString(`
    mutation EcatcherLogout {
  logout {
    __typename
  }
}
    `) as unknown as TypedDocumentString<EcatcherLogoutMutation, EcatcherLogoutMutationVariables>;
export const EcatcherEwonsDocument = new TypedDocumentString(`
    query EcatcherEwons($filter: EwonFilter, $first: Int!, $after: String) {
  ewons(filter: $filter, first: $first, after: $after) {
    totalCount
    nodes {
      id
      reference
      name
      serialNumber
      model
      description
      status
      vpnAddress
      viewerCan
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<EcatcherEwonsQuery, EcatcherEwonsQueryVariables>;
export const EcatcherOpenSessionDocument = new TypedDocumentString(`
    mutation EcatcherOpenSession($input: OpenSessionInput!) {
  openSession(input: $input) {
    __typename
    ... on OpenSessionSuccess {
      session {
        id
        reference
        state
        closeReason
        userVpnAddress
        ewonVpnAddress
        ewonName
        slot {
          reserved
        }
      }
      tunnel {
        url
        token
      }
    }
    ... on NoFreeSlotError {
      code
      message
      usage {
        total
        inUse
        usableByViewer
        reservations {
          count
          inUse
          group {
            name
          }
        }
      }
      holders {
        userName
        since
      }
    }
    ... on UserAlreadyConnectedError {
      code
      message
      session {
        reference
        ewonName
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<EcatcherOpenSessionMutation, EcatcherOpenSessionMutationVariables>;
export const EcatcherQueueDocument = new TypedDocumentString(`
    query EcatcherQueue {
  viewer {
    slotWait {
      position
      expiresAt
    }
  }
}
    `) as unknown as TypedDocumentString<EcatcherQueueQuery, EcatcherQueueQueryVariables>;
export const EcatcherLeaveQueueDocument = new TypedDocumentString(`
    mutation EcatcherLeaveQueue {
  leaveSlotQueue {
    __typename
  }
}
    `) as unknown as TypedDocumentString<EcatcherLeaveQueueMutation, EcatcherLeaveQueueMutationVariables>;
export const EcatcherCloseSessionDocument = new TypedDocumentString(`
    mutation EcatcherCloseSession($input: CloseSessionInput!) {
  closeSession(input: $input) {
    __typename
    ... on CloseSessionSuccess {
      session {
        state
        closeReason
        bytesIn
        bytesOut
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<EcatcherCloseSessionMutation, EcatcherCloseSessionMutationVariables>;
export const EcatcherSessionDocument = new TypedDocumentString(`
    query EcatcherSession($id: ID!) {
  node(id: $id) {
    __typename
    ... on Session {
      state
      closeReason
      bytesIn
      bytesOut
    }
  }
}
    `) as unknown as TypedDocumentString<EcatcherSessionQuery, EcatcherSessionQueryVariables>;
export const EcatcherReachabilityDocument = new TypedDocumentString(`
    query EcatcherReachability($input: ReachabilityInput!) {
  reachability(input: $input) {
    reachable
    level
    rule
    reason
  }
}
    `) as unknown as TypedDocumentString<EcatcherReachabilityQuery, EcatcherReachabilityQueryVariables>;
export const EcatcherWakeDocument = new TypedDocumentString(`
    mutation EcatcherWake($input: WakeUpEwonInput!) {
  wakeUpEwon(input: $input) {
    __typename
    ... on WakeUpEwonSuccess {
      ewon {
        status
        wakingUntil
      }
    }
    ... on TooManyRequestsError {
      retryAfter
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<EcatcherWakeMutation, EcatcherWakeMutationVariables>;
export const EcatcherEwonStatusDocument = new TypedDocumentString(`
    query EcatcherEwonStatus($id: ID!) {
  ewon(by: {id: $id}) {
    status
  }
}
    `) as unknown as TypedDocumentString<EcatcherEwonStatusQuery, EcatcherEwonStatusQueryVariables>;
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
export const SimCreateAccountDocument = new TypedDocumentString(`
    mutation SimCreateAccount($input: CreateAccountInput!) {
  createAccount(input: $input) {
    __typename
    ... on CreateAccountSuccess {
      token
    }
    ... on Error {
      code
      message
    }
    ... on TooManyRequestsError {
      retryAfter
    }
  }
}
    `) as unknown as TypedDocumentString<SimCreateAccountMutation, SimCreateAccountMutationVariables>;
export const SimAccountDocument = new TypedDocumentString(`
    query SimAccount {
  account {
    plan
    slots {
      total
    }
    autoRegistration {
      registrationKey
    }
  }
  pools(first: 500) {
    nodes {
      id
      name
      isDefault
    }
  }
}
    `) as unknown as TypedDocumentString<SimAccountQuery, SimAccountQueryVariables>;
export const SimCreatePoolDocument = new TypedDocumentString(`
    mutation SimCreatePool($input: CreatePoolInput!) {
  createPool(input: $input) {
    __typename
    ... on CreatePoolSuccess {
      pool {
        id
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimCreatePoolMutation, SimCreatePoolMutationVariables>;
export const SimCreateGroupDocument = new TypedDocumentString(`
    mutation SimCreateGroup($input: CreateGroupInput!) {
  createGroup(input: $input) {
    __typename
    ... on CreateGroupSuccess {
      group {
        id
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimCreateGroupMutation, SimCreateGroupMutationVariables>;
export const SimCreateUserDocument = new TypedDocumentString(`
    mutation SimCreateUser($input: CreateUserInput!) {
  createUser(input: $input) {
    __typename
    ... on CreateUserSuccess {
      user {
        id
      }
    }
    ... on Error {
      code
      message
    }
    ... on TooManyRequestsError {
      retryAfter
    }
  }
}
    `) as unknown as TypedDocumentString<SimCreateUserMutation, SimCreateUserMutationVariables>;
export const SimSetSlotsDocument = new TypedDocumentString(`
    mutation SimSetSlots($input: SetConcurrentConnectionsInput!) {
  setConcurrentConnections(input: $input) {
    __typename
    ... on SetConcurrentConnectionsSuccess {
      slots {
        total
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimSetSlotsMutation, SimSetSlotsMutationVariables>;
export const SimApproveDocument = new TypedDocumentString(`
    mutation SimApprove($input: ApproveEwonInput!) {
  approveEwon(input: $input) {
    __typename
    ... on ApproveEwonSuccess {
      ewon {
        id
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimApproveMutation, SimApproveMutationVariables>;
export const SimEwonOfSerialDocument = new TypedDocumentString(`
    query SimEwonOfSerial($serialNumber: SerialNumber!) {
  ewon(by: {serialNumber: $serialNumber}) {
    id
    status
    registrationStatus
  }
}
    `) as unknown as TypedDocumentString<SimEwonOfSerialQuery, SimEwonOfSerialQueryVariables>;
export const SimEwonStatesDocument = new TypedDocumentString(`
    query SimEwonStates($after: String) {
  ewons(first: 500, after: $after) {
    nodes {
      id
      serialNumber
      status
      registrationStatus
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<SimEwonStatesQuery, SimEwonStatesQueryVariables>;
export const SimLogEntriesDocument = new TypedDocumentString(`
    query SimLogEntries($before: String, $last: Int!) {
  logEntries(last: $last, before: $before) {
    nodes {
      cursor
      number
      at
      code
      text
      userName
      ewonName
    }
  }
}
    `) as unknown as TypedDocumentString<SimLogEntriesQuery, SimLogEntriesQueryVariables>;
export const SimOpenSessionsDocument = new TypedDocumentString(`
    query SimOpenSessions {
  sessions(first: 1, filter: {live: true}) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<SimOpenSessionsQuery, SimOpenSessionsQueryVariables>;
export const SimGrantSupportDocument = new TypedDocumentString(`
    mutation SimGrantSupport($input: GrantSupportAccessInput!) {
  grantSupportAccess(input: $input) {
    __typename
    ... on GrantSupportAccessSuccess {
      supportAccess {
        id
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimGrantSupportMutation, SimGrantSupportMutationVariables>;
export const SimAcceptInvitationDocument = new TypedDocumentString(`
    mutation SimAcceptInvitation($input: AcceptInvitationInput!) {
  acceptInvitation(input: $input) {
    __typename
    ... on AcceptInvitationSuccess {
      username
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimAcceptInvitationMutation, SimAcceptInvitationMutationVariables>;
export const SimCreateLanDeviceDocument = new TypedDocumentString(`
    mutation SimCreateLanDevice($input: CreateLanDeviceInput!) {
  createLanDevice(input: $input) {
    __typename
    ... on CreateLanDeviceSuccess {
      __typename
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimCreateLanDeviceMutation, SimCreateLanDeviceMutationVariables>;
export const SimSetFirewallLevelDocument = new TypedDocumentString(`
    mutation SimSetFirewallLevel($input: SetFirewallLevelInput!) {
  setFirewallLevel(input: $input) {
    __typename
    ... on SetFirewallLevelSuccess {
      __typename
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SimSetFirewallLevelMutation, SimSetFirewallLevelMutationVariables>;
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
    ... on TooManyRequestsError {
      retryAfter
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
      tunnel {
        url
        token
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
export const SimSlotWaitDocument = new TypedDocumentString(`
    query SimSlotWait {
  viewer {
    slotWait {
      position
    }
  }
}
    `) as unknown as TypedDocumentString<SimSlotWaitQuery, SimSlotWaitQueryVariables>;
import type { LogCategory, LogSeverity } from '../generated/prisma/enums.ts';

/** What an entry's text is made from: its parameters, and the names of its user and Ewon. */
interface TextParts {
  user: string;
  ewon: string;
  params: Record<string, unknown>;
}

interface EventKind {
  category: LogCategory;
  severity: LogSeverity;
  /** LOG-19: the English text is derived from code and parameters. */
  text: (parts: TextParts) => string;
}

const kind = (category: LogCategory, severity: LogSeverity, text: EventKind['text']): EventKind => ({
  category,
  severity,
  text,
});

/** Every event that the log knows (LOG-01, LOG-19). Parameters never carry a secret (LOG-21). */
export const LOG_EVENTS = {
  ACCOUNT_CREATED: kind('ACCOUNT', 'INFO', ({ user }) => `Account created by ${user}`),
  ACCOUNT_CHANGED: kind('ACCOUNT', 'INFO', ({ params }) => `Account setting changed: ${params.setting}`),
  PLAN_CHANGED: kind('ACCOUNT', 'INFO', ({ params }) => `Plan changed from ${params.from} to ${params.to}`),
  LOGIN_SUCCEEDED: kind('SECURITY', 'INFO', ({ user, params }) => `${user} logged in with ${params.client}`),
  LOGIN_FAILED: kind('SECURITY', 'WARNING', ({ user }) => `Failed login of ${user}`),
  LOGIN_UNLOCKED: kind('SECURITY', 'INFO', ({ user, params }) => `Login of ${user} unlocked: ${params.reason}`),
  LOGIN_REVOKED: kind(
    'SECURITY',
    'INFO',
    ({ user, params }) => `${params.count} logins of ${params.name} ended by ${params.by ?? user}`,
  ),
  IDENTITY_CONFIRMED: kind('SECURITY', 'INFO', ({ user }) => `${user} confirmed his identity`),
  PASSWORD_CHANGED: kind('SECURITY', 'INFO', ({ user, params }) => `Password of ${params.name} changed by ${user}`),
  PASSWORD_RECOVERY_REQUESTED: kind('SECURITY', 'INFO', ({ user }) => `Recovery of the password of ${user} requested`),
  PASSWORD_RECOVERED: kind('SECURITY', 'INFO', ({ user }) => `${user} recovered his password`),
  PASSWORD_POLICY_CHANGED: kind('SECURITY', 'INFO', ({ params }) => `Password policy changed: ${params.summary}`),
  SECOND_FACTOR_POLICY_CHANGED: kind(
    'SECURITY',
    'INFO',
    ({ params }) => `Second-factor policy changed: ${params.summary}`,
  ),
  SECOND_FACTOR_ENABLED: kind(
    'SECURITY',
    'INFO',
    ({ user, params }) => `Second factor of ${params.name} enabled (${params.method}) by ${user}`,
  ),
  SECOND_FACTOR_DISABLED: kind(
    'SECURITY',
    'WARNING',
    ({ user, params }) => `Second factor of ${params.name} disabled by ${user}`,
  ),
  SECOND_FACTOR_RESET: kind(
    'SECURITY',
    'WARNING',
    ({ user, params }) => `Second factor of ${params.name} reset by ${user}`,
  ),
  SECOND_FACTOR_CHANGED: kind(
    'SECURITY',
    'INFO',
    ({ user, params }) => `Second factor of ${params.name} changed by ${user}: ${params.change}`,
  ),
  SECOND_FACTOR_CODE_SENT: kind('SECURITY', 'INFO', ({ user, params }) => `Code sent to ${user} (${params.method})`),
  SECOND_FACTOR_CODE_WRONG: kind('SECURITY', 'WARNING', ({ user }) => `Wrong second-factor code of ${user}`),
  SECOND_FACTOR_BLOCKED: kind(
    'SECURITY',
    'WARNING',
    ({ user, params }) => `Login of ${user} blocked for ${params.minutes} minutes after ${params.attempts} wrong codes`,
  ),
  SECOND_FACTOR_UNBLOCKED: kind(
    'SECURITY',
    'INFO',
    ({ user, params }) => `Second factor of ${user} unblocked: ${params.reason}`,
  ),
  PC_REMEMBERED: kind('SECURITY', 'INFO', ({ user }) => `A PC of ${user} is remembered`),
  PCS_FORGOTTEN: kind(
    'SECURITY',
    'INFO',
    ({ user, params }) => `${params.count} remembered PCs of ${params.name} withdrawn by ${user}`,
  ),
  BACKUP_CODES_GENERATED: kind('SECURITY', 'INFO', ({ user }) => `${user} generated backup codes`),
  BACKUP_CODES_RETRIEVED: kind(
    'SECURITY',
    'WARNING',
    ({ user, params }) => `Backup codes of ${params.name} retrieved by ${user}`,
  ),
  BACKUP_CODE_USED: kind(
    'SECURITY',
    'WARNING',
    ({ user, params }) => `${user} used a backup code; ${params.left} left`,
  ),
  INVITATION_SENT: kind('USER', 'INFO', ({ user, params }) => `Invitation of ${params.name} sent by ${user}`),
  INVITATION_ACCEPTED: kind('USER', 'INFO', ({ user }) => `${user} accepted the invitation`),
  USER_CHANGED: kind('USER', 'INFO', ({ user, params }) => `User ${params.name} changed by ${user}: ${params.fields}`),
  USER_ENABLED: kind('USER', 'INFO', ({ user, params }) => `User ${params.name} enabled by ${user}`),
  USER_DISABLED: kind(
    'USER',
    'WARNING',
    ({ user, params }) => `User ${params.name} disabled by ${params.reason ?? user}`,
  ),
  USER_EXPIRED: kind('USER', 'INFO', ({ user }) => `Access of ${user} expired`),
  USER_DELETED: kind('USER', 'WARNING', ({ user, params }) => `User ${params.name} deleted by ${user}`),
  GROUP_DELETED: kind('ACCOUNT', 'INFO', ({ params }) => `Group ${params.name} deleted`),
  POOL_CHANGED: kind('ACCOUNT', 'INFO', ({ params }) => `Pool ${params.name} changed: ${params.change}`),
  API_TOKEN_CREATED: kind('SECURITY', 'INFO', ({ params }) => `API token ${params.name} created`),
  API_TOKEN_CHANGED: kind('SECURITY', 'INFO', ({ params }) => `API token ${params.name} changed: ${params.change}`),
  API_TOKEN_RENEWED: kind('SECURITY', 'INFO', ({ params }) => `API token ${params.name} renewed`),
  API_TOKEN_DELETED: kind('SECURITY', 'INFO', ({ params }) => `API token ${params.name} deleted`),
  SUPPORT_ACCESS_GRANTED: kind(
    'SECURITY',
    'WARNING',
    ({ params }) => `Support access given to ${params.engineer} until ${params.until}`,
  ),
  SUPPORT_ACCESS_REVOKED: kind('SECURITY', 'INFO', ({ params }) => `Support access of ${params.engineer} revoked`),
  SUPPORT_PASSWORDS_CHANGED: kind(
    'SECURITY',
    'INFO',
    ({ user, params }) => `${user} confirmed that the device passwords shared with ${params.engineer} were changed`,
  ),
  MESSAGE_FAILED: kind(
    'ACCOUNT',
    'WARNING',
    ({ params }) => `Message ${params.template} to ${params.recipient} was given up: ${params.reason}`,
  ),
  MESSAGE_RETRIED: kind(
    'ACCOUNT',
    'INFO',
    ({ user, params }) => `Message ${params.template} to ${params.recipient} sent again by ${user}`,
  ),
  SECRET_SHARED: kind('SECURITY', 'INFO', ({ user, params }) => `${user} shared a one-time secret with ${params.name}`),
  SECRET_READ: kind('SECURITY', 'INFO', ({ user }) => `${user} read a one-time secret`),
  LOGIN_LOCKED: kind(
    'SECURITY',
    'WARNING',
    ({ user, params }) =>
      `Login of ${user} locked for ${params.minutes} minutes after ${params.attempts} failed attempts`,
  ),
  LOGGED_OUT: kind('SECURITY', 'INFO', ({ user }) => `${user} logged out`),
  USER_CREATED: kind('USER', 'INFO', ({ params }) => `User ${params.name} created`),
  GROUP_CREATED: kind('ACCOUNT', 'INFO', ({ params }) => `Group ${params.name} created`),
  GROUP_CHANGED: kind('ACCOUNT', 'INFO', ({ params }) => `Group ${params.name} changed: ${params.change}`),
  POOL_CREATED: kind('ACCOUNT', 'INFO', ({ params }) => `Pool ${params.name} created`),
  POOL_DELETED: kind('ACCOUNT', 'INFO', ({ params }) => `Pool ${params.name} deleted`),
  REGISTRATION_KEY_RENEWED: kind('SECURITY', 'INFO', () => 'Registration key renewed'),
  REGISTRATION_KEY_EXPORTED: kind('SECURITY', 'INFO', () => 'Registration key exported'),
  EWON_CREATED: kind('EWON', 'INFO', ({ ewon }) => `Ewon ${ewon} created, waiting for its device`),
  EWON_ACTIVATION_KEY_RENEWED: kind('SECURITY', 'INFO', ({ ewon }) => `Activation key of ${ewon} renewed`),
  EWON_REGISTERED: kind(
    'EWON',
    'INFO',
    ({ ewon, params }) => `Ewon ${ewon} registered (${params.serialNumber}, by ${params.way})`,
  ),
  EWON_REGISTRATION_REFUSED: kind(
    'SECURITY',
    'WARNING',
    ({ params }) => `Registration of ${params.serialNumber} refused: ${params.reason}`,
  ),
  EWON_APPROVED: kind('EWON', 'INFO', ({ ewon }) => `Ewon ${ewon} approved`),
  EWON_REPLACED: kind(
    'EWON',
    'INFO',
    ({ ewon, params }) => `Device of Ewon ${ewon} replaced: ${params.oldSerialNumber} by ${params.serialNumber}`,
  ),
  EWON_REJECTED: kind('EWON', 'INFO', ({ ewon }) => `Ewon ${ewon} rejected`),
  EWON_CHANGED: kind('EWON', 'INFO', ({ ewon, params }) => `Ewon ${ewon} changed: ${params.fields}`),
  EWON_REMOVED: kind('EWON', 'INFO', ({ ewon }) => `Ewon ${ewon} removed`),
  EWON_ONLINE: kind('EWON', 'INFO', ({ ewon, params }) => `Ewon ${ewon} online with address ${params.vpnAddress}`),
  EWON_OFFLINE: kind('EWON', 'INFO', ({ ewon, params }) => `Ewon ${ewon} offline: ${params.reason}`),
  EWON_WAKING_UP: kind('EWON', 'INFO', ({ ewon }) => `Ewon ${ewon} is being woken up`),
  EWON_WAKE_UP_FAILED: kind(
    'EWON',
    'WARNING',
    ({ ewon, params }) => `Ewon ${ewon} did not connect within ${params.seconds} seconds of its wake-up`,
  ),
  EWON_SENT_OFFLINE: kind('EWON', 'INFO', ({ user, ewon }) => `Ewon ${ewon} sent offline by ${user}`),
  EWON_REMOTE_ACCESS_DISABLED: kind(
    'SECURITY',
    'WARNING',
    ({ ewon }) => `The switch on the digital input of Ewon ${ewon} forbids remote access`,
  ),
  EWON_REMOTE_ACCESS_ENABLED: kind(
    'SECURITY',
    'INFO',
    ({ ewon }) => `The switch on the digital input of Ewon ${ewon} allows remote access again`,
  ),
  EWON_FIREWALL_CHANGED: kind(
    'SECURITY',
    'INFO',
    ({ user, ewon, params }) =>
      `Firewall of Ewon ${ewon} changed from ${params.from} to ${params.to} by ${params.by ?? user}`,
  ),
  EWON_LAN_CHANGED: kind(
    'EWON',
    'INFO',
    ({ user, ewon, params }) => `LAN of Ewon ${ewon} changed by ${user}: ${params.change}`,
  ),
  EWON_MESSAGE_SENT: kind(
    'EWON',
    'INFO',
    ({ user, ewon, params }) =>
      `Ewon ${ewon} sent a message (${params.channel}) to ${params.recipient} under the login of ${user}`,
  ),
  EWON_MESSAGE_REFUSED: kind(
    'SECURITY',
    'WARNING',
    ({ ewon, params }) => `A message (${params.channel}) of Ewon ${ewon} was refused: ${params.reason}`,
  ),
  STREAM_REFUSED: kind(
    'SECURITY',
    'WARNING',
    ({ user, ewon, params }) => `Stream of ${user} through ${ewon} to ${params.target} refused: ${params.reason}`,
  ),
  STREAMS_CUT: kind(
    'SECURITY',
    'INFO',
    ({ user, ewon, params }) => `${params.count} streams of ${user} through ${ewon} cut: ${params.reason}`,
  ),
  SMS_CHARGED: kind('BILLING', 'INFO', ({ params }) => `Text message charged: ${params.amount} (${params.purpose})`),
  SMS_REFUNDED: kind(
    'BILLING',
    'INFO',
    ({ params }) =>
      `Text message not sent, given back: ${params.units} bought ones and ${params.amount} (${params.purpose})`,
  ),
  CREDIT_ADDED: kind('BILLING', 'INFO', ({ params }) => `Credit of ${params.amount} added`),
  EWON_TUNNEL_REPLACED: kind('SECURITY', 'WARNING', ({ ewon }) => `A second tunnel of Ewon ${ewon} replaced the first`),
  EWON_TUNNEL_REFUSED: kind(
    'SECURITY',
    'WARNING',
    ({ ewon, params }) => `Tunnel of Ewon ${ewon} refused: ${params.reason}`,
  ),
  EWON_CONFIGURATION_ERROR: kind(
    'EWON',
    'ERROR',
    ({ ewon, params }) => `Ewon ${ewon} reports a configuration error: ${params.reason}`,
  ),
  EWON_CERTIFICATE_RENEWED: kind('SECURITY', 'INFO', ({ ewon }) => `Certificate of Ewon ${ewon} renewed`),
  SESSION_STARTED: kind(
    'USER',
    'INFO',
    ({ user, ewon, params }) => `${user} connected to ${ewon} with ${params.client}`,
  ),
  SESSION_CLOSED: kind(
    'USER',
    'INFO',
    ({ user, ewon, params }) =>
      `Session of ${user} to ${ewon} closed (${params.closeReason}${params.closedBy ? ` ${params.closedBy}` : ''})`,
  ),
  SESSION_REFUSED: kind(
    'USER',
    'WARNING',
    ({ user, ewon, params }) => `Session of ${user} to ${ewon} refused: ${params.reason}`,
  ),
  SLOTS_CHANGED: kind(
    'BILLING',
    'INFO',
    ({ params }) => `Concurrent connections changed from ${params.from} to ${params.to}`,
  ),
  SLOTS_DECREASE_SCHEDULED: kind(
    'BILLING',
    'INFO',
    ({ params }) => `Concurrent connections will be ${params.to} from ${params.at}`,
  ),
  SLOTS_DECREASE_CANCELLED: kind(
    'BILLING',
    'WARNING',
    ({ params }) => `Scheduled decrease of concurrent connections cancelled: ${params.reason}`,
  ),
  TRIAL_STARTED: kind(
    'BILLING',
    'INFO',
    ({ user, params }) => `Free trial of PRO started by ${user}, until ${params.until}`,
  ),
  TRIAL_ENDED: kind('BILLING', 'WARNING', ({ params }) => `Free trial of PRO ended: ${params.outcome}`),
  MONTH_CLOSED: kind('BILLING', 'INFO', ({ params }) => `Month ${params.month} closed: ${params.amount} charged`),
  CREDIT_EXHAUSTED: kind('BILLING', 'WARNING', ({ params }) => `The credit is used up: ${params.balance}`),
  PAYMENT_RECEIVED: kind(
    'BILLING',
    'INFO',
    ({ user, params }) => `Payment of ${params.amount} by ${user}: ${params.purpose}`,
  ),
  SMS_PACKAGE_BOUGHT: kind(
    'BILLING',
    'INFO',
    ({ user, params }) => `${params.units} text messages bought by ${user} for ${params.amount}`,
  ),
  REPORT_DOWNLOADED: kind('BILLING', 'INFO', ({ user, params }) => `Report ${params.name} downloaded by ${user}`),
  LOG_EXPORTED: kind('ACCOUNT', 'INFO', ({ user, params }) => `Log exported by ${user} (${params.format})`),
  CUSTOM_FIELDS_RENAMED: kind('ACCOUNT', 'INFO', ({ params }) => `Custom fields renamed: ${params.change}`),
  CONTACT_ADDED: kind('ACCOUNT', 'INFO', ({ params }) => `Contact ${params.name} added`),
  CONTACT_CHANGED: kind('ACCOUNT', 'INFO', ({ params }) => `Contact ${params.name} changed: ${params.fields}`),
  CONTACT_REMOVED: kind('ACCOUNT', 'INFO', ({ params }) => `Contact ${params.name} removed`),
  ANNOUNCEMENT_SENT: kind(
    'ACCOUNT',
    'INFO',
    ({ params }) => `Announcement to ${params.count} contacts: ${params.subject}`,
  ),
  M2U_LINK_CREATED: kind('ACCOUNT', 'INFO', ({ params }) => `M2U link ${params.name} created`),
  M2U_LINK_CHANGED: kind('ACCOUNT', 'INFO', ({ params }) => `M2U link ${params.name} changed: ${params.fields}`),
  M2U_LINK_DELETED: kind('ACCOUNT', 'INFO', ({ params }) => `M2U link ${params.name} deleted`),
  M2U_DELIVERED: kind(
    'EWON',
    'INFO',
    ({ ewon, params }) => `Data of Ewon ${ewon} relayed through ${params.link}: HTTP ${params.status}`,
  ),
  M2U_FAILED: kind(
    'EWON',
    'WARNING',
    ({ ewon, params }) => `Data of Ewon ${ewon} not relayed through ${params.link}: ${params.reason}`,
  ),
  BRANDING_CHANGED: kind('ACCOUNT', 'INFO', ({ params }) => `Branding changed: ${params.file} ${params.change}`),
  IMPORT_LISTED: kind(
    'SECURITY',
    'INFO',
    ({ user, params }) => `Ewons listed for import into account [${params.destination}] under the login of ${user}`,
  ),
  EWON_MOVED_IN: kind(
    'EWON',
    'INFO',
    ({ ewon, params }) => `Ewon [${ewon}] has been moved from account [${params.source}].`,
  ),
  EWON_MOVED_OUT: kind(
    'EWON',
    'WARNING',
    ({ ewon, params }) => `Ewon [${ewon}] moved to account [${params.destination}].`,
  ),
  EWON_PATCHED: kind(
    'EWON',
    'INFO',
    ({ ewon, params }) => `Firmware of Ewon ${ewon} updated from ${params.from} to ${params.to}: ${params.reason}`,
  ),
  EWON_PATCH_SKIPPED: kind(
    'EWON',
    'INFO',
    ({ ewon, params }) => `Firmware update ${params.to} of Ewon ${ewon} skipped: ${params.reason}`,
  ),
  EWON_PATCH_FAILED: kind(
    'EWON',
    'WARNING',
    ({ ewon, params }) => `Firmware update ${params.to} of Ewon ${ewon} failed: ${params.reason}`,
  ),
  RESERVATIONS_CHANGED: kind('ACCOUNT', 'INFO', ({ params }) => `Reserved connections changed: ${params.summary}`),
} as const satisfies Record<string, EventKind>;

export type LogCode = keyof typeof LOG_EVENTS;

/** The events that the connection stream carries (EVT-02). */
export const CONNECTION_EVENTS = [
  'EWON_ONLINE',
  'EWON_OFFLINE',
  'EWON_WAKING_UP',
  'SESSION_STARTED',
  'SESSION_CLOSED',
  'SESSION_REFUSED',
] as const satisfies LogCode[];
export type ConnectionEventCode = (typeof CONNECTION_EVENTS)[number];

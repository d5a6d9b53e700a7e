import { availableParallelism } from 'node:os';
import proxyAddr from 'proxy-addr';
import { z } from 'zod';
import { overlaps, subnetOf } from './vpn/ipv4.ts';

/*
 * The environment is read here, once, in three steps: read and check, interpret, keep secrets apart. Nothing else of the
 * project looks at `process.env`. Every number that a rule calls a choice is a variable of this table.
 */

const whole = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const flag = z.stringbool().default(false);
const cidr = (fallback: string) =>
  z
    .cidrv4('must be an IPv4 range such as 10.236.0.0/15')
    .default(fallback)
    .refine((range) => Number(range.split('/')[1]) <= 30, 'needs a prefix of 30 or shorter');

const environment = z.object({
  NODE_ENV: z.string().default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PUBLIC_HOST: z.string().min(1).optional(),
  HTTP_PORT: whole(4000, 0, 65535),
  DEVICE_PORT: whole(4433, 0, 65535),
  TUNNEL_PORT: whole(4434, 0, 65535),
  PORTAL_PORT: whole(4435, 0, 65535),
  PORTAL_URL: z.url({ protocol: /^https?$/, error: 'must begin with http:// or https://' }).optional(),
  DATABASE_URL: z
    .string()
    .regex(/^(pglite|postgres|postgresql):\/\/./, 'must begin with pglite:// or postgresql://')
    .default('pglite://./data/db'),
  DATABASE_POOL_SIZE: whole(10, 1, 500),
  DATABASE_TIMEOUT_SECONDS: whole(10, 1, 300),
  DATABASE_STATEMENT_SECONDS: whole(30, 0, 3600),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must begin with redis:// or rediss://')
    .optional(),
  DATA_DIR: z.string().min(1).default('./data'),
  GEOLOCATION_FILE: z.string().min(1).optional(),
  ROLES: z.string().default('api,gateway'),
  SIMULATION: flag,
  OPERATOR_TOKEN: z
    .string()
    .regex(/^[\w-]{32,100}$/, 'must be 32 to 100 letters, digits, - or _')
    .optional(),
  TRUSTED_PROXIES: z.string().optional(),
  PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must begin with http:// or https://' }).optional(),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\/./, 'must begin with smtp:// or smtps://')
    .optional(),
  MAIL_FROM: z.string().min(3).default('talkgate <no-reply@localhost>'),
  SMS_URL: z
    .string()
    .regex(/^https?:\/\/./, 'must begin with http:// or https://')
    .optional(),
  SMS_BODY: z.string().default('{"to":"{to}","text":"{text}"}'),
  SMS_CONTENT_TYPE: z.string().default('application/json'),
  SMS_AUTHORIZATION: z.string().optional(),
  SUPPORT_DOMAINS: z.string().default('hms.se,hms-networks.com'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),

  LOGIN_IDLE_MINUTES: whole(60, 1, 1440),
  LOGIN_HOURS: whole(24, 1, 720),
  LOGIN_LOCK_ATTEMPTS: whole(10, 1, 1000),
  LOGIN_LOCK_MINUTES: whole(15, 1, 1440),
  LOGIN_INTERIM_MINUTES: whole(15, 1, 1440),
  REAUTHENTICATION_MINUTES: whole(5, 1, 1440),
  ADDRESS_BAN_FAILURES: whole(1000, 1, 1_000_000),
  ADDRESS_BAN_HOURS: whole(24, 1, 720),
  CODE_MINUTES: whole(10, 1, 1440),
  CODE_ATTEMPTS: whole(3, 1, 100),
  CODE_BLOCK_MINUTES: whole(15, 1, 1440),
  CODE_SEND_INTERVAL_SECONDS: whole(30, 0, 3600),
  CODE_SENDS: whole(5, 1, 100),
  CODES_PER_HOUR: whole(30, 1, 1_000_000),
  NOTICES_PER_HOUR: whole(200, 1, 1_000_000),
  BACKUP_CODES: whole(10, 1, 100),
  REMEMBERED_PCS: whole(20, 1, 1000),
  INVITATION_DAYS: whole(7, 1, 365),
  RECOVERY_MINUTES: whole(60, 1, 1440),
  RECOVERIES_PER_HOUR: whole(20, 1, 1_000_000),
  STRENGTH_PER_MINUTE: whole(60, 1, 1_000_000),
  SUPPORT_DAYS: whole(2, 1, 30),
  SECRET_HOURS: whole(24, 1, 720),
  OPERATOR_FAILURES_PER_MINUTE: whole(10, 1, 1_000_000),
  MESSAGE_ATTEMPTS: whole(10, 1, 1000),
  MESSAGE_RETRY_SECONDS: whole(10, 1, 3600),
  MESSAGE_TIMEOUT_SECONDS: whole(15, 1, 300),
  MESSAGE_RETENTION_DAYS: whole(30, 1, 3650),
  TOKENS_PER_ACCOUNT: whole(100, 1, 10_000),
  LOGINS_PER_MINUTE: whole(120, 1, 1_000_000),
  ACCOUNTS_PER_HOUR: whole(20, 1, 1_000_000),
  PASSWORDS_PER_MINUTE: whole(60, 1, 1_000_000),
  PASSWORD_HASH_MEMORY_KIB: whole(65_536, 1024, 4_194_304),
  PASSWORD_HASH_ITERATIONS: whole(3, 2, 100),
  // One processor stays free for everything else: forty logins at once must not be noticed elsewhere.
  PASSWORD_HASH_CONCURRENCY: whole(Math.min(4, Math.max(1, availableParallelism() - 1)), 1, 64),
  PASSWORD_HASH_QUEUE: whole(100, 0, 100_000),
  PASSWORD_MIN_LENGTH: whole(8, 6, 45),

  SLOTS_BASE_FREE: whole(1, 1, 10_000),
  SLOTS_BASE_LIGHT: whole(3, 1, 10_000),
  SLOTS_BASE_PRO: whole(3, 1, 10_000),
  SLOTS_MAX: whole(1000, 1, 100_000),
  SLOT_DECREASE_MONTHS: whole(3, 0, 120),
  SLOT_PRICE_CENTS: whole(5000, 0, 100_000_000),
  SLOT_WAIT_MAX_SECONDS: whole(300, 1, 3600),
  SESSION_TIMEOUT_SECONDS: whole(120, 1, 86_400),
  SESSION_TICKET_SECONDS: whole(60, 1, 3600),
  IDEMPOTENCY_HOURS: whole(24, 1, 720),

  ENROLMENTS_PER_MINUTE: whole(60, 1, 1_000_000),
  ENROLMENT_FAILURES_PER_MINUTE: whole(20, 1, 1_000_000),
  CERTIFICATE_DAYS: whole(90, 1, 3650),
  AUTHORITY_DAYS: whole(3650, 1, 36_500),
  KEEP_ALIVE_SECONDS: whole(30, 1, 3600),
  OFFLINE_AFTER_SECONDS: whole(120, 1, 86_400),
  HANDSHAKE_SECONDS: whole(10, 1, 300),
  GATEWAY_LEASE_SECONDS: whole(10, 1, 300),
  TUNNEL_MESSAGES_PER_MINUTE: whole(240, 10, 1_000_000),
  STREAMS_PER_SESSION: whole(100, 1, 100_000),
  STREAM_DIAL_SECONDS: whole(10, 1, 300),
  STREAM_REFUSALS_LOGGED: whole(100, 0, 100_000),
  TRAFFIC_SECONDS: whole(5, 1, 60),
  PORTAL_IDLE_MINUTES: whole(15, 1, 1440),
  PORTAL_STALL_SECONDS: whole(120, 1, 3600),
  LAN_DEVICES_PER_EWON: whole(200, 1, 10_000),
  LAN_PORTS_PER_DEVICE: whole(50, 1, 10_000),
  SERVICES_PER_EWON: whole(50, 1, 10_000),
  WAKE_UP_SECONDS: whole(300, 10, 86_400),
  WAKE_UP_INTERVAL_SECONDS: whole(60, 1, 86_400),
  SMS_INCLUDED_FREE: whole(0, 0, 1_000_000),
  SMS_INCLUDED_LIGHT: whole(10, 0, 1_000_000),
  SMS_INCLUDED_PRO: whole(50, 0, 1_000_000),
  SMS_PRICE_CENTS: whole(15, 0, 1_000_000),
  MAIL_PRICE_CENTS: whole(0, 0, 1_000_000),
  // Units and price in cents of each package (BIL-05).
  SMS_PACKAGES: z
    .string()
    .regex(/^\d{1,6}:\d{1,8}(,\d{1,6}:\d{1,8})*$/, 'must look like 100:1200,500:5500: units and cents')
    .default('100:1200,500:5500'),
  CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a code of ISO 4217, such as EUR')
    .default('EUR'),
  TRIAL_MONTHS: whole(3, 1, 120),
  PLAN_FEE_CENTS_LIGHT: whole(2000, 0, 100_000_000),
  PLAN_FEE_CENTS_PRO: whole(7500, 0, 100_000_000),
  TRAFFIC_INCLUDED_MB_FREE: whole(300, 0, 1_000_000_000),
  TRAFFIC_INCLUDED_MB_LIGHT: whole(1000, 0, 1_000_000_000),
  TRAFFIC_INCLUDED_MB_PRO: whole(4000, 0, 1_000_000_000),
  TRAFFIC_GB_PRICE_CENTS: whole(500, 0, 1_000_000),
  DATA_POINTS_INCLUDED_FREE: whole(0, 0, 1_000_000_000),
  DATA_POINTS_INCLUDED_LIGHT: whole(0, 0, 1_000_000_000),
  DATA_POINTS_INCLUDED_PRO: whole(5_000_000, 0, 1_000_000_000),
  DATA_POINTS_MILLION_PRICE_CENTS: whole(1000, 0, 1_000_000),
  API_CALLS_PER_DAY_FREE: whole(10_000, 1, 1_000_000_000),
  API_CALLS_PER_DAY_LIGHT: whole(10_000, 1, 1_000_000_000),
  API_CALLS_PER_DAY_PRO: whole(30_000, 1, 1_000_000_000),
  REQUESTS_PER_MINUTE_LOGIN: whole(1200, 1, 1_000_000),
  REQUESTS_PER_MINUTE_ADDRESS: whole(3000, 1, 1_000_000),
  DOWNLOAD_LINK_SECONDS: whole(300, 1, 86_400),
  DOWNLOADS_PER_LOGIN: whole(4, 1, 1000),
  REPORT_XLSX_LINES: whole(10_000, 1, 1_000_000),
  REPORTS_AT_ONCE: whole(2, 1, 100),
  REPORTS_WAITING: whole(20, 1, 10_000),
  CONTACTS_PER_ACCOUNT: whole(100, 1, 10_000),
  M2U_LINKS_PER_ACCOUNT: whole(50, 1, 10_000),
  M2U_TIMEOUT_SECONDS: whole(10, 1, 300),
  M2U_PAYLOAD_BYTES: whole(65_536, 1, 1_048_576),
  M2U_PER_HOUR: whole(600, 1, 1_000_000),
  BRANDING_IMAGE_BYTES: whole(1_000_000, 1024, 10_000_000),
  BRANDING_IMAGE_PIXELS: whole(4_000_000, 1, 100_000_000),
  BRANDING_SKIN_BYTES: whole(65_536, 64, 1_000_000),
  IMPORT_TICKET_MINUTES: whole(15, 1, 1440),
  IMPORT_BATCH: whole(200, 1, 10_000),
  PATCH_BATCH: whole(100, 1, 10_000),
  PATCH_SECONDS: whole(300, 5, 86_400),
  DEVICE_MESSAGES_PER_HOUR: whole(60, 1, 1_000_000),
  DATA_RETENTION_DAYS: whole(10, 1, 10),
  DATA_POINTS_PER_HOUR: whole(100_000, 100, 100_000_000),
  VPN_USER_RANGE: cidr('10.236.0.0/15'),
  VPN_EWON_RANGE: cidr('10.238.0.0/15'),

  PAGE_SIZE: whole(50, 1, 500),
  PAGE_SIZE_MAX: whole(500, 1, 10_000),
  FILTER_DEPTH_MAX: whole(5, 1, 10),
  FILTER_CONDITIONS_MAX: whole(100, 1, 1000),
  QUERY_COMPLEXITY_MAX: whole(20_000, 10, 100_000_000),
  QUERY_DEPTH_MAX: whole(15, 3, 100),
  QUERY_BREADTH_MAX: whole(500, 10, 100_000),
  QUERY_ALIASES_MAX: whole(50, 1, 10_000),
  // At least what an introspection query takes, which always passes (API-02).
  QUERY_TOKENS_MAX: whole(5000, 1000, 1_000_000),
  STREAM_BATCH: whole(100, 1, 1000),
  STREAM_POLL_SECONDS: whole(5, 1, 300),
  STREAM_STALL_SECONDS: whole(30, 1, 3600),
  STREAMS_PER_LOGIN: whole(50, 1, 10_000),
  LOG_RETENTION_MONTHS: whole(12, 1, 1200),
  SHUTDOWN_SECONDS: whole(10, 1, 300),
});

type Environment = z.infer<typeof environment>;

/** What a part of the program may know of its surroundings. Lengths of time are in the unit that the name says. */
export interface Config {
  production: boolean;
  simulation: boolean;
  logLevel: string;
  /** The address that all ports listen on. */
  host: string;
  /** The name or address by which clients and devices reach this instance. */
  publicHost: string;
  ports: { http: number; device: number; tunnel: number; portal: number };
  roles: { api: boolean; gateway: boolean };
  /** Null keeps key and certificate authority in memory: for tests. */
  dataDir: string | undefined;
  /** A table of networks and their places (PRV-09); null knows the addresses of simulated devices. */
  geolocationFile: string | null;
  limits: Omit<
    Environment,
    | 'NODE_ENV'
    | 'HOST'
    | 'PUBLIC_HOST'
    | 'HTTP_PORT'
    | 'DEVICE_PORT'
    | 'TUNNEL_PORT'
    | 'PORTAL_PORT'
    | 'PORTAL_URL'
    | 'DATABASE_URL'
    | 'REDIS_URL'
    | 'DATA_DIR'
    | 'GEOLOCATION_FILE'
    | 'ROLES'
    | 'SIMULATION'
    | 'LOG_LEVEL'
    | 'OPERATOR_TOKEN'
    | 'PUBLIC_URL'
    | 'TRUSTED_PROXIES'
    | 'SMTP_URL'
    | 'MAIL_FROM'
    | 'SMS_URL'
    | 'SMS_BODY'
    | 'SMS_CONTENT_TYPE'
    | 'SMS_AUTHORIZATION'
    | 'SUPPORT_DOMAINS'
  >;
  /** Proxies whose `X-Forwarded-For` is believed: addresses, ranges, or `loopback`, `linklocal`, `uniquelocal`. */
  trustedProxies: string[];
  /** The address of the user interface that links in mails lead to; null is that of the API itself. */
  publicUrl: string | null;
  /** Where browsers reach the portal of this instance, when a proxy stands in front; null is host and port. */
  portalUrl: string | null;
  /** The sender of mails, as `name <address>`. */
  mailFrom: string;
  /** How a text message is handed to the HTTP sender; `{to}` and `{text}` stand for number and text. */
  sms: { bodyTemplate: string; contentType: string };
  /** Exact domains of the addresses that support engineers may have (SUP-04), in lower case. */
  supportDomains: string[];
  /** Carries passwords: never logged. */
  secrets: {
    databaseUrl: string;
    redisUrl: string | undefined;
    smtpUrl: string | undefined;
    smsUrl: string | undefined;
    smsAuthorization: string | undefined;
    operatorToken: string | undefined;
  };
}

/** A variable that cannot be used; the message is one sentence that names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the configuration from the environment.
 * @throws ConfigError at the first variable that is wrong.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const result = environment.safeParse(given);
  if (!result.success) {
    const issue = result.error.issues[0];
    const name = String(issue?.path[0] ?? 'environment');
    throw new ConfigError(`${name} is ${shown(name, given[name])}, which cannot be used: ${issue?.message}.`);
  }
  const {
    NODE_ENV,
    HOST,
    PUBLIC_HOST,
    HTTP_PORT,
    DEVICE_PORT,
    TUNNEL_PORT,
    PORTAL_PORT,
    PORTAL_URL,
    DATABASE_URL,
    REDIS_URL,
    DATA_DIR,
    GEOLOCATION_FILE,
    ROLES,
    SIMULATION,
    LOG_LEVEL,
    OPERATOR_TOKEN,
    PUBLIC_URL,
    TRUSTED_PROXIES,
    SMTP_URL,
    MAIL_FROM,
    SMS_URL,
    SMS_BODY,
    SMS_CONTENT_TYPE,
    SMS_AUTHORIZATION,
    SUPPORT_DOMAINS,
    ...limits
  } = result.data;
  const roles = ROLES.split(',').map((role) => role.trim());
  const unknown = roles.find((role) => role !== 'api' && role !== 'gateway');
  if (unknown !== undefined)
    throw new ConfigError(`ROLES is "${ROLES}", which cannot be used: "${unknown}" is neither api nor gateway.`);
  const production = NODE_ENV === 'production';
  if (production && SIMULATION)
    throw new ConfigError('SIMULATION is on, which cannot be used with NODE_ENV=production.');
  if (limits.OFFLINE_AFTER_SECONDS <= limits.KEEP_ALIVE_SECONDS) {
    throw new ConfigError(
      `OFFLINE_AFTER_SECONDS is ${limits.OFFLINE_AFTER_SECONDS}, which cannot be used: it must exceed KEEP_ALIVE_SECONDS (${limits.KEEP_ALIVE_SECONDS}).`,
    );
  }
  if (overlaps(subnetOf(limits.VPN_USER_RANGE), subnetOf(limits.VPN_EWON_RANGE))) {
    throw new ConfigError(
      `VPN_EWON_RANGE is "${limits.VPN_EWON_RANGE}", which cannot be used: it overlaps VPN_USER_RANGE (${limits.VPN_USER_RANGE}).`,
    );
  }
  return {
    production,
    simulation: SIMULATION,
    logLevel: LOG_LEVEL,
    host: HOST,
    publicHost: PUBLIC_HOST ?? (HOST === '0.0.0.0' || HOST === '::' ? 'localhost' : HOST),
    ports: { http: HTTP_PORT, device: DEVICE_PORT, tunnel: TUNNEL_PORT, portal: PORTAL_PORT },
    roles: { api: roles.includes('api'), gateway: roles.includes('gateway') },
    dataDir: DATA_DIR === ':memory:' ? undefined : DATA_DIR,
    geolocationFile: GEOLOCATION_FILE ?? null,
    limits,
    trustedProxies: readProxies(TRUSTED_PROXIES),
    publicUrl: PUBLIC_URL?.replace(/\/+$/, '') ?? null,
    portalUrl: PORTAL_URL?.replace(/\/+$/, '') ?? null,
    mailFrom: MAIL_FROM,
    sms: { bodyTemplate: SMS_BODY, contentType: SMS_CONTENT_TYPE },
    supportDomains: SUPPORT_DOMAINS.split(',')
      .map((domain) => domain.trim().toLowerCase())
      .filter(Boolean),
    secrets: {
      databaseUrl: DATABASE_URL,
      redisUrl: REDIS_URL,
      smtpUrl: SMTP_URL,
      smsUrl: SMS_URL,
      smsAuthorization: SMS_AUTHORIZATION,
      operatorToken: OPERATOR_TOKEN,
    },
  };
}

function readProxies(list: string | undefined): string[] {
  const proxies = (list ?? '')
    .split(',')
    .map((proxy) => proxy.trim())
    .filter(Boolean);
  try {
    proxyAddr.compile(proxies);
  } catch {
    throw new ConfigError(
      `TRUSTED_PROXIES is "${list}", which cannot be used: it must be addresses or ranges, separated by commas.`,
    );
  }
  return proxies;
}

const shown = (name: string, value: string | undefined): string =>
  name.endsWith('_URL') || name.endsWith('_TOKEN') || name.endsWith('_AUTHORIZATION')
    ? 'set to a value (not shown, it may carry a password)'
    : JSON.stringify(value ?? '');

/** As in a URL: an IPv6 address stands in brackets. */
export const hostPort = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

import type { ApiLimits } from './api-limits/limits.ts';
import type { Bell } from './bell.ts';
import type { Payments } from './billing/payments.ts';
import type { Authority } from './certificates/authority.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Db, ReadText } from './database/database.ts';
import type { Geolocator } from './geolocation/resolver.ts';
import type { JobRun } from './jobs.ts';
import type { Logger } from './logger.ts';
import type { Relay } from './m2u/relay.ts';
import type { Passwords } from './passwords/hashes.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Secrets } from './secrets.ts';
import type { Simulation } from './simulation/clock.ts';
import type { Actor } from './users/actor.ts';

/** What is built once and lives as long as the program; every verb gets it. */
export interface Platform {
  config: Config;
  db: Db;
  readText: ReadText;
  clock: Clock;
  bell: Bell;
  log: Logger;
  secrets: Secrets;
  passwords: Passwords;
  rateLimits: RateLimits;
  /** How often the API may be called (API-03, M2W-13). */
  apiLimits: ApiLimits;
  authority: Authority;
  /** Derives positions from WAN addresses (PRV-09). */
  geolocator: Geolocator;
  /** Sends data of Ewons to servers of third parties (M2U-01). */
  relay: Relay;
  /** How accounts pay; null where they cannot (BIL-05). */
  payments: Payments | null;
  gatewayUrls: GatewayUrls;
  /** How the last run of each job on this instance went, by its name. */
  jobRuns: Map<string, JobRun>;
  /** What moves the clock; null unless in simulation mode (CLK-01). */
  simulation: Simulation | null;
}

/** Where devices and clients reach the gateway, known once the ports are open. */
export interface GatewayUrls {
  /** `https://host:port` of the device port. */
  device: string;
  /** `wss://host:port` of the tunnel port. */
  tunnel: string;
  /** Of the portal, without a slash at the end (TUN-07). */
  portal: string;
}

/** What a verb that acts for somebody gets. */
export interface ActorContext extends Platform {
  actor: Actor;
}

/** Where a request comes from. */
export interface Caller {
  requestId: string;
  remoteAddress: string;
  userAgent: string | null;
}

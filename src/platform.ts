import type { PGlite } from '@electric-sql/pglite';
import { createApiLimits } from './api-limits/limits.ts';
import { type Bell, createLocalBell, createRedisBell } from './bell.ts';
import { openPayments } from './billing/payments.ts';
import { openAuthority } from './certificates/authority.ts';
import { createManualClock, type ManualClock, systemClock } from './clock.ts';
import { type Config, hostPort } from './config.ts';
import type { Platform } from './context.ts';
import { openDatabase } from './database/database.ts';
import { type Geolocator, simulatedGeolocator } from './geolocation/resolver.ts';
import { openGeolocationTable } from './geolocation/table.ts';
import { createLogger, type Logger } from './logger.ts';
import { createRelay, type RelayOverrides } from './m2u/relay.ts';
import { createPasswords } from './passwords/hashes.ts';
import { createRateLimits } from './rate-limits.ts';
import { openSecrets } from './secrets.ts';
import { followClock } from './simulation/clock.ts';

/** What tests and simulations put in the place of the real thing. */
export interface Overrides {
  clock?: ManualClock;
  log?: Logger;
  bell?: Bell;
  geolocator?: Geolocator;
  relay?: RelayOverrides;
  /** Opens what `pglite://memory` stands for. */
  memory?: () => Promise<PGlite>;
}

/** The platform, and the clock that can be moved: in simulation mode, or given. */
export interface OpenPlatform {
  platform: Platform;
  manualClock: ManualClock | null;
  close(): Promise<void>;
}

/**
 * Opens everything that verbs work with, and nothing that works by itself: no port, no job.
 * @throws ConfigError, DatabaseError; what was opened before is closed.
 */
export async function openPlatform(config: Config, overrides: Overrides = {}): Promise<OpenPlatform> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const log = overrides.log ?? createLogger(config.logLevel);
    const { geolocationFile: table } = config;
    const geolocator =
      overrides.geolocator ?? (table === null ? simulatedGeolocator : await openGeolocationTable(table));
    const secrets = await openSecrets(config.dataDir);
    const authority = await openAuthority({ dataDir: config.dataDir, caDays: config.limits.AUTHORITY_DAYS });
    const database = await openDatabase(config, log, overrides.memory);
    closers.push(database.close);
    const { redisUrl } = config.secrets;
    const bell = overrides.bell ?? (redisUrl === undefined ? createLocalBell() : await createRedisBell(redisUrl, log));
    closers.push(bell.close);
    const manualClock = overrides.clock ?? (config.simulation ? createManualClock() : null);
    if (config.simulation && manualClock) await followClock({ db: database.client }, manualClock);
    const clock = manualClock ?? systemClock;
    const platform: Platform = {
      config,
      db: database.client,
      readText: database.readText,
      clock,
      bell,
      log,
      secrets,
      authority,
      geolocator,
      relay: createRelay(config, overrides.relay),
      payments: openPayments(config),
      passwords: await createPasswords(config),
      rateLimits: createRateLimits(config),
      apiLimits: createApiLimits({ config, db: database.client, clock }),
      gatewayUrls: {
        device: `https://${hostPort(config.publicHost, config.ports.device)}`,
        tunnel: `wss://${hostPort(config.publicHost, config.ports.tunnel)}`,
        portal: config.portalUrl ?? `http://${hostPort(config.publicHost, config.ports.portal)}`,
      },
      jobRuns: new Map(),
      simulation: null,
    };
    closers.push(() =>
      platform.apiLimits
        .flush()
        .catch((error: unknown) => log.warn({ err: error }, 'Calls of the API were not counted')),
    );
    return { platform, manualClock, close };
  } catch (error) {
    await close();
    throw error;
  }
}

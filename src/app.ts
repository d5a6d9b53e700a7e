import { type Bell, createLocalBell, createRedisBell } from './bell.ts';
import { openAuthority } from './certificates/authority.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { GatewayUrls, Platform } from './context.ts';
import { openDatabase } from './database/database.ts';
import { closeServer, type Gateway, hostPort, listen, startGateway } from './gateway/server.ts';
import { type Api, createApi } from './graphql/server.ts';
import { type Jobs, startJobs } from './jobs.ts';
import { createLogger, type Logger } from './logger.ts';
import { createPasswords } from './passwords/hashes.ts';
import { createRateLimits } from './rate-limits.ts';
import { openSecrets } from './secrets.ts';

/** What tests and simulations put in the place of the real thing. */
export interface Overrides {
  clock?: Clock;
  log?: Logger;
  bell?: Bell;
  /** A data directory of PGlite with the schema applied, to start from. */
  databaseImage?: Blob;
}

/** The running program. */
export interface App {
  /** `http://host:port` of the API; null without that role. */
  url: string | null;
  gatewayUrls: GatewayUrls;
  platform: Platform;
  gateway: Gateway | null;
  jobs: Jobs;
  /** Stops taking work, ends streams and tunnels with "come again", finishes what runs, and closes the database (API-09). */
  close(): Promise<void>;
}

/**
 * Builds and starts the program: everything once, in order, and closes it in the opposite order. The same for the server, the
 * demo, tests and benchmarks.
 * @throws ConfigError, DatabaseError, or the error of a port that is taken; what was started before is closed.
 */
export async function createApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const log = overrides.log ?? createLogger(config.logLevel);
    const secrets = await openSecrets(config.dataDir);
    const authority = await openAuthority({ dataDir: config.dataDir, caDays: config.limits.AUTHORITY_DAYS });
    const database = await openDatabase(config, log, overrides.databaseImage);
    closers.push(database.close);
    const { redisUrl } = config.secrets;
    const bell = overrides.bell ?? (redisUrl === undefined ? createLocalBell() : await createRedisBell(redisUrl, log));
    closers.push(bell.close);
    const platform: Platform = {
      config,
      db: database.client,
      clock: overrides.clock ?? systemClock,
      bell,
      log,
      secrets,
      authority,
      passwords: await createPasswords(config),
      rateLimits: createRateLimits(config),
      gatewayUrls: {
        device: `https://${hostPort(config.publicHost, config.ports.device)}`,
        tunnel: `wss://${hostPort(config.publicHost, config.ports.tunnel)}`,
      },
    };

    const gateway = config.roles.gateway ? await startGateway(platform) : null;
    if (gateway) closers.push(gateway.close);
    const jobs = startJobs(platform, async () => gateway?.tunnels.keepLease());
    closers.push(jobs.close);
    const { api, url } = config.roles.api ? await startApi(platform) : { api: null, url: null };
    if (api) closers.push(api.close);
    return { url, gatewayUrls: platform.gatewayUrls, platform, gateway, jobs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startApi(platform: Platform): Promise<{ api: Api; url: string }> {
  const { config, db } = platform;
  const api = createApi(platform, () =>
    db.$queryRaw`SELECT 1`.then(
      () => true,
      () => false,
    ),
  );
  const port = await listen(api.server, config.ports.http, config.host).catch(async (error: unknown) => {
    await closeServer(api.server);
    throw error;
  });
  return { api, url: `http://${hostPort(config.publicHost, port)}` };
}

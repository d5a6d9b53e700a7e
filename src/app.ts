import type { Config } from './config.ts';
import { hostPort } from './config.ts';
import type { GatewayUrls, Platform } from './context.ts';
import { closeServer, type Gateway, listen, startGateway } from './gateway/server.ts';
import { type Api, createApi } from './graphql/server.ts';
import { type Jobs, startJobs } from './jobs.ts';
import { type MessageSender, startSender } from './messages/sender.ts';
import { type OpenPlatform, type Overrides, openPlatform } from './platform.ts';
import { createSimulation, followClock } from './simulation/clock.ts';

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
    const opened = await openPlatform(config, overrides);
    closers.push(opened.close);
    const { platform } = opened;
    const gateway = config.roles.gateway ? await startGateway(platform) : null;
    if (gateway) closers.push(gateway.close);
    const sender = startSender(platform);
    closers.push(sender.close);
    const jobs = startClockwork(opened, gateway, sender);
    closers.push(jobs.close);
    const { api, url } = config.roles.api ? await startApi(platform) : { api: null, url: null };
    if (api) closers.push(api.close);
    return { url, gatewayUrls: platform.gatewayUrls, platform, gateway, jobs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The jobs and, in simulation mode, what moves the clock that they go by. */
function startClockwork({ platform, manualClock }: OpenPlatform, gateway: Gateway | null, sender: MessageSender): Jobs {
  const keepLease = async () => gateway?.tunnels.keepLease();
  if (!platform.config.simulation || !manualClock) return startJobs(platform, keepLease, sender.jobs);
  const follow = () => followClock(platform, manualClock);
  const jobs = startJobs(
    platform,
    async () => {
      await follow();
      await keepLease();
    },
    sender.jobs,
  );
  platform.simulation = createSimulation(platform, manualClock, jobs, keepLease);
  platform.bell.onRing('clock', () =>
    follow().catch((error: unknown) => platform.log.warn({ err: error }, 'The clock could not be read')),
  );
  return jobs;
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

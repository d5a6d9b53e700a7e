import { type App, createApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { DatabaseError } from './database/database.ts';
import { createLogger, type Logger } from './logger.ts';

/** Environment -> app -> signal -> close; nothing else. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLogger(config.logLevel);
  const starting = createApp(config, { log });
  // A signal that comes during the start is obeyed at its end.
  stopOnSignal(config, log, starting);
  const { url, gatewayUrls } = await starting;
  const { device, tunnel } = gatewayUrls;
  log.info({ api: url && `${url}/graphql`, device, tunnel, roles: config.roles }, 'talkgate is ready');
}

function stopOnSignal(config: Config, log: Logger, starting: Promise<App>): void {
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'Stopping');
    // What cannot be finished in time is left to the next start, which recovers it.
    setTimeout(() => process.exit(1), (config.limits.SHUTDOWN_SECONDS + 5) * 1000).unref();
    starting
      .then((app) => app.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'Stopping failed');
          process.exit(1);
        },
      );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

main().catch((error: NodeJS.ErrnoException) => {
  const readable =
    error instanceof ConfigError || error instanceof DatabaseError
      ? error.message
      : error.code === 'EADDRINUSE'
        ? `${error.message}: another process listens there.`
        : error.stack;
  process.stderr.write(`talkgate cannot start: ${readable}\n`);
  process.exit(1);
});

import { createApp } from './app.ts';
import { ConfigError, readConfig } from './config.ts';
import { DatabaseError } from './database/database.ts';

/** Environment -> app -> signal -> close; nothing else. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const app = await createApp(config);
  const { device, tunnel } = app.gatewayUrls;
  app.platform.log.info(
    { api: app.url && `${app.url}/graphql`, device, tunnel, roles: config.roles },
    'talkgate is ready',
  );

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    app.platform.log.info({ signal }, 'Stopping');
    // What cannot be finished in time is left to the next start, which recovers it.
    setTimeout(() => process.exit(1), (config.limits.SHUTDOWN_SECONDS + 5) * 1000).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        app.platform.log.error({ err: error }, 'Stopping failed');
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

import { runCommandLine } from './cli.ts';

/** A terminal's Ctrl-C reaches npm, tsx and this process, and some of them pass it on: what follows at once is the same one. */
const SAME_SIGNAL_MS = 1000;

const stop = new AbortController();
let stoppedAt = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stoppedAt === 0) stoppedAt = Date.now();
    else if (Date.now() - stoppedAt > SAME_SIGNAL_MS) process.exit(130);
    stop.abort();
  });
}
// A reader that has seen enough (`… | head`) is no error.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
});
// Everybody has left by now: a connection that still waits for its other side must not hold the process.
if (stop.signal.aborted) setTimeout(() => process.exit(), 1000).unref();

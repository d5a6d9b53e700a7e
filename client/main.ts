import { runCommandLine } from './cli.ts';
import { askAtTerminal } from './terminal.ts';

/** A terminal's Ctrl-C reaches npm, tsx and this process, and some of them pass it on: what follows at once is the same one. */
const SAME_SIGNAL_MS = 1000;

const stop = new AbortController();
let stoppedAt = 0;
function interrupt(): void {
  if (stoppedAt === 0) stoppedAt = Date.now();
  else if (Date.now() - stoppedAt > SAME_SIGNAL_MS) process.exit(130);
  stop.abort();
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
// A reader that has seen enough (`… | head`) is no error.
process.stdout.on('error', () => process.exit(0));

const { env, stdin, stdout, stderr } = process;
process.exitCode = await runCommandLine(process.argv.slice(2), {
  env,
  stdin,
  stdout,
  stderr,
  signal: stop.signal,
  ask: stdin.isTTY ? askAtTerminal({ stdin, stderr, interrupt, signal: stop.signal }) : undefined,
});
// What a command has read of it would keep the process alive.
stdin.destroy();

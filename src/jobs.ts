import type { Platform } from './context.ts';
import { reapLeases } from './ewons/presence.ts';
import { purgeLogs } from './log/purge.ts';
import { touchLogins } from './logins/login.ts';
import { closeSessionsOfEndedLogins, closeSilentSessions } from './sessions/close.ts';
import { purgeStoredResults } from './sessions/open.ts';
import { expireWaiters } from './sessions/queue.ts';
import { applyDueDecreases } from './sessions/slots.ts';

const TICK_MS = 1000;

/** Work that falls due with time. Each is a conditional change, so that several instances may run it and it may be interrupted. */
const JOBS: readonly ((ctx: Platform, dueAt: Date) => Promise<unknown>)[] = [
  applyDueDecreases,
  closeSilentSessions,
  closeSessionsOfEndedLogins,
  expireWaiters,
  reapLeases,
  touchLogins,
  purgeLogs,
  purgeStoredResults,
];

export interface Jobs {
  /** Runs everything that is due now and returns when it is done. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** Runs the due work every second. @param before comes first in each round: what must not fall due for want of a tick. */
export function startJobs(ctx: Platform, before: () => Promise<void>): Jobs {
  let running: Promise<void> | null = null;
  const round = async () => {
    const dueAt = ctx.clock.now();
    for (const job of [before, ...JOBS]) {
      await job(ctx, dueAt).catch((error: unknown) =>
        ctx.log.error({ err: error, job: job.name }, 'Due work failed; it is tried again'),
      );
    }
  };
  const run = async () => {
    await running;
    running = round().finally(() => {
      running = null;
    });
    await running;
  };
  const timer = setInterval(() => {
    if (!running) void run();
  }, TICK_MS);
  return {
    run,
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

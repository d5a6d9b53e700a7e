import { addSeconds } from './clock.ts';
import type { Platform } from './context.ts';
import type { DueKind } from './due-work.ts';
import { reapLeases } from './ewons/presence.ts';
import { purgeLogs } from './log/purge.ts';
import { type AccountTx, inAccount } from './log/write.ts';
import { endBlock, endLock } from './logins/locks.ts';
import { touchLogins } from './logins/login.ts';
import { closeSessionsOfEndedLogins, closeSilentSessions } from './sessions/close.ts';
import { purgeStoredResults } from './sessions/open.ts';
import { expireWaiters } from './sessions/queue.ts';
import { applyDueDecreases } from './sessions/slots.ts';

const TICK_MS = 500;
const DUE_WORK_BATCH = 100;
const DUE_WORK_RETRY_SECONDS = 60;

/** What is done when work falls due: in one transaction with the end of its row, so it is done once (CLU-05). */
type DueHandler = (ctx: Platform, account: AccountTx, subjectId: string) => Promise<void>;

const DUE_WORK: Record<DueKind, DueHandler> = {
  LOGIN_UNLOCK: endLock,
  SECOND_FACTOR_UNBLOCK: endBlock,
};

/** Work that falls due with time. Each is a conditional change, so that several instances may run it and it may be interrupted. */
const JOBS: readonly ((ctx: Platform, dueAt: Date) => Promise<unknown>)[] = [
  runDueWork,
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

/** Does what has fallen due, in the order of its time; what fails is tried again later and keeps nothing else back. */
async function runDueWork(ctx: Platform, dueAt: Date): Promise<void> {
  const items = await ctx.db.dueWork.findMany({
    where: { dueAt: { lte: dueAt }, OR: [{ retryAt: null }, { retryAt: { lte: dueAt } }] },
    orderBy: [{ dueAt: 'asc' }, { id: 'asc' }],
    take: DUE_WORK_BATCH,
  });
  for (const { id, accountId, kind, subjectId } of items) {
    await inAccount(ctx, accountId, async (account) => {
      // Of several instances the first finds the row; one that was moved meanwhile is not due.
      const { count } = await account.tx.dueWork.deleteMany({ where: { id, dueAt: { lte: dueAt } } });
      if (count > 0) await DUE_WORK[kind as DueKind](ctx, account, subjectId);
    }).catch(async (error: unknown) => {
      ctx.log.error({ err: error, kind, subjectId }, 'Due work failed; it is tried again');
      await ctx.db.dueWork.updateMany({
        where: { id },
        data: {
          retryAt: addSeconds(ctx.clock.now(), DUE_WORK_RETRY_SECONDS),
          attempts: { increment: 1 },
          lastError: error instanceof Error ? error.message.slice(0, 500) : String(error),
        },
      });
    });
  }
}

import { endTrial } from './account/trial.ts';
import { flushApiUsage } from './api-limits/limits.ts';
import { purgeApiUsage } from './api-limits/usage.ts';
import { closeMonth } from './billing/closing.ts';
import { addSeconds } from './clock.ts';
import { nextAnnouncement, sendAnnouncements } from './contacts/announcements.ts';
import type { Platform } from './context.ts';
import { nextDataPurge, purgeDataPoints } from './data-mailbox/store.ts';
import type { DueKind } from './due-work.ts';
import { nextLeaseEnd, reapLeases } from './ewons/presence.ts';
import type { DueWork, Prisma } from './generated/prisma/client.ts';
import { nextResultPurge, purgeStoredResults } from './idempotency.ts';
import { nextImportPurge, purgeImports } from './imports/preview.ts';
import { nextLogPurge, purgeLogs } from './log/purge.ts';
import { type AccountTx, inAccount } from './log/write.ts';
import { purgeLoginFailures } from './logins/credentials.ts';
import { endExpiredLogins, nextLoginEnd, nextTouch } from './logins/expiry.ts';
import { endBlock, endLock } from './logins/locks.ts';
import { touchLogins } from './logins/login.ts';
import { nextPatchEnd, runPatchCampaigns } from './patches/campaigns.ts';
import { closeSessionsOfEndedLogins, closeSilentSessions, nextSilence } from './sessions/close.ts';
import { expireWaiters, nextWaiterEnd } from './sessions/queue.ts';
import { applyDueDecreases, nextDecrease } from './sessions/slots.ts';
import { endSecret } from './support/secrets.ts';
import { expireUser } from './users/access.ts';
import { endWakeUp } from './wake-up/service.ts';

const TICK_MS = 500;
const DUE_WORK_BATCH = 100;
/** How often in a run it looks for what its own work has brought: a stop of two years. */
const DUE_WORK_ROUNDS = 25;
const DUE_WORK_RETRY_SECONDS = 60;

/** What is done when work falls due: in one transaction with the end of its row, so it is done once (CLU-05). */
type DueHandler = (ctx: Platform, account: AccountTx, subjectId: string) => Promise<void>;

const DUE_WORK: Record<DueKind, DueHandler> = {
  LOGIN_UNLOCK: endLock,
  SECOND_FACTOR_UNBLOCK: endBlock,
  USER_EXPIRY: expireUser,
  SECRET_END: endSecret,
  WAKE_UP_END: endWakeUp,
  MONTH_END: closeMonth,
  TRIAL_END: endTrial,
};

/** Something that is done when its time has come. It is a conditional change, so that several instances may run it and it may be interrupted. */
export interface Job {
  /** Under which the operator sees it. */
  name: string;
  run(ctx: Platform, dueAt: Date): Promise<unknown>;
  /** When there will next be something to do; null for nothing. Advancing the clock stops there (CLK-03). */
  nextDue(ctx: Platform): Promise<Date | null>;
  /** It may take long, so a tick begins it and does not wait for it. */
  background?: boolean;
  /** What must be done within a second of its time is looked for at each tick; the rest at every other one, or more rarely. */
  prompt?: boolean;
  /** Seconds between two looks; 1 if absent. */
  every?: number;
}

const job = (
  run: Job['run'],
  nextDue: Job['nextDue'],
  more: Pick<Job, 'prompt' | 'every' | 'background'> = {},
): Job => ({
  name: run.name,
  run,
  nextDue,
  ...more,
});

const never = async (): Promise<null> => null;

const JOBS: readonly Job[] = [
  job(runDueWork, nextDueWork, { prompt: true }),
  job(applyDueDecreases, nextDecrease, { every: 2 }),
  job(closeSilentSessions, nextSilence),
  job(touchLogins, nextTouch, { every: 2 }),
  job(endExpiredLogins, nextLoginEnd, { prompt: true }),
  // What it closes has ended with its login already, unless the two crossed.
  job(closeSessionsOfEndedLogins, never),
  job(expireWaiters, nextWaiterEnd),
  job(reapLeases, nextLeaseEnd),
  job(runPatchCampaigns, nextPatchEnd, { background: true }),
  job(sendAnnouncements, nextAnnouncement, { background: true }),
  job(purgeLogs, nextLogPurge, { every: 60 }),
  job(purgeDataPoints, nextDataPurge, { every: 60 }),
  job(purgeStoredResults, nextResultPurge, { every: 60 }),
  job(purgeImports, nextImportPurge, { every: 60 }),
  job(flushApiUsage, never, { every: 2 }),
  job(purgeApiUsage, never, { every: 3600 }),
  job(purgeLoginFailures, never, { every: 60 }),
];

/** How the last run of a job on this instance went. */
export interface JobRun {
  startedAt: Date;
  milliseconds: number;
  /** Since the start of the instance. */
  runs: number;
  failures: number;
  /** Of the last run; null when it went well. */
  error: string | null;
}

/** What a round looks at: everything, what it is time for, or what must be prompt. */
type Round = 'ALL' | 'FULL' | 'PROMPT';

export interface Jobs {
  /** Runs everything that is due now and returns when it is done. */
  run(): Promise<void>;
  /** All of them, for whoever advances the clock. */
  list: readonly Job[];
  /** Runs one and notes how it went; never throws. False when it failed. */
  runOne(job: Job, dueAt: Date): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Runs the due work twice a second.
 * @param before comes first in each round: what must not fall due for want of a tick.
 * @param more jobs of what lives as long as the program.
 */
export function startJobs(ctx: Platform, before: () => Promise<void>, more: readonly Job[] = []): Jobs {
  const list = [...JOBS, ...more];
  let running: Promise<void> | null = null;
  const runOne = async (one: Job, dueAt: Date): Promise<boolean> => {
    const startedAt = ctx.clock.now();
    const startedMs = performance.now();
    const error = await one.run(ctx, dueAt).then(
      () => null,
      (failure: unknown) => {
        ctx.log.error({ err: failure, job: one.name }, 'Due work failed; it is tried again');
        return failure instanceof Error ? failure.message : String(failure);
      },
    );
    const { runs = 0, failures = 0 } = ctx.jobRuns.get(one.name) ?? {};
    ctx.jobRuns.set(one.name, {
      startedAt,
      milliseconds: performance.now() - startedMs,
      runs: runs + 1,
      failures: failures + (error === null ? 0 : 1),
      error: error?.slice(0, 500) ?? null,
    });
    return error === null;
  };
  const lastLook = new Map<Job, number>();
  const inHand = new Set<Job>();
  const isDue = (one: Job, kind: Round): boolean => {
    if (kind === 'ALL') return true;
    if (kind === 'PROMPT') return one.prompt === true;
    // Half a tick early is in time: ticks are not exact.
    return performance.now() - (lastLook.get(one) ?? Number.NEGATIVE_INFINITY) >= (one.every ?? 1) * 1000 - TICK_MS / 2;
  };
  const round = async (kind: Round) => {
    const dueAt = ctx.clock.now();
    if (kind !== 'PROMPT')
      await before().catch((error: unknown) => ctx.log.error({ err: error }, 'A round of due work began badly'));
    for (const one of list) {
      if (!isDue(one, kind) || (kind !== 'ALL' && inHand.has(one))) continue;
      lastLook.set(one, performance.now());
      inHand.add(one);
      const work = runOne(one, dueAt).finally(() => inHand.delete(one));
      if (kind === 'ALL' || !one.background) await work;
    }
  };
  const begin = (kind: Round): Promise<void> => {
    running = round(kind).finally(() => {
      running = null;
    });
    return running;
  };
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    if (!running) void begin(ticks % 2 === 0 ? 'PROMPT' : 'FULL');
  }, TICK_MS);
  return {
    list,
    runOne,
    run: async () => {
      await running;
      await begin('ALL');
    },
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

/**
 * Does what has fallen due, in the order of its time; what fails is tried again later and keeps nothing else back. What is due then
 * because of it, as the end of the next month after a long stop, is done in the same run.
 */
async function runDueWork(ctx: Platform, dueAt: Date): Promise<void> {
  const due = (where: Prisma.DueWorkWhereInput) =>
    ctx.db.dueWork.findMany({
      where: { dueAt: { lte: dueAt }, ...where },
      // At the same instant by kind: a month ends before the trial does, so that it is closed under the plan it had.
      orderBy: [{ dueAt: 'asc' }, { kind: 'asc' }, { id: 'asc' }],
      take: DUE_WORK_BATCH,
    });
  let items = await due({ OR: [{ retryAt: null }, { retryAt: { lte: dueAt } }] });
  for (let round = 0; items.length > 0 && round < DUE_WORK_ROUNDS; round += 1) {
    for (const item of items) await doDueWork(ctx, dueAt, item);
    items = await due({ accountId: { in: [...new Set(items.map(({ accountId }) => accountId))] }, retryAt: null });
  }
}

async function doDueWork(ctx: Platform, now: Date, { id, accountId, kind, subjectId, dueAt }: DueWork): Promise<void> {
  await inAccount(ctx, accountId, async (account) => {
    const { dueWork } = account.tx;
    // What was done has brought work that is due before this: that comes first.
    const earlier = [{ dueAt: { lt: dueAt } }, { dueAt, kind: { lt: kind } }];
    if ((await dueWork.count({ where: { accountId, retryAt: null, OR: earlier } })) > 0) return;
    // Of several instances the first finds the row; one that was moved meanwhile is not due.
    const { count } = await dueWork.deleteMany({ where: { id, dueAt: { lte: now } } });
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

/** When the next row falls due, or is tried again. */
async function nextDueWork({ db }: Platform): Promise<Date | null> {
  const [next] = await db.$queryRaw<{ at: Date | null }[]>`
    SELECT min(GREATEST("dueAt", COALESCE("retryAt", "dueAt"))) AS "at" FROM "DueWork"`;
  return next?.at ?? null;
}

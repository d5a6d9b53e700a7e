import type { ManualClock } from '../clock.ts';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { Job, Jobs } from '../jobs.ts';
import { carryLiving } from './living.ts';

/** How many times an advance may stop on its way: more would be work of hours behind one request. */
const MOST_STOPS = 20_000;

/** What moves the platform's clock in simulation mode (CLK-01). */
export interface Simulation {
  /** How far the clock is ahead of the system's, in milliseconds. */
  readonly aheadMs: number;
  /**
   * Moves the clock to a time or, as `by`, on by milliseconds; on the way it stops wherever something falls due, and does
   * that first. Returns when all is done (CLK-03). Two advances on one instance come one after the other.
   * @throws AppError CLOCK_GOES_BACK, CLOCK_ADVANCE_INCOMPLETE
   */
  advance(target: { to: Date } | { byMs: number }): Promise<void>;
}

/** Moves the clock on to where some instance has put it, at the start, at each ring and at each tick. */
export async function followClock({ db }: Pick<Platform, 'db'>, clock: ManualClock): Promise<void> {
  const stored = await db.clockOffset.findFirst();
  const behindMs = Number(stored?.aheadMs ?? 0n) - clock.aheadMs;
  if (behindMs > 0) clock.advance(behindMs);
}

/** @param before what must not fall due for want of a tick: the lease of the own gateway. */
export function createSimulation(
  ctx: Platform,
  clock: ManualClock,
  jobs: Jobs,
  before: () => Promise<void>,
): Simulation {
  let last: Promise<unknown> = Promise.resolve();
  return {
    get aheadMs() {
      return clock.aheadMs;
    },
    advance: (target) => {
      const advanced = last.then(() => advance(ctx, clock, jobs, before, target));
      last = advanced.catch(() => undefined);
      return advanced;
    },
  };
}

async function advance(
  ctx: Platform,
  clock: ManualClock,
  jobs: Jobs,
  before: () => Promise<void>,
  target: { to: Date } | { byMs: number },
): Promise<void> {
  const { aheadMs } = clock;
  const now = clock.now();
  const to = 'to' in target ? target.to : new Date(now.getTime() + target.byMs);
  if (to < now)
    throw new AppError('CLOCK_GOES_BACK', `It is ${now.toISOString()} already; the clock never goes back.`, ['to']);
  // Jobs that failed at a stop are left to the ticks, so that they hold nothing up.
  const failed = new Map<Job, number>();
  for (let stops = 0; ; stops++) {
    const due = await dueUntil(ctx, jobs.list, to, failed);
    const first = due[0];
    if (!first) break;
    if (stops >= MOST_STOPS)
      throw new AppError(
        'CLOCK_ADVANCE_INCOMPLETE',
        `More than ${MOST_STOPS} things fell due; it is ${clock.now().toISOString()} now. Advance again to go on.`,
      );
    await moveTo(ctx, clock, first.at, before);
    for (const { job } of due.filter(({ at }) => at <= clock.now())) {
      if (!(await jobs.runOne(job, clock.now()))) failed.set(job, clock.now().getTime());
    }
  }
  // By a duration means: so much more ahead, however long the work on the way took.
  await moveTo(ctx, clock, 'to' in target ? to : aheadMs + target.byMs, before);
}

/** What falls due until then, the earliest first. */
async function dueUntil(
  ctx: Platform,
  list: readonly Job[],
  to: Date,
  failed: ReadonlyMap<Job, number>,
): Promise<{ job: Job; at: Date }[]> {
  const due: { job: Job; at: Date }[] = [];
  for (const job of list) {
    const at = await job.nextDue(ctx);
    if (at && at <= to && at.getTime() > (failed.get(job) ?? Number.NEGATIVE_INFINITY)) due.push({ job, at });
  }
  return due.sort((one, other) => one.at.getTime() - other.at.getTime());
}

/** Puts the clock of all instances to a time, or so many milliseconds ahead; where it has been already, nothing changes. */
async function moveTo(
  ctx: Platform,
  clock: ManualClock,
  to: Date | number,
  before: () => Promise<void>,
): Promise<void> {
  const now = clock.now();
  const aheadMs = typeof to === 'number' ? to : clock.aheadMs + to.getTime() - now.getTime();
  const stepMs = aheadMs - clock.aheadMs;
  if (stepMs > 0) {
    await carryLiving(ctx, now, stepMs);
    await ctx.db.$executeRaw`
      INSERT INTO "ClockOffset" ("id", "aheadMs") VALUES (1, ${aheadMs})
      ON CONFLICT ("id") DO UPDATE SET "aheadMs" = GREATEST("ClockOffset"."aheadMs", EXCLUDED."aheadMs")`;
    if (aheadMs > clock.aheadMs) clock.advance(aheadMs - clock.aheadMs);
    ctx.bell.ring('clock');
  }
  await before();
}

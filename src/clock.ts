/** The platform's one clock (decision 10). Nothing else in `src/` asks the system for the time. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A clock that a test or a simulation moves; it never goes back (CLK-01). */
export interface ManualClock extends Clock {
  /** How far it is ahead of the system's, in milliseconds. */
  readonly aheadMs: number;
  /** Moves the clock on by a number of milliseconds, 0 or more. */
  advance(ms: number): void;
}

/** Runs with the system's clock, ahead of it by what it was advanced. */
export function createManualClock(): ManualClock {
  let aheadMs = 0;
  return {
    now: () => new Date(Date.now() + aheadMs),
    get aheadMs() {
      return aheadMs;
    },
    advance: (ms) => {
      if (!(ms >= 0)) throw new RangeError('The clock never goes back.');
      aheadMs += ms;
    },
  };
}

export const addSeconds = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1000);

/** Adds calendar months in UTC; the day is clipped to the end of the month (CON-17). */
export function addMonths(time: Date, months: number): Date {
  const result = new Date(time);
  result.setUTCDate(1);
  result.setUTCMonth(result.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(result.getUTCFullYear(), result.getUTCMonth() + 1, 0)).getUTCDate();
  result.setUTCDate(Math.min(time.getUTCDate(), lastDay));
  return result;
}

/** The earliest of some times; null when there is none. */
export const earliest = (...times: (Date | null | undefined)[]): Date | null =>
  times.reduce<Date | null>((first, time) => (time && (!first || time < first) ? time : first), null);

/** The first whole day, or whatever else the length in milliseconds is, at or after a time. */
export const roundUp = (time: Date, ms: number): Date => new Date(Math.ceil(time.getTime() / ms) * ms);

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/**
 * What is renewed all the time, and runs until later than this, has somebody behind it who lives in real time: advancing the
 * clock carries it along (CLK-03). What runs until earlier was not renewed lately, and runs out as the clock says.
 * @param seconds for how long it is renewed
 */
export const aliveAfter = (now: Date, seconds: number): Date => addSeconds(now, seconds / 2);

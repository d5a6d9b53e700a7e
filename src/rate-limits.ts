import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Config } from './config.ts';
import { TooManyRequestsError } from './errors.ts';

/** One limit: so many points a caller in a window. */
interface RateLimit {
  /** @throws TooManyRequestsError with the seconds until the caller may try again. */
  take(key: string, points?: number): Promise<void>;
  /** Throws like `take` when nothing is left, but takes nothing. */
  check(key: string): Promise<void>;
}

/** The limits of the doors that anybody may knock at. Counted in each instance for itself. */
export interface RateLimits {
  logins: RateLimit;
  accounts: RateLimit;
  recoveries: RateLimit;
  /** Second-factor codes sent to one user. */
  codes: RateLimit;
  /** Messages that the people of one account have sent to whomever they name: invitations and notices. */
  notices: RateLimit;
  /** Passwords set in one account: each takes a slow hash, which all logins of the platform wait for. */
  passwords: RateLimit;
  enrolments: RateLimit;
  enrolmentFailures: RateLimit;
  /** Wrong operator tokens from one address. */
  operatorFailures: RateLimit;
  /** Mail and text messages that one Ewon asks for (GW-13). */
  deviceMessages: RateLimit;
  /** Entries of the log that say that an Ewon asks for too many. */
  deviceMessageNotes: RateLimit;
  /** Values that one Ewon pushes (GW-14). */
  dataPoints: RateLimit;
  /** Data that one Ewon has relayed (M2U-01). */
  m2u: RateLimit;
  /** Entries of the log that say that an Ewon has too much relayed. */
  m2uNotes: RateLimit;
  /** Estimates of passwords (PWD-18), by login or by address. */
  strength: RateLimit;
}

export function createRateLimits({ limits }: Config): RateLimits {
  return {
    logins: rateLimit(limits.LOGINS_PER_MINUTE, 60),
    accounts: rateLimit(limits.ACCOUNTS_PER_HOUR, 3600),
    recoveries: rateLimit(limits.RECOVERIES_PER_HOUR, 3600),
    codes: rateLimit(limits.CODES_PER_HOUR, 3600),
    notices: rateLimit(limits.NOTICES_PER_HOUR, 3600),
    passwords: rateLimit(limits.PASSWORDS_PER_MINUTE, 60),
    enrolments: rateLimit(limits.ENROLMENTS_PER_MINUTE, 60),
    enrolmentFailures: rateLimit(limits.ENROLMENT_FAILURES_PER_MINUTE, 60),
    operatorFailures: rateLimit(limits.OPERATOR_FAILURES_PER_MINUTE, 60),
    deviceMessages: rateLimit(limits.DEVICE_MESSAGES_PER_HOUR, 3600),
    deviceMessageNotes: rateLimit(1, 3600),
    dataPoints: rateLimit(limits.DATA_POINTS_PER_HOUR, 3600),
    m2u: rateLimit(limits.M2U_PER_HOUR, 3600),
    m2uNotes: rateLimit(1, 3600),
    strength: rateLimit(limits.STRENGTH_PER_MINUTE, 60),
  };
}

function rateLimit(points: number, duration: number): RateLimit {
  const limiter = new RateLimiterMemory({ points, duration });
  const refuse = (result: RateLimiterRes) => {
    const seconds = Math.max(1, Math.ceil(result.msBeforeNext / 1000));
    return new TooManyRequestsError(`Too many requests; try again in ${seconds} s.`, seconds);
  };
  return {
    take: async (key, points = 1) => {
      await limiter.consume(key, points).catch((result: unknown) => {
        throw result instanceof RateLimiterRes ? refuse(result) : result;
      });
    },
    check: async (key) => {
      const result = await limiter.get(key);
      if (result && result.consumedPoints >= points) throw refuse(result);
    },
  };
}

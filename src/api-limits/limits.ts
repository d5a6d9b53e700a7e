import type { ServerResponse } from 'node:http';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { planAllowances } from '../account/plans.ts';
import type { Config } from '../config.ts';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { Plan } from '../generated/prisma/enums.ts';
import { CallCounter, leftToday } from './usage.ts';

/** How much of a limit is left. */
export interface Budget {
  limit: number;
  /** Calls that are left until the window is over. */
  remaining: number;
  /** Until then, in milliseconds. */
  resetMs: number;
}

const inSeconds = ({ resetMs }: Budget): number => Math.max(1, Math.ceil(resetMs / 1000));

/** A call too many: nothing was done (M2W-13, API-03). */
export class RateLimitedError extends AppError {
  override readonly name = 'RateLimitedError';
  constructor(
    message: string,
    readonly budget: Budget,
  ) {
    super('RATE_LIMITED', message);
  }

  /** Seconds until it is worth trying again; at least 1. */
  get retryAfter(): number {
    return inSeconds(this.budget);
  }
}

/** Whose call it is: a login, or an API token, of an account on its plan. */
interface ApiCaller {
  id: string;
  accountId: string;
  plan: Plan;
}

/**
 * The limits of the API: requests of an address and of a login or API token in a minute (API-03), each instance for itself, and
 * calls of an account in a day of UTC (M2W-13), all instances together. What is refused counts for nothing further.
 */
export interface ApiLimits {
  /** Counts a request of an address, before anything is known of it. @throws RateLimitedError */
  takeAddress(address: string): Promise<Budget>;
  /** Counts a call of somebody who is known; gives the budget of his that is nearest to its end. @throws RateLimitedError */
  takeCall(caller: ApiCaller): Promise<Budget>;
  /** What is left, without counting. */
  budgets(caller: ApiCaller, address: string): Promise<Record<'account' | 'login' | 'address', Budget>>;
  /** Adds the calls that were counted in memory to the table. */
  flush(): Promise<void>;
}

const MINUTE = 60;

export function createApiLimits(ctx: Pick<Platform, 'db' | 'clock'> & { config: Config }): ApiLimits {
  const { REQUESTS_PER_MINUTE_ADDRESS, REQUESTS_PER_MINUTE_LOGIN } = ctx.config.limits;
  const addresses = perMinute(REQUESTS_PER_MINUTE_ADDRESS, 'Your address has made');
  const callers = perMinute(REQUESTS_PER_MINUTE_LOGIN, 'Your login or API token has made');
  const calls = new CallCounter(ctx);
  const daily = ({ plan }: ApiCaller, used: number): Budget => {
    const limit = planAllowances(plan, ctx.config).apiCallsPerDay;
    return { limit, remaining: Math.max(0, limit - used), resetMs: leftToday(ctx.clock.now()) };
  };
  return {
    takeAddress: (address) => addresses.take(address),
    takeCall: async (caller) => {
      const login = await callers.take(caller.id);
      const { used, taken } = await calls.take(caller.accountId, daily(caller, 0).limit);
      const account = daily(caller, used);
      if (!taken)
        throw new RateLimitedError(
          `The account has made its ${account.limit} calls of the API today; the next day begins at 00:00 UTC.`,
          account,
        );
      return nearer(login, account);
    },
    budgets: async (caller, address) => ({
      account: daily(caller, await calls.used(caller.accountId)),
      login: await callers.look(caller.id),
      address: await addresses.look(address),
    }),
    flush: () => calls.flush(),
  };
}

function perMinute(limit: number, who: string) {
  const limiter = new RateLimiterMemory({ points: limit, duration: MINUTE });
  const budgetOf = ({ remainingPoints, msBeforeNext }: RateLimiterRes): Budget => ({
    limit,
    remaining: Math.max(0, remainingPoints),
    resetMs: msBeforeNext,
  });
  return {
    take: (key: string): Promise<Budget> =>
      limiter.consume(key).then(budgetOf, (result: unknown) => {
        if (!(result instanceof RateLimiterRes)) throw result;
        const budget = budgetOf(result);
        throw new RateLimitedError(
          `${who} ${limit} requests within a minute; try again in ${inSeconds(budget)} s.`,
          budget,
        );
      }),
    look: async (key: string): Promise<Budget> => {
      const result = await limiter.get(key);
      return result ? budgetOf(result) : { limit, remaining: limit, resetMs: MINUTE * 1000 };
    },
  };
}

/** The one that will be used up sooner. */
const nearer = (a: Budget, b: Budget): Budget => (a.remaining <= b.remaining ? a : b);

/** Says in the headers of an answer what is left: of the limit that is nearest to its end (API-03). */
export function writeBudget(response: ServerResponse, budget: Budget): void {
  response.setHeader('ratelimit-limit', budget.limit);
  response.setHeader('ratelimit-remaining', budget.remaining);
  response.setHeader('ratelimit-reset', inSeconds(budget));
}

/** {@link writeBudget} where the budget is nearer to its end than the one that the headers tell of already. */
export function writeNearer(response: ServerResponse, budget: Budget | null): void {
  if (budget && budget.remaining <= Number(response.getHeader('ratelimit-remaining') ?? Number.POSITIVE_INFINITY))
    writeBudget(response, budget);
}

/** {@link writeBudget} for a refusal, and when to try again. */
export function writeRefusal(response: ServerResponse, error: RateLimitedError): void {
  writeBudget(response, error.budget);
  response.setHeader('retry-after', error.retryAfter);
}

/** Adds the calls that were counted in memory to the table: a few seconds of them are lost in a crash. */
export const flushApiUsage = ({ apiLimits }: Pick<Platform, 'apiLimits'>): Promise<void> => apiLimits.flush();

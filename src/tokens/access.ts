import { PLANS } from '../account/plans.ts';
import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { Plan } from '../generated/prisma/enums.ts';
import { hashToken } from '../secrets.ts';

/** What an application reads with an API token: Ewons and their data, and nothing else (TOK-08, TOK-13). */
export interface TokenAccess {
  tokenId: string;
  accountId: string;
  plan: Plan;
  /** Null covers all Ewons of the account. */
  poolId: string | null;
}

/** TOK-04 */
export const API_TOKEN_LENGTH = 40;
/** TOK-05 */
export const API_TOKEN_PREFIX_LENGTH = 6;
/** TOK-12: the user name that older applications give, with the token as password. */
const API_TOKEN_USERNAME = 't2m-api-token';

const BEARER = new RegExp(`^Bearer ([A-Za-z0-9]{${API_TOKEN_LENGTH}})$`, 'i');
const BASIC = /^Basic ([A-Za-z0-9+/]{1,200}={0,2})$/i;

/** The API token in an `Authorization` header, of whatever value; null for anything that is not the form of one (TOK-04, TOK-12). */
export function apiTokenIn(authorization: unknown): string | null {
  if (typeof authorization !== 'string') return null;
  const bearer = BEARER.exec(authorization)?.[1];
  if (bearer) return bearer;
  const pair = Buffer.from(BASIC.exec(authorization)?.[1] ?? '', 'base64').toString('utf8');
  return pair.startsWith(`${API_TOKEN_USERNAME}:`) ? pair.slice(API_TOKEN_USERNAME.length + 1) : null;
}

/**
 * What the token gives access to now, and notes the day of its use (TOK-09), at most once a day.
 * @throws AppError TOKEN_INVALID (TOK-10)
 * @throws TooManyRequestsError after too many wrong ones from the address
 */
export async function authenticateToken(ctx: Platform, value: string, remoteAddress: string): Promise<TokenAccess> {
  const token = await ctx.db.apiToken.findUnique({
    where: { tokenHash: hashToken(value) },
    select: { id: true, accountId: true, poolId: true, lastUsedOn: true, account: { select: { plan: true } } },
  });
  if (!token) {
    await ctx.rateLimits.logins.take(remoteAddress);
    throw new AppError('TOKEN_INVALID', 'The API token is not valid.');
  }
  const today = startOfDay(ctx.clock.now());
  if (token.lastUsedOn === null || token.lastUsedOn < today) {
    await ctx.db.apiToken.updateMany({
      where: { id: token.id, OR: [{ lastUsedOn: null }, { lastUsedOn: { lt: today } }] },
      data: { lastUsedOn: today },
    });
  }
  const { plan } = token.account;
  const { pools } = PLANS[plan];
  return { tokenId: token.id, accountId: token.accountId, plan, poolId: pools ? token.poolId : null };
}

const startOfDay = (time: Date): Date => addSeconds(time, -(time.getTime() % 86_400_000) / 1000);

import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import { inAccount } from '../log/write.ts';
import { userStatus, userSubject } from '../users/rules.ts';

/** The first three inputs of every login (AUTH-01). */
export interface Credentials {
  account: string;
  username: string;
  password: string;
}

/** Whom the credentials are of. */
export interface CheckedUser {
  userId: string;
  accountId: string;
}

/** AUTH-03, AUTH-04: one answer for everything that can be wrong. */
export class InvalidCredentialsError extends AppError {
  override readonly name = 'InvalidCredentialsError';
  constructor() {
    super('INVALID_CREDENTIALS', 'Supplied credentials are invalid');
  }
}

/**
 * Checks account name, user name and password. Unknown account, unknown user, wrong password, disabled, pending, expired and
 * locked users all give the same answer after the same work (AUTH-04); failures count towards the lock (AUTH-07, AUTH-08).
 * @throws AppError INVALID_CREDENTIALS
 * @throws TooManyRequestsError when the address tries too often, or too many logins wait.
 */
export async function checkCredentials(
  ctx: Platform,
  credentials: Credentials,
  remoteAddress: string,
): Promise<CheckedUser> {
  await ctx.rateLimits.logins.take(remoteAddress);
  const user = await ctx.db.user.findFirst({
    where: { usernameKey: nameKey(credentials.username), account: { nameKey: nameKey(credentials.account) } },
    omit: { description: true, customFields: true },
  });
  const now = ctx.clock.now();
  const locked = user?.lockedUntil != null && user.lockedUntil > now;
  const matches = await ctx.passwords.verify(user?.passwordHash ?? null, credentials.password);
  if (!user) throw new InvalidCredentialsError();
  if (!matches || locked || userStatus(user, now) !== 'ENABLED') {
    // An attempt during a lock does not extend it (AUTH-08).
    if (!locked && !matches) await countFailure(ctx, user);
    throw new InvalidCredentialsError();
  }
  if (user.failedLogins > 0 || user.lockedUntil)
    await ctx.db.user.update({ where: { id: user.id }, data: { failedLogins: 0, lockedUntil: null } });
  return { userId: user.id, accountId: user.accountId };
}

type FailedUser = { id: string; number: number; username: string; fullName: string | null; accountId: string };

/** AUTH-07: the tenth failure in a row locks the login of this user for 15 minutes. */
async function countFailure(ctx: Platform, user: FailedUser): Promise<void> {
  const { LOGIN_LOCK_ATTEMPTS: attempts, LOGIN_LOCK_MINUTES: minutes } = ctx.config.limits;
  await inAccount(ctx, user.accountId, async ({ tx, now, log }) => {
    log({ code: 'LOGIN_FAILED', user: userSubject(user) });
    // An attempt that was under way while another one began the lock is an attempt during it: it counts for nothing.
    const [counted] = await tx.user.updateManyAndReturn({
      where: { id: user.id, OR: [{ lockedUntil: null }, { lockedUntil: { lte: now } }] },
      data: { failedLogins: { increment: 1 } },
      select: { failedLogins: true },
    });
    if (!counted || counted.failedLogins < attempts) return;
    await tx.user.update({
      where: { id: user.id },
      data: { failedLogins: 0, lockedUntil: addSeconds(now, minutes * 60) },
    });
    log({ code: 'LOGIN_LOCKED', user: userSubject(user), trigger: 'PLATFORM', params: { minutes, attempts } });
  });
}

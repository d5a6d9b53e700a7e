import { PLANS } from '../account/plans.ts';
import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { schedule } from '../due-work.ts';
import { AppError } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import type { User } from '../generated/prisma/client.ts';
import { NO_ID } from '../graphql/global-id.ts';
import { type AccountTx, inAccount, inNoAccount } from '../log/write.ts';
import { queueMessage } from '../messages/queue.ts';
import { displayName, userStatus, userSubject } from '../users/rules.ts';

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
  /** The hash that the password was checked against: by the time of the login it may be another. */
  passwordHash: string;
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
 * locked users all give the same answer after the same work (AUTH-04); failures count towards the lock (AUTH-07, AUTH-08) and
 * the ban of the address (AUTH-11).
 * @throws AppError INVALID_CREDENTIALS, IP_BANNED
 * @throws TooManyRequestsError when the address tries too often, or too many logins wait.
 */
export async function checkCredentials(
  ctx: Platform,
  credentials: Credentials,
  remoteAddress: string,
): Promise<CheckedUser> {
  await ctx.rateLimits.logins.take(remoteAddress);
  await requireNotBanned(ctx, remoteAddress);
  const user = await ctx.db.user.findFirst({
    where: { usernameKey: nameKey(credentials.username), account: { nameKey: nameKey(credentials.account) } },
  });
  await checkPassword(ctx, user, credentials.password, remoteAddress);
  if (!user?.passwordHash) throw new InvalidCredentialsError();
  return { userId: user.id, accountId: user.accountId, passwordHash: user.passwordHash };
}

/**
 * Checks the password of a user, or does the same work for nobody.
 * @throws AppError INVALID_CREDENTIALS
 */
export async function checkPassword(
  ctx: Platform,
  user: User | null,
  password: string,
  remoteAddress: string,
): Promise<void> {
  const matches = await ctx.passwords.verify(user?.passwordHash ?? null, password);
  // While the hash waited for its turn, other guesses may have locked the login, or the password been changed.
  const current = await ctx.db.user.findUnique({ where: { id: user?.id ?? NO_ID } });
  if (!user || !current || !matches || !mayLogIn(current, user.passwordHash, ctx.clock.now())) {
    await countFailure(ctx, current, remoteAddress, matches);
    throw new InvalidCredentialsError();
  }
  if (current.failedLogins > 0) await ctx.db.user.update({ where: { id: user.id }, data: { failedLogins: 0 } });
}

/** Whether the user may log in now with the password that has this hash: enabled, not locked, and it is still his (AUTH-04). */
export const mayLogIn = (user: User, passwordHash: string | null, now: Date): boolean =>
  userStatus(user, now) === 'ENABLED' &&
  !(user.lockedUntil && user.lockedUntil > now) &&
  user.passwordHash === passwordHash;

/** @throws AppError IP_BANNED, without a look at what was given (AUTH-11) */
export async function requireNotBanned(ctx: Platform, remoteAddress: string): Promise<void> {
  if (await ctx.db.addressBan.findUnique({ where: { remoteAddress } }))
    throw new AppError('IP_BANNED', 'Too many failed logins came from your address.');
}

/**
 * Counts a failed login for the user (AUTH-07) and for the address (AUTH-11). For an account or user that does not exist the
 * same statements run and find nothing, so that the time they take tells nothing (AUTH-04).
 */
async function countFailure(
  ctx: Platform,
  user: User | null,
  remoteAddress: string,
  rightPassword: boolean,
): Promise<void> {
  const work = async (account: AccountTx) => {
    await countForAddress(ctx, account.tx, account.now, remoteAddress);
    await countForUser(ctx, account, user, rightPassword);
  };
  await (user ? inAccount(ctx, user.accountId, work) : inNoAccount(ctx, work));
}

/** AUTH-11: a thousand failures of an address within 24 hours, of whatever accounts, ban it. */
async function countForAddress(ctx: Platform, tx: Tx, now: Date, remoteAddress: string): Promise<void> {
  const { ADDRESS_BAN_FAILURES, ADDRESS_BAN_HOURS } = ctx.config.limits;
  await tx.loginFailure.create({ data: { remoteAddress, at: now } });
  const failures = await tx.loginFailure.count({
    where: { remoteAddress, at: { gt: addSeconds(now, -ADDRESS_BAN_HOURS * 3600) } },
  });
  if (failures < ADDRESS_BAN_FAILURES) return;
  await tx.addressBan.upsert({
    where: { remoteAddress },
    create: { remoteAddress, bannedAt: now, failures },
    update: {},
  });
  ctx.log.warn({ remoteAddress, failures }, 'An address is banned from logging in');
}

/** AUTH-07, AUTH-08: the tenth failure in a row locks the login of the user for 15 minutes; during a lock nothing counts. */
async function countForUser(
  ctx: Platform,
  account: AccountTx,
  user: User | null,
  rightPassword: boolean,
): Promise<void> {
  const { tx, now, log } = account;
  const { LOGIN_LOCK_ATTEMPTS: attempts, LOGIN_LOCK_MINUTES: minutes } = ctx.config.limits;
  // The right password of somebody who may not log in is no guess.
  const [counted] = await tx.user.updateManyAndReturn({
    where: { id: user?.id ?? NO_ID, OR: [{ lockedUntil: null }, { lockedUntil: { lte: now } }] },
    data: { failedLogins: { increment: rightPassword ? 0 : 1 } },
    select: { failedLogins: true },
  });
  if (!user) return;
  log({ code: 'LOGIN_FAILED', user: userSubject(user) });
  if (!counted || counted.failedLogins < attempts) return;
  const until = addSeconds(now, minutes * 60);
  await tx.user.update({ where: { id: user.id }, data: { failedLogins: 0, lockedUntil: until } });
  await schedule(account, 'LOGIN_UNLOCK', user.id, until);
  log({ code: 'LOGIN_LOCKED', user: userSubject(user), trigger: 'PLATFORM', params: { minutes, attempts } });
  await tellOfLock(ctx, account, user, until);
}

/** How many Administrators are told at most. */
const ADMINISTRATORS_TOLD = 20;

/** AUTH-09: a mail to the locked user and one to the Administrators, with reason and remedy. */
async function tellOfLock(ctx: Platform, account: AccountTx, user: User, until: Date): Promise<void> {
  const { tx, now, accountId } = account;
  const { LOGIN_LOCK_ATTEMPTS: attempts, LOGIN_LOCK_MINUTES: minutes } = ctx.config.limits;
  if (userStatus(user, now) !== 'ENABLED') return;
  const { name: accountName, plan } = await tx.account.findUniqueOrThrow({
    where: { id: accountId },
    select: { name: true, plan: true },
  });
  const params = { accountName, name: displayName(user), attempts, minutes, until: until.toISOString() };
  const mail = { channel: 'MAIL' as const, params, userId: user.id, expiresAt: addSeconds(now, 86_400) };
  await queueMessage(ctx, account, { ...mail, template: 'LOGIN_LOCKED', recipient: user.email });
  const administrators = await tx.user.findMany({
    where: {
      accountId,
      id: { not: user.id },
      disabledAt: null,
      AND: [{ OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] }],
      ...(PLANS[plan].groups
        ? { memberships: { some: { group: { administrators: true } } } }
        : { role: 'ADMINISTRATOR' as const }),
    },
    orderBy: { id: 'asc' },
    take: ADMINISTRATORS_TOLD,
    select: { email: true },
  });
  for (const recipient of new Set(administrators.map(({ email }) => email)))
    await queueMessage(ctx, account, { ...mail, template: 'USER_LOCKED', recipient });
}

/** Forgets the failures that no ban counts any more (AUTH-11). */
export async function purgeLoginFailures(ctx: Platform): Promise<void> {
  const { ADDRESS_BAN_HOURS } = ctx.config.limits;
  await ctx.db.loginFailure.deleteMany({
    where: { at: { lt: addSeconds(ctx.clock.now(), -ADDRESS_BAN_HOURS * 3600) } },
  });
}

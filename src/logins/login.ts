import { addSeconds, earliest } from '../clock.ts';
import type { ActorContext, Caller, Platform } from '../context.ts';
import { AppError, TooManyRequestsError } from '../errors.ts';
import type { Account, Challenge, ClientKind, Login, LoginStage, User } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { checkCode, sendCode } from '../second-factor/codes.ts';
import { type DeviceToken, isRemembered, rememberPc } from '../second-factor/remembered-pcs.ts';
import { asksForCode, maskedEmail, maskedNumber, mayRememberPc, requireNotBlocked } from '../second-factor/rules.ts';
import { createToken, hashToken } from '../secrets.ts';
import { type Actor, loadActor, loadUserAsActor } from '../users/actor.ts';
import { actorSubject, userSubject } from '../users/rules.ts';
import {
  type CheckedUser,
  type Credentials,
  checkCredentials,
  InvalidCredentialsError,
  mayLogIn,
} from './credentials.ts';
import { endLogins } from './revoke.ts';
import { passwordChangeReason, type StageFacts, stageOf } from './stages.ts';

/** Where a login stands: its stage, and the token that stands for it from now on, shown this once. */
export interface LoginStep {
  stage: LoginStage;
  loginId: string;
  token: string;
  expiresAt: Date;
  user: User;
  account: Account;
  /** Of the stage CODE: the code that was sent; null for an authenticator app. */
  challenge: Challenge | null;
  /** Of the stage PASSWORD_CHANGE. */
  changeReason: 'FORCED' | 'EXPIRED' | null;
  /** Of the stage OPEN: the PC is remembered from now on. */
  device: DeviceToken | null;
}

/** What comes with the credentials. */
export interface LoginOptions {
  client: ClientKind;
  /** The secret of a remembered PC, which stands for the code (TFA-31). */
  deviceToken: string | null;
}

/**
 * Logs in with account, user name and password (AUTH-01, AUTH-02): a login at its first stage (AUTH-15).
 * @throws AppError as {@link checkCredentials}
 * @throws TwoFactorBlockedError
 */
export async function login(
  ctx: Platform,
  credentials: Credentials,
  options: LoginOptions,
  caller: Caller,
): Promise<LoginStep> {
  const { userId, accountId, passwordHash } = await checkCredentials(ctx, credentials, caller.remoteAddress);
  return inAccount(ctx, accountId, (account) => createLogin(ctx, account, { userId, passwordHash }, options, caller));
}

/** Makes the login of a user whose credentials are right, in the transaction that decides where it stands. */
export async function createLogin(
  ctx: Platform,
  account: AccountTx,
  { userId, passwordHash }: Pick<CheckedUser, 'userId'> & Partial<CheckedUser>,
  { client, deviceToken }: LoginOptions,
  caller: Caller,
): Promise<LoginStep> {
  const { tx, now, accountId } = account;
  const user = await tx.user.findUnique({ where: { id: userId }, include: { account: true } });
  // Between the check and this transaction he may have been disabled, locked or deleted, or his password changed (AUTH-20).
  if (!user || !mayLogIn(user, passwordHash ?? user.passwordHash, now)) throw new InvalidCredentialsError();
  requireNotBlocked(user, now);
  const remembered = deviceToken !== null && (await isRemembered(account, user, user.account, deviceToken));
  const created = await tx.login.create({
    data: {
      ...{ accountId, userId, client },
      // Replaced at once by the token of its first stage.
      tokenHash: hashToken(createToken()),
      stage: 'CODE',
      createdAt: now,
      lastUsedAt: now,
      expiresAt: now,
      secondFactorAt: remembered ? now : null,
      remoteAddress: caller.remoteAddress,
      userAgent: caller.userAgent?.slice(0, 255) ?? null,
    },
  });
  return advance(ctx, account, created, remembered ? 'PASSWORD_ONLY' : 'IN_FULL');
}

/**
 * Moves a login to the stage that its user's state gives it, under a new token.
 * @param proof a remembered PC is no proof of identity for sensitive areas (AUTH-21).
 */
async function advance(
  ctx: Platform,
  account: AccountTx,
  login: Login,
  proof: 'IN_FULL' | 'PASSWORD_ONLY' | 'AS_BEFORE',
): Promise<LoginStep> {
  const { tx, now, log } = account;
  const { LOGIN_HOURS, LOGIN_INTERIM_MINUTES } = ctx.config.limits;
  const user = await tx.user.findUniqueOrThrow({ where: { id: login.userId }, include: { account: true } });
  const actor = await loadUserAsActor(tx, user.id);
  const facts: StageFacts = {
    user,
    account: user.account,
    administrator: actor?.administrator ?? false,
    secondFactorGiven: login.secondFactorAt !== null,
    now,
  };
  const stage = stageOf(facts);
  const token = createToken();
  const open = stage === 'OPEN';
  // On the way it lasts a while from step to step, and as long as an open one in all (AUTH-18).
  const expiresAt = open
    ? addSeconds(now, LOGIN_HOURS * 3600)
    : (earliest(addSeconds(now, LOGIN_INTERIM_MINUTES * 60), addSeconds(login.createdAt, LOGIN_HOURS * 3600)) ?? now);
  // What was proved at an earlier stage of the same login still counts when it opens.
  const confirmedAt = proof === 'AS_BEFORE' ? login.confirmedAt : proof === 'IN_FULL' && stage !== 'CODE' ? now : null;
  await tx.login.update({
    where: { id: login.id },
    data: { stage, tokenHash: hashToken(token), expiresAt, lastUsedAt: now, confirmedAt },
  });
  if (open) {
    await tx.user.update({ where: { id: user.id }, data: { lastLoginAt: now } });
    log({ code: 'LOGIN_SUCCEEDED', user: userSubject(user), params: { client: login.client } });
  }
  return {
    ...{ stage, loginId: login.id, token, expiresAt, user, account: user.account, device: null },
    challenge: stage === 'CODE' ? await sendFirstCode(ctx, account, user, login.id) : null,
    changeReason: passwordChangeReason(facts),
  };
}

/** Null where no code is sent: for an authenticator app, and when too many were sent: a backup code must still find the way in. */
async function sendFirstCode(
  ctx: Platform,
  account: AccountTx,
  user: User & { account: Account },
  loginId: string,
): Promise<Challenge | null> {
  try {
    return await sendLoginCode(ctx, account, user, loginId, 'PRIMARY');
  } catch (error) {
    if (error instanceof TooManyRequestsError) return null;
    throw error;
  }
}

/** Which of the user's numbers a code goes to (TFA-09). */
export type CodeNumber = 'PRIMARY' | 'BACKUP';

async function sendLoginCode(
  ctx: Platform,
  account: AccountTx,
  user: User & { account: Account },
  loginId: string,
  number: CodeNumber,
  purpose: 'LOGIN' | 'CONFIRM_IDENTITY' = 'LOGIN',
): Promise<Challenge | null> {
  if (user.secondFactorMethod === 'APP') return null;
  if (user.secondFactorMethod === 'EMAIL')
    return sendCode(ctx, account, user, loginId, { purpose, method: 'EMAIL', target: user.email });
  const target = number === 'BACKUP' ? user.backupMobile : user.mobile;
  if (target === null) throw new AppError('MOBILE_REQUIRED', 'There is no such number.', ['number']);
  return sendCode(ctx, account, user, loginId, { purpose, method: 'SMS', target });
}

/** Where a code went, masked; null for an authenticator app. */
export const sentTo = (challenge: Challenge | null): string | null =>
  challenge?.target == null
    ? null
    : challenge.method === 'EMAIL'
      ? maskedEmail(challenge.target)
      : maskedNumber(challenge.target);

/**
 * Sends the code of a login once more, to the primary or the backup number (TFA-09, TFA-10).
 * @throws AppError LOGIN_ALREADY_OPEN, SECOND_FACTOR_NOT_ACTIVE, MOBILE_REQUIRED
 * @throws TooManyRequestsError, TwoFactorBlockedError
 */
export async function resendLoginCode(ctx: Platform, actor: Actor, number: CodeNumber): Promise<Challenge> {
  requireOnTheWay(actor);
  if (actor.stage !== 'CODE') throw new AppError('SECOND_FACTOR_NOT_ACTIVE', 'This login waits for no code.');
  return sendOwnCode(ctx, actor, number, 'LOGIN');
}

/**
 * Sends the code by which an open login proves who it is (AUTH-21).
 * @throws AppError SECOND_FACTOR_NOT_ACTIVE, MOBILE_REQUIRED
 * @throws TooManyRequestsError, TwoFactorBlockedError
 */
export const sendConfirmationCode = (ctx: Platform, actor: Actor, number: CodeNumber): Promise<Challenge> =>
  sendOwnCode(ctx, actor, number, 'CONFIRM_IDENTITY');

function sendOwnCode(
  ctx: Platform,
  actor: Actor,
  number: CodeNumber,
  purpose: 'LOGIN' | 'CONFIRM_IDENTITY',
): Promise<Challenge> {
  return inAccount(ctx, actor.accountId, async (account) => {
    const user = await account.tx.user.findUniqueOrThrow({ where: { id: actor.userId }, include: { account: true } });
    const challenge = asksForCode(user)
      ? await sendLoginCode(ctx, account, user, actor.loginId, number, purpose)
      : null;
    if (!challenge) throw new AppError('SECOND_FACTOR_NOT_ACTIVE', 'No code is sent for your second factor.');
    return challenge;
  });
}

/** @throws AppError LOGIN_ALREADY_OPEN */
function requireOnTheWay(actor: Actor): void {
  if (actor.stage === 'OPEN') throw new AppError('LOGIN_ALREADY_OPEN', 'The login is open; nothing is asked any more.');
}

/**
 * Gives the code that a login waits for (TFA-04): the one that was sent, one of the authenticator app, or a backup code.
 * @throws AppError CODE_INVALID, CODE_EXPIRED, REMEMBER_PC_NOT_ALLOWED, LOGIN_ALREADY_OPEN
 * @throws TwoFactorBlockedError
 */
export async function submitLoginCode(
  ctx: Platform,
  actor: Actor,
  { code, remember }: { code: string; remember: boolean },
  caller: Caller,
): Promise<LoginStep> {
  requireOnTheWay(actor);
  const outcome = await inAccount(ctx, actor.accountId, async (account) => {
    const { tx, now } = account;
    const waiting = await tx.login.findFirst({
      where: { id: actor.loginId, stage: 'CODE', revokedAt: null },
      include: { user: { include: { account: true } } },
    });
    // Of two who submit the same code at once the second finds a login that waits no more.
    if (!waiting) return new AppError('CODE_EXPIRED', 'The code was used already.');
    const { user } = waiting;
    if (remember && !mayRememberPc(user, user.account))
      return new AppError('REMEMBER_PC_NOT_ALLOWED', 'PCs are not remembered here.', ['rememberPc']);
    const accepted = await checkCode(ctx, account, user, waiting.id, 'LOGIN', code);
    if (accepted instanceof AppError) return accepted;
    const given = await tx.login.update({
      where: { id: waiting.id },
      data: { secondFactorAt: now, backupCodeUsed: accepted === 'BACKUP_CODE' },
    });
    const step = await advance(ctx, account, given, 'IN_FULL');
    // TFA-30: it counts for whoever has an active second factor.
    const device =
      remember && step.stage === 'OPEN' && user.secondFactorState === 'ENABLED'
        ? await rememberPc(ctx, account, user, user.account, caller.userAgent)
        : null;
    return { ...step, device };
  });
  if (outcome instanceof AppError) throw outcome;
  return outcome;
}

/** Moves a login on whose stage is done: a second factor was set up, or a password changed. Where it is not, it stays. */
export async function continueLogin(ctx: Platform, actor: Actor): Promise<LoginStep> {
  requireOnTheWay(actor);
  return inAccount(ctx, actor.accountId, async (account) => {
    const waiting = await account.tx.login.findFirst({
      where: { id: actor.loginId, stage: { in: ['ENROLMENT', 'PASSWORD_CHANGE'] }, revokedAt: null },
    });
    if (!waiting) throw new AppError('SECOND_FACTOR_REQUIRED', 'Give the second-factor code first.');
    return advance(ctx, account, waiting, 'AS_BEFORE');
  });
}

/** Ends the login, its sessions and its place in the queue (AUTH-19); its streams end with it (EVT-08). */
export async function logout(ctx: Platform, actor: Actor): Promise<void> {
  await inAccount(ctx, actor.accountId, async (account) => {
    const ended = await endLogins(ctx, account, [actor.loginId], { reason: 'BY_USER', closedBy: actor });
    if (ended > 0) account.log({ code: 'LOGGED_OUT', user: actorSubject(actor) });
  });
}

/**
 * Ends logins of one's own: the named ones, or all others. Returns how many ended; those that had ended already count for nothing.
 */
export function revokeOwnLogins(ctx: ActorContext, loginIds: readonly string[] | 'OTHERS'): Promise<number> {
  const { actor } = ctx;
  return inAccount(ctx, actor.accountId, async (account) => {
    const logins = await account.tx.login.findMany({
      where: {
        userId: actor.userId,
        revokedAt: null,
        id: loginIds === 'OTHERS' ? { not: actor.loginId } : { in: [...loginIds] },
      },
      select: { id: true },
    });
    const count = await endLogins(
      ctx,
      account,
      logins.map(({ id }) => id),
      { reason: 'BY_USER', closedBy: actor },
    );
    if (count > 0)
      account.log({ code: 'LOGIN_REVOKED', user: actorSubject(actor), params: { name: actor.username, count } });
    return count;
  });
}

/** How often the last use of a login is written; it decides over expiry in hours, so a minute more or less is nothing. */
const LAST_USE_WRITTEN_MS = 60_000;

const idleMs = (ctx: Platform): number => ctx.config.limits.LOGIN_IDLE_MINUTES * 60_000;

/** Who a bearer token stands for now, and notes its use (AUTH-18); null when it stands for nobody. Look at its stage. */
export async function authenticate(ctx: Platform, token: string): Promise<Actor | null> {
  const now = ctx.clock.now();
  const actor = await loadActor(ctx.db, now, idleMs(ctx), { tokenHash: hashToken(token) });
  if (actor && now.getTime() - actor.lastUsedAt.getTime() >= Math.min(LAST_USE_WRITTEN_MS, idleMs(ctx) / 4)) {
    await ctx.db.login.updateMany({ where: { id: actor.loginId, revokedAt: null }, data: { lastUsedAt: now } });
  }
  return actor;
}

/** The same actor with the rights as they stand now, without counting as a use; null when the login has ended (EVT-07, EVT-08). */
export const refreshActor = (ctx: Platform, actor: Pick<Actor, 'loginId'>): Promise<Actor | null> =>
  loadActor(ctx.db, ctx.clock.now(), idleMs(ctx), { id: actor.loginId });

/** A live Ecatcher session counts as use of its login (AUTH-18). */
export async function touchLogins(ctx: Platform): Promise<void> {
  const now = ctx.clock.now();
  await ctx.db.login.updateMany({
    where: {
      revokedAt: null,
      lastUsedAt: { lt: addSeconds(now, -LAST_USE_WRITTEN_MS / 1000) },
      sessions: { some: { state: 'OPEN', client: 'ECATCHER' } },
    },
    data: { lastUsedAt: now },
  });
}

/** What a browser does in the portal counts as use of the login that its session is of (AUTH-18). */
export async function touchLoginsOf(ctx: Platform, sessionIds: readonly string[]): Promise<void> {
  if (sessionIds.length === 0) return;
  const now = ctx.clock.now();
  await ctx.db.login.updateMany({
    where: {
      revokedAt: null,
      lastUsedAt: { lt: addSeconds(now, -LAST_USE_WRITTEN_MS / 1000) },
      sessions: { some: { id: { in: [...sessionIds] } } },
    },
    data: { lastUsedAt: now },
  });
}

import { addSeconds } from '../clock.ts';
import type { ActorContext, Caller, Platform } from '../context.ts';
import type { ClientKind } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { createToken, hashToken } from '../secrets.ts';
import { type Actor, loadActor } from '../users/actor.ts';
import { actorSubject, userSubject } from '../users/rules.ts';
import { type Credentials, checkCredentials } from './credentials.ts';
import { endLogins } from './revoke.ts';

/** What a login gives its client; the token is shown this once. */
export interface NewLogin {
  loginId: string;
  token: string;
  expiresAt: Date;
}

/** Logs in with account, user name and password (AUTH-01, AUTH-02). @throws as {@link checkCredentials} */
export async function login(
  ctx: Platform,
  credentials: Credentials,
  client: ClientKind,
  caller: Caller,
): Promise<NewLogin> {
  const { userId, accountId } = await checkCredentials(ctx, credentials, caller.remoteAddress);
  return inAccount(ctx, accountId, (account) => createLogin(ctx, account, userId, client, caller));
}

/** Writes the login and its log entry (AUTH-18, AUTH-23, AUTH-24). */
export async function createLogin(
  ctx: Platform,
  { tx, now, accountId, log }: AccountTx,
  userId: string,
  client: ClientKind,
  caller: Caller,
): Promise<NewLogin> {
  const token = createToken();
  const expiresAt = addSeconds(now, ctx.config.limits.LOGIN_HOURS * 3600);
  const { id } = await tx.login.create({
    data: {
      accountId,
      userId,
      client,
      tokenHash: hashToken(token),
      createdAt: now,
      lastUsedAt: now,
      expiresAt,
      remoteAddress: caller.remoteAddress,
      userAgent: caller.userAgent?.slice(0, 255) ?? null,
    },
  });
  const user = await tx.user.update({ where: { id: userId }, data: { lastLoginAt: now } });
  log({ code: 'LOGIN_SUCCEEDED', user: userSubject(user), params: { client } });
  return { loginId: id, token, expiresAt };
}

/** Ends the login, its sessions and its place in the queue (AUTH-19); its streams end with it (EVT-08). */
export async function logout(ctx: ActorContext): Promise<void> {
  const { actor } = ctx;
  await inAccount(ctx, actor.accountId, async (account) => {
    const ended = await endLogins(ctx, account, [actor.loginId], { reason: 'BY_USER', closedBy: actor });
    if (ended > 0) account.log({ code: 'LOGGED_OUT', user: actorSubject(actor) });
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
export const refreshActor = (ctx: Platform, actor: Actor): Promise<Actor | null> =>
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

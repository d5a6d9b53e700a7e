import type { ActorContext, Platform } from '../context.ts';
import { notFound } from '../errors.ts';
import type { User } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';
import { createToken, hashToken } from '../secrets.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject, displayName, requireRecentConfirmation, userSubject, usersVisibleTo } from '../users/rules.ts';
import { mayRememberPc, rememberedUntil, requireSecondFactorAdministrator, type SecondFactorPolicy } from './rules.ts';

/** The secret of a remembered PC, shown once (TFA-32). */
export interface DeviceToken {
  token: string;
  /** Null for never (TFA-28). */
  expiresAt: Date | null;
}

/** Remembers a PC for a user (TFA-30, TFA-31); past the limit the one that was used longest ago is forgotten. */
export async function rememberPc(
  ctx: Platform,
  { tx, now, log }: AccountTx,
  user: User,
  policy: SecondFactorPolicy,
  userAgent: string | null,
): Promise<DeviceToken> {
  const token = createToken();
  const present = await tx.rememberedPc.findMany({
    where: { userId: user.id },
    orderBy: { lastUsedAt: 'desc' },
    skip: ctx.config.limits.REMEMBERED_PCS - 1,
    select: { id: true },
  });
  await tx.rememberedPc.deleteMany({ where: { id: { in: present.map(({ id }) => id) } } });
  await tx.rememberedPc.create({
    data: {
      userId: user.id,
      tokenHash: hashToken(token),
      createdAt: now,
      lastUsedAt: now,
      userAgent: userAgent?.slice(0, 255) ?? null,
    },
  });
  log({ code: 'PC_REMEMBERED', user: userSubject(user) });
  return { token, expiresAt: rememberedUntil(now, policy) };
}

/** TFA-31 to TFA-33: is this the secret of a PC that this user need not give a code from? */
export async function isRemembered(
  { tx, now }: AccountTx,
  user: User,
  policy: SecondFactorPolicy,
  deviceToken: string,
): Promise<boolean> {
  if (!mayRememberPc(user, policy)) return false;
  const pc = await tx.rememberedPc.findUnique({ where: { tokenHash: hashToken(deviceToken) } });
  if (pc?.userId !== user.id) return false;
  const until = rememberedUntil(pc.createdAt, policy);
  if (until && until <= now) return false;
  await tx.rememberedPc.update({ where: { id: pc.id }, data: { lastUsedAt: now } });
  return true;
}

/**
 * Withdraws every remembered PC of a user in one go (TFA-34): by an Administrator, or one's own.
 * @throws AppError NOT_FOUND, FORBIDDEN, REAUTHENTICATION_REQUIRED
 */
export function withdrawRememberedPcs(ctx: ActorContext, userId: string): Promise<number> {
  return inAccountAs(ctx, async ({ tx, now, log }, actor) => {
    const user = await tx.user.findFirst({ where: { AND: [usersVisibleTo(actor), { id: userId }] } });
    if (!user) throw notFound('user');
    if (userId !== actor.userId) requireSecondFactorAdministrator(actor);
    requireRecentConfirmation(actor, now, ctx.config);
    const { count } = await tx.rememberedPc.deleteMany({ where: { userId } });
    if (count > 0)
      log({ code: 'PCS_FORGOTTEN', user: actorSubject(actor), params: { name: displayName(user), count } });
    return count;
  });
}

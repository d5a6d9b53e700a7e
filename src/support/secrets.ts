import { addSeconds } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import { schedule } from '../due-work.ts';
import { AppError, notFound } from '../errors.ts';
import type { AccountTx } from '../log/write.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject, displayName, requireAdministrator, usersVisibleTo } from '../users/rules.ts';
import { secretsVisibleTo } from './rules.ts';

/**
 * Leaves a text for a user that he can read exactly once (SUP-14), as the password of a device (SUP-12): stored encrypted, and
 * destroyed when it was read or its time is over.
 * @throws AppError FORBIDDEN, NOT_FOUND (recipient), LOGIN_EXPIRED
 */
export function shareSecret(ctx: ActorContext, recipientId: string, content: string): Promise<string> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, accountId, log } = account;
    requireAdministrator(actor);
    const recipient = await tx.user.findFirst({ where: { AND: [usersVisibleTo(actor), { id: recipientId }] } });
    if (!recipient) throw notFound('user');
    const expiresAt = addSeconds(now, ctx.config.limits.SECRET_HOURS * 3600);
    const { id } = await tx.oneTimeSecret.create({
      data: {
        ...{ accountId, recipientId, expiresAt },
        senderName: displayName(actor),
        contentEncrypted: ctx.secrets.encrypt(content),
        createdAt: now,
      },
    });
    await schedule(account, 'SECRET_END', id, expiresAt);
    log({ code: 'SECRET_SHARED', user: actorSubject(actor), params: { name: displayName(recipient) } });
    return id;
  });
}

/**
 * The text, to its recipient and once (SUP-14); it is destroyed with that. Of two who read at once one gets it.
 * @throws AppError NOT_FOUND for anybody else, SECRET_GONE, LOGIN_EXPIRED
 */
export function readSecret(ctx: ActorContext, secretId: string): Promise<string> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, log } = account;
    const secret = await tx.oneTimeSecret.findFirst({ where: { AND: [secretsVisibleTo(actor), { id: secretId }] } });
    if (!secret) throw notFound('secret');
    if (secret.contentEncrypted === null || secret.expiresAt <= now)
      throw new AppError('SECRET_GONE', 'The secret was read already, or has expired.');
    await tx.oneTimeSecret.update({ where: { id: secret.id }, data: { contentEncrypted: null, readAt: now } });
    await schedule(account, 'SECRET_END', secret.id, null);
    log({ code: 'SECRET_READ', user: actorSubject(actor), params: { sender: secret.senderName } });
    return ctx.secrets.decrypt(secret.contentEncrypted);
  });
}

/** SUP-14: a secret that nobody read in time is destroyed. */
export async function endSecret(_ctx: Platform, { tx, now }: AccountTx, secretId: string): Promise<void> {
  await tx.oneTimeSecret.updateMany({
    where: { id: secretId, expiresAt: { lte: now } },
    data: { contentEncrypted: null },
  });
}

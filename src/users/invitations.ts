import { addSeconds } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { AccountTx } from '../log/write.ts';
import { linkTo } from '../messages/links.ts';
import { queueMessage } from '../messages/queue.ts';
import { createToken, hashToken } from '../secrets.ts';
import { namesOf } from './access.ts';
import { type FoundUser, findUser, inAccountAs, requireUserRight } from './acting.ts';
import type { Actor } from './actor.ts';
import type { PasswordLink } from './password-link.ts';
import { actorSubject, disabledReason, displayName, userSubject } from './rules.ts';

/**
 * Sends an invitation to a user (INV-01, INV-09): its link sets a password once, for some days; the one before is void.
 * @param by who invites; his name stands in the mail.
 */
export async function sendInvitation(
  ctx: Platform,
  account: AccountTx,
  user: Pick<FoundUser, 'id' | 'number' | 'username' | 'fullName' | 'email'>,
  by: Actor,
): Promise<void> {
  await ctx.rateLimits.notices.take(by.accountId);
  await writeInvitation(ctx, account, user, by.accountName, displayName(by));
  account.log({ code: 'INVITATION_SENT', user: actorSubject(by), params: namesOf(user) });
}

/** {@link sendInvitation} in whosever name, without its log entry. Returns the link, for whom a mail may not reach. */
export async function writeInvitation(
  ctx: Platform,
  account: Pick<AccountTx, 'tx' | 'now' | 'accountId' | 'afterCommit'>,
  user: Pick<FoundUser, 'id' | 'username' | 'fullName' | 'email'>,
  accountName: string,
  inviter: string,
): Promise<{ link: string; expiresAt: Date }> {
  const { tx, now } = account;
  const token = createToken();
  const expiresAt = addSeconds(now, ctx.config.limits.INVITATION_DAYS * 86_400);
  await tx.user.update({
    where: { id: user.id },
    data: {
      invitationHash: hashToken(token),
      invitationSentAt: now,
      invitationExpiresAt: expiresAt,
      invitationAcceptedAt: null,
    },
  });
  const link = linkTo(ctx, 'invitation', token);
  await queueMessage(ctx, account, {
    channel: 'MAIL',
    template: 'INVITATION',
    recipient: user.email,
    userId: user.id,
    params: { accountName, name: displayName(user), inviter, link, validUntil: expiresAt.toISOString() },
    expiresAt,
  });
  return { link, expiresAt };
}

/**
 * Sends a new invitation to an existing user; his status stays as it is (INV-06).
 * @throws AppError NOT_FOUND, FORBIDDEN, PASSWORD_CHANGE_FORBIDDEN (INV-07)
 */
export function inviteUser(ctx: ActorContext, userId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const user = await findUser(account, actor, userId);
    requireUserRight(actor, user, 'INVITE');
    if (user.forbidPasswordChange)
      throw new AppError('PASSWORD_CHANGE_FORBIDDEN', 'The user may not choose his password.');
    await sendInvitation(ctx, account, user, actor);
  });
}

/** INV-08 to INV-10: the link of an invitation. It waits while the user is disabled or has expired. */
export const INVITATION: PasswordLink = {
  code: 'INVITATION_INVALID',
  message: 'The invitation is not valid: ask for another one.',
  find: async (db, tokenHash, now) => {
    const user = await db.user.findFirst({ where: { invitationHash: tokenHash, invitationExpiresAt: { gt: now } } });
    return user && disabledReason(user, now) === null ? user : null;
  },
  use: async ({ tx, now, log }, user) => {
    await tx.user.update({ where: { id: user.id }, data: { invitationHash: null, invitationAcceptedAt: now } });
    log({ code: 'INVITATION_ACCEPTED', user: userSubject(user) });
  },
};

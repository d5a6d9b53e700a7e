import { setTimeout as delay } from 'node:timers/promises';
import { addSeconds } from '../clock.ts';
import type { Caller, Platform } from '../context.ts';
import { nameKey } from '../ewons/rules.ts';
import type { User } from '../generated/prisma/client.ts';
import { inAccount } from '../log/write.ts';
import { linkTo } from '../messages/links.ts';
import { queueMessage } from '../messages/queue.ts';
import { createToken, hashToken } from '../secrets.ts';
import type { PasswordLink } from './password-link.ts';
import { displayName, mayChangeOwnPassword, userStatus, userSubject } from './rules.ts';

/** Whose password was forgotten (AUTH-12). */
export interface ForgottenPassword {
  account: string;
  /** A user name, or the e-mail address of one or several users. */
  usernameOrEmail: string;
}

/** How many users of one address are mailed at most. */
const MAILED = 20;

/** Longer than the work usually takes, so that the answer tells nothing and the mail is on its way when it comes. */
const ANSWER_MS = 250;

/**
 * Mails a link to everybody whom this means and who may choose a new password (AUTH-12 to AUTH-14). The answer comes after a fixed
 * time and does not depend on the work in any way: whether a user was found, and whether all went well.
 * @throws TooManyRequestsError when the address asks too often.
 */
export async function requestPasswordRecovery(
  ctx: Platform,
  forgotten: ForgottenPassword,
  { remoteAddress }: Pick<Caller, 'remoteAddress'>,
): Promise<void> {
  await ctx.rateLimits.recoveries.take(remoteAddress);
  sendRecoveryLinks(ctx, forgotten).catch((error: unknown) =>
    ctx.log.error({ err: error }, 'A request for the recovery of a password failed'),
  );
  await delay(ANSWER_MS);
}

async function sendRecoveryLinks(ctx: Platform, { account: name, usernameOrEmail }: ForgottenPassword): Promise<void> {
  const users = await ctx.db.user.findMany({
    where: {
      account: { nameKey: nameKey(name) },
      OR: [
        { usernameKey: nameKey(usernameOrEmail) },
        // Prisma hands `equals` on as a pattern when case is ignored.
        { email: { equals: usernameOrEmail.replaceAll(/[\\%_]/g, '\\$&'), mode: 'insensitive' } },
      ],
    },
    select: { id: true, accountId: true },
    orderBy: { id: 'asc' },
    take: MAILED,
  });
  const { RECOVERY_MINUTES } = ctx.config.limits;
  for (const { id, accountId } of users) {
    await inAccount(ctx, accountId, async (account) => {
      const { tx, now, log } = account;
      const user = await tx.user.findUnique({ where: { id }, include: { account: { select: { name: true } } } });
      if (!user || !mayRecover(user, now)) return;
      const token = createToken();
      const expiresAt = addSeconds(now, RECOVERY_MINUTES * 60);
      await tx.user.update({ where: { id }, data: { recoveryHash: hashToken(token), recoveryExpiresAt: expiresAt } });
      await queueMessage(ctx, account, {
        channel: 'MAIL',
        template: 'PASSWORD_RECOVERY',
        recipient: user.email,
        userId: id,
        params: {
          accountName: user.account.name,
          name: displayName(user),
          link: linkTo(ctx, 'recovery', token),
          validUntil: expiresAt.toISOString(),
        },
        expiresAt,
      });
      log({ code: 'PASSWORD_RECOVERY_REQUESTED', user: userSubject(user) });
    });
  }
}

/** AUTH-14: for the others an Administrator must act. */
const mayRecover = (user: User, now: Date): boolean =>
  userStatus(user, now) === 'ENABLED' && mayChangeOwnPassword(user);

/** AUTH-13: the link of a recovery. */
export const RECOVERY: PasswordLink = {
  code: 'RECOVERY_INVALID',
  message: 'The link is not valid: ask for another one.',
  find: async (db, tokenHash, now) => {
    const user = await db.user.findFirst({ where: { recoveryHash: tokenHash, recoveryExpiresAt: { gt: now } } });
    return user && mayRecover(user, now) ? user : null;
  },
  use: async ({ tx, log }, user) => {
    await tx.user.update({ where: { id: user.id }, data: { recoveryHash: null, recoveryExpiresAt: null } });
    log({ code: 'PASSWORD_RECOVERED', user: userSubject(user) });
  },
};

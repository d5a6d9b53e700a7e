import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError } from '../errors.ts';
import type { Announcement } from '../generated/prisma/client.ts';
import { inAccount } from '../log/write.ts';
import { queueMessage } from '../messages/queue.ts';
import { distinctAddresses } from './rules.ts';

/** How long the mail server may be away before a mail is given up. */
const WORTH_SENDING_SECONDS = 7 * 86_400;
/** Accounts that one run of the job gets to; the next goes on a tick later, so that a shutdown never waits for it. */
const ACCOUNTS_AT_A_TIME = 100;

/** What the operator tells all contacts (CTC-05). */
export interface NewAnnouncement {
  /** 1–64 characters of the operator's choice: repeated, it is the same announcement. */
  key: string;
  /** One line, 1–150 characters. */
  subject: string;
  /** Plain text with lines, 1–10,000 characters. */
  text: string;
}

/**
 * Begins an announcement (CTC-05); the job {@link sendAnnouncements} writes its mails. Given again under the same key, it is the
 * same announcement. @returns its id
 * @throws AppError IDEMPOTENCY_KEY_REUSED for another subject or text under the key
 */
export async function announce(ctx: Platform, { key, subject, text }: NewAnnouncement): Promise<string> {
  const created = await ctx.db.announcement
    .create({ data: { key, subject, text, createdAt: ctx.clock.now() } })
    .catch((error: unknown) => {
      if (isUniqueViolation(error)) return null;
      throw error;
    });
  if (created) {
    ctx.log.info({ key, subject }, 'An announcement was made by the operator');
    return created.id;
  }
  const standing = await ctx.db.announcement.findUniqueOrThrow({ where: { key } });
  if (standing.subject !== subject || standing.text !== text)
    throw new AppError(
      'IDEMPOTENCY_KEY_REUSED',
      'There is an announcement with this key and another subject or text.',
      ['key'],
    );
  return standing.id;
}

/** The accounts that an announcement is for: those that there were when it was made, and are. */
export const countAddressees = ({ db }: Pick<Platform, 'db'>, { createdAt }: Pick<Announcement, 'createdAt'>) =>
  db.account.count({ where: { createdAt: { lte: createdAt } } });

/**
 * Takes each announcement that is under way some accounts on, in the order of their ids. One transaction an account writes its
 * mails, its log entry, and that it is done: wherever the work is interrupted it goes on there, and of several instances that do
 * the same account one does it (CTC-05).
 */
export async function sendAnnouncements(ctx: Platform): Promise<void> {
  const underWay = await ctx.db.announcement.findMany({
    where: { finishedAt: null },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
  for (const announcement of underWay) {
    let { doneAccountId } = announcement;
    for (let count = 0; count < ACCOUNTS_AT_A_TIME; count += 1) {
      const next = await ctx.db.account.findFirst({
        where: { createdAt: { lte: announcement.createdAt }, ...(doneAccountId && { id: { gt: doneAccountId } }) },
        orderBy: { id: 'asc' },
        select: { id: true, name: true },
      });
      if (!next) {
        // Nobody else may have gone on from where this instance has looked.
        const where = { id: announcement.id, doneAccountId, finishedAt: null };
        await ctx.db.announcement.updateMany({ where, data: { finishedAt: ctx.clock.now() } });
        break;
      }
      if (!(await writeMails(ctx, announcement, doneAccountId, next))) break;
      doneAccountId = next.id;
    }
  }
}

/** Since when something has to be done. */
export async function nextAnnouncement({ db }: Platform): Promise<Date | null> {
  const { _min } = await db.announcement.aggregate({ where: { finishedAt: null }, _min: { createdAt: true } });
  return _min.createdAt;
}

/** The mails of one account. False when somebody else has gone on, or the account is gone. */
async function writeMails(
  ctx: Platform,
  { id, subject, text }: Announcement,
  doneAccountId: string | null,
  { id: accountId, name: accountName }: { id: string; name: string },
): Promise<boolean> {
  const written = inAccount(ctx, accountId, async (account) => {
    const { tx, now, log } = account;
    const recipients = distinctAddresses(
      await tx.contact.findMany({
        where: { accountId },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        select: { email: true },
      }),
    );
    const { count } = await tx.announcement.updateMany({
      where: { id, doneAccountId, finishedAt: null },
      data: { doneAccountId: accountId, accounts: { increment: 1 }, mails: { increment: recipients.length } },
    });
    if (count === 0) return false;
    for (const recipient of recipients)
      await queueMessage(ctx, account, {
        ...{ channel: 'MAIL', template: 'ANNOUNCEMENT', recipient, userId: null },
        params: { accountName, subject, lines: text.split('\n') },
        expiresAt: addSeconds(now, WORTH_SENDING_SECONDS),
      });
    log({ code: 'ANNOUNCEMENT_SENT', params: { count: recipients.length, subject } });
    return true;
  });
  return written.catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return false;
    throw error;
  });
}

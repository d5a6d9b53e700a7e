import { addSeconds, earliest } from '../clock.ts';
import type { Platform } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError } from '../errors.ts';
import type { Announcement, Prisma } from '../generated/prisma/client.ts';
import { inAccount } from '../log/write.ts';
import { queueMessage } from '../messages/queue.ts';
import { distinctAddresses } from './rules.ts';

/** How long the mail server may be away before a mail is given up. */
const WORTH_SENDING_SECONDS = 7 * 86_400;
/** Accounts that one run of the job gets to; the next goes on a tick later, so that a shutdown never waits for it. */
const ACCOUNTS_AT_A_TIME = 100;
/** Accounts that failed are tried again after this, then after twice as long each time. */
const FIRST_RETRY_SECONDS = 60;
/** With the pauses, some 17 hours. */
const MOST_RETRIES = 10;

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
 * the same account one does it (CTC-05). An account that fails holds up no other: it is noted, and tried again after all others,
 * {@link MOST_RETRIES} times.
 */
export async function sendAnnouncements(ctx: Platform): Promise<void> {
  const underWay = await ctx.db.announcement.findMany({
    where: { finishedAt: null, OR: [{ retryAt: null }, { retryAt: { lte: ctx.clock.now() } }] },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
  for (const announcement of underWay) {
    if (announcement.retryAt) await retry(ctx, announcement);
    else await goOn(ctx, announcement);
  }
}

/** Since when something has to be done. */
export async function nextAnnouncement({ db }: Platform): Promise<Date | null> {
  const [fresh, again] = await Promise.all([
    db.announcement.aggregate({ where: { finishedAt: null, retryAt: null }, _min: { createdAt: true } }),
    db.announcement.aggregate({ where: { finishedAt: null }, _min: { retryAt: true } }),
  ]);
  return earliest(fresh._min.createdAt, again._min.retryAt);
}

async function goOn(ctx: Platform, announcement: Announcement): Promise<void> {
  const { id, createdAt } = announcement;
  let { doneAccountId } = announcement;
  for (let count = 0; count < ACCOUNTS_AT_A_TIME; count += 1) {
    const next = await ctx.db.account.findFirst({
      where: { createdAt: { lte: createdAt }, ...(doneAccountId && { id: { gt: doneAccountId } }) },
      orderBy: { id: 'asc' },
      select: { id: true },
    });
    // Nobody else may have gone on from where this instance has looked.
    const where = { id, doneAccountId, finishedAt: null, retryAt: null };
    if (!next) return endRound(ctx, where);
    const advance = { where, data: { doneAccountId: next.id } };
    try {
      const written = await writeMails(ctx, announcement, next.id, (tx) => tx.announcement.updateMany(advance));
      if (!written) return;
    } catch (error) {
      ctx.log.error({ err: error, announcement: id, account: next.id }, 'An account gets its announcement later');
      // Where the database itself is away, this fails too, and the account is the next one still.
      const data = { ...advance.data, failedAccountIds: { push: next.id } };
      if ((await ctx.db.announcement.updateMany({ where, data })).count === 0) return;
    }
    doneAccountId = next.id;
  }
}

/** Tries the accounts again that have failed. */
async function retry(ctx: Platform, announcement: Announcement): Promise<void> {
  const { id, failedAccountIds, retries, retryAt } = announcement;
  for (const accountId of failedAccountIds) {
    try {
      await writeMails(ctx, announcement, accountId, async (tx) => ({
        count: await tx.$executeRaw`
          UPDATE "Announcement" SET "failedAccountIds" = array_remove("failedAccountIds", ${accountId}::uuid)
          WHERE "id" = ${id}::uuid AND "finishedAt" IS NULL AND ${accountId}::uuid = ANY("failedAccountIds")`,
      }));
    } catch (error) {
      ctx.log.error({ err: error, announcement: id, account: accountId }, 'An account has not got its announcement');
    }
  }
  await endRound(ctx, { id, retries, retryAt, finishedAt: null });
}

/** An account that is gone needs none any more; when some are left that failed, they are tried again later, at last no more. */
async function endRound(ctx: Platform, where: Prisma.AnnouncementWhereInput): Promise<void> {
  const now = ctx.clock.now();
  const announcement = await ctx.db.announcement.findFirst({ where });
  if (!announcement) return;
  const { failedAccountIds, retries, retryAt } = announcement;
  const left = await ctx.db.account.count({ where: { id: { in: failedAccountIds } } });
  const again = retryAt === null ? 0 : retries + 1;
  const data =
    left > 0 && again < MOST_RETRIES
      ? { retries: again, retryAt: addSeconds(now, FIRST_RETRY_SECONDS * 2 ** again) }
      : { retries: again, finishedAt: now };
  await ctx.db.announcement.updateMany({ where, data });
}

/**
 * The mails of one account. False when somebody else has gone on, or the account is gone.
 * @param claim takes the account in the transaction of its mails: it counts 1 if nobody else has
 */
async function writeMails(
  ctx: Platform,
  { id, subject, text }: Announcement,
  accountId: string,
  claim: (tx: Tx) => Promise<{ count: number }>,
): Promise<boolean> {
  const written = inAccount(ctx, accountId, async (account) => {
    const { tx, now, log } = account;
    const { name: accountName } = await tx.account.findUniqueOrThrow({ where: { id: accountId } });
    const recipients = distinctAddresses(
      await tx.contact.findMany({
        where: { accountId },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        select: { email: true },
      }),
    );
    if ((await claim(tx)).count === 0) return false;
    const done = { accounts: { increment: 1 }, mails: { increment: recipients.length } };
    await tx.announcement.update({ where: { id }, data: done });
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

import { type Month, usageMonth } from '../billing/months.ts';
import { chargeSms, smsParts } from '../billing/sms.ts';
import { addSeconds, DAY_MS } from '../clock.ts';
import type { Platform } from '../context.ts';
import { AppError, TooManyRequestsError } from '../errors.ts';
import { ewonReference } from '../ewons/rules.ts';
import type { MessageChannel } from '../generated/prisma/enums.ts';
import { type AccountTx, inAccount, type Subject } from '../log/write.ts';
import { type CheckedUser, checkCredentials, InvalidCredentialsError, mayLogIn } from '../logins/credentials.ts';
import { passwordChangeReason } from '../logins/stages.ts';
import { queueMessage } from '../messages/queue.ts';
import { maskedRecipient } from '../messages/rules.ts';
import { parsePhoneNumber } from '../second-factor/phone.ts';
import { loadUserAsActor } from '../users/actor.ts';
import { userSubject } from '../users/rules.ts';
import { requireSender } from './rules.ts';

/** A mail or text message that a device wants sent. */
export interface DeviceMessage {
  channel: MessageChannel;
  /** By which the device names it, for good: sent again it is the same message. */
  id: string;
  /** The login it is sent under, of the account of the Ewon. */
  username: string;
  password: string;
  /** An e-mail address, or a phone number with its country code. */
  to: string;
  /** Of a mail; empty for a text message. */
  subject: string;
  text: string;
}

/** The Ewon whose device asks, as it stands. */
interface Sender extends Subject {
  accountId: string;
  accountName: string;
  tunnelId: string;
}

/**
 * Queues a mail or text message of a device (GW-13). Its credentials are checked as those of a login are, with all that counts
 * against guessing, under the name of the Ewon in the place of an address: many devices may share one. No login is made, and no
 * second factor asked for. What was taken before is taken again without being sent, counted or charged twice.
 * @throws AppError EWON_OFFLINE, DEVICE_MESSAGES_EXHAUSTED, INVALID_PHONE_NUMBER, INVALID_CREDENTIALS, IP_BANNED,
 *   PASSWORD_CHANGE_REQUIRED, MAIL_SENDER_REQUIRED, SMS_SENDER_REQUIRED, INSUFFICIENT_CREDIT
 * @throws TooManyRequestsError
 */
export async function sendDeviceMessage(
  ctx: Platform,
  { ewonId, tunnelId }: { ewonId: string; tunnelId: string },
  message: DeviceMessage,
): Promise<void> {
  const found = await ctx.db.ewon.findFirst({
    where: { id: ewonId, tunnelId },
    select: { number: true, name: true, accountId: true, account: { select: { name: true } } },
  });
  if (!found) throw new AppError('EWON_OFFLINE', 'The tunnel is no longer that of the Ewon.');
  const { account, ...ewon } = found;
  const sender = { ...ewon, id: ewonId, tunnelId, accountName: account.name };
  await takeAllowance(ctx, sender, message.channel);
  try {
    await send(ctx, sender, message);
  } catch (error) {
    if (error instanceof AppError) await logRefusal(ctx, sender, message.channel, error);
    throw error;
  }
}

/** Refused messages count too: each may be a guess at a password, and leaves an entry in the log. */
async function takeAllowance(ctx: Platform, sender: Sender, channel: MessageChannel): Promise<void> {
  try {
    await ctx.rateLimits.deviceMessages.take(sender.id);
  } catch (error) {
    if (!(error instanceof TooManyRequestsError)) throw error;
    const { DEVICE_MESSAGES_PER_HOUR: most } = ctx.config.limits;
    const refusal = new AppError(
      'DEVICE_MESSAGES_EXHAUSTED',
      `An Ewon sends at most ${most} messages an hour; try again in ${error.retryAfter} s.`,
    );
    // A device that does not stop asking must not fill the log.
    const first = await ctx.rateLimits.deviceMessageNotes.take(sender.id).then(
      () => true,
      () => false,
    );
    if (first) await logRefusal(ctx, sender, channel, refusal);
    throw refusal;
  }
}

const logRefusal = (
  ctx: Platform,
  { accountId, id, number, name }: Sender,
  channel: MessageChannel,
  { code }: AppError,
): Promise<void> =>
  inAccount(ctx, accountId, async ({ log }) =>
    log({ code: 'EWON_MESSAGE_REFUSED', ewon: { id, number, name }, params: { channel, reason: code } }),
  );

async function send(ctx: Platform, sender: Sender, message: DeviceMessage): Promise<void> {
  const { username, password, channel } = message;
  const recipient = channel === 'SMS' ? parsePhoneNumber(message.to, 'to') : message.to;
  const reference = ewonReference(sender.number);
  const checked = await checkCredentials(ctx, { account: sender.accountName, username, password }, reference);
  const id = messageId(ctx, sender, message, recipient);
  await inAccount(ctx, sender.accountId, async (account) => {
    const { tx, now, accountId, log } = account;
    const user = await requireLogin(account, checked);
    if ((await tx.ewon.count({ where: { id: sender.id, accountId, tunnelId: sender.tunnelId } })) === 0)
      throw new AppError('EWON_OFFLINE', 'The tunnel is no longer that of the Ewon.');
    requireSender(user.actor, channel);
    if ((await tx.message.count({ where: { id } })) > 0) return;
    const common = { id, channel, recipient, userId: user.subject.id, expiresAt: addSeconds(now, DAY_MS / 1000) };
    const params = { accountName: sender.accountName, ewonName: sender.name };
    if (channel === 'SMS') {
      const charge = await chargeSms(ctx, account, `message of ${reference}`, smsParts(message.text));
      await queueMessage(ctx, account, {
        ...common,
        template: 'DEVICE_SMS',
        params: { ...params, text: message.text },
        charge,
      });
    } else {
      await countMail(account, user.month);
      await queueMessage(ctx, account, {
        ...common,
        template: 'DEVICE_MAIL',
        params: { ...params, subject: message.subject, lines: message.text.split(/\r\n|\r|\n/) },
      });
    }
    log({
      code: 'EWON_MESSAGE_SENT',
      user: user.subject,
      ewon: { id: sender.id, number: sender.number, name: sender.name },
      trigger: 'EWON',
      params: { channel, recipient: maskedRecipient(recipient) },
    });
  });
}

/**
 * The user of the credentials, if by now he could still open a login but for its second factor.
 * @throws AppError INVALID_CREDENTIALS, PASSWORD_CHANGE_REQUIRED
 */
async function requireLogin({ tx, now }: AccountTx, { userId, passwordHash }: CheckedUser) {
  const user = await tx.user.findUnique({ where: { id: userId }, include: { account: true } });
  const actor = await loadUserAsActor(tx, userId);
  if (!user || !actor || !mayLogIn(user, passwordHash, now)) throw new InvalidCredentialsError();
  const { account, administrator } = { account: user.account, administrator: actor.administrator };
  if (passwordChangeReason({ user, account, administrator, secondFactorGiven: true, now }) !== null)
    throw new AppError('PASSWORD_CHANGE_REQUIRED', 'The password of the login must be changed first.');
  return { actor, subject: userSubject(user), month: usageMonth(account, now) };
}

async function countMail({ tx, accountId }: AccountTx, month: Month): Promise<void> {
  await tx.usage.upsert({
    where: { accountId_month: { accountId, month } },
    create: { accountId, month, mails: 1 },
    update: { mails: { increment: 1 } },
  });
}

/**
 * The key of the message in the queue: the same for what a device sends again, by whichever tunnel, as long as messages are kept.
 * Content is part of it, so that a device that begins to count anew loses no other message.
 */
function messageId(ctx: Platform, sender: Sender, { channel, id, subject, text }: DeviceMessage, to: string): string {
  const hash = ctx.secrets.hash('device message', JSON.stringify([sender.id, channel, id, to, subject, text]));
  // A UUID of version 8: made of what the application likes (RFC 9562).
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

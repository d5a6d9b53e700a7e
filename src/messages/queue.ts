import type { SmsCharge } from '../billing/sms.ts';
import type { Platform } from '../context.ts';
import type { MessageChannel } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';
import type { TemplateName, TemplateParams } from './templates.ts';

/** A mail or text message to be sent. */
export interface OutgoingMessage<T extends TemplateName> {
  /** The key of its row, where its sender must find it again. */
  id?: string;
  channel: MessageChannel;
  template: T;
  /** An e-mail address, or a number in E.164. */
  recipient: string;
  /** Whom it concerns. */
  userId: string | null;
  params: TemplateParams[T];
  /** After that it is not sent any more. */
  expiresAt: Date;
  /** What it took from the account, to be given back if it cannot be sent. */
  charge?: SmsCharge;
}

/**
 * Writes a message in the transaction that causes it; it is sent after the commit, and tried again while it cannot be. A mail
 * server that is down delays it and fails nothing.
 */
export async function queueMessage<T extends TemplateName>(
  ctx: Platform,
  { tx, now, accountId, afterCommit }: Pick<AccountTx, 'tx' | 'now' | 'accountId' | 'afterCommit'>,
  { id, channel, template, recipient, userId, params, expiresAt, charge }: OutgoingMessage<T>,
): Promise<void> {
  await tx.message.create({
    data: {
      ...(id !== undefined && { id }),
      ...{ accountId, userId, channel, template, recipient, expiresAt },
      ...(charge && { charge: { ...charge } }),
      paramsEncrypted: ctx.secrets.encrypt(JSON.stringify(params)),
      createdAt: now,
      dueAt: now,
    },
  });
  afterCommit(() => ctx.bell.ring('messages'));
}

import type { ActorContext } from '../context.ts';
import { AppError, notFound } from '../errors.ts';
import { inAccount } from '../log/write.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { maskedRecipient, mayRetry, messagesVisibleTo } from './rules.ts';

/**
 * Has a message that waits for its next attempt sent at once, with all attempts before it.
 * @throws AppError FORBIDDEN, NOT_FOUND, MESSAGE_FINISHED
 */
export async function retryMessage(ctx: ActorContext, messageId: string): Promise<void> {
  const { actor } = ctx;
  requireAdministrator(actor);
  await inAccount(ctx, actor.accountId, async ({ tx, now, log, afterCommit }) => {
    const message = await tx.message.findFirst({ where: { id: messageId, AND: [messagesVisibleTo(actor)] } });
    if (!message) throw notFound('message');
    if (!mayRetry(message))
      throw new AppError(
        'MESSAGE_FINISHED',
        'The message was sent or given up, and its content is gone: do again what caused it.',
      );
    await tx.message.update({ where: { id: messageId }, data: { dueAt: now, attempts: 0 } });
    log({
      code: 'MESSAGE_RETRIED',
      user: actorSubject(actor),
      params: { template: message.template, recipient: maskedRecipient(message.recipient) },
    });
    afterCommit(() => ctx.bell.ring('messages'));
  });
}

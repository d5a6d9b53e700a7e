import type { MessageChannel } from '../../src/generated/prisma/client.ts';
import type { TemplateName, TemplateParams } from '../../src/messages/templates.ts';
import type { TestServer } from './server.ts';

/** A message as it was queued, with what its template is filled with. */
export interface QueuedMessage<T extends TemplateName = TemplateName> {
  channel: MessageChannel;
  template: T;
  recipient: string;
  params: TemplateParams[T];
  createdAt: Date;
}

/** The messages to a recipient, newest first; a server without senders keeps them. */
export async function messagesTo<T extends TemplateName>(
  { app: { platform } }: TestServer,
  recipient: string,
  template: T,
): Promise<QueuedMessage<T>[]> {
  const found = await platform.db.message.findMany({
    where: { recipient, template },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
  });
  // What was sent or has expired has lost its params.
  return found.flatMap((message) =>
    message.paramsEncrypted === null
      ? []
      : [
          {
            ...message,
            template,
            params: JSON.parse(platform.secrets.decrypt(message.paramsEncrypted)),
          },
        ],
  );
}

/** The params of the newest message of this kind to a recipient. */
export async function lastMessage<T extends TemplateName>(
  server: TestServer,
  recipient: string,
  template: T,
): Promise<TemplateParams[T]> {
  const [last] = await messagesTo(server, recipient, template);
  if (!last) throw new Error(`No ${template} to ${recipient}.`);
  return last.params;
}

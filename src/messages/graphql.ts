import { z } from 'zod';
import type { MessageChannel, MessageState } from '../generated/prisma/enums.ts';
import { builder } from '../graphql/builder.ts';
import { keyOf } from '../graphql/global-id.ts';
import { defineList } from '../graphql/lists/list.ts';
import { whereVisible } from '../graphql/visible.ts';
import { UserType } from '../users/graphql.ts';
import { retryMessage } from './retry.ts';
import { maskedRecipient, mayRetry, messagesVisibleTo } from './rules.ts';
import type { TemplateName } from './templates.ts';

export const MessageChannelEnum = builder.enumType('MessageChannel', {
  description: 'How a message travels.',
  values: {
    MAIL: { description: 'As an e-mail.' },
    SMS: { description: 'As a text message; free of charge when it is about two-factor authentication (TFA-46).' },
  } satisfies Record<MessageChannel, object>,
});

export const MessageStateEnum = builder.enumType('MessageState', {
  description: 'What has become of a message.',
  values: {
    QUEUED: { description: 'Waits for its first or next attempt.' },
    SENT: { description: 'Was handed to the mail server or the SMS service.' },
    FAILED: { description: 'Was given up: `lastError` says why.' },
  } satisfies Record<MessageState, object>,
});

export const MessageTemplateEnum = builder.enumType('MessageTemplate', {
  description: 'What a message is about. New ones may come.',
  values: {
    ACCOUNT_CREATED: { description: 'To the first Administrator of a new account (ACC-12).' },
    ANNOUNCEMENT: { description: 'What the operator of the platform tells the contacts (CTC-05).' },
    CODE_BY_MAIL: { description: 'The code of a login with two-factor authentication, or of its enrolment (TFA-39).' },
    CODE_BY_SMS: { description: 'The same as a text message (TFA-03).' },
    DEVICE_MAIL: { description: 'What an Ewon had sent under a login (GW-13).' },
    DEVICE_SMS: { description: 'The same as a text message.' },
    INVITATION: { description: 'The link by which a new user chooses a password (INV-01).' },
    LOGIN_LOCKED: { description: 'To a user whose login was locked (AUTH-09).' },
    PASSWORD_RECOVERY: { description: 'The link by which a user chooses a new password (AUTH-12).' },
    SECOND_FACTOR_ENABLED: { description: 'Two-factor authentication was enabled for the user (TFA-20).' },
    USER_LOCKED: { description: 'To the Administrators: the login of a user was locked (AUTH-09).' },
    WAKE_UP: { description: 'A wake-up of an Ewon that connects on demand (WAK-02).' },
  } satisfies Record<TemplateName, object>,
});

const MessageActionEnum = builder.enumType('OutgoingMessageAction', {
  description: 'What somebody may do with a message.',
  values: { RETRY: { description: 'Have it sent at once.' } },
});

const MessageType = builder.prismaNode('Message', {
  name: 'OutgoingMessage',
  id: { field: 'id' },
  findUnique: whereVisible(messagesVisibleTo),
  nullable: true,
  description:
    'A mail or text message of the platform in the name of the account: what became of it, never what it says. Administrators only.',
  fields: (t) => ({
    channel: t.expose('channel', { type: MessageChannelEnum, description: 'How it travels.' }),
    template: t.field({
      type: MessageTemplateEnum,
      description: 'What it is about.',
      select: { template: true },
      resolve: ({ template }) => template as TemplateName,
    }),
    recipient: t.string({
      description: 'The address or number, as far as it takes to recognise it.',
      select: { recipient: true },
      resolve: ({ recipient }) => maskedRecipient(recipient),
    }),
    user: t.prismaField({
      type: UserType,
      nullable: true,
      description: 'Whom it concerns; null where it is nobody, or he was deleted.',
      select: { userId: true },
      resolve: (query, { userId }, _args, { db }) =>
        userId === null ? null : db.user.findUnique({ ...query, where: { id: userId } }),
    }),
    state: t.expose('state', { type: MessageStateEnum, description: 'What has become of it.' }),
    attempts: t.exposeInt('attempts', { description: 'How often it was tried.' }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'Why the last attempt failed, or what it waits for; null when nothing went wrong.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
    sentAt: t.expose('sentAt', { type: 'DateTime', nullable: true, description: 'When it was sent; null until then.' }),
    nextAttemptAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried next; null when it was sent or given up.',
      select: { state: true, dueAt: true },
      resolve: ({ state, dueAt }) => (state === 'QUEUED' ? dueAt : null),
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it is given up if it was not sent.' }),
    viewerCan: t.field({
      type: [MessageActionEnum],
      description: 'What the viewer may do with it.',
      select: { state: true },
      resolve: (message) => (mayRetry(message) ? (['RETRY'] as const) : []),
    }),
  }),
});

const messageList = defineList({
  model: 'Message',
  name: 'OutgoingMessage',
  things: 'messages',
  fields: {
    channel: { enum: MessageChannelEnum, description: 'How it travels.' },
    state: { enum: MessageStateEnum, description: 'What has become of it.' },
    userId: { idOf: 'User', description: 'Whom it concerns.' },
    attempts: { description: 'How often it was tried.' },
    lastError: { description: 'Why the last attempt failed, or what it waits for.' },
    createdAt: { description: 'When it was written.' },
    sentAt: { description: 'When it was sent.' },
    expiresAt: { description: 'When it is given up if it was not sent.' },
  },
  extra: (t) => ({
    states: t.field({
      type: [MessageStateEnum],
      validate: z.array(z.any()).max(100, 'At most 100 values.'),
      description: 'In one of these states, as `state` says too.',
    }),
    templates: t.field({
      type: [MessageTemplateEnum],
      validate: z.array(z.any()).max(100, 'At most 100 values.'),
      description: 'About one of these things.',
    }),
  }),
  where: ({ states, templates }) => [
    ...(states ? [{ state: { in: [...states] } }] : []),
    ...(templates ? [{ template: { in: [...templates] } }] : []),
  ],
  order: [['createdAt', 'desc']],
});

builder.prismaObjectField('Account', 'messages', (t) =>
  t.connection(
    messageList.shown({
      type: MessageType,
      description:
        'What was sent to people in the name of the account, newest first unless ordered otherwise. Empty for all but Administrators.',
      where: ({ actor }) => (actor ? messagesVisibleTo(actor) : { id: { in: [] } }),
    }),
    ...messageList.connection(),
  ),
);

const RetryMessageInput = builder.inputType('RetryMessageInput', {
  description: 'Which message is to be sent at once.',
  fields: (t) => ({ messageId: t.id({ required: true, description: 'Of an outgoing message that is queued.' }) }),
});

const RetryMessageSuccess = builder.objectRef<{ messageId: string }>('RetryMessageSuccess').implement({
  description: 'It is being sent; its attempts count from the beginning.',
  fields: (t) => ({
    message: t.prismaField({
      type: MessageType,
      description: 'As it is now.',
      resolve: (query, { messageId }, _args, { db }) =>
        db.message.findUniqueOrThrow({ ...query, where: { id: messageId } }),
    }),
  }),
});

builder.mutationField('retryMessage', (t) =>
  t.withAuth({ loggedIn: true }).field({
    type: RetryMessageSuccess,
    errors: {},
    description:
      'Sends a queued message at once instead of at its next attempt. Administrators only. Errors: FORBIDDEN, NOT_FOUND, MESSAGE_FINISHED.',
    args: { input: t.arg({ type: RetryMessageInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const messageId = keyOf('OutgoingMessage', input.messageId);
      await retryMessage(ctx, messageId);
      return { messageId };
    },
  }),
);

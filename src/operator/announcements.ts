import { z } from 'zod';
import { announce, countAddressees } from '../contacts/announcements.ts';
import { builder } from './builder.ts';

const AnnouncementType = builder.prismaObject('Announcement', {
  description: 'A mailing to the contacts of all accounts (CTC-05), and how far it is.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Of the operator’s choice; one announcement a key.' }),
    subject: t.exposeString('subject', { description: 'Of the mails.' }),
    text: t.exposeString('text', { description: 'Of the mails, plain.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the mails of all accounts were written; null while it is under way.',
    }),
    accounts: t.exposeInt('accounts', { description: 'Accounts that it has got to.' }),
    accountsInAll: t.int({
      description: 'Accounts that it is for: those that there were when it was made.',
      select: { createdAt: true },
      resolve: (announcement, _args, ctx) => countAddressees(ctx, announcement),
    }),
    mails: t.exposeInt('mails', {
      description: 'Mails that were written so far, one an address and account; what became of each is in `messages`.',
    }),
  }),
});

builder.queryField('announcements', (t) =>
  t.prismaConnection(
    {
      type: AnnouncementType,
      cursor: 'id',
      description: 'The announcements, newest first (CTC-05).',
      totalCount: (_root, _args, { db }) => db.announcement.count(),
      resolve: (query, _root, _args, { db }) =>
        db.announcement.findMany({ ...query, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] }),
    },
    { name: 'AnnouncementConnection', description: 'A page of a list, as Relay defines it.' },
    { name: 'AnnouncementEdge', description: 'An object of a page with its place.' },
  ),
);

/** What stands in the head of a mail, where a line break would begin another header. */
const line = (what: string, most: number) =>
  z
    .string()
    .trim()
    .min(1, `${what} has 1 to ${most} characters.`)
    .max(most, `${what} has 1 to ${most} characters.`)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]*$/u, `${what} is one line.`);
const text = z
  .string()
  .max(10_000, 'A text has 1 to 10000 characters.')
  .regex(/\S/, 'A text has 1 to 10000 characters.')
  .regex(/^(?:[^\p{Cc}\p{Surrogate}]|[\t\r\n])*$/u, 'A text has no control characters but line breaks and tabs.');

const SendAnnouncementInput = builder.inputType('SendAnnouncementInput', {
  description: 'What to tell all contacts of all accounts.',
  fields: (t) => ({
    key: t.string({
      required: true,
      validate: line('A key', 64),
      description: '1–64 characters of your choice; given again, it is the same announcement.',
    }),
    subject: t.string({
      required: true,
      validate: line('A subject', 150),
      description: 'Of the mails: one line, 1–150 characters.',
    }),
    text: t.string({ required: true, validate: text, description: 'Plain text with lines, 1–10,000 characters.' }),
  }),
});

const SendAnnouncementSuccess = builder.objectRef<{ announcementId: string }>('SendAnnouncementSuccess').implement({
  description: 'The announcement is under way; `announcements` tells how far it is.',
  fields: (t) => ({
    announcement: t.prismaField({
      type: AnnouncementType,
      description: 'The announcement as it is now.',
      resolve: (query, { announcementId }, _args, { db }) =>
        db.announcement.findUniqueOrThrow({ ...query, where: { id: announcementId } }),
    }),
  }),
});

builder.mutationField('sendAnnouncement', (t) =>
  t.field({
    type: SendAnnouncementSuccess,
    errors: {},
    description:
      'Writes one mail to each address among the contacts of each account (CTC-05). Repeated with the same key it is sent once. Errors: IDEMPOTENCY_KEY_REUSED, VALIDATION_FAILED.',
    args: { input: t.arg({ type: SendAnnouncementInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({
      announcementId: await announce(ctx, {
        key: input.key.trim(),
        subject: input.subject.trim(),
        text: input.text.replaceAll(/\r\n?/g, '\n').trim(),
      }),
    }),
  }),
);

import { z } from 'zod';
import { builder } from '../graphql/builder.ts';
import { keyOf } from '../graphql/global-id.ts';
import { defineList } from '../graphql/lists/list.ts';
import { whereVisible } from '../graphql/visible.ts';
import { idempotencyKey } from '../idempotency.ts';
import { contactsVisibleTo } from './rules.ts';
import { createContact, deleteContact, updateContact } from './service.ts';

const ContactType = builder.prismaNode('Contact', {
  id: { field: 'id' },
  findUnique: whereVisible(contactsVisibleTo),
  nullable: true,
  description:
    'A person whom the platform tells of maintenance and what else matters (CTC-01, CTC-02): no user, and no access. Administrators only (CTC-04).',
  fields: (t) => ({
    name: t.exposeString('name', { description: '1–100 characters.' }),
    email: t.expose('email', { type: 'EmailAddress', description: 'Where announcements go; a mail an address.' }),
    phone: t.expose('phone', { type: 'PhoneNumber', nullable: true, description: 'Null where none is given.' }),
    function: t.exposeString('function', {
      nullable: true,
      description: 'What the person does, as `Head of maintenance`; null where it is not said.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was added.' }),
  }),
});

const contactList = defineList({
  model: 'Contact',
  things: 'contacts',
  fields: {
    name: { description: 'The name.' },
    email: { description: 'Where announcements go.' },
    phone: { description: 'The phone number.' },
    function: { description: 'What the person does.' },
    createdAt: { description: 'When it was added.' },
  },
  search: ['name', 'email', 'phone', 'function'],
  order: [['createdAt', 'asc']],
});

builder.prismaObjectFields('Account', (t) => ({
  contacts: t.connection(
    {
      ...contactList.shown({
        type: ContactType,
        description:
          'The contact persons, at least one (CTC-01), oldest first unless ordered otherwise, and their number. Null for all but Administrators.',
        where: ({ actor }) => (actor?.administrator ? contactsVisibleTo(actor) : null),
      }),
      nullable: true,
    },
    ...contactList.connection(),
  ),
}));

/** One line, since it stands in mails and in the log. */
const line = (what: string) =>
  z
    .string()
    .trim()
    .min(1, `${what} has 1 to 100 characters.`)
    .max(100, `${what} has 1 to 100 characters.`)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, `${what} is one line.`);
const contactName = line('A name');
const contactFunction = line('A function');

const CreateContactInput = builder.inputType('CreateContactInput', {
  description: 'A new contact person.',
  fields: (t) => ({
    name: t.string({ required: true, validate: contactName, description: '1–100 characters.' }),
    email: t.field({ type: 'EmailAddress', required: true, description: 'Where announcements go.' }),
    phone: t.field({ type: 'PhoneNumber', description: 'Optional.' }),
    function: t.string({ validate: contactFunction, description: 'What the person does, 1–100 characters; optional.' }),
    idempotencyKey: t.string({
      validate: idempotencyKey,
      description: 'The same key and input by the same login gives the same contact for 24 hours (API-01).',
    }),
  }),
});

const UpdateContactInput = builder.inputType('UpdateContactInput', {
  description: 'Absent keeps, null clears.',
  fields: (t) => ({
    contactId: t.id({ required: true, description: 'The contact.' }),
    name: t.string({ validate: contactName, description: '1–100 characters; null keeps.' }),
    email: t.field({ type: 'EmailAddress', description: 'Where announcements go; null keeps.' }),
    phone: t.field({ type: 'PhoneNumber', description: 'Null for none.' }),
    function: t.string({ validate: contactFunction, description: '1–100 characters; null for none.' }),
  }),
});

const DeleteContactInput = builder.inputType('DeleteContactInput', {
  description: 'The contact to remove.',
  fields: (t) => ({ contactId: t.id({ required: true, description: 'It gets no announcement from now on.' }) }),
});

const contactSuccess = (name: string, text: string) =>
  builder.objectRef<{ contactId: string }>(name).implement({
    description: text,
    fields: (t) => ({
      contact: t.prismaField({
        type: ContactType,
        description: 'The contact as it is now.',
        resolve: (query, { contactId }, _args, { db }) =>
          db.contact.findUniqueOrThrow({ ...query, where: { id: contactId } }),
      }),
    }),
  });
const CreateContactSuccess = contactSuccess('CreateContactSuccess', 'The contact was added.');
const UpdateContactSuccess = contactSuccess('UpdateContactSuccess', 'The change counts for the next announcement.');

const DeleteContactSuccess = builder.objectRef<{ contactId: string }>('DeleteContactSuccess').implement({
  description: 'The contact is gone.',
  fields: (t) => ({ deletedContactId: t.exposeID('contactId', { description: 'The id that the contact had.' }) }),
});

builder.mutationFields((t) => ({
  createContact: t.withAuth({ loggedIn: true }).field({
    type: CreateContactSuccess,
    errors: {},
    description:
      'Adds a contact person (CTC-03). Administrators only. Errors: ACCOUNT_LIMIT_REACHED, FORBIDDEN, IDEMPOTENCY_KEY_REUSED, NOT_FOUND (the key’s contact was removed), VALIDATION_FAILED.',
    args: { input: t.arg({ type: CreateContactInput, required: true }) },
    resolve: (_root, { input }, ctx) =>
      createContact(
        ctx,
        {
          name: input.name.trim(),
          email: input.email,
          phone: input.phone ?? null,
          function: input.function?.trim() ?? null,
        },
        input.idempotencyKey ?? null,
      ),
  }),
  updateContact: t.withAuth({ loggedIn: true }).field({
    type: UpdateContactSuccess,
    errors: {},
    description:
      'Changes a contact person (CTC-03). Administrators only. Errors: FORBIDDEN, NOT_FOUND, VALIDATION_FAILED.',
    args: { input: t.arg({ type: UpdateContactInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const contactId = keyOf('Contact', input.contactId);
      await updateContact(ctx, contactId, {
        name: input.name?.trim(),
        email: input.email ?? undefined,
        phone: input.phone,
        function: input.function === null ? null : input.function?.trim(),
      });
      return { contactId };
    },
  }),
  deleteContact: t.withAuth({ loggedIn: true }).field({
    type: DeleteContactSuccess,
    errors: {},
    description:
      'Removes a contact person; at least one stays (CTC-03). Administrators only. Errors: CONTACT_NEEDED, FORBIDDEN, NOT_FOUND.',
    args: { input: t.arg({ type: DeleteContactInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await deleteContact(ctx, keyOf('Contact', input.contactId));
      return { contactId: input.contactId };
    },
  }),
}));

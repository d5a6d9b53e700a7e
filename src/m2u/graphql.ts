import { z } from 'zod';
import { builder } from '../graphql/builder.ts';
import { keyOf } from '../graphql/global-id.ts';
import { defineList } from '../graphql/lists/list.ts';
import { whereVisible } from '../graphql/visible.ts';
import { M2U_DEPRECATED, m2uLinksVisibleTo } from './rules.ts';
import { createM2uLink, deleteM2uLink, updateM2uLink } from './service.ts';
import { MAX_TARGET_LENGTH } from './target.ts';

const M2uLinkType = builder.prismaNode('M2uLink', {
  id: { field: 'id' },
  findUnique: whereVisible(m2uLinksVisibleTo),
  nullable: true,
  description:
    'Through it Ewons have data relayed to a server of a third party, over https (M2U-01). For devices with firmware below 11.1s0; later ones push directly (M2U-03). Administrators only (M2U-02).',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'By which devices name it; unique in the account, 1–32 characters.' }),
    url: t.exposeString('url', { description: 'Where the data goes, in its normal form.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
  }),
});

const linkList = defineList({
  model: 'M2uLink',
  things: 'M2U links',
  fields: {
    name: { key: 'nameKey', description: 'The name.' },
    url: { description: 'Where the data goes.' },
    createdAt: { description: 'When it was created.' },
  },
  search: ['name', 'url'],
  order: [['name', 'asc']],
});

builder.prismaObjectFields('Account', (t) => ({
  m2uLinks: t.connection(
    {
      ...linkList.shown({
        type: M2uLinkType,
        description:
          'The M2U links, by name unless ordered otherwise, and their number (M2U-02). Null for all but Administrators.',
        where: ({ actor }) => (actor?.administrator ? m2uLinksVisibleTo(actor) : null),
      }),
      nullable: true,
      deprecationReason: M2U_DEPRECATED,
    },
    ...linkList.connection(),
  ),
}));

const LENGTH = 'A name has 1 to 32 characters.';
const name = z.string().trim().min(1, LENGTH).max(32, LENGTH);
const url = z
  .string()
  .min(1, 'A target has at least 1 character.')
  .max(MAX_TARGET_LENGTH, `A target has at most ${MAX_TARGET_LENGTH} characters.`);
const URL_TEXT = `A URL of up to ${MAX_TARGET_LENGTH} characters: https, a public host, port 443 or 1024 and above, without credentials and fragment (M2U-04).`;

const CreateM2uLinkInput = builder.inputType('CreateM2uLinkInput', {
  description: 'A new link.',
  fields: (t) => ({
    name: t.string({ required: true, validate: name, description: 'Unique in the account, 1–32 characters.' }),
    url: t.string({ required: true, validate: url, description: URL_TEXT }),
  }),
});

const UpdateM2uLinkInput = builder.inputType('UpdateM2uLinkInput', {
  description: 'Absent or null keeps.',
  fields: (t) => ({
    linkId: t.id({ required: true, description: 'The link.' }),
    name: t.string({ validate: name, description: 'Unique in the account, 1–32 characters.' }),
    url: t.string({ validate: url, description: URL_TEXT }),
  }),
});

const DeleteM2uLinkInput = builder.inputType('DeleteM2uLinkInput', {
  description: 'The link to delete.',
  fields: (t) => ({
    linkId: t.id({ required: true, description: 'What devices send through it from now on is refused.' }),
  }),
});

const linkSuccess = (typeName: string, description: string) =>
  builder.objectRef<{ linkId: string }>(typeName).implement({
    description,
    fields: (t) => ({
      link: t.prismaField({
        type: M2uLinkType,
        description: 'The link as it is now.',
        resolve: (query, { linkId }, _args, { db }) =>
          db.m2uLink.findUniqueOrThrow({ ...query, where: { id: linkId } }),
      }),
    }),
  });
const CreateM2uLinkSuccess = linkSuccess('CreateM2uLinkSuccess', 'Devices can send through it.');
const UpdateM2uLinkSuccess = linkSuccess('UpdateM2uLinkSuccess', 'What is sent from now on goes there.');

const DeleteM2uLinkSuccess = builder.objectRef<{ linkId: string }>('DeleteM2uLinkSuccess').implement({
  description: 'The link is gone.',
  fields: (t) => ({ deletedLinkId: t.exposeID('linkId', { description: 'The id that the link had.' }) }),
});

builder.mutationFields((t) => ({
  createM2uLink: t.withAuth({ loggedIn: true }).field({
    type: CreateM2uLinkSuccess,
    errors: {},
    deprecationReason: M2U_DEPRECATED,
    description:
      'Creates an M2U link (M2U-02). Administrators only. Errors: ACCOUNT_LIMIT_REACHED, FORBIDDEN, LINK_NAME_IN_USE, LINK_TARGET_FORBIDDEN, VALIDATION_FAILED.',
    args: { input: t.arg({ type: CreateM2uLinkInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({
      linkId: await createM2uLink(ctx, { name: input.name.trim(), url: input.url }),
    }),
  }),
  updateM2uLink: t.withAuth({ loggedIn: true }).field({
    type: UpdateM2uLinkSuccess,
    errors: {},
    deprecationReason: M2U_DEPRECATED,
    description:
      'Changes an M2U link (M2U-02). Administrators only. Errors: FORBIDDEN, LINK_NAME_IN_USE, LINK_TARGET_FORBIDDEN, NOT_FOUND, VALIDATION_FAILED.',
    args: { input: t.arg({ type: UpdateM2uLinkInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const linkId = keyOf('M2uLink', input.linkId);
      await updateM2uLink(ctx, linkId, { name: input.name?.trim(), url: input.url ?? undefined });
      return { linkId };
    },
  }),
  deleteM2uLink: t.withAuth({ loggedIn: true }).field({
    type: DeleteM2uLinkSuccess,
    errors: {},
    deprecationReason: M2U_DEPRECATED,
    description: 'Deletes an M2U link (M2U-02). Administrators only. Errors: FORBIDDEN, NOT_FOUND.',
    args: { input: t.arg({ type: DeleteM2uLinkInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await deleteM2uLink(ctx, keyOf('M2uLink', input.linkId));
      return { linkId: input.linkId };
    },
  }),
}));

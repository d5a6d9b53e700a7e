import { builder } from '../graphql/builder.ts';
import { keyOf } from '../graphql/global-id.ts';
import { defineList } from '../graphql/lists/list.ts';
import { objectName } from '../graphql/names.ts';
import { whereVisible } from '../graphql/visible.ts';
import { PoolType } from '../pools/graphql.ts';
import { apiTokensVisibleTo } from './rules.ts';
import { createApiToken, deleteApiToken, type IssuedToken, renewApiToken, updateApiToken } from './service.ts';

const ApiTokenKindEnum = builder.enumType('ApiTokenKind', {
  description: 'What an API token is for (TOK-07).',
  values: {
    DATAMAILBOX: { description: 'Reads Ewons and their data, over POST requests (TOK-06, TOK-13).' },
  },
});

const ApiTokenType = builder.prismaNode('ApiToken', {
  id: { field: 'id' },
  findUnique: whereVisible(apiTokensVisibleTo),
  nullable: true,
  description:
    'Lets an application read Ewons and their data, as `Authorization: Bearer <token>`, or as the password of the user name `t2m-api-token` in HTTP basic authentication (TOK-12). It never connects to a device (TOK-06). Administrators only (TOK-03).',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the account, 1–64 characters (TOK-11).' }),
    prefix: t.exposeString('prefix', {
      description: 'The first 6 of its 40 characters, to recognise it by; the rest is never shown again (TOK-05).',
    }),
    kind: t.field({
      type: ApiTokenKindEnum,
      description: 'What it is for; there is one kind (TOK-07).',
      select: {},
      resolve: () => 'DATAMAILBOX' as const,
    }),
    pool: t.relation('pool', {
      type: PoolType,
      nullable: true,
      description: 'It gives data of the Ewons in this pool; null covers all Ewons (TOK-08).',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    renewedAt: t.expose('renewedAt', { type: 'DateTime', description: 'Since when its value is in force (TOK-02).' }),
    lastUsedOn: t.expose('lastUsedOn', {
      type: 'Date',
      nullable: true,
      description: 'The day of its last use (TOK-09); null if it was never used.',
    }),
  }),
});

const tokenList = defineList({
  model: 'ApiToken',
  things: 'API tokens',
  fields: {
    name: { key: 'nameKey', description: 'The name (TOK-11).' },
    prefix: { description: 'The first 6 of its characters (TOK-05).' },
    poolId: { idOf: 'Pool', description: 'The pool whose Ewons it covers (TOK-08).' },
    createdAt: { description: 'When it was created.' },
    renewedAt: { description: 'Since when its value is in force (TOK-02).' },
    lastUsedOn: { description: 'The day of its last use (TOK-09), as the beginning of the day in UTC.' },
  },
  search: ['name'],
  order: [['createdAt', 'asc']],
});

builder.prismaObjectFields('Account', (t) => ({
  apiTokens: t.connection(
    {
      ...tokenList.shown({
        type: ApiTokenType,
        description:
          'The API tokens, oldest first unless ordered otherwise, and their number (TOK-01). Null for all but Administrators (TOK-03).',
        where: ({ actor }) => (actor?.administrator ? apiTokensVisibleTo(actor) : null),
      }),
      nullable: true,
    },
    ...tokenList.connection(),
  ),
}));

const POOL =
  'The pool whose Ewons it covers: required on plans with pools; on the others it covers all Ewons and none can be given (TOK-08).';

const CreateApiTokenInput = builder.inputType('CreateApiTokenInput', {
  description: 'A new token; usually one for each application (TOK-03).',
  fields: (t) => ({
    name: t.string({ required: true, validate: objectName, description: 'Unique in the account, 1–64 characters.' }),
    poolId: t.id({ description: POOL }),
  }),
});

const UpdateApiTokenInput = builder.inputType('UpdateApiTokenInput', {
  description: 'Absent keeps. The value of the token stays as it is.',
  fields: (t) => ({
    tokenId: t.id({ required: true, description: 'The token.' }),
    name: t.string({ validate: objectName, description: 'Unique in the account, 1–64 characters; null keeps.' }),
    poolId: t.id({ description: POOL }),
  }),
});

const RenewApiTokenInput = builder.inputType('RenewApiTokenInput', {
  description: 'The token to renew.',
  fields: (t) => ({ tokenId: t.id({ required: true, description: 'Its present value fails from now on.' }) }),
});

const DeleteApiTokenInput = builder.inputType('DeleteApiTokenInput', {
  description: 'The token to delete.',
  fields: (t) => ({ tokenId: t.id({ required: true, description: 'It fails from now on.' }) }),
});

/** Successes that show the value of a token. */
const issued = (name: string, text: string) =>
  builder.objectRef<IssuedToken>(name).implement({
    description: text,
    fields: (t) => ({
      value: t.exposeString('value', {
        description: 'The token: 40 letters and digits, shown only now (TOK-04, TOK-05).',
      }),
      token: t.prismaField({
        type: ApiTokenType,
        description: 'The token as it is now.',
        resolve: (query, { tokenId }, _args, { db }) =>
          db.apiToken.findUniqueOrThrow({ ...query, where: { id: tokenId } }),
      }),
    }),
  });
const CreateApiTokenSuccess = issued('CreateApiTokenSuccess', 'The token was created.');
const RenewApiTokenSuccess = issued('RenewApiTokenSuccess', 'The old value is void (TOK-10).');

const UpdateApiTokenSuccess = builder.objectRef<{ tokenId: string }>('UpdateApiTokenSuccess').implement({
  description: 'The change counts from the next request on.',
  fields: (t) => ({
    token: t.prismaField({
      type: ApiTokenType,
      description: 'The changed token.',
      resolve: (query, { tokenId }, _args, { db }) =>
        db.apiToken.findUniqueOrThrow({ ...query, where: { id: tokenId } }),
    }),
  }),
});

const DeleteApiTokenSuccess = builder.objectRef<{ tokenId: string }>('DeleteApiTokenSuccess').implement({
  description: 'The token is void (TOK-10).',
  fields: (t) => ({ deletedTokenId: t.exposeID('tokenId', { description: 'The id that the token had.' }) }),
});

builder.mutationFields((t) => ({
  createApiToken: t.withAuth({ loggedIn: true }).field({
    type: CreateApiTokenSuccess,
    errors: {},
    description:
      'Creates an API token (TOK-02). Administrators only. Errors: FORBIDDEN, NOT_FOUND, PLAN_FEATURE_NOT_AVAILABLE, TOKEN_NAME_IN_USE, TOO_MANY_TOKENS, VALIDATION_FAILED.',
    args: { input: t.arg({ type: CreateApiTokenInput, required: true }) },
    resolve: (_root, { input }, ctx) =>
      createApiToken(ctx, {
        name: input.name.trim(),
        poolId: input.poolId == null ? null : keyOf('Pool', input.poolId),
      }),
  }),
  updateApiToken: t.withAuth({ loggedIn: true }).field({
    type: UpdateApiTokenSuccess,
    errors: {},
    description:
      'Changes name or pool of a token (TOK-11). Administrators only. Errors: FORBIDDEN, NOT_FOUND, PLAN_FEATURE_NOT_AVAILABLE, TOKEN_NAME_IN_USE, VALIDATION_FAILED.',
    args: { input: t.arg({ type: UpdateApiTokenInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const tokenId = keyOf('ApiToken', input.tokenId);
      await updateApiToken(ctx, tokenId, {
        name: input.name?.trim(),
        poolId: input.poolId == null ? input.poolId : keyOf('Pool', input.poolId),
      });
      return { tokenId };
    },
  }),
  renewApiToken: t.withAuth({ loggedIn: true }).field({
    type: RenewApiTokenSuccess,
    errors: {},
    description:
      'Gives a token a new value; the old one fails at once (TOK-10). Administrators only. Errors: FORBIDDEN, NOT_FOUND.',
    args: { input: t.arg({ type: RenewApiTokenInput, required: true }) },
    resolve: (_root, { input }, ctx) => renewApiToken(ctx, keyOf('ApiToken', input.tokenId)),
  }),
  deleteApiToken: t.withAuth({ loggedIn: true }).field({
    type: DeleteApiTokenSuccess,
    errors: {},
    description: 'Deletes a token; it fails at once (TOK-10). Administrators only. Errors: FORBIDDEN, NOT_FOUND.',
    args: { input: t.arg({ type: DeleteApiTokenInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await deleteApiToken(ctx, keyOf('ApiToken', input.tokenId));
      return { tokenId: input.tokenId };
    },
  }),
}));

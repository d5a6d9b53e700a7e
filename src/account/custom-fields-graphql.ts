import { z } from 'zod';
import { builder } from '../graphql/builder.ts';
import { setCustomFieldNames } from './custom-fields.ts';
import { accountSuccess } from './success.ts';

builder.prismaObjectFields('Account', (t) => ({
  userFieldNames: t.exposeStringList('userFieldNames', {
    description: 'The names of the three custom fields of users, in their order (CF-02).',
  }),
  ewonFieldNames: t.exposeStringList('ewonFieldNames', {
    description: 'The names of the three custom fields of Ewons, in their order (CF-02).',
  }),
}));

const LENGTH = 'The name of a custom field has 1 to 40 characters.';
const names = z
  .array(z.string().trim().min(1, LENGTH).max(40, LENGTH))
  .length(3, 'There are three custom fields.')
  .refine((given) => new Set(given.map((name) => name.toLowerCase())).size === given.length, {
    message: 'Each of the three has a name of its own.',
  });

const SetCustomFieldNamesInput = builder.inputType('SetCustomFieldNamesInput', {
  description: 'The names of custom fields; absent or null keeps. The values of users and Ewons stay (CF-05).',
  fields: (t) => ({
    users: t.stringList({
      validate: names,
      description:
        'Those of users: all three, each of 1–40 characters, different from each other without regard to case.',
    }),
    ewons: t.stringList({ validate: names, description: 'Those of Ewons, in the same way.' }),
  }),
});

const SetCustomFieldNamesSuccess = accountSuccess('SetCustomFieldNamesSuccess', 'The fields have these names now.');

builder.mutationField('setCustomFieldNames', (t) =>
  t.withAuth({ loggedIn: true }).field({
    type: SetCustomFieldNamesSuccess,
    errors: {},
    description:
      'Renames the custom fields of users and Ewons (CF-02, CF-05). Administrators only. Errors: FORBIDDEN, VALIDATION_FAILED.',
    args: { input: t.arg({ type: SetCustomFieldNamesInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await setCustomFieldNames(ctx, { users: input.users ?? undefined, ewons: input.ewons ?? undefined });
      return {};
    },
  }),
);

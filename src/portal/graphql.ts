import { z } from 'zod';
import { accountSuccess } from '../account/success.ts';
import { builder } from '../graphql/builder.ts';
import { MAX_ORIGINS, originIn, setPortalOrigins } from './origins.ts';

builder.prismaObjectFields('Account', (t) => ({
  portalOrigins: t.stringList({
    nullable: true,
    description:
      'The origins of the account’s own web pages that may carry the login form of the portal (M2W-06). Null for all but Administrators.',
    select: { portalOrigins: true },
    resolve: ({ portalOrigins }, _args, { actor }) => (actor?.administrator ? portalOrigins : null),
  }),
}));

const origin = z
  .string()
  .max(255, 'An origin has at most 255 characters.')
  .refine((text) => originIn(text) !== null, {
    message: 'An origin is as https://www.example.com, without a path; http is for localhost only.',
  });

const SetPortalOriginsInput = builder.inputType('SetPortalOriginsInput', {
  description: 'All web pages of the account that may carry the login form; one that is not named may no longer.',
  fields: (t) => ({
    origins: t.stringList({
      required: true,
      validate: z.array(origin).max(MAX_ORIGINS, `An account has at most ${MAX_ORIGINS} such origins.`),
      description: 'Scheme, host and port, as `https://www.example.com`; empty forbids it (BRD-03).',
    }),
  }),
});

const SetPortalOriginsSuccess = accountSuccess(
  'SetPortalOriginsSuccess',
  'It counts for the next login form that is sent.',
);

builder.mutationField('setPortalOrigins', (t) =>
  t.withAuth({ loggedIn: true }).field({
    type: SetPortalOriginsSuccess,
    errors: {},
    description:
      'Authorizes web pages of the account to carry the login form of the portal (M2W-06, BRD-03). Administrators on PRO. Errors: FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE, VALIDATION_FAILED.',
    args: { input: t.arg({ type: SetPortalOriginsInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await setPortalOrigins(
        ctx,
        input.origins.flatMap((text) => originIn(text) ?? []),
      );
      return {};
    },
  }),
);

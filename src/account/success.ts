import { builder } from '../graphql/builder.ts';

/** The success of a mutation that changes the account's settings: it gives the account as it is then. */
export const accountSuccess = (name: string, description: string) =>
  builder.objectRef<object>(name).implement({
    description,
    fields: (t) => ({
      account: t.withAuth({ loggedIn: true }).prismaField({
        type: 'Account',
        description: 'The account as it is now.',
        resolve: (query, _parent, _args, { db, actor }) =>
          db.account.findUniqueOrThrow({ ...query, where: { id: actor.accountId } }),
      }),
    }),
  });

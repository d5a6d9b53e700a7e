import type { Prisma } from '../generated/prisma/client.ts';
import { NO_ID } from '../graphql/global-id.ts';
import type { Actor } from '../users/actor.ts';

/** TOK-03: tokens are for Administrators; for everybody else there are none. */
export const apiTokensVisibleTo = (actor: Actor): Prisma.ApiTokenWhereInput =>
  actor.administrator ? { accountId: actor.accountId } : { id: NO_ID };

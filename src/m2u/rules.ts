import type { Prisma } from '../generated/prisma/client.ts';
import { NO_ID } from '../graphql/global-id.ts';
import type { Actor } from '../users/actor.ts';

/** M2U-02: links are for Administrators; for everybody else there are none. */
export const m2uLinksVisibleTo = (actor: Actor): Prisma.M2uLinkWhereInput =>
  actor.administrator ? { accountId: actor.accountId } : { id: NO_ID };

/** M2U-03: devices from this firmware on push directly. */
export const DIRECT_PUSH_FIRMWARE = '11.1s0';

/** What the schema and the gateway say of M2U. */
export const M2U_DEPRECATED = 'Firmware 11.1s0 and later push directly (M2U-03).';

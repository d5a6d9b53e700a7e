import type { Prisma } from '../generated/prisma/client.ts';
import type { ClientKind, SessionCloseReason } from '../generated/prisma/enums.ts';
import { poolsWithRight } from '../pools/rules.ts';
import type { Actor } from '../users/actor.ts';

/** CON-06, M2W-03: only Ecatcher on a desktop takes one of the account's concurrent connections. */
export const takesSlot = (client: ClientKind): boolean => client === 'ECATCHER';

/** VPN-01: M2web works inside the platform; the others get an address in the VPN. */
export const needsVpnAddress = (client: ClientKind): boolean => client !== 'M2WEB';

/** CON-10 */
export const mayClose = (actor: Actor, session: { userId: string | null }): boolean =>
  actor.administrator || session.userId === actor.userId;

/** One's own sessions, and those of the Ewons that one manages (LOG-20); Administrators see all. */
export function sessionsVisibleTo(actor: Actor): Prisma.SessionWhereInput {
  const { accountId, userId } = actor;
  if (actor.administrator) return { accountId };
  return {
    accountId,
    OR: [{ userId }, { ewon: { pools: { some: { poolId: { in: poolsWithRight(actor, 'modify') } } } } }],
  };
}

export const sessionReference = (number: number): string => `SES${number}`;

/** CON-09 */
export const closeReasonFor = (actor: Actor, session: { userId: string | null }): SessionCloseReason =>
  session.userId === actor.userId ? 'BY_USER' : 'BY_ADMINISTRATOR';

import type { Prisma } from '../generated/prisma/client.ts';
import type { Actor } from '../users/actor.ts';

/** What else than the account's whole log somebody reads: ids of the Ewons and users he may manage. */
export interface LogScope {
  ewonIds: string[];
  userIds: string[];
}

/** LOG-20: Administrators the whole log; others the entries about themselves and about what they may manage. */
export function entriesVisibleTo(actor: Actor, scope: LogScope): Prisma.LogEntryWhereInput {
  const { accountId, userId } = actor;
  if (actor.administrator) return { accountId };
  return { accountId, OR: [{ userId }, { ewonId: { in: scope.ewonIds } }, { userId: { in: scope.userIds } }] };
}

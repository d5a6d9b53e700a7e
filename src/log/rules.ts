import { Prisma } from '../generated/prisma/client.ts';
import { poolsWithRight } from '../pools/rules.ts';
import type { Actor } from '../users/actor.ts';

/**
 * LOG-20: Administrators read the whole log; others the entries about themselves and about the Ewons and users
 * that they may manage, as `userRights` has it: an Administrator is managed by no one else, whatever groups he is in besides, and
 * groups are managed only on plans that have them. Conditions on the entries of his account, each of which alone lets the actor
 * read an entry. They are in SQL, for an entry outlives what it is about and has no relation to it; the ids stay in the database,
 * be they a hundred thousand.
 */
export function entriesReadableBy(actor: Actor): Prisma.Sql[] {
  if (actor.administrator) return [Prisma.sql`TRUE`];
  const ways = [Prisma.sql`"userId" = ${actor.userId}::uuid`];
  const poolIds = poolsWithRight(actor, 'modify');
  if (poolIds.length > 0)
    ways.push(Prisma.sql`"ewonId" IN (SELECT p."ewonId" FROM "EwonPool" p WHERE p."poolId" = ANY(${poolIds}::uuid[]))`);
  if (actor.managedGroupIds.length > 0)
    ways.push(
      Prisma.sql`"userId" IN (
        SELECT m."userId" FROM "GroupMember" m WHERE m."groupId" = ANY(${actor.managedGroupIds}::uuid[]) AND NOT EXISTS (
          SELECT FROM "GroupMember" a JOIN "Group" g ON g."id" = a."groupId" WHERE a."userId" = m."userId" AND g."administrators"))`,
    );
  return ways;
}

import DataLoader from 'dataloader';
import type { Group } from '../generated/prisma/client.ts';
import type { GraphQLContext } from '../graphql/context.ts';
import { groupsVisibleTo } from '../groups/rules.ts';

/** The groups of each user that the viewer may see (GRP-05), oldest first: one query for all users of a request. */
export const groupsOfUserLoader = ({ db, actor }: GraphQLContext): DataLoader<string, Group[]> =>
  new DataLoader(async (userIds) => {
    const memberships = actor
      ? await db.groupMember.findMany({
          where: { userId: { in: [...userIds] }, group: groupsVisibleTo(actor) },
          include: { group: true },
          orderBy: { groupId: 'asc' },
        })
      : [];
    return userIds.map((id) => memberships.filter(({ userId }) => userId === id).map(({ group }) => group));
  });

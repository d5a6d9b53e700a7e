import DataLoader from 'dataloader';
import type { GraphQLContext } from '../graphql/context.ts';
import { displayName, mayReadConnectedName } from '../users/rules.ts';

/** A user connected to an Ewon, as the viewer may know him (USR-13, USR-14). */
export interface ConnectedUser {
  name: string | null;
  userId: string | null;
  client: 'ECATCHER' | 'ECATCHER_MOBILE' | 'M2WEB';
  since: Date;
}

/** Who is connected to each Ewon, oldest first (EWN-21): one query for all Ewons of a request. */
export const connectedUsersLoader = ({ db, actor }: GraphQLContext): DataLoader<string, ConnectedUser[]> =>
  new DataLoader(async (ewonIds) => {
    const sessions = await db.session.findMany({
      where: { ewonId: { in: [...ewonIds] }, state: 'OPEN' },
      orderBy: [{ startedAt: 'asc' }, { id: 'asc' }],
      select: {
        ewonId: true,
        client: true,
        startedAt: true,
        user: { select: { id: true, username: true, fullName: true, namePublic: true } },
      },
    });
    return ewonIds.map((id) =>
      sessions
        .filter(({ ewonId }) => ewonId === id)
        .map(({ user, client, startedAt }) => {
          const known = user && actor && mayReadConnectedName(actor, user) ? user : null;
          return { name: known && displayName(known), userId: known?.id ?? null, client, since: startedAt };
        }),
    );
  });

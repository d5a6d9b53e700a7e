import { ewonsVisibleTo } from '../ewons/rules.ts';
import type { Ewon, Group, Session, User } from '../generated/prisma/client.ts';
import type { GraphQLContext } from '../graphql/context.ts';
import { loaderById } from '../graphql/loaders.ts';
import { groupsVisibleTo } from '../groups/rules.ts';
import { mayReadConnectedName, usersVisibleTo } from '../users/rules.ts';
import { sessionsVisibleTo } from './rules.ts';

/*
 * What a session, an event or a log entry points to, as far as the viewer may see it: no relation gives that. Null for
 * what is gone or not his to see.
 */

export const visibleUserLoader = ({ db, actor }: GraphQLContext) =>
  loaderById<User>(async (id) =>
    actor ? db.user.findMany({ where: { AND: [usersVisibleTo(actor), { id: { in: id } }] } }) : [],
  );

export const visibleEwonLoader = ({ db, actor }: GraphQLContext) =>
  loaderById<Ewon>(async (id) =>
    actor ? db.ewon.findMany({ where: { AND: [ewonsVisibleTo(actor), { id: { in: id } }] } }) : [],
  );

export const visibleSessionLoader = ({ db, actor }: GraphQLContext) =>
  loaderById<Session>(async (id) =>
    actor ? db.session.findMany({ where: { AND: [sessionsVisibleTo(actor), { id: { in: id } }] } }) : [],
  );

export const visibleGroupLoader = ({ db, actor }: GraphQLContext) =>
  loaderById<Group>(async (id) =>
    actor ? db.group.findMany({ where: { AND: [groupsVisibleTo(actor), { id: { in: id } }] } }) : [],
  );

/** Users whose names the viewer may read as Connected User, though he may not see them as users (USR-13). */
export const publicNameLoader = ({ db, actor }: GraphQLContext) =>
  loaderById<{ id: string; namePublic: boolean }>(async (id) => {
    const users = await db.user.findMany({ where: { id: { in: id } }, select: { id: true, namePublic: true } });
    return users.filter((user) => actor !== null && (actor.administrator || mayReadConnectedName(actor, user)));
  });

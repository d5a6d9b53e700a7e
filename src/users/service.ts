import type { ActorContext } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError, notFound } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import type { Role } from '../generated/prisma/client.ts';
import { groupsVisibleTo, mayAddMembers } from '../groups/rules.ts';
import { inAccount } from '../log/write.ts';
import { preparePassword } from '../passwords/set.ts';
import { actorSubject, mayCreateUserIn } from './rules.ts';

export interface NewUser {
  username: string;
  fullName: string | null;
  email: string;
  description: string | null;
  password: string;
  passwordConfirmation: string;
  namePublic: boolean;
  /** On plans without groups (USR-11). */
  role: Role;
  /** On plans with groups: one or more (GRP-03). */
  groupIds: string[];
}

/**
 * Creates a user with a password (USR-04 to USR-11): wholly or not at all.
 * @throws AppError FORBIDDEN, NOT_FOUND (group), USER_NEEDS_A_GROUP, USERNAME_IN_USE, PASSWORD_POLICY_VIOLATION, PASSWORD_CONFIRMATION_MISMATCH
 */
export async function createUser(ctx: ActorContext, user: NewUser): Promise<string> {
  const { actor } = ctx;
  const groupIds = actor.features.groups ? [...new Set(user.groupIds)] : [];
  if (!mayCreateUserIn(actor, groupIds)) throw new AppError('FORBIDDEN', 'You may not create users in these groups.');
  if (actor.features.groups && groupIds.length === 0)
    throw new AppError('USER_NEEDS_A_GROUP', 'A user is in at least one group.', ['groupIds']);
  const passwordHash = await preparePassword(ctx, actor.accountId, null, {
    value: user.password,
    confirmation: user.passwordConfirmation,
  });
  return inAccount(ctx, actor.accountId, async ({ tx, now, accountId, log }) => {
    const groups = await tx.group.findMany({ where: { AND: [groupsVisibleTo(actor), { id: { in: groupIds } }] } });
    if (groups.length < groupIds.length) throw notFound('group');
    if (!groups.every((group) => mayAddMembers(actor, group)))
      throw new AppError('FORBIDDEN', 'You may not add members to one of the groups.', ['groupIds']);
    const { username, fullName, email, description, namePublic, role } = user;
    const created = await tx.user.create({
      data: {
        ...{
          accountId,
          username,
          usernameKey: nameKey(username),
          fullName,
          email,
          description,
          namePublic,
          passwordHash,
        },
        passwordChangedAt: now,
        passwordHistory: { create: { hash: passwordHash, setAt: now } },
        role: actor.features.groups ? 'USER' : role,
        createdAt: now,
        memberships: { create: groupIds.map((groupId) => ({ groupId })) },
      },
    });
    log({
      code: 'USER_CREATED',
      user: actorSubject(actor),
      params: { name: username, reference: `USR${created.number}` },
    });
    return created.id;
  }).catch((error: unknown) => {
    if (isUniqueViolation(error))
      throw new AppError('USERNAME_IN_USE', 'Another user of the account has this user name.', ['username']);
    throw error;
  });
}

import type { ActorContext } from '../context.ts';
import { AppError, notFound } from '../errors.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount, inAccounts } from '../log/write.ts';
import { type Actor, loadActor, loadUserAsActor } from './actor.ts';
import { factsOf, USER_FACTS_SELECT, type UserAction, type UserFacts, userRights, usersVisibleTo } from './rules.ts';

/**
 * {@link inAccount} for changes of who may do what: the actor is read again under the lock, so that of two who take each
 * other's rights away only the first does.
 * @throws AppError LOGIN_EXPIRED when the login of the actor has ended meanwhile.
 */
export function inAccountAs<T>(ctx: ActorContext, work: (account: AccountTx, actor: Actor) => Promise<T>): Promise<T> {
  return inAccount(ctx, ctx.actor.accountId, async (account) => work(account, await actorUnderLock(ctx, account)));
}

/** {@link inAccountAs} for work that concerns another account too, whose row is held as well. */
export function inAccountsAs<T>(
  ctx: ActorContext,
  otherId: string,
  work: (own: AccountTx, other: AccountTx, actor: Actor) => Promise<T>,
): Promise<T> {
  return inAccounts(ctx, [ctx.actor.accountId, otherId], async (own, other) =>
    work(own, other, await actorUnderLock(ctx, own)),
  );
}

/** @throws AppError LOGIN_EXPIRED */
async function actorUnderLock({ actor: { loginId, userId } }: ActorContext, account: AccountTx): Promise<Actor> {
  // Seeds and helpers of the platform act for a user without a login.
  const actor = loginId
    ? await loadActor(account.tx, account.now, Number.POSITIVE_INFINITY, { id: loginId })
    : await loadUserAsActor(account.tx, userId);
  if (!actor) throw new AppError('LOGIN_EXPIRED', 'Your login has ended.');
  return actor;
}

const FOUND_SELECT = {
  ...USER_FACTS_SELECT,
  number: true,
  username: true,
  fullName: true,
  email: true,
  passwordHash: true,
  expiresAt: true,
  secondFactorState: true,
  secondFactorMethod: true,
} as const;

export type FoundUser = Prisma.UserGetPayload<{ select: typeof FOUND_SELECT }> & { facts: UserFacts };

/** A user that the actor may see (USR-03). @throws AppError NOT_FOUND */
export async function findUser({ tx }: Pick<AccountTx, 'tx'>, actor: Actor, userId: string): Promise<FoundUser> {
  const user = await tx.user.findFirst({
    where: { AND: [usersVisibleTo(actor), { id: userId }] },
    select: FOUND_SELECT,
  });
  if (!user) throw notFound('user');
  return { ...user, facts: factsOf(actor, user) };
}

/** @throws AppError FORBIDDEN */
export function requireUserRight(actor: Actor, user: FoundUser, action: UserAction): void {
  if (!userRights(actor, user.facts).includes(action))
    throw new AppError('FORBIDDEN', `You may not do this with ${user.username} (${action}).`);
}

/** USR-31 @throws AppError SELF_NOT_ALLOWED */
export function requireSomebodyElse(actor: Actor, user: FoundUser): void {
  if (actor.userId === user.id) throw new AppError('SELF_NOT_ALLOWED', 'Nobody disables, deletes or expires himself.');
}

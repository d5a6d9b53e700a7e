import { addSeconds } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import { notFound } from '../errors.ts';

/** Until when a client that was heard at this time is taken to be there (CON-30). */
export const aliveUntil = ({ config }: Platform, heardAt: Date): Date =>
  addSeconds(heardAt, config.limits.SESSION_TIMEOUT_SECONDS);

/**
 * Moves on the time until which the client of one's own session is taken to be there (CON-30). The session of another user
 * is as if it did not exist; a closed one stays closed, and its caller reads why.
 * @throws AppError NOT_FOUND
 */
export async function keepSessionAlive(ctx: ActorContext, sessionId: string): Promise<void> {
  const own = { id: sessionId, accountId: ctx.actor.accountId, userId: ctx.actor.userId };
  const { count } = await ctx.db.session.updateMany({
    where: { ...own, state: 'OPEN' },
    data: { aliveUntil: aliveUntil(ctx, ctx.clock.now()) },
  });
  if (count === 0 && (await ctx.db.session.count({ where: own })) === 0) throw notFound('session');
}

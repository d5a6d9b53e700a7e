import { addSeconds, earliest } from '../clock.ts';
import type { Platform } from '../context.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { inAccount } from '../log/write.ts';
import { endLogins } from './revoke.ts';

const BATCH = 1000;

const idleSeconds = ({ config }: Platform): number => config.limits.LOGIN_IDLE_MINUTES * 60;

/** Not revoked, but out of time or unused for too long (AUTH-18). */
const ranOut = (ctx: Platform, now: Date): Prisma.LoginWhereInput => ({
  revokedAt: null,
  OR: [{ expiresAt: { lte: now } }, { lastUsedAt: { lte: addSeconds(now, -idleSeconds(ctx)) } }],
});

/**
 * Ends the logins that ran out (AUTH-18): their sessions are closed, and their streams, sockets and tunnels end at once
 * instead of at their next look (EVT-08). One that was used meanwhile goes on.
 */
export async function endExpiredLogins(ctx: Platform): Promise<void> {
  const found = await ctx.db.login.findMany({
    where: ranOut(ctx, ctx.clock.now()),
    select: { id: true, accountId: true },
    take: BATCH,
  });
  for (const accountId of new Set(found.map((login) => login.accountId))) {
    await inAccount(ctx, accountId, async (account) => {
      const still = await account.tx.login.findMany({
        where: { accountId, id: { in: found.map(({ id }) => id) }, AND: [ranOut(ctx, account.now)] },
        select: { id: true },
      });
      const ids = still.map(({ id }) => id);
      await endLogins(ctx, account, ids, { reason: 'SESSION_EXPIRED', closedBy: null });
    });
  }
}

/** When the next login runs out. */
export async function nextLoginEnd(ctx: Platform): Promise<Date | null> {
  const { _min } = await ctx.db.login.aggregate({
    where: { revokedAt: null },
    _min: { expiresAt: true, lastUsedAt: true },
  });
  return earliest(_min.expiresAt, _min.lastUsedAt && addSeconds(_min.lastUsedAt, idleSeconds(ctx)));
}

/** When a live Ecatcher session must be noted as use of its login, well before that would be idle for too long. */
export async function nextTouch(ctx: Platform): Promise<Date | null> {
  const { _min } = await ctx.db.login.aggregate({
    where: { revokedAt: null, sessions: { some: { state: 'OPEN', client: 'ECATCHER' } } },
    _min: { lastUsedAt: true },
  });
  return _min.lastUsedAt && addSeconds(_min.lastUsedAt, idleSeconds(ctx) / 2);
}

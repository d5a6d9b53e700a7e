import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import type { Session, SessionCloseReason } from '../generated/prisma/client.ts';
import { inAccount } from '../log/write.ts';
import { hashToken } from '../secrets.ts';
import { endSessions } from './close.ts';
import { aliveUntil } from './keep-alive.ts';

/** A session whose client has its end of the tunnel open. */
export type EstablishedSession = Pick<Session, 'id' | 'accountId' | 'userVpnAddress' | 'ewonVpnAddress'>;

/**
 * Spends the ticket of a session: its client is connected from now on (VPN-02). Of two who present one ticket, one gets the
 * session; null for the other, and for a ticket that is unknown, expired, of a session that has ended, or for the other door:
 * M2web sessions live in the portal, all others in tunnels.
 */
export async function establishSession(
  ctx: Platform,
  ticket: string,
  door: 'TUNNEL' | 'PORTAL' = 'TUNNEL',
): Promise<EstablishedSession | null> {
  const now = ctx.clock.now();
  // M2web takes no slot, so it must not open the way that takes one (M2W-03).
  const client = door === 'PORTAL' ? ('M2WEB' as const) : { not: 'M2WEB' as const };
  const [session] = await ctx.db.session.updateManyAndReturn({
    where: { ticketHash: hashToken(ticket), ticketExpiresAt: { gt: now }, state: 'OPEN', client },
    data: { ticketHash: null, ticketExpiresAt: null, establishedAt: now, aliveUntil: aliveUntil(ctx, now) },
    select: { id: true, accountId: true, userVpnAddress: true, ewonVpnAddress: true },
  });
  return session ?? null;
}

/**
 * Moves on the time until which the clients of these sessions are taken to be there, in one statement (CON-30).
 * @param seconds from now; by default the time after which a client that says nothing is taken to be gone
 */
export async function keepSessionsAlive(ctx: Platform, sessionIds: string[], seconds?: number): Promise<void> {
  if (sessionIds.length === 0) return;
  const now = ctx.clock.now();
  const until = seconds === undefined ? aliveUntil(ctx, now) : addSeconds(now, seconds);
  // Never earlier than it was: another instance may have moved the clock on, and the sessions with it.
  await ctx.db.session.updateMany({
    where: { id: { in: sessionIds }, state: 'OPEN', aliveUntil: { lt: until } },
    data: { aliveUntil: until },
  });
}

/** The client's end is gone, but it may come again with another ticket, until the session times out (CON-30). */
export async function loseSession(ctx: Platform, sessionId: string): Promise<void> {
  await ctx.db.session.updateMany({ where: { id: sessionId, state: 'OPEN' }, data: { establishedAt: null } });
}

/** The client has said goodbye: its user has left (CON-09). */
export async function leaveSession(ctx: Platform, session: EstablishedSession): Promise<void> {
  await inAccount(ctx, session.accountId, (account) => endSessions(ctx, account, [session], 'BY_USER', null));
}

/** Those of the sessions that have ended, with the reason. */
export async function endedSessions(ctx: Platform, sessionIds: string[]): Promise<Map<string, SessionCloseReason>> {
  const ended = await ctx.db.session.findMany({
    where: { id: { in: sessionIds }, state: 'CLOSED' },
    select: { id: true, closeReason: true },
  });
  return new Map(ended.flatMap(({ id, closeReason }) => (closeReason ? [[id, closeReason]] : [])));
}

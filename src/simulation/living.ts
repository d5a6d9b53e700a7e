import { aliveAfter } from '../clock.ts';
import type { Platform } from '../context.ts';
import { WAITER_LEASE_SECONDS } from '../sessions/queue.ts';

/**
 * Moves on, with the clock, what is renewed by somebody who lives in real time: the leases of gateways, the sessions whose
 * client holds its tunnel, the places of callers who wait. Nobody could renew them in the moment in which a day passes, and
 * advancing takes nothing offline by itself. What was not renewed lately has nobody behind it and runs out as the clock says.
 */
export async function carryLiving({ db, config }: Platform, now: Date, stepMs: number): Promise<void> {
  const { GATEWAY_LEASE_SECONDS, SESSION_TIMEOUT_SECONDS } = config.limits;
  await db.$executeRaw`
    UPDATE "GatewayLease" SET "expiresAt" = "expiresAt" + ${stepMs} * interval '1 millisecond'
    WHERE "expiresAt" > ${aliveAfter(now, GATEWAY_LEASE_SECONDS)}::timestamp`;
  await db.$executeRaw`
    UPDATE "Session" SET "aliveUntil" = "aliveUntil" + ${stepMs} * interval '1 millisecond'
    WHERE "state" = 'OPEN' AND "establishedAt" IS NOT NULL
      AND "aliveUntil" > ${aliveAfter(now, SESSION_TIMEOUT_SECONDS)}::timestamp`;
  await db.$executeRaw`
    UPDATE "SlotWaiter" SET "aliveUntil" = "aliveUntil" + ${stepMs} * interval '1 millisecond'
    WHERE "state" = 'WAITING' AND "aliveUntil" > ${aliveAfter(now, WAITER_LEASE_SECONDS)}::timestamp`;
}

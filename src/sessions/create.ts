import type { Platform } from '../context.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { mayConnect } from '../ewons/rules.ts';
import type { ClientKind, Session } from '../generated/prisma/client.ts';
import type { AccountTx, Subject } from '../log/write.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { assignAddresses } from '../vpn/addresses.ts';
import { formatIpv4 } from '../vpn/ipv4.ts';
import { aliveUntil } from './keep-alive.ts';
import { needsVpnAddress, sessionReference } from './rules.ts';
import type { SlotFacts } from './slot-rules.ts';

/** What the rules and the log need to know of the Ewon of a session. */
export const SESSION_EWON = {
  id: true,
  number: true,
  name: true,
  registrationStatus: true,
  gatewayId: true,
  pools: { select: { poolId: true } },
  vpnAddress: { select: { address: true } },
} as const;

export interface SessionEwon {
  id: string;
  number: number;
  name: string;
  registrationStatus: 'PENDING' | 'PENDING_APPROVAL' | 'ACTIVE';
  gatewayId: string | null;
  pools: { poolId: string }[];
  vpnAddress: { address: bigint } | null;
}

export const subjectOf = (ewon: SessionEwon): Subject => ({ id: ewon.id, number: ewon.number, name: ewon.name });

/** Why this actor cannot connect to this Ewon now, whatever the slots (CON-02, CON-03). */
export function obstacleTo(actor: Actor, ewon: SessionEwon, client: ClientKind): AppError | null {
  const refuse = (code: ErrorCode, message: string) => new AppError(code, message);
  if (
    !mayConnect(
      actor,
      ewon.pools.map(({ poolId }) => poolId),
      client,
    )
  )
    return refuse('FORBIDDEN', `You may not connect to ${ewon.name} with this client.`);
  if (ewon.registrationStatus !== 'ACTIVE')
    return refuse('EWON_NOT_APPROVED', `${ewon.name} is not an active Ewon yet.`);
  if (ewon.gatewayId === null) return refuse('EWON_OFFLINE', `${ewon.name} is offline.`);
  return null;
}

/** Writes session, address, slot and log entry; null when the VPN range is exhausted, and then nothing is written. */
export async function createSession(
  ctx: Platform,
  { tx, now, log, afterCommit }: AccountTx,
  actor: Actor,
  ewon: SessionEwon,
  client: ClientKind,
  slot: SlotFacts | null,
): Promise<Session | null> {
  const { accountId, userId } = actor;
  const address = needsVpnAddress(client)
    ? (await assignAddresses(tx, ctx.config, 'USER', [userId], now)).get(userId)
    : null;
  if (address === undefined) return null;
  const ewonAddress = ewon.vpnAddress && formatIpv4(ewon.vpnAddress.address);
  const user = actorSubject(actor);
  const session = await tx.session.create({
    data: {
      accountId,
      userId,
      userName: user.name,
      userNumber: user.number,
      ewonId: ewon.id,
      ewonName: ewon.name,
      ewonNumber: ewon.number,
      loginId: actor.loginId,
      client,
      exclusiveUserId: slot ? userId : null,
      slotGroupId: slot?.groupId ?? null,
      takesSlot: slot !== null,
      userVpnAddress: address,
      ewonVpnAddress: ewonAddress,
      startedAt: now,
      aliveUntil: aliveUntil(ctx, now),
    },
  });
  if (slot) await tx.slot.update({ where: { id: slot.id }, data: { sessionId: session.id } });
  log({
    code: 'SESSION_STARTED',
    user,
    ewon: subjectOf(ewon),
    sessionId: session.id,
    params: { client, reference: sessionReference(session.number) },
  });
  if (slot) afterCommit(() => ctx.bell.ring(`slots:${accountId}`));
  return session;
}

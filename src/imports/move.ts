import type { Platform } from '../context.ts';
import { nameKey } from '../ewons/rules.ts';
import { renewPositions } from '../geolocation/positions.ts';
import type { AccountTx, Subject } from '../log/write.ts';
import { endSessions } from '../sessions/close.ts';
import { settleSlots } from '../sessions/slots.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { restAddresses } from '../vpn/addresses.ts';
import { freeName, type ListedFacts } from './rules.ts';

/** Who moves an Ewon where. */
export interface Move {
  ewon: ListedFacts & { gatewayId: string | null };
  /** Of the destination, by whom the entry there is. */
  actor: Actor;
  poolId: string;
  /** The Administrator of the source whose credentials were given. */
  from: { subject: Subject; accountName: string };
}

/**
 * Moves one Ewon, in a transaction that holds both accounts (IMP-05): the record stays, and with it the reference, the
 * certificates and the VPN address, so that its device comes back by itself (IMP-09). What the source has set is gone, its
 * values in the DataMailbox too; what the source has done with it stays there by name. Returns its name in the destination.
 */
export async function moveEwon(
  ctx: Platform,
  destination: AccountTx,
  source: AccountTx,
  { ewon, actor, poolId, from }: Move,
): Promise<string> {
  const { tx, now } = destination;
  const { accountId } = destination;
  const subject = { id: ewon.id, number: ewon.number, name: ewon.name };
  const name = await freeName(ewon.name, async (keys) => {
    const used = await tx.ewon.findMany({ where: { accountId, nameKey: { in: keys } }, select: { nameKey: true } });
    return new Set(used.map((one) => one.nameKey));
  });

  const open = await tx.session.findMany({ where: { ewonId: ewon.id, state: 'OPEN' }, select: { id: true } });
  await endSessions(ctx, source, open, 'IMPORTED', null, { settle: false });
  // Who waits for it asks once more, and finds that it is not there.
  const waited = await tx.slotWaiter.deleteMany({ where: { ewonId: ewon.id } });
  await tx.session.updateMany({ where: { ewonId: ewon.id }, data: { ewonId: null } });
  for (const table of [tx.ewonPool, tx.lanPort, tx.lanDevice, tx.ewonService, tx.dataPoint])
    await (table.deleteMany as (args: object) => Promise<unknown>)({ where: { ewonId: ewon.id } });
  await tx.dueWork.deleteMany({ where: { kind: 'WAKE_UP_END', subjectId: ewon.id } });
  await tx.ewonPatch.updateMany({ where: { ewonId: ewon.id }, data: { accountId } });
  await restAddresses(tx, 'EWON', [ewon.id], now);
  await tx.ewon.update({
    where: { id: ewon.id },
    data: {
      ...{ accountId, name, nameKey: nameKey(name) },
      ...SET_BY_THE_ACCOUNT,
      ...OFFLINE,
      ...(ewon.gatewayId !== null && { lastSeenAt: now }),
      pools: { create: { poolId } },
    },
  });
  await renewPositions(ctx, destination, { id: ewon.id });

  if (ewon.gatewayId !== null)
    source.log({ code: 'EWON_OFFLINE', ewon: subject, trigger: 'PLATFORM', params: { reason: 'IMPORTED' } });
  source.log({
    code: 'EWON_MOVED_OUT',
    user: from.subject,
    ewon: subject,
    params: { destination: actor.accountName },
  });
  destination.log({
    code: 'EWON_MOVED_IN',
    user: actorSubject(actor),
    ewon: { ...subject, name },
    params: { source: from.accountName },
  });
  if (open.length > 0) await settleSlots(ctx, source);
  if (waited.count > 0) source.afterCommit(() => ctx.bell.ring(`slots:${source.accountId}`));
  source.afterCommit(() => ctx.bell.ring('ewons'));
  return name;
}

/** What people of the source account have set begins anew (IMP-05). */
const SET_BY_THE_ACCOUNT = {
  custom1: null,
  custom2: null,
  custom3: null,
  firewallLevel: 'STANDARD',
  connectionMode: 'PERMANENT',
  wakeUpNumber: null,
  wokenAt: null,
  activationKeyHash: null,
} as const;

/** No tunnel of it stands: the gateway finds that and closes the one that it holds, upon which the device connects again. */
const OFFLINE = {
  gatewayId: null,
  tunnelId: null,
  onlineSince: null,
  offlineTunnelId: null,
  wakingUntil: null,
} as const;

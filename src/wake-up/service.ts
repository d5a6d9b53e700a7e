import { chargeSms } from '../billing/sms.ts';
import { addSeconds } from '../clock.ts';
import type { ActorContext, Platform } from '../context.ts';
import { schedule } from '../due-work.ts';
import { AppError } from '../errors.ts';
import { ewonSubject, type FoundEwon, findEwon } from '../ewons/find.ts';
import { ewonReference } from '../ewons/rules.ts';
import type { AccountTx } from '../log/write.ts';
import { queueMessage } from '../messages/queue.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { isOnline, mayWake, requireWakeable } from './rules.ts';

/**
 * Wakes an Ewon that connects on demand by a text message, which costs one (WAK-02, WAK-07). Its status is WAKING_UP until
 * its device connects or its time has run out (WAK-06). One that is online stays as it is, at no cost.
 * @throws AppError NOT_FOUND, FORBIDDEN (WAK-05), EWON_NOT_APPROVED, WAKE_UP_NOT_CONFIGURED (WAK-03), REMOTE_ACCESS_DISABLED,
 *   INSUFFICIENT_CREDIT
 * @throws TooManyRequestsError (WAK-08)
 */
export function wakeUpEwon(ctx: ActorContext, ewonId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now, log } = account;
    const { WAKE_UP_SECONDS, WAKE_UP_INTERVAL_SECONDS } = ctx.config.limits;
    const ewon = await findOnDemand(account, actor, ewonId);
    if (isOnline(ewon)) return;
    requireWakeable(ewon, now, WAKE_UP_INTERVAL_SECONDS);
    const reference = ewonReference(ewon.number);
    const charge = await chargeSms(ctx, account, `wake-up of ${reference}`);
    const wakingUntil = addSeconds(now, WAKE_UP_SECONDS);
    await queueMessage(ctx, account, {
      ...{ channel: 'SMS', template: 'WAKE_UP', recipient: ewon.wakeUpNumber, userId: null },
      params: { reference },
      expiresAt: wakingUntil,
      charge,
    });
    await tx.ewon.update({ where: { id: ewon.id }, data: { wokenAt: now, wakingUntil } });
    await schedule(account, 'WAKE_UP_END', ewon.id, wakingUntil);
    log({ code: 'EWON_WAKING_UP', user: actorSubject(actor), ewon: ewonSubject(ewon) });
  });
}

/**
 * Tells an Ewon that connects on demand to go offline (WAK-04): the gateway closes its tunnel, and its sessions end with it.
 * One that is offline stays as it is.
 * @throws AppError NOT_FOUND, FORBIDDEN (WAK-05), EWON_NOT_APPROVED, WAKE_UP_NOT_CONFIGURED
 */
export function sendEwonOffline(ctx: ActorContext, ewonId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const ewon = await findOnDemand(account, actor, ewonId);
    if (!isOnline(ewon)) return;
    await account.tx.ewon.update({ where: { id: ewon.id }, data: { offlineTunnelId: ewon.tunnelId } });
    account.log({ code: 'EWON_SENT_OFFLINE', user: actorSubject(actor), ewon: ewonSubject(ewon) });
    account.afterCommit(() => ctx.bell.ring('ewons'));
  });
}

/** WAK-06: the time that a wake-up was given has run out, unless its device has connected or it was woken once more. */
export async function endWakeUp({ config }: Platform, { tx, now, log }: AccountTx, ewonId: string): Promise<void> {
  const ewon = await tx.ewon.findFirst({ where: { id: ewonId, wakingUntil: { lte: now } } });
  if (!ewon) return;
  await tx.ewon.update({ where: { id: ewonId }, data: { wakingUntil: null } });
  log({
    code: 'EWON_WAKE_UP_FAILED',
    ewon: ewonSubject(ewon),
    trigger: 'PLATFORM',
    params: { seconds: config.limits.WAKE_UP_SECONDS },
  });
}

/** An Ewon that connects on demand, by one who may wake it. */
async function findOnDemand(
  { tx }: AccountTx,
  actor: Actor,
  ewonId: string,
): Promise<FoundEwon & { wakeUpNumber: string }> {
  const ewon = await findEwon(tx, actor, ewonId);
  if (!mayWake(actor, ewon)) throw new AppError('FORBIDDEN', `You may neither connect to ${ewon.name} nor modify it.`);
  if (ewon.registrationStatus !== 'ACTIVE')
    throw new AppError('EWON_NOT_APPROVED', 'The Ewon waits for approval or has no device yet.');
  const { connectionMode, wakeUpNumber } = ewon;
  if (connectionMode !== 'ON_DEMAND' || wakeUpNumber === null)
    throw new AppError('WAKE_UP_NOT_CONFIGURED', `${ewon.name} is permanently connected.`);
  return { ...ewon, wakeUpNumber };
}

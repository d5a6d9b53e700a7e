import type { ActorContext } from '../context.ts';
import { AppError, notFound } from '../errors.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { actorSubject } from '../users/rules.ts';
import { ewonSubject, type FoundEwon, findEwon } from './find.ts';
import { type EwonProperties, nameInUse, propertiesToWrite } from './properties.ts';
import { revokeCertificates } from './registration.ts';
import { ewonActions, requireNotInUse } from './rules.ts';

/**
 * Approves a waiting Ewon as a new one (GRK-18): it takes the given properties and is a full member of the account.
 * @throws AppError NOT_FOUND, FORBIDDEN, EWON_NAME_IN_USE, EWON_NEEDS_A_POOL, VALIDATION_FAILED
 */
export function approveEwon(ctx: ActorContext, ewonId: string, properties: EwonProperties): Promise<string> {
  return inAccount(ctx, ctx.actor.accountId, async (account) => {
    const ewon = await findWaiting(ctx, account, ewonId);
    const data = await propertiesToWrite(ctx, account, ewon, properties);
    await account.tx.ewon.update({ where: { id: ewon.id }, data: { ...data, registrationStatus: 'ACTIVE' } });
    const name = properties.name ?? ewon.name;
    account.log({ code: 'EWON_APPROVED', user: actorSubject(ctx.actor), ewon: { ...ewonSubject(ewon), name } });
    account.afterCommit(() => ctx.bell.ring('ewons'));
    return ewon.id;
  }).catch(nameInUse);
}

/**
 * Approves a waiting Ewon as the replacement of another (GRK-19 to GRK-22). The replaced Ewon's record stays, with all its
 * properties, address and history, and takes over the arriving device's serial number, firmware and credentials; the
 * replaced device's credentials are revoked and its serial number is free.
 * @throws AppError NOT_FOUND, FORBIDDEN, EWON_IN_USE
 */
export function replaceEwon(ctx: ActorContext, ewonId: string, replacedId: string): Promise<string> {
  return inAccount(ctx, ctx.actor.accountId, async (account) => {
    const { tx, now } = account;
    const arriving = await findWaiting(ctx, account, ewonId);
    const replaced = await findEwon(tx, ctx.actor, replacedId);
    if (replaced.registrationStatus === 'PENDING_APPROVAL') throw notFound('Ewon');
    if (!ewonActions(ctx.actor, replaced).includes('ADMINISTER'))
      throw new AppError('FORBIDDEN', `You may not replace ${replaced.name}.`);
    requireNotInUse(replaced, await tx.session.count({ where: { ewonId: replaced.id, state: 'OPEN' } }));

    await revokeCertificates(tx, now, replaced.id, 'replaced');
    await tx.certificate.updateMany({ where: { ewonId: arriving.id }, data: { ewonId: replaced.id } });
    await tx.ewon.delete({ where: { id: arriving.id } });
    await tx.ewon.update({
      where: { id: replaced.id },
      data: {
        ...deviceOf(arriving),
        registrationStatus: 'ACTIVE',
        activationKeyHash: null,
      },
    });
    account.log({
      code: 'EWON_REPLACED',
      user: actorSubject(ctx.actor),
      ewon: ewonSubject(replaced),
      params: { oldSerialNumber: replaced.serialNumber ?? 'none', serialNumber: arriving.serialNumber },
    });
    account.afterCommit(() => ctx.bell.ring('ewons'));
    return replaced.id;
  });
}

/** What belongs to the device and not to the record of its Ewon (GRK-20). */
const deviceOf = ({
  serialNumber,
  model,
  firmwareVersion,
  lanAddress,
  wanType,
  wanAddress,
  geolocationEnabled,
  digitalInput,
  digitalInputPolicy,
  latitude,
  longitude,
  registeredAt,
}: FoundEwon) => ({
  ...{ serialNumber, model, firmwareVersion, lanAddress, wanType, wanAddress, geolocationEnabled },
  ...{ digitalInput, digitalInputPolicy, latitude, longitude, registeredAt },
});

/** Rejects a waiting Ewon (GRK-23): it disappears, and its credentials are void. @throws AppError NOT_FOUND, FORBIDDEN */
export function rejectEwon(ctx: ActorContext, ewonId: string): Promise<void> {
  return inAccount(ctx, ctx.actor.accountId, async (account) => {
    const ewon = await findWaiting(ctx, account, ewonId);
    await revokeCertificates(account.tx, account.now, ewon.id, 'rejected');
    await account.tx.ewon.delete({ where: { id: ewon.id } });
    account.log({
      code: 'EWON_REJECTED',
      user: actorSubject(ctx.actor),
      ewon: ewonSubject(ewon),
      params: { serialNumber: ewon.serialNumber },
    });
    account.afterCommit(() => ctx.bell.ring('ewons'));
  });
}

/** One that no longer waits is as if it did not exist: of two who approve it, the second finds nothing to approve. */
async function findWaiting(ctx: ActorContext, { tx }: AccountTx, ewonId: string): Promise<FoundEwon> {
  const ewon = await findEwon(tx, ctx.actor, ewonId);
  if (ewon.registrationStatus !== 'PENDING_APPROVAL')
    throw new AppError('NOT_FOUND', 'No such Ewon waits for approval.');
  if (!ewonActions(ctx.actor, ewon).includes('APPROVE'))
    throw new AppError('FORBIDDEN', 'You may not approve Ewons of this pool.');
  return ewon;
}

import { customColumns } from '../account/custom-fields.ts';
import { requireFeature } from '../account/plans.ts';
import type { ActorContext } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError, ConfirmationRequiredError, notFound } from '../errors.ts';
import type { ConnectionMode, Prisma } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { mayAdministerPool, mayPutIntoPools, poolsVisibleTo } from '../pools/rules.ts';
import { parsePhoneNumber } from '../second-factor/phone.ts';
import { createKey } from '../secrets.ts';
import { endSessions } from '../sessions/close.ts';
import { closeSessionsWithoutRight } from '../sessions/lost-rights.ts';
import { settleSlots } from '../sessions/slots.ts';
import { actorSubject } from '../users/rules.ts';
import { type Reach, requireNumber } from '../wake-up/rules.ts';
import { ewonSubject, type FoundEwon, findEwon } from './find.ts';
import { revokeCertificates } from './registration.ts';
import { type EwonAction, ewonActions, nameKey } from './rules.ts';

/** What people write about an Ewon (EWN-11). Absent keeps, null clears. */
export interface EwonProperties {
  name?: string | undefined;
  description?: string | null | undefined;
  /** Three values; null where there is none (EWN-06). */
  customFields?: (string | null)[] | undefined;
  poolIds?: string[] | undefined;
  connectionMode?: ConnectionMode | undefined;
  /** As entered, with its country code (WAK-03). */
  wakeUpNumber?: string | null | undefined;
}

/** EWN-14: 20 characters. */
const ACTIVATION_KEY_LENGTH = 20;

/**
 * Creates the record of an Ewon whose device joins later with the returned one-time activation key (EWN-14).
 * @throws AppError FORBIDDEN, NOT_FOUND (pool), EWON_NAME_IN_USE, EWON_NEEDS_A_POOL
 */
export function createEwon(
  ctx: ActorContext,
  properties: EwonProperties & { name: string },
): Promise<{ ewonId: string; activationKey: string }> {
  const { actor } = ctx;
  return inAccount(ctx, actor.accountId, async (account) => {
    const poolIds = properties.poolIds ?? [
      (await account.tx.pool.findFirstOrThrow({ where: { accountId: account.accountId, isDefault: true } })).id,
    ];
    await checkPools(ctx, account, [], poolIds);
    const activationKey = createKey(ACTIVATION_KEY_LENGTH);
    const ewon = await account.tx.ewon.create({
      data: {
        accountId: actor.accountId,
        name: properties.name,
        nameKey: nameKey(properties.name),
        description: properties.description ?? null,
        ...customColumns(properties.customFields),
        registrationStatus: 'PENDING',
        activationKeyHash: ctx.secrets.hash('activation key', activationKey),
        createdAt: account.now,
        ...reachToWrite(properties, NEW),
        pools: { create: poolIds.map((poolId) => ({ poolId })) },
      },
    });
    account.log({ code: 'EWON_CREATED', user: actorSubject(actor), ewon: ewonSubject(ewon) });
    return { ewonId: ewon.id, activationKey };
  }).catch(nameInUse);
}

/** A new activation key for a record without a device; the one before is void. @throws AppError NOT_FOUND, FORBIDDEN */
export function renewActivationKey(
  ctx: ActorContext,
  ewonId: string,
): Promise<{ ewonId: string; activationKey: string }> {
  return inAccount(ctx, ctx.actor.accountId, async ({ tx, log }) => {
    const ewon = await findEwon(tx, ctx.actor, ewonId);
    if (ewon.registrationStatus !== 'PENDING') throw new AppError('NOT_FOUND', 'No such Ewon waits for its device.');
    requireAction(ctx, ewon, 'ADMINISTER');
    const activationKey = createKey(ACTIVATION_KEY_LENGTH);
    await tx.ewon.update({
      where: { id: ewon.id },
      data: { activationKeyHash: ctx.secrets.hash('activation key', activationKey) },
    });
    log({ code: 'EWON_ACTIVATION_KEY_RENEWED', user: actorSubject(ctx.actor), ewon: ewonSubject(ewon) });
    return { ewonId: ewon.id, activationKey };
  });
}

/** Changes what people write about an Ewon (EWN-11, EWN-12). @throws AppError NOT_FOUND, FORBIDDEN, EWON_NAME_IN_USE, EWON_NEEDS_A_POOL */
export function updateEwon(ctx: ActorContext, ewonId: string, properties: EwonProperties): Promise<string> {
  return inAccount(ctx, ctx.actor.accountId, async (account) => {
    const ewon = await findEwon(account.tx, ctx.actor, ewonId);
    requireAction(ctx, ewon, 'MODIFY');
    const data = await propertiesToWrite(ctx, account, ewon, properties);
    await account.tx.ewon.update({ where: { id: ewon.id }, data });
    const fields = Object.entries(properties).flatMap(([field, value]) => (value === undefined ? [] : [field]));
    account.log({
      code: 'EWON_CHANGED',
      user: actorSubject(ctx.actor),
      ewon: { ...ewonSubject(ewon), name: properties.name ?? ewon.name },
      params: { fields: fields.join(', ') },
    });
    account.afterCommit(() => ctx.bell.ring('ewons'));
    if (properties.poolIds) await closeSessionsWithoutRight(ctx, account, ctx.actor);
    return ewon.id;
  }).catch(nameInUse);
}

/**
 * Removes an Ewon from the account (EWN-19): its sessions are closed, its serial number and VPN address are free again, and
 * its certificate is revoked, upon which the gateway closes its tunnel.
 * @throws AppError NOT_FOUND, FORBIDDEN, CONFIRMATION_REQUIRED
 */
export function removeEwon(ctx: ActorContext, ewonId: string, confirm: boolean): Promise<void> {
  return inAccount(ctx, ctx.actor.accountId, async (account) => {
    const { tx, now } = account;
    const ewon = await findEwon(tx, ctx.actor, ewonId);
    requireAction(ctx, ewon, 'REMOVE');
    const sessions = await tx.session.findMany({ where: { ewonId: ewon.id, state: 'OPEN' } });
    if (!confirm) throw new ConfirmationRequiredError(`Removing ${ewon.name} cannot be undone.`, sessions);
    // Their slots are given away when the Ewon is gone: somebody may be waiting for a slot to connect to it.
    await endSessions(ctx, account, sessions, 'EWON_OFFLINE', ctx.actor, { settle: false });
    await revokeCertificates(tx, now, ewon.id, 'removed');
    await tx.ewon.delete({ where: { id: ewon.id } });
    if (sessions.length > 0) await settleSlots(ctx, account);
    if (ewon.gatewayId !== null)
      account.log({
        code: 'EWON_OFFLINE',
        ewon: ewonSubject(ewon),
        trigger: 'PLATFORM',
        params: { reason: 'removed' },
      });
    account.log({
      code: 'EWON_REMOVED',
      user: actorSubject(ctx.actor),
      ewon: ewonSubject(ewon),
      params: { serialNumber: ewon.serialNumber },
    });
    account.afterCommit(() => ctx.bell.ring('ewons'));
  });
}

/** The columns that the properties mean, with the pools checked and rewritten. */
export async function propertiesToWrite(
  ctx: ActorContext,
  account: AccountTx,
  ewon: FoundEwon,
  properties: EwonProperties,
): Promise<Prisma.EwonUpdateInput> {
  if (properties.poolIds) {
    await checkPools(ctx, account, ewon.poolIds, properties.poolIds);
    await account.tx.ewonPool.deleteMany({ where: { ewonId: ewon.id, poolId: { notIn: properties.poolIds } } });
    await account.tx.ewonPool.createMany({
      data: properties.poolIds.map((poolId) => ({ ewonId: ewon.id, poolId })),
      skipDuplicates: true,
    });
  }
  return {
    ...(properties.name !== undefined && { name: properties.name, nameKey: nameKey(properties.name) }),
    ...(properties.description !== undefined && { description: properties.description }),
    ...(properties.customFields !== undefined && customColumns(properties.customFields)),
    ...reachToWrite(properties, ewon),
  };
}

const NEW: Reach = { connectionMode: 'PERMANENT', wakeUpNumber: null };

const numberOf = (entered: string | null): string | null =>
  entered === null ? null : parsePhoneNumber(entered, 'properties', 'wakeUpNumber');

/** How the Ewon is reached with these properties (WAK-03). @throws AppError INVALID_PHONE_NUMBER, VALIDATION_FAILED */
function reachToWrite({ connectionMode, wakeUpNumber: entered }: EwonProperties, before: Reach): Reach {
  const reach = {
    connectionMode: connectionMode ?? before.connectionMode,
    wakeUpNumber: entered === undefined ? before.wakeUpNumber : numberOf(entered),
  };
  requireNumber(reach);
  return reach;
}

/**
 * POOL-03 and EWN-20: at least one pool, and administer right on every one that is added or removed. Adding needs that right
 * on the Ewon besides (GRP-18).
 */
async function checkPools(
  ctx: ActorContext,
  { tx }: AccountTx,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  if (after.length === 0) throw new AppError('EWON_NEEDS_A_POOL', 'An Ewon is in at least one pool.', ['poolIds']);
  const changed = [...after.filter((id) => !before.includes(id)), ...before.filter((id) => !after.includes(id))];
  if (changed.length === 0) return;
  const visible = await tx.pool.findMany({ where: { AND: [poolsVisibleTo(ctx.actor), { id: { in: [...after] } }] } });
  if (visible.length < new Set(after).size) throw notFound('pool');
  if (visible.some((pool) => !pool.isDefault)) requireFeature(ctx.actor.plan, 'pools');
  const adds = after.some((id) => !before.includes(id));
  if (!changed.every((poolId) => mayAdministerPool(ctx.actor, poolId)) || (adds && !mayPutIntoPools(ctx.actor, before)))
    throw new AppError('FORBIDDEN', 'You may not add or remove Ewons of one of the pools.', ['poolIds']);
}

function requireAction(ctx: ActorContext, ewon: FoundEwon, action: EwonAction): void {
  if (!ewonActions(ctx.actor, ewon).includes(action))
    throw new AppError('FORBIDDEN', `You may not do this with ${ewon.name} (${action}).`);
}

export function nameInUse(error: unknown): never {
  if (isUniqueViolation(error))
    throw new AppError('EWON_NAME_IN_USE', 'Another Ewon of the account has this name.', ['name']);
  throw error;
}

import { requireFeature } from '../account/plans.ts';
import { addSeconds } from '../clock.ts';
import type { ActorContext } from '../context.ts';
import { AppError, ConfirmationRequiredError, notFound } from '../errors.ts';
import type { ImportPreview } from '../generated/prisma/client.ts';
import type { ImportReason } from '../generated/prisma/enums.ts';
import type { AccountTx } from '../log/write.ts';
import { poolsVisibleTo } from '../pools/rules.ts';
import { nameInUse, newPool } from '../pools/service.ts';
import { hashToken } from '../secrets.ts';
import { inAccountsAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { requireAdministrator } from '../users/rules.ts';
import { moveEwon } from './move.ts';
import { type ImportPool, importsVisibleTo, LISTED_SELECT, obstacleToMove, RUN_SECONDS, targetOf } from './rules.ts';
import { requireSourceUnchanged } from './source.ts';

/** What an import is asked for with. */
export interface ImportRequest {
  /** The ticket of the list (IMP-07). */
  ticket: string;
  pool: ImportPool;
  /** IMP-08 */
  confirm: boolean;
}

/**
 * Moves the Ewons of a list, each in a transaction of its own (IMP-05 to IMP-10), at most IMPORT_BATCH in one call: who calls
 * again with the same ticket and pool goes on, or gets the results once more. One that is no longer as it was listed is
 * skipped. When the right to import is gone before the first, nothing is done; when it goes on the way, the rest fails.
 * Returns the id of the import.
 * @throws AppError IMPORT_TICKET_INVALID, CONFIRMATION_REQUIRED, FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE, IMPORT_CHANGED,
 *   IMPORT_RUNNING, NOT_FOUND (pool), POOL_NAME_IN_USE, LOGIN_EXPIRED
 */
export async function importEwons(ctx: ActorContext, request: ImportRequest): Promise<string> {
  const preview = await findPreview(ctx, request.ticket);
  if (!request.confirm) throw new ConfirmationRequiredError('An import cannot be undone.', []);
  const run = await begin(ctx, preview, request.pool);
  if (run !== 'OVER') {
    try {
      for (let moved = 0; moved < ctx.config.limits.IMPORT_BATCH; moved++) if (!(await moveNext(ctx, run))) break;
    } finally {
      await ctx.db.importPreview.updateMany({ where: { id: preview.id }, data: { runningUntil: null } });
    }
  }
  return preview.id;
}

/** @throws AppError IMPORT_TICKET_INVALID */
async function findPreview(ctx: ActorContext, ticket: string): Promise<ImportPreview> {
  const preview = await ctx.db.importPreview.findFirst({
    where: { AND: [importsVisibleTo(ctx.actor), { ticketHash: hashToken(ticket) }] },
  });
  requireAdministrator(ctx.actor);
  if (!preview || (preview.usedAt === null && preview.expiresAt <= ctx.clock.now())) throw ticketInvalid();
  return preview;
}

const ticketInvalid = (): AppError =>
  new AppError('IMPORT_TICKET_INVALID', 'The ticket is unknown or has expired, or was used for another pool.', [
    'ticket',
  ]);

/** An import under way; the pool is known once there is something to move. */
interface Run {
  previewId: string;
  sourceId: string;
  poolId: string;
}

/**
 * Takes the import in hand, with the pool at the first time. `OVER` when nothing is left to do.
 */
function begin(ctx: ActorContext, { id, sourceId }: ImportPreview, pool: ImportPool): Promise<Run | 'OVER'> {
  return inAccountsAs(ctx, sourceId, async (destination, source, actor) => {
    const { tx, now } = destination;
    // Read again: two may have come with the same ticket at once.
    const preview = await tx.importPreview.findUnique({ where: { id } });
    if (!preview || (preview.target !== null && preview.target !== targetOf(pool))) throw ticketInvalid();
    if (preview.runningUntil && preview.runningUntil > now)
      throw new AppError('IMPORT_RUNNING', 'The Ewons of this ticket are being moved; ask again for the results.');
    const waiting = await tx.importItem.count({ where: { previewId: id, outcome: null } });
    if (waiting === 0 && preview.usedAt !== null) return 'OVER';
    requireDestination(actor);
    await requireSourceUnchanged(ctx, source, preview);
    const nothing = waiting === 0;
    // A pool is not made for nothing.
    const poolId =
      nothing && 'newPoolName' in pool ? null : (preview.poolId ?? (await choosePool(actor, destination, pool)));
    await tx.importPreview.update({
      where: { id },
      data: {
        ...{ target: targetOf(pool), poolId },
        usedAt: preview.usedAt ?? now,
        runningUntil: nothing ? null : addSeconds(now, RUN_SECONDS),
      },
    });
    return nothing || poolId === null ? 'OVER' : { previewId: id, sourceId, poolId };
  }).catch(nameInUse);
}

/** IMP-16 @throws AppError FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE */
function requireDestination(actor: Actor): void {
  requireAdministrator(actor);
  requireFeature(actor.plan, 'importTarget');
}

/** POOL-05, IMP-06 @throws AppError PLAN_FEATURE_NOT_AVAILABLE, NOT_FOUND */
async function choosePool(actor: Actor, account: AccountTx, pool: ImportPool): Promise<string> {
  if ('newPoolName' in pool) return (await newPool(actor, account, pool.newPoolName, [])).id;
  const found = await account.tx.pool.findFirst({ where: { AND: [poolsVisibleTo(actor), { id: pool.poolId }] } });
  if (!found) throw notFound('pool');
  if (!found.isDefault) requireFeature(actor.plan, 'pools');
  return found.id;
}

/** Moves the next Ewon that waits, or notes why it is not moved; false when none waits. */
async function moveNext(ctx: ActorContext, { previewId, sourceId, poolId }: Run): Promise<boolean> {
  const item = await ctx.db.importItem.findFirst({
    where: { previewId, outcome: null },
    orderBy: { position: 'asc' },
  });
  if (!item) return false;
  const data = (outcome: 'IMPORTED' | 'SKIPPED' | 'FAILED', reason: ImportReason | null, newName: string | null) => ({
    where: { id: item.id, outcome: null },
    data: { outcome, reason, newName },
  });
  try {
    await inAccountsAs(ctx, sourceId, async (destination, source, actor) => {
      const { tx, now } = destination;
      requireDestination(actor);
      // Of two that move Ewons of one ticket, because the first was taken to be dead, only one finds the row as it was.
      const preview = await tx.importPreview.update({
        where: { id: previewId },
        data: { runningUntil: addSeconds(now, RUN_SECONDS) },
      });
      if ((await tx.importItem.count({ where: { id: item.id, outcome: null } })) === 0) return;
      const from = await requireSourceUnchanged(ctx, source, preview);
      if ((await tx.pool.count({ where: { id: poolId, accountId: destination.accountId } })) === 0)
        throw notFound('pool');
      const ewon = await tx.ewon.findUnique({
        where: { id: item.ewonId },
        select: { ...LISTED_SELECT, gatewayId: true },
      });
      const obstacle = obstacleToMove(item, ewon, sourceId);
      if (obstacle !== null || !ewon) await tx.importItem.updateMany(data('SKIPPED', obstacle, null));
      else {
        const newName = await moveEwon(ctx, destination, source, { ewon, actor, poolId, from });
        await tx.importItem.updateMany(data('IMPORTED', null, newName));
      }
    });
  } catch (error) {
    const refused = error instanceof AppError;
    if (!refused) ctx.log.error({ err: error, ewonId: item.ewonId }, 'An Ewon could not be imported');
    await ctx.db.importItem.updateMany(data('FAILED', refused ? 'RIGHTS_CHANGED' : 'INTERNAL_ERROR', null));
  }
  return true;
}

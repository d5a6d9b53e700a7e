import type { ActorContext } from '../context.ts';
import { notFound } from '../errors.ts';
import { inAccount } from '../log/write.ts';
import { poolsVisibleTo } from '../pools/rules.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { newRegistrationKey } from './create.ts';

/** Revokes the account's GRK and makes a new one (GRK-12). @throws AppError FORBIDDEN */
export function renewRegistrationKey(ctx: ActorContext): Promise<void> {
  const { actor } = ctx;
  requireAdministrator(actor);
  return inAccount(ctx, actor.accountId, async ({ tx, now, accountId, log }) => {
    const { registrationKeyHash } = await tx.account.findUniqueOrThrow({
      where: { id: accountId },
      select: { registrationKeyHash: true },
    });
    await tx.revokedRegistrationKey.create({ data: { keyHash: registrationKeyHash, accountId, revokedAt: now } });
    await tx.account.update({
      where: { id: accountId },
      data: { ...newRegistrationKey(ctx), registrationKeyRenewedAt: now },
    });
    log({ code: 'REGISTRATION_KEY_RENEWED', user: actorSubject(actor) });
  });
}

/** A file for the root of an SD card or USB drive. */
export interface CommissioningFile {
  fileName: string;
  content: string;
}

/** The commissioning file `T2M.txt` with platform address, GRK and description (GRK-13, GRK-14). @throws AppError FORBIDDEN */
export function exportRegistrationKey(ctx: ActorContext, description: string | null): Promise<CommissioningFile> {
  const { actor } = ctx;
  requireAdministrator(actor);
  return inAccount(ctx, actor.accountId, async ({ tx, accountId, log }) => {
    const { registrationKeyEncrypted } = await tx.account.findUniqueOrThrow({
      where: { id: accountId },
      select: { registrationKeyEncrypted: true },
    });
    log({ code: 'REGISTRATION_KEY_EXPORTED', user: actorSubject(actor) });
    const lines = [
      '# talkgate commissioning file: copy it to the root of the SD card or USB drive of an unregistered Ewon',
      `Server=${ctx.gatewayUrls.device}`,
      `GlobalRegistrationKey=${ctx.secrets.decrypt(registrationKeyEncrypted)}`,
      ...(description ? [`Description=${description.replaceAll(/\s*[\r\n]+\s*/g, ' ')}`] : []),
    ];
    return { fileName: 'T2M.txt', content: `${lines.join('\r\n')}\r\n` };
  });
}

/** Switches auto-registration and selects the pool for new devices (GRK-02, GRK-06, POOL-04). Absent keeps; null is the default pool. @throws AppError FORBIDDEN, NOT_FOUND (pool) */
export function setAutoRegistration(
  ctx: ActorContext,
  change: { enabled?: boolean | undefined; poolId?: string | null | undefined },
): Promise<void> {
  const { actor } = ctx;
  requireAdministrator(actor);
  return inAccount(ctx, actor.accountId, async ({ tx, accountId, log }) => {
    if (
      change.poolId &&
      (await tx.pool.count({ where: { AND: [poolsVisibleTo(actor), { id: change.poolId }] } })) === 0
    )
      throw notFound('pool');
    await tx.account.update({
      where: { id: accountId },
      data: {
        ...(change.enabled !== undefined && { autoRegistrationEnabled: change.enabled }),
        ...(change.poolId !== undefined && { autoRegistrationPoolId: change.poolId }),
      },
    });
    log({ code: 'ACCOUNT_CHANGED', user: actorSubject(actor), params: { setting: 'auto-registration' } });
  });
}

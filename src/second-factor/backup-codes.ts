import { randomInt } from 'node:crypto';
import type { ActorContext, Platform } from '../context.ts';
import { AppError, notFound } from '../errors.ts';
import type { AccountTx } from '../log/write.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject, displayName, requireRecentConfirmation, usersVisibleTo } from '../users/rules.ts';
import { requireSecondFactorAdministrator } from './rules.ts';

/** Without what is easily mistaken for something else. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const CODE_LENGTH = 10;

const createBackupCode = (): string =>
  Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

/** A backup code as people type it: without regard to case, spaces and hyphens. */
const normalizedCode = (code: string): string => code.replaceAll(/[\s-]/g, '').toUpperCase();

export const looksLikeBackupCode = (code: string): boolean => normalizedCode(code).length === CODE_LENGTH;

const hashOf = (ctx: Platform, userId: string, code: string): string =>
  ctx.secrets.hash('backup code', `${userId}:${normalizedCode(code)}`);

/**
 * Makes the viewer's backup codes anew; the codes before are void (TFA-43). They are shown now, and to Administrators later.
 * @throws AppError REAUTHENTICATION_REQUIRED, SECOND_FACTOR_NOT_ACTIVE
 */
export function generateBackupCodes(ctx: ActorContext): Promise<string[]> {
  return inAccountAs(ctx, async ({ tx, now, log }, actor) => {
    requireRecentConfirmation(actor, now, ctx.config);
    const { secondFactorState } = await tx.user.findUniqueOrThrow({ where: { id: actor.userId } });
    if (secondFactorState !== 'ENABLED')
      throw new AppError('SECOND_FACTOR_NOT_ACTIVE', 'Backup codes need an active second factor.');
    const codes = new Set<string>();
    while (codes.size < ctx.config.limits.BACKUP_CODES) codes.add(createBackupCode());
    await tx.backupCode.deleteMany({ where: { userId: actor.userId } });
    await tx.backupCode.createMany({
      data: [...codes].map((code) => ({
        userId: actor.userId,
        codeEncrypted: ctx.secrets.encrypt(code),
        codeHash: hashOf(ctx, actor.userId, code),
      })),
    });
    log({ code: 'BACKUP_CODES_GENERATED', user: actorSubject(actor) });
    return [...codes];
  });
}

/**
 * The unused backup codes of a user, for Administrators; each retrieval is logged (TFA-44).
 * @throws AppError FORBIDDEN, NOT_FOUND, REAUTHENTICATION_REQUIRED
 */
export function retrieveBackupCodes(ctx: ActorContext, userId: string): Promise<string[]> {
  return inAccountAs(ctx, async ({ tx, now, log }, actor) => {
    const user = await tx.user.findFirst({ where: { AND: [usersVisibleTo(actor), { id: userId }] } });
    if (!user) throw notFound('user');
    requireSecondFactorAdministrator(actor);
    requireRecentConfirmation(actor, now, ctx.config);
    const codes = await tx.backupCode.findMany({ where: { userId, usedAt: null }, orderBy: { id: 'asc' } });
    log({ code: 'BACKUP_CODES_RETRIEVED', user: actorSubject(actor), params: { name: displayName(user) } });
    return codes.map(({ codeEncrypted }) => ctx.secrets.decrypt(codeEncrypted));
  });
}

/** Uses up a backup code: of two who submit it at once, one finds it. Returns how many are left, or null for a wrong or used one. */
export async function useBackupCode(
  ctx: Platform,
  { tx, now }: AccountTx,
  userId: string,
  code: string,
): Promise<number | null> {
  const { count } = await tx.backupCode.updateMany({
    where: { userId, codeHash: hashOf(ctx, userId, code), usedAt: null },
    data: { usedAt: now },
  });
  return count === 0 ? null : tx.backupCode.count({ where: { userId, usedAt: null } });
}

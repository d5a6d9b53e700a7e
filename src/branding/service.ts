import pLimit from 'p-limit';
import { requireFeature } from '../account/plans.ts';
import type { Config } from '../config.ts';
import type { ActorContext, Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { BrandingFileName } from '../generated/prisma/enums.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { sha256Of } from './look.ts';
import { cleanPng } from './png.ts';
import { fileNameOf, requireFileNamed } from './rules.ts';
import { readSkin } from './skin.ts';

/** An image takes some ten times its file in memory while it is read: one at a time, the others wait. */
const oneAtATime = pLimit(1);

/**
 * Sets or replaces one of the three files (BRD-04), for everybody who opens the portal from then on. The same content again
 * changes nothing.
 * @param name `welcome.png`, `logo.png` or `skin.ini`
 * @throws AppError FORBIDDEN, PLAN_FEATURE_NOT_AVAILABLE, UNKNOWN_BRANDING_FILE, FILE_TOO_LARGE, BRANDING_FILE_INVALID, LOGIN_EXPIRED
 */
export async function setBrandingFile(
  ctx: ActorContext,
  name: string,
  file: Pick<Blob, 'size' | 'arrayBuffer'>,
): Promise<void> {
  // Before the work of reading it; again under the lock.
  requireBranding(ctx.actor);
  const kind = requireFileNamed(name);
  const content = await oneAtATime(() => checked(ctx.config, kind, file));
  const sha256 = sha256Of(content);
  await inAccountAs(ctx, async ({ tx, now, accountId, log }, actor) => {
    requireBranding(actor);
    const where = { accountId_name: { accountId, name: kind } };
    const present = await tx.brandingFile.findUnique({ where, select: { sha256: true } });
    if (present?.sha256 === sha256) return;
    const version = { content, sha256, uploadedAt: now };
    await tx.brandingFile.upsert({ where, create: { accountId, name: kind, ...version }, update: version });
    const change = present ? 'replaced' : 'set';
    log({ code: 'BRANDING_CHANGED', user: actorSubject(actor), params: { file: fileNameOf(kind), change } });
  });
}

/**
 * Removes one of the three files; the standard look is in its place (BRD-04). One that is not there is no error. Also on a plan
 * without branding, which keeps what was set and shows nothing of it.
 * @throws AppError FORBIDDEN, UNKNOWN_BRANDING_FILE, LOGIN_EXPIRED
 */
export async function removeBrandingFile(ctx: ActorContext, name: string): Promise<void> {
  await inAccountAs(ctx, async ({ tx, accountId, log }, actor) => {
    requireAdministrator(actor);
    const kind = requireFileNamed(name);
    const { count } = await tx.brandingFile.deleteMany({ where: { accountId, name: kind } });
    if (count === 0) return;
    log({ code: 'BRANDING_CHANGED', user: actorSubject(actor), params: { file: fileNameOf(kind), change: 'removed' } });
  });
}

/** A file as its Administrators see it. */
export interface StoredFile {
  name: BrandingFileName;
  sha256: string;
  /** Bytes. */
  size: number;
  uploadedAt: Date;
}

/** What the account has set, without the contents. */
export const listBrandingFiles = ({ db }: Pick<Platform, 'db'>, accountId: string): Promise<StoredFile[]> =>
  db.$queryRaw<StoredFile[]>`
    SELECT "name"::text AS "name", "sha256", octet_length("content") AS "size", "uploadedAt"
    FROM "BrandingFile" WHERE "accountId" = ${accountId}::uuid ORDER BY "name"`;

function requireBranding(actor: Actor): void {
  requireAdministrator(actor);
  requireFeature(actor.plan, 'portalBranding');
}

/** What is stored of a file. @throws AppError FILE_TOO_LARGE, BRANDING_FILE_INVALID */
async function checked(
  { limits }: Config,
  kind: BrandingFileName,
  file: Pick<Blob, 'size' | 'arrayBuffer'>,
): Promise<Buffer<ArrayBuffer>> {
  const most = kind === 'SKIN_INI' ? limits.BRANDING_SKIN_BYTES : limits.BRANDING_IMAGE_BYTES;
  if (file.size > most)
    throw new AppError('FILE_TOO_LARGE', `${fileNameOf(kind)} has ${file.size} bytes; at most ${most} are allowed.`, [
      'content',
    ]);
  const bytes = Buffer.from(await file.arrayBuffer());
  if (kind !== 'SKIN_INI') return Buffer.from(await cleanPng(bytes, limits.BRANDING_IMAGE_PIXELS));
  readSkin(bytes);
  return bytes;
}

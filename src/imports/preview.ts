import { requireFeature } from '../account/plans.ts';
import { addSeconds, earliest } from '../clock.ts';
import type { ActorContext, Caller, Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import { nameKey } from '../ewons/rules.ts';
import { inAccount } from '../log/write.ts';
import { type Credentials, checkCredentials } from '../logins/credentials.ts';
import { createToken, hashToken } from '../secrets.ts';
import { requireAdministrator } from '../users/rules.ts';
import { IMPORT_EWONS_MAX } from './rules.ts';
import { credentialOf, requireSourceAdministrator } from './source.ts';

/** The list of what can be imported, and the ticket that the import must present, which is known only now (IMP-07). */
export interface Preview {
  importId: string;
  ticket: string;
}

/**
 * Lists the Ewons of another account for import (IMP-01 to IMP-04, IMP-07). Its credentials are checked as those of a login are,
 * with all that counts against guessing; no login is made. A former list of the same source by the same Administrator that was
 * not used is void.
 * @throws AppError FORBIDDEN (on either side), PLAN_FEATURE_NOT_AVAILABLE, ACCOUNT_IS_SOURCE, INVALID_CREDENTIALS, IP_BANNED,
 *   SOURCE_REQUIRES_TWO_FACTOR, PASSWORD_CHANGE_REQUIRED
 * @throws TooManyRequestsError
 */
export async function previewImport(ctx: ActorContext, credentials: Credentials, caller: Caller): Promise<Preview> {
  const { actor } = ctx;
  requireAdministrator(actor);
  requireFeature(actor.plan, 'importTarget');
  if (nameKey(credentials.account) === nameKey(actor.accountName))
    throw new AppError('ACCOUNT_IS_SOURCE', 'An account does not import from itself.', ['account']);
  const checked = await checkCredentials(ctx, credentials, caller.remoteAddress);
  return inAccount(ctx, checked.accountId, async (source) => {
    const { tx, now, accountId: sourceId, log } = source;
    const { subject } = await requireSourceAdministrator(source, checked);
    const ticket = createToken();
    const own = { accountId: actor.accountId, sourceId, userId: actor.userId };
    await tx.importPreview.deleteMany({ where: { ...own, usedAt: null } });
    const { id } = await tx.importPreview.create({
      data: {
        ...own,
        sourceUserId: checked.userId,
        sourceCredential: credentialOf(ctx, checked.passwordHash),
        ticketHash: hashToken(ticket),
        createdAt: now,
        expiresAt: addSeconds(now, ctx.config.limits.IMPORT_TICKET_MINUTES * 60),
      },
      select: { id: true },
    });
    // Those that can be imported come first: a list that is full of others would leave nothing to do.
    const listed = await tx.$executeRaw`
      INSERT INTO "ImportItem" ("previewId", "position", "ewonId", "ewonNumber", "name", "serialNumber", "outcome", "reason")
      SELECT ${id}::uuid, row_number() OVER (ORDER BY e."reason" IS NOT NULL, e."number"), e."id", e."number", e."name", e."serialNumber",
        CASE WHEN e."reason" IS NULL THEN NULL ELSE 'SKIPPED' END::"ImportOutcome", e."reason"
      FROM (
        SELECT *, CASE
            WHEN "registrationStatus" <> 'ACTIVE' THEN 'NOT_ACTIVE'
            WHEN "serialNumber" IS NULL THEN 'NO_SERIAL_NUMBER'
          END::"ImportReason" AS "reason"
        FROM "Ewon" WHERE "accountId" = ${sourceId}::uuid
      ) e
      ORDER BY 2 LIMIT ${IMPORT_EWONS_MAX}::int`;
    const notListed = (await tx.ewon.count({ where: { accountId: sourceId } })) - listed;
    if (notListed > 0) await tx.importPreview.update({ where: { id }, data: { notListed } });
    log({ code: 'IMPORT_LISTED', user: subject, params: { destination: actor.accountName } });
    return { importId: id, ticket };
  });
}

/** Removes lists whose ticket has expired, and results that have been readable for a day. */
export async function purgeImports({ db, clock, config }: Platform): Promise<void> {
  const now = clock.now();
  await db.importPreview.deleteMany({
    where: {
      OR: [
        { usedAt: null, expiresAt: { lte: now } },
        { usedAt: { lte: addSeconds(now, -config.limits.IDEMPOTENCY_HOURS * 3600) } },
      ],
    },
  });
}

/** When the next of them goes. */
export async function nextImportPurge({ db, config }: Platform): Promise<Date | null> {
  const unused = await db.importPreview.aggregate({ where: { usedAt: null }, _min: { expiresAt: true } });
  const { usedAt } = (await db.importPreview.aggregate({ _min: { usedAt: true } }))._min;
  return earliest(unused._min.expiresAt, usedAt && addSeconds(usedAt, config.limits.IDEMPOTENCY_HOURS * 3600));
}

import { addSeconds } from '../clock.ts';
import type { Platform } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError } from '../errors.ts';
import { compareFirmware, FIRMWARE_VERSION } from '../ewons/rules.ts';
import type { PatchCampaign } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { isOnline } from '../wake-up/rules.ts';
import { failPatches } from './settle.ts';

/** A campaign as the operator begins it. */
export interface NewCampaign {
  /** Of his choice, 1–64 characters: repeated under it, it is one campaign. */
  key: string;
  /** EWN-18 */
  firmwareVersion: string;
  /** What the firmware mends, for the logs of the accounts. */
  reason: string;
}

/**
 * Begins a campaign that raises the firmware of Ewons (PRV-06, PRV-08); the job {@link runPatchCampaigns} does it. Given again
 * under the same key, it is the same campaign. Returns its id.
 * @throws AppError IDEMPOTENCY_KEY_REUSED for another version or reason under the key
 */
export async function startPatchCampaign(
  ctx: Platform,
  { key, firmwareVersion, reason }: NewCampaign,
): Promise<string> {
  const created = await ctx.db.patchCampaign
    .create({ data: { key, firmwareVersion, reason, createdAt: ctx.clock.now() } })
    .catch((error: unknown) => {
      if (isUniqueViolation(error)) return null;
      throw error;
    });
  if (created) {
    ctx.log.info({ key, firmwareVersion }, 'A patch campaign was started by the operator');
    return created.id;
  }
  const standing = await ctx.db.patchCampaign.findUniqueOrThrow({ where: { key } });
  if (standing.firmwareVersion !== firmwareVersion || standing.reason !== reason)
    throw new AppError('IDEMPOTENCY_KEY_REUSED', 'There is a campaign with this key and another version or reason.', [
      'key',
    ]);
  return standing.id;
}

/** Since when an Ewon has been asked that is given up now. */
const givenUpBefore = ({ config }: Platform, now: Date): Date => addSeconds(now, -config.limits.PATCH_SECONDS);

/**
 * Takes every campaign that is under way a step on (PRV-08). At most `PATCH_BATCH` of its Ewons are being updated at a time, so
 * that a fleet does not restart at once; as they answer, or are given up, the next are asked. Each Ewon of the platform with an
 * older firmware gets one row, with its account's lock held, so the work may be interrupted anywhere, and several instances may
 * do it. An Ewon that was registered after the campaign began, or has that firmware or a newer one, is no part of it.
 */
export async function runPatchCampaigns(ctx: Platform, dueAt: Date): Promise<void> {
  const campaigns = await ctx.db.patchCampaign.findMany({
    where: { finishedAt: null },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
  for (const campaign of campaigns) {
    await failSilent(ctx, campaign, dueAt);
    const complete = await askOn(ctx, campaign);
    if (complete && (await countRequested(ctx, campaign)) === 0)
      await ctx.db.patchCampaign.updateMany({
        where: { id: campaign.id, finishedAt: null },
        data: { finishedAt: ctx.clock.now() },
      });
  }
}

/** When the next Ewon that was asked is given up. */
export async function nextPatchEnd({ db, config }: Platform): Promise<Date | null> {
  const { _min } = await db.ewonPatch.aggregate({
    where: { campaign: { finishedAt: null }, state: 'REQUESTED' },
    _min: { at: true },
  });
  return _min.at && addSeconds(_min.at, config.limits.PATCH_SECONDS);
}

const countRequested = ({ db }: Platform, { id }: PatchCampaign): Promise<number> =>
  db.ewonPatch.count({ where: { campaignId: id, state: 'REQUESTED' } });

/** Asks as many as may be updated at a time. True when there is none left to ask. */
async function askOn(ctx: Platform, campaign: PatchCampaign): Promise<boolean> {
  let room = ctx.config.limits.PATCH_BATCH - (await countRequested(ctx, campaign));
  let after: string | null = null;
  while (room > 0) {
    const found: Candidate[] = await candidates(ctx, campaign, after, room);
    if (found.length === 0) return true;
    after = found.at(-1)?.id ?? null;
    for (const [accountId, ids] of byAccount(found)) room -= await ask(ctx, campaign, accountId, ids);
  }
  return false;
}

interface Candidate {
  id: string;
  accountId: string;
}

/** The next Ewons with an older firmware that the campaign has not come to, by id. */
function candidates({ db }: Platform, campaign: PatchCampaign, after: string | null, take: number) {
  const version = campaign.firmwareVersion.split(/[.s]/).map(Number);
  return db.$queryRaw<Candidate[]>`
    SELECT e."id", e."accountId" FROM "Ewon" e
    WHERE (${after}::uuid IS NULL OR e."id" > ${after}::uuid)
      AND e."registrationStatus" = 'ACTIVE' AND e."createdAt" <= ${campaign.createdAt}::timestamp
      AND string_to_array(replace(e."firmwareVersion", 's', '.'), '.')::int[] < ${version}::int[]
      AND NOT EXISTS (SELECT 1 FROM "EwonPatch" p WHERE p."campaignId" = ${campaign.id}::uuid AND p."ewonId" = e."id")
    ORDER BY e."id" LIMIT ${take}::int`;
}

function byAccount(found: readonly Candidate[]): Map<string, string[]> {
  const accounts = new Map<string, string[]>();
  for (const { id, accountId } of found) accounts.set(accountId, [...(accounts.get(accountId) ?? []), id]);
  return accounts;
}

/** Asks the Ewons of one account, or skips them (PRV-07). Returns how many were asked. */
function ask(ctx: Platform, campaign: PatchCampaign, accountId: string, ids: string[]): Promise<number> {
  return inAccount(ctx, accountId, async (account) => {
    const { tx, now, log, afterCommit } = account;
    const ewons = await tx.ewon.findMany({
      where: { id: { in: ids }, accountId, patches: { none: { campaignId: campaign.id } } },
      select: {
        ...{ id: true, number: true, name: true, firmwareVersion: true, tunnelId: true, offlineTunnelId: true },
        account: { select: { remoteManagement: true } },
      },
      orderBy: { id: 'asc' },
    });
    const older = ewons.filter(
      ({ firmwareVersion }) =>
        firmwareVersion !== null &&
        FIRMWARE_VERSION.test(firmwareVersion) &&
        compareFirmware(firmwareVersion, campaign.firmwareVersion) < 0,
    );
    const rows = older.map(({ account: { remoteManagement }, ...ewon }) => {
      const reason = remoteManagement ? (isOnline(ewon) ? null : 'it is offline') : 'remote management is off';
      return { ewon, reason };
    });
    await tx.ewonPatch.createMany({
      data: rows.map(({ ewon, reason }) => ({
        ...{ campaignId: campaign.id, ewonId: ewon.id, accountId, fromVersion: ewon.firmwareVersion, reason, at: now },
        state: reason === null ? 'REQUESTED' : 'SKIPPED',
      })),
    });
    for (const { ewon, reason } of rows) {
      const { id, number, name } = ewon;
      if (reason !== null)
        log({
          ...{ code: 'EWON_PATCH_SKIPPED', ewon: { id, number, name }, trigger: 'PLATFORM' },
          params: { to: campaign.firmwareVersion, reason },
        });
    }
    const asked = rows.filter(({ reason }) => reason === null).length;
    // Every gateway looks which of these Ewons it holds.
    if (asked > 0) afterCommit(() => ctx.bell.ring('patches'));
    return asked;
  });
}

/** Gives up the Ewons that were asked too long ago. */
async function failSilent(ctx: Platform, campaign: PatchCampaign, now: Date): Promise<void> {
  const silent = { campaignId: campaign.id, state: 'REQUESTED', at: { lte: givenUpBefore(ctx, now) } } as const;
  const patches = await ctx.db.ewonPatch.findMany({
    where: silent,
    select: { ewonId: true, ewon: { select: { accountId: true } } },
  });
  const found = patches.map(({ ewonId, ewon }) => ({ id: ewonId, accountId: ewon.accountId }));
  for (const [accountId, ids] of byAccount(found))
    await inAccount(ctx, accountId, (account: AccountTx) =>
      failPatches(
        account,
        { ...silent, ewonId: { in: ids } },
        `it did not come back with it within ${ctx.config.limits.PATCH_SECONDS} s`,
      ),
    );
}

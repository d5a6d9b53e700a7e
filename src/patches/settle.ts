import { compareFirmware } from '../ewons/rules.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';

const FOUND = {
  campaignId: true,
  ewonId: true,
  fromVersion: true,
  campaign: { select: { firmwareVersion: true, reason: true } },
  ewon: { select: { id: true, number: true, name: true, account: { select: { remoteManagement: true } } } },
} satisfies Prisma.EwonPatchSelect;

/**
 * Notes which Ewons that a campaign asked have told of its firmware, or a newer one: they are updated (PRV-08). What a device
 * says of itself is the only proof.
 */
export async function settlePatches(
  { tx, now, accountId, log }: Pick<AccountTx, 'tx' | 'now' | 'accountId' | 'log'>,
  told: readonly { ewonId: string; facts: { firmwareVersion?: string | undefined } }[],
): Promise<void> {
  const versions = new Map(
    told.flatMap(({ ewonId, facts }) => (facts.firmwareVersion === undefined ? [] : [[ewonId, facts.firmwareVersion]])),
  );
  if (versions.size === 0) return;
  const patches = await tx.ewonPatch.findMany({
    where: { ewonId: { in: [...versions.keys()] }, state: 'REQUESTED', accountId },
    select: FOUND,
  });
  for (const { campaignId, ewonId, fromVersion, campaign, ewon } of patches) {
    const version = versions.get(ewonId) ?? '';
    if (compareFirmware(version, campaign.firmwareVersion) < 0) continue;
    await tx.ewonPatch.update({
      where: { campaignId_ewonId: { campaignId, ewonId } },
      data: { state: 'UPDATED', at: now },
    });
    const { id, number, name } = ewon;
    log({
      ...{ code: 'EWON_PATCHED', ewon: { id, number, name }, trigger: 'PLATFORM' },
      params: { from: fromVersion, to: version, reason: campaign.reason },
    });
  }
}

/**
 * Ends what these Ewons of the account were asked for without an update: one that has another account meanwhile (IMP-10) is none
 * of them. One whose account has switched remote management off meanwhile was
 * left alone, and is skipped (PRV-07).
 */
export async function failPatches(
  { tx, now, accountId, log }: Pick<AccountTx, 'tx' | 'now' | 'accountId' | 'log'>,
  where: Prisma.EwonPatchWhereInput,
  why: string,
): Promise<void> {
  const patches = await tx.ewonPatch.findMany({
    where: { AND: [where, { state: 'REQUESTED', accountId }] },
    select: FOUND,
  });
  for (const { campaignId, ewonId, campaign, ewon } of patches) {
    const { id, number, name, account } = ewon;
    const [state, code, reason] = account.remoteManagement
      ? (['FAILED', 'EWON_PATCH_FAILED', why] as const)
      : (['SKIPPED', 'EWON_PATCH_SKIPPED', 'remote management is off'] as const);
    await tx.ewonPatch.update({
      where: { campaignId_ewonId: { campaignId, ewonId } },
      data: { state, reason, at: now },
    });
    log({
      ...{ code, ewon: { id, number, name }, trigger: 'PLATFORM' },
      params: { to: campaign.firmwareVersion, reason },
    });
  }
}

import type { Platform } from '../context.ts';
import { inAccount } from '../log/write.ts';
import { failPatches } from './settle.ts';

/** What a campaign wants of an Ewon: wanted state, which its gateway reads. */
export interface PatchRequest {
  campaignId: string;
  ewonId: string;
  /** The tunnel that it has by what is on record. */
  tunnelId: string | null;
  firmwareVersion: string;
}

/** The Ewons of a gateway instance that a campaign wants to update, of accounts that allow it (PRV-07). */
export async function readPatchRequests({ db }: Platform, gatewayId: string): Promise<PatchRequest[]> {
  const campaigns = await db.patchCampaign.findMany({
    where: { finishedAt: null },
    select: { id: true, firmwareVersion: true },
  });
  if (campaigns.length === 0) return [];
  const patches = await db.ewonPatch.findMany({
    where: {
      ...{ campaignId: { in: campaigns.map(({ id }) => id) }, state: 'REQUESTED' },
      ewon: { gatewayId, account: { remoteManagement: true } },
    },
    select: { campaignId: true, ewonId: true, ewon: { select: { tunnelId: true } } },
  });
  const versions = new Map(campaigns.map(({ id, firmwareVersion }) => [id, firmwareVersion]));
  return patches.map(({ campaignId, ewonId, ewon }) => ({
    ...{ campaignId, ewonId, tunnelId: ewon.tunnelId },
    firmwareVersion: versions.get(campaignId) ?? '',
  }));
}

/** A device said that it does not update (PRV-08). What it was not asked for, or was given up meanwhile, counts for nothing; nor does it when the Ewon has left the account. */
export function refusePatch(
  ctx: Platform,
  ewon: { ewonId: string; accountId: string },
  campaignId: string,
  message: string,
): Promise<void> {
  const { ewonId, accountId } = ewon;
  return inAccount(ctx, accountId, (account) =>
    failPatches(account, { campaignId, ewonId }, `the device refused it${message === '' ? '' : `: ${message}`}`),
  );
}

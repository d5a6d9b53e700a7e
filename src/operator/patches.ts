import { z } from 'zod';
import { FIRMWARE_VERSION } from '../ewons/rules.ts';
import type { PatchState } from '../generated/prisma/enums.ts';
import { startPatchCampaign } from '../patches/campaigns.ts';
import { builder } from './builder.ts';

const PatchCampaignType = builder.prismaObject('PatchCampaign', {
  description: 'A firmware with a security fix that the platform installs on Ewons by itself (PRV-06, PRV-08).',
  fields: (t) => {
    const count = (state: PatchState, description: string) =>
      t.relationCount('patches', { where: { state }, description });
    return {
      key: t.exposeString('key', { description: 'Of the operator’s choice; one campaign a key.' }),
      firmwareVersion: t.exposeString('firmwareVersion', { description: 'What the Ewons are raised to.' }),
      reason: t.exposeString('reason', { description: 'What it mends.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began.' }),
      finishedAt: t.expose('finishedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When every Ewon had its result; null while it is under way.',
      }),
      requested: count('REQUESTED', 'Ewons that were asked and have neither come back nor been given up.'),
      updated: count('UPDATED', 'Ewons that told of the firmware, or a newer one.'),
      skipped: count('SKIPPED', 'Ewons that were offline, or of accounts without remote management (PRV-07).'),
      failed: count('FAILED', 'Ewons that refused, or did not come back with it in time.'),
    };
  },
});

builder.queryField('patchCampaigns', (t) =>
  t.prismaConnection(
    {
      type: PatchCampaignType,
      cursor: 'id',
      description: 'The patch campaigns, newest first (PRV-08).',
      totalCount: (_root, _args, { db }) => db.patchCampaign.count(),
      resolve: (query, _root, _args, { db }) =>
        db.patchCampaign.findMany({ ...query, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] }),
    },
    { name: 'PatchCampaignConnection', description: 'A page of a list, as Relay defines it.' },
    { name: 'PatchCampaignEdge', description: 'An object of a page with its place.' },
  ),
);

const line = (what: string, most: number) =>
  z
    .string()
    .trim()
    .min(1, `${what} has 1 to ${most} characters.`)
    .max(most, `${what} has 1 to ${most} characters.`)
    .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, `${what} is one line.`);

const StartPatchCampaignInput = builder.inputType('StartPatchCampaignInput', {
  description: 'A new campaign.',
  fields: (t) => ({
    key: t.string({
      required: true,
      validate: line('A key', 64),
      description: '1–64 characters of your choice; given again, it is the same campaign.',
    }),
    firmwareVersion: t.string({
      required: true,
      validate: z.string().regex(FIRMWARE_VERSION, 'A firmware version looks like 22.2s1.'),
      description: 'Ewons with an older one are raised to it (EWN-18).',
    }),
    reason: t.string({
      required: true,
      validate: line('A reason', 200),
      description: 'What it mends, for the logs of the accounts; 1–200 characters.',
    }),
  }),
});

const StartPatchCampaignSuccess = builder.objectRef<{ campaignId: string }>('StartPatchCampaignSuccess').implement({
  description: 'The campaign is under way; `patchCampaigns` tells how far it is.',
  fields: (t) => ({
    campaign: t.prismaField({
      type: PatchCampaignType,
      description: 'The campaign as it is now.',
      resolve: (query, { campaignId }, _args, { db }) =>
        db.patchCampaign.findUniqueOrThrow({ ...query, where: { id: campaignId } }),
    }),
  }),
});

builder.mutationField('startPatchCampaign', (t) =>
  t.field({
    type: StartPatchCampaignSuccess,
    errors: {},
    description:
      'Has all online Ewons with an older firmware update to it, of accounts that let the platform manage them (PRV-06 to PRV-08). An update restarts the device and ends its sessions. Errors: IDEMPOTENCY_KEY_REUSED, VALIDATION_FAILED.',
    args: { input: t.arg({ type: StartPatchCampaignInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({
      campaignId: await startPatchCampaign(ctx, {
        ...input,
        key: input.key.trim(),
        reason: input.reason.trim(),
      }),
    }),
  }),
);

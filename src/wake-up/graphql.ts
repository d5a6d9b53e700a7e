import { TooManyRequestsError } from '../errors.ts';
import { EwonType } from '../ewons/graphql.ts';
import { ewonActions } from '../ewons/rules.ts';
import { builder } from '../graphql/builder.ts';
import { keyOf } from '../graphql/global-id.ts';
import { sendEwonOffline, wakeUpEwon } from './service.ts';

builder.prismaObjectFields('Ewon', (t) => ({
  wakeUpNumber: t.field({
    type: 'PhoneNumber',
    nullable: true,
    description: 'The number of its SIM card, to wake it by (WAK-03); null for whoever may not modify it.',
    select: { wakeUpNumber: true, registrationStatus: true, pools: { select: { poolId: true } } },
    resolve: ({ wakeUpNumber, registrationStatus, pools }, _args, { actor }) => {
      const poolIds = pools.map(({ poolId }) => poolId);
      return actor && ewonActions(actor, { registrationStatus, poolIds }).includes('MODIFY') ? wakeUpNumber : null;
    },
  }),
  wakingUntil: t.field({
    type: 'DateTime',
    nullable: true,
    description: 'While its status is WAKING_UP: until when it is given time to connect (WAK-06); else null.',
    select: { wakingUntil: true, gatewayId: true },
    resolve: ({ wakingUntil, gatewayId }, _args, { clock }) =>
      gatewayId === null && wakingUntil && wakingUntil > clock.now() ? wakingUntil : null,
  }),
}));

const WakeUpEwonInput = builder.inputType('WakeUpEwonInput', {
  description: 'The Ewon to wake.',
  fields: (t) => ({ ewonId: t.id({ required: true, description: 'One that connects on demand.' }) }),
});
const SendEwonOfflineInput = builder.inputType('SendEwonOfflineInput', {
  description: 'The Ewon to send offline.',
  fields: (t) => ({ ewonId: t.id({ required: true, description: 'One that connects on demand.' }) }),
});

/** With the Ewon as it is afterwards. */
const ewonSuccess = (name: string, text: string) =>
  builder.objectRef<{ ewonId: string }>(name).implement({
    description: text,
    fields: (t) => ({
      ewon: t.prismaField({
        type: EwonType,
        description: 'The Ewon as it is now.',
        resolve: (query, { ewonId }, _args, { db }) => db.ewon.findUniqueOrThrow({ ...query, where: { id: ewonId } }),
      }),
    }),
  });
const WakeUpEwonSuccess = ewonSuccess(
  'WakeUpEwonSuccess',
  'A wake-up is on its way; `connectionEvents` tells when the Ewon is online. It may have been online already.',
);
const SendEwonOfflineSuccess = ewonSuccess(
  'SendEwonOfflineSuccess',
  'The gateway closes its tunnel within moments; `connectionEvents` tells when. It may have been offline already.',
);

builder.mutationFields((t) => ({
  wakeUpEwon: t.withAuth({ loggedIn: true }).field({
    type: WakeUpEwonSuccess,
    errors: { types: [TooManyRequestsError] },
    description:
      'Wakes an Ewon that connects on demand by a text message, which counts against the allowance of the month or the credit (WAK-02, WAK-07). Needs the right to connect to it or to modify it (WAK-05). At most once a minute for an Ewon (WAK-08). One that is online stays so, at no cost. Errors: NOT_FOUND, FORBIDDEN, EWON_NOT_APPROVED, WAKE_UP_NOT_CONFIGURED, REMOTE_ACCESS_DISABLED, INSUFFICIENT_CREDIT, TOO_MANY_REQUESTS.',
    args: { input: t.arg({ type: WakeUpEwonInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const ewonId = keyOf('Ewon', input.ewonId);
      await wakeUpEwon(ctx, ewonId);
      return { ewonId };
    },
  }),
  sendEwonOffline: t.withAuth({ loggedIn: true }).field({
    type: SendEwonOfflineSuccess,
    errors: {},
    description:
      'Tells an Ewon that connects on demand to go offline until it is woken (WAK-04); its sessions are closed. Needs the right to connect to it or to modify it (WAK-05). Errors: NOT_FOUND, FORBIDDEN, EWON_NOT_APPROVED, WAKE_UP_NOT_CONFIGURED.',
    args: { input: t.arg({ type: SendEwonOfflineInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      const ewonId = keyOf('Ewon', input.ewonId);
      await sendEwonOffline(ctx, ewonId);
      return { ewonId };
    },
  }),
}));

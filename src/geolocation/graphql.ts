import { accountSuccess } from '../account/success.ts';
import { builder } from '../graphql/builder.ts';
import { POSITION_SELECT, shownPosition } from './positions.ts';
import { setPrivacy } from './privacy.ts';
import type { Position } from './resolver.ts';

const PositionType = builder.objectRef<Position>('Position').implement({
  description: 'Where an Ewon is, to the precision of a city (PRV-09).',
  fields: (t) => ({
    latitude: t.exposeFloat('latitude', { description: 'Degrees, north positive.' }),
    longitude: t.exposeFloat('longitude', { description: 'Degrees, east positive.' }),
  }),
});

builder.prismaObjectFields('Ewon', (t) => ({
  position: t.field({
    type: PositionType,
    nullable: true,
    description:
      'Derived from its WAN address (EWN-23). Null while unknown, and when its account or its device does not let it be located (PRV-05).',
    select: POSITION_SELECT,
    resolve: (ewon) => shownPosition(ewon),
  }),
}));

builder.prismaObjectFields('Account', (t) => ({
  geolocationEnabled: t.boolean({
    nullable: true,
    description:
      'Whether its Ewons may be located; true at first (PRV-02, PRV-03). Null for all but Administrators (PRV-09).',
    select: { geolocationEnabled: true },
    resolve: ({ geolocationEnabled }, _args, { actor }) => (actor?.administrator ? geolocationEnabled : null),
  }),
  remoteManagement: t.boolean({
    nullable: true,
    description:
      'Whether the platform may update its Ewons to a firmware with a security fix; true at first (PRV-06, PRV-07). Null for all but Administrators.',
    select: { remoteManagement: true },
    resolve: ({ remoteManagement }, _args, { actor }) => (actor?.administrator ? remoteManagement : null),
  }),
}));

const SetPrivacyInput = builder.inputType('SetPrivacyInput', {
  description: 'What the account lets the platform do with its Ewons. Absent or null keeps.',
  fields: (t) => ({
    geolocationEnabled: t.boolean({
      description:
        'Off deletes every stored position at once; on derives them anew from the last WAN addresses (PRV-03, PRV-05).',
    }),
    remoteManagement: t.boolean({
      description: 'Off: campaigns of the platform leave the firmware of its Ewons alone (PRV-07).',
    }),
  }),
});

const SetPrivacySuccess = accountSuccess('SetPrivacySuccess', 'The settings are in force.');

builder.mutationField('setPrivacy', (t) =>
  t.withAuth({ loggedIn: true }).field({
    type: SetPrivacySuccess,
    errors: {},
    description:
      'Changes the privacy settings of the account (PRV-03, PRV-07). Administrators only. Errors: FORBIDDEN.',
    args: { input: t.arg({ type: SetPrivacyInput, required: true }) },
    resolve: async (_root, { input }, ctx) => {
      await setPrivacy(ctx, {
        geolocationEnabled: input.geolocationEnabled ?? undefined,
        remoteManagement: input.remoteManagement ?? undefined,
      });
      return {};
    },
  }),
);

import { builder } from '../graphql/builder.ts';
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
      'Derived from its WAN address (EWN-23). Null while unknown, and when its device does not let it be located (PRV-05).',
    select: { geolocationEnabled: true, latitude: true, longitude: true },
    resolve: ({ geolocationEnabled, latitude, longitude }) =>
      geolocationEnabled && latitude !== null && longitude !== null ? { latitude, longitude } : null,
  }),
}));

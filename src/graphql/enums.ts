import type { ClientKind, FirewallLevel, SecondFactorMethod } from '../generated/prisma/enums.ts';
import { builder } from './builder.ts';

/** Shared by logins, sessions and Ewons; it belongs to none of them more than to the others. */
export const ClientKindEnum = builder.enumType('ClientKind', {
  description: 'What a user logs in and connects with (AUTH-02).',
  values: {
    ECATCHER: {
      description: 'The desktop VPN client: the only kind that takes one of the concurrent connections (CON-06).',
    },
    ECATCHER_MOBILE: { description: 'The VPN client on a phone or tablet: takes none.' },
    M2WEB: { description: 'The browser portal: takes none.' },
  } satisfies Record<ClientKind, object>,
});

/** Of every list that can be ordered (LST-04). */
export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which way round.',
  values: {
    ASC: { value: 'asc', description: 'Smallest or earliest first.' },
    DESC: { value: 'desc', description: 'Largest or latest first.' },
  } as const,
});

/** Shared by logins and the second factor. */
export const SecondFactorMethodEnum = builder.enumType('SecondFactorMethod', {
  description: 'How the second factor is proved (TFA-38).',
  values: {
    SMS: { description: 'A code of 4 digits by text message (TFA-03).' },
    EMAIL: { description: 'A code of 6 digits by e-mail (TFA-39).' },
    APP: { description: 'A code of an authenticator app, RFC 6238 (TFA-40).' },
  } satisfies Record<SecondFactorMethod, object>,
});

/** Shared by Ewons, whose lists are filtered by it, and the LAN. */
export const FirewallLevelEnum = builder.enumType('FirewallLevel', {
  description:
    'What a connected user reaches behind an Ewon, from open to strict (LAN-06). Whatever the level, nothing outside its LAN.',
  values: {
    STANDARD: { description: 'Every address and port of its LAN, and all its own services (LAN-07).' },
    HIGH: { description: 'Declared LAN devices on any port, and all its own services (LAN-08).' },
    ENFORCED: {
      description:
        'Declared LAN devices on their declared ports, and all its own services (LAN-09). Not on plan FREE (LAN-12).',
    },
    ULTRA: {
      description: 'As ENFORCED, and of its own services the declared ones only (LAN-10). Not on plan FREE (LAN-12).',
    },
  } satisfies Record<FirewallLevel, object>,
});

import type { ClientKind, SecondFactorMethod } from '../generated/prisma/enums.ts';
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

import type { ClientKind } from '../generated/prisma/enums.ts';
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

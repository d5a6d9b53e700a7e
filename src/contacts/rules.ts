import type { Prisma } from '../generated/prisma/client.ts';
import { NO_ID } from '../graphql/global-id.ts';
import type { Actor } from '../users/actor.ts';

/** CTC-04: Administrators only. */
export const contactsVisibleTo = ({ accountId, administrator }: Actor): Prisma.ContactWhereInput => ({
  accountId: administrator ? accountId : NO_ID,
});

/**
 * The addresses of contacts, each once without regard to case (CTC-05); as first written. The part before the `@` may know case
 * by its standard; no mail server in use tells two people apart by it.
 */
export function distinctAddresses(contacts: readonly { email: string }[]): string[] {
  const byKey = new Map<string, string>();
  for (const { email } of contacts) {
    const key = email.toLowerCase();
    if (!byKey.has(key)) byKey.set(key, email);
  }
  return [...byKey.values()];
}

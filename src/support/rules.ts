import type { Prisma, SupportAccess, User } from '../generated/prisma/client.ts';
import { NO_ID } from '../graphql/global-id.ts';
import type { Actor } from '../users/actor.ts';
import { disabledReason } from '../users/rules.ts';

/** SUP-01: support accesses are for Administrators; for everybody else there are none. */
export const supportAccessesVisibleTo = (actor: Actor): Prisma.SupportAccessWhereInput =>
  actor.administrator ? { accountId: actor.accountId } : { id: NO_ID };

/** SUP-14: a one-time secret exists for its recipient only. */
export const secretsVisibleTo = ({ accountId, userId }: Actor): Prisma.OneTimeSecretWhereInput => ({
  accountId,
  recipientId: userId,
});

/** SUP-04: exactly one of the domains, without regard to case; sub-domains and what only looks alike are refused. */
export function isSupportAddress(email: string, domains: readonly string[]): boolean {
  // Some letters of other scripts become ASCII ones in lower case.
  const domain = /^[\x21-\x7e]+@([\x21-\x7e]+)$/.exec(email)?.[1];
  return domain !== undefined && domains.includes(domain.toLowerCase());
}

/** How a support access stands. */
export type SupportAccessStatus = 'ACTIVE' | 'ENDED' | 'REVOKED';
export function supportAccessStatus(
  access: Pick<SupportAccess, 'revokedAt'> & { user: Pick<User, 'disabledAt' | 'expiresAt'> | null },
  now: Date,
): SupportAccessStatus {
  if (access.revokedAt) return 'REVOKED';
  return access.user && disabledReason(access.user, now) === null ? 'ACTIVE' : 'ENDED';
}

/** {@link supportAccessStatus} as a condition. */
export function whereSupportAccessStatus(status: SupportAccessStatus, now: Date): Prisma.SupportAccessWhereInput {
  if (status === 'REVOKED') return { revokedAt: { not: null } };
  const usable: Prisma.UserWhereInput = {
    disabledAt: null,
    OR: [{ expiresAt: null }, { expiresAt: { gt: now } }],
  };
  return { revokedAt: null, user: status === 'ACTIVE' ? { is: usable } : { isNot: usable } };
}

/** What there is to do with a support access; whoever sees it may do so. */
export const SUPPORT_ACCESS_ACTIONS = ['REVOKE', 'CONFIRM_DEVICE_PASSWORDS_CHANGED'] as const;
export type SupportAccessAction = (typeof SUPPORT_ACCESS_ACTIONS)[number];
export const supportAccessActions = (
  actor: Actor,
  access: Pick<SupportAccess, 'revokedAt' | 'passwordsChangedAt'>,
): SupportAccessAction[] =>
  SUPPORT_ACCESS_ACTIONS.filter(
    (action) =>
      actor.administrator &&
      { REVOKE: access.revokedAt === null, CONFIRM_DEVICE_PASSWORDS_CHANGED: access.passwordsChangedAt === null }[
        action
      ],
  );

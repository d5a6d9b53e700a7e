import { PLANS } from '../account/plans.ts';
import { AppError } from '../errors.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Plan } from '../generated/prisma/enums.ts';
import type { AccountTx } from '../log/write.ts';

/** Users with administrator rights, enabled or not: by group where the plan has groups, else by role (ACC-06, GRP-02). */
export const administrators = (accountId: string, plan: Plan): Prisma.UserWhereInput => ({
  accountId,
  ...(PLANS[plan].groups
    ? { memberships: { some: { group: { administrators: true } } } }
    : { role: 'ADMINISTRATOR' as const }),
});

/** Users who could log in at `now` (USR-24). */
export const enabledAt = (now: Date): Prisma.UserWhereInput => ({
  disabledAt: null,
  passwordHash: { not: null },
  OR: [{ expiresAt: null }, { expiresAt: { gt: now } }],
});

/**
 * ACC-23, asked at the end of a transaction that took administrator rights, or the access of an Administrator, away. One whose
 * access will expire does not count: nothing could be asked when it does.
 * @throws AppError LAST_ADMINISTRATOR
 */
export async function requireAnAdministrator({ tx, now, accountId }: AccountTx): Promise<void> {
  const { plan } = await tx.account.findUniqueOrThrow({ where: { id: accountId }, select: { plan: true } });
  const left = await tx.user.count({
    where: { AND: [administrators(accountId, plan), enabledAt(now), { expiresAt: null }] },
  });
  if (left === 0)
    throw new AppError('LAST_ADMINISTRATOR', 'The account would be left without an enabled Administrator.');
}

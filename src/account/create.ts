import { monthIn, scheduleMonthEnd } from '../billing/months.ts';
import { addSeconds } from '../clock.ts';
import type { Caller, Platform } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError } from '../errors.ts';
import { REGISTRATION_KEY_PREFIX } from '../ewons/registration.ts';
import { nameKey } from '../ewons/rules.ts';
import type { Plan } from '../generated/prisma/client.ts';
import { writeEntries } from '../log/write.ts';
import { queueMessage } from '../messages/queue.ts';
import { brokenConstraints, defaultPasswordPolicy, PasswordPolicyError } from '../passwords/policy.ts';
import { createKey } from '../secrets.ts';
import { newSlots } from '../sessions/slots.ts';
import { writeInvitation } from '../users/invitations.ts';
import { displayName, userSubject } from '../users/rules.ts';
import { baseSlots } from './plans.ts';

/** The time zone of an account until it sets another. */
const NEW_TIME_ZONE = 'UTC';

/** How long the confirmation mail is worth sending. */
const CONFIRMATION_SECONDS = 7 * 86_400;

export interface NewAccount {
  name: string;
  company: string;
  /** Without a password he gets an invitation to choose one (INV-01). */
  administrator: { username: string; fullName: string | null; email: string; password: string | null };
}

export interface CreatedAccount {
  accountId: string;
  userId: string;
  /** By which the Administrator chooses his password; null when he has one. */
  invitation: { link: string; expiresAt: Date } | null;
}

/**
 * Creates an account on plan FREE with its first Administrator, the default pool, the Administrators group and a GRK
 * (ACC-12, PWD-21, POOL-07, GRP-02, GRK-09), and confirms it by mail. Anyone may; how often is limited by address.
 * @param caller null for the operator, who is not limited
 * @throws AppError ACCOUNT_NAME_TAKEN, PASSWORD_POLICY_VIOLATION, TOO_MANY_REQUESTS
 */
export async function createAccount(
  ctx: Platform,
  account: NewAccount,
  caller: Pick<Caller, 'remoteAddress'> | null,
  plan: Plan = 'FREE',
): Promise<CreatedAccount> {
  const policy = defaultPasswordPolicy(ctx.config.limits.PASSWORD_MIN_LENGTH);
  const { password } = account.administrator;
  const violations = password === null ? [] : brokenConstraints(password, policy);
  if (violations.length > 0) throw new PasswordPolicyError(violations);
  if (caller) await ctx.rateLimits.accounts.take(caller.remoteAddress);
  const passwordHash = password === null ? null : await ctx.passwords.hash(password);
  const now = ctx.clock.now();
  const key = newRegistrationKey(ctx);
  const slots = baseSlots(plan, ctx.config);
  const { username, fullName, email } = account.administrator;
  const after: (() => void)[] = [];
  const created = ctx.db.$transaction(async (tx) => {
    const created = await tx.account.create({
      data: {
        name: account.name,
        nameKey: nameKey(account.name),
        company: account.company,
        plan,
        createdAt: now,
        concurrentConnections: slots,
        slotsChangedAt: now,
        slots: { create: newSlots(slots) },
        ...key,
        ...policy,
        registrationKeyRenewedAt: now,
        openMonth: monthIn(NEW_TIME_ZONE, now),
        contacts: { create: { name: fullName ?? username, email, createdAt: now } },
        pools: { create: { name: 'Default', nameKey: 'default', isDefault: true, createdAt: now } },
        groups: { create: { name: 'Administrators', nameKey: 'administrators', administrators: true, createdAt: now } },
        users: {
          create: {
            username,
            usernameKey: nameKey(username),
            fullName,
            email,
            ...(passwordHash !== null && {
              passwordHash,
              passwordChangedAt: now,
              passwordHistory: { create: { hash: passwordHash, setAt: now } },
            }),
            role: 'ADMINISTRATOR',
            createdAt: now,
          },
        },
      },
      include: { users: true, groups: true },
    });
    const { id, users, groups } = created;
    const [user] = users;
    const [group] = groups;
    if (!user || !group) throw new Error('The account was created without its Administrator.');
    await tx.groupMember.create({ data: { groupId: group.id, userId: user.id } });
    const work = { tx, now, accountId: id, afterCommit: (ring: () => void) => void after.push(ring) };
    await scheduleMonthEnd(work, created);
    const recipient = { channel: 'MAIL', template: 'ACCOUNT_CREATED', recipient: email, userId: user.id } as const;
    await queueMessage(ctx, work, {
      ...recipient,
      params: { accountName: account.name, name: displayName(user), company: account.company },
      expiresAt: addSeconds(now, CONFIRMATION_SECONDS),
    });
    const invitation =
      passwordHash === null ? await writeInvitation(ctx, work, user, account.name, account.company) : null;
    const trigger = caller ? 'USER' : 'PLATFORM';
    await writeEntries(tx, id, now, [{ code: 'ACCOUNT_CREATED', user: userSubject(user), trigger }]);
    return { accountId: id, userId: user.id, invitation };
  });
  const ids = await created.catch((error: unknown) => {
    if (isUniqueViolation(error)) throw new AppError('ACCOUNT_NAME_TAKEN', 'Another account has this name.', ['name']);
    throw error;
  });
  for (const ring of after) ring();
  return ids;
}

/** GRK-09: 32 characters behind the prefix; encrypted for its readers, hashed for look-up. */
export function newRegistrationKey(ctx: Platform): { registrationKeyEncrypted: string; registrationKeyHash: string } {
  const key = `${REGISTRATION_KEY_PREFIX}${createKey(32 - REGISTRATION_KEY_PREFIX.length)}`;
  return {
    registrationKeyEncrypted: ctx.secrets.encrypt(key),
    registrationKeyHash: ctx.secrets.hash('registration key', key),
  };
}

import type { ActorContext } from '../context.ts';
import { inAccountAs } from '../users/acting.ts';
import { actorSubject, requireAdministrator } from '../users/rules.ts';
import { PASSWORD_POLICY_SELECT, type PasswordPolicy } from './policy.ts';

/** What can be set of a policy; absent keeps. */
export type PolicyChange = { [K in Setting]?: PasswordPolicy[K] | undefined };
type Setting = Exclude<keyof PasswordPolicy, 'passwordExpiryChangedAt'>;

/** How a change is told in the log. */
const SETTINGS: Record<Setting, string> = {
  passwordMinLength: 'minimum length',
  passwordNeedsLetter: 'letter',
  passwordNeedsDigit: 'digit',
  passwordNeedsSpecial: 'special character',
  passwordNeedsDigitOrSpecial: 'digit or special character',
  passwordExpiryDays: 'expiration in days',
  passwordHistory: 'history',
};

/**
 * Changes the password policy of the account (PWD-02). Passwords that are in force stay so (PWD-13): where expiration is switched
 * on or shortened, their age counts from now (PWD-15). What is set already changes and logs nothing.
 * @throws AppError FORBIDDEN, LOGIN_EXPIRED
 */
export function changePasswordPolicy(ctx: ActorContext, change: PolicyChange): Promise<void> {
  return inAccountAs(ctx, async ({ tx, now, accountId, log }, actor) => {
    requireAdministrator(actor);
    const before = await tx.account.findUniqueOrThrow({ where: { id: accountId }, select: PASSWORD_POLICY_SELECT });
    const changed = (Object.keys(SETTINGS) as Setting[]).filter(
      (setting) => change[setting] !== undefined && change[setting] !== before[setting],
    );
    if (changed.length === 0) return;
    const days = change.passwordExpiryDays;
    const sooner = days != null && (before.passwordExpiryDays === null || days < before.passwordExpiryDays);
    await tx.account.update({
      where: { id: accountId },
      data: {
        ...Object.fromEntries(changed.map((setting) => [setting, change[setting]])),
        ...(sooner && { passwordExpiryChangedAt: now }),
      },
    });
    const summary = changed.map(
      (setting) => `${SETTINGS[setting]} from ${inWords(before[setting])} to ${inWords(change[setting])}`,
    );
    log({ code: 'PASSWORD_POLICY_CHANGED', user: actorSubject(actor), params: { summary: summary.join(', ') } });
  });
}

const inWords = (value: number | boolean | null | undefined): string =>
  typeof value === 'boolean' ? (value ? 'required' : 'not required') : (value?.toString() ?? 'none');

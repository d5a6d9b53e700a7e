import type { Account, LoginStage, User } from '../generated/prisma/client.ts';
import { passwordExpiresAt } from '../passwords/policy.ts';
import { asksForCode, mustEnrol } from '../second-factor/rules.ts';

/** What decides over the next stage of a login whose password was right. */
export interface StageFacts {
  user: User;
  account: Account;
  /** The user has administrator rights. */
  administrator: boolean;
  /** The second factor was given in this login: by code, backup code, remembered PC, or by setting it up. */
  secondFactorGiven: boolean;
  now: Date;
}

/** Why a new password is asked for (AUTH-16, AUTH-17); null when it is not. */
export function passwordChangeReason({ user, account, now }: StageFacts): 'FORCED' | 'EXPIRED' | null {
  if (user.mustChangePassword) return 'FORCED';
  const expiresAt = passwordExpiresAt(user.passwordChangedAt, account);
  return expiresAt !== null && expiresAt <= now ? 'EXPIRED' : null;
}

/**
 * The whole login (AUTH-15). Right credentials make a login that is not open yet; it is always at the first stage of this table
 * whose condition holds, and may do what stands there and nothing else. Whatever it does there makes the condition false, and
 * `submitLoginCode` or `continueLogin` moves it on. Second factor first, password change last.
 *
 * | stage           | while                                                     | may                                                 | moved on by       |
 * | --------------- | --------------------------------------------------------- | --------------------------------------------------- | ----------------- |
 * | CODE            | a second factor is active and was not given in this login | submitLoginCode, resendLoginCode, logout            | submitLoginCode   |
 * | ENROLMENT       | one is asked for and not active (TFA-13, TFA-41, TFA-45)  | start- and confirmSecondFactorEnrolment, logout     | continueLogin     |
 * | PASSWORD_CHANGE | the password is to be changed, or has expired             | changePassword, logout                              | continueLogin     |
 * | OPEN            | otherwise                                                 | all that the rights allow                           | –                 |
 *
 * A block after wrong codes (TFA-07) refuses the login before its first stage.
 */
const STAGES: readonly [LoginStage, (facts: StageFacts) => boolean][] = [
  ['CODE', ({ user, secondFactorGiven }) => asksForCode(user) && !secondFactorGiven],
  ['ENROLMENT', ({ user, administrator, account }) => mustEnrol(user, administrator, account)],
  ['PASSWORD_CHANGE', (facts) => passwordChangeReason(facts) !== null],
  ['OPEN', () => true],
];

export const stageOf = (facts: StageFacts): LoginStage => STAGES.find(([, holds]) => holds(facts))?.[0] ?? 'CODE';

import type { Platform } from '../context.ts';
import type { AccountTx } from '../log/write.ts';
import { userSubject } from '../users/rules.ts';

/** AUTH-07, AUTH-08: the lock of a login has run out; failures are counted anew. */
export async function endLock(_ctx: Platform, { tx, log }: AccountTx, userId: string): Promise<void> {
  const user = await tx.user.update({ where: { id: userId }, data: { failedLogins: 0, lockedUntil: null } });
  log({ code: 'LOGIN_UNLOCKED', user: userSubject(user), trigger: 'PLATFORM', params: { reason: 'the time is over' } });
}

/** TFA-07: the block after wrong codes has run out; attempts are counted anew. */
export async function endBlock(_ctx: Platform, { tx, log }: AccountTx, userId: string): Promise<void> {
  const user = await tx.user.update({
    where: { id: userId },
    data: { secondFactorFailures: 0, secondFactorBlockedUntil: null },
  });
  log({
    code: 'SECOND_FACTOR_UNBLOCKED',
    user: userSubject(user),
    trigger: 'PLATFORM',
    params: { reason: 'the time is over' },
  });
}

import type { Platform } from '../context.ts';
import type { AccountTx } from '../log/write.ts';
import { userSubject } from '../users/rules.ts';

/*
 * The counter of failures begins anew when a lock or block begins, and stands still while it lasts. So its end must not touch it:
 * by then there may be failures that count for the next one.
 */

/** AUTH-07, AUTH-08: the lock of a login has run out. */
export async function endLock(_ctx: Platform, { tx, now, log }: AccountTx, userId: string): Promise<void> {
  const [user] = await tx.user.updateManyAndReturn({
    where: { id: userId, lockedUntil: { lte: now } },
    data: { lockedUntil: null },
  });
  if (!user) return;
  log({ code: 'LOGIN_UNLOCKED', user: userSubject(user), trigger: 'PLATFORM', params: { reason: 'the time is over' } });
}

/** TFA-07: the block after wrong codes has run out. */
export async function endBlock(_ctx: Platform, { tx, now, log }: AccountTx, userId: string): Promise<void> {
  const [user] = await tx.user.updateManyAndReturn({
    where: { id: userId, secondFactorBlockedUntil: { lte: now } },
    data: { secondFactorBlockedUntil: null },
  });
  if (!user) return;
  log({
    code: 'SECOND_FACTOR_UNBLOCKED',
    user: userSubject(user),
    trigger: 'PLATFORM',
    params: { reason: 'the time is over' },
  });
}

import type { AccountTx } from './log/write.ts';

/** What can fall due at a known time; what is done then stands in jobs.ts. */
const DUE_KINDS = [
  /** The lock of a user's login ends (AUTH-07). */
  'LOGIN_UNLOCK',
  /** The block after wrong codes ends (TFA-07). */
  'SECOND_FACTOR_UNBLOCK',
  /** The access of a user ends (USR-38). */
  'USER_EXPIRY',
  /** A one-time secret that nobody read is destroyed (SUP-14). */
  'SECRET_END',
  /** The time is over that a woken Ewon has to connect (WAK-06). */
  'WAKE_UP_END',
  /** The month that the account's usage is counted in is over (BIL-09, BIL-11). The subject is the account. */
  'MONTH_END',
  /** The free trial of PRO ends (ACC-16). The subject is the account. */
  'TRIAL_END',
] as const;
export type DueKind = (typeof DUE_KINDS)[number];

/** Sets, moves or, with null, takes away the time at which something falls due for a subject, with the change that causes it. */
export async function schedule(
  { tx, accountId }: Pick<AccountTx, 'tx' | 'accountId'>,
  kind: DueKind,
  subjectId: string,
  dueAt: Date | null,
): Promise<void> {
  if (dueAt === null) {
    await tx.dueWork.deleteMany({ where: { kind, subjectId } });
    return;
  }
  await tx.dueWork.upsert({
    where: { kind_subjectId: { kind, subjectId } },
    create: { accountId, kind, subjectId, dueAt },
    update: { dueAt, retryAt: null, attempts: 0, lastError: null },
  });
}

import type { Platform } from '../context.ts';
import { AppError } from '../errors.ts';
import type { ImportPreview } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';
import { type CheckedUser, InvalidCredentialsError, mayLogIn } from '../logins/credentials.ts';
import { stageOf } from '../logins/stages.ts';
import { loadUserAsActor } from '../users/actor.ts';
import { userSubject } from '../users/rules.ts';

/** What a password was known by, so that another one is noticed; it stands for nothing else. */
export const credentialOf = ({ secrets }: Platform, passwordHash: string): string =>
  secrets.hash('import credential', passwordHash);

/**
 * The Administrator of the source account whose credentials were right, if with them he could open a login now and has no second
 * factor. In a transaction of the source account.
 * @throws AppError INVALID_CREDENTIALS, FORBIDDEN (no Administrator), SOURCE_REQUIRES_TWO_FACTOR (IMP-12), PASSWORD_CHANGE_REQUIRED
 */
export async function requireSourceAdministrator(
  { tx, now }: AccountTx,
  { userId, passwordHash }: Pick<CheckedUser, 'userId' | 'passwordHash'>,
) {
  const user = await tx.user.findUnique({ where: { id: userId }, include: { account: true } });
  const actor = await loadUserAsActor(tx, userId);
  if (!user || !actor || !mayLogIn(user, passwordHash, now)) throw new InvalidCredentialsError();
  // Whoever is no Administrator learns nothing of the account's settings.
  if (!actor.administrator)
    throw new AppError('FORBIDDEN', 'The credentials are not those of an Administrator of the source account.');
  const { account, administrator } = { account: user.account, administrator: actor.administrator };
  const stage = stageOf({ user, account, administrator, secondFactorGiven: false, now });
  if (account.twoFactorRequired || stage === 'CODE' || stage === 'ENROLMENT')
    throw new AppError(
      'SOURCE_REQUIRES_TWO_FACTOR',
      'The source account, or its Administrator, has two-factor authentication: end it there first.',
    );
  if (stage === 'PASSWORD_CHANGE')
    throw new AppError('PASSWORD_CHANGE_REQUIRED', 'The password of the source Administrator must be changed first.');
  return { subject: userSubject(user), accountName: account.name };
}

/**
 * Whether the right that the credentials gave still stands: the same password, an enabled Administrator, no second factor. In a
 * transaction that holds the source account.
 * @throws AppError IMPORT_CHANGED
 */
export async function requireSourceUnchanged(
  ctx: Platform,
  source: AccountTx,
  preview: Pick<ImportPreview, 'sourceUserId' | 'sourceCredential'>,
) {
  const user = await source.tx.user.findUnique({
    where: { id: preview.sourceUserId },
    select: { passwordHash: true },
  });
  if (!user?.passwordHash || credentialOf(ctx, user.passwordHash) !== preview.sourceCredential) throw changed();
  const { passwordHash } = user;
  return requireSourceAdministrator(source, { userId: preview.sourceUserId, passwordHash }).catch((error: unknown) => {
    throw error instanceof AppError ? changed(error.message) : error;
  });
}

const changed = (why = 'The password of the source Administrator is another by now.'): AppError =>
  new AppError('IMPORT_CHANGED', `What was listed may no longer be imported: ${why} List the Ewons again.`);

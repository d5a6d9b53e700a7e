import type { Platform } from '../context.ts';
import type { Db } from '../database/database.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { User } from '../generated/prisma/client.ts';
import { type AccountTx, inAccount } from '../log/write.ts';
import { type EnteredPassword, preparePassword, writePassword } from '../passwords/set.ts';
import { hashToken } from '../secrets.ts';

/** A link in a mail that lets its reader choose a password without being logged in. */
export interface PasswordLink {
  /** One answer for every link that does not work: unknown, used, replaced, expired (INV-09, AUTH-13). */
  code: ErrorCode;
  message: string;
  /** The user whose valid link this is. */
  find(db: Pick<Db, 'user'>, tokenHash: string, now: Date): Promise<User | null>;
  /** Uses the link up; before the password is written. */
  use(account: AccountTx, user: User): Promise<void>;
}

/** Where the user logs in with his new password. */
export interface PasswordOwner {
  accountName: string;
  username: string;
}

/**
 * Sets a password by the token of a link (INV-03, INV-10, AUTH-13). A password that breaks the policy does not use it up; of two
 * who use it at once one does. All logins of the user end (AUTH-20).
 * @throws AppError with the code of the link, PASSWORD_CONFIRMATION_MISMATCH
 * @throws PasswordPolicyError
 * @throws TooManyRequestsError when too many hashes wait.
 */
export async function setPasswordByLink(
  ctx: Platform,
  link: PasswordLink,
  token: string,
  password: EnteredPassword,
): Promise<PasswordOwner> {
  const tokenHash = hashToken(token);
  const find = async (db: Pick<Db, 'user'>, now: Date): Promise<User> => {
    const user = await link.find(db, tokenHash, now);
    if (!user) throw new AppError(link.code, link.message, ['token']);
    return user;
  };
  const { id: userId, accountId } = await find(ctx.db, ctx.clock.now());
  const passwordHash = await preparePassword(ctx, accountId, userId, password);
  return inAccount(ctx, accountId, async (account) => {
    const user = await find(account.tx, account.now);
    await link.use(account, user);
    await writePassword(ctx, account, user.id, passwordHash, null);
    const { name } = await account.tx.account.findUniqueOrThrow({ where: { id: accountId }, select: { name: true } });
    return { accountName: name, username: user.username };
  });
}

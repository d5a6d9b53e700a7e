import { argon2id, hash, verify } from 'argon2';
import pLimit from 'p-limit';
import type { Config } from '../config.ts';
import { TooManyRequestsError } from '../errors.ts';

/**
 * Salted slow hashes of passwords (PWD-22). A hash at full cost takes 64 MiB and 0.15 s, so only few run at a time and the
 * queue is bounded: beyond it callers are told when to try again, and the rest of the server stays quick.
 */
export interface Passwords {
  /**
   * A new hash. With `as`, an earlier one of the same user, it has the salt of that one: then one computation compares a
   * password with his whole history (PWD-12), and salts still differ from user to user.
   */
  hash(password: string, as?: string | null): Promise<string>;
  /** What the password would be in the place of that hash, with its salt and its parameters: the same text if it is the same password. */
  repeat(hashed: string, password: string): Promise<string>;
  /** Takes as long for an absent hash as for a present one, so that timing tells nothing (AUTH-04). */
  verify(hashed: string | null, password: string): Promise<boolean>;
}

export async function createPasswords({ limits }: Config): Promise<Passwords> {
  const limit = pLimit(limits.PASSWORD_HASH_CONCURRENCY);
  const options = {
    type: argon2id as 2,
    memoryCost: limits.PASSWORD_HASH_MEMORY_KIB,
    timeCost: limits.PASSWORD_HASH_ITERATIONS,
    parallelism: 1,
  };
  const dummy = await hash('no password has this hash', options);

  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    if (limit.pendingCount >= limits.PASSWORD_HASH_QUEUE && limit.activeCount >= limit.concurrency) {
      const seconds = Math.max(1, Math.ceil((limit.pendingCount * 0.2) / limit.concurrency));
      throw new TooManyRequestsError(`Too many logins at once; try again in ${seconds} s.`, seconds);
    }
    return limit(work);
  };

  return {
    hash: async (password, as) => queued(() => hash(password, as ? { ...options, salt: partsOf(as).salt } : options)),
    repeat: async (hashed, password) => queued(() => hash(password, partsOf(hashed))),
    verify: async (hashed, password) =>
      queued(async () => {
        const matches = await verify(hashed ?? dummy, password);
        return matches && hashed !== null;
      }),
  };
}

/** Two hashes with the same scheme are of the same password exactly when they are the same text. */
export const hashScheme = (hashed: string): string => hashed.slice(0, hashed.lastIndexOf('$'));

/** What a hash was made with, read from `$argon2id$v=19$m=65536,p=1,t=3$salt$hash`. */
function partsOf(hashed: string) {
  const [, id, version, costs, salt] = hashed.split('$');
  const cost = (name: string) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(costs ?? '')?.[1]);
  if (id !== 'argon2id' || !salt || !cost('m')) throw new Error('A stored password is not an argon2id hash.');
  return {
    type: argon2id as 2,
    version: Number(version?.slice('v='.length)),
    memoryCost: cost('m'),
    timeCost: cost('t'),
    parallelism: cost('p'),
    salt: Buffer.from(salt, 'base64'),
  };
}

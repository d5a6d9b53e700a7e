import { argon2id, hash, verify } from 'argon2';
import pLimit from 'p-limit';
import type { Config } from '../config.ts';
import { TooManyRequestsError } from '../errors.ts';

/**
 * Salted slow hashes of passwords (PWD-22). A hash at full cost takes 64 MiB and 0.15 s, so only few run at a time and the
 * queue is bounded: beyond it callers are told when to try again, and the rest of the server stays quick.
 */
export interface Passwords {
  hash(password: string): Promise<string>;
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
    hash: async (password) => queued(() => hash(password, options)),
    verify: async (hashed, password) =>
      queued(async () => {
        const matches = await verify(hashed ?? dummy, password);
        return matches && hashed !== null;
      }),
  };
}

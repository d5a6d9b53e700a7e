import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPTS = 5;

/**
 * Runs a transaction again when the database refused it for a conflict with another (deadlock, serialization): nothing of
 * it was done. Waits a random 5–50 ms, doubled each time; after five attempts the conflict is thrown.
 */
export async function retryOnConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
      await delay((5 + Math.random() * 45) * 2 ** (attempt - 1));
    }
  }
}

interface PrismaLike {
  code?: string;
  meta?: { driverAdapterError?: { cause?: { kind?: string; originalCode?: string; code?: string } } };
}

/** Raw queries report a conflict as P2010 with the driver's error inside, the others as P2034. */
function isConflict(error: unknown): boolean {
  const { code, meta } = error as PrismaLike;
  const cause = meta?.driverAdapterError?.cause;
  const sqlState = cause?.originalCode ?? cause?.code;
  return code === 'P2034' || cause?.kind === 'TransactionWriteConflict' || sqlState === '40P01' || sqlState === '40001';
}

/** True when a write was refused by a unique index, whether through a model or through raw SQL. */
export function isUniqueViolation(error: unknown): boolean {
  const { code, meta } = error as PrismaLike;
  return code === 'P2002' || meta?.driverAdapterError?.cause?.kind === 'UniqueConstraintViolation';
}

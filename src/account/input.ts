import { z } from 'zod';

/** ACC-03 */
export const accountName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{3,40}$/, 'An account name has 3 to 40 letters, digits, - or _.');

export const company = z
  .string()
  .trim()
  .min(1, 'A company has 1 to 100 characters.')
  .max(100, 'A company has 1 to 100 characters.');

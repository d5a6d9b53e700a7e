import { z } from 'zod';

const LENGTH = 'A name has 1 to 64 characters.';

/** The name of an Ewon, a pool or a group: 1–64 characters without spaces at the ends (EWN-03, POOL-07, GRP-06). */
export const objectName = z.string().trim().min(1, LENGTH).max(64, LENGTH);

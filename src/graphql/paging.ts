import { AppError } from '../errors.ts';
import type { GraphQLContext } from './context.ts';

type PageArgs = { first?: number | null | undefined; last?: number | null | undefined };

/** The page sizes of every connection (LOG-12): spread it into the field. A size out of range is refused, not cut in silence. */
export const page = {
  defaultSize: (_args: PageArgs, { config }: GraphQLContext): number => config.limits.PAGE_SIZE,
  maxSize: (args: PageArgs, { config }: GraphQLContext): number => {
    const max = config.limits.PAGE_SIZE_MAX;
    for (const name of ['first', 'last'] as const) {
      const size = args[name];
      if (size != null && (size < 1 || size > max))
        throw new AppError('VALIDATION_FAILED', `${name} is from 1 to ${max}.`, [name]);
    }
    return max;
  },
};

import { AppError } from '../errors.ts';
import type { GraphQLContext } from './context.ts';

type PageArgs = { first?: number | null | undefined; last?: number | null | undefined };
type CursorArgs = { after?: string | null | undefined; before?: string | null | undefined };

/** The page sizes of every connection (LOG-12). A size out of range is refused, not cut in silence. */
export const pageSizes = {
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

/** A cursor of a list of objects, as Pothos writes it: the key of the object. */
const OBJECT_CURSOR = /^GPC:S:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** {@link pageSizes} for a list of objects, whose cursors are checked too: spread it into the field. */
export const page = {
  ...pageSizes,
  maxSize: (args: PageArgs & CursorArgs, ctx: GraphQLContext): number => {
    for (const name of ['after', 'before'] as const) {
      const cursor = args[name];
      if (cursor != null && !OBJECT_CURSOR.test(Buffer.from(cursor, 'base64').toString()))
        throw new AppError('CURSOR_INVALID', `${name} is no cursor of this list.`, [name]);
    }
    return pageSizes.maxSize(args, ctx);
  },
};

import { DAY_MS } from '../clock.ts';
import type { Config } from '../config.ts';
import { ewonsReadableBy } from '../ewons/rules.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Reader } from '../graphql/visible.ts';

/** A value as a device pushes it. */
export interface NewDataPoint {
  tag: string;
  /** ISO 8601 in UTC. */
  at: string;
  value: number;
  good: boolean;
}

/** How long a value is kept, and how old it may be when it comes, in milliseconds (GW-14). */
export const retentionMs = ({ limits }: Pick<Config, 'limits'>): number => limits.DATA_RETENTION_DAYS * DAY_MS;

/**
 * What is wrong with the first value whose time is older than the retention or more than a day ahead of the platform; null when
 * all are in range. A device whose clock is so far off would fill the history with what nobody finds.
 */
export function firstOutOfRange(
  points: readonly Pick<NewDataPoint, 'tag' | 'at'>[],
  now: Date,
  config: Pick<Config, 'limits'>,
): string | null {
  const oldest = now.getTime() - retentionMs(config);
  const newest = now.getTime() + DAY_MS;
  const index = points.findIndex(({ at }) => !(Date.parse(at) >= oldest && Date.parse(at) <= newest));
  const wrong = points[index];
  if (!wrong) return null;
  const why =
    Date.parse(wrong.at) > newest
      ? 'is more than a day in the future'
      : `is older than ${config.limits.DATA_RETENTION_DAYS} days`;
  return `points[${index}], "${wrong.tag}" at ${wrong.at}, ${why}; none of the message was stored.`;
}

/** TOK-08: values are read by whoever reads their Ewon, by a login or with an API token; those of one account only. */
export const dataPointsReadableBy = (reader: Reader): Prisma.DataPointWhereInput => ({
  accountId: reader.accountId,
  ewon: ewonsReadableBy(reader),
});

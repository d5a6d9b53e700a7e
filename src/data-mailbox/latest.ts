import type { Db } from '../database/database.ts';

/** The latest value of a tag. */
export interface LatestValue {
  name: string;
  at: Date;
  value: number;
  good: boolean;
  receivedAt: Date;
}

/**
 * The tags of an Ewon behind a name, each with its latest value. From tag to tag by the index, however many values each has.
 * @param most how many at most, from 1
 * @param after a name; '' for the beginning
 */
export const latestOfTags = (
  db: Pick<Db, '$queryRaw'>,
  { id, accountId }: { id: string; accountId: string },
  most: number,
  after: string,
): Promise<LatestValue[]> =>
  db.$queryRaw<LatestValue[]>`
    WITH RECURSIVE tags("tag", "place") AS (
      (SELECT "tag", 1 FROM "DataPoint" WHERE "ewonId" = ${id}::uuid AND "tag" > ${after} ORDER BY "tag" LIMIT 1)
      UNION ALL
      SELECT next."tag", tags."place" + 1 FROM tags, LATERAL (
        SELECT p."tag" FROM "DataPoint" p WHERE p."ewonId" = ${id}::uuid AND p."tag" > tags."tag" ORDER BY p."tag" LIMIT 1
      ) next WHERE tags."place" < ${most}::int
    )
    SELECT tags."tag" AS "name", latest."at", latest."value", latest."good", latest."receivedAt"
    FROM tags, LATERAL (
      SELECT * FROM "DataPoint" p
      WHERE p."ewonId" = ${id}::uuid AND p."tag" = tags."tag" AND p."accountId" = ${accountId}::uuid
      ORDER BY p."at" DESC LIMIT 1
    ) latest ORDER BY tags."place"`;

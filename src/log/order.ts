import { Prisma } from '../generated/prisma/client.ts';
import { LogCategory, LogSeverity, LogTrigger } from '../generated/prisma/enums.ts';
import type { Place, Term, Value } from '../graphql/lists/keyset.ts';

/*
 * The orders of the log and what lies between two places of one, in SQL as all that reads the log. The places are those of every
 * list (src/graphql/lists), with the entry's number in place of an id.
 */

/** One column of an order. */
export interface LogTerm extends Term {
  /** Its type in SQL. */
  type: string;
}

const ofEnum = (type: string, values: Record<string, string>) =>
  ({ kind: 'enum', type: `"${type}"`, values: Object.values(values), nullable: false }) as const;

/** What the log can be ordered by (LOG-09). The order of its numbers is that of time. */
const FIELDS = {
  TIME: { column: 'seq', kind: 'bigint', type: 'bigint', nullable: false },
  EVENT: { column: 'code', kind: 'string', type: 'text', nullable: false },
  CATEGORY: { column: 'category', ...ofEnum('LogCategory', LogCategory) },
  SEVERITY: { column: 'severity', ...ofEnum('LogSeverity', LogSeverity) },
  TRIGGER: { column: 'trigger', ...ofEnum('LogTrigger', LogTrigger) },
  USER: { column: 'userName', kind: 'string', type: 'text', nullable: true },
  EWON: { column: 'ewonName', kind: 'string', type: 'text', nullable: true },
} satisfies Record<string, Omit<LogTerm, 'direction'>>;

export type LogOrderField = keyof typeof FIELDS;

/** One field of an order. */
export interface LogOrder {
  field: LogOrderField;
  direction: 'asc' | 'desc';
}

/**
 * The columns of an order; newest first where none is asked for. Entries that are equal in all fields follow each other by their
 * numbers in the direction of the last field, so that for a single field one index has both directions.
 */
export function termsOf(orderBy: readonly LogOrder[]): LogTerm[] {
  const terms: LogTerm[] = [];
  for (const { field, direction } of orderBy) {
    if (terms.some(({ column }) => column === FIELDS[field].column)) continue;
    terms.push({ ...FIELDS[field], direction });
    if (field === 'TIME') return terms;
  }
  return [...terms, { ...FIELDS.TIME, direction: terms.at(-1)?.direction ?? 'desc' }];
}

/** What to read between two places, both exclusive; null is an end of the log. */
export interface Bounds {
  after: Place | null;
  before: Place | null;
}

/** A stretch of the log that one query reads, by one way through an index. */
export interface Stretch {
  where: Prisma.Sql;
  orderBy: Prisma.Sql;
}

/**
 * What to read, one after the other, to get what lies between two places, beginning at the end for `backward`. Entries without a
 * value in the first column come last in both directions; no index has them so, and they are a stretch of their own.
 * @returns nothing where nothing can lie there
 */
export function stretches(terms: readonly LogTerm[], { after, before }: Bounds, backward: boolean): Stretch[] {
  const [first, ...rest] = terms as readonly [LogTerm, ...LogTerm[]];
  if (!first.nullable) return stretch(Prisma.sql`TRUE`, terms, { after, before }, backward);
  const present: LogTerm[] = [{ ...first, nullable: false }, ...rest];
  const isNone = (place: Place | null) => place !== null && place[0] === null;
  const isSome = (place: Place | null) => place !== null && place[0] !== null;
  const some = isNone(after)
    ? []
    : stretch(
        Prisma.sql`${nameOf(first)} IS NOT NULL`,
        present,
        { after, before: isNone(before) ? null : before },
        backward,
      );
  const none = isSome(before)
    ? []
    : stretch(
        Prisma.sql`${nameOf(first)} IS NULL`,
        rest,
        { after: isSome(after) ? null : (after?.slice(1) ?? null), before: before?.slice(1) ?? null },
        backward,
      );
  return backward ? [...none, ...some] : [...some, ...none];
}

function stretch(where: Prisma.Sql, terms: readonly LogTerm[], bounds: Bounds, backward: boolean): Stretch[] {
  const conditions = [where];
  for (const side of ['after', 'before'] as const) {
    const place = bounds[side];
    if (!place) continue;
    const condition = beyond(terms, place, side);
    if (!condition) return [];
    conditions.push(condition);
  }
  return [{ where: Prisma.join(conditions, ' AND '), orderBy: orderSql(terms, backward) }];
}

const nameOf = ({ column }: Term): Prisma.Sql => Prisma.raw(`"${column}"`);
const valueSql = ({ type }: LogTerm, value: Value | undefined): Prisma.Sql =>
  Prisma.sql`CAST(${value} AS ${Prisma.raw(type)})`;

/** Null last, or first where the log is read from its end. */
const orderSql = (terms: readonly LogTerm[], backward: boolean): Prisma.Sql =>
  Prisma.join(
    terms.map((term) => {
      const way = backward === (term.direction === 'asc') ? 'DESC' : 'ASC';
      const nulls = term.nullable ? (backward ? ' NULLS FIRST' : ' NULLS LAST') : '';
      return Prisma.sql`${nameOf(term)} ${Prisma.raw(way + nulls)}`;
    }),
  );

type Side = keyof Bounds;

const isLarger = ({ direction }: Term, side: Side): boolean => (direction === 'asc') === (side === 'after');

/** The condition of what lies on that side of a place; null where nothing can. */
function beyond(terms: readonly LogTerm[], place: Place, side: Side): Prisma.Sql | null {
  const [first] = terms as readonly [LogTerm, ...LogTerm[]];
  if (terms.every(({ nullable, direction }) => !nullable && direction === first.direction)) {
    const values = terms.map((term, index) => valueSql(term, place[index]));
    return Prisma.sql`(${Prisma.join(terms.map(nameOf))}) ${Prisma.raw(isLarger(first, side) ? '>' : '<')} (${Prisma.join(values)})`;
  }
  const ways = terms.flatMap((term, index) => {
    const way = differs(term, place[index] ?? null, side);
    if (!way) return [];
    const equals = terms.slice(0, index).map((equal, at) => same(equal, place[at] ?? null));
    return [Prisma.sql`(${Prisma.join([...equals, way], ' AND ')})`];
  });
  if (ways.length === 0) return null;
  const lies = Prisma.sql`(${Prisma.join(ways, ' OR ')})`;
  // It follows from the rest, and by it the database begins at the place.
  const begin = Prisma.raw(isLarger(first, side) ? '>=' : '<=');
  return first.nullable ? lies : Prisma.sql`${nameOf(first)} ${begin} ${valueSql(first, place[0])} AND ${lies}`;
}

const same = (term: LogTerm, value: Value): Prisma.Sql =>
  value === null ? Prisma.sql`${nameOf(term)} IS NULL` : Prisma.sql`${nameOf(term)} = ${valueSql(term, value)}`;

function differs(term: LogTerm, value: Value, side: Side): Prisma.Sql | null {
  const name = nameOf(term);
  if (value === null) return side === 'before' && term.nullable ? Prisma.sql`${name} IS NOT NULL` : null;
  const way = Prisma.sql`${name} ${Prisma.raw(isLarger(term, side) ? '>' : '<')} ${valueSql(term, value)}`;
  return term.nullable && side === 'after' ? Prisma.sql`(${way} OR ${name} IS NULL)` : way;
}

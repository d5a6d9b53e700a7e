import type { Column } from './columns.ts';
import type { Where } from './keyset.ts';

/*
 * The conditions of a filter on one column. In SQL what is unknown is neither true nor false, so that the opposite of "is A" does
 * not hold for what has no value. For callers it does: under a NOT each condition says besides that there is a value.
 */

export interface StringCondition {
  equals?: string | null | undefined;
  contains?: string | null | undefined;
  in?: readonly string[] | null | undefined;
  isNull?: boolean | null | undefined;
}

export interface DateTimeCondition {
  equals?: Date | null | undefined;
  in?: readonly Date[] | null | undefined;
  from?: Date | null | undefined;
  to?: Date | null | undefined;
  isNull?: boolean | null | undefined;
}

export interface NumberCondition {
  equals?: number | null | undefined;
  in?: readonly number[] | null | undefined;
  min?: number | null | undefined;
  max?: number | null | undefined;
  isNull?: boolean | null | undefined;
}

/** How texts are compared where a column keeps them without regard to case. */
export interface Folding {
  column: string;
  fold: (text: string) => string;
}

/** Prisma hands `contains` on as a pattern. */
const literally = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');

/** That the text is part of what the column holds, without regard to case. */
const contains = (column: string, folding: Folding | undefined, text: string): Where =>
  folding
    ? { [folding.column]: { contains: literally(folding.fold(text)) } }
    : { [column]: { contains: literally(text), mode: 'insensitive' } };

const guarded = ({ nullable }: Column, negated: boolean) => (nullable && negated ? { not: null } : {});

const isNull = ({ name, nullable }: Column, wanted: boolean | null | undefined): Where[] => {
  if (wanted == null) return [];
  if (!nullable) return wanted ? [NOTHING] : [];
  return [{ [name]: wanted ? null : { not: null } }];
};

/** What nothing fulfils. Prisma takes an empty OR for one that says nothing. */
export const NOTHING: Where = { id: { in: [] } };

/**
 * Values in all lists of one filter together: each is a parameter of the query, of which PostgreSQL takes 32,767, and Prisma would
 * cut a query of more into several.
 */
export const FILTER_VALUES_MAX = 5000;

/** Values in the lists of one condition: those of a list of ids, or of an `in`. */
export const valuesIn = (condition: unknown): number =>
  Array.isArray(condition)
    ? condition.length
    : ((condition as { in?: readonly unknown[] | null } | null)?.in?.length ?? 0);

/** LST-03 */
export function stringConditions(
  column: Column,
  folding: Folding | undefined,
  condition: StringCondition,
  negated: boolean,
): Where[] {
  const guard = guarded(column, negated);
  const [exact, fold] = folding ? [folding.column, folding.fold] : [column.name, (text: string) => text];
  return [
    ...(condition.equals == null ? [] : [{ [exact]: { ...guard, equals: fold(condition.equals) } }]),
    ...(condition.in == null ? [] : [{ [exact]: { ...guard, in: condition.in.map(fold) } }]),
    // An empty text is part of every other.
    ...(condition.contains ? [withGuard(contains(column.name, folding, condition.contains), guard)] : []),
    ...isNull(column, condition.isNull),
  ];
}

const withGuard = (where: Where, guard: Where): Where =>
  Object.fromEntries(Object.entries(where).map(([name, condition]) => [name, { ...guard, ...(condition as object) }]));

/** LST-03: a free text over several columns. */
export const searchCondition = (
  columns: readonly (readonly [Column, Folding | undefined])[],
  text: string,
  negated: boolean,
): Where => ({
  OR: columns.map(([column, folding]) => withGuard(contains(column.name, folding, text), guarded(column, negated))),
});

/** LST-03 */
export function dateTimeConditions(column: Column, condition: DateTimeCondition, negated: boolean): Where[] {
  const { equals, in: among, from, to } = condition;
  const range = {
    ...(equals && { equals }),
    ...(among && { in: [...among] }),
    ...(from && { gte: from }),
    ...(to && { lt: to }),
  };
  return [
    ...(Object.keys(range).length === 0 ? [] : [{ [column.name]: { ...guarded(column, negated), ...range } }]),
    ...isNull(column, condition.isNull),
  ];
}

const RANGES: Partial<Record<Column['kind'], number>> = { integer: 2 ** 31 - 1, bigint: Number.MAX_SAFE_INTEGER };

/** LST-03: what a column of whole numbers cannot hold fulfils no `equals`, and is no limit as `min` or `max`. */
export function numberConditions(column: Column, condition: NumberCondition, negated: boolean): Where[] {
  const most = RANGES[column.kind];
  const holds = (value: number) => most === undefined || (Number.isInteger(value) && Math.abs(value) <= most);
  const stored = (value: number) => (column.kind === 'bigint' ? BigInt(value) : value);
  const { equals, in: among, min, max } = condition;
  if (most !== undefined && ((min ?? 0) > most || (max ?? 0) < -most)) return [NOTHING];
  const range = {
    ...(equals != null && { in: [equals].filter(holds).map(stored) }),
    ...(min != null && { gte: stored(most === undefined ? min : Math.max(-most, Math.ceil(min))) }),
    ...(max != null && { lte: stored(most === undefined ? max : Math.min(most, Math.floor(max))) }),
  };
  const guard = guarded(column, negated);
  return [
    ...(among == null ? [] : [{ [column.name]: { ...guard, in: among.filter(holds).map(stored) } }]),
    ...(Object.keys(range).length === 0 ? [] : [{ [column.name]: { ...guard, ...range } }]),
    ...isNull(column, condition.isNull),
  ];
}

/** One of several values of an enum or boolean; null among them is "none". */
export function oneOf({ name, nullable, kind }: Column, values: readonly unknown[], negated: boolean): Where {
  const present = values.filter((value) => value !== null);
  // Prisma has no `in` for booleans.
  const ways: Where[] =
    kind === 'boolean'
      ? [...new Set(present)].map((value) => ({ [name]: value }))
      : present.length > 0
        ? [{ [name]: { in: present } }]
        : [];
  const guard = nullable && negated;
  const some = ways.map((way) => (guard ? { AND: [{ [name]: { not: null } }, way] } : way));
  const all = [...some, ...(nullable && values.includes(null) ? [{ [name]: null }] : [])];
  return all.length > 0 ? { OR: all } : NOTHING;
}

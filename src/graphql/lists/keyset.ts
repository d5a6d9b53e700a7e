/*
 * The places of a list, and what lies between them (LST-04). A place is what an object says of the fields of the order, with its
 * id at the end, so it is there also when the object has gone. All of this is about plain values; columns are named as Prisma
 * names them.
 */

export type Kind = 'string' | 'integer' | 'bigint' | 'float' | 'boolean' | 'dateTime' | 'enum' | 'uuid';

/** One column of an order; the last one is the id. */
export interface Term {
  column: string;
  direction: 'asc' | 'desc';
  nullable: boolean;
  kind: Kind;
  /** Of booleans and enums: the values in the order of the database, which knows no smaller and larger of them here. */
  values?: readonly unknown[];
}

export type Value = string | number | bigint | boolean | Date | null;
/** A value for each term. */
export type Place = readonly Value[];

/** A condition of Prisma, whatever the model. */
export type Where = Record<string, unknown>;

/** What to read between two places, both exclusive; null is an end of the list. */
export interface Bounds {
  after: Place | null;
  before: Place | null;
}

/** A stretch of a list that one query reads, by one way through an index. */
export interface Segment {
  where: Where[];
  orderBy: Record<string, unknown>[];
}

/**
 * What to read, one after the other, to get what lies between two places, beginning at the end of the list for `backward`. Objects
 * without a value in the first column are a segment of their own: no index has them last in both directions.
 * @returns nothing where nothing can lie there
 */
export function segments(terms: readonly Term[], { after, before }: Bounds, backward: boolean): Segment[] {
  const [first, ...rest] = terms as readonly [Term, ...Term[]];
  if (!first.nullable) return segment(terms, [], terms, after, before, backward);
  const present: Term = { ...first, nullable: false };
  const some =
    after !== null && after[0] === null
      ? []
      : segment(
          [present, ...rest],
          [{ [first.column]: { not: null } }],
          [present, ...rest],
          after,
          before?.[0] === null ? null : before,
          backward,
        );
  const none =
    before !== null && before[0] !== null
      ? []
      : segment(
          [present, ...rest],
          [{ [first.column]: null }],
          rest,
          after === null || after[0] !== null ? null : after.slice(1),
          before?.slice(1) ?? null,
          backward,
        );
  return backward ? [...none, ...some] : [...some, ...none];
}

function segment(
  order: readonly Term[],
  where: Where[],
  bound: readonly Term[],
  after: Place | null,
  before: Place | null,
  backward: boolean,
): Segment[] {
  const [from, to] = [after && beyond(bound, after, 'after'), before && beyond(bound, before, 'before')];
  if ((after && !from) || (before && !to)) return [];
  return [{ where: [...where, ...(from ?? []), ...(to ?? [])], orderBy: orderBy(order, backward) }];
}

/** The order for the database: null last, or first where the list is read from its end. */
export const orderBy = (terms: readonly Term[], backward = false): Record<string, unknown>[] =>
  terms.map(({ column, direction, nullable }) => {
    const sort = backward === (direction === 'asc') ? 'desc' : 'asc';
    return { [column]: nullable ? { sort, nulls: backward ? 'first' : 'last' } : sort };
  });

/**
 * The conditions, all of which hold for what lies after a place, or before it; null where nothing can. The first of them follows
 * from the others: by it alone the database begins at the place and not at the end of the list.
 */
function beyond(terms: readonly Term[], place: Place, side: 'after' | 'before'): Where[] | null {
  const ways = terms.flatMap((term, index) => {
    const way = side === 'after' ? later(term, place[index] ?? null) : earlier(term, place[index] ?? null);
    return way ? [{ AND: [...terms.slice(0, index).map((equal, at) => same(equal, place[at] ?? null)), way] }] : [];
  });
  if (ways.length === 0) return null;
  return [...notBeyond(terms[0] as Term, place[0] ?? null, side), { OR: ways }];
}

/** That a column is not on the other side of a place; nothing where that is no stretch of an index. */
function notBeyond(term: Term, value: Value, side: 'after' | 'before'): Where[] {
  const { column, nullable, values } = term;
  if (values || value === null || (nullable && side === 'after')) return [];
  return [{ [column]: { [(term.direction === 'asc') === (side === 'after') ? 'gte' : 'lte']: value } }];
}

const same = ({ column }: Term, value: Value): Where => ({ [column]: value });

function later(term: Term, value: Value): Where | null {
  if (value === null) return null;
  const way = compared(term, value, term.direction === 'asc');
  if (!term.nullable) return way;
  return way ? { OR: [way, { [term.column]: null }] } : { [term.column]: null };
}

function earlier(term: Term, value: Value): Where | null {
  if (value === null) return term.nullable ? { [term.column]: { not: null } } : null;
  return compared(term, value, term.direction === 'desc');
}

function compared({ column, values }: Term, value: Value, larger: boolean): Where | null {
  if (!values) return { [column]: { [larger ? 'gt' : 'lt']: value } };
  const at = values.indexOf(value);
  const beside = larger ? values.slice(at + 1) : values.slice(0, at);
  // Prisma has no `in` for booleans; there is one value beside the other.
  if (beside.length === 0) return null;
  return { [column]: beside.length === 1 ? beside[0] : { in: beside } };
}

import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from './cursors.ts';
import { type Bounds, type Place, segments, type Term, type Value, type Where } from './keyset.ts';

type Row = Record<string, Value>;

/** What the database makes of the conditions, with the few operators that there are. */
function fulfils(row: Row, where: Where): boolean {
  return Object.entries(where).every(([name, condition]) => {
    if (name === 'AND') return (condition as Where[]).every((part) => fulfils(row, part));
    if (name === 'OR') return (condition as Where[]).some((part) => fulfils(row, part));
    const value = row[name] ?? null;
    if (condition === null || typeof condition !== 'object') return value === condition;
    return Object.entries(condition as Record<string, unknown>).every(([operator, other]) => {
      if (operator === 'not') return value !== null;
      if (value === null) return false;
      if (operator === 'in') return (other as unknown[]).includes(value);
      const [a, b] = [value, other] as [number, number];
      return { gt: a > b, gte: a >= b, lt: a < b, lte: a <= b }[operator];
    });
  });
}

/** In the order of the database; a field without `nulls` has none. */
function sorted(rows: Row[], orderBy: Record<string, unknown>[], terms: readonly Term[]): Row[] {
  return [...rows].sort((left, right) => {
    for (const part of orderBy) {
      const [[column, how]] = Object.entries(part) as [[string, string | { sort: string; nulls: string }]];
      const { sort, nulls } = typeof how === 'string' ? { sort: how, nulls: 'none' } : how;
      const [a, b] = [left[column] ?? null, right[column] ?? null];
      if (a === b) continue;
      if (a === null || b === null) {
        expect(nulls, 'an order that says where null is').not.toBe('none');
        return (a === null) === (nulls === 'first') ? -1 : 1;
      }
      const values = terms.find((term) => term.column === column)?.values;
      const less = values ? values.indexOf(a) < values.indexOf(b) : a < b;
      return less === (sort === 'asc') ? -1 : 1;
    }
    return 0;
  });
}

function read(rows: Row[], terms: readonly Term[], bounds: Bounds, backward: boolean, take: number): Row[] {
  const found = segments(terms, bounds, backward)
    .flatMap(({ where, orderBy }) => {
      const left = rows.filter((row) => where.every((part) => fulfils(row, part)));
      return sorted(left, orderBy, terms);
    })
    .slice(0, take);
  return backward ? found.reverse() : found;
}

const COLOURS = ['RED', 'GREEN', 'BLUE'];
const column = (name: string, direction: 'asc' | 'desc', more: Partial<Term> = {}): Term => ({
  ...{ column: name, direction, nullable: false, kind: 'integer' },
  ...more,
});
const colour = (direction: 'asc' | 'desc', nullable: boolean) =>
  column('colour', direction, { kind: 'enum', values: COLOURS, nullable });
const id = (direction: 'asc' | 'desc') => column('id', direction);

const ORDERS: [string, Term[]][] = (['asc', 'desc'] as const).flatMap((way): [string, Term[]][] => {
  const other = way === 'asc' ? 'desc' : 'asc';
  return [
    [`one field ${way}`, [column('size', way), id(way)]],
    [`a field that may be null ${way}`, [column('weight', way, { nullable: true }), id(way)]],
    [`an enum ${way}`, [colour(way, false), id(other)]],
    [`an enum that may be null, then another ${way}`, [colour(way, true), column('size', other), id(way)]],
    [
      `three fields with nulls ${way}`,
      [column('size', way), column('weight', other, { nullable: true }), colour(way, true), id(other)],
    ],
    [
      `nulls in the first two ${way}`,
      [column('weight', way, { nullable: true }), colour(other, true), column('size', way), id(way)],
    ],
  ];
});

/** 60 rows with many equals and nulls, the same at each run. */
function rowsFor(terms: readonly Term[]): Row[] {
  let seed = 7;
  const below = (most: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  const mayBeNull = (name: string) => terms.find((term) => term.column === name)?.nullable ?? true;
  return Array.from({ length: 60 }, (_, number) => ({
    id: number,
    size: below(4),
    weight: mayBeNull('weight') && below(3) === 0 ? null : below(3),
    colour: mayBeNull('colour') && below(3) === 0 ? null : (COLOURS[below(3)] ?? null),
  }));
}

const placeOf = (terms: readonly Term[], row: Row | undefined): Place | null =>
  row ? terms.map((term) => row[term.column] ?? null) : null;

describe.each(ORDERS)('%s', (_, terms) => {
  const rows = rowsFor(terms);
  const all = read(rows, terms, { after: null, before: null }, false, rows.length);

  it('LST-04 is in order, with null last, and backwards is the same list', () => {
    const order = terms.map(({ column: name, direction }) => ({ [name]: { sort: direction, nulls: 'last' } }));
    expect(all).toEqual(sorted(rows, order, terms));
    expect(read(rows, terms, { after: null, before: null }, true, rows.length)).toEqual(all);
  });

  it.each([1, 7])('LST-04 pages of %i give each object once, forwards and backwards', (size) => {
    const [forwards, backwards]: Row[][] = [[], []] as [Row[], Row[]];
    for (let page: Row[] = []; forwards.length < rows.length; forwards.push(...page)) {
      page = read(rows, terms, { after: placeOf(terms, forwards.at(-1)), before: null }, false, size);
      if (page.length === 0) break;
    }
    expect(forwards).toEqual(all);
    for (let page: Row[] = []; backwards.length < rows.length; backwards.unshift(...page)) {
      page = read(rows, terms, { after: null, before: placeOf(terms, backwards[0]) }, true, size);
      if (page.length === 0) break;
    }
    expect(backwards).toEqual(all);
  });

  it('LST-04 goes on at the place of an object that has gone, and between two places', () => {
    for (const [from, to] of [
      [10, 30],
      [0, 59],
      [40, 41],
    ] as const) {
      const bounds = { after: placeOf(terms, all[from]), before: placeOf(terms, all[to]) };
      const left = rows.filter((row) => row !== all[from] && row !== all[to]);
      expect(read(left, terms, bounds, false, 99)).toEqual(all.slice(from + 1, to));
      expect(read(left, terms, bounds, true, 99)).toEqual(all.slice(from + 1, to));
    }
  });
});

describe('an index', () => {
  it('LST-04 is entered at the place: the first column has a bound of its own, and no order of nulls where there are none', () => {
    const terms = [column('size', 'desc'), id('desc')];
    const [only] = segments(terms, { after: [5, 1], before: null }, false);
    expect(only?.where[0]).toEqual({ size: { lte: 5 } });
    const nullable = [column('weight', 'desc', { nullable: true }), id('desc')];
    const [some, none] = segments(nullable, { after: [5, 1], before: null }, false);
    expect(some?.where.slice(0, 2)).toEqual([{ weight: { not: null } }, { weight: { lte: 5 } }]);
    expect(some?.orderBy).toEqual([{ weight: 'desc' }, { id: 'desc' }]);
    expect(none?.where).toEqual([{ weight: null }]);
    expect(segments(nullable, { after: [null, 1], before: null }, false)).toHaveLength(1);
  });
});

describe('a cursor', () => {
  const UUID = '01234567-89ab-7def-8123-456789abcdef';
  const terms: Term[] = [
    column('name', 'asc', { kind: 'string', nullable: true }),
    column('at', 'desc', { kind: 'dateTime' }),
    column('bytes', 'asc', { kind: 'bigint' }),
    column('count', 'asc', { kind: 'integer' }),
    column('value', 'asc', { kind: 'float' }),
    colour('asc', true),
    column('id', 'asc', { kind: 'uuid' }),
  ];
  const at = new Date('2026-01-31T12:00:00.123Z');
  const row = { name: 'Ünïq\n"', at, bytes: 2n ** 40n, count: -3, value: 0.1, colour: 'BLUE', id: UUID };

  it('LST-04 holds the values of every kind', () => {
    for (const given of [row, { ...row, name: null, colour: null }])
      expect(decodeCursor('X', terms, encodeCursor('X', terms, given), 'after')).toEqual(placeOf(terms, given));
    expect(decodeCursor('X', terms, null, 'after')).toBeNull();
  });

  it('LST-04 is of one list and one order, and nothing that a column cannot hold comes through', () => {
    const cursor = encodeCursor('X', terms, row);
    const refused = (list: string, order: readonly Term[], text: string) =>
      expect(() => decodeCursor(list, order, text, 'before'), text).toThrow(
        expect.objectContaining({ code: 'CURSOR_INVALID', path: ['before'] }),
      );
    refused('Y', terms, cursor);
    refused('X', [{ ...(terms[0] as Term), direction: 'desc' }, ...terms.slice(1)], cursor);
    refused('X', terms.slice(1), cursor);
    for (const text of ['', 'x', 'bnVsbA', '####']) refused('X', terms, text);
    const wrong: Record<string, unknown>[] = [
      { name: 5 },
      { name: 'a\0b' },
      { name: '\ud800' },
      { name: 'x'.repeat(10_001) },
      { at: null },
      { at: 1e18 },
      { at: 'x' },
      { bytes: '1e5' },
      { bytes: 5 },
      { count: 2 ** 31 },
      { count: 1.5 },
      { value: '1' },
      { colour: 'BLACK' },
      { id: 'x' },
      { id: undefined },
    ];
    for (const change of wrong) refused('X', terms, encodeCursor('X', terms, { ...row, ...change }));
  });
});

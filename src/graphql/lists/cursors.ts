import { AppError } from '../../errors.ts';
import { STORABLE_TEXT } from '../all-violations.ts';
import { UUID } from '../global-id.ts';
import type { Place, Term, Value } from './keyset.ts';

/*
 * A cursor is a place in a list, opaque to callers: the name of the list, the order, and the values of the object's fields of that
 * order. It is no secret and not signed: whoever makes one up gets what he may see anyway, from another place on.
 */

const orderText = (terms: readonly Term[]): string =>
  terms.map(({ column, direction }) => `${direction === 'asc' ? '+' : '-'}${column}`).join('');

/** The place of a row, as it is given to the caller. */
export function encodeCursor(list: string, terms: readonly Term[], row: Record<string, unknown>): string {
  const values = terms.map(({ column }) => {
    const value = row[column];
    return value instanceof Date ? value.getTime() : typeof value === 'bigint' ? String(value) : value;
  });
  return Buffer.from(JSON.stringify([list, orderText(terms), ...values])).toString('base64url');
}

/** The place in a cursor. @throws AppError CURSOR_INVALID for one of another list or order, or malformed. */
export function decodeCursor(
  list: string,
  terms: readonly Term[],
  cursor: string | null | undefined,
  argument: 'after' | 'before',
): Place | null {
  if (cursor == null) return null;
  const [of, order, ...values] = parsed(cursor);
  const place = values.map((value, index) => {
    const term = terms[index];
    return term ? storable(term, value) : undefined;
  });
  if (of !== list || order !== orderText(terms) || place.length !== terms.length || place.includes(undefined))
    throw new AppError('CURSOR_INVALID', `${argument} is no cursor of this list in this order.`, [argument]);
  return place as Value[];
}

function parsed(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

const INTEGER_MAX = 2 ** 31 - 1;
const LONGEST_TEXT = 10_000;
/** The years that a database and ISO 8601 both know. */
const [YEAR_1, YEAR_9999] = [Date.parse('0001-01-01T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z')];

/** The value as the database takes it; undefined for what the column cannot hold. */
function storable({ kind, nullable, values }: Term, value: unknown): Value | undefined {
  if (value === null) return nullable ? null : undefined;
  if (values) return values.includes(value) ? (value as Value) : undefined;
  switch (kind) {
    case 'uuid':
      return typeof value === 'string' && UUID.test(value) ? value : undefined;
    case 'string':
      return typeof value === 'string' && value.length <= LONGEST_TEXT && STORABLE_TEXT.test(value) ? value : undefined;
    case 'integer':
      return Number.isInteger(value) && Math.abs(value as number) <= INTEGER_MAX ? (value as number) : undefined;
    case 'bigint':
      return typeof value === 'string' && /^-?\d{1,18}$/.test(value) ? BigInt(value) : undefined;
    case 'float':
      return Number.isFinite(value) ? (value as number) : undefined;
    case 'dateTime':
      return Number.isInteger(value) && (value as number) >= YEAR_1 && (value as number) <= YEAR_9999
        ? new Date(value as number)
        : undefined;
    default:
      return undefined;
  }
}

import { z } from 'zod';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { LogCategory, LogSeverity, LogTrigger } from '../generated/prisma/enums.ts';
import { STORABLE_TEXT } from '../graphql/all-violations.ts';
import { keysOf } from '../graphql/global-id.ts';
import { FILTER_VALUES_MAX, valuesIn } from '../graphql/lists/conditions.ts';
import { seesPool } from '../pools/rules.ts';
import type { Actor } from '../users/actor.ts';
import { LOG_EVENTS, type LogCode } from './events.ts';

/** A selection of the log (LOG-05, LOG-06, LOG-10): all that is given holds together, several values of one are alternatives. */
export interface LogFilter {
  AND?: LogFilter[] | null | undefined;
  OR?: LogFilter[] | null | undefined;
  NOT?: LogFilter | null | undefined;
  /** Ids as the API gives them, as in the next two. */
  ewonIds?: string[] | null | undefined;
  userIds?: string[] | null | undefined;
  poolIds?: string[] | null | undefined;
  categories?: LogCategory[] | null | undefined;
  severities?: LogSeverity[] | null | undefined;
  triggers?: LogTrigger[] | null | undefined;
  codes?: LogCode[] | null | undefined;
  at?: { from?: Date | null | undefined; to?: Date | null | undefined } | null | undefined;
  /** The names of the time. */
  userName?: NameFilter | null | undefined;
  ewonName?: NameFilter | null | undefined;
  search?: string | null | undefined;
}

interface NameFilter {
  equals?: string | null | undefined;
  /** Without regard to case. */
  contains?: string | null | undefined;
  in?: string[] | null | undefined;
  isNull?: boolean | null | undefined;
}

/** Ids in one list. */
export const FILTER_IDS_MAX = 500;
/** Characters of a text that is searched for. */
export const SEARCH_MAX = 200;

const ids = z.array(z.string().max(200)).max(FILTER_IDS_MAX).nullish();
const instant = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .nullish();
const oneOf = <T extends string>(values: Record<T, unknown>) =>
  z.array(z.enum(Object.keys(values) as [T, ...T[]])).nullish();

/** What a database can store and compare. */
const searched = z.string().max(SEARCH_MAX).regex(STORABLE_TEXT).nullish();
const name = z
  .strictObject({
    equals: searched,
    contains: searched,
    in: z.array(z.string().regex(STORABLE_TEXT)).max(500).nullish(),
    isNull: z.boolean().nullish(),
  })
  .nullish();

/** {@link LogFilter} as JSON: the input of the API, with instants as text. */
export const logFilterJson: z.ZodType<LogFilter> = z.lazy(() =>
  z.strictObject({
    AND: z.array(logFilterJson).nullish(),
    OR: z.array(logFilterJson).nullish(),
    NOT: logFilterJson.nullish(),
    ewonIds: ids,
    userIds: ids,
    poolIds: ids,
    categories: oneOf(LogCategory),
    severities: oneOf(LogSeverity),
    triggers: oneOf(LogTrigger),
    codes: oneOf(LOG_EVENTS),
    at: z.strictObject({ from: instant, to: instant }).nullish(),
    userName: name,
    ewonName: name,
    search: searched,
  }),
);

const all = (conditions: readonly Prisma.Sql[]): Prisma.Sql =>
  conditions.length === 0 ? Prisma.sql`TRUE` : Prisma.sql`(${Prisma.join([...conditions], ' AND ')})`;
const any = (conditions: readonly Prisma.Sql[]): Prisma.Sql =>
  conditions.length === 0 ? Prisma.sql`FALSE` : Prisma.sql`(${Prisma.join([...conditions], ' OR ')})`;

/** One value is asked for by `=`, for only so does an index give the entries in their order. */
function among(column: string, type: string, values: readonly string[]): Prisma.Sql {
  const [name, cast] = [Prisma.raw(`"${column}"`), Prisma.raw(`"${type}"`)];
  return values.length === 1
    ? Prisma.sql`${name} = ${values[0]}::${cast}`
    : Prisma.sql`${name} = ANY(${[...values]}::${cast}[])`;
}

/** By how much the clocks of two instances may differ, in milliseconds; times rise with the numbers but for that. */
const SKEW_MS = 3_600_000;
const NUMBER_MAX = 2n ** 63n - 1n;

/** A time and, so that the log is read from there and not from its end, the numbers that it can have. */
function inTime(accountId: string, { from, to }: NonNullable<LogFilter['at']>): Prisma.Sql[] {
  const beside = (column: Date) => Prisma.sql`${column}::timestamp`;
  const seqBeside = (where: Prisma.Sql, direction: 'ASC' | 'DESC') => Prisma.sql`(
    SELECT l."seq" FROM "LogEntry" l WHERE l."accountId" = ${accountId}::uuid AND ${where}
    ORDER BY l."at" ${Prisma.raw(direction)} LIMIT 1)`;
  const conditions: Prisma.Sql[] = [];
  if (from) {
    const before = seqBeside(Prisma.sql`l."at" < ${beside(new Date(from.getTime() - SKEW_MS))}`, 'DESC');
    conditions.push(Prisma.sql`"at" >= ${beside(from)} AND "seq" > COALESCE(${before}, 0)`);
  }
  if (to) {
    const after = seqBeside(Prisma.sql`l."at" >= ${beside(new Date(to.getTime() + SKEW_MS))}`, 'ASC');
    conditions.push(Prisma.sql`"at" < ${beside(to)} AND "seq" < COALESCE(${after}, ${NUMBER_MAX}::bigint)`);
  }
  return conditions;
}

const containing = (column: string, text: string): Prisma.Sql =>
  Prisma.sql`${Prisma.raw(`"${column}"`)} ILIKE ${`%${text.replaceAll(/[\\%_]/g, '\\$&')}%`}`;

function ofName(column: string, filter: NameFilter | null | undefined): Prisma.Sql[] {
  if (!filter) return [];
  const { equals, contains, in: list, isNull } = filter;
  const none = Prisma.raw(isNull ? 'IS NULL' : 'IS NOT NULL');
  return [
    ...(equals == null ? [] : [among(column, 'text', [equals])]),
    ...(contains ? [containing(column, contains)] : []),
    ...(list ? [among(column, 'text', list)] : []),
    ...(isNull == null ? [] : [Prisma.sql`${Prisma.raw(`"${column}"`)} ${none}`]),
  ];
}

/**
 * The filter as a condition on the entries of the reader's account. Ewons of pools are those that are in them now; of pools that he
 * does not see there are none (LST-06). NOT keeps every entry
 * that the filter in it does not, also those without the user or Ewon that it asks about.
 */
export function filterSql(reader: Actor, filter: LogFilter | null | undefined): Prisma.Sql {
  if (!filter) return Prisma.sql`TRUE`;
  const {
    AND,
    OR,
    NOT,
    ewonIds,
    userIds,
    poolIds,
    categories,
    severities,
    triggers,
    codes,
    at,
    userName,
    ewonName,
    search,
  } = filter;
  const { accountId } = reader;
  const inner = (one: LogFilter) => filterSql(reader, one);
  const conditions: Prisma.Sql[] = [];
  if (AND) conditions.push(all(AND.map(inner)));
  if (OR) conditions.push(any(OR.map(inner)));
  if (NOT) conditions.push(Prisma.sql`(${inner(NOT)}) IS NOT TRUE`);
  if (ewonIds) conditions.push(among('ewonId', 'uuid', keysOf('Ewon', ewonIds)));
  if (userIds) conditions.push(among('userId', 'uuid', keysOf('User', userIds)));
  if (poolIds)
    conditions.push(Prisma.sql`"ewonId" IN (
      SELECT i."ewonId" FROM "EwonPool" i JOIN "Pool" o ON o."id" = i."poolId"
      WHERE o."accountId" = ${accountId}::uuid AND o."id" = ANY(${keysOf('Pool', poolIds).filter((id) => seesPool(reader, id))}::uuid[]))`);
  if (categories) conditions.push(among('category', 'LogCategory', categories));
  if (severities) conditions.push(among('severity', 'LogSeverity', severities));
  if (triggers) conditions.push(among('trigger', 'LogTrigger', triggers));
  if (codes) conditions.push(among('code', 'text', codes));
  if (at) conditions.push(...inTime(accountId, at));
  conditions.push(...ofName('userName', userName), ...ofName('ewonName', ewonName));
  if (search) conditions.push(any(SEARCHED.map((column) => containing(column, search))));
  return all(conditions);
}

/** Columns that a free text is looked for in. */
const SEARCHED = ['userName', 'ewonName'] as const;

/** @throws AppError VALIDATION_FAILED for a filter of too many levels, conditions or values (LST-03) */
export function requireModest(filter: LogFilter | null | undefined, { limits }: Pick<Config, 'limits'>): void {
  let conditions = 0;
  let values = 0;
  const visit = (one: LogFilter, depth: number): void => {
    if (depth > limits.FILTER_DEPTH_MAX) throw tooMuch(`A filter has at most ${limits.FILTER_DEPTH_MAX} levels.`);
    const { AND, OR, NOT, ...own } = one;
    const inner = [...(AND ?? []), ...(OR ?? []), ...(NOT ? [NOT] : [])];
    const given = Object.values(own).filter((value) => value != null);
    conditions += given.length + inner.length + (own.search ? SEARCHED.length - 1 : 0);
    values += given.reduce((sum, condition) => sum + valuesIn(condition), 0);
    if (conditions > limits.FILTER_CONDITIONS_MAX)
      throw tooMuch(`A filter has at most ${limits.FILTER_CONDITIONS_MAX} conditions.`);
    if (values > FILTER_VALUES_MAX) throw tooMuch(`The lists of a filter have at most ${FILTER_VALUES_MAX} values.`);
    for (const next of inner) visit(next, depth + 1);
  };
  if (filter) visit(filter, 1);
}

const tooMuch = (message: string): AppError => new AppError('VALIDATION_FAILED', message, ['filter']);

import type { EnumRef, InputFieldMap, InputShapeFromFields, ObjectRef } from '@pothos/core';
import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { nameKey } from '../../ewons/rules.ts';
import type PrismaTypes from '../../generated/pothos-types.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { OrderDirection } from '../enums.ts';
import { keysOf } from '../global-id.ts';
import { pageSizes } from '../paging.ts';
import { type Column, type ColumnOf, columnOf, type Model } from './columns.ts';
import {
  type DateTimeCondition,
  dateTimeConditions,
  FILTER_VALUES_MAX,
  type Folding,
  NOTHING,
  type NumberCondition,
  numberConditions,
  oneOf,
  type StringCondition,
  searchCondition,
  stringConditions,
  valuesIn,
} from './conditions.ts';
import { decodeCursor, encodeCursor } from './cursors.ts';
import { DateTimeFilter, NumberFilter, StringFilter } from './inputs.ts';
import { type Bounds, orderBy, segments, type Term, type Where } from './keyset.ts';

/*
 * Lists of objects: one declaration of the fields gives filter, order, cursors and the reading of a page (LST-01 to LST-06).
 * docs/decisions/0021-lists.md says why.
 */

type Types = typeof builder.$inferSchemaTypes;
type InputBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>;

/** A field of a list, by which it is filtered and ordered. Its kind, and whether it may be null, are those of the column. */
interface ListField<M extends Model> {
  /** What it is, for the schema: one or more sentences. */
  description: string;
  /** Where it is stored, if not under its own name. */
  column?: ColumnOf<M>;
  /** Where the same text is stored without regard to case (`nameKey`): the list is ordered and compared by that. */
  key?: ColumnOf<M>;
  /** Of an enum: its type in the schema. */
  enum?: EnumRef<Types, string, string>;
  /** Of a key: the type of the object. The filter takes ids; there is no order by it. */
  idOf?: string;
  /** False for a field that is no use to order by. */
  order?: false;
}

/** What a list is. */
export interface ListSpec<M extends Model, Extra extends InputFieldMap> {
  model: M;
  /** The name of its objects in the schema, if not that of the model. */
  name?: string;
  /** What its objects are, for descriptions: `Ewons`. */
  things: string;
  fields: Record<string, ListField<M>>;
  /** Names of the fields of text that `search` looks into (LST-03). */
  search?: readonly string[];
  /** Conditions of the filter besides those of the fields: on relations, and on what is derived. */
  extra?: (t: InputBuilder) => Extra;
  /** Those as conditions, all of which hold; each must be true or false for every object, also for one without a value. */
  where?: (filter: InputShapeFromFields<Extra>, ctx: GraphQLContext) => PrismaTypes[M]['Where'][];
  /** The order where none is asked for; the id comes last by itself. */
  order: readonly (readonly [field: string, direction: 'asc' | 'desc'])[];
}

/** A filter as it arrives: the fields of the list, and those that every filter has. */
interface Filter {
  AND?: readonly Filter[] | null;
  OR?: readonly Filter[] | null;
  NOT?: Filter | null;
  search?: string | null;
  ids?: readonly string[] | null;
  [field: string]: unknown;
}

interface ListArgs {
  filter?: Filter | null;
  orderBy?: readonly { field: string; direction: 'asc' | 'desc' }[] | null;
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

interface Delegate {
  findMany(query: object): Promise<Row[]>;
  count(query: { where: object }): Promise<number>;
}
type Row = Record<string, unknown>;

/** How one place of the schema shows a list. */
interface Shown<M extends Model, Parent, Ctx> {
  /** The type of its objects in the schema. */
  type: unknown;
  description: string;
  /** What the viewer may see of it (LST-06); null where he gets null in place of the list, whose field is nullable then. */
  where: (ctx: Ctx, parent: Parent) => PrismaTypes[M]['Where'] | null;
  /** The order where none is asked for, if not that of the list. */
  order?: readonly (readonly [field: string, direction: 'asc' | 'desc'])[];
}

/** How the rows of a connection are selected, by either of its ways to its objects. */
const NODE_PATHS = [['edges', 'node'], ['nodes']];

const constantCase = (name: string): string => name.replaceAll(/([a-z])([A-Z0-9])/g, '$1_$2').toUpperCase();

const dropFullStop = (text: string): string => text.replace(/\.$/, '');

/**
 * Declares a list: makes `<Name>Filter`, `<Name>Order` and `<Name>OrderField`, and what reads a page of it. Once for each kind of
 * object, also where several fields of the schema list them.
 */
export function defineList<M extends Model, Extra extends InputFieldMap = Record<never, never>>(
  spec: ListSpec<M, Extra>,
) {
  const name = spec.name ?? spec.model;
  const fields = new Map(
    Object.entries(spec.fields).map(([field, declared]) => {
      const column = columnOf(spec.model, declared.column ?? (field as ColumnOf<M>));
      const folding: Folding | undefined = declared.key && { column: declared.key, fold: nameKey };
      const sorted = declared.key ? columnOf(spec.model, declared.key) : column;
      return [field, { ...declared, field, column, folding, sorted }];
    }),
  );
  const field = (wanted: string) => {
    const found = fields.get(wanted);
    if (!found) throw new Error(`The list of ${spec.things} has no field ${wanted}`);
    return found;
  };
  const searched = spec.search?.map((wanted) => {
    const { column, folding } = field(wanted);
    return [column, folding] as const;
  });

  const Filter = builder.inputRef<Filter>(`${name}Filter`);
  Filter.implement({
    description: `Which ${spec.things}. All that is given holds together; AND, OR and NOT combine further filters (LST-03). Null is as if it were absent.`,
    fields: (t: InputBuilder) => ({
      AND: t.field({ type: [Filter], description: 'Each of these holds.' }),
      OR: t.field({ type: [Filter], description: 'At least one of these holds; none does where there is none.' }),
      NOT: t.field({ type: Filter, description: 'This does not hold.' }),
      ...(searched && {
        search: t.string({
          validate: z.string().max(200, 'A text to look for has at most 200 characters.'),
          description: `Part of one of these, without regard to case: ${spec.search?.join(', ')}.`,
        }),
      }),
      ids: t.idList({
        validate: z.array(z.string()).max(500, 'At most 500 ids.'),
        description: `These ${spec.things}; at most 500.`,
      }),
      ...(spec.extra?.(t) ?? {}),
      ...Object.fromEntries([...fields.values()].map((declared) => [declared.field, filterField(t, declared)])),
    }),
  } as never);

  const ordered = [...fields.values()].filter((declared) => declared.order !== false && declared.idOf === undefined);
  const OrderField = builder.enumType(`${name}OrderField`, {
    description: `What ${spec.things} can be ordered by.`,
    values: Object.fromEntries(
      ordered.map((declared) => [
        constantCase(declared.field),
        { value: declared.field, description: declared.description },
      ]),
    ),
  });
  const Order = builder.inputType(`${name}Order`, {
    description: 'One field of an order; what has no value comes last, whichever way round (LST-04).',
    fields: (t) => ({
      field: t.field({ type: OrderField, required: true, description: 'What to order by.' }),
      direction: t.field({
        type: OrderDirection,
        required: true,
        defaultValue: 'asc' as const,
        description: 'Which way round.',
      }),
    }),
  });

  /** The conditions of a filter, all of which hold. @throws AppError VALIDATION_FAILED beyond the limits. */
  function filterWhere(filter: Filter | null | undefined, ctx: GraphQLContext): Where[] {
    const { FILTER_DEPTH_MAX, FILTER_CONDITIONS_MAX } = ctx.config.limits;
    let conditions = 0;
    let values = 0;
    const refuse = (message: string) => new AppError('VALIDATION_FAILED', message, ['filter']);
    const count = (some: number) => {
      conditions += some;
      if (conditions > FILTER_CONDITIONS_MAX) throw refuse(`A filter has at most ${FILTER_CONDITIONS_MAX} conditions.`);
    };
    const all = (part: Filter, depth: number, negated: boolean): Where[] => {
      if (depth > FILTER_DEPTH_MAX) throw refuse(`A filter has at most ${FILTER_DEPTH_MAX} levels.`);
      const { AND, OR, NOT, search, ids, ...given } = part;
      const nested = (other: Filter, opposite = negated) => all(other, depth + 1, opposite);
      const named = Object.entries(given).filter(([, value]) => value != null);
      // A free text costs as much as each column that it is looked for in.
      count(
        named.length +
          (search ? (searched?.length ?? 0) : 0) +
          (ids ? 1 : 0) +
          (AND?.length ?? 0) +
          (OR?.length ?? 0) +
          (NOT ? 1 : 0),
      );
      values += named.reduce((sum, [, value]) => sum + valuesIn(value), valuesIn(ids));
      if (values > FILTER_VALUES_MAX) throw refuse(`The lists of a filter have at most ${FILTER_VALUES_MAX} values.`);
      const ways = OR?.map((other) => nested(other));
      return [
        ...(AND ?? []).flatMap((other) => nested(other)),
        // One that says nothing holds always, and so do all together.
        ...(ways && !ways.some((way) => way.length === 0) ? [oneOfWays(ways.map((way): Where => ({ AND: way })))] : []),
        ...(NOT ? [opposite(nested(NOT, true))] : []),
        ...(search && searched ? [searchCondition(searched, search, negated)] : []),
        ...(ids ? [{ id: { in: keysOf(name, ids) } }] : []),
        ...((spec.where?.(given as InputShapeFromFields<Extra>, ctx) ?? []) as Where[]),
        ...named.flatMap(([key, value]) => {
          const declared = fields.get(key);
          return declared ? conditionsOf(declared, value, negated) : [];
        }),
      ];
    };
    return filter ? all(filter, 1, false) : [];
  }

  function termsOf(wanted: ListArgs['orderBy'], byDefault: Shown<M, never, never>['order']): Term[] {
    const given = wanted?.length
      ? wanted.map(({ field: by, direction }) => [by, direction] as const)
      : (byDefault ?? spec.order);
    const terms = new Map<string, Term>();
    for (const [by, direction] of given) {
      const { sorted } = field(by);
      // A field that came before has said all there is to say.
      if (!terms.has(sorted.name)) terms.set(sorted.name, term(sorted, direction));
    }
    // The last field gives the direction: so the index on it serves both ways.
    const direction = given.at(-1)?.[1] ?? 'asc';
    return [...terms.values(), { column: 'id', kind: 'uuid', nullable: false, direction }];
  }

  /** What a caller asks for, checked. @throws AppError VALIDATION_FAILED, CURSOR_INVALID */
  function asked(args: ListArgs, ctx: GraphQLContext, order: Shown<M, never, never>['order']) {
    if (args.first != null && args.last != null)
      throw new AppError('VALIDATION_FAILED', 'Give first or last, not both.', ['last']);
    const terms = termsOf(args.orderBy, order);
    const bounds: Bounds = {
      after: decodeCursor(name, terms, args.after, 'after'),
      before: decodeCursor(name, terms, args.before, 'before'),
    };
    const most = pageSizes.maxSize(args, ctx);
    const size = Math.min(args.first ?? args.last ?? pageSizes.defaultSize(args, ctx), most);
    // `before` alone asks for what comes right before it.
    const backward = args.last != null || (args.first == null && bounds.before !== null && bounds.after === null);
    const columns = Object.fromEntries(terms.map(({ column }) => [column, true]));
    return { terms, bounds, size, backward, columns, filter: filterWhere(args.filter, ctx) };
  }
  type Asked = ReturnType<typeof asked>;

  const delegate = (ctx: GraphQLContext): Delegate =>
    ctx.db[`${spec.model[0]?.toLowerCase()}${spec.model.slice(1)}` as 'ewon'] as unknown as Delegate;

  /** Rows between two places in the order of the list, from one end on. */
  async function read(
    ctx: GraphQLContext,
    { terms, backward }: Pick<Asked, 'terms' | 'backward'>,
    where: readonly Where[],
    bounds: Bounds,
    query: object,
    take: number,
  ): Promise<Row[]> {
    const rows: Row[] = [];
    for (const segment of segments(terms, bounds, backward)) {
      const stretch = { where: { AND: [...where, ...segment.where] }, orderBy: segment.orderBy };
      rows.push(...(await delegate(ctx).findMany({ ...query, ...stretch, take: take - rows.length })));
      if (rows.length >= take) break;
    }
    return backward ? rows.reverse() : rows;
  }

  /**
   * A page as the schema's connection reads it: each part when it is asked for.
   * @param rows one more than the page has, where there is one
   */
  function pageOf(ctx: GraphQLContext, wanted: Asked, where: readonly Where[], rows: () => Promise<readonly Row[]>) {
    const { terms, bounds, size, backward } = wanted;
    const cursor = (row: Row) => encodeCursor(name, terms, row);
    let reading: Promise<{ nodes: readonly Row[]; full: boolean }> | undefined;
    const page = () => {
      reading ??= rows().then((found) => {
        const full = found.length > size;
        return { nodes: !full ? found : backward ? found.slice(1) : found.slice(0, size), full };
      });
      return reading;
    };
    /** Whether there is anything beyond an end of the page; for an empty page beyond the place that it was asked by. */
    const more = async (side: 'after' | 'before'): Promise<boolean> => {
      const { nodes, full } = await page();
      if (backward === (side === 'before') && full) return true;
      const limit = side === 'after' ? bounds.before : bounds.after;
      if (limit === null) return false;
      const end = nodes.at(side === 'after' ? -1 : 0);
      const place = end ? terms.map(({ column }) => end[column] as never) : null;
      const [select, probe] = [{ select: { id: true } }, { terms, backward: side === 'before' }];
      if (place)
        return (await read(ctx, probe, where, { after: null, before: null, [side]: place }, select, 1)).length > 0;
      // The place itself, whose object may still be there, and all beyond it.
      const at = Object.fromEntries(terms.map(({ column }, index) => [column, limit[index]]));
      const beyond = { after: null, before: null, [side]: limit };
      return (
        (await delegate(ctx).findMany({ ...select, where: { AND: [...where, at] }, take: 1 })).length > 0 ||
        (await read(ctx, probe, where, beyond, select, 1)).length > 0
      );
    };
    return {
      get edges() {
        return page().then(({ nodes }) => nodes.map((node) => ({ cursor: cursor(node), node })));
      },
      get pageInfo() {
        return page().then(({ nodes }) => ({
          startCursor: nodes[0] ? cursor(nodes[0]) : null,
          endCursor: nodes.at(-1) ? cursor(nodes.at(-1) as Row) : null,
          get hasNextPage() {
            return more('after');
          },
          get hasPreviousPage() {
            return more('before');
          },
        }));
      },
      totalCount: () => delegate(ctx).count({ where: { AND: where } }),
    };
  }

  const args = builder.args((t) => ({
    filter: t.field({ type: Filter }),
    orderBy: t.field({ type: [Order], validate: z.array(z.any()).max(4, 'An order has at most four fields.') }),
  }));

  return {
    Filter,
    Order,
    /**
     * The options of a field that shows the list: `t.connection(list.shown({…}), ...list.connection('…'))`. One query a page, and
     * one more where it reaches the objects without a value of the first field of the order.
     */
    shown<Parent = unknown, Ctx extends GraphQLContext = GraphQLContext>(shown: Shown<M, Parent, Ctx>) {
      return {
        type: shown.type as ObjectRef<Types, PrismaTypes[M]['Shape']>,
        description: shown.description,
        args,
        resolve: (parent: Parent, given: object, ctx: GraphQLContext, info: GraphQLResolveInfo) => {
          const visible = shown.where(ctx as Ctx, parent);
          if (!visible) return null as never;
          const wanted = asked(given as ListArgs, ctx, shown.order);
          const query = queryFromInfo({ context: ctx, info, paths: NODE_PATHS, select: wanted.columns as never });
          const where = [visible as Where, ...wanted.filter];
          const rows = () => read(ctx, wanted, where, wanted.bounds, query as object, wanted.size + 1);
          return pageOf(ctx, wanted, where, rows) as never;
        },
      };
    },
    /**
     * The same for a list in each object of another list, by a relation: the pages of all of them are one query. For
     * `t.connection` in the fields of a Prisma object.
     * @param of the condition that the list is that of this object
     */
    nested<Parent extends { id: string }>(
      relation: string,
      of: (parent: Parent) => PrismaTypes[M]['Where'],
      shown: Omit<Shown<M, never, GraphQLContext>, 'where'> & {
        where: (ctx: GraphQLContext) => PrismaTypes[M]['Where'];
      },
    ) {
      return {
        type: shown.type as ObjectRef<Types, PrismaTypes[M]['Shape']>,
        description: shown.description,
        args,
        select: (
          given: object,
          ctx: GraphQLContext,
          nodes: (selection: object, path: { getType: () => string; paths: { name: string }[][] }) => object,
        ) => {
          const { terms, bounds, size, backward, columns, filter } = asked(given as ListArgs, ctx, shown.order);
          // One query for all cannot go segment by segment, so its order has null where it belongs.
          const between = segments(terms, bounds, backward).map((segment) => ({ AND: segment.where }));
          return {
            id: true,
            [relation]: {
              ...nodes(
                { select: columns },
                { getType: () => name, paths: NODE_PATHS.map((path) => path.map((part) => ({ name: part }))) },
              ),
              where: { AND: [shown.where(ctx), ...filter, between.length > 0 ? { OR: between } : NOTHING] },
              orderBy: orderBy(terms, backward),
              take: size + 1,
            },
          } as never;
        },
        resolve: (parent: object, given: object, ctx: GraphQLContext) => {
          const wanted = asked(given as ListArgs, ctx, shown.order);
          const loaded = ((parent as Record<string, unknown>)[relation] ?? []) as Row[];
          const where = [of(parent as Parent), shown.where(ctx), ...wanted.filter] as Where[];
          const rows = wanted.backward ? loaded.toReversed() : loaded;
          return pageOf(ctx, wanted, where, async () => rows) as never;
        },
      };
    },
    /** The types of a page and of its edges. */
    connection: (prefix = name as string) => connectionTypes(prefix),
  };
}

/** `<Prefix>Connection` with a count, and `<Prefix>Edge`. */
const connectionTypes = (prefix: string) =>
  [
    {
      name: `${prefix}Connection`,
      description: 'A page of a list, as Relay defines it.',
      fields: (t: PothosSchemaTypes.ObjectFieldBuilder<Types, { totalCount: () => Promise<number> }>) => ({
        totalCount: t.int({ resolve: (page: { totalCount: () => Promise<number> }) => page.totalCount() }),
      }),
    },
    { name: `${prefix}Edge`, description: 'An object of a page with its place.' },
  ] as never as [{ name: string; description: string; fields: never }, { name: string; description: string }];

type Declared = Pick<ListField<Model>, 'description' | 'enum' | 'idOf'> & {
  field: string;
  column: Column;
  folding: Folding | undefined;
  sorted: Column;
};

function filterField(t: InputBuilder, { description, column, idOf, ...declared }: Declared) {
  if (idOf !== undefined)
    return t.idList({
      validate: z.array(z.string()).max(500, 'At most 500 ids.'),
      description: `${dropFullStop(description)}: one of these; at most 500.`,
    });
  const among = `${dropFullStop(description)}: one of these${column.nullable ? ', null for none' : ''}.`;
  const listOf = (type: unknown) =>
    t.field({
      type: t.listRef(type as 'Boolean', { required: !column.nullable }),
      validate: z.array(z.any()).max(100, 'At most 100 values.'),
      description: among,
    });
  switch (column.kind) {
    case 'boolean':
      return listOf('Boolean');
    case 'enum':
      return listOf(declared.enum);
    case 'dateTime':
      return t.field({ type: DateTimeFilter, description });
    case 'string':
      return t.field({ type: StringFilter, description });
    default:
      return t.field({ type: NumberFilter, description });
  }
}

function conditionsOf({ column, folding, idOf }: Declared, value: unknown, negated: boolean): Where[] {
  if (idOf !== undefined) {
    const keys = { in: keysOf(idOf, value as string[]) };
    return [{ [column.name]: column.nullable && negated ? { not: null, ...keys } : keys }];
  }
  switch (column.kind) {
    case 'boolean':
    case 'enum':
      return [oneOf(column, value as unknown[], negated)];
    case 'dateTime':
      return dateTimeConditions(column, value as DateTimeCondition, negated);
    case 'string':
      return stringConditions(column, folding, value as StringCondition, negated);
    default:
      return numberConditions(column, value as NumberCondition, negated);
  }
}

/** Any of several conditions; none where there is none of them. For the conditions of a list beside its fields. */
export const oneOfWays = <W extends object>(ways: readonly W[]): W => (ways.length === 0 ? NOTHING : { OR: ways }) as W;

/** What does not hold. */
const opposite = (all: Where[]): Where => (all.length === 0 ? NOTHING : { NOT: { AND: all } });

const term = ({ name, kind, nullable, values }: Column, direction: 'asc' | 'desc'): Term => ({
  column: name,
  kind,
  nullable,
  direction,
  ...(values && { values }),
});

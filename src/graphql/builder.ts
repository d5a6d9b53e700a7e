import SchemaBuilder from '@pothos/core';
import { ComplexityErrorKind } from '@pothos/plugin-complexity';
import ErrorsPlugin from '@pothos/plugin-errors';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import SubGraphPlugin from '@pothos/plugin-sub-graph';
import { GraphQLError, type GraphQLSchema, getNullableType, isListType, isObjectType, isScalarType } from 'graphql';
import { AppError, type ErrorCode, ValidationError } from '../errors.ts';
import type PrismaTypes from '../generated/pothos-types.ts';
import { getDatamodel } from '../generated/pothos-types.ts';
import type { LoginStage } from '../generated/prisma/enums.ts';
import AllViolationsPlugin from './all-violations.ts';
import type { EnteringContext, GraphQLContext, LoggedInContext } from './context.ts';
import { decodeGlobalId, encodeGlobalId } from './global-id.ts';
import StreamCostPlugin from './stream-cost.ts';
import { violationsOf } from './violations.ts';
import { readerOf } from './visible.ts';

/** An error that belongs to the request as a whole, not to one operation's result: it goes to the top level. */
export const requestError = (
  code: ErrorCode,
  message: string,
  extensions: Record<string, unknown> = {},
): GraphQLError => new GraphQLError(message, { extensions: { code, ...extensions } });

/** What a login that is not open yet waits for: it may do nothing else (AUTH-15, AUTH-16). */
const STAGE_ERRORS = {
  CODE: ['SECOND_FACTOR_REQUIRED', 'Give the second-factor code first.'],
  ENROLMENT: ['SECOND_FACTOR_ENROLMENT_REQUIRED', 'Set up a second factor first.'],
  PASSWORD_CHANGE: ['PASSWORD_CHANGE_REQUIRED', 'Choose a new password first.'],
  OPEN: ['UNAUTHENTICATED', 'Log in first.'],
} satisfies Record<LoginStage, [ErrorCode, string]> as Record<LoginStage, [ErrorCode, string]>;

const unauthenticated = (_parent: unknown, { login, apiToken }: GraphQLContext): GraphQLError =>
  apiToken
    ? requestError('FORBIDDEN', 'An API token only reads Ewons and their data (TOK-13).')
    : requestError(...STAGE_ERRORS[login?.stage ?? 'OPEN']);

/** What a list that is not paged is taken to hold when the cost of a query is reckoned (API-02). */
const UNPAGED_LIST = 5;

/** What a count costs, and each condition of a filter: the database reads more for them than for a page (API-02). */
const COUNT_COST = 2;
const CONDITION_COST = 5;

/** Conditions of a filter, at all its levels. */
function conditionsIn(filter: object | null | undefined): number {
  if (!filter) return 0;
  const { AND, OR, NOT, ...own } = filter as { AND?: object[] | null; OR?: object[] | null; NOT?: object | null };
  const inner = [...(AND ?? []), ...(OR ?? []), ...(NOT ? [NOT] : [])];
  const given = Object.values(own).filter((value) => value != null).length;
  return inner.reduce((sum, next) => sum + 1 + conditionsIn(next), given);
}

/** How many objects can be asked for by `nodes`. */
const NODES_MAX = 100;

const isNodeType = (schema: GraphQLSchema, typename: string): boolean => {
  const type = schema.getType(typename);
  return isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node');
};

const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

export const builder = new SchemaBuilder<{
  PrismaTypes: PrismaTypes;
  Context: GraphQLContext;
  AuthScopes: { loggedIn: boolean; entering: boolean; reads: boolean };
  AuthContexts: { loggedIn: LoggedInContext; entering: EnteringContext; reads: GraphQLContext };
  DefaultFieldNullability: false;
  /** Every field is in both; one with `subGraphs: ['SIMULATION']` exists in simulation mode only (CLK-01). */
  SubGraphs: 'API' | 'SIMULATION';
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Date: { Input: Date; Output: Date };
    Duration: { Input: number; Output: number };
    IPv4: { Input: string; Output: string };
    CIDR: { Input: string; Output: string };
    EmailAddress: { Input: string; Output: string };
    PhoneNumber: { Input: string; Output: string };
    ByteCount: { Input: number; Output: number | bigint };
    Cursor: { Input: string; Output: string };
    SerialNumber: { Input: string; Output: string };
    FirmwareVersion: { Input: string; Output: string };
    Upload: { Input: File; Output: never };
    Decimal: { Input: string; Output: string };
  };
}>({
  plugins: [
    ErrorsPlugin,
    ScopeAuthPlugin,
    AllViolationsPlugin,
    RelayPlugin,
    StreamCostPlugin,
    PrismaPlugin,
    SubGraphPlugin,
  ],
  subGraphs: {
    defaultForTypes: ['API', 'SIMULATION'],
    defaultForFields: ['API', 'SIMULATION'],
    // Scalars are part of the contract, also where nothing uses them yet.
    explicitlyIncludeType: isScalarType,
  },
  defaultFieldNullability: false,
  errors: {
    defaultTypes: [AppError, ValidationError],
    directResult: true,
    defaultUnionOptions: { name: ({ fieldName }) => `${capitalized(fieldName)}Result` },
    unsafelyHandleInputErrors: true,
  },
  scopeAuth: {
    // Functions, because a login that opens in this very request is an open one from then on.
    authScopes: (ctx) => ({
      loggedIn: () => ctx.actor !== null,
      entering: () => ctx.login !== null,
      reads: () => readerOf(ctx) !== null,
    }),
    unauthorizedError: unauthenticated,
    authorizeOnSubscribe: true,
    // Rights are not scopes: they are functions in each domain's rules.ts. The scopes are to be logged in, to be on the way, and to read Ewons.
    cacheKey: (scope) => scope,
  },
  validation: { validationError: ({ issues }) => violationsOf(issues) },
  relay: {
    encodeGlobalID: encodeGlobalId,
    decodeGlobalID: decodeGlobalId,
    nodeQueryOptions: {
      description:
        'Any object by its id. An id of another account, of something the viewer may not see, or malformed gives null (API-05).',
      resolve: (_parent, { id }, _ctx, { schema }, resolveNode) =>
        isNodeType(schema, id.typename) ? resolveNode(id) : null,
    },
    nodesQueryOptions: {
      description:
        'Several objects by their ids, null in the place of each that does not exist for the viewer (API-05). At most 100.',
      resolve: (
        _parent,
        { ids }: { ids: ({ typename: string; id: string } | null)[] },
        _ctx,
        { schema },
        resolveNodes,
      ) => {
        if (ids.length > NODES_MAX)
          throw new AppError('VALIDATION_FAILED', `ids has at most ${NODES_MAX} elements.`, ['ids']);
        // Pothos reads the arguments once more; null is nothing to it, and a type that is no node would be a fault.
        for (const [index, id] of ids.entries()) if (id && !isNodeType(schema, id.typename)) ids[index] = null;
        return resolveNodes(ids as never);
      },
    },
    nodeTypeOptions: { description: 'Something with an id that is unique in the whole platform.' },
    pageInfoTypeOptions: { description: 'Where a page of a list lies, as Relay defines it.' },
    cursorType: 'String',
    nodesOnConnection: { description: 'The objects of the page, for readers who need no place of each.' },
    edgesFieldOptions: { description: 'The objects of the page, each with its place.' },
    pageInfoFieldOptions: { description: 'Where the page lies in the list.' },
    cursorFieldOptions: { description: 'The place of the object in the list.' },
    nodeFieldOptions: { description: 'The object.' },
  },
  complexity: {
    // A connection costs its page size times what is asked of each node, `nodes(ids)` as many times as there are ids; the
    // `edges` and `nodes` of a connection do not count again. Counts, and the conditions of filters, come on top.
    fieldComplexity: (
      args: {
        first?: number | null;
        last?: number | null;
        ids?: readonly unknown[] | null;
        filter?: object | null;
      },
      { config },
      field,
    ) => ({
      field: (field.name === 'totalCount' ? COUNT_COST : 1) + CONDITION_COST * conditionsIn(args.filter),
      multiplier: field.args.some(({ name }) => name === 'first')
        ? Math.max(1, args.first ?? args.last ?? config.limits.PAGE_SIZE)
        : args.ids
          ? Math.max(1, args.ids.length)
          : field.name === 'edges' || field.name === 'nodes' || !isListType(getNullableType(field.type))
            ? 1
            : UNPAGED_LIST,
    }),
    limit: ({ config: { limits } }) => ({
      complexity: limits.QUERY_COMPLEXITY_MAX,
      depth: limits.QUERY_DEPTH_MAX,
      breadth: limits.QUERY_BREADTH_MAX,
    }),
    complexityError: (kind, { complexity, depth, breadth, maxComplexity, maxDepth, maxBreadth }) => {
      const [is, most] = {
        [ComplexityErrorKind.Complexity]: [complexity, maxComplexity],
        [ComplexityErrorKind.Depth]: [depth, maxDepth],
        [ComplexityErrorKind.Breadth]: [breadth, maxBreadth],
      }[kind];
      return requestError(
        'QUERY_TOO_COMPLEX',
        `The query has a ${kind.toLowerCase()} of ${is}; at most ${most} is allowed.`,
        { [kind.toLowerCase()]: is, limit: most },
      );
    },
  },
  prisma: {
    client: (ctx) => ctx.db,
    dmmf: getDatamodel(),
    filterConnectionTotalCount: true,
    defaultConnectionSize: 50,
    maxConnectionSize: 500,
    onUnusedQuery: null,
  },
});

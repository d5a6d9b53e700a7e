import SchemaBuilder from '@pothos/core';
import ComplexityPlugin, { ComplexityErrorKind } from '@pothos/plugin-complexity';
import ErrorsPlugin from '@pothos/plugin-errors';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import ValidationPlugin from '@pothos/plugin-validation';
import { GraphQLError, getNullableType, isListType } from 'graphql';
import { AppError, ValidationError, type Violation } from '../errors.ts';
import type PrismaTypes from '../generated/pothos-types.ts';
import { getDatamodel } from '../generated/pothos-types.ts';
import type { GraphQLContext, LoggedInContext } from './context.ts';
import { decodeGlobalId, encodeGlobalId } from './global-id.ts';

/** An error that belongs to the request as a whole, not to one operation's result: it goes to the top level. */
export const requestError = (code: string, message: string, extensions: Record<string, unknown> = {}): GraphQLError =>
  new GraphQLError(message, { extensions: { code, ...extensions } });

export const unauthenticated = (): GraphQLError => requestError('UNAUTHENTICATED', 'Log in first.');

/** What a list that is not paged is taken to hold when the cost of a query is reckoned (API-02). */
const UNPAGED_LIST = 5;

const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

export const builder = new SchemaBuilder<{
  PrismaTypes: PrismaTypes;
  Context: GraphQLContext;
  AuthScopes: { loggedIn: boolean };
  AuthContexts: { loggedIn: LoggedInContext };
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Duration: { Input: number; Output: number };
    IPv4: { Input: string; Output: string };
    CIDR: { Input: string; Output: string };
    EmailAddress: { Input: string; Output: string };
    ByteCount: { Input: number; Output: number | bigint };
    Cursor: { Input: string; Output: string };
    SerialNumber: { Input: string; Output: string };
    FirmwareVersion: { Input: string; Output: string };
  };
}>({
  plugins: [ErrorsPlugin, ScopeAuthPlugin, ValidationPlugin, RelayPlugin, ComplexityPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  errors: {
    defaultTypes: [AppError, ValidationError],
    directResult: true,
    defaultUnionOptions: { name: ({ fieldName }) => `${capitalized(fieldName)}Result` },
    unsafelyHandleInputErrors: true,
  },
  scopeAuth: {
    authScopes: (ctx) => ({ loggedIn: ctx.actor !== null }),
    unauthorizedError: unauthenticated,
    // Rights are not scopes: they are functions in each domain's rules.ts. The one scope is to be logged in.
    cacheKey: (scope) => scope,
  },
  validation: {
    validationError: ({ issues }) => {
      const violations = issues.map(
        ({ path, message }): Violation => ({
          // The argument `input` is the frame, not part of what the caller wrote.
          path: (path ?? [])
            .map((part) => String(typeof part === 'object' ? part.key : part))
            .filter((part, index) => index > 0 || part !== 'input'),
          message,
        }),
      );
      const [first, ...rest] = violations;
      return first
        ? new ValidationError([first, ...rest])
        : new AppError('VALIDATION_FAILED', 'The input is not valid.');
    },
  },
  relay: {
    encodeGlobalID: encodeGlobalId,
    decodeGlobalID: decodeGlobalId,
    nodeQueryOptions: {
      description:
        'Any object by its id. An id of another account, of something the viewer may not see, or malformed gives null (API-05).',
      resolve: (_parent, { id }, _ctx, _info, resolveNode) => (id.typename === '' ? null : resolveNode(id)),
    },
    nodesQueryOptions: {
      description:
        'Several objects by their ids, null in the place of each that does not exist for the viewer (API-05). At most 100.',
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
    // A connection costs its page size times what is asked of each node; its `edges` and `nodes` do not count again.
    fieldComplexity: (args: { first?: number | null; last?: number | null }, { config }, field) => ({
      field: 1,
      multiplier: field.args.some(({ name }) => name === 'first')
        ? Math.max(1, args.first ?? args.last ?? config.limits.PAGE_SIZE)
        : field.name === 'edges' || !isListType(getNullableType(field.type))
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

export type Builder = typeof builder;

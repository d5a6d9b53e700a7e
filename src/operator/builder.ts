import SchemaBuilder from '@pothos/core';
import ErrorsPlugin from '@pothos/plugin-errors';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import type { GraphQLScalarType } from 'graphql';
import type { Platform } from '../context.ts';
import { AppError, ERROR_CODES, ValidationError } from '../errors.ts';
import type PrismaTypes from '../generated/pothos-types.ts';
import { getDatamodel } from '../generated/pothos-types.ts';
import AllViolationsPlugin from '../graphql/all-violations.ts';
import { schema as ordinarySchema } from '../graphql/schema.ts';
import { violationsOf } from '../graphql/violations.ts';

/*
 * The schema of the platform's operator: a door of its own, with a token of its own. Nothing of it is in the ordinary schema,
 * and no login opens it.
 */

/** Who asks has shown the operator's token, or runs the command beside the database. */
export type OperatorContext = Platform;

/** Of the operator’s schema; its parts add their fields to it. */
export const builder = new SchemaBuilder<{
  PrismaTypes: PrismaTypes;
  Context: OperatorContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    EmailAddress: { Input: string; Output: string };
  };
}>({
  plugins: [ErrorsPlugin, AllViolationsPlugin, RelayPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  errors: {
    defaultTypes: [AppError, ValidationError],
    directResult: true,
    defaultUnionOptions: {
      name: ({ fieldName }) => `${fieldName.charAt(0).toUpperCase()}${fieldName.slice(1)}Result`,
    },
    unsafelyHandleInputErrors: true,
  },
  // Of the plugins that the ordinary schema uses; whoever comes in here may do everything.
  scopeAuth: { authScopes: () => ({}) },
  validation: { validationError: ({ issues }) => violationsOf(issues) },
  relay: {
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    cursorType: 'String',
    nodesOnConnection: { description: 'The objects of the page.' },
    edgesFieldOptions: { description: 'The objects of the page, each with its place.' },
    pageInfoFieldOptions: { description: 'Where the page lies in the list.' },
    cursorFieldOptions: { description: 'The place of the object in the list.' },
    nodeFieldOptions: { description: 'The object.' },
    pageInfoTypeOptions: { description: 'Where a page of a list lies, as Relay defines it.' },
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

for (const scalar of ['DateTime', 'EmailAddress'] as const)
  builder.addScalarType(scalar, ordinarySchema.getType(scalar) as GraphQLScalarType);

const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description: 'Why something was refused: the codes of the ordinary schema (API-04).',
  values: Object.fromEntries(Object.entries(ERROR_CODES).map(([code, description]) => [code, { description }])),
});

const ErrorRef = builder.interfaceRef<AppError>('Error').implement({
  description: 'Why nothing was done.',
  fields: (t) => ({
    code: t.field({ type: ErrorCodeEnum, description: 'Stable; decide by it.', resolve: ({ code }) => code }),
    message: t.exposeString('message', { description: 'English text for a person; it may change.' }),
    path: t.field({
      type: ['String'],
      nullable: true,
      description: 'The place of the offending value inside `input`; null when the error is not about one value.',
      resolve: ({ path }) => path,
    }),
  }),
});

builder.objectType(AppError, {
  name: 'DomainError',
  description: 'An error that says all it has to say by its code.',
  interfaces: [ErrorRef],
});

const ViolationType = builder.objectRef<{ path: string[]; message: string }>('InputViolation').implement({
  description: 'One thing that is wrong with an input.',
  fields: (t) => ({
    path: t.exposeStringList('path', { description: 'The place of the value inside `input`.' }),
    message: t.exposeString('message', { description: 'What is expected, in English.' }),
  }),
});

builder.objectType(ValidationError, {
  name: 'ValidationError',
  description: 'Values of the input are out of their range or form; all of them at once.',
  interfaces: [ErrorRef],
  fields: (t) => ({
    inputViolations: t.field({
      type: [ViolationType],
      description: 'Every violation, at least one.',
      resolve: ({ violations }) => violations,
    }),
  }),
});

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { PothosValidationError } from '@pothos/core';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { RateLimitedError } from '../api-limits/limits.ts';
import { AppError, ERROR_CODES, TooManyRequestsError, ValidationError } from '../errors.ts';
import type { Logger } from '../logger.ts';

/** The id of the request that is being answered, for its errors (API-04). */
export const currentRequest = new AsyncLocalStorage<{ requestId: string }>();

/**
 * Every error that leaves at the top level: a code of the catalogue and the request id; what is not meant for callers becomes
 * INTERNAL_ERROR, and is logged under that id with its cause (API-04).
 */
export function createErrorMask(log: Logger) {
  return (error: unknown): GraphQLError => {
    const requestId = currentRequest.getStore()?.requestId ?? randomUUID();
    const given =
      error instanceof GraphQLError
        ? error
        : new GraphQLError(String(error), { originalError: error instanceof Error ? error : undefined });
    const cause = rootCause(given);
    const shape = (code: string, message: string, extensions: object = {}) =>
      new GraphQLError(message, {
        nodes: given.nodes,
        source: given.source,
        positions: given.positions,
        path: given.path,
        extensions: { ...extensions, code, requestId },
      });

    const { http } = given.extensions;
    if (cause instanceof AppError)
      return shape(cause.code, cause.message, { ...(http !== undefined && { http }), ...detailsOf(cause) });
    if (cause instanceof PothosValidationError) return shape('VALIDATION_FAILED', cause.message);
    const code = given.extensions.code;
    if (typeof code === 'string' && code in ERROR_CODES) return shape(code, given.message, given.extensions);
    // Without a cause it is the GraphQL engine's own word about the document, or about a value in it.
    if (!cause && code !== 'INTERNAL_SERVER_ERROR')
      return shape('GRAPHQL_VALIDATION_FAILED', given.message, given.extensions);
    log.error({ err: cause ?? given, requestId, path: given.path }, 'A request failed');
    return shape('INTERNAL_ERROR', `Something unexpected happened; quote ${requestId}.`);
  };
}

/** What fails before execution (syntax, validation) does not pass the mask of yoga by itself: all that have not yet, do here. */
export const maskAll =
  (mask: (error: unknown) => GraphQLError) =>
  (errors: readonly GraphQLError[]): GraphQLError[] =>
    errors.map((error) => (error.extensions?.requestId === undefined ? mask(error) : error));

/** {@link maskAll} for the results of a yoga. */
export const useMaskForAll = (mask: (error: unknown) => GraphQLError): Plugin => ({
  onResultProcess: ({ result, setResult }) => {
    if ('errors' in result && result.errors?.some((error) => error.extensions?.requestId === undefined))
      setResult({ ...result, errors: maskAll(mask)(result.errors) });
  },
});

/** What an error type of a mutation's result would carry beside code and message. */
function detailsOf(error: AppError): object {
  if (error instanceof ValidationError) return { violations: error.violations };
  if (error instanceof TooManyRequestsError || error instanceof RateLimitedError)
    return { retryAfter: error.retryAfter };
  return error.path ? { path: error.path } : {};
}

/** The error behind the GraphQL errors that wrap it; undefined when there is none. */
function rootCause(error: GraphQLError): Error | undefined {
  const { originalError } = error;
  if (!originalError) return undefined;
  // It is a GraphQL error too, but says what it has to say itself.
  if (originalError instanceof PothosValidationError) return originalError;
  return originalError instanceof GraphQLError ? rootCause(originalError) : originalError;
}

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Platform } from '../context.ts';
import { AppError, TooManyRequestsError } from '../errors.ts';
import { callerAddress } from '../graphql/caller-address.ts';
import { useDocumentLimits } from '../graphql/limits.ts';
import { useMaskForAll } from '../graphql/top-level-errors.ts';
import type { OperatorContext } from './builder.ts';
import { operatorSchema } from './schema.ts';

export const OPERATOR_PATH = '/operator';

type Door = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/**
 * The operator's door on the HTTP port: GraphQL over POST for who shows OPERATOR_TOKEN. Without that variable there is no
 * door: null. The token of a login opens nothing here, and the operator's nothing at the ordinary door.
 */
export function createOperatorDoor(ctx: Platform, mask: (error: unknown) => GraphQLError): Door | null {
  const { operatorToken } = ctx.config.secrets;
  if (operatorToken === undefined) return null;
  const expected = digest(operatorToken);
  const { operatorFailures } = ctx.rateLimits;
  const yoga = createYoga<{ req: IncomingMessage; res: ServerResponse }, OperatorContext>({
    schema: operatorSchema,
    graphqlEndpoint: OPERATOR_PATH,
    logging: false,
    landingPage: false,
    cors: false,
    batching: false,
    graphiql: false,
    maskedErrors: { maskError: mask },
    plugins: [useDocumentLimits(ctx.config), useMaskForAll(mask)],
    context: () => ctx,
  });

  /** @throws AppError UNAUTHENTICATED, TOO_MANY_REQUESTS: after so many failures the right token too has to wait. */
  const authenticate = async (req: IncomingMessage): Promise<void> => {
    const address = callerAddress(ctx.config, req);
    await operatorFailures.check(address);
    const token = /^Bearer (.{1,200})$/i.exec(req.headers.authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(digest(token), expected)) return;
    await operatorFailures.take(address);
    ctx.log.warn({ address }, 'Somebody without the operator token was at the operator’s door');
    throw new AppError('UNAUTHENTICATED', 'Send the operator token: "Authorization: Bearer <token>".');
  };

  return async (req, res) => {
    if (req.method !== 'POST') {
      res.setHeader('allow', 'POST');
      return refuse(res, 405, mask(new AppError('BAD_REQUEST', 'This door takes POST only.')));
    }
    try {
      await authenticate(req);
    } catch (error) {
      if (error instanceof TooManyRequestsError) res.setHeader('retry-after', error.retryAfter);
      return refuse(res, error instanceof TooManyRequestsError ? 429 : 401, mask(error));
    }
    await yoga(req, res);
  };
}

/** Of equal length whatever comes, so that the comparison takes the same time. */
const digest = (token: string): Buffer => createHash('sha256').update(token).digest();

function refuse(res: ServerResponse, status: number, error: GraphQLError): void {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  res.end(JSON.stringify({ errors: [error] }));
}

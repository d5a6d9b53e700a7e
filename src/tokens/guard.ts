import { type ExecutionArgs, getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { requestError } from '../graphql/builder.ts';
import type { GraphQLContext } from '../graphql/context.ts';

/** TOK-06, TOK-13: whoever comes with an API token runs queries; also what anybody may do without a login is refused to it. */
export function refuseChangesByToken(): Plugin<GraphQLContext> {
  const refusal = ({ document, operationName, contextValue }: ExecutionArgs) => {
    const { apiToken } = contextValue as GraphQLContext;
    const operation = getOperationAST(document, operationName)?.operation;
    return apiToken !== null && operation !== OperationTypeNode.QUERY
      ? { errors: [requestError('FORBIDDEN', 'An API token only reads Ewons and their data (TOK-13).')] }
      : null;
  };
  return {
    onExecute: ({ args, setResultAndStopExecution }) => {
      const refused = refusal(args as unknown as ExecutionArgs);
      if (refused) setResultAndStopExecution(refused);
    },
    onSubscribe: ({ args, setResultAndStopExecution }) => {
      const refused = refusal(args as unknown as ExecutionArgs);
      if (refused) setResultAndStopExecution(refused);
    },
  };
}

import { type ASTVisitor, GraphQLError, Kind, parse, type ValidationContext } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Config } from '../config.ts';

/** Refuses documents of too many tokens before they are parsed, and of too many aliases before they run (API-02). */
export function useDocumentLimits({ limits }: Config): Plugin {
  return {
    onParse: ({ setParseFn }) =>
      setParseFn((source: string, options: object) =>
        parse(source, { ...options, maxTokens: limits.QUERY_TOKENS_MAX }),
      ),
    onValidate: ({ addValidationRule }) =>
      addValidationRule((context: ValidationContext) => limitAliases(context, limits.QUERY_ALIASES_MAX)),
  };
}

function limitAliases(context: ValidationContext, most: number): ASTVisitor {
  let aliases = 0;
  return {
    Field: (node) => {
      if (node.alias) aliases += 1;
    },
    [Kind.DOCUMENT]: {
      leave: () => {
        if (aliases > most)
          context.reportError(
            new GraphQLError(`The document has ${aliases} aliases; at most ${most} are allowed.`, {
              extensions: { code: 'QUERY_TOO_COMPLEX', aliases, limit: most },
            }),
          );
      },
    },
  };
}

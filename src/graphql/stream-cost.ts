import SchemaBuilder, { type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import { PothosComplexityPlugin } from '@pothos/plugin-complexity';
import type { GraphQLFieldResolver } from 'graphql';

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      streamCost: StreamCostPlugin<Types>;
    }
  }
}

/**
 * Takes the place of `ComplexityPlugin` in the builder. That one reckons the cost of a subscription at its first event; here
 * a stream that costs too much does not begin (API-02).
 */
class StreamCostPlugin<Types extends SchemaTypes> extends PothosComplexityPlugin<Types> {
  override wrapSubscribe(
    subscriber: GraphQLFieldResolver<unknown, Types['Context'], object> | undefined,
    _fieldConfig: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> | undefined {
    if (!subscriber) return undefined;
    return (parent, args, context, info) => {
      this.checkComplexity(context, info);
      return subscriber(parent, args, context, info);
    };
  }
}

SchemaBuilder.registerPlugin('streamCost', StreamCostPlugin);

export default 'streamCost' as const;

import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import { describeMachinery } from './descriptions.ts';
import './scalars.ts';
import './errors.ts';
import '../account/custom-fields-graphql.ts';
import '../account/graphql.ts';
import '../api-limits/graphql.ts';
import '../account/plan-graphql.ts';
import '../billing/graphql.ts';
import '../branding/graphql.ts';
import '../contacts/graphql.ts';
import '../data-mailbox/graphql.ts';
import '../ewons/graphql.ts';
import '../geolocation/graphql.ts';
import '../groups/graphql.ts';
import '../imports/graphql.ts';
import '../lan/graphql.ts';
import '../log/graphql.ts';
import '../log/views-graphql.ts';
import '../logins/graphql.ts';
import '../m2u/graphql.ts';
import '../messages/graphql.ts';
import '../passwords/graphql.ts';
import '../pools/graphql.ts';
import '../portal/graphql.ts';
import '../reports/graphql.ts';
import '../second-factor/graphql.ts';
import '../sessions/graphql.ts';
import '../support/graphql.ts';
import '../simulation/graphql.ts';
import '../tokens/graphql.ts';
import '../users/graphql.ts';
import '../users/mutations.ts';
import '../wake-up/graphql.ts';

builder.queryType({
  description:
    'Reads. Everything but `viewer` and `node` needs a login; what the viewer may not see is as if it did not exist.',
});
builder.mutationType({
  description:
    'Changes. Each answers with a union of its success and `Error`s, which are data: nothing was done. Only what concerns the request as a whole is a top-level error.',
});
builder.subscriptionType({
  description: 'Streams, over WebSocket (graphql-transport-ws) and server-sent events alike (EVT-12).',
});

/** What a production server has. */
export const schema: GraphQLSchema = describeMachinery(builder.toSchema({ subGraph: 'API' }));

/** The same, and what exists in simulation mode only (CLK-01, TFA-48). */
export const simulationSchema: GraphQLSchema = describeMachinery(builder.toSchema({ subGraph: 'SIMULATION' }));

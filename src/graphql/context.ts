import type { Caller, Platform } from '../context.ts';
import type { TokenAccess } from '../tokens/access.ts';
import type { Actor } from '../users/actor.ts';
import type { Loaders } from './loaders.ts';

/** What every resolver gets. Made for each request; a stream renews actor and loaders for each event (EVT-07, EVT-10). */
export interface GraphQLContext extends Platform, Caller {
  actor: Actor | null;
  /** The login of the bearer token at whatever stage; `actor` is null until it is open (AUTH-15). */
  login: Actor | null;
  /** What an application may read that came with an API token in place of a login: there is no actor then (TOK-13). */
  apiToken: TokenAccess | null;
  loaders: Loaders;
  /** Aborted when the caller goes away. */
  signal: AbortSignal | undefined;
}

export interface LoggedInContext extends GraphQLContext {
  actor: Actor;
}

/** Of the few operations that a login may do before it is open (AUTH-16). */
export interface EnteringContext extends GraphQLContext {
  login: Actor;
}

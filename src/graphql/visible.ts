import { AppError } from '../errors.ts';
import type { TokenAccess } from '../tokens/access.ts';
import type { Actor } from '../users/actor.ts';
import type { GraphQLContext } from './context.ts';
import { NO_ID } from './global-id.ts';

/**
 * How `node(id)` finds an object: by its key and by the same condition as every list, so that what the viewer may not see
 * does not exist (API-05).
 */
export const whereVisible =
  <W extends object>(visibleTo: (actor: Actor) => W) =>
  (id: string, { actor }: GraphQLContext): { id: string; AND: W[] } =>
    actor ? { id, AND: [visibleTo(actor)] } : { id: NO_ID, AND: [] };

/** Who reads Ewons: somebody who is logged in, or an application with an API token (TOK-13). */
export type Reader = Actor | TokenAccess;

/** Who reads in this request; null for nobody. Behind the scope `reads` it is somebody. */
export const readerOf = ({ actor, apiToken }: Pick<GraphQLContext, 'actor' | 'apiToken'>): Reader | null =>
  actor ?? apiToken;

/** {@link readerOf} behind the scope `reads`. @throws AppError UNAUTHENTICATED */
export function readingIn(ctx: Pick<GraphQLContext, 'actor' | 'apiToken'>): Reader {
  const reader = readerOf(ctx);
  if (!reader) throw new AppError('UNAUTHENTICATED', 'Log in first.');
  return reader;
}

/** {@link whereVisible} for what API tokens read too. */
export const whereReadable =
  <W extends object>(readableBy: (reader: Reader) => W) =>
  (id: string, ctx: GraphQLContext): { id: string; AND: W[] } => {
    const reader = readerOf(ctx);
    return reader ? { id, AND: [readableBy(reader)] } : { id: NO_ID, AND: [] };
  };

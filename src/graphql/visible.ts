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

import type { Prisma } from '../generated/prisma/client.ts';
import type { Actor, PoolRights } from '../users/actor.ts';

export const NO_RIGHTS: PoolRights = { administer: false, modify: false, connectEcatcher: false, connectM2web: false };
const ALL_RIGHTS: PoolRights = { administer: true, modify: true, connectEcatcher: true, connectM2web: true };
const CONNECT_ONLY: PoolRights = { administer: false, modify: false, connectEcatcher: true, connectM2web: true };

/**
 * What an actor may do with the Ewons of these pools: the union over his groups and over the pools (GRP-16); everything for
 * Administrators (ACC-22); on plans without groups role USER connects to all and modifies nothing (GRP-23).
 */
export function rightsOnPools(actor: Actor, poolIds: readonly string[]): PoolRights {
  if (actor.administrator) return ALL_RIGHTS;
  if (!actor.features.groups) return CONNECT_ONLY;
  return poolIds.reduce<PoolRights>((sum, poolId) => {
    const right = actor.poolRights.get(poolId) ?? NO_RIGHTS;
    return {
      administer: sum.administer || right.administer,
      modify: sum.modify || right.modify,
      connectEcatcher: sum.connectEcatcher || right.connectEcatcher,
      connectM2web: sum.connectM2web || right.connectM2web,
    };
  }, NO_RIGHTS);
}

/** The ids of the pools on which the actor holds a right of this kind; `any` of the four without one. */
export function poolsWithRight(actor: Actor, right: keyof PoolRights | 'any'): string[] {
  const pools = [...actor.poolRights];
  return pools
    .filter(([, rights]) => (right === 'any' ? Object.values(rights).some(Boolean) : rights[right]))
    .map(([poolId]) => poolId);
}

/** POOL-09: any right on a pool shows it; Administrators, and everybody on plans without groups, see all. */
export function poolsVisibleTo(actor: Actor): Prisma.PoolWhereInput {
  const seesAll = actor.administrator || !actor.features.groups;
  return { accountId: actor.accountId, ...(!seesAll && { id: { in: poolsWithRight(actor, 'any') } }) };
}

/** {@link poolsVisibleTo} for a pool of his account at hand. */
export const seesPool = (actor: Actor, poolId: string): boolean =>
  Object.values(rightsOnPools(actor, [poolId])).some(Boolean);

/** POOL-08, GRP-10 */
export const mayCreatePool = (actor: Actor): boolean => actor.administrator || actor.mayCreatePools;

/** GRP-13: administer is the right to add and remove the Ewons of a pool. */
export const mayAdministerPool = (actor: Actor, poolId: string): boolean => rightsOnPools(actor, [poolId]).administer;

/**
 * GRP-13, GRP-18: an Ewon goes into further pools by whoever administers it already, through one of its pools; to modify it
 * is not enough, for the rights on those pools come with it. A new Ewon is in none.
 */
export const mayPutIntoPools = (actor: Actor, presentPoolIds: readonly string[]): boolean =>
  presentPoolIds.length === 0 || rightsOnPools(actor, presentPoolIds).administer;

/** What somebody may do with a pool; the API shows it as `viewerCan`, and the verbs ask the same function. */
const POOL_ACTIONS = ['CONNECT_ECATCHER', 'CONNECT_M2WEB', 'MODIFY', 'ADMINISTER', 'RENAME', 'DELETE'] as const;
export type PoolAction = (typeof POOL_ACTIONS)[number];

/** GRP-13, POOL-07, POOL-10. On plans without pools there is the default one alone, which stays as it is (ACC-09). */
export function poolActions(actor: Actor, pool: { id: string; isDefault: boolean }): PoolAction[] {
  const rights = rightsOnPools(actor, [pool.id]);
  const administers = rights.administer && actor.features.pools;
  return POOL_ACTIONS.filter(
    (action) =>
      ({
        CONNECT_ECATCHER: rights.connectEcatcher,
        CONNECT_M2WEB: rights.connectM2web,
        MODIFY: rights.modify,
        ADMINISTER: rights.administer,
        RENAME: administers,
        DELETE: administers && !pool.isDefault,
      })[action],
  );
}

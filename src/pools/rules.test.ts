import { describe, expect, it } from 'vitest';
import { PLANS } from '../account/plans.ts';
import type { Actor, PoolRights } from '../users/actor.ts';
import { mayAdministerPool, mayCreatePool, NO_RIGHTS, poolsVisibleTo, poolsWithRight, rightsOnPools } from './rules.ts';

const actor = (rights: Record<string, Partial<PoolRights>>, more: Partial<Actor> = {}) =>
  ({
    accountId: 'account',
    features: PLANS.PRO,
    administrator: false,
    mayCreatePools: false,
    poolRights: new Map(Object.entries(rights).map(([id, right]) => [id, { ...NO_RIGHTS, ...right }])),
    ...more,
  }) as Actor;
const ALL = { administer: true, modify: true, connectEcatcher: true, connectM2web: true };

describe('rights on pools', () => {
  it('GRP-16 are the union over the pools; none takes away what another gives', () => {
    const who = actor({ press: { modify: true }, paint: { connectM2web: true }, dark: {} });
    expect(rightsOnPools(who, ['press', 'paint', 'dark'])).toEqual({ ...NO_RIGHTS, modify: true, connectM2web: true });
    expect(rightsOnPools(who, ['dark'])).toEqual(NO_RIGHTS);
    expect(rightsOnPools(who, ['unknown'])).toEqual(NO_RIGHTS);
    expect(rightsOnPools(who, [])).toEqual(NO_RIGHTS);
  });

  it('GRP-14 the connect rights do not follow from the management rights, nor these from them', () => {
    expect(rightsOnPools(actor({ a: { administer: true, modify: true } }), ['a'])).toMatchObject({
      connectEcatcher: false,
      connectM2web: false,
    });
    expect(rightsOnPools(actor({ a: { connectEcatcher: true } }), ['a'])).toEqual({
      ...NO_RIGHTS,
      connectEcatcher: true,
    });
  });

  it('ACC-22 GRP-23 Administrators hold all; without groups role USER connects and modifies nothing', () => {
    expect(rightsOnPools(actor({}, { administrator: true }), ['any'])).toEqual(ALL);
    expect(rightsOnPools(actor({}, { features: PLANS.FREE }), ['any'])).toEqual({
      administer: false,
      modify: false,
      connectEcatcher: true,
      connectM2web: true,
    });
  });

  it('POOL-09 any right shows a pool', () => {
    const who = actor({ a: { connectM2web: true }, b: { modify: true }, c: {} });
    expect(poolsVisibleTo(who)).toEqual({ accountId: 'account', id: { in: ['a', 'b'] } });
    expect(poolsWithRight(who, 'modify')).toEqual(['b']);
    expect(poolsVisibleTo(actor({}, { administrator: true }))).toEqual({ accountId: 'account' });
    expect(poolsVisibleTo(actor({}, { features: PLANS.LIGHT }))).toEqual({ accountId: 'account' });
  });

  it('POOL-08 GRP-13 creating is by role, administering by right', () => {
    expect(mayCreatePool(actor({ a: ALL }))).toBe(false);
    expect(mayCreatePool(actor({}, { mayCreatePools: true }))).toBe(true);
    expect(mayCreatePool(actor({}, { administrator: true }))).toBe(true);
    expect(mayAdministerPool(actor({ a: { administer: true }, b: { modify: true } }), 'a')).toBe(true);
    expect(mayAdministerPool(actor({ a: { administer: true }, b: { modify: true } }), 'b')).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import type { Actor } from './actor.ts';
import {
  displayName,
  mayCreateUserIn,
  mayReadConnectedName,
  userReference,
  userStatus,
  usersVisibleTo,
} from './rules.ts';

const actor = (more: Partial<Actor> = {}) =>
  ({ accountId: 'account', userId: 'me', administrator: false, managedGroupIds: ['managed'], ...more }) as Actor;
const now = new Date('2026-01-31T12:00:00Z');
const soon = new Date('2026-01-31T12:00:00.001Z');

describe('users', () => {
  it('USR-02 are visible by the groups that one manages, and oneself', () => {
    expect(usersVisibleTo(actor())).toEqual({
      accountId: 'account',
      OR: [{ id: 'me' }, { memberships: { some: { groupId: { in: ['managed'] } } } }],
    });
    expect(usersVisibleTo(actor({ administrator: true }))).toEqual({ accountId: 'account' });
  });

  it('USR-12 are created by Administrators, or by whoever manages every one of their groups', () => {
    expect(mayCreateUserIn(actor(), ['managed'])).toBe(true);
    expect(mayCreateUserIn(actor(), ['managed', 'other'])).toBe(false);
    expect(mayCreateUserIn(actor(), [])).toBe(false);
    expect(mayCreateUserIn(actor({ administrator: true }), ['other'])).toBe(true);
  });

  it('USR-24 have one of three states; a past expiration date reads as disabled, from its very instant', () => {
    const user = { passwordHash: 'hash', disabledAt: null, expiresAt: null };
    expect(userStatus(user, now)).toBe('ENABLED');
    expect(userStatus({ ...user, passwordHash: null }, now)).toBe('PENDING');
    expect(userStatus({ ...user, disabledAt: now }, now)).toBe('DISABLED');
    expect(userStatus({ ...user, expiresAt: now }, now)).toBe('DISABLED');
    expect(userStatus({ ...user, expiresAt: soon }, now)).toBe('ENABLED');
  });

  it('USR-40 USR-41 are named by reference and by display name', () => {
    expect(userReference(12)).toBe('USR12');
    expect(displayName({ username: 'jsm', fullName: 'John Smith' })).toBe('John Smith[jsm]');
    expect(displayName({ username: 'jsm', fullName: null })).toBe('jsm');
  });

  it('USR-13 USR-14 have a name as Connected User only if it is public, or for themselves', () => {
    expect(mayReadConnectedName(actor(), { id: 'other', namePublic: false })).toBe(false);
    expect(mayReadConnectedName(actor({ administrator: true }), { id: 'other', namePublic: false })).toBe(false);
    expect(mayReadConnectedName(actor(), { id: 'other', namePublic: true })).toBe(true);
    expect(mayReadConnectedName(actor(), { id: 'me', namePublic: false })).toBe(true);
  });
});

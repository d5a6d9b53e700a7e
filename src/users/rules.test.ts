import { describe, expect, it } from 'vitest';
import type { Actor } from './actor.ts';
import {
  disabledReason,
  displayName,
  mayChangeOwnPassword,
  mayCreateUserIn,
  mayReadConnectedName,
  type UserFacts,
  userActions,
  userReference,
  userRights,
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

  it('USR-12 USR-17 USR-31 GRP-11 GRP-18 are in the hands of Administrators and of those who manage their groups', () => {
    const user = (more: Partial<UserFacts> = {}): UserFacts => ({
      ...{ id: 'other', administrator: false, groupIds: ['managed'], mayEditOwn: true, forbidPasswordChange: false },
      ...more,
    });
    const others = [
      ...['MODIFY', 'MODIFY_RIGHTS', 'SET_PASSWORD', 'FORCE_PASSWORD_CHANGE', 'INVITE'],
      ...['DISABLE', 'ENABLE', 'DELETE', 'DUPLICATE'],
    ];
    const partly = others.filter((action) => action !== 'SET_PASSWORD' && action !== 'DUPLICATE');
    const administrator = actor({ administrator: true });
    expect(userRights(administrator, user({ groupIds: ['any'], administrator: true }))).toEqual(others);
    expect(userRights(actor(), user())).toEqual(others);
    expect(userRights(actor(), user({ groupIds: ['managed', 'foreign'] }))).toEqual(partly);
    expect(userRights(actor(), user({ groupIds: ['foreign'] }))).toEqual([]);
    expect(userRights(actor(), user({ groupIds: [] }))).toEqual([]);
    expect(userRights(actor(), user({ administrator: true }))).toEqual([]);
    // Of his own group one is no manager of oneself.
    expect(userRights(actor(), user({ id: 'me' }))).toEqual(['MODIFY_OWN', 'CHANGE_OWN_PASSWORD']);
    expect(userRights(actor(), user({ id: 'me', forbidPasswordChange: true }))).toEqual(['MODIFY_OWN']);
    expect(userRights(actor(), user({ id: 'me', mayEditOwn: false }))).toEqual([]);
    expect(userRights(administrator, user({ id: 'me', mayEditOwn: false }))).toEqual([
      ...['MODIFY', 'MODIFY_RIGHTS', 'DUPLICATE'],
    ]);

    const facts = { ...user(), disabledAt: null };
    expect(userActions(actor(), facts)).toEqual(others.filter((action) => action !== 'ENABLE'));
    expect(userActions(actor(), { ...facts, disabledAt: now })).toEqual(
      others.filter((action) => action !== 'DISABLE'),
    );
    expect(userActions(actor(), { ...facts, forbidPasswordChange: true })).not.toContain('INVITE');
  });

  it('USR-18 USR-19 change their password themselves unless one of two permissions stands against it', () => {
    expect(mayChangeOwnPassword({ mayEditOwn: true, forbidPasswordChange: false })).toBe(true);
    expect(mayChangeOwnPassword({ mayEditOwn: false, forbidPasswordChange: false })).toBe(false);
    expect(mayChangeOwnPassword({ mayEditOwn: true, forbidPasswordChange: true })).toBe(false);
  });

  it('USR-24 USR-38 are disabled by somebody or by their date, the former above the latter', () => {
    expect(disabledReason({ disabledAt: null, expiresAt: null }, now)).toBeNull();
    expect(disabledReason({ disabledAt: null, expiresAt: soon }, now)).toBeNull();
    expect(disabledReason({ disabledAt: null, expiresAt: now }, now)).toBe('EXPIRED');
    expect(disabledReason({ disabledAt: now, expiresAt: now }, now)).toBe('BY_ADMINISTRATOR');
  });
});

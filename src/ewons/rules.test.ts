import { describe, expect, test } from 'vitest';
import { PLANS } from '../account/plans.ts';
import type { Actor, PoolRights } from '../users/actor.ts';
import {
  compareFirmware,
  EWON_ACTIONS,
  encodedName,
  ewonActions,
  ewonReference,
  ewonStatus,
  FIRMWARE_VERSION,
  nameKey,
  requireNotInUse,
  SERIAL_NUMBER,
  seesEwon,
} from './rules.ts';

const NONE: PoolRights = { administer: false, modify: false, connectEcatcher: false, connectM2web: false };

const someone = (
  rights: Record<string, Partial<PoolRights>>,
  more: Partial<Pick<Actor, 'administrator' | 'features'>> = {},
): Actor => ({
  accountId: 'a',
  accountName: 'a',
  userId: 'u',
  userNumber: 1,
  username: 'u',
  fullName: null,
  loginId: 'l',
  client: 'ECATCHER',
  stage: 'OPEN',
  confirmedAt: null,
  plan: 'PRO',
  features: PLANS.PRO,
  administrator: false,
  groupIds: [],
  groupNames: [],
  managedGroupIds: [],
  mayCreatePools: false,
  mayCreateGroups: false,
  smsSender: false,
  mailSender: false,
  poolRights: new Map(Object.entries(rights).map(([poolId, right]) => [poolId, { ...NONE, ...right }])),
  ...more,
});

const active = (...poolIds: string[]) => ({ registrationStatus: 'ACTIVE' as const, poolIds });
const waiting = (...poolIds: string[]) => ({ registrationStatus: 'PENDING_APPROVAL' as const, poolIds });

describe('what somebody may do with an Ewon', () => {
  test('EWN-12 modify on one of its pools edits; administer also adds and replaces, and removes only when it covers all pools', () => {
    expect(ewonActions(someone({ p: { modify: true } }), active('p', 'q'))).toEqual(['MODIFY']);
    const owner = someone({ p: { administer: true, modify: true } });
    expect(ewonActions(owner, active('p', 'q'))).toEqual(['MODIFY', 'ADMINISTER']);
    expect(ewonActions(owner, active('p'))).toEqual(['MODIFY', 'ADMINISTER', 'REMOVE']);
    expect(ewonActions(someone({ r: { administer: true } }), active('p'))).toEqual([]);
  });

  test('EWN-12 GRK-23 an Administrator may do everything that the state of the Ewon allows', () => {
    const administrator = someone({}, { administrator: true });
    expect(ewonActions(administrator, active('p'))).toEqual(EWON_ACTIONS.filter((action) => action !== 'APPROVE'));
    expect(ewonActions(administrator, waiting('p'))).toEqual(['MODIFY', 'ADMINISTER', 'REMOVE', 'APPROVE']);
  });

  test('EWN-13 role USER on a plan without groups connects and changes nothing', () => {
    const user = someone({}, { features: PLANS.LIGHT });
    expect(ewonActions(user, active('p'))).toEqual(['CONNECT_ECATCHER', 'CONNECT_M2WEB']);
    expect(ewonActions(user, waiting('p'))).toEqual([]);
  });

  test('GRK-17 GRK-23 while it waits only who administers its pool sees it, approves it, and nobody connects', () => {
    const connects = someone({ p: { connectEcatcher: true, connectM2web: true, modify: true } });
    expect(seesEwon(connects, active('p'))).toBe(true);
    expect(seesEwon(connects, waiting('p'))).toBe(false);
    const owner = someone({ p: { administer: true, modify: true, connectEcatcher: true } });
    expect(seesEwon(owner, waiting('p'))).toBe(true);
    expect(ewonActions(owner, waiting('p'))).toEqual(['MODIFY', 'ADMINISTER', 'REMOVE', 'APPROVE']);
  });

  test('EWN-02 any right on one of its pools shows an Ewon, a right on another pool does not', () => {
    for (const right of Object.keys(NONE)) {
      expect(seesEwon(someone({ q: { [right]: true } }), active('p', 'q'))).toBe(true);
      expect(seesEwon(someone({ r: { [right]: true } }), active('p', 'q'))).toBe(false);
    }
    expect(seesEwon(someone({ p: {} }), active('p'))).toBe(false);
  });
});

describe('what an Ewon is told by', () => {
  test.each(['2307-0101-25', 'A2307-0101-25', '0000-0000-00'])('EWN-17 %s is a serial number', (text) =>
    expect(text).toMatch(SERIAL_NUMBER),
  );
  test.each([
    '',
    '2307-0101-2',
    '2307-0101-255',
    '23070101-25',
    'a2307-0101-25',
    'AA2307-0101-25',
    ' 2307-0101-25',
    '٢307-0101-25',
  ])('EWN-17 %j is no serial number', (text) => expect(text).not.toMatch(SERIAL_NUMBER));

  test('EWN-18 firmware is compared number by number, not as text', () => {
    const ordered = ['9.10s9', '10.2s1', '10.2s10', '10.10s0', '11.1s0', '21.2s7', '100.0s0'];
    for (const [index, older] of ordered.entries()) {
      expect(older).toMatch(FIRMWARE_VERSION);
      expect(compareFirmware(older, older)).toBe(0);
      for (const newer of ordered.slice(index + 1)) {
        expect(compareFirmware(older, newer)).toBeLessThan(0);
        expect(compareFirmware(newer, older)).toBeGreaterThan(0);
      }
    }
    for (const text of ['11.1', '11.1s', '11s1', '11.1s0 ', 'v11.1s0', '-1.1s0', '11.1S0'])
      expect(text).not.toMatch(FIRMWARE_VERSION);
  });

  test.each([
    ['Press 1', 'Press+1'],
    ['a+b c', 'a%2Bb+c'],
    ['Süd/Nord?', 'S%C3%BCd%2FNord%3F'],
    ['100 % & #1', '100+%25+%26+%231'],
  ])('EWN-24 the URL-safe form of %j is %s, and says the same name', (name, encoded) => {
    expect(encodedName(name)).toBe(encoded);
    expect(new URLSearchParams(`name=${encoded}`).get('name')).toBe(name);
  });

  test('EWN-03 names differ without regard to case and to how an accent is written', () => {
    expect(nameKey('PRESS É')).toBe(nameKey('press e\u0301'));
    expect(nameKey('Press 1')).not.toBe(nameKey('Press 2'));
  });

  test('EWN-04 the reference is DEV and the number', () => expect(ewonReference(17)).toBe('DEV17'));

  test('EWN-09 it is online with a tunnel, and connected with a session besides', () => {
    const [now, later] = [new Date(1000), new Date(1001)];
    expect(ewonStatus({ gatewayId: null, wakingUntil: null }, 0, now)).toBe('OFFLINE');
    expect(ewonStatus({ gatewayId: null, wakingUntil: now }, 0, now)).toBe('OFFLINE');
    expect(ewonStatus({ gatewayId: null, wakingUntil: later }, 0, now)).toBe('WAKING_UP');
    expect(ewonStatus({ gatewayId: 'g', wakingUntil: later }, 0, now)).toBe('ONLINE');
    expect(ewonStatus({ gatewayId: 'g', wakingUntil: null }, 2, now)).toBe('CONNECTED');
  });

  test('GRK-21 only what is offline and without an open session is not in use', () => {
    expect(() => requireNotInUse({ gatewayId: null }, 0)).not.toThrow();
    const inUse = expect.objectContaining({ code: 'EWON_IN_USE' });
    expect(() => requireNotInUse({ gatewayId: 'g' }, 0)).toThrow(inUse);
    expect(() => requireNotInUse({ gatewayId: null }, 1)).toThrow(inUse);
  });
});

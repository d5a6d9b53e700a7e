import { describe, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { createPasswords, hashScheme } from './hashes.ts';
import {
  brokenConstraints,
  defaultPasswordPolicy,
  type PasswordPolicy,
  passwordExpiresAt,
  policySummary,
} from './policy.ts';
import { estimateStrength } from './strength.ts';

const DEFAULT = defaultPasswordPolicy(8);
const NOTHING: PasswordPolicy = { ...DEFAULT, passwordNeedsLetter: false, passwordNeedsDigit: false };
const violations = (password: string, policy: Partial<PasswordPolicy> = {}) =>
  brokenConstraints(password, { ...DEFAULT, ...policy });

describe('constraints', () => {
  it.each([
    ['abcdefg1', []],
    ['abcdef1', ['TOO_SHORT']],
    ['abcdefgh', ['NO_DIGIT']],
    ['12345678', ['NO_LETTER']],
    ['???????', ['TOO_SHORT', 'NO_LETTER', 'NO_DIGIT']],
    ['', ['TOO_SHORT', 'NO_LETTER', 'NO_DIGIT']],
    ['Ωμέγα-123', []],
    // Digits of other scripts are no digits (PWD-10).
    ['abcdefg٣', ['NO_DIGIT']],
  ])('PWD-20 PWD-21 the default policy says of "%s" all that it breaks', (password, broken) => {
    expect(violations(password)).toEqual(broken);
  });

  it('PWD-05 PWD-21 counts characters as people see them, from the length of the policy to 45', () => {
    expect(violations(`${'x'.repeat(44)}1`)).toEqual([]);
    expect(violations(`${'x'.repeat(45)}1`)).toEqual(['TOO_LONG']);
    expect(violations(`${'𝒳'.repeat(44)}1`)).toEqual([]);
    expect(violations(`${'𝒳'.repeat(6)}1`)).toEqual(['TOO_SHORT']);
  });

  it('PWD-05 no setting, not even a stored one, goes below 6 or above 45', () => {
    for (const length of ['5', '46'])
      expect(() => readConfig({ PASSWORD_MIN_LENGTH: length })).toThrow('PASSWORD_MIN_LENGTH');
    for (const length of ['6', '45']) expect(() => readConfig({ PASSWORD_MIN_LENGTH: length })).not.toThrow();
    expect(brokenConstraints('abcd1', { ...NOTHING, passwordMinLength: 1 })).toEqual(['TOO_SHORT']);
    expect(brokenConstraints('x'.repeat(46), { ...NOTHING, passwordMinLength: 60 })).toContain('TOO_LONG');
  });

  const SWITCHES = [
    [
      'PWD-06',
      { passwordNeedsLetter: true },
      'NO_LETTER',
      ['aaaaaaaa', 'ωωωωωωωω', '1111111x'],
      ['11111111', '????????'],
    ],
    [
      'PWD-07',
      { passwordNeedsDigit: true },
      'NO_DIGIT',
      ['aaaaaaa1'],
      ['aaaaaaaa', '????????', 'aaaaaaa٣', 'aaaaaaa½'],
    ],
    [
      'PWD-08',
      { passwordNeedsSpecial: true },
      'NO_SPECIAL',
      ['aaaa aaa', 'aaaaaaa-', 'aaaaaaa€', 'aaaaaaa٣'],
      ['aaaa1111', 'éééé1111', 'aaaaaaa\u0007', 'aaaaaaa\u200b'],
    ],
    [
      'PWD-09',
      { passwordNeedsDigitOrSpecial: true },
      'NO_DIGIT_OR_SPECIAL',
      ['aaaaaaa1', 'aaaaaaa-', 'aaaa aaa'],
      ['aaaaaaaa', 'ωωωωωωωω'],
    ],
  ] as const;
  it.each(SWITCHES)(
    'PWD-06 PWD-07 PWD-08 PWD-09 PWD-10 %s is a switch of its own',
    (_rule, setting, violation, good, bad) => {
      const policy = { ...NOTHING, ...setting };
      for (const password of good) expect(brokenConstraints(password, policy), password).toEqual([]);
      for (const password of bad) {
        expect(brokenConstraints(password, policy), password).toEqual([violation]);
        expect(brokenConstraints(password, NOTHING), password).toEqual([]);
      }
    },
  );

  it('PWD-10 the switches combine with AND', () => {
    const all = Object.assign({}, NOTHING, ...SWITCHES.map(([, setting]) => setting));
    expect(brokenConstraints('aaaaaa1-', all)).toEqual([]);
    expect(brokenConstraints('aaaaaaaa', all)).toEqual(['NO_DIGIT', 'NO_SPECIAL', 'NO_DIGIT_OR_SPECIAL']);
    expect(brokenConstraints('aaaaaaa1', all)).toEqual(['NO_SPECIAL']);
  });
});

it('PWD-03 PWD-21 one line names the active constraints and no others', () => {
  expect(policySummary(DEFAULT)).toBe('At least 8 characters, one letter, one digit');
  expect(policySummary({ ...NOTHING, passwordNeedsSpecial: true })).toBe(
    'At least 8 characters, one special character',
  );
  expect(
    policySummary({
      ...NOTHING,
      passwordMinLength: 12,
      passwordNeedsDigitOrSpecial: true,
      passwordExpiryDays: 90,
      passwordHistory: 5,
    }),
  ).toBe(
    'At least 12 characters, one digit or special character, expires after 90 days, differs from the last 5 passwords',
  );
  expect(policySummary({ ...NOTHING, passwordHistory: 1 })).toBe(
    'At least 8 characters, differs from the current password',
  );
});

it('PWD-11 PWD-15 the age of a password counts from its change or from the setting, whichever was later', () => {
  const at = (day: number) => new Date(Date.UTC(2030, 0, day));
  const policy = { ...DEFAULT, passwordExpiryDays: 10, passwordExpiryChangedAt: at(5) };
  expect(passwordExpiresAt(at(1), policy)).toEqual(at(15));
  expect(passwordExpiresAt(at(7), policy)).toEqual(at(17));
  expect(passwordExpiresAt(at(1), DEFAULT)).toBeNull();
  expect(passwordExpiresAt(null, policy)).toBeNull();
});

it('PWD-12 PWD-22 later passwords of a user keep his salt, and hashes made at another cost are still compared', async () => {
  const cost = (kib: string) =>
    createPasswords(readConfig({ PASSWORD_HASH_MEMORY_KIB: kib, PASSWORD_HASH_ITERATIONS: '2' }));
  const [before, now] = await Promise.all([cost('1024'), cost('2048')]);
  const [first, other] = await Promise.all([before.hash('First-pass-1'), before.hash('First-pass-1')]);
  expect(hashScheme(first), 'salts differ between users').not.toBe(hashScheme(other));
  expect(await before.hash('Second-pass-1', first)).not.toBe(first);
  expect(await before.hash('First-pass-1', first)).toBe(first);
  const dearer = await now.hash('First-pass-1', first);
  expect(hashScheme(dearer)).not.toBe(hashScheme(first));
  expect(dearer).toContain('m=2048');
  expect(await now.repeat(first, 'First-pass-1')).toBe(first);
  expect(await now.repeat(first, 'Second-pass-1')).not.toBe(first);
  expect(await now.verify(first, 'First-pass-1')).toBe(true);
  expect(await now.verify(dearer, 'First-pass-1')).toBe(true);
  expect(await now.verify(null, 'First-pass-1')).toBe(false);
});

it('PWD-18 the estimate ranks passwords, says why, and looks at 45 characters at most', async () => {
  expect(await estimateStrength('password', [])).toMatchObject({ score: 0, hints: ['TOP_TEN', 'ADD_WORDS'] });
  expect(await estimateStrength('correct horse battery staple', [])).toMatchObject({ score: 4, hints: [] });
  const known = await estimateStrength('talkgate-demo', ['talkgate-demo']);
  expect(known.hints).toContain('PERSONAL');
  expect((await estimateStrength('talkgate-demo', [])).score).toBeGreaterThan(known.score);
  expect(await estimateStrength(`${'a'.repeat(45)}kQ8!vT2#xW9$`, [])).toMatchObject({ score: 0 });
  expect((await estimateStrength('', [])).score).toBe(0);
});

it('PWD-18 the most laborious passwords of 45 characters take a fraction of a second', async () => {
  const begun = process.cpuUsage();
  for (const password of ['4@8({[</369&#!1|0$5+7%24@8({[</369&#!1|0$5+72', '1@'.repeat(23), 'p@55w0rd'.repeat(6)])
    await estimateStrength(password, []);
  expect(process.cpuUsage(begun).user / 1000).toBeLessThan(800);
});

import { expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { checkPassword, PasswordPolicyError } from './policy.ts';

const config = readConfig({});
const violations = (password: string): string[] => {
  try {
    checkPassword(password, config);
    return [];
  } catch (error) {
    if (error instanceof PasswordPolicyError) return error.violations;
    throw error;
  }
};

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

it('PWD-05 counts from 8 to 45 characters as people see them, not as they are stored', () => {
  expect(violations(`${'x'.repeat(44)}1`)).toEqual([]);
  expect(violations(`${'x'.repeat(45)}1`)).toEqual(['TOO_LONG']);
  expect(violations(`${'𝒳'.repeat(44)}1`)).toEqual([]);
  expect(violations(`${'𝒳'.repeat(6)}1`)).toEqual(['TOO_SHORT']);
});

it('PWD-05 no setting goes below 6 or above 45', () => {
  for (const length of ['5', '46'])
    expect(() => readConfig({ PASSWORD_MIN_LENGTH: length })).toThrow('PASSWORD_MIN_LENGTH');
  for (const length of ['6', '45']) expect(() => readConfig({ PASSWORD_MIN_LENGTH: length })).not.toThrow();
});

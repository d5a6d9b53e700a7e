import { expect, it } from 'vitest';
import { isSupportAddress } from './rules.ts';

const DOMAINS = ['hms.se', 'hms-networks.com'];

it.each([
  ['jane@hms.se', true],
  ['Jane.Doe@HMS.se', true],
  ['jane@hms-networks.com', true],
  ['"jane@hms.se"@example.com', false],
  ['jane@support.hms.se', false],
  ['jane@hms.se.', false],
  ['jane@hms.se.example.com', false],
  ['jane@xhms.se', false],
  // A Cyrillic letter, and the Kelvin sign, which is a k in lower case.
  ['jane@hms.s\u0435', false],
  ['jane@hms-networ\u212as.com', false],
  ['jane@xn--hms-.se', false],
  ['jane@hms_networks.com', false],
  ['jane@hmsnetworks.com', false],
  ['hms.se', false],
  ['jane@', false],
  ['', false],
])('SUP-04 "%s" is an address of the support organisation: %s', (email, allowed) => {
  expect(isSupportAddress(email, DOMAINS)).toBe(allowed);
});

import { describe, expect, it } from 'vitest';
import { formatIpv4, hostRange, overlaps, parseIpv4, subnetOf } from './ipv4.ts';

describe('ipv4', () => {
  it('VPN-06 never counts network and broadcast address among the usable ones', () => {
    const { first, last } = hostRange('10.238.0.0/26');
    expect(formatIpv4(first)).toBe('10.238.0.1');
    expect(formatIpv4(last)).toBe('10.238.0.62');
    expect(last - first + 1n).toBe(62n);
  });

  it('VPN-01 holds the documented address of a user in the default range', () => {
    const { first, last } = hostRange('10.236.0.0/15');
    const documented = parseIpv4('10.237.11.157');
    expect(first <= documented && documented <= last).toBe(true);
  });

  it('VPN-11 finds overlapping subnets whatever the host part says', () => {
    expect(overlaps(subnetOf('10.237.200.53/24'), subnetOf('10.236.0.0/15'))).toBe(true);
    expect(overlaps(subnetOf('10.0.0.53/24'), subnetOf('10.236.0.0/15'))).toBe(false);
    expect(overlaps(subnetOf('10.0.0.0/8'), subnetOf('10.238.0.0/15'))).toBe(true);
  });
});

/** A stretch of IPv4 addresses as numbers, both ends included. */
export interface Ipv4Range {
  first: bigint;
  last: bigint;
}

/** `10.0.0.53` as a number. The text must be an IPv4 address. */
export const parseIpv4 = (address: string): bigint =>
  address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);

export const formatIpv4 = (address: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join('.');

/** All addresses of `address/prefix`, network and broadcast address included; the host part of the address is ignored. */
export function subnetOf(cidr: string): Ipv4Range {
  const [address = '', prefix = '32'] = cidr.split('/');
  const size = 1n << (32n - BigInt(prefix));
  const first = (parseIpv4(address) / size) * size;
  return { first, last: first + size - 1n };
}

/** The host addresses of a subnet with a prefix of 30 or shorter: all but the first and the last (VPN-06). */
export function hostRange(cidr: string): Ipv4Range {
  const { first, last } = subnetOf(cidr);
  return { first: first + 1n, last: last - 1n };
}

export const overlaps = (a: Ipv4Range, b: Ipv4Range): boolean => a.first <= b.last && b.first <= a.last;

export const contains = ({ first, last }: Ipv4Range, address: string): boolean => {
  const number = parseIpv4(address);
  return number >= first && number <= last;
};

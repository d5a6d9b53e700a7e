import ipaddr from 'ipaddr.js';
import { AppError } from '../errors.ts';
import { contains, subnetOf } from '../vpn/ipv4.ts';

/*
 * Where the relay may send to (M2U-04). It stands inside the platform's network and sends what strangers say to addresses that
 * strangers name, so it must not reach anything that they could not reach themselves. What a URL says is judged when the link
 * is written; what its host resolves to is judged at each connection, of which the socket then takes that very address.
 */

/** Characters. */
export const MAX_TARGET_LENGTH = 2000;
const HTTPS_PORT = 443;
/** Below are mail, shells, file shares: servers that would take an HTTP request for something of their own. */
const FIRST_OTHER_PORT = 1024;

/** Names that mean the machine or the network of whoever resolves them. */
const LOCAL_NAME = /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa)$/;

const GLOBAL_UNICAST_IPV6 = ipaddr.parseCIDR('2000::/3');

/** The address as ipaddr.js knows it, an IPv4 address in IPv6 as the former; null for what is none. */
function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  // Four decimal parts, or IPv6: no other form is an address to those who open sockets.
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return null;
  return ipaddr.process(address);
}

/**
 * Whether an address is of the public internet: unicast, and of no range that is private, shared, local to a link or machine,
 * reserved, for documentation, or that carries IPv4 inside IPv6 over a gateway; nor of a VPN range of the platform.
 */
export function isPublicAddress(address: string, vpnRanges: readonly string[]): boolean {
  const parsed = parse(address);
  if (parsed?.range() !== 'unicast') return false;
  if (parsed instanceof ipaddr.IPv6) return parsed.match(GLOBAL_UNICAST_IPV6);
  return !vpnRanges.some((range) => contains(subnetOf(range), parsed.toString()));
}

/** Whether it is an address and not a name: of the host of a URL, IPv6 in brackets. */
export const addressIn = (hostname: string): string | null => {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return parse(bare) ? bare : null;
};

/** Why a text cannot be the target of a link; null when it can, as far as it says itself. */
function objection(text: string, mayReach: (address: string) => boolean): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || /[\s\p{Cc}\\]/u.test(text)) return 'It is not a URL.';
  if (url.protocol !== 'https:') return 'It must begin with https://.';
  if (url.username || url.password) return 'It must not carry credentials: they would be shown with the link.';
  if (url.hash) return 'It must not have a fragment.';
  const port = Number(url.port || HTTPS_PORT);
  if (port !== HTTPS_PORT && port < FIRST_OTHER_PORT) return 'Its port must be 443, or 1024 or above.';
  const address = addressIn(url.hostname);
  if (address !== null) return mayReach(address) ? null : 'Its address is not of the public internet.';
  const name = url.hostname.replace(/\.$/, '');
  if (!name.includes('.') || LOCAL_NAME.test(name)) return 'Its host must be a full name of the public internet.';
  return null;
}

/**
 * The target of a link in its normal form (M2U-04). Numbers that stand for an address in other forms (`0x7f.1`, `2130706433`)
 * are that address by then.
 * @param mayReach whether the relay may connect to an address
 * @throws AppError LINK_TARGET_FORBIDDEN with the reason
 */
export function targetIn(text: string, mayReach: (address: string) => boolean): URL {
  const why = objection(text, mayReach);
  if (why !== null) throw new AppError('LINK_TARGET_FORBIDDEN', `The link cannot lead there. ${why}`, ['url']);
  return new URL(text);
}

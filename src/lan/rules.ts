import { ewonsReadableBy } from '../ewons/rules.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { FirewallLevel, LanProtocol, Plan } from '../generated/prisma/enums.ts';
import type { TokenAccess } from '../tokens/access.ts';
import type { Actor } from '../users/actor.ts';
import { contains, hostRange } from '../vpn/ipv4.ts';

/** Which of what lies behind an Ewon a connected user reaches. */
interface Openness {
  /** ANY address of the LAN, declared devices on any port (DEVICES), or on their declared ports (PORTS). */
  lan: 'ANY' | 'DEVICES' | 'PORTS';
  services: 'ANY' | 'DECLARED';
  /** The rule of the level. */
  rule: FirewallRule;
}

/** LAN-07 to LAN-10, one row a level: what the levels mean is said here and nowhere else (LAN-11). */
const LEVELS: Record<FirewallLevel, Openness> = {
  STANDARD: { lan: 'ANY', services: 'ANY', rule: 'LAN-07' },
  HIGH: { lan: 'DEVICES', services: 'ANY', rule: 'LAN-08' },
  ENFORCED: { lan: 'PORTS', services: 'ANY', rule: 'LAN-09' },
  ULTRA: { lan: 'PORTS', services: 'DECLARED', rule: 'LAN-10' },
};

/** LAN-12: the levels that an account of a plan may choose. */
export const levelsOf = (plan: Plan): readonly FirewallLevel[] =>
  plan === 'FREE' ? ['STANDARD', 'HIGH'] : ['STANDARD', 'HIGH', 'ENFORCED', 'ULTRA'];

type FirewallRule = 'LAN-07' | 'LAN-08' | 'LAN-09' | 'LAN-10';

/** What the firewall goes by. */
export interface FirewallFacts {
  firewallLevel: FirewallLevel;
  /** The Ewon's own address with prefix length; null until it has reported it. */
  lanAddress: string | null;
  lanDevices: readonly { address: string; ports: readonly { port: number; protocol: LanProtocol }[] }[];
  services: readonly { port: number; protocol: LanProtocol }[];
}

/** An address and port behind the Ewon; `protocol` UDP is the only one that is not TCP below. */
export interface Target {
  address: string;
  /** 1–65535 */
  port: number;
  protocol: LanProtocol;
}

/** What the firewall says of a target. */
export interface Verdict {
  reachable: boolean;
  level: FirewallLevel;
  /** The rule that decided. */
  rule: FirewallRule;
  reason:
    | 'ANY_LAN_ADDRESS'
    | 'ANY_SERVICE'
    | 'DECLARED_DEVICE'
    | 'DECLARED_PORT'
    | 'DECLARED_SERVICE'
    | 'NOT_IN_LAN'
    | 'DEVICE_NOT_DECLARED'
    | 'PORT_NOT_DECLARED'
    | 'SERVICE_NOT_DECLARED';
}

/** Whether a connected user reaches the target (LAN-06 to LAN-10): asked at the opening of a stream, and of live ones when something changes. */
export function verdictOn(facts: FirewallFacts, target: Target): Verdict {
  const level = facts.firewallLevel;
  const { lan, services, rule } = LEVELS[level];
  const say = (reachable: boolean, reason: Verdict['reason']): Verdict => ({ reachable, level, rule, reason });
  const declared = (ports: readonly { port: number; protocol: LanProtocol }[]) =>
    ports.some((port) => isAt(port, target));

  if (target.address === facts.lanAddress?.split('/')[0]) {
    if (services === 'ANY') return say(true, 'ANY_SERVICE');
    return declared(facts.services) ? say(true, 'DECLARED_SERVICE') : say(false, 'SERVICE_NOT_DECLARED');
  }
  // Whatever the level, an Ewon leads to its LAN and not to the internet.
  if (facts.lanAddress === null || !isLanHost(facts.lanAddress, target.address)) return say(false, 'NOT_IN_LAN');
  if (lan === 'ANY') return say(true, 'ANY_LAN_ADDRESS');
  const devices = facts.lanDevices.filter(({ address }) => address === target.address);
  if (devices.length === 0) return say(false, 'DEVICE_NOT_DECLARED');
  if (lan === 'DEVICES') return say(true, 'DECLARED_DEVICE');
  return devices.some(({ ports }) => declared(ports)) ? say(true, 'DECLARED_PORT') : say(false, 'PORT_NOT_DECLARED');
}

/**
 * Whether an address is that of another host in the LAN: inside the subnet, neither its first nor its last address, and not
 * the Ewon's own (LAN-13).
 * @param lanAddress the Ewon's own address with prefix length, 30 or shorter
 */
export const isLanHost = (lanAddress: string, address: string): boolean =>
  address !== lanAddress.split('/')[0] && contains(hostRange(lanAddress), address);

/** What lies behind an Ewon is seen by whoever sees the Ewon (EWN-02): LAN devices and services alike. */
export const lanDevicesVisibleTo = (reader: Actor | TokenAccess): { ewon: Prisma.EwonWhereInput } => ({
  ewon: ewonsReadableBy(reader),
});

/** What of the declared things a target is: the device at its address, with its port if possible; else a service of the Ewon. */
export function declaredAt<D extends FirewallFacts['lanDevices'][number], S extends FirewallFacts['services'][number]>(
  { lanAddress, lanDevices, services }: { lanAddress: string | null; lanDevices: readonly D[]; services: readonly S[] },
  target: Target,
): { lanDevice: D | null; service: S | null } {
  if (target.address === lanAddress?.split('/')[0])
    return { lanDevice: null, service: services.find((service) => isAt(service, target)) ?? null };
  const devices = lanDevices.filter(({ address }) => address === target.address);
  const exact = devices.find(({ ports }) => ports.some((port) => isAt(port, target)));
  return { lanDevice: exact ?? devices[0] ?? null, service: null };
}

/** Whether a declared port is the target's: HTTP and the like are TCP (LAN-04). */
const isAt = ({ port, protocol }: { port: number; protocol: LanProtocol }, target: Target): boolean =>
  port === target.port && transportOf(protocol) === transportOf(target.protocol);

/** What a protocol is carried by. */
const transportOf = (protocol: LanProtocol): 'TCP' | 'UDP' => (protocol === 'UDP' ? 'UDP' : 'TCP');

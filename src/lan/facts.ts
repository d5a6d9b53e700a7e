import type { Prisma } from '../generated/prisma/client.ts';
import type { FirewallFacts } from './rules.ts';

/** What to read of an Ewon to ask `verdictOn` about it; see {@link firewallFactsOf}. */
export const FIREWALL_FACTS = {
  firewallLevel: true,
  lanAddress: true,
  lanDevices: { select: { address: true, ports: { select: { port: true, protocol: true } } } },
  services: { select: { port: true, protocol: true } },
} as const satisfies Prisma.EwonSelect;

type FirewallRow = Prisma.EwonGetPayload<{ select: typeof FIREWALL_FACTS }>;

/** What the firewall goes by, of an Ewon read with {@link FIREWALL_FACTS} (and perhaps more). */
export const firewallFactsOf = ({ firewallLevel, lanAddress, lanDevices, services }: FirewallRow): FirewallFacts => ({
  firewallLevel,
  lanAddress,
  lanDevices,
  services,
});

import type { Prisma } from '../generated/prisma/client.ts';

/** What to read of an Ewon to ask `verdictOn` about it: the row goes in as it is. */
export const FIREWALL_FACTS = {
  firewallLevel: true,
  lanAddress: true,
  lanDevices: { select: { address: true, ports: { select: { port: true, protocol: true } } } },
  services: { select: { port: true, protocol: true } },
} as const satisfies Prisma.EwonSelect;

import { isIPv4 } from 'node:net';
import { contains, subnetOf } from '../vpn/ipv4.ts';

/** Where something is, to a city's precision (PRV-09): two decimals, about a kilometre. */
export interface Position {
  /** Degrees, -90 to 90. */
  latitude: number;
  /** Degrees, -180 to 180. */
  longitude: number;
}

/**
 * What derives the position of an Ewon from its WAN address (PRV-09). It is asked inside a transaction, so it must answer from
 * what it has: a table or a file, not a service.
 */
export interface Geolocator {
  /** @param address IPv4, without prefix length. Null when it knows no position. */
  locate(address: string): Position | null;
}

/** The places of the simulated fleet, in the order of its sites: a device has the WAN address that leads to its own. */
const CITIES: readonly [Position, ...Position[]] = [
  { latitude: 50.78, longitude: 6.08 }, // Aachen
  { latitude: 60.39, longitude: 5.32 }, // Bergen
  { latitude: 51.05, longitude: 3.72 }, // Ghent
  { latitude: 47.07, longitude: 15.44 }, // Graz
  { latitude: 45.76, longitude: 4.84 }, // Lyon
  { latitude: 50.47, longitude: 4.87 }, // Namur
  { latitude: 50.6, longitude: 4.33 }, // Nivelles
  { latitude: 41.15, longitude: -8.61 }, // Porto
  { latitude: 61.5, longitude: 23.76 }, // Tampere
  { latitude: 45.44, longitude: 10.99 }, // Verona
];

/** Shared and private ranges mean nothing in the real internet; simulated devices have their WAN addresses there. */
const SIMULATED = [
  { subnet: subnetOf('100.64.0.0/10'), octet: 1, first: 64 },
  { subnet: subnetOf('192.168.0.0/16'), octet: 2, first: 0 },
];

/** Knows the addresses of simulated devices, and no other: the platform needs no data of third parties to start. */
export const simulatedGeolocator: Geolocator = {
  locate: (address) => {
    if (!isIPv4(address)) return null;
    const range = SIMULATED.find(({ subnet }) => contains(subnet, address));
    if (!range) return null;
    const place = Number(address.split('.')[range.octet]) - range.first;
    return CITIES[place % CITIES.length] ?? null;
  },
};

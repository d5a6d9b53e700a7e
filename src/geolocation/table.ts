import { open } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError } from '../config.ts';
import { parseIpv4, subnetOf } from '../vpn/ipv4.ts';
import type { Geolocator } from './resolver.ts';

/** Stretches of addresses with their place, ordered by their first address; they do not overlap. */
interface Table {
  first: Uint32Array;
  last: Uint32Array;
  /** Hundredths of a degree, the precision of a city (PRV-09). */
  latitude: Int16Array;
  longitude: Int16Array;
}

interface Row {
  first: number;
  last: number;
  latitude: number;
  longitude: number;
  line: number;
}

const cidr = z.cidrv4();
const DEGREES = /^-?\d{1,3}(?:\.\d{1,10})?$/;
const HEADER = /^network,/i;

/** One line of the table, or what is wrong with it. */
function readLine(text: string, line: number): Row | string {
  const [network = '', north = '', east = '', ...more] = text.split(',').map((part) => part.trim());
  if (more.length > 0 || east === '') return 'needs three values: network, latitude, longitude';
  if (!cidr.safeParse(network).success)
    return `"${network.slice(0, 50)}" is not an IPv4 network such as 203.0.113.0/24`;
  const [latitude, longitude] = [Number(north), Number(east)];
  if (!DEGREES.test(north) || Math.abs(latitude) > 90) return `"${north.slice(0, 50)}" is not a latitude`;
  if (!DEGREES.test(east) || Math.abs(longitude) > 180) return `"${east.slice(0, 50)}" is not a longitude`;
  const { first, last } = subnetOf(network);
  const hundredths = (degrees: number) => Math.round(degrees * 100);
  return {
    ...{ first: Number(first), last: Number(last), line },
    ...{ latitude: hundredths(latitude), longitude: hundredths(longitude) },
  };
}

/**
 * Reads a table of networks and places: a line `CIDR,latitude,longitude` each, in any order, IPv4, without overlaps. Empty
 * lines, lines that begin with `#`, and a first line `network,…` are passed over.
 * @throws ConfigError that names the first line that is wrong
 */
export async function openGeolocationTable(path: string): Promise<Geolocator> {
  const wrong = (why: string) => new ConfigError(`GEOLOCATION_FILE is "${path}", which cannot be used: ${why}.`);
  const rows: Row[] = [];
  let line = 0;
  try {
    await using file = await open(path);
    if (!(await file.stat()).isFile()) throw wrong('it is not a file');
    for await (const text of file.readLines()) {
      line += 1;
      const bare = (line === 1 ? text.replace(/^\uFEFF/, '') : text).trim();
      if (bare === '' || bare.startsWith('#') || (line === 1 && HEADER.test(bare))) continue;
      const row = readLine(bare, line);
      if (typeof row === 'string') throw wrong(`line ${line}: ${row}`);
      rows.push(row);
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw wrong(`it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  if (rows.length === 0) throw wrong('it names no network');
  rows.sort((a, b) => a.first - b.first || a.line - b.line);
  const overlap = rows.findIndex((row, index) => index > 0 && row.first <= (rows[index - 1]?.last ?? -1));
  if (overlap > 0) throw wrong(`lines ${rows[overlap - 1]?.line} and ${rows[overlap]?.line} overlap`);
  return locatorOf({
    first: Uint32Array.from(rows, (row) => row.first),
    last: Uint32Array.from(rows, (row) => row.last),
    latitude: Int16Array.from(rows, (row) => row.latitude),
    longitude: Int16Array.from(rows, (row) => row.longitude),
  });
}

function locatorOf({ first, last, latitude, longitude }: Table): Geolocator {
  return {
    locate: (address) => {
      if (!z.ipv4().safeParse(address).success) return null;
      const number = Number(parseIpv4(address));
      // The last row that begins at the address or before it.
      let [low, high] = [0, first.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((first[middle] ?? 0) <= number) low = middle + 1;
        else high = middle;
      }
      const at = low - 1;
      if (at < 0 || number > (last[at] ?? -1)) return null;
      return { latitude: (latitude[at] ?? 0) / 100, longitude: (longitude[at] ?? 0) / 100 };
    },
  };
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deviceProfile } from '../../device-sim/fleet.ts';
import { ConfigError, readConfig } from '../config.ts';
import { simulatedGeolocator } from './resolver.ts';
import { openGeolocationTable } from './table.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'geolocation-'));
});
afterAll(() => rm(folder, { recursive: true }));

const file = () => join(folder, 'table.csv');
async function table(text: string) {
  await writeFile(file(), text);
  return openGeolocationTable(file());
}
const refusal = async (text: string): Promise<string> => {
  const error = await table(text).catch((failure: unknown) => failure);
  if (error instanceof ConfigError) return error.message;
  throw new Error(`Not refused: ${text}`);
};

describe('the table of networks', () => {
  it('PRV-09 finds the network of an address, at its edges too, to two decimals', async () => {
    const locator = await table(
      '\uFEFFnetwork,latitude,longitude\r\n# offices\r\n203.0.113.0/24,50.4711,4.8694\r\n\r\n198.51.100.128/25,-33.865,151.2094\n0.0.0.0/8, -90 ,-180\n255.255.255.255/32,90,180\n',
    );
    const namur = { latitude: 50.47, longitude: 4.87 };
    expect(locator.locate('203.0.113.0')).toEqual(namur);
    expect(locator.locate('203.0.113.255')).toEqual(namur);
    expect(locator.locate('198.51.100.128')).toEqual({ latitude: -33.86, longitude: 151.21 });
    expect(locator.locate('0.255.255.255')).toEqual({ latitude: -90, longitude: -180 });
    expect(locator.locate('255.255.255.255')).toEqual({ latitude: 90, longitude: 180 });
    for (const address of [
      '203.0.112.255',
      '203.0.114.0',
      '198.51.100.127',
      '1.0.0.0',
      '',
      'x',
      '::1',
      '203.0.113.1/24',
    ])
      expect(locator.locate(address), address).toBeNull();
  });

  it('PRV-09 finds each of a thousand networks in any order, and nothing between them', async () => {
    const networks = Array.from(
      { length: 1000 },
      (_, index) => `20.${index >> 8}.${index & 255}.0/25,${index / 100},0`,
    );
    const locator = await table(networks.reverse().join('\n'));
    for (let index = 0; index < 1000; index += 1) {
      expect(locator.locate(`20.${index >> 8}.${index & 255}.127`)?.latitude).toBe(index / 100);
      expect(locator.locate(`20.${index >> 8}.${index & 255}.128`)).toBeNull();
    }
  });

  it.each([
    ['203.0.113.0/24,1', 'line 1: needs three values'],
    ['# fine\n203.0.113.0/24,1,2,3', 'line 2: needs three values'],
    ['203.0.113.0,1,2', 'line 1: "203.0.113.0" is not an IPv4 network'],
    ['2001:db8::/32,1,2', 'is not an IPv4 network'],
    ['203.0.113.0/24,90.01,2', '"90.01" is not a latitude'],
    ['203.0.113.0/24,,2', '"" is not a latitude'],
    ['203.0.113.0/24,1,-181', '"-181" is not a longitude'],
    ['203.0.113.0/24,1,1e2', '"1e2" is not a longitude'],
    ['203.0.113.0/24,1,2\nnetwork,latitude,longitude', 'line 2: "network"'],
    ['203.0.113.0/24,1,2\n\n203.0.113.128/25,1,2', 'lines 1 and 3 overlap'],
    ['203.0.113.128/25,1,2\n203.0.113.0/24,1,2', 'lines 2 and 1 overlap'],
    ['# nothing', 'it names no network'],
  ])('PRV-09 refuses %j', async (text, reason) => {
    const message = await refusal(text);
    expect(message).toMatch(/^GEOLOCATION_FILE is ".*", which cannot be used: [^\n]+\.$/);
    expect(message).toContain(reason);
  });

  it('PRV-09 refuses what is no file', async () => {
    await expect(openGeolocationTable(join(folder, 'missing'))).rejects.toThrow(/it cannot be read \(ENOENT\)/);
    await expect(openGeolocationTable(folder)).rejects.toThrow(ConfigError);
    expect(readConfig({}).geolocationFile).toBeNull();
    expect(readConfig({ GEOLOCATION_FILE: '/x.csv' }).geolocationFile).toBe('/x.csv');
  });
});

describe('the simulated fleet', () => {
  it('PRV-09 a simulated device has a WAN address that leads to the town in its name', () => {
    for (let index = 0; index < 300; index += 1) {
      const { name, position, facts } = deviceProfile('places', index);
      const address = facts.wanAddress.split('/')[0] ?? '';
      expect(simulatedGeolocator.locate(address), `${name} ${address}`).toEqual(position);
    }
    expect(simulatedGeolocator.locate('203.0.113.1')).toBeNull();
  });
});

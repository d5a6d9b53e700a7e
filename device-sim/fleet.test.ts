import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DeviceFacts } from '../src/gateway/protocol.ts';
import { type FakeGateway, startFakeGateway } from '../test/support/fake-gateway.ts';
import { createFleet, deviceProfile, serialNumberOf } from './fleet.ts';
import { folderStore } from './state.ts';

const PROOF = { registrationKey: 'GRK-abcdefghijklmnopqrstuvwxyz12' };

describe('devices of a seed', () => {
  test('SIM-03 the same seed gives the same devices, whatever the size of the fleet; another seed gives others', () => {
    const devices = (seed: string, count: number) =>
      Array.from({ length: count }, (_, index) => deviceProfile(seed, index));
    expect(devices('a', 50)).toEqual(devices('a', 50));
    expect(devices('a', 5)).toEqual(devices('a', 50).slice(0, 5));
    expect(devices('b', 5)).not.toEqual(devices('a', 5));
    // Held fast: fleets in state folders were made by these.
    expect(deviceProfile('talkgate', 0)).toMatchInlineSnapshot(`
      {
        "facts": {
          "digitalInput": false,
          "digitalInputPolicy": "IGNORE",
          "firmwareVersion": "14.8s2",
          "geolocationEnabled": true,
          "lanAddress": "10.0.0.53/24",
          "model": "FLEXY",
          "serialNumber": "2418-3797-37",
          "transport": "TCP",
          "wanAddress": "192.168.39.202/24",
          "wanType": "ETHERNET",
        },
        "name": "Pump station Verona 01",
        "position": {
          "latitude": 45.44,
          "longitude": 10.99,
        },
      }
    `);
  });

  test('EWN-17 serial numbers have the form of the protocol and are each different', () => {
    const serials = Array.from({ length: 20_000 }, (_, index) => serialNumberOf('a', index));
    expect(new Set(serials).size).toBe(serials.length);
    expect(serials.filter((serial) => !/^\d{4}-\d{4}-\d{2}$/.test(serial))).toEqual([]);
    expect(serialNumberOf('a', 415_999_999)).not.toBe(serialNumberOf('a', 0));
    expect(serialNumberOf('a', 416_000_000)).toBe(serialNumberOf('a', 0));
  });

  test('SIM-02 every device has facts that the protocol accepts, names of their own, and the LAN of GW-11', () => {
    const profiles = Array.from({ length: 500 }, (_, index) => deviceProfile('facts', index));
    for (const { facts } of profiles) expect(DeviceFacts.parse(facts)).toEqual(facts);
    expect(new Set(profiles.map(({ name }) => name)).size).toBe(500);
    expect(new Set(profiles.map(({ position }) => position.latitude)).size).toBe(10);
    expect(new Set(profiles.map(({ facts }) => facts.lanAddress))).toEqual(new Set(['10.0.0.53/24']));
    for (const fact of ['model', 'wanType', 'transport', 'digitalInput'] as const) {
      expect(new Set(profiles.map(({ facts }) => facts[fact])).size).toBeGreaterThan(1);
    }
  });
});

describe('a fleet', () => {
  let gateway: FakeGateway;
  let folder: string;
  beforeEach(async () => {
    gateway = await startFakeGateway();
    folder = await mkdtemp(join(tmpdir(), 'talkgate-fleet-'));
  });
  afterEach(async () => {
    await gateway.close();
    await rm(folder, { recursive: true });
  });

  const newFleet = () =>
    createFleet({
      count: 8,
      seed: 'fleet',
      stateStore: folderStore(folder),
      platform: { deviceUrl: gateway.deviceUrl },
    });

  test('SIM-04 after a restart it is the same fleet and registers no device again', async () => {
    const fleet = await newFleet();
    const phases: string[] = [];
    fleet.on('progress', ({ phase, done, total }) => phases.push(`${phase} ${done}/${total}`));
    expect((await fleet.registerAll(PROOF)).map(({ outcome }) => outcome)).toEqual(Array(8).fill('REGISTERED'));
    expect((await fleet.connectAll({ concurrency: 3 })).map(({ outcome }) => outcome)).toEqual(
      Array(8).fill('CONNECTED'),
    );
    expect(phases).toEqual(
      [...Array(8).keys()]
        .flatMap((n) => `register ${n + 1}/8`)
        .concat([...Array(8).keys()].map((n) => `connect ${n + 1}/8`)),
    );
    expect(fleet.counts()).toMatchObject({ online: 8, closed: 0 });
    expect(new Set(gateway.enrolments.map(({ description }) => description))).toEqual(
      new Set(Array.from({ length: 8 }, (_, n) => deviceProfile('fleet', n).name)),
    );
    await fleet.closeAll();
    expect(fleet.counts()).toMatchObject({ online: 0, closed: 8 });

    const restarted = await newFleet();
    const certificates = (of: typeof fleet) => of.devices.map(({ certificate }) => certificate);
    expect(certificates(restarted)).toEqual(certificates(fleet));
    expect((await restarted.registerAll(PROOF)).map(({ outcome }) => outcome)).toEqual(Array(8).fill('IGNORED'));
    await restarted.connectAll();
    expect(restarted.counts()).toMatchObject({ online: 8 });
    await restarted.closeAll();
    expect(gateway.enrolments).toHaveLength(8);
  });

  test('SIM-02 a device that is refused does not hold up the others, and one that is asked to come later does', async () => {
    const fleet = await newFleet();
    const { onEnrol } = gateway.behaviour;
    const refused = fleet.devices[2]?.serialNumber;
    let tooMany = 2;
    gateway.behaviour.onEnrol = (request) => {
      if (request.serialNumber === refused)
        return { status: 409, body: { code: 'DEVICE_ALREADY_REGISTERED', message: 'Taken.' } };
      if (tooMany-- > 0) return { status: 429, body: { code: 'TOO_MANY_REQUESTS', message: 'Later.', retryAfter: 1 } };
      return onEnrol(request);
    };
    const results = await fleet.registerAll(PROOF, { concurrency: 8 });
    expect(results.map(({ outcome }) => outcome)).toEqual(
      fleet.devices.map(({ serialNumber }) => (serialNumber === refused ? 'FAILED' : 'REGISTERED')),
    );
    expect(results[2]).toMatchObject({ error: { code: 'DEVICE_ALREADY_REGISTERED' } });
    expect(await fleet.connectAll()).toHaveLength(7);
    await fleet.closeAll();
  });

  test('SIM-02 it stops at once when it is told to', async () => {
    const fleet = await newFleet();
    await fleet.registerAll(PROOF);
    gateway.behaviour.refuseUpgrade = { status: 503, body: 'not now' };
    const stop = new AbortController();
    const connecting = fleet.connectAll({ concurrency: 2, signal: stop.signal });
    await fleet.devices[0]?.waitFor((device) => device.tunnelState === 'retrying');
    stop.abort();
    expect((await connecting).map(({ outcome }) => outcome)).toEqual(Array(8).fill('FAILED'));
    expect(fleet.counts()).toMatchObject({ closed: 8 });
  });
});

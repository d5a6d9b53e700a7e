import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { deadline } from '../client/deadline.ts';
import { fetchAuthority } from '../client/device-port.ts';
import { CodedError } from '../client/errors.ts';
import type { DeviceFacts, EnrolmentProof } from '../src/gateway/protocol.ts';
import { createDevice, type Device, type DeviceOptions, type Registration } from './device.ts';
import { hashOf, seededRandom } from './random.ts';

/** A device as a seed describes it. */
export interface DeviceProfile {
  /** As its installer would call it; unique in the fleet. */
  name: string;
  facts: DeviceFacts;
  /** Where it stands, in degrees. The platform derives its own from the WAN address. */
  position: { latitude: number; longitude: number };
}

/** Week of production, number, check number: `2307-0101-25`. */
const SERIALS = { years: 8, weeks: 52, numbers: 10_000, checks: 100 };
const SERIAL_COUNT = SERIALS.years * SERIALS.weeks * SERIALS.numbers * SERIALS.checks;
/** Has no factor in common with SERIAL_COUNT (2, 5 and 13), so that the indexes below it all get serial numbers of their own. */
const SERIAL_STRIDE = 137_912_483;

/**
 * The serial number (EWN-17) of a device: the same for the same seed and index (SIM-03), different for every index below
 * 416,000,000 of one seed.
 */
export function serialNumberOf(seed: string, index: number): string {
  // BigInt, because the product leaves the safe integers at an index of ninety million.
  let rest = Number((BigInt(hashOf(seed)) + BigInt(index) * BigInt(SERIAL_STRIDE)) % BigInt(SERIAL_COUNT));
  const take = (count: number) => {
    const value = rest % count;
    rest = Math.floor(rest / count);
    return value;
  };
  const check = take(SERIALS.checks);
  const number = take(SERIALS.numbers);
  const week = take(SERIALS.weeks) + 1;
  const year = 18 + take(SERIALS.years);
  const digits = (value: number, length: number) => String(value).padStart(length, '0');
  return `${digits(year, 2)}${digits(week, 2)}-${digits(number, 4)}-${digits(check, 2)}`;
}

const MACHINES = [
  'Bottling line',
  'Boiler',
  'Compressor',
  'Crane',
  'Drying oven',
  'Packer',
  'Press',
  'Pump station',
  'Wind turbine',
];
/** With latitude and longitude. WAN addresses lead to them by their place in this list, as the platform’s resolver reads them. */
const SITES = [
  ['Aachen', 50.78, 6.08],
  ['Bergen', 60.39, 5.32],
  ['Ghent', 51.05, 3.72],
  ['Graz', 47.07, 15.44],
  ['Lyon', 45.76, 4.84],
  ['Namur', 50.47, 4.87],
  ['Nivelles', 50.6, 4.33],
  ['Porto', 41.15, -8.61],
  ['Tampere', 61.5, 23.76],
  ['Verona', 45.44, 10.99],
] as const;
const FIRMWARE = {
  COSY: ['14.6s0', '14.8s0'],
  COSY_PLUS: ['21.2s7', '22.1s0', '22.2s3'],
  FLEXY: ['14.7s1', '14.8s2', '15.0s0'],
} as const;
const MODELS = ['COSY', 'COSY_PLUS', 'FLEXY'] as const;
const WAN_TYPES = ['ETHERNET', 'ETHERNET', 'WIFI', 'CELLULAR'] as const;

/** Device `index` of the fleet of a seed (SIM-02, SIM-03). It does not depend on the size of the fleet. */
export function deviceProfile(seed: string, index: number): DeviceProfile {
  const random = seededRandom(`${seed}/${index}`);
  const pick = <T>(values: readonly [T, ...T[]] | readonly T[]) => values[Math.floor(random() * values.length)] as T;
  const below = (limit: number) => Math.floor(random() * limit);

  const model = pick(MODELS);
  const wanType = pick(WAN_TYPES);
  const host = 2 + below(250);
  const machine = pick(MACHINES);
  const site = pick(SITES);
  const [town, latitude, longitude] = site;
  // One of these numbers below the limit that leads to the site (PRV-09).
  const leadingThere = (limit: number) => {
    const number = below(limit);
    const there = number - (number % SITES.length) + SITES.indexOf(site);
    return there < limit ? there : there - SITES.length;
  };
  return {
    name: `${machine} ${town} ${String(index + 1).padStart(2, '0')}`,
    position: { latitude, longitude },
    facts: {
      serialNumber: serialNumberOf(seed, index),
      model,
      firmwareVersion: pick(FIRMWARE[model]),
      // GW-11; the WAN must not overlap it (VPN-12).
      lanAddress: '10.0.0.53/24',
      wanType,
      wanAddress:
        wanType === 'CELLULAR'
          ? `100.${64 + leadingThere(64)}.${below(256)}.${host}`
          : `192.168.${leadingThere(256)}.${host}/24`,
      geolocationEnabled: random() < 0.5,
      digitalInput: random() < 0.5,
      digitalInputPolicy: 'IGNORE',
      transport: random() < 0.8 ? 'TCP' : 'UDP',
    },
  };
}

export interface FleetOptions extends Omit<DeviceOptions, 'facts' | 'random'> {
  /** How many devices; the first ones of a larger fleet of the same seed. */
  count: number;
  /** The same seed gives the same devices (SIM-03). */
  seed: string;
  /** Facts that a test or a demo wants otherwise. */
  facts?: (profile: DeviceProfile, index: number) => Partial<DeviceFacts>;
  /** What differs from device to device. */
  each?: (index: number) => Partial<Omit<DeviceOptions, 'facts' | 'stateStore' | 'platform'>>;
}

export interface FleetProgress {
  phase: 'register' | 'connect';
  done: number;
  failed: number;
  total: number;
}

/** What came of one device. */
export type FleetResult = { device: Device; ms: number } & (
  | { outcome: Registration['outcome'] | 'CONNECTED' }
  | { outcome: 'FAILED'; error: unknown }
);

export interface FleetCallOptions {
  /** How many devices at a time. */
  concurrency?: number;
  /** For each device; a platform that asks to come later is obeyed within this time. */
  withinMs?: number;
  signal?: AbortSignal;
}

/** Makes a fleet, or brings it back from its store (SIM-04). */
export async function createFleet({ count, seed, facts, each, ...options }: FleetOptions): Promise<Fleet> {
  const { authority = onceForEach(fetchAuthority), ...platform } = options.platform;
  const devices = await pLimit(20).map(Array.from({ length: count }).keys(), async (index) => {
    const profile = deviceProfile(seed, index);
    return createDevice({
      ...options,
      ...each?.(index),
      platform: { ...platform, authority },
      facts: { ...profile.facts, ...facts?.(profile, index) },
      random: seededRandom(`${seed}/${index}/jitter`),
    });
  });
  return new Fleet(seed, devices);
}

/** Several devices with verbs for all of them. A device that fails does not hold up the others; it is in the result. */
export class Fleet extends EventEmitter<{ progress: [FleetProgress] }> {
  constructor(
    readonly seed: string,
    readonly devices: readonly Device[],
  ) {
    super();
  }

  /** Registers the devices that are not registered yet; each is described by its name (GRK-13). */
  async registerAll(proof: EnrolmentProof, options: FleetCallOptions = {}): Promise<FleetResult[]> {
    const { concurrency = 4, withinMs = 60_000 } = options;
    using end = deadline(undefined, options.signal);
    const { signal } = end;
    return await this.#each('register', this.devices, concurrency, async (device, index) => {
      const description = deviceProfile(this.seed, index).name;
      const latest = Date.now() + withinMs;
      for (;;) {
        signal.throwIfAborted();
        try {
          return (await device.register(proof, { description, signal })).outcome;
        } catch (error) {
          const waitMs = retryAfterMs(error);
          if (waitMs === undefined || Date.now() + waitMs > latest) throw error;
          await delay(waitMs, undefined, { signal });
        }
      }
    });
  }

  /** Opens the tunnels of all registered devices but those on demand; those that lose it come again by themselves. */
  async connectAll(options: FleetCallOptions = {}): Promise<FleetResult[]> {
    const { concurrency = 20, withinMs = 60_000 } = options;
    using end = deadline(undefined, options.signal);
    const { signal } = end;
    const registered = this.devices.filter(
      ({ state, connectionMode }) => state !== 'NEW' && connectionMode === 'PERMANENT',
    );
    return await this.#each('connect', registered, concurrency, async (device) => {
      signal.throwIfAborted();
      const stop = () => void device.disconnect();
      signal.addEventListener('abort', stop, { once: true });
      await device.connect({ withinMs }).finally(() => signal.removeEventListener('abort', stop));
      return 'CONNECTED';
    });
  }

  /** How many tunnels are in which state. */
  counts(): Record<Device['tunnelState'], number> {
    const counts = { closed: 0, connecting: 0, waiting: 0, online: 0, retrying: 0, vanished: 0 };
    for (const { tunnelState } of this.devices) counts[tunnelState] += 1;
    return counts;
  }

  /** Closes all tunnels in an orderly way. */
  async closeAll(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.disconnect()));
  }

  #each(
    phase: FleetProgress['phase'],
    devices: readonly Device[],
    concurrency: number,
    act: (device: Device, index: number) => Promise<Exclude<FleetResult['outcome'], 'FAILED'>>,
  ): Promise<FleetResult[]> {
    const progress = { phase, done: 0, failed: 0, total: devices.length };
    return pLimit(concurrency).map(devices, async (device, index) => {
      const start = performance.now();
      let result: FleetResult;
      try {
        const outcome = await act(device, index);
        result = { device, outcome, ms: performance.now() - start };
      } catch (error) {
        progress.failed += 1;
        result = { device, outcome: 'FAILED', error, ms: performance.now() - start };
      }
      progress.done += 1;
      this.emit('progress', { ...progress });
      return result;
    });
  }
}

/** When the platform wants to be asked again, if that is what an error says. */
function retryAfterMs(error: unknown): number | undefined {
  if (!(error instanceof CodedError) || error.code !== 'TOO_MANY_REQUESTS') return undefined;
  return Math.max(1, error.retryAfter ?? 1) * 1000;
}

/** A fleet meets a platform once, not with every device. A failure is not kept. */
function onceForEach(fetch: typeof fetchAuthority): (deviceUrl: string) => Promise<string> {
  const met = new Map<string, Promise<string>>();
  return (deviceUrl) => {
    const known = met.get(deviceUrl);
    if (known !== undefined) return known;
    const meeting = fetch(deviceUrl, { timeoutMs: 15_000 });
    met.set(deviceUrl, meeting);
    meeting.catch(() => met.delete(deviceUrl));
    return meeting;
  };
}

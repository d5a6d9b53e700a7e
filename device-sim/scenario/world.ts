import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { fetchAuthority } from '../../client/device-port.ts';
import { CodedError, codeOf } from '../../client/errors.ts';
import { CREATE_LAN_DEVICE, SET_FIREWALL_LEVEL, SET_ON_DEMAND } from '../account-operations.ts';
import { Administrator, type EwonState } from '../administrator.ts';
import { createDevice, type Device } from '../device.ts';
import { deviceProfile } from '../fleet.ts';
import { accepted } from '../patience.ts';
import type { PhoneNetwork } from '../phone-network.ts';
import { seededRandom } from '../random.ts';
import type { Summary } from '../summary.ts';
import { SimulatedUser } from '../users.ts';
import type { DeviceGroup } from './format.ts';
import type { Platform } from './platform.ts';
import type { ScenarioPlan } from './read.ts';

export const ADMINISTRATOR = 'admin';
/** Of everybody in a scenario; what an account of a simulation guards is not worth another. */
const PASSWORD = 'Scenario-pass-1';
/** Quick, since a scenario waits for its devices in real time. */
const RECONNECT = { baseMs: 200, capMs: 2000 };
/** Between two looks at what the platform shows. */
const LOOK_MS = 100;

/** Everything that a scenario plays with. */
export interface World {
  plan: ScenarioPlan;
  platform: Platform;
  administrator: Administrator;
  phone: PhoneNetwork | undefined;
  summary: Summary;
  signal: AbortSignal;
  /** Of everybody in the account. */
  password: string;
  /** PEM */
  authority: string;
  devices: Map<string, Device>;
  users: Map<string, SimulatedUser>;
  /** Those who stand in the queue: what came of it, the error or undefined. */
  waiting: Map<string, Promise<unknown>>;
  states: EwonStates;
}

export interface WorldOptions {
  plan: ScenarioPlan;
  platform: Platform;
  phone: PhoneNetwork | undefined;
  summary: Summary;
  account: string;
  signal: AbortSignal;
  /** One line: what is being done, with how many devices of how many. */
  onProgress: (text: string) => void;
}

/** The Ewons as the Administrator sees them; whoever waits for one shares the look. */
class EwonStates {
  readonly #administrator: Administrator;
  #looking: Promise<Map<string, EwonState>> | undefined;
  #next: Promise<Map<string, EwonState>> | undefined;

  constructor(administrator: Administrator) {
    this.#administrator = administrator;
  }

  /** By serial number, as they are after this call began. */
  look(): Promise<Map<string, EwonState>> {
    if (this.#looking === undefined) return this.#begin();
    this.#next ??= this.#looking
      .catch(() => undefined)
      .then(() => delay(LOOK_MS))
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  /** The Ewon of a device. @throws CodedError `NOT_FOUND` */
  async of({ serialNumber }: Device): Promise<EwonState> {
    const ewon = (await this.look()).get(serialNumber);
    if (ewon === undefined) throw new CodedError('NOT_FOUND', `The account has no Ewon ${serialNumber}.`);
    return ewon;
  }

  /** Waits until the platform shows a device as online or not. @throws CodedError `TIMEOUT` */
  async until(device: Device, wanted: 'ONLINE' | 'OFFLINE', withinMs: number): Promise<void> {
    const latest = Date.now() + withinMs;
    for (;;) {
      const { status } = await this.of(device);
      const online = status === 'ONLINE' || status === 'CONNECTED';
      if (online === (wanted === 'ONLINE')) return;
      if (Date.now() > latest) {
        const waited = `within ${withinMs / 1000} s: it is ${status}`;
        throw new CodedError('TIMEOUT', `Ewon ${device.serialNumber} was not ${wanted} ${waited}.`);
      }
    }
  }

  #begin(): Promise<Map<string, EwonState>> {
    const looking = this.#administrator.ewons().finally(() => {
      if (this.#looking === looking) this.#looking = undefined;
    });
    this.#looking = looking;
    return looking;
  }
}

/** Makes the account with its groups and users, and the devices as they are before the first step. */
export async function buildWorld(options: WorldOptions): Promise<World> {
  const { plan, platform, account, signal } = options;
  const administrator = new Administrator({
    apiUrl: platform.apiUrl,
    account,
    username: ADMINISTRATOR,
    password: PASSWORD,
    signal,
  });
  const world: World = {
    ...options,
    administrator,
    password: PASSWORD,
    authority: await fetchAuthority(platform.deviceUrl, { timeoutMs: 15_000, signal }),
    devices: new Map(),
    users: new Map(),
    waiting: new Map(),
    states: new EwonStates(administrator),
  };
  await administrator.createAccount(plan.account.plan, platform.operator);
  if (plan.account.slots !== undefined && plan.account.slots !== (await administrator.slots()))
    await administrator.setSlots(plan.account.slots);
  const pools = await makePools(world);
  await makeUsers(world, pools);
  try {
    await makeDevices(world);
    await prepareDevices(world, pools, options.onProgress);
  } catch (error) {
    await leaveWorld(world);
    throw error;
  }
  return world;
}

/** Everybody leaves, and every device goes. */
export async function leaveWorld({ users, devices }: World): Promise<void> {
  await Promise.all([...users.values()].map((user) => user.leave()));
  await Promise.all([...devices.values()].map((device) => device.disconnect()));
}

/** A person of the account, who logs in with the scenario's password. */
export function addUser(world: World, name: string, username = name): void {
  const { plan, platform, administrator, authority, password } = world;
  const user = new SimulatedUser({
    apiUrl: platform.apiUrl,
    account: administrator.account,
    username,
    password,
    holdTunnel: { authority },
    patienceMs: 60_000,
    random: seededRandom(`${plan.seed}/${name}`),
  });
  world.users.set(name, user);
}

async function makePools({ plan, administrator }: World): Promise<Map<string, string>> {
  const wanted = [...Object.values(plan.groups), ...Object.values(plan.devices)].flatMap(({ pools }) => pools);
  const pools = await administrator.pools();
  for (const name of new Set(wanted)) if (!pools.has(name)) pools.set(name, await administrator.createPool(name));
  return pools;
}

/** The ids of pools by their names; of the default pool without any. */
const idsOf = (pools: Map<string, string>, names: readonly string[]): string[] =>
  (names.length === 0 ? [''] : names).flatMap((name) => pools.get(name) ?? []);

async function makeUsers(world: World, pools: Map<string, string>): Promise<void> {
  const { plan, administrator, password } = world;
  const groups = new Map<string, string>();
  for (const [name, { pools: names, rights, mailSender, smsSender }] of Object.entries(plan.groups)) {
    const poolRights = idsOf(pools, names).map((poolId) => ({
      poolId,
      connectEcatcher: rights.includes('CONNECT_ECATCHER'),
      connectM2web: rights.includes('CONNECT_M2WEB'),
      modify: rights.includes('MODIFY'),
      administer: rights.includes('ADMINISTER'),
    }));
    groups.set(name, await administrator.createGroup({ name, poolRights, mailSender, smsSender }));
  }
  for (const [group, { groups: names, role }] of Object.entries(plan.users)) {
    const groupIds = names.flatMap((name) => groups.get(name) ?? []);
    for (const username of plan.usersOf(group)) {
      await administrator.createUser({ username, password, groupIds, role });
      addUser(world, username);
    }
  }
}

async function makeDevices(world: World): Promise<void> {
  const { plan, platform, devices, authority, phone } = world;
  for (const [group, form] of Object.entries(plan.devices)) {
    for (const name of plan.devicesOf(group)) {
      const index = devices.size;
      const device = await createDevice({
        facts: { ...deviceProfile(plan.seed, index).facts, ...factsOf(form) },
        platform: { deviceUrl: platform.deviceUrl, authority },
        reconnect: RECONNECT,
        random: seededRandom(`${plan.seed}/${index}/jitter`),
        connectionMode: form.mode,
        ...(form.mode === 'ON_DEMAND' && { phoneNumber: phoneNumberOf(index) }),
        ...(form.lan.length > 0 && { lan: { services: servicesOf(form) } }),
      });
      devices.set(name, device);
      phone?.add(device);
    }
  }
}

function factsOf({ model, firmware, wan, digitalInput, digitalInputPolicy }: DeviceGroup) {
  return {
    ...(model !== undefined && { model }),
    ...(firmware !== undefined && { firmwareVersion: firmware }),
    ...(wan !== undefined && { wanType: wan }),
    digitalInput,
    digitalInputPolicy,
  };
}

const servicesOf = ({ lan }: DeviceGroup) =>
  lan.flatMap(({ address, ports }) =>
    Object.entries(ports).map(([port, kind]) => ({ address, port: Number(port), kind })),
  );

/** A Belgian mobile number that nobody has. */
const phoneNumberOf = (index: number): string => `+32470${String(100_000 + index)}`;

/** Brings every device to where it is before the first step. */
async function prepareDevices(
  world: World,
  pools: Map<string, string>,
  onProgress: WorldOptions['onProgress'],
): Promise<void> {
  const { plan, administrator, devices, states, signal } = world;
  const all = Object.entries(plan.devices).flatMap(([group, form]) =>
    plan.devicesOf(group).flatMap((name) => {
      const device = devices.get(name);
      return device === undefined ? [] : [{ name, form, device }];
    }),
  );
  const each = async (
    what: string,
    list: typeof all,
    concurrency: number,
    act: (one: (typeof all)[number]) => Promise<unknown>,
  ) => {
    let done = 0;
    await pLimit(concurrency).map(list, async (one) => {
      signal.throwIfAborted();
      await act(one);
      onProgress(`${what} devices ${++done}/${list.length}`);
    });
  };
  const registrationKey = await administrator.registrationKey();
  const registered = all.filter(({ form }) => form.start !== 'NEW');
  await each('registering', registered, 8, ({ device, name }) =>
    device.register({ registrationKey }, { description: name, signal }),
  );
  const ewons = await states.look();
  const approved = registered.filter(({ form }) => form.start !== 'REGISTERED');
  await each('approving', approved, 4, async ({ device, name, form }) => {
    const ewon = ewons.get(device.serialNumber);
    if (ewon === undefined) throw new CodedError('NOT_FOUND', `The account has no Ewon ${device.serialNumber}.`);
    await administrator.approve(ewon.id, { properties: { name, poolIds: idsOf(pools, form.pools) } });
    await configure(administrator, ewon.id, device, form);
  });
  const online = approved.filter(({ form }) => form.start === 'ONLINE');
  await each('connecting', online, 20, ({ device }) => device.connect({ withinMs: 60_000 }));
}

async function configure(administrator: Administrator, ewonId: string, device: Device, form: DeviceGroup) {
  if (device.phoneNumber !== undefined) {
    const properties = { connectionMode: 'ON_DEMAND' as const, wakeUpNumber: device.phoneNumber };
    accepted(
      (await administrator.request(SET_ON_DEMAND, { input: { ewonId, properties } })).updateEwon,
      'UpdateEwonSuccess',
    );
  }
  for (const { name, address, ports, declared } of form.lan) {
    if (!declared) continue;
    const known = Object.entries(ports).map(([port, kind]) => {
      return { port: Number(port), protocol: kind === 'http' ? ('HTTP' as const) : ('TCP' as const) };
    });
    const input = { ewonId, name, address, ports: known };
    accepted((await administrator.request(CREATE_LAN_DEVICE, { input })).createLanDevice, 'CreateLanDeviceSuccess');
  }
  if (form.firewall !== undefined) {
    const input = { ewonId, level: form.firewall };
    accepted((await administrator.request(SET_FIREWALL_LEVEL, { input })).setFirewallLevel, 'SetFirewallLevelSuccess');
  }
}

/** Looks again and again until something holds. @throws CodedError `TIMEOUT` */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  withinMs: number,
  signal: AbortSignal,
): Promise<void> {
  const latest = Date.now() + withinMs;
  while (!(await holds())) {
    signal.throwIfAborted();
    if (Date.now() > latest) throw new CodedError('TIMEOUT', `Not within ${withinMs / 1000} s: ${what}.`);
    await delay(LOOK_MS, undefined, { signal });
  }
}

/** A refusal that was wanted. @throws CodedError `NOT_REFUSED`, or the error when it is another one */
export async function mustRefuse(code: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (codeOf(error) === code) return;
    throw error;
  }
  throw new CodedError('NOT_REFUSED', `Expected ${code}, but it was not refused.`);
}

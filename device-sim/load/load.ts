import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { deadline } from '../../client/deadline.ts';
import { fetchAuthority } from '../../client/device-port.ts';
import { CodedError, codeOf, messageOf } from '../../client/errors.ts';
import { EWON_OF_SERIAL } from '../account-operations.ts';
import { Administrator } from '../administrator.ts';
import { createDevice, type Device } from '../device.ts';
import { deviceProfile } from '../fleet.ts';
import { patiently } from '../patience.ts';
import { seededRandom } from '../random.ts';
import type { Platform } from '../scenario/platform.ts';
import { memoryStore } from '../state.ts';
import { Summary, type SummaryReport } from '../summary.ts';
import { SimulatedUser } from '../users.ts';

/** Of everybody in a load; what its accounts guard is not worth another. */
const PASSWORD = 'Load-pass-1';
const ADMINISTRATOR = 'admin';
const LEAVING_AT_A_TIME = 100;
/** Messages of errors that are told; their codes are all counted. */
const MESSAGES_TOLD = 5;
/** How often everybody is counted while they stay. */
const LOOK_MS = 2000;

export interface LoadOptions {
  platform: Platform;
  /** Names the accounts, and gives the devices. */
  seed: string;
  devices: number;
  users: number;
  /** Devices and users are spread over so many accounts. */
  accounts: number;
  /** Concurrent connections of each account; by default as many as it has users. */
  slots: number | undefined;
  /** Private keys in PEM, one a device. */
  keys: readonly string[];
  /** Devices, and then users, that begin in a second. */
  perSecond: number;
  /** Devices, and users, on their way at a time. */
  concurrency: number;
  /** How long everybody stays once all have come. */
  stayMs: number;
  /** How long each obeys a platform that asks to come later. */
  patienceMs: number;
  /** Bytes that each user sends to an echo behind his Ewon; 0 for none. */
  bytes: number;
  signal: AbortSignal;
  onProgress: (text: string) => void;
}

/** What a load came to (SIM-09). */
export interface LoadResult extends SummaryReport {
  seed: string;
  /** Everybody came, stayed, and nothing failed (SIM-10). */
  ok: boolean;
  devices: { wanted: number; online: number };
  users: { wanted: number; inSession: number };
  /** The most that the platform's own figures showed while all stayed. */
  platform: { online: number; sessions: number };
  /** How long it took until all devices, and then all users, had come. */
  phases: Record<'devices' | 'users', { seconds: number; perSecond: number }>;
  /** Of the first errors. */
  messages: string[];
}

/** Brings thousands of devices and hundreds of users online, holds them there, and measures. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  // Of its own, since thousands listen to it.
  using end = deadline(undefined, options.signal);
  const load = new Load({ ...options, signal: end.signal });
  try {
    return await load.run();
  } finally {
    await load.leave();
  }
}

interface LoadAccount {
  administrator: Administrator;
  registrationKey: string;
  groupId: string;
  /** Devices that came online, with the id of their Ewon. */
  online: { device: Device; ewonId: string }[];
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

class Load {
  readonly #options: LoadOptions;
  readonly #summary = new Summary();
  readonly #accounts: LoadAccount[] = [];
  readonly #devices: Device[] = [];
  readonly #users: SimulatedUser[] = [];
  readonly #messages: string[] = [];
  #leaving = false;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  async run(): Promise<LoadResult> {
    const { platform, devices, users, signal } = this.#options;
    const authority = await fetchAuthority(platform.deviceUrl, { timeoutMs: 15_000, signal });
    await this.#makeAccounts();
    const phases = {
      devices: await this.#ramp('devices', devices, (index) => this.#bringDevice(index, authority)),
      users: await this.#ramp('users', users, (index) => this.#bringUser(index, authority)),
    };
    const shown = await this.#stay();
    const online = this.#devices.filter(({ tunnelState }) => tunnelState === 'online').length;
    const inSession = this.#users.filter(({ session }) => session?.tunnel?.ended === undefined && session).length;
    const report = this.#summary.report();
    const complete = online === devices && inSession === users && shown.online === devices && shown.sessions === users;
    return {
      seed: this.#options.seed,
      ok: complete && Object.keys(report.errors).length === 0,
      devices: { wanted: devices, online },
      users: { wanted: users, inSession },
      platform: shown,
      phases,
      messages: this.#messages,
      ...report,
    };
  }

  /** Everybody goes, in order. */
  async leave(): Promise<void> {
    this.#leaving = true;
    this.#options.onProgress('leaving');
    await pLimit(LEAVING_AT_A_TIME).map(this.#users, (user) => user.leave());
    await pLimit(LEAVING_AT_A_TIME).map(this.#devices, (device) => device.disconnect());
  }

  async #makeAccounts(): Promise<void> {
    const { platform, seed, accounts, users, patienceMs, signal, onProgress } = this.#options;
    const { slots = Math.ceil(users / accounts) } = this.#options;
    for (let index = 0; index < accounts; index++) {
      signal.throwIfAborted();
      const administrator = new Administrator({
        apiUrl: platform.apiUrl,
        account: `load-${seed}-${index + 1}`,
        username: ADMINISTRATOR,
        password: PASSWORD,
        patienceMs,
        signal,
      });
      await administrator.createAccount('PRO', platform.operator);
      if (slots > (await administrator.slots())) await administrator.setSlots(slots);
      const poolId = (await administrator.pools()).get('') ?? '';
      const groupId = await administrator.createGroup({
        name: 'users',
        poolRights: [{ poolId, connectEcatcher: true, connectM2web: false, modify: false, administer: false }],
      });
      const registrationKey = await administrator.registrationKey();
      this.#accounts.push({ administrator, registrationKey, groupId, online: [] });
      onProgress(`accounts ${index + 1}/${accounts}`);
    }
  }

  /** Begins so many in a second, and waits until all have come or failed. A failure is counted and holds up nobody. */
  async #ramp(
    what: string,
    total: number,
    bring: (index: number) => Promise<void>,
  ): Promise<{ seconds: number; perSecond: number }> {
    const { perSecond, concurrency, signal, onProgress } = this.#options;
    const start = performance.now();
    const endStretch = this.#summary.stretch();
    let done = 0;
    let failed = 0;
    await pLimit(concurrency).map(Array.from({ length: total }).keys(), async (index) => {
      const waitMs = start + (index * 1000) / perSecond - performance.now();
      if (waitMs > 0) await delay(waitMs, undefined, { signal });
      signal.throwIfAborted();
      try {
        await bring(index);
      } catch (error) {
        signal.throwIfAborted();
        failed += 1;
        this.#failed(error);
      }
      done += 1;
      const seconds = (performance.now() - start) / 1000;
      const rate = rounded(done / seconds);
      onProgress(`${what} ${done}/${total}, ${rate}/s${failed > 0 ? `, ${failed} failed` : ''}`);
    });
    endStretch();
    const seconds = (performance.now() - start) / 1000;
    return { seconds: rounded(seconds), perSecond: seconds > 0 ? rounded(total / seconds) : 0 };
  }

  #failed(error: unknown): void {
    this.#summary.failed(error);
    if (this.#messages.length < MESSAGES_TOLD) this.#messages.push(`${messageOf(error)} (${codeOf(error)})`);
  }

  async #bringDevice(index: number, authority: string): Promise<void> {
    const { platform, seed, keys, patienceMs, signal } = this.#options;
    const account = this.#accounts[index % this.#accounts.length];
    if (account === undefined) return;
    const { name, facts } = deviceProfile(seed, index);
    const stateStore = memoryStore();
    const pendingKey = keys[index];
    if (pendingKey !== undefined) await stateStore.save({ version: 1, serialNumber: facts.serialNumber, pendingKey });
    const device = await createDevice({
      facts,
      stateStore,
      platform: { deviceUrl: platform.deviceUrl, authority },
      random: seededRandom(`${seed}/${index}/jitter`),
      timeoutMs: 60_000,
    });
    this.#devices.push(device);
    const { registrationKey, administrator } = account;
    const register = () => device.register({ registrationKey }, { description: name, signal });
    await this.#timed('enrolled', () => patiently(register, { withinMs: patienceMs, signal }));
    const ewonId = await this.#timed('approved', () => this.#approve(administrator, device, name));
    await this.#timed('tunnel opened', () => device.connect({ withinMs: patienceMs }));
    device.on('closed', ({ reason }) => {
      if (!this.#leaving) this.#summary.count(`tunnel lost ${reason}`);
    });
    account.online.push({ device, ewonId });
  }

  async #approve(administrator: Administrator, { serialNumber }: Device, name: string): Promise<string> {
    const { ewon } = await administrator.request(EWON_OF_SERIAL, { serialNumber });
    if (ewon === null) throw new CodedError('NOT_FOUND', `The account has no Ewon ${serialNumber}.`);
    // Names are unique in an account; the profile's ends with the number of the device.
    await administrator.approve(ewon.id, { properties: { name } });
    return ewon.id;
  }

  async #bringUser(index: number, authority: string): Promise<void> {
    const { platform, seed, patienceMs, bytes, signal } = this.#options;
    const account = this.#accounts[index % this.#accounts.length];
    if (account === undefined) return;
    const { administrator, groupId, online } = account;
    const username = `user${index + 1}`;
    await this.#timed('user created', () =>
      administrator.createUser({ username, password: PASSWORD, groupIds: [groupId] }),
    );
    const user = new SimulatedUser({
      apiUrl: platform.apiUrl,
      account: administrator.account,
      username,
      password: PASSWORD,
      holdTunnel: { authority },
      patienceMs,
      timeoutMs: 60_000,
      random: seededRandom(`${seed}/${username}`),
    });
    this.#users.push(user);
    await this.#timed('logged in', () => user.logIn(signal));
    const target = online[Math.floor(index / this.#accounts.length) % online.length];
    if (target === undefined) throw new CodedError('EWON_OFFLINE', `${username} finds no Ewon online.`);
    await this.#timed('session opened', () => user.open(target.ewonId, { signal }));
    if (bytes === 0) return;
    await this.#timed('bytes echoed', () => user.move({ address: '10.0.0.30', port: 7 }, bytes, signal));
  }

  async #timed<T>(what: string, act: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await act();
    this.#summary.took(what, performance.now() - start);
    return result;
  }

  /** Everybody stays; what the platform's own figures show at the end of that. */
  async #stay(): Promise<LoadResult['platform']> {
    const { stayMs, signal, onProgress } = this.#options;
    using end = deadline(stayMs, signal);
    while (!end.signal.aborted) {
      const online = this.#devices.filter(({ tunnelState }) => tunnelState === 'online').length;
      const held = this.#users.filter(({ session }) => session?.tunnel?.ended === undefined).length;
      onProgress(`staying: ${online} devices online, ${held} users in a session`);
      await delay(Math.min(LOOK_MS, stayMs), undefined, { signal: end.signal }).catch(() => undefined);
    }
    signal.throwIfAborted();
    const shown = { online: 0, sessions: 0 };
    for (const { administrator } of this.#accounts) {
      const ewons = [...(await administrator.ewons()).values()];
      shown.online += ewons.filter(({ status }) => status === 'ONLINE' || status === 'CONNECTED').length;
      shown.sessions += await administrator.openSessions();
    }
    return shown;
  }
}

import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { type CallOptions, fetchAuthority } from '../client/device-port.ts';
import { CodedError, codeOf, messageOf } from '../client/errors.ts';
import {
  type DataPoint,
  DeviceFacts,
  type EnrolmentProof,
  type EnrolmentResponse,
  type GatewayMessage,
  PROTOCOL_VERSION,
  remoteAccessForbidden,
} from '../src/gateway/protocol.ts';
import { DEFAULT_RECONNECT, type ReconnectPolicy, reconnectDelayMs } from './backoff.ts';
import { createSigningRequest } from './certificates.ts';
import { enrol } from './device-port.ts';
import { tryCredentials } from './faults/credentials.ts';
import { garbage } from './faults/garbage.ts';
import { Link, type LinkLimits } from './faults/link.ts';
import { type Identity, openIdentity, type RegistrationState } from './identity.ts';
import { SimulatedLan, type SimulatedLanOptions } from './lan/lan.ts';
import { isRenewalDue, requestRenewal } from './renewal.ts';
import { type DeviceRequest, requestOf } from './requests.ts';
import { memoryStore, type StateStore } from './state.ts';
import { DeviceStreams, type Dial, type DialOutcome } from './streams.ts';
import { endError, Tunnel, type TunnelEnd } from './tunnel.ts';
import { waitUntil } from './wait-until.ts';

/**
 * `waiting`: connected, the Ewon waits for approval (GRK-16). `retrying`: comes again by itself after a delay. `vanished`:
 * half-open, the gateway has not been told.
 */
export type TunnelState = 'closed' | 'connecting' | 'waiting' | 'online' | 'retrying' | 'vanished';

/** `IGNORED`: the device is registered already, so nothing was sent (GRK-15, GW-09). */
export type Registration =
  | { outcome: 'IGNORED' }
  | { outcome: 'REGISTERED'; registrationStatus: EnrolmentResponse['registrationStatus']; ewonName: string };

/** Where a device logs; a pino logger is one. */
interface DeviceLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface DeviceOptions {
  /** What the device tells of itself (GW-06). */
  facts: DeviceFacts;
  /** Where it keeps its identity (SIM-04); by default it forgets it with the process. */
  stateStore?: StateStore;
  /** The machines behind it (SIM-08). */
  lan?: SimulatedLanOptions;
  /** Streams at a time; a dial beyond them fails with `DEVICE_BUSY`. Default 64. */
  maxStreams?: number;
  /** WAK-03: `ON_DEMAND` comes online when it is woken up. Default `PERMANENT`. */
  connectionMode?: ConnectionMode;
  /** Where an SMS reaches it, in E.164 (WAK-02). */
  phoneNumber?: string;
  platform: {
    /** `https://host:port` of the device port; a commissioning file brings its own (GRK-14). */
    deviceUrl?: string;
    /** The authority in PEM; without it the one that the device port gives the first time is trusted from then on. */
    authority?: string | ((deviceUrl: string) => Promise<string>);
    log?: DeviceLog;
  };
  /** How it comes again after an unexpected end; `false`: not by itself. */
  reconnect?: Partial<ReconnectPolicy> | false;
  /** Keeps the last TLS session and offers it again, to try whether the gateway lets a device resume (GW-12). */
  resumeTls?: boolean;
  /** For registration, the opening of a tunnel, and the renewal of a certificate. */
  timeoutMs?: number;
  closeTimeoutMs?: number;
  /** The device's own clock, for the age of its certificate. */
  now?: () => number;
  /** For the jitter of reconnection. */
  random?: () => number;
}

export interface DeviceEvents {
  /** Anything below; also every message. */
  change: [];
  registered: [response: EnrolmentResponse];
  waiting: [];
  online: [vpnAddress: string];
  closed: [end: TunnelEnd];
  retrying: [attempt: { failures: number; delayMs: number }];
  renewed: [];
  message: [message: GatewayMessage];
  /** The gateway asked for a stream. */
  dialled: [outcome: DialOutcome];
  /** Its state could not be written; it goes on, and tries again (SIM-04). */
  stateNotKept: [error: CodedError];
}

type Update = Extract<GatewayMessage, { type: 'updateFirmware' }>;

export type ConnectionMode = 'PERMANENT' | 'ON_DEMAND';

/** Faults that last until they are set otherwise (SIM-05); what is absent stays. */
export interface Faults {
  /** Each keep-alive comes this many milliseconds late. */
  keepAliveDelayMs?: number;
  /** How slow tunnel and streams are; null for as fast as they can. */
  link?: LinkLimits | null;
  /** How far the device's clock is ahead, in milliseconds; negative for behind. */
  clockSkewMs?: number;
  /** What it does when the platform asks it to update its firmware (PRV-08). `INSTALLED` at first. */
  updates?: 'INSTALLED' | 'REFUSED' | 'IGNORED';
}

/** Under whose login a device sends a message (GW-13). */
interface Sender {
  username: string;
  password: string;
}
export type DeviceMail = Sender & { to: string; subject: string; text: string };
export type DeviceSms = Sender & { to: string; text: string };

/** A value of the data history; without `at`, of now by the device's clock, a millisecond after the one before it. */
export type Measurement = Pick<DataPoint, 'tag' | 'value'> & Partial<DataPoint>;

const DEFAULT_MAX_STREAMS = 64;
/** How long a device that was woken up tries to connect. */
const WAKE_WITHIN_MS = 60_000;
/** Values of one message; with the longest tags they stay below the limit of a message. */
const POINTS_PER_MESSAGE = 50;
/** A renewal that failed is tried again this much later. */
const RENEWAL_RETRY_MS = 10 * 60 * 1000;

/** Makes a device, or brings it back from its store. It does nothing until it is told to. */
export async function createDevice(options: DeviceOptions): Promise<Device> {
  const stateStore = options.stateStore ?? memoryStore();
  // Nothing is written before the device exists.
  let device: Device | undefined;
  const identity = await openIdentity(stateStore, options.facts.serialNumber, (error) => device?.stateNotKept(error));
  device = new Device(options, identity);
  return device;
}

/**
 * One simulated Ewon (SIM-02): a verb for each thing that a device does, and `waitFor` to see what came of it.
 *
 * After `connect` succeeded once, the device comes again by itself whenever its tunnel ends and the reason allows it, until
 * `disconnect` or `vanish`.
 */
export class Device extends EventEmitter<DeviceEvents> {
  readonly #options: DeviceOptions;
  readonly #identity: Identity;
  readonly #timeoutMs: number;
  readonly #closeTimeoutMs: number;
  readonly #reconnect: ReconnectPolicy | false;
  readonly #now: () => number;

  #facts: DeviceFacts;
  readonly lan: SimulatedLan;
  readonly #streams: DeviceStreams;
  /** Of the present tunnel and its streams; one that vanished keeps its own. */
  #link = new Link();
  #keepAliveDelayMs = 0;
  #clockSkewMs = 0;
  #updates: Required<Faults>['updates'] = 'INSTALLED';
  /** It would be online if the digital input let it. */
  #heldBack = false;

  #tunnelState: TunnelState = 'closed';
  #tunnel: Tunnel | undefined;
  /** Tunnels that vanished: still connected, so that they can be ended in the end. */
  readonly #ghosts = new Set<Tunnel>();
  #opening: Promise<void> | undefined;
  /** While it closes its tunnel; the next is opened after that. */
  #leaving: Promise<void> | undefined;
  /** Aborted when the device no longer wants its present tunnel, or the next one. */
  #wish = new AbortController();
  #failures = 0;
  #tunnelId: string | undefined;
  #lastClose: TunnelEnd | undefined;
  #tlsSession: Buffer | undefined;
  #renewing: Promise<void> | undefined;
  #renewalFailedAt = Number.NEGATIVE_INFINITY;

  /** Use {@link createDevice}. */
  constructor(options: DeviceOptions, identity: Identity) {
    super();
    this.#options = options;
    this.#facts = options.facts;
    this.#identity = identity;
    this.#timeoutMs = options.timeoutMs ?? 15_000;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 2000;
    this.#reconnect = options.reconnect === false ? false : { ...DEFAULT_RECONNECT, ...options.reconnect };
    this.#now = options.now ?? Date.now;
    this.lan = new SimulatedLan(
      {
        serialNumber: options.facts.serialNumber,
        address: () => this.#facts.lanAddress.split('/')[0] ?? '',
        now: () => this.clock,
      },
      options.lan,
    );
    this.#streams = new DeviceStreams(this.lan, options.maxStreams ?? DEFAULT_MAX_STREAMS);
    this.setMaxListeners(0); // many may wait for one device
  }

  get serialNumber(): string {
    return this.#facts.serialNumber;
  }

  get facts(): DeviceFacts {
    return this.#facts;
  }

  get state(): RegistrationState {
    return this.#identity.registrationState;
  }

  get tunnelState(): TunnelState {
    return this.#tunnelState;
  }

  get connectionMode(): ConnectionMode {
    return this.#options.connectionMode ?? 'PERMANENT';
  }

  /** Where an SMS reaches it, in E.164. */
  get phoneNumber(): string | undefined {
    return this.#options.phoneNumber;
  }

  /** The device's own clock, in milliseconds since 1970. */
  get clock(): number {
    return this.#now() + this.#clockSkewMs;
  }

  /** The faults that are set. */
  get faults(): Required<Faults> {
    return {
      keepAliveDelayMs: this.#keepAliveDelayMs,
      link: this.#link.limits,
      clockSkewMs: this.#clockSkewMs,
      updates: this.#updates,
    };
  }

  /** Streams that are open, and the bytes to and from the machines of the LAN so far. */
  get streams(): { open: number; bytesIn: number; bytesOut: number } {
    return { open: this.#streams.size, ...this.#streams.traffic };
  }

  /** GW-07: whether the switch on the digital input forbids remote access. */
  get remoteAccessForbidden(): boolean {
    return remoteAccessForbidden(this.#facts);
  }

  /** Its name in the account, once registered. */
  get ewonName(): string | undefined {
    return this.#identity.known.credentials?.ewonName;
  }

  /** The address it holds or held last. */
  get vpnAddress(): string | undefined {
    return this.#identity.known.vpnAddress;
  }

  /** The current or last tunnel that came online. */
  get tunnelId(): string | undefined {
    return this.#tunnelId;
  }

  /** How the last tunnel ended, or why it could not be opened. */
  get lastClose(): TunnelEnd | undefined {
    return this.#lastClose;
  }

  /** The current certificate in PEM. */
  get certificate(): string | undefined {
    return this.#identity.known.credentials?.certificate;
  }

  /** The address of the device port that it registered at, or would register at. */
  get deviceUrl(): string | undefined {
    return this.#identity.known.platform?.deviceUrl ?? this.#options.platform.deviceUrl;
  }

  /** The authority that it trusts the device port by, once it has met it. */
  get authority(): string | undefined {
    return this.#identity.known.platform?.authority;
  }

  /** The TLS connection of the present tunnel, for tests. */
  get rawSocket(): TLSSocket | undefined {
    return this.#tunnel?.rawSocket;
  }

  /**
   * Registers the device with an account (GW-01) with a key that never leaves it (GW-03). A registered device ignores it
   * unless `force` is set (GRK-15).
   *
   * @throws CodedError the code of the platform's refusal, or why it could not be asked
   */
  async register(
    proof: EnrolmentProof,
    {
      description,
      deviceUrl,
      force = false,
      signal,
    }: { description?: string | undefined; deviceUrl?: string; force?: boolean; signal?: AbortSignal } = {},
  ): Promise<Registration> {
    if (this.state !== 'NEW' && !force) return { outcome: 'IGNORED' };
    const url = deviceUrl ?? this.#options.platform.deviceUrl;
    if (url === undefined) throw new CodedError('NO_PLATFORM', 'The device was told of no platform to register with.');
    const call = { timeoutMs: this.#timeoutMs, signal };
    const authority = await this.#meet(url, call);
    const response = await this.#enrol(url, authority, proof, description, call);
    this.#log('info', { registrationStatus: response.registrationStatus }, 'device registered');
    this.emit('registered', response);
    this.emit('change');
    return { outcome: 'REGISTERED', registrationStatus: response.registrationStatus, ewonName: response.ewonName };
  }

  /** Forgets the registration, as a reset to factory settings does. The platform is not told. */
  async reset(): Promise<void> {
    await this.disconnect();
    await this.#identity.forget();
    this.emit('change');
  }

  /**
   * Opens the tunnel; done when it is online or waits for approval. A first failure is the caller's, unless `withinMs`
   * gives time to try again as long as the reason allows it.
   *
   * @throws CodedError `NOT_REGISTERED`, `REMOTE_ACCESS_DISABLED` (GW-07), or the reason of the last {@link TunnelEnd}
   */
  connect({ withinMs = 0 }: { withinMs?: number } = {}): Promise<void> {
    if (this.#leaving === undefined && this.#isOpen()) return Promise.resolve();
    if (this.#opening !== undefined && (this.#leaving === undefined || !this.#wish.signal.aborted))
      return this.#opening;
    if (this.remoteAccessForbidden) {
      this.#heldBack = true;
      const detail = `The digital input of device ${this.serialNumber} forbids remote access.`;
      return Promise.reject(new CodedError('REMOTE_ACCESS_DISABLED', detail));
    }
    this.#heldBack = false;
    this.#wish.abort();
    this.#wish = new AbortController();
    this.#failures = 0;
    const { signal } = this.#wish;
    const reach = () => this.#reach(signal, Date.now() + withinMs);
    const opening = (this.#leaving === undefined ? reach() : this.#leaving.then(reach)).finally(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    this.#opening = opening;
    return opening;
  }

  /** Closes the tunnel in an orderly way, also one that vanished, and stops coming again. */
  async disconnect(): Promise<void> {
    this.#heldBack = false;
    await this.#leave();
    await this.lan.close();
    await this.#identity.settled();
  }

  #leave(reason?: 'REMOTE_ACCESS_DISABLED'): Promise<void> {
    this.#wish.abort();
    for (const ghost of this.#ghosts) ghost.destroy();
    this.#streams.cut();
    const leaving = this.#end(this.#tunnel, this.#opening, reason).finally(() => {
      if (this.#leaving === leaving) this.#leaving = undefined;
    });
    this.#leaving = leaving;
    return leaving;
  }

  async #end(
    tunnel: Tunnel | undefined,
    opening: Promise<void> | undefined,
    reason?: 'REMOTE_ACCESS_DISABLED',
  ): Promise<void> {
    if (tunnel !== undefined) {
      const ended = new Promise<void>((resolve) => tunnel.once('end', () => resolve()));
      tunnel.close(reason);
      await ended;
    }
    await opening?.catch(() => undefined);
    if (this.#tunnelState !== 'closed') this.#enter('closed');
  }

  /**
   * Falls silent without closing, and stays so until `connect`, which leaves the old connection half-open, or `disconnect`.
   * With `destroy` the connection itself ends, as by loss of power.
   */
  vanish({ destroy = false }: { destroy?: boolean } = {}): void {
    const tunnel = this.#tunnel;
    const open = this.#isOpen();
    this.#wish.abort();
    if (tunnel === undefined || !open) {
      // There is nothing yet that could be left half-open; the attempt, or the wait for the next, ends.
      if (this.#tunnelState === 'retrying') this.#enter('closed');
    } else if (destroy) {
      tunnel.destroy();
    } else {
      tunnel.vanish();
      const { limits } = this.#link;
      this.#link.freeze();
      this.#streams.fallSilent();
      this.#link = new Link();
      this.#link.setLimits(limits);
      this.#tunnel = undefined;
      this.#ghosts.add(tunnel);
      this.#enter('vanished');
    }
  }

  /** Changes facts of the device and, on an open tunnel, reports them. Facts that forbid remote access end it (GW-07). */
  report(facts: Partial<Omit<DeviceFacts, 'serialNumber' | 'transport'>>): void {
    this.#facts = { ...this.#facts, ...facts };
    if (this.#isOpen()) this.#tunnel?.send({ type: 'report', ...facts });
    this.#obeyDigitalInput();
    this.emit('change');
  }

  /** Switches the digital input: the tunnel closes when that forbids remote access, and opens again when it allows it (GW-07). */
  setDigitalInput(on: boolean): void {
    this.report({ digitalInput: on });
  }

  /**
   * A wake-up SMS arrived (WAK-02): the device connects, unless its digital input forbids remote access (GW-07).
   *
   * @throws CodedError `NOT_REGISTERED`, or the reason of the last {@link TunnelEnd}
   */
  async wake(): Promise<void> {
    if (this.remoteAccessForbidden) return;
    await this.connect({ withinMs: WAKE_WITHIN_MS });
  }

  /**
   * Goes down for a new firmware (EWN-18, such as `22.2s0`) and comes back with it if it was there before.
   *
   * @throws CodedError `VALUE_INVALID`; what {@link connect} throws
   */
  async updateFirmware(version: string): Promise<void> {
    const firmwareVersion = DeviceFacts.shape.firmwareVersion.safeParse(version);
    if (!firmwareVersion.success) throw new CodedError('VALUE_INVALID', 'A firmware version looks like 22.1s0.');
    const wanted = this.#tunnelState !== 'closed';
    await this.#leave();
    this.report({ firmwareVersion: firmwareVersion.data });
    if (wanted) await this.connect({ withinMs: WAKE_WITHIN_MS });
  }

  /**
   * Pushes values of the data history (GW-14), done when the platform has taken all. A tunnel that is lost meanwhile is waited
   * for, and what was not answered sent again.
   *
   * @throws CodedError the code of a refusal, `NOT_CONNECTED`, `TIMEOUT`
   */
  async pushData(points: readonly Measurement[]): Promise<void> {
    const now = this.clock;
    const all = points.map((point, index) => {
      const at = new Date(now - (points.length - 1 - index)).toISOString();
      return { at, good: true, ...point };
    });
    for (let from = 0; from < all.length; from += POINTS_PER_MESSAGE) {
      const message = { type: 'data' as const, points: all.slice(from, from + POINTS_PER_MESSAGE) };
      await this.#requestUntilTaken(message);
    }
  }

  /**
   * Sends a mail through the platform under a user's login (GW-13).
   *
   * @throws CodedError the code of a refusal, `NOT_CONNECTED`, `TIMEOUT`, or the reason why the tunnel ended
   */
  async sendMail(mail: DeviceMail): Promise<void> {
    await this.#request({ type: 'sendMail', ...mail });
  }

  /** The same for a text message; `to` in E.164. */
  async sendSms(sms: DeviceSms): Promise<void> {
    await this.#request({ type: 'sendSms', ...sms });
  }

  /**
   * Has the platform relay data to the server of a link of the account (M2U-01). Gives what the platform says besides: from
   * firmware 11.1s0 on, that the device should push directly (M2U-03).
   *
   * @param payload text is sent as UTF-8
   * @throws CodedError the code of a refusal, `NOT_CONNECTED`, `TIMEOUT`, or the reason why the tunnel ended
   */
  relay(
    link: string,
    payload: string | Buffer,
    { contentType = 'application/octet-stream' }: { contentType?: string | undefined } = {},
  ): Promise<string | undefined> {
    return this.#request({ type: 'm2u', link, contentType, payload: Buffer.from(payload).toString('base64') });
  }

  /** Sends something that is no message of the protocol, each time something else. */
  sendGarbage(): void {
    this.sendRaw(garbage(this.#options.random ?? Math.random));
  }

  /** Sets faults (SIM-05), on the live tunnel and streams at once; what is absent stays as it is. */
  setFaults({ keepAliveDelayMs, link, clockSkewMs, updates }: Faults): void {
    if (keepAliveDelayMs !== undefined) {
      this.#keepAliveDelayMs = keepAliveDelayMs;
      this.#tunnel?.delayKeepAlives(keepAliveDelayMs);
    }
    if (link !== undefined) this.#link.setLimits(link);
    if (clockSkewMs !== undefined) this.#clockSkewMs = clockSkewMs;
    if (updates !== undefined) this.#updates = updates;
    this.emit('change');
  }

  /**
   * Tries to open a tunnel with a certificate that must be refused, beside the present one: one that has expired, or one of
   * another authority.
   *
   * @returns the reason of the refusal
   * @throws CodedError `NOT_REGISTERED`; `NOT_REFUSED` when the tunnel opened
   */
  tryConnectWith(credentials: 'EXPIRED' | 'FOREIGN'): Promise<string> {
    const own = this.#identity.known.credentials;
    if (own === undefined) return Promise.reject(this.#notRegistered());
    return tryCredentials(credentials, { ...own, facts: this.#facts, timeoutMs: this.#timeoutMs });
  }

  /**
   * Asks for a new certificate for its key over the tunnel (GW-03) and keeps it; the next tunnel uses it. The device does so
   * itself when less than a third of the lifetime is left.
   *
   * @throws CodedError `NOT_CONNECTED`, `TIMEOUT`, `CERTIFICATE_UNUSABLE`, or the code of the refusal
   */
  renewCertificate(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #requestUntilTaken(message: DeviceRequest): Promise<void> {
    const id = randomUUID();
    for (;;) {
      await this.waitFor(() => this.#tunnelState === 'online' || this.#opening === undefined, this.#timeoutMs);
      const tunnel = this.#tunnel;
      try {
        await this.#request(message, id);
        return;
      } catch (error) {
        // The platform judged it, or this side gave up; otherwise the tunnel was lost with the answer.
        const lost = tunnel !== undefined && tunnel !== this.#tunnel && this.#lastClose?.reason === codeOf(error);
        if (!lost || this.#lastClose?.retry !== true || this.#reconnect === false) throw error;
        await this.waitFor('online', this.#timeoutMs);
      }
    }
  }

  async #request(message: DeviceRequest, id?: string): Promise<string | undefined> {
    if (this.#tunnel === undefined || this.#tunnelState !== 'online')
      throw new CodedError('NOT_CONNECTED', `Device ${this.serialNumber} is not online.`);
    return requestOf(this.#tunnel, message, { timeoutMs: this.#timeoutMs, ...(id !== undefined && { id }) });
  }

  /** Sends anything over the open tunnel, for tests: a string as text, a Buffer as binary. */
  sendRaw(data: string | Buffer): void {
    this.#tunnel?.sendRaw(data);
  }

  /**
   * Waits until the device is as wanted: a state of its tunnel, or anything that can be read from it.
   *
   * @throws CodedError `TIMEOUT` saying in which state the device is instead
   */
  waitFor(wanted: 'online' | 'waiting' | 'closed' | ((device: Device) => boolean), timeoutMs = 10_000): Promise<void> {
    const holds = () => (typeof wanted === 'string' ? this.#tunnelState === wanted : wanted(this));
    return waitUntil(this, holds, timeoutMs, () => {
      const last = this.#lastClose === undefined ? '' : `, after ${this.#lastClose.reason}`;
      const what = typeof wanted === 'string' ? wanted : 'as wanted';
      return `Device ${this.serialNumber} was not ${what} within ${timeoutMs} ms: it is ${this.#tunnelState}${last}.`;
    });
  }

  // ── Opening, and coming again ────────────────────────────────────────────────────────────────────────────────────────

  /** Attempts to open a tunnel, the first after `delayMs`, until one opens, the reason forbids another, or time is up. */
  async #reach(signal: AbortSignal, deadline: number, delayMs = 0): Promise<void> {
    for (let wait = delayMs; ; ) {
      if (wait > 0) await this.#pause(wait, signal);
      if (signal.aborted) throw new CodedError('BY_DEVICE', 'The device was told to disconnect.');
      try {
        await this.#open(signal);
        return;
      } catch (error) {
        wait = this.#nextDelayMs();
        const hopeless = this.#lastClose?.retry !== true || Date.now() + wait > deadline;
        if (signal.aborted || hopeless) {
          if (!signal.aborted) this.#enter('closed');
          throw error;
        }
      }
    }
  }

  #open(signal: AbortSignal): Promise<void> {
    const credentials = this.#identity.known.credentials;
    if (credentials === undefined) {
      this.#lastClose = undefined;
      return Promise.reject(this.#notRegistered());
    }
    this.#enter('connecting');
    const facts = this.#facts;
    return new Promise((resolve, reject) => {
      const tunnel = new Tunnel({
        url: credentials.tunnelUrl,
        key: credentials.key,
        certificate: credentials.certificate,
        authority: credentials.authority,
        facts,
        link: this.#link,
        keepAliveDelayMs: this.#keepAliveDelayMs,
        openTimeoutMs: this.#timeoutMs,
        closeTimeoutMs: this.#closeTimeoutMs,
        tlsSession: this.#options.resumeTls ? this.#tlsSession : undefined,
      });
      this.#tunnel = tunnel;
      const abort = () => tunnel.close();
      signal.addEventListener('abort', abort, { once: true });
      let opened = false;

      tunnel.on('tlsSession', (session) => {
        this.#tlsSession = session;
      });
      tunnel.on('message', (message) => {
        this.#receive(tunnel, message);
        if (opened || (message.type !== 'waiting' && message.type !== 'welcome')) return;
        opened = true;
        if (this.#facts !== facts) this.report(this.#facts);
        signal.removeEventListener('abort', abort);
        resolve();
      });
      tunnel.on('unknown', () => this.#log('warn', {}, 'message of the gateway not understood'));
      tunnel.on('end', (end) => {
        signal.removeEventListener('abort', abort);
        this.#closed(tunnel, end);
        if (!opened) return reject(endError(end));
        if (end.retry && this.#reconnect !== false && !signal.aborted) this.#comeAgain(signal);
      });
    });
  }

  #comeAgain(signal: AbortSignal): void {
    this.#reach(signal, Number.POSITIVE_INFINITY, this.#nextDelayMs()).catch((error: unknown) => {
      if (!signal.aborted) this.#log('warn', { code: codeOf(error) }, 'device gives up');
    });
  }

  #nextDelayMs(): number {
    if (this.#reconnect === false) return Number.POSITIVE_INFINITY;
    const delayMs = reconnectDelayMs(this.#reconnect, this.#failures, this.#options.random ?? Math.random);
    this.#failures += 1;
    return delayMs;
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    this.#enter('retrying');
    this.emit('retrying', { failures: this.#failures, delayMs });
    await delay(delayMs, undefined, { signal }).catch(() => undefined);
  }

  #receive(tunnel: Tunnel, message: GatewayMessage): void {
    if (tunnel !== this.#tunnel) return;
    switch (message.type) {
      case 'waiting':
        void this.#identity.welcomed({ ewonName: message.ewonName });
        this.#enter('waiting');
        this.emit('waiting');
        break;
      case 'welcome':
        this.#tunnelId = message.tunnelId;
        void this.#identity.welcomed({ ewonName: message.ewonName, vpnAddress: message.vpnAddress });
        this.#enter('online');
        this.emit('online', message.vpnAddress);
        this.#renewInTime();
        break;
      case 'keepAlive':
        // Only a tunnel that lasted proves that the trouble is over.
        this.#failures = 0;
        void this.#identity.catchUp();
        this.#renewInTime();
        break;
      case 'refused':
        this.#log('warn', { of: message.of, code: message.code }, 'message refused');
        break;
      case 'dial':
        void this.#dial(tunnel, message);
        break;
      case 'updateFirmware':
        this.#obeyUpdate(tunnel, message);
        break;
      case 'certificate':
      case 'accepted':
        break;
    }
    this.emit('message', message);
    this.emit('change');
  }

  #closed(tunnel: Tunnel, end: TunnelEnd): void {
    const last = this.#ghosts.delete(tunnel) && this.#ghosts.size === 0 && this.#tunnelState === 'vanished';
    if (tunnel !== this.#tunnel && !last) return;
    this.#tunnel = undefined;
    this.#streams.cut();
    this.#lastClose = end;
    this.#log('info', { reason: end.reason, code: end.code }, 'tunnel closed');
    this.#enter('closed');
    this.emit('closed', end);
  }

  async #dial(tunnel: Tunnel, dial: Dial): Promise<void> {
    const credentials = this.#identity.known.credentials;
    if (credentials === undefined) return;
    const { streamId } = dial;
    const outcome = await this.#streams.dial(
      dial,
      { ...credentials, link: this.#link },
      {
        refuse: (code, message) => tunnel.send({ type: 'dialFailed', streamId, code, message }),
        wanted: () => tunnel === this.#tunnel,
      },
    );
    this.#log('info', { ...outcome }, 'stream');
    this.emit('dialled', outcome);
    this.emit('change');
  }

  /** PRV-08: installs the firmware that a campaign of the platform asks for, and comes back with it. */
  #obeyUpdate(tunnel: Tunnel, { campaignId, firmwareVersion }: Update): void {
    if (this.#updates === 'IGNORED') return;
    const refuse = (message: string) => tunnel.send({ type: 'updateRefused', campaignId, message });
    if (this.#updates === 'REFUSED') return refuse('Updates are switched off on the device.');
    if (!DeviceFacts.shape.firmwareVersion.safeParse(firmwareVersion).success) return refuse('No such firmware.');
    if (!isOlder(this.#facts.firmwareVersion, firmwareVersion)) {
      this.report({ firmwareVersion: this.#facts.firmwareVersion });
      return;
    }
    this.updateFirmware(firmwareVersion).catch((error: unknown) => {
      this.#log('warn', { code: codeOf(error) }, 'device did not come back from its update');
      const { signal } = this.#wish;
      if (this.#lastClose?.retry && this.#reconnect !== false && !signal.aborted) this.#comeAgain(signal);
    });
  }

  /** GW-07: without remote access there is no tunnel; when it is given again, one that was wanted comes back. */
  #obeyDigitalInput(): void {
    if (this.remoteAccessForbidden) {
      if (this.#tunnelState === 'closed' || this.#tunnelState === 'vanished') return;
      this.#heldBack = true;
      void this.#leave('REMOTE_ACCESS_DISABLED');
    } else if (this.#heldBack) {
      this.connect({ withinMs: WAKE_WITHIN_MS }).catch((error: unknown) => {
        this.#log('warn', { code: codeOf(error) }, 'device gives up');
      });
    }
  }

  #notRegistered(): CodedError {
    return new CodedError('NOT_REGISTERED', `Device ${this.serialNumber} is not registered.`);
  }

  #isOpen(): boolean {
    return this.#tunnelState === 'online' || this.#tunnelState === 'waiting';
  }

  #enter(state: TunnelState): void {
    this.#tunnelState = state;
    this.emit('change');
  }

  // ── Certificate ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #renew(): Promise<void> {
    const credentials = this.#identity.known.credentials;
    if (credentials === undefined || this.#tunnel === undefined) {
      throw new CodedError('NOT_CONNECTED', 'A certificate is renewed over an open tunnel.');
    }
    const signingRequest = createSigningRequest({ keyPem: credentials.key, commonName: this.serialNumber });
    const certificate = await requestRenewal(this.#tunnel, signingRequest, this.#timeoutMs);
    await this.#identity.renewed(certificate);
    this.emit('renewed');
    this.emit('change');
  }

  #renewInTime(): void {
    const now = this.clock;
    if (this.#renewing !== undefined || now - this.#renewalFailedAt < RENEWAL_RETRY_MS) return;
    if (!isRenewalDue(this.certificate, now)) return;
    this.renewCertificate().catch((error: unknown) => {
      this.#renewalFailedAt = now;
      this.#log('warn', { code: codeOf(error), reason: messageOf(error) }, 'certificate not renewed');
    });
  }

  async #enrol(
    url: string,
    authority: string,
    proof: EnrolmentProof,
    description: string | undefined,
    call: CallOptions,
  ): Promise<EnrolmentResponse> {
    const key = await this.#identity.keyFor(url, authority);
    const { serialNumber, model, firmwareVersion, lanAddress } = this.#facts;
    const signingRequest = createSigningRequest({ keyPem: key, commonName: serialNumber });
    const device = { protocol: PROTOCOL_VERSION, serialNumber, model, firmwareVersion, lanAddress, signingRequest };
    const response = await enrol(
      url,
      authority,
      { ...device, proof, ...(description !== undefined && { description }) },
      call,
    );
    await this.#identity.registered(key, response);
    return response;
  }

  // ── What it knows ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The authority of a device port: the one it met there before, the one it was given, or the one it finds (trust on first use). */
  async #meet(deviceUrl: string, call: CallOptions): Promise<string> {
    const known = this.#identity.known.platform;
    if (known?.deviceUrl === deviceUrl) return known.authority;
    const { authority } = this.#options.platform;
    if (typeof authority === 'string') return authority;
    return authority === undefined ? fetchAuthority(deviceUrl, call) : authority(deviceUrl);
  }

  /** Called when its state could not be written: it says so and goes on (SIM-04). */
  stateNotKept(error: unknown): void {
    this.#log('warn', { code: codeOf(error), reason: messageOf(error) }, 'state not kept');
    this.emit('stateNotKept', error instanceof CodedError ? error : new CodedError(codeOf(error), messageOf(error)));
  }

  #log(level: 'info' | 'warn', fields: object, message: string): void {
    this.#options.platform.log?.[level]({ device: this.serialNumber, ...fields }, message);
  }
}

/** EWN-18: number by number. Both must have the form of a firmware version. */
function isOlder(version: string, than: string): boolean {
  const [left, right] = [version, than].map((text) => text.split(/[.s]/).map(Number)) as [number[], number[]];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}

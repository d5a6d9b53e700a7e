import { createPrivateKey } from 'node:crypto';
import { readCertificate } from '../client/device-port.ts';
import { CodedError } from '../client/errors.ts';
import type { EnrolmentResponse } from '../src/gateway/protocol.ts';
import { createDeviceKey } from './certificates.ts';
import type { DeviceState, StateStore } from './state.ts';

/** GW-02 */
export type RegistrationState = 'NEW' | 'ACCOUNT_LINKED' | 'VPN_PROVISIONED';

/** Who a device is (GW-03, SIM-04): its key, certificate and platform, the same in memory and in the store. */
export class Identity {
  readonly #store: StateStore;
  readonly #serialNumber: string;
  readonly #onNotKept: (error: unknown) => void;
  #known: DeviceState;
  #writing: Promise<void> = Promise.resolve();
  /** The last write failed: the store has less than the memory. */
  #behind = false;

  /** Use {@link openIdentity}. */
  constructor(store: StateStore, known: DeviceState, onNotKept: (error: unknown) => void) {
    this.#store = store;
    this.#onNotKept = onNotKept;
    this.#serialNumber = known.serialNumber;
    this.#known = known;
  }

  get known(): Readonly<DeviceState> {
    return this.#known;
  }

  get registrationState(): RegistrationState {
    if (this.#known.credentials === undefined) return 'NEW';
    return this.#known.vpnAddress === undefined ? 'ACCOUNT_LINKED' : 'VPN_PROVISIONED';
  }

  /**
   * The key for a registration, kept before the platform sees it: were the answer lost, the device could prove by its key
   * that the registration was its own.
   */
  async keyFor(deviceUrl: string, authority: string): Promise<string> {
    const pendingKey = this.#known.pendingKey ?? (await createDeviceKey());
    await this.#keep({ pendingKey, platform: { deviceUrl, authority } });
    return pendingKey;
  }

  /**
   * Takes what a registration gave, also when it cannot be kept: then the device is registered until the process ends.
   *
   * @throws CodedError `CERTIFICATE_UNUSABLE`
   */
  async registered(key: string, response: EnrolmentResponse): Promise<void> {
    const { certificate, certificateAuthority, tunnelUrl, ewonName } = response;
    this.#requireOwn(certificate, key);
    const credentials = { key, certificate, authority: certificateAuthority, tunnelUrl, ewonName };
    await this.#keepIfPossible({ pendingKey: undefined, vpnAddress: undefined, credentials });
  }

  /** The same for a renewal. @throws CodedError `CERTIFICATE_UNUSABLE` */
  async renewed(certificate: string): Promise<void> {
    const { credentials } = this.#known;
    if (credentials === undefined) return;
    this.#requireOwn(certificate, credentials.key);
    await this.#keepIfPossible({ credentials: { ...credentials, certificate } });
  }

  /** Keeps what the gateway says of the device at each opening. */
  async welcomed({ ewonName, vpnAddress }: { ewonName: string; vpnAddress?: string }): Promise<void> {
    const { credentials } = this.#known;
    if (credentials === undefined) return;
    if (credentials.ewonName === ewonName && (vpnAddress ?? this.#known.vpnAddress) === this.#known.vpnAddress) return;
    await this.#keepIfPossible({
      credentials: { ...credentials, ewonName },
      ...(vpnAddress !== undefined && { vpnAddress }),
    });
  }

  /** Writes what could not be written before. */
  async catchUp(): Promise<void> {
    if (this.#behind) await this.#keepIfPossible({});
  }

  async forget(): Promise<void> {
    this.#known = { version: 1, serialNumber: this.#serialNumber };
    await this.#writing;
    await this.#store.remove(this.#serialNumber);
  }

  /** Resolves when everything has been written, or could not be. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** A device goes on with what it has in memory when the disk is full (SIM-04). */
  async #keepIfPossible(change: Partial<DeviceState>): Promise<void> {
    await this.#keep(change).catch(this.#onNotKept);
  }

  /** In memory at once, in the store in the order of calls. */
  #keep(change: Partial<DeviceState>): Promise<void> {
    this.#known = { ...this.#known, ...change };
    const written = this.#writing.then(() => this.#store.save(this.#known));
    this.#writing = written.then(
      () => {
        this.#behind = false;
      },
      () => {
        this.#behind = true;
      },
    );
    return written;
  }

  /** A certificate that is not for this key or not of this device would end every later tunnel. */
  #requireOwn(pem: string, key: string): void {
    const certificate = readCertificate(pem);
    const name = certificate?.toLegacyObject().subject.CN;
    if (certificate?.checkPrivateKey(createPrivateKey(key)) && name === this.#serialNumber) return;
    throw new CodedError(
      'CERTIFICATE_UNUSABLE',
      `The platform gave device ${this.#serialNumber} a certificate that is not its own.`,
    );
  }
}

/**
 * The identity of a serial number as the store has it, or a new one.
 *
 * @param onNotKept told each time when something could not be written that the device goes on with
 * @throws CodedError `STATE_UNREADABLE`
 */
export async function openIdentity(
  store: StateStore,
  serialNumber: string,
  onNotKept: (error: unknown) => void,
): Promise<Identity> {
  return new Identity(store, (await store.load(serialNumber)) ?? { version: 1, serialNumber }, onNotKept);
}

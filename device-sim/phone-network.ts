import { z } from 'zod';
import { CodedError } from '../client/errors.ts';
import type { Device } from './device.ts';
import { type LoopbackApi, readJson, startLoopbackApi } from './loopback-api.ts';

/** What the platform writes in a wake-up (WAK-02); what follows names the Ewon, which a device does not know. */
const WAKE_UP = /^TALKGATE WAKE UP\b/;
/** Bytes of one message with its number. */
const MAX_SMS_BYTES = 16 * 1024;

const Sms = z.object({ to: z.string().min(1).max(40), text: z.string().max(2000) });

/** What became of a text message: nobody has the number, the device has nothing to do with it, or it was woken. */
export type SmsOutcome = 'NO_SUCH_NUMBER' | 'IGNORED' | 'WOKEN';

export interface PhoneNetworkOptions {
  /** Of loopback; 0 for any free one. */
  port?: number;
  /** A device that was woken could not connect. */
  onError?: (error: unknown, device: Device) => void;
}

/**
 * The phone network that simulated devices are in. The platform posts text messages to it as to an SMS gateway (`SMS_URL`),
 * `{ "to", "text" }`; a wake-up reaches the device that has the number (WAK-02).
 */
export class PhoneNetwork {
  readonly #devices = new Map<string, Device>();
  readonly #onError: NonNullable<PhoneNetworkOptions['onError']>;
  #api: LoopbackApi | undefined;
  #received = 0;

  /** Use {@link startPhoneNetwork}, or this one without an HTTP door. */
  constructor({ onError = () => undefined }: Pick<PhoneNetworkOptions, 'onError'> = {}) {
    this.#onError = onError;
  }

  /** For `SMS_URL` of the platform; undefined before it listens. */
  get url(): string | undefined {
    return this.#api && `${this.#api.url}/sms`;
  }

  /** How many text messages came, to whomever. */
  get received(): number {
    return this.#received;
  }

  /** Puts a device into the network; one without a number is not reached. The last one of a number has it. */
  add(device: Device): void {
    if (device.phoneNumber !== undefined) this.#devices.set(device.phoneNumber, device);
  }

  /** Delivers a text message; a device that it wakes is connecting when this returns. @param to in E.164 */
  deliverSms(to: string, text: string): SmsOutcome {
    this.#received += 1;
    const device = this.#devices.get(to);
    if (device === undefined) return 'NO_SUCH_NUMBER';
    if (!WAKE_UP.test(text)) return 'IGNORED';
    device.wake().catch((error: unknown) => this.#onError(error, device));
    return 'WOKEN';
  }

  /** @throws CodedError `PORT_NOT_AVAILABLE` */
  async listen(port: number): Promise<void> {
    this.#api = await startLoopbackApi(port, async (request) => {
      if (request.url !== '/sms') throw new CodedError('NOT_FOUND', 'Text messages are posted to /sms.');
      if (request.method !== 'POST') throw new CodedError('METHOD_NOT_ALLOWED', 'Text messages are posted.');
      const sms = Sms.safeParse(await readJson(request, MAX_SMS_BYTES));
      if (!sms.success) throw new CodedError('VALUE_INVALID', 'A text message is {"to": number, "text": text}.');
      // Nothing that tells whether a number exists: an SMS gateway takes what it is given.
      this.deliverSms(sms.data.to, sms.data.text);
      return { status: 202, body: { accepted: true } };
    });
  }

  async close(): Promise<void> {
    await this.#api?.close();
    this.#api = undefined;
  }
}

/** A phone network with its HTTP door on loopback. @throws CodedError `PORT_NOT_AVAILABLE` */
export async function startPhoneNetwork({ port = 0, ...options }: PhoneNetworkOptions = {}): Promise<PhoneNetwork> {
  const network = new PhoneNetwork(options);
  await network.listen(port);
  return network;
}

import { randomUUID } from 'node:crypto';
import { fetchAuthority } from '../client/device-port.ts';
import { CodedError, codeOf } from '../client/errors.ts';
import { type DeviceFacts, type EnrolmentProof, PROTOCOL_VERSION } from '../src/gateway/protocol.ts';
import { createDeviceKey, createSigningRequest } from './certificates.ts';
import { enrol } from './device-port.ts';

/** How somebody tries to become a device that is not his (GW-04). */
export interface ImpostorOptions {
  /** `https://host:port` of the device port. */
  deviceUrl: string;
  /** The authority in PEM; without it, the one that the device port gives. */
  authority?: string;
  /** What he has to prove that an account wants the device. */
  proof: EnrolmentProof;
  /**
   * His own serial number, for which he signs while he names the foreign one; without it he signs for the foreign one too, as a
   * device with a duplicate serial number does.
   */
  ownSerialNumber?: string;
  facts?: Pick<DeviceFacts, 'model' | 'firmwareVersion'>;
  timeoutMs?: number;
  signal?: AbortSignal;
}

/**
 * Tries to register under a foreign serial number, with a key of his own (SIM-05, GW-04).
 *
 * @returns the code of the refusal, such as `DEVICE_ALREADY_REGISTERED` or `SERIAL_NUMBER_MISMATCH`; also `UNREACHABLE` and such
 * @throws CodedError `NOT_REFUSED` when the platform gave him a certificate
 */
export async function tryToEnrolAs(
  serialNumber: string,
  {
    deviceUrl,
    authority,
    proof,
    ownSerialNumber = serialNumber,
    facts = { model: 'FLEXY', firmwareVersion: '14.8s2' },
    timeoutMs = 15_000,
    signal,
  }: ImpostorOptions,
): Promise<string> {
  const call = { timeoutMs, signal };
  const signingRequest = createSigningRequest({ keyPem: await createDeviceKey(), commonName: ownSerialNumber });
  try {
    await enrol(
      deviceUrl,
      authority ?? (await fetchAuthority(deviceUrl, call)),
      {
        protocol: PROTOCOL_VERSION,
        serialNumber,
        model: facts.model,
        firmwareVersion: facts.firmwareVersion,
        signingRequest,
        proof,
        description: `Impostor ${randomUUID().slice(0, 8)}`,
      },
      call,
    );
  } catch (error) {
    if (error instanceof CodedError) return codeOf(error);
    throw error;
  }
  throw new CodedError('NOT_REFUSED', `The platform gave a stranger a certificate for ${serialNumber}.`);
}

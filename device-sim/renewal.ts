import { readCertificate } from '../client/device-port.ts';
import { ask } from './requests.ts';
import type { Tunnel } from './tunnel.ts';

/** GW-03: a device renews its certificate when less than a third of the lifetime is left. */
export function isRenewalDue(certificatePem: string | undefined, now: number): boolean {
  const certificate = readCertificate(certificatePem ?? '');
  if (certificate === undefined) return false;
  const begin = Date.parse(certificate.validFrom);
  const end = Date.parse(certificate.validTo);
  return end - now < (end - begin) / 3;
}

/**
 * Asks for a new certificate over a tunnel, and gives it in PEM.
 *
 * @throws CodedError `TIMEOUT`, the code of the refusal, or the reason why the tunnel ended
 */
export const requestRenewal = (tunnel: Tunnel, signingRequest: string, timeoutMs: number): Promise<string> =>
  ask(tunnel, { type: 'renewCertificate', signingRequest }, timeoutMs, (answer) =>
    answer.type === 'certificate' ? { value: answer.certificate } : undefined,
  );

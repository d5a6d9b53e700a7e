import { readCertificate } from '../client/device-port.ts';
import { CodedError } from '../client/errors.ts';
import type { GatewayMessage } from '../src/gateway/protocol.ts';
import { endError, type Tunnel, type TunnelEnd } from './tunnel.ts';

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
export function requestRenewal(tunnel: Tunnel, signingRequest: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => {
      clearTimeout(timer);
      tunnel.off('message', answered);
      tunnel.off('end', ended);
      then();
    };
    const answered = (message: GatewayMessage) => {
      if (message.type === 'certificate') settle(() => resolve(message.certificate));
      if (message.type !== 'refused' || message.of !== 'renewCertificate') return;
      settle(() => reject(new CodedError(message.code, message.message)));
    };
    const ended = (end: TunnelEnd) => settle(() => reject(endError(end)));
    const timer = setTimeout(() => {
      settle(() => reject(new CodedError('TIMEOUT', 'The gateway did not answer the renewal of a certificate.')));
    }, timeoutMs);
    tunnel.on('message', answered);
    tunnel.on('end', ended);
    tunnel.send({ type: 'renewCertificate', signingRequest });
  });
}

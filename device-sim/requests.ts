import { randomUUID } from 'node:crypto';
import { CodedError } from '../client/errors.ts';
import type { DeviceMessage, GatewayMessage } from '../src/gateway/protocol.ts';
import { endError, type Tunnel, type TunnelEnd } from './tunnel.ts';

type Request = Extract<DeviceMessage, { id: string }>;
/** A message that the gateway accepts or refuses, before it has its id. */
export type DeviceRequest = Request extends infer Each ? (Each extends Request ? Omit<Each, 'id'> : never) : never;

/**
 * Sends a message and waits until the gateway has taken it for good.
 *
 * @throws CodedError `TIMEOUT`, the code of the refusal, or the reason why the tunnel ended
 */
export function requestOf(
  tunnel: Tunnel,
  message: DeviceRequest,
  { timeoutMs, id = randomUUID() }: { timeoutMs: number; id?: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => {
      clearTimeout(timer);
      tunnel.off('message', answered);
      tunnel.off('end', ended);
      then();
    };
    const answered = (answer: GatewayMessage) => {
      if (answer.type === 'accepted' && answer.id === id) settle(resolve);
      if (answer.type !== 'refused' || answer.of !== message.type || (answer.id ?? id) !== id) return;
      settle(() => reject(new CodedError(answer.code, answer.message)));
    };
    const ended = (end: TunnelEnd) => settle(() => reject(endError(end)));
    const timer = setTimeout(() => {
      settle(() => reject(new CodedError('TIMEOUT', `The gateway did not answer ${message.type}.`)));
    }, timeoutMs);
    tunnel.on('message', answered);
    tunnel.on('end', ended);
    tunnel.send({ ...message, id } as Request);
  });
}

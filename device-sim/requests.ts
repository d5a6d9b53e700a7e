import { randomUUID } from 'node:crypto';
import { CodedError } from '../client/errors.ts';
import type { DeviceMessage, GatewayMessage } from '../src/gateway/protocol.ts';
import { endError, type Tunnel, type TunnelEnd } from './tunnel.ts';

type Request = Extract<DeviceMessage, { id: string }>;
/** A message that the gateway accepts or refuses, before it has its id. */
export type DeviceRequest = Request extends infer Each ? (Each extends Request ? Omit<Each, 'id'> : never) : never;

/**
 * Sends a question with its id over a tunnel, and waits until the gateway has taken it for good. Gives what the gateway says
 * besides.
 * @throws CodedError as {@link ask}
 */
export function requestOf(
  tunnel: Tunnel,
  message: DeviceRequest,
  { timeoutMs, id = randomUUID() }: { timeoutMs: number; id?: string },
): Promise<string | undefined> {
  return ask<string | undefined>(tunnel, { ...message, id } as Request, timeoutMs, (answer) =>
    answer.type === 'accepted' && answer.id === id ? { value: answer.notice } : undefined,
  );
}

/**
 * Sends a message and waits for what the gateway says to it.
 *
 * @param answerIn what a message of the gateway says to this one; undefined when it is about something else
 * @throws CodedError `TIMEOUT`, the code of the refusal, or the reason why the tunnel ended
 */
export function ask<T>(
  tunnel: Tunnel,
  message: DeviceMessage,
  timeoutMs: number,
  answerIn: (answer: GatewayMessage) => { value: T } | undefined,
): Promise<T> {
  const id = 'id' in message ? message.id : undefined;
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => {
      clearTimeout(timer);
      tunnel.off('message', answered);
      tunnel.off('end', ended);
      then();
    };
    const answered = (answer: GatewayMessage) => {
      const found = answerIn(answer);
      if (found) return settle(() => resolve(found.value));
      // A refusal without an id is of the message of its kind that waits.
      if (answer.type !== 'refused' || answer.of !== message.type || (answer.id ?? id) !== id) return;
      settle(() => reject(new CodedError(answer.code, answer.message)));
    };
    const ended = (end: TunnelEnd) => settle(() => reject(endError(end)));
    const timer = setTimeout(() => {
      settle(() => reject(new CodedError('TIMEOUT', `The gateway did not answer ${message.type}.`)));
    }, timeoutMs);
    tunnel.on('message', answered);
    tunnel.on('end', ended);
    tunnel.send(message);
  });
}

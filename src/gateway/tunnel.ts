import { randomUUID } from 'node:crypto';
import type { ReportedFacts } from '../ewons/presence.ts';
import type { DeviceIdentity } from './identity.ts';
import { MessageBudget } from './message-budget.ts';
import {
  CLOSE_CODES,
  type CloseReason,
  DeviceMessage,
  type DeviceRequest,
  type DialFailure,
  type GatewayMessage,
  type HelloMessage,
  MAX_MESSAGE_BYTES,
} from './protocol.ts';

/** What a tunnel needs of a WebSocket, so that its tests need no TLS. */
export interface TunnelSocket {
  readonly bufferedAmount: number;
  send(data: string): void;
  close(code: number, reason: string): void;
  /** Ends the connection without a word. */
  terminate(): void;
}

/**
 * `connecting`: no `hello` yet. `waiting`: registered, but not approved (GRK-17). `claiming`: its presence is being written.
 * `established`: online. `closed`: over, for good.
 */
export type TunnelPhase = 'connecting' | 'waiting' | 'claiming' | 'established' | 'closed';

/** What a tunnel tells its keeper. */
export interface TunnelEvents {
  hello(tunnel: Tunnel, hello: HelloMessage): void;
  report(tunnel: Tunnel, facts: ReportedFacts): void;
  renewCertificate(tunnel: Tunnel, signingRequest: string): void;
  dialFailed(tunnel: Tunnel, streamId: string, code: DialFailure, message: string): void;
  updateRefused(tunnel: Tunnel, campaignId: string, message: string): void;
  /** To be answered by `accepted` or `refused`. */
  request(tunnel: Tunnel, request: DeviceRequest): void;
  closed(tunnel: Tunnel, reason: string): void;
}

export interface TunnelLimits {
  messagesPerMinute: number;
  /** Bytes that may wait for a device that does not read before it is cut. */
  maxBufferedBytes: number;
}

/** One device's live link. Holds no rule: it keeps the order of the protocol, the message budget and the time last heard. */
export class Tunnel {
  readonly id = randomUUID();
  phase: TunnelPhase = 'connecting';
  hello: HelloMessage | undefined;
  /** Campaigns that this tunnel has asked its device for (PRV-08). */
  readonly askedToUpdate = new Map<string, 'ASKED' | 'REFUSED'>();
  /** What the device has told of itself by now: by `hello`, and by reports since. */
  facts: ReportedFacts = {};
  lastHeardMs: number;
  private readonly budget: MessageBudget;

  constructor(
    public identity: DeviceIdentity,
    private readonly socket: TunnelSocket,
    private readonly limits: TunnelLimits,
    private readonly events: TunnelEvents,
    private readonly nowMs: () => number,
  ) {
    this.lastHeardMs = nowMs();
    this.budget = new MessageBudget(limits.messagesPerMinute, nowMs);
  }

  /** Takes what the socket received. */
  receive(data: string | null): void {
    if (this.phase === 'closed') return;
    this.lastHeardMs = this.nowMs();
    // A long message takes as much of the budget as the short ones that it has room for.
    if (!this.budget.take(Math.ceil((data?.length ?? 1) / MAX_MESSAGE_BYTES) || 1))
      return this.close('TOO_MANY_MESSAGES');
    const message = data === null ? null : parse(data);
    if (!message) return this.close('MESSAGE_INVALID');
    if ((message.type === 'hello') !== (this.phase === 'connecting')) return this.close('MESSAGE_INVALID');
    switch (message.type) {
      case 'hello':
        this.hello = message;
        this.facts = factsOf(message);
        return this.events.hello(this, message);
      case 'keepAlive':
        return this.send({ type: 'keepAlive' });
      case 'report': {
        const { type: _, ...facts } = message;
        this.facts = { ...this.facts, ...facts };
        return this.events.report(this, facts);
      }
      case 'renewCertificate':
        return this.events.renewCertificate(this, message.signingRequest);
      case 'dialFailed':
        return this.events.dialFailed(this, message.streamId, message.code, message.message);
      case 'updateRefused':
        return this.events.updateRefused(this, message.campaignId, message.message);
      case 'm2u':
      case 'data':
      case 'sendMail':
      case 'sendSms':
        return this.events.request(this, message);
    }
  }

  send(message: GatewayMessage): void {
    if (this.phase === 'closed') return;
    if (this.socket.bufferedAmount > this.limits.maxBufferedBytes) return this.lost('the device does not read');
    // The answer to a question of the gateway is not the device's doing: whoever has many streams refused must not cost it its tunnel.
    if (message.type === 'dial') this.budget.grant();
    this.socket.send(JSON.stringify(message));
  }

  /** Ends the tunnel with a code that tells the device why, and whether to come again. */
  close(reason: CloseReason): void {
    if (this.phase === 'closed') return;
    this.socket.close(CLOSE_CODES[reason].code, reason);
    this.end(reason);
  }

  /** The device is gone without having said so. */
  lost(reason: string): void {
    if (this.phase === 'closed') return;
    this.socket.terminate();
    this.end(reason);
  }

  /** The socket has closed. */
  socketClosed(code: number): void {
    if (this.phase !== 'closed') this.end(code === 1000 || code === 1001 ? 'closed by the device' : 'connection lost');
  }

  private end(reason: string): void {
    this.phase = 'closed';
    this.events.closed(this, reason);
  }
}

function factsOf({ type: _, serialNumber: __, transport: ___, ...facts }: HelloMessage): ReportedFacts {
  return facts;
}

function parse(data: string): DeviceMessage | null {
  try {
    const message = DeviceMessage.safeParse(JSON.parse(data)).data ?? null;
    const tooLong = message?.type !== 'm2u' && Buffer.byteLength(data) > MAX_MESSAGE_BYTES;
    return tooLong ? null : message;
  } catch {
    return null;
  }
}

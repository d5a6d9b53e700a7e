import type { Platform } from '../context.ts';
import { storeDataPoints } from '../data-mailbox/store.ts';
import { sendDeviceMessage } from '../device-messages/send.ts';
import { AppError } from '../errors.ts';
import { deliverM2u } from '../m2u/deliver.ts';
import type { DeviceRequest } from './protocol.ts';
import type { Tunnel } from './tunnel.ts';

/** Requests of one tunnel that may be in work or wait; what comes beyond is refused at once. */
const AT_ONCE = 8;

interface Line {
  length: number;
  last: Promise<void>;
}

/**
 * What devices ask for over their tunnels: values to be stored (GW-14), mail and text messages to be sent (GW-13), data to be
 * relayed (M2U-01). The requests
 * of one tunnel are done one after the other, in the order of their arrival; keep-alives and everything else go past them.
 */
export class DeviceRequests {
  private readonly lines = new Map<Tunnel, Line>();

  constructor(private readonly ctx: Platform) {}

  /** Answers the request by `accepted` or `refused`, sooner or later; the tunnel goes on. */
  take(tunnel: Tunnel, request: DeviceRequest): void {
    const refusal = this.refusal(tunnel);
    if (refusal) return refuse(tunnel, request, refusal);
    const line = this.lines.get(tunnel) ?? { length: 0, last: Promise.resolve() };
    this.lines.set(tunnel, line);
    line.length += 1;
    line.last = line.last.then(async () => {
      await this.serve(tunnel, request);
      line.length -= 1;
      if (line.length === 0) this.lines.delete(tunnel);
    });
  }

  /** Returns when nothing is in work any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.lines.values()].map(({ last }) => last));
  }

  private refusal(tunnel: Tunnel): AppError | null {
    if (tunnel.phase === 'waiting') return new AppError('EWON_NOT_APPROVED', 'The Ewon waits for approval.');
    if (tunnel.phase !== 'established') return new AppError('EWON_OFFLINE', 'Wait for `welcome`.');
    if ((this.lines.get(tunnel)?.length ?? 0) >= AT_ONCE)
      return new AppError('TOO_MANY_REQUESTS', `At most ${AT_ONCE} requests may wait for their answer.`);
    return null;
  }

  /** Never throws. */
  private async serve(tunnel: Tunnel, request: DeviceRequest): Promise<void> {
    // What a tunnel that has ended still wanted is not done: its device cannot know, and asks again.
    if (tunnel.phase !== 'established') return;
    try {
      const notice = await this.perform(tunnel, request);
      tunnel.send({ type: 'accepted', of: request.type, id: request.id, ...(notice !== undefined && { notice }) });
    } catch (error) {
      if (error instanceof AppError) return refuse(tunnel, request, error);
      this.ctx.log.error(
        { err: error, ewonId: tunnel.identity.ewon.id, request: request.type },
        'A request of a device failed',
      );
      refuse(tunnel, request, new AppError('INTERNAL_ERROR', 'Something unexpected happened; try again later.'));
    }
  }

  /** Gives what the device is told besides. */
  private async perform(tunnel: Tunnel, request: DeviceRequest): Promise<string | undefined> {
    const source = { ewonId: tunnel.identity.ewon.id, tunnelId: tunnel.id };
    switch (request.type) {
      case 'm2u':
        return deliverM2u(this.ctx, source, request);
      case 'data':
        await storeDataPoints(this.ctx, source, request.points);
        return undefined;
      case 'sendMail':
        await sendDeviceMessage(this.ctx, source, { ...request, channel: 'MAIL' });
        return undefined;
      case 'sendSms':
        await sendDeviceMessage(this.ctx, source, { ...request, channel: 'SMS', subject: '' });
        return undefined;
    }
  }
}

const refuse = (tunnel: Tunnel, { type, id }: DeviceRequest, { code, message }: AppError): void =>
  tunnel.send({ type: 'refused', of: type, id, code, message });

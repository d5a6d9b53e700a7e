import type { DemoConnectionEventsSubscription, DemoSlotUsageSubscription } from '../client/gql/graphql.ts';
import { ProgressLine, type ProgressStream } from '../device-sim/progress.ts';

export type ConnectionEvent = DemoConnectionEventsSubscription['connectionEvents']['events'][number];
export type SlotUsage = DemoSlotUsageSubscription['slotUsage'];

/** What was seen of the streams; the demo's expectations are about it. */
export interface Seen {
  online: Set<string>;
  started: number;
  closed: number;
  /** By error code. */
  refused: Map<string, number>;
  mostInUse: number;
  total: number;
}

/** Shows what comes out of the subscriptions: a line an event, and below them the present state. */
export class View {
  readonly seen: Seen = { online: new Set(), started: 0, closed: 0, refused: new Map(), mostInUse: 0, total: 0 };
  readonly #line: ProgressLine;
  readonly #out: ProgressStream;
  #usage: SlotUsage | undefined;

  constructor(out: ProgressStream) {
    this.#out = out;
    this.#line = new ProgressLine(out);
  }

  say(text: string): void {
    this.#line.say(text);
  }

  event(event: ConnectionEvent): void {
    const { seen } = this;
    const time = event.at.slice(11, 19);
    const say = (mark: string, colour: number, text: string) =>
      this.say(`${this.#dim(time)} ${this.#colour(colour, mark)} ${text}`);
    switch (event.__typename) {
      case 'EwonOnline':
        seen.online.add(event.ewonName);
        say('up  ', 32, `${event.ewonName} is online at ${event.vpnAddress}`);
        break;
      case 'EwonOffline':
        seen.online.delete(event.ewonName);
        say('down', 33, `${event.ewonName} is offline: ${event.reason}`);
        break;
      case 'EwonWakingUp':
        say('wake', 33, `${event.ewonName} is being woken up`);
        break;
      case 'SessionStarted':
        seen.started += 1;
        say(
          'open',
          36,
          `${event.userName} -> ${event.ewonName}${event.session?.slot?.reserved ? ' (reserved connection)' : ''}`,
        );
        break;
      case 'SessionClosed':
        seen.closed += 1;
        say('left', 90, `${event.userName} -> ${event.ewonName}: ${event.closeReason}`);
        break;
      case 'SessionRefused':
        seen.refused.set(event.refusal, (seen.refused.get(event.refusal) ?? 0) + 1);
        say('full', 31, `${event.userName} -> ${event.ewonName}: ${event.refusal}`);
        break;
    }
    this.#refresh();
  }

  usage(usage: SlotUsage): void {
    this.#usage = usage;
    this.seen.mostInUse = Math.max(this.seen.mostInUse, usage.inUse);
    this.seen.total = usage.total;
    this.#refresh();
  }

  end(): void {
    this.#line.end();
  }

  #refresh(): void {
    // Without a terminal every event is a line already.
    if (!this.#out.isTTY || !this.#usage) return;
    const { seen } = this;
    const { inUse, total, reservations } = this.#usage;
    const reserved = reservations
      .map(({ group, count, inUse: held }) => `${held}/${count} kept for ${group?.name}`)
      .join(', ');
    const refused = [...seen.refused.values()].reduce((sum, count) => sum + count, 0);
    this.#line.update(
      `${seen.online.size} Ewons online | connections ${'#'.repeat(inUse)}${'.'.repeat(Math.max(0, total - inUse))} ${inUse}/${total} (${reserved}) | opened ${seen.started}, refused ${refused}, left ${seen.closed}`,
    );
  }

  #colour = (code: number, text: string): string => (this.#out.isTTY ? `\x1b[${code}m${text}\x1b[0m` : text);
  #dim = (text: string): string => this.#colour(2, text);
}

import { Duplex } from 'node:stream';

/** How slow the device's way to the platform is (SIM-05). */
export interface LinkLimits {
  /** For each direction, shared by the tunnel and all streams; 1 or more. Without it there is no limit. */
  bytesPerSecond?: number;
  /** Milliseconds that each byte takes more, in each direction. */
  latencyMs?: number;
}

/** Bytes on their way for each connection and direction, before its sender is made to wait: the window of a slow link. */
const WINDOW_BYTES = 256 * 1024;
/** A slow link passes what it may in this many portions a second, so that one connection does not keep it from the others. */
const PORTIONS = 20;

/**
 * The device's way to the platform: every connection runs through it, and it slows all of them down together. Limits apply
 * to live connections at once. Without limits it passes everything on as it comes.
 */
export class Link {
  #limits: LinkLimits | null = null;
  /** When the last reserved byte will have passed, for each direction. */
  readonly #free = { up: 0, down: 0 };
  readonly #sockets = new Set<LinkSocket>();

  get limits(): LinkLimits | null {
    return this.#limits;
  }

  setLimits(limits: LinkLimits | null): void {
    this.#limits = limits;
    this.#free.up = 0;
    this.#free.down = 0;
  }

  /** A connection as it looks from the device's end of the link. */
  through(socket: Duplex): Duplex {
    const linked = new LinkSocket(this, socket);
    this.#sockets.add(linked);
    linked.once('close', () => this.#sockets.delete(linked));
    return linked;
  }

  /** Nothing passes on the present connections any more, and nobody is told: they are half-open. */
  freeze(): void {
    for (const socket of this.#sockets) socket.freeze();
    this.#sockets.clear();
  }

  /** Bytes that may pass at once; undefined for any number. */
  get portion(): number | undefined {
    const { bytesPerSecond } = this.#limits ?? {};
    return bytesPerSecond === undefined ? undefined : Math.max(1, Math.floor(bytesPerSecond / PORTIONS));
  }

  /** Reserves the link for so many bytes. @returns milliseconds until they have left the sender, and until they arrive */
  reserve(direction: 'up' | 'down', bytes: number): { leaveMs: number; arriveMs: number } {
    const { bytesPerSecond, latencyMs = 0 } = this.#limits ?? {};
    if (bytesPerSecond === undefined) return { leaveMs: 0, arriveMs: latencyMs };
    const now = performance.now();
    this.#free[direction] = Math.max(now, this.#free[direction]) + (bytes / bytesPerSecond) * 1000;
    const leaveMs = this.#free[direction] - now;
    return { leaveMs, arriveMs: leaveMs + latencyMs };
  }
}

/** Bytes of one direction of one connection, on the link. */
class Transit {
  #last: Promise<void> = Promise.resolve();
  #sending: Promise<void> = Promise.resolve();
  /** Calls of `send` that have not returned. */
  #senders = 0;
  #bytes = 0;
  #cancelled = false;
  #waiting: (() => void) | undefined;
  readonly #timers = new Set<() => void>();

  constructor(
    private readonly link: Link,
    private readonly direction: 'up' | 'down',
    private readonly deliver: (chunk: Buffer) => Promise<void>,
  ) {}

  get idle(): boolean {
    return this.#bytes === 0 && this.#senders === 0;
  }

  /** Whether more may be sent now. */
  get ready(): boolean {
    return this.#senders === 0;
  }

  /** Resolves when the next bytes may be sent; bytes of one call never overtake those of another. */
  async send(data: Buffer): Promise<void> {
    this.#senders += 1;
    this.#sending = this.#sending.then(() => this.#sendOne(data));
    await this.#sending;
    this.#senders -= 1;
  }

  async #sendOne(data: Buffer): Promise<void> {
    const portion = this.link.portion ?? data.length;
    for (let from = 0; from < data.length && !this.#cancelled; from += portion) {
      const chunk = data.subarray(from, from + portion);
      const { leaveMs, arriveMs } = this.link.reserve(this.direction, chunk.length);
      this.#bytes += chunk.length;
      const arrived = this.#pause(arriveMs);
      this.#last = this.#last
        .then(() => arrived)
        .then(() => this.deliver(chunk))
        .then(() => {
          this.#bytes -= chunk.length;
          this.#waiting?.();
        });
      await this.#pause(leaveMs);
      if (this.#bytes > WINDOW_BYTES && !this.#cancelled) {
        await new Promise<void>((resolve) => {
          this.#waiting = () => {
            if (this.#bytes <= WINDOW_BYTES || this.#cancelled) resolve();
          };
        });
      }
    }
  }

  /** Resolves when everything has been delivered. */
  settled(): Promise<void> {
    return this.#sending.then(() => this.#last);
  }

  /** Ends its waits; what was on its way arrives nowhere that counts. */
  cancel(): void {
    this.#cancelled = true;
    for (const end of this.#timers) end();
    this.#bytes = 0;
    this.#waiting?.();
  }

  #pause(ms: number): Promise<void> {
    if (ms <= 0 || this.#cancelled) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#timers.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#timers.add(end);
    });
  }
}

/** A connection with the link in between. It ends, half or whole, as the connection does, after what is on its way. */
class LinkSocket extends Duplex {
  readonly #link: Link;
  readonly #socket: Duplex;
  readonly #up: Transit;
  readonly #down: Transit;
  #frozen = false;
  #ended = false;
  /** Whoever waits until the connection takes more. */
  #drained: (() => void) | undefined;

  constructor(link: Link, socket: Duplex) {
    super({ allowHalfOpen: true });
    this.#link = link;
    this.#socket = socket;
    this.#up = new Transit(link, 'up', (chunk) => new Promise((resolve) => this.#pass(chunk, resolve)));
    this.#down = new Transit(link, 'down', async (chunk) => this.#take(chunk));
    socket.on('data', (chunk: Buffer) => this.#arrive(chunk));
    socket.on('end', () => {
      this.#ended = true;
      void this.#down.settled().then(() => this.destroyed || this.push(null));
    });
    socket.on('drain', () => this.#drain());
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => {
      this.#drain();
      // What came before an orderly end may still wait for its reader.
      if (this.#ended) this.end();
      else this.destroy();
    });
    socket.pause();
  }

  freeze(): void {
    this.#frozen = true;
    this.#socket.pause();
  }

  override _read(): void {
    if (!this.#frozen && this.#down.ready) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#link.limits === null && this.#up.idle) return this.#pass(chunk, done);
    this.#up.send(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    void this.#up.settled().then(() => {
      if (!this.#frozen) this.#socket.end();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#up.cancel();
    this.#down.cancel();
    this.#socket.destroy();
    done(error);
  }

  #arrive(chunk: Buffer): void {
    if (this.#link.limits === null && this.#down.idle) return this.#take(chunk);
    this.#socket.pause();
    void this.#down.send(chunk).then(() => {
      if (this.readableLength < this.readableHighWaterMark) this._read();
    });
  }

  #take(chunk: Buffer): void {
    if (!this.destroyed && !this.#frozen && !this.push(chunk)) this.#socket.pause();
  }

  /** On a frozen connection, `done` never comes. */
  #pass(chunk: Buffer, done: () => void): void {
    if (this.#frozen) return;
    if (this.#socket.destroyed || this.#socket.write(chunk)) done();
    else this.#drained = done;
  }

  #drain(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.();
  }
}

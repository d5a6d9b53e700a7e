import type { Socket } from 'node:net';
import { connectionError, readRefusal } from '../client/device-port.ts';
import { CodedError, codeOf, messageOf } from '../client/errors.ts';
import {
  DialFailure,
  type GatewayMessage,
  MAX_STREAM_FRAME_BYTES,
  STREAM_PATH,
  STREAM_SUBPROTOCOL,
} from '../src/gateway/protocol.ts';
import { StreamError, StreamSocket } from '../src/gateway/stream-socket.ts';
import { connectGateway, type GatewayAccess } from './gateway-connection.ts';
import type { SimulatedLan } from './lan/lan.ts';

export type Dial = Extract<GatewayMessage, { type: 'dial' }>;

/** Of the time that the gateway gives for a dial, this part may pass before the device says that it failed. */
const DIAL_SHARE = 0.9;
/** Characters of a message to the gateway. */
const MAX_DETAIL = 200;

/** What came of a dial. */
export interface DialOutcome {
  address: string;
  port: number;
  /** `OPENED`, or why not: a failure of the protocol, or the code of the gateway's refusal. */
  outcome: string;
}

/** The streams of one device: from the gateway to the machines of its LAN (TUN-01). */
export class DeviceStreams {
  readonly #lan: SimulatedLan;
  readonly #maxStreams: number;
  readonly #live = new Set<StreamSocket>();
  /** Streams that fell silent with their device: they count no more, and end when the device does. */
  readonly #silent = new Set<StreamSocket>();
  #opening = 0;
  #cutting = new AbortController();
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(lan: SimulatedLan, maxStreams: number) {
    this.#lan = lan;
    this.#maxStreams = maxStreams;
  }

  /** How many are open. */
  get size(): number {
    return this.#live.size;
  }

  /** Bytes to the machines of the LAN so far, and from them. */
  get traffic(): { bytesIn: number; bytesOut: number } {
    const traffic = { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
    for (const { bytesRead, bytesWritten } of [...this.#live, ...this.#silent]) {
      traffic.bytesIn += bytesRead;
      traffic.bytesOut += bytesWritten;
    }
    return traffic;
  }

  /**
   * Does what the gateway asks: connects to the address, then opens a stream with the token and joins the two.
   *
   * @param refuse tells the gateway that the connection to the LAN failed
   * @param wanted whether the tunnel that asked is still there
   */
  async dial(
    dial: Dial,
    access: GatewayAccess & { tunnelUrl: string },
    { refuse, wanted }: { refuse: (code: DialFailure, message: string) => void; wanted: () => boolean },
  ): Promise<DialOutcome> {
    const { address, port } = dial;
    const timeoutMs = dial.withinSeconds * 1000 * DIAL_SHARE;
    const deadline = performance.now() + timeoutMs;
    if (this.#live.size + this.#opening >= this.#maxStreams) {
      refuse('DEVICE_BUSY', `The device has ${this.#maxStreams} streams open and can have no more.`);
      return { address, port, outcome: 'DEVICE_BUSY' };
    }
    this.#opening += 1;
    const { signal } = this.#cutting;
    try {
      const socket = await this.#lan.connect(address, port, { timeoutMs });
      try {
        const left = Math.max(1, deadline - performance.now());
        const stream = await openStream(dial.token, access, left, signal);
        if (!wanted()) {
          stream.on('error', () => undefined).destroy(lost());
          throw lost();
        }
        this.#join(socket, stream);
        return { address, port, outcome: 'OPENED' };
      } catch (error) {
        socket.resetAndDestroy();
        return { address, port, outcome: codeOf(error) };
      }
    } catch (error) {
      const code = DialFailure.safeParse(codeOf(error)).data ?? 'LAN_DEVICE_UNREACHABLE';
      refuse(code, messageOf(error).slice(0, MAX_DETAIL));
      return { address, port, outcome: code };
    } finally {
      this.#opening -= 1;
    }
  }

  /** Cuts all streams, and those that are being opened, as the loss of the tunnel does. */
  cut(): void {
    this.#cutting.abort();
    this.#cutting = new AbortController();
    for (const stream of [...this.#live, ...this.#silent]) stream.destroy(lost());
  }

  /** Forgets all streams without ending them: the link of the device is frozen. */
  fallSilent(): void {
    for (const stream of this.#live) this.#silent.add(stream);
    this.#live.clear();
  }

  #join(socket: Socket, stream: StreamSocket): void {
    this.#live.add(stream);
    stream.once('close', () => {
      this.#live.delete(stream);
      this.#silent.delete(stream);
      this.#bytesIn += stream.bytesRead;
      this.#bytesOut += stream.bytesWritten;
      if (!socket.destroyed && !(socket.readableEnded && socket.writableFinished)) socket.resetAndDestroy();
    });
    stream.on('error', () => socket.resetAndDestroy());
    socket.on('error', () => stream.destroy(lost()));
    socket.once('close', () => {
      if (!socket.readableEnded || !socket.writableFinished) stream.destroy(lost());
    });
    stream.pipe(socket);
    socket.pipe(stream);
  }
}

const lost = () => new StreamError('CONNECTION_LOST', 'CONNECTION_LOST');

/** Comes to the tunnel port with the token of a dial. @throws CodedError the code of the refusal, `UNREACHABLE`, `TIMEOUT` */
function openStream(
  token: string,
  { tunnelUrl, ...access }: GatewayAccess & { tunnelUrl: string },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<StreamSocket> {
  if (signal.aborted) return Promise.reject(lost());
  const url = new URL(STREAM_PATH, tunnelUrl).href;
  return new Promise((resolve, reject) => {
    const webSocket = connectGateway(
      { ...access, url, subprotocol: STREAM_SUBPROTOCOL },
      { maxPayload: MAX_STREAM_FRAME_BYTES, headers: { authorization: `Bearer ${token}` } },
    );
    const fail = (error: Error) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cut);
      webSocket.terminate();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new CodedError('TIMEOUT', 'The gateway did not open the stream in time.')),
      timeoutMs,
    );
    const cut = () => fail(lost());
    signal.addEventListener('abort', cut, { once: true });
    const broken = (error: Error) => fail(connectionError(url, error));
    webSocket.on('error', broken);
    webSocket.once('unexpected-response', (request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.length < 16 && chunks.push(chunk));
      response.on('close', () => {
        request.destroy();
        const refusal = readRefusal(Buffer.concat(chunks).toString());
        fail(refusal ?? new CodedError('STREAM_REFUSED', `The gateway answered with status ${response.statusCode}.`));
      });
    });
    webSocket.once('open', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cut);
      webSocket.off('error', broken);
      resolve(new StreamSocket(webSocket));
    });
  });
}

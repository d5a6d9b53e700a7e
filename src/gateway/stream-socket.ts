import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { CLOSE_CODES, type CloseReason, closeReasonOf, MAX_STREAM_FRAME_BYTES, STREAM_END } from './protocol.ts';

/*
 * The wire of a stream, for all who speak it: gateway, client and device. Like protocol.ts it imports nothing of the
 * platform.
 */

/** Bytes that one side of a stream holds in memory for each direction before it makes the other side wait (TUN-04). */
const HIGH_WATER_MARK = 128 * 1024;
/** WebSocket's code for an orderly end. */
const NORMAL = 1000;
/** How long the other side may take to answer the close frame. */
const CLOSE_TIMEOUT_MS = 2000;

/** A stream that ended before both directions did. `code` is a close reason of the protocol, or `CONNECTION_LOST`. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  constructor(
    readonly code: CloseReason,
    /** What the other side said beside it: the close reason of a session (CON-09), or the name of the code. */
    readonly reason: string,
  ) {
    super(reason === code ? `The stream was cut: ${code}.` : `The stream was cut: ${code} (${reason}).`);
  }
}

/**
 * A WebSocket as a byte stream with half-close, as a TCP connection is (TUN-01): binary frames are data, one text frame says
 * that no more follows in this direction, and the socket closes when both directions have ended. `createWebSocketStream` of
 * `ws` ends both directions with the first. It reads as fast as its reader does and writes as fast as the other side reads:
 * nothing but the water mark is kept (TUN-04).
 *
 * Errors: {@link StreamError} when the other side, or the connection, ends it before its time. Destroying it with a
 * StreamError tells the other side the same.
 */
export class StreamSocket extends Duplex {
  /** Bytes of data received and sent, without frames. */
  bytesRead = 0;
  bytesWritten = 0;
  readonly #socket: WebSocket;
  #ended = false;

  /** @param socket open, and not listened to by anybody else */
  constructor(socket: WebSocket) {
    super({ allowHalfOpen: true, highWaterMark: HIGH_WATER_MARK, decodeStrings: true });
    this.#socket = socket;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('error', () => socket.terminate());
    socket.on('close', (code, reason) => this.#closed(code, reason.toString()));
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, 0, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#isOpen()) return done();
    this.#socket.send(STREAM_END, (error) => {
      done(error ? lost() : null);
      this.#closeWhenDone();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const socket = this.#socket;
    if (socket.readyState === socket.CLOSED) return done(error);
    if (socket.isPaused) socket.resume();
    if (this.#isOpen()) {
      if (error === null && this.#ended && this.writableFinished) socket.close(NORMAL);
      else if (error instanceof StreamError) socket.close(CLOSE_CODES[error.code].code, error.reason.slice(0, 100));
      else socket.close(CLOSE_CODES.CONNECTION_LOST.code, 'CONNECTION_LOST');
    }
    const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
    socket.once('close', () => clearTimeout(timer));
    done(error);
  }

  #send(chunk: Buffer, from: number, done: (error?: Error | null) => void): void {
    if (!this.#isOpen()) return done(lost());
    const to = Math.min(from + MAX_STREAM_FRAME_BYTES, chunk.length);
    this.#socket.send(chunk.subarray(from, to), { binary: true }, (error) => {
      if (error) return done(lost());
      this.bytesWritten += to - from;
      if (to < chunk.length) this.#send(chunk, to, done);
      else done();
    });
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.destroyed) return;
    if (this.#ended || (!isBinary && data.toString() !== STREAM_END)) {
      this.destroy(new StreamError('MESSAGE_INVALID', 'MESSAGE_INVALID'));
    } else if (isBinary) {
      const chunk = data as Buffer;
      this.bytesRead += chunk.length;
      if (chunk.length > 0 && !this.push(chunk)) this.#socket.pause();
    } else {
      this.#ended = true;
      this.push(null);
      this.#closeWhenDone();
    }
  }

  /** When both directions have said their end, the socket has nothing to carry any more. */
  #closeWhenDone(): void {
    if (this.#ended && this.writableFinished && this.#isOpen()) this.#socket.close(NORMAL);
  }

  #closed(code: number, reason: string): void {
    if (this.destroyed) return;
    if (this.#ended && this.writableFinished) return;
    // Both ends may have crossed: what this side wrote last was answered by an orderly end.
    if (this.#ended && this.writableEnded && code === NORMAL) return;
    const known = closeReasonOf(code) ?? 'CONNECTION_LOST';
    this.destroy(new StreamError(known, reason || known));
  }

  #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }
}

const lost = (): StreamError => new StreamError('CONNECTION_LOST', 'CONNECTION_LOST');

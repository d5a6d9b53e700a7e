import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { deadline } from '../client/deadline.ts';
import { CodedError } from '../client/errors.ts';

/** Written at a time; the same bytes again and again, so that memory does not grow with what is sent. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Sends random bytes to a server that echoes, then its end, and compares what comes back until the server's end. The stream
 * is closed in any case.
 *
 * @throws CodedError `BYTES_DIFFER`, `TIMEOUT`; the error of the stream
 */
export async function echo(stream: Duplex, { bytes, timeoutMs }: { bytes: number; timeoutMs: number }): Promise<void> {
  const chunk = randomBytes(Math.min(bytes, CHUNK_BYTES));
  using limit = deadline(timeoutMs);
  const expire = () => stream.destroy(new CodedError('TIMEOUT', `No echo of ${bytes} bytes in ${timeoutMs / 1000} s.`));
  limit.signal.addEventListener('abort', expire, { once: true });
  try {
    await Promise.all([send(stream, chunk, bytes), compare(stream, chunk, bytes)]);
  } finally {
    limit.signal.removeEventListener('abort', expire);
    stream.destroy();
  }
}

async function send(stream: Duplex, chunk: Buffer, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= chunk.length) {
    if (!stream.write(chunk.subarray(0, Math.min(left, chunk.length)))) await once(stream, 'drain');
  }
  stream.end();
}

async function compare(stream: Duplex, chunk: Buffer, bytes: number): Promise<void> {
  let received = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    for (let at = 0; at < part.length; ) {
      const expected = chunk.subarray((received + at) % chunk.length);
      const length = Math.min(expected.length, part.length - at);
      if (expected.compare(part, at, at + length, 0, length) !== 0) throw differ(received + at);
      at += length;
    }
    received += part.length;
  }
  if (received !== bytes) throw differ(received);
}

const differ = (at: number) =>
  new CodedError('BYTES_DIFFER', `What came back is not what was sent, from byte ${at} on.`);

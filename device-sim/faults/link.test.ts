import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Link } from './link.ts';

let server: Server;
let ends: (Duplex | Socket)[] = [];
beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  for (const end of ends) end.destroy();
  ends = [];
  await new Promise((resolve) => server.close(resolve));
});

/** A connection through the link, and its other end. */
async function pair(link: Link): Promise<{ near: Duplex; far: Socket }> {
  const { port } = server.address() as { port: number };
  const arrived = once(server, 'connection') as Promise<[Socket]>;
  const near = link.through(connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true }));
  const [far] = await arrived;
  for (const end of [near, far]) {
    end.on('error', () => undefined);
    ends.push(end);
  }
  return { near, far };
}
/** All that comes; unlike the consumers of Node it leaves the other direction open. */
async function buffer(from: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  from.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(from, 'end');
  return Buffer.concat(chunks);
}
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
async function timed<T>(act: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  return [await act(), performance.now() - start];
}

test('SIM-05 without limits everything passes as it came, each direction with its own end', async () => {
  const { near, far } = await pair(new Link());
  const bytes = randomBytes(2_000_003);
  near.end(bytes);
  expect(sha256(await buffer(far))).toBe(sha256(bytes));
  far.end(bytes);
  expect(sha256(await buffer(near))).toBe(sha256(bytes));
});

test('SIM-05 a slow link carries so many bytes a second and no more, in both directions, over all connections together', async () => {
  const link = new Link();
  link.setLimits({ bytesPerSecond: 200_000 });
  const bytes = randomBytes(30_000);
  const [first, second] = [await pair(link), await pair(link)];
  const [, upMs] = await timed(() => {
    first.near.end(bytes);
    second.near.end(bytes);
    return Promise.all([buffer(first.far), buffer(second.far)]);
  });
  expect(upMs).toBeGreaterThan(280);
  const [back, downMs] = await timed(() => {
    first.far.end(bytes);
    return buffer(first.near);
  });
  expect(sha256(back)).toBe(sha256(bytes));
  expect(downMs).toBeGreaterThan(140);
});

test('SIM-05 latency delays each way, also on a live connection, and ends with the fault', async () => {
  const link = new Link();
  const { near, far } = await pair(link);
  far.pipe(far);
  const ping = async () => {
    near.write('ping');
    return String((await once(near, 'data'))[0]);
  };
  await ping();
  link.setLimits({ latencyMs: 60 });
  const [answer, ms] = await timed(ping);
  expect(answer).toBe('ping');
  expect(ms).toBeGreaterThan(115);
  link.setLimits(null);
  const [, quickMs] = await timed(ping);
  expect(quickMs).toBeLessThan(60);
});

test('SIM-05 a slow link makes a fast sender wait', async () => {
  const link = new Link();
  link.setLimits({ bytesPerSecond: 100_000 });
  const { near, far } = await pair(link);
  near.resume();
  // More than all the buffers between the two.
  expect(far.write(Buffer.alloc(32 * 1024 * 1024))).toBe(false);
  near.write(Buffer.alloc(64 * 1024));
  expect(near.write(Buffer.alloc(64 * 1024))).toBe(false);
  const passed = await new Promise<boolean>((resolve) => {
    far.once('drain', () => resolve(true));
    setTimeout(() => resolve(false), 150);
  });
  expect(passed).toBe(false);
});

test('SIM-05 on a frozen link nothing passes, and nobody is told', async () => {
  const link = new Link();
  const { near, far } = await pair(link);
  far.pipe(far);
  near.write('a');
  await once(near, 'data');
  link.freeze();
  const told: string[] = [];
  for (const event of ['data', 'end', 'close', 'error']) {
    near.on(event, () => told.push(`near ${event}`));
    far.on(event, () => told.push(`far ${event}`));
  }
  near.write('b');
  far.write('c');
  // A connection that is not frozen overtakes it.
  const next = await pair(link);
  next.near.end('d');
  expect(String(await buffer(next.far))).toBe('d');
  expect(told).toEqual([]);
});

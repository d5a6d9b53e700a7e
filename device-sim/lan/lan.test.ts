import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { seededRandom } from '../random.ts';
import { SimulatedLan, type SimulatedLanOptions } from './lan.ts';
import { startStall } from './tcp-services.ts';

let lans: SimulatedLan[] = [];
afterEach(async () => {
  await Promise.all(lans.map((lan) => lan.close()));
  lans = [];
});

let now = 1_800_000_000_000;
function newLan(options?: SimulatedLanOptions): SimulatedLan {
  const lan = new SimulatedLan({ serialNumber: '2307-0101-25', address: () => '10.0.0.53', now: () => now }, options);
  lans.push(lan);
  return lan;
}

const dial = (lan: SimulatedLan, address: string, port: number, timeoutMs = 2000) =>
  lan.connect(address, port, { timeoutMs });

/** One request of Modbus TCP, as it goes over the wire; the answer without its header. */
async function modbus(socket: Socket, ...pdu: number[]): Promise<number[]> {
  const head = Buffer.from([0x12, 0x34, 0, 0, 0, pdu.length + 1, 1]);
  const answered = new Promise<Buffer>((resolve) => socket.once('data', resolve));
  socket.write(Buffer.concat([head, Buffer.from(pdu)]));
  const answer = await answered;
  expect(answer.subarray(0, 4)).toEqual(head.subarray(0, 4));
  expect(answer.readUInt16BE(4)).toBe(answer.length - 6);
  return [...answer.subarray(7)];
}

/** A page of the LAN by HTTP, over a connection of the LAN. */
async function http(
  lan: SimulatedLan,
  path: string,
  {
    address = '10.0.0.20',
    port = 80,
    body,
    ...options
  }: RequestOptions & { address?: string; port?: number; body?: Buffer } = {},
) {
  const socket = await dial(lan, address, port);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = httpRequest({ path, createConnection: () => socket, host: address, ...options }, resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
  const content = await buffer(response);
  socket.destroy();
  return { status: response.statusCode, headers: response.headers, content, text: content.toString() };
}

describe('Modbus TCP', () => {
  test('SIM-08 reads sensors that change with time alone, and keeps what is written to registers and coils', async () => {
    const lan = newLan();
    const socket = await dial(lan, '10.0.0.20', 502);
    const [code, length, ...first] = await modbus(socket, 4, 0, 0, 0, 5);
    expect([code, length]).toEqual([4, 10]);
    expect(first.slice(8)).toEqual([((now / 1000) % 65_536) >> 8, (now / 1000) % 256]);
    now += 3700;
    const later = await modbus(socket, 4, 0, 0, 0, 5);
    expect(later.slice(2, 10)).not.toEqual(first.slice(0, 8)); // the four sensors, without the seconds
    expect(await modbus(await dial(newLan(), '10.0.0.20', 502), 4, 0, 0, 0, 5)).toEqual(later);

    expect(await modbus(socket, 3, 0, 7, 0, 1)).toEqual([3, 2, 0, 0]);
    expect(await modbus(socket, 6, 0, 7, 0x12, 0x34)).toEqual([6, 0, 7, 0x12, 0x34]);
    expect(await modbus(socket, 16, 0, 8, 0, 2, 4, 0, 1, 0xff, 0xff)).toEqual([16, 0, 8, 0, 2]);
    expect(await modbus(socket, 3, 0, 7, 0, 3)).toEqual([3, 6, 0x12, 0x34, 0, 1, 0xff, 0xff]);
    expect(await modbus(socket, 5, 0, 3, 0xff, 0)).toEqual([5, 0, 3, 0xff, 0]);
    expect(await modbus(socket, 1, 0, 0, 0, 8)).toEqual([1, 1, 0b1000]);
    expect(lan.plc().register(7)).toBe(0x1234);
    lan.plc().setRegister(7, 99);
    expect(await modbus(socket, 3, 0, 7, 0, 1)).toEqual([3, 2, 0, 99]);
    expect(await modbus(socket, 99, 0, 0, 0, 1)).toEqual([0x80 | 99, 1]);
    expect(() => lan.plc().setRegister(7, 65_536)).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
  });

  test('SIM-08 nonsense does not end the server, nor the simulator', async () => {
    const lan = newLan();
    const random = seededRandom('nonsense');
    for (let n = 0; n < 150; n++) {
      const socket = await dial(lan, '10.0.0.20', 502);
      socket.on('error', () => undefined).resume();
      const body = Buffer.from(Array.from({ length: Math.floor(random() * 20) }, () => Math.floor(random() * 256)));
      if (body.length > 1) body[1] = [1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43][n % 11] ?? 0;
      const head = Buffer.from([0, 1, 0, 0, 0, n % 3 === 0 ? body.length : Math.floor(random() * 20)]);
      await new Promise<void>((resolve) => socket.end(Buffer.concat([head, body]), () => resolve()));
    }
    expect(await modbus(await dial(lan, '10.0.0.20', 502), 3, 0, 7, 0, 1)).toEqual([3, 2, 0, 0]);
  });
});

describe('web pages', () => {
  test('SIM-08 show the values; a login makes a cookie, and redirects lead on', async () => {
    const lan = newLan();
    const home = await http(lan, '/');
    expect(home).toMatchObject({ status: 200, text: expect.stringContaining('<h1>PLC 2307-0101-25</h1>') });
    expect(home.text).toContain(`<tr><th>temperature</th><td>${lan.plc().readings().temperature}</td></tr>`);

    expect(await http(lan, '/status')).toMatchObject({ status: 302, headers: { location: '/login' } });
    const login = await http(lan, '/login');
    expect(login).toMatchObject({ status: 302, headers: { location: '/status' } });
    const [cookie = ''] = login.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^plc_session=\w+; Path=\/; HttpOnly$/);
    const headers = { cookie: cookie.split(';')[0] };
    expect(await http(lan, '/status', { headers })).toMatchObject({ status: 200 });
    await http(lan, '/logout', { headers });
    expect(await http(lan, '/status', { headers })).toMatchObject({ status: 302 });
    expect((await http(lan, '/absolute')).headers.location).toBe('http://10.0.0.20/');
    expect(JSON.parse((await http(lan, '/api/request?a=1', { headers })).text)).toMatchObject({
      url: '/api/request?a=1',
      headers,
    });
    expect(await http(lan, '/nothing')).toMatchObject({ status: 404 });
  });

  test("M2W-11 ask for the device's own user and password, on the Ewon's own servers too", async () => {
    const lan = newLan({ login: { username: 'adm', password: 'geheim:1' } });
    const basic = (text: string) => ({ headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } });
    for (const target of [{}, { address: '10.0.0.53' }, { address: '10.0.0.53', port: 81 }]) {
      const refused = await http(lan, '/', target);
      expect(refused).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': expect.stringMatching(/^Basic realm=/) },
      });
      expect(await http(lan, '/', { ...target, ...basic('adm:geheim:2') })).toMatchObject({ status: 401 });
      expect(await http(lan, '/', { ...target, ...basic('adm:geheim:1') })).toMatchObject({ status: 200 });
    }
    expect((await http(lan, '/', { address: '10.0.0.53', ...basic('adm:geheim:1') })).text).toContain(
      'Ewon 2307-0101-25',
    );
  });

  test('SIM-08 take and give files of any size, with their SHA-256', async () => {
    const lan = newLan();
    const path = '/download?bytes=300001&seed=x';
    const file = await http(lan, path);
    expect(file.content.length).toBe(300_001);
    const sha256 = createHash('sha256').update(file.content).digest('hex');
    expect((await http(lan, path, { method: 'HEAD' })).headers['x-sha256']).toBe(sha256);
    expect((await http(lan, '/download?bytes=300001&seed=y')).content.equals(file.content)).toBe(false);
    for (const method of ['POST', 'PUT'])
      expect(JSON.parse((await http(lan, '/upload', { method, body: file.content })).text)).toEqual({
        bytes: 300_001,
        sha256,
      });
    expect(await http(lan, '/download?bytes=many')).toMatchObject({ status: 400 });
  });

  test('SIM-08 have a WebSocket that tells the values and answers', async () => {
    const lan = newLan();
    const socket = await dial(lan, '10.0.0.20', 80);
    const live = new WebSocket('ws://10.0.0.20/live', { createConnection: () => socket });
    const messages: string[] = [];
    await new Promise<void>((resolve, reject) => {
      live.on('error', reject);
      live.on('open', () => live.send('hello'));
      live.on('message', (data) => {
        messages.push(data.toString());
        if (messages.length === 2) resolve();
      });
    });
    expect(JSON.parse(messages[0] ?? '')).toHaveProperty('pressure');
    expect(messages[1]).toBe('hello');
    live.terminate();
  });
});

describe('addresses and ports', () => {
  test('SIM-08 an echo gives back what it gets, with half-close', async () => {
    const socket = await dial(newLan(), '10.0.0.30', 7);
    socket.end('to the end');
    expect((await buffer(socket)).toString()).toBe('to the end');
  });

  test('SIM-08 others refuse, do not exist, do not answer, stall or break', async () => {
    const lan = newLan({
      services: [
        { address: '10.0.0.40', port: 1, kind: 'refuse' },
        { address: '10.0.0.40', port: 2, kind: 'hang' },
        { address: '10.0.0.40', port: 3, kind: 'stall' },
        { address: '10.0.0.40', port: 4, kind: 'reset' },
        { address: '10.0.0.40', port: 5, kind: 'forward', toPort: 1 },
      ],
    });
    for (const [address, port, code] of [
      ['10.0.0.40', 1, 'LAN_DEVICE_REFUSED'],
      ['10.0.0.40', 99, 'LAN_DEVICE_REFUSED'],
      ['10.0.0.53', 82, 'LAN_DEVICE_REFUSED'],
      ['10.0.0.40', 5, 'LAN_DEVICE_REFUSED'],
      ['10.0.0.41', 1, 'LAN_DEVICE_UNREACHABLE'],
      ['10.0.0.40', 2, 'LAN_DEVICE_TIMEOUT'],
    ] as const)
      await expect(dial(lan, address, port, 60)).rejects.toMatchObject({ code });

    const stalled = await dial(lan, '10.0.0.40', 3);
    const megabytes = Buffer.alloc(16 * 1024 * 1024);
    expect(stalled.write(megabytes)).toBe(false);
    const drained = await Promise.race([
      new Promise((resolve) => stalled.once('drain', () => resolve('drained'))),
      new Promise((resolve) => setTimeout(() => resolve('stalled'), 100)),
    ]);
    expect(drained).toBe('stalled');
    stalled.destroy();

    const broken = await dial(lan, '10.0.0.40', 4);
    broken.write('?');
    expect(await new Promise((resolve) => broken.once('error', resolve))).toMatchObject({ code: 'ECONNRESET' });
  });

  test('SIM-08 closing it ends connections, also to servers that are not its own, and attempts, at once', async () => {
    const outside = await startStall();
    const lan = newLan({
      services: [
        { address: '10.0.0.40', port: 1, kind: 'hang' },
        { address: '10.0.0.40', port: 2, kind: 'forward', toPort: outside.port },
        { address: '10.0.0.40', port: 3, kind: 'stall' },
      ],
    });
    const live = [await dial(lan, '10.0.0.40', 2), await dial(lan, '10.0.0.40', 3)];
    for (const socket of live) socket.on('error', () => undefined).write(Buffer.alloc(16 * 1024 * 1024));
    const hanging = expect(dial(lan, '10.0.0.40', 1, 60_000)).rejects.toMatchObject({ code: 'LAN_DEVICE_TIMEOUT' });
    const start = performance.now();
    await lan.close();
    await hanging;
    expect(live.map(({ destroyed }) => destroyed)).toEqual([true, true]);
    expect(performance.now() - start).toBeLessThan(2000);
    await outside.close();
  });
});

import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type FakeGateway, startFakeGateway } from '../../test/support/fake-gateway.ts';
import { createFleet, type Fleet } from '../fleet.ts';
import type { LoopbackApi } from '../loopback-api.ts';
import { type PhoneNetwork, startPhoneNetwork } from '../phone-network.ts';
import { startControl } from './server.ts';
import { openControlToken, readControlToken } from './token.ts';

const TOKEN = 'token-of-the-control-api';
let gateway: FakeGateway;
let fleet: Fleet;
let control: LoopbackApi;
let phones: PhoneNetwork;
let folder: string;
beforeAll(async () => {
  gateway = await startFakeGateway();
  fleet = await createFleet({
    count: 2,
    seed: 'control',
    platform: { deviceUrl: gateway.deviceUrl },
    reconnect: false,
    each: (index) => ({ phoneNumber: `+3247000000${index}`, ...(index === 1 && { connectionMode: 'ON_DEMAND' }) }),
  });
  await fleet.registerAll({ registrationKey: 'GRK-abcdefghijklmnopqrstuvwxyz12' });
  control = await startControl({ devices: () => fleet.devices, token: TOKEN });
  phones = await startPhoneNetwork();
  for (const device of fleet.devices) phones.add(device);
  folder = await mkdtemp(join(tmpdir(), 'talkgate-control-'));
});
afterEach(() => fleet.closeAll());
afterAll(async () => {
  await Promise.all([control.close(), phones.close(), gateway.close()]);
  await rm(folder, { recursive: true });
});

async function call(path: string, body?: unknown, init: RequestInit = {}) {
  const response = await fetch(`${control.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...init,
  });
  return { status: response.status, ...((await response.json()) as object) };
}
const [first, second] = [0, 1].map((index) => () => {
  const device = fleet.devices[index];
  if (device === undefined) throw new Error('no such device');
  return device;
}) as [() => Fleet['devices'][number], () => Fleet['devices'][number]];

test('SIM-07 GW-10 devices are listed, switched online and offline, and given faults, one or all', async () => {
  expect(await call('/devices')).toMatchObject({ status: 200, devices: [{ tunnelState: 'closed' }, {}] });
  expect(await call('/devices/all/connect', {})).toMatchObject({
    results: fleet.devices.map(({ serialNumber }) => ({ serialNumber, outcome: 'DONE' })),
  });
  const { serialNumber } = first();
  expect(await call(`/devices/${serialNumber}`)).toMatchObject({
    devices: [
      { serialNumber, tunnelState: 'online', ewonName: 'Ewon 1', vpnAddress: '10.238.0.1', streams: { open: 0 } },
    ],
  });
  await call(`/devices/${serialNumber}/faults`, { link: { bytesPerSecond: 5000 }, keepAliveDelayMs: 10 });
  expect(first().faults).toEqual({
    link: { bytesPerSecond: 5000 },
    keepAliveDelayMs: 10,
    clockSkewMs: 0,
    updates: 'INSTALLED',
  });
  await call(`/devices/${serialNumber}/faults`, { link: null });
  expect(first().faults).toEqual({ link: null, keepAliveDelayMs: 10, clockSkewMs: 0, updates: 'INSTALLED' });
  await call(`/devices/${serialNumber}/digital-input`, { on: true, policy: 'ON_DISABLES' });
  await first().waitFor('closed');
  expect(first().lastClose?.reason).toBe('REMOTE_ACCESS_DISABLED');
  await call(`/devices/${serialNumber}/digital-input`, { policy: 'IGNORE' });
  await first().waitFor('online');
  await call(`/devices/${serialNumber}/vanish`, {});
  expect(first().tunnelState).toBe('vanished');
  await call('/devices/all/disconnect', {});
  expect(fleet.devices.map(({ tunnelState }) => tunnelState)).toEqual(['closed', 'closed']);
});

test('SIM-07 a failure has the code of the device; of several devices it is told beside what was done', async () => {
  await call(`/devices/${first().serialNumber}/connect`, {});
  const points = [{ tag: 'level', value: 1 }];
  expect(await call(`/devices/${second().serialNumber}/data`, { points })).toMatchObject({
    status: 409,
    code: 'NOT_CONNECTED',
    message: expect.stringContaining('not online'),
  });
  const { onMessage } = gateway.behaviour;
  gateway.behaviour.onMessage = (tunnel, message) => {
    onMessage(tunnel, message);
    if (message.type === 'data') tunnel.send({ type: 'accepted', of: 'data', id: message.id });
  };
  expect(await call('/devices/all/data', { points })).toMatchObject({
    status: 200,
    results: [{ outcome: 'DONE' }, { outcome: 'FAILED', code: 'NOT_CONNECTED' }],
  });
});

test('SIM-07 without the token, or with what is no command, nothing is done', async () => {
  const path = `/devices/${first().serialNumber}`;
  for (const headers of [
    {} as Record<string, string>,
    { authorization: `Bearer ${TOKEN}x` },
    { authorization: `Basic ${TOKEN}` },
  ])
    for (const init of [{ headers }, { headers, method: 'POST' }])
      expect(await call(`${path}/connect`, undefined, init)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  for (const [to, body, status, code] of [
    ['/devices/2307-0101-25/wake', {}, 404, 'NOT_FOUND'],
    [`${path}/explode`, {}, 404, 'NOT_FOUND'],
    [`${path}/constructor`, {}, 404, 'NOT_FOUND'],
    ['/secrets', undefined, 404, 'NOT_FOUND'],
    [`${path}/wake`, undefined, 405, 'METHOD_NOT_ALLOWED'],
    [`${path}/connect`, '{"withinMs":', 400, 'VALUE_INVALID'],
    [`${path}/connect`, { withinMs: -1 }, 400, 'VALUE_INVALID'],
    [`${path}/connect`, { force: true }, 400, 'VALUE_INVALID'],
    [`${path}/connect`, ' '.repeat(300_000), 413, 'BODY_TOO_LARGE'],
  ] as const)
    expect(await call(to, body)).toMatchObject({ status, code });
  expect(first().tunnelState).toBe('closed');
  expect(await readFile('/proc/net/tcp', 'utf8').catch(() => '')).not.toContain(
    ` 00000000:${Number(new URL(control.url).port).toString(16).toUpperCase().padStart(4, '0')} `,
  );
});

test('SIM-07 the token is made once, and readable by its owner alone', async () => {
  await expect(readControlToken(folder)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
  const token = await openControlToken(join(folder, 'sim'));
  expect(token.length).toBeGreaterThanOrEqual(32);
  expect(await openControlToken(join(folder, 'sim'))).toBe(token);
  expect((await stat(join(folder, 'sim', 'control-token'))).mode & 0o777).toBe(0o600);
  await writeFile(join(folder, 'a file'), '');
  await expect(openControlToken(join(folder, 'a file'))).rejects.toMatchObject({ code: 'STATE_NOT_WRITTEN' });
  await mkdir(join(folder, 'empty'));
  await writeFile(join(folder, 'empty', 'control-token'), '');
  await expect(openControlToken(join(folder, 'empty'))).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
});

test('SIM-05 WAK-02 a text message to the number of a device wakes it, posted as the platform does', async () => {
  const post = async (body: string, path = '') =>
    (await fetch(`${phones.url}${path}`, { method: 'POST', body })).status;
  const sms = (to: string, text: string) => post(JSON.stringify({ to, text }));
  expect(await sms('+32470000001', 'Your code is 123456')).toBe(202);
  expect(await sms('+32470000009', 'TALKGATE WAKE UP DEV9')).toBe(202);
  expect(second().tunnelState).toBe('closed');
  expect(await sms('+32470000001', 'TALKGATE WAKE UP DEV2')).toBe(202);
  await second().waitFor('online');
  expect(first().tunnelState).toBe('closed');
  await second().disconnect();
  expect((await fleet.connectAll()).map(({ device }) => device.serialNumber)).toEqual([first().serialNumber]);
  expect(second().tunnelState).toBe('closed');
  expect(phones.received).toBe(3);
  expect([await post('{"to":'), await post('{}'), await post('x'.repeat(20_000)), await post('{}', '/x')]).toEqual([
    400, 400, 413, 404,
  ]);
});

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DeviceState, folderStore, memoryStore } from './state.ts';

const STATE: DeviceState = {
  version: 1,
  serialNumber: '2307-0101-25',
  platform: { deviceUrl: 'https://localhost:4433', authority: 'authority in PEM' },
  credentials: {
    key: 'the private key',
    certificate: 'certificate in PEM',
    authority: 'authority in PEM',
    tunnelUrl: 'wss://localhost:4434/tunnel',
    ewonName: 'Press 3',
  },
  vpnAddress: '10.238.0.1',
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'talkgate-state-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe.each([
  ['in memory', () => memoryStore()],
  ['in a folder', () => folderStore(join(folder, 'made', 'when needed'))],
])('a store %s', (_name, open) => {
  test('SIM-04 gives back what it was given, and nothing for others', async () => {
    const store = open();
    expect(await store.load(STATE.serialNumber)).toBeUndefined();
    expect(await store.list()).toEqual([]);
    await store.save(STATE);
    await store.save({ version: 1, serialNumber: '2307-0101-24' });
    expect(await store.load(STATE.serialNumber)).toEqual(STATE);
    expect(await store.list()).toEqual(['2307-0101-24', '2307-0101-25']);
    await store.remove('2307-0101-24');
    await store.remove('2307-0101-24');
    expect(await store.list()).toEqual(['2307-0101-25']);
  });
});

test('SIM-04 the key is readable by its owner alone, and no draft is left', async () => {
  const store = folderStore(join(folder, 'sim'));
  await Promise.all(Array.from({ length: 10 }, (_, n) => store.save({ ...STATE, vpnAddress: `10.238.0.${n}` })));
  expect(await readdir(join(folder, 'sim'))).toEqual(['2307-0101-25.json']);
  expect((await stat(join(folder, 'sim', '2307-0101-25.json'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'sim'))).mode & 0o777).toBe(0o700);
});

test('SIM-04 a file that cannot be read is named, and not replaced by a new identity', async () => {
  const store = folderStore(folder);
  const file = join(folder, '2307-0101-25.json');
  for (const content of [
    '',
    '{"version":1',
    '{"version":2}',
    JSON.stringify({ ...STATE, credentials: { key: 'the private key' } }),
  ]) {
    await writeFile(file, content);
    const error = await store.load(STATE.serialNumber).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ code: 'STATE_UNREADABLE', message: expect.stringContaining(file) });
    expect(String(error)).not.toContain('private');
  }
  await writeFile(file, JSON.stringify({ ...STATE, serialNumber: '2307-0101-26' }));
  await expect(store.load(STATE.serialNumber)).rejects.toThrow('it belongs to the device 2307-0101-26');
  await rm(file);
  await mkdir(file);
  await expect(store.load(STATE.serialNumber)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
});

test('SIM-04 a serial number is no path', async () => {
  await expect(folderStore(folder).load('../2307-0101-25')).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
});

test('SIM-04 a write that fails is named and leaves what was there', async () => {
  const store = folderStore(folder);
  await store.save(STATE);
  const file = join(folder, '2307-0101-25.json');
  const before = await readFile(file, 'utf8');
  // A folder in the place of the file fails for every user; permissions would not stop root.
  await rm(file);
  await mkdir(file);
  await expect(store.save(STATE)).rejects.toMatchObject({
    code: 'STATE_NOT_WRITTEN',
    message: expect.stringContaining(file),
  });
  expect(await readdir(folder)).toEqual(['2307-0101-25.json']);
  await rm(file, { recursive: true });
  await writeFile(file, before);
  await chmod(file, 0o600);
  expect(await store.load(STATE.serialNumber)).toEqual(STATE);

  await writeFile(join(folder, 'a file'), '');
  await expect(folderStore(join(folder, 'a file')).save(STATE)).rejects.toMatchObject({ code: 'STATE_NOT_WRITTEN' });
});

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { z } from 'zod';
import { parseJson } from '../../client/device-port.ts';
import { CodedError } from '../../client/errors.ts';
import { createDeviceKey } from '../certificates.ts';

const FILE = 'keys.json';
/** As many as Node has threads for; more would only wait. */
const CONCURRENCY = 4;

const Keys = z.array(z.string().startsWith('-----BEGIN PRIVATE KEY-----'));

/**
 * Private keys for many devices, EC P-256 in PEM, made once and kept in a folder that only its owner reads, so that starting a
 * fleet is not making keys. Device `index` of every run gets the key `index`.
 *
 * @throws CodedError `STATE_UNREADABLE`, `STATE_NOT_WRITTEN`
 */
export async function openKeyPool(
  folder: string,
  count: number,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<readonly string[]> {
  const file = join(folder, FILE);
  const known = await readKeys(file);
  if (known.length >= count) return known.slice(0, count);
  let made = known.length;
  const missing = Array.from({ length: count - known.length });
  const fresh = await pLimit(CONCURRENCY).map(missing, async () => {
    const key = await createDeviceKey();
    onProgress(++made, count);
    return key;
  });
  const keys = [...known, ...fresh];
  await writeKeys(folder, file, keys);
  return keys;
}

async function readKeys(file: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new CodedError('STATE_UNREADABLE', `The keys in ${file} cannot be read: ${code}.`);
  }
  const keys = Keys.safeParse(parseJson(text));
  // What zod would say may quote a key.
  if (!keys.success) throw new CodedError('STATE_UNREADABLE', `${file} holds no keys; remove it to have new ones.`);
  return keys.data;
}

async function writeKeys(folder: string, file: string, keys: readonly string[]): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(draft, JSON.stringify(keys), { mode: 0o600 });
    await rename(draft, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CodedError('STATE_NOT_WRITTEN', `The keys cannot be written to ${file}: ${code}.`);
  }
}

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../client/errors.ts';
import type { Device, Registration } from './device.ts';

/** The name that devices look for on a card (GRK-14). */
const CARD_FILE = 'T2M.txt';
/** Bytes; a real one has a few hundred. */
const MAX_CARD_FILE_BYTES = 16 * 1024;

/** What a commissioning file says (GRK-14). */
export interface Commissioning {
  /** `https://host:port` of the device port. */
  server: string;
  registrationKey: string;
  /** Becomes the Ewon's description (GRK-13). */
  description: string | undefined;
}

const KEYS = ['Server', 'GlobalRegistrationKey', 'Description'] as const;
type Key = (typeof KEYS)[number];

/**
 * Reads the text of a `T2M.txt`: lines `Key=value`; empty lines and lines that begin with `#` say nothing. Messages name the
 * line and never quote a value, which may be the key.
 *
 * @throws CodedError `CARD_INVALID`
 */
export function parseCommissioning(text: string): Commissioning {
  const found = new Map<Key, { value: string; line: number }>();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = index + 1;
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const at = content.indexOf('=');
    if (at < 1) throw invalid(line, 'must have the form Key=value');
    const name = content.slice(0, at).trim();
    const key = KEYS.find((known) => known === name);
    if (key === undefined) throw invalid(line, `has an unknown key; known ones are ${KEYS.join(', ')}`);
    const earlier = found.get(key);
    if (earlier !== undefined) throw invalid(line, `gives ${key} again; line ${earlier.line} has it already`);
    found.set(key, { value: content.slice(at + 1).trim(), line });
  }

  const required = (key: Key) => {
    const entry = found.get(key);
    if (entry === undefined) throw new CodedError('CARD_INVALID', `${CARD_FILE} has no line ${key}=….`);
    return entry;
  };
  const server = required('Server');
  const registrationKey = required('GlobalRegistrationKey');
  if (!/^GRK-[A-Za-z0-9]{8,96}$/.test(registrationKey.value)) {
    throw invalid(registrationKey.line, 'must give a key of the form GRK-… with letters and digits');
  }
  const description = found.get('Description');
  if (description !== undefined && description.value.length > 500) {
    throw invalid(description.line, 'gives a description of more than 500 characters');
  }
  return {
    server: serverOrigin(server.value, server.line),
    registrationKey: registrationKey.value,
    description: description?.value === '' ? undefined : description?.value,
  };
}

/**
 * Reads the card in a folder. The name is found in any case, as the file systems of cards do.
 *
 * @throws CodedError `CARD_INVALID`, `CARD_UNREADABLE`
 */
export async function readCard(folder: string): Promise<Commissioning> {
  try {
    const names = await readdir(folder);
    const name = names.find((candidate) => candidate.toLowerCase() === CARD_FILE.toLowerCase());
    if (name === undefined) throw new CodedError('CARD_UNREADABLE', `There is no ${CARD_FILE} in ${folder}.`);
    const file = join(folder, name);
    if ((await stat(file)).size > MAX_CARD_FILE_BYTES) {
      throw new CodedError('CARD_INVALID', `${CARD_FILE} is longer than ${MAX_CARD_FILE_BYTES} bytes.`);
    }
    return parseCommissioning(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? 'unexpected error';
    throw new CodedError('CARD_UNREADABLE', `The card ${folder} cannot be read: ${reason}.`, undefined, {
      cause: error,
    });
  }
}

/**
 * Puts a card into a device: an unregistered device registers with it, a registered one does not even look at it
 * (GW-09, GRK-15).
 */
export async function insertCard(device: Device, folder: string): Promise<Registration> {
  if (device.state !== 'NEW') return { outcome: 'IGNORED' };
  const { server, registrationKey, description } = await readCard(folder);
  return device.register({ registrationKey }, { description, deviceUrl: server });
}

function serverOrigin(value: string, line: number): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const bare =
    url && url.username === '' && url.password === '' && url.pathname === '/' && url.search === '' && url.hash === '';
  if (url?.protocol !== 'https:' || !bare) throw invalid(line, 'must give the server as https://host:port');
  return url.origin;
}

const invalid = (line: number, problem: string) =>
  new CodedError('CARD_INVALID', `${CARD_FILE} line ${line} ${problem}.`);

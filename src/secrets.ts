import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the installation's secret key does: nobody outside this file touches the key. */
export interface Secrets {
  /** Keyed hash in hexadecimal, for secrets that are looked up by value and have full entropy: keys, not passwords. */
  hash(purpose: string, value: string): string;
  /** AES-256-GCM; the result carries its own nonce. For secrets that must be shown again, such as the GRK. */
  encrypt(value: string): string;
  /** Throws when the text was not encrypted by this installation. */
  decrypt(encrypted: string): string;
}

/** Opens the key in `<dataDir>/secret.key` (mode 0600), making it at the first start; without a folder it lives in memory. */
export async function openSecrets(dataDir: string | undefined): Promise<Secrets> {
  const key = dataDir === undefined ? randomBytes(32) : await loadKey(dataDir);
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', key, '', `talkgate ${purpose}`, 32));
  const encryptionKey = derive('encryption');
  const hashKey = derive('hash');
  return {
    hash: (purpose, value) => createHmac('sha256', hashKey).update(`${purpose}\0${value}`).digest('hex'),
    encrypt: (value) => {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', encryptionKey, nonce);
      const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    decrypt: (encrypted) => {
      const bytes = Buffer.from(encrypted, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', encryptionKey, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
    },
  };
}

async function loadKey(dataDir: string): Promise<Buffer> {
  const file = join(dataDir, 'secret.key');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, randomBytes(32), { mode: 0o600, flag: 'wx' });
  // A hard link never overwrites: of two instances that start together, both read the key of the first.
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await unlink(draft);
  const key = await readFile(file);
  if (key.length !== 32) throw new Error(`${file} is not a key of 32 bytes; restore it from a backup.`);
  return key;
}

/** An opaque token of 256 bits for a bearer; only {@link hashToken} of it is stored. */
export const createToken = (): string => randomBytes(32).toString('base64url');

/** SHA-256 in hexadecimal: enough for a token of full entropy, and found by an index. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

const KEY_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Random characters A–Z and 0–9, without bias. */
export function createKey(length: number): string {
  let key = '';
  while (key.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 252 && key.length < length) key += KEY_ALPHABET[byte % 36];
    }
  }
  return key;
}

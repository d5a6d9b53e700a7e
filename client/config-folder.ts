import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { fetchAuthority } from './device-port.ts';
import { CodedError, codeOf } from './errors.ts';

const StoredLogin = z.object({
  api: z.string(),
  account: z.string(),
  username: z.string(),
  token: z.string(),
  /** ISO 8601 */
  expiresAt: z.string(),
});
/** The login that `ecatcher login` keeps. */
export type StoredLogin = z.infer<typeof StoredLogin>;

const Texts = z.record(z.string(), z.string());

const Running = z.object({
  pid: z.number().int().positive(),
  startedAt: z.string(),
  ewon: z.string(),
  session: z.string(),
  state: z.enum(['CONNECTED', 'RECONNECTING']),
  forwards: z.array(z.object({ listen: z.string(), target: z.string(), connections: z.number() })),
  bytesIn: z.number(),
  bytesOut: z.number(),
});
/** What a running `ecatcher connect` says of itself. */
export type Running = z.infer<typeof Running>;

/** Where the client keeps its things unless it is told otherwise. */
export function defaultConfigFolder(env: Record<string, string | undefined>): string {
  const base = env.XDG_CONFIG_HOME || env.APPDATA || join(homedir(), '.config');
  return join(base, 'talkgate', 'ecatcher');
}

/**
 * The client's own folder, for its user alone (mode 0700, files 0600): the stored login, the secrets of a remembered PC, the
 * authorities of the platforms that it knows, and what runs now. Each file is replaced by rename. Methods throw CodedError
 * `CONFIG_UNREADABLE` and `CONFIG_NOT_WRITTEN`.
 */
export class ConfigFolder {
  constructor(readonly path: string) {}

  async login(): Promise<StoredLogin | undefined> {
    return this.#read('login.json', StoredLogin);
  }

  /** Undefined forgets it. */
  async setLogin(login: StoredLogin | undefined): Promise<void> {
    if (login === undefined) await rm(join(this.path, 'login.json'), { force: true });
    else await this.#write('login.json', login);
  }

  /** The secret by which this PC needs no code (TFA-32): bound to one user of one platform. */
  async deviceToken(user: { api: string; account: string; username: string }): Promise<string | undefined> {
    return (await this.#read('remembered.json', Texts))?.[userKey(user)];
  }

  async setDeviceToken(user: { api: string; account: string; username: string }, token: string): Promise<void> {
    await this.#write('remembered.json', { ...(await this.#read('remembered.json', Texts)), [userKey(user)]: token });
  }

  /**
   * The authority of the gateway at `https://host:port`: the one that was met there first, as ssh keeps the keys of hosts. What
   * comes later is verified by it.
   *
   * @throws CodedError as {@link fetchAuthority} does
   */
  async authorityOf(origin: string, timeoutMs: number): Promise<string> {
    const known = (await this.#read('authorities.json', Texts)) ?? {};
    const authority = known[origin];
    if (authority !== undefined) return authority;
    const met = await fetchAuthority(origin, { timeoutMs });
    await this.#write('authorities.json', { ...known, [origin]: met });
    return met;
  }

  /** Says of a gateway that is not trusted whether it shows another authority than the one known here; else the error as it was. */
  async explainDistrust(error: unknown, origin: string, timeoutMs: number): Promise<unknown> {
    if (codeOf(error) !== 'PLATFORM_NOT_TRUSTED') return error;
    const known = (await this.#read('authorities.json', Texts))?.[origin];
    const now = await fetchAuthority(origin, { timeoutMs }).catch(() => undefined);
    if (known === undefined || now === undefined || fingerprint(known) === fingerprint(now)) return error;
    return new CodedError(
      'AUTHORITY_CHANGED',
      `The authority of ${origin} has changed: known here is ${fingerprint(known)}, it now shows ${fingerprint(now)}. ` +
        `Somebody may be between you and the platform. If the change is expected, remove the entry from ${join(this.path, 'authorities.json')}.`,
      undefined,
      { cause: error },
    );
  }

  async setRunning(running: Running): Promise<void> {
    await this.#write(join('running', `${running.pid}.json`), running);
  }

  async removeRunning(pid: number): Promise<void> {
    await rm(join(this.path, 'running', `${pid}.json`), { force: true });
  }

  /** What runs now; what a killed one left behind is removed. */
  async running(): Promise<Running[]> {
    const names = await readdir(join(this.path, 'running')).catch(() => []);
    const found: Running[] = [];
    for (const name of names.filter((name) => /^\d+\.json$/.test(name)).sort()) {
      const running = await this.#read(join('running', name), Running).catch(() => undefined);
      if (running !== undefined && isAlive(running.pid)) found.push(running);
      else await rm(join(this.path, 'running', name), { force: true });
    }
    return found;
  }

  async #read<T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const file = join(this.path, name);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw new CodedError('CONFIG_UNREADABLE', `${file} cannot be read: ${codeOf(error)}.`);
    }
    const value = schema.safeParse(parse(text));
    // What zod would say may quote the file, and with it a secret.
    if (!value.success) throw new CodedError('CONFIG_UNREADABLE', `${file} is not what this client wrote; remove it.`);
    return value.data;
  }

  async #write(name: string, value: unknown): Promise<void> {
    const file = join(this.path, name);
    const draft = `${file}.${randomUUID()}.tmp`;
    try {
      await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
      await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
      await rename(draft, file);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      throw new CodedError('CONFIG_NOT_WRITTEN', `${file} cannot be written: ${codeOf(error)}.`);
    }
  }
}

const userKey = ({ api, account, username }: { api: string; account: string; username: string }): string =>
  [api, account.toLowerCase(), username.toLowerCase()].join(' ');

/** SHA-256 of the certificate, short enough to be compared by a person. */
const fingerprint = (pem: string): string =>
  `SHA256:${createHash('sha256').update(new X509Certificate(pem).raw).digest('base64').replace(/=+$/, '')}`;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

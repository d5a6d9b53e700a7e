import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CodedError } from '../client/errors.ts';
import { DeviceFacts } from '../src/gateway/protocol.ts';

/** What makes a device the same one after a restart (SIM-04). */
export const DeviceState = z.object({
  version: z.literal(1),
  serialNumber: DeviceFacts.shape.serialNumber,
  /** The device port of the platform, and the authority in PEM that was met there first; later ones must be the same. */
  platform: z.object({ deviceUrl: z.url(), authority: z.string() }).optional(),
  /**
   * The key of a registration that has not been answered. It is kept because the platform knows a device that lost the
   * answer by its key.
   */
  pendingKey: z.string().optional(),
  credentials: z
    .object({
      key: z.string(),
      certificate: z.string(),
      /** PEM of the authority that the tunnel port's certificate is of. */
      authority: z.string(),
      tunnelUrl: z.url(),
      ewonName: z.string(),
    })
    .optional(),
  /** The last one it held (VPN-09); a device that ever held one is `VPN_PROVISIONED` (GW-02). */
  vpnAddress: z.string().optional(),
});
export type DeviceState = z.infer<typeof DeviceState>;

/** Where devices keep their identity. */
export interface StateStore {
  /** @throws CodedError `STATE_UNREADABLE` */
  load(serialNumber: string): Promise<DeviceState | undefined>;
  /** All or nothing. @throws CodedError `STATE_NOT_WRITTEN` */
  save(state: DeviceState): Promise<void>;
  remove(serialNumber: string): Promise<void>;
  /** The serial numbers it knows, sorted. */
  list(): Promise<string[]>;
}

/** Devices that are forgotten with the process. */
export function memoryStore(): StateStore {
  const states = new Map<string, DeviceState>();
  return {
    load: async (serialNumber) => structuredClone(states.get(serialNumber)),
    save: async (state) => void states.set(state.serialNumber, structuredClone(state)),
    remove: async (serialNumber) => void states.delete(serialNumber),
    list: async () => [...states.keys()].sort(),
  };
}

/**
 * One file a device, `<serial number>.json`, in a folder that only its owner reads. One file rather than several, because a
 * key must never be found beside the certificate of another; it is replaced by rename, so a crash leaves the old or the new.
 */
export function folderStore(folder: string): StateStore {
  const fileOf = (serialNumber: string) => {
    // Also keeps the path inside the folder.
    if (!DeviceFacts.shape.serialNumber.safeParse(serialNumber).success) {
      throw new CodedError('STATE_UNREADABLE', `"${serialNumber}" is not a serial number such as 2307-0101-25.`);
    }
    return join(folder, `${serialNumber}.json`);
  };

  return {
    async load(serialNumber) {
      const file = fileOf(serialNumber);
      const text = await readIfPresent(file);
      if (text === undefined) return undefined;
      const state = parseState(text);
      if (state === undefined)
        throw unreadable(file, 'it is not the state of a device; restore it, or remove it to have a new device');
      if (state.serialNumber !== serialNumber) throw unreadable(file, `it belongs to the device ${state.serialNumber}`);
      return state;
    },

    async save(state) {
      const file = fileOf(state.serialNumber);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await replace(file, `${JSON.stringify(state, null, 2)}\n`);
      } catch (error) {
        throw new CodedError(
          'STATE_NOT_WRITTEN',
          `The state of a device cannot be written to ${file}: ${cause(error)}.`,
          undefined,
          { cause: error },
        );
      }
    },

    async remove(serialNumber) {
      const file = fileOf(serialNumber);
      await rm(file, { force: true }).catch((error: unknown) => {
        throw new CodedError(
          'STATE_NOT_WRITTEN',
          `The state of a device cannot be removed from ${file}: ${cause(error)}.`,
          undefined,
          { cause: error },
        );
      });
    },

    async list() {
      const names = await readdir(folder).catch((error: unknown) => {
        if (systemCode(error) === 'ENOENT') return [];
        throw unreadable(folder, cause(error), error);
      });
      return names
        .filter((name) => name.endsWith('.json'))
        .map((name) => name.slice(0, -'.json'.length))
        .filter((name) => DeviceFacts.shape.serialNumber.safeParse(name).success)
        .sort();
    },
  };
}

function parseState(text: string): DeviceState | undefined {
  try {
    return DeviceState.parse(JSON.parse(text));
  } catch {
    return undefined; // What JSON and zod would say may quote the file, and with it the key.
  }
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unreadable(file, cause(error), error);
  }
}

async function replace(file: string, content: string): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

const unreadable = (path: string, why: string, error?: unknown) =>
  new CodedError('STATE_UNREADABLE', `The state of a device cannot be read from ${path}: ${why}.`, undefined, {
    cause: error,
  });

const systemCode = (error: unknown) => (error as NodeJS.ErrnoException).code;

const CAUSES: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
};
const cause = (error: unknown): string => CAUSES[systemCode(error) ?? ''] ?? systemCode(error) ?? 'unexpected error';

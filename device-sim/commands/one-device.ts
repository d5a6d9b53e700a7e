import { parseUrl, usageError } from '../../client/command-line.ts';
import { createDevice, type Device, type DeviceOptions } from '../device.ts';
import { deviceProfile } from '../fleet.ts';
import { folderStore } from '../state.ts';
import { parseWhole } from './options.ts';

/** The device that `--seed`, `--index` and `--serial` mean, from the state folder. */
export async function deviceOf(
  values: { server: string; state: string; seed: string; index: string; serial?: string | undefined },
  more: Partial<DeviceOptions> = {},
): Promise<{ device: Device; name: string }> {
  const { serial } = values;
  if (serial !== undefined && !/^[A-Z]?\d{4}-\d{4}-\d{2}$/.test(serial))
    throw usageError('--serial must look like 2307-0101-25.');
  const profile = deviceProfile(values.seed, parseWhole(values.index, 'index', 0, 1_000_000));
  const device = await createDevice({
    facts: { ...profile.facts, ...(serial !== undefined && { serialNumber: serial }) },
    stateStore: folderStore(values.state),
    platform: { deviceUrl: parseUrl(values.server, 'server', ['https']) },
    ...more,
  });
  return { device, name: profile.name };
}

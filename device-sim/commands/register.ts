import { parseArgs } from 'node:util';
import type { Command, Surroundings } from '../../client/command-line.ts';
import type { Device, Registration } from '../device.ts';
import { deviceOf } from './one-device.ts';
import { COMMON, DEVICES, noProof, ONE_DEVICE, PROOF, readProof } from './options.ts';

const options = {
  ...DEVICES,
  ...ONE_DEVICE,
  ...PROOF,
  description: { type: 'string', value: '<text>', help: "Becomes the Ewon's description." },
  force: { type: 'boolean', help: 'Register anew, also when the device is registered already.' },
  ...COMMON,
} as const;

export const register: Command = {
  summary: 'Registers one device with an account and keeps its identity. A registered device is left as it is.',
  options,
  async run(args, surroundings) {
    const { values } = parseArgs({ args, options });
    const { device, name } = await deviceOf(values);
    const { force = false, description = name } = values;
    let registration: Registration = { outcome: 'IGNORED' };
    if (force || device.state === 'NEW') {
      const proof = await readProof(values, surroundings);
      if (proof === undefined) throw noProof();
      registration = await device.register(proof, { force, description, signal: surroundings.signal });
    }
    printRegistration(surroundings, device, registration, values.json);
    return 0;
  },
};

/** Says what came of a registration, to a person or as JSON. */
export function printRegistration(
  { stdout }: Surroundings,
  device: Device,
  registration: Registration,
  json = false,
): void {
  const { serialNumber, ewonName } = device;
  if (json) {
    stdout.write(`${JSON.stringify({ serialNumber, ewonName, ...registration })}\n`);
  } else if (registration.outcome === 'IGNORED') {
    stdout.write(`Device ${serialNumber} is registered already, as "${ewonName}".\n`);
  } else {
    const next = registration.registrationStatus === 'ACTIVE' ? '.' : ' and waits for approval.';
    stdout.write(`Device ${serialNumber} is registered as "${ewonName}"${next}\n`);
  }
}

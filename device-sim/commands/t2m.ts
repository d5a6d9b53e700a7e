import { parseArgs } from 'node:util';
import { type Command, usageError } from '../../client/command-line.ts';
import { insertCard } from '../t2m.ts';
import { deviceOf } from './one-device.ts';
import { COMMON, DEVICES, ONE_DEVICE } from './options.ts';
import { printRegistration } from './register.ts';

const { server: _, ...devices } = DEVICES;
const options = { ...devices, ...ONE_DEVICE, ...COMMON } as const;

export const t2m: Command = {
  operands: '<folder>',
  summary:
    'Puts a card into a device: registers it by the T2M.txt in the folder. A registered device ignores the card.',
  options,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [folder, ...rest] = positionals;
    if (folder === undefined || rest.length > 0) throw usageError('t2m needs one folder, the one that holds T2M.txt.');
    // The card brings the server.
    const { device } = await deviceOf({ ...values, server: DEVICES.server.default });
    printRegistration(surroundings, device, await insertCard(device, folder), values.json);
    return 0;
  },
};

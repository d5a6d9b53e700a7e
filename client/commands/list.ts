import { parseArgs } from 'node:util';
import type { Command } from '../command-line.ts';
import { listEwons } from '../ewons.ts';
import { COMMON, LOGIN, withLogin } from './common.ts';
import { table } from './table.ts';

const options = {
  online: { type: 'boolean', help: 'Only those that are online.' },
  search: { type: 'string', value: '<text>', help: 'Part of the name, description, serial number or a custom field.' },
  ...LOGIN,
  ...COMMON,
} as const;

export const list: Command = {
  summary: 'Lists the Ewons that you see, with their status.',
  options,
  async run(args, surroundings) {
    const { values } = parseArgs({ args, options });
    const { signal, stdout } = surroundings;
    const ewons = await withLogin(values, surroundings, ({ api }) =>
      listEwons(api, { online: values.online, search: values.search, signal }),
    );
    if (values.json) {
      stdout.write(`${JSON.stringify(ewons)}\n`);
      return 0;
    }
    const rows = ewons.map(({ name, reference, serialNumber, status, vpnAddress, viewerCan, description }) => [
      name,
      reference,
      status,
      viewerCan.includes('CONNECT_ECATCHER') ? 'yes' : 'no',
      serialNumber ?? '',
      vpnAddress ?? '',
      description ?? '',
    ]);
    stdout.write(
      table(['NAME', 'REFERENCE', 'STATUS', 'CONNECT', 'SERIAL NUMBER', 'VPN ADDRESS', 'DESCRIPTION'], rows),
    );
    return 0;
  },
};

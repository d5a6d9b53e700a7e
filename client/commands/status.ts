import { parseArgs } from 'node:util';
import type { Command } from '../command-line.ts';
import { COMMON, configOf } from './common.ts';

const options = { ...COMMON } as const;

export const status: Command = {
  summary: 'Shows the connections that run on this PC: Ewon, session, forwards and bytes.',
  details: 'Ends with status 0 when one runs, and 1 when none does. Figures are up to two seconds old.',
  options,
  async run(args, surroundings) {
    const { values } = parseArgs({ args, options });
    const running = await configOf(values, surroundings).running();
    const { stdout } = surroundings;
    if (values.json) stdout.write(`${JSON.stringify(running)}\n`);
    else if (running.length === 0) stdout.write('No connection runs.\n');
    for (const { pid, ewon, session, state, bytesIn, bytesOut, forwards } of values.json ? [] : running) {
      stdout.write(
        `${ewon}: ${state}, session ${session}, process ${pid}, ${bytesIn} bytes to the Ewon, ${bytesOut} bytes back\n`,
      );
      for (const { listen, target, connections } of forwards)
        stdout.write(`  ${listen} leads to ${target}, ${connections} connections open\n`);
    }
    return running.length > 0 ? 0 : 1;
  },
};

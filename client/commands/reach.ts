import { parseArgs } from 'node:util';
import { type Command, usageError } from '../command-line.ts';
import { CodedError } from '../errors.ts';
import { findEwon } from '../ewons.ts';
import { parseTarget } from '../forward.ts';
import { REACHABILITY } from '../operations.ts';
import { COMMON, LOGIN, withLogin } from './common.ts';

const options = {
  udp: { type: 'boolean', help: 'Ask about UDP; otherwise TCP.' },
  ...LOGIN,
  ...COMMON,
} as const;

export const reach: Command = {
  operands: '<ewon> <address:port>',
  summary: 'Says whether the firewall lets you reach an address behind an Ewon, and which rule decides.',
  details:
    'Ends with status 0 when it does, and 1 when it does not. Whether something answers there is another matter.',
  options,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [wanted, where, ...rest] = positionals;
    const target = where === undefined ? undefined : parseTarget(where);
    if (wanted === undefined || target === undefined || rest.length > 0)
      throw usageError('reach needs an Ewon, and an address with port such as 10.0.0.20:502.');
    const { signal, stdout } = surroundings;
    const verdict = await withLogin(values, surroundings, async ({ api }) => {
      const { id } = await findEwon(api, wanted, signal);
      const protocol = values.udp === true ? 'UDP' : 'TCP';
      const { reachability } = await api.request(
        REACHABILITY,
        { input: { ewonId: id, ...target, protocol } },
        { signal },
      );
      if (reachability == null) throw new CodedError('NOT_FOUND', `You see no Ewon "${wanted}".`);
      return reachability;
    });
    const { reachable, level, rule, reason } = verdict;
    if (values.json) stdout.write(`${JSON.stringify({ target: where, ...verdict })}\n`);
    else stdout.write(`${where} is ${reachable ? '' : 'not '}reachable by ${rule} (${level}, ${reason}).\n`);
    return reachable ? 0 : 1;
  },
};

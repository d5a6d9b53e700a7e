import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Command, parseDuration, usageError } from '../command-line.ts';
import { deadline } from '../deadline.ts';
import { CodedError } from '../errors.ts';
import { findEwon } from '../ewons.ts';
import { EWON_STATUS, WAKE } from '../operations.ts';
import { COMMON, LOGIN, withLogin } from './common.ts';

const POLL_MS = 1000;

const options = {
  within: {
    type: 'string',
    value: '<time>',
    default: '120s',
    help: 'How long to wait until it is online; 0s does not.',
  },
  ...LOGIN,
  ...COMMON,
} as const;

export const wake: Command = {
  operands: '<ewon>',
  summary: 'Sends the wake-up message to an Ewon that connects on demand, and waits until it is online.',
  details: 'A message may cost credit of the account. Ends with status 1 when the Ewon does not come in time.',
  options,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [wanted, ...rest] = positionals;
    if (wanted === undefined || rest.length > 0) throw usageError('wake needs one Ewon.');
    const withinMs = parseDuration(values.within, 'within');
    const { signal, stdout } = surroundings;
    return withLogin(values, surroundings, async ({ api }) => {
      const { id, name } = await findEwon(api, wanted, signal);
      const { wakeUpEwon } = await api.request(WAKE, { input: { ewonId: id } }, { signal });
      if (wakeUpEwon.__typename !== 'WakeUpEwonSuccess') {
        const { code, message } = wakeUpEwon;
        throw new CodedError(code, message, 'retryAfter' in wakeUpEwon ? wakeUpEwon.retryAfter : undefined);
      }
      let { status } = wakeUpEwon.ewon;
      using limit = deadline(withinMs, signal);
      while (!isOnline(status) && !limit.signal.aborted) {
        await delay(POLL_MS, undefined, { signal: limit.signal }).catch(() => undefined);
        status = (await api.request(EWON_STATUS, { id }, { signal })).ewon?.status ?? status;
      }
      if (values.json) stdout.write(`${JSON.stringify({ ewon: name, status })}\n`);
      else stdout.write(`${name} is ${status}.\n`);
      return isOnline(status) || withinMs === 0 ? 0 : 1;
    });
  },
};

const isOnline = (status: string): boolean => status === 'ONLINE' || status === 'CONNECTED';

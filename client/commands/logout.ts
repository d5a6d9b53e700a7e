import { parseArgs } from 'node:util';
import type { Command } from '../command-line.ts';
import { codeOf } from '../errors.ts';
import { logOut } from '../login.ts';
import { COMMON, configOf, storedLogin } from './common.ts';

const options = { ...COMMON } as const;

export const logout: Command = {
  summary: 'Ends the stored login, and with it its sessions, and forgets it.',
  options,
  async run(args, surroundings) {
    const { values } = parseArgs({ args, options });
    const session = await storedLogin(values, surroundings);
    let ended = true;
    try {
      if (session) await logOut(session.api);
    } catch (error) {
      // One that has ended already is as good; one that cannot be ended now is kept.
      if (!['UNAUTHENTICATED', 'LOGIN_EXPIRED'].includes(codeOf(error))) throw error;
      ended = false;
    }
    await configOf(values, surroundings).setLogin(undefined);
    if (values.json) surroundings.stdout.write(`${JSON.stringify({ loggedOut: ended })}\n`);
    else surroundings.stdout.write(ended ? 'Logged out.\n' : 'The login had ended already.\n');
    return 0;
  },
};

import { parseArgs } from 'node:util';
import type { Command } from '../command-line.ts';
import { COMMON, configOf, LOGIN, logInAnew } from './common.ts';

const options = { ...LOGIN, ...COMMON } as const;

export const login: Command = {
  summary: 'Logs in and keeps the login for the other commands, until `logout`.',
  details: 'The token is kept in the config folder, which only you can read; the password is not.',
  options,
  async run(args, surroundings) {
    const { values } = parseArgs({ args, options });
    const { url, account, username, token, expiresAt, api } = await logInAnew(values, surroundings);
    await configOf(values, surroundings).setLogin({ api: url, account, username, token, expiresAt });
    api.close();
    const { stdout } = surroundings;
    if (values.json) stdout.write(`${JSON.stringify({ api: url, account, username, expiresAt })}\n`);
    else stdout.write(`Logged in to ${account} as ${username}, until ${expiresAt} at the latest.\n`);
    return 0;
  },
};

import { type Program, runProgram, type Surroundings } from './command-line.ts';
import { connect } from './commands/connect.ts';
import { list } from './commands/list.ts';
import { login } from './commands/login.ts';
import { logout } from './commands/logout.ts';
import { reach } from './commands/reach.ts';
import { status } from './commands/status.ts';
import { wake } from './commands/wake.ts';

const ECATCHER: Program = {
  call: 'npm run ecatcher --',
  summary:
    "Connects this PC to Ewons: logs in, opens a session, and leads local ports to the machines in the Ewon's LAN.",
  details:
    'Exit status: 0 done; 1 refused or failed, with a code in brackets; 2 a command line that cannot be understood;\n' +
    '130 stopped before it was done.',
  commands: { login, logout, list, connect, status, reach, wake },
};

/** Runs a command line of `npm run ecatcher`; the result is the exit status. */
export const runCommandLine = (argv: string[], surroundings: Surroundings): Promise<number> =>
  runProgram(ECATCHER, argv, surroundings);

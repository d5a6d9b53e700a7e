import { type Program, runProgram, type Surroundings } from '../client/command-line.ts';
import { control } from './commands/control.ts';
import { fleet } from './commands/fleet.ts';
import { load } from './commands/load.ts';
import { register } from './commands/register.ts';
import { run } from './commands/run.ts';
import { scenario } from './commands/scenario.ts';
import { t2m } from './commands/t2m.ts';
import { users } from './commands/users.ts';

const SIMULATOR: Program = {
  call: 'npm run sim --',
  summary: 'Plays Ewons and their users against a talkgate platform.',
  commands: { register, t2m, run, fleet, control, users, scenario, load },
};

/** Runs a command line of `npm run sim`; the result is the exit status. */
export const runCommandLine = (argv: string[], surroundings: Surroundings): Promise<number> =>
  runProgram(SIMULATOR, argv, surroundings);

import { CodedError, messageOf } from '../client/errors.ts';
import { type Command, helpOf, type Surroundings } from './commands/command.ts';
import { control } from './commands/control.ts';
import { fleet } from './commands/fleet.ts';
import { load } from './commands/load.ts';
import { register } from './commands/register.ts';
import { run } from './commands/run.ts';
import { scenario } from './commands/scenario.ts';
import { t2m } from './commands/t2m.ts';
import { users } from './commands/users.ts';

const COMMANDS: Record<string, Command> = { register, t2m, run, fleet, control, users, scenario, load };

/** Runs a command line; the result is the exit status. Whatever goes wrong is told in one sentence. */
export async function runCommandLine(argv: string[], surroundings: Surroundings): Promise<number> {
  const [name = '--help', ...args] = argv;
  if (['--help', '-h', 'help'].includes(name)) {
    surroundings.stdout.write(overview());
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    surroundings.stderr.write(`There is no command "${name}"; there are ${Object.keys(COMMANDS).join(', ')}.\n`);
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    surroundings.stdout.write(helpOf(name, command));
    return 0;
  }
  try {
    return await command.run(args, surroundings);
  } catch (error) {
    if (surroundings.signal.aborted) return 130;
    const usage = isUsage(error);
    const code = error instanceof CodedError && !usage ? ` (${error.code})` : '';
    surroundings.stderr.write(`${messageOf(error)}${code}${usage ? ` See npm run sim -- ${name} --help.` : ''}\n`);
    return usage ? 2 : 1;
  }
}

function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    'Usage: npm run sim -- <command> [options]',
    '',
    'Plays Ewons and their users against a talkgate platform.',
    '',
    'Commands:',
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'npm run sim -- <command> --help shows its options.',
    '',
  ].join('\n');
}

function isUsage(error: unknown): boolean {
  if (error instanceof CodedError) return error.code === 'USAGE';
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

import { readFile } from 'node:fs/promises';
import type { ParseArgsConfig } from 'node:util';
import { CodedError, messageOf } from './errors.ts';

/** Where a command runs: the process, or a test. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  stdin: AsyncIterable<Uint8Array | string>;
  /** Results. */
  stdout: { write(text: string): unknown };
  /** Progress and events; a terminal tells its width. */
  stderr: { isTTY?: boolean | undefined; columns?: number | undefined; write(text: string): unknown };
  /** Aborted when the user wants an end (Ctrl-C). */
  signal: AbortSignal;
  /** Asks the person at the terminal; undefined when nobody sits there. What he types is not shown when `hidden`. */
  ask?: ((question: string, options: { hidden: boolean }) => Promise<string>) | undefined;
}

type OptionConfig = NonNullable<ParseArgsConfig['options']>[string];

/** An option of the command line with what `--help` says of it. */
export type Option = OptionConfig & { help: string; value?: string };

export interface Command {
  /** What follows the name of the command, as `<folder>`. */
  operands?: string;
  summary: string;
  details?: string;
  options: Record<string, Option>;
  /** The result is the exit status. */
  run(args: string[], surroundings: Surroundings): Promise<number>;
}

/** A program of several commands. */
export interface Program {
  /** How it is called: `npm run ecatcher --`. */
  call: string;
  summary: string;
  details?: string;
  commands: Record<string, Command>;
}

/**
 * Runs a command line; the result is the exit status: 0 when done, 1 when refused or failed, 2 when it cannot be understood,
 * 130 when stopped before it was done. Whatever goes wrong is told in one sentence.
 */
export async function runProgram(program: Program, argv: string[], surroundings: Surroundings): Promise<number> {
  const { call, commands } = program;
  const { stdout, stderr, signal } = surroundings;
  const [name = '--help', ...args] = argv;
  if (['--help', '-h', 'help'].includes(name)) {
    stdout.write(overviewOf(program));
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    stderr.write(`There is no command "${name}"; there are ${Object.keys(commands).join(', ')}.\n`);
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    stdout.write(helpOf(call, name, command));
    return 0;
  }
  try {
    return await command.run(args, surroundings);
  } catch (error) {
    if (signal.aborted) return 130;
    const usage = isUsage(error);
    const code = error instanceof CodedError && !usage ? ` (${error.code})` : '';
    stderr.write(
      `${sentence(unknownOption(error, command) ?? messageOf(error))}${code}${usage ? ` See ${call} ${name} --help.` : ''}\n`,
    );
    return usage ? 2 : 1;
  }
}

/** Some messages of the platform and of Node come without their full stop. */
const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** Of an option that the command does not have: its name without its value, and the one that may have been meant. */
function unknownOption(error: unknown, { options }: Command): string | undefined {
  if (!(error instanceof Error && 'code' in error) || error.code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return undefined;
  const [, given] = /'(--?[^']*)'/.exec(error.message) ?? [];
  if (given === undefined) return undefined;
  const name = given.replace(/^--?/, '');
  const [nearest] = Object.keys(options)
    .map((option) => ({ option, edits: option.startsWith(name) && name.length > 2 ? 0 : editsBetween(name, option) }))
    .filter(({ option, edits }) => edits <= Math.min(2, Math.floor(option.length / 2)))
    .sort((one, other) => one.edits - other.edits);
  return `There is no option ${given}${nearest === undefined ? '' : ` (did you mean --${nearest.option}?)`}.`;
}

/** Letters to insert, leave out or replace to make one word of the other (Levenshtein). */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}

function overviewOf({ call, summary, details, commands }: Program): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  return [
    `Usage: ${call} <command> [options]`,
    '',
    summary,
    '',
    'Commands:',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    ...(details === undefined ? [] : [details, '']),
    `${call} <command> --help shows its options.`,
    '',
  ].join('\n');
}

function helpOf(call: string, name: string, { operands, summary, details, options }: Command): string {
  const rows = Object.entries(options).map(([option, { short, value, help, default: byDefault }]) => {
    const flag = `${short === undefined ? '    ' : `-${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`;
    return [flag, typeof byDefault === 'string' ? `${help} Default: ${byDefault}` : help] as const;
  });
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    `Usage: ${call} ${name} ${operands === undefined ? '' : `${operands} `}[options]`,
    '',
    summary,
    ...(details === undefined ? [] : ['', details]),
    '',
    'Options:',
    ...rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
    '',
  ].join('\n');
}

/** A command line that cannot be understood. */
export const usageError = (message: string): CodedError => new CodedError('USAGE', message);

function isUsage(error: unknown): boolean {
  if (error instanceof CodedError) return error.code === 'USAGE';
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `90s`, `1.5m`, `200ms`, `1h` in milliseconds. */
export function parseDuration(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const ms = Number(match?.[1]) * UNIT_MS[(match?.[2] ?? 's') as keyof typeof UNIT_MS];
  if (!(ms >= 0 && ms < 2 ** 31))
    throw usageError(`--${option} must be a time such as 500ms, 60s, 5m or 1h, up to 24 days.`);
  return ms;
}

/** A URL with one of these protocols; credentials in it would be shown with it. */
export function parseUrl(text: string, option: string, protocols: readonly string[]): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !protocols.includes(url.protocol.slice(0, -1)) ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw usageError(`--${option} must be a URL with ${protocols.join(' or ')} and without credentials.`);
  }
  return text;
}

/** The text of a file that an option names. */
export async function readText(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw usageError(`--${option} ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
}

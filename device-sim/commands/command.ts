import type { ParseArgsConfig } from 'node:util';
import type { ProgressStream } from '../progress.ts';

/** Where a command runs: the process, or a test. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  stdin: AsyncIterable<Uint8Array | string>;
  /** Results. */
  stdout: { write(text: string): unknown };
  /** Progress and events. */
  stderr: ProgressStream;
  /** Aborted when the user wants an end (Ctrl-C). */
  signal: AbortSignal;
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

/** The text of `--help` for one command. */
export function helpOf(name: string, { operands, summary, details, options }: Command): string {
  const rows = Object.entries(options).map(([option, { short, value, help, default: byDefault }]) => {
    const flag = `${short === undefined ? '    ' : `-${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`;
    return [flag, typeof byDefault === 'string' ? `${help} Default: ${byDefault}` : help] as const;
  });
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    `Usage: npm run sim -- ${name} ${operands === undefined ? '' : `${operands} `}[options]`,
    '',
    summary,
    ...(details === undefined ? [] : ['', details]),
    '',
    'Options:',
    ...rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
    '',
  ].join('\n');
}

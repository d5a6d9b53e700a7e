import { createInterface } from 'node:readline';
import { runOperatorCommand } from './command.ts';

/** The first line of standard input, without its end; empty when there is none. */
async function readLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    process.stdin.destroy();
    return line;
  }
  return '';
}

process.exitCode = await runOperatorCommand(process.argv.slice(2), process.env, {
  out: (text) => void process.stdout.write(`${text}\n`),
  error: (text) => void process.stderr.write(`${text}\n`),
  readLine,
});

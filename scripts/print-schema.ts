// Writes schema.graphql, the contract, from the schema in the code. With --check it only compares, and fails if they differ.
import { readFile, writeFile } from 'node:fs/promises';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from '../src/graphql/schema.ts';

const file = new URL('../schema.graphql', import.meta.url);
/** Enough to recognise the change; the whole of it shows in the diff after `npm run generate`. */
const shownLines = 8;

const printed = `${printSchema(lexicographicSortSchema(schema))}\n`;

if (process.argv.includes('--check')) await check();
else await writeFile(file, printed);

async function check(): Promise<void> {
  const committed = await readFile(file, 'utf8').catch(() => '');
  if (committed === printed) return;
  console.error(
    committed === ''
      ? 'schema.graphql is missing.'
      : `schema.graphql is not what the code says.\n${firstDifference(committed.split('\n'), printed.split('\n'))}`,
  );
  console.error('To write it anew: npm run generate');
  process.exitCode = 1;
}

function firstDifference(committed: string[], current: string[]): string {
  let from = 0;
  while (committed[from] === current[from]) from++;
  let kept = 0;
  while (kept < Math.min(committed.length, current.length) - from && committed.at(-1 - kept) === current.at(-1 - kept))
    kept++;
  const removed = committed.slice(from, committed.length - kept);
  const added = current.slice(from, current.length - kept);
  return [`From line ${from + 1} (- file, + code):`, ...shown('-', removed), ...shown('+', added)].join('\n');
}

function shown(sign: string, lines: string[]): string[] {
  const rest = lines.length - shownLines;
  return [
    ...lines.slice(0, shownLines).map((line) => `  ${sign} ${line}`),
    ...(rest > 0 ? [`  ${sign} … ${rest} more lines`] : []),
  ];
}

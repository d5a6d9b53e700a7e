// Writes the contracts from the schemas in the code: schema.graphql, schema.simulation.graphql with what exists in simulation
// mode only, and schema.operator.graphql. With --check it only compares, and fails if they differ.
import { readFile, writeFile } from 'node:fs/promises';
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { schema, simulationSchema } from '../src/graphql/schema.ts';
import { operatorSchema } from '../src/operator/schema.ts';

const FILES: Record<string, GraphQLSchema> = {
  'schema.graphql': schema,
  'schema.simulation.graphql': simulationSchema,
  'schema.operator.graphql': operatorSchema,
};
/** Enough to recognise the change; the whole of it shows in the diff after `npm run generate`. */
const shownLines = 8;

const checkOnly = process.argv.includes('--check');
for (const [name, one] of Object.entries(FILES)) {
  const file = new URL(`../${name}`, import.meta.url);
  const printed = `${printSchema(lexicographicSortSchema(one))}\n`;
  if (checkOnly) check(name, await readFile(file, 'utf8').catch(() => ''), printed);
  else await writeFile(file, printed);
}

function check(name: string, committed: string, printed: string): void {
  if (committed === printed) return;
  console.error(
    committed === ''
      ? `${name} is missing.`
      : `${name} is not what the code says.\n${firstDifference(committed.split('\n'), printed.split('\n'))}`,
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

// Which rules of docs/domain-rules.md the tests name, area by area:
//
//   npm run rules                    all areas; fails only for a title or an exception that cannot be right
//   npm run rules -- GRK EWN VPN     these areas; fails also if a rule is neither named nor listed as pending
//
// docs/rules-pending.json lists the rules that no test can name yet, each with the reason.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Area, beginsWithRange, idsOf, parseRules, testTitles } from './rules-parse.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const testDirs = ['src', 'device-sim', 'test'];
const width = 120;

const areas = parseRules(readFileSync(join(root, 'docs/domain-rules.md'), 'utf8'));
const known = new Set(areas.flatMap((area) => area.ids));
const pending = new Map(
  Object.entries<string>(JSON.parse(readFileSync(join(root, 'docs/rules-pending.json'), 'utf8'))),
);
const named = new Set<string>();
const problems: string[] = [];

for (const file of testDirs.flatMap(listTestFiles)) readTitles(file);
for (const [id, reason] of pending) checkPending(id, reason);
const wanted = chosenAreas(process.argv.slice(2));

console.log([...tableOf(wanted), ...pendingOf(wanted)].join('\n'));
for (const problem of problems) console.error(`✖ ${problem}`);
if (problems.length > 0) process.exitCode = 1;

function readTitles(file: string): void {
  for (const title of testTitles(readFileSync(join(root, file), 'utf8'))) {
    if (beginsWithRange(title)) problems.push(`${file}: name each rule instead of a range: "${title}"`);
    for (const id of idsOf(title)) {
      if (known.has(id)) named.add(id);
      else problems.push(`${file}: there is no rule ${id}: "${title}"`);
    }
  }
}

function checkPending(id: string, reason: string): void {
  if (!known.has(id)) problems.push(`docs/rules-pending.json: there is no rule ${id}.`);
  if (named.has(id)) problems.push(`docs/rules-pending.json: a test names ${id}, so it is not pending any more.`);
  if (!reason) problems.push(`docs/rules-pending.json: ${id} gives no reason.`);
}

function chosenAreas(codes: string[]): Area[] {
  if (codes.length === 0) return areas;
  return codes.flatMap((code) => {
    const area = areas.find((candidate) => candidate.code === code.toUpperCase());
    if (!area) problems.push(`There is no area ${code}; there are ${areas.map((known) => known.code).join(' ')}.`);
    else if (missingIn(area).length > 0)
      problems.push(`${area.code}: ${missingIn(area).length} rules named by no test.`);
    return area ?? [];
  });
}

function missingIn(area: Area): string[] {
  return area.ids.filter((id) => !named.has(id) && !pending.has(id));
}

function tableOf(shown: Area[]): string[] {
  const row = (code: string, ...cells: (string | number)[]) =>
    code.padEnd(6) + cells.map((cell) => String(cell).padStart(8)).join('');
  const lines = shown.flatMap((area) => {
    const counts = row(area.code, ...countsOf([area]));
    const [first, ...rest] = wrap(missingIn(area), width - counts.length - 3);
    return [`${counts}   ${first}`.trimEnd(), ...rest.map((line) => `${' '.repeat(counts.length)}   ${line}`)];
  });
  const missing = shown.flatMap(missingIn).length;
  return [
    `${row('Area', 'rules', 'named', 'pending')}   named by no test`,
    ...lines,
    `${row('all', ...countsOf(shown))}   ${missing === 0 ? 'none' : missing}`,
  ];
}

function countsOf(shown: Area[]): number[] {
  const ids = shown.flatMap((area) => area.ids);
  return [ids.length, ids.filter((id) => named.has(id)).length, ids.filter((id) => pending.has(id)).length];
}

function pendingOf(shown: Area[]): string[] {
  const ids = shown.flatMap((area) => area.ids).filter((id) => pending.has(id));
  return ids.length === 0 ? [] : ['', 'Pending', ...ids.map((id) => `  ${id.padEnd(8)} ${pending.get(id)}`)];
}

/** At least one line. */
function wrap(words: string[], columns: number): string[] {
  const lines = [''];
  for (const word of words) {
    const line = `${lines.at(-1)} ${word}`.trimStart();
    if (line.length <= columns) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

function listTestFiles(dir: string): string[] {
  if (!existsSync(join(root, dir))) return [];
  return readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join(dir, path))
    .sort();
}

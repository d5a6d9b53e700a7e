// All that can be said about the code without running the tests; stops at the first failure.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './root.mjs';

const bin = (path) => join(root, 'node_modules', path);
const tsx = bin('tsx/dist/cli.mjs');

// The commands write to a pipe, where each has its own idea of colours.
const colour = Boolean(process.stdout.isTTY);
const env = { ...process.env, ...(colour ? { FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: '0' }) };
const biome = [bin('@biomejs/biome/bin/biome'), 'ci', '--error-on-warnings', `--colors=${colour ? 'force' : 'off'}`];

const steps = [
  ['types', bin('typescript/bin/tsc'), '--noEmit'],
  ['lint and format', ...biome],
  ['unused code', bin('knip/bin/knip.js')],
  ['drift: migrations and schema.prisma', tsx, 'scripts/migration.ts', '--check'],
  ['drift: code and schema.graphql', tsx, 'scripts/print-schema.ts', '--check'],
  ['drift: schema.graphql and client types', bin('@graphql-codegen/cli/esm/bin.js'), '--check', '--errors-only'],
  ['drift: schema.prisma and src/generated', 'scripts/check-generated.mjs'],
];

for (const [title, ...command] of steps) {
  process.stdout.write(title.padEnd(42));
  const startedAt = performance.now();
  const { status, stdout, stderr, error } = spawnSync(process.execPath, command, { cwd: root, env, encoding: 'utf8' });
  const seconds = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  if (status !== 0) {
    console.log(`FAILED  ${seconds}\n\n${[stdout, stderr, error?.message].filter(Boolean).join('\n').trim()}`);
    process.exit(1);
  }
  console.log(`ok  ${seconds}`);
}

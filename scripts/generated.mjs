import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { exclusively } from './lock.mjs';
import { root } from './root.mjs';

const generatedDir = join(root, 'src/generated');
const stampFile = join(generatedDir, '.stamp');
const schemaFile = join(root, 'prisma/schema.prisma');
const generatedFiles = [join(generatedDir, 'prisma/client.ts'), join(generatedDir, 'pothos-types.ts')];
/** The packages whose version shows in the generated code. */
const generators = ['prisma', '@prisma/client', '@pothos/plugin-prisma'];

/** Generates the Prisma client and the Pothos types if they are absent or come from another schema or another version. */
export async function ensureGenerated() {
  if (isCurrent()) return;
  await exclusively(() => {
    if (!isCurrent()) generate();
  });
}

/** Generates in any case. */
export async function regenerate() {
  await exclusively(generate);
}

/** Names the generated code by what it is made from. */
export function generatedStamp() {
  const hash = createHash('sha256');
  for (const file of [schemaFile, join(root, 'prisma.config.ts')]) hash.update(readFileSync(file));
  // The versions are exact there, and an installation without development packages reads the same ones.
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of generators) hash.update(`${name}@${dependencies[name] ?? devDependencies[name]}\n`);
  return hash.digest('hex');
}

function isCurrent() {
  return (
    existsSync(stampFile) && generatedFiles.every(existsSync) && readFileSync(stampFile, 'utf8') === generatedStamp()
  );
}

function generate() {
  mkdirSync(generatedDir, { recursive: true });
  // First, so that a half-finished run never looks like a finished one.
  rmSync(stampFile, { force: true });
  const stamp = generatedStamp();
  const { ok, output } = runPrismaGenerate();
  if (!ok) {
    console.error(`${output}\nprisma generate failed for prisma/schema.prisma (see above).`);
    process.exit(1);
  }
  writeFileSync(stampFile, stamp);
}

/** `schema` is a file; what it generates goes where its generators say, seen from that file. */
export function runPrismaGenerate(schema = schemaFile) {
  const cli = join(root, 'node_modules/prisma/build/index.js');
  if (!existsSync(cli))
    return { ok: false, output: 'The package prisma is absent; install with: npm ci --include=dev' };
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [cli, 'generate', '--schema', schema, '--no-hints'],
    {
      cwd: root,
      encoding: 'utf8',
      // The command looks for the schema engine's binary and downloads it if it finds none, though `generate` and this
      // project never run it. Any file that exists ends the search.
      env: {
        ...envWithOwnBinaries(),
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
      },
    },
  );
  return { ok: status === 0, output: [stdout, stderr, error?.message].filter(Boolean).join('\n') };
}

/** The command finds the generator of Pothos' types in the PATH, which names it only when npm started this. */
function envWithOwnBinaries() {
  const env = { ...process.env };
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  env[name] = [join(root, 'node_modules/.bin'), env[name]].filter(Boolean).join(delimiter);
  return env;
}

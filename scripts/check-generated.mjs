// Fails if the generated code in src/generated is not what prisma/schema.prisma gives: someone edited it, or the stamp lies.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runPrismaGenerate } from './generated.mjs';
import { root } from './root.mjs';

const present = join(root, 'src/generated');
// The generators write beside the schema file they read, so a copy of the schema gives a copy of the code.
const copy = join(root, 'node_modules/.cache', `generated-${process.pid}`);

try {
  mkdirSync(join(copy, 'prisma'), { recursive: true });
  cpSync(join(root, 'prisma/schema.prisma'), join(copy, 'prisma/schema.prisma'));
  const { ok, output } = runPrismaGenerate(join(copy, 'prisma/schema.prisma'));
  if (!ok) throw new Error(output);
  const differing = differingFiles(present, join(copy, 'src/generated'));
  if (differing.length > 0) {
    console.error(`Not what prisma/schema.prisma gives: ${differing.join(', ')} (in src/generated)`);
    console.error('To generate it anew: npm run generate');
    process.exitCode = 1;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function differingFiles(one, other) {
  const [ours, theirs] = [listFiles(one), listFiles(other)];
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((name) => !ours.has(name) || !theirs.has(name) || !ours.get(name).equals(theirs.get(name)))
    .sort();
}

function listFiles(dir) {
  return new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(dir, path), readFileSync(path)]),
  );
}

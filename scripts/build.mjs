// Compiles the sources to dist/. With --if-stale (`npm start`) only when dist/ is absent or made from other sources.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureGenerated, generatedStamp } from './generated.mjs';
import { exclusively } from './lock.mjs';
import { ensurePackages } from './packages.mjs';
import { root } from './root.mjs';

const distDir = join(root, 'dist');
const stampFile = join(distDir, '.stamp');
/** Beside dist/, so that the paths in the source maps stay right when it takes its place. */
const freshDir = join(root, 'dist.next');
const sourceDirs = ['src', 'client', 'device-sim', 'demo'];
const sourceFiles = ['prisma/seed.ts', 'tsconfig.json', 'tsconfig.build.json'];

const onlyIfStale = process.argv.includes('--if-stale');

await ensurePackages();
if (onlyIfStale && isCurrent()) process.exit(0);
await ensureGenerated();
await exclusively(() => {
  if (onlyIfStale && isCurrent()) return;
  compile();
});

function isCurrent() {
  if (!existsSync(stampFile)) return false;
  // An installation that carries no sources has nothing to be older than.
  if (!existsSync(join(root, 'src/main.ts'))) return true;
  return readFileSync(stampFile, 'utf8') === sourcesStamp();
}

function compile() {
  const startedAt = Date.now();
  const stamp = sourcesStamp();
  rmSync(freshDir, { recursive: true, force: true });
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', freshDir],
    { cwd: root, stdio: 'inherit' },
  );
  if (status !== 0) {
    rmSync(freshDir, { recursive: true, force: true });
    console.error('The build failed (see above); dist/ is as it was.');
    process.exit(1);
  }
  writeFileSync(join(freshDir, '.stamp'), stamp);
  // In one step and only when complete: whatever stops a build, dist/ is whole or absent.
  rmSync(distDir, { recursive: true, force: true });
  renameSync(freshDir, distDir);
  console.log(`Built dist/ in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
}

/** Names the build by the content of what it is made from; times would change with every checkout. */
function sourcesStamp() {
  const hash = createHash('sha256').update(generatedStamp());
  for (const file of [...sourceDirs.flatMap(listSources), ...sourceFiles]) {
    if (existsSync(join(root, file))) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

function listSources(dir) {
  if (dir === 'src/generated' || !existsSync(join(root, dir))) return [];
  return readdirSync(join(root, dir), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${dir}/${entry.name}`;
      if (entry.isDirectory()) return listSources(path);
      return /(?<!\.test)\.(ts|json)$/.test(entry.name) ? [path] : [];
    });
}

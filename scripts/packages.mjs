import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { exclusively } from './lock.mjs';
import { root } from './root.mjs';

const lockFile = join(root, 'package-lock.json');
/** npm writes this last, so it is there only after an installation that reached its end. */
const installedFile = join(root, 'node_modules/.package-lock.json');

/** Installs the packages if they are absent or not those of package-lock.json. */
export async function ensurePackages() {
  if (!whyInstall()) return;
  await exclusively(() => {
    const reason = whyInstall();
    if (!reason) return;
    console.log(`Installing the packages, because ${reason}: npm ci`);
    // Development packages too, whatever NODE_ENV says: generating code and building need them.
    const status = npm(['ci', '--include=dev', '--no-audit', '--no-fund']);
    if (status !== 0) {
      console.error('npm ci failed (see above). Nothing was started.');
      process.exit(status);
    }
    markInstalled();
  });
}

/** The reason in words, or undefined if all is in place. */
function whyInstall() {
  const installed = statSync(installedFile, { throwIfNoEntry: false });
  if (!installed) return 'node_modules is absent or incomplete';
  if (installed.mtimeMs >= statSync(lockFile).mtimeMs) return undefined;
  if (!hasWhatLockFileNames()) return 'package-lock.json has changed';
  // Another branch and back, or a copy of the folder: only the times differ.
  markInstalled();
  return undefined;
}

function hasWhatLockFileNames() {
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  const present = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const isSame = (path) =>
    present[path]?.version === wanted[path]?.version && present[path]?.integrity === wanted[path]?.integrity;
  // What is optional may be absent: it is for another platform.
  return (
    Object.keys(present).every(isSame) &&
    Object.keys(wanted).every((path) => path === '' || path in present || wanted[path].optional)
  );
}

function markInstalled() {
  const now = new Date();
  utimesSync(installedFile, now, now);
}

function npm(args) {
  // Ctrl-C reaches npm too, which then clears away what it began; ending before it would let the next start run into that.
  process.once('SIGINT', () => undefined);
  const ownNpm = process.env.npm_execpath;
  const options = { cwd: root, stdio: 'inherit' };
  const { status, error } = ownNpm?.endsWith('.js')
    ? spawnSync(process.execPath, [ownNpm, ...args], options)
    : // Started without npm. On Windows npm is a batch file, which only a shell runs.
      spawnSync(`npm ${args.join(' ')}`, { ...options, shell: true });
  if (error) throw error;
  return status ?? 1;
}

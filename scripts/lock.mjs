import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './root.mjs';

// In a folder that git ignores and that neither `npm ci` nor a build removes.
const lockDir = join(root, 'src/generated/.lock');
const ownerFile = join(lockDir, 'owner.json');
const pollMs = 200;
/** Between making the folder and naming its owner a process needs microseconds; after this it must have died there. */
const namelessStaleMs = 10_000;
/** No installation takes this long: the owner's process id now belongs to something else. */
const staleMs = 60 * 60_000;

/**
 * Runs `work` while no other process of this checkout does: two `npm run …` started at once would otherwise install or
 * generate over each other. Waits for its turn; the lock of a process that died is taken over.
 */
export async function exclusively(work) {
  await takeLock();
  // Also when the work ends the process.
  process.once('exit', releaseLock);
  try {
    return await work();
  } finally {
    process.off('exit', releaseLock);
    releaseLock();
  }
}

function releaseLock() {
  rmSync(lockDir, { recursive: true, force: true });
}

async function takeLock() {
  mkdirSync(join(root, 'src/generated'), { recursive: true });
  let told = false;
  for (;;) {
    try {
      mkdirSync(lockDir);
      writeFileSync(ownerFile, JSON.stringify({ pid: process.pid, host: hostname() }));
      return;
    } catch (error) {
      // Windows answers EPERM while the folder is being removed.
      if (error.code !== 'EEXIST' && error.code !== 'EPERM') throw error;
    }
    const owner = readOwner();
    if (isStale(owner)) {
      removeStale(owner);
      continue;
    }
    if (!told) console.log(`Waiting for another process${owner ? ` (${owner.pid})` : ''} that prepares this folder …`);
    told = true;
    await delay(pollMs);
  }
}

function readOwner() {
  try {
    return JSON.parse(readFileSync(ownerFile, 'utf8'));
  } catch {
    return undefined;
  }
}

function isStale(owner) {
  const ageMs = Date.now() - (statSync(lockDir, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (!owner) return ageMs > namelessStaleMs;
  if (ageMs > staleMs) return true;
  if (owner.host !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Renamed before it is removed: of two processes that find the same dead lock, the second must not remove the first's new one. */
function removeStale(seen) {
  const aside = `${lockDir}-${process.pid}-${Date.now()}`;
  try {
    renameSync(lockDir, aside);
  } catch {
    return;
  }
  let taken;
  try {
    taken = JSON.parse(readFileSync(join(aside, 'owner.json'), 'utf8'));
  } catch {
    taken = undefined;
  }
  if (taken?.pid === seen?.pid) rmSync(aside, { recursive: true, force: true });
  else renameSync(aside, lockDir);
}

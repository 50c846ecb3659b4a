import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasCode, TsmanError } from './error.ts';
import { ensurePrivateDirectory, readIfExists } from './file.ts';
import { currentBootID, isAlive, startTimeOf } from './process.ts';
import { randomHex } from './random.ts';
import { sleep } from './sleep.ts';

const RETRY_MS = 15;
const PATIENCE_MS = 10_000;

/**
 * Runs `work`, which reads a file, changes it and writes it back, while no other tsman does the same.
 * Node has no flock(2): the lock is a file beside it that names its holder, and one whose holder is
 * dead counts for nothing, so kill -9 leaves no lock.
 */
export async function withLockFile<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  // Not `NAME.lock`: that one Podman makes, and leaves.
  const lock = join(dirname(path), `.${basename(path)}.tsman-lock`);
  ensurePrivateDirectory(dirname(path));
  const started = performance.now();
  while (!take(lock)) {
    if (performance.now() - started > PATIENCE_MS)
      throw new TsmanError(`change ${path}: another tsman has it locked`, {
        hint: `if none is running, remove ${lock}`,
      });
    await sleep(RETRY_MS);
  }
  try {
    return await work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

/** A link appears with its content or not at all: nobody reads half a holder. */
function take(lock: string): boolean {
  const aside = `${lock}-${randomHex(6)}`;
  fs.writeFileSync(aside, `${process.pid} ${startTimeOf(process.pid)} ${currentBootID()}`, {
    flag: 'wx',
    mode: 0o600,
  });
  try {
    fs.linkSync(aside, lock);
    return true;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    removeIfDead(lock, aside);
    return false;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

function removeIfDead(lock: string, aside: string): void {
  const holder = readIfExists(lock);
  if (holder === undefined || lives(holder)) return;
  try {
    fs.renameSync(lock, aside);
  } catch (error) {
    // Somebody else removed it, too.
    if (!hasCode(error, 'ENOENT')) throw error;
    return;
  }
  // Between reading and renaming it may have become somebody's who lives: it is given back.
  if (readIfExists(aside) !== holder) fs.linkSync(aside, lock);
}

function lives(holder: string): boolean {
  const [pid, startTime = '', bootID] = holder.split(' ');
  return bootID === currentBootID() && isAlive(Number(pid), startTime);
}

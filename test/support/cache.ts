import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Made by scripts/setup for the test user; other users have a cache of their own. */
const MACHINE_CACHE = '/var/cache/tsman-test';

function cacheDirectory(): string {
  const chosen = process.env['TSMAN_TEST_CACHE'];
  if (chosen !== undefined) return chosen;
  return isWritable(MACHINE_CACHE) ? MACHINE_CACHE : join(homedir(), '.cache/tsman-test');
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false; // Missing, or somebody else's.
  }
}

/**
 * The path of a directory that `make` fills once per machine; later calls find it. The name must
 * change with what it is made from. Test files run at the same time: the first makes, others wait.
 */
export async function cached(
  name: string,
  make: (directory: string) => Promise<void>,
): Promise<string> {
  const path = join(cacheDirectory(), name);
  if (existsSync(path)) return path;
  mkdirSync(cacheDirectory(), { recursive: true });
  const unlock = await lock(`${path}.lock`);
  try {
    if (!existsSync(path)) {
      const partial = `${path}.partial`;
      rmSync(partial, { recursive: true, force: true });
      mkdirSync(partial);
      await make(partial);
      renameSync(partial, path);
    }
  } finally {
    unlock();
  }
  return path;
}

/** Waits for the lock file; one whose maker is dead counts for nothing. */
async function lock(path: string): Promise<() => void> {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (!holderLives(path)) rmSync(path, { force: true });
    else await sleep(100);
  }
}

function holderLives(path: string): boolean {
  try {
    const pid = readFileSync(path, 'utf8');
    // Empty: it is just being written.
    return pid === '' || existsSync(`/proc/${pid}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

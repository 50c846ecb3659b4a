import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { hasCode } from './error.ts';
import { randomHex } from './random.ts';

/** Reads a small text file; undefined when it does not exist. */
export function readIfExists(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The same for one that is mostly not there: an exception costs four times what asking does. */
export function readIfThere(path: string): string | undefined {
  const isThere = fs.statSync(path, { throwIfNoEntry: false }) !== undefined;
  return isThere ? readIfExists(path) : undefined;
}

/**
 * Replaces a file so that a reader, or whoever comes after a crash, sees the old content or the
 * new, never a part: written aside, fsynced, renamed. Not durable: without the fsync, so only the
 * machine's death may leave a part.
 */
export function writeAtomically(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
  isDurable = true,
): void {
  const aside = join(dirname(path), `.${randomHex(6)}.tmp`);
  const descriptor = fs.openSync(aside, 'wx', mode);
  try {
    fs.writeFileSync(descriptor, content);
    if (isDurable) fs.fsyncSync(descriptor);
  } catch (error) {
    fs.rmSync(aside, { force: true });
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(aside, path);
}

/** Makes a directory only its owner can enter, with its parents; no error when it is there. */
export function ensurePrivateDirectory(path: string): void {
  fs.mkdirSync(path, { recursive: true, mode: 0o700 });
}

import * as fs from 'node:fs';
import { hasCode, TsmanError } from '../base/error.ts';
import { nodeChildProcess } from '../base/late-modules.ts';
import { randomHex } from '../base/random.ts';
import { helperPath } from '../helper/location.ts';
import { writePlan } from '../helper/run.ts';
import type { Directories } from '../rootless/directories.ts';
import { type EngineUserns, usernsRecords } from '../rootless/id-map.ts';

/** What deleting trees needs from the engine. */
export interface TrashTarget {
  readonly directories: Directories;
  readonly userns: EngineUserns;
}

/** A name in the trash: whatever is there may be deleted by anyone at any time. */
export function trashPath({ dataRoot }: Directories, name: string): string {
  fs.mkdirSync(`${dataRoot}/trash`, { recursive: true, mode: 0o700 });
  return `${dataRoot}/trash/${name.slice(0, 12)}-${randomHex(4)}`;
}

/** Renames what may be gone already; returns where it is now. */
export function moveToTrash(directories: Directories, path: string, name: string): string {
  const trash = trashPath(directories, name);
  try {
    fs.renameSync(path, trash);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  return trash;
}

/**
 * Deletes a tree that may hold files of subordinate ids. Most containers wrote none: what we may
 * delete ourselves costs no process.
 */
export async function removeTree(target: TrashTarget, path: string): Promise<void> {
  try {
    fs.rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!hasCode(error, 'EACCES') && !hasCode(error, 'EPERM')) throw error;
    if (!removeWithWork(path)) await removeInUserns(target, path);
  }
}

/** What overlay makes in a container's work directory with mode 0, ours as the rest. */
const WORK_DIRECTORIES = ['work', 'work/work', 'work/work/incompat', 'work/work/incompat/volatile'];

/** Whether the directories that overlay left locked were all that kept us from deleting. */
function removeWithWork(path: string): boolean {
  try {
    for (const name of WORK_DIRECTORIES) {
      // Other trees come here too: a link in a layer must not lead chmod out of it.
      const status = fs.lstatSync(`${path}/${name}`, { throwIfNoEntry: false });
      if (status?.isDirectory() !== true) break;
      fs.chmodSync(`${path}/${name}`, 0o700);
    }
    fs.rmSync(path, { recursive: true, force: true });
    return true;
  } catch (error) {
    if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM')) return false;
    throw error;
  }
}

async function removeInUserns(target: TrashTarget, path: string): Promise<void> {
  const plan = `${target.directories.runRoot}/remove-${randomHex(6)}`;
  writePlan(plan, [
    ...usernsRecords(target.userns, target.directories.runRoot),
    ['exec', '/bin/rm', '-rf', '--one-file-system', '--', path],
  ]);
  const child = nodeChildProcess().spawn(helperPath(), ['unshare', plan], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const chunks: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0)
    throw new TsmanError(
      `delete ${path}: ${Buffer.concat(chunks).toString().trim().slice(0, 500)}`,
    );
}

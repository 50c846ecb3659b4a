import * as fs from 'node:fs';
import { currentBootID } from '../base/process.ts';
import type { Directories } from '../rootless/directories.ts';
import { containerDirectory } from './state.ts';

/**
 * Leaves a mark that outlives a reboot: with it and without an exit file, a container that does not
 * run was killed together with its monitor. The last end is kept for a start that fails.
 */
export function markStarted(directories: Directories, id: string): void {
  const directory = containerDirectory(directories, id);
  if (fs.existsSync(`${directory}/exit`))
    fs.renameSync(`${directory}/exit`, `${directory}/exit.last`);
  else fs.rmSync(`${directory}/exit.last`, { force: true });
  fs.writeFileSync(`${directory}/started`, currentBootID(), { mode: 0o600 });
}

/** Nothing has run: the container is what it was before, created or ended as it did last. */
export function unmarkStarted(directories: Directories, id: string): void {
  const directory = containerDirectory(directories, id);
  if (fs.existsSync(`${directory}/exit.last`))
    fs.renameSync(`${directory}/exit.last`, `${directory}/exit`);
  else fs.rmSync(`${directory}/started`, { force: true });
}

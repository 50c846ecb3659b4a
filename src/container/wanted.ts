import * as fs from 'node:fs';
import { writeAtomically } from '../base/file.ts';
import type { Directories } from '../rootless/directories.ts';
import { containerDirectory } from './state.ts';

/**
 * Records what the user wants of a container, apart from how it is: a monitor with a restart policy
 * reads it before it runs the container again. Survives a reboot, for `unless-stopped`.
 */
export function setWanted(
  directories: Directories,
  id: string,
  wanted: 'running' | 'stopped',
): void {
  const path = `${containerDirectory(directories, id)}/wanted`;
  if (wanted === 'running') fs.rmSync(path, { force: true });
  else if (fs.existsSync(containerDirectory(directories, id))) writeAtomically(path, `${wanted}\n`);
}

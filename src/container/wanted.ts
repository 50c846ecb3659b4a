import * as fs from 'node:fs';
import { writeAtomically } from '../base/file.ts';
import type { Directories } from '../rootless/directories.ts';
import type { RestartPolicy } from './restart-policy.ts';
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

/**
 * Gives the monitor of a container that runs another policy, until the next start. One that was
 * started without any cannot restart: false.
 */
export function changePolicy(
  directories: Directories,
  id: string,
  old: RestartPolicy | undefined,
  wanted: RestartPolicy,
): boolean {
  const isSame = (old?.name ?? 'no') === wanted.name;
  if (old === undefined || old.name === 'no') return isSame;
  const word = wanted.name === 'unless-stopped' ? 'always' : wanted.name;
  writeAtomically(
    `${containerDirectory(directories, id)}/wanted`,
    `policy ${word} ${wanted.maximumRetryCount}\n`,
  );
  return true;
}

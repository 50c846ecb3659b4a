import * as fs from 'node:fs';
import { isNoRoom } from '../base/error.ts';
import { readIfExists, writeAtomically } from '../base/file.ts';
import type { Directories } from '../rootless/directories.ts';
import type { Container } from './record.ts';
import type { RestartPolicy } from './restart-policy.ts';
import { containerDirectory } from './state.ts';

const NEVER = { name: 'no' };

/** `stopped until-boot`: it rests, and is to run again after the machine has started. */
export type Wanted = 'running' | 'stopped' | 'stopped until-boot';

/**
 * Records what the user wants of a container, apart from how it is: a monitor with a restart policy
 * reads it before it runs the container again (native/restart.c), and whoever starts containers after
 * a boot. Of a container that is to run there is no file.
 * @param isDurable false when nobody asks after a boot: then it costs no fsync
 */
export function setWanted(
  directories: Directories,
  id: string,
  wanted: Wanted,
  isDurable = true,
): void {
  const path = wantedPath(directories, id);
  if (wanted === 'running') fs.rmSync(path, { force: true });
  else if (fs.existsSync(containerDirectory(directories, id)))
    writeAtomically(path, `${wanted}\n`, 0o600, isDurable);
}

/** The same for one that is being ended: where there is no room for the note, only what would run again needs it. */
export function noteStopped(
  directories: Directories,
  { id, spec }: Pick<Container, 'id' | 'spec'>,
  wanted: Exclude<Wanted, 'running'> = 'stopped',
  isDurable = true,
): void {
  try {
    setWanted(directories, id, wanted, isDurable);
  } catch (error) {
    if (!isNoRoom(error) || (spec.restart ?? NEVER).name !== NEVER.name) throw error;
  }
}

/** Whether the user stopped the container, and not only until the next boot. */
export function isStoppedByUser(directories: Directories, id: string): boolean {
  return readIfExists(wantedPath(directories, id)) === 'stopped\n';
}

/** What podman-ps(1) calls `should-start-on-boot`: `unless-stopped` differs from `always` only here. */
export function shouldStartOnBoot(
  directories: Directories,
  { id, spec }: Pick<Container, 'id' | 'spec'>,
): boolean {
  const policy = spec.restart?.name;
  return policy === 'always' || (policy === 'unless-stopped' && !isStoppedByUser(directories, id));
}

function wantedPath(directories: Directories, id: string): string {
  return `${containerDirectory(directories, id)}/wanted`;
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
  const path = wantedPath(directories, id);
  // It is being stopped: that must not be forgotten, and the next start has the new policy anyway.
  if (readIfExists(path)?.startsWith('stopped') === true) return true;
  const word = wanted.name === 'unless-stopped' ? 'always' : wanted.name;
  writeAtomically(path, `policy ${word} ${wanted.maximumRetryCount}\n`);
  return true;
}

import { existsSync, writeFileSync } from 'node:fs';
import { ownUserName } from '../base/own-user.ts';
import type { Directories } from './directories.ts';

/**
 * What a user without subordinate ids must know, once a session: containers run, with one id.
 * @returns the lines to print, or undefined when they were printed before
 */
export function singleIDWarning(directories: Directories): string | undefined {
  const marker = `${directories.runRoot}/single-id-warned`;
  if (existsSync(marker)) return undefined;
  writeFileSync(marker, '', { mode: 0o600 });
  const user = ownUserName();
  return [
    `Warning: ${user} has no subordinate ids in /etc/subuid and /etc/subgid: all files of an image belong to one user, and programs that switch user fail\n`,
    `hint: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}\n`,
  ].join('');
}

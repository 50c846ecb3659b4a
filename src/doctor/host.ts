import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { hasCode } from '../base/error.ts';
import { ownUserName } from '../base/own-user.ts';

/** What the checks read of a machine. All of it can be a directory that looks like another machine. */
export interface Host {
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  /** `uname -r` */
  readonly release: string;
  readonly env: NodeJS.ProcessEnv;
  readonly dataRoot: string;
  readonly helper: string;
  readonly share: string;
  /** A small file's text; undefined when it is not there or not readable. */
  read(path: string): string | undefined;
  stat(path: string): HostStat | undefined;
  /** Whether the calling user may read and write it. */
  canUse(path: string): boolean;
  /** `cap_setuid=ep`: a file's capabilities, empty when it has none. */
  fileCapabilities(path: string): string;
  space(path: string): DiskSpace | undefined;
  /** Tries to make a user namespace: undefined when it works, else the errno's name. */
  tryUserns(): string | undefined;
}

export interface HostStat {
  readonly uid: number;
  readonly mode: number;
}

export interface DiskSpace {
  readonly freeBytes: number;
  readonly freeInodes: number;
  readonly totalInodes: number;
}

/** Where things lie for the engine that asks. */
export interface EnginePlaces {
  readonly dataRoot: string;
  readonly helper: string;
  readonly share: string;
}

/** This machine. @param root for tests: read all paths below this directory */
export function thisHost(places: EnginePlaces, root = '/'): Host {
  const at = (path: string): string => join(root, path);
  const uid = process.geteuid?.() ?? 0;
  return {
    ...places,
    uid,
    gid: process.getegid?.() ?? 0,
    user: ownUserName(),
    release: release(),
    env: process.env,
    read: (path) => readQuietly(at(path)),
    stat: (path) => statQuietly(at(path)),
    canUse: (path) => canUse(at(path)),
    fileCapabilities: (path) => fileCapabilities(at(path)),
    space: (path) => diskSpace(at(path)),
    tryUserns,
  };
}

// A doctor reports what cannot be read as missing; why it cannot be read does not change the advice.
function readQuietly(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error)) return undefined;
    throw error;
  }
}

function statQuietly(path: string): HostStat | undefined {
  try {
    return fs.statSync(path);
  } catch (error) {
    if (hasErrno(error)) return undefined;
    throw error;
  }
}

function hasErrno(error: unknown): boolean {
  return error instanceof Error && 'code' in error;
}

function canUse(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK);
    return true;
  } catch (error) {
    if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM') || hasCode(error, 'EROFS'))
      return false;
    if (hasErrno(error)) return false;
    throw error;
  }
}

// Node has no getxattr. Where newuidmap has file capabilities instead of set-uid (Fedora), libcap is there.
function fileCapabilities(path: string): string {
  for (const program of ['getcap', '/sbin/getcap', '/usr/sbin/getcap']) {
    const { status, stdout } = spawnSync(program, [path], { encoding: 'utf8', timeout: 5000 });
    if (status === 0) return stdout.slice(path.length).trim();
  }
  return '';
}

function diskSpace(path: string): DiskSpace | undefined {
  try {
    const { bavail, bsize, ffree, files } = fs.statfsSync(path);
    return { freeBytes: bavail * bsize, freeInodes: ffree, totalInodes: files };
  } catch (error) {
    if (hasErrno(error)) return undefined;
    throw error;
  }
}

/** unshare(1) does what the helper does first; where it is not installed nothing is concluded. */
function tryUserns(): string | undefined {
  const { status, stderr, error } = spawnSync('unshare', ['--user', '--map-root-user', 'true'], {
    encoding: 'utf8',
    timeout: 5000,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (status === 0 || error !== undefined) return undefined;
  if (stderr.includes('No space left')) return 'ENOSPC';
  return stderr.includes('Invalid argument') ? 'EINVAL' : 'EPERM';
}

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readIfExists } from '../base/file.ts';
import type { ConfSearch } from './conf-files.ts';
import { userContainersPath } from './paths.ts';

/** Directories of the host that every new container gets. */
export interface DefaultMounts {
  /** The file that was read: the first found of the user's, /etc and /usr/share. */
  readonly file: string | undefined;
  /** As `--volume` takes them. */
  readonly volumes: readonly string[];
  /** Named there, and not on this machine. */
  readonly missing: readonly string[];
}

/**
 * Reads mounts.conf (containers-mounts.conf(5)): lines of `HOST-DIR[:CONTAINER-DIR]`; others are passed
 * over, as Podman does. What the container changes stays in the container: Podman copies, here the
 * directory lies below an overlay of the container's.
 */
export function loadDefaultMounts({ env, root = '' }: ConfSearch): DefaultMounts {
  const places = [
    userContainersPath('mounts.conf', env),
    join(root, '/etc/containers/mounts.conf'),
    join(root, '/usr/share/containers/mounts.conf'),
  ];
  // Asked first: a failed read costs an Error, and every `run` looks here.
  const file = places.find((path) => existsSync(path));
  const lines = file === undefined ? [] : (readIfExists(file) ?? '').split('\n');
  const volumes: string[] = [];
  const missing: string[] = [];
  for (const line of lines.map((it) => it.trim()).filter((it) => it.startsWith('/'))) {
    const [host = '', container = host] = line.split(':');
    const kind = statSync(host, { throwIfNoEntry: false });
    if (kind === undefined) missing.push(host);
    else volumes.push(`${host}:${container}:${kind.isDirectory() ? 'O' : 'ro'}`);
  }
  return { file, volumes, missing };
}

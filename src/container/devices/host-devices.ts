import * as fs from 'node:fs';
import type { PlanRecord } from '../../helper/plan.ts';

/** File systems of their own, and what the container has its own of. */
const SKIPPED = new Set([
  ...['pts', 'shm', 'fd', 'mqueue', 'console', 'ptmx', 'tty'],
  ...['null', 'zero', 'full', 'random', 'urandom', '.lxc', '.lxd-mounts', '.udev'],
]);

/**
 * The host's devices for `--privileged`, as with Podman; only those that the caller may open, for
 * nothing in a user namespace opens the others.
 */
export function hostDevices(): PlanRecord[] {
  return nodesBelow('/dev').map((path): PlanRecord => ['device', path, path]);
}

function nodesBelow(directory: string): string[] {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(directory, { withFileTypes: true });
  } catch {
    // Not for us to read: nor is what lies in it.
    return [];
  }
  return entries
    .filter(({ name }) => directory !== '/dev' || !SKIPPED.has(name))
    .flatMap((entry) => {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory()) return nodesBelow(path);
      const isDevice = entry.isCharacterDevice() || entry.isBlockDevice();
      return isDevice && mayOpen(path) ? [path] : [];
    });
}

function mayOpen(path: string): boolean {
  return [fs.constants.R_OK, fs.constants.W_OK].some((mode) => {
    try {
      fs.accessSync(path, mode);
      return true;
    } catch {
      return false;
    }
  });
}

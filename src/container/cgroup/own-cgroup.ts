import { readFileSync } from 'node:fs';
import { readIfExists } from '../../base/file.ts';

const CGROUP_ROOT = '/sys/fs/cgroup';

/** The cgroup v2 directory that was made for this container alone (cgroup-place.ts), by its process. */
export function cgroupOf(id: string, pid: number): string | undefined {
  const path = pid === 0 ? undefined : cgroupPath(pid);
  // A container that makes cgroups itself may have moved its first process further down.
  const own = path === undefined ? null : ownPart(id).exec(path);
  return own === null ? undefined : CGROUP_ROOT + own[0];
}

/** A process's cgroup v2 from the root of the hierarchy; undefined when it has none, or has ended. */
export function cgroupPath(pid: number | 'self'): string | undefined {
  try {
    return /^0::(.+)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

function ownPart(id: string): RegExp {
  return new RegExp(`^.*/tsman-${id}(-[0-9a-f]+\\.scope/container)?(?=/|$)`);
}

/** Whether all processes there are frozen by now (cgroup-v2.rst, cgroup.events). */
export function isCgroupFrozen(directory: string): boolean {
  return /^frozen 1$/m.test(readIfExists(`${directory}/cgroup.events`) ?? '');
}

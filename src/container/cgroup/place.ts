import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { hasCode, TsmanError } from '../../base/error.ts';
import { readIfExists } from '../../base/file.ts';
import { randomHex } from '../../base/random.ts';
import { cgroupPath } from './own-cgroup.ts';
import { moveIntoScope } from './systemd-scope.ts';

/** `--cgroups` and `--cgroup-parent`. Stored in the record; absent = a cgroup where one can be had. */
export interface CgroupSettings {
  readonly mode: 'enabled' | 'disabled' | 'no-conmon' | 'split';
  readonly parent?: string;
}

const ROOT = '/sys/fs/cgroup';

/** False in hybrid mode, where cgroup v2 has no controllers and is mounted elsewhere. */
export function hasCgroupV2(): boolean {
  return fs.existsSync(`${ROOT}/cgroup.controllers`);
}

/**
 * Makes the directory for a container and returns its path.
 * @param needed false = nobody asked; then only what is at hand counts, and none is no failure
 * @param controllers that are to be at work in it
 * @throws TsmanError
 */
export function placeCgroup(
  id: string,
  settings: CgroupSettings | undefined,
  needed: boolean,
  controllers: readonly string[],
): string | undefined {
  const own = cgroupPath('self');
  if (own === undefined || !hasCgroupV2()) {
    if (!needed) return undefined;
    throw new TsmanError('limits and cgroup options need cgroup v2; this machine has v1', {
      hint: 'boot it with systemd.unified_cgroup_hierarchy=1',
    });
  }
  const path = choosePath(id, own, settings, needed);
  if (path === undefined) return undefined;
  try {
    enableControllers(dirname(path), controllers);
    return makeDirectory(path);
  } catch (error) {
    if (needed) throw error;
    return undefined;
  }
}

function choosePath(
  id: string,
  own: string,
  settings: CgroupSettings | undefined,
  needed: boolean,
): string | undefined {
  const name = `tsman-${id}`;
  const parent = settings?.parent;
  if (settings?.mode === 'split') return splitOwn(ROOT + own, name);
  if (parent?.endsWith('.slice') && !parent.includes('/')) return inScope(id, parent);
  if (parent !== undefined) return `${makeParent(parent)}/${name}`;
  const beside = own === '/' ? ROOT : `${ROOT}${dirname(own)}`.replace(/\/$/, '');
  if (!needed) return own !== '/' && isDelegated(beside) ? `${beside}/${name}` : undefined;
  // A slice is systemd's own: it would take back controllers that we switch on there.
  const isSystemds = /(\.slice|\/user@\d+\.service)$/.test(beside);
  if (isDelegated(beside) && !isSystemds) return `${beside}/${name}`;
  return inScope(id, undefined);
}

/** Moving a process needs this right on the nearest common ancestor (cgroup-v2.rst, Delegation). */
function isDelegated(directory: string): boolean {
  try {
    fs.accessSync(`${directory}/cgroup.procs`, fs.constants.W_OK);
    fs.accessSync(directory, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a process of ours may be born in this cgroup. From a login session the way leads through
 * a cgroup of root's; then systemd is asked to take us to the side of the containers.
 */
export function isReachable(path: string): boolean {
  const own = cgroupPath('self');
  if (own === undefined) return false;
  if (isDelegated(commonAncestor(ROOT + own, path))) return true;
  try {
    moveIntoScope(`tsman-exec-${randomHex(8)}.scope`, undefined);
    return true;
  } catch {
    return false;
  }
}

function commonAncestor(one: string, other: string): string {
  const words = other.split('/');
  const differs = one.split('/').findIndex((word, at) => word !== words[at]);
  return words.slice(0, differs < 0 ? undefined : differs).join('/');
}

/** A cgroup with controllers for its children has no processes itself: ours goes to a child as well. */
function splitOwn(own: string, name: string): string {
  if (!isDelegated(own))
    throw new TsmanError(`option --cgroups split: ${own} is not delegated to you`, {
      hint: 'it is meant for systemd units with Delegate=yes',
    });
  moveSelf(own, 'supervisor');
  return `${own.replace(/\/supervisor$/, '')}/${name}`;
}

function moveSelf(directory: string, child: string): void {
  if (directory.endsWith(`/${child}`)) return;
  fs.mkdirSync(`${directory}/${child}`, { recursive: true });
  fs.writeFileSync(`${directory}/${child}/cgroup.procs`, String(process.pid));
}

function inScope(id: string, slice: string | undefined): string {
  // The scope of an earlier start may be about to go: each has a name of its own.
  const unit = `tsman-${id}-${randomHex(4)}.scope`;
  const scope = ROOT + moveIntoScope(unit, slice);
  moveSelf(scope, 'monitor');
  return `${scope}/container`;
}

function makeParent(parent: string): string {
  const path = `${ROOT}/${parent.replace(/^\/+|\/+$/g, '')}`;
  try {
    fs.mkdirSync(path, { recursive: true });
    fs.accessSync(`${path}/cgroup.procs`, fs.constants.W_OK);
    return path;
  } catch (cause) {
    throw new TsmanError(`option --cgroup-parent ${parent}`, {
      cause,
      hint: 'the cgroup must be one delegated to you; /proc/self/cgroup tells where you are',
    });
  }
}

/** It may be there: another start of the same container is under way, and one of the two will be it. */
function makeDirectory(path: string): string | undefined {
  fs.mkdirSync(path, { recursive: true });
  // Below a threaded cgroup it cannot hold whole processes.
  return readIfExists(`${path}/cgroup.type`)?.trim() === 'domain' ? path : undefined;
}

/**
 * Lets the children of a cgroup have controllers, from the first ancestor on that must hand them down.
 * @throws TsmanError when one is not delegated
 */
export function enableControllers(directory: string, names: readonly string[]): void {
  const words = (file: string): string[] =>
    (readIfExists(`${directory}/${file}`) ?? '').trim().split(/\s+/);
  const on = words('cgroup.subtree_control');
  const missing = names.filter((name) => !on.includes(name));
  if (missing.length === 0) return;
  const offered = words('cgroup.controllers');
  const absent = missing.filter((name) => !offered.includes(name));
  if (absent.length > 0) {
    if (directory === ROOT || !isDelegated(dirname(directory))) throw notDelegated(absent);
    enableControllers(dirname(directory), absent);
  }
  try {
    fs.writeFileSync(
      `${directory}/cgroup.subtree_control`,
      missing.map((name) => `+${name}`).join(' '),
    );
  } catch (cause) {
    if (hasCode(cause, 'EACCES') || hasCode(cause, 'EPERM')) throw notDelegated(missing);
    throw new TsmanError(`switch ${missing.join(', ')} on in ${directory}`, {
      cause,
      hint: hasCode(cause, 'EBUSY') ? 'there must be no processes in that cgroup' : undefined,
    });
  }
}

function notDelegated(names: readonly string[]): TsmanError {
  return new TsmanError(
    `cgroup controller${names.length > 1 ? 's' : ''} ${names.join(', ')} not delegated to you`,
    {
      hint: 'as root: systemctl edit user@.service, with the lines [Service] and Delegate=cpu cpuset io memory pids; then log in again',
    },
  );
}

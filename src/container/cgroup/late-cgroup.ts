import * as fs from 'node:fs';
import { TsmanError } from '../../base/error.ts';
import { randomHex } from '../../base/random.ts';
import { containerProcesses } from '../processes/processes.ts';
import type { Container } from '../record.ts';
import type { ContainerState } from '../state.ts';
import { cgroupPath } from './own-cgroup.ts';
import { hasCgroupV2 } from './place.ts';
import { attachToScope, moveIntoScope } from './systemd-scope.ts';

const ROOT = '/sys/fs/cgroup';
const MOST_ROUNDS = 20;

/**
 * Gives a container that runs without a cgroup of its own one: a scope of the user's systemd, and in
 * it the place where cgroupOf looks. What was born before its parent was moved is fetched after it.
 * @returns its directory
 * @throws TsmanError where there is no such systemd, or the processes are not the caller's own
 */
export function giveCgroup({ id, name }: Container, state: ContainerState): string {
  const processes = containerProcesses(state);
  if (!hasCgroupV2() || processes.length === 0)
    throw new TsmanError('cgroups need cgroup v2; this machine has v1');
  // systemd moves what has its client's uid, and nothing else.
  const foreign = processes.find(({ status }) => uidOf(status) !== process.geteuid?.());
  if (foreign !== undefined)
    throw new TsmanError(
      `container ${name} has processes of other users than its root (${foreign.command}), which cannot be moved into a cgroup`,
    );
  const unit = `tsman-${id}-${randomHex(4)}.scope`;
  const pids = processes.map(({ pid }) => pid);
  const scope = ROOT + moveIntoScope(unit, undefined, pids);
  const own = `${scope}/container`;
  fs.mkdirSync(own);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const outside = placesOf(state).filter(({ path }) => !path.startsWith(own));
    if (outside.length === 0) return own;
    for (const { pid, path } of outside) if (path === scope) moveTo(own, pid);
    const far = outside.filter(({ path }) => path !== scope).map(({ pid }) => pid);
    if (far.length > 0) attachToScope(unit, far);
  }
  throw new TsmanError(`container ${name} makes processes faster than they can be moved`);
}

function uidOf(status: ReadonlyMap<string, string>): number {
  return Number((status.get('Uid') ?? '').split(/\s+/)[1] ?? -1);
}

function placesOf(state: ContainerState): { pid: number; path: string }[] {
  return containerProcesses(state)
    .filter((process) => process.state !== 'Z')
    .map(({ pid }) => ({ pid, path: ROOT + (cgroupPath(pid) ?? '') }));
}

function moveTo(directory: string, pid: number): void {
  try {
    fs.writeFileSync(`${directory}/cgroup.procs`, String(pid));
  } catch {
    // Ended meanwhile, or else the next round finds it where it was.
  }
}

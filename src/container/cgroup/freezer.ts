import * as fs from 'node:fs';
import { TsmanError } from '../../base/error.ts';
import type { Container } from '../record.ts';
import type { ContainerState } from '../state.ts';
import { giveCgroup } from './late-cgroup.ts';
import { cgroupOf, isCgroupFrozen } from './own-cgroup.ts';

/** Lets a paused container go on, so that it can be told to end. */
export function thaw(container: Pick<Container, 'id'>, state: ContainerState): void {
  const cgroup = state.status === 'paused' ? cgroupOf(container.id, state.pid) : undefined;
  if (cgroup !== undefined) fs.writeFileSync(`${cgroup}/cgroup.freeze`, '0');
}

/** @throws TsmanError when the container has no cgroup of its own */
export function setFrozen(container: Container, state: ContainerState, frozen: boolean): void {
  const verb = frozen ? 'pause' : 'unpause';
  if (state.pid === 0)
    throw new TsmanError(`cannot ${verb} container ${container.name}: it is not running`);
  const cgroup = cgroupOf(container.id, state.pid) ?? lateCgroup(container, state, verb);
  try {
    fs.writeFileSync(`${cgroup}/cgroup.freeze`, frozen ? '1' : '0');
    waitUntil(() => isCgroupFrozen(cgroup) === frozen);
  } catch (cause) {
    throw new TsmanError(`${verb} container ${container.name}: write ${cgroup}/cgroup.freeze`, {
      cause,
    });
  }
}

/** In a login session a container has none until it is needed: asking for one at every start takes time. */
function lateCgroup(container: Container, state: ContainerState, verb: string): string {
  try {
    return giveCgroup(container, state);
  } catch (cause) {
    throw new TsmanError(
      `cannot ${verb} container ${container.name}: it has no cgroup of its own to freeze`,
      { cause, hint: 'make it with --cgroups enabled, which says what is missing here' },
    );
  }
}

const LONGEST_MS = 2000;

/** The kernel freezes process by process; one that is stuck in a system call may take long. */
function waitUntil(isDone: () => boolean): void {
  const deadline = performance.now() + LONGEST_MS;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (!isDone() && performance.now() < deadline) Atomics.wait(pause, 0, 0, 1);
}

import * as fs from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import type { Container } from './record.ts';
import type { ContainerState } from './state.ts';

/** The cgroup v2 directory made for this container alone: its name holds the container's ID. */
export function ownCgroup({ id }: Container, { pid }: ContainerState): string | undefined {
  const path = /^0::(.*)$/m.exec(readIfExists(`/proc/${pid}/cgroup`) ?? '')?.[1];
  return path?.includes(id.slice(0, 12)) === true ? `/sys/fs/cgroup${path}` : undefined;
}

/** Whether its processes are frozen (cgroup-v2.rst, cgroup.freeze). */
export function isFrozen(container: Container, state: ContainerState): boolean {
  const cgroup = ownCgroup(container, state);
  return cgroup !== undefined && readIfExists(`${cgroup}/cgroup.freeze`)?.trim() === '1';
}

/** @throws TsmanError when the container has no cgroup of its own */
export function setFrozen(container: Container, state: ContainerState, frozen: boolean): void {
  const verb = frozen ? 'pause' : 'unpause';
  if (state.pid === 0)
    throw new TsmanError(`cannot ${verb} container ${container.name}: it is not running`);
  const cgroup = ownCgroup(container, state);
  if (cgroup === undefined)
    throw new TsmanError(
      `cannot ${verb} container ${container.name}: it has no cgroup of its own to freeze`,
      { hint: 'pausing needs cgroup v2 delegated to you, as systemd does for user sessions' },
    );
  try {
    fs.writeFileSync(`${cgroup}/cgroup.freeze`, frozen ? '1' : '0');
  } catch (cause) {
    throw new TsmanError(`${verb} container ${container.name}: write ${cgroup}/cgroup.freeze`, {
      cause,
    });
  }
}

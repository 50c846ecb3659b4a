import * as fs from 'node:fs';
import { hasCode, TsmanError } from '../../base/error.ts';
import type { PlanRecord } from '../../helper/plan.ts';
import type { Container } from '../record.ts';
import type { ContainerState } from '../state.ts';
import { cgroupOf } from './own-cgroup.ts';
import { enableControllers, isReachable, placeCgroup } from './place.ts';
import { type CgroupWrite, cgroupWrites, controllersOf, type Resources } from './resources.ts';

/**
 * Makes a cgroup v2 for the container, with its limits, so that it can also be frozen and counted.
 * Where none is delegated to us, and none is needed, it shares ours.
 * @throws TsmanError when it asks for what cannot be had
 */
export function makeCgroup({ id, spec }: Pick<Container, 'id' | 'spec'>): PlanRecord[] {
  if (spec.cgroup?.mode === 'disabled') return [];
  const wanted = spec.resources ?? {};
  const writes = cgroupWrites(wanted);
  // A default must not keep a container from running.
  const insisted = writes.filter(({ isOptional }) => isOptional !== true);
  const needed = spec.cgroup !== undefined || insisted.length > 0;
  const path = placeCgroup(id, spec.cgroup, needed, controllersOf(insisted));
  if (path === undefined) return [];
  try {
    switchOn(path, controllersOf(writes));
    writeFiles(path, writes);
  } catch (error) {
    fs.rmdirSync(path);
    throw error;
  }
  return [['cgroup', path]];
}

/** Controllers that nobody insists on: their files are absent when they cannot be had. */
function switchOn(path: string, controllers: readonly string[]): void {
  try {
    enableControllers(path.slice(0, path.lastIndexOf('/')), controllers);
  } catch (error) {
    // Those that were insisted on are at work already, or placeCgroup had failed.
    if (!(error instanceof TsmanError)) throw error;
  }
}

/** Gives a container that runs other limits. @throws TsmanError */
export function changeLimits(container: Container, state: ContainerState, limits: Resources): void {
  const path = cgroupOf(container.id, state.pid);
  if (path === undefined)
    throw new TsmanError(
      `cannot limit container ${container.name} while it runs: it has no cgroup of its own`,
      { hint: `stop it first; the limits hold from its next start on` },
    );
  const writes = cgroupWrites(limits);
  enableControllers(path.slice(0, path.lastIndexOf('/')), controllersOf(writes));
  writeFiles(path, writes);
}

function writeFiles(directory: string, writes: readonly CgroupWrite[]): void {
  for (const write of writes) {
    try {
      // Without O_CREAT, which such a directory answers with EACCES.
      fs.writeFileSync(`${directory}/${write.file}`, write.value, { flag: 'r+' });
    } catch (cause) {
      if (write.isOptional === true && hasCode(cause, 'ENOENT')) continue;
      throw new TsmanError(`limit ${write.file} = ${write.value}`, {
        cause,
        hint: hasCode(cause, 'ENOENT') ? 'this kernel has no such file' : undefined,
      });
    }
  }
}

/**
 * The record that puts one more process beside the container's own. From where it cannot be reached,
 * and there is no systemd to help, the process stays outside.
 */
export function joinCgroup(container: Container, state: ContainerState): PlanRecord[] {
  const path = cgroupOf(container.id, state.pid);
  return path !== undefined && fs.existsSync(path) && isReachable(path) ? [['cgroup', path]] : [];
}

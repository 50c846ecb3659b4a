import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { readIfExists } from '../base/file.ts';
import type { PlanRecord } from '../helper/plan.ts';
import { ownCgroup } from './freezer.ts';
import type { Container } from './record.ts';
import type { ContainerState } from './state.ts';

const ROOT = '/sys/fs/cgroup';

/**
 * Makes a cgroup v2 for the container beside our own, where that is delegated to us (a service or
 * scope of the user's systemd), so that it can be frozen and counted. Elsewhere it shares ours.
 */
export function makeCgroup({ id }: Pick<Container, 'id'>): PlanRecord[] {
  const own = /^0::(.+)$/m.exec(readIfExists('/proc/self/cgroup') ?? '')?.[1];
  // Not in hybrid mode, where cgroup v2 has no controllers and is mounted elsewhere.
  if (own === undefined || own === '/' || !fs.existsSync(`${ROOT}/cgroup.controllers`)) return [];
  const parent = ROOT + dirname(own);
  const path = `${parent === `${ROOT}/` ? ROOT : parent}/tsman-${id}`;
  try {
    // Moving a process needs this right on the nearest common ancestor (cgroup-v2.rst, Delegation).
    fs.accessSync(`${dirname(path)}/cgroup.procs`, fs.constants.W_OK);
    fs.mkdirSync(path, { recursive: true });
  } catch {
    return [];
  }
  return readIfExists(`${path}/cgroup.type`)?.trim() === 'domain' ? [['cgroup', path]] : [];
}

/** The record that puts one more process beside the container's own. */
export function joinCgroup(container: Container, state: ContainerState): PlanRecord[] {
  const path = ownCgroup(container, state);
  return path !== undefined && fs.existsSync(path) ? [['cgroup', path]] : [];
}

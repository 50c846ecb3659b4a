import { readIfThere } from '../base/file.ts';
import { currentBootID, isAlive } from '../base/process.ts';
import type { Directories } from '../rootless/directories.ts';
import { cgroupOf, isCgroupFrozen } from './cgroup/own-cgroup.ts';
import { readLostEnd } from './lost-end.ts';
import { findUnseenRun } from './unseen-run.ts';

/** What Podman and Docker call the status of a container. */
export type ContainerStatus =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'exited'
  | 'stopping';

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

/** What is true right now, derived from the kernel and the helper's files; nothing here is trusted from a record. */
export interface ContainerState {
  readonly status: ContainerStatus;
  /** The first process, 0 when there is none. */
  readonly pid: number;
  readonly startTime: string;
  readonly monitorPid: number;
  readonly networkPid: number;
  /** The process that is the container's network has ended before it. */
  readonly networkDied: boolean;
  /** Undefined before the first end. */
  readonly exitCode: number | undefined;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  readonly oomKilled: boolean;
  readonly restarts: number;
  /** Undefined when it does not run, or has no health check. */
  readonly health: HealthStatus | undefined;
  /** The container's processes outlived a monitor that was killed. */
  readonly orphaned: boolean;
}

/** Whether something of the container lives: it runs, or will soon run again. */
export function isActive({ status }: Pick<ContainerState, 'status'>): boolean {
  return status !== 'created' && status !== 'exited';
}

export function containerDirectory(directories: Directories, id: string): string {
  return `${directories.dataRoot}/containers/${id}`;
}

export function runDirectory(directories: Directories, id: string): string {
  return `${directories.runRoot}/containers/${id}`;
}

/** Reads the helper's `state` and `exit` files (native/README.md) and asks /proc whether they still hold. */
export function readState(directories: Directories, id: string): ContainerState {
  const end = parseFields(readIfThere(`${containerDirectory(directories, id)}/exit`));
  const run =
    parseFields(readIfThere(`${runDirectory(directories, id)}/state`)) ??
    (end?.get('final') === '1' ? undefined : findUnseenRun(containerDirectory(directories, id)));
  const pid = Number(run?.get('pid') ?? 0);
  const sameBoot = run?.get('boot') === currentBootID();
  const processAlive = sameBoot && isAlive(pid, run?.get('start') ?? '');
  // Then the monitor has let go of the container and only tells those who are attached to it.
  const hasLeft = !processAlive && end?.get('final') === '1';
  const monitorAlive =
    sameBoot && !hasLeft && isAlive(Number(run?.get('monitor')), run?.get('monitor-start') ?? '');
  const isRunning = monitorAlive || processAlive;
  // Between two runs the monitor names no process.
  const isResting = monitorAlive && pid === 0;
  const networkPid = Number(run?.get('network') ?? 0);
  const networkAlive = sameBoot && isAlive(networkPid, run?.get('network-start') ?? '');
  const isOver = !isRunning && end === undefined;
  const lost = isOver ? readLostEnd(containerDirectory(directories, id)) : undefined;
  const hasRun = run !== undefined || lost !== undefined;
  return {
    status: isResting
      ? 'restarting'
      : isRunning
        ? isPaused(id, pid)
          ? 'paused'
          : 'running'
        : end !== undefined || hasRun
          ? 'exited'
          : 'created',
    pid: isRunning ? pid : 0,
    startTime: run?.get('start') ?? '',
    monitorPid: monitorAlive ? Number(run?.get('monitor')) : 0,
    networkPid: isRunning && networkAlive ? networkPid : 0,
    networkDied: isRunning && networkPid > 0 && !networkAlive,
    exitCode: isRunning && !isResting ? undefined : exitCode(end, hasRun),
    startedAt: parseTime(run?.get('started') ?? end?.get('started')) ?? lost?.startedAt,
    finishedAt:
      isRunning && !isResting ? undefined : (parseTime(end?.get('finished')) ?? lost?.finishedAt),
    oomKilled: end?.get('oom') === '1',
    restarts: Number(run?.get('restarts') ?? 0),
    health: isRunning ? readHealthStatus(runDirectory(directories, id)).status : undefined,
    orphaned: isRunning && !monitorAlive,
  };
}

function isPaused(id: string, pid: number): boolean {
  const cgroup = cgroupOf(id, pid);
  return cgroup !== undefined && isCgroupFrozen(cgroup);
}

/** What the monitor's health check has found; nothing when the container has none. */
export function readHealthStatus(runDir: string): {
  status: HealthStatus | undefined;
  failingStreak: number;
} {
  const fields = parseFields(readIfThere(`${runDir}/health`));
  return {
    status: fields?.get('status') as HealthStatus | undefined,
    failingStreak: Number(fields?.get('streak') ?? 0),
  };
}

/** A container that ran and left no exit file was killed together with its monitor, or by a reboot. */
function exitCode(
  end: ReadonlyMap<string, string> | undefined,
  hasRun: boolean,
): number | undefined {
  const code = end?.get('code');
  if (code === undefined) return hasRun ? 137 : undefined;
  const signal = Number(end?.get('signal') ?? 0);
  return signal > 0 ? 128 + signal : Number(code);
}

/** Lines of "name value". */
export function parseFields(text: string | undefined): ReadonlyMap<string, string> | undefined {
  if (text === undefined || text === '') return undefined;
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) fields.set(line.slice(0, space), line.slice(space + 1));
  }
  return fields;
}

/** "seconds.nanoseconds" since 1970. */
function parseTime(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(Number(text) * 1000);
}

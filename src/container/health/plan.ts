import type { PlanRecord } from '../../helper/plan.ts';
import { writePlan } from '../../helper/run.ts';
import type { CreateTarget } from '../create.ts';
import { execSteps } from '../exec.ts';
import type { Container } from '../record.ts';
import { runDirectory } from '../state.ts';
import { type HealthProbe, healthLogPath } from './health.ts';

/**
 * The records by which the monitor checks a container's health; writes the plans of the probes, which
 * have the confinement of `tsman exec` and live in the container's cgroup, into the run directory.
 */
export function healthRecords(
  target: CreateTarget,
  container: Container,
  cgroup: readonly PlanRecord[],
): PlanRecord[] {
  const { health, stopSignal, stopTimeoutSeconds } = container.spec;
  if (health === undefined) return [];
  const { id } = container;
  const log = healthLogPath(target.directories, id, health);
  return [
    [
      'health',
      writeProbe(target, container, 'health-plan', health, cgroup),
      ...timing(health),
      health.startPeriodMs,
      health.startIntervalMs,
    ],
    ...(health.startup === undefined
      ? []
      : [
          [
            'health-startup',
            writeProbe(target, container, 'health-startup-plan', health.startup, cgroup),
            ...timing(health.startup),
            health.startup.successes,
          ] as PlanRecord,
        ]),
    ['health-log', log, health.maxLogCount, health.maxLogSizeBytes],
    ...(health.onFailure === 'none' ? [] : [['health-on-failure', health.onFailure] as const]),
    ['stop', stopSignal, stopTimeoutSeconds],
  ];
}

function timing(probe: HealthProbe): number[] {
  return [probe.intervalMs, probe.timeoutMs, probe.retries];
}

function writeProbe(
  target: CreateTarget,
  container: Container,
  name: string,
  probe: HealthProbe,
  cgroup: readonly PlanRecord[],
): string {
  const path = `${runDirectory(target.directories, container.id)}/${name}`;
  const [kind, ...words] = probe.test;
  writePlan(path, [
    ['id', container.id],
    // Whoever is the first process when it is time.
    ['target', 0, 0],
    ...cgroup,
    ...execSteps(target, container, {
      command: kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words.join(' ')] : words,
      env: [],
      envFiles: [],
      user: undefined,
      workdir: undefined,
      terminal: false,
      privileged: false,
    }),
  ]);
  return path;
}

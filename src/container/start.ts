import * as fs from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { randomHex } from '../base/random.ts';
import { sleep } from '../base/sleep.ts';
import { helperPath } from '../helper/location.ts';
import type { PlanRecord } from '../helper/plan.ts';
import {
  becomeHelper,
  explainRecord,
  runHelper,
  runInForeground,
  writePlan,
} from '../helper/run.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import { boxSettings, type StartOptions } from './box-settings.ts';
import type { CreateTarget } from './create.ts';
import { writeBundle } from './devices/hooks.ts';
import { hostDevices } from './devices/host-devices.ts';
import { logFieldRecords } from './logs/log-fields.ts';
import { endNetworkOrphans } from './network/network-orphans.ts';
import { containerSteps } from './plan.ts';
import { type Container, readConfig } from './record.ts';
import { writeRunFiles } from './run-files.ts';
import { seccompProgram } from './security/seccomp.ts';
import { markStarted, unmarkStarted } from './start-mark.ts';
import { containerDirectory, readState, runDirectory } from './state.ts';
import { setWanted } from './wanted.ts';

export type { StartOptions } from './box-settings.ts';

/**
 * Starts a container by becoming its helper; returns only where that is not possible, with the exit
 * status. On failure `tsman __explain start ID` words the error (and removes a `--rm` container).
 */
export async function startAndBecome(
  target: CreateTarget,
  container: Container,
  options: StartOptions,
): Promise<number> {
  const path = await prepareStart(
    target,
    container,
    options,
    explainRecord(target.directories, 'start', container.id),
  );
  return await becomeHelper('box', path, container.spec.preservedFds ?? 0);
}

/** The same for a caller that has something to do afterwards: this process stays, and waits. */
export async function startAndWait(
  target: CreateTarget,
  container: Container,
  options: StartOptions,
): Promise<number> {
  const failure = explainRecord(target.directories, 'start', container.id);
  return await runInForeground('box', await prepareStart(target, container, options, failure));
}

/** Starts a container in the background and returns the pid of its first process. @throws TsmanError */
export async function startInBackground(
  target: CreateTarget,
  container: Container,
): Promise<number> {
  const options = { attach: [], detachKeys: undefined, sigProxy: false, announce: undefined };
  const path = await prepareStart(target, container, options, ['report', 3]);
  try {
    return await runHelper('box', path, `start container ${container.name}`);
  } catch (error) {
    // By its field, not its class (helper/failure.ts): that would load the wording of all failures.
    if (!(error instanceof TsmanError && 'step' in error && error.step === 'lock')) {
      unmarkStarted(target.directories, container.id);
      throw error;
    }
    // Another start was faster: what was asked for has happened.
    const pid = await pidOfFasterStart(target, container);
    if (pid === 0) throw error;
    return pid;
  }
}

/**
 * Makes what a start needs and a stop leaves: volumes, the files of the run directory, the seccomp
 * program. Namespaces and mounts live with the container's process, so they are the start's.
 * @returns the steps of its process
 */
export async function prepareContainer(
  target: CreateTarget,
  container: Container,
): Promise<{ config: RuntimeConfig; program: PlanRecord[] }> {
  if (container.spec.userns !== undefined) await prepareForUserns(target, container);
  const { directories } = target;
  if (container.spec.ports.length > 0) await endNetworkOrphans(directories);
  if (container.spec.driver === 'vfs')
    await (await import('./root/vfs-root.ts')).makeVfsRoot(target, container);
  const config = readConfig(target.storage, container.id);
  const runDir = runDirectory(directories, container.id);
  fs.mkdirSync(runDir, { recursive: true, mode: 0o700 });
  await writeRunFiles(target, container, config, runDir);
  writeBundle(runDir, config);
  return { config, program: steps(target, container, config) };
}

/** Loaded only for those who have a user namespace of their own: others pay nothing at their start. */
async function prepareForUserns(target: CreateTarget, container: Container): Promise<void> {
  const [{ prepareVolumes }, { restoreShifted }] = await Promise.all([
    import('./mounts/prepare-volumes.ts'),
    import('./root/shifted-root.ts'),
  ]);
  await prepareVolumes(target, container);
  await restoreShifted(target, container);
}

async function prepareStart(
  target: CreateTarget,
  container: Container,
  options: StartOptions,
  failure: PlanRecord,
): Promise<string> {
  const { directories } = target;
  // Before the marks: what asks for something that cannot be had has not been started.
  const { config, program } = await prepareContainer(target, container);
  const settings = [
    ...(await boxSettings(target, container, config, options)),
    ...(await logFieldRecords(target, container, config)),
  ];
  setWanted(directories, container.id, 'running');
  markStarted(directories, container.id);
  const path = freshPlanPath(runDirectory(directories, container.id));
  writePlan(path, [failure, ...settings, ...program]);
  return path;
}

const FASTER_START_MS = 1000;

/** The pid of a container that somebody else is starting at this moment; 0 when nobody is. */
async function pidOfFasterStart(target: CreateTarget, { id }: Container): Promise<number> {
  const deadline = performance.now() + FASTER_START_MS;
  do {
    const { pid } = readState(target.directories, id);
    if (pid !== 0) return pid;
    await sleep(10);
  } while (performance.now() < deadline);
  return 0;
}

const STALE_PLAN_MS = 60_000;

/**
 * A plan for this start alone: one that loses the race to start the container must neither spoil
 * the winner's nor read it. Plans of starts long past are removed.
 */
function freshPlanPath(runDir: string): string {
  for (const name of fs.readdirSync(runDir).filter((it) => it.startsWith('plan.'))) {
    const stat = fs.statSync(`${runDir}/${name}`, { throwIfNoEntry: false });
    if (stat !== undefined && Date.now() - stat.mtimeMs > STALE_PLAN_MS)
      fs.rmSync(`${runDir}/${name}`, { force: true });
  }
  return `${runDir}/plan.${randomHex(4)}`;
}

function steps(target: CreateTarget, container: Container, config: RuntimeConfig): PlanRecord[] {
  return containerSteps(container, config, {
    directories: target.directories,
    containerDirectory: containerDirectory(target.directories, container.id),
    runDirectory: runDirectory(target.directories, container.id),
    layersDirectory: `${target.directories.dataRoot}/layers`,
    helper: helperPath(),
    hostDevices: container.spec.privileged ? hostDevices() : [],
    seccompProgram: seccompProgram(
      target.directories.dataRoot,
      container.spec.seccomp,
      config.process.capabilities?.bounding ?? [],
    ),
  });
}

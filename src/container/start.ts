import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { currentBootID } from '../base/process.ts';
import { helperPath } from '../helper/location.ts';
import type { PlanRecord } from '../helper/plan.ts';
import {
  becomeHelper,
  explainRecord,
  HelperError,
  runHelper,
  runInForeground,
  writePlan,
} from '../helper/run.ts';
import { networkRecords } from '../network/pasta.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import { usernsRecords } from '../rootless/id-map.ts';
import { trashPath } from '../storage/trash.ts';
import { anonymousVolumesOf, volumeDirectory } from '../storage/volumes.ts';
import type { CreateTarget } from './create.ts';
import { healthRecords } from './health-plan.ts';
import { defaultAddresses, hostsFile, resolvConf } from './hosts-files.ts';
import { endNetworkOrphans } from './network-orphans.ts';
import { containerSteps, namespaceWord } from './plan.ts';
import { type Container, findContainer, readConfig } from './record.ts';
import { restartRecords } from './restart-policy.ts';
import { seccompProgram } from './seccomp.ts';
import { containerDirectory, readState, runDirectory } from './state.ts';
import { setWanted } from './wanted.ts';

/** How a start is seen from outside. */
export interface StartOptions {
  /** Streams to stay attached to; none = return when the container runs. */
  readonly attach: readonly ('stdin' | 'stdout' | 'stderr')[];
  readonly detachKeys: Buffer | undefined;
  readonly sigProxy: boolean;
  /** Printed once the container runs, when not attached. */
  readonly announce: string | undefined;
}

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
  return await becomeHelper('box', path);
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
    if (!(error instanceof HelperError) || error.step !== 'lock') throw error;
    // Another start was faster: what was asked for has happened.
    const pid = await pidOfFasterStart(target, container);
    if (pid === 0) throw error;
    return pid;
  }
}

async function prepareStart(
  target: CreateTarget,
  container: Container,
  options: StartOptions,
  failure: PlanRecord,
): Promise<string> {
  const { directories } = target;
  if (container.spec.ports.length > 0) await endNetworkOrphans(directories);
  const config = readConfig(target.storage, container.id);
  const runDir = runDirectory(directories, container.id);
  fs.mkdirSync(runDir, { recursive: true, mode: 0o700 });
  writeRunFiles(container, config, runDir);
  setWanted(directories, container.id, 'running');
  markStarted(target, container.id);
  const path = freshPlanPath(runDir);
  writePlan(path, [
    failure,
    ...boxSettings(target, container, config, options),
    ...steps(target, container, config),
  ]);
  return path;
}

const FASTER_START_MS = 1000;

/** The pid of a container that somebody else is starting at this moment; 0 when nobody is. */
async function pidOfFasterStart(target: CreateTarget, { id }: Container): Promise<number> {
  const deadline = performance.now() + FASTER_START_MS;
  do {
    const { pid } = readState(target.directories, id);
    if (pid !== 0) return pid;
    await new Promise((resolve) => setTimeout(resolve, 10));
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
  return `${runDir}/plan.${randomBytes(4).toString('hex')}`;
}

/** /etc/hosts and its like, and the marker by which a container in any container engine is known. */
function writeRunFiles(container: Container, config: RuntimeConfig, runDir: string): void {
  const files = {
    hosts: hostsFile(container, config.hostname, defaultAddresses(container)),
    'resolv.conf': resolvConf(container),
    hostname: `${config.hostname ?? ''}\n`,
    containerenv: '',
  };
  for (const [name, content] of Object.entries(files))
    fs.writeFileSync(join(runDir, name), content, { mode: 0o644 });
}

/**
 * Leaves a mark that outlives a reboot: with it and without an exit file, a container that does not
 * run was killed together with its monitor.
 */
function markStarted(target: CreateTarget, id: string): void {
  const directory = containerDirectory(target.directories, id);
  fs.rmSync(`${directory}/exit`, { force: true });
  fs.writeFileSync(`${directory}/started`, currentBootID(), { mode: 0o600 });
}

function boxSettings(
  target: CreateTarget,
  container: Container,
  config: RuntimeConfig,
  options: StartOptions,
): PlanRecord[] {
  const { directories } = target;
  const { spec, id } = container;
  const records: PlanRecord[] = [
    ['id', id],
    ...usernsRecords(target.userns, directories.runRoot),
    ...namespaceRecords(target, config),
    ['run-dir', runDirectory(directories, id)],
    ['container-dir', containerDirectory(directories, id)],
    ['events', `${directories.dataRoot}/events`],
    ...logRecord(target, container),
  ];
  if (container.autoRemove) records.push(...removalRecords(target, id));
  if (spec.terminal) records.push(['terminal', 0, 0]);
  if (spec.openStdin) records.push(['stdin', 'open']);
  if (options.attach.length > 0 && spec.log.driver !== 'passthrough')
    records.push(['attach', options.attach.join(',')]);
  if (options.detachKeys !== undefined)
    records.push(['detach-keys', options.detachKeys.toString('hex')]);
  if (options.sigProxy) records.push(['sig-proxy']);
  if (options.announce !== undefined) records.push(['announce', options.announce]);
  if (spec.pidFile !== undefined) records.push(['pidfile', spec.pidFile]);
  records.push(...restartRecords(spec.restart), ...healthRecords(target, container));
  if (spec.monitorPidFile !== undefined) records.push(['monitor-pidfile', spec.monitorPidFile]);
  if (spec.personality !== undefined) records.push(['personality', spec.personality.toString(16)]);
  if (spec.preservedFds !== undefined) records.push(['preserve-fds', spec.preservedFds]);
  if (spec.timeoutSeconds > 0) records.push(['timeout', spec.timeoutSeconds]);
  records.push(
    ...networkRecords(
      spec.networkMode,
      spec.ports,
      runDirectory(directories, id),
      target.userns.kind === 'none',
    ),
  );
  return records;
}

/** What the monitor removes at the end of a `--rm` container. */
function removalRecords({ storage, directories }: CreateTarget, id: string): PlanRecord[] {
  return [
    ['auto-remove', trashPath(directories, id)],
    ...anonymousVolumesOf(storage, id).map(
      (name): PlanRecord => [
        'auto-remove-volume',
        volumeDirectory(directories, name),
        id,
        trashPath(directories, name),
      ],
    ),
  ];
}

function logRecord(target: CreateTarget, container: Container): PlanRecord[] {
  const { driver, path, maxSizeBytes, maxFiles } = container.spec.log;
  if (driver === 'passthrough') return [['passthrough']];
  if (driver === 'none') return [['log', 'none', '', 0, 0]];
  return [
    [
      'log',
      driver,
      path ?? `${containerDirectory(target.directories, container.id)}/log`,
      maxSizeBytes,
      maxFiles,
    ],
  ];
}

function namespaceRecords(target: CreateTarget, config: RuntimeConfig): PlanRecord[] {
  const fresh = config.linux.namespaces.filter((namespace) => namespace.path === undefined);
  const joined = config.linux.namespaces.flatMap((namespace): PlanRecord[] => {
    const { path } = namespace;
    if (path === undefined) return [];
    const word = namespaceWord(namespace.type);
    if (!path.startsWith('container:')) return [['join-path', word, path]];
    const other = findContainer(target.storage, path.slice('container:'.length));
    const state = readState(target.directories, other.id);
    if (state.pid === 0)
      throw new TsmanError(
        `cannot share the ${namespace.type} namespace of container ${other.name}: it is not running`,
        { hint: `start it first: tsman start ${other.name}` },
      );
    return [['join', word, state.pid, state.startTime]];
  });
  return [
    ['namespaces', fresh.map((namespace) => namespaceWord(namespace.type)).join(',')],
    ...joined,
  ];
}

function steps(target: CreateTarget, container: Container, config: RuntimeConfig): PlanRecord[] {
  return containerSteps(container, config, {
    directories: target.directories,
    containerDirectory: containerDirectory(target.directories, container.id),
    runDirectory: runDirectory(target.directories, container.id),
    layersDirectory: `${target.directories.dataRoot}/layers`,
    helper: helperPath(),
    seccompProgram: seccompProgram(
      target.directories.dataRoot,
      container.spec.seccomp,
      config.process.capabilities?.bounding ?? [],
    ),
  });
}

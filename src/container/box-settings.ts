import { TsmanError } from '../base/error.ts';
import { helperPath } from '../helper/location.ts';
import type { PlanRecord } from '../helper/plan.ts';
import { ownProgram } from '../helper/run.ts';
import { networkRecords } from '../network/pasta.ts';
import { slirpRecords } from '../network/slirp4netns.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import {
  type EngineUserns,
  type IdMapping,
  splitMappings,
  usernsRecords,
} from '../rootless/id-map.ts';
import { trashPath } from '../storage/trash.ts';
import { anonymousVolumesOf, volumeDirectory } from '../storage/volumes.ts';
import { makeCgroup } from './cgroup/cgroup.ts';
import type { CreateTarget } from './create.ts';
import { JOURNAL_SOCKET } from './logs/journal-socket.ts';
import { bridgeRecords } from './network/bridge-networks.ts';
import { namespaceWord } from './plan.ts';
import { type Container, findContainer } from './record.ts';
import { restartRecords } from './restart-policy.ts';
import type { OwnUserns } from './root/userns.ts';
import { notifyRecords } from './sdnotify.ts';
import { containerDirectory, readState, runDirectory } from './state.ts';

/** How a start is seen from outside. */
export interface StartOptions {
  /** Streams to stay attached to; none = return when the container runs. */
  readonly attach: readonly ('stdin' | 'stdout' | 'stderr')[];
  readonly detachKeys: Buffer | undefined;
  readonly sigProxy: boolean;
  /** Printed once the container runs, when not attached. */
  readonly announce: string | undefined;
  /** The words of a tsman that runs when the container is gone. */
  readonly afterwards?: readonly string[];
}

/** The settings of a box plan (native/README.md): what surrounds the container's process. */
export async function boxSettings(
  target: CreateTarget,
  container: Container,
  config: RuntimeConfig,
  options: StartOptions,
): Promise<PlanRecord[]> {
  const { directories } = target;
  const { spec, id } = container;
  const cgroup = makeCgroup(container);
  const records: PlanRecord[] = [
    ['id', id],
    ...usernsRecords(target.userns, directories.runRoot),
    ...namespaceRecords(target, config),
    ...mapRecords(spec.userns, target.userns),
    ['run-dir', runDirectory(directories, id)],
    ['container-dir', containerDirectory(directories, id)],
    ...cgroup,
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
  if (options.afterwards !== undefined)
    records.push(['afterwards', ...ownProgram(directories, ...options.afterwards)]);
  if (options.announce !== undefined) records.push(['announce', options.announce]);
  if (spec.pidFile !== undefined) records.push(['pidfile', spec.pidFile]);
  records.push(...restartRecords(spec.restart));
  if (spec.health !== undefined) {
    const { healthRecords } = await import('./health/plan.ts');
    records.push(...healthRecords(target, container, cgroup));
  }
  records.push(...notifyRecords(spec.sdnotify));
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
    ...slirpRecords(spec.networkMode, spec.ports, runDirectory(directories, id), helperPath()),
    ...bridgeRecords(target, container, config.hostname),
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
  if (driver === 'journald') return [['log', 'journald', JOURNAL_SOCKET, 0, 0]];
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

/** The maps of a namespace below the engine's. */
function mapRecords(userns: OwnUserns | undefined, engine: EngineUserns): PlanRecord[] {
  const lines = (
    name: string,
    outer: readonly IdMapping[],
    mappings: readonly IdMapping[] = [],
  ): PlanRecord[] =>
    splitMappings(mappings, outer).map((it) => [name, it.containerID, it.hostID, it.size]);
  return [
    ...lines('inner-uid-map', engine.uidMappings, userns?.uidMappings),
    ...lines('inner-gid-map', engine.gidMappings, userns?.gidMappings),
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

import { uplinkDied } from '../../network/leases.ts';
import type { RuntimeConfig } from '../../oci/runtime-config.ts';
import type { Directories } from '../../rootless/directories.ts';
import { shiftedLowers } from '../../storage/shifted-lowers.ts';
import { cgroupOf } from '../cgroup/own-cgroup.ts';
import type { CreateTarget } from '../create.ts';
import { type Health, readHealth } from '../health/health.ts';
import { hostnameOf } from '../hostname.ts';
import { logPath } from '../logs/logs.ts';
import { describeMount } from '../mounts/volume-mounts.ts';
import { type Container, readConfig } from '../record.ts';
import { rootDriver } from '../root/shifted-root.ts';
import { type ContainerState, containerDirectory, readState, runDirectory } from '../state.ts';
import { inspectConfig } from './config.ts';
import { inspectHostConfig } from './host-config.ts';
import { networkSettings } from './network.ts';

/** A container as `tsman inspect` prints it: the field names and types of Podman's and Docker's. */
export function inspectContainer(
  target: Pick<CreateTarget, 'storage' | 'directories'>,
  container: Container,
): Record<string, unknown> {
  const { directories } = target;
  const { spec } = container;
  const state = readState(directories, container.id);
  const config = readConfig(target.storage, container.id);
  const [path = '', ...args] = config.process.args;
  return {
    Id: container.id,
    Created: container.createdAt,
    Path: path,
    Args: args,
    State: {
      ...inspectState(state, readHealth(directories, container.id, spec.health)),
      Error: stateError(target, state, container),
      CgroupPath: (cgroupOf(container.id, state.pid) ?? '').replace('/sys/fs/cgroup', ''),
    },
    Image: container.imageID ?? '',
    ImageName: spec.imageName,
    Rootfs: spec.rootfs ?? '',
    Pod: '',
    ResolvConfPath: `${runDirectory(directories, container.id)}/resolv.conf`,
    HostnamePath: `${runDirectory(directories, container.id)}/hostname`,
    HostsPath: `${runDirectory(directories, container.id)}/hosts`,
    StaticDir: containerDirectory(directories, container.id),
    OCIConfigPath: `${containerDirectory(directories, container.id)}/config.json`,
    OCIRuntime: 'tsman',
    LogPath: logPath(directories, container),
    LogTag: spec.log.tag ?? '',
    ConmonPidFile: spec.monitorPidFile ?? '',
    PidFile: spec.pidFile ?? '',
    Name: container.name,
    RestartCount: state.restarts,
    Driver: rootDriver(spec),
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    EffectiveCaps: sorted(config.process.capabilities?.effective),
    BoundingCaps: sorted(config.process.capabilities?.bounding),
    ExecIDs: [],
    GraphDriver: graphDriver(directories, container),
    Mounts: spec.volumes.map(describeMount),
    Dependencies: spec.requires ?? [],
    NetworkSettings: networkSettings(target, container, state),
    Namespace: '',
    IsInfra: false,
    IsService: false,
    Config: inspectConfig(container, config, shownHostname(target, config)),
    HostConfig: inspectHostConfig(directories, container, config),
  };
}

const NEVER = '0001-01-01T00:00:00Z';

function inspectState(state: ContainerState, health: Health | undefined): Record<string, unknown> {
  return {
    OciVersion: '1.1.0',
    Status: state.status,
    Running: state.status === 'running',
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: false,
    Pid: state.pid,
    ConmonPid: state.monitorPid,
    ExitCode: state.exitCode ?? 0,
    StartedAt: state.startedAt?.toISOString() ?? NEVER,
    FinishedAt: state.finishedAt?.toISOString() ?? NEVER,
    ...(health === undefined ? {} : { Health: health }),
    Checkpointed: false,
    CheckpointedAt: NEVER,
    Restored: false,
    RestoredAt: NEVER,
  };
}

function stateError(
  { directories }: Pick<CreateTarget, 'directories'>,
  state: ContainerState,
  { name, spec }: Container,
): string {
  if (state.orphaned) return `the monitor of container ${name} was killed`;
  if (state.networkDied)
    return `the network process of container ${name} has ended; tsman ${spec.networkMode === 'bridge' ? 'network reload' : 'restart'} ${name} makes a new one`;
  if (state.pid !== 0 && spec.networkMode === 'bridge' && uplinkDied(directories))
    return `pasta, the way out of the networks, has ended; tsman network reload ${name} makes a new one`;
  return '';
}

/** It may be another container's, which is gone. */
function shownHostname({ storage }: Pick<CreateTarget, 'storage'>, config: RuntimeConfig): string {
  try {
    return hostnameOf(storage, config) ?? '';
  } catch {
    return '';
  }
}

function graphDriver(directories: Directories, container: Container): Record<string, unknown> {
  const directory = containerDirectory(directories, container.id);
  const { layers, shifted } = container.spec;
  return {
    Name: rootDriver(container.spec),
    Data: {
      LowerDir: (shifted === undefined
        ? layers.map((hex) => `${directories.dataRoot}/layers/${hex}`)
        : shiftedLowers(directories, shifted, layers).lowers
      ).join(':'),
      UpperDir: `${directory}/upper`,
      WorkDir: `${directory}/work`,
    },
  };
}

function sorted(names: readonly string[] = []): string[] {
  return [...names].sort();
}

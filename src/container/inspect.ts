import type { Directories } from '../rootless/directories.ts';
import { shiftedLowers } from '../storage/shifted-layers.ts';
import type { CreateTarget } from './create.ts';
import { type Health, readHealth } from './health.ts';
import { networkSettings, portBindings } from './inspect-network.ts';
import { inspectResources } from './inspect-resources.ts';
import { logPath } from './logs.ts';
import { cgroupOf } from './own-cgroup.ts';
import { type Container, readConfig } from './record.ts';
import { type ContainerState, containerDirectory, readState, runDirectory } from './state.ts';
import type { OwnUserns } from './userns.ts';
import { describeMount } from './volume-mounts.ts';

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
    State: inspectState(state, container, readHealth(directories, container.id, spec.health)),
    Image: container.imageID ?? '',
    ImageName: spec.imageName,
    Rootfs: spec.rootfs ?? '',
    ResolvConfPath: `${runDirectory(directories, container.id)}/resolv.conf`,
    HostnamePath: `${runDirectory(directories, container.id)}/hostname`,
    HostsPath: `${runDirectory(directories, container.id)}/hosts`,
    StaticDir: containerDirectory(directories, container.id),
    OCIConfigPath: `${containerDirectory(directories, container.id)}/config.json`,
    LogPath: logPath(directories, container),
    LogTag: spec.log.tag ?? '',
    ConmonPidFile: '',
    PidFile: spec.pidFile ?? '',
    Name: container.name,
    RestartCount: state.restarts,
    Driver: rootDriver(spec),
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    EffectiveCaps: config.process.capabilities?.effective ?? [],
    BoundingCaps: config.process.capabilities?.bounding ?? [],
    ExecIDs: [],
    GraphDriver: graphDriver(directories, container),
    Mounts: spec.volumes.map(describeMount),
    Dependencies: [],
    NetworkSettings: networkSettings(target, container, state),
    Namespace: '',
    IsInfra: false,
    Config: inspectConfig(container, config.process, config.hostname ?? ''),
    HostConfig: inspectHostConfig(container, config),
  };
}

const NEVER = '0001-01-01T00:00:00Z';

function inspectState(
  state: ContainerState,
  container: Container,
  health: Health | undefined,
): Record<string, unknown> {
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
    Error: stateError(state, container),
    StartedAt: state.startedAt?.toISOString() ?? NEVER,
    FinishedAt: state.finishedAt?.toISOString() ?? NEVER,
    CgroupPath: (cgroupOf(container.id, state.pid) ?? '').replace('/sys/fs/cgroup', ''),
    ...(health === undefined ? {} : { Health: health }),
    Checkpointed: false,
    Restored: false,
  };
}

function stateError(state: ContainerState, { name }: Container): string {
  if (state.orphaned) return `the monitor of container ${name} was killed`;
  if (state.networkDied)
    return `the network process of container ${name} has ended; tsman restart ${name} makes a new one`;
  return '';
}

/** What puts the root together; a user namespace of its own is served by fuse-overlayfs or shifted layers. */
function rootDriver({ driver, userns, shifted }: Container['spec']): string {
  if (driver !== undefined) return driver;
  return userns === undefined || shifted !== undefined ? 'overlay' : 'fuse-overlayfs';
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

function inspectConfig(
  container: Container,
  process: {
    readonly env: readonly string[];
    readonly cwd: string;
    readonly user: { readonly umask?: number };
  },
  hostname: string,
): Record<string, unknown> {
  const { spec } = container;
  return {
    Hostname: hostname,
    Domainname: '',
    User: spec.user,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: spec.terminal,
    OpenStdin: spec.openStdin,
    StdinOnce: false,
    Env: process.env,
    Cmd: spec.command,
    Image: spec.imageName,
    Secrets: (spec.secrets ?? []).map(({ id, name, uid, gid, mode }) => ({
      ...{ Name: name, ID: id, UID: uid, GID: gid, Mode: mode },
    })),
    Volumes: null,
    WorkingDir: process.cwd,
    Entrypoint: spec.entrypoint,
    OnBuild: null,
    Labels: spec.labels,
    Annotations: spec.annotations,
    StopSignal: spec.stopSignal,
    CreateCommand: spec.createCommand,
    Umask: (process.user.umask ?? 0o22).toString(8).padStart(4, '0'),
    Timeout: spec.timeoutSeconds,
    StopTimeout: spec.stopTimeoutSeconds,
    SdNotifyMode: spec.sdnotify ?? 'container',
    ExposedPorts: Object.fromEntries(
      spec.exposedPorts.map((name) => [name.includes('/') ? name : `${name}/tcp`, {}]),
    ),
  };
}

function inspectHostConfig(
  container: Container,
  config: ReturnType<typeof readConfig>,
): Record<string, unknown> {
  const { spec } = container;
  const { log } = spec;
  const mode = (type: string): string => {
    const namespace = config.linux.namespaces.find((candidate) => candidate.type === type);
    return namespace === undefined ? 'host' : (namespace.path ?? 'private');
  };
  return {
    Binds: spec.volumes.map((volume) =>
      [
        volume.source,
        volume.destination,
        ...(volume.options.length > 0 ? [volume.options.join(',')] : []),
      ].join(':'),
    ),
    CgroupMode: mode('cgroup'),
    ContainerIDFile: '',
    LogConfig: {
      Type: log.driver,
      Config: null,
      Path: log.path ?? '',
      Tag: spec.log.tag ?? '',
      Size: log.maxSizeBytes === 0 ? '0B' : `${log.maxSizeBytes}B`,
    },
    NetworkMode: spec.networkMode === 'private' ? 'pasta' : spec.networkMode,
    PortBindings: Object.fromEntries(
      Object.entries(portBindings(container)).filter(([, value]) => value !== null),
    ),
    RestartPolicy: {
      Name: spec.restart?.name ?? 'no',
      MaximumRetryCount: spec.restart?.maximumRetryCount ?? 0,
    },
    AutoRemove: container.autoRemove,
    Annotations: spec.annotations,
    VolumeDriver: '',
    VolumesFrom: null,
    CapAdd: [],
    CapDrop: [],
    Dns: spec.hosts.dnsServers,
    DnsOptions: spec.hosts.dnsOptions,
    DnsSearch: spec.hosts.dnsSearch,
    ExtraHosts: spec.hosts.add,
    GroupAdd: spec.groups,
    IpcMode: mode('ipc'),
    Cgroup: '',
    Links: null,
    OomScoreAdj: config.process.oomScoreAdj ?? 0,
    ...inspectResources(spec),
    PidMode: mode('pid'),
    Privileged: spec.privileged,
    PublishAllPorts: false,
    ReadonlyRootfs: config.root.readonly === true,
    SecurityOpt: [
      ...(spec.seccomp === 'default' ? [] : [`seccomp=${spec.seccomp}`]),
      ...(config.process.noNewPrivileges === true ? ['no-new-privileges'] : []),
    ],
    Tmpfs: Object.fromEntries(
      config.mounts
        .filter((mount) => mount.type === 'tmpfs' && !mount.destination.startsWith('/dev'))
        .map((mount) => [mount.destination, mount.options.join(',')]),
    ),
    UTSMode: mode('uts'),
    UsernsMode: spec.userns?.mode ?? '',
    IDMappings: idMappings(spec.userns),
    ShmSize: shmSize(config.mounts),
    Runtime: 'tsman',
    Init: spec.init !== undefined,
    Ulimits: (config.process.rlimits ?? []).map((limit) => ({
      Name: `RLIMIT_${limit.type.toUpperCase()}`,
      Soft: limit.soft,
      Hard: limit.hard,
    })),
  };
}

function shmSize(
  mounts: readonly { readonly destination: string; readonly options: readonly string[] }[],
): number {
  const size = mounts
    .find((mount) => mount.destination === '/dev/shm')
    ?.options.find((word) => word.startsWith('size='));
  return size === undefined ? 0 : Number(size.slice('size='.length));
}

/** `CONTAINER:ENGINE:COUNT` of each line; null without a namespace of its own. */
function idMappings(userns: OwnUserns | undefined): Record<string, string[]> | null {
  if (userns === undefined) return null;
  const lines = (mappings: OwnUserns['uidMappings']): string[] =>
    mappings.map(({ containerID, hostID, size }) => `${containerID}:${hostID}:${size}`);
  return { UidMap: lines(userns.uidMappings), GidMap: lines(userns.gidMappings) };
}

import type { RuntimeConfig } from '../../oci/runtime-config.ts';
import type { Directories } from '../../rootless/directories.ts';
import { logPath } from '../logs/logs.ts';
import { describeBind } from '../mounts/volume-mounts.ts';
import type { Container } from '../record.ts';
import type { OwnUserns } from '../root/userns.ts';
import { resolveCapabilities } from '../security/capabilities.ts';
import { portBindings } from './network.ts';
import { inspectResources } from './resources.ts';

/** `HostConfig` of `inspect`: what the flags said. */
export function inspectHostConfig(
  directories: Directories,
  container: Container,
  config: RuntimeConfig,
): Record<string, unknown> {
  const { spec } = container;
  const { log } = spec;
  const mode = (type: string): string => {
    const namespace = config.linux.namespaces.find((candidate) => candidate.type === type);
    return namespace === undefined ? 'host' : (namespace.path ?? 'private');
  };
  return {
    Binds: spec.volumes
      .filter(({ type, isTmpfs }) => type !== 'image' && isTmpfs !== true)
      .map(describeBind),
    CgroupMode: mode('cgroup'),
    ContainerIDFile: spec.cidFile ?? '',
    LogConfig: {
      Type: log.driver,
      Config: null,
      Path: logPath(directories, container),
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
    VolumesFrom: spec.volumesFrom ?? null,
    ...(spec.privileged ? { CapAdd: [], CapDrop: [] } : capabilityChanges(config)),
    Dns: spec.hosts.dnsServers,
    DnsOptions: spec.hosts.dnsOptions,
    DnsSearch: spec.hosts.dnsSearch,
    ExtraHosts: spec.hosts.add,
    GroupAdd: spec.groups,
    IpcMode: mode('ipc'),
    Cgroup: '',
    Links: null,
    OomScoreAdj: config.process.oomScoreAdj ?? 0,
    Devices: config.linux.devices?.map(inspectDevice) ?? [],
    ConsoleSize: [0, 0],
    Isolation: '',
    DiskQuota: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    ...inspectResources(spec),
    PidMode: mode('pid'),
    Privileged: spec.privileged,
    PublishAllPorts: spec.publishAll ?? false,
    ReadonlyRootfs: config.root.readonly === true,
    SecurityOpt: [
      ...(spec.seccomp === 'default' || spec.privileged ? [] : [`seccomp=${spec.seccomp}`]),
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

/** What --cap-add and --cap-drop came to, beside the default set. */
function capabilityChanges(config: RuntimeConfig): { CapAdd: string[]; CapDrop: string[] } {
  const usual = resolveCapabilities([], [], false);
  const has = config.process.capabilities?.bounding ?? [];
  return {
    CapAdd: has.filter((name) => !usual.includes(name)).sort(),
    CapDrop: usual.filter((name) => !has.includes(name)).sort(),
  };
}

/** Bound from the host: what may be done with it is the node's own permission. */
function inspectDevice(device: { readonly source: string; readonly path: string }): object {
  return { PathOnHost: device.source, PathInContainer: device.path, CgroupPermissions: '' };
}

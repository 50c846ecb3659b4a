import type { PlanRecord } from '../helper/plan.ts';
import type { RuntimeConfig, RuntimeMount } from '../oci/runtime-config.ts';
import { fuseOverlayfs } from '../storage/driver.ts';
import { shiftedLowers } from '../storage/shifted-lowers.ts';
import { capabilityMask } from './capabilities.ts';
import { fuseOverlay } from './fuse-overlay.ts';
import { hookSteps } from './hooks.ts';
import { NO_DNS } from './hosts-files.ts';
import type { Container } from './record.ts';
import { notifyEnvironment, notifyMounts } from './sdnotify.ts';
import { secretEnvironment, secretMounts } from './secrets.ts';
import { type VolumePlaces, volumeRecords } from './volume-plan.ts';

/** Where things of one start are; everything a plan needs beyond record and configuration. */
export interface PlanPlaces extends VolumePlaces {
  readonly containerDirectory: string;
  readonly runDirectory: string;
  readonly layersDirectory: string;
  readonly helper: string;
  /** A compiled seccomp program, undefined = none. */
  readonly seccompProgram: string | undefined;
  /** `device` records of `--privileged`. */
  readonly hostDevices: readonly PlanRecord[];
}

const NAMESPACE_WORDS = {
  mount: 'mount',
  pid: 'pid',
  uts: 'uts',
  ipc: 'ipc',
  network: 'net',
  cgroup: 'cgroup',
  user: 'user',
} as const;

/** The word native/README.md has for an OCI namespace type. */
export function namespaceWord(type: keyof typeof NAMESPACE_WORDS): string {
  return NAMESPACE_WORDS[type];
}

/**
 * The steps of the container's own process, in the order in which they must happen
 * (native/README.md, "Steps"): root, mounts, devices, covers, pivot, limits, identity, exec.
 */
export function containerSteps(
  container: Container,
  config: RuntimeConfig,
  places: PlanPlaces,
): PlanRecord[] {
  const ownUts = config.linux.namespaces.some(
    (namespace) => namespace.type === 'uts' && namespace.path === undefined,
  );
  const ownNetwork = config.linux.namespaces.some(
    (namespace) => namespace.type === 'network' && namespace.path === undefined,
  );
  const taken = new Set(
    (config.linux.devices ?? [])
      .map(({ path }) => path)
      .concat(config.mounts.map(({ destination }) => destination)),
  );
  return [
    rootRecord(container, config, places, true),
    ...config.mounts.flatMap((mount) => mountRecords(mount, container, places)),
    ['devices'],
    ...(config.linux.devices ?? []).map(
      (device): PlanRecord => ['device', device.source, device.path],
    ),
    ...places.hostDevices.filter(([, , path]) => !taken.has(String(path))),
    ...(container.spec.terminal ? [['console'] as const] : []),
    ...fileBinds(container, places, config.root.readonly === true),
    ...secretMounts(places.containerDirectory, container.spec.secrets),
    ...notifyMounts(container.spec.sdnotify),
    ...(config.linux.maskedPaths ?? []).map((path): PlanRecord => ['mask', path]),
    ...(config.linux.readonlyPaths ?? []).map((path): PlanRecord => ['readonly', path]),
    ...Object.entries(config.linux.sysctl ?? {}).map(
      ([name, value]): PlanRecord => ['sysctl', name.replaceAll('.', '/'), value],
    ),
    ...(ownUts && config.hostname !== undefined ? [['hostname', config.hostname] as const] : []),
    ...(ownUts && config.domainname !== undefined
      ? [['domainname', config.domainname] as const]
      : []),
    ...(ownNetwork ? [['loopback'] as const] : []),
    ...hookSteps(container, config, places.runDirectory),
    ['pivot', ...(config.root.readonly === true ? ['ro'] : [])],
    ...processSteps(
      config,
      {
        user: container.spec.user,
        groups: container.spec.groups,
        keepGroups: container.spec.keepGroups,
      },
      places.seccompProgram,
    ),
    ...secretEnvironment(places.containerDirectory, container.spec.secrets),
    ...notifyEnvironment(container.spec.sdnotify),
    ['cwd', config.process.cwd, 'create'],
    ['exec', ...initPrefix(container), ...config.process.args],
  ];
}

/** The root and the volumes alone, for who works on the files of a container that does not run. */
export function rootSteps(
  container: Container,
  config: RuntimeConfig,
  places: Omit<PlanPlaces, 'helper' | 'seccompProgram' | 'hostDevices'>,
): PlanRecord[] {
  const volumes = config.mounts
    .flatMap((mount) => mountRecords(mount, container, places))
    .filter(
      (record) =>
        ['bind-below', 'overlay', 'overlay-below', 'copy-up'].includes(record[0]) ||
        isVolumeBind(record, container),
    );
  return [rootRecord(container, config, places, false), ...volumes];
}

function isVolumeBind([name, , destination]: PlanRecord, { spec }: Container): boolean {
  return name === 'bind' && spec.volumes.some((volume) => volume.destination === destination);
}

export interface Identity {
  readonly user: string;
  readonly groups: readonly string[];
  readonly keepGroups: boolean;
}

/** Limits, environment, identity and confinement: the part `exec` shares with `run`. */
export function processSteps(
  config: RuntimeConfig,
  identity: Identity,
  seccompProgram: string | undefined,
): PlanRecord[] {
  const { process } = config;
  const capabilities = process.capabilities;
  return [
    ...(process.rlimits ?? []).map(
      (limit): PlanRecord => ['rlimit', limit.type, limitWord(limit.soft), limitWord(limit.hard)],
    ),
    ...(process.oomScoreAdj === undefined ? [] : [['oom-score-adj', process.oomScoreAdj] as const]),
    ['umask', (process.user.umask ?? 0o22).toString(8)],
    ...process.env.map((entry): PlanRecord => ['env', entry]),
    ['user', identity.user === '' ? '0' : identity.user],
    // Who is not in /etc/passwd; what is there comes first.
    ['default-env', 'HOME', '/'],
    ...(identity.groups.length > 0 ? [['groups', ...identity.groups] as PlanRecord] : []),
    ...(identity.keepGroups ? [['keep-groups'] as const] : []),
    [
      'capabilities',
      capabilityMask(capabilities?.bounding ?? []),
      capabilityMask(capabilities?.effective ?? []),
      capabilityMask(capabilities?.inheritable ?? []),
      capabilityMask(capabilities?.ambient ?? []),
    ],
    ...(process.noNewPrivileges === true ? [['no-new-privileges'] as const] : []),
    ...(seccompProgram === undefined ? [] : [['seccomp', seccompProgram] as const]),
  ];
}

function limitWord(value: number): string | number {
  return value === -1 ? 'unlimited' : value;
}

function rootRecord(
  container: Container,
  _config: RuntimeConfig,
  places: Pick<PlanPlaces, 'containerDirectory' | 'layersDirectory' | 'directories'>,
  isStart: boolean,
): PlanRecord {
  const { rootfs, layers } = container.spec;
  if (rootfs !== undefined && container.spec.rootfsOverlay !== true)
    return ['rootfs-bind', rootfs, ''];
  const directory = places.containerDirectory;
  // A volatile overlay cannot be mounted a second time: only a start may make one of it.
  const flags = isStart && container.autoRemove ? 'volatile' : '';
  const { driver } = container.spec;
  if (driver === 'vfs' && rootfs === undefined) return ['rootfs-bind', `${directory}/rootfs`, ''];
  if (driver === 'fuse-overlayfs')
    return [
      'rootfs-fuse',
      fuseOverlayfs(),
      `${directory}/upper`,
      `${directory}/work`,
      '',
      ...(rootfs === undefined
        ? layers.map((hex) => `${places.layersDirectory}/${hex}`)
        : [rootfs]),
    ];
  if (container.spec.shifted !== undefined && rootfs === undefined) {
    const { lowers: shifted, hasData } = shiftedLowers(
      places.directories,
      container.spec.shifted,
      layers,
    );
    const words = [flags, hasData ? 'data' : ''].filter((word) => word !== '').join();
    return ['rootfs-overlay', `${directory}/upper`, `${directory}/work`, words, ...shifted];
  }
  const lowers =
    rootfs === undefined ? layers.map((hex) => `${places.layersDirectory}/${hex}`) : [rootfs];
  // An overlay of the kernel's shows the ids of the disk; behind FUSE they are the mounter's.
  if (container.spec.userns !== undefined)
    return [
      ...(['rootfs-fuse', fuseOverlay(), `${directory}/upper`, `${directory}/work`] as const),
      ...['', ...lowers],
    ];
  // Read-only is set at the pivot: until then the mount points below may have to be made.
  return ['rootfs-overlay', `${directory}/upper`, `${directory}/work`, flags, ...lowers];
}

const MOUNT_FLAGS = new Set([
  'ro',
  'nosuid',
  'nodev',
  'noexec',
  'noatime',
  'strictatime',
  'relatime',
  'nodiratime',
  'sync',
  'copy-up',
]);
const IGNORED_WORDS = new Set(['rw', 'suid', 'dev', 'exec', 'bind', 'tmpcopyup']);

/** A volume may need more than its bind. */
function mountRecords(
  mount: RuntimeMount,
  container: Container,
  places: VolumePlaces,
): PlanRecord[] {
  const record = mountRecord(mount);
  const volume = container.spec.volumes.find((it) => it.destination === mount.destination);
  if (volume === undefined || volume.isTmpfs === true) return [record];
  return volumeRecords(volume, record, places);
}

function mountRecord(mount: RuntimeMount): PlanRecord {
  if (mount.type === 'bind') {
    const flags = mount.options
      .filter((word) => !IGNORED_WORDS.has(word))
      .map((word) => (word === 'rbind' ? 'rec' : word));
    return ['bind', mount.source, mount.destination, flags.join(',')];
  }
  const flags = mount.options
    .map((word) => (word === 'tmpcopyup' ? 'copy-up' : word))
    .filter((word) => MOUNT_FLAGS.has(word));
  const data = mount.options.filter((word) => !MOUNT_FLAGS.has(word) && !IGNORED_WORDS.has(word));
  return ['mount', mount.type, mount.source, mount.destination, flags.join(','), data.join(',')];
}

/** Files that start.ts wrote into the run directory. */
function fileBinds(container: Container, places: PlanPlaces, isReadOnly: boolean): PlanRecord[] {
  // As the root is: what --read-only forbids is not to be had in /etc/hosts.
  const flags = `file,nosuid,nodev,noexec,rprivate${isReadOnly ? ',ro' : ''}`;
  const taken = new Set(container.spec.volumes.map((volume) => volume.destination));
  const { hosts } = container.spec;
  const files: [name: string, destination: string][] = [
    ...(hosts.dnsServers.includes(NO_DNS)
      ? []
      : [['resolv.conf', '/etc/resolv.conf'] as [string, string]]),
    ...(hosts.noHosts ? [] : [['hosts', '/etc/hosts'] as [string, string]]),
    ...(hosts.noHostname ? [] : [['hostname', '/etc/hostname'] as [string, string]]),
    ['containerenv', '/run/.containerenv'],
  ];
  const roots = ['', ...(container.spec.chrootDirs ?? [])];
  const records = files
    .flatMap(([name, path]) => roots.map((root): [string, string] => [name, root + path]))
    .filter(([, destination]) => !taken.has(destination))
    .map(
      ([name, destination]): PlanRecord => [
        'bind',
        `${places.runDirectory}/${name}`,
        destination,
        flags,
      ],
    );
  for (const name of container.spec.userFiles ?? []) {
    const file = `${places.containerDirectory}/${name}`;
    const path = `/etc/${name}`;
    records.push(['bind', file, path, 'file,nosuid,nodev,noexec,rprivate']);
    // With keep-id it would be the user's own to write.
    if (hasMappedCaller(container)) records.push(['owner', path, 0, 0]);
    if (isReadOnly) records.push(['readonly', path]);
  }
  if (container.spec.init !== undefined) {
    records.push([
      'bind',
      container.spec.init.path ?? places.helper,
      INIT_PATH,
      'file,ro,nosuid,nodev',
    ]);
  }
  return records;
}

/** In a namespace that does not map the caller his files belong to nobody, and nobody can write them. */
function hasMappedCaller({ spec: { userns } }: Container): boolean {
  return userns?.uidMappings.some(({ hostID }) => hostID === 0) === true;
}

const INIT_PATH = '/run/tsman-init';

function initPrefix(container: Container): string[] {
  if (container.spec.init === undefined) return [];
  return container.spec.init.path === undefined ? [INIT_PATH, 'init', '--'] : [INIT_PATH, '--'];
}

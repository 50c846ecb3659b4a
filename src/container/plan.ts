import type { PlanRecord } from '../helper/plan.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import { hookSteps } from './devices/hooks.ts';
import { fileBinds, INIT_PATH } from './file-plan.ts';
import { mountRecords } from './mounts/mount-plan.ts';
import { secretEnvironment, secretMounts } from './mounts/secrets.ts';
import type { VolumePlaces } from './mounts/volume-plan.ts';
import type { Container } from './record.ts';
import { rootRecord } from './root/root-plan.ts';
import { notifyEnvironment, notifyMounts } from './sdnotify.ts';
import { capabilityMask } from './security/capabilities.ts';

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
    rootRecord(container, places, true),
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
      ([name, value]): PlanRecord => ['sysctl', sysctlPath(name), value],
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
  return [rootRecord(container, places, false), ...volumes];
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

function initPrefix(container: Container): string[] {
  if (container.spec.init === undefined) return [];
  return container.spec.init.path === undefined ? [INIT_PATH, 'init', '--'] : [INIT_PATH, '--'];
}

/** Below /proc/sys. As with sysctl(8) the first separator decides: `net/ipv4/conf/eth0.5/forwarding`. */
export function sysctlPath(name: string): string {
  return /^[^./]*\//.test(name) ? name : name.replaceAll('.', '/');
}

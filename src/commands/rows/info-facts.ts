import * as fs from 'node:fs';
import { cpus, freemem, hostname, release, totalmem, uptime } from 'node:os';
import { readIfExists } from '../../base/file.ts';
import type { ConfSearch } from '../../config/conf-files.ts';
import type { ContainersConf } from '../../config/containers-conf.ts';
import { loadDefaultMounts } from '../../config/mounts-conf.ts';
import { policyPath } from '../../config/policy.ts';
import { registriesFiles } from '../../config/registries.ts';
import {
  defaultSpecDirectories,
  deviceNames,
  readSpecs,
} from '../../container/devices/cdi-specs.ts';
import { helperPath } from '../../helper/location.ts';
import type { EngineUserns, IdMapping } from '../../rootless/id-map.ts';
import type { GlobalOptions } from '../global-options.ts';
import type { Facts } from '../info.ts';

/** The `host` part, with Podman's names. */
export function hostFacts({ kind, uidMappings, gidMappings }: EngineUserns) {
  const isV2 = fs.existsSync('/sys/fs/cgroup/cgroup.controllers');
  return {
    arch: process.arch === 'x64' ? 'amd64' : process.arch,
    os: process.platform,
    kernel: release(),
    hostname: hostname(),
    distribution: distribution(),
    cpus: cpus().length,
    memTotal: totalmem(),
    memFree: freemem(),
    uptime: `${Math.floor(uptime())}s`,
    swapTotal: memoryFact('SwapTotal'),
    swapFree: memoryFact('SwapFree'),
    cgroupVersion: isV2 ? 'v2' : 'v1',
    cgroupManager: 'cgroupfs',
    cgroupControllers: isV2 ? delegatedControllers() : [],
    eventLogger: 'file',
    networkBackend: 'native',
    ociRuntime: { name: 'tsman-helper', path: helperPath() },
    rootlessNetworkCmd: 'pasta',
    serviceIsRemote: false,
    idMappings: { kind, uidmap: uidMappings.map(idLine), gidmap: gidMappings.map(idLine) },
    security: { rootless: kind !== 'none', seccompEnabled: true, selinuxEnabled: false },
    helper: { path: helperPath() },
    pasta: { executable: findProgram('pasta') },
    slirp4netns: { executable: findProgram('slirp4netns') },
  };
}

/** Devices of vendors (CDI) and where their files are looked for, by Podman's names. */
export async function cdiFacts({ cdiSpecDirs }: GlobalOptions, conf: ContainersConf | undefined) {
  const configured = conf?.values.get('engine.cdi_spec_dirs');
  const usual = Array.isArray(configured) ? configured.map(String) : defaultSpecDirectories();
  const directories = cdiSpecDirs.length > 0 ? cdiSpecDirs : usual;
  const names = deviceNames(await readSpecs(directories));
  return {
    cdiSpecDirs: directories,
    discoveredDevices: names.map((id) => ({ source: 'cdi', id })),
  };
}

/** The same by the names of `docker info`, for templates. */
export function dockerFacts({ host, store, version }: Facts): Record<string, unknown> {
  return {
    ID: '',
    Name: host.hostname,
    ServerVersion: version.Version,
    OperatingSystem: `${host.distribution.distribution} ${host.distribution.version}`.trim(),
    OSType: 'linux',
    Architecture: process.arch === 'x64' ? 'x86_64' : 'aarch64',
    KernelVersion: host.kernel,
    NCPU: host.cpus,
    MemTotal: host.memTotal,
    DockerRootDir: store.graphRoot,
    Driver: store.graphDriverName,
    CgroupVersion: host.cgroupVersion.slice(1),
    CgroupDriver: host.cgroupManager,
    LoggingDriver: host.logDriver,
    DefaultRuntime: 'tsman-helper',
    SecurityOptions: ['name=seccomp', ...(host.security.rootless ? ['name=rootless'] : [])],
    Containers: store.containerStore.number,
    ContainersRunning: store.containerStore.running,
    ContainersPaused: store.containerStore.paused,
    ContainersStopped: store.containerStore.stopped,
    Images: store.imageStore.number,
    CDISpecDirs: host.cdiSpecDirs,
    DiscoveredDevices: host.discoveredDevices.map(({ source, id }) => ({ Source: source, ID: id })),
    Swarm: { LocalNodeState: 'inactive' },
  };
}

/** The files that are read besides containers.conf and storage.conf, by the commands they concern. */
export function otherConfFiles(search: ConfSearch): string[] {
  const policy = policyPath(search.env);
  const { file } = loadDefaultMounts(search);
  return [
    ...registriesFiles(search.env),
    ...(policy === undefined ? [] : [policy]),
    ...(file === undefined ? [] : [file]),
  ];
}

/** Go's names of fields where they are not just capitalized. */
const GO_NAMES: Readonly<Record<string, string>> = {
  os: 'OS',
  idMappings: 'IDMappings',
  cpus: 'CPUs',
  cdiSpecDirs: 'CDISpecDirs',
  uidmap: 'UIDMap',
  gidmap: 'GIDMap',
  ociRuntime: 'OCIRuntime',
};

/** A value whose fields are found by their Go names (`.Host.OS`) and by those of the JSON (`.host.os`). */
export function withGoNames(value: object): Record<string, unknown> {
  const fields = Object.entries(value).map(([key, inner]): [string, unknown] => [
    key,
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? withGoNames(inner)
      : inner,
  ]);
  const goNamed = fields.map(([key, inner]): [string, unknown] => [
    GO_NAMES[key] ?? key.slice(0, 1).toUpperCase() + key.slice(1),
    inner,
  ]);
  return { ...Object.fromEntries(fields), ...Object.fromEntries(goNamed) };
}

function idLine({ containerID, hostID, size }: IdMapping) {
  return { container_id: containerID, host_id: hostID, size };
}

/** A line of proc_meminfo(5), in bytes. */
function memoryFact(name: string): number {
  const text = readIfExists('/proc/meminfo') ?? '';
  return Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

/** Those of the cgroup that we are in. */
function delegatedControllers(): string[] {
  const own = /^0::(.*)$/m.exec(readIfExists('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  const text = readIfExists(`/sys/fs/cgroup${own}/cgroup.controllers`)?.trim() ?? '';
  return text === '' ? [] : text.split(' ');
}

function distribution(): { distribution: string; version: string; codename: string } {
  const text = readIfExists('/etc/os-release') ?? '';
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return {
    distribution: field('ID'),
    version: field('VERSION_ID'),
    codename: field('VERSION_CODENAME'),
  };
}

function findProgram(name: string): string {
  const found = (process.env['PATH'] ?? '')
    .split(':')
    .map((directory) => `${directory}/${name}`)
    .find((path) => fs.existsSync(path));
  return found ?? '';
}

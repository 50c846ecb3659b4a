import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { TsmanError, UsageError } from '../base/error.ts';
import type { ContainerDefaults } from '../oci/image.ts';
import type { RuntimeConfig, RuntimeMount } from '../oci/runtime-config.ts';
import type { Directories } from '../rootless/directories.ts';
import type { EngineUserns } from '../rootless/id-map.ts';
import { insertContainer } from '../storage/containers.ts';
import type { Storage } from '../storage/storage.ts';
import { resolveCapabilities } from './capabilities.ts';
import { defaultMounts } from './default-mounts.ts';
import { buildEnvironment, type EnvironmentRequest } from './environment.ts';
import { recordEvent } from './events.ts';
import { defaultRlimits, type Rlimit } from './limits.ts';
import { type NamespaceModes, namespaceList } from './namespaces.ts';
import { randomName } from './random-name.ts';
import { type Container, type ContainerSpec, toContainer, type VolumeMount } from './record.ts';
import type { SecuritySettings } from './security.ts';
import { parseSignal } from './signals.ts';
import { containerDirectory } from './state.ts';
import { isSystemd, SYSTEMD_STOP_SIGNAL, type SystemdMode, systemdMounts } from './systemd-mode.ts';
import { imageFile, type UserFiles, type UserFilesRequest, userFiles } from './user-files.ts';

/** The image a container is made from, or a directory in its stead (`--rootfs`). */
export interface RootSource {
  readonly imageID: string | undefined;
  readonly imageName: string;
  /** Hexadecimal diffIDs, uppermost first. */
  readonly layers: readonly string[];
  readonly rootfs: string | undefined;
  /** `--rootfs DIR:O` */
  readonly rootfsOverlay?: boolean;
  readonly defaults: ContainerDefaults;
}

/** What the user asked for, parsed but not yet merged with the image. */
export interface CreateRequest {
  readonly name: string | undefined;
  readonly arguments: readonly string[];
  /** `--entrypoint`: undefined = the image's, empty = none. */
  readonly entrypoint: readonly string[] | undefined;
  readonly environment: EnvironmentRequest;
  readonly user: string | undefined;
  readonly workdir: string | undefined;
  readonly hostname: string | undefined;
  readonly readOnly: boolean;
  readonly readOnlyTmpfs: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly privileged: boolean;
  readonly security: SecuritySettings;
  readonly namespaces: NamespaceModes;
  readonly mounts: readonly RuntimeMount[];
  readonly volumes: readonly VolumeMount[];
  readonly devices: readonly { readonly source: string; readonly path: string }[];
  readonly rlimits: readonly Rlimit[];
  readonly sysctl: Readonly<Record<string, string>>;
  readonly shmSizeBytes: number;
  readonly umask: number | undefined;
  readonly oomScoreAdj: number | undefined;
  readonly stopSignal: number | undefined;
  readonly autoRemove: boolean;
  readonly rare: RareRequest;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The parts of the record that the flags alone decide. */
  readonly spec: Pick<
    ContainerSpec,
    | 'terminal'
    | 'openStdin'
    | 'groups'
    | 'keepGroups'
    | 'ports'
    | 'exposedPorts'
    | 'hosts'
    | 'log'
    | 'stopTimeoutSeconds'
    | 'timeoutSeconds'
    | 'init'
    | 'pidFile'
    | 'createCommand'
    | 'monitorPidFile'
    | 'personality'
    | 'preservedFds'
    | 'chrootDirs'
    | 'requires'
    | 'restart'
  >;
}

/** What options ask for that few people need. */
export interface RareRequest {
  readonly domainname: string | undefined;
  readonly systemd: SystemdMode;
  readonly systemdTmpfsBytes: number | undefined;
  readonly imageVolumes: 'anonymous' | 'tmpfs' | 'ignore';
  readonly hostsBase: { readonly text: string } | { readonly fromImage: true } | undefined;
  readonly userFiles: UserFilesRequest;
}

/** What creating needs from the engine. */
export interface CreateTarget {
  readonly storage: Storage;
  readonly directories: Directories;
  readonly userns: EngineUserns;
}

const SIGTERM = 15;

/**
 * Makes a container: its directory and config.json first, the record that makes it visible last. A
 * death in between leaves an unnamed directory that prune removes.
 * @param onTaken called when the name is in use; true = try again (it was removed)
 * @throws TsmanError when the name is in use
 */
export function createContainer(
  target: CreateTarget,
  source: RootSource,
  request: CreateRequest,
  onTaken: (holder: Container) => boolean,
): Container {
  const id = randomBytes(32).toString('hex');
  const layers = layerDirectories(target, source);
  const files = findUserFiles(layers, source, request);
  const spec = buildSpec(source, request, layers, files);
  const config = buildConfig(id, target, source, request, spec);
  const directory = containerDirectory(target.directories, id);
  const isOverlay = source.rootfs === undefined || source.rootfsOverlay === true;
  for (const part of isOverlay ? ['', '/upper', '/work'] : ['']) {
    fs.mkdirSync(directory + part, { recursive: true, mode: part === '/upper' ? 0o755 : 0o700 });
  }
  fs.writeFileSync(`${directory}/config.json`, JSON.stringify(config), { mode: 0o600 });
  for (const name of spec.userFiles ?? [])
    fs.writeFileSync(`${directory}/${name}`, files[name] ?? '', { mode: 0o644 });
  try {
    const container = insertRecord(target.storage, id, source, request, spec, onTaken);
    recordEvent(target.storage, 'create', container);
    return container;
  } catch (error) {
    fs.rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

function insertRecord(
  storage: Storage,
  id: string,
  source: RootSource,
  request: CreateRequest,
  spec: ContainerSpec,
  onTaken: (holder: Container) => boolean,
): Container {
  if (request.name !== undefined) checkName(request.name);
  for (let attempt = 0; attempt < 10; attempt++) {
    const row = {
      id,
      name: request.name ?? randomName(),
      imageID: source.imageID,
      createdAt: new Date().toISOString(),
      autoRemove: request.autoRemove,
      spec: JSON.stringify(spec),
    };
    const holder = insertContainer(storage, row);
    if (holder === undefined) return { ...row, spec };
    const container = toContainer(holder);
    if (request.name !== undefined && !onTaken(container)) {
      throw new TsmanError(
        `name ${JSON.stringify(row.name)} is in use by container ${holder.id.slice(0, 12)}`,
        {
          hint: `remove it with tsman rm ${row.name}, or use --replace`,
        },
      );
    }
  }
  throw new TsmanError(`name ${JSON.stringify(request.name)} is taken again and again`);
}

/** @throws UsageError */
export function checkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
    throw new UsageError(
      `invalid container name ${JSON.stringify(name)}: want letters, digits, "_", "." and "-", beginning with a letter or digit`,
    );
  }
}

/** The directories of the root, uppermost first. */
function layerDirectories(target: CreateTarget, source: RootSource): string[] {
  if (source.rootfs !== undefined) return [source.rootfs];
  return source.layers.map((hex) => `${target.directories.dataRoot}/layers/${hex}`);
}

function findUserFiles(
  layers: readonly string[],
  source: RootSource,
  request: CreateRequest,
): UserFiles {
  const user = request.user ?? source.defaults.User ?? '';
  const home = request.workdir ?? (source.defaults.WorkingDir || '/');
  return userFiles(layers, user, home, request.rare.userFiles);
}

function hostsBase(layers: readonly string[], { hostsBase: wish }: RareRequest): { base?: string } {
  if (wish === undefined) return {};
  const base = 'text' in wish ? wish.text : imageFile(layers, 'etc/hosts');
  return base === undefined ? {} : { base };
}

/** The flag, else what the image says; systemd ends on another signal than TERM. */
function stopSignal(source: RootSource, request: CreateRequest, command: string[]): number {
  if (request.stopSignal !== undefined) return request.stopSignal;
  if (source.defaults.StopSignal) return parseSignal(source.defaults.StopSignal);
  return isSystemd(request.rare.systemd, command) ? SYSTEMD_STOP_SIGNAL : SIGTERM;
}

function buildSpec(
  source: RootSource,
  request: CreateRequest,
  layers: readonly string[],
  files: UserFiles,
): ContainerSpec {
  const { defaults } = source;
  const entrypoint = request.entrypoint ?? defaults.Entrypoint ?? [];
  // A new entrypoint makes the image's arguments meaningless; Docker and Podman drop them too.
  const imageCommand = request.entrypoint === undefined ? (defaults.Cmd ?? []) : [];
  const command = request.arguments.length > 0 ? request.arguments : imageCommand;
  if (entrypoint.length + command.length === 0) {
    throw new TsmanError(`no command: image ${source.imageName} names none`, {
      hint: 'give one after the image, e.g. tsman run IMAGE sh',
    });
  }
  return {
    ...request.spec,
    imageName: source.imageName,
    entrypoint,
    command,
    user: request.user ?? defaults.User ?? '',
    layers: source.layers,
    rootfs: source.rootfs,
    networkMode: request.namespaces.network,
    exposedPorts: [
      ...new Set([...Object.keys(defaults.ExposedPorts ?? {}), ...request.spec.exposedPorts]),
    ],
    stopSignal: stopSignal(source, request, [...entrypoint, ...command]),
    hosts: { ...request.spec.hosts, ...hostsBase(layers, request.rare) },
    ...(source.rootfsOverlay === true ? { rootfsOverlay: true } : {}),
    userFiles: (['passwd', 'group'] as const).filter((name) => files[name] !== undefined),
    labels: { ...defaults.Labels, ...request.labels },
    annotations: request.annotations,
    privileged: request.privileged,
    seccomp: request.security.seccomp,
    volumes: request.volumes,
  };
}

function buildConfig(
  id: string,
  target: CreateTarget,
  source: RootSource,
  request: CreateRequest,
  spec: ContainerSpec,
): RuntimeConfig {
  const hostname =
    request.hostname ?? (request.namespaces.uts === 'host' ? undefined : id.slice(0, 12));
  const capabilities = resolveCapabilities(request.capAdd, request.capDrop, request.privileged);
  const defaults = [
    'container=tsman',
    ...(spec.terminal ? ['TERM=xterm'] : []),
    ...(hostname === undefined ? [] : [`HOSTNAME=${hostname}`]),
  ];
  return {
    ociVersion: '1.1.0',
    process: {
      terminal: spec.terminal,
      user: {
        uid: 0,
        gid: 0,
        ...(request.umask === undefined ? { umask: 0o22 } : { umask: request.umask }),
      },
      args: [...spec.entrypoint, ...spec.command],
      env: buildEnvironment(request.environment, source.defaults.Env ?? [], defaults, process.env),
      cwd: request.workdir ?? (source.defaults.WorkingDir || '/'),
      capabilities: {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
        inheritable: [],
        ambient: [],
      },
      rlimits: mergeRlimits(request.rlimits),
      noNewPrivileges: request.security.noNewPrivileges,
      ...(request.oomScoreAdj === undefined ? {} : { oomScoreAdj: request.oomScoreAdj }),
    },
    root: { path: source.rootfs ?? 'rootfs', readonly: request.readOnly },
    ...(hostname === undefined ? {} : { hostname }),
    ...(request.rare.domainname === undefined ? {} : { domainname: request.rare.domainname }),
    mounts: allMounts(target, source, request, spec),
    annotations: request.annotations,
    linux: {
      namespaces: namespaceList(request.namespaces),
      maskedPaths: request.security.maskedPaths,
      readonlyPaths: request.security.readonlyPaths,
      sysctl: request.sysctl,
      devices: request.devices,
    },
  };
}

function mergeRlimits(asked: readonly Rlimit[]): Rlimit[] {
  const own = new Set(asked.map((limit) => limit.type));
  return [...defaultRlimits().filter((limit) => !own.has(limit.type)), ...asked];
}

/** Ours, then the user's, outer directories before inner ones; a user's mount replaces ours at the same place. */
function allMounts(
  target: CreateTarget,
  source: RootSource,
  request: CreateRequest,
  spec: ContainerSpec,
): RuntimeMount[] {
  const ours = defaultMounts({
    hostNetwork: request.namespaces.network === 'host',
    hostPid: request.namespaces.pid === 'host',
    hostIpc: request.namespaces.ipc === 'host',
    privileged: request.privileged,
    shmSizeBytes: request.shmSizeBytes,
    hasTtyGroup: target.userns.kind !== 'single',
  });
  const proc = ours.findIndex((mount) => mount.type === 'proc');
  if (proc !== -1)
    ours[proc] = withOptions(ours[proc] as RuntimeMount, request.security.procOptions);
  const readOnlyTmpfs =
    request.readOnly && request.readOnlyTmpfs
      ? ['/run', '/tmp', '/var/tmp'].map(writableTmpfs)
      : [];
  const binds = request.volumes.map(({ source, destination, options }) => ({
    source,
    destination,
    type: 'bind',
    options: [
      options.includes('bind') ? 'bind' : 'rbind',
      ...options.filter((word) => !['z', 'Z', 'bind', 'rbind'].includes(word)),
    ],
  }));
  const users = [...request.mounts, ...binds].sort(
    (a, b) => depth(a.destination) - depth(b.destination),
  );
  const taken = new Set(users.map((mount) => mount.destination));
  const { rare } = request;
  const systemd = isSystemd(rare.systemd, [...spec.entrypoint, ...spec.command])
    ? systemdMounts(rare.systemdTmpfsBytes)
    : [];
  const imageVolumes =
    rare.imageVolumes === 'tmpfs' ? Object.keys(source.defaults.Volumes ?? {}) : [];
  const extra = [...readOnlyTmpfs, ...systemd, ...imageVolumes.map(writableTmpfs)];
  return [...ours, ...extra].filter((mount) => !taken.has(mount.destination)).concat(users);
}

function withOptions(mount: RuntimeMount, options: readonly string[]): RuntimeMount {
  return { ...mount, options: [...mount.options, ...options] };
}

function writableTmpfs(destination: string): RuntimeMount {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] };
}

function depth(path: string): number {
  return path.split('/').length;
}

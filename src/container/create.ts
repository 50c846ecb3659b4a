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

/** The image a container is made from, or a directory in its stead (`--rootfs`). */
export interface RootSource {
  readonly imageID: string | undefined;
  readonly imageName: string;
  /** Hexadecimal diffIDs, uppermost first. */
  readonly layers: readonly string[];
  readonly rootfs: string | undefined;
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
    | 'restart'
  >;
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
  const spec = buildSpec(source, request);
  const config = buildConfig(id, target, source, request, spec);
  const directory = containerDirectory(target.directories, id);
  for (const part of source.rootfs === undefined ? ['', '/upper', '/work'] : ['']) {
    fs.mkdirSync(directory + part, { recursive: true, mode: part === '/upper' ? 0o755 : 0o700 });
  }
  fs.writeFileSync(`${directory}/config.json`, JSON.stringify(config), { mode: 0o600 });
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

function buildSpec(source: RootSource, request: CreateRequest): ContainerSpec {
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
    stopSignal:
      request.stopSignal ?? (defaults.StopSignal ? parseSignal(defaults.StopSignal) : SIGTERM),
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
    mounts: allMounts(target, request),
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
function allMounts(target: CreateTarget, request: CreateRequest): RuntimeMount[] {
  const ours = defaultMounts({
    hostNetwork: request.namespaces.network === 'host',
    hostPid: request.namespaces.pid === 'host',
    hostIpc: request.namespaces.ipc === 'host',
    privileged: request.privileged,
    shmSizeBytes: request.shmSizeBytes,
    hasTtyGroup: target.userns.kind !== 'single',
  });
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
  return [...ours, ...readOnlyTmpfs].filter((mount) => !taken.has(mount.destination)).concat(users);
}

function writableTmpfs(destination: string): RuntimeMount {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] };
}

function depth(path: string): number {
  return path.split('/').length;
}

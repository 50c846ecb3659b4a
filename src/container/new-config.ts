import type { RuntimeConfig, RuntimeMount } from '../oci/runtime-config.ts';
import { defaultRlimits, type Rlimit } from './cgroup/limits.ts';
import type { CreateRequest, CreateTarget, RootSource } from './create-types.ts';
import { buildEnvironment } from './environment.ts';
import { ownHostname, sharedHostname } from './hostname.ts';
import { defaultMounts } from './mounts/default-mounts.ts';
import { toRuntimeMount } from './mounts/volume-mounts.ts';
import { namespaceList } from './namespaces.ts';
import type { ContainerSpec } from './record.ts';
import { resolveCapabilities } from './security/capabilities.ts';
import { isSystemd, systemdMounts } from './systemd-mode.ts';

/** The OCI configuration: all that the kernel is told at every start. */
export function buildConfig(
  id: string,
  target: CreateTarget,
  source: RootSource,
  request: CreateRequest,
  spec: ContainerSpec,
): RuntimeConfig {
  const hostname = ownHostname(id, request);
  const shownHostname = hostname ?? sharedHostname(target.storage, request.namespaces.uts);
  const capabilities = resolveCapabilities(request.capAdd, request.capDrop, request.privileged);
  const forUser = capabilitiesOfUser(spec.user, request, capabilities);
  const defaults = [
    'container=tsman',
    ...(spec.terminal ? ['TERM=xterm'] : []),
    ...(shownHostname === undefined ? [] : [`HOSTNAME=${shownHostname}`]),
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
        inheritable: forUser,
        ambient: forUser,
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
    ...(request.hooks?.length ? { hooks: { createContainer: request.hooks } } : {}),
    linux: {
      ...usernsConfig(spec, namespaceList(request.namespaces)),
      maskedPaths: request.security.maskedPaths,
      readonlyPaths: request.security.readonlyPaths,
      sysctl: request.sysctl,
      devices: request.devices,
    },
  };
}

/**
 * What was added by name is meant for the program even when it does not run as root: as ambient
 * capabilities, which survive execve (capabilities(7)). Podman does the same.
 */
function capabilitiesOfUser(
  user: string,
  { capAddByUser, privileged }: CreateRequest,
  allowed: readonly string[],
): string[] {
  const owner = user.split(':')[0] ?? '';
  if (privileged || ['', '0', 'root'].includes(owner)) return [];
  const added = new Set(capAddByUser.map((name) => name.toUpperCase().replace(/^CAP_/, '')));
  return allowed.filter((name) => added.has('ALL') || added.has(name.slice('CAP_'.length)));
}

function usernsConfig(
  { userns }: ContainerSpec,
  others: RuntimeConfig['linux']['namespaces'],
): Pick<RuntimeConfig['linux'], 'namespaces' | 'uidMappings' | 'gidMappings'> {
  if (userns === undefined) return { namespaces: others };
  const { join, uidMappings, gidMappings } = userns;
  const own = { type: 'user' as const, ...(join === undefined ? {} : { path: join }) };
  return { namespaces: [...others, own], uidMappings, gidMappings };
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
    hostCgroup: request.namespaces.cgroup === 'host',
    hasTtyGroup: target.userns.kind !== 'single' && mapsTtyGroup(spec.userns),
  });
  const proc = ours.findIndex((mount) => mount.type === 'proc');
  if (proc !== -1)
    ours[proc] = withOptions(ours[proc] as RuntimeMount, request.security.procOptions);
  const readOnlyTmpfs =
    request.readOnly && request.readOnlyTmpfs
      ? ['/run', '/tmp', '/var/tmp'].map(writableTmpfs)
      : [];
  const binds = request.volumes.map(toRuntimeMount);
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

const TTY_GID = 5;

/** A joined namespace's map is not known here; whoever made it mapped what containers need. */
function mapsTtyGroup(userns: ContainerSpec['userns']): boolean {
  if (userns === undefined || userns.join !== undefined) return true;
  return userns.gidMappings.some(
    ({ containerID, size }) => containerID <= TTY_GID && TTY_GID < containerID + size,
  );
}

function withOptions(mount: RuntimeMount, options: readonly string[]): RuntimeMount {
  return { ...mount, options: [...mount.options, ...options] };
}

function writableTmpfs(destination: string): RuntimeMount {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'tmpcopyup'] };
}

function depth(path: string): number {
  return path.split('/').length;
}

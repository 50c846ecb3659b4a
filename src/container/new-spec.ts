import { TsmanError } from '../base/error.ts';
import type { CreateRequest, CreateTarget, RareRequest, RootSource } from './create-types.ts';
import { isHealthOff, mergeHealth } from './health/request.ts';
import { callerAccount } from './host-account.ts';
import type { ContainerSpec } from './record.ts';
import { parseSignal } from './signals.ts';
import { isSystemd, SYSTEMD_STOP_SIGNAL } from './systemd-mode.ts';
import { imageFile, type UserFiles, userFiles } from './user-files.ts';

const SIGTERM = 15;

/** The directories of the root, uppermost first. */
export function layerDirectories(target: CreateTarget, source: RootSource): string[] {
  if (source.rootfs !== undefined) return [source.rootfs];
  return source.layers.map((hex) => `${target.directories.dataRoot}/layers/${hex}`);
}

export function findUserFiles(
  layers: readonly string[],
  source: RootSource,
  request: CreateRequest,
): UserFiles {
  const user = request.user ?? source.defaults.User ?? '';
  const home = request.workdir ?? (source.defaults.WorkingDir || '/');
  const caller = keepsID(request) ? callerAccount((it) => homeOf(it, request, home)) : undefined;
  return userFiles(layers, user, home, { ...request.rare.userFiles, caller });
}

/** `keep-id:uid=…` makes somebody else of the caller, who has no name. */
function keepsID({ userns }: CreateRequest): boolean {
  const own = userns?.uidMappings.find(({ hostID, size }) => hostID === 0 && size === 1);
  return userns?.mode.startsWith('keep-id') === true && own?.containerID === process.geteuid?.();
}

/** The caller's home, if it is mounted in the container, too. */
function homeOf(onHost: string, { volumes }: CreateRequest, otherwise: string): string {
  return volumes.some(({ destination }) => destination === onHost) ? onHost : otherwise;
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

/** The record: flags, where they say something, else the image. */
export function buildSpec(
  source: RootSource,
  request: CreateRequest,
  layers: readonly string[],
  files: UserFiles,
): ContainerSpec {
  const { defaults } = source;
  const health = mergeHealth(request.health, defaults.Healthcheck);
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
    ...(request.userns === undefined ? {} : { userns: request.userns }),
    ...(request.secrets?.length ? { secrets: request.secrets } : {}),
    ...(health === undefined ? {} : { health }),
    ...(isHealthOff(request.health, defaults.Healthcheck) ? { isHealthOff: true } : {}),
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

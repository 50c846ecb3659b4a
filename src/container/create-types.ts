import type { ContainerDefaults } from '../oci/image.ts';
import type { RuntimeHook, RuntimeMount } from '../oci/runtime-config.ts';
import type { Directories } from '../rootless/directories.ts';
import type { EngineUserns } from '../rootless/id-map.ts';
import type { Storage } from '../storage/storage.ts';
import type { Rlimit } from './cgroup/limits.ts';
import type { EnvironmentRequest } from './environment.ts';
import type { HealthRequest } from './health/request.ts';
import type { SecretUse } from './mounts/secrets.ts';
import type { NamespaceModes } from './namespaces.ts';
import type { ContainerSpec, VolumeMount } from './record.ts';
import type { OwnUserns } from './root/userns.ts';
import type { SecuritySettings } from './security/security.ts';
import type { SystemdMode } from './systemd-mode.ts';
import type { UserFilesRequest } from './user-files.ts';

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
  /** Those of them that the user named. */
  readonly capAddByUser: readonly string[];
  readonly capDrop: readonly string[];
  readonly privileged: boolean;
  readonly security: SecuritySettings;
  readonly namespaces: NamespaceModes;
  readonly mounts: readonly RuntimeMount[];
  readonly volumes: readonly VolumeMount[];
  readonly secrets?: readonly SecretUse[];
  /** A user namespace below the engine's. */
  readonly userns?: OwnUserns;
  readonly hooks?: readonly RuntimeHook[];
  readonly devices: readonly { readonly source: string; readonly path: string }[];
  readonly rlimits: readonly Rlimit[];
  readonly sysctl: Readonly<Record<string, string>>;
  readonly shmSizeBytes: number;
  readonly umask: number | undefined;
  readonly oomScoreAdj: number | undefined;
  readonly stopSignal: number | undefined;
  readonly autoRemove: boolean;
  readonly rare: RareRequest;
  readonly health?: HealthRequest;
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
    | 'networks'
    | 'exposedPorts'
    | 'hosts'
    | 'log'
    | 'stopTimeoutSeconds'
    | 'timeoutSeconds'
    | 'init'
    | 'pidFile'
    | 'createCommand'
    | 'shifted'
    | 'driver'
    | 'monitorPidFile'
    | 'cidFile'
    | 'volumesFrom'
    | 'publishAll'
    | 'personality'
    | 'preservedFds'
    | 'chrootDirs'
    | 'requires'
    | 'restart'
    | 'resources'
    | 'cgroup'
    | 'sdnotify'
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

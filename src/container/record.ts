import { readFileSync } from 'node:fs';
import { hasCode, TsmanError } from '../base/error.ts';
import type { NetworkAttachment } from '../network/attachment.ts';
import type { NetworkMode } from '../network/mode.ts';
import type { PortMapping } from '../network/ports.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import { type ContainerRow, findContainerRow, listContainerRows } from '../storage/containers.ts';
import type { StorageDriver } from '../storage/driver.ts';
import type { Storage } from '../storage/storage.ts';
import type { CgroupSettings } from './cgroup/place.ts';
import type { Resources } from './cgroup/resources.ts';
import type { HealthSettings } from './health/health.ts';
import type { SecretUse } from './mounts/secrets.ts';
import type { RestartPolicy } from './restart-policy.ts';
import type { OwnUserns } from './root/userns.ts';
import type { SdNotify } from './sdnotify.ts';
import { containerDirectory } from './state.ts';

/** What tsman knows of a container beyond its OCI configuration. Stored as JSON; add, never rename. */
export interface ContainerSpec {
  /** As the user typed it. */
  readonly imageName: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly terminal: boolean;
  readonly openStdin: boolean;
  /** `[uid|name][:gid|group]`, empty = root; looked up in the container at start. */
  readonly user: string;
  readonly groups: readonly string[];
  readonly keepGroups: boolean;
  /** Layers to stack, uppermost first, as hexadecimal diffIDs; empty with `rootfs`. */
  readonly layers: readonly string[];
  readonly rootfs: string | undefined;
  readonly networkMode: NetworkMode;
  /** With network mode `bridge`, in the order given. */
  readonly networks?: readonly NetworkAttachment[];
  readonly ports: readonly PortMapping[];
  readonly exposedPorts: readonly string[];
  readonly hosts: HostsSettings;
  readonly log: LogSettings;
  /** A number, from the flag, the image or SIGTERM. */
  readonly stopSignal: number;
  readonly stopTimeoutSeconds: number;
  /** SIGKILL after so long; 0 = never. */
  readonly timeoutSeconds: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly init: InitSettings | undefined;
  readonly privileged: boolean;
  /** `default`, `unconfined` or the path of a profile. */
  readonly seccomp: string;
  readonly pidFile: string | undefined;
  readonly volumes: readonly VolumeMount[];
  readonly secrets?: readonly SecretUse[];
  /** A user namespace below the engine's. */
  readonly userns?: OwnUserns;
  /** With `userns`: its layers in `layers-shifted/<this>/`; absent = through fuse-overlayfs. */
  readonly shifted?: string;
  readonly createCommand: readonly string[];
  /** How the root is put together; absent = overlay. */
  readonly driver?: StorageDriver;
  readonly monitorPidFile?: string;
  /** Of the options of the same names, for `inspect`. */
  readonly cidFile?: string;
  readonly volumesFrom?: readonly string[];
  readonly publishAll?: boolean;
  /** Bits of personality(2). */
  readonly personality?: number;
  /** So many descriptors from 3 on go to the program. */
  readonly preservedFds?: number;
  readonly chrootDirs?: readonly string[];
  /** IDs of containers that must run first, and cannot be removed before this one. */
  readonly requires?: readonly string[];
  /** `--rootfs DIR:O`: what the container changes goes to an upper layer. */
  readonly rootfsOverlay?: boolean;
  /** Files of the container's directory bound over the image's /etc/passwd and /etc/group. */
  readonly userFiles?: readonly ('passwd' | 'group')[];
  readonly restart?: RestartPolicy;
  readonly health?: HealthSettings;
  /** The user or the image said that there is none. */
  readonly isHealthOff?: boolean;
  readonly resources?: Resources;
  readonly cgroup?: CgroupSettings;
  /** Absent = container. */
  readonly sdnotify?: SdNotify;
}

export interface HostsSettings {
  readonly add: readonly string[];
  readonly dnsServers: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly noHosts: boolean;
  readonly noHostname: boolean;
  /** What /etc/hosts begins with. */
  readonly base?: string;
}

export type LogDriver = 'k8s-file' | 'json-file' | 'journald' | 'none' | 'passthrough';

export interface LogSettings {
  readonly driver: LogDriver;
  /** Undefined = `log` in the container's directory. */
  readonly path: string | undefined;
  readonly maxSizeBytes: number;
  readonly maxFiles: number;
  /** A template, rendered at each start. */
  readonly tag?: string;
  readonly attributes?: LogAttributes;
}

/** What else goes into each entry of a json-file or the journal. */
export interface LogAttributes {
  /** Names of labels and of variables. */
  readonly labels: readonly string[];
  readonly env: readonly string[];
  /** Regular expressions that choose more of them; empty = none. */
  readonly labelsPattern: string;
  readonly envPattern: string;
  /** Names and values, for the journal. */
  readonly fields: readonly (readonly [string, string])[];
}

export interface InitSettings {
  /** A host program; undefined = the one built into the helper. */
  readonly path: string | undefined;
}

/** A host directory or file, a volume or an image seen in the container. */
export interface VolumeMount {
  /** Absent in old records: bind. */
  readonly type?: 'bind' | 'volume' | 'image';
  /** A host path; of a volume its data, of an image what the user typed. */
  readonly source: string;
  readonly destination: string;
  readonly options: readonly string[];
  /** Of the volume, or the image's ID; absent while an anonymous volume is not made. */
  readonly name?: string;
  readonly isAnonymous?: boolean;
  /** A volume in memory (`--opt type=tmpfs`). */
  readonly isTmpfs?: boolean;
  /** Only this part of the volume. */
  readonly subpath?: string;
  /** Of an image, uppermost first, as hexadecimal diffIDs. */
  readonly layers?: readonly string[];
  /** Of an image in a user namespace of its own: as `ContainerSpec.shifted`. */
  readonly shifted?: string;
  /** How a volume that does not exist yet is to be made; not in the record. */
  readonly create?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly options: Readonly<Record<string, string>>;
  };
}

/** A container: its row, what we know of it, and how it runs. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly imageID: string | undefined;
  readonly createdAt: string;
  readonly autoRemove: boolean;
  readonly spec: ContainerSpec;
}

export function toContainer(row: ContainerRow): Container {
  return { ...row, spec: JSON.parse(row.spec) as ContainerSpec };
}

/** No container has this name, or an ID that begins so. */
export class ContainerNotFound extends TsmanError {}

/** @throws ContainerNotFound; TsmanError when several IDs begin with `text` */
export function findContainer(storage: Storage, text: string): Container {
  const row = findContainerRow(storage, text);
  if (row === undefined) {
    throw new ContainerNotFound(`no container with name or ID ${JSON.stringify(text)}`, {
      hint: 'tsman ps -a lists them',
    });
  }
  return toContainer(row);
}

export function listContainers(storage: Storage): Container[] {
  return listContainerRows(storage).map(toContainer);
}

/** The container's config.json. */
export function readConfig(storage: Storage, id: string): RuntimeConfig {
  const path = `${containerDirectory(storage.directories, id)}/config.json`;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RuntimeConfig;
  } catch (cause) {
    if (hasCode(cause, 'ENOENT') && findContainerRow(storage, id) === undefined)
      throw new TsmanError(`container ${id.slice(0, 12)} was removed meanwhile`);
    throw new TsmanError(`read configuration of container ${id.slice(0, 12)}`, {
      cause,
      hint: `remove it with tsman rm -f ${id.slice(0, 12)}`,
    });
  }
}

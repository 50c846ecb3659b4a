import { resolve } from 'node:path';
import { UsageError } from '../../base/error.ts';
import { isIP } from '../../base/ip-address.ts';
import { parseSizeBytes } from '../../base/size.ts';
import { parseUlimits } from '../../container/cgroup/limits.ts';
import type { CreateRequest } from '../../container/create.ts';
import type { DeviceEdits } from '../../container/devices/cdi.ts';
import { parseLabels } from '../../container/environment.ts';
import { parseNamespaceMode, parseNetworkMode } from '../../container/namespaces.ts';
import {
  checkRestartWithRemove,
  parseRestartPolicy,
  type RestartPolicy,
} from '../../container/restart-policy.ts';
import { parseSecurityOptions } from '../../container/security/security.ts';
import { parseSignal } from '../../container/signals.ts';
import { type NetworkAttachment, parseAttachments } from '../../network/attachment.ts';
import { type PortMapping, parsePublish } from '../../network/ports.ts';
import type { OptionValues } from '../command.ts';
import type { CONTAINER_OPTIONS } from '../options/container-options.ts';
import { parseHosts } from '../options/hosts-options.ts';
import { parseHealth } from './health.ts';
import { parseLog } from './log.ts';
import { parseMounts } from './mounts.ts';
import { rareRequest, rareSpec } from './rare.ts';
import { parseLimits } from './resources.ts';
import { parseSysctls } from './sysctls.ts';
import { timeZone } from './timezone.ts';
import {
  parseEntrypoint,
  parseHostname,
  parsePairs,
  parseUmask,
  parseWhole,
  parseWorkdir,
} from './values.ts';

export type ContainerOptions = OptionValues<typeof CONTAINER_OPTIONS> & {
  /** `--cap-add` without what containers.conf adds. */
  readonly capAddByUser?: readonly string[];
  /** `--pids-limit` comes from containers.conf. */
  readonly isPidsLimitDefault?: boolean;
  /** `cdi_spec_dirs` of containers.conf. */
  readonly cdiSpecDirs?: readonly string[];
  /** `default_host_ips` of containers.conf: where a port is published whose option names no address. */
  readonly defaultHostIPs?: readonly string[];
};

/** Turns the options of `run` and `create` into a request. @throws UsageError, TsmanError */
export function toCreateRequest(
  options: ContainerOptions,
  args: readonly string[],
  devices: DeviceEdits,
): CreateRequest {
  const { mounts, volumes } = parseMounts(options);
  const zone = timeZone(options.tz);
  checkUts(options);
  const namespaces = parseNamespaces(options);
  return {
    name: options.name,
    arguments: args,
    entrypoint: options.entrypoint === undefined ? undefined : parseEntrypoint(options.entrypoint),
    environment: {
      env: [...devices.env, ...options.env, ...zone.env],
      envFiles: options.envFile,
      envHost: options.envHost,
      unset: options.unsetenv,
      unsetAll: options.unsetenvAll,
      httpProxy: options.httpProxy,
      merge: options.envMerge,
      configured: options.envDefault,
    },
    user: options.user,
    workdir: parseWorkdir(options.workdir),
    hostname: parseHostname('--hostname', options.hostname),
    readOnly: options.readOnly,
    readOnlyTmpfs: options.readOnlyTmpfs,
    capAdd: options.capAdd,
    capAddByUser: options.capAddByUser ?? options.capAdd,
    capDrop: options.capDrop,
    privileged: options.privileged,
    security: parseSecurityOptions(options.securityOpt, options.privileged),
    namespaces,
    mounts: [...mounts, ...zone.mounts],
    volumes: [...devices.volumes, ...volumes],
    hooks: devices.hooks,
    devices: devices.devices,
    rlimits: parseUlimits(options.ulimit),
    sysctl: parseSysctls(options.sysctl, namespaces),
    shmSizeBytes: parseSizeBytes(options.shmSize ?? '64m', '--shm-size'),
    umask: options.umask === undefined ? undefined : parseUmask(options.umask),
    oomScoreAdj:
      options.oomScoreAdj === undefined
        ? undefined
        : parseWhole('--oom-score-adj', options.oomScoreAdj, -1000, 1000),
    stopSignal: options.stopSignal === undefined ? undefined : parseSignal(options.stopSignal),
    autoRemove: options.rm || options.rmi,
    rare: rareRequest(options),
    health: parseHealth(options, parseRestart(options.restart, options.rm).name !== 'no'),
    labels: parseLabels(options.label, options.labelFile),
    annotations: parsePairs('--annotation', options.annotation),
    spec: {
      terminal: options.tty,
      openStdin: options.interactive,
      ...requestedGroups(options.groupAdd, devices.groups),
      ports: requestedPorts(options.publish, options),
      ...requestedNetworks(options),
      exposedPorts: options.expose.flatMap(parseExpose),
      hosts: parseHosts(options),
      log: parseLog(options.logDriver, options.logOpt),
      stopTimeoutSeconds: parseWhole('--stop-timeout', options.stopTimeout ?? '10', 0, 2 ** 31),
      timeoutSeconds: parseWhole('--timeout', options.timeout ?? '0', 0, 2 ** 31),
      init:
        options.init || options.initPath !== undefined
          ? { path: options.initPath === undefined ? undefined : resolve(options.initPath) }
          : undefined,
      ...shownOptions(options),
      pidFile: options.pidfile === undefined ? undefined : resolve(options.pidfile),
      restart: parseRestart(options.restart, options.rm),
      ...parseLimits(options),
      ...rareSpec(options),
      createCommand: ['tsman', ...withoutPassword(process.argv.slice(2))],
    },
  };
}

function requestedGroups(
  added: readonly string[],
  ofDevices: readonly string[],
): Pick<CreateRequest['spec'], 'groups' | 'keepGroups'> {
  const keepGroups = added.includes('keep-groups');
  if (keepGroups && added.length > 1)
    throw new UsageError('option --group-add keep-groups goes with no other --group-add');
  return { groups: keepGroups ? ofDevices : [...ofDevices, ...added], keepGroups };
}

function shownOptions({
  cidfile,
  volumesFrom,
  publishAll,
}: ContainerOptions): Pick<CreateRequest['spec'], 'cidFile' | 'volumesFrom' | 'publishAll'> {
  return {
    ...(cidfile === undefined ? {} : { cidFile: cidfile }),
    ...(volumesFrom.length === 0 ? {} : { volumesFrom }),
    ...(publishAll ? { publishAll } : {}),
  };
}

function parseNamespaces(options: ContainerOptions): CreateRequest['namespaces'] {
  return {
    pid: parseNamespaceMode('--pid', options.pid),
    ipc: parseNamespaceMode('--ipc', options.ipc),
    uts: parseNamespaceMode('--uts', options.uts),
    cgroup: parseNamespaceMode('--cgroupns', options.cgroupns),
    network: parseNetworkMode([...options.network, ...options.net]),
  };
}

/** `inspect` shows the command for as long as the container lives; of `--creds` the user only. */
function withoutPassword(words: readonly string[]): string[] {
  const at = words.findIndex((word) => word === '--creds' || word.startsWith('--creds='));
  const value = words[at] === '--creds' ? at + 1 : at;
  return words.map((word, i) => (at !== -1 && i === value ? (word.split(':')[0] ?? '') : word));
}

function requestedNetworks(options: ContainerOptions): { networks?: NetworkAttachment[] } {
  const networks = parseAttachments([...options.network, ...options.net], {
    ip: options.ip,
    ip6: options.ip6,
    mac: options.macAddress,
    aliases: [...options.networkAlias, ...options.netAlias],
  });
  return networks.length === 0 ? {} : { networks };
}

function parseRestart(text: string | undefined, autoRemove: boolean): RestartPolicy {
  const policy = parseRestartPolicy(text ?? 'no');
  checkRestartWithRemove(policy, autoRemove);
  return policy;
}

/** The host's name is the host's to set. */
function checkUts({ uts, hostname }: ContainerOptions): void {
  if (uts === 'host' && hostname !== undefined)
    throw new UsageError('options --uts host and --hostname exclude each other');
}

function parseExpose(text: string): string[] {
  const { containerPort, range, protocol } = parsePublish(text);
  return Array.from({ length: range }, (_, i) => `${containerPort + i}/${protocol}`);
}

function requestedPorts(
  texts: readonly string[],
  { defaultHostIPs = [] }: Pick<ContainerOptions, 'defaultHostIPs'>,
): PortMapping[] {
  const ports = texts.map(parsePublish);
  if (defaultHostIPs.length === 0) return ports;
  for (const ip of defaultHostIPs)
    if (isIP(ip) === 0)
      throw new UsageError(`containers.conf: default_host_ips: ${ip} is not an IP address`);
  return ports.flatMap((port) =>
    port.hostIP === '' ? defaultHostIPs.map((hostIP) => ({ ...port, hostIP })) : [port],
  );
}

/** The ports of a request after `--publish-all`: one free host port for each exposed one not published. */
export function withPublishedAll(
  ports: readonly PortMapping[],
  exposed: readonly string[],
  options: Pick<ContainerOptions, 'defaultHostIPs'>,
): PortMapping[] {
  const published = new Set(ports.map((port) => `${port.containerPort}/${port.protocol}`));
  const rest = exposed.filter((name) => !published.has(name.includes('/') ? name : `${name}/tcp`));
  return [...ports, ...requestedPorts(rest, options)];
}

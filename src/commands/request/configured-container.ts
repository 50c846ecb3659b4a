import { TsmanError } from '../../base/error.ts';
import type { ConfValue } from '../../config/containers-conf.ts';
import { hasJournal } from '../../container/logs/journal-socket.ts';
import type { OptionSpecs } from '../command.ts';
import type { RawOptions } from '../options/configured-options.ts';

/** Keys whose value is an option's value. */
export const AS_IT_IS: Readonly<Record<string, string>> = {
  'containers.base_hosts_file': 'hostsFile',
  'containers.cgroupns': 'cgroupns',
  'containers.env_host': 'envHost',
  'containers.http_proxy': 'httpProxy',
  'containers.init': 'init',
  'containers.ipcns': 'ipc',
  'containers.log_driver': 'logDriver',
  'containers.no_hosts': 'noHosts',
  'containers.oom_score_adj': 'oomScoreAdj',
  'containers.pidns': 'pid',
  'containers.privileged': 'privileged',
  'containers.read_only': 'readOnly',
  'containers.shm_size': 'shmSize',
  'containers.tz': 'tz',
  'containers.umask': 'umask',
  'containers.utsns': 'uts',
  'engine.image_volume_mode': 'imageVolume',
  'engine.pull_policy': 'pull',
  'engine.stop_timeout': 'stopTimeout',
};

/** Lists of which the command line's entries come after these, and win where they name the same. */
export const LISTS: Readonly<Record<string, string>> = {
  'containers.annotations': 'annotation',
  'containers.default_sysctls': 'sysctl',
  'containers.default_ulimits': 'ulimit',
  'containers.devices': 'device',
  'containers.env': 'envDefault',
  'containers.mounts': 'mount',
  'containers.volumes': 'volume',
};

/** Lists that count only when the command line has none. */
export const LISTS_INSTEAD: Readonly<Record<string, string>> = {
  'containers.dns_options': 'dnsOption',
  'containers.dns_searches': 'dnsSearch',
  'containers.dns_servers': 'dns',
};

/** `run` and `create` with the [containers] section of containers.conf. */
export function withConfiguredContainer(
  specs: OptionSpecs,
  options: RawOptions,
  given: ReadonlySet<string>,
  values: ReadonlyMap<string, ConfValue>,
): RawOptions {
  const merged = { ...options };
  for (const [key, option] of Object.entries({ ...AS_IT_IS, ...LISTS_INSTEAD })) {
    const value = values.get(key);
    if (value === undefined || given.has(option) || !(option in specs)) continue;
    merged[option] = typeof value === 'number' ? String(value) : value;
  }
  if (!given.has('network') && !given.has('net')) setNetwork(merged, values);
  for (const [key, option] of Object.entries(LISTS))
    merged[option] = before(option, list(values.get(key)), list(merged[option]), merged);
  setRest(merged, given, values);
  return merged;
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value : [];
}

/** What the configuration lists, without what the command line says otherwise. */
function before(
  option: string,
  configured: readonly string[],
  typed: readonly string[],
  options: RawOptions,
): readonly string[] {
  const name = nameOf[option];
  if (configured.length === 0 || name === undefined) return [...configured, ...typed];
  const taken = new Set(typed.map(name));
  const networks = [...list(options['network']), ...list(options['net'])];
  // Sysctls of namespaces that are not the container's own are not its to set.
  const isOthersNetwork = networks.some((mode) => /^(host$|container:|ns:)/.test(mode));
  const isOthers = (entry: string): boolean =>
    option === 'sysctl' &&
    ((isOthersNetwork && entry.startsWith('net.')) ||
      (options['ipc'] === 'host' && /^(kernel|fs)\./.test(entry)));
  return [...configured.filter((entry) => !taken.has(name(entry)) && !isOthers(entry)), ...typed];
}

const key = (entry: string): string => entry.split('=')[0] ?? '';
const nameOf: Readonly<Record<string, (entry: string) => string>> = {
  annotation: key,
  sysctl: key,
  ulimit: key,
  device: (entry) => entry.split(':')[1] ?? entry,
  volume: (entry) => entry.split(':')[1] ?? entry,
  mount: (entry) => /(?:^|,)(?:target|dst|destination)=([^,]*)/.exec(entry)?.[1] ?? entry,
};

/** Keys that take more than copying. */
function setRest(
  merged: RawOptions,
  given: ReadonlySet<string>,
  values: ReadonlyMap<string, ConfValue>,
): void {
  const capabilities = values.get('containers.default_capabilities');
  if (capabilities !== undefined && merged['privileged'] !== true)
    setCapabilities(merged, list(capabilities));
  const path = values.get('containers.init_path');
  if (path !== undefined && merged['init'] === true && !given.has('initPath'))
    merged['initPath'] = String(path);
  const security = list(merged['securityOpt']);
  const add: string[] = [];
  if (values.get('containers.label') === false) add.push('label=disable');
  const profile = values.get('containers.seccomp_profile');
  if (profile !== undefined && profile !== '' && !security.some((it) => it.startsWith('seccomp')))
    add.push(`seccomp=${profile}`);
  merged['securityOpt'] = [...add, ...security];
  setLog(merged, given, values);
  const userns = values.get('containers.userns');
  if (userns !== undefined && userns !== '' && userns !== 'host' && !given.has('userns'))
    merged['userns'] = String(userns);
  const addresses = values.get('network.default_host_ips');
  if (addresses !== undefined) merged['defaultHostIPs'] = list(addresses);
  const specDirs = values.get('engine.cdi_spec_dirs');
  if (specDirs !== undefined) merged['cdiSpecDirs'] = list(specDirs);
  const pids = values.get('containers.pids_limit');
  if (typeof pids === 'number' && !given.has('pidsLimit')) {
    merged['pidsLimit'] = String(pids > 0 ? pids : -1);
    merged['isPidsLimitDefault'] = true;
  }
}

/** The configured ones are what there is; --cap-add and --cap-drop work on them. */
function setCapabilities(merged: RawOptions, configured: readonly string[]): void {
  const plain = (name: string): string => name.toUpperCase().replace(/^CAP_/, '');
  const drop = list(merged['capDrop']).flatMap((names) => names.split(','));
  if (drop.some((name) => plain(name) === 'ALL')) return;
  const dropped = new Set(drop.map(plain));
  const left = configured.filter((name) => !dropped.has(plain(name)));
  const isAll = list(merged['capAdd']).some((name) => plain(name) === 'ALL');
  if (isAll) return;
  merged['capDrop'] = ['all', ...drop];
  // A program that does not run as root gets only what its user asked for (new-config.ts).
  merged['capAddByUser'] = list(merged['capAdd']);
  merged['capAdd'] = [...left, ...list(merged['capAdd'])];
}

function setLog(
  merged: RawOptions,
  given: ReadonlySet<string>,
  values: ReadonlyMap<string, ConfValue>,
): void {
  // Podman's default on systemd machines: a default must not refuse where there is no journal.
  if (merged['logDriver'] === 'journald' && !given.has('logDriver') && !hasJournal())
    merged['logDriver'] = undefined;
  const typed = list(merged['logOpt']);
  const size = values.get('containers.log_size_max');
  const tag = values.get('containers.log_tag');
  const driver = String(merged['logDriver'] ?? 'k8s-file');
  const isFile = driver.endsWith('-file');
  const hasTag = driver === 'json-file' || driver === 'journald';
  merged['logOpt'] = [
    ...(typeof size === 'number' && size > 0 && isFile ? [`max-size=${size}`] : []),
    ...(typeof tag === 'string' && tag !== '' && hasTag ? [`tag=${tag}`] : []),
    ...typed,
  ];
}

function setNetwork(merged: RawOptions, values: ReadonlyMap<string, ConfValue>): void {
  const mode = values.get('containers.netns');
  const pasta = list(values.get('network.pasta_options'));
  const isPrivate = mode === undefined || mode === '' || mode === 'private';
  const program = values.get('network.default_rootless_network_cmd') ?? 'pasta';
  if (program !== 'pasta' && program !== 'slirp4netns')
    throw new TsmanError(
      `containers.conf: default_rootless_network_cmd ${JSON.stringify(program)} is not pasta or slirp4netns`,
    );
  if (isPrivate && program === 'slirp4netns') merged['network'] = [program];
  else if (pasta.length > 0 && (isPrivate || mode === 'pasta'))
    merged['network'] = [`pasta:${pasta.join(',')}`];
  else if (!isPrivate) merged['network'] = [String(mode)];
}

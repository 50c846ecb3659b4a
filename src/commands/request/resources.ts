import { statSync } from 'node:fs';
import { TsmanError, UsageError } from '../../base/error.ts';
import { parseSizeBytes } from '../../base/size.ts';
import type { CgroupSettings } from '../../container/cgroup/place.ts';
import type { DeviceLimit, Resources } from '../../container/cgroup/resources.ts';
import type { ContainerSpec } from '../../container/record.ts';
import type { OptionValues } from '../command.ts';
import type { CGROUP_OPTIONS, RESOURCE_OPTIONS } from '../options/resource-options.ts';
import { parsePairs, parseWhole } from './values.ts';

/** Podman's. */
const DEFAULT_PIDS_LIMIT = '2048';

type ResourceValues = OptionValues<typeof RESOURCE_OPTIONS>;

/** Limits that are asked for; undefined when there are none. @throws UsageError, TsmanError */
export function parseResources(
  options: ResourceValues,
  conf: readonly string[] = [],
): Resources | undefined {
  const resources = {
    ...memoryLimits(options),
    ...cpuLimits(options),
    pidsLimit: whole('--pids-limit', options.pidsLimit, -1, 2 ** 22),
    blkioWeight: whole('--blkio-weight', options.blkioWeight, 10, 1000),
    blkioWeightDevices: devices('--blkio-weight-device', options.blkioWeightDevice, weight),
    readBps: devices('--device-read-bps', options.deviceReadBps, parseSizeBytes),
    writeBps: devices('--device-write-bps', options.deviceWriteBps, parseSizeBytes),
    readIops: devices('--device-read-iops', options.deviceReadIops, rate),
    writeIops: devices('--device-write-iops', options.deviceWriteIops, rate),
    conf: conf.length === 0 ? undefined : parseConf(conf),
  };
  const given = Object.entries(resources).filter(([, value]) => value !== undefined);
  if (resources.pidsLimit === 0)
    return { ...(Object.fromEntries(given) as Resources), pidsLimit: -1 };
  return given.length === 0 ? undefined : (Object.fromEntries(given) as Resources);
}

function whole(option: string, text: string | undefined, least: number, most: number) {
  return text === undefined ? undefined : parseWhole(option, text, least, most);
}

/** 0 is what Docker and Podman take for "not given". */
function size(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === '-1') return -1;
  const bytes = parseSizeBytes(text, option);
  return bytes === 0 ? undefined : bytes;
}

function memoryLimits(options: ResourceValues): Resources {
  const memoryBytes = size('--memory', options.memory);
  const memorySwapBytes = size('--memory-swap', options.memorySwap);
  const memoryReservationBytes = size('--memory-reservation', options.memoryReservation);
  if (memorySwapBytes !== undefined && memorySwapBytes > 0) {
    if (memoryBytes === undefined)
      throw new UsageError('option --memory-swap counts memory too: give --memory as well');
    if (memorySwapBytes < memoryBytes)
      throw new UsageError('option --memory-swap is memory and swap together: less than --memory');
  }
  if (memoryReservationBytes !== undefined && memoryReservationBytes > (memoryBytes ?? Infinity))
    throw new UsageError('option --memory-reservation: more than --memory');
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(memorySwapBytes === undefined ? {} : { memorySwapBytes }),
    ...(memoryReservationBytes === undefined || memoryReservationBytes < 0
      ? {}
      : { memoryReservationBytes }),
  };
}

function cpuLimits(options: ResourceValues): Record<string, number | string | undefined> {
  const { cpus, cpuPeriod, cpuQuota } = options;
  if (cpus !== undefined && (cpuPeriod !== undefined || cpuQuota !== undefined))
    throw new UsageError('option --cpus excludes --cpu-period and --cpu-quota');
  const shares = whole('--cpu-shares', options.cpuShares, 0, 262_144);
  return {
    nanoCpus: cpus === undefined ? undefined : parseCpus(cpus),
    // The kernel's bounds: a millisecond to a second.
    cpuPeriodMicros: whole('--cpu-period', cpuPeriod, 1000, 1_000_000),
    cpuQuotaMicros: whole('--cpu-quota', cpuQuota, -1, 2 ** 40),
    cpuShares: shares === 0 ? undefined : shares,
    cpusetCpus: parseSet('--cpuset-cpus', options.cpusetCpus),
    cpusetMems: parseSet('--cpuset-mems', options.cpusetMems),
  };
}

function parseCpus(text: string): number | undefined {
  if (!/^\d*\.?\d+$/.test(text) || (Number(text) > 0 && Number(text) < 0.01))
    throw new UsageError(
      `option --cpus: ${JSON.stringify(text)} is not a number of processors of at least 0.01`,
    );
  return Number(text) === 0 ? undefined : Math.round(Number(text) * 1e9);
}

function parseSet(option: string, text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text))
    throw new UsageError(`option ${option}: ${JSON.stringify(text)} is not a list such as 0-2,5`);
  return text;
}

const weight = (text: string, option: string): number => parseWhole(option, text, 10, 1000);
const rate = (text: string, option: string): number => parseWhole(option, text, 1, 2 ** 32);

/** `DEVICE:VALUE` each; the kernel wants the disk's numbers. */
function devices(
  option: string,
  list: readonly string[],
  parse: (text: string, option: string) => number,
): DeviceLimit[] | undefined {
  if (list.length === 0) return undefined;
  return list.map((text) => {
    const colon = text.lastIndexOf(':');
    if (!text.startsWith('/dev/') || colon < 0)
      throw new UsageError(`option ${option}: ${JSON.stringify(text)} is not /dev/DISK:VALUE`);
    const path = text.slice(0, colon);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isBlockDevice() !== true)
      throw new TsmanError(`option ${option}: ${path} is not a disk`);
    return { path, device: deviceNumbers(stat.rdev), value: parse(text.slice(colon + 1), option) };
  });
}

/** dev_t of the C library: 12 bits of the minor around 8 of the major (gnu_dev_major). */
function deviceNumbers(rdev: number): string {
  const number = BigInt(rdev);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn);
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

function parseConf(list: readonly string[]): Record<string, string> {
  const pairs = parsePairs('--cgroup-conf', list);
  for (const file of Object.keys(pairs))
    if (!/^[a-z]+(\.[a-z0-9_]+)+$/i.test(file))
      throw new UsageError(
        `option --cgroup-conf: ${JSON.stringify(file)} is not a file such as memory.high`,
      );
  return pairs;
}

/** Where the cgroup is to be; undefined = where it is usual. @throws UsageError */
export function parseCgroup({
  cgroups,
  cgroupParent,
}: Pick<OptionValues<typeof CGROUP_OPTIONS>, 'cgroups' | 'cgroupParent'>):
  | CgroupSettings
  | undefined {
  if (cgroups !== undefined && !['enabled', 'disabled', 'no-conmon', 'split'].includes(cgroups))
    throw new UsageError(
      `option --cgroups: ${JSON.stringify(cgroups)} is not enabled, disabled, no-conmon or split`,
    );
  if (cgroupParent?.split('/').includes('..'))
    throw new UsageError('option --cgroup-parent: ".." is not allowed');
  const hasParent = cgroupParent !== undefined && cgroupParent !== '';
  if (hasParent && (cgroups === 'disabled' || cgroups === 'split'))
    throw new UsageError(`options --cgroup-parent and --cgroups ${cgroups} exclude each other`);
  if (cgroups === undefined && !hasParent) return undefined;
  return {
    mode: (cgroups ?? 'enabled') as CgroupSettings['mode'],
    ...(hasParent ? { parent: cgroupParent } : {}),
  };
}

/** Limits and the place of the cgroup, for the record. @throws UsageError, TsmanError */
export function parseLimits(
  options: OptionValues<typeof RESOURCE_OPTIONS & typeof CGROUP_OPTIONS> & {
    readonly isPidsLimitDefault?: boolean;
  },
): Pick<ContainerSpec, 'resources' | 'cgroup'> {
  const cgroup = parseCgroup(options);
  const isDefault = options.isPidsLimitDefault === true || options.pidsLimit === undefined;
  if (cgroup?.mode === 'disabled') {
    const asked = { ...options, pidsLimit: isDefault ? undefined : options.pidsLimit };
    if (parseResources(asked, options.cgroupConf) !== undefined)
      throw new UsageError('option --cgroups disabled: there can be no limits without a cgroup');
    return { cgroup };
  }
  const pidsLimit = options.pidsLimit ?? DEFAULT_PIDS_LIMIT;
  const limits = parseResources({ ...options, pidsLimit }, options.cgroupConf);
  return {
    ...(cgroup === undefined ? {} : { cgroup }),
    resources: { ...limits, ...(isDefault ? { isPidsLimitDefault: true } : {}) },
  };
}

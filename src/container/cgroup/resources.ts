/** What a container may use at most; absent = no limit. Stored in its record. */
export interface Resources {
  readonly memoryBytes?: number;
  readonly memoryReservationBytes?: number;
  /** Memory and swap together, as Docker counts; -1 = as much swap as there is. */
  readonly memorySwapBytes?: number;
  readonly nanoCpus?: number;
  readonly cpuPeriodMicros?: number;
  readonly cpuQuotaMicros?: number;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** -1 = none. */
  readonly pidsLimit?: number;
  /** Nobody asked for it: where it cannot be had, the container runs without. */
  readonly isPidsLimitDefault?: boolean;
  /** 10 to 1000. */
  readonly blkioWeight?: number;
  readonly blkioWeightDevices?: readonly DeviceLimit[];
  readonly readBps?: readonly DeviceLimit[];
  readonly writeBps?: readonly DeviceLimit[];
  readonly readIops?: readonly DeviceLimit[];
  readonly writeIops?: readonly DeviceLimit[];
  /** Files of the cgroup and what is written there, as they are. */
  readonly conf?: Readonly<Record<string, string>>;
}

export interface DeviceLimit {
  readonly path: string;
  /** `major:minor` */
  readonly device: string;
  readonly value: number;
}

/** One write to a file of a cgroup. */
export interface CgroupWrite {
  readonly file: string;
  readonly value: string;
  /** Where the kernel has no such file nothing is lost. */
  readonly isOptional?: boolean;
}

/** Old limits that are not mentioned stay; --cpus and --cpu-quota are two words for one thing. */
export function mergeLimits(
  before: Resources | undefined,
  changes: Resources | undefined,
): Resources | undefined {
  if (changes === undefined) return before;
  const { nanoCpus, cpuQuotaMicros, isPidsLimitDefault, ...old } = before ?? {};
  const isOtherCpu =
    changes.nanoCpus !== undefined ||
    changes.cpuQuotaMicros !== undefined ||
    changes.cpuPeriodMicros !== undefined;
  return {
    ...old,
    ...(isOtherCpu || nanoCpus === undefined ? {} : { nanoCpus }),
    ...(isOtherCpu || cpuQuotaMicros === undefined ? {} : { cpuQuotaMicros }),
    ...changes,
  };
}

const DEFAULT_PERIOD_MICROS = 100_000;

/** The writes that set the limits: Docker's numbers as cgroup v2 counts them, converted as crun does. */
export function cgroupWrites(resources: Resources): CgroupWrite[] {
  return [
    ...memoryWrites(resources),
    ...cpuWrites(resources),
    ...(resources.pidsLimit === undefined ? [] : [pidsWrite(resources)]),
    ...ioWrites(resources),
    ...Object.entries(resources.conf ?? {}).map(([file, value]) => ({ file, value })),
  ];
}

function pidsWrite({ pidsLimit = -1, isPidsLimitDefault = false }: Resources): CgroupWrite {
  return { file: 'pids.max', value: numberOrMax(pidsLimit), isOptional: isPidsLimitDefault };
}

function numberOrMax(value: number): string {
  return value < 0 ? 'max' : String(value);
}

function memoryWrites(resources: Resources): CgroupWrite[] {
  const { memoryBytes, memoryReservationBytes, memorySwapBytes } = resources;
  const writes: CgroupWrite[] = [];
  if (memoryBytes !== undefined)
    writes.push({ file: 'memory.max', value: numberOrMax(memoryBytes) });
  if (memoryReservationBytes !== undefined)
    writes.push({ file: 'memory.low', value: String(memoryReservationBytes) });
  const swap = swapBytes(memoryBytes, memorySwapBytes);
  if (swap !== undefined)
    writes.push({ file: 'memory.swap.max', value: numberOrMax(swap), isOptional: true });
  return writes;
}

/** Without a word about it there is as much swap as memory, as with Docker and Podman. */
function swapBytes(memory = -1, both: number | undefined = undefined): number | undefined {
  if (both === -1) return -1;
  if (memory < 0) return undefined;
  return both === undefined ? memory : both - memory;
}

function cpuWrites(resources: Resources): CgroupWrite[] {
  const { nanoCpus, cpuPeriodMicros, cpuQuotaMicros, cpuShares } = resources;
  const writes: CgroupWrite[] = [];
  const period = cpuPeriodMicros ?? DEFAULT_PERIOD_MICROS;
  const quota = nanoCpus === undefined ? cpuQuotaMicros : Math.round((nanoCpus * period) / 1e9);
  if (quota !== undefined || cpuPeriodMicros !== undefined)
    writes.push({ file: 'cpu.max', value: `${(quota ?? 0) > 0 ? quota : 'max'} ${period}` });
  if (cpuShares !== undefined)
    writes.push({ file: 'cpu.weight', value: String(cpuWeight(cpuShares)) });
  if (resources.cpusetCpus !== undefined)
    writes.push({ file: 'cpuset.cpus', value: resources.cpusetCpus });
  if (resources.cpusetMems !== undefined)
    writes.push({ file: 'cpuset.mems', value: resources.cpusetMems });
  return writes;
}

/** Shares of cgroup v1 (2 to 262144, 1024 is usual) as a weight (1 to 10000, 100 is usual): crun's curve. */
export function cpuWeight(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(shares);
  // The subtraction keeps 1024 at exactly 100 in spite of rounding.
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34) - 1e-9);
}

function ioWrites(resources: Resources): CgroupWrite[] {
  const limits = (key: string, list: readonly DeviceLimit[] = []): CgroupWrite[] =>
    list.map(({ device, value }) => ({ file: 'io.max', value: `${device} ${key}=${value}` }));
  return [
    ...(resources.blkioWeight === undefined
      ? []
      : [{ file: 'io.weight', value: `default ${ioWeight(resources.blkioWeight)}` }]),
    ...(resources.blkioWeightDevices ?? []).map(({ device, value }) => ({
      file: 'io.weight',
      value: `${device} ${ioWeight(value)}`,
    })),
    ...limits('rbps', resources.readBps),
    ...limits('wbps', resources.writeBps),
    ...limits('riops', resources.readIops),
    ...limits('wiops', resources.writeIops),
  ];
}

/** A weight of cgroup v1 (10 to 1000) in the range of cgroup v2 (1 to 10000), linearly, as crun does. */
function ioWeight(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}

/** The controllers that have these files. */
export function controllersOf(writes: readonly CgroupWrite[]): string[] {
  const names = writes.map(({ file }) => file.split('.')[0] ?? '');
  return [...new Set(names)].filter((name) => name !== 'cgroup');
}

import type { DeviceLimit } from '../cgroup/resources.ts';
import type { ContainerSpec } from '../record.ts';

/** The limits in HostConfig, by Podman's and Docker's names; 0 = none. */
export function inspectResources(
  spec: Pick<ContainerSpec, 'resources' | 'cgroup'>,
): Record<string, unknown> {
  const limits = spec.resources ?? {};
  const memory = Math.max(0, limits.memoryBytes ?? 0);
  return {
    Cgroups: spec.cgroup?.mode === 'enabled' ? 'default' : (spec.cgroup?.mode ?? 'default'),
    CgroupManager: 'cgroupfs',
    CgroupParent: spec.cgroup?.parent ?? '',
    CgroupConf: limits.conf ?? null,
    CpuShares: limits.cpuShares ?? 0,
    NanoCpus: limits.nanoCpus ?? 0,
    CpuPeriod: limits.cpuPeriodMicros ?? 0,
    CpuQuota: limits.cpuQuotaMicros ?? 0,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpuCount: 0,
    CpuPercent: 0,
    CpusetCpus: limits.cpusetCpus ?? '',
    CpusetMems: limits.cpusetMems ?? '',
    Memory: memory,
    MemoryReservation: limits.memoryReservationBytes ?? 0,
    // Twice the memory, when nothing is said: resources.ts.
    MemorySwap: limits.memorySwapBytes ?? memory * 2,
    MemorySwappiness: 0,
    KernelMemory: 0,
    OomKillDisable: false,
    PidsLimit: Math.max(0, limits.pidsLimit ?? 0),
    BlkioWeight: limits.blkioWeight ?? 0,
    BlkioWeightDevice: devices('Weight', limits.blkioWeightDevices),
    BlkioDeviceReadBps: devices('Rate', limits.readBps),
    BlkioDeviceWriteBps: devices('Rate', limits.writeBps),
    BlkioDeviceReadIOps: devices('Rate', limits.readIops),
    BlkioDeviceWriteIOps: devices('Rate', limits.writeIops),
  };
}

function devices(key: string, list: readonly DeviceLimit[] | undefined): object[] | null {
  return list === undefined ? null : list.map(({ path, value }) => ({ Path: path, [key]: value }));
}

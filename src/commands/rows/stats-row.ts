import type { Traffic, Usage } from '../../container/processes/stats.ts';
import { goDuration } from '../../container/processes/top.ts';
import type { Container } from '../../container/record.ts';
import type { ContainerState } from '../../container/state.ts';
import { compactSize } from '../../output/units.ts';

/** A line of `stats`: the fields of Podman's and Docker's templates. */
export interface StatsRow {
  readonly ID: string;
  readonly Container: string;
  readonly ContainerID: string;
  readonly Name: string;
  readonly CPUPerc: string;
  readonly MemUsage: string;
  readonly MemUsageBytes: string;
  readonly MemPerc: string;
  readonly NetIO: string;
  readonly BlockIO: string;
  readonly PIDS: string;
  readonly PIDs: string;
  readonly CPUTime: string;
  readonly AVGCPU: string;
  readonly AvgCPU: string;
}

export const STATS_HEADERS: Readonly<Record<string, string>> = {
  ID: 'ID',
  Container: 'CONTAINER',
  ContainerID: 'CONTAINER ID',
  Name: 'NAME',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemUsageBytes: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET IO',
  BlockIO: 'BLOCK IO',
  PIDS: 'PIDS',
  PIDs: 'PIDS',
  CPUTime: 'CPU TIME',
  AVGCPU: 'AVG CPU %',
  AvgCPU: 'AVG CPU %',
};

const COLUMNS = [
  ...(['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO'] as const),
  ...(['BlockIO', 'PIDS', 'CPUTime', 'AVGCPU'] as const),
];

/** @param before the sample before, when there is one: else the CPU share is that since the start */
export function statsRow(
  container: Container,
  state: ContainerState,
  usage: Usage,
  before: Usage | undefined,
  isWhole: boolean,
): StatsRow {
  const runningMs = Math.max(1, Date.now() - (state.startedAt?.getTime() ?? Date.now()));
  const average = percent(usage.cpuNanos / 1e6, runningMs);
  const share =
    before === undefined
      ? average
      : percent((usage.cpuNanos - before.cpuNanos) / 1e6, usage.takenAtMs - before.takenAtMs);
  const id = isWhole ? container.id : container.id.slice(0, 12);
  const { memoryBytes, memoryLimitBytes } = usage;
  const pids = String(usage.pids);
  return {
    ...{ ID: id, Container: id, ContainerID: id, Name: container.name },
    CPUPerc: share,
    MemUsage: `${compactSize(memoryBytes)} / ${compactSize(memoryLimitBytes)}`,
    MemUsageBytes: `${memoryBytes} / ${memoryLimitBytes}`,
    MemPerc: percent(memoryBytes, memoryLimitBytes),
    NetIO: traffic(usage.network),
    BlockIO: traffic(usage.block),
    ...{ PIDS: pids, PIDs: pids },
    CPUTime: goDuration(usage.cpuNanos / 1e9),
    ...{ AVGCPU: average, AvgCPU: average },
  };
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(whole, 1e-9)).toFixed(2)}%`;
}

function traffic(value: Traffic | undefined): string {
  if (value === undefined) return '-- / --';
  return `${compactSize(value.inBytes)} / ${compactSize(value.outBytes)}`;
}

export function statsTable(rows: readonly StatsRow[]): string[][] {
  return [
    COLUMNS.map((column) => STATS_HEADERS[column] ?? ''),
    ...rows.map((row) => COLUMNS.map((column) => row[column])),
  ];
}

/** Podman's keys for `--format json`. */
export function statsJson(row: StatsRow): Record<string, string> {
  return {
    id: row.ID,
    name: row.Name,
    cpu_time: row.CPUTime,
    cpu_percent: row.CPUPerc,
    avg_cpu: row.AVGCPU,
    mem_usage: row.MemUsage,
    mem_percent: row.MemPerc,
    net_io: row.NetIO,
    block_io: row.BlockIO,
    pids: row.PIDS,
  };
}

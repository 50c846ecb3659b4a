import * as fs from 'node:fs';
import { totalmem } from 'node:os';
import { readIfExists } from '../../base/file.ts';
import { cgroupOf } from '../cgroup/own-cgroup.ts';
import type { Container } from '../record.ts';
import type { ContainerState } from '../state.ts';
import { containerProcesses, type ProcessInfo, TICKS_PER_SECOND } from './processes.ts';

/** What a container uses at one moment. Undefined: nobody may know it here. */
export interface Usage {
  readonly takenAtMs: number;
  readonly cpuNanos: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly pids: number;
  readonly network: Traffic | undefined;
  readonly block: Traffic | undefined;
}

/** Received and sent, or read and written. */
export interface Traffic {
  readonly inBytes: number;
  readonly outBytes: number;
}

/** From the container's own cgroup, or, where it has none, summed up over its processes. */
export function readUsage(container: Container, state: ContainerState): Usage {
  const network = container.spec.networkMode === 'host' ? undefined : networkTraffic(state.pid);
  const cgroup = cgroupOf(container.id, state.pid);
  const common = { takenAtMs: performance.now(), network };
  if (cgroup !== undefined) {
    const own = cgroupUsage(cgroup);
    if (own !== undefined) return { ...common, ...own };
  }
  return { ...common, ...processUsage(containerProcesses(state)) };
}

type Measured = Omit<Usage, 'takenAtMs' | 'network'>;

/** cgroup-v2.rst. Undefined when the controllers that count are not delegated. */
function cgroupUsage(directory: string): Measured | undefined {
  const read = (name: string): string | undefined => readIfExists(`${directory}/${name}`);
  const cpuMicros = /^usage_usec (\d+)$/m.exec(read('cpu.stat') ?? '')?.[1];
  const memory = read('memory.current');
  if (cpuMicros === undefined || memory === undefined) return undefined;
  const limit = Number(read('memory.max')?.trim());
  const inactive = Number(/^inactive_file (\d+)$/m.exec(read('memory.stat') ?? '')?.[1] ?? 0);
  return {
    cpuNanos: Number(cpuMicros) * 1000,
    // As Docker and Podman count it: page cache that can go at once is not "used".
    memoryBytes: Math.max(0, Number(memory) - inactive),
    memoryLimitBytes: limit > 0 && limit < totalmem() ? limit : totalmem(),
    pids: Number(read('pids.current') ?? 0),
    block: blockTraffic(read('io.stat')),
  };
}

function blockTraffic(text: string | undefined): Traffic | undefined {
  if (text === undefined) return undefined;
  const sum = (key: string): number =>
    [...text.matchAll(new RegExp(`\\b${key}=(\\d+)`, 'g'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return { inBytes: sum('rbytes'), outBytes: sum('wbytes') };
}

function processUsage(processes: readonly ProcessInfo[]): Measured {
  let ticks = 0;
  let memoryBytes = 0;
  let threads = 0;
  let block: { inBytes: number; outBytes: number } | undefined;
  for (const process of processes) {
    ticks += process.userTicks + process.systemTicks + process.childTicks;
    memoryBytes += proportionalBytes(process);
    threads += Number(process.status.get('Threads') ?? 1);
    const io = fileOf(process.pid, 'io');
    if (io === undefined) continue;
    block ??= { inBytes: 0, outBytes: 0 };
    block.inBytes += Number(/^read_bytes: (\d+)$/m.exec(io)?.[1] ?? 0);
    block.outBytes += Number(/^write_bytes: (\d+)$/m.exec(io)?.[1] ?? 0);
  }
  return {
    cpuNanos: (ticks / TICKS_PER_SECOND) * 1e9,
    memoryBytes,
    memoryLimitBytes: totalmem(),
    pids: threads,
    block,
  };
}

/** Pages that several processes share count once in all. */
function proportionalBytes(process: ProcessInfo): number {
  const rollup = fileOf(process.pid, 'smaps_rollup');
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(rollup ?? '')?.[1];
  return kilobytes === undefined ? process.residentBytes : Number(kilobytes) * 1024;
}

/**
 * All interfaces but the loopback one. What comes through published TCP ports passes that one, along with
 * what the container says to itself: the kernel does not count them apart (native/networks.md).
 */
function networkTraffic(pid: number): Traffic | undefined {
  const text = fileOf(pid, 'net/dev');
  if (text === undefined) return undefined;
  let [inBytes, outBytes] = [0, 0];
  for (const line of text.split('\n').slice(2)) {
    const [name = '', rest] = line.split(':');
    if (rest === undefined || name.trim() === 'lo') continue;
    const numbers = rest.trim().split(/\s+/).map(Number);
    inBytes += numbers[0] ?? 0;
    outBytes += numbers[8] ?? 0;
  }
  return { inBytes, outBytes };
}

function fileOf(pid: number, name: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    // It has ended, or is not ours to look into.
    return undefined;
  }
}

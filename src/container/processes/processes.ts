import * as fs from 'node:fs';
import type { ContainerState } from '../state.ts';

/** What /proc tells about one process (proc_pid_stat(5), proc_pid_status(5)), seen from the host. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly state: string;
  readonly group: number;
  readonly terminal: number;
  readonly nice: number;
  /** Own and waited-for children's, in clock ticks. */
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly childTicks: number;
  readonly startTicks: number;
  readonly virtualBytes: number;
  readonly residentBytes: number;
  /** Lines of /proc/PID/status. */
  readonly status: ReadonlyMap<string, string>;
}

/** USER_HZ, which Linux fixes at 100 for user space. */
export const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/**
 * The container's processes, its first one first. With a pid namespace of its own, those in it
 * (also what `exec` put there); with the host's, the first one and its descendants.
 */
export function containerProcesses(state: Pick<ContainerState, 'pid'>): ProcessInfo[] {
  if (state.pid === 0) return [];
  const pids = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const own = namespaceOf(state.pid);
  const isShared = own === undefined || own === namespaceOf('self');
  const chosen = isShared
    ? descendants(state.pid, pids)
    : pids.filter((pid) => namespaceOf(pid) === own);
  return chosen
    .map(readProcess)
    .filter((process) => process !== undefined)
    .sort((a, b) => Number(b.pid === state.pid) - Number(a.pid === state.pid) || a.pid - b.pid);
}

function namespaceOf(pid: number | 'self'): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // Gone, a zombie, or another user's: none of ours.
    return undefined;
  }
}

function descendants(root: number, pids: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const pid of pids) {
    const parent = readProcess(pid)?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** Undefined when it has ended meanwhile. */
export function readProcess(pid: number): ProcessInfo | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const status = parseStatus(fs.readFileSync(`/proc/${pid}/status`, 'latin1'));
    const close = stat.lastIndexOf(')');
    const fields = stat.slice(close + 2).split(' ');
    // Numbered as in proc_pid_stat(5), where the state is field 3.
    const field = (number: number): number => Number(fields[number - 3]);
    return {
      pid,
      parent: field(4),
      command: stat.slice(stat.indexOf('(') + 1, close),
      state: fields[0] ?? '',
      group: field(5),
      terminal: field(7),
      nice: field(19),
      userTicks: field(14),
      systemTicks: field(15),
      childTicks: field(16) + field(17),
      startTicks: field(22),
      virtualBytes: field(23),
      residentBytes: field(24) * PAGE_BYTES,
      status,
    };
  } catch {
    return undefined;
  }
}

function parseStatus(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    }),
  );
}

/** Seconds since the system started. */
export function uptimeSeconds(): number {
  return Number(fs.readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
}

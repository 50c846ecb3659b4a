import * as fs from 'node:fs';
import { UsageError } from '../../base/error.ts';
import { capabilityNames } from '../security/capabilities.ts';
import type { ContainerState } from '../state.ts';
import {
  containerProcesses,
  type ProcessInfo,
  TICKS_PER_SECOND,
  uptimeSeconds,
} from './processes.ts';
import { ContainerIds } from './top-ids.ts';

interface View {
  readonly process: ProcessInfo;
  readonly ids: ContainerIds;
  readonly uptime: number;
  /** Pids as the container counts them, by ours. */
  readonly inner: ReadonlyMap<number, number>;
}

interface Descriptor {
  readonly header: string;
  /** ps(1)'s letter, without the percent sign. */
  readonly code?: string;
  value(view: View): string;
}

const capability =
  (field: string) =>
  ({ process }: View): string =>
    capabilityNames(process.status.get(field) ?? '0');
const idOf =
  (field: 'Uid' | 'Gid', at: 0 | 1 | 2) =>
  ({ process }: View): number =>
    Number((process.status.get(field) ?? '0').split(/\s+/)[at]);
const user =
  (at: 0 | 1 | 2) =>
  (view: View): string =>
    view.ids.user(idOf('Uid', at)(view));
const group =
  (at: 0 | 1 | 2) =>
  (view: View): string =>
    view.ids.group(idOf('Gid', at)(view));
const groups = (view: View): number[] =>
  (view.process.status.get('Groups') ?? '').split(/\s+/).filter(Boolean).map(Number);

/** psgo's format descriptors, podman-top(1). Everything is read from /proc outside the container. */
const DESCRIPTORS: Readonly<Record<string, Descriptor>> = {
  args: { header: 'COMMAND', code: 'a', value: ({ process }) => commandLine(process) },
  capamb: { header: 'AMBIENT CAPS', value: capability('CapAmb') },
  capbnd: { header: 'BOUNDING CAPS', value: capability('CapBnd') },
  capeff: { header: 'EFFECTIVE CAPS', value: capability('CapEff') },
  capinh: { header: 'INHERITED CAPS', value: capability('CapInh') },
  capprm: { header: 'PERMITTED CAPS', value: capability('CapPrm') },
  cgroup: { header: 'CGROUP', value: ({ process }) => firstLine(process, 'cgroup') },
  comm: { header: 'COMMAND', code: 'c', value: ({ process }) => process.command },
  etime: { header: 'ELAPSED', code: 't', value: (view) => goDuration(elapsedSeconds(view)) },
  group: { header: 'GROUP', code: 'G', value: group(1) },
  groups: {
    header: 'GROUPS',
    value: (view) => [...groups(view).map((id) => view.ids.group(id))].join(','),
  },
  hgroup: { header: 'HGROUP', value: (view) => String(idOf('Gid', 1)(view)) },
  hgroups: { header: 'HGROUPS', value: (view) => groups(view).join(',') },
  hpid: { header: 'HPID', value: ({ process }) => String(process.pid) },
  huser: { header: 'HUSER', value: (view) => String(idOf('Uid', 1)(view)) },
  label: { header: 'LABEL', value: ({ process }) => firstLine(process, 'attr/current') || '?' },
  nice: { header: 'NI', code: 'n', value: ({ process }) => String(process.nice) },
  pcpu: { header: '%CPU', code: 'C', value: (view) => cpuPercent(view).toFixed(3) },
  pgid: { header: 'PGID', code: 'r', value: (view) => innerPid(view, 'NSpgid') },
  pid: { header: 'PID', code: 'p', value: (view) => innerPid(view, 'NSpid') },
  ppid: {
    header: 'PPID',
    code: 'P',
    value: ({ process, inner }) => String(inner.get(process.parent) ?? 0),
  },
  rgroup: { header: 'RGROUP', code: 'g', value: group(0) },
  rss: { header: 'RSS', value: ({ process }) => String(process.residentBytes / 1024) },
  ruser: { header: 'RUSER', code: 'u', value: user(0) },
  seccomp: { header: 'SECCOMP', value: ({ process }) => seccompMode(process) },
  state: { header: 'STATE', value: ({ process }) => process.state },
  stime: { header: 'STIME', value: (view) => startedAt(view) },
  time: {
    header: 'TIME',
    code: 'x',
    value: ({ process }) =>
      goDuration((process.userTicks + process.systemTicks) / TICKS_PER_SECOND),
  },
  tty: { header: 'TTY', code: 'y', value: ({ process }) => terminalName(process.terminal) },
  user: { header: 'USER', code: 'U', value: user(1) },
  vsz: { header: 'VSZ', code: 'z', value: ({ process }) => String(process.virtualBytes / 1024) },
};

export const TOP_DESCRIPTORS: readonly string[] = Object.keys(DESCRIPTORS);
const DEFAULT_DESCRIPTORS = ['user', 'pid', 'ppid', 'pcpu', 'etime', 'tty', 'time', 'args'];

/** True when these are descriptors (`pid,user` or `pid user`), not arguments for ps(1). */
export function areDescriptors(words: readonly string[]): boolean {
  return splitWords(words).every((word) => findDescriptor(word) !== undefined);
}

function splitWords(words: readonly string[]): string[] {
  return words.flatMap((word) => word.split(',')).filter((word) => word !== '');
}

function findDescriptor(word: string): Descriptor | undefined {
  if (Object.hasOwn(DESCRIPTORS, word)) return DESCRIPTORS[word];
  return Object.values(DESCRIPTORS).find(({ code }) => code !== undefined && word === `%${code}`);
}

/** The table of a container's processes, header first. @throws UsageError for an unknown descriptor */
export function topTable(state: ContainerState, words: readonly string[]): string[][] {
  const names = splitWords(words);
  const columns = (names.length === 0 ? DEFAULT_DESCRIPTORS : names).map((name) => {
    const descriptor = findDescriptor(name);
    if (descriptor === undefined)
      throw new UsageError(`unknown descriptor ${JSON.stringify(name)}`, {
        hint: `descriptors are ${TOP_DESCRIPTORS.join(', ')}`,
      });
    return descriptor;
  });
  const processes = containerProcesses(state);
  const ids = new ContainerIds(state.pid);
  const uptime = uptimeSeconds();
  const inner = new Map(processes.map((process) => [process.pid, nsPid(process, 'NSpid')]));
  return [
    columns.map(({ header }) => header),
    ...processes.map((process) =>
      columns.map((column) => printable(column.value({ process, ids, uptime, inner }))),
    ),
  ];
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a program chooses its own name
  return text.replace(/[\u0000-\u001f\u007f]/g, ' ').trim();
}

/** The last number is the one in the innermost pid namespace. */
function nsPid(process: ProcessInfo, field: string): number {
  return Number((process.status.get(field) ?? '').split(/\s+/).at(-1));
}

function innerPid({ process }: View, field: string): string {
  return String(nsPid(process, field));
}

function commandLine(process: ProcessInfo): string {
  return firstLine(process, 'cmdline').replaceAll('\0', ' ').trim() || `[${process.command}]`;
}

function firstLine(process: ProcessInfo, file: string): string {
  try {
    return fs.readFileSync(`/proc/${process.pid}/${file}`, 'utf8').split('\n')[0] ?? '';
  } catch {
    // It has ended, or the kernel has no such file.
    return '';
  }
}

function elapsedSeconds({ process, uptime }: View): number {
  return Math.max(0, uptime - process.startTicks / TICKS_PER_SECOND);
}

function cpuPercent(view: View): number {
  const seconds = (view.process.userTicks + view.process.systemTicks) / TICKS_PER_SECOND;
  return (100 * seconds) / Math.max(elapsedSeconds(view), 1 / TICKS_PER_SECOND);
}

function startedAt(view: View): string {
  return new Date(Date.now() - elapsedSeconds(view) * 1000).toISOString().slice(11, 19);
}

function seccompMode(process: ProcessInfo): string {
  return ['disabled', 'strict', 'filter'][Number(process.status.get('Seccomp') ?? 0)] ?? '?';
}

/** makedev(3): the minor is bits 0-7 and 20-31, the major bits 8-19. 136 and up are /dev/pts. */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (device === 0) return '?';
  return major >= 136 && major <= 143 ? `pts/${minor + (major - 136) * 256}` : `${major}:${minor}`;
}

/** As Go prints a time.Duration: `1h2m3s`, `4.05s`. */
export function goDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = Number((seconds % 60).toFixed(3));
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${rest}s`;
}

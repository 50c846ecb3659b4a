import { existsSync } from 'node:fs';
import type { RuntimeMount } from '../../oci/runtime-config.ts';

/** What decides how /proc, /sys and /dev are set up. */
export interface MountSettings {
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly hostCgroup: boolean;
  readonly privileged: boolean;
  readonly shmSizeBytes: number;
  /** False where gid 5 (tty) is not mapped, as in single-id mode. */
  readonly hasTtyGroup: boolean;
}

/** The mounts every container has, as Podman sets them up. In mounting order. */
export function defaultMounts(settings: MountSettings): RuntimeMount[] {
  const devpts = [
    'nosuid',
    'noexec',
    'newinstance',
    'ptmxmode=0666',
    'mode=0620',
    ...(settings.hasTtyGroup ? ['gid=5'] : []),
  ];
  return [
    settings.hostPid
      ? bind('/proc', '/proc', ['rbind', 'nosuid', 'noexec', 'nodev'])
      : mount('/proc', 'proc', ['nosuid', 'noexec', 'nodev']),
    mount('/dev', 'tmpfs', ['nosuid', 'noexec', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', devpts),
    ...messageQueues(settings.hostIpc),
    settings.hostIpc
      ? bind('/dev/shm', '/dev/shm', ['rbind', 'nosuid', 'noexec', 'nodev'])
      : mount('/dev/shm', 'tmpfs', [
          'nosuid',
          'noexec',
          'nodev',
          'mode=1777',
          `size=${settings.shmSizeBytes}`,
        ]),
    ...sysMounts(settings),
  ];
}

/** The kernel refuses a new mount of the host's queues; one without them has none to show. */
function messageQueues(isHost: boolean): RuntimeMount[] {
  const options = ['nosuid', 'noexec', 'nodev'];
  if (!isHost) return [mount('/dev/mqueue', 'mqueue', options)];
  return existsSync('/dev/mqueue')
    ? [bind('/dev/mqueue', '/dev/mqueue', ['rbind', ...options])]
    : [];
}

/**
 * A sysfs of our own shows only our network namespace; with the host's network the kernel refuses
 * one to a user namespace, and the host's is bound instead (read-only either way).
 */
function sysMounts({ hostNetwork, hostCgroup, privileged }: MountSettings): RuntimeMount[] {
  const access = privileged ? 'rw' : 'ro';
  if (hostNetwork)
    return [bind('/sys', '/sys', ['rbind', 'nosuid', 'noexec', 'nodev', 'rslave', access])];
  return [
    mount('/sys', 'sysfs', ['nosuid', 'noexec', 'nodev', access]),
    // As with mqueue: a cgroup2 mount belongs to a cgroup namespace, and the host's is not ours.
    hostCgroup
      ? bind('/sys/fs/cgroup', '/sys/fs/cgroup', ['rbind', 'nosuid', 'noexec', 'nodev', access])
      : mount('/sys/fs/cgroup', 'cgroup2', ['nosuid', 'noexec', 'nodev', 'relatime', access]),
  ];
}

function mount(destination: string, type: string, options: readonly string[]): RuntimeMount {
  return { destination, type, source: type, options };
}

function bind(destination: string, source: string, options: readonly string[]): RuntimeMount {
  return { destination, type: 'bind', source, options };
}

/** Covered, because they tell about or change the host (Docker's and Podman's lists together). */
export const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/dev/block',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  '/sys/fs/selinux',
];

export const READONLY_PATHS: readonly string[] = [
  '/proc/asound',
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

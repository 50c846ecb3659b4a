import type { RuntimeMount } from '../oci/runtime-config.ts';

/** What decides how /proc, /sys and /dev are set up. */
export interface MountSettings {
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly privileged: boolean;
  readonly shmSizeBytes: number;
  /** False in single-id mode: gid 5 (tty) does not exist there. */
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
    mount('/dev/mqueue', 'mqueue', ['nosuid', 'noexec', 'nodev']),
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

/**
 * A sysfs of our own shows only our network namespace; with the host's network the kernel refuses
 * one to a user namespace, and the host's is bound instead (read-only either way).
 */
function sysMounts({ hostNetwork, privileged }: MountSettings): RuntimeMount[] {
  const access = privileged ? 'rw' : 'ro';
  if (hostNetwork)
    return [bind('/sys', '/sys', ['rbind', 'nosuid', 'noexec', 'nodev', 'rslave', access])];
  return [
    mount('/sys', 'sysfs', ['nosuid', 'noexec', 'nodev', access]),
    mount('/sys/fs/cgroup', 'cgroup2', ['nosuid', 'noexec', 'nodev', 'relatime', access]),
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

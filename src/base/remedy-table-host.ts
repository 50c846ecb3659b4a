import { type Remedy, sysctl } from './remedy-table.ts';

/** Devices, programs, cgroups, session, disks. */
export const HOST_REMEDIES = {
  'fuse-missing': {
    cause: 'there is no /dev/fuse: FUSE file systems do not work in containers',
    fix: 'sudo modprobe fuse',
  },
  'fuse-closed': {
    cause: '{user} may not open /dev/fuse',
    fix: 'sudo chmod 0666 /dev/fuse',
  },
  'tun-missing': {
    cause: 'there is no /dev/net/tun: no network of containers leads out',
    fix: 'sudo modprobe tun && echo tun | sudo tee /etc/modules-load.d/tun.conf',
    seenAs: ['network-process'],
  },
  'tun-closed': {
    cause: '{user} may not open /dev/net/tun',
    fix: 'sudo chmod 0666 /dev/net/tun',
    seenAs: ['network-process'],
  },
  'pasta-missing': {
    cause: 'neither pasta nor slirp4netns is installed: containers run without a network only',
    fix: '{install:passt}',
    seenAs: ['network-process pasta: no such file or directory (ENOENT)'],
  },
  'slirp-only': {
    cause:
      'pasta is not installed: of networks that lead out only --network slirp4netns is to be had',
    fix: '{install:passt}',
  },
  'cgroup-v1': {
    cause: '/sys/fs/cgroup is not a cgroup v2 tree: --memory, --cpus and --pids-limit do not work',
    fix: "add systemd.unified_cgroup_hierarchy=1 to the kernel's command line and boot",
    seenAs: ['cgroup'],
  },
  'cgroup-not-delegated': {
    cause: 'the controllers {controllers} are not delegated to {user}',
    fix: "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo install -D -m 644 /dev/stdin /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload, then log in anew",
    seenAs: ['cgroup'],
  },
  'no-session': {
    cause: 'there is no systemd session of {user}, so that resource limits cannot be set',
    fix: 'sudo loginctl enable-linger {user}',
    seenAs: ['cgroup'],
  },
  'runtime-dir-unset': {
    cause:
      'XDG_RUNTIME_DIR is not set and /run/user/{uid} is not there: running state goes to /tmp',
    fix: 'sudo loginctl enable-linger {user}',
  },
  'runtime-dir-foreign': {
    cause: 'XDG_RUNTIME_DIR is {path}, which belongs to another user (su keeps it)',
    fix: 'export XDG_RUNTIME_DIR=/run/user/{uid}',
    seenAs: ['belongs to another user'],
  },
  'no-linger': {
    cause: 'containers of {user} end when the last session does, unless lingering is on',
    fix: 'sudo loginctl enable-linger {user}',
  },
  'low-ports': {
    cause: 'ports below {value} cannot be published by {user}',
    fix: sysctl('net.ipv4.ip_unprivileged_port_start', '80'),
    seenAs: ['Failed to bind port'],
  },
  'ping-range': {
    cause:
      'ping in containers needs net.ipv4.ping_group_range to hold the group {gid}; it is {value}',
    fix: sysctl('net.ipv4.ping_group_range', '0 2147483647'),
  },
  'disk-full': {
    cause: '{path} has {free} left',
    fix: 'tsman system prune',
    seenAs: ['no space left on device (ENOSPC)'],
  },
  'inodes-full': {
    cause: '{path} has {free} inodes left',
    fix: 'tsman system prune',
    seenAs: ['no space left on device (ENOSPC)'],
  },
  'disk-read-only': {
    cause: '{path} is mounted read-only',
    fix: 'choose a writable place: export TSMAN_ROOT=/path/on/a/local/disk',
    seenAs: ['read-only file system (EROFS)'],
  },
  'remote-file-system': {
    cause: '{path} is on {type}, which has no subordinate ids and no overlay',
    fix: 'export TSMAN_ROOT=/var/tmp/tsman-{uid}',
    seenAs: [
      'operation not permitted (EPERM) while a layer is unpacked',
      'stale file handle (ESTALE)',
    ],
  },
  'odd-file-system': {
    cause: '{path} is on {type}, which overlay does not take as its upper directory',
    fix: 'export TSMAN_ROOT=/var/tmp/tsman-{uid}',
    seenAs: ['mount overlay: invalid argument (EINVAL)'],
  },
  'noexec-root': {
    cause: '{path} is mounted noexec: no program of a container would start',
    fix: 'sudo mount -o remount,exec {mount}',
    seenAs: ['exec', 'permission denied (EACCES)'],
  },
  'helper-missing': {
    cause: 'tsman-helper is not beside tsman ({path})',
    fix: 'install tsman again, or build it with scripts/build',
    seenAs: ['run tsman-helper: ENOENT'],
  },
  'helper-not-executable': {
    cause: '{path} is not executable',
    fix: 'chmod 755 {path}',
    seenAs: ['run tsman-helper: EACCES'],
  },
  'kernel-old': {
    cause: 'Linux {release} is too old: tsman needs 5.12 or later (mount_setattr)',
    fix: '{upgrade-kernel}',
    seenAs: ['mount_setattr: function not implemented (ENOSYS)'],
  },
} as const satisfies Record<string, Remedy>;

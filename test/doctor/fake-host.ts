import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type DiskSpace, type Host, thisHost } from '../../src/doctor/host.ts';

const UID = 1000;

/** Where a healthy machine is broken; everything else stays as on a Debian of today. */
export interface Breakage {
  /** Path to text; undefined removes the file. */
  readonly files?: Readonly<Record<string, string | undefined>>;
  readonly modes?: Readonly<Record<string, number>>;
  readonly release?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly space?: Partial<DiskSpace>;
  readonly userns?: string;
  readonly capabilities?: string;
  /** Directories that belong to somebody else than the user. */
  readonly foreign?: readonly string[];
  /** What the user may not open. */
  readonly closed?: readonly string[];
}

const MOUNTS = [
  '20 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw',
  '21 20 0:20 / /proc rw,nosuid - proc proc rw',
  '22 20 0:21 / /run rw,nosuid,nodev - tmpfs tmpfs rw',
];

const DELEGATED = '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers';

const HEALTHY: Readonly<Record<string, string>> = {
  '/etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
  '/etc/subuid': 'ann:100000:65536\nben:165536:65536\n',
  '/etc/subgid': 'ann:100000:65536\nben:165536:65536\n',
  '/proc/self/ns/user': '',
  '/proc/self/status': 'Name:\tbun\nNoNewPrivs:\t0\n',
  '/proc/self/uid_map': '         0          0 4294967295\n',
  '/proc/self/gid_map': '         0          0 4294967295\n',
  '/proc/self/mountinfo': `${MOUNTS.join('\n')}\n`,
  '/proc/filesystems': 'nodev\tproc\n\text4\nnodev\toverlay\n',
  '/proc/sys/user/max_user_namespaces': '96365\n',
  '/proc/sys/kernel/unprivileged_userns_clone': '1\n',
  '/proc/sys/net/ipv4/ip_unprivileged_port_start': '1024\n',
  '/proc/sys/net/ipv4/ping_group_range': '0\t2147483647\n',
  '/dev/fuse': '',
  '/dev/net/tun': '',
  '/usr/bin/newuidmap': '',
  '/usr/bin/newgidmap': '',
  '/usr/bin/pasta': '',
  '/usr/bin/tsman-helper': '',
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
  [DELEGATED]: 'cpuset cpu io memory pids\n',
  '/run/systemd/system/x': '',
  '/run/user/1000/x': '',
  '/var/lib/systemd/linger/ann': '',
  '/home/ann/x': '',
};

const MODES: Readonly<Record<string, number>> = {
  '/usr/bin/newuidmap': 0o4755,
  '/usr/bin/newgidmap': 0o4755,
  '/usr/bin/pasta': 0o755,
  '/usr/bin/tsman-helper': 0o755,
};

/** Another machine, as files below `root`, seen by its user ann (1000). */
export function fakeHost(root: string, broken: Breakage): Host {
  for (const [path, text] of Object.entries({ ...HEALTHY, ...broken.files })) {
    if (text === undefined) continue;
    fs.mkdirSync(dirname(join(root, path)), { recursive: true });
    fs.writeFileSync(join(root, path), text);
    fs.chmodSync(join(root, path), broken.modes?.[path] ?? MODES[path] ?? 0o644);
  }
  const places = {
    dataRoot: '/home/ann/.local/share/tsman',
    helper: '/usr/bin/tsman-helper',
    share: '/usr/share/tsman',
  };
  const host = thisHost(places, root);
  return {
    ...host,
    uid: UID,
    gid: UID,
    user: 'ann',
    release: broken.release ?? '6.1.0-37-amd64',
    env: broken.env ?? { PATH: '/usr/bin:/bin', XDG_RUNTIME_DIR: '/run/user/1000' },
    // All files of the directory are the test's; the machine's belong to root, but for those of ann.
    stat: (path) => {
      const stat = host.stat(path);
      if (stat === undefined) return undefined;
      const isAnns = path.startsWith('/run/user/1000') && broken.foreign?.includes(path) !== true;
      return { mode: stat.mode, uid: isAnns ? UID : 0 };
    },
    canUse: (path) => broken.closed?.includes(path) !== true,
    fileCapabilities: () => broken.capabilities ?? '',
    space: () => ({
      freeBytes: 10 ** 10,
      freeInodes: 10 ** 6,
      totalInodes: 10 ** 7,
      ...broken.space,
    }),
    tryUserns: () => broken.userns,
  };
}

/** The healthy mounts, with the home directory on a file system of its own. */
export function homeOn(type: string, options = 'rw'): Breakage {
  const line = `30 20 0:40 / /home ${options} - ${type} source ${options.startsWith('ro') ? 'ro' : 'rw'}`;
  return { files: { '/proc/self/mountinfo': `${[...MOUNTS, line].join('\n')}\n` } };
}

/** The healthy mounts, and one more. */
export function mountedAt(point: string, type: string, options: string): Breakage {
  const line = `31 20 0:41 / ${point} ${options} - ${type} source rw`;
  return { files: { '/proc/self/mountinfo': `${[...MOUNTS, line].join('\n')}\n` } };
}

/** The path of ann's delegated controllers. */
export { DELEGATED };

import { suite } from 'uvu';
import { assertOneFinding, type BrokenHost, sysctl, without } from './check-host.ts';
import { DELEGATED, homeOn } from './fake-host.ts';

const test = suite('tsman doctor where devices, programs or room are missing');

const HOSTS: readonly BrokenHost[] = [
  [
    'no helper',
    without('/usr/bin/tsman-helper'),
    'missing',
    'helper-missing',
    /install tsman again/,
  ],
  [
    'a helper that is not executable',
    { modes: { '/usr/bin/tsman-helper': 0o644 } },
    'missing',
    'helper-not-executable',
    /^chmod 755 \/usr\/bin\/tsman-helper$/,
  ],
  ['no /dev/fuse', without('/dev/fuse'), 'limited', 'fuse-missing', /modprobe fuse/],
  [
    'a closed /dev/fuse',
    { closed: ['/dev/fuse'] },
    'limited',
    'fuse-closed',
    /chmod 0666 \/dev\/fuse/,
  ],
  ['no /dev/net/tun', without('/dev/net/tun'), 'missing', 'tun-missing', /modprobe tun/],
  [
    'a closed /dev/net/tun',
    { closed: ['/dev/net/tun'] },
    'missing',
    'tun-closed',
    /chmod 0666 \/dev\/net\/tun/,
  ],
  [
    'no pasta',
    without('/usr/bin/pasta'),
    'missing',
    'pasta-missing',
    /^sudo apt-get install passt$/,
  ],
  [
    'slirp4netns only',
    {
      files: { '/usr/bin/pasta': undefined, '/usr/bin/slirp4netns': '' },
      modes: { '/usr/bin/slirp4netns': 0o755 },
    },
    'limited',
    'slirp-only',
    /install passt/,
  ],
  [
    'cgroup v1',
    without('/sys/fs/cgroup/cgroup.controllers'),
    'limited',
    'cgroup-v1',
    /unified_cgroup_hierarchy/,
  ],
  [
    'only memory and pids delegated',
    { files: { [DELEGATED]: 'memory pids\n' } },
    'limited',
    'cgroup-not-delegated',
    /Delegate=cpu/,
  ],
  [
    'no delegation at all',
    { files: { [DELEGATED]: '\n' } },
    'limited',
    'cgroup-not-delegated',
    /Delegate=/,
  ],
  ['no user manager', without(DELEGATED), 'limited', 'no-session', /enable-linger ann/],
  [
    'a session with lingering off',
    without('/var/lib/systemd/linger/ann'),
    'limited',
    'no-linger',
    /enable-linger ann/,
  ],
  [
    "su, with the other one's XDG_RUNTIME_DIR",
    { files: { '/run/user/0/x': '' }, env: { PATH: '/usr/bin', XDG_RUNTIME_DIR: '/run/user/0' } },
    'limited',
    'runtime-dir-foreign',
    /export XDG_RUNTIME_DIR=\/run\/user\/1000/,
  ],
  [
    'no run-time directory',
    { files: { '/run/user/1000/x': undefined }, env: { PATH: '/usr/bin' } },
    'limited',
    'runtime-dir-unset',
    /enable-linger/,
  ],
  [
    'a higher first port',
    sysctl('net.ipv4.ip_unprivileged_port_start', '8000'),
    'limited',
    'low-ports',
    /ip_unprivileged_port_start = 80'/,
  ],
  [
    'no ping for users',
    sysctl('net.ipv4.ping_group_range', '1\t0'),
    'limited',
    'ping-range',
    /ping_group_range = 0 2147483647/,
  ],
  [
    'a home on NFS',
    homeOn('nfs4'),
    'missing',
    'remote-file-system',
    /export TSMAN_ROOT=\/var\/tmp\/tsman-1000/,
  ],
  ['a home on Lustre', homeOn('lustre'), 'missing', 'remote-file-system', /TSMAN_ROOT/],
  ['a home on 9p (WSL)', homeOn('9p'), 'missing', 'remote-file-system', /TSMAN_ROOT/],
  ['a home on an overlay', homeOn('overlay'), 'missing', 'odd-file-system', /TSMAN_ROOT/],
  ['a home on ecryptfs', homeOn('ecryptfs'), 'missing', 'odd-file-system', /TSMAN_ROOT/],
  [
    'a home mounted read-only',
    homeOn('ext4', 'ro,relatime'),
    'missing',
    'disk-read-only',
    /TSMAN_ROOT/,
  ],
  [
    'a home mounted noexec',
    homeOn('ext4', 'rw,noexec'),
    'missing',
    'noexec-root',
    /remount,exec \/home/,
  ],
  ['a full disk', { space: { freeBytes: 10 ** 7 } }, 'missing', 'disk-full', /tsman system prune/],
  ['no inodes left', { space: { freeInodes: 12 } }, 'missing', 'inodes-full', /tsman system prune/],
];

for (const host of HOSTS) test(`${host[0]}: one cause, one action`, () => assertOneFinding(host));

test.run();

import { suite } from 'uvu';
import { assertOneFinding, type BrokenHost, sysctl, without } from './check-host.ts';
import { type Breakage, mountedAt } from './fake-host.ts';

const test = suite('tsman doctor where namespaces are missing');

const onDistribution = (id: string, ...absent: string[]): Breakage => ({
  files: { ...without(...absent).files, '/etc/os-release': `ID=${id}\n` },
});
const subids = (content: string): Breakage => ({
  files: { '/etc/subuid': content, '/etc/subgid': content },
});
const LESS = 'ann:100000:1000\n';
const NESTED = '0 1000 1\n1 100000 65536\n';

const HOSTS: readonly BrokenHost[] = [
  ['Linux 4.18 (RHEL 8)', { release: '4.18.0-553.el8' }, 'missing', 'kernel-old', /newer kernel/],
  ['Linux 5.11', { release: '5.11.0' }, 'missing', 'kernel-old', /newer kernel/],
  [
    'no CONFIG_USER_NS',
    without('/proc/self/ns/user'),
    'missing',
    'no-user-namespaces',
    /CONFIG_USER_NS/,
  ],
  [
    'max_user_namespaces 0',
    sysctl('user.max_user_namespaces', '0'),
    'missing',
    'max-user-namespaces',
    /user.max_user_namespaces = 28633/,
  ],
  [
    'Debian 10: userns_clone 0',
    sysctl('kernel.unprivileged_userns_clone', '0'),
    'missing',
    'unprivileged-userns-clone',
    /unprivileged_userns_clone = 1/,
  ],
  [
    'Ubuntu 24.04: AppArmor',
    sysctl('kernel.apparmor_restrict_unprivileged_userns', '1'),
    'missing',
    'apparmor-userns',
    /apparmor_parser -r/,
  ],
  [
    'Ubuntu with a profile that lacks userns',
    {
      files: {
        ...sysctl('kernel.apparmor_restrict_unprivileged_userns', '1').files,
        '/etc/apparmor.d/tsman': 'profile tsman {}\n',
      },
    },
    'missing',
    'apparmor-userns',
    /apparmor_parser -r/,
  ],
  [
    'seccomp of an outer container',
    { userns: 'EPERM' },
    'missing',
    'userns-refused',
    /seccomp=unconfined/,
  ],
  ['outer limit of namespaces', { userns: 'ENOSPC' }, 'missing', 'userns-refused', /outer one/],
  [
    'no overlay in the kernel',
    { files: { '/proc/filesystems': '\text4\n' } },
    'missing',
    'overlay-missing',
    /modprobe overlay/,
  ],
  [
    'no subordinate ids',
    subids('ben:165536:65536\n'),
    'missing',
    'subids-missing',
    /usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann/,
  ],
  [
    'no /etc/subuid and /etc/subgid at all',
    without('/etc/subuid', '/etc/subgid'),
    'missing',
    'subids-missing',
    /usermod/,
  ],
  ['no /etc/subgid', without('/etc/subgid'), 'missing', 'subids-missing', /--add-subgids/],
  [
    'a garbled /etc/subuid',
    { files: { '/etc/subuid': 'ann 100000 65536\n' } },
    'missing',
    'subids-missing',
    /--add-subuids/,
  ],
  ['a range of 1000 ids', subids(LESS), 'limited', 'subids-small', /--add-subuids/],
  [
    'too few subordinate gids only',
    { files: { '/etc/subgid': LESS } },
    'limited',
    'subids-small',
    /--add-subgids/,
  ],
  [
    "a range that is another user's too",
    { files: { '/etc/subuid': 'ann:100000:65536\nben:120000:65536\n' } },
    'missing',
    'subids-overlap',
    /--del-subuids 120000-185535/,
  ],
  [
    'a container whose map ends below the range',
    { files: { '/proc/self/uid_map': NESTED } },
    'missing',
    'subids-outside',
    /uid_map/,
  ],
  [
    'no newuidmap',
    without('/usr/bin/newuidmap'),
    'missing',
    'idmap-missing',
    /^sudo apt-get install uidmap$/,
  ],
  [
    'no newgidmap',
    without('/usr/bin/newgidmap'),
    'missing',
    'idmap-missing',
    /^sudo apt-get install uidmap$/,
  ],
  [
    'Fedora without shadow-utils',
    onDistribution('fedora', '/usr/bin/newuidmap', '/usr/bin/newgidmap'),
    'missing',
    'idmap-missing',
    /^sudo dnf install shadow-utils$/,
  ],
  [
    'Alpine without shadow-uidmap',
    onDistribution('alpine', '/usr/bin/newuidmap', '/usr/bin/newgidmap'),
    'missing',
    'idmap-missing',
    /^sudo apk add shadow-uidmap$/,
  ],
  [
    'newuidmap without its set-uid bit',
    { modes: { '/usr/bin/newuidmap': 0o755 } },
    'missing',
    'idmap-powerless',
    /^sudo chmod u\+s \/usr\/bin\/newuidmap$/,
  ],
  [
    'newgidmap without its set-uid bit',
    { modes: { '/usr/bin/newgidmap': 0o755 } },
    'missing',
    'idmap-powerless',
    /chmod u\+s \/usr\/bin\/newgidmap/,
  ],
  [
    'newgidmap with the wrong capability',
    { modes: { '/usr/bin/newgidmap': 0o755 }, capabilities: 'cap_setuid=ep' },
    'missing',
    'idmap-powerless',
    /newgidmap/,
  ],
  [
    '/usr mounted nosuid',
    mountedAt('/usr', 'ext4', 'rw,nosuid'),
    'missing',
    'idmap-nosuid',
    /remount,suid \/usr/,
  ],
  [
    'NoNewPrivileges=yes',
    { files: { '/proc/self/status': 'NoNewPrivs:\t1\n' } },
    'missing',
    'no-new-privileges',
    /NoNewPrivileges=/,
  ],
];

for (const host of HOSTS) test(`${host[0]}: one cause, one action`, () => assertOneFinding(host));

test.run();

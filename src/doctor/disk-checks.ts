import { dirname } from 'node:path';
import { type Check, type Finding, ok, problem } from './check.ts';
import type { Host } from './host.ts';
import { type Mount, mountOf } from './mounts.ts';

const LEAST_BYTES = 256 * 1024 * 1024;
const LEAST_INODES = 5000;
const MEBIBYTE = 1024 * 1024;

const REMOTE = [
  'nfs',
  'nfs4',
  'cifs',
  'smb3',
  '9p',
  'lustre',
  'gpfs',
  'afs',
  'ceph',
  'beegfs',
  'glusterfs',
  'fuse.sshfs',
  'fuse.glusterfs',
  'virtiofs',
];
const NO_UPPER = [
  'overlay',
  'vfat',
  'exfat',
  'ntfs',
  'ntfs3',
  'fuseblk',
  'ecryptfs',
  'zfs',
  'msdos',
  'iso9660',
  'squashfs',
];
/** ZFS takes part in overlay from 2.2 on; the module says which it is. */
const ZFS_VERSION = '/sys/module/zfs/version';

/** Where images and containers lie. */
export const DISK_CHECKS: readonly Check[] = [
  { name: 'data root', steps: ['overlay', 'exec'], run: fileSystem },
  { name: 'disk space', run: diskSpace },
  { name: 'inodes', run: inodes },
];

/** The data root, or what there is of the way to it. */
function existing(host: Host): string {
  let path = host.dataRoot;
  while (host.stat(path) === undefined && path !== '/') path = dirname(path);
  return path;
}

function fileSystem(host: Host): Finding {
  const path = host.dataRoot;
  const mount = mountOf(host, existing(host));
  if (mount === undefined) return ok(path);
  const { type } = mount;
  if (REMOTE.includes(type)) return problem('missing', 'remote-file-system', host, { path, type });
  if (isNoUpper(host, mount)) return problem('missing', 'odd-file-system', host, { path, type });
  if (mount.options.includes('ro')) return problem('missing', 'disk-read-only', host, { path });
  if (mount.options.includes('noexec'))
    return problem('missing', 'noexec-root', host, { path, mount: mount.point });
  return ok(`${path} on ${type}`);
}

function isNoUpper(host: Host, { type }: Mount): boolean {
  if (type === 'zfs') return /^(0\.|2\.[01]\b)/.test(host.read(ZFS_VERSION) ?? '0.');
  return NO_UPPER.includes(type);
}

function diskSpace(host: Host): Finding {
  const space = host.space(existing(host));
  if (space === undefined) return ok('not known');
  const free = `${Math.floor(space.freeBytes / MEBIBYTE)} MiB`;
  return space.freeBytes < LEAST_BYTES
    ? problem('missing', 'disk-full', host, { path: host.dataRoot, free })
    : ok(`${free} free`);
}

function inodes(host: Host): Finding {
  const space = host.space(existing(host));
  // btrfs and others have no fixed number of inodes and say 0 of 0.
  if (space === undefined || space.totalInodes === 0) return ok('not limited');
  return space.freeInodes < LEAST_INODES
    ? problem('missing', 'inodes-full', host, {
        path: host.dataRoot,
        free: String(space.freeInodes),
      })
    : ok(`${space.freeInodes} free`);
}

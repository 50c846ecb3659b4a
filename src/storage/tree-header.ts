import { constants } from 'node:fs';
import type { FsEntry } from '../helper/fs-protocol.ts';
import type { TarWriteEntry } from '../oci/tar-write.ts';

/** What goes into an archive: a file of some tree, or what hides something in the layers below. */
export type TarSource =
  | {
      readonly kind: 'entry';
      /** In the archive; latin1 text, one character for each byte. */
      readonly path: string;
      readonly entry: FsEntry;
      /** The directory below the agent's in which the file is, under the same path; '' = the agent's. */
      readonly tree: string;
    }
  | { readonly kind: 'whiteout' | 'opaque'; readonly path: string };

const TYPE_FLAGS: Readonly<Record<number, string>> = {
  [constants.S_IFREG]: '0',
  [constants.S_IFLNK]: '2',
  [constants.S_IFCHR]: '3',
  [constants.S_IFBLK]: '4',
  [constants.S_IFDIR]: '5',
  [constants.S_IFIFO]: '6',
};
/** The overlay's own notes, and a label that belongs to this machine. */
const PRIVATE_XATTR =
  /^((user|trusted)\.(overlay|fuseoverlayfs)\.|user\.containers\.|security\.selinux$)/;

const NO_FILE = {
  mode: 0,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  linkName: '',
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: [],
  typeFlag: '0',
};

/** image-spec layer.md, "Whiteouts" and "Opaque Whiteout". */
function markHeader(kind: 'whiteout' | 'opaque', path: string): TarWriteEntry {
  if (kind === 'opaque') return { ...NO_FILE, name: `${path}/.wh..wh..opq` };
  const name = path.lastIndexOf('/') + 1;
  return { ...NO_FILE, name: `${path.slice(0, name)}.wh.${path.slice(name)}` };
}

/** An entry's header; undefined for what no archive can keep. `firstNames` remembers hard links. */
export function headerOf(
  source: TarSource,
  firstNames: Map<string, string>,
): TarWriteEntry | undefined {
  if (source.kind !== 'entry') return markHeader(source.kind, source.path);
  const { entry, path, tree } = source;
  const type = TYPE_FLAGS[entry.mode & constants.S_IFMT];
  if (type === undefined) return undefined;
  const inode = entry.linkCount > 1 && type !== '5' ? `${tree} ${entry.inode}` : undefined;
  const first = inode === undefined ? undefined : firstNames.get(inode);
  if (inode !== undefined && first === undefined) firstNames.set(inode, path);
  return {
    name: type === '5' ? `${path}/` : path,
    typeFlag: first === undefined ? type : '1',
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    sizeBytes: type === '0' && first === undefined ? entry.sizeBytes : 0,
    // Whole seconds, as Docker and Podman: a fraction would cost each file a pax header of 1 KiB.
    mtime: { seconds: entry.mtime.seconds, nanoseconds: 0 },
    linkName: first ?? (type === '2' ? entry.linkTarget.toString('latin1') : ''),
    deviceMajor: entry.deviceMajor,
    deviceMinor: entry.deviceMinor,
    xattrs: first === undefined ? ownXattrs(entry) : [],
  };
}

function ownXattrs({ xattrs }: FsEntry): TarWriteEntry['xattrs'] {
  if (xattrs.length === 0) return NO_FILE.xattrs;
  return xattrs
    .map(({ name, value }) => ({ name: name.toString('latin1' as 'utf8'), value }))
    .filter(({ name }) => !PRIVATE_XATTR.test(name));
}

import { TsmanError } from '../base/error.ts';
import type { FsAttributes, FsEntry, FsPath, FsXattr } from './fs-protocol.ts';

/** Lines of an id map: what the files' owner is called inside, and on the disk. */
export type OwnerRanges = readonly {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}[];

/** A tree below the pinned directory whose files have the owners of a container's own id map. */
export interface OwnerView {
  /** '' = everything. */
  readonly below: string;
  readonly uids: OwnerRanges;
  readonly gids: OwnerRanges;
}

/** user_namespaces(7): what an id without a place in the map is shown as. */
const OVERFLOW_ID = 65534;

function isBelow({ below }: OwnerView, path: FsPath): boolean {
  const text = typeof path === 'string' ? path : path.toString('latin1');
  return below === '' || text === below || text.startsWith(`${below}/`);
}

function inside(ranges: OwnerRanges, id: number): number {
  const line = ranges.find(({ hostID, size }) => id >= hostID && id < hostID + size);
  return line === undefined ? OVERFLOW_ID : line.containerID + id - line.hostID;
}

function outside(ranges: OwnerRanges, id: number): number {
  const line = ranges.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  if (line === undefined)
    throw new TsmanError(`id ${id} has no place in the container's user namespace`);
  return line.hostID + id - line.containerID;
}

/** What a walk from `path` finds, as the container sees it. */
export function seenOwner(view: OwnerView | undefined, path: FsPath, entry: FsEntry): FsEntry {
  if (view === undefined || !isBelow(view, path)) return entry;
  return {
    ...entry,
    uid: inside(view.uids, entry.uid),
    gid: inside(view.gids, entry.gid),
    xattrs: entry.xattrs.map(withoutRootID),
  };
}

const CAPABILITIES_V3_BYTES = 24;
const REVISION_MASK = 0xff000000;

/** capabilities(7), "File capability extended attribute versioning": 3 is 2 with the namespace's root behind it. */
function withoutRootID(xattr: FsXattr): FsXattr {
  const { name, value } = xattr;
  if (name.toString() !== 'security.capability' || value.length !== CAPABILITIES_V3_BYTES)
    return xattr;
  const plain = Buffer.from(value.subarray(0, CAPABILITIES_V3_BYTES - 4));
  plain.writeUInt32LE(((plain.readUInt32LE(0) & ~REVISION_MASK) | 0x02000000) >>> 0, 0);
  return { name, value: plain };
}

/** What the container asks for, as it is on the disk. @throws TsmanError for ids it does not have */
export function storedOwner(
  view: OwnerView | undefined,
  path: FsPath,
  attributes: FsAttributes,
): FsAttributes {
  if (view === undefined || attributes.owner === undefined || !isBelow(view, path))
    return attributes;
  const { uid, gid } = attributes.owner;
  return { ...attributes, owner: { uid: outside(view.uids, uid), gid: outside(view.gids, gid) } };
}

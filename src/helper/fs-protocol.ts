import { constants } from 'node:fs';

/** The requests of the fs stream; formats in native/README.md, "The fs stream". */
export const FS_OPERATION = {
  mkdir: 1,
  file: 2,
  data: 3,
  symlink: 4,
  hardLink: 5,
  whiteout: 6,
  opaque: 7,
  node: 8,
  set: 9,
  remove: 10,
  rename: 11,
  walk: 12,
  read: 13,
  usage: 14,
  sync: 15,
  exchange: 16,
  copyLayer: 17,
} as const;

export const FS_REPLY = { ready: 1, ok: 2, failed: 3, entry: 4, data: 5, end: 6 } as const;

/** Bytes of a frame's header: length (32 bits), operation, three zeros. */
export const FS_HEADER_BYTES = 8;
/** The most a request's payload may have; the helper refuses more. */
export const FS_PAYLOAD_MAX_BYTES = 1 << 20;

/** A path below the pinned directory: text is UTF-8, bytes are taken as they are. No `..`. */
export type FsPath = string | Buffer;

export interface FsXattr {
  readonly name: FsPath;
  readonly value: Buffer;
}

/** What to set; what is absent stays as the kernel made it (owner 0:0, mode 0644 or 0755, now). */
export interface FsAttributes {
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly mode?: number;
  readonly mtime?: FsTime;
  readonly xattrs?: readonly FsXattr[];
}

export interface FsTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export type FsNodeType = 'fifo' | 'character' | 'block' | 'socket';

/** One entry of a walk. Ids are those inside the engine's user namespace. */
export interface FsEntry {
  /** Relative to where the walk began, which is itself the entry with an empty path. */
  readonly path: Buffer;
  /** Type and permissions, st_mode of stat(2). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly linkCount: number;
  readonly sizeBytes: number;
  readonly inode: bigint;
  /** Of 512 bytes. */
  readonly blocks: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly mtime: FsTime;
  readonly linkTarget: Buffer;
  readonly xattrs: readonly FsXattr[];
}

/** What the agent had to leave out, since it started. */
export interface FsCounters {
  readonly devicesSkipped: number;
  readonly ownersSquashed: number;
  readonly xattrsDropped: number;
  /** Which are among the former. */
  readonly aclsDropped: number;
}

/** The type bits for `node`. */
export const FS_NODE_MODE: Readonly<Record<FsNodeType, number>> = {
  fifo: constants.S_IFIFO,
  character: constants.S_IFCHR,
  block: constants.S_IFBLK,
  socket: constants.S_IFSOCK,
};

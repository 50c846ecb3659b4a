import { hasCode } from '../base/error.ts';
import type { FsConnection } from './fs-connection.ts';
import { type OwnerRanges, type OwnerView, seenOwner, storedOwner } from './fs-owners.ts';
import { FsPayload, type FsReplyReader } from './fs-payload.ts';
import {
  FS_NODE_MODE,
  FS_OPERATION,
  FS_PAYLOAD_MAX_BYTES,
  type FsAttributes,
  type FsCounters,
  type FsEntry,
  type FsNodeType,
  type FsPath,
} from './fs-protocol.ts';

/** A part of a file's content. */
export interface FsData {
  readonly offset: number;
  readonly bytes: Buffer;
}

async function* readData(replies: AsyncIterable<FsReplyReader>): AsyncGenerator<FsData> {
  for await (const reader of replies) yield { offset: reader.number(), bytes: reader.rest() };
}

/**
 * Speaks the fs stream (native/README.md) with one helper. Changing operations return at once; the
 * first that fails makes every later call throw. Call `drain` now and then, `sync` at the end: only
 * its return says that everything was done. Always `close`.
 */
export class FsAgent {
  readonly #connection: FsConnection;
  readonly #owners: OwnerView | undefined;

  /** @param owners where files have other owners than who asks is to see */
  constructor(connection: FsConnection, owners?: OwnerView) {
    this.#connection = connection;
    this.#owners = owners;
  }

  #payload(path: FsPath, attributes: FsAttributes): FsPayload {
    return new FsPayload().attributes(storedOwner(this.#owners, path, attributes)).bytes(path);
  }

  /** Makes a directory; one that exists keeps its content. Its mtime is set by the next `sync`. */
  mkdir(path: FsPath, attributes: FsAttributes): void {
    this.#connection.send(FS_OPERATION.mkdir, this.#payload(path, { mode: 0o755, ...attributes }));
  }

  /** Makes a regular file of this size; `data` calls fill it, what they leave out is a hole. */
  file(path: FsPath, attributes: FsAttributes, sizeBytes: number): void {
    this.#connection.send(FS_OPERATION.file, this.#payload(path, attributes).u64(sizeBytes));
  }

  /** Content of the file begun last. The chunk must not change afterwards. */
  data(offset: number, chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + FS_PAYLOAD_MAX_BYTES - 8);
      this.#connection.send(FS_OPERATION.data, new FsPayload().u64(offset + at), part);
      at += part.length;
    }
  }

  symlink(path: FsPath, target: FsPath, attributes: FsAttributes): void {
    this.#connection.send(FS_OPERATION.symlink, this.#payload(path, attributes).bytes(target));
  }

  hardLink(path: FsPath, target: FsPath): void {
    this.#connection.send(FS_OPERATION.hardLink, new FsPayload().bytes(path).bytes(target));
  }

  /** Hides what lower layers have under this name. */
  whiteout(path: FsPath): void {
    this.#connection.send(FS_OPERATION.whiteout, new FsPayload().bytes(path));
  }

  /** Hides everything that lower layers have in this directory. */
  opaque(path: FsPath): void {
    this.#connection.send(FS_OPERATION.opaque, new FsPayload().bytes(path));
  }

  /** A fifo, socket or device; devices are counted and left out where a user namespace forbids them. */
  node(
    path: FsPath,
    type: FsNodeType,
    device: { major: number; minor: number },
    attributes: FsAttributes,
  ): void {
    const payload = this.#payload(path, attributes);
    this.#connection.send(
      FS_OPERATION.node,
      payload.u32(FS_NODE_MODE[type]).u32(device.major).u32(device.minor),
    );
  }

  /** Changes attributes of what exists. */
  set(path: FsPath, attributes: FsAttributes): void {
    this.#connection.send(FS_OPERATION.set, this.#payload(path, attributes));
  }

  /** Removes a file or a whole tree; no failure when it is not there. */
  remove(path: FsPath): void {
    this.#connection.send(FS_OPERATION.remove, new FsPayload().bytes(path));
  }

  rename(from: FsPath, to: FsPath): void {
    this.#connection.send(FS_OPERATION.rename, new FsPayload().bytes(from).bytes(to));
  }

  /** Both exist and swap their names at once, so that neither name is ever missing. */
  exchange(one: FsPath, other: FsPath): void {
    this.#connection.send(FS_OPERATION.exchange, new FsPayload().bytes(one).bytes(other));
  }

  /**
   * Copies an unpacked layer for an id map; `to` must not exist. Large files become references to
   * `redirect` in an overlay's data-only layer, unless that is empty.
   * @param maps an id in the layer (containerID), and in the copy (hostID)
   */
  copyLayer(from: FsPath, to: FsPath, redirect: string, ...maps: [OwnerRanges, OwnerRanges]): void {
    const payload = new FsPayload().bytes(from).bytes(to).bytes(redirect);
    for (const ranges of maps) {
      payload.u32(ranges.length);
      for (const { containerID, hostID, size } of ranges)
        payload.u32(containerID).u32(hostID).u32(size);
    }
    this.#connection.send(FS_OPERATION.copyLayer, payload);
  }

  /** The helper's process, for who names things after it. */
  get pid(): number {
    return this.#connection.pid;
  }

  /** Leaves the helper to finish what was asked for, even when this process ends. */
  async release(): Promise<void> {
    await this.#connection.release();
  }

  /** Everything below `path`, itself first, names sorted, parents before children. */
  async *walk(
    path: FsPath,
    options: { oneFileSystem?: boolean; xattrs?: boolean; itself?: boolean } = {},
  ): AsyncGenerator<FsEntry> {
    const flags =
      (options.oneFileSystem === true ? 1 : 0) |
      (options.xattrs === false ? 0 : 2) |
      (options.itself === true ? 4 : 0);
    const replies = this.#connection.ask(FS_OPERATION.walk, new FsPayload().bytes(path).u32(flags));
    for await (const reader of replies) yield seenOwner(this.#owners, path, reader.entry());
  }

  /** What is at a path, links not followed; undefined when nothing is. */
  async stat(path: FsPath): Promise<FsEntry | undefined> {
    try {
      for await (const entry of this.walk(path, { itself: true })) return entry;
    } catch (error) {
      if (!hasCode(error, 'ENOENT') && !hasCode(error, 'ENOTDIR')) throw error;
    }
    return undefined;
  }

  /** A regular file's content; ranges that no part covers are holes. */
  async *readFile(
    path: FsPath,
    offset = 0,
    length = Number.MAX_SAFE_INTEGER,
  ): AsyncGenerator<FsData> {
    yield* this.startRead(path, offset, length);
  }

  /** A small file's content in parts, asked for now as with startRead. */
  async readSmall(path: FsPath, sizeBytes: number): Promise<readonly FsData[]> {
    const payload = new FsPayload().bytes(path).u64(0).u64(sizeBytes);
    const parts = await this.#connection.ask(FS_OPERATION.read, payload).all();
    return parts.map((reader) => ({ offset: reader.number(), bytes: reader.rest() }));
  }

  /** As readFile, but asked for now: of several under way none waits for another. Take them in order. */
  startRead(path: FsPath, offset: number, length: number): AsyncGenerator<FsData> {
    const payload = new FsPayload().bytes(path).u64(offset).u64(length);
    return readData(this.#connection.ask(FS_OPERATION.read, payload));
  }

  /** What a tree takes on the disk; a file with several names counts once. */
  async usage(path: FsPath): Promise<{ sizeBytes: number; inodes: number }> {
    for await (const reader of this.#connection.ask(
      FS_OPERATION.usage,
      new FsPayload().bytes(path).u32(0),
    ))
      return { sizeBytes: 512 * reader.number(), inodes: reader.number() };
    throw new Error('the rootfs agent gave no answer');
  }

  /** Waits until everything asked for is done, directories' mtimes included. */
  async sync(options: { toDisk?: boolean } = {}): Promise<FsCounters> {
    for await (const it of this.#connection.ask(
      FS_OPERATION.sync,
      new FsPayload().u32(options.toDisk === true ? 1 : 0),
    ))
      return {
        devicesSkipped: it.number(),
        ownersSquashed: it.number(),
        xattrsDropped: it.number(),
        aclsDropped: it.number(),
      };
    throw new Error('the rootfs agent gave no answer');
  }

  /** Waits when much is under way; call it between operations to keep memory flat. */
  async drain(): Promise<void> {
    await this.#connection.drain();
  }

  /** Ends the helper and waits for that; what was not synced may be left undone. */
  async close(options: { kill?: boolean } = {}): Promise<void> {
    await this.#connection.close(options);
  }
}

import type { FsAttributes, FsEntry, FsPath } from './fs-protocol.ts';

/*
 * The payloads of the fs stream's frames, as bytes: native/README.md, "The fs stream".
 */

const SET_OWNER = 1;
const SET_MODE = 2;
const SET_MTIME = 4;

/** Grows to the largest payload there was; one for all: a Buffer for each would be most of an unpacking's garbage. */
let scratch = Buffer.allocUnsafe(4096);

/** Builds one request's payload; it is valid until the next one is begun. */
export class FsPayload {
  #used = 0;

  get length(): number {
    return this.#used;
  }

  copy(target: Buffer, at: number): number {
    return scratch.copy(target, at, 0, this.#used);
  }

  u32(value: number): this {
    this.#room(4);
    this.#used = scratch.writeUInt32LE(value >>> 0, this.#used);
    return this;
  }

  u64(value: number): this {
    // Two's complement in two halves, without a BigInt.
    return this.u32(value % 2 ** 32).u32(Math.floor(value / 2 ** 32));
  }

  bytes(value: FsPath): this {
    const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    this.u32(length).#room(length);
    if (typeof value === 'string') scratch.write(value, this.#used);
    else value.copy(scratch, this.#used);
    this.#used += length;
    return this;
  }

  attributes({ owner, mode, mtime, xattrs = [] }: FsAttributes): this {
    const set =
      (owner === undefined ? 0 : SET_OWNER) |
      (mode === undefined ? 0 : SET_MODE) |
      (mtime === undefined ? 0 : SET_MTIME);
    // A file without a mode of its own is made with these bits.
    this.u32(set)
      .u32(owner?.uid ?? 0)
      .u32(owner?.gid ?? 0)
      .u32(mode ?? 0o644);
    this.u64(mtime?.seconds ?? 0)
      .u32(mtime?.nanoseconds ?? 0)
      .u32(xattrs.length);
    for (const { name, value } of xattrs) this.bytes(name).bytes(value);
    return this;
  }

  #room(bytes: number): void {
    if (this.#used + bytes <= scratch.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#used + bytes));
    scratch.copy(larger, 0, 0, this.#used);
    scratch = larger;
  }
}

/** Reads one reply's payload. */
export class FsReplyReader {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  u32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  u64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64LE(this.#at - 8);
  }

  number(): number {
    return Number(this.u64());
  }

  bytes(): Buffer {
    const length = this.u32();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  entry(): FsEntry {
    const path = this.bytes();
    const [mode, uid, gid, linkCount] = [this.u32(), this.u32(), this.u32(), this.u32()];
    const [sizeBytes, inode, blocks] = [this.number(), this.u64(), this.number()];
    const [deviceMajor, deviceMinor] = [this.u32(), this.u32()];
    const mtime = { seconds: Number(BigInt.asIntN(64, this.u64())), nanoseconds: this.u32() };
    const linkTarget = this.bytes();
    const xattrs = Array.from({ length: this.u32() }, () => ({
      name: this.bytes(),
      value: this.bytes(),
    }));
    return {
      ...{ path, mode, uid, gid, linkCount, sizeBytes, inode, blocks, deviceMajor, deviceMinor },
      ...{ mtime, linkTarget, xattrs },
    };
  }
}

import type { FsPayload } from './fs-payload.ts';
import { FS_HEADER_BYTES } from './fs-protocol.ts';

const BATCH_BYTES = 256 << 10;
/** Content from this size on is handed over as it is instead of being copied into the batch. */
const DIRECT_BYTES = 32 << 10;

/** Blocks kept for later: about as many as are under way at once. */
const SPARE_BLOCKS = 6;

/** Memory that requests are put into. It is used again when all of it is written. */
interface Block {
  readonly bytes: Buffer;
  writes: number;
  isFull: boolean;
}

/** Gathers requests, so that a write to the helper carries many of them. */
export class FsBatch {
  /** Number of the request added last; the helper counts in the same way. */
  sequence = 0;
  readonly #write: (bytes: Buffer, onWritten?: () => void) => void;
  readonly #spare: Block[] = [];
  #block = newBlock(BATCH_BYTES);
  #start = 0;
  #used = 0;

  /** @param write calls back when the bytes may change again */
  constructor(write: (bytes: Buffer, onWritten?: () => void) => void) {
    this.#write = write;
  }

  /** @param content follows the payload; it must not change until it is written */
  add(operation: number, payload: FsPayload, content: Buffer | undefined): void {
    const contentBytes = content === undefined ? 0 : content.length;
    const isDirect = contentBytes >= DIRECT_BYTES;
    this.#makeRoom(FS_HEADER_BYTES + payload.length + (isDirect ? 0 : contentBytes));
    const { bytes } = this.#block;
    this.#used = bytes.writeUInt32LE(payload.length + contentBytes, this.#used);
    this.#used = bytes.writeUInt32LE(operation, this.#used);
    this.#used += payload.copy(bytes, this.#used);
    this.sequence++;
    if (content === undefined) return;
    if (!isDirect) {
      this.#used += content.copy(bytes, this.#used);
      return;
    }
    this.flush();
    this.#write(content);
  }

  flush(): void {
    if (this.#used === this.#start) return;
    const block = this.#block;
    const part = block.bytes.subarray(this.#start, this.#used);
    this.#start = this.#used;
    block.writes++;
    this.#write(part, () => {
      block.writes--;
      this.#recycle(block);
    });
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#block.bytes.length - this.#used) return;
    this.flush();
    this.#block.isFull = true;
    this.#recycle(this.#block);
    const spare = bytes <= BATCH_BYTES ? this.#spare.pop() : undefined;
    this.#block = spare ?? newBlock(Math.max(bytes, BATCH_BYTES));
    this.#block.isFull = false;
    this.#start = this.#used = 0;
  }

  #recycle(block: Block): void {
    const isFree = block.isFull && block.writes === 0 && block.bytes.length === BATCH_BYTES;
    if (isFree && this.#spare.length < SPARE_BLOCKS) this.#spare.push(block);
  }
}

function newBlock(length: number): Block {
  return { bytes: Buffer.allocUnsafe(length), writes: 0, isFull: false };
}

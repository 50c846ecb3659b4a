import { FS_HEADER_BYTES, type FsPayload } from './fs-protocol.ts';

const BATCH_BYTES = 256 << 10;
/** Content from this size on is handed over as it is instead of being copied into the batch. */
const DIRECT_BYTES = 32 << 10;

/** Gathers requests, so that a write to the helper carries many of them. */
export class FsBatch {
  /** Number of the request added last; the helper counts in the same way. */
  sequence = 0;
  readonly #write: (bytes: Buffer) => void;
  #buffer = Buffer.allocUnsafe(BATCH_BYTES);
  #used = 0;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** @param content follows the payload; it must not change until it is written */
  add(operation: number, payload: FsPayload, content: Buffer | undefined): void {
    const direct = content !== undefined && content.length >= DIRECT_BYTES;
    const parts = content === undefined || direct ? payload.parts : [...payload.parts, content];
    let bytes = FS_HEADER_BYTES;
    for (const part of parts) bytes += part.length;
    if (bytes > this.#buffer.length - this.#used) this.flush();
    if (bytes > this.#buffer.length)
      this.#buffer = Buffer.allocUnsafe(Math.max(bytes, BATCH_BYTES));
    const length = bytes - FS_HEADER_BYTES + (direct ? content.length : 0);
    this.#used = this.#buffer.writeUInt32LE(length, this.#used);
    this.#used = this.#buffer.writeUInt32LE(operation, this.#used);
    for (const part of parts) this.#used += part.copy(this.#buffer, this.#used);
    this.sequence++;
    if (!direct) return;
    this.flush();
    this.#write(content);
  }

  flush(): void {
    if (this.#used === 0) return;
    // The stream keeps what it was given until it is written; the rest of the buffer is still free.
    this.#write(this.#buffer.subarray(0, this.#used));
    this.#buffer = this.#buffer.subarray(this.#used);
    this.#used = 0;
  }
}

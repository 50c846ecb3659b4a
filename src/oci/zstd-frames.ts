import { TsmanError } from '../base/error.ts';

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

/**
 * Follows the frames of a zstd stream (RFC 8878, section 3.1) without decoding them: node:zlib takes
 * a stream that stops in the middle, or is followed by garbage, for a good one.
 */
export class ZstdFrames {
  #state: 'magic' | 'header' | 'block' | 'skippable' = 'magic';
  #wanted = 4;
  #held: number[] = [];
  #skip = 0;
  #hasChecksum = false;

  /** @throws TsmanError at what can be no frame */
  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const size = Math.min(this.#skip, chunk.length - at);
        this.#skip -= size;
        at += size;
        continue;
      }
      this.#held.push(chunk[at++] ?? 0);
      if (this.#held.length === this.#wanted) this.#field();
    }
  }

  /** @throws TsmanError when the last frame is not complete */
  end(): void {
    const isComplete = this.#state === 'magic' && this.#held.length === 0 && this.#skip === 0;
    if (!isComplete) throw new TsmanError('zstd stream is truncated');
  }

  #field(): void {
    const bytes = Buffer.from(this.#held);
    if (this.#state === 'magic') this.#magic(bytes.readUInt32LE());
    else if (this.#state === 'skippable') this.#next('magic', 4, bytes.readUInt32LE());
    else if (this.#state === 'header') this.#frameHeader(bytes[0] ?? 0);
    else this.#blockHeader(bytes.readUIntLE(0, 3));
  }

  #next(state: 'magic' | 'header' | 'block' | 'skippable', wanted: number, skip = 0): void {
    this.#state = state;
    this.#wanted = wanted;
    this.#skip = skip;
    this.#held = [];
  }

  #magic(magic: number): void {
    if (magic === FRAME_MAGIC) this.#next('header', 1);
    else if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) this.#next('skippable', 4);
    else throw new TsmanError('zstd stream is followed by something else');
  }

  #frameHeader(descriptor: number): void {
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const sizeFlag = descriptor >> 6;
    const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
    this.#hasChecksum = (descriptor & 4) !== 0;
    this.#next('block', 3, (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes);
  }

  #blockHeader(header: number): void {
    const isLast = (header & 1) !== 0;
    const isRunLength = ((header >> 1) & 3) === 1;
    const size = isRunLength ? 1 : header >> 3;
    if (isLast) this.#next('magic', 4, size + (this.#hasChecksum ? 4 : 0));
    else this.#next('block', 3, size);
  }
}

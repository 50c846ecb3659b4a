import { TsmanError } from '../base/error.ts';
import { TAR_BLOCK_BYTES, tarNumber } from './tar-header.ts';
import { type PaxRecords, paxNumber } from './tar-pax.ts';

/** Where a part of a sparse file's stored content belongs. */
export interface SparsePart {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** More parts than any real file has; a hostile map must not fill the memory. */
const PARTS_MAX = 1 << 20;
const PAX_MAP_MAX_BYTES = 16 << 20;

/**
 * GNU's formats of sparse files (GNU tar manual, "Storing Sparse Files"): the old one (type `S`, the
 * map in the header and in blocks after it), pax 0.0 and 0.1 (in records), pax 1.0 (before the data).
 */
export class SparseMap {
  readonly realSizeBytes: number;
  readonly parts: SparsePart[] = [];
  /** Bytes of map that come before the content; they count as content of the entry. */
  mapBytes = 0;
  #wantsBlock: 'old' | 'pax' | undefined;
  #text = '';

  private constructor(realSizeBytes: number) {
    this.realSizeBytes = realSizeBytes;
  }

  static fromOldHeader(block: Buffer): SparseMap {
    const map = new SparseMap(tarNumber(block, 483, 12));
    map.#addOld(block, 386, 4);
    map.#wantsBlock = block[482] === 0 ? undefined : 'old';
    return map;
  }

  /** Undefined when the records do not speak of a sparse file. */
  static fromPax(records: PaxRecords): SparseMap | undefined {
    const major = paxNumber(records, 'GNU.sparse.major');
    const list = records.get('GNU.sparse.map');
    if (major === undefined && list === undefined) return undefined;
    const real = paxNumber(records, 'GNU.sparse.realsize') ?? paxNumber(records, 'GNU.sparse.size');
    if (real === undefined) throw new TsmanError('invalid sparse file in tar archive: no size');
    const map = new SparseMap(real);
    if (major === 1) map.#wantsBlock = 'pax';
    else map.#addNumbers((list ?? '').split(',').filter((text) => text !== ''));
    return map;
  }

  /** True while `addBlock` wants the next 512 bytes. */
  get wantsBlock(): boolean {
    return this.#wantsBlock !== undefined;
  }

  addBlock(block: Buffer): void {
    if (this.#wantsBlock === 'old') {
      this.#addOld(block, 0, 21);
      if (block[504] === 0) this.#wantsBlock = undefined;
      return;
    }
    this.mapBytes += TAR_BLOCK_BYTES;
    this.#text += block.toString('latin1');
    if (this.mapBytes > PAX_MAP_MAX_BYTES)
      throw new TsmanError('sparse map in tar archive is too large');
    this.#finishPax();
  }

  /** @throws TsmanError unless the parts are in order, within the file, and as long as what is stored */
  check(storedBytes: number): void {
    let end = 0;
    let sum = 0;
    for (const { offset, sizeBytes } of this.parts) {
      if (offset < end || sizeBytes > this.realSizeBytes - offset)
        throw new TsmanError('invalid sparse map in tar archive');
      end = offset + sizeBytes;
      sum += sizeBytes;
    }
    if (sum !== storedBytes) throw new TsmanError('invalid sparse map in tar archive: wrong sum');
  }

  #addOld(block: Buffer, start: number, count: number): void {
    for (let at = start; at < start + 24 * count && block[at] !== 0; at += 24)
      this.#add(tarNumber(block, at, 12), tarNumber(block, at + 12, 12));
  }

  /** Count of parts, then offset and size of each, a line for every number. */
  #finishPax(): void {
    // Only the last block can complete the map: look at the count of lines, not at all the text again.
    const first = this.#text.indexOf('\n');
    if (first < 0) return;
    const count = Number(this.#text.slice(0, first));
    if (!Number.isSafeInteger(count) || count > PARTS_MAX)
      throw new TsmanError('invalid sparse map in tar archive');
    if (this.#text.length < 4 * count) return;
    const lines = this.#text.split('\n', 2 * count + 2);
    if (lines.length < 2 * count + 2) return;
    this.#addNumbers(lines.slice(1, 2 * count + 1));
    this.#wantsBlock = undefined;
    this.#text = '';
  }

  #addNumbers(texts: string[]): void {
    const numbers = texts.map((text) => (/^[0-9]+$/.test(text) ? Number(text) : Number.NaN));
    for (let at = 0; at < numbers.length; at += 2)
      this.#add(numbers[at] ?? Number.NaN, numbers[at + 1] ?? Number.NaN);
  }

  #add(offset: number, sizeBytes: number): void {
    const isSane =
      Number.isSafeInteger(offset) &&
      Number.isSafeInteger(sizeBytes) &&
      offset >= 0 &&
      sizeBytes >= 0;
    if (!isSane || this.parts.length === PARTS_MAX)
      throw new TsmanError('invalid sparse map in tar archive');
    this.parts.push({ offset, sizeBytes });
  }
}

import { TsmanError } from '../base/error.ts';
import { paxAcls } from './tar-acl.ts';
import type { TarHandler, TarReadEntry } from './tar-entry.ts';
import { parseTarHeader, TAR_BLOCK_BYTES, type TarHeader } from './tar-header.ts';
import { type PaxRecords, parsePaxRecords, paxNumber, paxTime, paxXattrs } from './tar-pax.ts';
import { SparseMap } from './tar-sparse.ts';

/** A pax header or GNU long name that is larger is an attack or not a tar archive. */
const EXTENSION_MAX_BYTES = 1 << 20;
const NO_RECORDS: PaxRecords = new Map();

/**
 * Reads a tar archive as it comes. Why not a package: docs/storage.md, "Reading tar".
 *
 * Follows Go's archive/tar where archives are ambiguous, so that a layer is what Docker and Podman
 * take it for: global pax headers are ignored, links and devices have no content whatever their size
 * says, an archive may end without its blocks of zeros.
 */
export class TarReader {
  readonly #handler: TarHandler;
  #rest: Buffer = Buffer.alloc(0);
  #extension: { flag: string; bytes: Buffer[]; left: number } | undefined;
  #records = NO_RECORDS;
  #longName: string | undefined;
  #longLink: string | undefined;
  #sparse: SparseMap | undefined;
  #sparseHeader: TarHeader | undefined;
  #contentLeft = 0;
  #offset = 0;
  #part = 0;
  #padding = 0;
  #hasEnded = false;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  write(chunk: Buffer): void {
    if (this.#hasEnded) return;
    let at = 0;
    while (at < chunk.length && !this.#hasEnded) {
      const used =
        this.#rest.length > 0
          ? this.#fillBlock(chunk.subarray(at))
          : this.#take(chunk.subarray(at));
      at += used;
    }
  }

  /** @throws TsmanError when the archive stops in the middle */
  end(): void {
    if (this.#hasEnded) return;
    const isOpen = this.#contentLeft > 0 || this.#rest.length > 0 || this.#extension !== undefined;
    if (isOpen || this.#sparseHeader !== undefined)
      throw new TsmanError('tar archive is truncated');
  }

  /** Takes what it can from the front of the chunk; returns how much. */
  #take(chunk: Buffer): number {
    if (this.#extension !== undefined && this.#extension.left > 0)
      return this.#takeExtension(chunk);
    if (this.#contentLeft > 0 && this.#sparseHeader === undefined) return this.#takeContent(chunk);
    if (this.#padding > 0) {
      const skipped = Math.min(this.#padding, chunk.length);
      this.#padding -= skipped;
      return skipped;
    }
    if (chunk.length < TAR_BLOCK_BYTES) {
      this.#rest = chunk;
      return chunk.length;
    }
    this.#block(chunk.subarray(0, TAR_BLOCK_BYTES));
    return TAR_BLOCK_BYTES;
  }

  #fillBlock(chunk: Buffer): number {
    const missing = TAR_BLOCK_BYTES - this.#rest.length;
    this.#rest = Buffer.concat([this.#rest, chunk.subarray(0, missing)]);
    if (this.#rest.length < TAR_BLOCK_BYTES) return chunk.length;
    const block = this.#rest;
    this.#rest = Buffer.alloc(0);
    this.#block(block);
    return missing;
  }

  #block(block: Buffer): void {
    if (this.#sparseHeader !== undefined) {
      this.#sparse?.addBlock(block);
      if (this.#sparse?.wantsBlock !== true) this.#begin(this.#sparseHeader);
      return;
    }
    const header = parseTarHeader(block);
    if (header === undefined) this.#hasEnded = true;
    else if ('xgLK'.includes(header.typeFlag)) this.#beginExtension(header);
    else this.#header(header, block);
  }

  #header(header: TarHeader, block: Buffer): void {
    const isFile = '07S'.includes(header.typeFlag);
    this.#sparse = header.typeFlag === 'S' ? SparseMap.fromOldHeader(block) : undefined;
    if (isFile) this.#sparse ??= SparseMap.fromPax(this.#records);
    if (this.#sparse?.wantsBlock === true) this.#sparseHeader = header;
    else this.#begin(header);
  }

  #begin(header: TarHeader): void {
    const records = this.#records;
    const stored = paxNumber(records, 'size') ?? header.sizeBytes;
    if (stored < 0) throw new TsmanError('invalid tar header: negative size');
    const isEmpty = '123456'.includes(header.typeFlag);
    this.#contentLeft = isEmpty ? 0 : stored - (this.#sparse?.mapBytes ?? 0);
    this.#padding = isEmpty ? 0 : -stored & (TAR_BLOCK_BYTES - 1);
    this.#offset = 0;
    this.#part = 0;
    this.#sparse?.check(this.#contentLeft);
    const entry = this.#entry(header, isEmpty ? 0 : (this.#sparse?.realSizeBytes ?? stored));
    this.#sparseHeader = undefined;
    this.#records = NO_RECORDS;
    this.#longName = this.#longLink = undefined;
    this.#handler.entry(entry);
  }

  #entry(header: TarHeader, sizeBytes: number): TarReadEntry {
    const records = this.#records;
    const sparseName = this.#sparse === undefined ? undefined : records.get('GNU.sparse.name');
    return {
      name: sparseName || records.get('path') || this.#longName || header.name,
      linkName: records.get('linkpath') || this.#longLink || header.linkName,
      typeFlag: '7S'.includes(header.typeFlag) ? '0' : header.typeFlag,
      mode: header.mode,
      uid: paxNumber(records, 'uid') ?? header.uid,
      gid: paxNumber(records, 'gid') ?? header.gid,
      sizeBytes,
      mtime: paxTime(records) ?? { seconds: header.mtimeSeconds, nanoseconds: 0 },
      deviceMajor: header.deviceMajor,
      deviceMinor: header.deviceMinor,
      xattrs: records.size === 0 ? [] : [...paxAcls(records), ...paxXattrs(records)],
    };
  }

  #takeContent(chunk: Buffer): number {
    const part = this.#sparse?.parts[this.#part];
    if (this.#sparse !== undefined && part !== undefined && this.#offset >= part.sizeBytes) {
      this.#part++;
      this.#offset = 0;
      return 0;
    }
    const room = part === undefined ? this.#contentLeft : part.sizeBytes - this.#offset;
    const size = Math.min(chunk.length, room);
    this.#handler.data((part?.offset ?? 0) + this.#offset, chunk.subarray(0, size));
    this.#offset += size;
    this.#contentLeft -= size;
    return size;
  }

  #beginExtension(header: TarHeader): void {
    const { typeFlag: flag, sizeBytes } = header;
    if (sizeBytes < 0 || sizeBytes > EXTENSION_MAX_BYTES)
      throw new TsmanError(
        `tar archive has an extended header of ${sizeBytes} bytes, the limit is ${EXTENSION_MAX_BYTES}`,
      );
    this.#extension = { flag, bytes: [], left: sizeBytes };
    this.#padding = -sizeBytes & (TAR_BLOCK_BYTES - 1);
    if (sizeBytes === 0) this.#endExtension();
  }

  #takeExtension(chunk: Buffer): number {
    const extension = this.#extension;
    if (extension === undefined) return 0;
    const size = Math.min(chunk.length, extension.left);
    extension.bytes.push(chunk.subarray(0, size));
    extension.left -= size;
    if (extension.left === 0) this.#endExtension();
    return size;
  }

  #endExtension(): void {
    const { flag, bytes } = this.#extension ?? { flag: '', bytes: [] };
    this.#extension = undefined;
    const content = Buffer.concat(bytes);
    const end = content.indexOf(0);
    if (flag === 'x') this.#records = parsePaxRecords(content);
    else if (flag === 'L')
      this.#longName = content.toString('latin1', 0, end < 0 ? content.length : end);
    else if (flag === 'K')
      this.#longLink = content.toString('latin1', 0, end < 0 ? content.length : end);
  }
}

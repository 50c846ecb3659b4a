import { TsmanError } from '../base/error.ts';

export const TAR_BLOCK_BYTES = 512;

/** The fields of one 512-byte header (POSIX pax(1), "ustar Interchange Format", and GNU's variant). */
export interface TarHeader {
  /** As bytes, one character for each (latin1): names need not be UTF-8. */
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  /** A character, e.g. `0` file, `5` directory. */
  readonly typeFlag: string;
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** Undefined for a block of zeros, which ends an archive. */
export function parseTarHeader(block: Buffer): TarHeader | undefined {
  if (!hasValidChecksum(block)) {
    if (block.every((byte) => byte === 0)) return undefined;
    throw new TsmanError('invalid tar header: wrong checksum');
  }
  const magic = block.toString('latin1', 257, 265);
  const isPosix = magic.startsWith('ustar\0');
  const isKnown = isPosix || magic === 'ustar  \0';
  const prefix = isPosix ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  const flag = String.fromCharCode(block[156] ?? 0);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: tarNumber(block, 100, 8) & 0o7777,
    uid: tarNumber(block, 108, 8),
    gid: tarNumber(block, 116, 8),
    sizeBytes: tarNumber(block, 124, 12),
    mtimeSeconds: tarNumber(block, 136, 12),
    // Before POSIX a directory was a file whose name ends in a slash.
    typeFlag: flag === '\0' ? (name.endsWith('/') ? '5' : '0') : flag,
    linkName: text(block, 157, 100),
    deviceMajor: isKnown ? tarNumber(block, 329, 8) : 0,
    deviceMinor: isKnown ? tarNumber(block, 337, 8) : 0,
  };
}

function text(block: Buffer, start: number, length: number): string {
  const end = block.indexOf(0, start);
  return block.toString('latin1', start, end < 0 || end > start + length ? start + length : end);
}

/**
 * An octal field with blanks and NULs around it, or (first bit set) a binary one in two's
 * complement, GNU's way to say more than 8 GiB or a time before 1970.
 */
export function tarNumber(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x80) !== 0) return binaryNumber(block.subarray(start, start + length));
  const digits = block.toString('latin1', start, start + length).replace(/^[ \0]+|[ \0].*$/gs, '');
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw new TsmanError('invalid tar header: a number is not octal');
  return Number.parseInt(digits, 8);
}

function binaryNumber(bytes: Buffer): number {
  const isNegative = ((bytes[0] ?? 0) & 0x40) !== 0;
  let value = isNegative ? -1n : 0n;
  for (const [at, byte] of bytes.entries())
    value = (value << 8n) | BigInt(at === 0 && !isNegative ? byte & 0x7f : byte);
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new TsmanError('invalid tar header: a number is too large');
  return number;
}

/** The sum of all bytes, the checksum's own taken as blanks; some old archives summed signed bytes. */
function hasValidChecksum(block: Buffer): boolean {
  let unsigned = 8 * 32;
  let signed = unsigned;
  for (let at = 0; at < TAR_BLOCK_BYTES; at++) {
    if (at === 148) at = 156;
    const byte = block[at] ?? 0;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  const field = block.toString('latin1', 148, 156).replace(/[ \0]+/g, '');
  const wanted = /^[0-7]+$/.test(field) ? Number.parseInt(field, 8) : -1;
  return wanted === unsigned || wanted === signed;
}

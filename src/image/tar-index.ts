import * as fs from 'node:fs';
import { posix } from 'node:path';
import { TsmanError } from '../base/error.ts';

/**
 * Where the members of an image archive lie in its file, read from the headers alone: contents are
 * skipped, so that a layer that is already stored costs nothing. Nothing is unpacked and no member's
 * name ever becomes a path on the disk. Reads ustar, GNU long names and pax (tar(5)).
 */
export interface TarMember {
  readonly offset: number;
  readonly sizeBytes: number;
  /** For a symbolic or hard link: the member it means, as a cleaned name. */
  readonly linkTo: string | undefined;
}

const BLOCK = 512;
const MAX_MEMBERS = 100_000;
const MAX_EXTENSION_BYTES = 1 << 20;

/** @throws TsmanError when it is no tar archive, or a damaged one */
export function indexTar(descriptor: number): Map<string, TarMember> {
  const members = new Map<string, TarMember>();
  const fileBytes = fs.fstatSync(descriptor).size;
  let next: Record<string, string> = {};
  for (let at = 0; ; ) {
    const header = readExactly(descriptor, at, BLOCK);
    if (header === undefined && at === 0) throw new TsmanError('this is no tar archive');
    if (header === undefined || header.every((byte) => byte === 0)) return members;
    checkSum(header, at);
    const type = String.fromCharCode(header[156] ?? 0);
    const sizeBytes =
      next['size'] === undefined ? number(header.subarray(124, 136)) : Number(next['size']);
    const offset = at + BLOCK;
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || offset + sizeBytes > fileBytes)
      throw new TsmanError('archive is cut off or damaged');
    at = offset + Math.ceil(sizeBytes / BLOCK) * BLOCK;
    if (isExtension(type)) {
      next = { ...next, ...readExtension(descriptor, type, offset, sizeBytes) };
      continue;
    }
    addMember(members, header, { type, offset, sizeBytes, extra: next });
    next = {};
  }
}

function addMember(
  members: Map<string, TarMember>,
  header: Buffer,
  {
    type,
    offset,
    sizeBytes,
    extra,
  }: { type: string; offset: number; sizeBytes: number; extra: Record<string, string> },
): void {
  const prefix =
    header.toString('latin1', 257, 262) === 'ustar' ? text(header.subarray(345, 500)) : '';
  const shortName = text(header.subarray(0, 100));
  const name = cleanName(extra['path'] ?? (prefix === '' ? shortName : `${prefix}/${shortName}`));
  const linkName = extra['linkpath'] ?? text(header.subarray(157, 257));
  const isLink = type === '1' || type === '2';
  if (!isLink && type !== '0' && type !== '\0') return;
  const linkTo = !isLink
    ? undefined
    : cleanName(type === '1' ? linkName : `${posix.dirname(name)}/${linkName}`);
  if (members.has(name)) throw new TsmanError(`archive holds ${JSON.stringify(name)} twice`);
  if (members.size >= MAX_MEMBERS)
    throw new TsmanError(`archive has more than ${MAX_MEMBERS} members`);
  members.set(name, { offset, sizeBytes, linkTo });
}

/** `./a/../b` is `b`. What points outside keeps its dots and so is never found. */
export function cleanName(name: string): string {
  return posix.normalize(name).replace(/^\/+/, '');
}

function isExtension(type: string): boolean {
  return 'xgLK'.includes(type);
}

function readExtension(
  descriptor: number,
  type: string,
  offset: number,
  sizeBytes: number,
): Record<string, string> {
  if (sizeBytes > MAX_EXTENSION_BYTES)
    throw new TsmanError('archive has a name or attribute of more than 1 MiB');
  const body = readExactly(descriptor, offset, sizeBytes);
  if (body === undefined) throw new TsmanError('archive is cut off or damaged');
  if (type === 'L') return { path: text(body) };
  if (type === 'K') return { linkpath: text(body) };
  return type === 'x' ? paxRecords(body) : {};
}

/** `LENGTH key=value\n`, LENGTH counting itself. */
function paxRecords(body: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.toString('latin1', at, Math.max(space, at)));
    if (space === -1 || !Number.isSafeInteger(length) || length <= 0)
      throw new TsmanError('archive has a damaged pax header');
    const [key, ...value] = body.toString('utf8', space + 1, at + length - 1).split('=');
    if (key === 'path' || key === 'linkpath' || key === 'size') records[key] = value.join('=');
    at += length;
  }
  return records;
}

function checkSum(header: Buffer, at: number): void {
  let sum = 8 * 0x20;
  for (const [i, byte] of header.entries()) if (i < 148 || i >= 156) sum += byte;
  if (number(header.subarray(148, 156)) === sum) return;
  throw new TsmanError(
    at === 0 ? 'this is no tar archive' : 'archive is damaged: a header has a wrong checksum',
  );
}

/** Octal text, or big-endian binary behind a set top bit (GNU, for more than 8 GiB). */
function number(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) !== 0)
    return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  return Number.parseInt(text(field).trim() || '0', 8);
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

function readExactly(descriptor: number, offset: number, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  let got = 0;
  while (got < length) {
    const count = fs.readSync(descriptor, bytes, got, length - got, offset + got);
    if (count === 0) return undefined;
    got += count;
  }
  return bytes;
}

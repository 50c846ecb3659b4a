import { TAR_BLOCK_BYTES } from './tar-header.ts';

/** One entry's metadata for an archive. Names are latin1 text, one character for each byte. */
export interface TarWriteEntry {
  readonly name: string;
  /** A character of ustar: `0` file, `1` hard link, `2` symbolic link, `3`/`4` device, `5` directory, `6` fifo. */
  readonly typeFlag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtime: { readonly seconds: number; readonly nanoseconds: number };
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: readonly { readonly name: string; readonly value: Buffer }[];
  /** Further pax records. */
  readonly records?: readonly (readonly [key: string, value: string])[];
}

const LARGEST_ID = 0o7777777;
const LARGEST_SIZE = 0o77777777777;

/** The header blocks of an entry: ustar, with a pax header before it for what ustar cannot say. */
export function tarEntryHeader(entry: TarWriteEntry): Buffer {
  const records = paxRecords(entry);
  const own = ustarHeader(entry);
  if (records.length === 0) return own;
  const name = `PaxHeaders/${entry.name.slice(-80)}`;
  const plain = { ...entry, name, typeFlag: 'x', linkName: '', mode: 0o644, uid: 0, gid: 0 };
  const head = ustarHeader({ ...plain, sizeBytes: records.length });
  return Buffer.concat([head, records, tarPadding(records.length), own]);
}

/** What fills the last block of `sizeBytes` bytes of content. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
}

/** Two blocks of zeros end an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * TAR_BLOCK_BYTES);

function paxRecords(entry: TarWriteEntry): Buffer {
  const records: Buffer[] = [];
  const add = (key: string, value: string | Buffer): void => {
    records.push(paxRecord(key, Buffer.from(value as string, 'latin1')));
  };
  if (needsPax(entry.name, 100)) add('path', entry.name);
  if (needsPax(entry.linkName, 100)) add('linkpath', entry.linkName);
  if (entry.sizeBytes > LARGEST_SIZE) add('size', String(entry.sizeBytes));
  if (entry.uid > LARGEST_ID) add('uid', String(entry.uid));
  if (entry.gid > LARGEST_ID) add('gid', String(entry.gid));
  const { seconds, nanoseconds } = entry.mtime;
  if (nanoseconds !== 0 || seconds < 0 || seconds > LARGEST_SIZE)
    add('mtime', decimalTime(seconds, nanoseconds));
  for (const { name, value } of entry.xattrs) add(`SCHILY.xattr.${name}`, value);
  for (const [key, value] of entry.records ?? []) add(key, value);
  return Buffer.concat(records);
}

/** Before 1970 the nanoseconds count against the seconds: -1 s and 5e8 ns is -0.5. */
function decimalTime(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds);
  const [whole, rest] =
    seconds < 0 ? [seconds + 1, 1_000_000_000 - nanoseconds] : [seconds, nanoseconds];
  const sign = seconds < 0 && whole === 0 ? '-' : '';
  return `${sign}${whole}.${String(rest).padStart(9, '0')}`;
}

/** Too long for its field, or not ASCII: then pax says it in UTF-8. */
function needsPax(text: string, fieldBytes: number): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII
  return text.length > fieldBytes || !/^[\u0000-\u007f]*$/.test(text);
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits too. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length;
  while (length !== rest.length + String(length).length)
    length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function ustarHeader(entry: TarWriteEntry): Buffer {
  const bytes = Buffer.alloc(TAR_BLOCK_BYTES);
  const octal = (value: number, at: number, digits: number, most: number): void => {
    const shown = Math.max(0, Math.min(value, most));
    bytes.write(`${shown.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  };
  bytes.write(entry.name.slice(0, 100), 0, 'latin1');
  octal(entry.mode & 0o7777, 100, 7, LARGEST_ID);
  octal(entry.uid, 108, 7, LARGEST_ID);
  octal(entry.gid, 116, 7, LARGEST_ID);
  octal(entry.sizeBytes, 124, 11, LARGEST_SIZE);
  octal(entry.mtime.seconds, 136, 11, LARGEST_SIZE);
  bytes.write(`        ${entry.typeFlag}`, 148, 'latin1');
  bytes.write(entry.linkName.slice(0, 100), 157, 'latin1');
  bytes.write('ustar\u000000', 257, 'latin1');
  octal(entry.deviceMajor, 329, 7, LARGEST_ID);
  octal(entry.deviceMinor, 337, 7, LARGEST_ID);
  let sum = 0;
  for (let at = 0; at < TAR_BLOCK_BYTES; at++) sum += bytes[at] ?? 0;
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

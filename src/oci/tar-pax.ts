import { TsmanError } from '../base/error.ts';

/** Records of a pax header: keys and values as bytes, one character for each (latin1). */
export type PaxRecords = ReadonlyMap<string, string>;

const XATTR_PREFIX = 'SCHILY.xattr.';

/** Reads `LENGTH KEY=VALUE\n` records (POSIX pax(1), "pax Extended Header"). */
export function parsePaxRecords(bytes: Buffer): PaxRecords {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const digits = bytes.toString('latin1', at, blank < 0 ? at : Math.min(blank, at + 20));
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, blank);
    const isWhole = /^[0-9]+$/.test(digits) && end <= bytes.length && bytes[end - 1] === 0x0a;
    if (!isWhole || equals < 0 || equals >= end) throw new TsmanError('invalid pax header');
    const key = bytes.toString('latin1', blank + 1, equals);
    const value = bytes.toString('latin1', equals + 1, end - 1);
    addRecord(records, key, value);
    at = end;
  }
  return records;
}

/** Sparse maps of version 0.0 repeat two keys; they become the one list of version 0.1. */
function addRecord(records: Map<string, string>, key: string, value: string): void {
  if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
    const list = records.get('GNU.sparse.map');
    records.set('GNU.sparse.map', list === undefined ? value : `${list},${value}`);
  } else {
    records.set(key, value);
  }
}

/** A decimal record such as `size`; undefined when absent or empty. */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const value = records.get(key);
  if (value === undefined || value === '') return undefined;
  const number = Number(value);
  if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(number))
    throw new TsmanError(`invalid pax header: ${key}`);
  return number;
}

/** `mtime`, seconds with any number of decimals, also before 1970. */
export function paxTime(records: PaxRecords): { seconds: number; nanoseconds: number } | undefined {
  const value = records.get('mtime');
  if (value === undefined || value === '') return undefined;
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(value);
  if (match === null) throw new TsmanError('invalid pax header: mtime');
  const [, sign, whole, fraction = ''] = match;
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return { seconds, nanoseconds };
  // -1.25 is 0.75 after -2.
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

/** Extended attributes as GNU tar, star, Docker and Podman write them: raw bytes. */
export function paxXattrs(records: PaxRecords): { name: Buffer; value: Buffer }[] {
  const xattrs = [];
  for (const [key, value] of records) {
    if (!key.startsWith(XATTR_PREFIX)) continue;
    const name = Buffer.from(key.slice(XATTR_PREFIX.length), 'latin1');
    xattrs.push({ name, value: Buffer.from(value, 'latin1') });
  }
  return xattrs;
}

import type { PaxRecords } from './tar-pax.ts';

/** The records of star and GNU tar (`--acls`), and the attributes of Linux that hold the same. */
const ATTRIBUTES = [
  ['SCHILY.acl.access', 'system.posix_acl_access'],
  ['SCHILY.acl.default', 'system.posix_acl_default'],
] as const;

/** linux/posix_acl_xattr.h: a version, then tag, permissions and id of each entry. */
const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const NO_ID = 0xffffffff;
const TAGS = {
  user: 0x01,
  namedUser: 0x02,
  group: 0x04,
  namedGroup: 0x08,
  mask: 0x10,
  other: 0x20,
};

/** The kernel refuses it: whoever counts what could not be kept counts it, too. */
const REFUSED = Buffer.of(0);

interface AclEntry {
  readonly tag: number;
  readonly permissions: number;
  readonly id: number;
}

/** Access control lists that an archive has as text, as the attributes that Linux keeps them in. */
export function paxAcls(records: PaxRecords): { name: Buffer; value: Buffer }[] {
  return ATTRIBUTES.flatMap(([key, name]) => {
    const text = records.get(key);
    if (text === undefined || text === '') return [];
    return [{ name: Buffer.from(name), value: aclAttribute(text) ?? REFUSED }];
  });
}

/** acl(5), "ACL text forms"; undefined when it has a name instead of an id, or is no such text. */
function aclAttribute(text: string): Buffer | undefined {
  const entries: AclEntry[] = [];
  for (const line of text.split(/[,\n]/)) {
    const words = line.replace(/#.*/, '').trim();
    if (words === '') continue;
    const entry = aclEntry(words);
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  // In the order of their tags and ids, or the kernel refuses them.
  entries.sort((a, b) => a.tag - b.tag || a.id - b.id);
  const value = Buffer.alloc(HEADER_BYTES + entries.length * ENTRY_BYTES);
  value.writeUInt32LE(VERSION, 0);
  for (const [i, { tag, permissions, id }] of entries.entries()) {
    const at = HEADER_BYTES + i * ENTRY_BYTES;
    value.writeUInt16LE(tag, at);
    value.writeUInt16LE(permissions, at + 2);
    value.writeUInt32LE(id, at + 4);
  }
  return value;
}

/** `user:33:rw-`; star writes the id behind a name: `user:www-data:rw-:33`. */
function aclEntry(text: string): AclEntry | undefined {
  const match = /^(user|group|mask|other|[ugmo]):([^:]*):([rwx-]{3})(?::([0-9]+))?$/.exec(text);
  const [, kind = '', who = '', bits = '', number = who] = match ?? [];
  if (match === null) return undefined;
  const permissions =
    (bits.includes('r') ? 4 : 0) | (bits.includes('w') ? 2 : 0) | (bits.includes('x') ? 1 : 0);
  if (who === '') {
    const whole = { u: TAGS.user, g: TAGS.group, m: TAGS.mask, o: TAGS.other }[kind[0] ?? ''];
    return whole === undefined ? undefined : { tag: whole, permissions, id: NO_ID };
  }
  const tag = { u: TAGS.namedUser, g: TAGS.namedGroup }[kind[0] ?? ''];
  const id = Number(number);
  if (tag === undefined || !/^[0-9]{1,10}$/.test(number) || id >= NO_ID) return undefined;
  return { tag, permissions, id };
}

import { UsageError } from '../base/error.ts';
import { isIP, isIPv4 } from '../base/ip-address.ts';

/** A network: its first address as a number, and how many bits of an address name it. */
export interface Subnet {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly prefix: number;
}

const BITS = { 4: 32, 6: 128 } as const;

/** An address as a number. @throws UsageError */
export function parseIP(option: string, text: string): { family: 4 | 6; value: bigint } {
  const family = isIP(text);
  if (family !== 4 && family !== 6)
    throw new UsageError(`option ${option}: ${JSON.stringify(text)} is not an IP address`);
  return { family, value: family === 4 ? value4(text) : value6(text) };
}

function value4(text: string): bigint {
  return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function value6(text: string): bigint {
  // ::ffff:10.0.0.1
  const plain = text.replace(/[^:]*$/, (last) =>
    isIPv4(last)
      ? `${(value4(last) >> 16n).toString(16)}:${(value4(last) & 0xffffn).toString(16)}`
      : last,
  );
  const [head = '', tail] = plain.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const after = groups(tail ?? '');
  const before = groups(head);
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<string>(zeros).fill('0'), ...after].reduce(
    (sum, group) => sum * 65536n + BigInt(`0x${group}`),
    0n,
  );
}

/** The usual text of an address (RFC 5952 for IPv6). */
export function formatIP(family: 4 | 6, value: bigint): string {
  const size = family === 4 ? 8n : 16n;
  const count = family === 4 ? 4 : 8;
  const mask = (1n << size) - 1n;
  const parts = Array.from(
    { length: count },
    (_, i) => (value >> (size * BigInt(count - 1 - i))) & mask,
  );
  if (family === 4) return parts.join('.');
  const text = parts.map((part) => part.toString(16)).join(':');
  const zeros = [...text.matchAll(/(?:^|:)0(?::0)+(?:$|:)/g)].sort(
    (a, b) => b[0].length - a[0].length,
  )[0];
  return zeros === undefined
    ? text
    : `${text.slice(0, zeros.index)}::${text.slice(zeros.index + zeros[0].length)}`;
}

/** `10.89.0.0/24`; bits beyond the prefix are cut off. @throws UsageError */
export function parseSubnet(option: string, text: string): Subnet {
  const [address = '', bits = '', more] = text.split('/');
  const { family, value } = parseIP(option, address);
  const prefix = Number(bits);
  if (!/^\d{1,3}$/.test(bits) || more !== undefined || prefix > BITS[family] - 2 || prefix < 1)
    throw new UsageError(`option ${option}: ${JSON.stringify(text)} is not ADDRESS/BITS`);
  return { family, prefix, first: value & ~((1n << hostBits({ family, prefix })) - 1n) };
}

function hostBits({ family, prefix }: Pick<Subnet, 'family' | 'prefix'>): bigint {
  return BigInt(BITS[family] - prefix);
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatIP(subnet.family, subnet.first)}/${subnet.prefix}`;
}

/** Its last address: of IPv4 the broadcast address. */
export function lastAddress(subnet: Subnet): bigint {
  return subnet.first + (1n << hostBits(subnet)) - 1n;
}

export function contains(subnet: Subnet, family: 4 | 6, value: bigint): boolean {
  return family === subnet.family && value >= subnet.first && value <= lastAddress(subnet);
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return contains(a, b.family, b.first) || contains(b, a.family, a.first);
}

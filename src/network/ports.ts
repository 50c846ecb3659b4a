import { UsageError } from '../base/error.ts';
import { isIPv4, isIPv6 } from '../base/ip-address.ts';

/** One published range; shapes as in Podman's inspect. */
export interface PortMapping {
  /** Empty = every address of the host. */
  readonly hostIP: string;
  /** 0 = a free one, chosen at start. */
  readonly hostPort: number;
  readonly containerPort: number;
  /** How many consecutive ports. */
  readonly range: number;
  readonly protocol: 'tcp' | 'udp';
  /** A single container port takes the first free one of so many from `hostPort` on. */
  readonly hostChoices?: number;
}

const GRAMMAR = '[[ip:][hostPort[-end]]:]containerPort[-end][/tcp|udp]';

/**
 * Parses the value of `-p`.
 * @throws UsageError that repeats the value and the grammar
 */
export function parsePublish(text: string): PortMapping {
  const bad = (why: string): UsageError =>
    new UsageError(`invalid port mapping ${JSON.stringify(text)}: ${why}`, {
      hint: `the form is ${GRAMMAR}`,
    });
  const [address, protocol = 'tcp', ...more] = text.split('/');
  if (more.length > 0 || (protocol !== 'tcp' && protocol !== 'udp')) {
    if (protocol === 'sctp')
      throw new UsageError('sctp ports need root: a rootless network cannot forward them');
    throw bad(`unknown protocol ${JSON.stringify(protocol)}`);
  }
  const { hostIP, hostPart, containerPart } = splitAddress(address ?? '', bad);
  const container = parseRange(containerPart, bad);
  if (hostPart === '')
    return {
      hostIP,
      hostPort: 0,
      containerPort: container.first,
      range: container.count,
      protocol,
    };
  const host = hostPart === '0' ? { first: 0, count: container.count } : parseRange(hostPart, bad);
  // A single container port may take any free one of a host range (Docker); equal ranges go pairwise.
  if (host.count !== container.count && container.count > 1)
    throw bad(`${host.count} host ports for ${container.count} container ports`);
  return {
    hostIP,
    hostPort: host.first,
    containerPort: container.first,
    range: container.count,
    protocol,
    ...(host.count === container.count ? {} : { hostChoices: host.count }),
  };
}

function splitAddress(
  text: string,
  bad: (why: string) => UsageError,
): { hostIP: string; hostPart: string; containerPart: string } {
  const v6 = /^\[([0-9a-fA-F:.]+)\]:(.*)$/.exec(text);
  const parts = (v6 === null ? text : (v6[2] as string)).split(':');
  const containerPart = parts.pop() ?? '';
  const hostPart = parts.pop() ?? '';
  const hostIP = v6 === null ? (parts.pop() ?? '') : (v6[1] as string);
  if (parts.length > 0) throw bad('too many colons; an IPv6 address goes in brackets');
  const isAddress = v6 === null ? hostIP === '' || isIPv4(hostIP) : isIPv6(hostIP);
  if (!isAddress) throw bad(`${JSON.stringify(hostIP)} is not an IP address`);
  return { hostIP, hostPart, containerPart };
}

function parseRange(
  text: string,
  bad: (why: string) => UsageError,
): { first: number; count: number } {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) throw bad(`${JSON.stringify(text)} is not a port or a range`);
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  if (first < 1 || last > 65535 || last < first)
    throw bad(`${JSON.stringify(text)} is outside 1-65535 or runs backwards`);
  return { first, count: last - first + 1 };
}

/** `8080/tcp`, as in inspect and `port`. */
export function containerPortName(mapping: PortMapping, offset = 0): string {
  return `${mapping.containerPort + offset}/${mapping.protocol}`;
}

import { readIfExists } from '../base/file.ts';
import { nodeCrypto } from '../base/late-modules.ts';
import type { Directories } from '../rootless/directories.ts';
import { DEFAULT_NETWORK_NAME } from './constants.ts';
import { formatIP, formatSubnet, overlaps, parseSubnet, type Subnet } from './ip.ts';
import { someLease } from './leases.ts';
import type { Network, NetworkSubnet } from './network.ts';
import { hasIPv6Route, hostSubnets } from './private-addresses.ts';

/** Podman's, and what is taken where the host has a route to that one. */
const CANDIDATES = ['10.88.0.0/16', '10.87.0.0/16', '172.30.0.0/16', '192.168.240.0/20'];

/**
 * The addresses of the default network: those it has while a container is on it, else the first of
 * the candidates that neither the host nor another network has. IPv6 where the host has a way out.
 */
export function defaultSubnets(
  directories: Directories,
  others: readonly Network[],
): NetworkSubnet[] {
  const lease = someLease(directories, DEFAULT_NETWORK_NAME);
  if (lease !== undefined)
    return lease.addresses.map((address) => describe(parseSubnet('--subnet', address)));
  const taken = [...hostSubnets(), ...others.flatMap(subnetsOf)].map(parse);
  const candidates = CANDIDATES.map(parse);
  const free = candidates.find((subnet) => !taken.some((other) => overlaps(subnet, other)));
  const chosen = free ?? candidates[0];
  return [...(chosen === undefined ? [] : [chosen]), ...(hasIPv6Route() ? [ownULA()] : [])].map(
    describe,
  );
}

function subnetsOf({ subnets }: Network): string[] {
  return subnets.map(({ subnet }) => subnet);
}

function parse(text: string): Subnet {
  return parseSubnet('--subnet', text);
}

function describe(subnet: Subnet): NetworkSubnet {
  return {
    subnet: formatSubnet(subnet),
    gateway: formatIP(subnet.family, subnet.first + 1n),
  };
}

/** RFC 4193, the same each time for a user of a machine. */
function ownULA(): Subnet {
  const who = `${readIfExists('/etc/machine-id') ?? ''}:${process.geteuid?.()}`;
  const bits = nodeCrypto().createHash('sha256').update(who).digest('hex').slice(0, 14);
  return { family: 6, first: BigInt(`0xfd${bits}`) << 64n, prefix: 64 };
}

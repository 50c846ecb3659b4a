import { TsmanError, UsageError } from '../base/error.ts';
import { randomHex } from '../base/random.ts';
import { insertNetworkRow } from '../storage/networks.ts';
import type { Storage } from '../storage/storage.ts';
import { DEFAULT_NETWORK_NAME } from './constants.ts';
import {
  contains,
  formatIP,
  formatSubnet,
  lastAddress,
  overlaps,
  parseIP,
  parseSubnet,
  type Subnet,
} from './ip.ts';
import {
  findNetwork,
  isDefaultName,
  type Network,
  type NetworkRoute,
  type NetworkSubnet,
} from './network.ts';
import { hostSubnets } from './private-addresses.ts';

/** What `network create` was told. */
export interface NetworkRequest {
  readonly name: string | undefined;
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  readonly ranges: readonly string[];
  readonly bridge: string | undefined;
  readonly isIPv6: boolean;
  readonly internal: boolean;
  readonly disableDns: boolean;
  readonly dns: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly routes: readonly NetworkRoute[];
}

/** Makes a network. @returns undefined when the name is taken @throws TsmanError, UsageError */
export function createNetwork(storage: Storage, request: NetworkRequest): Network | undefined {
  if (request.name !== undefined) checkName(request.name);
  const standard = findNetwork(storage, DEFAULT_NETWORK_NAME);
  let made: Network | undefined;
  try {
    insertNetworkRow(storage, (rows) => {
      const others = rows.map(({ record }) => JSON.parse(record) as Network);
      if (others.some(({ name }) => name === request.name)) throw new NameTaken();
      // Looked up before the transaction: its addresses are nobody else's.
      made = describe(request, [standard, ...others]);
      return { id: made.id, name: made.name, record: JSON.stringify(made) };
    });
  } catch (error) {
    if (error instanceof NameTaken) return undefined;
    throw error;
  }
  return made;
}

class NameTaken extends Error {}

function checkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
    throw new UsageError(
      `invalid network name ${JSON.stringify(name)}: want letters, digits, "_", "." and "-"`,
    );
  if (isDefaultName(name) || ['host', 'none', 'pasta', 'slirp4netns'].includes(name))
    throw new UsageError(`network name ${name} has a meaning of its own: choose another`);
}

function describe(request: NetworkRequest, others: readonly Network[]): Network {
  const bridge =
    request.bridge ?? firstFree('podman', others, (network) => network.network_interface);
  if (!/^[a-zA-Z0-9_-]{1,15}$/.test(bridge) || bridge === 'lo' || bridge === 'uplink')
    throw new UsageError(`option --interface-name: ${JSON.stringify(bridge)} is not possible`);
  const taken = others.find(({ network_interface }) => network_interface === bridge);
  if (taken !== undefined)
    throw new TsmanError(`interface ${bridge} belongs to network ${taken.name}`);
  const subnets = chooseSubnets(request, others);
  return {
    name: request.name ?? firstFree('podman', others, (network) => network.name),
    id: randomHex(32),
    driver: 'bridge',
    network_interface: bridge,
    created: new Date().toISOString(),
    subnets,
    ipv6_enabled: subnets.some(({ subnet }) => subnet.includes(':')),
    internal: request.internal,
    dns_enabled: !request.disableDns,
    ...(request.dns.length > 0 ? { network_dns_servers: request.dns } : {}),
    ...(Object.keys(request.labels).length > 0 ? { labels: request.labels } : {}),
    ...(Object.keys(request.options).length > 0 ? { options: request.options } : {}),
    ...(request.routes.length > 0 ? { routes: request.routes } : {}),
    ipam_options: { driver: 'host-local' },
  };
}

function firstFree(
  stem: string,
  others: readonly Network[],
  part: (network: Network) => string,
): string {
  const taken = new Set(others.map(part));
  for (let number = 1; ; number++) if (!taken.has(`${stem}${number}`)) return `${stem}${number}`;
}

function chooseSubnets(request: NetworkRequest, others: readonly Network[]): NetworkSubnet[] {
  const taken = others.flatMap(({ subnets }) =>
    subnets.map(({ subnet }) => parseSubnet('--subnet', subnet)),
  );
  const asked = request.subnets.map((text) => parseSubnet('--subnet', text));
  for (const [index, subnet] of asked.entries()) {
    if ([...taken, ...asked.slice(0, index)].some((other) => overlaps(subnet, other)))
      throw new TsmanError(`subnet ${formatSubnet(subnet)} overlaps with that of another network`);
  }
  if (asked.length < Math.max(request.gateways.length, request.ranges.length))
    throw new UsageError('options --gateway and --ip-range need a --subnet each');
  const chosen = [...asked];
  if (!chosen.some(({ family }) => family === 4) && (chosen.length === 0 || request.isIPv6))
    chosen.unshift(freeSubnet(taken));
  if (request.isIPv6 && !chosen.some(({ family }) => family === 6)) chosen.push(randomULA());
  return chosen.map((subnet) => {
    const index = asked.indexOf(subnet);
    return completeSubnet(subnet, request.gateways[index], request.ranges[index]);
  });
}

/** As Podman: 10.89.0.0/24 and up, none that the host has a route to. */
function freeSubnet(taken: readonly Subnet[]): Subnet {
  const host = hostSubnets().map((text) => parseSubnet('--subnet', text));
  for (let second = 89; second < 256; second++) {
    for (let third = 0; third < 256; third++) {
      const subnet = parseSubnet('--subnet', `10.${second}.${third}.0/24`);
      if (![...taken, ...host].some((other) => overlaps(subnet, other))) return subnet;
    }
  }
  throw new TsmanError('no free subnet between 10.89.0.0 and 10.255.255.0', {
    hint: 'choose one with --subnet',
  });
}

/** RFC 4193: fd and 40 random bits, so that two networks never meet. */
function randomULA(): Subnet {
  const value = BigInt(`0xfd${randomHex(7)}`) << 64n;
  return { family: 6, first: value, prefix: 64 };
}

function completeSubnet(
  subnet: Subnet,
  gatewayText: string | undefined,
  range: string | undefined,
): NetworkSubnet {
  const gateway =
    gatewayText === undefined
      ? formatIP(subnet.family, subnet.first + 1n)
      : within(subnet, '--gateway', gatewayText);
  if (range === undefined) return { subnet: formatSubnet(subnet), gateway };
  const [from = '', to] = range.includes('-') ? range.split('-') : [range];
  const part = from.includes('/') ? parseSubnet('--ip-range', from) : undefined;
  const [first, last] =
    part === undefined
      ? [from, to ?? from]
      : [formatIP(part.family, part.first + 1n), formatIP(part.family, lastAddress(part))];
  return {
    subnet: formatSubnet(subnet),
    gateway,
    lease_range: {
      start_ip: within(subnet, '--ip-range', first),
      end_ip: within(subnet, '--ip-range', last),
    },
  };
}

/** The address, which must be one of the subnet's. @throws UsageError */
function within(subnet: Subnet, option: string, text: string): string {
  const { family, value } = parseIP(option, text);
  if (!contains(subnet, family, value))
    throw new UsageError(`option ${option}: ${text} is not in subnet ${formatSubnet(subnet)}`);
  return formatIP(family, value);
}

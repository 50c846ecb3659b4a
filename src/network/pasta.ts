import type { PlanRecord } from '../helper/plan.ts';
import { UPLINK } from './constants.ts';
import type { NetworkMode } from './mode.ts';
import type { PortMapping } from './ports.ts';
import { hasIPv6Route, isOffline, privateAddresses } from './private-addresses.ts';

/** A MAC address of the locally administered kind: loopback, which stands in when offline, has none. */
const OFFLINE_MAC = '9a:55:9a:55:9a:55';

/** Of our own choice as well (RFC 4193), so that the host's addresses are the host. */
const UPLINK_IPV6 = 'fd74:736d:616e::2';
const UPLINK_GATEWAY_IPV6 = 'fd74:736d:616e::1';

/**
 * The record that gives a container its network: one pasta(1), which forwards ports in and
 * connections out, and keeps the client's source address.
 *
 * pasta runs as the calling user and enters the container's namespaces by itself; it drops the
 * privilege to open them through /proc when it is root of our user namespace. It goes to the
 * background when it is ready, so that waiting for it is waiting for the network.
 * @param isRoot no user namespace: pasta would switch to `nobody`, who may not enter
 */
export function networkRecords(
  mode: NetworkMode,
  ports: readonly PortMapping[],
  runDirectory: string,
  isRoot: boolean,
): PlanRecord[] {
  if (!isPasta(mode)) return [];
  const pidFile = `${runDirectory}/pasta.pid`;
  const own = mode.startsWith('pasta:') ? mode.slice('pasta:'.length).split(',') : [];
  return [
    [
      'network-process',
      pidFile,
      'pasta',
      '--quiet',
      '--pid',
      pidFile,
      ...addressArguments(own),
      ...forwardArguments('-t', ports, 'tcp'),
      ...forwardArguments('-u', ports, 'udp'),
      ...['-T', 'none', '-U', 'none'],
      ...own,
      ...namespaceArguments(isRoot),
    ],
  ];
}

/** Whether a container in this mode has a pasta of its own. */
export function isPasta(mode: NetworkMode): boolean {
  return mode === 'private' || mode.startsWith('pasta:');
}

/**
 * Addresses of our own choice. `--no-map-gw`: else the gateway's address would be the host's
 * loopback, with everything that listens there because nobody else should reach it.
 * @param own with `--network pasta:OPTIONS` the user's options, which then decide instead
 */
export function addressArguments(own: readonly string[] = []): string[] {
  const common = ['--config-net', '--no-map-gw'];
  const offline = isOffline() ? ['-i', 'lo', '-I', 'eth0', '-M', OFFLINE_MAC] : [];
  if (own.length > 0 && offline.length === 0) return common;
  const { guest, gateway, resolver, prefix } = privateAddresses();
  return [
    ...common,
    ...offline,
    ...['-a', guest, '-n', String(prefix), '-g', gateway, '--dns-forward', resolver],
  ];
}

/**
 * The up-link of the shared namespace: nothing comes in through it, and nobody asks it for addresses.
 * Without IPv6 on the host it starts in two thirds of the time when it is not to look for any.
 */
export function uplinkArguments(): string[] {
  const own = addressArguments().filter((word) => word !== '-I' && word !== 'eth0');
  return [
    ...own,
    ...['-I', UPLINK],
    ...['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none'],
    ...['--no-dhcp', '--no-dhcpv6', '--no-ra'],
    ...(hasIPv6Route() ? ['-a', UPLINK_IPV6, '-g', UPLINK_GATEWAY_IPV6] : ['-4']),
  ];
}

/** Filled in by the helper once the namespaces exist. */
export function namespaceArguments(isRoot: boolean): string[] {
  const user = isRoot ? ['--runas', '0:0', '--netns-only'] : ['--userns', '{userns}'];
  return [...user, '--netns', '{netns}'];
}

/** `-t ADDR/HOST-HOST:CTR-CTR` for each mapping, or `-t none`; pasta(1), "PORT FORWARDING". */
function forwardArguments(
  option: string,
  ports: readonly PortMapping[],
  protocol: string,
): string[] {
  const chosen = ports.filter((port) => port.protocol === protocol);
  if (chosen.length === 0) return [option, 'none'];
  return chosen.flatMap((port) => {
    const address = port.hostIP === '' || port.hostIP === '0.0.0.0' ? '' : `${port.hostIP}/`;
    return [
      option,
      `${address}${rangeText(port.hostPort, port.range)}:${rangeText(port.containerPort, port.range)}`,
    ];
  });
}

function rangeText(first: number, count: number): string {
  return count === 1 ? String(first) : `${first}-${first + count - 1}`;
}

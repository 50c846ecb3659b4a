import type { PlanRecord } from '../helper/plan.ts';
import type { NetworkMode } from './mode.ts';
import type { PortMapping } from './ports.ts';

/**
 * The record that gives a container its network: one pasta(1), which copies the host's addresses and
 * routes, forwards ports in and connections out, and keeps the client's source address.
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
  if (mode !== 'private' && !mode.startsWith('pasta:')) return [];
  const pidFile = `${runDirectory}/pasta.pid`;
  const own = mode.startsWith('pasta:') ? mode.slice('pasta:'.length).split(',') : [];
  const namespaces = isRoot ? ['--runas', '0:0', '--netns-only'] : ['--userns', '{userns}'];
  return [
    [
      'network-process',
      pidFile,
      'pasta',
      '--config-net',
      '--quiet',
      '--pid',
      pidFile,
      '--no-map-gw',
      ...forwardArguments('-t', ports, 'tcp'),
      ...forwardArguments('-u', ports, 'udp'),
      ...['-T', 'none', '-U', 'none'],
      ...own,
      ...namespaces,
      '--netns',
      '{netns}',
    ],
  ];
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

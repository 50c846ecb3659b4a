import * as fs from 'node:fs';
import { TsmanError } from '../base/error.ts';
import type { PlanRecord } from '../helper/plan.ts';
import type { Directories } from '../rootless/directories.ts';
import { type EngineUserns, usernsRecords } from '../rootless/id-map.ts';
import type { NetworkAttachment } from './attachment.ts';
import { contains, formatIP, lastAddress, parseIP, parseSubnet } from './ip.ts';
import { livingHub, networksDirectory } from './leases.ts';
import type { Network, NetworkSubnet } from './network.ts';
import { namespaceArguments, uplinkArguments } from './pasta.ts';
import type { PortMapping } from './ports.ts';

/** Whose networks a plan of the helper's verb `net` is about. */
export interface NetTarget {
  readonly directories: Directories;
  readonly userns: EngineUserns;
  readonly containerID: string;
}

/**
 * The part of every plan: where the hub is, and how the up-link is made where there is none.
 * @param leadsOut whether one of the networks does: internal ones need no pasta
 */
export function hubRecords(
  { directories, userns, containerID }: NetTarget,
  leadsOut: boolean,
): PlanRecord[] {
  const netDir = networksDirectory(directories);
  fs.mkdirSync(netDir, { recursive: true, mode: 0o700 });
  const pidFile = `${netDir}/pasta.pid`;
  const records: PlanRecord[] = [
    ['id', containerID],
    ...usernsRecords(userns, directories.runRoot),
    ['net-dir', netDir],
  ];
  if (leadsOut)
    records.push([
      'uplink',
      pidFile,
      'pasta',
      ...['--quiet', '--pid', pidFile],
      ...uplinkArguments(),
      ...namespaceArguments(userns.kind === 'none'),
    ]);
  return records;
}

/** The record that joins the namespace that the bridges are in. @throws TsmanError while there is none */
export function sharedNetworkRecord(directories: Directories): PlanRecord {
  const hub = livingHub(directories);
  if (hub !== undefined) return ['join', 'net', hub.pid, hub.start];
  throw new TsmanError('no container is on a network now', {
    hint: 'the namespace lives while one is: tsman run -d …',
  });
}

/** The records of one network. @param names under which others find the container */
export function attachRecords(
  network: Network,
  attachment: NetworkAttachment,
  names: readonly string[],
  upstream: readonly string[],
): PlanRecord[] {
  return [
    [
      'network',
      network.name,
      network.network_interface,
      network.internal ? 'internal' : 'external',
      Number(network.options?.['mtu'] ?? 0),
      network.dns_enabled ? 'dns' : 'no-dns',
    ],
    ...network.subnets.map((subnet) => subnetRecord(subnet, attachment)),
    ['net-interface', attachment.interfaceName ?? '', attachment.mac ?? ''],
    ...[...new Set([...names, ...attachment.aliases])].map(
      (name): PlanRecord => ['net-name', name],
    ),
    ...[...upstream, ...(network.network_dns_servers ?? [])]
      .filter((server) => server !== 'none')
      .slice(0, 1)
      .map((server): PlanRecord => ['net-upstream', server]),
    ...(network.routes ?? []).map(
      (route): PlanRecord => ['net-route', route.destination, route.gateway, route.metric ?? 0],
    ),
  ];
}

function subnetRecord(
  { subnet, gateway, lease_range: range }: NetworkSubnet,
  { ip, ip6 }: NetworkAttachment,
): PlanRecord {
  const parsed = parseSubnet('--subnet', subnet);
  const last = lastAddress(parsed) - (parsed.family === 4 ? 1n : 0n);
  const wanted = [ip, ip6].find((text) => {
    if (text === undefined) return false;
    const { family, value } = parseIP('--ip', text);
    return contains(parsed, family, value);
  });
  return [
    'net-subnet',
    subnet,
    gateway ?? '',
    range?.start_ip ?? formatIP(parsed.family, parsed.first + 1n),
    range?.end_ip ?? formatIP(parsed.family, last),
    wanted ?? '',
  ];
}

export function publishRecords(ports: readonly PortMapping[]): PlanRecord[] {
  return ports.map(
    (port): PlanRecord => [
      'publish',
      port.protocol,
      port.hostIP,
      port.hostPort,
      port.containerPort,
      port.range,
    ],
  );
}

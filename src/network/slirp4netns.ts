import { accessSync, constants } from 'node:fs';
import { TsmanError, UsageError } from '../base/error.ts';
import type { PlanRecord } from '../helper/plan.ts';
import { contains, formatIP, parseIP, parseSubnet } from './ip.ts';
import type { NetworkMode } from './mode.ts';
import type { PortMapping } from './ports.ts';

/** What a container on a slirp4netns of its own has; slirp4netns(1), "DESCRIPTION". */
export interface SlirpAddresses {
  readonly guest: string;
  readonly gateway: string;
  readonly resolver: string;
  readonly prefix: number;
}

const CIDR = '10.0.2.0/24';
/** Podman's, and about the most that slirp4netns takes. */
const MTU = '65520';

export function isSlirp(mode: NetworkMode): boolean {
  return mode === 'slirp4netns' || mode.startsWith('slirp4netns:');
}

/** Checks `--network slirp4netns[:OPTION,…]` (podman-run(1), "--network"). @throws UsageError, TsmanError */
export function checkSlirp(mode: string): void {
  slirpArguments(mode);
  const path = (process.env['PATH'] ?? '').split(':');
  if (!path.some((directory) => isExecutable(`${directory}/slirp4netns`)))
    throw new TsmanError('option --network slirp4netns: slirp4netns is not installed', {
      hint: 'sudo apt-get install slirp4netns, or leave the option out',
    });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not for us: the next directory.
  }
}

function optionsOf(mode: string): ReadonlyMap<string, string> {
  const texts = mode.split(':').slice(1).join(':').split(',').filter(Boolean);
  return new Map(
    texts.map((text) => {
      const equals = text.indexOf('=');
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
      throw new UsageError(`option --network ${mode}: ${JSON.stringify(text)} is not NAME=VALUE`);
    }),
  );
}

function slirpArguments(mode: string): string[] {
  const bad = (name: string, value: string): UsageError =>
    new UsageError(`option --network slirp4netns: ${name}=${value} is not possible`, {
      hint: 'options are allow_host_loopback, cidr, enable_ipv6, mtu, outbound_addr, outbound_addr6 and port_handler=slirp4netns',
    });
  const given = new Map([...[['mtu', MTU] as const], ...optionsOf(mode)]);
  const isTrue = (name: string): boolean => {
    const value = given.get(name) ?? 'false';
    if (value !== 'true' && value !== 'false') throw bad(name, value);
    return value === 'true';
  };
  const words = ['--enable-sandbox', '--enable-seccomp'];
  if (!isTrue('allow_host_loopback')) words.push('--disable-host-loopback');
  if (isTrue('enable_ipv6')) words.push('--enable-ipv6');
  for (const [name, value] of given) {
    if (name === 'allow_host_loopback' || name === 'enable_ipv6') continue;
    if (name === 'mtu' && /^[1-9]\d{2,4}$/.test(value)) words.push(`--mtu=${value}`);
    else if (name === 'cidr' && /^[\d.]+\/\d+$/.test(value)) words.push(`--cidr=${value}`);
    else if (name === 'outbound_addr' && parseIP(name, value).family === 4)
      words.push(`--outbound-addr=${value}`);
    else if (name === 'outbound_addr6' && parseIP(name, value).family === 6)
      words.push(`--outbound-addr6=${value}`);
    else if (name !== 'port_handler' || value !== 'slirp4netns') throw bad(name, value);
  }
  return words;
}

/** The addresses that follow from its options. */
export function slirpAddresses(mode: string): SlirpAddresses {
  const subnet = parseSubnet('cidr', optionsOf(mode).get('cidr') ?? CIDR);
  const at = (offset: bigint): string => formatIP(4, subnet.first + offset);
  if (subnet.family !== 4 || !contains(subnet, 4, subnet.first + 100n))
    throw new UsageError('option --network slirp4netns: cidr has to hold 101 addresses of IPv4');
  return { guest: at(100n), gateway: at(2n), resolver: at(3n), prefix: subnet.prefix };
}

/** The network process of such a container: the helper's verb slirp (native/networks.md). */
export function slirpRecords(
  mode: NetworkMode,
  ports: readonly PortMapping[],
  runDirectory: string,
  helper: string,
): PlanRecord[] {
  if (!isSlirp(mode)) return [];
  const pidFile = `${runDirectory}/slirp.pid`;
  const socket = `${runDirectory}/api.sock`;
  const places = [pidFile, '/{netns}', '{userns}', socket];
  const { guest } = slirpAddresses(mode);
  const requests = ports.flatMap((port) => portRequests(port, guest)).join('\n');
  const words = [`--api-socket=${socket}`, ...slirpArguments(mode)];
  return [['network-process', pidFile, helper, 'slirp', ...places, requests, ...words]];
}

/** slirp4netns(1), "API SOCKET": one port each. */
function portRequests(port: PortMapping, guest: string): string[] {
  return Array.from({ length: port.range }, (_, offset) =>
    JSON.stringify({
      execute: 'add_hostfwd',
      arguments: {
        proto: port.protocol,
        host_addr: port.hostIP === '' ? '0.0.0.0' : port.hostIP,
        host_port: port.hostPort + offset,
        guest_addr: guest,
        guest_port: port.containerPort + offset,
      },
    }),
  );
}

import { TsmanError, UsageError } from '../../base/error.ts';
import { readIfExists } from '../../base/file.ts';
import { isIP } from '../../base/ip-address.ts';
import type { Network } from '../../network/network.ts';
import { hostAddress, privateAddresses } from '../../network/private-addresses.ts';
import { isSlirp, slirpAddresses } from '../../network/slirp4netns.ts';
import type { Container } from '../record.ts';

/** The addresses a container's own names stand for, where a network gave it some. */
export interface OwnAddresses {
  readonly addresses: readonly string[];
  /** What `host.containers.internal` is. */
  readonly host: string | undefined;
}

const HOST_NAMES = 'host.containers.internal host.docker.internal';

/** What is known of the default network before it is made. */
export function defaultAddresses(container: Container): OwnAddresses {
  const { networkMode } = container.spec;
  if (networkMode === 'host') return { addresses: ['127.0.1.1'], host: '127.0.0.1' };
  if (networkMode === 'private')
    return { addresses: [privateAddresses().guest], host: hostAddress() };
  if (isSlirp(networkMode))
    return { addresses: [slirpAddresses(networkMode).guest], host: hostAddress() };
  // On bridge networks the helper adds the container's own line, when it knows the addresses.
  if (networkMode === 'bridge') return { addresses: [], host: hostAddress() };
  return { addresses: ['127.0.1.1'], host: networkMode === 'none' ? undefined : hostAddress() };
}

/** The text of the container's /etc/hosts, hosts(5). @param hostname undefined with the host's UTS namespace */
export function hostsFile(
  container: Container,
  hostname: string | undefined,
  own: OwnAddresses,
): string {
  const { networkMode, hosts } = container.spec;
  const lines = hosts.add.map((text) => addHostLine(text, own.host));
  const host = own.host === undefined ? [] : [`${own.host} ${HOST_NAMES}`];
  if (networkMode === 'host')
    return [readIfExists('/etc/hosts') ?? '', ...lines, ...host, ''].join('\n');
  const names = [hostname, container.name].filter((name) => name !== undefined).join(' ');
  return [
    ...(hosts.base === undefined ? [] : [hosts.base.trimEnd()]),
    '127.0.0.1 localhost localhost.localdomain',
    '::1 localhost localhost.localdomain',
    ...lines,
    ...host,
    ...own.addresses.map((address) => `${address} ${names}`),
    '',
  ].join('\n');
}

/** `--add-host name[;name…]:ip` as a line of /etc/hosts; `host-gateway` is the host's address. */
export function addHostLine(text: string, hostIP: string | undefined): string {
  const { names, address } = parseAddHost(text);
  if (address !== HOST_GATEWAY) return `${address} ${names.join(' ')}`;
  if (hostIP === undefined)
    throw new TsmanError(`option --add-host ${text}: the host has no address but loopback now`);
  return `${hostIP} ${names.join(' ')}`;
}

const HOST_GATEWAY = 'host-gateway';
/** `--dns none`: the image's own /etc/resolv.conf stays. */
export const NO_DNS = 'none';

/** Parses `--add-host`. @throws UsageError */
export function parseAddHost(text: string): { names: string[]; address: string } {
  const colon = text.indexOf(':');
  const names = text
    .slice(0, Math.max(colon, 0))
    .split(';')
    .filter((name) => name !== '');
  const address = text.slice(colon + 1).replace(/^\[|\]$/g, '');
  if (names.length === 0 || (address !== HOST_GATEWAY && isIP(address) === 0))
    throw new UsageError(
      `option --add-host: ${JSON.stringify(text)} is not NAME:IP or NAME:host-gateway`,
    );
  return { names, address };
}

/** The text of the container's /etc/resolv.conf, resolv.conf(5): the host's, or what `--dns…` say. */
export function resolvConf(container: Container, networks: readonly Network[] = []): string {
  const { dnsServers, dnsSearch, dnsOptions } = container.spec.hosts;
  const host = hostResolvConf();
  const own = nameServers(networks);
  const keep = (word: string): string[] =>
    host.split('\n').filter((line) => line.startsWith(`${word} `));
  // Without names of containers `--dns` needs nobody in between.
  const asked = own.knowsNames ? [] : dnsServers;
  const lines = [
    ...(dnsSearch.length > 0
      ? searchLine(dnsSearch.filter((name) => name !== '.'))
      : own.knowsNames
        ? [`search ${['dns.podman', ...keep('search').flatMap(words)].join(' ')}`]
        : keep('search')),
    ...(asked.length > 0
      ? asked.map((server) => `nameserver ${server}`)
      : own.servers.length > 0
        ? own.servers.map((server) => `nameserver ${server}`)
        : reachable(container, keep('nameserver'))),
    ...(dnsOptions.length > 0 ? [`options ${dnsOptions.join(' ')}`] : keep('options')),
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * Networks' gateways: one that knows names of containers, else one that leads out. They ask `--dns` or
 * the host's servers as these are at that moment, also those that listen on its loopback.
 */
function nameServers(networks: readonly Network[]): {
  servers: readonly string[];
  knowsNames: boolean;
} {
  const named = networks.find((network) => network.dns_enabled);
  const chosen = named ?? networks.find((network) => !network.internal);
  const servers = (chosen?.subnets ?? []).flatMap(({ gateway }) => gateway ?? []);
  return {
    servers: servers.slice(0, named === undefined ? 1 : 2),
    knowsNames: named !== undefined,
  };
}

/** `--dns-search .`: no domain at all. */
function searchLine(domains: readonly string[]): string[] {
  return domains.length === 0 ? [] : [`search ${domains.join(' ')}`];
}

function words(line: string): string[] {
  return line.split(/\s+/).slice(1);
}

/** On loopback only the host itself reaches a server: pasta asks it for the container, by UDP. */
function reachable(container: Container, servers: readonly string[]): string[] {
  if (container.spec.networkMode === 'host') return [...servers];
  // It asks the host's servers, wherever they listen.
  if (isSlirp(container.spec.networkMode))
    return [`nameserver ${slirpAddresses(container.spec.networkMode).resolver}`];
  const outside = servers.filter((line) => !/\s(127\.|::1\b)/.test(line));
  const { networkMode } = container.spec;
  if (outside.length > 0 || networkMode !== 'private') return outside;
  return [`nameserver ${privateAddresses().resolver}`];
}

/** systemd-resolved's stub on 127.0.0.53 is out of a container's reach; the file behind it names the real servers. */
function hostResolvConf(): string {
  const text = readIfExists('/etc/resolv.conf') ?? '';
  if (!/^nameserver\s+127\.0\.0\.53\s*$/m.test(text)) return text;
  return readIfExists('/run/systemd/resolve/resolv.conf') ?? text;
}

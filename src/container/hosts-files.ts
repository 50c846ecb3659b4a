import { UsageError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import type { Container } from './record.ts';

/** The text of the container's /etc/hosts, hosts(5). @param hostname undefined with the host's UTS namespace */
export function hostsFile(container: Container, hostname: string | undefined): string {
  const { networkMode, hosts } = container.spec;
  const lines = hosts.add.map(parseAddHost);
  if (networkMode === 'host') return [readIfExists('/etc/hosts') ?? '', ...lines, ''].join('\n');
  const own = [hostname, container.name].filter((name) => name !== undefined).join(' ');
  return [
    ...(hosts.base === undefined ? [] : [hosts.base.trimEnd()]),
    '127.0.0.1 localhost localhost.localdomain',
    '::1 localhost localhost.localdomain',
    ...lines,
    `127.0.1.1 ${own}`,
    '',
  ].join('\n');
}

/** `--add-host name[;name…]:ip` as a line of /etc/hosts. */
function parseAddHost(text: string): string {
  const colon = text.indexOf(':');
  const names = text
    .slice(0, Math.max(colon, 0))
    .split(';')
    .filter((name) => name !== '');
  const address = text.slice(colon + 1).replace(/^\[|\]$/g, '');
  if (names.length === 0 || !/^[0-9a-fA-F:.]+$/.test(address)) {
    throw new UsageError(`option --add-host: ${JSON.stringify(text)} is not NAME:IP`);
  }
  return `${address} ${names.join(' ')}`;
}

/** The text of the container's /etc/resolv.conf, resolv.conf(5): the host's, or what `--dns…` say. */
export function resolvConf(container: Container): string {
  const { dnsServers, dnsSearch, dnsOptions } = container.spec.hosts;
  const host = hostResolvConf();
  const keep = (word: string): string[] =>
    host.split('\n').filter((line) => line.startsWith(`${word} `));
  const lines = [
    ...(dnsSearch.length > 0
      ? [`search ${dnsSearch.filter((name) => name !== '.').join(' ')}`]
      : keep('search')),
    ...(dnsServers.length > 0
      ? dnsServers.map((server) => `nameserver ${server}`)
      : keep('nameserver')),
    ...(dnsOptions.length > 0 ? [`options ${dnsOptions.join(' ')}`] : keep('options')),
  ];
  return `${lines.join('\n')}\n`;
}

/** systemd-resolved's stub on 127.0.0.53 is out of a container's reach; the file behind it names the real servers. */
function hostResolvConf(): string {
  const text = readIfExists('/etc/resolv.conf') ?? '';
  if (!/^nameserver\s+127\.0\.0\.53\s*$/m.test(text)) return text;
  return readIfExists('/run/systemd/resolve/resolv.conf') ?? text;
}

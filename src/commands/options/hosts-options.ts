import { UsageError } from '../../base/error.ts';
import { isIP } from '../../base/ip-address.ts';
import { NO_DNS, parseAddHost } from '../../container/network/hosts-files.ts';
import type { ContainerSpec } from '../../container/record.ts';
import type { ContainerOptions } from '../request/request.ts';

/** What `--dns…`, `--add-host` and the like say about /etc/hosts, resolv.conf and hostname. @throws UsageError */
export function parseHosts(options: ContainerOptions): ContainerSpec['hosts'] {
  for (const text of options.addHost) parseAddHost(text);
  if (options.noHosts && options.addHost.length > 0)
    throw new UsageError('option --add-host has no place with --no-hosts (containers.no_hosts)');
  return {
    add: options.addHost,
    dnsServers: parseDnsServers(options.dns),
    dnsSearch: options.dnsSearch,
    dnsOptions: [...options.dnsOption, ...options.dnsOpt],
    noHosts: options.noHosts,
    noHostname: options.noHostname,
  };
}

/** Addresses, or `none` alone, which leaves the image's own file. */
function parseDnsServers(texts: readonly string[]): readonly string[] {
  for (const text of texts)
    if (isIP(text) === 0 && text !== NO_DNS)
      throw new UsageError(`option --dns: ${JSON.stringify(text)} is not an IP address`);
  if (texts.includes(NO_DNS) && texts.length > 1)
    throw new UsageError('option --dns: none goes with no other server');
  return texts;
}

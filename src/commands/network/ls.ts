import { filterNetworks } from '../../container/network/network-filters.ts';
import { listNetworks } from '../../network/network.ts';
import { formatRows } from '../../output/template.ts';
import { defineCommand } from '../command.ts';
import { withGoNames } from './go-fields.ts';

const HEADERS = {
  ID: 'NETWORK ID',
  Name: 'NAME',
  Driver: 'DRIVER',
  Labels: 'LABELS',
  Created: 'CREATED',
  IPv6Enabled: 'IPV6',
  Internal: 'INTERNAL',
};

export const networkLsCommand = defineCommand({
  paths: [
    ['network', 'ls'],
    ['network', 'list'],
  ],
  category: 'Networks',
  summary: 'list networks',
  usage: '',
  examples: [
    ['All', 'tsman network ls'],
    ['Names only', "tsman network ls --format '{{.Name}}'"],
    ['Those that no container has', 'tsman network ls -f dangling=true'],
  ],
  options: {
    filter: {
      kind: 'list',
      short: 'f',
      value: 'KEY=VALUE',
      help: 'only those that match: name, id, driver, label, dangling, until',
    },
    format: { kind: 'text', value: 'FORMAT', help: 'json, a Go template, or "table TEMPLATE"' },
    noTrunc: { kind: 'flag', help: 'whole IDs' },
    noheading: { kind: 'flag', short: 'n', help: 'no header line' },
    quiet: { kind: 'flag', short: 'q', help: 'only names' },
  },
  arguments: [0, 0],
  run(options, _args, { openEngine, stdout }) {
    const engine = openEngine();
    const networks = filterNetworks(engine, listNetworks(engine.storage), options.filter).sort(
      (a, b) => (a.name < b.name ? -1 : 1),
    );
    if (options.quiet) {
      stdout.write(networks.map(({ name }) => `${name}\n`).join(''));
      return 0;
    }
    if (options.format === 'json') {
      stdout.write(`${JSON.stringify(networks, undefined, 2)}\n`);
      return 0;
    }
    const rows = networks.map((network) => ({
      ...network,
      Subnets: withGoNames(network.subnets),
      NetworkInterface: network.network_interface,
      DNSEnabled: network.dns_enabled,
      ID: options.noTrunc ? network.id : network.id.slice(0, 12),
      Name: network.name,
      Driver: network.driver,
      Created: network.created,
      IPv6Enabled: network.ipv6_enabled,
      Internal: network.internal,
      Labels: Object.entries(network.labels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    }));
    const format = options.format ?? 'table {{.ID}}\\t{{.Name}}\\t{{.Driver}}';
    stdout.write(formatRows(format, rows, HEADERS, !options.noheading));
    return 0;
  },
});

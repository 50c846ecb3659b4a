import { parseIP } from '../../network/ip.ts';
import { findOwnNetwork, updateNetwork } from '../../network/network.ts';
import { defineCommand } from '../command.ts';

export const networkUpdateCommand = defineCommand({
  paths: [['network', 'update']],
  category: 'Networks',
  summary: 'change the name servers of a network, for containers that start from now on',
  usage: 'NETWORK',
  examples: [
    ['One server less', 'tsman network update --dns-drop 10.0.0.53 shop'],
    ['One more server', 'tsman network update --dns-add 10.0.0.53 shop'],
  ],
  options: {
    dnsAdd: { kind: 'list', value: 'IP', help: 'add a server for names outside' },
    dnsDrop: { kind: 'list', value: 'IP', help: 'remove one' },
  },
  arguments: [1, 1],
  completes: 'networks',
  run(options, [name = ''], { openEngine, stdout }) {
    const { storage } = openEngine();
    const network = findOwnNetwork(storage, name, 'update');
    for (const text of options.dnsAdd) parseIP('--dns-add', text);
    const left = (network.network_dns_servers ?? []).filter(
      (server) => !options.dnsDrop.includes(server),
    );
    updateNetwork(storage, {
      ...network,
      network_dns_servers: [...new Set([...left, ...options.dnsAdd])],
    });
    stdout.write(`${network.name}\n`);
    return 0;
  },
});

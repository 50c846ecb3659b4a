import { membersOf } from '../../container/network/network-members.ts';
import { parseIP } from '../../network/ip.ts';
import { appendUpstream } from '../../network/leases.ts';
import { findOwnNetwork, updateNetwork } from '../../network/network.ts';
import { defineCommand } from '../command.ts';

export const networkUpdateCommand = defineCommand({
  paths: [['network', 'update']],
  category: 'Networks',
  summary: 'change the name servers of a network, also for containers that run',
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
    const engine = openEngine();
    const { storage } = engine;
    const network = findOwnNetwork(storage, name, 'update');
    for (const text of options.dnsAdd) parseIP('--dns-add', text);
    const left = (network.network_dns_servers ?? []).filter(
      (server) => !options.dnsDrop.includes(server),
    );
    const servers = [...new Set([...left, ...options.dnsAdd])];
    updateNetwork(storage, { ...network, network_dns_servers: servers });
    for (const { id, spec } of membersOf(engine, network))
      if (spec.hosts.dnsServers.length === 0)
        appendUpstream(engine.directories, network.name, id, servers[0]);
    stdout.write(`${network.name}\n`);
    return 0;
  },
});

import { filterNetworks, isDangling } from '../../container/network/network-filters.ts';
import { removeNetwork } from '../../container/network/network-members.ts';
import { ownNetworks } from '../../network/network.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../prompt.ts';

export const networkPruneCommand = defineCommand({
  paths: [['network', 'prune']],
  category: 'Networks',
  summary: 'remove all networks that no container has',
  usage: '',
  examples: [
    ['All that no container has, without asking', 'tsman network prune --force'],
    ['Those older than a day', 'tsman network prune -f --filter until=24h'],
  ],
  options: {
    filter: { kind: 'list', value: 'KEY=VALUE', help: 'only those that match: label, until' },
    force: { kind: 'flag', short: 'f', help: 'do not ask' },
  },
  arguments: [0, 0],
  async run(options, _args, context) {
    const warning = 'WARNING! This will remove all networks that no container has.';
    if (!options.force && !(await confirm(warning, context))) return 0;
    const engine = context.openEngine();
    for (const network of filterNetworks(engine, ownNetworks(engine.storage), options.filter)) {
      if (!isDangling(engine, network)) continue;
      await removeNetwork(engine, network, { force: false });
      context.stdout.write(`${network.name}\n`);
    }
    return 0;
  },
});

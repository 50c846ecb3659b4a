import { listNetworks } from '../../network/network.ts';
import { defineCommand } from '../command.ts';

export const networkExistsCommand = defineCommand({
  paths: [['network', 'exists']],
  category: 'Networks',
  summary: 'exit with 0 when the network exists, 1 when not',
  usage: 'NETWORK',
  examples: [
    ['Remove it if it is there', 'tsman network exists shop && tsman network rm -f shop'],
    ['In a script', 'tsman network exists shop || tsman network create shop'],
  ],
  options: {},
  arguments: [1, 1],
  completes: 'networks',
  run(_options, [name = ''], { openEngine }) {
    const found = listNetworks(openEngine().storage).some(
      (network) => network.name === name || network.id === name,
    );
    return found ? 0 : 1;
  },
});

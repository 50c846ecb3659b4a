import { disconnectContainer } from '../../container/network/network-live.ts';
import { findNetwork } from '../../network/network.ts';
import { defineCommand } from '../command.ts';
import { existingContainer } from '../selection.ts';

export const networkDisconnectCommand = defineCommand({
  paths: [['network', 'disconnect']],
  category: 'Networks',
  summary: 'take a container off a network, also while it runs',
  usage: 'NETWORK CONTAINER',
  examples: [
    ['Also when it does not run', 'tsman network disconnect --force backend postgres1'],
    ['While it runs', 'tsman network disconnect backend postgres1'],
  ],
  options: {
    force: { kind: 'flag', short: 'f', help: 'accepted: nothing holds an interface here' },
  },
  arguments: [2, 2],
  completes: 'networks',
  async run(_options, [name = '', containerName = ''], { openEngine }) {
    const engine = openEngine();
    const network = findNetwork(engine.storage, name);
    await disconnectContainer(engine, existingContainer(engine, containerName), network);
    return 0;
  },
});

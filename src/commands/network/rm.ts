import { UsageError } from '../../base/error.ts';
import { removeNetwork } from '../../container/network/network-members.ts';
import { findOwnNetwork, listNetworks } from '../../network/network.ts';
import { printFailure } from '../../output/failure.ts';
import { defineCommand } from '../command.ts';

export const networkRmCommand = defineCommand({
  paths: [
    ['network', 'rm'],
    ['network', 'remove'],
  ],
  category: 'Networks',
  summary: 'remove networks',
  usage: 'NETWORK...',
  examples: [
    ['Several', 'tsman network rm shop backend'],
    ['With the containers that are on it', 'tsman network rm -f shop'],
  ],
  options: {
    force: { kind: 'flag', short: 'f', help: 'remove the containers on it, too' },
    time: { kind: 'text', short: 't', value: 'SECONDS', help: 'accepted; --force kills at once' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'networks',
  async run(options, names, { openEngine, stdout, stderr }) {
    if (names.length === 0) throw new UsageError('which network? Give names');
    const engine = openEngine();
    let exitCode = 0;
    for (const name of names) {
      try {
        const exists = listNetworks(engine.storage).some(
          (network) => network.name === name || network.id.startsWith(name),
        );
        if (options.force && !exists) continue;
        await removeNetwork(engine, findOwnNetwork(engine.storage, name, 'remove'), options);
        stdout.write(`${name}\n`);
      } catch (error) {
        exitCode = printFailure(error, stderr);
      }
    }
    return exitCode;
  },
});

import { UsageError } from '../../base/error.ts';
import { reloadNetworks } from '../../container/network/network-reload.ts';
import { readState } from '../../container/state.ts';
import { printFailure } from '../../output/failure.ts';
import { defineCommand } from '../command.ts';
import { existingContainer, existingContainers } from '../selection.ts';

export const networkReloadCommand = defineCommand({
  paths: [['network', 'reload']],
  category: 'Networks',
  summary:
    'make the networks of running containers whole again, after pasta or a process of ours was killed',
  usage: 'CONTAINER...',
  examples: [
    ['One container', 'tsman network reload web'],
    ['All of them', 'tsman network reload --all'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'every running container' },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'running',
  async run(options, names, { openEngine, stdout, stderr }) {
    const engine = openEngine();
    const all = existingContainers(engine);
    const chosen = options.all
      ? all.filter(({ id }) => readState(engine.directories, id).pid !== 0)
      : [
          ...(options.latest ? all.slice(-1) : []),
          ...names.map((name) => existingContainer(engine, name)),
        ];
    if (chosen.length === 0 && !options.all)
      throw new UsageError('which container? Give a name or ID, or --all or --latest');
    let exitCode = 0;
    for (const container of chosen) {
      try {
        await reloadNetworks(engine, container);
        stdout.write(`${container.id}\n`);
      } catch (error) {
        exitCode = printFailure(error, stderr);
      }
    }
    return exitCode;
  },
});

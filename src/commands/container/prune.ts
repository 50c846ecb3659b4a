import { removeContainer } from '../../container/remove.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../prompt.ts';
import { forEachContainer } from '../selection.ts';

export const containerPruneCommand = defineCommand({
  paths: [['container', 'prune']],
  category: 'Containers',
  summary: 'remove all containers that do not run',
  usage: '',
  examples: [
    ['Those that have not run, without asking', 'tsman container prune --force'],
    ['Only with a label', 'tsman container prune -f --filter label=ci'],
    ['Those older than a day', 'tsman container prune -f --filter until=24h'],
  ],
  options: {
    filter: { kind: 'list', value: 'KEY=VALUE', help: 'only those that match: label, until' },
    force: { kind: 'flag', short: 'f', help: 'do not ask' },
  },
  arguments: [0, 0],
  async run(options, _args, context) {
    const warning = 'WARNING! This will remove all non running containers.';
    if (!options.force && !(await confirm(warning, context))) return 0;
    const selection = {
      ...{ names: [], all: true, latest: false, cidfiles: [] },
      ...{ filters: options.filter, ignoreMissing: true },
    };
    return await forEachContainer(
      context,
      selection,
      ['created', 'exited'],
      async (container, engine) => {
        await removeContainer(engine, container, { force: false });
        return container.id;
      },
    );
  },
});

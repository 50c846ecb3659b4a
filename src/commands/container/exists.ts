import { findContainerRow } from '../../storage/containers.ts';
import { defineCommand } from '../command.ts';
import { existingContainers } from '../selection.ts';

export const containerExistsCommand = defineCommand({
  paths: [['container', 'exists']],
  category: 'Containers',
  summary: 'exit with 0 when the container exists, 1 when not',
  usage: 'CONTAINER',
  examples: [
    ['Remove it if it is there', 'tsman container exists job && tsman rm -f job'],
    ['In a script', 'tsman container exists web || tsman run -d --name web nginx'],
  ],
  options: {
    external: { kind: 'flag', help: 'nothing to do here: nobody else stores here', hidden: true },
  },
  arguments: [1, 1],
  completes: 'containers',
  run(_options, [name = ''], { openEngine }) {
    const engine = openEngine();
    const row = findContainerRow(engine.storage, name);
    return row !== undefined && existingContainers(engine).some(({ id }) => id === row.id) ? 0 : 1;
  },
});

import { TsmanError } from '../../base/error.ts';
import { defineCommand } from '../command.ts';
import { existingContainer } from '../selection.ts';

export const initCommand = defineCommand({
  paths: [['init'], ['container', 'init']],
  category: 'Containers',
  summary: 'refused: there is no state between created and running here',
  usage: 'CONTAINER...',
  examples: [
    ['Make what the first start would make', 'tsman init web'],
    ['Every container that never ran', 'tsman init --all'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'every container' },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  run(_options, names, { openEngine }) {
    const engine = openEngine();
    for (const name of names) existingContainer(engine, name);
    throw new TsmanError(
      'init: mounts and namespaces here live only as long as the container runs; start makes them and runs the command in one step',
      { hint: 'use tsman start' },
    );
  },
});

import { TsmanError } from '../../base/error.ts';
import { prepareContainer } from '../../container/start.ts';
import { readState } from '../../container/state.ts';
import { defineCommand } from '../command.ts';
import { selectionOf } from '../options/selection-options.ts';
import { forEachContainer } from '../selection.ts';

export const initCommand = defineCommand({
  paths: [['init'], ['container', 'init']],
  category: 'Containers',
  summary:
    'prepare containers for their start: volumes, files and filters; what cannot start is told now',
  usage: 'CONTAINER...',
  examples: [
    ['So that the start itself is quick', 'tsman init web'],
    ['Every container that has not run', 'tsman init --all'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'every container that is not running' },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  run(options, names, context) {
    const selection = selectionOf(names, options);
    return forEachContainer(
      context,
      selection,
      ['created', 'exited'],
      async (container, engine) => {
        const { pid } = readState(engine.directories, container.id);
        if (pid !== 0)
          throw new TsmanError(`container ${container.name} is running: it cannot be initialized`);
        await prepareContainer(engine, container);
        return '';
      },
    );
  },
});

import { TsmanError } from '../base/error.ts';
import { setFrozen } from '../container/cgroup/freezer.ts';
import { type EventAction, recordEvent } from '../container/events/events.ts';
import { readState } from '../container/state.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { FILTER_OPTION, SELECTION_OPTIONS, selectionOf } from './options/selection-options.ts';
import { forEachContainer, type Selection } from './selection.ts';

export const pauseCommand = defineCommand({
  paths: [['pause'], ['container', 'pause']],
  category: 'Containers',
  summary: 'freeze all processes of containers',
  usage: 'CONTAINER...',
  examples: [
    ['Hold everything, go on later', 'tsman pause -a && tsman unpause -a'],
    ['Hold a build for a while', 'tsman pause build'],
  ],
  options: { ...SELECTION_OPTIONS, filter: FILTER_OPTION },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'running',
  run: (options, names, context) => setAll(context, selectionOf(names, options), 'pause'),
});

export const unpauseCommand = defineCommand({
  paths: [['unpause'], ['container', 'unpause']],
  category: 'Containers',
  summary: 'let frozen containers go on',
  usage: 'CONTAINER...',
  examples: [
    ['One container', 'tsman unpause build'],
    ['All of them', 'tsman unpause -a'],
  ],
  options: { ...SELECTION_OPTIONS, filter: FILTER_OPTION },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'running',
  run: (options, names, context) => setAll(context, selectionOf(names, options), 'unpause'),
});

function setAll(
  context: CommandContext,
  selection: Selection,
  action: EventAction & ('pause' | 'unpause'),
): Promise<number> {
  const frozen = action === 'pause';
  const isWide = selection.all || selection.filters.length > 0;
  return forEachContainer(
    context,
    selection,
    ['running', 'paused'],
    (container, { directories, storage }) => {
      const state = readState(directories, container.id);
      const isAlready = state.pid !== 0 && (state.status === 'paused') === frozen;
      // With --all those in the wanted state are none of its business.
      if (isAlready && isWide) return undefined;
      if (isAlready && frozen)
        throw new TsmanError(`container ${container.name} is paused already`);
      if (isAlready) throw new TsmanError(`container ${container.name} is not paused`);
      setFrozen(container, state, frozen);
      recordEvent(storage, action, container);
      return '';
    },
  );
}

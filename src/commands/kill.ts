import { TsmanError } from '../base/error.ts';
import { thaw } from '../container/cgroup/freezer.ts';
import { recordEvent } from '../container/events/events.ts';
import { parseSignal } from '../container/signals.ts';
import { readState } from '../container/state.ts';
import { killContainer } from '../container/stop.ts';
import { noteStopped } from '../container/wanted.ts';
import { defineCommand } from './command.ts';
import { FILTER_OPTION, SELECTION_OPTIONS, selectionOf } from './options/selection-options.ts';
import { forEachContainer } from './selection.ts';

// INT, QUIT, KILL, TERM: who sends one of these wants the end, not a restart (as with Podman and
// Docker); USR1 or WINCH say nothing about that.
const ENDING_SIGNALS = [2, 3, 9, 15];

export const killCommand = defineCommand({
  paths: [['kill'], ['container', 'kill']],
  category: 'Containers',
  summary: 'send a signal to running containers',
  usage: 'CONTAINER...',
  examples: [
    ['Every running container', 'tsman kill --all'],
    ['Make a server read its configuration again', 'tsman kill -s HUP web'],
  ],
  options: {
    ...SELECTION_OPTIONS,
    filter: FILTER_OPTION,
    signal: {
      kind: 'text',
      short: 's',
      value: 'SIGNAL',
      help: 'the signal to send',
      defaultText: 'KILL',
    },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'running',
  run(options, names, context) {
    const signal = parseSignal(options.signal ?? 'KILL');
    const selection = selectionOf(names, options);
    return forEachContainer(context, selection, ['running', 'paused'], (container, engine) => {
      const state = readState(engine.directories, container.id);
      const isEnding = ENDING_SIGNALS.includes(signal) || signal === container.spec.stopSignal;
      if (isEnding && state.pid !== 0) noteStopped(engine.directories, container);
      thaw(container, state);
      if (!killContainer(state, signal)) {
        throw new TsmanError(`container ${container.name} is not running`);
      }
      recordEvent(engine.storage, 'kill', container, { signal: String(signal) });
      return '';
    });
  },
});

import { TsmanError } from '../base/error.ts';
import { recordEvent } from '../container/events/events.ts';
import { startInBackground } from '../container/start.ts';
import { stopContainer } from '../container/stop.ts';
import { makeHubEarlyFor } from '../network/early-hub.ts';
import { defineCommand } from './command.ts';
import { FILTER_OPTION, SELECTION_OPTIONS, selectionOf } from './options/selection-options.ts';
import { forEachContainer } from './selection.ts';
import { parseStopTime } from './stop.ts';

export const restartCommand = defineCommand({
  paths: [['restart'], ['container', 'restart']],
  category: 'Containers',
  summary: 'stop containers, where they run, and start them again',
  usage: 'CONTAINER...',
  examples: [
    ['Only those that run', 'tsman restart --running'],
    ['Killed at once when it does not stop', 'tsman restart -t 0 web'],
  ],
  options: {
    ...SELECTION_OPTIONS,
    filter: FILTER_OPTION,
    running: { kind: 'flag', help: 'every running container' },
    time: {
      kind: 'text',
      short: 't',
      value: 'SECONDS',
      help: 'how long to wait before SIGKILL',
      defaultText: "the container's --stop-timeout",
    },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  run(options, names, context) {
    const selection = selectionOf(names, { ...options, all: options.all || options.running });
    const time = options.time === undefined ? undefined : parseStopTime(options.time);
    const only = options.running ? (['running', 'paused'] as const) : undefined;
    return forEachContainer(context, selection, only, async (container, engine) => {
      if (container.autoRemove)
        throw new TsmanError(`container ${container.name} has --rm: stopping it removes it`, {
          hint: 'start it anew with tsman run',
        });
      const seconds = time ?? container.spec.stopTimeoutSeconds;
      // If we die between the two, the user still wants it to run.
      await stopContainer(engine, container, seconds, 'stopped until-boot');
      makeHubEarlyFor(engine, container.spec.networks);
      await startInBackground(engine, container);
      recordEvent(engine.storage, 'restart', container);
      return '';
    });
  },
});

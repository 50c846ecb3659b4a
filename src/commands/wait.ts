import { readState } from '../container/state.ts';
import { waitForEnd } from '../container/stop.ts';
import { defineCommand } from './command.ts';
import { forEachContainer } from './selection.ts';

export const waitCommand = defineCommand({
  paths: [['wait'], ['container', 'wait']],
  category: 'Containers',
  summary: 'wait until containers end and print their exit codes',
  usage: 'CONTAINER...',
  examples: [['The result of a background job', 'tsman wait job']],
  options: {
    ignore: { kind: 'flag', help: 'print -1 for containers that do not exist' },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  run(options, names, context) {
    const selection = {
      names,
      all: false,
      latest: options.latest,
      cidfiles: [],
      ignoreMissing: options.ignore,
    };
    return forEachContainer(context, selection, undefined, async (container, engine) => {
      await waitForEnd(engine, container, Number.POSITIVE_INFINITY);
      return String(readState(engine.directories, container.id).exitCode ?? 0);
    });
  },
});

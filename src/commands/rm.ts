import { allDependentsOf, refuseIfNeeded } from '../container/dependencies.ts';
import { removeContainer } from '../container/remove.ts';
import { isActive, readState } from '../container/state.ts';
import { stopContainer } from '../container/stop.ts';
import { defineCommand } from './command.ts';
import { SELECTION_OPTIONS, selectionOf } from './options/selection-options.ts';
import { forEachContainer } from './selection.ts';
import { parseStopTime } from './stop.ts';

export const rmCommand = defineCommand({
  paths: [['rm'], ['container', 'rm'], ['container', 'remove']],
  category: 'Containers',
  summary: 'remove containers',
  usage: 'CONTAINER...',
  examples: [
    ['One that still runs', 'tsman rm -f web'],
    ['All of them', 'tsman rm -fa'],
  ],
  options: {
    ...SELECTION_OPTIONS,
    depend: { kind: 'flag', help: 'also remove the containers that need it' },
    filter: { kind: 'list', value: 'KEY=VALUE', help: 'those that match, as with ps' },
    force: {
      kind: 'flag',
      short: 'f',
      help: 'end running ones first; no error for those that do not exist',
    },
    ignore: { kind: 'flag', short: 'i', help: 'no error for containers that do not exist' },
    time: {
      kind: 'text',
      short: 't',
      value: 'SECONDS',
      help: 'with --force: wait so long between the stop signal and SIGKILL',
      defaultText: '0',
    },
    volumes: { kind: 'flag', short: 'v', help: 'also remove their anonymous volumes' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  run(options, names, context) {
    const ignoreMissing = options.ignore || options.force;
    // Podman's codes: 1 for one that is not there, 2 for one that runs.
    const selection = { ...selectionOf(names, options, ignoreMissing), missingExitCode: 1 };
    const graceSeconds = options.time === undefined ? 0 : parseStopTime(options.time);
    return forEachContainer(context, selection, undefined, async (container, engine) => {
      if (options.depend) {
        for (const one of allDependentsOf(engine, container)) {
          await removeContainer(engine, one, { force: options.force, volumes: options.volumes });
          context.stdout.write(`${one.id}\n`);
        }
      } else if (!options.all) refuseIfNeeded(engine, container);
      const isRunning = isActive(readState(engine.directories, container.id));
      if (options.force && isRunning && graceSeconds > 0)
        await stopContainer(engine, container, graceSeconds);
      await removeContainer(engine, container, { force: options.force, volumes: options.volumes });
      return '';
    });
  },
});

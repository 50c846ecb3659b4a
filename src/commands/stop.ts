import { UsageError } from '../base/error.ts';
import { stopContainer } from '../container/stop.ts';
import { defineCommand } from './command.ts';
import { FILTER_OPTION, SELECTION_OPTIONS, selectionOf } from './options/selection-options.ts';
import { forEachContainer } from './selection.ts';

/** Parses `--time`: whole seconds, -1 = wait for ever. @throws UsageError */
export function parseStopTime(text: string): number {
  if (!/^-?\d+$/.test(text))
    throw new UsageError(`option --time: ${JSON.stringify(text)} is not a number of seconds`);
  return Number(text) < 0 ? Number.POSITIVE_INFINITY : Number(text);
}

export const stopCommand = defineCommand({
  paths: [['stop'], ['container', 'stop']],
  category: 'Containers',
  summary: 'stop running containers: their stop signal first, then SIGKILL',
  usage: 'CONTAINER...',
  examples: [
    ['Give it half a minute', 'tsman stop -t 30 db'],
    ['Everything', 'tsman stop -a'],
  ],
  options: {
    ...SELECTION_OPTIONS,
    filter: FILTER_OPTION,
    ignore: { kind: 'flag', short: 'i', help: 'no error for containers that do not exist' },
    time: {
      kind: 'text',
      short: 't',
      value: 'SECONDS',
      help: 'how long to wait before SIGKILL',
      defaultText: "the container's --stop-timeout",
    },
    untilBoot: {
      kind: 'flag',
      help: 'as the machine goes down: `--restart unless-stopped` starts it again at boot',
    },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'running',
  run(options, names, context) {
    const selection = selectionOf(names, options, options.ignore);
    const time = options.time === undefined ? undefined : parseStopTime(options.time);
    return forEachContainer(
      context,
      selection,
      ['running', 'paused', 'restarting'],
      async (container, engine) => {
        const seconds = time ?? container.spec.stopTimeoutSeconds;
        const wanted = options.untilBoot ? 'stopped until-boot' : 'stopped';
        const { killed } = await stopContainer(engine, container, seconds, wanted);
        if (killed && seconds > 0) {
          context.stderr.write(
            `Warning: container ${container.name} did not end within ${seconds} seconds of its stop signal and was killed\n`,
          );
        }
        return '';
      },
    );
  },
});

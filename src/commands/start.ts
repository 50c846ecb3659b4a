import { TsmanError, UsageError } from '../base/error.ts';
import { attachAndBecome } from '../container/attach.ts';
import { startRequired } from '../container/dependencies.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../container/detach-keys.ts';
import { startAndBecome, startInBackground } from '../container/start.ts';
import { isActive, readState } from '../container/state.ts';
import { makeHubEarlyFor } from '../network/early-hub.ts';
import { defineCommand } from './command.ts';
import { FILTER_OPTION, selectionOf } from './options/selection-options.ts';
import { existingContainer, existingContainers, forEachContainer } from './selection.ts';

export const startCommand = defineCommand({
  paths: [['start'], ['container', 'start']],
  category: 'Containers',
  summary: 'start containers that do not run',
  usage: 'CONTAINER...',
  examples: [
    ['One or several', 'tsman start db web'],
    ['After a reboot', 'tsman start --all --filter restart-policy=always'],
    ['Again, with its output here', 'tsman start -a job'],
  ],
  options: {
    all: { kind: 'flag', help: 'every container that does not run' },
    attach: { kind: 'flag', short: 'a', help: 'show its output and wait for its end' },
    detachKeys: {
      kind: 'text',
      value: 'KEYS',
      help: 'keys that detach; empty = none',
      defaultText: DEFAULT_DETACH_KEYS,
    },
    filter: FILTER_OPTION,
    interactive: { kind: 'flag', short: 'i', help: 'with --attach: pass stdin on' },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
    sigProxy: {
      kind: 'flag',
      default: true,
      help: 'with --attach: send the signals tsman gets to the container',
    },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  async run(options, names, context) {
    if (!options.attach && !options.interactive) {
      const selection = selectionOf(names, options);
      return await forEachContainer(
        context,
        selection,
        ['created', 'exited'],
        async (container, engine) => {
          // Docker and Podman take "start" of a running container for done.
          if (!isActive(readState(engine.directories, container.id))) {
            makeHubEarlyFor(engine, container.spec.networks);
            await startRequired(engine, container);
            await startInBackground(engine, container);
          }
          return '';
        },
      );
    }
    const engine = context.openEngine();
    const latest = options.latest ? existingContainers(engine).at(-1) : undefined;
    if (options.all || names.length + (options.latest ? 1 : 0) !== 1)
      throw new UsageError('option --attach needs exactly one container');
    const container = latest ?? existingContainer(engine, names[0] ?? '');
    const attach = [
      ...(options.interactive ? (['stdin'] as const) : []),
      'stdout' as const,
      'stderr' as const,
    ];
    const start = {
      attach,
      detachKeys: parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS),
      sigProxy: options.sigProxy && !container.spec.terminal,
      announce: undefined,
    };
    if (isActive(readState(engine.directories, container.id)))
      return await attachAndBecome(engine, container, start);
    if (options.interactive && !container.spec.openStdin)
      throw new TsmanError(
        `container ${container.name} was made without --interactive: it has no stdin to attach to`,
      );
    makeHubEarlyFor(engine, container.spec.networks);
    await startRequired(engine, container);
    return await startAndBecome(engine, container, start);
  },
});

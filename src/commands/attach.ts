import { UsageError } from '../base/error.ts';
import { attachAndBecome } from '../container/attach.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../container/detach-keys.ts';
import { defineCommand } from './command.ts';
import { existingContainer, existingContainers } from './selection.ts';

export const attachCommand = defineCommand({
  paths: [['attach'], ['container', 'attach']],
  category: 'Containers',
  summary: 'connect your terminal to a running container',
  usage: 'CONTAINER',
  examples: [
    ['Stop it with ctrl-c, leave it with ctrl-p ctrl-q', 'tsman attach web'],
    ['Leave with another key', 'tsman attach --detach-keys ctrl-x web'],
    ['Look on without typing into it', 'tsman attach --no-stdin job'],
  ],
  options: {
    detachKeys: {
      kind: 'text',
      value: 'KEYS',
      help: 'keys that detach; empty = none',
      defaultText: DEFAULT_DETACH_KEYS,
    },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
    noStdin: { kind: 'flag', help: 'do not pass stdin on' },
    sigProxy: { kind: 'flag', default: true, help: 'send the signals tsman gets to the container' },
  },
  arguments: [0, 1],
  completes: 'running',
  async run(options, [name], context) {
    const engine = context.openEngine();
    const container = options.latest
      ? existingContainers(engine).at(-1)
      : name === undefined
        ? undefined
        : existingContainer(engine, name);
    if (container === undefined)
      throw new UsageError('which container? Give a name or ID, or --latest');
    const streams = ['stdout', 'stderr'] as const;
    return await attachAndBecome(engine, container, {
      attach: options.noStdin || !container.spec.openStdin ? streams : ['stdin', ...streams],
      detachKeys: parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS),
      sigProxy: options.sigProxy && !container.spec.terminal,
      announce: undefined,
    });
  },
});

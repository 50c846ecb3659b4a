import { UsageError } from '../base/error.ts';
import { startRequired } from '../container/dependencies.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../container/detach-keys.ts';
import type { Container } from '../container/record.ts';
import { type StartOptions, startAndBecome, startAndWait } from '../container/start.ts';
import { makeHubEarly } from '../network/early-hub.ts';
import { isDefaultName } from '../network/network.ts';
import { type CommandContext, defineCommand } from './command.ts';
import type { Engine } from './engine.ts';
import { CONTAINER_OPTIONS } from './options/container-options.ts';
import { create } from './request/create-container.ts';

const RUN_OPTIONS = {
  ...CONTAINER_OPTIONS,
  attach: {
    kind: 'list',
    short: 'a',
    value: 'STREAM',
    help: 'attach to stdin, stdout or stderr only',
    choices: ['stdin', 'stdout', 'stderr'],
  },
  detach: { kind: 'flag', short: 'd', help: 'run in the background and print the container ID' },
  detachKeys: {
    kind: 'text',
    value: 'KEYS',
    help: 'keys that detach; empty = none',
    defaultText: DEFAULT_DETACH_KEYS,
  },
  sigProxy: { kind: 'flag', default: true, help: 'send the signals tsman gets to the container' },
} as const;

export const runCommand = defineCommand({
  paths: [['run'], ['container', 'run']],
  category: 'Containers',
  summary: 'make a container from an image and start it',
  usage: 'IMAGE [COMMAND [ARG...]]',
  examples: [
    ['A shell in a throw-away container', 'tsman run --rm -it debian bash'],
    [
      'A web server in the background, reached on port 8080',
      'tsman run -d --name web -p 8080:80 nginx',
    ],
    ['The current directory in the container', 'tsman run --rm -v .:/work -w /work node npm test'],
  ],
  options: RUN_OPTIONS,
  stopAtArgument: true,
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'images',
  async run(options, args, context) {
    if (options.tty && options.interactive) await warnWithoutTerminal(context);
    const attach = attachedStreams(options.attach, options.interactive, options.detach);
    const engine = context.openEngine();
    beginNetwork([...options.network, ...options.net], engine);
    const container = await create(options, args, context, engine);
    const start: StartOptions = {
      attach,
      detachKeys: parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS),
      sigProxy: options.sigProxy && !options.tty,
      announce: options.detach ? container.id : undefined,
      ...(options.rmi && options.detach && container.imageID !== undefined
        ? { afterwards: ['__remove-image', container.imageID] }
        : {}),
    };
    await startRequired(engine, container);
    const exitCode = await startOrRemove(engine, container, () =>
      options.rmi && !options.detach
        ? startAndWait(engine, container, start)
        : startAndBecome(engine, container, start),
    );
    if (!options.rmi || options.detach) return exitCode;
    const { removeImageIfUnused } = await import('../container/remove-image.ts');
    if (container.imageID !== undefined) await removeImageIfUnused(engine, container.imageID);
    return exitCode;
  },
});

/** On the default network, the first container's network is what takes longest: it begins at once. */
function beginNetwork(values: readonly string[], engine: Engine): void {
  if (values.every(isDefaultName)) makeHubEarly(engine);
}

/** What fails before there is a helper leaves no `--rm` container; the helper's own failures: explain.ts. */
async function startOrRemove(
  engine: Engine,
  container: Container,
  start: () => Promise<number>,
): Promise<number> {
  try {
    return await start();
  } catch (error) {
    if (container.autoRemove) {
      const { removeContainer } = await import('../container/remove.ts');
      await removeContainer(engine, container, { force: true });
    }
    throw error;
  }
}

/** Podman's words; scripts look for them. */
async function warnWithoutTerminal({ stderr }: CommandContext): Promise<void> {
  const { isatty } = await import('node:tty');
  if (isatty(0)) return;
  stderr.write(
    'warning: The input device is not a TTY. The --tty and --interactive flags might not work properly\n',
  );
}

function attachedStreams(
  asked: readonly string[],
  interactive: boolean,
  detach: boolean,
): ('stdin' | 'stdout' | 'stderr')[] {
  if (detach) {
    if (asked.length > 0) throw new UsageError('options --attach and --detach exclude each other');
    return [];
  }
  const streams = asked.map((stream) => stream.toLowerCase());
  for (const stream of streams) {
    if (!['stdin', 'stdout', 'stderr'].includes(stream))
      throw new UsageError(
        `option --attach: ${JSON.stringify(stream)} is not stdin, stdout or stderr`,
      );
  }
  const chosen =
    streams.length > 0 ? streams : ['stdout', 'stderr', ...(interactive ? ['stdin'] : [])];
  return (['stdin', 'stdout', 'stderr'] as const).filter((stream) => chosen.includes(stream));
}

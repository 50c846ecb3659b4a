import * as fs from 'node:fs';
import { hasCode, TsmanError, UsageError } from '../base/error.ts';
import { createContainer } from '../container/create.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../container/detach-keys.ts';
import type { Container } from '../container/record.ts';
import { isGone, removeContainer } from '../container/remove.ts';
import { type StartOptions, startAndBecome } from '../container/start.ts';
import { deleteContainerRow } from '../storage/containers.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { CONTAINER_OPTIONS } from './container-options.ts';
import { type ContainerOptions, toCreateRequest, withPublishedAll } from './create-request.ts';
import type { Engine } from './engine.ts';
import { rootSource } from './root-source.ts';

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
    help: `keys that detach (${DEFAULT_DETACH_KEYS}); empty = none`,
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
    const attach = attachedStreams(options.attach, options.interactive, options.detach);
    const engine = context.openEngine();
    const container = await create(options, args, context, engine);
    const start: StartOptions = {
      attach,
      detachKeys: parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS),
      sigProxy: options.sigProxy && !options.tty,
      announce: options.detach ? container.id : undefined,
    };
    return await startAndBecome(engine, container, start);
  },
});

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

/** Everything up to the record: image, ports, container, --cidfile. Shared with `create`. */
export async function create(
  options: ContainerOptions,
  args: readonly string[],
  context: CommandContext,
  engine: Engine,
): Promise<Container> {
  const [image = '', ...command] = args;
  const request = toCreateRequest(options, command);
  if (options.cidfile !== undefined && fs.existsSync(options.cidfile)) {
    throw new TsmanError(`option --cidfile ${options.cidfile}: the file exists`, {
      hint: 'remove it if its container is gone',
    });
  }
  const source = await rootSource(image, options, context, engine);
  const exposed = [
    ...Object.keys(source.defaults.ExposedPorts ?? {}),
    ...request.spec.exposedPorts,
  ];
  const wanted = options.publishAll
    ? withPublishedAll(request.spec.ports, exposed)
    : request.spec.ports;
  const ports =
    wanted.length === 0
      ? []
      : await (await import('../network/host-ports.ts')).assignHostPorts(wanted);
  if (options.replace && options.name !== undefined) await removeByName(engine, options.name);
  const container = createContainer(
    engine,
    source,
    { ...request, spec: { ...request.spec, ports } },
    (holder) => {
      if (!isGone(engine, holder)) return false;
      deleteContainerRow(engine.storage, holder.id);
      return true;
    },
  );
  if (options.cidfile !== undefined) writeCidfile(options.cidfile, container.id);
  return container;
}

async function removeByName(engine: Engine, name: string): Promise<void> {
  const { existingContainers } = await import('./selection.ts');
  const holder = existingContainers(engine).find((container) => container.name === name);
  if (holder !== undefined) await removeContainer(engine, holder, { force: true });
}

function writeCidfile(path: string, id: string): void {
  try {
    fs.writeFileSync(path, id, { flag: 'wx' });
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw new TsmanError(`option --cidfile ${path}`, { cause });
  }
}

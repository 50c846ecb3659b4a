import { TsmanError, UsageError } from '../base/error.ts';
import { inspectContainer } from '../container/inspect/inspect.ts';
import type { Container } from '../container/record.ts';
import { printFailure } from '../output/failure.ts';
import { findContainerRow } from '../storage/containers.ts';
import { findImage } from '../storage/images.ts';
import { type CommandContext, defineCommand } from './command.ts';
import type { Engine } from './engine.ts';
import { existingContainer, existingContainers } from './selection.ts';

const FORMAT = {
  kind: 'text',
  short: 'f',
  value: 'TEMPLATE',
  help: 'json, or a Go template',
} as const;

const SIZE = { kind: 'flag', short: 's', help: 'with the sizes of containers' } as const;

export const inspectCommand = defineCommand({
  paths: [['inspect']],
  category: 'System',
  summary: 'show everything about containers or images as JSON',
  usage: 'NAME...',
  examples: [
    ['Everything about a container or image', 'tsman inspect web'],
    [
      'Its address on a network',
      "tsman inspect -f '{{.NetworkSettings.Networks.shop.IPAddress}}' web",
    ],
    ['One field', "tsman inspect -f '{{.State.Status}}' web"],
  ],
  options: {
    format: FORMAT,
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
    size: SIZE,
    type: {
      kind: 'text',
      short: 't',
      value: 'TYPE',
      help: 'what the name may be',
      defaultText: 'all',
      choices: ['all', 'container', 'image'],
    },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  async run(options, names, context) {
    const type = options.type ?? 'all';
    if (!['all', 'container', 'image'].includes(type))
      throw new UsageError(`option --type: ${JSON.stringify(type)} is not all, container or image`);
    const engine = context.openEngine();
    const latest = options.latest
      ? existingContainers(engine)
          .slice(-1)
          .map(({ id }) => id)
      : [];
    return await inspectAll(context, [...latest, ...names], options.format, (name) =>
      inspectOne(engine, name, type, options.size),
    );
  },
});

export const containerInspectCommand = defineCommand({
  paths: [['container', 'inspect']],
  category: 'Containers',
  summary: 'show everything about containers as JSON',
  usage: 'CONTAINER...',
  examples: [
    ['Its exit code', "tsman container inspect -f '{{.State.ExitCode}}' job"],
    ['With the size of what it wrote', 'tsman container inspect --size job'],
  ],
  options: {
    format: FORMAT,
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
    size: SIZE,
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  async run(options, names, context) {
    const engine = context.openEngine();
    const latest = options.latest ? existingContainers(engine).slice(-1) : [];
    const all = [...latest.map(({ id }) => id), ...names];
    return await inspectAll(context, all, options.format, (name) =>
      inspectWithSize(engine, existingContainer(engine, name), options.size),
    );
  },
});

async function inspectWithSize(
  engine: Engine,
  container: Container,
  withSize: boolean,
): Promise<Record<string, unknown>> {
  const facts = inspectContainer(engine, container);
  if (!withSize) return facts;
  const { measureContainers } = await import('./rows/container-size.ts');
  const size = (await measureContainers(engine, [container])).get(container.id);
  return { ...facts, SizeRw: size?.ownBytes ?? 0, SizeRootFs: size?.totalBytes ?? 0 };
}

async function inspectOne(
  engine: Engine,
  name: string,
  type: string,
  withSize: boolean,
): Promise<unknown> {
  if (type !== 'image' && findContainerRow(engine.storage, name) !== undefined)
    return await inspectWithSize(engine, existingContainer(engine, name), withSize);
  const image = type === 'container' ? undefined : findImage(engine.storage, name);
  if (image === undefined)
    throw new TsmanError(`no such ${type === 'all' ? 'object' : type}: ${JSON.stringify(name)}`);
  const { inspectImage } = await import('../image/inspect.ts');
  return inspectImage(engine, image);
}

/** Prints what was found even when something else was not, as Docker does. */
async function inspectAll(
  context: CommandContext,
  names: readonly string[],
  format: string | undefined,
  find: (name: string) => unknown,
): Promise<number> {
  if (names.length === 0) throw new UsageError('inspect what? Give a name or ID');
  const found: unknown[] = [];
  let exitCode = 0;
  for (const name of names) {
    try {
      found.push(await find(name));
    } catch (error) {
      exitCode = printFailure(error, context.stderr);
    }
  }
  if (format === undefined || format === 'json')
    context.stdout.write(`${JSON.stringify(found, undefined, 5)}\n`);
  else {
    const { renderTemplate } = await import('../output/template.ts');
    for (const value of found) context.stdout.write(`${renderTemplate(format, value)}\n`);
  }
  return exitCode;
}

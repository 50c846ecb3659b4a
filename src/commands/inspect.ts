import { TsmanError, UsageError } from '../base/error.ts';
import { inspectContainer } from '../container/inspect.ts';
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

export const inspectCommand = defineCommand({
  paths: [['inspect']],
  category: 'System',
  summary: 'show everything about containers or images as JSON',
  usage: 'NAME...',
  examples: [['One field', "tsman inspect -f '{{.State.Status}}' web"]],
  options: {
    format: FORMAT,
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
    type: {
      kind: 'text',
      short: 't',
      value: 'TYPE',
      help: 'what the name may be',
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
      inspectOne(engine, name, type),
    );
  },
});

export const containerInspectCommand = defineCommand({
  paths: [['container', 'inspect']],
  category: 'Containers',
  summary: 'show everything about containers as JSON',
  usage: 'CONTAINER...',
  examples: [],
  options: { format: FORMAT },
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'containers',
  async run(options, names, context) {
    const engine = context.openEngine();
    return await inspectAll(context, names, options.format, (name) =>
      inspectContainer(engine, existingContainer(engine, name)),
    );
  },
});

async function inspectOne(engine: Engine, name: string, type: string): Promise<unknown> {
  if (type !== 'image' && findContainerRow(engine.storage, name) !== undefined)
    return inspectContainer(engine, existingContainer(engine, name));
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

import { measureDiskUsage } from '../../container/files/disk-usage.ts';
import { removeAbandonedContainers } from '../../container/leftovers.ts';
import { pruneShifted } from '../../container/root/shifted-root.ts';
import type { StandardOutput } from '../../output/output.ts';
import { humanSize } from '../../output/units.ts';
import { collectGarbage } from '../../storage/garbage.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { containerPruneCommand } from '../container/prune.ts';
import { imagePruneCommand } from '../image/prune.ts';
import { confirm } from '../prompt.ts';
import { volumePruneCommand } from '../volume/prune.ts';

export const systemPruneCommand = defineCommand({
  paths: [['system', 'prune']],
  category: 'System',
  summary: 'remove stopped containers, images without a name and what killed commands left',
  usage: '',
  examples: [
    ['Stopped containers, unused networks, images without a name', 'tsman system prune'],
    ['Everything that nothing uses', 'tsman system prune --all --volumes --force'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'also images with names, when no container uses them' },
    build: { kind: 'flag', help: 'ignored: builds leave nothing', hidden: true },
    external: { kind: 'flag', help: 'only what killed commands left' },
    filter: { kind: 'list', value: 'KEY=VALUE', help: 'only those that match: label, until' },
    force: { kind: 'flag', short: 'f', help: 'do not ask' },
    volumes: {
      kind: 'flag',
      help: 'also anonymous volumes that no container has; with -a named ones too',
    },
  },
  arguments: [0, 0],
  async run(options, _args, context) {
    if (!options.force && !(await confirm(warning(options), context))) return 0;
    const engine = context.openEngine();
    const before = await usedBytes(engine);
    const { filter } = options;
    let exitCode = 0;
    if (!options.external) {
      const rest = { filter, force: true };
      exitCode = Math.max(
        await part('Deleted Containers', containerPruneCommand, rest, context),
        options.volumes
          ? await part(
              'Deleted Volumes',
              volumePruneCommand,
              { ...rest, all: options.all },
              context,
            )
          : 0,
        await part(
          'Deleted Images',
          imagePruneCommand,
          { ...rest, all: options.all, buildCache: false, external: false },
          context,
        ),
      );
    }
    await removeAbandonedContainers(engine);
    await collectGarbage(engine);
    await pruneShifted(engine);
    const freed = Math.max(0, before - (await usedBytes(engine)));
    context.stdout.write(`Total reclaimed space: ${humanSize(freed)}\n`);
    return exitCode;
  },
});

function warning({
  all,
  volumes,
  external,
}: Record<'all' | 'volumes' | 'external', boolean>): string {
  if (external) return 'This removes what killed commands left.';
  const what = [
    'all containers that do not run',
    ...(volumes ? [`all ${all ? '' : 'anonymous '}volumes that no container has`] : []),
    all ? 'all images without a container' : 'all images without a name',
  ];
  return `This removes\n${what.map((line) => `  - ${line}\n`).join('')}`;
}

/** Runs another command; a heading comes before what it says, if it says something. */
async function part<Options>(
  heading: string,
  command: {
    run(
      options: Options,
      args: readonly string[],
      context: CommandContext,
    ): Promise<number> | number;
  },
  options: Options,
  context: CommandContext,
): Promise<number> {
  const said: string[] = [];
  const stdout: StandardOutput = {
    write: (text) => said.push(String(text)),
    isTTY: false,
    columns: undefined,
    get stream() {
      return context.stdout.stream;
    },
  };
  const inner: CommandContext = {
    ...{ stdout, env: context.env, globals: context.globals, places: context.places },
    openEngine: () => context.openEngine(),
    isSet: (option) => context.isSet(option),
    get stdin() {
      return context.stdin;
    },
    get stderr() {
      return context.stderr;
    },
  };
  const exitCode = await command.run(options, [], inner);
  const shown = said.join('').replace(/^Total reclaimed space:.*\n/m, '');
  if (shown !== '') context.stdout.write(`${heading}\n${shown}`);
  return exitCode;
}

async function usedBytes(engine: Parameters<typeof measureDiskUsage>[0]): Promise<number> {
  const { imageBytes, containers, volumes, unreferencedBytes } = await measureDiskUsage(engine);
  const others = [...containers, ...volumes].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return imageBytes + unreferencedBytes + others;
}

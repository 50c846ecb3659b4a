import { UsageError } from '../../base/error.ts';
import { type Removed, removeImageByName } from '../../image/remove.ts';
import { printFailure } from '../../output/failure.ts';
import { collectGarbage } from '../../storage/garbage.ts';
import { findImage, listImages } from '../../storage/images.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import type { Engine } from '../engine.ts';

export const rmiCommand = defineCommand({
  paths: [['rmi'], ['image', 'rm'], ['image', 'remove']],
  category: 'Images',
  summary: 'remove images, or names of images',
  usage: 'IMAGE...',
  examples: [
    ['By name', 'tsman rmi debian:12'],
    ['All of them, and their containers', 'tsman rmi -fa'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'all images' },
    force: {
      kind: 'flag',
      short: 'f',
      help: 'also their containers, and images with several names',
    },
    ignore: { kind: 'flag', short: 'i', help: 'no error for images that do not exist' },
    noPrune: {
      kind: 'flag',
      help: 'accepted for compatibility: images here have no parents',
      hidden: true,
    },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'images',
  async run(options, names, context) {
    const engine = context.openEngine();
    if (names.length === 0 && !options.all) throw new UsageError('rmi needs an image, or --all');
    if (names.length > 0 && options.all)
      throw new UsageError('rmi: give images or --all, not both');
    const wanted = options.all ? listImages(engine.storage).map((image) => image.id) : names;
    let exitCode = 0;
    for (const name of wanted)
      exitCode = Math.max(exitCode, await removeOne(engine, name, options, context));
    await collectGarbage(engine);
    return exitCode;
  },
});

/** Removes one and says so; a failure is printed and the others still have their turn. */
async function removeOne(
  engine: Engine,
  name: string,
  options: { force: boolean; ignore: boolean; all: boolean },
  { stdout, stderr }: CommandContext,
): Promise<number> {
  try {
    if ((options.ignore || options.force) && findImage(engine.storage, name) === undefined)
      return 0;
    const removed = await removeImageByName(engine, name, {
      // With --all every name goes anyway; containers still need -f.
      force: options.force,
      allNames: options.all,
      removeContainer: (id) => removeContainerOf(engine, id),
    });
    stdout.write(describe(removed));
    return 0;
  } catch (error) {
    return printFailure(error, stderr);
  }
}

function describe({ untagged, deleted }: Removed): string {
  const lines = untagged.map((name) => `Untagged: ${name}\n`);
  return [...lines, ...(deleted === undefined ? [] : [`Deleted: ${deleted}\n`])].join('');
}

/** Imported here and not above: most removals touch no container. */
async function removeContainerOf(engine: Engine, id: string): Promise<void> {
  const [{ removeContainer }, { findContainer }] = await Promise.all([
    import('../../container/remove.ts'),
    import('../../container/record.ts'),
  ]);
  await removeContainer(engine, findContainer(engine.storage, id), { force: true });
}

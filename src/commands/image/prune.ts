import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import { filterImages } from '../../image/filter.ts';
import { pruneImages } from '../../image/remove.ts';
import { humanSize } from '../../output/units.ts';
import { type CommandContext, defineCommand } from '../command.ts';

export const imagePruneCommand = defineCommand({
  paths: [['image', 'prune']],
  category: 'Images',
  summary: 'remove images that have no name, with -a all that no container uses',
  usage: '',
  examples: [
    ['Those without a name, without asking', 'tsman image prune --force'],
    ['All unused ones older than ten days', 'tsman image prune -a --filter until=240h'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'also images with names, when no container uses them' },
    buildCache: { kind: 'flag', help: 'accepted for compatibility', hidden: true },
    external: {
      kind: 'flag',
      help: 'accepted for compatibility: nobody else stores here',
      hidden: true,
    },
    filter: { kind: 'list', value: 'KEY=VALUE', help: 'only images that match: label, until' },
    force: { kind: 'flag', short: 'f', help: 'do not ask' },
  },
  arguments: [0, 0],
  async run(options, _args, context) {
    const { openEngine, stdout } = context;
    const what = options.all ? 'all images without a container' : 'all images without a name';
    if (!options.force && !(await confirm(`This removes ${what}.`, context))) return 0;
    const engine = openEngine();
    const { ids, freedBytes } = await pruneImages(engine, {
      all: options.all,
      select: (images) => filterImages(engine.storage, images, options.filter),
    });
    stdout.write(ids.map((id) => `${id}\n`).join(''));
    if (freedBytes > 0) stdout.write(`Total reclaimed space: ${humanSize(freedBytes)}\n`);
    return 0;
  },
});

/** Asks only somebody who can answer: a script is taken at its word, as with Podman's -f. */
async function confirm(warning: string, { stdin, stderr }: CommandContext): Promise<boolean> {
  if (!isatty(0)) return true;
  const terminal = createInterface({ input: stdin, output: stderr.stream });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${warning}\nContinue? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

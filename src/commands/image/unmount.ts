import { mountedImages, unmountImage } from '../../image/mount.ts';
import { printFailure } from '../../output/failure.ts';
import { requireImage } from '../../storage/image-lookup.ts';
import { defineCommand } from '../command.ts';
import { requireMountPower } from './mount.ts';

export const imageUnmountCommand = defineCommand({
  paths: [
    ['image', 'unmount'],
    ['image', 'umount'],
  ],
  category: 'Images',
  summary: 'unmount images',
  usage: '[IMAGE...]',
  examples: [
    ['One image', 'tsman image unmount debian:12'],
    ['Every one', 'tsman image unmount --all'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'all that are mounted' },
    force: { kind: 'flag', short: 'f', help: 'ignored: nobody counts mounts', hidden: true },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'images',
  async run({ all }, names, { openEngine, stdout, stderr }) {
    const engine = openEngine();
    requireMountPower(engine, 'image unmount');
    const { storage } = engine;
    let exitCode = 0;
    const ids = all ? mountedImages(storage) : names.map((name) => requireImage(storage, name).id);
    for (const id of ids) {
      try {
        if (await unmountImage(storage, id)) stdout.write(`${id}\n`);
      } catch (error) {
        exitCode = printFailure(error, stderr);
      }
    }
    return exitCode;
  },
});

import { TsmanError } from '../../base/error.ts';
import { mountedImages, mountImage, mountPoint } from '../../image/mount.ts';
import { requireImage } from '../../storage/image-lookup.ts';
import { getImage, listImages } from '../../storage/images.ts';
import { defineCommand } from '../command.ts';
import type { Engine } from '../engine.ts';

export const imageMountCommand = defineCommand({
  paths: [['image', 'mount']],
  category: 'Images',
  summary: 'mount images read-only, in tsman unshare or as root, or list those mounted',
  usage: '[IMAGE...]',
  examples: [
    ['All images, and where they are', 'tsman image mount'],
    ['In the shell of tsman unshare', 'tsman image mount debian:12'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'all images' },
    format: { kind: 'text', value: 'FORMAT', help: 'json', choices: ['json'] },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'images',
  async run({ all, format }, names, { openEngine, stdout }) {
    const engine = openEngine();
    requireMountPower(engine, 'image mount');
    const { storage } = engine;
    const wanted = all ? listImages(storage) : names.map((name) => requireImage(storage, name));
    const rows: { id: string; Repositories: readonly string[]; mountpoint: string }[] = [];
    if (wanted.length === 0)
      for (const id of mountedImages(storage))
        rows.push({
          id,
          Repositories: getImage(storage, id).names,
          mountpoint: mountPoint(storage, id),
        });
    for (const image of wanted)
      rows.push({
        id: image.id,
        Repositories: image.names,
        mountpoint: await mountImage(storage, image),
      });
    if (format === 'json') stdout.write(`${JSON.stringify(rows, undefined, 4)}\n`);
    else if (wanted.length === 1 && !all) stdout.write(`${rows[0]?.mountpoint}\n`);
    else
      for (const { id, Repositories, mountpoint } of rows)
        stdout.write(`${Repositories[0] ?? id.slice(0, 12)}  ${mountpoint}\n`);
    return 0;
  },
});

/** A mount made in the namespace of a helper would be gone with it. */
export function requireMountPower(engine: Engine, command: string): void {
  if (engine.userns.kind === 'none') return;
  throw new TsmanError(`${command} needs a mount namespace to mount in`, {
    hint: `run tsman unshare first, and tsman ${command} in its shell`,
  });
}

import { removeFromList, requireManifestList, withListLease } from '../../image/manifest-list.ts';
import { defineCommand } from '../command.ts';

export const manifestRemoveCommand = defineCommand({
  paths: [['manifest', 'remove']],
  category: 'Images',
  summary: 'take an image out of a list',
  usage: 'LIST IMAGE|DIGEST',
  examples: [
    ['By the name of the image', 'tsman manifest remove web web:arm'],
    [
      'By its digest',
      'tsman manifest remove web sha256:e60cf2c27adb5a41c6e21ebfcb0ac9c1bb3ef3a8ee5a37d3bba4b5a4be0a7c49',
    ],
  ],
  options: {},
  arguments: [2, 2],
  completes: 'images',
  async run(_options, [name = '', image = ''], { openEngine, stdout }) {
    const engine = openEngine();
    const { storage } = engine;
    const list = await withListLease(engine, async () =>
      removeFromList(storage, requireManifestList(storage, name), image),
    );
    stdout.write(`${list.name}: ${list.digest}\n`);
    return 0;
  },
});

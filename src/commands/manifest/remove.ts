import { removeFromList, requireManifestList, withListLease } from '../../image/manifest-list.ts';
import { defineCommand } from '../command.ts';

export const manifestRemoveCommand = defineCommand({
  paths: [['manifest', 'remove']],
  category: 'Images',
  summary: 'take an image out of a list',
  usage: 'LIST IMAGE|DIGEST',
  examples: [],
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

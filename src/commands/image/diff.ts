import { diffImage } from '../../container/files/image-diff.ts';
import { requireImage } from '../../storage/image-lookup.ts';
import { defineCommand } from '../command.ts';
import { printChanges } from '../rows/diff-output.ts';

export const imageDiffCommand = defineCommand({
  paths: [['image', 'diff']],
  category: 'Images',
  summary: 'list what the uppermost layer of an image, or all of it against another, changed',
  usage: 'IMAGE [IMAGE]',
  examples: [
    ['What the top layer of an image did', 'tsman image diff web'],
    ['What an update brought', 'tsman image diff debian:12.8 debian:12.7'],
  ],
  options: {
    format: { kind: 'text', value: 'FORMAT', help: 'json', choices: ['json'] },
  },
  arguments: [1, 2],
  completes: 'images',
  async run({ format }, [name = '', other], { openEngine, stdout }) {
    const engine = openEngine();
    const against = other === undefined ? undefined : requireImage(engine.storage, other);
    printChanges(
      await diffImage(engine, requireImage(engine.storage, name), against),
      format,
      stdout,
    );
    return 0;
  },
});

import { TsmanError } from '../../base/error.ts';
import { matchedName, requireImage } from '../../storage/image-lookup.ts';
import { untagImage } from '../../storage/images.ts';
import { defineCommand } from '../command.ts';

export const untagCommand = defineCommand({
  paths: [['untag'], ['image', 'untag']],
  category: 'Images',
  summary: 'take names away from an image, which stays',
  usage: 'IMAGE [NAME...]',
  examples: [
    ['All of its names', 'tsman untag web'],
    ['One of its names', 'tsman untag web registry.example.com/team/web:1.0'],
  ],
  options: {},
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'images',
  run(_options, [source = '', ...names], { openEngine }) {
    const { storage } = openEngine();
    const image = requireImage(storage, source);
    const recorded = names.map((name) => {
      const match = matchedName(image, name);
      if (match === undefined)
        throw new TsmanError(`${name} is no name of image ${image.id.slice(0, 12)}`);
      return match;
    });
    untagImage(storage, image, names.length === 0 ? image.names : recorded);
    return 0;
  },
});
